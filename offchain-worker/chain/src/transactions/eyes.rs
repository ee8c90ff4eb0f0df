//! Looks at the chain for attempts.

use crate::{AccountId, BlockNumber, BlockRef, ChainError, Client, H256, nodes::Node};
use agora_transactions::{Attempt, BlockId, Hash, Nonce, View};
use codec::Decode;
use futures::{StreamExt, TryStreamExt, stream};
use sp_runtime::traits::{BlakeTwo256, Hash as _};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque},
    time::Duration,
};
use subxt::config::Header;
use tokio::time::Instant;

/// Of how many blocks the transactions are remembered.
const REMEMBERED: usize = 512;
/// How often a look is taken again because the chain went on.
const TRIES: usize = 5;
/// How many questions are asked at the same time.
const AT_ONCE: usize = 16;
/// How long a look may take.
const ANSWER: Duration = Duration::from_secs(15);
/// What was seen so lately need not be seen again: on a far node another look would take as long.
const FRESH_FOR: Duration = Duration::from_millis(250);

/// What is looked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Brief {
    hash: Hash,
    nonce: Nonce,
    anchor: BlockId,
    last_block: BlockNumber,
}

impl Brief {
    pub fn of(attempt: &Attempt) -> Self {
        Self {
            hash: attempt.hash,
            nonce: attempt.nonce,
            anchor: attempt.anchor,
            last_block: attempt.last_block(),
        }
    }
}

/// What a look is to tell of.
#[derive(Clone, Copy)]
pub(super) struct Sought<'a> {
    pub briefs: &'a [Brief],
    /// This was final in an earlier view.
    pub known: BlockId,
    /// Whether these are on the best chain.
    pub origins: &'a BTreeSet<BlockId>,
    /// Whether the heads that were seen just now will do.
    pub may_be_old: bool,
}

/// Looks at the chain, and remembers what cannot change.
#[derive(Default)]
pub(super) struct Eyes {
    bodies: HashMap<H256, Vec<Hash>>,
    order: VecDeque<H256>,
    places: HashMap<Hash, BlockId>,
    /// Hashes of the best chain's blocks, as far as they were asked for.
    canonical: BTreeMap<BlockNumber, H256>,
    /// How often it was asked which block has a number, which changes with the fork.
    asked: u64,
    last: Option<(View, Vec<Brief>, BTreeSet<BlockId>)>,
    /// When the node was last asked how far the chain is.
    asked_at: Option<Instant>,
}

fn moved() -> ChainError {
    ChainError::Node("the chain changed while it was looked at".to_owned())
}

/// The hash of a transaction as it is in a block.
pub(super) fn hash_of(transaction: &[u8]) -> Hash {
    BlakeTwo256::hash(transaction).0
}

impl Eyes {
    /// The heads and the pool's nonce of the last look, if it was just now.
    fn seen_just_now(&self) -> Option<(H256, H256, Nonce)> {
        let is_fresh = self.asked_at?.elapsed() < FRESH_FOR;
        let (view, ..) = self.last.as_ref().filter(|_| is_fresh)?;
        Some((H256(view.finalised.hash), H256(view.best.hash), view.pool_nonce))
    }

    /// What the node that is used shows.
    pub async fn look(&mut self, client: &Client, account: &AccountId, sought: Sought<'_>) -> Result<View, ChainError> {
        let node = client.nodes.current().await?;
        let looked = tokio::time::timeout(ANSWER, async {
            for _ in 0..TRIES {
                if let Some(view) = self.try_look(&node, account, sought).await? {
                    let BlockId { number, hash } = view.finalised;
                    let hash = H256(hash);
                    client.nodes.see_final(BlockRef { number, hash });
                    return Ok(view);
                }
            }
            Err(moved())
        });
        let late = |_| ChainError::Disconnected(format!("no answer within {} s", ANSWER.as_secs()));
        looked.await.map_err(late)?
    }

