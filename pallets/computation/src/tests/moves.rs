//! Moves: whose they are, when they are possible, what they hold and what they cost.

use super::world::*;
use crate::{Call, Clocked, Error, Event, Matches, Part, Trials, mock::*, types::ordered};
use agora_disputes::{BranchMove, Defence, List, Player, RunEnd, Segment, Shown, Side, Target, player::Knowledge as _};
use agora_primitives::{
    courts::{CaseTerms, Court},
    job::{Claim, JobKind, JobSource, JobSpec, StateOpening, SyntheticJob, blob},
    money::{Escrow as _, Purpose, Scope},
};
use frame_support::{assert_noop, assert_ok, dispatch::Pays};
use sp_core::H256;
use sp_runtime::traits::Dispatchable;

fn pays(who: AccountId, call: Call<Test>) -> Pays {
    let result = RuntimeCall::Computation(call).dispatch(RuntimeOrigin::signed(who));
    result.unwrap().pays_fee
}

fn held(who: AccountId) -> Balance {
    Escrow::held(Purpose::CourtBond, Scope::Task(TASK), &who)
}

/// One call of each move in a trial.
fn every_move(trial: u64, defence: H256, [one, other]: [H256; 2]) -> Vec<Call<Test>> {
    let (one, other) = ordered(one, other);
    let shown = Shown::Children(vec![H256::zero(); 5000]);
    let lists = Defence {
        states: H256::repeat_byte(1),
        scans: blob::hash(&[]),
        kept: blob::hash(&[]),
        failing: 0,
    };
    let siblings = vec![H256::zero(); 5000];
    let bind = BranchMove::Bind(StateOpening {
        index: u64::MAX,
        digest: one,
        siblings,
    });
    let end = Box::new(RunEnd {
        path: vec![[H256::zero(); 16]; 500],
        state: vec![0; 100_000],
        chunk: None,
    });
    let segment = Box::new(Segment {
        path: vec![[H256::zero(); 16]; 500],
        state: vec![0; 100_000],
        witness: vec![0; 100_000],
    });
    let children = Box::new([H256::zero(); 16]);
    let player = Player::First;
    let mut calls = vec![
        Call::show {
            trial,
            shown: shown.clone(),
        },
        Call::show {
            trial,
            shown: Shown::Chunk(vec![0; 100_000]),
        },
        Call::name_child { trial, child: u32::MAX },
        Call::defend { trial, defence: lists },
        Call::add_run {
            trial,
            defence,
            root: one,
            end,
        },
        Call::challenge {
            trial,
            defence,
            one,
            other,
        },
        Call::open_node {
            trial,
            defence,
            one,
            other,
            player,
            children,
        },
        Call::execute {
            trial,
            defence,
            one,
            other,
            segment,
        },
    ];
    let made = [
        BranchMove::Choose(None),
        BranchMove::Name(u32::MAX),
        BranchMove::Entry(u32::MAX),
        BranchMove::Show(shown),
        bind,
    ];
    calls.extend(made.map(|made| Call::dispute_list { trial, defence, made }));
    let clocked = [
        Clocked::Trial,
        Clocked::Defence(defence),
        Clocked::Match(defence, one, other),
    ];
    calls.extend(clocked.map(|what| Call::advance { trial, what }));
    calls
}

#[test]
fn none_is_possible_in_a_trial_that_is_not_there() {
    run(|| {
        for call in every_move(7, H256::zero(), [H256::zero(); 2]) {
            let call = RuntimeCall::Computation(call);
            assert_noop!(
                call.dispatch(RuntimeOrigin::signed(1)).map_err(|refused| refused.error),
                Error::<Test>::UnknownTrial
            );
        }
    });
}

