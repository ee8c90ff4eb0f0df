use crate::{Error, Event, mock::*};
use agora_primitives::{
    courts::Offence,
    judging::{Attestation, Judge, Ruling},
    money::{Escrow as _, Purpose, Scope},
    participants::Specialisation,
    reputation::{Outcome, Side},
};
use frame_support::{assert_noop, assert_ok};

const SIDE: Side = Side::Verifier(Specialisation::Synthetic);

fn upheld(verifier: AccountId) -> Event<Test> {
    Event::AttesterUpheld { task: TASK, verifier }
}

fn slashed(verifier: AccountId, amount: Balance) -> Event<Test> {
    Event::AttesterSlashed {
        task: TASK,
        verifier,
        amount,
        offence: Offence::Wrong,
    }
}

fn silent(verifier: AccountId, amount: Balance) -> Event<Test> {
    Event::AttesterSlashed {
        task: TASK,
        verifier,
        amount,
        offence: Offence::Silent,
    }
}

fn closed(ruling: Ruling) -> Event<Test> {
    Event::AppealWindowClosed { task: TASK, ruling }
}

fn gains(accounts: impl IntoIterator<Item = AccountId>) -> Vec<i128> {
    accounts
        .into_iter()
        .map(|who| free(who) as i128 - ENDOWMENT as i128)
        .collect()
}

#[test]
fn upheld_costs_those_against_their_bonds_and_nobody_gains_them() {
    ExtBuilder::default().build_and_execute(|| {
        contest(TASK, &[1, 3], &[2, 4, 5]);
        System::reset_events();
        assert_eq!(Judging::close_appeal_window(TASK, Ruling::Upheld), Ok(vec![1, 3]));
        assert_eq!(gains(1..=6), [0, -1000, 0, -1000, -1000, 0]);
        assert_eq!(free(TREASURY), ED + 3 * BOND);
        assert_eq!(
            events(),
            [
                upheld(1),
                upheld(3),
                slashed(2, BOND),
                slashed(4, BOND),
                slashed(5, BOND),
                closed(Ruling::Upheld),
            ]
        );
        let confirmed = Outcome::Right { confirmed: true };
        assert_eq!(
            ReputationDouble::outcomes(),
            [
                (1, SIDE, confirmed),
                (3, SIDE, confirmed),
                (2, SIDE, Outcome::Wrong),
                (4, SIDE, Outcome::Wrong),
                (5, SIDE, Outcome::Wrong),
            ]
        );
        assert_eq!(window(TASK), None);
    });
}

#[test]
fn overturned_costs_those_in_favour_their_bonds_and_nobody_gains_them() {
    ExtBuilder::default().build_and_execute(|| {
        contest(TASK, &[1, 3], &[2]);
        System::reset_events();
        assert_eq!(Judging::close_appeal_window(TASK, Ruling::Overturned), Ok(vec![2]));
        assert_eq!(gains(1..=3), [-1000, 0, -1000]);
        assert_eq!(free(TREASURY), ED + 2 * BOND);
        assert_eq!(
            events(),
            [
                upheld(2),
                slashed(1, BOND),
                slashed(3, BOND),
                closed(Ruling::Overturned)
            ]
        );
        // Alone on the right side: right, but nobody confirmed it.
        assert_eq!(
            ReputationDouble::outcomes()[0],
            (2, SIDE, Outcome::Right { confirmed: false })
        );
    });
}

#[test]
fn disagreed_costs_those_against_a_little_and_tells_no_reputation() {
    ExtBuilder::default().build_and_execute(|| {
        contest(TASK, &[1, 3], &[2]);
        System::reset_events();
        assert_eq!(Judging::close_appeal_window(TASK, Ruling::Disagreed), Ok(vec![1, 3]));
        assert_eq!(gains(1..=3), [0, -100, 0]);
        assert_eq!(free(TREASURY), ED + 100);
        assert_eq!(events(), [slashed(2, 100), closed(Ruling::Disagreed)]);
        assert_eq!(ReputationDouble::outcomes(), []);
        assert_eq!(window(TASK), None);
    });
}

