//! How much work goes into the next submission, so that none lasts long.
//!
//! A watchdog resets a device that works on one submission for a second or two, and a desktop on the same device
//! stutters long before. How long a unit of work lasts depends on the device, on other programs, and on the work: a path
//! into the sky is a hundred times cheaper than one into a room. So each job learns its own pace. It begins with little.
//! A submission may have at most twice the work of one that has ended in a short time, and one that lasted too
//! long makes the next ones shorter at once, in proportion.

use std::time::Duration;

/// A submission that lasts less may be followed by a larger one.
const SHORT: Duration = Duration::from_millis(20);
/// What a submission should last: enough to keep the device busy, too short for any watchdog.
const AIM: Duration = Duration::from_millis(35);
/// A submission that lasts more is followed by smaller ones.
const LONG: Duration = Duration::from_millis(50);

/// How long a submission took.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Took {
    /// The device worked on it for this time.
    Exactly(Duration),
    /// It had ended before anybody looked.
    AtMost(Duration),
}

/// Chooses how much work goes into the next submission of a job, in any unit that the job counts in.
#[derive(Clone, Debug)]
pub(crate) struct Pacer {
    first: u64,
    amount: u64,
    most: u64,
}

impl Pacer {
    /// Begins with submissions of `first` units, and never has more than `most` in one.
    pub fn new(first: u64, most: u64) -> Self {
        let most = most.max(1);
        let first = first.clamp(1, most);
        Self {
            first,
            amount: first,
            most,
        }
    }

    /// The most units of the next submission, at least 1.
    pub const fn amount(&self) -> u64 {
        self.amount
    }

    /// Takes in that a submission of so many units took so long.
    pub fn observe(&mut self, units: u64, took: Took) {
        let (Took::Exactly(time) | Took::AtMost(time)) = took;
        if units == 0 {
            return;
        }
        let nanoseconds = time.as_nanos().max(1);
        let aimed = u128::from(units) * AIM.as_nanos() / nanoseconds;
        let aimed = u64::try_from(aimed).unwrap_or(u64::MAX);
        if time > LONG {
            // What only may have been too long halves the pace at most.
            let least = match took {
                Took::Exactly(_) => 1,
                Took::AtMost(_) => self.amount / 2,
            };
            self.amount = self.amount.min(aimed.max(least)).max(1);
        } else if time < SHORT && units > self.amount / 2 {
            // Less than half says little about how long the whole lasts.
            let grown = aimed.min(units.saturating_mul(2));
            self.amount = self.amount.max(grown).min(self.most);
        }
    }

    /// Slows down before work of which nothing is known yet: what is learned counts for a part only.
    pub fn slow_down(&mut self) {
        self.amount = (self.amount / 16).max(self.first.min(self.amount));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn nanoseconds(count: u64) -> Took {
        Took::Exactly(Duration::from_nanos(count))
    }

    /// Submits what the pacer allows, each unit of which lasts so long, and returns how long that was.
    fn step(pacer: &mut Pacer, unit_ns: u64) -> u64 {
        let units = pacer.amount();
        let time = units.saturating_mul(unit_ns);
        pacer.observe(units, nanoseconds(time));
        time
    }

    #[test]
    fn work_of_one_cost_soon_comes_in_submissions_of_the_right_length() {
        for unit_ns in [1, 30, 1000, 250_000, 3_000_000] {
            let mut pacer = Pacer::new(1, u64::MAX);
            let times: Vec<u64> = (0..60).map(|_| step(&mut pacer, unit_ns)).collect();
            assert!(times.iter().all(|&time| time <= 50_000_000), "{unit_ns}: {times:?}");
            assert!(
                times[40..].iter().all(|&time| time >= 20_000_000),
                "{unit_ns}: {times:?}"
            );
        }
    }

    #[test]
    fn units_longer_than_the_aim_come_one_by_one() {
        let mut pacer = Pacer::new(1 << 20, u64::MAX);
        step(&mut pacer, 2_000_000_000);
        assert_eq!(pacer.amount(), 1);
        step(&mut pacer, 2_000_000_000);
        assert_eq!(pacer.amount(), 1);
    }

    #[test]
    fn one_slow_submission_is_followed_by_a_short_one() {
        let mut pacer = Pacer::new(1, u64::MAX);
        for _ in 0..60 {
            step(&mut pacer, 100);
        }
        // A hundred times as expensive, all at once.
        let slow = step(&mut pacer, 10_000);
        assert!(slow > 1_000_000_000);
        assert!(step(&mut pacer, 10_000) <= 50_000_000);
    }

    #[test]
    fn small_submissions_and_empty_ones_say_nothing_about_large_ones() {
        let mut pacer = Pacer::new(1000, u64::MAX);
        pacer.observe(500, nanoseconds(1));
        pacer.observe(0, nanoseconds(1));
        pacer.observe(0, nanoseconds(10_000_000_000));
        assert_eq!(pacer.amount(), 1000);
        pacer.observe(501, nanoseconds(1));
        assert_eq!(pacer.amount(), 1002);
    }

    #[test]
    fn what_may_have_been_long_halves_the_pace_at_most() {
        let mut pacer = Pacer::new(1 << 10, u64::MAX);
        pacer.observe(1 << 10, Took::AtMost(Duration::from_secs(100)));
        assert_eq!(pacer.amount(), 1 << 9);
        pacer.observe(1 << 9, Took::AtMost(Duration::from_millis(1)));
        assert_eq!(pacer.amount(), 1 << 10);
    }

    #[test]
    fn unknown_work_begins_slowly_and_never_faster_than_before() {
        let mut pacer = Pacer::new(8, u64::MAX);
        pacer.slow_down();
        assert_eq!(pacer.amount(), 8);
        pacer.observe(4000, nanoseconds(1));
        pacer.slow_down();
        assert_eq!(pacer.amount(), 500);
        pacer.observe(500, nanoseconds(10_000_000_000));
        pacer.slow_down();
        assert_eq!(pacer.amount(), 1);
    }

    proptest! {
        #[test]
        fn no_sequence_of_costs_makes_a_submission_of_more_than_twice_what_has_ended_in_a_short_time(
            first in 1u64..1 << 20, most in 1u64..1 << 40,
            costs in prop::collection::vec((prop_oneof![Just(0u64), 1u64..100, 1u64..10_000_000_000], 0u64..=100, any::<bool>()), 1..200),
        ) {
            let mut pacer = Pacer::new(first, most);
            let mut reached = pacer.amount();
            for (unit_ns, percent, exactly) in costs {
                let before = pacer.amount();
                let units = before * percent / 100;
                let time = Duration::from_nanos(units.saturating_mul(unit_ns));
                pacer.observe(units, if exactly { Took::Exactly(time) } else { Took::AtMost(time) });
                let after = pacer.amount();
                prop_assert!((1..=most).contains(&after));
                if after > before {
                    prop_assert!(time < SHORT && after <= 2 * units, "{before} {units} {after}");
                }
                if exactly && time > LONG {
                    // The same cost again is within the bounds, unless that is a single unit.
                    prop_assert!(after == 1 || u128::from(after) * u128::from(unit_ns) <= LONG.as_nanos());
                }
                reached = reached.max(after);
            }
            prop_assert!(reached <= most.max(1));
        }
    }
}
