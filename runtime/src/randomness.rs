//! The randomness with which the market draws lots.

use crate::{Runtime, System};
use agora_primitives::judging::Seed;
use codec::Encode;
use frame_support::traits::Randomness;
use pallet_babe::{ParentBlockRandomness, RandomnessFromOneEpochAgo};
use sp_core::H256;
use sp_io::hashing::blake2_256;

/// Separates these hashes from everything else that is hashed.
const DOMAIN: [u8; 12] = *b"agora/seed/1";

/// Encodes as its bytes without a length.
struct RawBytes<'a>(&'a [u8]);

impl Encode for RawBytes<'_> {
    fn size_hint(&self) -> usize {
        self.0.len()
    }
    fn encode_to<O: codec::Output + ?Sized>(&self, to: &mut O) {
        to.write(self.0);
    }
}

/// Randomness from BABE's verifiable random functions, one value per block and subject.
///
/// `blake2_256("agora/seed/1" ‖ vrf ‖ epoch ‖ block number (u32, little endian) ‖ subject)`, where `vrf` is the parent
/// block's output (zeroes when it had none, which only a chain that allows plain secondary slots has) and `epoch` is the
/// randomness of the current epoch, both mixed with the subject by BABE first.
///
/// What it promises: only the parent's author could know it before the parent was published, and that author could not
/// choose it. A validator has exactly one output per slot, and the epoch's randomness fixes it. What it does not
/// promise: the parent's author knows it from the start of the epoch, and can give up the block (and its fees) to have
/// another seed drawn by the next author. A lot drawn with it should therefore be worth less than a block's fees times
/// the number of blocks that one validator can withhold unnoticed, or concern only what was committed to before the
/// epoch began. The hash of the parent block is left out on purpose: its author can vary that at will.
pub struct BabeSeed;

impl Seed for BabeSeed {
    fn seed(subject: &[u8]) -> H256 {
        let (vrf, _) = ParentBlockRandomness::<Runtime>::random(subject);
        let (epoch, _) = RandomnessFromOneEpochAgo::<Runtime>::random(subject);
        (
            DOMAIN,
            vrf.unwrap_or_default(),
            epoch,
            System::block_number(),
            RawBytes(subject),
        )
            .using_encoded(blake2_256)
            .into()
    }
}
