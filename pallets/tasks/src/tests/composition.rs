//! The README's runtime, and one without any other pallet of the market.

use crate::{BalanceOf, Config, Event, NextTaskId, Pallet, Progress, mock::job};
use agora_pallet_dev::{assert_shows, state};
use agora_primitives::{
    ClassId, TaskId,
    commitment::commitment,
    job::{BlobRef, Claim},
    task::{Difficulty, Phase},
};
use core::ops::Range;
use frame_support::{assert_ok, traits::Hooks, weights::Weight};
use frame_system::{RawOrigin, pallet_prelude::BlockNumberFor};
use sp_core::H256;

// As in another crate.
use crate as pallet_agora_tasks;

mod composed {
    use super::pallet_agora_tasks;
    // README: begin
    use agora_primitives::{
        TaskId,
        job::Claim,
        judging::{Answer, AppealTerms, Judge, JudgeRule, Reveals, Ruling, Tally, Verdict},
    };
    use frame_support::{
        derive_impl, parameter_types,
        traits::{ConstU32, ConstU64, ConstU128},
        weights::{Weight, constants::WEIGHT_REF_TIME_PER_MILLIS},
    };
    use frame_system::EnsureRoot;
    use pallet_agora_tasks::{Windows, genesis_classes};
    use sp_core::H256;
    use sp_runtime::{DispatchError, DispatchResult};

    /// A whole coin, in plancks.
    pub const COIN: u128 = 1_000_000_000_000;

    #[frame_support::runtime]
    mod runtime {
        #[runtime::runtime]
        #[runtime::derive(
            RuntimeCall,
            RuntimeEvent,
            RuntimeError,
            RuntimeOrigin,
            RuntimeFreezeReason,
            RuntimeHoldReason,
            RuntimeTask,
            RuntimeViewFunction
        )]
        pub struct Runtime;

        #[runtime::pallet_index(0)]
        pub type System = frame_system::Pallet<Runtime>;
        #[runtime::pallet_index(1)]
        pub type Balances = pallet_balances::Pallet<Runtime>;
        #[runtime::pallet_index(2)]
        pub type Escrow = pallet_agora_escrow::Pallet<Runtime>;
        #[runtime::pallet_index(3)]
        pub type Tasks = pallet_agora_tasks::Pallet<Runtime>;
        #[runtime::pallet_index(4)]
        pub type Rewards = pallet_agora_rewards::Pallet<Runtime>;
    }

    #[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
    impl frame_system::Config for Runtime {
        type Block = frame_system::mocking::MockBlock<Runtime>;
        type AccountData = pallet_balances::AccountData<u128>;
    }

    #[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
    impl pallet_balances::Config for Runtime {
        type Balance = u128;
        type ExistentialDeposit = ConstU128<1_000>;
        type AccountStore = System;
    }

    impl pallet_agora_escrow::Config for Runtime {
        type Currency = Balances;
        type RuntimeHoldReason = RuntimeHoldReason;
        type Treasury = ConstU64<99>;
        type WeightInfo = pallet_agora_escrow::weights::SubstrateWeight<Runtime>;
    }

    impl pallet_agora_rewards::Config for Runtime {
        type AdminOrigin = EnsureRoot<u64>;
        type Balance = u128;
        type InUse = Tasks;
        type MaxPresets = ConstU32<16>;
        type WeightInfo = pallet_agora_rewards::weights::SubstrateWeight<Runtime>;
    }

    /// A judge of this runtime's own: the smallest claim is right. Nobody attests.
    pub struct Smallest;

    impl Judge<u64, u64, u128> for Smallest {
        fn judge(_: JudgeRule, _: H256, answers: &[Answer<u64, u64>]) -> Option<Verdict<u64>> {
            let right = answers.iter().min_by_key(|answer| (answer.claim, answer.worker))?;
            Some(Verdict {
                claim: right.claim,
                best: right.worker,
            })
        }
        fn open_appeal_window(_: TaskId, _: AppealTerms<u64, u128>) -> DispatchResult {
            Ok(())
        }
        fn appealed(_: TaskId) -> Option<Claim> {
            None
        }
        fn appeal_until(_: TaskId) -> Option<u64> {
            None
        }
        fn reveals(_: TaskId) -> Reveals<u64> {
            Reveals::Done
        }
        fn draw_chunks(_: TaskId, _: H256) {}
        fn tally(_: TaskId) -> Tally {
            Tally::default()
        }
        fn attesters(_: TaskId) -> Vec<u64> {
            Vec::new()
        }
        fn close_appeal_window(_: TaskId, _: Ruling) -> Result<Vec<u64>, DispatchError> {
            Ok(Vec::new())
        }
    }

    parameter_types! {
        /// For slots of two seconds or more: half of what an author has for its block.
        pub const MaxAgendaWeight: Weight = Weight::from_parts(WEIGHT_REF_TIME_PER_MILLIS * 500, 2 * 1024 * 1024);
    }

    impl pallet_agora_tasks::Config for Runtime {
        type Escrow = Escrow;
        type Rewards = Rewards;
        type Judge = Smallest;
        // The judge has the last word. With the court that computes: `Computation`.
        type Court = ();
        // The chain computes nothing itself. With the pallet that does: `Exact`.
        type Exact = ();
        // Everybody may work, and nobody is drawn.
        type Participants = ();
        type Reputation = ();
        type Results = ();
        // Always zero, so that everybody can compute ahead: take the randomness of your consensus.
        type Seed = ();
        type ClassOrigin = EnsureRoot<u64>;
        type MaxContributions = ConstU32<16>;
        type MaxTasksPerBlock = ConstU32<512>;
        type MaxLifetime = ConstU64<201_600>;
        type RetentionPeriod = ConstU64<28_800>;
        type MaxAgendaWeight = MaxAgendaWeight;
        type WeightInfo = pallet_agora_tasks::weights::SubstrateWeight<Runtime>;
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper = ();
    }

    /// What the chain starts with: the ten classes of Agora, and these balances.
    pub fn genesis(balances: Vec<(u64, u128)>) -> RuntimeGenesisConfig {
        RuntimeGenesisConfig {
            balances: pallet_balances::GenesisConfig {
                balances,
                ..Default::default()
            },
            tasks: pallet_agora_tasks::GenesisConfig {
                classes: genesis_classes(COIN, Windows::standard()),
            },
            ..Default::default()
        }
    }
    // README: end
}