    /// `None`: another fork became the best one meanwhile.
    async fn try_look(
        &mut self,
        node: &Node,
        account: &AccountId,
        sought: Sought<'_>,
    ) -> Result<Option<View>, ChainError> {
        let Sought {
            briefs,
            known,
            origins,
            may_be_old,
        } = sought;
        // What does not depend on an answer is asked at once: a far node takes its time for each.
        let legacy = &node.legacy;
        let seen = if may_be_old { self.seen_just_now() } else { None };
        let (finalised, best, pool_nonce) = match seen {
            Some(seen) => seen,
            None => {
                let asked_at = Instant::now();
                let (finalised, best, pool_nonce) = tokio::try_join!(
                    legacy.chain_get_finalized_head(),
                    legacy.chain_get_block_hash(None),
                    legacy.system_account_next_index(account),
                )?;
                self.asked_at = Some(asked_at);
                (finalised, best.ok_or_else(moved)?, pool_nonce)
            }
        };
        if let Some((view, of, with)) = &self.last
            && (view.best.hash, view.finalised.hash) == (best.0, finalised.0)
            && of == briefs
            && with == origins
        {
            return Ok(Some(View {
                pool_nonce,
                ..view.clone()
            }));
        }
        let asked = self.asked;
        let last = self.last.as_ref().map(|(view, ..)| view);
        let mut view = match last.filter(|last| (last.best.hash, last.finalised.hash) == (best.0, finalised.0)) {
            Some(last) => View {
                best: last.best,
                finalised: last.finalised,
                nonce_at_best: last.nonce_at_best,
                nonce_at_finalised: last.nonce_at_finalised,
                ..View::default()
            },
            None => {
                let ((best, parent), (finalised, _), nonce_at_best, nonce_at_finalised) = tokio::try_join!(
                    block(node, best),
                    block(node, finalised),
                    nonce_at(node, account, best),
                    nonce_at(node, account, finalised),
                )?;
                self.check_canonical(node, best, parent).await?;
                View {
                    best,
                    finalised,
                    nonce_at_best,
                    nonce_at_finalised,
                    ..View::default()
                }
            }
        };
        view.pool_nonce = pool_nonce;
        if view.finalised.number < known.number {
            self.ask_hashes(node, BTreeSet::from([known.number])).await?;
            view.has_final = self.is_canonical(known);
        }
        self.find_origins(node, origins, &mut view).await?;
        self.find(node, briefs, &mut view).await?;
        // If it is still the best chain, it was all the time, and all of this is of one chain. What was asked by hash alone is.
        let is_of_one_chain =
            self.asked == asked || node.legacy.chain_get_block_hash(Some(view.best.number.into())).await? == Some(best);
        if !is_of_one_chain || view.finalised.number > view.best.number {
            self.canonical.clear();
            return Ok(None);
        }
        let wanted: HashSet<Hash> = briefs.iter().map(|brief| brief.hash).collect();
        self.places.retain(|hash, _| wanted.contains(hash));
        let anchors = briefs.iter().map(|brief| brief.anchor.number);
        let oldest = anchors.chain(origins.iter().map(|origin| origin.number)).min();
        self.canonical = self.canonical.split_off(&oldest.unwrap_or(view.best.number));
        self.last = Some((view.clone(), briefs.to_vec(), origins.clone()));
        Ok(Some(view))
    }

    /// Forgets the blocks that are not on the chain of `best`, whose `parent` has this hash: those above the newest one that
    /// still is.
    async fn check_canonical(&mut self, node: &Node, best: BlockId, parent: H256) -> Result<(), ChainError> {
        self.canonical.split_off(&best.number);
        let mut dropped = 1_u32;
        while let Some((&number, &hash)) = self.canonical.last_key_value() {
            if (number.saturating_add(1), hash) == (best.number, parent) {
                break;
            }
            self.asked += 1;
            if node.legacy.chain_get_block_hash(Some(number.into())).await? == Some(hash) {
                break;
            }
            // A short fork costs few questions, and a long one not many more.
            for _ in 0..dropped {
                self.canonical.pop_last();
            }
            dropped = dropped.saturating_mul(2).min(1024);
        }
        self.canonical.insert(best.number, H256(best.hash));
        Ok(())
    }

