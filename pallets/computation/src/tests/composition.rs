//! The README's runtime, and one without any other pallet of the market.

use super::world::{SALT, job};
use agora_disputes::{Accusation, Target, Verdict, commitment};
use agora_pallet_dev::{assert_shows, state};
use agora_primitives::{
    TaskId,
    courts::{CaseTerms, Court as _, Standing},
    job::{Claim, JobSource},
};
use frame_support::{assert_ok, traits::Hooks};

// As in another crate.
use crate as pallet_agora_computation;

mod composed {
    use super::pallet_agora_computation;
    // README: begin
    use agora_disputes::{Pinned, Terms};
    use agora_primitives::{
        TaskId,
        courts::Cases,
        job::{BlobRef, Claim},
    };
    use frame_support::{
        derive_impl, parameter_types,
        traits::{ConstU128, Get},
        weights::Weight,
    };
    use frame_system::EnsureRoot;
    use sp_runtime::DispatchResult;

    /// Unit of money.
    pub type Balance = u128;

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
        pub type Computation = pallet_agora_computation::Pallet<Runtime>;
    }

    #[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
    impl frame_system::Config for Runtime {
        type Block = frame_system::mocking::MockBlock<Runtime>;
        type AccountData = pallet_balances::AccountData<Balance>;
    }

    #[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
    impl pallet_balances::Config for Runtime {
        type Balance = Balance;
        type ExistentialDeposit = ExistentialDeposit;
        type AccountStore = System;
    }

    impl pallet_agora_escrow::Config for Runtime {
        type Currency = Balances;
        type RuntimeHoldReason = RuntimeHoldReason;
        type Treasury = Treasury;
        type WeightInfo = pallet_agora_escrow::weights::SubstrateWeight<Runtime>;
    }

    parameter_types! {
        pub const ExistentialDeposit: Balance = 1_000;
        pub const Treasury: u64 = 42;
    }

    /// The program that says what jobs come to: the image, and the gas of its largest unit.
    pub struct Machine;

    impl Get<Pinned> for Machine {
        fn get() -> Pinned {
            const IMAGE: &[u8] = include_bytes!("../../../../guests/images/reference.bin");
            Pinned {
                image: BlobRef::to(IMAGE),
                gas: 1 << 34,
            }
        }
    }

    /// Whatever keeps the tasks: it asks `Computation::standing(task)` when it is told, and then closes the case.
    pub struct Tasks;

    impl Cases<u64> for Tasks {
        fn decided(_: TaskId) -> DispatchResult {
            Ok(())
        }
        fn enter(_: TaskId, _: &u64, _: Claim) -> bool {
            false
        }
        fn weight() -> Weight {
            Weight::zero()
        }
    }

    impl pallet_agora_computation::Config for Runtime {
        type Escrow = Escrow;
        type Cases = Tasks;
        type Offences = ();
        type Machine = Machine;
        type Bond = ConstU128<1_000_000>;
        type TermsOrigin = EnsureRoot<u64>;
        type WorkPerBlock = ConstU128<{ 1 << 31 }>;
        type WeightInfo = pallet_agora_computation::weights::SubstrateWeight<Runtime>;
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper = Mint;
    }

    /// What a chain starts with; without terms nobody can accuse.
    pub const TERMS: Terms = Terms {
        commit: 1,
        reveal: 100,
        clock: 200,
        entry: 100,
        challenge: 100,
        stops: 1200,
    };

    /// Gives benchmarks money for bonds.
    #[cfg(feature = "runtime-benchmarks")]
    pub struct Mint;

    #[cfg(feature = "runtime-benchmarks")]
    impl pallet_agora_computation::BenchmarkHelper<u64, Balance> for Mint {
        fn fund(who: &u64, amount: Balance) {
            use frame_support::traits::fungible::Mutate;
            let _ = Balances::mint_into(who, amount + ExistentialDeposit::get());
        }
    }
    // README: end
}

/// Every trait of another pallet has a `()`. Without an escrow there is no money.
mod alone {
    use super::pallet_agora_computation;
    use frame_support::{derive_impl, traits::ConstU128};
    use frame_system::EnsureRoot;

