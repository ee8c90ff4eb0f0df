//! A runtime of System, Balances and this pallet.

use crate as pallet_agora_escrow;
use crate::Event;
use agora_pallet_dev::{assert_issuance, endow, state};
use agora_primitives::{
    TaskId,
    money::{Payee, Purpose, Scope},
};
use frame_support::{derive_impl, parameter_types};

pub use agora_pallet_dev::{ALICE, AccountId, BOB, Balance, CAROL, ED, ExistentialDeposit, NOBODY, TREASURY, Treasury};

/// What each of [`ALICE`], [`BOB`] and [`CAROL`] has at genesis.
pub const ENDOWMENT: Balance = 10_000;

pub const REWARD: Purpose = Purpose::TaskReward;
pub const BOND: Purpose = Purpose::TaskBond;
pub const TASK: Scope = Scope::Task(TaskId(7));
pub const OTHER_TASK: Scope = Scope::Task(TaskId(8));

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
        RuntimeSlashReason,
        RuntimeLockId,
        RuntimeTask
    )]
    pub struct Test;

    #[runtime::pallet_index(0)]
    pub type System = frame_system::Pallet<Test>;
    #[runtime::pallet_index(1)]
    pub type Balances = pallet_balances::Pallet<Test>;
    #[runtime::pallet_index(2)]
    pub type Escrow = pallet_agora_escrow::Pallet<Test>;
}

parameter_types! {
    /// What the events that [`take_events`] removed say was burned.
    pub static BurnedBefore: Balance = 0;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlock<Test>;
    type AccountData = pallet_balances::AccountData<Balance>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type Balance = Balance;
    type ExistentialDeposit = ExistentialDeposit;
    type AccountStore = System;
    type FreezeIdentifier = ();
    type MaxFreezes = frame_support::traits::ConstU32<1>;
}

impl crate::Config for Test {
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Treasury = Treasury;
    type WeightInfo = ();
}

/// Makes the chain a test starts from.
pub struct ExtBuilder {
    balances: Vec<(AccountId, Balance)>,
}

impl Default for ExtBuilder {
    fn default() -> Self {
        Self {
            balances: endow([ALICE, BOB, CAROL], ENDOWMENT),
        }
    }
}

impl ExtBuilder {
    /// The treasury's account does not exist.
    pub fn without_treasury(mut self) -> Self {
        self.balances.retain(|(who, _)| *who != TREASURY);
        self
    }

    pub fn build(self) -> sp_io::TestExternalities {
        let genesis = RuntimeGenesisConfig {
            balances: pallet_balances::GenesisConfig {
                balances: self.balances,
                ..Default::default()
            },
            ..Default::default()
        };
        state::<Test>(genesis)
    }

    /// Runs `test`, then checks the state, and that no money appeared or got lost.
    pub fn build_and_execute(self, test: impl FnOnce()) {
        self.build().execute_with(|| {
            let initial = issuance();
            BurnedBefore::set(0);
            test();
            check_state();
            assert_eq!(issuance() + BurnedBefore::get() + burned(), initial);
        });
    }
}

/// Checks the pallet's invariants and that all balances add up to the issuance.
pub fn check_state() {
    Escrow::do_try_state().unwrap();
    assert_issuance::<Test>();
}

pub fn issuance() -> Balance {
    Balances::total_issuance()
}

/// What was burned according to events: payments to nobody, and dust that Balances removed.
pub fn burned() -> Balance {
    System::events()
        .into_iter()
        .map(|record| match record.event {
            RuntimeEvent::Escrow(Event::Paid {
                payee: Payee::Burn,
                amount,
                ..
            }) => amount,
            RuntimeEvent::Balances(pallet_balances::Event::DustLost { amount, .. }) => amount,
            _ => 0,
        })
        .sum()
}

/// This pallet's events since the last call, in order.
pub fn take_events() -> Vec<Event<Test>> {
    let events = System::events()
        .into_iter()
        .filter_map(|record| match record.event {
            RuntimeEvent::Escrow(event) => Some(event),
            _ => None,
        })
        .collect();
    BurnedBefore::mutate(|before| *before += burned());
    System::reset_events();
    events
}

pub fn free(who: AccountId) -> Balance {
    Balances::free_balance(who)
}

/// What Balances holds of `who` for `purpose`.
pub fn on_hold(purpose: Purpose, who: AccountId) -> Balance {
    use frame_support::traits::fungible::InspectHold;
    Balances::balance_on_hold(&crate::types::reason::<Test>(purpose), &who)
}

/// Lets `who` spend its last free planck although money of it is on hold: another pallet keeps the account alive.
pub fn spend_all_but(rest: Balance, who: AccountId) {
    System::inc_providers(&who);
    frame_support::assert_ok!(Balances::transfer_allow_death(
        RuntimeOrigin::signed(who),
        CAROL,
        free(who) - rest
    ));
    assert_eq!(free(who), rest);
}
