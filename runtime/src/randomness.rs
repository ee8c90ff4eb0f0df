//! The randomness with which the market draws lots.

use crate::{Runtime, System};
use agora_primitives::judging::Seed;
use codec::Encode;
use frame_support::traits::Randomness;
use pallet_babe::{ParentBlockRandomness, RandomnessFromOneEpochAgo};
use sp_core::{H256, sr25519::vrf::VrfPreOutput};
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
/// `blake2_256("agora/seed/1" ‖ vrf ‖ own ‖ epoch ‖ block number (u32, little endian) ‖ subject)`, where `vrf` is the parent
/// block's output (zeroes when it had none, which only a chain that allows plain secondary slots has), `own` is the same of the
/// block itself, before it is hashed (`None` in the same case), and `epoch` is the randomness of the current epoch; the first and
/// the last are mixed with the subject by BABE first.
///
/// What it promises: whoever makes a call cannot know the seed of the block that takes it, because that block's own output is
/// not published yet. And no validator alone knows a seed before both blocks are made: the parent's author does not know the
/// block's output, and the block's author did not know the parent's while the parent could still take calls. Neither can choose
/// its output: a validator has exactly one per slot, and the epoch's randomness fixes it.
///
/// What it does not promise: the block's author knows the seed before it publishes, and can give up the block (and its fees) to
/// have another one drawn by the next author: one bit. A validator that makes two blocks in a row, which happens in
/// proportion to the square of its share, knows the seed of the second while it makes the first. A lot that is drawn with it
/// should therefore be worth less than a block's fees times the number of blocks that one validator can withhold unnoticed.
/// The hash of the parent block is left out on purpose: its author can vary that at will.
pub struct BabeSeed;

/// What the author of this block had to sign for its slot: unique, and unknown to anybody else before. `None` outside of a
/// block, and for a block without one.
fn own_output() -> Option<VrfPreOutput> {
    let digest = pallet_babe::Initialized::<Runtime>::get().flatten()?;
    digest.vrf_signature().map(|signature| signature.pre_output.clone())
}

impl Seed for BabeSeed {
    fn seed(subject: &[u8]) -> H256 {
        let (vrf, _) = ParentBlockRandomness::<Runtime>::random(subject);
        let (epoch, _) = RandomnessFromOneEpochAgo::<Runtime>::random(subject);
        (
            DOMAIN,
            vrf.unwrap_or_default(),
            own_output(),
            epoch,
            System::block_number(),
            RawBytes(subject),
        )
            .using_encoded(blake2_256)
            .into()
    }
}