#[test]
fn none_is_possible_once_the_trial_or_its_case_is_over() {
    let world = World::new();
    let refused = |id, key, roots| {
        for call in every_move(id, key, roots) {
            assert_eq!(dispatch(LIAR, call), Err(Error::<Test>::CaseDecided.into()));
        }
    };
    run(|| {
        let (id, key, roots) = running(&world, &world.liar(3, 0));
        Computation::close(TASK);
        refused(id, key, roots);
        // Not even if another case of the task is open.
        open_case(world.right());
        refused(id, key, roots);
    });
    run(|| {
        let (id, key, roots) = running(&world, &world.liar(3, 0));
        play(&[Seat::honest(HONEST, Side::Defence, &world.honest)]);
        assert!(verdict(id).is_some());
        refused(id, key, roots);
    });
    run(|| {
        let (id, key, roots) = running(&world, &world.liar(3, 0));
        crate::OpenCases::<Test>::mutate(TASK, |case| {
            case.as_mut().unwrap().decision = Some(crate::Decision::Undecided);
        });
        refused(id, key, roots);
    });
}

#[test]
fn garbage_of_any_size_is_refused_and_changes_nothing() {
    let world = World::new();
    run(|| {
        let (id, key, roots) = running(&world, &world.liar(3, 0));
        let [one, other] = roots;
        for (key, roots) in [(key, roots), (key, [H256::zero(), one]), (H256::zero(), [one, other])] {
            for call in every_move(id, key, roots) {
                if matches!(call, Call::challenge { .. } | Call::defend { .. }) {
                    continue;
                }
                let call = RuntimeCall::Computation(call);
                let storage = sp_io::storage::root(sp_runtime::StateVersion::V1);
                assert!(call.clone().dispatch(RuntimeOrigin::signed(LIAR)).is_err(), "{call:?}");
                assert_eq!(sp_io::storage::root(sp_runtime::StateVersion::V1), storage);
            }
        }
    });
}

#[test]
fn children_are_shown_by_anybody_and_named_by_the_accuser() {
    let world = World::new();
    run(|| {
        open_case(world.right());
        let trial = accuse(LIAR, &accusation(world.right(), Target::States));
        let name = |child| Call::name_child { trial, child };
        assert_eq!(dispatch(LIAR, name(0)), Err(Error::<Test>::NotNow.into()));
        let shown = world.honest.truth().digests()[..3].to_vec();
        let wrong = Shown::Children(shown[1..].to_vec());
        assert_eq!(
            dispatch(5, Call::show { trial, shown: wrong }),
            Err(Error::<Test>::WrongOpening.into())
        );
        let shown = Shown::Children(shown);
        assert_eq!(
            pays(
                5,
                Call::show {
                    trial,
                    shown: shown.clone()
                }
            ),
            Pays::No
        );
        assert_eq!(events().pop(), Some(Event::Moved { trial, by: 5 }));
        assert_eq!(Trials::<Test>::get(trial).unwrap().defender, Some(5));
        assert_eq!(
            dispatch(5, Call::show { trial, shown }),
            Err(Error::<Test>::NotNow.into())
        );
        assert_eq!(dispatch(5, name(0)), Err(Error::<Test>::NotAccuser.into()));
        assert_eq!(dispatch(LIAR, name(3)), Err(Error::<Test>::NoChild.into()));
        assert_eq!(pays(LIAR, name(1)), Pays::No);
        let state = world.honest.truth().states[1].clone();
        assert_ok!(dispatch(
            5,
            Call::show {
                trial,
                shown: Shown::Chunk(state)
            }
        ));
        assert_eq!(dispatch(LIAR, name(0)), Err(Error::<Test>::NotNow.into()));
    });
}

#[test]
fn a_defence_is_added_once_in_time_with_the_bond_of_the_trial() {
    let world = World::new();
    run(|| {
        let (trial, key) = defended(&world);
        let (defence, by) = (key, HONEST);
        assert_eq!(events().pop(), Some(Event::Defended { trial, defence, by }));
        assert_eq!((held(HONEST), Trials::<Test>::get(trial).unwrap().parts), (BOND, 1));
        let (_, game) = Computation::trial_of(trial).unwrap();
        let right = game.branches[0].0.defence;
        let defend = |defence| Call::defend { trial, defence };
        assert_eq!(dispatch(3, defend(right)), Err(Error::<Test>::Known.into()));
        let with = |states, kept, failing| {
            defend(Defence {
                states,
                kept,
                failing,
                ..right
            })
        };
        let wrong = with(right.states, H256::zero(), 0);
        assert_eq!(dispatch(3, wrong), Err(Error::<Test>::WrongList.into()));
        let wrong = with(right.states, right.kept, 1);
        assert_eq!(dispatch(3, wrong), Err(Error::<Test>::NoUnit.into()));
        // Another bond holds for accusations from now on.
        CurrentBond::set(5);
        assert_eq!(pays(3, with(H256::zero(), right.kept, 0)), Pays::No);
        CurrentBond::set(BOND);
        assert_eq!(held(3), BOND);
        run_to(now() + TERMS.entry);
        let late = with(H256::repeat_byte(1), right.kept, 0);
        assert_eq!(dispatch(3, late), Err(Error::<Test>::NotNow.into()));
    });
}