    fn is_canonical(&self, block: BlockId) -> bool {
        self.canonical.get(&block.number) == Some(&H256(block.hash))
    }

    /// Finds out which of `origins` are on the best chain. Nothing is said of those that this node may not know yet.
    async fn find_origins(
        &mut self,
        node: &Node,
        origins: &BTreeSet<BlockId>,
        view: &mut View,
    ) -> Result<(), ChainError> {
        let known = origins.iter().filter(|origin| origin.number <= view.best.number);
        let numbers = known.clone().map(|origin| origin.number).collect();
        self.ask_hashes(node, numbers).await?;
        view.origins = known.map(|origin| (*origin, self.is_canonical(*origin))).collect();
        Ok(())
    }

    /// Finds the attempts on the best chain. What there is to ask is asked at once, not for one attempt after another.
    async fn find(&mut self, node: &Node, briefs: &[Brief], view: &mut View) -> Result<(), ChainError> {
        let best = view.best.number;
        let is_used = |brief: &&Brief| brief.nonce < view.nonce_at_best;
        let known = briefs
            .iter()
            .filter(is_used)
            .filter_map(|brief| self.places.get(&brief.hash));
        let known = known
            .map(|place| place.number)
            .filter(|number| *number <= best)
            .collect();
        self.ask_hashes(node, known).await?;
        let mut open = Vec::new();
        for brief in briefs {
            match self.places.get(&brief.hash) {
                // Its anchor comes before it, so it is there too.
                Some(place) if is_used(&brief) && self.is_canonical(*place) => {
                    view.places.insert(brief.hash, *place);
                }
                // Else the node is behind.
                _ if brief.anchor.number <= best => open.push(brief),
                _ => {}
            }
        }
        let anchors = open.iter().map(|brief| brief.anchor.number).collect();
        self.ask_hashes(node, anchors).await?;
        let is_used = |brief: &Brief| brief.nonce < view.nonce_at_best;
        let (anchored, lost): (Vec<_>, Vec<_>) = open.into_iter().partition(|brief| self.is_canonical(brief.anchor));
        view.unanchored.extend(lost.iter().map(|brief| brief.hash));
        let sought: Vec<_> = anchored.into_iter().filter(|brief| is_used(brief)).collect();
        let blocks = |brief: &Brief| brief.anchor.number.saturating_add(1)..=best.min(brief.last_block);
        let numbers: BTreeSet<_> = sought.iter().flat_map(|brief| blocks(brief)).collect();
        self.ask_hashes(node, numbers.clone()).await?;
        self.ask_bodies(node, &numbers).await?;
        for brief in sought {
            for number in blocks(brief) {
                let hash = *self.canonical.get(&number).ok_or_else(moved)?;
                if self.body(node, hash).await?.contains(&brief.hash) {
                    let place = BlockId { number, hash: hash.0 };
                    self.places.insert(brief.hash, place);
                    view.places.insert(brief.hash, place);
                    break;
                }
            }
        }
        Ok(())
    }

    /// Asks for the hashes of those blocks of the best chain that are not known.
    async fn ask_hashes(&mut self, node: &Node, numbers: BTreeSet<BlockNumber>) -> Result<(), ChainError> {
        let missing: Vec<_> = numbers
            .into_iter()
            .filter(|number| !self.canonical.contains_key(number))
            .collect();
        self.asked += missing.len() as u64;
        let asked = stream::iter(missing).map(|number| async move {
            let hash = node.legacy.chain_get_block_hash(Some(number.into())).await?;
            Ok::<_, ChainError>(hash.map(|hash| (number, hash)))
        });
        let found: Vec<_> = asked.buffer_unordered(AT_ONCE).try_collect().await?;
        self.canonical.extend(found.into_iter().flatten());
        Ok(())
    }

