//! `publish`.

use crate::{Error, Event, Invitations, OpenTasks, References, Tasks as TaskMap, mock::*};
use agora_primitives::{
    ClassId, TaskId,
    job::{
        BlobRef, InferenceJob, InferenceNetwork, JobKind, JobSource, JobSpec, MAX_BOUNCES, MAX_SAMPLES, MatmulJob,
        Region, RenderingJob, StoredJob, SyntheticJob,
    },
    money::{Escrow as _, Purpose, Scope},
    participants::Specialisation,
    task::{Difficulty, Phase},
};
use frame_support::{assert_noop, assert_ok};
use sp_core::H256;

/// The arguments of a call that succeeds.
#[derive(Clone)]
struct Args {
    class: ClassId,
    job: JobSource,
    difficulty: Difficulty,
    reward: Balance,
    deadline: BlockNumber,
    reference: [u8; 16],
}

fn args() -> Args {
    Args {
        class: CLASS,
        job: job(),
        difficulty: Difficulty::ONE,
        reward: REWARD,
        deadline: DEADLINE,
        reference: reference(1),
    }
}

fn call(args: Args) -> frame_support::dispatch::DispatchResultWithPostInfo {
    call_as(ALICE, args)
}

fn call_as(who: AccountId, args: Args) -> frame_support::dispatch::DispatchResultWithPostInfo {
    let Args {
        class,
        job,
        difficulty,
        reward,
        deadline,
        reference,
    } = args;
    Tasks::publish(
        RuntimeOrigin::signed(who),
        class,
        job,
        difficulty,
        reward,
        deadline,
        reference,
    )
}

fn synthetic(matrix_size: u32, iterations: u32) -> JobSource {
    let job = SyntheticJob {
        seed: [1; 32],
        matrix_size,
        iterations,
    };
    JobSource::Inline(JobSpec::V2(JobKind::Synthetic(job)))
}

#[test]
fn secures_reward_stake_and_fee_at_once() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        let held = |purpose| Escrow::held(purpose, Scope::Task(task), &ALICE);
        assert_eq!(held(Purpose::TaskReward), REWARD);
        assert_eq!(held(Purpose::PublisherStake), STAKE);
        assert_eq!(held(Purpose::PublicationFee), FEE);
        assert_eq!(free(ALICE), ENDOWMENT - REWARD - STAKE - FEE);
        last_event(Event::Published {
            task,
            publisher: ALICE,
            class: CLASS,
            reference: reference(1),
            reward: REWARD,
            deadline: DEADLINE,
        });
        assert_eq!(phase(task), Phase::Open);
        assert_eq!(progress(task).due, DEADLINE + 1);
        let record = TaskMap::<Test>::get(task).unwrap();
        assert_eq!((record.publisher, record.published_at), (ALICE, 1));
        assert_eq!(record.terms.bond, BOND);
        assert_eq!(References::<Test>::get(ALICE, reference(1)), Some(task));
        assert_eq!(OpenTasks::<Test>::get(ALICE, CLASS), 1);
    });
}

#[test]
fn the_fee_rises_with_the_difficulty() {
    ExtBuilder::default().build_and_execute(|| {
        assert_ok!(call(Args {
            difficulty: Difficulty(2_500),
            ..args()
        }));
        let fee = Escrow::held(Purpose::PublicationFee, Scope::Task(TaskId(0)), &ALICE);
        assert_eq!(fee, FEE * 5 / 2);
    });
}

#[test]
fn ids_are_counted_up() {
    ExtBuilder::default().build_and_execute(|| {
        assert_eq!(publish(), TaskId(0));
        assert_eq!(publish_as(BOB, 1), TaskId(1));
    });
}

#[test]
fn takes_a_stored_job() {
    ExtBuilder::default().build_and_execute(|| {
        let stored = StoredJob {
            spec: BlobRef {
                hash: H256::repeat_byte(1),
                size: 100_000,
            },
            specialisation: Specialisation::Synthetic,
        };
        assert_ok!(call(Args {
            job: JobSource::Stored(stored),
            ..args()
        }));
    });
}

