//! Attestations that are drawn, hidden, and made by whoever had the output.

use super::Attestation;
use crate::{
    capability::Lots,
    ids::TaskId,
    job::{BlobRef, Claim, KeyedProof},
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode};
use scale_info::TypeInfo;
use sp_core::H256;
use sp_crypto_hashing::blake2_256;
use sp_runtime::{
    BoundedVec, SaturatedConversion,
    traits::{AtLeast32BitUnsigned, ConstU32},
};

/// Separates commitments to attestations from everything else that is hashed; the last byte counts versions.
pub const ATTEST_DOMAIN: [u8; 14] = *b"agora/attest/1";

/// Separates the keys of possessions from everything else that is hashed; the last byte counts versions.
pub const POSSESSION_DOMAIN: [u8; 18] = *b"agora/possession/1";

/// Separates the draws of chunks from everything else that is hashed; the last byte counts versions.
pub const CHUNK_DOMAIN: [u8; 13] = *b"agora/chunk/1";

/// Separates the lots by which attesters are drawn from everything else that is hashed; the last byte counts versions.
pub const SEAT_DOMAIN: [u8; 12] = *b"agora/seat/1";

/// How many chunks are drawn for each attester.
///
/// Who had no chunk is always found, who had half of them with 3 in 4. What a verifier saves by leaving out a tenth is a tenth of the
/// transfer; it is found with 19 %, and then it loses its bond. One more would add 3 KiB at most to every attestation.
pub const OPENINGS: u32 = 2;

/// Whether `verifier`, whose bond weighs `weight`, may attest in the window of `task` that opened with the seed `lots.draw`.
///
/// It may if the first eight bytes of `blake2_256("agora/seat/1" ‖ seed ‖ task (u64, little endian) ‖ verifier)`, little endian,
/// are below `2⁶⁴ · seats · weight / total`: so a bond has as many seats on average whether one account has it or several, up to
/// one seat for each account.
pub fn has_seat<AccountId: Encode>(lots: &Lots, task: TaskId, verifier: &AccountId, weight: u32) -> bool {
    lots.win(
        (SEAT_DOMAIN, lots.draw, task, verifier).using_encoded(blake2_256),
        weight,
    )
}

/// What a verifier commits to in the appeal window of a task, and later reveals.
#[derive(Clone, Copy, Debug)]
pub struct Sealed<'a, AccountId> {
    /// The hash of the chain's first block.
    pub genesis: H256,
    /// The task.
    pub task: TaskId,
    /// The seed with which the window opened.
    pub seed: H256,
    /// What the attestation is about.
    pub claim: &'a Claim,
    /// Who attests.
    pub verifier: &'a AccountId,
    /// What it says.
    pub attestation: Attestation,
    /// The keyed root over the output, where [one is to be shown](to_be_shown): with [`possession_key`].
    pub root: Option<H256>,
}

/// Commits to an attestation.
///
/// `blake2_256("agora/attest/1" ‖ genesis ‖ task (u64, little endian) ‖ seed ‖ SCALE of the claim ‖ verifier ‖
/// attestation (0: valid, 1: invalid) ‖ SCALE of the optional root ‖ salt)`. The verifier is in it so that nobody can commit to
/// somebody else's commitment, the salt so that nobody can try out both attestations.
pub fn attestation_commitment<AccountId: Encode>(sealed: &Sealed<'_, AccountId>, salt: &[u8; 32]) -> H256 {
    let Sealed {
        genesis,
        task,
        seed,
        claim,
        verifier,
        attestation,
        root,
    } = sealed;
    let (about, said) = ((genesis, task, seed, claim), (verifier, attestation, root));
    (ATTEST_DOMAIN, about, said, salt).using_encoded(blake2_256).into()
}

/// The output of which `attestation` about `claim` shows that its verifier had it; `None`: it need not.
///
/// Against a result nothing is shown, because it may be withheld; nor where there are no bytes.
pub fn to_be_shown(claim: &Claim, attestation: Attestation) -> Option<&BlobRef> {
    match attestation {
        Attestation::Valid => claim.output().filter(|output| output.size > 0),
        Attestation::Invalid => None,
    }
}

/// The key of the tree that `verifier` makes over the output of `task`, in the window that opened with `seed`.
///
/// `blake2_256("agora/possession/1" ‖ seed ‖ task (u64, little endian) ‖ verifier)`. Nobody knows it before the window opens, and
/// nobody else has use for a tree that was made with it.
pub fn possession_key<AccountId: Encode>(seed: H256, task: TaskId, verifier: &AccountId) -> [u8; 32] {
    (POSSESSION_DOMAIN, seed, task, verifier).using_encoded(blake2_256)
}

