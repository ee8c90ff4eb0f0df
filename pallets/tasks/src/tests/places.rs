//! Claims that accusers enter: what takes the place of a result that fell, what a place costs, and what those gain who buy many.

use crate::{
    Error, Event, Fallen, MAX_PLACES, Places, Results,
    mock::*,
    places::{heir, price},
    types::Place,
};
use agora_primitives::{
    TaskId,
    courts::{Cases, Standing},
    job::{BlobRef, Claim},
    judging::TaskParties,
    money::{Escrow as _, Purpose, Scope},
    reputation::Outcome,
    task::{Chosen, Contribution, ContributionState, Phase},
};
use frame_support::assert_noop;
use proptest::prelude::*;
use sp_core::H256;

type Worker = (u8, Contribution<u32>);

const fn output(content: u8) -> Claim {
    Claim::Output {
        output: BlobRef {
            hash: H256::repeat_byte(content),
            size: 9,
        },
        states_root: H256::repeat_byte(content),
    }
}

/// Worker `who`, who has committed to `claim` at block `at`; `None`: it has not revealed.
fn answered(who: u8, answer: Option<Claim>, at: u32) -> Worker {
    let state = match answer {
        Some(claim) => ContributionState::Revealed {
            claim,
            committed_at: at,
        },
        None => ContributionState::Replaced,
    };
    let (round, accepted_at) = (0, 1);
    (
        who,
        Contribution {
            round,
            accepted_at,
            state,
        },
    )
}

fn place(who: u8, claim: Claim) -> Place<u8, u32> {
    Place { who, claim, bond: 0 }
}

/// The lowest account has the lowest lot.
fn heir_of(workers: &[Worker], places: &[Place<u8, u32>], fallen: &[Claim]) -> Option<(Claim, u8)> {
    heir(workers, places, fallen, |who| *who).map(|Chosen { claim, best }| (claim, best))
}

mod an_heir {
    use super::*;

    #[test]
    fn is_what_most_workers_say_and_then_the_oldest_place() {
        let [one, two, three, four, five] = [1, 2, 3, 4, 5].map(output);
        let workers = [
            answered(1, Some(one), 3),
            answered(2, Some(two), 5),
            answered(3, Some(two), 4),
            answered(4, Some(two), 4),
            answered(5, Some(three), 1),
        ];
        let places = [place(9, four), place(8, five)];
        assert_eq!(heir_of(&workers, &places, &[one]), Some((two, 3)));
        assert_eq!(heir_of(&workers, &places, &[one, two]), Some((three, 5)));
        assert_eq!(heir_of(&workers, &places, &[one, two, three]), Some((four, 9)));
        assert_eq!(heir_of(&workers, &places, &[one, two, three, four]), Some((five, 8)));
        assert_eq!(heir_of(&workers, &places, &[one, two, three, four, five]), None);
        assert_eq!(heir_of(&[], &[], &[]), None);
    }

    #[test]
    fn of_groups_of_one_size_is_what_was_committed_to_first_and_then_by_lot() {
        let (one, two) = (output(1), output(2));
        let groups = |at| [answered(2, Some(one), at), answered(1, Some(two), 4)];
        assert_eq!(heir_of(&groups(3), &[], &[]), Some((one, 2)));
        assert_eq!(heir_of(&groups(5), &[], &[]), Some((two, 1)));
        let by_lot = |lot: fn(&u8) -> u8| heir(&groups(4), &[place(0, one)], &[], lot).map(|chosen| chosen.best);
        assert_eq!((by_lot(|who| *who), by_lot(|who| 9 - *who)), (Some(1), Some(2)));
    }

    fn some_claim() -> impl Strategy<Value = Claim> {
        prop_oneof![4 => (1u8..5).prop_map(output), 1 => Just(Claim::Unusable)]
    }