#[test]
fn only_the_accuser_says_what_is_wrong_with_a_defence() {
    let world = World::new();
    run(|| {
        let (trial, defence) = defended(&world);
        let of = |defence, made| Call::dispute_list { trial, defence, made };
        let choose = |list| BranchMove::Choose(list);
        assert_eq!(
            dispatch(HONEST, of(defence, choose(None))),
            Err(Error::<Test>::NotAccuser.into())
        );
        assert_eq!(
            dispatch(LIAR, of(H256::zero(), choose(None))),
            Err(Error::<Test>::Unknown.into())
        );
        assert_eq!(
            dispatch(LIAR, of(defence, choose(Some(List::Kept)))),
            Err(Error::<Test>::NoChild.into())
        );
        assert_eq!(pays(LIAR, of(defence, choose(Some(List::States)))), Pays::No);
        let seat = Seat::honest(HONEST, Side::Defence, &world.honest);
        play_seat(&seat, trial, || true);
        let entry = |entry| of(defence, BranchMove::Entry(entry));
        assert_eq!(dispatch(HONEST, entry(1)), Err(Error::<Test>::NotAccuser.into()));
        assert_eq!(dispatch(LIAR, entry(3)), Err(Error::<Test>::NoChild.into()));
        assert_ok!(dispatch(LIAR, entry(1)));
        // The claim has this state: that ends the trial.
        play_seat(&seat, trial, || true);
        assert_eq!(verdict(trial), Some(agora_disputes::Verdict::Stands));
        assert_eq!(Trials::<Test>::get(trial).unwrap().defender, Some(HONEST));
        assert_eq!((Decided::get(), case().open), (vec![TASK], 0));
    });
}

#[test]
fn a_wrong_list_costs_its_defence() {
    let world = World::new();
    run(|| {
        let claim = world.right();
        open_case(claim);
        let trial = accuse(LIAR, &accusation(claim, Target::Output));
        let seat = Seat::honest(HONEST, Side::Defence, &world.honest);
        play_seat(&seat, trial, || true);
        // The states of the hijacker's lists are those of the other job.
        let hijacker = world.liar(0, 0);
        let hash = blob::hash(&world.honest.truth().states[3]);
        let aim = agora_disputes::Aim::Chunk {
            state: 3,
            chunk: 0,
            hash,
        };
        let defence = hijacker
            .own
            .truth()
            .defence(hijacker.own.rules(&TERMS).law, &aim)
            .unwrap();
        assert_ok!(dispatch(3, Call::defend { trial, defence }));
        play_seat(&seat, trial, || true);
        let key = defence.id();
        let accuse = |made| {
            dispatch(
                LIAR,
                Call::dispute_list {
                    trial,
                    defence: key,
                    made,
                },
            )
        };
        assert_ok!(accuse(BranchMove::Choose(Some(List::States))));
        let digests: Vec<_> = hijacker.own.truth().digests()[..3].to_vec();
        assert_ok!(accuse(BranchMove::Show(Shown::Chunk(agora_reference::list(&digests)))));
        assert_ok!(accuse(BranchMove::Entry(2)));
        run_to(now() + TERMS.clock);
        assert_ok!(advance(trial, Clocked::Defence(key)));
        advance_all(trial);
        assert_eq!(verdict(trial), Some(agora_disputes::Verdict::Stands));
        assert_ok!(collect(trial, Part::Defence(key)));
        // It is lost to the defender whose lists were right.
        assert_eq!((has(3), has(HONEST)), (ENDOWMENT - BOND, ENDOWMENT + BOND / 2));
        check_money();
    });
}

