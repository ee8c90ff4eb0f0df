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
    /// Its number among all devices.
    pub index: usize,
    /// When it has done what it does now.
    pub free_in: Duration,
    /// Multiply–adds in a second.
    pub speeds: HashMap<Specialisation, f64>,
}

/// A computation.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Load {
    /// Its multiply–adds.
    pub work: u128,
    /// What kind of work it is.
    pub kind: Specialisation,
    /// When its result must be there.
    pub due_in: Duration,
    /// The devices that it does not fit into, by their numbers.
    pub without: Vec<usize>,
    /// The memory that its inputs and its output take, in bytes.
    pub bytes: u64,
}

/// What loads share that run side by side: the devices, and so many bytes of memory. A load that takes more has all of it.
#[derive(Clone, Copy)]
pub(super) struct Machine<'a> {
    pub lanes: &'a [Lane],
    pub memory: u64,
}

/// The memory that loads take until they are done.
struct Memory {
    all: u64,
    /// How many bytes each takes, and until when.
    held: Vec<(Duration, u64)>,
}

impl Memory {
    /// When `bytes` are free at the earliest.
    fn free_in(&self, bytes: u64) -> Duration {
        let held_after = |time: Duration| {
            let held = self.held.iter().filter(|(end, _)| *end > time);
            held.fold(0, |sum: u64, (_, bytes)| sum.saturating_add(*bytes))
        };
        let fits = |time: &Duration| held_after(*time).saturating_add(bytes) <= self.all;
        let ends = self.held.iter().map(|(end, _)| *end);
        let times = std::iter::once(Duration::ZERO).chain(ends);
        times.filter(fits).min().unwrap_or_default()
    }
}

impl Load {
    fn speed_on(&self, lane: &Lane) -> Option<f64> {
        let fits = !self.without.contains(&lane.index);
        fits.then(|| lane.speeds.get(&self.kind).copied())?
    }

    /// How long it takes a device, to be on the safe side; `None`: nobody knows.
    fn takes(&self, lane: &Lane) -> Option<Duration> {
        let speed = self.speed_on(lane)?;
        let seconds = self.work as f64 / speed * SAFETY;
        OVERHEAD.checked_add(Duration::try_from_secs_f64(seconds).ok()?)
    }

    /// How long the fastest device takes for it, as measured.
    pub fn fastest(&self, lanes: &[Lane]) -> Option<Duration> {
        let fastest = lanes.iter().filter_map(|lane| self.speed_on(lane)).reduce(f64::max)?;
        Duration::try_from_secs_f64(self.work as f64 / fastest).ok()
    }
}

/// By how much `this` may begin later, so that it and the loads `before` it in hand are all done in time: the earliest
/// deadline first, each on the device that has it done first, once there is memory for it. `None`: they are not even if it
/// begins now.
pub(super) fn spare(machine: Machine<'_>, before: &[Load], this: Load) -> Option<Duration> {
    let mut lanes = machine.lanes.to_vec();
    let mut memory = Memory {
        all: machine.memory,
        held: Vec::new(),
    };
    let mut loads: Vec<_> = before
        .iter()
        .map(|load| (load.clone(), false))
        .chain([(this, true)])
        .collect();
    loads.sort_by_key(|(load, is_this)| (load.due_in, *is_this));
    let mut spare: Option<Duration> = None;
    for (load, is_this) in loads {
        let bytes = load.bytes.min(memory.all);
        let from = memory.free_in(bytes);
        let ends = lanes.iter_mut().filter_map(|lane| {
            let end = lane.free_in.max(from).checked_add(load.takes(lane)?)?;
            Some((end, lane))
        });
        let (end, lane) = ends.min_by_key(|(end, _)| *end)?;
        lane.free_in = end;
        memory.held.push((end, bytes));
        let left = load.due_in.checked_sub(end).filter(|left| !left.is_zero())?;
        // What comes behind it is held up with it.
        if is_this || spare.is_some() {
            spare = Some(spare.map_or(left, |spare| spare.min(left)));
        }
    }
    spare
}

