//! The README's runtime, and one without any other pallet of the market.

use agora_pallet_dev::{assert_shows, state};
use agora_primitives::{
    capability::{Ballot, vote_commitment},
    judging::Attestation,
    participants::{Role, Specialisation, Specialisations},
};
use frame_support::{assert_ok, traits::Hooks};

// As in another crate.
use crate as pallet_agora_capability;

mod composed {
    use super::pallet_agora_capability;
    // README: begin
    use frame_support::{
        derive_impl, parameter_types,
        traits::{ConstU32, ConstU64, ConstU128},
    };
    use pallet_agora_registry::MinimumBonds;

    #[frame_support::runtime]
    mod runtime {
        #[runtime::runtime]
        #[runtime::derive(RuntimeCall, RuntimeEvent, RuntimeError, RuntimeOrigin, RuntimeTask)]
        pub struct Runtime;

        #[runtime::pallet_index(0)]
        pub type System = frame_system::Pallet<Runtime>;
        #[runtime::pallet_index(1)]
        pub type Registry = pallet_agora_registry::Pallet<Runtime>;
        #[runtime::pallet_index(2)]
        pub type Capability = pallet_agora_capability::Pallet<Runtime>;
    }

    #[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
    impl frame_system::Config for Runtime {
        type Block = frame_system::mocking::MockBlock<Runtime>;
    }

    parameter_types! {
        /// Without an escrow nobody has a bond.
        pub const Bonds: MinimumBonds<u128> = MinimumBonds {
            worker: Some(0),
            verifier: Some(0),
            orchestrator: None,
            expert: None,
        };
    }

    impl pallet_agora_registry::Config for Runtime {
        type Escrow = ();
        type Reputation = ();
        type MinimumBonds = Bonds;
        type BanOrigin = frame_system::EnsureRoot<u64>;
        type HeartbeatTimeout = ConstU64<1_200>;
        type ExitCoolDown = ConstU64<28_800>;
        type MaxSlots = ConstU32<64>;
        type MaxCapability = ConstU32<1_000_000>;
        type AddressDeposit = ConstU128<1>;
        type MaxDrawTries = ConstU32<64>;
        type WeightInfo = pallet_agora_registry::weights::SubstrateWeight<Runtime>;
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper = ();
    }

    impl pallet_agora_capability::Config for Runtime {
        type Participants = Registry;
        type Capabilities = Registry;
        // Without one, responses cost nothing and votes put nothing at stake.
        type Escrow = ();
        // Always zero, so that everybody can compute ahead: take the randomness of your consensus.
        type Seed = ();
        type BlockTimeMs = ConstU64<3_000>;
        type ScheduleOrigin = frame_system::EnsureRoot<u64>;
        type MaxVotes = ConstU32<64>;
        type VoteBond = ConstU128<0>;
        type ResponseFee = ConstU128<0>;
        type WeightInfo = pallet_agora_capability::weights::SubstrateWeight<Runtime>;
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper = ();
    }
    // README: end
}

/// Every trait of another pallet has a `()`.
mod alone {
    use super::pallet_agora_capability;
    use frame_support::{
        derive_impl,
        traits::{ConstU32, ConstU64, ConstU128},
    };

    #[frame_support::runtime]
    mod runtime {
        #[runtime::runtime]
        #[runtime::derive(RuntimeCall, RuntimeEvent, RuntimeError, RuntimeOrigin, RuntimeTask)]
        pub struct Runtime;

        #[runtime::pallet_index(0)]
        pub type System = frame_system::Pallet<Runtime>;
        #[runtime::pallet_index(1)]
        pub type Capability = pallet_agora_capability::Pallet<Runtime>;
    }

    #[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
    impl frame_system::Config for Runtime {
        type Block = frame_system::mocking::MockBlock<Runtime>;
    }

    impl pallet_agora_capability::Config for Runtime {
        type Participants = ();
        type Capabilities = ();
        type Escrow = ();
        type Seed = ();
        type BlockTimeMs = ConstU64<3_000>;
        type ScheduleOrigin = frame_system::EnsureRoot<u64>;
        type MaxVotes = ConstU32<4>;
        type VoteBond = ConstU128<0>;
        type ResponseFee = ConstU128<0>;
        type WeightInfo = ();
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper = ();
    }
}

