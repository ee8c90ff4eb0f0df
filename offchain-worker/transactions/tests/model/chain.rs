//! A small chain with one account and one pool.

use crate::random::Random;
use agora_transactions::{Answer, Attempt, Balance, BlockId, BlockNumber, Book, Hash, Intent, IntentId, Nonce, View};
use std::collections::{BTreeMap, HashMap};

/// A transaction of the account.
#[derive(Clone, Debug)]
pub struct Transaction {
    pub hash: Hash,
    pub nonce: Nonce,
    pub tip: Balance,
    /// The intent that it is for; `None`: of another program with the same key.
    pub of: Option<IntentId>,
    /// On whose state the intent was decided when this was signed.
    pub origin: Option<BlockId>,
    anchor: BlockId,
    last_block: BlockNumber,
    version: u32,
}

#[derive(Clone)]
struct Block {
    id: BlockId,
    transactions: Vec<Transaction>,
}

/// The account's nonce after these blocks.
fn nonce_after(blocks: &[Block]) -> Nonce {
    blocks.iter().map(|block| block.transactions.len() as u64).sum()
}

/// The chain and the pool, and what is wrong with them at the moment.
pub struct Chain {
    blocks: Vec<Block>,
    /// The fork that lost last, to which some node still clings.
    lost: Vec<Block>,
    finalised: usize,
    /// In which blocks of all forks transactions are.
    places: HashMap<Hash, Vec<BlockId>>,
    pool: BTreeMap<Nonce, Transaction>,
    /// What this pool has lost and the pool of another node may still have.
    strays: Vec<Transaction>,
    pub is_full: bool,
    pub is_stalled: bool,
    pub is_poor: bool,
    /// Whether the account has nothing left for tips.
    pub has_no_tips: bool,
    /// The pool takes what is tipped like this even if it is full.
    pub tip_of_full: Balance,
    /// Of the runtime: what was signed for another one is invalid.
    version: u32,
    hashes: u64,
}

impl Chain {
    pub fn new() -> Self {
        let genesis = Block {
            id: BlockId {
                number: 0,
                hash: [9; 32],
            },
            transactions: Vec::new(),
        };
        Self {
            blocks: vec![genesis],
            lost: Vec::new(),
            finalised: 0,
            places: HashMap::new(),
            pool: BTreeMap::new(),
            strays: Vec::new(),
            is_full: false,
            is_stalled: false,
            is_poor: false,
            has_no_tips: false,
            tip_of_full: Balance::MAX,
            version: 0,
            hashes: 0,
        }
    }

