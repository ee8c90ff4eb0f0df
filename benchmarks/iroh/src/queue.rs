//! Which part of a blob is asked of whom.

use iroh_blobs::protocol::ChunkRanges;
use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::{Notify, futures::Notified};

/// The parts of a blob that are still to be asked for, and those that are under way.
#[derive(Debug)]
pub struct Queue {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    waiting: VecDeque<ChunkRanges>,
    under_way: Vec<UnderWay>,
    next_id: u64,
}

#[derive(Debug)]
struct UnderWay {
    id: u64,
    part: ChunkRanges,
    /// When it was last asked of somebody.
    since: Instant,
    /// Whom it was asked of.
    lanes: Vec<usize>,
}

/// What a lane does next.
pub enum Next {
    /// Asks for this part.
    Ask(u64, ChunkRanges),
    /// Waits: others have all that is left.
    Wait,
    /// Nothing is left.
    Nothing,
}

impl Queue {
    /// A queue of `parts`.
    pub fn new(parts: Vec<ChunkRanges>) -> Self {
        let state = State {
            waiting: parts.into(),
            under_way: Vec::new(),
            next_id: 0,
        };
        Self {
            state: Mutex::new(state),
            changed: Notify::new(),
        }
    }

    /// What `lane` does next. A part that has been under way for `patience` is asked of one who was not asked yet, too.
    pub fn next(&self, lane: usize, patience: Duration) -> Next {
        let mut state = self.state();
        if let Some(part) = state.waiting.pop_front() {
            let id = state.next_id;
            state.next_id = id.wrapping_add(1);
            state.under_way.push(UnderWay {
                id,
                part: part.clone(),
                since: Instant::now(),
                lanes: vec![lane],
            });
            return Next::Ask(id, part);
        }
        let mut others = state.under_way.iter_mut();
        if let Some(late) = others.find(|part| part.since.elapsed() >= patience && !part.lanes.contains(&lane)) {
            late.since = Instant::now();
            late.lanes.push(lane);
            return Next::Ask(late.id, late.part.clone());
        }
        if state.under_way.is_empty() {
            Next::Nothing
        } else {
            Next::Wait
        }
    }

    /// A part has come.
    pub fn done(&self, id: u64) {
        self.state().under_way.retain(|part| part.id != id);
        self.changed.notify_waiters();
    }

    /// `lane` has not brought a part, of which `left` is missing.
    pub fn failed(&self, id: u64, lane: usize, left: ChunkRanges) {
        let mut state = self.state();
        let Some(at) = state.under_way.iter().position(|part| part.id == id) else {
            return;
        };
        let others = &mut state.under_way[at].lanes;
        others.retain(|other| *other != lane);
        if others.is_empty() {
            state.under_way.remove(at);
            if !left.is_empty() {
                state.waiting.push_front(left);
            }
        }
        drop(state);
        self.changed.notify_waiters();
    }

    /// Ends with the next change.
    pub fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
