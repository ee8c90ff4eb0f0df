use crate::{Error, Event, mock::*};
use agora_primitives::judging::{Judge, Ruling};
use frame_support::{assert_noop, assert_ok};

#[test]
fn takes_the_terms_down() {
    ExtBuilder::default().build_and_execute(|| {
        assert_ok!(Judging::open_appeal_window(TASK, terms()));
        let opened = window(TASK).unwrap();
        assert_eq!(opened.terms, terms());
        assert_eq!((opened.opened_at, opened.seats, opened.total), (1, MANY_SEATS, 0));
        assert_eq!(opened.draw, None);
        assert!(opened.attestations.is_empty());
        let (claim, seed) = (terms().claim, terms().seed);
        assert_eq!(
            events(),
            [Event::AppealWindowOpened {
                task: TASK,
                claim,
                seed,
                until: UNTIL,
                bond: BOND
            }]
        );
    });
}

#[test]
fn fails_while_one_is_open_and_keeps_it() {
    ExtBuilder::default().build_and_execute(|| {
        contest(TASK, &[1], &[]);
        let other = agora_primitives::judging::AppealTerms { until: 99, ..terms() };
        assert_noop!(
            Judging::open_appeal_window(TASK, other),
            Error::<Test>::AppealWindowAlreadyOpen
        );
        assert_eq!(window(TASK).unwrap().attestations.len(), 1);
    });
}

#[test]
fn may_be_repeated_when_the_last_one_is_closed() {
    ExtBuilder::default().build_and_execute(|| {
        contest(TASK, &[1], &[]);
        assert_ok!(Judging::close_appeal_window(TASK, Ruling::Overturned));
        open(TASK);
        assert_ok!(attest(1, TASK, agora_primitives::judging::Attestation::Invalid));
    });
}