#[test]
fn undecided_costs_nobody_who_has_revealed_and_tells_no_reputation() {
    ExtBuilder::default().build_and_execute(|| {
        contest(TASK, &[1, 3], &[2]);
        System::reset_events();
        assert_eq!(Judging::close_appeal_window(TASK, Ruling::Undecided), Ok(vec![1, 3]));
        assert_eq!(gains(1..=3), [0, 0, 0]);
        assert_eq!(free(TREASURY), ED);
        assert_eq!(events(), [closed(Ruling::Undecided)]);
        assert_eq!(ReputationDouble::outcomes(), []);
        assert_eq!([1, 2, 3].map(|who| bond_of(who, TASK)), [0, 0, 0]);
    });
}

#[test]
fn without_anybody_on_the_wrong_side_bonds_just_go_back() {
    ExtBuilder::default().build_and_execute(|| {
        contest(TASK, &[1, 2], &[]);
        System::reset_events();
        assert_eq!(Judging::close_appeal_window(TASK, Ruling::Upheld), Ok(vec![1, 2]));
        assert_eq!(gains(1..=2), [0, 0]);
        assert_eq!(free(TREASURY), ED);
        assert_eq!(events(), [upheld(1), upheld(2), closed(Ruling::Upheld)]);
    });
}

#[test]
fn without_attesters_there_is_nothing_but_the_event() {
    for ruling in [Ruling::Upheld, Ruling::Overturned, Ruling::Undecided, Ruling::Disagreed] {
        ExtBuilder::default().build_and_execute(|| {
            open(TASK);
            System::reset_events();
            assert_eq!(Judging::close_appeal_window(TASK, ruling), Ok(vec![]));
            assert_eq!(events(), [closed(ruling)]);
        });
    }
}

#[test]
fn losers_keep_what_the_penalty_leaves() {
    ExtBuilder::default().penalty(25).build_and_execute(|| {
        contest(TASK, &[1], &[2, 3]);
        System::reset_events();
        assert_ok!(Judging::close_appeal_window(TASK, Ruling::Upheld));
        assert_eq!(gains(1..=3), [0, -250, -250]);
        assert_eq!(
            events(),
            [upheld(1), slashed(2, 250), slashed(3, 250), closed(Ruling::Upheld)]
        );
    });
}

#[test]
fn leaves_other_tasks_alone() {
    ExtBuilder::default().build_and_execute(|| {
        contest(TASK, &[1], &[2]);
        contest(OTHER_TASK, &[2], &[1]);
        assert_ok!(Judging::close_appeal_window(TASK, Ruling::Upheld));
        assert_eq!((bond_of(1, TASK), bond_of(2, TASK)), (0, 0));
        assert_eq!((bond_of(1, OTHER_TASK), bond_of(2, OTHER_TASK)), (BOND, BOND));
        assert_eq!(window(OTHER_TASK).unwrap().attestations.len(), 2);
    });
}

#[test]
fn fails_without_a_window_and_so_cannot_happen_twice() {
    ExtBuilder::default().build_and_execute(|| {
        assert_noop!(
            Judging::close_appeal_window(TASK, Ruling::Upheld),
            Error::<Test>::NoAppealWindow
        );
        contest(TASK, &[1], &[2]);
        assert_ok!(Judging::close_appeal_window(TASK, Ruling::Upheld));
        assert_noop!(
            Judging::close_appeal_window(TASK, Ruling::Upheld),
            Error::<Test>::NoAppealWindow
        );
    });
}

#[test]
fn takes_what_is_held_where_it_is_less_than_the_bond() {
    ExtBuilder::default().build_and_execute(|| {
        contest(TASK, &[1], &[2, 3]);
        let scope = Scope::Task(TASK);
        assert_ok!(Escrow::release(Purpose::AppealBond, scope, &1, 400));
        assert_ok!(Escrow::release(Purpose::AppealBond, scope, &2, 300));
        assert_ok!(Escrow::release(Purpose::AppealBond, scope, &3, BOND));
        System::reset_events();
        assert_eq!(Judging::close_appeal_window(TASK, Ruling::Upheld), Ok(vec![1]));
        assert_eq!(gains(1..=3), [0, -700, 0]);
        assert_eq!(
            events(),
            [upheld(1), slashed(2, 700), slashed(3, 0), closed(Ruling::Upheld)]
        );
    });
}