/// Every trait of another pallet has a `()`. Without an escrow there is no money, so that rewards are zero.
mod alone {
    use super::pallet_agora_tasks;
    use frame_support::{
        derive_impl,
        traits::{ConstU32, ConstU64},
    };

    #[frame_support::runtime]
    mod runtime {
        #[runtime::runtime]
        #[runtime::derive(RuntimeCall, RuntimeEvent, RuntimeError, RuntimeOrigin, RuntimeTask)]
        pub struct Runtime;

        #[runtime::pallet_index(0)]
        pub type System = frame_system::Pallet<Runtime>;
        #[runtime::pallet_index(1)]
        pub type Tasks = pallet_agora_tasks::Pallet<Runtime>;
    }

    #[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
    impl frame_system::Config for Runtime {
        type Block = frame_system::mocking::MockBlock<Runtime>;
    }

    impl pallet_agora_tasks::Config for Runtime {
        type Escrow = ();
        type Rewards = ();
        type Judge = ();
        type Court = ();
        type Exact = ();
        type Participants = ();
        type Reputation = ();
        type Results = ();
        type Seed = ();
        type ClassOrigin = frame_system::EnsureRoot<u64>;
        type MaxContributions = ConstU32<16>;
        type MaxTasksPerBlock = ConstU32<512>;
        type MaxLifetime = ConstU64<201_600>;
        type RetentionPeriod = ConstU64<28_800>;
        type MaxAgendaWeight = super::composed::MaxAgendaWeight;
        type WeightInfo = ();
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper = ();
    }
}

const PUBLISHER: u64 = 1;
/// As many as a task of the first class wants.
const WORKERS: Range<u64> = 2..7;
const CLAIM: Claim = Claim::Output {
    output: BlobRef {
        hash: H256::repeat_byte(1),
        size: 4096,
    },
    states_root: H256::repeat_byte(2),
};