    /// Asks for the transactions of those blocks that are not remembered.
    async fn ask_bodies(&mut self, node: &Node, numbers: &BTreeSet<BlockNumber>) -> Result<(), ChainError> {
        let hashes = numbers.iter().filter_map(|number| self.canonical.get(number).copied());
        let missing: Vec<_> = hashes
            .filter(|hash| !self.bodies.contains_key(hash))
            .take(REMEMBERED)
            .collect();
        let asked =
            stream::iter(missing).map(|hash| async move { Ok::<_, ChainError>((hash, body_of(node, hash).await?)) });
        let found: Vec<_> = asked.buffer_unordered(AT_ONCE).try_collect().await?;
        for (hash, body) in found {
            self.remember(hash, body);
        }
        Ok(())
    }

    fn remember(&mut self, block: H256, hashes: Vec<Hash>) {
        self.bodies.insert(block, hashes);
        self.order.push_back(block);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.bodies.remove(&oldest);
        }
    }

    /// The hashes of a block's transactions.
    async fn body(&mut self, node: &Node, block: H256) -> Result<&[Hash], ChainError> {
        if !self.bodies.contains_key(&block) {
            let hashes = body_of(node, block).await?;
            self.remember(block, hashes);
        }
        Ok(self.bodies.get(&block).map_or(&[], Vec::as_slice))
    }
}

/// The hashes of a block's transactions.
///
/// Errors: the node does not have it.
pub(super) async fn body_of(node: &Node, block: H256) -> Result<Vec<Hash>, ChainError> {
    let details = node.legacy.chain_get_block(Some(block)).await?;
    let details = details.ok_or_else(|| ChainError::Node(format!("it does not have block {block:?}")))?;
    Ok(details.block.extrinsics.iter().map(|bytes| hash_of(bytes)).collect())
}

/// The block, and the hash of the one before it.
async fn block(node: &Node, hash: H256) -> Result<(BlockId, H256), ChainError> {
    let header = node.legacy.chain_get_header(Some(hash)).await?.ok_or_else(moved)?;
    let number = BlockNumber::try_from(header.number()).map_err(|_| moved())?;
    Ok((BlockId { number, hash: hash.0 }, header.parent_hash))
}

