//! Something that there is a certain amount of, such as memory: who needs it most takes first. And a lane for each size of work, so that
//! what takes days holds up nothing that takes seconds.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::oneshot;

/// An amount that is shared. Cheap to clone; clones share it.
#[derive(Clone)]
pub(crate) struct Turns(Arc<Mutex<State>>);

struct State {
    all: u64,
    free: u64,
    next_number: u64,
    /// Those who wait, the first in line first: by rank, then by arrival.
    waiting: BTreeMap<(u64, u64), (u64, oneshot::Sender<Turn>)>,
}

/// A part of the amount that somebody has. Dropped, it is free again.
pub(crate) struct Turn {
    turns: Turns,
    amount: u64,
}

impl Turns {
    /// So much of it.
    pub fn new(all: u64) -> Self {
        Self(Arc::new(Mutex::new(State {
            all,
            free: all,
            next_number: 0,
            waiting: BTreeMap::new(),
        })))
    }

    /// Waits for `amount` of it, behind those with a lower rank. Who wants more than there is gets all of it.
    pub async fn take(&self, rank: u64, amount: u64) -> Turn {
        let (give, given) = oneshot::channel();
        {
            let mut state = self.lock();
            let place = (rank, state.next_number);
            state.next_number += 1;
            let amount = amount.min(state.all);
            state.waiting.insert(place, (amount, give));
        }
        self.serve();
        match given.await {
            Ok(turn) => turn,
            // Nobody drops a sender without sending.
            Err(_) => std::future::pending().await,
        }
    }

    /// Gives what is free to those who wait. Nobody overtakes the first in line, whose turn would never come else.
    fn serve(&self) {
        loop {
            let (give, turn) = {
                let mut state = self.lock();
                let Some(first) = state.waiting.first_entry() else {
                    return;
                };
                let amount = first.get().0;
                if first.get().1.is_closed() {
                    first.remove();
                    continue;
                }
                if amount > state.free {
                    return;
                }
                let Some((_, (amount, give))) = state.waiting.pop_first() else {
                    return;
                };
                state.free -= amount;
                let turns = self.clone();
                (give, Turn { turns, amount })
            };
            // Who waited may have gone: then it is dropped here, and the next one is served.
            let _ = give.send(turn);
        }
    }

    /// How much of it is free.
    #[cfg(test)]
    pub fn free(&self) -> u64 {
        self.lock().free
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.turns.lock().free += self.amount;
        self.turns.serve();
    }
}

/// One computation of each size at a time: of sizes that are further apart than [`Lanes::RATIO`], the larger never holds up the smaller. There
/// are not many sizes, so there are not many computations.
#[derive(Default)]
pub(crate) struct Lanes(Mutex<HashMap<u32, Turns>>);

impl Lanes {
    /// The largest of one lane has less than so many times the work of the smallest.
    pub const RATIO: u128 = 16;

    /// Waits for the lane of `work`, behind those in it with a lower rank.
    pub async fn take(&self, work: u128, rank: u64) -> Turn {
        let lane = {
            let mut lanes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            lanes.entry(Self::lane(work)).or_insert_with(|| Turns::new(1)).clone()
        };
        lane.take(rank, 1).await
    }

    fn lane(work: u128) -> u32 {
        work.checked_ilog(Self::RATIO).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn large_work_holds_up_large_work_alone() {
        let lanes = Lanes::default();
        let large = lanes.take(1 << 60, 0).await;
        let _small = lanes.take(1 << 20, u64::MAX).await;
        // What is as large waits, the earlier deadline first.
        let mut late = Box::pin(lanes.take((1 << 60) + 1, 7));
        let mut early = Box::pin(lanes.take((1 << 61) - 1, 5));
        assert!(futures::poll!(&mut late).is_pending() && futures::poll!(&mut early).is_pending());
        drop(large);
        assert!(futures::poll!(&mut late).is_pending());
        assert!(futures::poll!(&mut early).is_ready());
        assert_eq!(Lanes::lane(0), Lanes::lane(1));
        for work in [1u128, 15, 16, 1 << 70] {
            assert_ne!(Lanes::lane(work), Lanes::lane(work * Lanes::RATIO));
        }
    }

    /// Starts to wait, and says when it has its turn.
    fn wait(turns: &Turns, rank: u64, amount: u64) -> tokio::task::JoinHandle<Turn> {
        let turns = turns.clone();
        tokio::spawn(async move { turns.take(rank, amount).await })
    }

    async fn settled() {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn the_lowest_rank_takes_first_and_no_more_is_given_than_there_is() {
        let turns = Turns::new(10);
        let all = turns.take(0, 1000).await;
        let late = wait(&turns, 30, 6);
        let soon = wait(&turns, 20, 6);
        settled().await;
        assert!(!late.is_finished() && !soon.is_finished());
        drop(all);
        settled().await;
        assert!(soon.is_finished() && !late.is_finished(), "6 and 6 are more than 10");
        drop(soon.await.expect("no panic"));
        drop(late.await.expect("no panic"));
        assert_eq!(turns.free(), 10);
    }

    #[tokio::test]
    async fn a_large_one_is_not_overtaken_and_one_that_has_gone_holds_nobody_up() {
        let turns = Turns::new(10);
        let half = turns.take(0, 5).await;
        let large = wait(&turns, 1, 10);
        settled().await;
        let small = wait(&turns, 2, 1);
        settled().await;
        assert!(!large.is_finished() && !small.is_finished());
        large.abort();
        settled().await;
        drop(half);
        settled().await;
        assert!(small.is_finished());
        drop(small.await.expect("no panic"));
        assert_eq!(turns.free(), 10);
    }
}
