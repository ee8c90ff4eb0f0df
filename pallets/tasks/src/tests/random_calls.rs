//! Random calls by many accounts over many blocks: after each, every invariant holds and no money appeared or got lost;
//! at the end every task has had exactly one terminal event and nothing is held.

use crate::{Event, Progress, mock::*};
use agora_primitives::{
    TaskId,
    task::{Difficulty, Phase, RoundKind},
};
use frame_support::weights::Weight;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// `workers` and the like are sets: bit `n` stands for worker `n`.
#[derive(Clone, Debug)]
enum Action {
    Publish {
        by: AccountId,
        reward: Balance,
        in_blocks: u64,
    },
    Cancel {
        by: AccountId,
        task: u64,
    },
    Accept {
        workers: u16,
        task: u64,
    },
    /// Worker `n` commits to the `n`-th answer.
    Commit {
        workers: u16,
        task: u64,
        answers: [u8; 12],
    },
    /// Workers try every answer that there is.
    Reveal {
        workers: u16,
        task: u64,
    },
    Advance {
        task: u64,
    },
    Decline {
        workers: u16,
        task: u64,
    },
    Attest {
        task: u64,
        in_favour: u32,
        against: u32,
    },
    TreeIsFull(bool),
    /// A block that has left this many hundredths of an expiry's weight when it is idle.
    Block {
        weight: u64,
    },
    Blocks(u64),
}

const ANSWERS: [u8; 5] = [1, 2, 3, UNUSABLE, OTHER_STATES];

/// Most answers are the same, so that there is agreement; now and then all are that the input is unusable.
fn answers() -> impl Strategy<Value = [u8; 12]> {
    let answer =
        prop_oneof![16 => Just(1u8), 4 => Just(2u8), 2 => Just(3u8), 1 => Just(UNUSABLE), 1 => Just(OTHER_STATES)];
    prop_oneof![3 => prop::array::uniform12(answer), 1 => Just([UNUSABLE; 12])]
}

fn action() -> impl Strategy<Value = Action> {
    let workers = || prop_oneof![Just(0xfff), 0u16..1 << 12];
    let (task, by) = (0u64..2, ALICE..=BOB);
    prop_oneof![
        2 => (by.clone(), 900u128..30_000, 8u64..30)
            .prop_map(|(by, reward, in_blocks)| Action::Publish { by, reward, in_blocks }),
        1 => (by, 0u64..12).prop_map(|(by, task)| Action::Cancel { by, task }),
        9 => (workers(), task.clone())
            .prop_map(|(workers, task)| Action::Accept { workers, task }),
        9 => (workers(), task.clone(), answers())
            .prop_map(|(workers, task, answers)| Action::Commit { workers, task, answers }),
        9 => (workers(), task.clone()).prop_map(|(workers, task)| Action::Reveal { workers, task }),
        2 => task.clone().prop_map(|task| Action::Advance { task }),
        2 => (workers(), task.clone()).prop_map(|(workers, task)| Action::Decline { workers, task }),
        3 => (task, 0u32..3, 0u32..3).prop_map(|(task, in_favour, against)| {
            Action::Attest { task, in_favour, against }
        }),
        1 => any::<bool>().prop_map(Action::TreeIsFull),
        2 => (0u64..1000).prop_map(|weight| Action::Block { weight }),
        9 => (1u64..4).prop_map(Action::Blocks),
    ]
}

fn members(workers: u16) -> impl Iterator<Item = u64> {
    (0..12).filter(move |n| workers >> n & 1 == 1)
}

/// Tasks are named by how many were published after them, so that most actions meet a living one.
fn recent(task: u64) -> TaskId {
    TaskId(crate::NextTaskId::<Test>::get().0.saturating_sub(task + 1))
}