#[test]
fn a_run_is_added_once_in_time_with_the_bond_of_the_trial() {
    let world = World::new();
    run(|| {
        let (trial, defence, [right, wrong]) = running(&world, &world.liar(3, 0));
        assert_eq!((held(HONEST), held(LIAR)), (2 * BOND, 2 * BOND));
        assert_eq!(Trials::<Test>::get(trial).unwrap().parts, 3);
        let added = Event::RunAdded {
            trial,
            defence,
            root: wrong,
            by: LIAR,
        };
        assert!(events().contains(&added));
        let (root, end) = failing_run();
        let add = |defence, root| Call::add_run {
            trial,
            defence,
            root,
            end: Box::new(end.clone()),
        };
        assert_eq!(dispatch(3, add(defence, right)), Err(Error::<Test>::Known.into()));
        assert_eq!(
            dispatch(3, add(defence, H256::zero())),
            Err(Error::<Test>::WrongOpening.into())
        );
        assert_eq!(dispatch(3, add(right, root)), Err(Error::<Test>::Unknown.into()));
        assert_eq!(pays(3, add(defence, root)), Pays::No);
        assert_eq!(held(3), BOND);
        assert_eq!(dispatch(4, add(defence, root)), Err(Error::<Test>::Known.into()));
    });
    run(|| {
        let (trial, defence) = defended(&world);
        let (root, end) = failing_run();
        let add = |end| Call::add_run {
            trial,
            defence,
            root,
            end: Box::new(end),
        };
        assert_eq!(dispatch(3, add(end.clone())), Err(Error::<Test>::NotNow.into()));
        let made = BranchMove::Choose(None);
        assert_ok!(dispatch(LIAR, Call::dispute_list { trial, defence, made }));
        run_to(now() + TERMS.entry);
        assert_eq!(dispatch(3, add(end)), Err(Error::<Test>::NotNow.into()));
    });
}

#[test]
fn a_match_is_between_two_runs_that_differ_and_costs_its_fee() {
    let world = World::new();
    run(|| {
        let (trial, defence, [right, wrong]) = running(&world, &world.liar(3, 0));
        // The roots may be given in any order.
        let (one, other) = ordered(right, wrong);
        let challenge = |one, other| Call::challenge {
            trial,
            defence,
            one,
            other,
        };
        assert_eq!(
            dispatch(3, challenge(right, H256::zero())),
            Err(Error::<Test>::Unknown.into())
        );
        assert_eq!(dispatch(3, challenge(right, right)), Err(Error::<Test>::NoMatch.into()));
        // A challenge has no bond.
        assert_eq!(pays(3, challenge(other, one)), Pays::Yes);
        assert_eq!(held(3), 0);
        assert_eq!(dispatch(3, challenge(one, other)), Err(Error::<Test>::Known.into()));
        assert!(Matches::<Test>::get((trial, defence, one, other)).unwrap().is_some());
        assert_eq!(Trials::<Test>::get(trial).unwrap().parts, 4);
        let advance_match = |one, other| advance(trial, Clocked::Match(defence, one, other));
        assert_eq!(advance_match(one, other), Err(Error::<Test>::Early.into()));
        assert_eq!(advance_match(other, one), Err(Error::<Test>::Unknown.into()));
        let segment = Box::new(Segment {
            path: vec![],
            state: vec![],
            witness: vec![],
        });
        let execute = Call::execute {
            trial,
            defence,
            one,
            other,
            segment,
        };
        assert_eq!(dispatch(3, execute), Err(Error::<Test>::NotNow.into()));
        // Nobody opens anything: both lose.
        run_to(now() + TERMS.clock);
        assert_eq!(
            pays(
                PASSER_BY,
                Call::advance {
                    trial,
                    what: Clocked::Match(defence, one, other)
                }
            ),
            Pays::No
        );
        assert_eq!(Matches::<Test>::get((trial, defence, one, other)), Some(None));
        assert_eq!(advance_match(one, other), Err(Error::<Test>::NotNow.into()));
    });
}

