//! When a worker takes new tasks. What it has accepted it ends at any time.

use std::{
    path::PathBuf,
    str::FromStr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Hours of the day (UTC) in which a worker takes tasks: from the first up to the second, across midnight if that is
/// the smaller one. Written `22-6`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hours {
    from: u8,
    to: u8,
}

impl FromStr for Hours {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} are no hours; write two different ones from 0 to 24 (UTC), such as 22-6");
        let hour = |text: &str| text.trim().parse().ok().filter(|hour: &u8| *hour <= 24);
        let (from, to) = text.split_once('-').ok_or_else(wrong)?;
        match (hour(from), hour(to)) {
            (Some(from), Some(to)) if from % 24 != to % 24 || (from, to) == (0, 24) => Ok(Self { from: from % 24, to }),
            _ => Err(wrong()),
        }
    }
}

impl Hours {
    /// Whether `now` is in them.
    pub fn contain(&self, now: SystemTime) -> bool {
        let seconds = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let hour = seconds / 3600 % 24;
        let (from, to) = (u64::from(self.from), u64::from(self.to));
        match from < to {
            true => (from..to).contains(&hour),
            false => hour >= from || hour < to,
        }
    }
}

/// When tasks are taken.
#[derive(Clone, Debug, Default)]
pub struct Openings {
    /// Only in these hours.
    pub hours: Option<Hours>,
    /// Not while this file exists.
    pub pause_file: Option<PathBuf>,
}

impl Openings {
    /// Why nothing is taken now, if so.
    pub(super) fn closed(&self, now: SystemTime) -> Option<String> {
        if let Some(file) = self.pause_file.as_ref().filter(|file| file.exists()) {
            return Some(format!("no task is taken while the file {} exists", file.display()));
        }
        let is_open = self.hours.is_none_or(|hours| hours.contain(now));
        (!is_open).then(|| "no task is taken at this time of the day".to_owned())
    }
}

/// How far a block's time and this machine's clock may differ.
const MOST_DIFFERENCE: Duration = Duration::from_secs(180);

/// Why the newest block says that something is wrong with the node or with the clock, if so.
pub(super) fn wrong_time(block_ms: u64, now: SystemTime) -> Option<&'static str> {
    let block = UNIX_EPOCH + Duration::from_millis(block_ms);
    match now.duration_since(block) {
        Ok(age) if age > MOST_DIFFERENCE => Some(
            "no task is taken: the node's newest block is minutes old, so it is behind, or this machine's clock is ahead",
        ),
        Ok(_) => None,
        Err(ahead) if ahead.duration() > MOST_DIFFERENCE => {
            Some("this machine's clock is minutes behind the chain's: set it right; tasks are taken nevertheless")
        }
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(86_400 * 20_000 + hour * 3600 + 1800)
    }

    #[test]
    fn hours_may_go_across_midnight() {
        let open = |hours: &str| {
            let hours: Hours = hours.parse().expect("they are well formed");
            (0..24).filter(|hour| hours.contain(at(*hour))).collect::<Vec<_>>()
        };
        assert_eq!(open("22-6"), [0, 1, 2, 3, 4, 5, 22, 23]);
        assert_eq!(open("9-12"), [9, 10, 11]);
        assert_eq!(open("20-24"), [20, 21, 22, 23]);
        assert_eq!(open("0-24").len(), 24);
        for wrong in ["", "5", "5-5", "0-25", "-1-3", "24-0", "a-b"] {
            assert!(wrong.parse::<Hours>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_worker_is_paused_while_the_file_exists() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("paused");
        let openings = Openings {
            hours: None,
            pause_file: Some(file.clone()),
        };
        assert_eq!(openings.closed(at(1)), None);
        std::fs::write(&file, "").expect("written");
        assert!(openings.closed(at(1)).is_some_and(|why| why.contains("paused")));
        std::fs::remove_file(&file).expect("removed");
        assert_eq!(openings.closed(at(1)), None);
    }

    #[test]
    fn an_old_block_and_a_slow_clock_are_noticed() {
        let now = at(1);
        let ms = |time: SystemTime| time.duration_since(UNIX_EPOCH).expect("after").as_millis() as u64;
        assert_eq!(wrong_time(ms(now - Duration::from_secs(100)), now), None);
        assert_eq!(wrong_time(ms(now + Duration::from_secs(100)), now), None);
        assert!(wrong_time(ms(now - Duration::from_secs(200)), now).is_some_and(|why| why.contains("behind")));
        assert!(wrong_time(ms(now + Duration::from_secs(200)), now).is_some_and(|why| why.contains("set it right")));
    }
}
