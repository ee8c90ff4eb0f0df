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
//!
//! Verifiers check responses and vote. A vote is *committed* to ([`vote_commitment`]), so that nobody can repeat what others say. When
//! no vote is taken any more, randomness that nobody knew before draws those that count ([`is_drawn`]), by bond: so it is worth nothing
//! to be many, or to be early. Whoever wants to know whether verifiers look responds with a *decoy*: an output that is wrong by a mark
//! in it ([`decoy_mark`]), which the chain can see for itself, whatever the votes say.

use crate::{
    job::{BlobRef, ChunkProof, MAX_ITERATIONS, MAX_WORK, SyntheticJob},
    judging::{Attestation, Tally},
};
use codec::Encode;
use sp_core::H256;
use sp_crypto_hashing::blake2_256;
use sp_runtime::DispatchError;

/// Separates the seeds of hardware challenges from everything else that is hashed; the last byte counts versions.
pub const HARDWARE_DOMAIN: [u8; 16] = *b"agora/hardware/1";

/// Separates commitments to votes from everything else that is hashed; the last byte counts versions.
pub const VOTE_DOMAIN: [u8; 12] = *b"agora/vote/1";

/// Separates the lots by which votes are drawn from everything else that is hashed; the last byte counts versions.
pub const LOT_DOMAIN: [u8; 11] = *b"agora/lot/1";

/// Separates the marks of decoys from everything else that is hashed; the last byte counts versions.
pub const DECOY_DOMAIN: [u8; 13] = *b"agora/decoy/1";

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

/// A vote on a response: what a verifier commits to, and later reveals.
#[derive(Clone, Copy, Debug)]
pub struct Ballot<'a, AccountId> {
    /// The seed of the round: no other round, and no other chain, has it.
    pub round_seed: H256,
    /// Whose response.
    pub worker: &'a AccountId,
    /// The digest of the response.
    pub digest: H256,
    /// Whose vote.
    pub verifier: &'a AccountId,
    /// What the verifier found.
    pub vote: Attestation,
}

/// Commits to a vote.
///
/// `blake2_256("agora/vote/1" ‖ round_seed ‖ worker ‖ digest ‖ verifier ‖ vote (0: valid, 1: invalid) ‖ salt)`.
/// The verifier is in it so that nobody can commit to somebody else's commitment, the salt so that nobody can try out both votes.
pub fn vote_commitment<AccountId: Encode>(ballot: &Ballot<'_, AccountId>, salt: &[u8; 32]) -> H256 {
    let Ballot {
        round_seed,
        worker,
        digest,
        verifier,
        vote,
    } = ballot;
    (VOTE_DOMAIN, round_seed, worker, digest, verifier, vote, salt)
        .using_encoded(blake2_256)
        .into()
}

/// How a response's votes are drawn: about `seats` of them, each with a probability in proportion to its weight.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lots {
    /// Randomness that nobody knew while votes were taken.
    pub draw: H256,
    /// The weight of all votes on the response.
    pub total: u64,
    /// How many votes are to count, on average.
    pub seats: u32,
}

/// Whether the vote of `verifier` on the response of `worker`, with `weight`, counts.
///
/// It does if the first eight bytes of `blake2_256("agora/lot/1" ‖ draw ‖ worker ‖ verifier)`, little endian, are below
/// `2⁶⁴ · seats · weight / total`: so a bond has as many seats on average whether one account has it or several, up to one seat for each
/// account, and all votes count where there are no more than seats for them.
pub fn is_drawn<AccountId: Encode>(lots: &Lots, worker: &AccountId, verifier: &AccountId, weight: u32) -> bool {
    lots.win(
        (LOT_DOMAIN, lots.draw, worker, verifier).using_encoded(blake2_256),
        weight,
    )
}

impl Lots {
    /// Whether somebody with `weight` whose lot begins with the first eight bytes of `hash`, little endian, is drawn.
    pub(crate) fn win(&self, hash: [u8; 32], weight: u32) -> bool {
        let [a, b, c, d, e, f, g, h, ..] = hash;
        let lot = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
        // Two numbers of 64 bits, and two of 32 with 64 zeroes.
        let share = u128::from(weight).saturating_mul(self.seats.into()).wrapping_shl(64);
        u128::from(lot).saturating_mul(self.total.into()) < share
    }
}

/// The mark of the decoy that `worker` makes with `secret` in the round with `round_seed`: the first bytes of its output.
///
/// `blake2_256("agora/decoy/1" ‖ round_seed ‖ worker ‖ secret)`, each byte modulo 251, so that it looks as an output does. No right output
/// begins so: nobody finds a secret for given bytes, and a challenge follows from the round's seed alone.
pub fn decoy_mark<AccountId: Encode>(round_seed: H256, worker: &AccountId, secret: &[u8; 32]) -> [u8; 32] {
    let hash = (DECOY_DOMAIN, round_seed, worker, secret).using_encoded(blake2_256);
    hash.map(|byte| byte.checked_rem(251).unwrap_or_default())
}

