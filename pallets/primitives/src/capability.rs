//! What a worker can do, and the hardware challenge that proves it.
//!
//! From time to time a chain opens a round with a seed that nobody knew before. Every worker that wants its capability to
//! count computes a job of its own, made from the seed, its account and the capability it declares, and responds
//! with the result's digest before the round closes. The job takes a device of that capability half of the round; one of less
//! than about half of the capability is late. All workers respond in the same blocks, so what a machine's accounts prove in
//! one round adds up to about twice what it can do, however many they are.
//!
//! A proof is of work that was done in the window, not of a device: columns of the first state can be computed apart from
//! one another, on several machines.

use crate::{
    job::{MAX_ITERATIONS, MAX_WORK, SyntheticJob},
    judging::{Attestation, Tally},
};
use codec::Encode;
use sp_core::H256;
use sp_crypto_hashing::blake2_256;
use sp_runtime::DispatchError;

/// Separates the seeds of hardware challenges from everything else that is hashed; the last byte counts versions.
pub const HARDWARE_DOMAIN: [u8; 16] = *b"agora/hardware/1";

/// Sizes of the matrices in a challenge, largest first: a large one keeps a large device busy, a small one can be sized
/// to a small device. Their outputs are between 64 KiB and 16 MiB.
pub const CHALLENGE_SIZES: [u32; 5] = [4096, 2048, 1024, 512, 256];

/// The fewest products of a challenge whose matrices are larger than the smallest: rounding to whole products changes
/// its work by less than one part in this many.
const MIN_PRODUCTS: u128 = 32;

/// Multiply–add operations in half a millisecond at 10⁹ operations per second, of which each counts two.
const WORK_PER_MS: u128 = 250_000;

/// The work of a challenge, in multiply–add operations: half of `window_ms` at `capability` × 10⁹ operations per second.
const fn work(capability: u32, window_ms: u64) -> u128 {
    // Three numbers of 32, 64 and 18 bits.
    (capability as u128)
        .saturating_mul(window_ms as u128)
        .saturating_mul(WORK_PER_MS)
}

/// The highest capability that a round of `window_ms` milliseconds can prove: with more, its job would be more work than
/// a job may be.
pub fn max_provable(window_ms: u64) -> u32 {
    let per_unit = work(1, window_ms.max(1));
    MAX_WORK
        .checked_div(per_unit)
        .and_then(|capability| u32::try_from(capability).ok())
        .unwrap_or(u32::MAX)
}

/// The job with which `worker` proves `capability` in a round of `window_ms` milliseconds with the seed `round_seed`.
///
/// Its own seed is `blake2_256("agora/hardware/1" ‖ round_seed ‖ worker)`. Its matrices are the largest of
/// [`CHALLENGE_SIZES`] that need at least 32 products for the work, and the smallest if none does. A capability above
/// [`max_provable`] gets the job of that one.
pub fn challenge_job<AccountId: Encode>(
    round_seed: H256,
    worker: &AccountId,
    capability: u32,
    window_ms: u64,
) -> SyntheticJob {
    let seed = (HARDWARE_DOMAIN, round_seed, worker).using_encoded(blake2_256);
    let work = work(capability.min(max_provable(window_ms)), window_ms);
    let products = |size: u32| work.checked_div(u128::from(size).saturating_pow(3)).unwrap_or(0);
    let [_, .., smallest] = CHALLENGE_SIZES;
    let matrix_size = CHALLENGE_SIZES
        .into_iter()
        .find(|size| products(*size) >= MIN_PRODUCTS)
        .unwrap_or(smallest);
    // The limits of a job: at least one product, at most `MAX_ITERATIONS`.
    let iterations = products(matrix_size).clamp(1, MAX_ITERATIONS.into());
    SyntheticJob {
        seed,
        matrix_size,
        iterations: u32::try_from(iterations).unwrap_or(MAX_ITERATIONS),
    }
}

/// What the votes on a response come to so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decision {
    /// Too few votes, or as many on both sides.
    Open,
    /// The response counts.
    Proven,
    /// The response is wrong.
    Refuted,
}

