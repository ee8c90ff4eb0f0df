//! Any sequence of what can be done here, with the state and the money checked after every step.

use crate::mock::*;
use agora_primitives::{
    TaskId,
    judging::{Attestation, Judge, Ruling},
};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Open(u64),
    Attest(u64, u64, Attestation),
    Close(u64, Ruling),
    NextBlock,
    Deactivate(u64),
    BecomeParty(u64, u64),
}

fn step() -> impl Strategy<Value = Step> {
    let task = || 0u64..4;
    let who = || 1u64..=VERIFIERS;
    let attestation = prop_oneof![Just(Attestation::Valid), Just(Attestation::Invalid)];
    let ruling = prop_oneof![Just(Ruling::Upheld), Just(Ruling::Overturned), Just(Ruling::Undecided)];
    prop_oneof![
        3 => task().prop_map(Step::Open),
        20 => (who(), task(), attestation).prop_map(|(who, task, said)| Step::Attest(who, task, said)),
        3 => (task(), ruling).prop_map(|(task, ruling)| Step::Close(task, ruling)),
        2 => Just(Step::NextBlock),
        1 => who().prop_map(Step::Deactivate),
        1 => (who(), task()).prop_map(|(who, task)| Step::BecomeParty(who, task)),
    ]
}

fn perform(step: Step) {
    // Refusals are part of the game; what they leave behind is checked by the caller.
    match step {
        Step::Open(task) => drop(Judging::open_appeal_window(TaskId(task), terms())),
        Step::Attest(who, task, said) => drop(attest(who, TaskId(task), said)),
        Step::Close(task, ruling) => {
            let attesters = window(TaskId(task)).map(|open| open.attestations);
            let right = Judging::close_appeal_window(TaskId(task), ruling);
            assert_eq!(right.is_ok(), attesters.is_some());
            for (who, said) in attesters.unwrap_or_default().iter() {
                let is_right = ruling.vindicates() == Some(*said);
                assert_eq!(right.as_ref().is_ok_and(|all| all.contains(who)), is_right);
                assert_eq!(bond_of(*who, TaskId(task)), 0);
            }
        }
        Step::NextBlock => System::set_block_number(System::block_number() + 1),
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
