//! What is still to be asked for of a blob that is being fetched. All who fetch the same blob share it, each with peers of
//! its own: whoever is fast helps those who wait for somebody slow, and nothing is asked for twice without need.

use std::{
    collections::VecDeque,
    ops::Range,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::{Notify, futures::Notified};
use url::Url;

/// Most requests for one piece at a time.
const MOST_FLIGHTS: usize = 4;

/// The pieces of a blob that are missing.
#[derive(Debug, Default)]
pub struct Queue {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// `None`: nobody has begun.
    pieces: Option<VecDeque<Range<u64>>>,
    in_flight: Vec<Flight>,
    next_id: u64,
}

/// A piece that a peer was asked for.
#[derive(Debug)]
struct Flight {
    id: u64,
    piece: Range<u64>,
    peer: Url,
    began: Instant,
}

/// Finds out what is missing of a piece.
type Missing<'a> = dyn Fn(Range<u64>) -> Vec<Range<u64>> + Send + Sync + 'a;

/// What a peer with nothing to do is to be asked for.
pub enum Next<'a> {
    /// This.
    Piece(Asked<'a>),
    /// Nothing now. Others may give theirs back.
    Wait,
    /// Nothing is left.
    Nothing,
}

/// A piece that a peer is being asked for. Dropped, what is missing of it can be asked for again.
pub struct Asked<'a> {
    queue: &'a Queue,
    id: u64,
    /// The bytes.
    pub piece: Range<u64>,
    /// Finds out what is missing of it.
    missing: &'a Missing<'a>,
}

impl Queue {
    /// Has `pieces` asked for, unless somebody has begun already: then all that is missing is here, or in flight.
    pub fn begin(&self, pieces: impl FnOnce() -> VecDeque<Range<u64>>) {
        self.state().pieces.get_or_insert_with(pieces);
    }

