//! The README's runtime: with Balances.

use agora_pallet_dev::{assert_shows, state};
use agora_primitives::{
    TaskId,
    money::{Escrow as _, Payee, Purpose, Scope},
};
use composed::{Balances, Escrow, Runtime, RuntimeGenesisConfig, TreasuryAccount};
use frame_support::assert_ok;
use sp_runtime::AccountId32;

// As in another crate.
use crate as pallet_agora_escrow;

mod composed {
    use super::pallet_agora_escrow;
    // README: begin
    use frame_support::{PalletId, derive_impl, parameter_types, traits::ConstU128};
    use sp_runtime::{AccountId32, traits::AccountIdConversion};

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
    }

    #[derive_impl(frame_system::config_preludes::SolochainDefaultConfig)]
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

    parameter_types! {
        pub TreasuryAccount: AccountId32 = PalletId(*b"agora/tr").into_account_truncating();
    }

    impl pallet_agora_escrow::Config for Runtime {
        type Currency = Balances;
        type RuntimeHoldReason = RuntimeHoldReason;
        type Treasury = TreasuryAccount;
        type WeightInfo = pallet_agora_escrow::weights::SubstrateWeight<Runtime>;
    }
    // README: end
}

#[test]
fn a_composed_runtime_holds_pays_and_burns() {
    let (publisher, worker) = (AccountId32::new([1; 32]), AccountId32::new([2; 32]));
    let genesis = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig {
            balances: vec![(publisher.clone(), 1_000_000), (TreasuryAccount::get(), 1_000)],
            ..Default::default()
        },
        ..Default::default()
    };
    state::<Runtime>(genesis).execute_with(|| {
        let scope = Scope::Task(TaskId(0));
        let pay = |payee, amount| Escrow::pay(Purpose::TaskReward, scope, &publisher, payee, amount);
        assert_ok!(Escrow::hold(Purpose::TaskReward, scope, &publisher, 10_000));
        assert_ok!(pay(Payee::Account(worker.clone()), 9_000));
        assert_ok!(pay(Payee::Burn, 1_000));
        assert_eq!(Balances::free_balance(&worker), 9_000);
        assert_eq!(Balances::total_issuance(), 1_000_000);
        assert_ok!(Escrow::do_try_state());
    });
}

#[test]
fn the_readme_shows_this_runtime() {
    assert_shows(include_str!("../../README.md"), include_str!("composition.rs"));
}