    proptest! {
        #![proptest_config(agora_test_support::cases(500))]

        #[test]
        fn has_not_fallen_and_is_somebodys_whatever_the_order_of_workers(
            answers in prop::collection::vec((prop::option::weighted(0.8, some_claim()), 1u32..4), 0..8),
            entered in prop::collection::vec(some_claim(), 0..4),
            fallen in prop::collection::vec(some_claim(), 0..4),
        ) {
            let workers: Vec<_> = answers.iter().zip(0..).map(|((answer, at), who)| answered(who, *answer, *at)).collect();
            let places: Vec<_> = entered.iter().zip(100..).map(|(claim, who)| place(who, *claim)).collect();
            let found = heir_of(&workers, &places, &fallen);
            let reversed: Vec<_> = workers.iter().copied().rev().collect();
            prop_assert_eq!(found, heir_of(&reversed, &places, &fallen), "the order decides nothing");

            let standing = |claim: &Claim| !fallen.contains(claim);
            let of_workers: Vec<_> = workers.iter().filter_map(|(_, part)| part.claim()).filter(standing).collect();
            let count = |claim: Claim| of_workers.iter().filter(|said| **said == claim).count();
            let Some((claim, best)) = found else {
                prop_assert!(of_workers.is_empty() && !entered.iter().any(&standing));
                return Ok(());
            };
            prop_assert!(standing(&claim));
            if of_workers.is_empty() {
                let oldest = entered.iter().position(&standing).map(|at| at as u8 + 100);
                prop_assert_eq!(Some(best), oldest);
            } else {
                prop_assert_eq!(Some(count(claim)), of_workers.iter().map(|claim| count(*claim)).max());
                let has = |who: &u8| workers[usize::from(*who)].1.claim() == Some(claim);
                let at = |who: u8| answers[usize::from(who)].1;
                prop_assert!(has(&best));
                prop_assert_eq!(Some(at(best)), (0..answers.len() as u8).filter(has).map(at).min());
            }
        }
    }
}

/// A task whose workers all say 1, in court.
fn in_court() -> TaskId {
    world(|world| world.has_court = true);
    ReputationDouble::set_confidence(worker(0), 300);
    let task = publish();
    answer_all(task, &[(0, 1), (1, 1), (2, 1)]);
    assert_eq!(phase(task), Phase::Appealable);
    task
}

fn enter(task: TaskId, who: AccountId, answer: u8) -> bool {
    let entered = <Tasks as Cases<AccountId>>::enter(task, &who, claim(answer));
    check_state();
    entered
}

fn held(task: TaskId, who: AccountId) -> Balance {
    Escrow::held(Purpose::TaskBond, Scope::Task(task), &who)
}

mod a_place {
    use super::*;

    #[test]
    fn costs_twice_as_much_as_the_one_before_it() {
        ExtBuilder::default().build_and_execute(|| {
            let task = in_court();
            for (n, cost) in (0..u64::from(MAX_PLACES)).zip([1, 2, 4, 8, 16, 32, 64, 128]) {
                let (who, bond) = (VERIFIER + n, cost * BOND);
                let entered = claim(10 + n as u8);
                assert!(enter(task, who, 10 + n as u8));
                last_event(Event::ClaimEntered {
                    task,
                    accuser: who,
                    claim: entered,
                    bond,
                });
                assert_eq!(held(task, who), bond);
            }
            assert!(!enter(task, BOB, 9), "there are no more");
            assert_eq!(held(task, BOB), 0);
        });
    }

    #[test]
    fn costs_more_than_anybody_has_sooner_than_the_price_is_too_large_to_be_said() {
        assert_eq!((price(7u64, 0), price(7u64, 7)), (7, 7 * 128));
        assert_eq!(price(u64::MAX / 2, 7), u64::MAX);
    }

    #[test]
    fn is_that_of_who_says_so_first() {
        ExtBuilder::default().build_and_execute(|| {
            let task = in_court();
            assert!(enter(task, BOB, 3));
            assert!(!enter(task, VERIFIER, 3), "equal claims have one");
            assert!(!enter(task, BOB, 4), "nobody has two");
            assert!(enter(task, VERIFIER, 4));
            let all: Vec<_> = Places::<Test>::get(task).into_iter().map(|place| place.who).collect();
            assert_eq!(all, [BOB, VERIFIER]);
        });
    }

