//! Whether a worker would be in time with one more task, from what its devices do in a second and what is before it.

use agora_primitives::participants::Specialisation;
use std::{collections::HashMap, time::Duration};

/// What a task takes besides computing: reading its inputs, waiting for blocks.
const OVERHEAD: Duration = Duration::from_secs(1);
/// Computing may take so many times as long as the speed says: other jobs have other shapes, other programs run.
const SAFETY: f64 = 2.0;

/// A device.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    /// When it has done what it does now.
    pub free_in: Duration,
    /// Multiply–adds in a second.
    pub speeds: HashMap<Specialisation, f64>,
}

/// A computation.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Load {
    /// Its multiply–adds.
    pub work: u128,
    /// What kind of work it is.
    pub kind: Specialisation,
    /// When its result must be there.
    pub due_in: Duration,
}

impl Load {
    /// How long it takes a device, to be on the safe side; `None`: nobody knows.
    fn takes(&self, lane: &Lane) -> Option<Duration> {
        let speed = lane.speeds.get(&self.kind)?;
        let seconds = self.work as f64 / speed * SAFETY;
        OVERHEAD.checked_add(Duration::try_from_secs_f64(seconds).ok()?)
    }

    /// How long the fastest device takes for it, as measured.
    pub fn fastest(&self, lanes: &[Lane]) -> Option<Duration> {
        let speeds = lanes.iter().filter_map(|lane| lane.speeds.get(&self.kind));
        let fastest = speeds.copied().reduce(f64::max)?;
        Duration::try_from_secs_f64(self.work as f64 / fastest).ok()
    }
}

/// Whether all of `loads` are done in time, the earliest deadline first, each on the device that has it done first.
pub(super) fn all_in_time(lanes: &[Lane], loads: &[Load]) -> bool {
    let mut lanes = lanes.to_vec();
    let mut loads = loads.to_vec();
    loads.sort_by_key(|load| load.due_in);
    loads.iter().all(|load| {
        let ends = lanes.iter_mut().filter_map(|lane| {
            let end = lane.free_in.checked_add(load.takes(lane)?)?;
            Some((end, lane))
        });
        let Some((end, lane)) = ends.min_by_key(|(end, _)| *end) else {
            return false;
        };
        lane.free_in = end;
        end < load.due_in
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use Specialisation::{Rendering, Synthetic};

    fn lane(speeds: &[(Specialisation, f64)]) -> Lane {
        Lane {
            free_in: Duration::ZERO,
            speeds: speeds.iter().copied().collect(),
        }
    }

    /// A load that takes so many seconds on a device with a speed of 100.
    fn load(seconds: u64, due_in: u64) -> Load {
        Load {
            work: u128::from((seconds - 1) * 50),
            kind: Synthetic,
            due_in: Duration::from_secs(due_in),
        }
    }

    #[test]
    fn the_queue_before_a_task_counts() {
        let lanes = [lane(&[(Synthetic, 100.0)])];
        assert!(all_in_time(&lanes, &[load(10, 11)]));
        assert!(!all_in_time(&lanes, &[load(10, 10)]));
        assert!(!all_in_time(&lanes, &[load(10, 11), load(10, 20)]));
        assert!(all_in_time(&lanes, &[load(10, 11), load(10, 21)]));
        let two = [lanes[0].clone(), lanes[0].clone()];
        assert!(all_in_time(&two, &[load(10, 11), load(10, 11)]));
    }

    #[test]
    fn a_task_that_would_make_another_one_late_does_not_fit() {
        let lanes = [lane(&[(Synthetic, 100.0)])];
        let accepted = load(20, 25);
        assert!(all_in_time(&lanes, &[accepted]));
        assert!(!all_in_time(&lanes, &[accepted, load(6, 10)]), "it is due first");
        assert!(all_in_time(&lanes, &[accepted, load(6, 40)]));
    }

    #[test]
    fn what_a_device_does_now_counts() {
        let busy = Lane {
            free_in: Duration::from_secs(5),
            ..lane(&[(Synthetic, 100.0)])
        };
        assert!(!all_in_time(std::slice::from_ref(&busy), &[load(10, 15)]));
        assert!(all_in_time(&[busy], &[load(10, 16)]));
    }

    #[test]
    fn each_kind_has_a_speed_of_its_own() {
        let lanes = [
            lane(&[(Synthetic, 100.0), (Rendering, 1.0)]),
            lane(&[(Rendering, 10.0)]),
        ];
        let rendering = Load {
            kind: Rendering,
            ..load(3, 22)
        };
        assert_eq!(rendering.fastest(&lanes), Some(Duration::from_secs(10)));
        assert!(all_in_time(&lanes, &[rendering]));
        assert!(!all_in_time(&lanes[..1], &[rendering]), "it takes 201 s there");
        let unknown = Load {
            kind: Specialisation::Training,
            ..load(1, 1000)
        };
        assert!(!all_in_time(&lanes, &[unknown]), "nobody knows how long it takes");
    }
}
