//! The commitment to a result that a worker publishes before it reveals the result.

use crate::{ids::TaskId, job::Claim};
use codec::Encode;
use sp_core::H256;
use sp_crypto_hashing::blake2_256;

/// Separates commitments from everything else that is hashed; the last byte counts versions.
pub const COMMIT_DOMAIN: [u8; 14] = *b"agora/commit/2";

/// A worker's secret, 32 random bytes per task.
pub type Salt = [u8; 32];

/// Commits to a claim.
///
/// `blake2_256("agora/commit/2" ‖ genesis ‖ task (u64, little endian) ‖ account ‖ SCALE of the claim ‖ salt)`.
/// The account is in it so that nobody can commit to somebody else's commitment, the salt so that nobody can try out
/// all possible results where there are few, the genesis hash so that it is of no use on another chain.
pub fn commitment<AccountId: Encode>(
    genesis: H256,
    task: TaskId,
    account: &AccountId,
    claim: &Claim,
    salt: &Salt,
) -> H256 {
    (COMMIT_DOMAIN, genesis, task, account, claim, salt)
        .using_encoded(blake2_256)
        .into()
}