    /// Ends with the next change.
    pub fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    /// The next piece for `peer`, which brings `rate` bytes in a second, if that is known. When there are no more: one that
    /// others have taken longer than `patience` for, if this peer is not slow itself and something of it is still missing.
    pub fn next<'a>(&'a self, peer: &Url, rate: Option<u64>, patience: Duration, missing: &'a Missing<'a>) -> Next<'a> {
        let mut state = self.state();
        let queued = state.pieces.as_mut().and_then(VecDeque::pop_front);
        let piece = match queued {
            Some(piece) => piece,
            None if state.in_flight.is_empty() => return Next::Nothing,
            None => match state.late(peer, rate, patience, missing) {
                Some(piece) => piece,
                None => return Next::Wait,
            },
        };
        let id = state.next_id;
        state.next_id = id.saturating_add(1);
        state.in_flight.push(Flight {
            id,
            piece: piece.clone(),
            peer: peer.clone(),
            began: Instant::now(),
        });
        Next::Piece(Asked {
            queue: self,
            id,
            piece,
            missing,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The piece that was asked for longest ago of those for which it is worth asking `peer`, too.
    fn late(&self, peer: &Url, rate: Option<u64>, patience: Duration, missing: &Missing<'_>) -> Option<Range<u64>> {
        let is_late = |flight: &Flight| flight.began.elapsed() >= patience;
        // Whoever does not bring what it was asked for is of no help with what others do not bring.
        if self
            .in_flight
            .iter()
            .any(|flight| flight.peer == *peer && is_late(flight))
        {
            return None;
        }
        let of = |piece: &Range<u64>| {
            let piece = piece.clone();
            self.in_flight.iter().filter(move |flight| flight.piece == piece)
        };
        let may_help = |flight: &&Flight| {
            let takes = rate.map(|rate| takes(&flight.piece, rate));
            of(&flight.piece).count() < MOST_FLIGHTS
                && of(&flight.piece).all(|other| {
                    // A slow one would bring it later than the one that has it, and keep it from a fast one.
                    other.peer != *peer && is_late(other) && takes.is_none_or(|takes| takes <= other.began.elapsed())
                })
        };
        // Another peer may have brought it while the one that is late keeps its request open.
        let is_missing = |flight: &&Flight| !missing(flight.piece.clone()).is_empty();
        let late = self.in_flight.iter().filter(may_help).filter(is_missing);
        late.min_by_key(|flight| flight.began)
            .map(|flight| flight.piece.clone())
    }
}

/// How long `piece` takes at `rate` bytes in a second.
fn takes(piece: &Range<u64>, rate: u64) -> Duration {
    let bytes = piece.end.saturating_sub(piece.start);
    Duration::from_millis(bytes.saturating_mul(1000) / rate.max(1))
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        let mut state = self.queue.state();
        state.in_flight.retain(|flight| flight.id != self.id);
        // Another peer brings it else, or gives it back.
        if !state.in_flight.iter().any(|other| other.piece == self.piece) {
            let missing = (self.missing)(self.piece.clone());
            let pieces = state.pieces.get_or_insert_default();
            missing.into_iter().rev().for_each(|range| pieces.push_front(range));
        }
        drop(state);
        self.queue.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_millis(20);
    const MIB: u64 = 1 << 20;

    fn url(name: &str) -> Url {
        Url::parse(&format!("http://{name}/")).expect("it is a URL")
    }

    fn all_missing(range: Range<u64>) -> Vec<Range<u64>> {
        vec![range]
    }

    /// The piece that `peer` is to be asked for.
    fn next<'a>(queue: &'a Queue, peer: &str, rate: Option<u64>) -> Option<Asked<'a>> {
        match queue.next(&url(peer), rate, PATIENCE, &all_missing) {
            Next::Piece(asked) => Some(asked),
            Next::Wait | Next::Nothing => None,
        }
    }

    fn queue_of(pieces: &[Range<u64>]) -> Queue {
        let queue = Queue::default();
        queue.begin(|| pieces.iter().cloned().collect());
        queue
    }

    #[test]
    fn what_is_late_goes_to_the_fast_and_never_to_the_slow() {
        let queue = queue_of(&[0..MIB, MIB..2 * MIB]);
        let stalled = next(&queue, "stalled", None).expect("the first piece");
        let other = next(&queue, "stalled-too", None).expect("the second piece");
        assert!(next(&queue, "fast", Some(100 * MIB)).is_none(), "nothing is late yet");
        std::thread::sleep(2 * PATIENCE);
        assert!(next(&queue, "slow", Some(MIB)).is_none(), "it would take a second");
        assert!(next(&queue, "stalled-too", None).is_none(), "it is late itself");
        let doubled = next(&queue, "fast", Some(100 * MIB)).expect("it is fast enough");
        assert_eq!(doubled.piece, stalled.piece, "the one that is late for longest");
        let unknown = next(&queue, "unknown", None).expect("nobody knows that it is slow");
        assert_eq!(unknown.piece, other.piece, "the first is asked for twice already");
        assert!(next(&queue, "third", None).is_none());
        // It has stalled, too: a third peer may be asked, but the fast one is none any more.
        std::thread::sleep(2 * PATIENCE);
        assert!(next(&queue, "fast", Some(100 * MIB)).is_none());
        let third = next(&queue, "third", None).expect("all that have it are late");
        assert_eq!(third.piece, stalled.piece);
    }

    #[test]
    fn what_is_late_and_has_arrived_is_not_asked_for_again() {
        let queue = queue_of(&[0..MIB, MIB..2 * MIB]);
        let arrived = std::sync::atomic::AtomicBool::new(false);
        let missing = |range: Range<u64>| match range.start == 0 && arrived.load(std::sync::atomic::Ordering::SeqCst) {
            true => Vec::new(),
            false => vec![range],
        };
        // Everything is late at once: nothing has to be waited for.
        let next = |peer| match queue.next(&url(peer), None, Duration::ZERO, &missing) {
            Next::Piece(asked) => Some(asked),
            Next::Wait | Next::Nothing => None,
        };
        let stalls = next("stalls").expect("the first piece");
        let other = next("stalls-too").expect("the second piece");
        let doubled = next("good").expect("all are late");
        assert_eq!(doubled.piece, stalls.piece);
        arrived.store(true, std::sync::atomic::Ordering::SeqCst);
        drop(doubled);
        let doubled = next("good").expect("the other piece is late, too");
        assert_eq!(doubled.piece, other.piece, "the first has arrived");
        drop((doubled, other));
        let back = next("good").expect("nobody has the second piece any more");
        assert_eq!(back.piece, MIB..2 * MIB);
        drop(back);
        // Its request is still open.
        assert_eq!(stalls.piece, 0..MIB);
    }

    #[test]
    fn no_piece_is_asked_of_more_than_a_few() {
        let queue = queue_of(std::slice::from_ref(&(0..MIB)));
        let mut asked = Vec::new();
        for peer in 0..MOST_FLIGHTS {
            asked.push(next(&queue, &format!("peer{peer}"), None).expect("the others are late"));
            std::thread::sleep(2 * PATIENCE);
        }
        assert!(next(&queue, "another", None).is_none());
        asked.pop();
        assert!(next(&queue, "another", None).is_some());
    }

    #[test]
    fn what_nobody_has_any_more_is_asked_for_again_first() {
        let queue = queue_of(&[0..MIB, MIB..2 * MIB]);
        let first = next(&queue, "a", None).expect("the first piece");
        std::thread::sleep(2 * PATIENCE);
        let second = next(&queue, "b", None).expect("the second piece");
        let doubled = next(&queue, "b", None);
        assert!(doubled.as_ref().is_some_and(|doubled| doubled.piece == first.piece));
        let ended = first.piece.clone();
        drop(first);
        assert!(next(&queue, "a", None).is_none(), "another brings it");
        drop(doubled);
        assert_eq!(next(&queue, "a", None).expect("it is back").piece, ended);
        drop(second);
        let of_second = next(&queue, "c", None).expect("it is back");
        // Whoever joins changes nothing.
        queue.begin(|| std::iter::once(0..7).collect());
        assert_eq!(of_second.piece, MIB..2 * MIB);
    }
}