    pub fn hash(&mut self) -> Hash {
        self.hashes += 1;
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&self.hashes.to_le_bytes());
        hash
    }

    pub fn best(&self) -> BlockId {
        self.blocks[self.blocks.len() - 1].id
    }

    fn nonce_at(&self, block: usize) -> Nonce {
        nonce_after(&self.blocks[..=block])
    }

    fn nonce(&self) -> Nonce {
        self.nonce_at(self.blocks.len() - 1)
    }

    /// What is signed is known by its hash.
    pub fn transaction(&self, attempt: &Attempt, intent: &Intent) -> Transaction {
        Transaction {
            hash: attempt.hash,
            nonce: attempt.nonce,
            tip: attempt.tip,
            of: Some(intent.id.clone()),
            origin: intent.origin,
            anchor: attempt.anchor,
            last_block: attempt.last_block(),
            version: self.version,
        }
    }

    fn is_valid(&self, transaction: &Transaction) -> bool {
        let anchor = self.blocks.get(transaction.anchor.number as usize);
        transaction.version == self.version
            && anchor.is_some_and(|block| block.id == transaction.anchor)
            && self.best().number < transaction.last_block
    }

    /// Hands a transaction to the pool.
    pub fn send(&mut self, transaction: Transaction) -> Answer {
        if transaction.nonce < self.nonce() {
            return Answer::Stale;
        }
        if !self.is_valid(&transaction) {
            return Answer::Invalid("bad proof".to_owned());
        }
        if self
            .pool
            .get(&transaction.nonce)
            .is_some_and(|known| known.hash == transaction.hash)
        {
            return Answer::Taken;
        }
        if self.is_poor || (self.has_no_tips && transaction.tip > 0) {
            return Answer::CannotPay;
        }
        match self.pool.get(&transaction.nonce) {
            Some(known) if known.hash == transaction.hash => return Answer::Taken,
            Some(known) if known.tip >= transaction.tip => return Answer::Occupied,
            None if self.is_full && transaction.tip < self.tip_of_full => return Answer::Full,
            _ => {}
        }
        self.put(transaction);
        Answer::Taken
    }

    /// Another program with the same key takes the next nonce that the pool does not have, or, through another node,
    /// one that the pool has.
    pub fn send_foreign(&mut self, is_elsewhere: bool) {
        let nonce = if is_elsewhere {
            self.nonce()
        } else {
            self.pool_nonce(self.nonce())
        };
        let transaction = Transaction {
            hash: self.hash(),
            nonce,
            tip: 0,
            of: None,
            origin: None,
            anchor: self.best(),
            last_block: self.best().number + 32,
            version: self.version,
        };
        self.put(transaction);
    }

    fn put(&mut self, transaction: Transaction) {
        self.strays.extend(self.pool.insert(transaction.nonce, transaction));
    }

    pub fn lose_pool(&mut self) {
        self.strays.extend(std::mem::take(&mut self.pool).into_values());
    }

    /// Another node hands out what its pool still has.
    pub fn find_strays(&mut self) {
        for transaction in std::mem::take(&mut self.strays) {
            if transaction.nonce >= self.nonce() && self.is_valid(&transaction) {
                self.pool.entry(transaction.nonce).or_insert(transaction);
            } else if transaction.last_block > self.best().number {
                self.strays.push(transaction);
            }
        }
    }

    pub fn upgrade(&mut self) {
        self.version += 1;
    }

    /// A block with up to `most` transactions.
    pub fn build(&mut self, most: usize) {
        let mut transactions = Vec::new();
        let mut nonce = self.nonce();
        let pool = std::mem::take(&mut self.pool);
        for (of, transaction) in pool {
            if of < nonce || !self.is_valid(&transaction) {
                self.strays.push(transaction);
            } else if of == nonce && transactions.len() < most {
                nonce += 1;
                transactions.push(transaction);
            } else {
                self.pool.insert(of, transaction);
            }
        }
        let id = BlockId {
            number: self.blocks.len() as u32,
            hash: self.hash(),
        };
        for transaction in &transactions {
            self.places.entry(transaction.hash).or_default().push(id);
        }
        self.blocks.push(Block { id, transactions });
    }

    /// Replaces some of the newest blocks by others.
    pub fn reorganise(&mut self, random: &mut Random) {
        let open = self.blocks.len() - 1 - self.finalised;
        if open == 0 {
            return;
        }
        let depth = 1 + random.below(open.min(12));
        self.lost.clone_from(&self.blocks);
        for block in self.blocks.split_off(self.blocks.len() - depth) {
            self.strays.extend(block.transactions);
        }
        if random.one_in(2) {
            self.find_strays();
        }
        for _ in 0..(depth + 1).saturating_sub(random.below(3)) {
            self.build(random.below(3));
        }
    }

    /// Finalises up to `behind` blocks below the best one, and returns what became final.
    pub fn finalise(&mut self, behind: usize) -> Vec<(BlockNumber, Transaction)> {
        let to = (self.blocks.len() - 1).saturating_sub(behind);
        if self.is_stalled || to <= self.finalised {
            return Vec::new();
        }
        let from = std::mem::replace(&mut self.finalised, to) + 1;
        let blocks = &self.blocks[from..=to];
        let all = blocks
            .iter()
            .flat_map(|block| block.transactions.iter().map(|one| (block.id.number, one.clone())));
        all.collect()
    }

    fn pool_nonce(&self, from: Nonce) -> Nonce {
        (from..).find(|nonce| !self.pool.contains_key(nonce)).unwrap_or(from)
    }

    /// What a node shows that is `lag` blocks behind.
    pub fn view(&self, book: &Book, lag: usize) -> View {
        let best = (self.blocks.len() - 1).saturating_sub(lag);
        self.view_of(&self.blocks[..=best], self.finalised, book)
    }

    /// What a node shows that still follows the fork that has lost; `None`: there is none.
    pub fn other_view(&self, book: &Book) -> Option<View> {
        let common = self
            .lost
            .iter()
            .zip(&self.blocks)
            .take_while(|(one, other)| one.id == other.id);
        let common = common.count().checked_sub(1)?;
        Some(self.view_of(&self.lost, self.finalised.min(common), book))
    }

    /// What a node shows that was purged and is at its first blocks again.
    pub fn purged_view(&self, book: &Book, height: usize) -> View {
        let height = height.min(self.blocks.len() - 1);
        self.view_of(&self.blocks[..=height], 0, book)
    }

    fn view_of(&self, blocks: &[Block], finalised: usize, book: &Book) -> View {
        let best = blocks[blocks.len() - 1].id;
        let finalised = finalised.min(blocks.len() - 1);
        let nonce_at_best = nonce_after(blocks);
        let has = |block: BlockId| blocks.get(block.number as usize).is_some_and(|here| here.id == block);
        let mut view = View {
            best,
            finalised: blocks[finalised].id,
            nonce_at_best,
            nonce_at_finalised: nonce_after(&blocks[..=finalised]),
            pool_nonce: self.pool_nonce(nonce_at_best),
            has_final: has(book.finalised()),
            ..View::default()
        };
        for origin in book.origins().into_iter().filter(|origin| origin.number <= best.number) {
            view.origins.insert(origin, has(origin));
        }
        for attempt in book.attempts() {
            for place in self
                .places
                .get(&attempt.hash)
                .into_iter()
                .flatten()
                .filter(|place| has(**place))
            {
                view.places.insert(attempt.hash, *place);
            }
            if attempt.anchor.number <= best.number && !has(attempt.anchor) {
                view.unanchored.insert(attempt.hash);
            }
        }
        view
    }

    /// Whether the block is on the best chain.
    pub fn has(&self, block: BlockId) -> bool {
        self.blocks
            .get(block.number as usize)
            .is_some_and(|here| here.id == block)
    }

    /// Whether the block is final and includes a transaction of the intent.
    pub fn includes(&self, block: BlockId, of: &IntentId) -> bool {
        let number = block.number as usize;
        number <= self.finalised
            && self.blocks[number].id == block
            && self.blocks[number]
                .transactions
                .iter()
                .any(|one| one.of.as_ref() == Some(of))
    }

    pub fn explain(&self) -> String {
        let pool: Vec<_> = self
            .pool
            .values()
            .map(|one| (one.nonce, &one.of, one.last_block, self.is_valid(one)))
            .collect();
        format!(
            "best {}, final {}, nonce {}, pool {pool:?}",
            self.best().number,
            self.finalised,
            self.nonce()
        )
    }
}
