//! Clocks, in blocks. Blocks that are full of moves stop a clock, up to a bound, so that nobody wins by filling them.

use crate::Side;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// When something happens.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Time {
    /// The number of the block.
    pub block: u64,
    /// How many blocks before it were full: their share for moves was used up. It never falls.
    pub full: u64,
}

/// What is left of the time of one side.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Clock {
    /// Blocks that are left.
    left: u64,
    /// Full blocks that may still stop it.
    stops: u64,
    /// Since when it runs. `None`: it stands.
    since: Option<Time>,
}

/// A clock that runs, for those who look on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Running {
    /// Whose time it is. `None`: everybody's, to add something.
    pub side: Option<Side>,
    /// Blocks that are left, if no more of them are full.
    pub left: u64,
}

impl Clock {
    /// A clock of `blocks`, which stands; at most `stops` full blocks do not count.
    pub const fn new(blocks: u64, stops: u64) -> Self {
        Self {
            left: blocks,
            stops,
            since: None,
        }
    }

    /// The same, running from `now` on.
    pub const fn running(blocks: u64, stops: u64, now: Time) -> Self {
        Self {
            left: blocks,
            stops,
            since: Some(now),
        }
    }

    /// Lets it run; nothing changes if it does.
    pub fn start(&mut self, now: Time) {
        self.since.get_or_insert(now);
    }

    /// Stops it; nothing changes if it stands.
    pub fn stop(&mut self, now: Time) {
        let (left, stops) = self.at(now);
        *self = Self::new(left, stops);
    }

    /// Whether it has run out. One that stands has not.
    pub fn expired(&self, now: Time) -> bool {
        self.since.is_some() && self.at(now).0 == 0
    }

    /// Blocks that pass at most before it has run out, whatever happens.
    pub const fn bound(&self) -> u64 {
        self.left.saturating_add(self.stops)
    }

    /// Blocks that are left at `now`, if no more of them are full. `None`: it stands.
    pub fn left(&self, now: Time) -> Option<u64> {
        self.since.map(|_| self.at(now).0)
    }

    /// What is left of it, as the time of `side`. `None`: it stands.
    pub(crate) fn running_for(&self, side: Option<Side>, now: Time) -> Option<Running> {
        self.left(now).map(|left| Running { side, left })
    }

    /// Blocks and stops that are left. Time that goes backwards is no time.
    fn at(&self, now: Time) -> (u64, u64) {
        let Some(since) = self.since else {
            return (self.left, self.stops);
        };
        let blocks = now.block.saturating_sub(since.block);
        let full = now.full.saturating_sub(since.full).min(blocks).min(self.stops);
        let counted = blocks.saturating_sub(full);
        (self.left.saturating_sub(counted), self.stops.saturating_sub(full))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(block: u64, full: u64) -> Time {
        Time { block, full }
    }

    #[test]
    fn full_blocks_stop_it_up_to_a_bound() {
        let clock = Clock::running(10, 3, at(100, 7));
        assert!(!clock.expired(at(109, 7)));
        assert!(clock.expired(at(110, 7)));
        assert_eq!(
            [100, 109, 110, 200].map(|block| clock.left(at(block, 7))),
            [10, 1, 0, 0].map(Some)
        );
        assert_eq!(clock.left(at(105, 9)), Some(7));
        assert_eq!(Clock::new(10, 3).left(at(105, 9)), None, "it stands");
        assert!(!clock.expired(at(112, 10)) && clock.expired(at(112, 9)));
        // However many blocks are full, it ends in time.
        assert!(!clock.expired(at(112, 19)));
        assert!(clock.expired(at(100 + clock.bound(), 1000)));
    }

    #[test]
    fn what_was_used_is_not_given_back() {
        let mut clock = Clock::new(10, 3);
        for round in 0..3 {
            let from = at(100 * round, 50 * round);
            clock.start(from);
            clock.start(at(from.block + 2, from.full));
            clock.stop(at(from.block + 3, from.full + 1));
            clock.stop(at(from.block + 90, from.full));
        }
        // Three times three blocks, one of them full.
        assert_eq!(clock, Clock::new(4, 0));
        assert!(!clock.expired(at(u64::MAX, u64::MAX)));
        clock.start(at(1000, 1000));
        assert!(!clock.expired(at(0, 0)) && clock.expired(at(1004, 1004)));
    }
}
