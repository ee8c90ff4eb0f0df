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
    judging::{
        AppealTerms, Attestation, Judge, OPENINGS, Possession, Ruling, Sealed, attestation_commitment, drawn_chunks,
        possession_key,
    },
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

/// The longest way to a chunk that the trees of a blob of this many bytes have is 14 levels. More levels cost so many blocks
/// more; the largest blob has 26.
const OUTPUT: usize = 1 << 24;

fn output() -> alloc::vec::Vec<u8> {
    alloc::vec![7; OUTPUT]
}

const SALT: [u8; 32] = [5; 32];

fn terms<T: Config>(output: &[u8]) -> AppealTerms<BlockNumberFor<T>, BalanceOf<T>> {
    AppealTerms {
        // The longer of the two.
        claim: Claim::Output {
            output: BlobRef::to(output),
            states_root: H256::repeat_byte(1),
        },
        seed: H256::repeat_byte(2),
        until: 1_000_000u32.into(),
        reveal_window: 100u32.into(),
        bond: bond::<T>(),
        specialisation: Specialisation::Synthetic,
    }
}

fn verifier<T: Config>(index: u32) -> T::AccountId {
    let who = account("verifier", index, 0);
    T::BenchmarkHelper::prepare_verifier(&who, bond::<T>());
    who
}

/// Opens the appeal window and has `count` verifiers attest, one half each way, or commit to attestations.
fn open_with_attestations<T: Config>(output: &[u8], count: u32, revealed: bool) {
    Pallet::<T>::open_appeal_window(TASK, terms::<T>(output)).unwrap();
    for index in 0..count {
        let said = revealed.then_some(Attestation::of(index % 2 == 0));
        Pallet::<T>::note_attestation(TASK, verifier::<T>(index), said);
    }
}

#[benchmarks]
mod benchmarks {
    use super::*;

    /// The last place: the longest list to read.
    #[benchmark]
    fn commit_attestation() {
        let caller = verifier::<T>(u32::MAX);
        let now = frame_system::Pallet::<T>::block_number();
        // A bond counts from the next block on.
        frame_system::Pallet::<T>::set_block_number(now + 1u32.into());
        open_with_attestations::<T>(b"output", T::MaxAttestations::get() - 1, false);
        // All are drawn, however many there are.
        AppealWindows::<T>::mutate(TASK, |window| window.as_mut().unwrap().total = 0);

        #[extrinsic_call]
        _(RawOrigin::Signed(caller.clone()), TASK, H256::repeat_byte(3));

        let attestations = AppealWindows::<T>::get(TASK).unwrap().attestations;
        assert!(attestations.iter().any(|(who, _)| *who == caller));
    }

    /// The last place of a full list, and as many chunks as can be drawn, each with its ways in both trees.
    #[benchmark]
    fn reveal_attestation() {
        let output = output();
        let caller = verifier::<T>(u32::MAX);
        open_with_attestations::<T>(&output, T::MaxAttestations::get() - 1, false);
        let window = AppealWindows::<T>::get(TASK).unwrap();
        let key = possession_key(window.terms.seed, TASK, &caller);
        let root = agora_primitives::job::keyed_hash(&key, &output);
        let sealed = Sealed {
            genesis: frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::from(0u32)),
            task: TASK,
            seed: window.terms.seed,
            claim: &window.terms.claim,
            verifier: &caller,
            attestation: Attestation::Valid,
            root: Some(root),
        };
        let commitment = attestation_commitment(&sealed, &SALT);
        Pallet::<T>::note_attestation(TASK, caller.clone(), None);
        AppealWindows::<T>::mutate(TASK, |window| {
            let window = window.as_mut().unwrap();
            window.attestations = Default::default();
            window.attestations.commit(caller.clone(), commitment).unwrap();
            for index in 1..T::MaxAttestations::get() {
                let other = account("verifier", index, 0);
                window.attestations.commit(other, H256::zero()).unwrap();
            }
        });
        frame_system::Pallet::<T>::set_block_number(1_000_002u32.into());
        Pallet::<T>::draw_chunks(TASK, H256::repeat_byte(9));
        let drawn = drawn_chunks(H256::repeat_byte(9), TASK, &caller, (OUTPUT / 1024) as u64);
        assert_eq!(drawn.len() as u32, OPENINGS);
        let possession = Possession::new(&key, root, &output, &drawn);
        assert!(possession.is_some());

        #[extrinsic_call]
        _(
            RawOrigin::Signed(caller.clone()),
            TASK,
            Attestation::Valid,
            SALT,
            possession,
        );

        assert_eq!(Pallet::<T>::tally(TASK).in_favour, 1);
    }

    #[benchmark]
    fn open_appeal_window() {
        let terms = terms::<T>(b"output");

        #[block]
        {
            Pallet::<T>::open_appeal_window(TASK, terms).unwrap();
        }

        assert!(AppealWindows::<T>::contains_key(TASK));
    }

    /// `n` attesters, one half of them wrong.
    #[benchmark]
    fn close_appeal_window(n: Linear<0, { T::MaxAttestations::get() }>) {
        open_with_attestations::<T>(b"output", n, true);
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