    #[test]
    fn is_not_for_what_a_worker_says_or_what_fell_or_is_chosen() {
        ExtBuilder::default().build_and_execute(|| {
            world(|world| world.has_court = true);
            ReputationDouble::set_confidence(worker(0), 300);
            let task = publish();
            answer_all(task, &[(0, 1), (1, 1), (2, 2)]);
            assert!(!enter(task, BOB, 1), "chosen");
            assert!(!enter(task, BOB, 2), "a worker's");
            decide(task, fallen([VERIFIER]));
            run_to(progress(task).due + 1);
            assert!(!enter(task, BOB, 1), "fallen");
            assert!(enter(task, BOB, 3));
        });
    }

    #[test]
    fn is_neither_the_publishers_nor_a_workers_nor_of_who_is_banned_or_poor() {
        ExtBuilder::default().build_and_execute(|| {
            let task = in_court();
            world(|world| world.banned.insert(BOB));
            for who in [ALICE, worker(1), BOB, 777] {
                assert!(!enter(task, who, 3), "{who}");
            }
            world(|world| world.banned.clear());
            assert!(enter(task, BOB, 3), "it was the ban");
        });
    }

    #[test]
    fn is_only_in_tasks_that_are_in_court() {
        ExtBuilder::default().build_and_execute(|| {
            assert!(!enter(TaskId(9), BOB, 3));
            let working = publish();
            assert!(!enter(working, BOB, 3));
            let task = in_court_of(2);
            attest(task, 0, 1);
            run_to(progress(task).due + 1);
            assert_eq!(phase(task), Phase::Working, "fresh workers are wanted");
            assert!(!enter(task, VERIFIER + 5, 3));
            answer_all(task, &[(3, 1), (4, 1), (5, 1)]);
            assert_eq!(phase(task), Phase::Appealable);
            assert!(enter(task, VERIFIER + 5, 3), "it was the phase");
        });
    }

    /// The same, of another publisher.
    fn in_court_of(reference: u8) -> TaskId {
        world(|world| world.has_court = true);
        ReputationDouble::set_confidence(worker(0), 300);
        let task = publish_as(BOB, reference);
        answer_all(task, &[(0, 1), (1, 1), (2, 1)]);
        task
    }

    #[test]
    fn keeps_who_has_it_out_of_the_round_that_rules_and_from_attesting() {
        ExtBuilder::default().priority().build_and_execute(|| {
            let task = in_court();
            let accuser = worker(3);
            assert!(!<Tasks as TaskParties<AccountId>>::is_party(task, &accuser));
            assert!(enter(task, accuser, 3));
            assert!(<Tasks as TaskParties<AccountId>>::is_party(task, &accuser));
            attest(task, 0, 1);
            run_to(progress(task).due + 1);
            await_draw(task);
            let invited = crate::Invitations::<Test>::get(task).unwrap().workers;
            assert_eq!(invited.to_vec(), [4, 5, 6].map(worker), "it would be the next");
            run_to(now() + class().invite_window + 1);
            let call = Tasks::accept(RuntimeOrigin::signed(accuser), task);
            assert_noop!(call, Error::<Test>::AccuserMayNotWork);
        });
    }

    #[test]
    fn is_kept_whoever_brings_the_claim_down_and_when() {
        ExtBuilder::default().build_and_execute(|| {
            let task = in_court();
            assert!(enter(task, BOB, 2));
            // Others are faster, now and again; what they say comes later.
            assert!(enter(task, VERIFIER, 3));
            decide(task, fallen([VERIFIER]));
            run_to(progress(task).due + 1);
            assert_eq!(Results::<Test>::get(task).unwrap().claim, claim(2));
            assert_eq!(Places::<Test>::get(task).len(), 2);
        });
    }
}

/// What an attack comes to.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Outcomes {
    attackers: i128,
    honest: i128,
    worker: i128,
    publisher: i128,
    cases: u32,
    end: Phase,
}

const HONEST: AccountId = BOB;
const RIGHT: u8 = 2;

