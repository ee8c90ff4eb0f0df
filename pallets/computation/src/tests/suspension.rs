//! What a run that fails decides, and what a suspended image means for everybody.

use super::world::*;
use crate::{Call, Error, Event, Part, Runs, Suspensions, mock::*};
use agora_disputes::{Side, Target, Verdict};
use agora_primitives::{
    TaskId,
    courts::{CaseTerms, Court, HowEnded, Standing},
    job::{BlobRef, Claim, JobKind, JobSource, JobSpec, Mode, ProgramJob},
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
    add_failing_run(id, key);
    for _ in 0..3 {
        run_to(now() + TERMS.clock);
        advance_all(id);
    }
    assert_eq!(verdict(id), Some(Verdict::Nothing));
    id
}

#[test]
fn a_run_that_fails_leaves_its_case_undecided_and_no_other() {
    let world = World::new();
    run(|| {
        open_other();
        fail(&world);
        assert_eq!((standing(), of_other()), (Standing::Undecided, Standing::Stands));
        // Anybody can make up such a run: the image is trusted as before.
        let is_suspended = |event: &Event<Test>| matches!(event, Event::ImageSuspended { .. });
        assert!(!events().iter().any(is_suspended));
        assert_eq!(Suspensions::<Test>::iter().count(), 0);
        collect_all_of_other();
        for who in [HONEST, LIAR, 5] {
            assert_eq!(has(who), ENDOWMENT, "{who}");
        }
    });
}

/// Adds a run that fails to a defence, for account 5.
fn add_failing_run(trial: u64, defence: H256) {
    let (root, end) = failing_run();
    let end = Box::new(end);
    assert_ok!(dispatch(
        5,
        Call::add_run {
            trial,
            defence,
            root,
            end
        }
    ));
}

/// Those who made a wrong claim accuse it as well, and play both sides of that trial: nobody else is there to refute what they make up.
#[test]
fn a_run_that_fails_in_one_trial_keeps_nobody_from_showing_in_another_that_the_claim_is_wrong() {
    let (world, cartel) = (World::new(), 11);
    run(|| {
        let liar = world.liar(3, 0);
        let accused = accusation(liar.claim(), Target::Output);
        open_case(liar.claim());
        for who in [cartel, HONEST] {
            assert_ok!(commit(who, &accused));
        }
        run_to_reveal();
        let [staged, honest] = [cartel, HONEST].map(|who| reveal(who, &accused).unwrap());
        for _ in 0..2 {
            play_seat(&Seat::liar(LIAR, Side::Defence, &liar), staged, || true);
        }
        let defence = Computation::trial_of(staged).unwrap().1.key(0).unwrap();
        let made = agora_disputes::BranchMove::Choose(None);
        let trial = staged;
        assert_ok!(dispatch(cartel, Call::dispute_list { trial, defence, made }));
        add_failing_run(staged, defence);
        while matches!(standing(), Standing::Pending { .. }) {
            play_seat(&Seat::liar(LIAR, Side::Defence, &liar), honest, || true);
            play_seat(&Seat::honest(HONEST, Side::Accuser, &world.honest), honest, || true);
            advance_all(staged);
            advance_all(honest);
            run_to(now() + 1);
        }
        assert_eq!(verdict(staged), Some(Verdict::Nothing));
        assert!(matches!(verdict(honest), Some(Verdict::Falls(_))));
        assert_eq!(
            standing(),
            fell_by([HONEST]),
            "whose own trial showed nothing has no share"
        );
        collect_all();
        assert!(has(HONEST) > ENDOWMENT && has(LIAR) < ENDOWMENT);
        assert_eq!((has(cartel), has(5)), (ENDOWMENT, ENDOWMENT));
    });
}

/// An accuser of what is right says that lists are right that a friend made up, of which nobody can know what a run on them comes to.
#[test]
fn a_run_that_fails_on_lists_that_somebody_made_up_keeps_nobody_from_defending_what_is_right() {
    let world = World::new();
    run(|| {
        let (trial, _) = defended(&world);
        let nothing = agora_primitives::job::blob::hash(&[]);
        let made_up = agora_disputes::Defence {
            states: H256::repeat_byte(7),
            scans: nothing,
            kept: nothing,
            failing: 0,
        };
        let defence = made_up.id();
        assert_ok!(dispatch(
            5,
            Call::defend {
                trial,
                defence: made_up
            }
        ));
        let made = agora_disputes::BranchMove::Choose(None);
        assert_ok!(dispatch(LIAR, Call::dispute_list { trial, defence, made }));
        add_failing_run(trial, defence);
        let mut was_nothing = false;
        while matches!(standing(), Standing::Pending { .. }) {
            play_seat(&Seat::honest(HONEST, Side::Defence, &world.honest), trial, || true);
            advance_all(trial);
            let failed = crate::Defences::<Test>::get(trial, defence).unwrap().branch.phase;
            was_nothing |= failed == agora_disputes::BranchPhase::Over(agora_disputes::Found::Nothing);
            run_to(now() + 1);
        }
        assert!(was_nothing, "the run that fails was not refuted");
        assert_eq!((verdict(trial), standing()), (Some(Verdict::Stands), Standing::Stands));
        collect_all();
        assert_eq!((has(HONEST), has(LIAR)), (ENDOWMENT + BOND / 2, ENDOWMENT - BOND));
    });
}

#[test]
fn leaves_all_open_cases_undecided() {
    run(|| {
        open_other();
        open_case(Claim::Unusable);
        let image = Machine::get().image.hash;
        let suspend = |origin| Computation::suspend(origin, image);
        assert_noop!(suspend(RuntimeOrigin::signed(1)), DispatchError::BadOrigin);
        assert_ok!(suspend(RuntimeOrigin::root()));
        assert_eq!(events().pop(), Some(Event::ImageSuspended { image }));
        assert_noop!(suspend(RuntimeOrigin::root()), Error::<Test>::AlreadySuspended);
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
            suspend_image();
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
        suspend_image();
        assert_eq!(Suspensions::<Test>::get(image).times, 1);
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
        // Once more.
        suspend_image();
        assert_eq!(of_other(), Standing::Undecided);
        collect_all_of_other();
    });
}

#[test]
fn another_image_is_trusted() {
    let world = World::new();
    run(|| {
        suspend_image();
        let mut machine = Machine::get();
        machine.image.hash = H256::repeat_byte(7);
        Machine::set(machine);
        open_case(world.right());
        assert!(matches!(standing(), Standing::Pending { .. }));
        collect_all();
    });
}

#[test]
fn jobs_that_bring_their_own_program_need_no_other() {
    run(|| {
        let program = JobSpec::V2(JobKind::Program(ProgramJob {
            image: BlobRef::to(b"code"),
            inputs: Default::default(),
            mode: Mode::Map,
            items: 1,
            gas: 1,
            record_bytes: 1024,
        }));
        open_case_of(program.clone(), Claim::Unusable);
        let pending = standing();
        assert!(matches!(pending, Standing::Pending { .. }));
        suspend_image();
        assert_eq!(standing(), pending);
        Computation::close(TASK);
        open_case_of(program, Claim::Unusable);
        assert_eq!(standing(), pending, "nor does one that is opened later");
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
        suspend_image();
        assert_eq!(standing(), fell_by([LIAR]));
        collect_all();
    });
}
