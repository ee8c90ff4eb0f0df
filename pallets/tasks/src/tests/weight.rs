//! Calls, hooks and steps weigh what was measured for them.

use crate::{Call, MAX_PLACES, WeightInfo, mock::*, transitions::Step, types::TaskProgress};
use agora_primitives::{
    TaskId,
    courts::{Cases, Standing},
    task::{Difficulty, RoundKind},
};
use frame_support::{
    dispatch::GetDispatchInfo,
    traits::Hooks,
    weights::{RuntimeDbWeight, Weight},
};
use sp_core::H256;

type Measured = ();

/// The heaviest of `weights`, in time and in size.
fn heaviest<const N: usize>(weights: [Weight; N]) -> Weight {
    weights
        .into_iter()
        .fold(Weight::zero(), |most, weight| most.max(weight))
}

/// Settling if the penalties of `n` are divided among `sharers` each.
fn settle_shared(n: u32, sharers: u64) -> Weight {
    let one = Measured::share(1) - Measured::share(0);
    Measured::settle_fallen(n).saturating_add(one * (sharers - 1) * u64::from(n))
}

fn publish_call() -> Call<Test> {
    Call::publish {
        class: CLASS,
        job: job(),
        difficulty: Difficulty::ONE,
        reward: REWARD,
        deadline: DEADLINE,
        reference: reference(1),
    }
}

#[test]
fn each_call_has_its_own() {
    let (task, commitment) = (TaskId(0), H256::zero());
    let most = MAX_CONTRIBUTIONS;
    let weights = [
        (
            publish_call(),
            Measured::publish()
                .saturating_add(Measured::invite())
                .saturating_add(ExactDouble::WEIGHT),
        ),
        (
            Call::cancel { task },
            Measured::cancel().saturating_add(Measured::expire(most)),
        ),
        (Call::accept { task }, Tasks::accept_weight()),
        (Call::commit { task, commitment }, Measured::commit()),
        (
            Call::reveal {
                task,
                claim: claim(1),
                salt: SALT,
            },
            Measured::reveal(),
        ),
        (
            Call::advance { task },
            Measured::cancel().saturating_add(heaviest([
                Measured::expire(most),
                Measured::start_reveal(),
                Measured::judge(most),
                Measured::replicate(most),
                Measured::fail(most),
                Measured::rule(most).saturating_add(Measured::settle(most + MAX_PLACES)),
                Measured::reopen(most),
                Measured::await_court(),
                Measured::bring_down(most).saturating_add(Measured::settle(most + MAX_PLACES)),
                // All of them fell, each as three have shown.
                Measured::bring_down(most).saturating_add(settle_shared(most + MAX_PLACES, 3)),
                Measured::purge(),
            ])),
        ),
        (
            Call::set_class {
                id: CLASS,
                class: class(),
            },
            Measured::set_class(),
        ),
        (Call::remove_class { id: CLASS }, Measured::remove_class()),
        (Call::decline { task }, Tasks::decline_weight()),
    ];
    for (call, weight) in weights {
        assert_eq!(Call::<Test>::get_dispatch_info(&call).call_weight, weight, "{call:?}");
    }
}

#[test]
fn publishing_weighs_less_where_nobody_is_invited() {
    let publish = |chain: ExtBuilder| {
        let mut weight = None;
        chain.build_and_execute(|| {
            let origin = RuntimeOrigin::signed(ALICE);
            let (difficulty, reference) = (Difficulty::ONE, reference(1));
            let published = Tasks::publish(origin, CLASS, job(), difficulty, REWARD, DEADLINE, reference);
            weight = published.unwrap().actual_weight;
        });
        weight.unwrap()
    };
    let (open, priority) = (ExtBuilder::default(), ExtBuilder::default().priority());
    assert_eq!(publish(open), Measured::publish());
    let both = Measured::publish().saturating_add(Measured::invite());
    assert_eq!(publish(priority), both);
    let (exact, assigned) = (ExtBuilder::default().exact(), ExtBuilder::default().exact().priority());
    assert_eq!(publish(exact), Measured::publish().saturating_add(ExactDouble::WEIGHT));
    assert_eq!(publish(assigned), both.saturating_add(ExactDouble::WEIGHT));
}

#[test]
fn a_step_may_weigh_as_much_as_the_heaviest_of_its_ends() {
    let n = 7;
    let progress = TaskProgress {
        contributions: n,
        ..TaskProgress::published(RoundKind::Replication, DEADLINE, 3, 5)
    };
    let weights = [
        (Step::Expire, Measured::expire(n)),
        (Step::StartReveal, Measured::start_reveal()),
        (
            Step::Judge,
            heaviest([
                Measured::judge(n),
                Measured::replicate(n),
                Measured::fail(n),
                Measured::rule(n).saturating_add(Measured::settle(n + MAX_PLACES)),
            ]),
        ),
        (
            Step::CloseAppealWindow,
            heaviest([
                Measured::reopen(n),
                Measured::await_court(),
                // With all who may have entered, all of whom fell.
                Measured::bring_down(n).saturating_add(Measured::settle(n + MAX_PLACES)),
                Measured::bring_down(n).saturating_add(settle_shared(n + MAX_PLACES, 3)),
            ]),
        ),
        (Step::Purge, Measured::purge()),
    ];
    for (step, weight) in weights {
        assert_eq!(Tasks::step_weight(step, &progress), weight, "{step:?}");
    }
}

