//! The README's runtime: with nothing else.

use agora_pallet_dev::{assert_shows, state};
use agora_primitives::money::{Payee, Payment, Payroll, RewardPlanner as _};
use composed::{Rewards, Runtime, RuntimeGenesisConfig};
use frame_support::assert_ok;
use sp_runtime::AccountId32;

// As in another crate.
use crate as pallet_agora_rewards;

mod composed {
    use super::pallet_agora_rewards;
    // README: begin
    use frame_support::{
        derive_impl,
        traits::{ConstU32, Nothing},
    };
    use sp_runtime::AccountId32;

    #[frame_support::runtime]
    mod runtime {
        #[runtime::runtime]
        #[runtime::derive(RuntimeCall, RuntimeEvent, RuntimeError, RuntimeOrigin, RuntimeTask)]
        pub struct Runtime;

        #[runtime::pallet_index(0)]
        pub type System = frame_system::Pallet<Runtime>;
        #[runtime::pallet_index(1)]
        pub type Rewards = pallet_agora_rewards::Pallet<Runtime>;
    }

    #[derive_impl(frame_system::config_preludes::SolochainDefaultConfig)]
    impl frame_system::Config for Runtime {
        type Block = frame_system::mocking::MockBlock<Runtime>;
    }

    impl pallet_agora_rewards::Config for Runtime {
        type AdminOrigin = frame_system::EnsureRoot<AccountId32>;
        type Balance = u128;
        type InUse = Nothing;
        type MaxPresets = ConstU32<16>;
        type WeightInfo = pallet_agora_rewards::weights::SubstrateWeight<Runtime>;
    }
    // README: end
}

#[test]
fn a_composed_runtime_divides_a_reward() {
    state::<Runtime>(RuntimeGenesisConfig::default()).execute_with(|| {
        let worker = AccountId32::new([1; 32]);
        let payroll = Payroll {
            best: worker.clone(),
            also_correct: vec![],
            verifiers: vec![],
            attested: 0,
        };
        let payment = |payee, amount| Payment { payee, amount };
        assert_eq!(
            Rewards::plan(&Rewards::split(0).unwrap(), 1_000, &payroll),
            Ok(vec![
                payment(Payee::Burn, 600),
                payment(Payee::Account(worker), 250),
                // Its own 50, and the verifiers' 100, as there are none.
                payment(Payee::Treasury, 150),
            ])
        );
        assert_ok!(Rewards::do_try_state());
    });
}

#[test]
fn the_readme_shows_this_runtime() {
    assert_shows(include_str!("../../README.md"), include_str!("composition.rs"));
}
