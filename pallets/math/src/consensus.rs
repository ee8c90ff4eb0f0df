//! Agreement among replicas, weighted by confidence.
//!
//! Several workers compute the same job without knowing of each other's results. Each result weighs by the confidence
//! that its worker has earned, the weights of equal results multiply, and one group of equal results is believed when
//! it outweighs all the others by as much as the publisher asked for. This is the rule of iExec's Proof of
//! Contribution (PoCo).
//!
//! Terms: an *answer* is one worker's result; a *group* is the answers with one and the same claim; *trust* is the
//! threshold: at most one in `trust` agreements is expected to be wrong.
//!
//! Never done here: anything that depends on the order in which answers arrive. Between equals, the commit block decides
//! first and a lot second.

use alloc::vec::Vec;
use codec::Encode;
use sp_crypto_hashing::blake2_256;

/// The lowest threshold with which at most one group can win; anything below counts as this.
pub const MIN_TRUST: u32 = 2;

/// One worker's revealed result.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer<Account, Claim, Block> {
    /// Whose it is.
    pub worker: Account,
    /// What it says the result is.
    pub claim: Claim,
    /// When it was committed to.
    pub committed_at: Block,
    /// The worker's confidence score when it is judged: see [`weight`].
    pub confidence: u32,
}

/// What was agreed on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict<Account, Claim> {
    /// The result that is believed.
    pub claim: Claim,
    /// The worker with the best right answer: committed in the earliest block; lots are drawn within a block.
    pub best: Account,
}

/// Weighs a worker by its confidence score: `max(⌊score / 3⌋, 3) − 1`, so at least 2.
///
/// Source: iExec, Proof of Contribution, section "Worker's weight".
pub const fn weight(score: u32) -> u32 {
    let third = score.wrapping_div(3);
    if third > 3 { third.wrapping_sub(1) } else { 2 }
}

/// Weight of a group: the product of its members' weights, 1 for an empty group.
///
/// Saturates at [`u128::MAX`]. Since no weight is below 2, the saturated product is still independent of the order of
/// the factors. See [`outweighs`] for what saturation does to the decision.
pub fn group_weight(scores: impl IntoIterator<Item = u32>) -> u128 {
    scores
        .into_iter()
        .fold(1, |product, score| product.saturating_mul(weight(score).into()))
}

/// Whether a group of weight `group` is believed against all other groups, whose weights sum up to `others`.
///
/// PoCo asks for `group · trust > (1 + total) · (trust − 1)` where `total = group + others`. Subtracting
/// `group · (trust − 1)` from both sides leaves `group > (1 + others) · (trust − 1)`, which is what is computed.
///
/// Saturation: `group` and `others` may have been capped at [`u128::MAX`], and the right-hand side is capped there too.
/// A right-hand side at the cap is never exceeded, and one below the cap was computed from exact numbers; a capped
/// `group` is smaller than the real one. So "yes" is always exact, and a wrong "no" needs others that weigh at least
/// 2⁹⁶: then more replicas are drawn, which is the safe side.
///
/// At most one group passes. Proof: let groups g and h both pass with `trust ≥ 2`. Then
/// `g > (1 + others of g) · (trust − 1) ≥ 1 + h > h`, and likewise `h > g`: a contradiction.
pub const fn outweighs(group: u128, others: u128, trust: u32) -> bool {
    let trust = if trust < MIN_TRUST { MIN_TRUST } else { trust };
    group > others.saturating_add(1).saturating_mul(trust.wrapping_sub(1) as u128)
}

/// The lot of an account: the lowest one wins. `blake2_256(seed ‖ SCALE encoding of the account)`.
pub fn lot<Account: Encode>(seed: &[u8; 32], account: &Account) -> [u8; 32] {
    (seed, account).using_encoded(blake2_256)
}

/// Finds the group that is believed, or `None` if no group outweighs the others by enough (yet).
///
/// The verdict depends on the set of `answers`, on `trust` and on `seed`, never on the order of the answers.
///
/// Requires: each worker has at most one answer. Complexity: O(n log n) comparisons and n hashes.
pub fn verdict<Account, Claim, Block>(
    trust: u32,
    seed: &[u8; 32],
    answers: &[Answer<Account, Claim, Block>],
) -> Option<Verdict<Account, Claim>>
where
    Account: Encode + Clone,
    Claim: Ord + Clone,
    Block: Ord,
{
    let claim = believed(trust, answers)?;
    let right = answers.iter().filter(|answer| answer.claim == *claim);
    // Equal lots are a hash collision; then the encoded accounts decide.
    let best = right.min_by_key(|&answer| {
        let worker = &answer.worker;
        (&answer.committed_at, lot(seed, worker), worker.encode())
    })?;
    Some(Verdict {
        claim: claim.clone(),
        best: best.worker.clone(),
    })
}

/// The claim of the group that outweighs all others by enough.
fn believed<Account, Claim: Ord, Block>(trust: u32, answers: &[Answer<Account, Claim, Block>]) -> Option<&Claim> {
    let mut sorted: Vec<_> = answers.iter().collect();
    sorted.sort_by(|a, b| a.claim.cmp(&b.claim));
    let groups: Vec<(&Claim, u128)> = sorted
        .chunk_by(|a, b| a.claim == b.claim)
        .filter_map(|group| {
            Some((
                &group.first()?.claim,
                group_weight(group.iter().map(|answer| answer.confidence)),
            ))
        })
        .collect();
    // Only the heaviest group can pass. Where there are several equally heavy ones, none does: whichever is tried has
    // others that weigh as much as itself.
    let (heaviest, weight) = *groups.iter().max_by_key(|(_, weight)| *weight)?;
    let others = groups
        .iter()
        .filter(|(claim, _)| *claim != heaviest)
        .fold(0u128, |sum, (_, weight)| sum.saturating_add(*weight));
    outweighs(weight, others, trust).then_some(heaviest)
}

#[cfg(test)]
mod tests;
