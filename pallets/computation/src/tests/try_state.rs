//! Every invariant is broken once, and found.

use super::world::*;
use crate::{
    Defences, Endings, Excused, HiddenAccusations, Matches, NextCase, NextTrial, OpenCases, Runs, Trials, mock::*,
};
use agora_disputes::Target;
use agora_primitives::money::{Escrow as _, Purpose, Scope};
use frame_support::{assert_err, assert_ok};
use sp_core::H256;

/// Breaks something in a trial with a defence, two runs and a match, beside a hidden accusation of another task's case.
fn notices(what: &'static str, breaks: impl FnOnce(u64, H256, H256, H256)) {
    let world = World::new();
    chain(Some(TERMS)).execute_with(|| {
        let (id, key, [right, wrong]) = running(&world, &world.liar(3, 0));
        let (one, other) = crate::types::ordered(right, wrong);
        assert_ok!(Computation::challenge(RuntimeOrigin::signed(3), id, key, one, other));
        assert_ok!(Computation::do_try_state());
        breaks(id, key, one, other);
        assert_err!(Computation::do_try_state(), what);
    });
}

#[test]
fn numbers_of_the_future() {
    notices("computation: a trial of the future", |_, _, _, _| {
        NextTrial::<Test>::put(0)
    });
    notices("computation: a case of the future", |_, _, _, _| {
        NextCase::<Test>::put(0)
    });
    chain(Some(TERMS)).execute_with(|| {
        open_case(World::new().right());
        assert_ok!(commit(1, &accusation(World::new().right(), Target::Output)));
        NextCase::<Test>::put(0);
        assert_err!(
            Computation::do_try_state(),
            "computation: an accusation of a case of the future"
        );
    });
}

#[test]
fn cases_that_miscount() {
    notices("computation: a case miscounts its hidden accusations", |_, _, _, _| {
        OpenCases::<Test>::mutate(TASK, |case| case.as_mut().unwrap().hidden = 1);
    });
    notices("computation: a case miscounts its trials", |_, _, _, _| {
        OpenCases::<Test>::mutate(TASK, |case| case.as_mut().unwrap().open = 2);
    });
    notices(
        "computation: a closed case miscounts its hidden accusations",
        |_, _, _, _| {
            Excused::<Test>::insert(0, 1);
        },
    );
    let how = agora_primitives::courts::HowEnded::Fallen;
    for (case, open) in [(0, 1), (7, 1), (7, 0)] {
        notices("computation: a closed case miscounts its trials", |_, _, _, _| {
            Endings::<Test>::insert(case, crate::Ended { how, open });
        });
    }
    let broken = "computation: the accusers of a case are not in the order in which they committed";
    for orders in [vec![0, 0], vec![1], vec![1, 0]] {
        notices(broken, |_, _, _, _| {
            OpenCases::<Test>::mutate(TASK, |case| {
                let all = orders.iter().map(|order| crate::Accuser { who: 9, order: *order });
                case.as_mut().unwrap().accusers = all.collect::<Vec<_>>().try_into().unwrap();
            });
        });
    }
}

#[test]
fn trials_that_miscount() {
    let text = "computation: a trial has not as many parts as it counts";
    notices(text, |id, _, _, _| {
        Trials::<Test>::mutate(id, |trial| trial.as_mut().unwrap().parts = 3);
    });
    notices(text, |id, key, one, other| {
        Matches::<Test>::remove((id, key, one, other))
    });
}

#[test]
fn parts_in_the_wrong_place() {
    notices("computation: a part of no trial", |id, key, _, _| {
        let defended = Defences::<Test>::get(id, key).unwrap();
        Defences::<Test>::insert(id + 1, key, defended);
    });
    notices("computation: a defence under another hash", |id, key, _, _| {
        let defended = Defences::<Test>::take(id, key).unwrap();
        Defences::<Test>::insert(id, H256::zero(), defended);
    });
    notices("computation: a run under another root", |id, key, one, _| {
        let run = Runs::<Test>::take((id, key, one)).unwrap();
        Runs::<Test>::insert((id, key, H256::zero()), run);
    });
    notices(
        "computation: a match that is not between two runs",
        |id, key, one, other| {
            let game = Matches::<Test>::take((id, key, one, other)).unwrap();
            Matches::<Test>::insert((id, key, other, one), game);
        },
    );
    notices(
        "computation: a match that is not between two runs",
        |id, key, one, other| {
            let run = Runs::<Test>::take((id, key, one)).unwrap();
            assert!(other != run.root);
            Trials::<Test>::mutate(id, |trial| trial.as_mut().unwrap().parts -= 1);
        },
    );
}

#[test]
fn bonds_that_are_not_held() {
    let text = "computation: what is held of somebody is not its bonds";
    notices(text, |_, _, _, _| {
        assert_ok!(Escrow::release(Purpose::CourtBond, Scope::Task(TASK), &HONEST, 1));
    });
    notices(text, |_, _, _, _| {
        let hidden = crate::Hidden {
            task: TASK,
            commitment: agora_disputes::Commitment { hash: H256::zero() },
            bond: 1,
            order: 0,
        };
        HiddenAccusations::<Test>::insert(0, 9, hidden);
        OpenCases::<Test>::mutate(TASK, |case| case.as_mut().unwrap().hidden = 1);
    });
}
