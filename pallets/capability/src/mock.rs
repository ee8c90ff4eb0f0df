//! A chain with the real registry, escrow and balances.

use crate as pallet_agora_capability;
use crate::{CurrentRound, HardwareRound, OpenVotes, ResponseOf, Responses, Schedule};
use agora_pallet_dev::{BlockSeed, assert_issuance, endow};
use agora_primitives::{
    capability::{Ballot, is_drawn, vote_commitment},
    judging::Attestation,
    money::{Escrow as _, Purpose, Scope},
    participants::{Role, Specialisation, Specialisations},
};
use frame_support::{
    assert_ok, derive_impl,
    dispatch::DispatchResultWithPostInfo,
    parameter_types,
    traits::{ConstU32, ConstU64, ConstU128, Hooks},
};
use pallet_agora_registry::{Members, MinimumBonds, Profile, types::Worker};
use sp_core::H256;

pub use agora_pallet_dev::{ALICE, AccountId, BOB, Balance, BlockNumber, ExistentialDeposit, TREASURY, Treasury};

/// Accounts from this on, as many as [`VERIFIERS`], are verifiers, each with the least bond.
pub const FIRST_VERIFIER: AccountId = 100;
pub const VERIFIERS: u64 = 10;
pub const DECLARED: u32 = 40;
pub const DIGEST: H256 = H256::repeat_byte(1);

pub const ENDOWMENT: Balance = 1_000_000;
/// The least bond of a verifier. It backs ten votes.
pub const BOND: Balance = 10_010;
pub const VOTE_BOND: Balance = 1_001;
pub const FEE: Balance = 100;

pub const PERIOD: BlockNumber = 40;
pub const WINDOW: BlockNumber = 6;
pub const VALIDITY: BlockNumber = 100;
pub const QUORUM: u32 = 2;
/// More seats than there are verifiers: all votes count.
pub const SCHEDULE: Schedule<BlockNumber> = Schedule {
    period: PERIOD,
    window: WINDOW,
    voting: 12,
    revealing: 10,
    validity: VALIDITY,
    quorum: QUORUM,
    seats: 16,
};

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
    pub type Registry = pallet_agora_registry::Pallet<Test>;
    #[runtime::pallet_index(2)]
    pub type Capability = pallet_agora_capability::Pallet<Test>;
    #[runtime::pallet_index(3)]
    pub type Balances = pallet_balances::Pallet<Test>;
    #[runtime::pallet_index(4)]
    pub type Escrow = pallet_agora_escrow::Pallet<Test>;
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
}

impl pallet_agora_escrow::Config for Test {
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Treasury = Treasury;
    type WeightInfo = ();
}

parameter_types! {
    pub Bonds: MinimumBonds<Balance> = MinimumBonds {
        worker: Some(0),
        verifier: Some(BOND),
        ..Default::default()
    };
    pub static MaxVotes: u32 = 64;
    pub static BlockTimeMs: u64 = 3_000;
    pub static VoteBondOfChain: Balance = VOTE_BOND;
}

impl pallet_agora_registry::Config for Test {
    type BanOrigin = frame_system::EnsureRoot<AccountId>;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = BenchmarkMembers;
    type Escrow = Escrow;
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
    type Escrow = Escrow;
    type Seed = BlockSeed<Test>;
    type BlockTimeMs = BlockTimeMs;
    type ScheduleOrigin = frame_system::EnsureRoot<AccountId>;
    type MaxVotes = MaxVotes;
    type VoteBond = VoteBondOfChain;
    type ResponseFee = ConstU128<FEE>;
    type WeightInfo = ();
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = BenchmarkMembers;
}

#[cfg(feature = "runtime-benchmarks")]
pub struct BenchmarkMembers;

#[cfg(feature = "runtime-benchmarks")]
impl crate::BenchmarkHelper<AccountId> for BenchmarkMembers {
    fn prepare_worker(who: &AccountId) {
        agora_pallet_dev::mint::<Balances>(who, ENDOWMENT);
        register(*who, Role::Worker, 0);
    }
    fn prepare_verifier(who: &AccountId) {
        agora_pallet_dev::mint::<Balances>(who, ENDOWMENT);
        register(*who, Role::Verifier, BOND);
    }
}

#[cfg(feature = "runtime-benchmarks")]
impl pallet_agora_registry::BenchmarkHelper<AccountId, Balance> for BenchmarkMembers {
    fn fund(who: &AccountId, amount: Balance) {
        agora_pallet_dev::mint::<Balances>(who, amount);
    }
}

pub fn new_test_ext() -> sp_io::TestExternalities {
    genesis(Some(SCHEDULE))
}

pub fn genesis(schedule: Option<Schedule<BlockNumber>>) -> sp_io::TestExternalities {
    MaxVotes::set(64);
    BlockTimeMs::set(3_000);
    VoteBondOfChain::set(VOTE_BOND);
    let rich = [ALICE, BOB].into_iter().chain(FIRST_VERIFIER..140).chain(200..260);
    let genesis = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig {
            balances: endow(rich, ENDOWMENT),
            ..Default::default()
        },
        capability: pallet_agora_capability::GenesisConfig { schedule },
        ..Default::default()
    };
    agora_pallet_dev::state::<Test>(genesis)
}

