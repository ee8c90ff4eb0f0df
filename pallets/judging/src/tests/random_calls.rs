//! Any sequence of what can be done here, with the state and the money checked after every step.

use crate::mock::*;
use agora_primitives::{
    TaskId,
    judging::{Attestation, Judge, Reveals, Ruling, Said},
};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Open(u64),
    Attest(u64, u64, Attestation),
    Draw(u64),
    Reveal(u64, u64, Attestation),
    Close(u64, Ruling),
    NextBlock,
    FullBlock,
    Deactivate(u64),
    BecomeParty(u64, u64),
}

fn step() -> impl Strategy<Value = Step> {
    let task = || 0u64..4;
    let who = || 1u64..=VERIFIERS;
    let attestation = || prop_oneof![3 => Just(Attestation::Valid), 1 => Just(Attestation::Invalid)];
    let ruling = prop::sample::select(vec![
        Ruling::Upheld,
        Ruling::Overturned,
        Ruling::Undecided,
        Ruling::Disagreed,
    ]);
    prop_oneof![
        3 => task().prop_map(Step::Open),
        20 => (who(), task(), attestation()).prop_map(|(who, task, said)| Step::Attest(who, task, said)),
        4 => task().prop_map(Step::Draw),
        20 => (who(), task(), attestation()).prop_map(|(who, task, said)| Step::Reveal(who, task, said)),
        3 => (task(), ruling).prop_map(|(task, ruling)| Step::Close(task, ruling)),
        6 => Just(Step::NextBlock),
        1 => Just(Step::FullBlock),
        1 => who().prop_map(Step::Deactivate),
        1 => (who(), task()).prop_map(|(who, task)| Step::BecomeParty(who, task)),
    ]
}

fn perform(step: Step) {
    // Refusals are part of the game; what they leave behind is checked by the caller.
    match step {
        Step::Open(task) => drop(Judging::open_appeal_window(TaskId(task), terms())),
        Step::Attest(who, task, said) => drop(attest(who, TaskId(task), said)),
        Step::Draw(task) => {
            let reveals = Judging::reveals(TaskId(task));
            Judging::draw_chunks(TaskId(task), DRAW);
            if let Reveals::Undrawn { from } = reveals {
                let is_drawn = Judging::reveals(TaskId(task)) != reveals;
                assert_eq!(is_drawn, System::block_number() >= from);
            }
        }
        Step::Reveal(who, task, said) => drop(reveal(who, TaskId(task), said)),
        Step::Close(task, ruling) => {
            let task = TaskId(task);
            let open = window(task);
            let is_over = Judging::reveals(task) == Reveals::Done;
            let right = Judging::close_appeal_window(task, ruling);
            assert_eq!(right.is_ok(), open.is_some());
            let silent: Vec<_> = Offenders::take().into_iter().map(|(who, _)| who).collect();
            for (who, said) in open.map(|open| open.attestations).unwrap_or_default().iter() {
                let is_paid = Said::Revealed(ruling.pays()) == *said;
                assert_eq!(right.as_ref().is_ok_and(|all| all.contains(who)), is_paid);
                assert_eq!(bond_of(*who, task), 0);
                let is_hidden = matches!(said, Said::Hidden(_));
                assert_eq!(silent.contains(who), is_hidden && is_over);
            }
        }
        // Of ten blocks, so that windows end.
        Step::NextBlock => System::set_block_number(System::block_number() + 10),
        Step::FullBlock => Full::mutate(|full| *full += 1),
        Step::Deactivate(who) => drop(ActiveVerifiers::mutate(|all| all.remove(&who))),
        Step::BecomeParty(who, task) => {
            // Parties are known before a window opens.
            if window(TaskId(task)).is_none() {
                KnownParties::mutate(|all| all.insert((TaskId(task), who)));
            }
        }
    }
}

proptest! {
    #[test]
    fn what_was_right_and_revealed_never_loses(
        others in proptest::collection::vec((2u64..=VERIFIERS, any::<bool>(), any::<bool>()), 0..12), penalty in 0u32..=100,
        late in 0u64..REVEAL_WINDOW,
        ruling in prop::sample::select(vec![Ruling::Upheld, Ruling::Undecided, Ruling::Disagreed]),
    ) {
        ExtBuilder::default().penalty(penalty).build_and_execute(|| {
            open(TASK);
            assert_eq!(attest(1, TASK, Attestation::Valid), Ok(()));
            for (who, valid, _) in &others {
                let _ = attest(*who, TASK, Attestation::of(*valid));
            }
            draw(TASK);
            System::set_block_number(System::block_number() + late);
            for (who, valid, _) in others.iter().filter(|(_, _, reveals)| *reveals) {
                let _ = reveal(*who, TASK, Attestation::of(*valid));
            }
            assert!(reveal(1, TASK, Attestation::Valid).is_ok());
            System::set_block_number(REVEAL_UNTIL + 1);
            let before: Vec<_> = (1..=VERIFIERS).map(|who| free(who) + bond_of(who, TASK)).collect();
            assert!(Judging::close_appeal_window(TASK, ruling).is_ok());
            assert_eq!(free(1), ENDOWMENT);
            for (who, had) in (1..=VERIFIERS).zip(before) {
                assert!(free(who) <= had, "{who} gained what another lost");
            }
        });
    }

    #[test]
    fn no_sequence_breaks_the_state_or_loses_money(
        steps in proptest::collection::vec(step(), 1..120),
        places in 1u32..4,
        penalty in 0u32..=100,
    ) {
        ExtBuilder::default().places(places * 2).penalty(penalty).build_and_execute(|| {
            let issuance = Balances::total_issuance();
            for step in steps {
                perform(step);
                check_state();
                assert_eq!(Balances::total_issuance(), issuance);
            }
        });
    }
}