/// The numbers of the chunks that `verifier` is to show, of an output with `chunks` of them: [`OPENINGS`] draws, each number once.
///
/// Draw `n` is the first eight bytes of
/// `blake2_256("agora/chunk/1" ‖ draw ‖ task (u64, little endian) ‖ verifier ‖ n (u32, little endian))`, little endian, modulo
/// `chunks`.
pub fn drawn_chunks<AccountId: Encode>(draw: H256, task: TaskId, verifier: &AccountId, chunks: u64) -> Vec<u64> {
    let mut drawn = Vec::new();
    for n in 0..OPENINGS {
        let [a, b, c, d, e, f, g, h, ..] = (CHUNK_DOMAIN, draw, task, verifier, n).using_encoded(blake2_256);
        let lot = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
        // Without chunks there is nothing to be drawn.
        let Some(index) = lot.checked_rem(chunks) else {
            break;
        };
        if !drawn.contains(&index) {
            drawn.push(index);
        }
    }
    drawn
}

/// By how many times its length full blocks may lengthen the time to commit, or to reveal: as much as they stop the clocks of the
/// court, in proportion. It is limited because a task ends whatever anybody does.
const MOST_STOPS: u32 = 12;

/// The last block of a time of `window` blocks after block `from`, since which `full` blocks were full: such a block is no time, up to a
/// bound.
// Saturating: block numbers would have to run out first.
pub fn last_block<BlockNumber>(from: BlockNumber, window: BlockNumber, full: u64) -> BlockNumber
where
    BlockNumber: AtLeast32BitUnsigned + Copy,
{
    let late: BlockNumber = full.saturated_into();
    let most = window.saturating_mul(MOST_STOPS.into());
    from.saturating_add(window).saturating_add(late.min(most))
}

/// Shows that a verifier had an output when it committed to the root over it.
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Possession {
    /// The root that was committed to.
    pub root: H256,
    /// The drawn chunks, in the order of their draws.
    pub openings: BoundedVec<KeyedProof, ConstU32<OPENINGS>>,
}

impl Possession {
    /// Opens the `drawn` chunks of `output`. `None`: it does not have them.
    ///
    /// Complexity: that of hashing the output twice for each chunk.
    pub fn new(key: &[u8; 32], root: H256, output: &[u8], drawn: &[u64]) -> Option<Self> {
        let openings = drawn.iter().map(|index| KeyedProof::new(key, output, *index));
        let openings: Vec<_> = openings.collect::<Option<_>>()?;
        Some(Self {
            root,
            openings: openings.try_into().ok()?,
        })
    }