const SCHEDULE: crate::Schedule<u64> = crate::Schedule {
    period: 20,
    window: 6,
    voting: 6,
    revealing: 6,
    validity: 50,
    quorum: 1,
    seats: 1,
};

/// One vote in a runtime of this file, from the response of `$worker` to what is decided.
macro_rules! decide {
    ($runtime:ident, $worker:expr, $verifier:expr, $vote:expr) => {
        let round = crate::CurrentRound::<$runtime>::get().unwrap();
        let (worker, verifier, digest, salt) = ($worker, $verifier, Default::default(), [1; 32]);
        let ballot = Ballot {
            round_seed: round.seed,
            worker: &worker,
            digest,
            verifier: &verifier,
            vote: $vote,
        };
        let origin = RuntimeOrigin::signed;
        System::set_block_number(round.closes_at - 1);
        assert_ok!(Capability::respond(origin(worker), round.number, digest));
        let commitment = vote_commitment(&ballot, &salt);
        assert_ok!(Capability::commit_vote(
            origin(verifier),
            round.number,
            worker,
            digest,
            commitment
        ));
        System::set_block_number(round.votes_close_at + 1);
        Capability::on_initialize(round.votes_close_at + 1);
        assert_ok!(Capability::reveal_vote(
            origin(verifier),
            round.number,
            worker,
            $vote,
            salt
        ));
        System::set_block_number(round.ends_at);
        Capability::on_idle(round.ends_at, frame_support::weights::Weight::MAX);
    };
}

#[test]
fn a_composed_runtime_proves_a_capability() {
    use composed::{Capability, Registry, Runtime, RuntimeGenesisConfig, RuntimeOrigin, System};
    use pallet_agora_registry::{GenesisParticipant, Members, Profile};

    let profile = Profile {
        specialisations: Specialisations::NONE.with(Specialisation::Synthetic),
        slots: 1,
        capability: 40,
    };
    let registry = pallet_agora_registry::GenesisConfig {
        participants: [(1, Role::Worker), (2, Role::Verifier)]
            .map(|(account, role)| GenesisParticipant {
                account,
                role,
                bond: 0,
                profile,
            })
            .into(),
        ..Default::default()
    };
    let genesis = RuntimeGenesisConfig {
        registry,
        ..Default::default()
    };
    state::<Runtime>(genesis).execute_with(|| {
        Capability::integrity_test();
        assert_ok!(Capability::set_schedule(RuntimeOrigin::root(), Some(SCHEDULE)));
        Capability::on_initialize(SCHEDULE.period);
        decide!(Runtime, 1, 2, Attestation::Valid);
        let worker = Members::<Runtime>::get(1).and_then(|member| member.worker).unwrap();
        assert_eq!(worker.capability(), 40);
        assert_ok!(Registry::do_try_state());
        assert_ok!(Capability::do_try_state());
    });
}

#[test]
fn a_runtime_without_the_rest_of_the_market_takes_everybody_for_a_worker_of_capability_one() {
    use alone::{Capability, Runtime, RuntimeEvent, RuntimeGenesisConfig, RuntimeOrigin, System};

    state::<Runtime>(RuntimeGenesisConfig::default()).execute_with(|| {
        assert_ok!(Capability::set_schedule(RuntimeOrigin::root(), Some(SCHEDULE)));
        Capability::on_initialize(SCHEDULE.period);
        decide!(Runtime, 1, 2, Attestation::Valid);
        let proven = crate::Event::CapabilityProven {
            worker: 1,
            capability: 1,
            until: SCHEDULE.period + SCHEDULE.validity,
        };
        System::assert_last_event(RuntimeEvent::Capability(proven));
        Capability::on_initialize(2 * SCHEDULE.period);
        decide!(Runtime, 5, 3, Attestation::Invalid);
        System::assert_last_event(RuntimeEvent::Capability(crate::Event::CapabilityRefuted { worker: 5 }));
        assert_ok!(Capability::do_try_state());
    });
}

#[test]
fn the_readme_shows_this_runtime() {
    assert_shows(include_str!("../../README.md"), include_str!("composition.rs"));
}