/// Whether `proof` shows that the output of `size` bytes with `digest` begins with `mark`: that it is a decoy.
///
/// Complexity: hashes a chunk, and a block for each of up to 14 levels.
pub fn shows_decoy(digest: H256, size: u64, mark: &[u8; 32], proof: &ChunkProof) -> bool {
    let output = BlobRef { hash: digest, size };
    proof.index == 0 && proof.chunk.starts_with(mark) && output.verify(proof)
}

/// What the votes on a response come to.
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
    /// decided, and what was decided in earlier rounds stays.
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

    /// What those who were right had voted; `None` if nobody can tell who was right.
    pub const fn truth(self) -> Option<Attestation> {
        match self {
            Self::Proven => Some(Attestation::Valid),
            Self::Refuted => Some(Attestation::Invalid),
            Self::Open => None,
        }
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

    proptest! {
        #[test]
        fn all_votes_count_where_there_are_seats_for_them(
            weight in 1u32..1 << 20, seats in 1u32..=64, voters: prop::sample::Index, draw: [u8; 32], verifier: u64,
        ) {
            let total = u64::from(weight) * (voters.index(seats as usize) as u64 + 1);
            let lots = Lots { draw: draw.into(), total, seats };
            prop_assert!(is_drawn(&lots, &1, &verifier, weight));
            prop_assert!(!is_drawn(&lots, &1, &verifier, 0), "no bond, no seat");
        }

        #[test]
        fn the_largest_numbers_do_not_overflow(draw: [u8; 32], total: u64) {
            let drawn = |total| is_drawn(&Lots { draw: draw.into(), total, seats: u32::MAX }, &1u64, &2, u32::MAX);
            prop_assert!(drawn(u32::MAX.into()));
            prop_assert!(drawn(total) >= drawn(u64::MAX), "a larger total draws no more");
        }

        #[test]
        fn a_decoy_is_shown_by_its_mark_alone(secret: [u8; 32], bit in 0usize..256, size in 32usize..70_000) {
            let mark = decoy_mark(SEED, &1u64, &secret);
            prop_assert!(mark.iter().all(|byte| *byte < 251));
            let mut output = vec![5; size];
            output[..32].copy_from_slice(&mark);
            let proof = ChunkProof::new(&output, 0).unwrap();
            let digest = BlobRef::to(&output).hash;
            let size = size as u64;
            prop_assert!(shows_decoy(digest, size, &mark, &proof));
            for (seed, worker) in [(H256::zero(), 1), (SEED, 2u64)] {
                prop_assert!(!shows_decoy(digest, size, &decoy_mark(seed, &worker, &secret), &proof));
            }
            let mut other = secret;
            other[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(!shows_decoy(digest, size, &decoy_mark(SEED, &1u64, &other), &proof));
            prop_assert!(!shows_decoy(SEED, size, &mark, &proof));
            prop_assert!(!shows_decoy(digest, size + (1 << 20), &mark, &proof));
            if let Some(second) = ChunkProof::new(&output, 1) {
                prop_assert!(!shows_decoy(digest, size, &second.chunk[..].first_chunk().copied().unwrap_or(mark), &second));
            }
        }
    }

    /// Of many verifiers with different bonds each is drawn as often as its bond says, and never for two seats.
    #[test]
    fn a_bond_has_its_share_of_the_seats() {
        const DRAWS: u32 = 4_000;
        let weights = [100u32, 100, 200, 400, 800, 6_400];
        let lots = |number: u32| Lots {
            draw: blake2_256(&number.to_le_bytes()).into(),
            total: 8_000,
            seats: 4,
        };
        for (verifier, weight) in (0u64..).zip(weights) {
            let drawn = (0..DRAWS)
                .filter(|number| is_drawn(&lots(*number), &9, &verifier, weight))
                .count() as f64;
            let expected = f64::from(DRAWS) * (4.0 * f64::from(weight) / 8_000.0).min(1.0);
            // Five standard deviations, of a draw that is the same in each run.
            let off = 5.0 * (expected.max(1.0)).sqrt();
            assert!((drawn - expected).abs() <= off, "{weight}: {drawn} of {expected}");
        }
    }

    #[test]
    fn a_commitment_is_to_everything_in_the_ballot() {
        let ballot = Ballot {
            round_seed: SEED,
            worker: &1u64,
            digest: SEED,
            verifier: &2,
            vote: Attestation::Valid,
        };
        let salt = [3; 32];
        let others = [
            Ballot {
                round_seed: H256::zero(),
                ..ballot
            },
            Ballot { worker: &2, ..ballot },
            Ballot {
                digest: H256::zero(),
                ..ballot
            },
            Ballot { verifier: &1, ..ballot },
            Ballot {
                vote: Attestation::Invalid,
                ..ballot
            },
        ];
        let mut all: Vec<_> = others.iter().map(|other| vote_commitment(other, &salt)).collect();
        all.extend([vote_commitment(&ballot, &salt), vote_commitment(&ballot, &[4; 32])]);
        assert_eq!(
            all.iter().collect::<std::collections::BTreeSet<_>>().len(),
            7,
            "{all:?}"
        );
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