#[test]
fn a_block_begins_with_what_calls_then_find_in_memory() {
    ExtBuilder::default().build_and_execute(|| {
        let database: RuntimeDbWeight = <Test as frame_system::Config>::DbWeight::get();
        let weight = Tasks::on_initialize(2);
        // The queue of draws is looked at too.
        assert_eq!(weight.ref_time(), database.reads_writes(2, 1).ref_time());
        assert!(
            weight.proof_size() > u64::from(MAX_TASKS_PER_BLOCK) * 8,
            "the whole queue is read"
        );
    });
}

#[test]
fn accepting_weighs_less_where_nobody_is_replaced() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        let weight_of = |n| {
            let accepted = Tasks::accept(RuntimeOrigin::signed(worker(n)), task).unwrap();
            accepted.actual_weight.unwrap()
        };
        let taking_free_slots = [0, 1, 2].map(weight_of);
        assert_eq!(taking_free_slots, [Measured::accept(); 3]);
        run_to(2 + COMMIT_WINDOW);
        let replacing = weight_of(3);
        let both = Measured::accept().saturating_add(Measured::expire(1));
        assert!(replacing.all_gt(both), "the others are looked at too");
        let database: RuntimeDbWeight = <Test as frame_system::Config>::DbWeight::get();
        assert_eq!(Tasks::accept_weight(), replacing.saturating_add(database.writes(1)));
    });
}

#[test]
fn cancelling_weighs_less_where_nobody_is_late() {
    ExtBuilder::default().build_and_execute(|| {
        let cancel = |task| {
            let cancelled = Tasks::cancel(RuntimeOrigin::signed(ALICE), task).unwrap();
            cancelled.actual_weight.unwrap()
        };
        assert_eq!(cancel(publish()), Measured::cancel());
        let late = publish_as(ALICE, 2);
        (0..2).for_each(|n| accept(n, late));
        run_to(2 + COMMIT_WINDOW);
        assert_eq!(cancel(late), Measured::cancel().saturating_add(Measured::expire(2)));
    });
}

#[test]
fn declining_weighs_as_committing_and_the_proof_of_an_invitation() {
    let (decline, commit) = (Tasks::decline_weight(), Measured::commit());
    assert_eq!(decline.ref_time(), commit.ref_time());
    let invited = size_of::<AccountId>() * MAX_CONTRIBUTIONS as usize;
    assert!(decline.proof_size() > commit.proof_size() + invited as u64);
}

#[test]
fn accepting_on_invitation_writes_the_invitation_too() {
    ExtBuilder::default().priority().build_and_execute(|| {
        let task = publish();
        await_draw(task);
        let accepted = Tasks::accept(RuntimeOrigin::signed(worker(0)), task).unwrap();
        let database: RuntimeDbWeight = <Test as frame_system::Config>::DbWeight::get();
        let weight = Measured::accept().saturating_add(database.writes(1));
        assert_eq!(accepted.actual_weight, Some(weight));
    });
}

/// What taking the step of a task weighs that is due now.
fn step_of(task: TaskId) -> Weight {
    let most = Tasks::step_weight(progress(task).step(now()).unwrap(), &progress(task));
    let weight = Tasks::take_step(task, now()).unwrap();
    assert!(weight.all_lte(most), "{weight:?} of {most:?}");
    weight
}

#[test]
fn each_end_of_an_appeal_window_weighs_what_it_does() {
    let in_court = |has_court: bool, how: Standing<AccountId, BlockNumber>, weight: Weight| {
        ExtBuilder::default().build_and_execute(|| {
            world(|world| world.has_court = true);
            ReputationDouble::set_confidence(worker(0), 30);
            let task = publish();
            answer_all(task, &[(0, 1), (1, 1), (2, 2)]);
            decide(task, how);
            jump_to(progress(task).due);
            world(|world| world.has_court = has_court);
            assert_eq!(step_of(task), weight);
            // The blocks that were jumped over are served now.
            run_to(now() + 1);
        });
    };
    let (bring_down, n) = (Measured::bring_down(3), 3);
    in_court(true, Standing::Stands, Measured::settle(n));
    in_court(true, Standing::Pending { until: 90 }, Measured::await_court());
    in_court(true, Standing::Undecided, Measured::settle(n));
    in_court(true, fallen([BOB]), bring_down);
    let settled = |n| bring_down.saturating_add(Measured::settle_fallen(n));
    in_court(false, fallen([BOB]), settled(n));
    in_court(
        false,
        fallen([BOB, VERIFIER]),
        bring_down.saturating_add(settle_shared(n, 2)),
    );
}

#[test]
fn who_has_entered_weighs_as_a_worker_and_each_who_shares_as_one_more() {
    ExtBuilder::default().build_and_execute(|| {
        world(|world| world.has_court = true);
        let task = publish();
        answer_all(task, &[(0, 1), (1, 1), (2, 1)]);
        assert!(<Tasks as Cases<AccountId>>::enter(task, &BOB, claim(2)));
        decide(task, fallen([BOB]));
        jump_to(progress(task).due);
        assert_eq!(step_of(task), Measured::bring_down(3));
        decide(task, fallen([BOB, VERIFIER]));
        jump_to(progress(task).due);
        let fails = Measured::bring_down(3).saturating_add(settle_shared(4, 2));
        assert_eq!(step_of(task), fails);
        run_to(now() + 1);
    });
}

#[test]
fn telling_of_a_case_weighs_as_entering_a_claim() {
    let enter = <Measured as WeightInfo>::enter();
    assert_eq!(<Tasks as Cases<AccountId>>::weight(), enter);
    assert!(enter.all_gt(Tasks::look_weight()));
}