#[test]
fn invites_workers_where_the_class_assigns_by_priority() {
    ExtBuilder::default().priority().build_and_execute(|| {
        let task = publish();
        await_draw(task);
        let invitation = Invitations::<Test>::get(task).unwrap();
        assert_eq!(invitation.workers.to_vec(), [worker(0), worker(1), worker(2)]);
        assert_eq!(invitation.until, 6);
        last_event(Event::WorkersInvited {
            task,
            workers: invitation.workers,
            until: 6,
        });
    });
}

#[test]
fn open_competition_invites_nobody() {
    ExtBuilder::default().build_and_execute(|| {
        let task = publish();
        assert!(!Invitations::<Test>::contains_key(task));
    });
}

#[test]
fn fails_for_a_class_that_does_not_exist() {
    ExtBuilder::default().build_and_execute(|| {
        let refused = call(Args {
            class: ClassId(7),
            ..args()
        });
        assert_noop!(refused, Error::<Test>::UnknownClass);
    });
}

#[test]
fn fails_while_the_split_of_the_class_does_not_exist() {
    ExtBuilder::default()
        .with_class(|class| class.split = 77)
        .build_and_execute(|| {
            assert_noop!(call(args()), Error::<Test>::UnknownPreset);
        });
}

#[test]
fn fails_for_a_bad_job() {
    ExtBuilder::default().build_and_execute(|| {
        let zero = call(Args {
            job: synthetic(0, 1),
            ..args()
        });
        assert_noop!(zero, Error::<Test>::JobZero);
        let large = call(Args {
            job: synthetic(1 << 20, 1),
            ..args()
        });
        assert_noop!(large, Error::<Test>::JobTooLarge);
        let side = 4096;
        let much = RenderingJob {
            scene: BlobRef::to(b"scene"),
            seed: [1; 32],
            width: side,
            height: side,
            region: Region {
                x: 0,
                y: 0,
                width: side,
                height: side,
            },
            first_frame: 0,
            frames: 4,
            samples: MAX_SAMPLES,
            max_bounces: MAX_BOUNCES,
            max_steps: 2048,
        };
        let much = call(Args {
            job: JobSource::Inline(JobSpec::V2(JobKind::Rendering(much))),
            ..args()
        });
        assert_noop!(much, Error::<Test>::JobTooMuchWork);
        let blob = |size| BlobRef {
            hash: H256::repeat_byte(1),
            size,
        };
        let inline = |kind| Args {
            job: JobSource::Inline(JobSpec::V2(kind)),
            ..args()
        };
        let rows = MatmulJob {
            matrix: blob(10),
            columns: 2,
            first_row: 3,
            rows: 3,
            input: blob(2),
            vectors: 1,
        };
        assert_noop!(call(inline(JobKind::Matmul(rows))), Error::<Test>::JobInconsistent);
        let text = InferenceJob {
            model: blob(1),
            input: blob(1),
            network: InferenceNetwork::Generation,
            items: 1,
        };
        assert_noop!(call(inline(JobKind::Inference(text))), Error::<Test>::JobUnsupported);
    });
}

#[test]
fn fails_for_a_job_of_another_kind() {
    let other = |class: &mut Class| class.specialisation = Specialisation::Rendering;
    ExtBuilder::default().with_class(other).build_and_execute(|| {
        assert_noop!(call(args()), Error::<Test>::WrongSpecialisation);
    });
}

#[test]
fn fails_outside_the_range_of_difficulty() {
    ExtBuilder::default().build_and_execute(|| {
        let reward = REWARD * 100;
        for difficulty in [Difficulty(0), Difficulty(999), Difficulty(10_001)] {
            let refused = call(Args {
                difficulty,
                reward,
                ..args()
            });
            assert_noop!(refused, Error::<Test>::DifficultyOutOfRange);
        }
    });
}