/// All attackers say something else that is wrong, enter it before anybody else, and each has the claim before its own fall at
/// once: the honest accuser, who accuses whatever is wrong, is never the first. `answers` are those of the workers.
fn attack(attackers: u32, answers: &[(u64, u8)]) -> Outcomes {
    let mut outcomes = None;
    ExtBuilder::default().build_and_execute(|| {
        world(|world| world.has_court = true);
        ReputationDouble::set_confidence(worker(0), 300);
        let task = publish();
        answer_all(task, answers);
        let enemies = (0..u64::from(attackers)).map(|n| VERIFIER + n);
        for (enemy, answer) in enemies.clone().zip(10..) {
            assert!(enter(task, enemy, answer));
        }
        enter(task, HONEST, RIGHT);
        let mut cases = 0;
        while !phase(task).is_finished() {
            cases += 1;
            let (terms, _) = OpenCases::get(task).expect("every result has a case");
            let faster = enemies.clone().next().unwrap_or(HONEST);
            let standing = match terms.claim == claim(RIGHT) {
                true => Standing::Stands,
                // It is paid as the second of two, at least.
                false if faster != HONEST => fallen([faster, HONEST]),
                false => fallen([HONEST]),
            };
            decide(task, standing);
            run_to(progress(task).due + 1);
            check_state();
        }
        assert!(Places::<Test>::get(task).is_empty() && Fallen::<Test>::get(task).is_empty());
        let right = answers.iter().find(|(_, answer)| *answer == RIGHT);
        outcomes = Some(Outcomes {
            attackers: enemies.map(gain).sum(),
            honest: gain(HONEST),
            worker: right.map_or(0, |(n, _)| gain(worker(*n))),
            publisher: gain(ALICE),
            cases,
            end: phase(task),
        });
    });
    outcomes.expect("it was played")
}

/// The table of `docs/architecture.md`, in worker's bonds of which a wrong claim costs half.
#[test]
fn attackers_that_fall_one_after_the_other_pay_twice_as_much_for_each_case_more_and_stop_nobody() {
    println!("attackers | they gain | the right worker | the accuser | cases | end");
    for k in 0..=MAX_PLACES {
        let worked = attack(k, &[(0, 1), (1, 1), (2, RIGHT)]);
        println!(
            "{k:9} | {:9} | {:16} | {:11} | {:5} | {:?}",
            worked.attackers, worked.worker, worked.honest, worked.cases, worked.end
        );
        assert_eq!(worked.end, Phase::Settled, "somebody did it right");
        assert!(worked.worker > 0, "and is paid");
        assert_eq!(worked.cases, 2, "what a worker says comes before what is bought");
        // They have half of what an accuser gets for the two workers; for their places nobody gives them anything.
        let shared = if k > 0 { WRONG as i128 / 2 } else { 0 };
        assert_eq!(worked.attackers, shared - lost(k));
    }
    println!("attackers | they gain | the accuser who knows what is right | publisher | cases | end");
    for k in 0..=MAX_PLACES {
        let entered = attack(k, &[(0, 1), (1, 1), (2, 1)]);
        println!(
            "{k:9} | {:9} | {:35} | {:9} | {:5} | {:?}",
            entered.attackers, entered.honest, entered.publisher, entered.cases, entered.end
        );
        let has_room = k < MAX_PLACES;
        assert_eq!(entered.end, if has_room { Phase::Settled } else { Phase::Failed });
        assert_eq!(entered.cases, if has_room { 2 + k } else { 1 + k });
        assert!(entered.honest > 0, "whoever is right gains in any case");
        // Of what they lose half is burned, and a half of the rest is the honest accuser's.
        let shared = if k > 0 { 3 * WRONG as i128 / 4 } else { 0 };
        assert_eq!(entered.attackers, shared - lost(k) + lost(k) / 4);
        if k > 1 {
            assert!(
                entered.attackers < attack(k - 1, &[(0, 1), (1, 1), (2, 1)]).attackers,
                "each costs more"
            );
        }
    }
}

/// What wrong claims cost that have the first `k` places.
const fn lost(k: u32) -> i128 {
    ((1 << k) - 1) * WRONG as i128
}