#[test]
fn works_with_all_places_taken() {
    ExtBuilder::default().places(12).build_and_execute(|| {
        contest(TASK, &[1, 3, 5, 7, 9, 11], &[2, 4, 6, 8, 10, 12]);
        assert_eq!(
            Judging::close_appeal_window(TASK, Ruling::Overturned),
            Ok(vec![2, 4, 6, 8, 10, 12])
        );
        assert_eq!(gains(1..=12), [-1000, 0].repeat(6));
    });
}

#[test]
fn works_without_a_bond() {
    ExtBuilder::default().build_and_execute(|| {
        let free_of_charge = agora_primitives::judging::AppealTerms { bond: 0, ..terms() };
        assert_ok!(Judging::open_appeal_window(TASK, free_of_charge));
        for who in [1, 2] {
            assert_ok!(attest(who, TASK, Attestation::of(who == 1)));
        }
        draw(TASK);
        for who in [1, 2] {
            assert_ok!(reveal(who, TASK, Attestation::of(who == 1)));
        }
        assert_eq!(Judging::close_appeal_window(TASK, Ruling::Upheld), Ok(vec![1]));
        assert_eq!(gains(1..=2), [0, 0]);
    });
}

#[test]
fn who_has_not_revealed_pays_the_treasury_whatever_the_ruling_is() {
    for (ruling, gain) in [
        (Ruling::Upheld, [0, -1000, -1000]),
        (Ruling::Overturned, [-1000, 0, -1000]),
        (Ruling::Undecided, [0, 0, -1000]),
        (Ruling::Disagreed, [0, -100, -1000]),
    ] {
        ExtBuilder::default().build_and_execute(|| {
            open(TASK);
            for who in 1..=4 {
                assert_ok!(attest(who, TASK, Attestation::of(who % 2 == 1)));
            }
            assert_ok!(attest(5, TASK, Attestation::Invalid));
            draw(TASK);
            for who in 1..=3 {
                assert_ok!(reveal(who, TASK, Attestation::of(who % 2 == 1)));
            }
            System::set_block_number(REVEAL_UNTIL + 1);
            System::reset_events();
            assert_ok!(Judging::close_appeal_window(TASK, ruling));
            assert_eq!(gains([1, 2, 4]), gain);
            let all = events();
            assert!(
                all.contains(&silent(4, BOND)) && all.contains(&silent(5, BOND)),
                "{all:?}"
            );
            assert_eq!(Offenders::get(), [(4, Offence::Silent), (5, Offence::Silent)]);
            let told = ReputationDouble::outcomes();
            assert!(told.contains(&(4, SIDE, Outcome::Wrong)) && told.contains(&(5, SIDE, Outcome::Wrong)));
            assert!(free(TREASURY) >= ED + 2 * BOND);
            assert_eq!([4, 5].map(|who| bond_of(who, TASK)), [0, 0]);
        });
    }
}

#[test]
fn who_could_not_reveal_yet_has_its_bond_back() {
    ExtBuilder::default().build_and_execute(|| {
        for (task, is_drawn) in [(TASK, true), (OTHER_TASK, false)] {
            System::set_block_number(1);
            open(task);
            assert_ok!(attest(1, task, Attestation::Valid));
            System::set_block_number(DRAWN_AT);
            if is_drawn {
                draw(task);
                System::set_block_number(REVEAL_UNTIL);
            }
            assert_eq!(Judging::close_appeal_window(task, Ruling::Upheld), Ok(vec![]));
            assert_eq!((gains([1]), bond_of(1, task)), (vec![0], 0));
        }
        assert_eq!(Offenders::get(), []);
    });
}

#[test]
fn of_a_silent_ones_bond_the_rest_comes_back() {
    ExtBuilder::default().penalty(25).build_and_execute(|| {
        open(TASK);
        assert_ok!(attest(1, TASK, Attestation::Valid));
        draw(TASK);
        System::set_block_number(REVEAL_UNTIL + 1);
        assert_ok!(Judging::close_appeal_window(TASK, Ruling::Upheld));
        assert_eq!(gains([1]), [-250]);
        assert_eq!(free(TREASURY), ED + 250);
    });
}