async fn nonce_at(node: &Node, account: &AccountId, block: H256) -> Result<Nonce, ChainError> {
    let bytes = node
        .legacy
        .state_call("AccountNonceApi_account_nonce", Some(&account.0), Some(block))
        .await?;
    let nonce = u32::decode(&mut &bytes[..]);
    let nonce = nonce.map_err(|error| ChainError::Incompatible(format!("its nonces are of another form: {error}")))?;
    Ok(nonce.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nodes::mock::{MockNode, lone_node};

    const BEST: BlockNumber = 1000;

    fn block(mock: &MockNode, number: BlockNumber) -> BlockId {
        let hash = mock.chain().hash(number).0;
        BlockId { number, hash }
    }

    #[tokio::test]
    async fn many_included_attempts_are_found_fast_and_a_second_look_asks_almost_nothing() {
        let (mock, node) = lone_node(BEST, BEST - 3, Duration::from_millis(50));
        let briefs: Vec<Brief> = (0..200)
            .map(|number| Brief {
                hash: [number as u8; 32],
                nonce: number,
                anchor: block(&mock, 500 + number as BlockNumber),
                last_block: 2000,
            })
            .collect();
        let mut eyes = Eyes::default();
        for brief in &briefs {
            eyes.places.insert(brief.hash, block(&mock, brief.anchor.number + 2));
        }
        let best = block(&mock, BEST);
        let mut view = View {
            best,
            nonce_at_best: 300,
            ..View::default()
        };
        let looked = async {
            eyes.check_canonical(&node, best, H256::zero()).await?;
            eyes.find(&node, &briefs, &mut view).await
        };
        tokio::time::timeout(Duration::from_secs(5), looked)
            .await
            .expect("in time")
            .expect("it answers");
        assert_eq!((view.places.len(), view.unanchored.len()), (200, 0));
        let before = mock.asked();
        eyes.check_canonical(&node, best, H256::zero())
            .await
            .expect("it answers");
        eyes.find(&node, &briefs, &mut view).await.expect("it answers");
        assert_eq!(mock.asked() - before, 1);
        // Another fork: all that is above the first block is gone.
        mock.change(|chain| chain.fork = 1);
        let best = block(&mock, BEST);
        let mut view = View {
            best,
            nonce_at_best: 0,
            ..View::default()
        };
        eyes.check_canonical(&node, best, H256::zero())
            .await
            .expect("it answers");
        eyes.find(&node, &briefs, &mut view).await.expect("it answers");
        assert_eq!((view.places.len(), view.unanchored.len()), (0, 200));
    }

    #[tokio::test]
    async fn what_was_seen_just_now_serves_what_is_decided_upon_it() {
        let (mock, node) = lone_node(BEST, BEST - 3, Duration::ZERO);
        let account = AccountId([1; 32]);
        let (origins, nothing) = (BTreeSet::from([block(&mock, BEST)]), BTreeSet::new());
        let look = async |eyes: &mut Eyes, origins, may_be_old| {
            let before = mock.asked();
            let sought = Sought {
                briefs: &[],
                known: BlockId::default(),
                origins,
                may_be_old,
            };
            let looked = eyes.try_look(&node, &account, sought).await;
            let view = looked.expect("it answers").expect("there is one chain");
            (mock.asked() - before, view)
        };
        let mut eyes = Eyes::default();
        assert!(look(&mut eyes, &nothing, true).await.0 > 3, "nothing was seen before");
        // However slow this machine is.
        eyes.asked_at = Some(Instant::now() + ANSWER);
        let (asked, view) = look(&mut eyes, &origins, true).await;
        assert_eq!(asked, 0);
        assert_eq!(view.origins, BTreeMap::from([(block(&mock, BEST), true)]));
        assert_eq!(
            look(&mut eyes, &origins, false).await.0,
            3,
            "whoever waits for a block asks"
        );
        eyes.asked_at = Instant::now().checked_sub(FRESH_FOR);
        assert_eq!(look(&mut eyes, &origins, true).await.0, 3, "that was long ago");
    }

    #[tokio::test]
    async fn an_origin_is_found_on_its_fork_alone_and_nothing_is_said_of_what_a_node_does_not_have() {
        let (mock, node) = lone_node(BEST, BEST - 3, Duration::ZERO);
        let old = block(&mock, BEST - 10);
        let ahead = BlockId {
            number: BEST + 1,
            hash: [1; 32],
        };
        let origins = BTreeSet::from([old, ahead]);
        let mut eyes = Eyes::default();
        for is_there in [true, false] {
            mock.change(|chain| chain.fork = u8::from(!is_there));
            let best = block(&mock, BEST);
            let mut view = View {
                best,
                ..View::default()
            };
            eyes.check_canonical(&node, best, H256::zero())
                .await
                .expect("it answers");
            eyes.find_origins(&node, &origins, &mut view).await.expect("it answers");
            assert_eq!(view.origins, BTreeMap::from([(old, is_there)]));
        }
    }

    #[tokio::test]
    async fn a_block_after_one_that_is_known_needs_no_question_and_one_of_another_fork_does() {
        let (mock, node) = lone_node(BEST, BEST - 3, Duration::ZERO);
        let mut eyes = Eyes::default();
        let (parent, best) = (block(&mock, BEST - 1), block(&mock, BEST));
        eyes.check_canonical(&node, parent, H256::zero())
            .await
            .expect("it answers");
        let (before, asked) = (mock.asked(), eyes.asked);
        eyes.check_canonical(&node, best, H256(parent.hash))
            .await
            .expect("it answers");
        assert_eq!((mock.asked(), eyes.asked), (before, asked));
        assert!(eyes.is_canonical(parent) && eyes.is_canonical(best));
        mock.change(|chain| chain.fork = 1);
        let other = block(&mock, BEST);
        let other_parent = H256(block(&mock, BEST - 1).hash);
        eyes.check_canonical(&node, other, other_parent)
            .await
            .expect("it answers");
        assert!(eyes.asked > asked);
        assert!(eyes.is_canonical(other) && !eyes.is_canonical(parent));
    }
}