#[test]
fn a_place_with_what_is_right_is_paid_as_a_worker_and_has_all_of_its_bond_back() {
    ExtBuilder::default().build_and_execute(|| {
        let task = in_court();
        for (n, answer) in (0..3).zip(10..) {
            assert!(enter(task, VERIFIER + n, answer));
        }
        assert!(enter(task, HONEST, RIGHT));
        assert_eq!(held(task, HONEST), 8 * BOND);
        for _ in 0..4 {
            decide(task, fallen([HONEST]));
            run_to(progress(task).due + 1);
        }
        assert_eq!(
            Results::<Test>::get(task),
            Some(Chosen {
                claim: claim(RIGHT),
                best: HONEST
            })
        );
        run_to(progress(task).due + 1);
        assert_eq!(phase(task), Phase::Settled);
        assert_eq!(records_of(HONEST), [(AS_WORKER, Outcome::Right { confirmed: false })]);
        // The reward of all workers; half of three workers' penalties, and of those of places for 1, 2 and 4 bonds.
        assert_eq!(gain(HONEST), 2_500 + (3 + 7) * (WRONG / 2) as i128);
        assert_eq!(records_of(VERIFIER), [(AS_WORKER, Outcome::Wrong)]);
    });
}

#[test]
fn a_place_that_never_had_its_turn_is_wrong_if_something_else_is_settled_and_free_if_nothing_is() {
    ExtBuilder::default().build_and_execute(|| {
        let task = in_court();
        assert!(enter(task, BOB, 3) && enter(task, VERIFIER, 4));
        run_to(progress(task).due + 1);
        assert_eq!(phase(task), Phase::Settled, "nobody has shown anything");
        assert_eq!(gain(BOB), -(WRONG as i128));
        assert_eq!(gain(VERIFIER), -2 * (WRONG as i128));
    });
    ExtBuilder::default().build_and_execute(|| {
        let task = in_court();
        assert!(enter(task, BOB, 3));
        decide(task, Standing::Undecided);
        run_to(progress(task).due + 1);
        assert_eq!((phase(task), gain(BOB)), (Phase::Failed, 0));
        assert!(records_of(BOB).is_empty());
    });
}

#[test]
fn fresh_workers_who_say_what_was_entered_are_paid_beside_whoever_entered_it() {
    ExtBuilder::default().build_and_execute(|| {
        let task = in_court();
        assert!(enter(task, BOB, RIGHT));
        attest(task, 0, 1);
        run_to(progress(task).due + 1);
        answer_all(task, &[(3, RIGHT), (4, RIGHT), (5, RIGHT)]);
        run_to(progress(task).due + 1);
        assert_eq!(phase(task), Phase::Settled);
        assert!(gain(BOB) > 0 && (3..6).all(|n| gain(worker(n)) > 0));
        assert_eq!(gain(BOB) + (3..6).map(|n| gain(worker(n))).sum::<i128>(), 2_500);
    });
}

#[test]
fn those_who_accused_a_claim_share_its_penalties_the_first_one_half() {
    ExtBuilder::default().build_and_execute(|| {
        let task = in_court();
        let [first, second, third] = [0, 1, 2].map(|n| VERIFIER + n);
        decide(task, fallen([first, second, third]));
        run_to(progress(task).due + 1);
        assert_eq!(phase(task), Phase::Failed);
        let won = 3 * WRONG as i128 / 2;
        assert_eq!([first, second, third].map(gain), [won / 2, won / 4, won / 4]);
        assert_eq!(burned(), 3 * WRONG / 2);
    });
    // What cannot be divided is burned, or the last one's.
    let part = sp_runtime::Permill::from_parts(50_500);
    let odd = |class: &mut Class| (class.late_penalty, class.wrong_penalty) = (part, part);
    ExtBuilder::default().with_class(odd).build_and_execute(|| {
        let task = in_court();
        decide(task, fallen([VERIFIER, VERIFIER + 1]));
        run_to(progress(task).due + 1);
        // 101 each: 50 to the accusers, and 51 burned.
        assert_eq!([0, 1].map(|n| gain(VERIFIER + n)), [75, 75]);
        assert_eq!(burned(), 3 * 51);
    });
}
