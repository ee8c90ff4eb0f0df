//! Accusations: committed to by a hash, revealed when nobody can copy them any more.

use crate::{Error, Terms, Time};
use agora_jobs::{ChunkProof, Claim, H256, StateOpening};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_crypto_hashing::blake2_256;

/// What commitments begin with.
const COMMIT: &[u8] = b"agora/accuse/1";
/// What identities of accusations begin with.
const ACCUSATION: &[u8] = b"agora/accusation/1";

/// What is wrong with a claim.
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// A state before the output: which one is found in a descent from the states root.
    States,
    /// The output: where is found in a descent from its digest.
    Output,
    /// A chunk of a state that is published.
    Chunk {
        /// Shows the digest of the state.
        state: StateOpening,
        /// Shows the chunk.
        chunk: ChunkProof,
    },
    /// What it says of the inputs: that they are usable, or that they are not.
    Inputs,
}

/// An accusation.
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Accusation {
    /// The claim that is wrong.
    pub accused: Claim,
    /// What is wrong with it.
    pub target: Target,
    /// The claim that the accuser makes itself, if it makes one.
    pub own: Option<Claim>,
}

impl Accusation {
    /// What it is known by. Those that are equal share what is won.
    pub fn id(&self) -> H256 {
        self.using_encoded(|bytes| blake2_256(&[ACCUSATION, bytes].concat()).into())
    }
}

/// `H("agora/accuse/1" ‖ genesis ‖ u64 case ‖ account ‖ accusation's identity ‖ salt)`: nobody but `account` can reveal it, and nobody can
/// copy what is in it.
///
/// `account` is 32 bytes.
pub fn commitment(genesis: &H256, case: u64, account: &[u8; 32], accusation: &Accusation, salt: &[u8; 32]) -> H256 {
    let id = accusation.id();
    blake2_256(&[COMMIT, &genesis.0, &case.to_le_bytes(), account, &id.0, salt].concat()).into()
}

/// An accusation that is committed to.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Commitment {
    /// [`commitment`].
    pub hash: H256,
}

impl Commitment {
    /// Commits, in a window that began at block `opened`.
    ///
    /// Errors: `NotNow`.
    pub fn new(hash: H256, opened: u64, terms: &Terms, now: Time) -> Result<Self, Error> {
        let is_open = now.block >= opened && now.block < opened.saturating_add(terms.commit);
        is_open.then_some(Self { hash }).ok_or(Error::NotNow)
    }

    /// Checks that it may be revealed, and is `expected`, the [`commitment`] to what is revealed.
    ///
    /// Errors: `Early` while others may commit, `NotNow` when it is too late, `NotCommitted`.
    pub fn reveal(&self, expected: H256, opened: u64, terms: &Terms, now: Time) -> Result<(), Error> {
        let closed = opened.saturating_add(terms.commit);
        if now.block < closed {
            return Err(Error::Early);
        }
        if now.block >= closed.saturating_add(terms.reveal) {
            return Err(Error::NotNow);
        }
        (self.hash == expected).then_some(()).ok_or(Error::NotCommitted)
    }
}