#[test]
fn a_match_ends_with_a_segment_that_the_runtime_executes() {
    let world = World::new();
    run(|| {
        let liar = world.liar(3, 1);
        let (trial, defence, [right, wrong]) = running(&world, &liar);
        let seats = [
            Seat::liar(LIAR, Side::Accuser, &liar),
            Seat::honest(HONEST, Side::Defence, &world.honest),
        ];
        let (one, other) = ordered(right, wrong);
        for _ in 0..100 {
            if Matches::<Test>::get((trial, defence, one, other)) == Some(None) {
                break;
            }
            seats.iter().for_each(|seat| play_seat(seat, trial, || true));
        }
        let executed = Event::SegmentExecuted {
            trial,
            by: HONEST,
            defence,
            refuted: vec![wrong].try_into().unwrap(),
        };
        assert!(events().contains(&executed));
        let lost = |root| crate::Runs::<Test>::get((trial, defence, root)).unwrap().lost;
        assert_eq!((lost(right), lost(wrong)), (None, Some(agora_disputes::Fault::Fraud)));
        assert_eq!(
            advance(trial, Clocked::Defence(defence)),
            Err(Error::<Test>::Early.into())
        );
        run_to(now() + TERMS.entry);
        assert_ok!(advance(trial, Clocked::Defence(defence)));
        assert_eq!(verdict(trial), Some(agora_disputes::Verdict::Stands));
    });
}

#[test]
fn time_ends_nothing_early() {
    let world = World::new();
    run(|| {
        open_case(Claim::Unusable);
        let trial = accuse(LIAR, &accusation(Claim::Unusable, Target::Inputs));
        assert_eq!(advance(trial, Clocked::Trial), Err(Error::<Test>::Early.into()));
        assert_eq!(
            advance(trial, Clocked::Defence(H256::zero())),
            Err(Error::<Test>::Unknown.into())
        );
        run_to(now() + TERMS.entry - 1);
        assert_eq!(advance(trial, Clocked::Trial), Err(Error::<Test>::Early.into()));
        run_to(now() + 1);
        assert_ok!(advance(trial, Clocked::Trial));
        assert_eq!(case().decision, Some(crate::Decision::Fallen { by: LIAR }));
    });
    let _ = world;
}

#[test]
fn what_is_shown_of_a_long_list_is_kept_for_those_who_run_the_unit() {
    let spec = JobSpec::V2(JobKind::Synthetic(SyntheticJob {
        seed: [1; 32],
        matrix_size: 2,
        iterations: 100,
    }));
    let arbiter = agora_arbiter::Arbiter::compute(spec.clone(), Nothing).unwrap();
    run(|| {
        let terms = CaseTerms {
            job: JobSource::Inline(spec.clone()),
            claim: arbiter.claim(),
            until: 1,
        };
        assert_ok!(Computation::open(TASK, terms));
        let accusation = Box::new(accusation(arbiter.claim(), Target::Output));
        assert_ok!(commit(LIAR, &accusation));
        run_to(2);
        let origin = RuntimeOrigin::signed(LIAR);
        assert_ok!(Computation::reveal(origin, TASK, accusation, SALT, Box::new(spec)));
        let seat = Seat::honest(HONEST, Side::Defence, &arbiter);
        play_seat(&seat, 0, || true);
        play_seat(&seat, 0, || true);
        let (_, game) = Computation::trial_of(0).unwrap();
        let (trial, defence) = (0, game.key(0).unwrap());
        let made = BranchMove::Choose(Some(List::States));
        assert_ok!(dispatch(LIAR, Call::dispute_list { trial, defence, made }));
        play_seat(&seat, 0, || true);
        // A list of 100 digests has four chunks.
        let (_, game) = Computation::trial_of(0).unwrap();
        let openings = &game.branches[0].1.openings;
        assert_eq!(openings.keys().collect::<Vec<_>>(), [&(0, 3200)]);
        assert_eq!(openings[&(0, 3200)].len(), 4);
    });
}