impl Decision {
    /// What the votes come to: the side with more of them decides, if it has the quorum. Where both have as many, nothing is
    /// decided, and what was decided before stays: else those who fill one side would have the last word on everybody.
    pub const fn of(tally: Tally, quorum: u32) -> Self {
        let Tally { in_favour, against } = tally;
        if in_favour > against && in_favour >= quorum {
            Self::Proven
        } else if against > in_favour && against >= quorum {
            Self::Refuted
        } else {
            Self::Open
        }
    }

    /// Whether a vote for `side` asks for what was decided already.
    pub const fn agrees_with(self, side: Attestation) -> bool {
        matches!(
            (self, side),
            (Self::Proven, Attestation::Valid) | (Self::Refuted, Attestation::Invalid)
        )
    }
}

/// What workers declare that they can do, and what of it is proven.
pub trait Capabilities<AccountId, BlockNumber> {
    /// What `who` declares, in 10⁹ operations per second.
    ///
    /// Errors: it is no worker.
    fn declared(who: &AccountId) -> Result<u32, DispatchError>;

    /// Has `capability` count for `who` before the block `until`, in the place of what counted before. Does nothing if
    /// `who` is no worker any more.
    fn prove(who: &AccountId, capability: u32, until: BlockNumber);

    /// Has nothing count for `who` that was proven before. Does nothing if `who` is no worker any more.
    fn refute(who: &AccountId);
}

/// Takes everybody for a worker that declares the least, and keeps nothing.
impl<AccountId, BlockNumber> Capabilities<AccountId, BlockNumber> for () {
    fn declared(_: &AccountId) -> Result<u32, DispatchError> {
        Ok(1)
    }
    fn prove(_: &AccountId, _: u32, _: BlockNumber) {}
    fn refute(_: &AccountId) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{JobKind, JobSpec};
    use proptest::prelude::*;

    const SEED: H256 = H256::repeat_byte(7);

    fn work_of(job: &SyntheticJob) -> u128 {
        u128::from(job.matrix_size).pow(3) * u128::from(job.iterations)
    }

    proptest! {
        #[test]
        fn every_challenge_is_a_job_that_may_be(worker: [u8; 32], capability: u32, window_ms: u64) {
            let job = challenge_job(SEED, &worker, capability, window_ms);
            prop_assert_eq!(JobSpec::V2(JobKind::Synthetic(job)).validate(), Ok(()));
        }

        #[test]
        fn the_work_is_half_the_window_at_the_capability(capability in 1u32..1_000_000, window_ms in 1_500u64..600_000) {
            let capability = capability.min(max_provable(window_ms));
            let job = challenge_job(SEED, &[1u8; 32], capability, window_ms);
            let seconds = 2.0 * work_of(&job) as f64 / (f64::from(capability) * 1e9);
            let half = window_ms as f64 / 2_000.0;
            // Whole products: one in 22 at the smallest work here.
            prop_assert!(seconds <= half && seconds > half * (1.0 - 1.0 / 22.0), "{} s of {} s: {:?}", seconds, half, job);
        }

        #[test]
        fn more_capability_is_never_less_work(capability in 0u32..u32::MAX, window_ms in 1u64..1 << 40) {
            let [less, more] = [capability, capability + 1].map(|it| challenge_job(SEED, &[1u8; 32], it, window_ms));
            // A step up to larger matrices may lose a part of one product in 32.
            prop_assert!(work_of(&more) * 33 >= work_of(&less) * 32);
        }
    }

    #[test]
    fn capabilities_that_are_known() {
        // 18 s: six blocks of three seconds.
        let job = |capability| {
            let job = challenge_job(SEED, &[1u8; 32], capability, 18_000);
            (job.matrix_size, job.iterations)
        };
        assert_eq!(job(1), (512, 33));
        assert_eq!(job(40), (1024, 167));
        assert_eq!(job(1_000), (4096, 65));
        assert_eq!(job(60_000), (4096, 3929));
        assert_eq!(max_provable(18_000), 250_199);
        assert_eq!(job(250_199), (4096, 16_383));
        assert_eq!(job(u32::MAX), job(250_199));
    }

    #[test]
    fn nobody_has_the_challenge_of_another_worker_or_round() {
        let seeds =
            [(SEED, 1u64), (SEED, 2), (H256::zero(), 1)].map(|(seed, who)| challenge_job(seed, &who, 9, 9).seed);
        assert!(seeds[0] != seeds[1] && seeds[0] != seeds[2] && seeds[1] != seeds[2]);
    }
}
