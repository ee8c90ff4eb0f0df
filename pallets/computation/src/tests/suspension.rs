//! What a failure of the image means for everybody else.

use super::world::*;
use crate::{Call, Error, Event, Part, Runs, Suspensions, mock::*};
use agora_disputes::{Side, Target, Verdict};
use agora_primitives::{
    TaskId,
    courts::{CaseTerms, Court, HowEnded, Standing},
    job::{Claim, JobSource},
};
use frame_support::{assert_noop, assert_ok};
use sp_core::H256;
use sp_runtime::DispatchError;

const OTHER_TASK: TaskId = TaskId(8);

/// Opens a case about another task.
fn open_other() {
    let terms = CaseTerms {
        job: JobSource::Inline(job()),
        claim: Claim::Unusable,
        until: now() + WINDOW - 1,
    };
    assert_eq!(Computation::open(OTHER_TASK, terms), Ok(true));
}

fn of_other() -> Standing<AccountId, BlockNumber> {
    Computation::standing(OTHER_TASK)
}

/// A run fails in the trial of [`TASK`]'s right claim, and nobody shows that it cannot.
fn fail(world: &World) -> u64 {
    let (id, key, _) = running(world, &world.liar(3, 0));
    let (root, end) = failing_run();
    let add = Call::add_run {
        trial: id,
        defence: key,
        root,
        end: Box::new(end),
    };
    assert_ok!(dispatch(5, add));
    for _ in 0..3 {
        run_to(now() + TERMS.clock);
        advance_all(id);
    }
    assert_eq!(verdict(id), Some(Verdict::Nothing));
    id
}

#[test]
fn a_run_that_fails_suspends_the_image_and_leaves_all_open_cases_undecided() {
    let world = World::new();
    run(|| {
        open_other();
        fail(&world);
        let image = Machine::get().image.hash;
        assert!(events().contains(&Event::ImageSuspended { image }));
        assert_eq!((standing(), of_other()), (Standing::Undecided, Standing::Undecided));
        let call = Computation::commit(RuntimeOrigin::signed(3), OTHER_TASK, H256::zero());
        assert_noop!(call, Error::<Test>::CaseDecided);
        assert_eq!(
            Computation::case(OTHER_TASK).unwrap().how_ended(),
            Some(HowEnded::Undecided)
        );
        // What is chosen from now on cannot be accused, so that it does not stand.
        Computation::close(OTHER_TASK);
        open_other();
        assert_eq!(of_other(), Standing::Undecided);
        collect_all_of_other();
    });
}

fn collect_all_of_other() {
    Computation::close(OTHER_TASK);
    collect_all();
}

#[test]
fn everybody_has_its_bond_back_in_trials_that_the_image_leaves_undecided() {
    let world = World::new();
    for closes_first in [false, true] {
        run(|| {
            // Both runs of a match were lost by then, and somebody has not revealed yet.
            open_case(world.right());
            let lie = accusation(world.right(), Target::Output);
            for who in [LIAR, 9] {
                assert_ok!(commit(who, &lie));
            }
            run_to_reveal();
            let id = reveal(LIAR, &lie).unwrap();
            for _ in 0..2 {
                play_seat(&Seat::honest(HONEST, Side::Defence, &world.honest), id, || true);
            }
            let (_, game) = Computation::trial_of(id).unwrap();
            let key = game.key(0).unwrap();
            let made = agora_disputes::BranchMove::Choose(None);
            let defence = key;
            assert_ok!(dispatch(
                LIAR,
                Call::dispute_list {
                    trial: id,
                    defence,
                    made
                }
            ));
            play_seat(&Seat::honest(HONEST, Side::Defence, &world.honest), id, || true);
            play_seat(&Seat::liar(LIAR, Side::Accuser, &world.liar(3, 0)), id, || true);
            Runs::<Test>::translate_values(|mut run: crate::types::RunOf<Test>| {
                run.lost = Some(agora_disputes::Fault::Fraud);
                Some(run)
            });
            Computation::suspend_image();
            assert_eq!(standing(), Standing::Undecided);
            assert_eq!(reveal(9, &lie), Err(Error::<Test>::CaseDecided.into()));
            let name = Call::name_child { trial: id, child: 0 };
            assert_eq!(dispatch(LIAR, name), Err(Error::<Test>::CaseDecided.into()));
            if closes_first {
                Computation::close(TASK);
                check_state();
            }
            let roots: Vec<_> = Runs::<Test>::iter_key_prefix((id,)).collect();
            assert_eq!(roots.len(), 2);
            for (key, root) in roots {
                assert_ok!(collect(id, Part::Run(key, root)));
            }
            assert_ok!(dispatch(PASSER_BY, Call::withdraw { case: 0, accuser: 9 }));
            collect_all();
            for who in [HONEST, LIAR, 9] {
                assert_eq!(has(who), ENDOWMENT, "{who}");
            }
            assert_eq!(Reported::get(), [], "nobody has done anything");
        });
    }
}

#[test]
fn is_lifted_for_cases_that_are_opened_later() {
    let world = World::new();
    run(|| {
        let image = Machine::get().image.hash;
        open_case(world.right());
        Computation::suspend_image();
        Computation::suspend_image();
        assert_eq!(Suspensions::<Test>::get(image).times, 1, "once");
        open_other();
        let lift = |origin| Computation::lift_suspension(origin, image);
        assert_noop!(lift(RuntimeOrigin::signed(1)), DispatchError::BadOrigin);
        assert_ok!(lift(RuntimeOrigin::root()));
        assert_eq!(events().pop(), Some(Event::SuspensionLifted { image }));
        assert_noop!(lift(RuntimeOrigin::root()), Error::<Test>::NotSuspended);
        let unknown = Computation::lift_suspension(RuntimeOrigin::root(), H256::zero());
        assert_noop!(unknown, Error::<Test>::NotSuspended);
        // Time went by in which nobody could say anything about these.
        assert_eq!((standing(), of_other()), (Standing::Undecided, Standing::Undecided));
        Computation::close(OTHER_TASK);
        open_other();
        assert!(matches!(of_other(), Standing::Pending { .. }));
        // It fails again.
        Computation::suspend_image();
        assert_eq!(of_other(), Standing::Undecided);
        collect_all_of_other();
    });
}

#[test]
fn another_image_is_trusted() {
    let world = World::new();
    run(|| {
        Computation::suspend_image();
        let mut machine = Machine::get();
        machine.image.hash = H256::repeat_byte(7);
        Machine::set(machine);
        open_case(world.right());
        assert!(matches!(standing(), Standing::Pending { .. }));
        collect_all();
    });
}

#[test]
fn what_has_fallen_before_stays_so() {
    run(|| {
        open_case(Claim::Unusable);
        let trial = accuse(LIAR, &accusation(Claim::Unusable, Target::Inputs));
        run_to(now() + TERMS.entry);
        assert_ok!(advance(trial, crate::Clocked::Trial));
        Computation::suspend_image();
        assert_eq!(standing(), fell_by([LIAR]));
        collect_all();
    });
}