#[cfg(test)]
mod tests {
    use super::*;
    use Specialisation::{Rendering, Synthetic};

    fn lane(speeds: &[(Specialisation, f64)]) -> Lane {
        Lane {
            index: 0,
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
            without: Vec::new(),
            bytes: 0,
        }
    }

    /// With memory enough for all.
    fn machine(lanes: &[Lane]) -> Machine<'_> {
        Machine { lanes, memory: 100 }
    }

    /// Whether all of `loads` are done in time.
    fn all_in_time(lanes: &[Lane], loads: &[Load]) -> bool {
        let (this, before) = loads.split_last().expect("there is one");
        spare(machine(lanes), before, this.clone()).is_some()
    }

    #[test]
    fn what_does_not_fit_into_memory_beside_others_waits_for_them() {
        let lanes = [lane(&[(Synthetic, 100.0)]), lane(&[(Synthetic, 100.0)])];
        let holding = |load: Load, bytes| Load { bytes, ..load };
        let before = [holding(load(10, 11), 60)];
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        let spare_of = |this| spare(machine(&lanes), &before, this);
        assert_eq!(spare_of(holding(load(10, 25), 40)), seconds(15), "side by side");
        assert_eq!(spare_of(holding(load(10, 25), 41)), seconds(5), "one after the other");
        assert_eq!(spare_of(holding(load(10, 20), 41)), None);
        // Who takes more than there is has all of it, and others wait.
        assert_eq!(spare_of(holding(load(10, 25), 1000)), seconds(5));
        let large = [holding(load(10, 11), u64::MAX)];
        assert_eq!(spare(machine(&lanes), &large, holding(load(10, 25), 1)), seconds(5));
        assert_eq!(
            spare(machine(&lanes), &large, load(10, 25)),
            seconds(15),
            "it takes none"
        );
        // Three that fit by twos.
        let two = [holding(load(10, 12), 60), holding(load(5, 13), 40)];
        assert_eq!(
            spare(machine(&lanes), &two, holding(load(10, 30), 40)),
            seconds(15),
            "after the short one"
        );
        assert_eq!(
            spare(machine(&lanes), &two, holding(load(10, 30), 41)),
            seconds(10),
            "after both"
        );
    }

    #[test]
    fn a_task_may_begin_as_much_later_as_it_and_those_behind_it_can_wait() {
        let lanes = [lane(&[(Synthetic, 100.0)])];
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(spare(machine(&lanes), &[], load(10, 35)), seconds(25));
        assert_eq!(
            spare(machine(&lanes), &[load(10, 11)], load(10, 35)),
            seconds(15),
            "the one before it counts, and need not wait"
        );
        assert_eq!(
            spare(machine(&lanes), &[load(10, 40)], load(10, 35)),
            seconds(20),
            "the one behind it waits with it"
        );
        assert_eq!(spare(machine(&lanes), &[load(10, 11)], load(10, 20)), None);
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
        assert!(all_in_time(&lanes, std::slice::from_ref(&accepted)));
        assert!(
            !all_in_time(&lanes, &[accepted.clone(), load(6, 10)]),
            "it is due first"
        );
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
        assert!(all_in_time(&lanes, std::slice::from_ref(&rendering)));
        assert!(!all_in_time(&lanes[..1], &[rendering]), "it takes 201 s there");
        let unknown = Load {
            kind: Specialisation::Training,
            ..load(1, 1000)
        };
        assert!(!all_in_time(&lanes, &[unknown]), "nobody knows how long it takes");
    }

    #[test]
    fn a_device_that_a_task_does_not_fit_into_is_not_counted_on() {
        let lanes = [lane(&[(Synthetic, 100.0)])];
        let large = Load {
            without: vec![0],
            ..load(1, 1000)
        };
        assert_eq!(large.fastest(&lanes), None);
        assert!(!all_in_time(&lanes, &[large]));
    }
}