    /// Whether it opens the `drawn` chunks of `output`, and no others, in the output's own tree and in the one that was committed to.
    ///
    /// Complexity: two chunks and twice a block for each level of the tree, for each drawn chunk.
    pub fn shows(&self, output: &BlobRef, key: &[u8; 32], drawn: &[u64]) -> bool {
        let opened = self.openings.iter().map(|opening| opening.plain.index);
        opened.eq(drawn.iter().copied())
            && self
                .openings
                .iter()
                .all(|opening| output.verify_keyed(key, self.root, opening))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{ChunkProof, keyed_hash};
    use proptest::prelude::*;

    const TASK: TaskId = TaskId(7);
    const SEED: H256 = H256::repeat_byte(3);

    fn content(len: usize, salt: u8) -> Vec<u8> {
        (0..len).map(|i| (i % 251) as u8 ^ salt).collect()
    }

    proptest! {
        #[test]
        fn who_has_the_output_shows_it(len in 1usize..30_000, who: u64, other: u64, draw: [u8; 32]) {
            prop_assume!(who != other);
            let output = content(len, 0);
            let blob = BlobRef::to(&output);
            let key = possession_key(SEED, TASK, &who);
            let root = keyed_hash(&key, &output);
            let drawn = drawn_chunks(draw.into(), TASK, &who, blob.chunks());
            prop_assert!(!drawn.is_empty() && drawn.len() <= 2 && drawn.iter().all(|index| *index < blob.chunks()));
            prop_assert_eq!(drawn.len() == 1, drawn.iter().all(|index| *index == drawn[0]));
            let shown = Possession::new(&key, root, &output, &drawn).unwrap();
            prop_assert!(shown.shows(&blob, &key, &drawn));
            // Another's tree, another root, fewer or other chunks.
            prop_assert!(!shown.shows(&blob, &possession_key(SEED, TASK, &other), &drawn));
            let other_root = Possession { root: blob.hash, ..shown.clone() };
            let fewer = Possession { openings: Default::default(), ..shown.clone() };
            prop_assert!(!other_root.shows(&blob, &key, &drawn) && !fewer.shows(&blob, &key, &drawn));
            let more = [&drawn[..], &[drawn[0]]].concat();
            prop_assert!(!shown.shows(&blob, &key, &more));
            prop_assert_eq!(Possession::new(&key, root, &output, &[blob.chunks()]), None);
        }

        #[test]
        fn who_had_a_part_of_it_is_found_with_the_probability_that_is_promised(
            chunks in 2usize..40, missing in 1usize..40, seed: u64,
        ) {
            let missing = missing.min(chunks);
            let output = content(chunks * 1024, 0);
            // It had the first chunks when it committed; it has all when it reveals.
            let had = [&output[..(chunks - missing) * 1024], &content(missing * 1024, 255)].concat();
            let blob = BlobRef::to(&output);
            let mut found = 0u32;
            const TRIES: u32 = 200;
            for try_ in 0..TRIES {
                let who = seed.wrapping_add(u64::from(try_));
                let key = possession_key(SEED, TASK, &who);
                let root = keyed_hash(&key, &had);
                let drawn = drawn_chunks(H256::repeat_byte(9), TASK, &who, chunks as u64);
                let mut shown = Possession::new(&key, root, &had, &drawn).unwrap();
                for (opening, index) in shown.openings.iter_mut().zip(&drawn) {
                    opening.plain = ChunkProof::new(&output, *index).unwrap();
                }
                found += u32::from(!shown.shows(&blob, &key, &drawn));
            }
            let f = missing as f64 / chunks as f64;
            let expected = f64::from(TRIES) * (1.0 - (1.0 - f).powi(2));
            // Five deviations.
            let margin = 5.0 * (f64::from(TRIES) * 0.25).sqrt();
            prop_assert!((f64::from(found) - expected).abs() <= margin, "{found} of {TRIES}, {expected} expected");
        }

        #[test]
        fn a_bond_has_its_share_of_the_seats_in_one_account_or_many(
            accounts in 1u32..50, weight in 1u32..1000, seats in 1u32..16, seed: [u8; 32],
        ) {
            let mine = u64::from(weight) * u64::from(accounts);
            // Nobody has more than a seat.
            let total = mine.max(u64::from(weight) * u64::from(seats)) * 2;
            let mut won = 0u32;
            for task in 0..400 {
                let lots = Lots { draw: seed.into(), total, seats };
                let drawn = |who: &u32| has_seat(&lots, TaskId(task), who, weight);
                won += (0..accounts).filter(drawn).count() as u32;
            }
            let expected = 400.0 * f64::from(seats) * mine as f64 / total as f64;
            let margin = 6.0 * expected.sqrt() + 6.0;
            prop_assert!((f64::from(won) - expected).abs() <= margin, "{won} of {expected}");
        }
    }

    #[test]
    fn a_commitment_is_bound_to_all_that_it_is_about() {
        let claim = Claim::Output {
            output: BlobRef::to(b"output"),
            states_root: H256::repeat_byte(1),
        };
        let sealed = Sealed {
            genesis: H256::repeat_byte(1),
            task: TASK,
            seed: SEED,
            claim: &claim,
            verifier: &5u64,
            attestation: Attestation::Valid,
            root: Some(H256::repeat_byte(8)),
        };
        let all = [
            attestation_commitment(&sealed, &[1; 32]),
            attestation_commitment(&sealed, &[2; 32]),
            attestation_commitment(
                &Sealed {
                    genesis: H256::repeat_byte(2),
                    ..sealed
                },
                &[1; 32],
            ),
            attestation_commitment(
                &Sealed {
                    task: TaskId(8),
                    ..sealed
                },
                &[1; 32],
            ),
            attestation_commitment(
                &Sealed {
                    seed: H256::repeat_byte(4),
                    ..sealed
                },
                &[1; 32],
            ),
            attestation_commitment(
                &Sealed {
                    claim: &Claim::Unusable,
                    ..sealed
                },
                &[1; 32],
            ),
            attestation_commitment(&Sealed { verifier: &6, ..sealed }, &[1; 32]),
            attestation_commitment(
                &Sealed {
                    attestation: Attestation::Invalid,
                    ..sealed
                },
                &[1; 32],
            ),
            attestation_commitment(&Sealed { root: None, ..sealed }, &[1; 32]),
            attestation_commitment(
                &Sealed {
                    root: Some(H256::repeat_byte(7)),
                    ..sealed
                },
                &[1; 32],
            ),
        ];
        let different: alloc::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
        let bytes = [
            &b"agora/attest/1"[..],
            &[1; 32],
            &7u64.to_le_bytes(),
            &[3; 32],
            &claim.encode(),
            &5u64.to_le_bytes(),
            &[0, 1],
            &[8; 32],
            &[1; 32],
        ];
        assert_eq!(all[0], blake2_256(&bytes.concat()).into());
    }

    #[test]
    fn possession_is_shown_of_outputs_that_are_said_to_be_right() {
        let of = |content: &[u8]| Claim::Output {
            output: BlobRef::to(content),
            states_root: H256::zero(),
        };
        assert_eq!(to_be_shown(&of(b"x"), Attestation::Valid), Some(&BlobRef::to(b"x")));
        assert_eq!(to_be_shown(&of(b"x"), Attestation::Invalid), None);
        assert_eq!(to_be_shown(&of(b""), Attestation::Valid), None);
        assert_eq!(to_be_shown(&Claim::Unusable, Attestation::Valid), None);
        assert!(drawn_chunks(SEED, TASK, &1u64, 0).is_empty());
    }

    #[test]
    fn everybody_has_a_seat_where_no_total_is_known_and_nobody_without_a_bond() {
        for who in 0..100u64 {
            let lots = Lots {
                draw: SEED,
                total: 0,
                seats: 1,
            };
            assert!(has_seat(&lots, TASK, &who, 1));
            assert!(!has_seat(&lots, TASK, &who, 0));
        }
    }
}