    #[frame_support::runtime]
    mod runtime {
        #[runtime::runtime]
        #[runtime::derive(RuntimeCall, RuntimeEvent, RuntimeError, RuntimeOrigin, RuntimeTask, RuntimeViewFunction)]
        pub struct Runtime;

        #[runtime::pallet_index(0)]
        pub type System = frame_system::Pallet<Runtime>;
        #[runtime::pallet_index(1)]
        pub type Computation = pallet_agora_computation::Pallet<Runtime>;
    }

    #[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
    impl frame_system::Config for Runtime {
        type Block = frame_system::mocking::MockBlock<Runtime>;
    }

    impl pallet_agora_computation::Config for Runtime {
        type Escrow = ();
        type Cases = ();
        type Offences = ();
        type Machine = super::composed::Machine;
        type Bond = ConstU128<0>;
        type TermsOrigin = EnsureRoot<u64>;
        type WorkPerBlock = ConstU128<1>;
        type WeightInfo = ();
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper = ();
    }
}

const TASK: TaskId = TaskId(1);
const RICHES: u128 = 10_000_000;

/// An accusation that nobody answers brings a claim down, in a runtime.
macro_rules! accuse {
    ($computation:ty, $origin:ty, $system:ty) => {{
        let accusation = Accusation {
            accused: Claim::Unusable,
            target: Target::Inputs,
            own: None,
        };
        let terms = CaseTerms {
            job: JobSource::Inline(job()),
            claim: Claim::Unusable,
            until: 1,
        };
        <$computation>::integrity_test();
        assert_eq!(<$computation>::open(TASK, terms), Ok(true));
        let (who, genesis) = (4u64, <$system>::block_hash(0));
        let hash = commitment(&genesis, 0, &crate::impls::account_bytes(&who), &accusation, &SALT);
        let origin = || <$origin>::signed(who);
        assert_ok!(<$computation>::commit(origin(), TASK, hash));
        <$system>::set_block_number(2);
        assert_ok!(<$computation>::reveal(
            origin(),
            TASK,
            Box::new(accusation),
            SALT,
            Box::new(job())
        ));
        assert_ok!(<$computation>::do_try_state());
        let (trial, _) = <$computation>::trial_of(0).unwrap();
        <$system>::set_block_number(2 + trial.terms.entry);
        assert_ok!(<$computation>::advance(origin(), 0, crate::Clocked::Trial));
        let (trial, _) = <$computation>::trial_of(0).unwrap();
        assert!(matches!(trial.verdict(), Some(Verdict::Falls(_))));
        let accusers = frame_support::BoundedVec::truncate_from(vec![who]);
        assert_eq!(<$computation>::standing(TASK), Standing::Fallen { accusers });
        <$computation>::close(TASK);
        assert_ok!(<$computation>::collect(origin(), 0, crate::Part::Accusation));
        assert_ok!(<$computation>::do_try_state());
    }};
}

#[test]
fn a_composed_runtime_brings_a_claim_down_that_nobody_defends() {
    use composed::{Balances, Computation, Escrow, Runtime, RuntimeGenesisConfig, RuntimeOrigin, System, TERMS};

    let genesis = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig {
            balances: vec![(4, RICHES)],
            ..Default::default()
        },
        computation: pallet_agora_computation::GenesisConfig {
            terms: Some(TERMS),
            ..Default::default()
        },
        ..Default::default()
    };
    state::<Runtime>(genesis).execute_with(|| {
        accuse!(Computation, RuntimeOrigin, System);
        assert_eq!(Balances::free_balance(4), RICHES);
        assert_ok!(Escrow::do_try_state());
    });
}

#[test]
fn a_runtime_without_the_rest_of_the_market_lets_everybody_accuse_for_nothing() {
    use alone::{Computation, Runtime, RuntimeGenesisConfig, RuntimeOrigin, System};

    let genesis = RuntimeGenesisConfig {
        computation: pallet_agora_computation::GenesisConfig {
            terms: Some(composed::TERMS),
            ..Default::default()
        },
        ..Default::default()
    };
    state::<Runtime>(genesis).execute_with(|| {
        accuse!(Computation, RuntimeOrigin, System);
    });
}

#[test]
fn the_readme_shows_this_runtime() {
    assert_shows(include_str!("../../README.md"), include_str!("composition.rs"));
}
