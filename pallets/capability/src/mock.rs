//! A chain with the real registry, without bonds.

use crate as pallet_agora_capability;
use crate::{CurrentRound, HardwareRound, ResponseOf, Responses, Schedule};
use agora_pallet_dev::BlockSeed;
use agora_primitives::{
    judging::Attestation,
    participants::{Role, Specialisation, Specialisations},
};
use frame_support::{
    assert_ok, derive_impl, parameter_types,
    traits::{ConstU32, ConstU64, ConstU128, Hooks},
};
use pallet_agora_registry::{Members, MinimumBonds, Profile, types::Worker};
use sp_core::H256;

pub use agora_pallet_dev::{ALICE, AccountId, BOB, BlockNumber};

/// Accounts from this on, as many as [`VERIFIERS`], are verifiers.
pub const FIRST_VERIFIER: AccountId = 100;
pub const VERIFIERS: u64 = 10;
pub const DECLARED: u32 = 40;
pub const DIGEST: H256 = H256::repeat_byte(1);

pub const PERIOD: BlockNumber = 20;
pub const WINDOW: BlockNumber = 6;
pub const VALIDITY: BlockNumber = 50;
pub const QUORUM: u32 = 2;
pub const SCHEDULE: Schedule<BlockNumber> = Schedule {
    period: PERIOD,
    window: WINDOW,
    validity: VALIDITY,
    quorum: QUORUM,
};

#[frame_support::runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(RuntimeCall, RuntimeEvent, RuntimeError, RuntimeOrigin, RuntimeTask)]
    pub struct Test;

    #[runtime::pallet_index(0)]
    pub type System = frame_system::Pallet<Test>;
    #[runtime::pallet_index(1)]
    pub type Registry = pallet_agora_registry::Pallet<Test>;
    #[runtime::pallet_index(2)]
    pub type Capability = pallet_agora_capability::Pallet<Test>;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlock<Test>;
}

parameter_types! {
    pub Bonds: MinimumBonds<u128> = MinimumBonds {
        worker: Some(0),
        verifier: Some(0),
        ..Default::default()
    };
    pub static MaxVotes: u32 = 8;
    pub static BlockTimeMs: u64 = 3_000;
}

impl pallet_agora_registry::Config for Test {
    type BanOrigin = frame_system::EnsureRoot<AccountId>;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = ();
    type Escrow = ();
    type ExitCoolDown = ConstU64<1>;
    type HeartbeatTimeout = ConstU64<1_000>;
    type MaxCapability = ConstU32<1_000_000>;
    type AddressDeposit = ConstU128<1>;
    type MaxDrawTries = ConstU32<16>;
    type MaxSlots = ConstU32<4>;
    type MinimumBonds = Bonds;
    type Reputation = ();
    type WeightInfo = ();
}

impl pallet_agora_capability::Config for Test {
    type Participants = Registry;
    type Capabilities = Registry;
    type Seed = BlockSeed<Test>;
    type BlockTimeMs = BlockTimeMs;
    type ScheduleOrigin = frame_system::EnsureRoot<AccountId>;
    type MaxVotes = MaxVotes;
    type WeightInfo = ();
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = BenchmarkMembers;
}

#[cfg(feature = "runtime-benchmarks")]
pub struct BenchmarkMembers;

#[cfg(feature = "runtime-benchmarks")]
impl crate::BenchmarkHelper<AccountId> for BenchmarkMembers {
    fn prepare_worker(who: &AccountId) {
        register(*who, Role::Worker);
    }
    fn prepare_verifier(who: &AccountId) {
        register(*who, Role::Verifier);
    }
}

pub fn new_test_ext() -> sp_io::TestExternalities {
    genesis(Some(SCHEDULE))
}

pub fn genesis(schedule: Option<Schedule<BlockNumber>>) -> sp_io::TestExternalities {
    MaxVotes::set(8);
    BlockTimeMs::set(3_000);
    let genesis = RuntimeGenesisConfig {
        capability: pallet_agora_capability::GenesisConfig { schedule },
        ..Default::default()
    };
    agora_pallet_dev::state::<Test>(genesis)
}

/// Runs `test` with Alice and Bob as workers and ten verifiers, in the first block of the first round, and checks the
/// state after it.
pub fn in_a_round(test: impl FnOnce()) {
    new_test_ext().execute_with(|| {
        for worker in [ALICE, BOB] {
            register(worker, Role::Worker);
        }
        for verifier in verifiers() {
            register(verifier, Role::Verifier);
        }
        run_to(PERIOD);
        test();
        check_state();
    });
}

pub fn check_state() {
    Capability::do_try_state().unwrap();
    Registry::do_try_state().unwrap();
}

pub fn verifiers() -> impl Iterator<Item = AccountId> {
    FIRST_VERIFIER..FIRST_VERIFIER + VERIFIERS
}

pub fn register(who: AccountId, role: Role) {
    let profile = Profile {
        specialisations: Specialisations::NONE.with(Specialisation::Synthetic),
        slots: 1,
        capability: DECLARED,
    };
    assert_ok!(Registry::register(signed(who), role, 0, profile));
}

pub fn signed(who: AccountId) -> RuntimeOrigin {
    RuntimeOrigin::signed(who)
}

/// Runs the hooks of the blocks up to `block`; each has room for what can wait.
pub fn run_to(block: BlockNumber) {
    while System::block_number() < block {
        let now = System::block_number();
        Capability::on_idle(now, frame_support::weights::Weight::MAX);
        System::set_block_number(now + 1);
        Capability::on_initialize(now + 1);
    }
}

pub fn round() -> HardwareRound<BlockNumber> {
    CurrentRound::<Test>::get().unwrap()
}

pub fn respond(who: AccountId) {
    assert_ok!(Capability::respond(signed(who), round().number, DIGEST));
}

/// Has the first `valid` verifiers vote for the response of `worker`, and `invalid` others against it.
pub fn vote(worker: AccountId, valid: u64, invalid: u64) {
    for (index, verifier) in verifiers().take((valid + invalid) as usize).enumerate() {
        let said = Attestation::of((index as u64) < valid);
        assert_ok!(Capability::vote(signed(verifier), round().number, worker, said));
    }
}

pub fn response_of(worker: AccountId) -> Option<ResponseOf<Test>> {
    Responses::<Test>::get(round().number, worker)
}

pub fn worker(who: AccountId) -> Worker<BlockNumber> {
    Members::<Test>::get(who).unwrap().worker.unwrap()
}

/// The capability that counts for `who`.
pub fn capability(who: AccountId) -> u32 {
    worker(who).capability()
}
