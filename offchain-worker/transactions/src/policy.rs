//! What an operator decides about transactions.

use crate::{Balance, BlockNumber};

/// The shortest life that the chain knows, in blocks.
pub(crate) const SHORTEST_LIFE: u32 = 4;

/// What an operator decides about transactions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    /// Life of an attempt, in blocks: a power of two, 4 to 4096. Shorter where a deadline comes first.
    pub life: u32,
    /// How many intents have a nonce and are in no block at a time.
    pub in_flight: usize,
    /// Blocks after which an attempt that pools have and blocks do not is sent again: a node may have lost it.
    pub resend_after: BlockNumber,
    /// Blocks that the first in line waits before its tip is raised.
    pub stuck_after: BlockNumber,
    /// The first tip, in plancks. Each further one is double.
    pub first_tip: Balance,
    /// The largest tip, in plancks; 0: no tips.
    pub max_tip: Balance,
    /// How often an attempt that no node finds valid is signed anew. An upgrade of the runtime makes attempts invalid.
    pub renewals: u32,
    /// For how many blocks after it is final an intent is remembered, so that one of the same name is not sent again.
    pub remember: BlockNumber,
    /// An encoded call that does nothing, for nonces that would keep others waiting.
    pub filler: Vec<u8>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            life: 64,
            in_flight: 64,
            resend_after: 4,
            stuck_after: 10,
            first_tip: 1_000_000,
            max_tip: 10_000_000_000,
            renewals: 2,
            remember: 1024,
            filler: Vec::new(),
        }
    }
}

impl Policy {
    /// How long an attempt anchored at `now` lives if the intent is worth nothing after `deadline`: the longest life
    /// that ends in time, or the shortest that there is.
    pub(crate) fn life_until(&self, now: BlockNumber, deadline: Option<BlockNumber>) -> u32 {
        let mut life = self.life.max(SHORTEST_LIFE);
        let ends = |life: u32| now.saturating_add(life - 1);
        while life > SHORTEST_LIFE && deadline.is_some_and(|deadline| ends(life) > deadline) {
            life /= 2;
        }
        life
    }

    /// The tip after `tip`; `None`: that is the largest.
    pub(crate) fn raised(&self, tip: Balance) -> Option<Balance> {
        let raised = tip.saturating_mul(2).max(self.first_tip).min(self.max_tip);
        (raised > tip).then_some(raised)
    }
}
