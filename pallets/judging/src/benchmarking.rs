//! Benchmarks of the call and of what the life of a task makes this pallet do.
#![allow(
    unused_qualifications,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use super::*;
use agora_primitives::{
    TaskId,
    job::{BlobRef, Claim},
    judging::{AppealTerms, Attestation, Judge, Ruling},
    participants::Specialisation,
};
use frame_benchmarking::v2::*;
use frame_support::traits::Get;
use frame_system::{RawOrigin, pallet_prelude::BlockNumberFor};
use sp_core::H256;

/// Sets up what benchmarks need outside this pallet.
pub trait BenchmarkHelper<AccountId, Balance> {
    /// Makes `who` an active verifier, party to no task, with at least `bond` of free balance above what keeps its
    /// account alive.
    fn prepare_verifier(who: &AccountId, bond: Balance);
}

/// For chains whose `Participants` and `Escrow` are no-ops.
impl<AccountId, Balance> BenchmarkHelper<AccountId, Balance> for () {
    fn prepare_verifier(_: &AccountId, _: Balance) {}
}

const TASK: TaskId = TaskId(0);

fn bond<T: Config>() -> BalanceOf<T> {
    // Above the usual existential deposits, within 32 bits.
    4_000_000_000u32.into()
}

fn terms<T: Config>() -> AppealTerms<BlockNumberFor<T>, BalanceOf<T>> {
    AppealTerms {
        // The longer of the two.
        claim: Claim::Output {
            output: BlobRef::to(b"output"),
            states_root: H256::repeat_byte(1),
        },
        seed: H256::repeat_byte(2),
        until: 1_000_000u32.into(),
        bond: bond::<T>(),
        specialisation: Specialisation::Synthetic,
    }
}

fn verifier<T: Config>(index: u32) -> T::AccountId {
    let who = account("verifier", index, 0);
    T::BenchmarkHelper::prepare_verifier(&who, bond::<T>());
    who
}

/// Opens the appeal window and lets `count` verifiers attest, one half each way.
fn open_with_attestations<T: Config>(count: u32) {
    Pallet::<T>::open_appeal_window(TASK, terms::<T>()).unwrap();
    for index in 0..count {
        let attestation = Attestation::of(index % 2 == 0);
        let origin = RawOrigin::Signed(verifier::<T>(index)).into();
        Pallet::<T>::attest(origin, TASK, attestation).unwrap();
    }
}

#[benchmarks]
mod benchmarks {
    use super::*;

    /// The last place of a side: the longest list to read.
    #[benchmark]
    fn attest() {
        let places = T::MaxAttestations::get();
        open_with_attestations::<T>(places - 1);
        let caller = verifier::<T>(places);

        #[extrinsic_call]
        _(RawOrigin::Signed(caller.clone()), TASK, Attestation::Invalid);

        let attestations = AppealWindows::<T>::get(TASK).unwrap().attestations;
        assert_eq!(attestations.iter().last(), Some(&(caller, Attestation::Invalid)));
    }

    #[benchmark]
    fn open_appeal_window() {
        let terms = terms::<T>();

        #[block]
        {
            Pallet::<T>::open_appeal_window(TASK, terms).unwrap();
        }

        assert!(AppealWindows::<T>::contains_key(TASK));
    }

    /// `n` attesters, one half of them wrong: the most transfers that `n` attesters can cause.
    #[benchmark]
    fn close_appeal_window(n: Linear<0, { T::MaxAttestations::get() }>) {
        open_with_attestations::<T>(n);
        let right;

        #[block]
        {
            right = Pallet::<T>::close_appeal_window(TASK, Ruling::Upheld).unwrap();
        }

        assert_eq!(right.len() as u32, n.div_ceil(2));
        assert!(!AppealWindows::<T>::contains_key(TASK));
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::ExtBuilder::default().build(), crate::mock::Test);
}
