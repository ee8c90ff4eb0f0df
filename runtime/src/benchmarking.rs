//! What benchmarks need of this runtime: accounts with money, workers and verifiers, in the real pallets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::arithmetic_side_effects)]

use crate::{AccountId, Balance, Balances, Judging, Registry, Runtime, System, Tasks, UNIT, configs};
use agora_primitives::{
    TaskId,
    capability::Capabilities,
    commitment::{Salt, commitment},
    job::{Claim, JobSource, JobSpec},
    judging::Attestation,
    money::PresetId,
    participants::{Role, Specialisation},
    task::Difficulty,
};
use frame_benchmarking::account;
use frame_support::traits::{Get, fungible::Mutate};
use frame_system::RawOrigin;
use pallet_agora_computation::{Accuser, CurrentTerms, Decision, OpenCases};
use pallet_agora_registry::{Members, Nodes, Profile, WorkerCount};
use pallet_agora_rewards::{Presets, Split};

impl frame_system_benchmarking::Config for Runtime {}

/// Makes the accounts that the market's benchmarks need.
pub struct Market;

impl Market {
    /// What every account has beyond its bonds.
    const PURSE: Balance = 100_000 * UNIT;
    const SPLIT: PresetId = 0;

    fn give(who: &AccountId, amount: Balance) {
        Balances::mint_into(who, amount.saturating_add(Self::PURSE)).expect("the issuance does not overflow");
    }

    /// Makes `who` active in `role`: registers it, or sends its heartbeat.
    fn activate(who: &AccountId, role: Role, profile: Profile) {
        let origin = || RawOrigin::Signed(who.clone()).into();
        if Members::<Runtime>::contains_key(who) {
            Registry::heartbeat(origin()).expect("members may be heard of");
        } else {
            // A worker's bond covers all its slots.
            let bond =
                configs::registry::Bonds::get().of(role).expect("the role is open") * profile.slots.max(1) as Balance;
            Self::give(who, bond);
            Registry::register(origin(), role, bond, profile).expect("bond and profile are valid");
        }
    }

    fn verifier(number: u32) -> AccountId {
        let who = account("attester", number, 0);
        Self::activate(&who, Role::Verifier, Profile::default());
        who
    }
}

impl pallet_agora_registry::BenchmarkHelper<AccountId, Balance> for Market {
    fn fund(who: &AccountId, amount: Balance) {
        Self::give(who, amount);
    }
}

impl pallet_agora_judging::BenchmarkHelper<AccountId, Balance> for Market {
    fn prepare_verifier(who: &AccountId, bond: Balance) {
        Self::activate(who, Role::Verifier, Profile::default());
        Self::give(who, bond);
    }
}

impl pallet_agora_computation::BenchmarkHelper<AccountId, Balance> for Market {
    fn fund(who: &AccountId, amount: Balance) {
        Self::give(who, amount);
    }
}

impl pallet_agora_exact::BenchmarkHelper<AccountId> for Market {
    fn committed(job: JobSpec, claim: Claim, salt: Salt) -> (TaskId, AccountId) {
        use pallet_agora_tasks::{BenchmarkHelper, NextTaskId, Windows, exact_classes};
        if System::block_number() == 0 {
            System::set_block_number(1);
        }
        let windows = Windows {
            min_thinking: 0,
            ..Windows::short()
        };
        let (class, mut terms) = exact_classes(UNIT, windows).into_iter().next().expect("there is one");
        terms.specialisation = job.specialisation();
        Tasks::set_class(RawOrigin::Root.into(), class, terms).expect("the class is valid");
        let publisher = <Self as BenchmarkHelper<_, _>>::publisher();
        let specialisation = job.specialisation();
        let task = NextTaskId::<Runtime>::get();
        Tasks::publish(
            RawOrigin::Signed(publisher).into(),
            class,
            JobSource::Inline(job),
            Difficulty::ONE,
            100 * UNIT,
            System::block_number() + 20,
            [1; 16],
        )
        .expect("the job is admitted");
        let who = <Self as BenchmarkHelper<_, _>>::worker(0, specialisation);
        let origin = || RawOrigin::Signed(who.clone()).into();
        Tasks::accept(origin(), task).expect("anybody may");
        let hash = commitment(System::block_hash(0), task, &who, &claim, &salt);
        Tasks::commit(origin(), task, hash).expect("it has accepted");
        (task, who)
    }
}

impl pallet_agora_capability::BenchmarkHelper<AccountId> for Market {
    fn prepare_worker(who: &AccountId) {
        let profile = Profile {
            specialisations: Specialisation::ALL.into_iter().collect(),
            slots: 1,
            capability: 100,
        };
        Self::activate(who, Role::Worker, profile);
        // The deepest tree of priorities that is possible: a proof changes the worker's leaf, which is the first.
        let _ = Nodes::<Runtime>::clear(u32::MAX, None);
        WorkerCount::<Runtime>::put(1 << 20);
        Self::activate(who, Role::Worker, profile);
    }

    fn prepare_verifier(who: &AccountId) {
        Self::activate(who, Role::Verifier, Profile::default());
    }
}

impl pallet_agora_tasks::BenchmarkHelper<AccountId, Balance> for Market {
    fn unit() -> Balance {
        UNIT
    }

    fn preset() -> PresetId {
        // Burns and pays workers, verifiers and the treasury.
        if !Presets::<Runtime>::contains_key(Self::SPLIT) {
            Presets::<Runtime>::insert(Self::SPLIT, Split::BURN);
        }
        Self::SPLIT
    }

    fn publisher() -> AccountId {
        let who = account("publisher", 0, 0);
        Self::give(&who, 0);
        who
    }

    fn worker(n: u32, specialisation: Specialisation) -> AccountId {
        let who = account("worker", n, 0);
        let specialisations = [specialisation].into_iter().collect();
        let profile = Profile {
            specialisations,
            slots: configs::registry::MaxSlots::get(),
            capability: 100,
        };
        Self::activate(&who, Role::Worker, profile);
        // So that each slot that is taken or freed changes the weight in the draw.
        Registry::prove(&who, profile.capability, u32::MAX);
        who
    }

    fn max_attesters_per_side() -> u32 {
        <<Runtime as pallet_agora_judging::Config>::MaxAttestations as Get<u32>>::get() / 2
    }

    fn open_court() {
        CurrentTerms::<Runtime>::put(configs::computation::TERMS);
    }

    fn keep_undecided(task: TaskId) {
        OpenCases::<Runtime>::mutate(task, |case| {
            let case = case.as_mut().expect("a case is open");
            (case.open, case.trials_until) = (1, u32::MAX);
        });
    }

    fn bring_down(task: TaskId, by: AccountId) {
        OpenCases::<Runtime>::mutate(task, |case| {
            let case = case.as_mut().expect("a case is open");
            case.join(Accuser {
                who: by.clone(),
                order: 0,
            });
            case.decision = Some(Decision::Fallen { by });
        });
    }

    fn attest(task: TaskId, in_favour: u32, against: u32) {
        for number in 0..in_favour + against {
            Judging::note_attestation(task, Self::verifier(number), Some(Attestation::of(number < in_favour)));
        }
    }

    fn hide(task: TaskId) {
        let places = <<Runtime as pallet_agora_judging::Config>::MaxAttestations as Get<u32>>::get();
        for number in 0..places {
            Judging::note_attestation(task, Self::verifier(number), None);
        }
    }
}