/// Calls may fail; whatever they do must keep the invariants.
fn act(action: &Action) {
    let signed = RuntimeOrigin::signed;
    match *action {
        Action::Publish { by, reward, in_blocks } => {
            let reference = crate::NextTaskId::<Test>::get().0.to_le_bytes();
            let reference = [reference, reference].concat().try_into().unwrap();
            let (deadline, difficulty) = (now() + in_blocks, Difficulty::ONE);
            let _ = Tasks::publish(signed(by), CLASS, job(), difficulty, reward, deadline, reference);
        }
        Action::Cancel { by, task } => {
            let _ = Tasks::cancel(signed(by), recent(task));
        }
        Action::Accept { workers, task } => {
            for n in members(workers) {
                let slots = world(|world| world.slots.clone());
                if Tasks::accept(signed(worker(n)), recent(task)).is_err() {
                    world(|world| world.slots = slots);
                }
            }
        }
        Action::Commit { workers, task, answers } => {
            for n in members(workers) {
                let task = recent(task);
                let commitment = commitment_of(n, task, answers[n as usize]);
                let _ = Tasks::commit(signed(worker(n)), task, commitment);
            }
        }
        Action::Reveal { workers, task } => {
            for n in members(workers) {
                for answer in ANSWERS {
                    let _ = Tasks::reveal(signed(worker(n)), recent(task), claim(answer), SALT);
                }
            }
        }
        Action::Advance { task } => {
            // A full tree is found out after slots were freed; the double is not undone with the storage.
            let slots = world(|world| world.slots.clone());
            if Tasks::advance(signed(BOB), recent(task)).is_err() {
                world(|world| world.slots = slots);
            }
        }
        Action::Decline { workers, task } => {
            for n in members(workers) {
                let _ = Tasks::decline(signed(worker(n)), recent(task));
            }
        }
        Action::Attest {
            task,
            in_favour,
            against,
        } => {
            let task = recent(task);
            if Progress::<Test>::get(task).is_some_and(|p| p.phase == Phase::Appealable) {
                attest(task, in_favour, against);
            }
        }
        Action::TreeIsFull(full) => world(|world| world.tree_is_full = full),
        Action::Block { weight } => {
            let expiry = <() as crate::WeightInfo>::expire(3);
            end_idle(expiry.saturating_mul(weight) / 100);
        }
        Action::Blocks(blocks) => (0..blocks).for_each(|_| end_idle(Weight::MAX)),
    }
}

/// Ends a block; an appeal is not ruled on while the tree is full, because the doubles cannot be undone in the middle.
fn end_idle(limit: Weight) {
    let appeals = Progress::<Test>::iter().any(|(_, progress)| progress.kind == RoundKind::Appeal);
    if appeals {
        world(|world| world.tree_is_full = false);
    }
    end_block(limit);
}

fn run(actions: &[Action]) {
    ExtBuilder::default().priority().build_and_execute(|| {
        let initial = Balances::total_issuance();
        for action in actions {
            act(action);
            check_state();
            assert_eq!(Balances::total_issuance() + burned(), initial);
        }
        world(|world| world.tree_is_full = false);
        for _ in 0..20 {
            // Long enough for any window; what found no room in the agenda is served by somebody.
            run_to(now() + 20);
            for (task, _) in Progress::<Test>::iter().collect::<Vec<_>>() {
                let _ = Tasks::advance(RuntimeOrigin::signed(BOB), task);
            }
        }
        everything_ended_once();
    });
}

fn everything_ended_once() {
    let mut endings = BTreeMap::<TaskId, u32>::new();
    for event in terminal_events() {
        let (Event::Settled { task, .. }
        | Event::Cancelled { task }
        | Event::Expired { task }
        | Event::Failed { task }) = event
        else {
            unreachable!("no terminal event");
        };
        *endings.entry(task).or_default() += 1;
    }
    let published = crate::NextTaskId::<Test>::get().0;
    assert_eq!(endings.len() as u64, published, "each task ends");
    assert!(endings.values().all(|count| *count == 1), "each task ends once");
    assert_eq!(Progress::<Test>::iter().count(), 0, "records are purged");
    let held: Balance = frame_system::Account::<Test>::iter_values()
        .map(|a| a.data.reserved)
        .sum();
    assert_eq!(held, 0, "nothing stays held");
}

// About ten thousand steps.
proptest! {
    #![proptest_config(agora_test_support::cases(70))]

    #[test]
    fn invariants_hold_under_random_calls(
        actions in prop::collection::vec(action(), 50..250),
    ) {
        run(&actions);
    }
}