/// Runs `test` with Alice and Bob as workers and ten verifiers, in the first block of the first round, and checks the
/// state after it.
pub fn in_a_round(test: impl FnOnce()) {
    in_a_round_of(SCHEDULE, test);
}

/// The same by another schedule.
pub fn in_a_round_of(schedule: Schedule<BlockNumber>, test: impl FnOnce()) {
    genesis(Some(schedule)).execute_with(|| {
        for worker in [ALICE, BOB] {
            register(worker, Role::Worker, 0);
        }
        for verifier in verifiers() {
            register(verifier, Role::Verifier, BOND);
        }
        run_to(schedule.period);
        test();
        check_state();
    });
}

pub fn check_state() {
    Capability::do_try_state().unwrap();
    Registry::do_try_state().unwrap();
    Escrow::do_try_state().unwrap();
    assert_issuance::<Test>();
}

pub fn verifiers() -> impl Iterator<Item = AccountId> {
    FIRST_VERIFIER..FIRST_VERIFIER + VERIFIERS
}

/// Verifier number `index`.
pub fn verifier(index: u64) -> AccountId {
    FIRST_VERIFIER + index
}

pub fn register(who: AccountId, role: Role, bond: Balance) {
    let profile = Profile {
        specialisations: Specialisations::NONE.with(Specialisation::Synthetic),
        slots: 1,
        capability: DECLARED,
    };
    assert_ok!(Registry::register(signed(who), role, bond, profile));
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

/// To the block in which the votes of this round are drawn.
pub fn run_to_the_draw() {
    run_to(round().votes_close_at + 1);
}

/// Past the end of this round, so far that it is settled.
pub fn run_to_the_end() {
    run_to(round().ends_at + 4);
}

pub fn round() -> HardwareRound<BlockNumber> {
    CurrentRound::<Test>::get().unwrap()
}

pub fn respond(who: AccountId) {
    assert_ok!(Capability::respond(signed(who), round().number, DIGEST));
}

pub fn salt_of(verifier: AccountId) -> [u8; 32] {
    [verifier as u8; 32]
}

pub fn commitment(verifier: AccountId, worker: AccountId, vote: Attestation) -> H256 {
    let ballot = Ballot {
        round_seed: round().seed,
        worker: &worker,
        digest: response_of(worker).map_or(DIGEST, |response| response.digest),
        verifier: &verifier,
        vote,
    };
    vote_commitment(&ballot, &salt_of(verifier))
}

pub fn commit(verifier: AccountId, worker: AccountId, vote: Attestation) -> DispatchResultWithPostInfo {
    let digest = response_of(worker).map_or(DIGEST, |response| response.digest);
    let commitment = commitment(verifier, worker, vote);
    Capability::commit_vote(signed(verifier), round().number, worker, digest, commitment)
}

pub fn reveal(verifier: AccountId, worker: AccountId, vote: Attestation) -> DispatchResultWithPostInfo {
    Capability::reveal_vote(signed(verifier), round().number, worker, vote, salt_of(verifier))
}

/// Whether the vote of `verifier`, which has committed to it, was drawn.
pub fn drawn(verifier: AccountId, worker: AccountId) -> bool {
    let weight = crate::Votes::<Test>::get((round().number, verifier, worker))
        .unwrap()
        .weight;
    let lots = round().lots(response_of(worker).unwrap().weight).unwrap();
    is_drawn(&lots, &worker, &verifier, weight)
}

/// The first `valid` verifiers commit to votes for the response of `worker`, and `invalid` others to votes against it.
pub fn vote(worker: AccountId, valid: u64, invalid: u64) -> Vec<(AccountId, Attestation)> {
    let votes = (0..valid + invalid).map(|index| (verifier(index), Attestation::of(index < valid)));
    let votes: Vec<_> = votes.collect();
    for (verifier, said) in &votes {
        assert_ok!(commit(*verifier, worker, *said));
    }
    votes
}

/// Those whose votes were drawn reveal them.
pub fn reveal_drawn(worker: AccountId, votes: &[(AccountId, Attestation)]) {
    for (verifier, said) in votes {
        if drawn(*verifier, worker) {
            assert_ok!(reveal(*verifier, worker, *said));
        }
    }
}

/// A whole round for one response: `valid` votes for it and `invalid` against it, all revealed.
pub fn decide(worker: AccountId, valid: u64, invalid: u64) {
    respond(worker);
    let votes = vote(worker, valid, invalid);
    run_to_the_draw();
    reveal_drawn(worker, &votes);
    run_to_the_end();
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

/// All the money of `who`, free and held.
pub fn wealth(who: AccountId) -> Balance {
    let account = System::account(who).data;
    account.free + account.reserved
}

/// The bond of a verifier.
pub fn bond(who: AccountId) -> Balance {
    Escrow::held(Purpose::RoleBond, Scope::Role(Role::Verifier), &who)
}

/// What is held of a worker for its responses.
pub fn fees(who: AccountId) -> Balance {
    Escrow::held(Purpose::ChallengeFee, Scope::Role(Role::Worker), &who)
}

pub fn open_votes(who: AccountId) -> u32 {
    OpenVotes::<Test>::get(who)
}
