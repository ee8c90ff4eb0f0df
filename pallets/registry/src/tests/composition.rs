//! The README's example: a runtime with Balances, Escrow and this pallet.

use agora_pallet_dev::{assert_shows, state};
use agora_primitives::participants::{Participants, Role, Specialisation, Specialisations};
use composed::{Balances, Registry, Runtime, RuntimeGenesisConfig, RuntimeOrigin};
use frame_support::assert_ok;
use pallet_agora_registry::Profile;
use sp_core::H256;

// As in another crate.
use crate as pallet_agora_registry;

mod composed {
    use super::pallet_agora_registry;
    // README: begin
    use frame_support::{
        derive_impl, parameter_types,
        traits::{ConstU32, ConstU128},
    };
    use pallet_agora_registry::MinimumBonds;

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
            RuntimeTask
        )]
        pub struct Runtime;

        #[runtime::pallet_index(0)]
        pub type System = frame_system::Pallet<Runtime>;
        #[runtime::pallet_index(1)]
        pub type Balances = pallet_balances::Pallet<Runtime>;
        #[runtime::pallet_index(2)]
        pub type Escrow = pallet_agora_escrow::Pallet<Runtime>;
        // After Balances, so that participants can be bonded at genesis.
        #[runtime::pallet_index(3)]
        pub type Registry = pallet_agora_registry::Pallet<Runtime>;
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
        /// Nobody can register as an expert.
        pub const Bonds: MinimumBonds<Balance> = MinimumBonds {
            worker: Some(1_000_000),
            verifier: Some(5_000_000),
            orchestrator: Some(5_000_000),
            expert: None,
        };
        /// An hour of blocks of 3 s.
        pub const HeartbeatTimeout: u64 = 1_200;
        /// A day of blocks of 3 s.
        pub const ExitCoolDown: u64 = 28_800;
    }

    impl pallet_agora_registry::Config for Runtime {
        type Escrow = Escrow;
        // With the reputation pallet: `Reputation`, whose `OnLevelChanged` is then `Registry`.
        type Reputation = ();
        type MinimumBonds = Bonds;
        type BanOrigin = frame_system::EnsureRoot<u64>;
        type HeartbeatTimeout = HeartbeatTimeout;
        type ExitCoolDown = ExitCoolDown;
        type MaxSlots = ConstU32<64>;
        type MaxCapability = ConstU32<1_000_000>;
        type AddressDeposit = ConstU128<1>;
        type MaxDrawTries = ConstU32<64>;
        type WeightInfo = pallet_agora_registry::weights::SubstrateWeight<Runtime>;
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper = Mint;
    }

    /// Gives benchmarks money for bonds.
    #[cfg(feature = "runtime-benchmarks")]
    pub struct Mint;

    #[cfg(feature = "runtime-benchmarks")]
    impl pallet_agora_registry::BenchmarkHelper<u64, Balance> for Mint {
        fn fund(who: &u64, amount: Balance) {
            use frame_support::traits::fungible::Mutate;
            let _ = Balances::mint_into(who, amount + ExistentialDeposit::get());
        }
    }
    // README: end
}

#[test]
fn a_composed_runtime_registers_and_draws() {
    state::<Runtime>(RuntimeGenesisConfig::default()).execute_with(|| {
        use frame_support::traits::{Hooks, fungible::Mutate};
        <Registry as Hooks<u64>>::integrity_test();
        assert_ok!(Balances::mint_into(&1, 10_000_000));
        let specialisations = Specialisations::NONE.with(Specialisation::Synthetic);
        let profile = Profile {
            specialisations,
            slots: 1,
            capability: 500,
        };
        assert_ok!(Registry::register(
            RuntimeOrigin::signed(1),
            Role::Worker,
            1_000_000,
            profile
        ));
        assert_eq!(
            Registry::draw_workers(H256::zero(), Specialisation::Synthetic, 1, &[]),
            [1]
        );
        assert_ok!(pallet_agora_registry::Pallet::<Runtime>::do_try_state());
    });
}

#[test]
fn the_readme_shows_this_runtime() {
    assert_shows(include_str!("../../README.md"), include_str!("composition.rs"));
}