/// Has a task published for `reward`, and all its workers find [`CLAIM`]; the agenda then has it judged.
fn answered<T>(reward: BalanceOf<T>) -> TaskId
where
    T: Config + frame_system::Config<AccountId = u64>,
{
    let signed = |who: u64| T::RuntimeOrigin::from(RawOrigin::Signed(who));
    let (class, reference, salt) = (ClassId(0), [1; 16], [7; 32]);
    let (deadline, now) = (100u32.into(), BlockNumberFor::<T>::from(3u32));
    let task = NextTaskId::<T>::get();
    let publisher = signed(PUBLISHER);
    assert_ok!(Pallet::<T>::publish(
        publisher,
        class,
        job(),
        Difficulty::ONE,
        reward,
        deadline,
        reference
    ));
    for worker in WORKERS {
        assert_ok!(Pallet::<T>::accept(signed(worker), task));
    }
    frame_system::Pallet::<T>::set_block_number(now);
    let genesis = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::from(0u32));
    for worker in WORKERS {
        let commitment = commitment(genesis, task, &worker, &CLAIM, &salt);
        assert_ok!(Pallet::<T>::commit(signed(worker), task, commitment));
    }
    for worker in WORKERS {
        assert_ok!(Pallet::<T>::reveal(signed(worker), task, CLAIM, salt));
    }
    Pallet::<T>::on_idle(now, Weight::MAX);
    // Judging is due in the block after the last reveal.
    let next = now + 1u32.into();
    frame_system::Pallet::<T>::set_block_number(next);
    Pallet::<T>::on_idle(next, Weight::MAX);
    task
}

#[test]
fn a_composed_runtime_settles_a_task() {
    use composed::{Balances, COIN, Escrow, Runtime, RuntimeEvent, RuntimeOrigin, System, Tasks, genesis};

    let balances = (PUBLISHER..WORKERS.end).map(|who| (who, 1_000 * COIN)).collect();
    state::<Runtime>(genesis(balances)).execute_with(|| {
        Tasks::integrity_test();
        let issuance = Balances::total_issuance();
        let task = answered::<Runtime>(10 * COIN);
        System::set_block_number(Progress::<Runtime>::get(task).unwrap().due);
        assert_ok!(Tasks::advance(RuntimeOrigin::signed(PUBLISHER), task));
        System::assert_last_event(RuntimeEvent::Tasks(Event::Settled {
            task,
            claim: CLAIM,
            best: WORKERS.start,
        }));
        assert_eq!(Balances::total_issuance(), issuance - 6 * COIN, "six tenths are burned");
        assert_eq!(Balances::free_balance(PUBLISHER), 1_000 * COIN - 10 * COIN - COIN / 2);
        assert_ok!(Escrow::do_try_state());
        assert_ok!(Tasks::do_try_state());
    });
}

#[test]
fn a_runtime_without_the_rest_of_the_market_finds_no_result_of_a_task() {
    use alone::{Runtime, RuntimeEvent, RuntimeGenesisConfig, System, Tasks};

    let genesis = RuntimeGenesisConfig {
        tasks: crate::GenesisConfig {
            classes: crate::genesis_classes(0, crate::Windows::standard()),
        },
        ..Default::default()
    };
    state::<Runtime>(genesis).execute_with(|| {
        Tasks::integrity_test();
        let task = answered::<Runtime>(0);
        let progress = Progress::<Runtime>::get(task).unwrap();
        assert_eq!(
            progress.phase,
            Phase::Working,
            "nobody judges, so more replicas are wanted"
        );
        assert_ok!(Tasks::do_try_state());
        for block in System::block_number() + 1..=progress.due {
            System::set_block_number(block);
            Tasks::on_idle(block, Weight::MAX);
        }
        System::assert_last_event(RuntimeEvent::Tasks(Event::Failed { task }));
        assert_ok!(Tasks::do_try_state());
    });
}

#[test]
fn the_readme_shows_this_runtime() {
    assert_shows(include_str!("../../README.md"), include_str!("composition.rs"));
}