#[test]
fn fails_below_the_least_reward() {
    ExtBuilder::default().build_and_execute(|| {
        let cheap = call(Args { reward: 999, ..args() });
        assert_noop!(cheap, Error::<Test>::RewardTooLow);
        let difficulty = Difficulty(2_000);
        let cheap = call(Args {
            reward: 1_999,
            difficulty,
            ..args()
        });
        assert_noop!(cheap, Error::<Test>::RewardTooLow);
        assert_ok!(call(Args {
            reward: 2_000,
            difficulty,
            ..args()
        }));
    });
}

#[test]
fn fails_with_a_deadline_too_soon_or_too_far() {
    ExtBuilder::default().build_and_execute(|| {
        // Accepted in block 2, committed in block 4.
        let soon = call(Args { deadline: 3, ..args() });
        assert_noop!(soon, Error::<Test>::DeadlineTooSoon);
        let far = call(Args {
            deadline: 102,
            ..args()
        });
        assert_noop!(far, Error::<Test>::DeadlineTooFar);
        assert_ok!(call(Args { deadline: 4, ..args() }));
        assert_ok!(call(Args {
            deadline: 101,
            reference: reference(2),
            ..args()
        }));
    });
}

#[test]
fn fails_with_a_used_reference_of_the_same_publisher() {
    ExtBuilder::default().build_and_execute(|| {
        publish();
        assert_noop!(call(args()), Error::<Test>::ReferenceUsed);
        assert_ok!(call_as(BOB, args()));
    });
}

#[test]
fn fails_beyond_the_cap_of_the_publisher() {
    let cap = |class: &mut Class| class.max_open_per_publisher = 1;
    ExtBuilder::default().with_class(cap).build_and_execute(|| {
        let task = publish();
        let again = Args {
            reference: reference(2),
            ..args()
        };
        assert_noop!(call(again.clone()), Error::<Test>::TooManyOpenTasks);
        assert_ok!(call_as(BOB, again.clone()));
        assert_ok!(Tasks::cancel(RuntimeOrigin::signed(ALICE), task));
        assert_ok!(call(again));
    });
}

#[test]
fn fails_when_the_agenda_is_full() {
    let cap = |class: &mut Class| class.max_open_per_publisher = 100;
    ExtBuilder::default().with_class(cap).build_and_execute(|| {
        // Three per block, four blocks.
        for n in 0..12 {
            assert_ok!(call(Args {
                reference: reference(n),
                ..args()
            }));
        }
        let full = call(Args {
            reference: reference(12),
            ..args()
        });
        assert_noop!(full, Error::<Test>::AgendaFull);
        assert_ok!(call(Args {
            reference: reference(12),
            deadline: DEADLINE - 1,
            ..args()
        }));
        let full = call(Args {
            reference: reference(13),
            ..args()
        });
        assert_noop!(full, Error::<Test>::AgendaFull);
    });
}

#[test]
fn fails_without_the_money() {
    ExtBuilder::default().build_and_execute(|| {
        let poor = call(Args {
            reward: ENDOWMENT,
            ..args()
        });
        assert_noop!(poor, pallet_agora_escrow::Error::<Test>::InsufficientBalance);
        // Enough for the reward, not for the stake on top.
        let poor = call(Args {
            reward: ENDOWMENT * 3 / 4,
            ..args()
        });
        assert_noop!(poor, pallet_agora_escrow::Error::<Test>::InsufficientBalance);
    });
}

#[test]
fn fails_unsigned() {
    ExtBuilder::default().build_and_execute(|| {
        let Args {
            class,
            job,
            difficulty,
            reward,
            deadline,
            reference,
        } = args();
        let origin = RuntimeOrigin::none();
        let call = Tasks::publish(origin, class, job, difficulty, reward, deadline, reference);
        assert_noop!(call, sp_runtime::DispatchError::BadOrigin);
    });
}
