//! Random calls by many accounts over many blocks: after each, every invariant holds and no money appeared or got lost;
//! at the end every task has had exactly one terminal event and nothing is held.

use crate::{Event, Progress, mock::*};
use agora_primitives::{
    ClassId, TaskId,
    courts::{Cases, Standing},
    exact::ExactTasks,
    judging::{Judge, JudgeRule, Reveals},
    reputation::Outcome,
    task::{Difficulty, Phase, RoundKind},
};
use frame_support::{assert_ok, storage::with_storage_layer, weights::Weight};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// `workers` and the like are sets: bit `n` stands for worker `n`.
#[derive(Clone, Debug)]
enum Action {
    Publish {
        by: AccountId,
        reward: Balance,
        in_blocks: u64,
        /// In the class whose jobs the chain computes.
        exact: bool,
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
    /// Workers try every answer that there is, by themselves and as what the chain has computed.
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
    Hide {
        task: u64,
    },
    Attest {
        task: u64,
        in_favour: u32,
        against: u32,
    },
    HasCourt(bool),
    /// The court says how the case of a task stands, and perhaps that it has decided.
    Decide {
        task: u64,
        standing: Said,
        tells: bool,
    },
    TreeIsFull(bool),
    /// A block that has left this many hundredths of an expiry's weight when it is idle.
    Block {
        weight: u64,
    },
    Blocks(u64),
}

/// What the court says: right or wrong, by whomever.
#[derive(Clone, Copy, Debug)]
enum Said {
    Stands,
    PendingFor(u64),
    Fallen {
        by: AccountId,
        and: Option<AccountId>,
        own: Option<u8>,
    },
    Undecided,
}

impl Said {
    fn standing(self) -> Standing<AccountId, BlockNumber> {
        match self {
            Self::Stands => Standing::Stands,
            Self::PendingFor(blocks) => Standing::Pending {
                until: (now() + blocks).saturating_sub(2),
            },
            Self::Fallen { by, and, .. } => match and {
                Some(and) => fallen([by, and]),
                None => fallen([by]),
            },
            Self::Undecided => Standing::Undecided,
        }
    }
}

/// Publishers, workers, verifiers, and one who has no account.
fn accuser() -> impl Strategy<Value = AccountId> {
    prop_oneof![
        ALICE..=BOB,
        WORKER..WORKER + WORKERS,
        VERIFIER..VERIFIER + VERIFIERS,
        Just(777)
    ]
}

fn said() -> impl Strategy<Value = Said> {
    let own = prop::option::of(prop_oneof![Just(1u8), Just(2), Just(3), Just(UNUSABLE), 10u8..20]);
    prop_oneof![
        2 => Just(Said::Stands),
        2 => (0u64..30).prop_map(Said::PendingFor),
        6 => (accuser(), prop::option::of(accuser()), own).prop_map(|(by, and, own)| Said::Fallen { by, and, own }),
        1 => Just(Said::Undecided),
    ]
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
        2 => (by.clone(), 900u128..30_000, 8u64..30, prop::bool::weighted(0.3))
            .prop_map(|(by, reward, in_blocks, exact)| Action::Publish { by, reward, in_blocks, exact }),
        1 => (by, 0u64..12).prop_map(|(by, task)| Action::Cancel { by, task }),
        9 => (workers(), task.clone())
            .prop_map(|(workers, task)| Action::Accept { workers, task }),
        9 => (workers(), task.clone(), answers())
            .prop_map(|(workers, task, answers)| Action::Commit { workers, task, answers }),
        9 => (workers(), task.clone()).prop_map(|(workers, task)| Action::Reveal { workers, task }),
        2 => task.clone().prop_map(|task| Action::Advance { task }),
        2 => (workers(), task.clone()).prop_map(|(workers, task)| Action::Decline { workers, task }),
        1 => any::<bool>().prop_map(Action::HasCourt),
        4 => (task.clone(), said(), any::<bool>())
            .prop_map(|(task, standing, tells)| Action::Decide { task, standing, tells }),
        1 => task.clone().prop_map(|task| Action::Hide { task }),
        4 => (task, 0u32..3, 0u32..3).prop_map(|(task, in_favour, against)| {
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
        Action::Publish {
            by,
            reward,
            in_blocks,
            exact,
        } => {
            let class = if exact { EXACT } else { CLASS };
            let reference = crate::NextTaskId::<Test>::get().0.to_le_bytes();
            let reference = [reference, reference].concat().try_into().unwrap();
            let (deadline, difficulty) = (now() + in_blocks, Difficulty::ONE);
            let _ = Tasks::publish(signed(by), class, job(), difficulty, reward, deadline, reference);
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
                    deliver(n, recent(task), answer);
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
            match JudgeDouble::reveals(task) {
                Reveals::Pending { .. } => reveal_attestations(task, in_favour, against),
                Reveals::Undrawn { .. } => {}
                Reveals::Done => {
                    if Progress::<Test>::get(task).is_some_and(|p| p.phase == Phase::Appealable) {
                        attest(task, in_favour, against);
                    }
                }
            }
        }
        Action::Hide { task } => {
            let task = recent(task);
            let until = AppealWindows::get(task).map(|(terms, ..)| terms.until);
            if until.is_some_and(|until| now() <= until) {
                hide(task);
            }
        }
        Action::HasCourt(has) => world(|world| world.has_court = has),
        Action::Decide { task, standing, tells } => {
            let task = recent(task);
            if OpenCases::contains_key(task) {
                if let Said::Fallen { by, own: Some(own), .. } = standing {
                    <Tasks as Cases<AccountId>>::enter(task, &by, claim(own));
                }
                decide(task, standing.standing());
                if tells {
                    assert_ok!(Tasks::decided(task));
                }
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

/// Has the chain find that a worker's answer is right, whatever it is: all or nothing.
fn deliver(n: u64, task: TaskId, answer: u8) {
    let slots = world(|world| world.slots.clone());
    let who = worker(n);
    let delivered = with_storage_layer(|| <Tasks as ExactTasks<AccountId>>::deliver(task, &who, claim(answer), &SALT));
    if delivered.is_err() {
        world(|world| world.slots = slots);
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

/// The class whose jobs the chain computes.
const EXACT: ClassId = ClassId(1);

fn run(actions: &[Action]) {
    ExtBuilder::default().priority().build_and_execute(|| {
        let exact = Class {
            judge: JudgeRule::Exact,
            replicas: 1,
            max_replicas: 1,
            ..class()
        };
        assert_ok!(Tasks::set_class(RuntimeOrigin::root(), EXACT, exact));
        let initial = Balances::total_issuance();
        for action in actions {
            act(action);
            check_state();
            assert_eq!(Balances::total_issuance() + burned(), initial);
        }
        world(|world| world.tree_is_full = false);
        // Every court has a last block.
        for task in OpenCases::iter_keys().collect::<Vec<_>>() {
            decide(task, Standing::Stands);
        }
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
    assert_eq!(crate::Fallen::<Test>::iter().count(), 0, "nothing stays noted");
    assert_eq!(crate::Places::<Test>::iter().count(), 0, "no claim stays entered");
    assert_eq!(OpenCases::iter().count(), 0, "no case stays open");
}

/// The first result's, that of the one which an appeal chose, and of each that falls but the last.
const MOST_CASES: usize = 2 + (MAX_CONTRIBUTIONS + crate::MAX_PLACES) as usize;

/// What is right, in the market of those who work in time.
const RIGHT: u8 = 1;

/// One task whose workers are all in time, before a court that is right but may fail. Somebody always accuses what is wrong.
#[derive(Clone, Debug)]
struct Timely {
    answers: [u8; 12],
    confident: Option<u64>,
    attested: (u32, u32),
    /// Whether attestations are hidden first; then whether they are revealed.
    hides: Option<bool>,
    /// Of each case in turn: who accuses, what it says is right, how long the court takes, and whether it fails.
    cases: Vec<(AccountId, Option<u8>, u64, bool)>,
}

fn timely() -> impl Strategy<Value = Timely> {
    let answer =
        prop_oneof![4 => Just(RIGHT), 3 => Just(2u8), 1 => Just(3u8), 1 => Just(UNUSABLE), 1 => Just(OTHER_STATES)];
    let own = prop::option::of(prop_oneof![3 => Just(RIGHT), 1 => Just(2u8), 1 => Just(UNUSABLE), 3 => 10u8..14]);
    let case = (accuser(), own, 0u64..20, prop::bool::weighted(0.05));
    let confident = prop::option::weighted(0.8, 0u64..3);
    (
        prop::array::uniform12(answer),
        confident,
        (0u32..3, 0u32..3),
        prop::option::of(prop::bool::ANY),
        prop::collection::vec(case, MOST_CASES),
    )
        .prop_map(|(answers, confident, attested, hides, cases)| Timely {
            answers,
            confident,
            attested,
            hides,
            cases,
        })
}

/// Plays it to its end, and returns how its task ended.
fn play(timely: &Timely) -> Phase {
    world(|world| world.has_court = true);
    if let Some(confident) = timely.confident {
        ReputationDouble::set_confidence(worker(confident), 300);
    }
    let (began, task) = (now(), publish());
    let mut free = (0u64..).zip(timely.answers);
    let mut worked = Vec::new();
    let mut entered = Vec::new();
    let mut cases = timely.cases.iter().copied();
    let mut is_attested = false;
    while !phase(task).is_finished() {
        if phase(task).takes_workers() {
            let wanted = progress(task).wanted as usize;
            let round: Vec<_> = free
                .by_ref()
                .filter(|(n, _)| !crate::Contributions::<Test>::contains_key(task, worker(*n)))
                // Who has entered a claim does not work in the round that rules on it.
                .filter(|(n, _)| !crate::Places::<Test>::get(task).iter().any(|place| place.who == worker(*n)))
                .take(wanted)
                .collect();
            answer_all(task, &round);
            worked.extend(round);
            continue;
        }
        assert_eq!(phase(task), Phase::Appealable);
        if !is_attested {
            match timely.hides {
                Some(_) => hide(task),
                None => attest(task, timely.attested.0, timely.attested.1),
            }
            is_attested = true;
        }
        let (terms, _) = OpenCases::get(task).expect("every result has a case");
        let (by, own, takes, fails) = cases.next().expect("a task has so many cases at most");
        let own = own.map(claim);
        if let Some(own) = own {
            let is_new = <Tasks as Cases<AccountId>>::enter(task, &by, own);
            if is_new && own == claim(RIGHT) {
                entered.push(by);
            }
        }
        decide(task, Standing::Pending { until: now() + takes });
        run_to(now() + takes / 2);
        let standing = match (fails, terms.claim == claim(RIGHT)) {
            (true, _) => Standing::Undecided,
            (false, true) => Standing::Stands,
            (false, false) => fallen([by]),
        };
        decide(task, standing);
        run_to(progress(task).due + 1);
        while JudgeDouble::reveals(task) != Reveals::Done {
            if timely.hides == Some(true) && matches!(JudgeDouble::reveals(task), Reveals::Pending { .. }) {
                reveal_attestations(task, timely.attested.0, timely.attested.1);
            }
            run_to(progress(task).due + 1);
        }
        check_state();
    }
    let end = terminal_events();
    assert_eq!(end.len(), 1, "it ends, and once");
    assert!(now() - began < 600, "in bounded time");
    let settled = end.iter().any(|event| matches!(event, Event::Settled { .. }));
    let right = end
        .iter()
        .any(|event| matches!(event, Event::Settled { claim: said, .. } if *said == claim(RIGHT)));
    assert_eq!(settled, right, "nothing wrong is settled");
    for (n, answer) in worked {
        let in_time = records_of(worker(n))
            .iter()
            .any(|(side, outcome)| *side == AS_WORKER && matches!(outcome, Outcome::Right { .. }));
        assert!(answer != RIGHT || gain(worker(n)) >= 0, "timely right work lost money");
        assert!(answer == RIGHT || !in_time, "wrong work is not right");
        assert!(!in_time || gain(worker(n)) > 0, "right work that is settled is paid");
    }
    for who in entered {
        // It has no other part in the task.
        assert!(gain(who) >= 0, "who entered with what is right lost money");
    }
    match settled {
        true => Phase::Settled,
        false => Phase::Failed,
    }
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

    #[test]
    fn timely_right_work_never_loses_money_where_the_court_is_right(timely in timely()) {
        ExtBuilder::default().build_and_execute(|| {
            play(&timely);
        });
    }
}

#[test]
fn where_somebody_accuses_what_is_wrong_and_knows_what_is_right_that_is_settled() {
    ExtBuilder::default().build_and_execute(|| {
        let timely = Timely {
            answers: [2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3],
            confident: Some(0),
            attested: (0, 1),
            hides: Some(true),
            cases: vec![(BOB, Some(RIGHT), 9, false); MOST_CASES],
        };
        assert_eq!(play(&timely), Phase::Settled);
        assert!(gain(BOB) > 0);
    });
}
