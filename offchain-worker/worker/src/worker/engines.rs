//! The devices of a worker: who computes next, how fast each is at each kind of work, and which of them rest.
//!
//! Whoever has the earliest deadline chooses first: the device that has the work done first, as the forecast assumes. A
//! device that fails, or computes something wrong, rests for a while, longer each time, and is tested before it is used
//! again; the others go on.

mod lease;

pub(super) use lease::Lease;

use super::forecast::Lane;
use agora_compute::Engine;
use agora_primitives::{job::JobSpec, participants::Specialisation};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::Notify, time::Instant};

/// How long a device rests after its first failure; each further one doubles it.
const FIRST_REST: Duration = Duration::from_millis(if cfg!(test) { 20 } else { 15_000 });
/// The longest rest.
const LONGEST_REST: Duration = Duration::from_secs(3600);
/// Computations shorter than this say more about overhead than about speed.
const TELLING: Duration = Duration::from_secs(1);

/// The devices. Cheap to clone; clones share them.
#[derive(Clone)]
pub(super) struct EnginePool(Arc<Pool>);

struct Pool {
    state: Mutex<State>,
    changed: Notify,
}

struct State {
    devices: Vec<Device>,
    waiting: Vec<Waiting>,
    next_number: u64,
}

/// Somebody who waits for a device.
struct Waiting {
    /// The deadline, and a number.
    place: (Instant, u64),
    wanted: Wanted,
}

/// What a device is for.
#[derive(Clone, Default)]
pub(super) struct Wanted {
    /// The kind and the multiply–adds of a job; `None`: any device does.
    pub load: Option<(Specialisation, u128)>,
    /// Devices that cannot do it.
    pub without: Vec<usize>,
}

struct Device {
    engine: Arc<dyn Engine>,
    usage: Use,
    failures: u32,
    /// It has failed, and is tested before it computes again.
    is_suspect: bool,
    speeds: HashMap<Specialisation, f64>,
}

#[derive(Clone, Copy)]
enum Use {
    Idle,
    /// Until about this time, if that is known.
    Busy(Option<Instant>),
    Resting(Instant),
}

impl Device {
    fn is_ready(&self, now: Instant) -> bool {
        match self.usage {
            Use::Idle => true,
            Use::Busy(_) => false,
            Use::Resting(until) => until <= now,
        }
    }

    /// When it would have done `load` if nobody came in between, as far as that is known. `None`: it rests, or its speed is
    /// not known.
    fn ends(&self, now: Instant, (kind, work): (Specialisation, u128)) -> Option<Instant> {
        let start = match self.usage {
            Use::Resting(until) if until > now => return None,
            Use::Busy(Some(until)) => until.max(now),
            _ => now,
        };
        let takes = work as f64 / self.speeds.get(&kind)?;
        start.checked_add(Duration::try_from_secs_f64(takes).ok()?)
    }
}

impl State {
    /// The device that `place` takes now: those with earlier deadlines choose before.
    fn choice_of(&self, place: (Instant, u64), now: Instant) -> Option<usize> {
        let mut queue: Vec<&Waiting> = self.waiting.iter().filter(|waiting| waiting.place <= place).collect();
        queue.sort_by_key(|waiting| waiting.place);
        let mut given = Vec::new();
        for waiting in queue {
            let choice = self.choose(waiting, &given, now);
            if waiting.place == place {
                return choice;
            }
            given.extend(choice);
        }
        None
    }

    /// Of the devices that are ready, the one that has the work done first. None of them, if only a busy device would have
    /// it done in time; any, if none would.
    fn choose(&self, waiting: &Waiting, given: &[usize], now: Instant) -> Option<usize> {
        let able = self.devices.iter().enumerate();
        let able = able.filter(|(index, _)| !given.contains(index) && !waiting.wanted.without.contains(index));
        let end = |device: &Device| {
            let end = device.ends(now, waiting.wanted.load?)?;
            (end < waiting.place.0).then_some(end)
        };
        let ready = able.clone().filter(|(_, device)| device.is_ready(now));
        let first = ready
            .clone()
            .filter_map(|(index, device)| Some((end(device)?, index)))
            .min();
        match first {
            Some((_, index)) => Some(index),
            None if able.clone().any(|(_, device)| end(device).is_some()) => None,
            None => ready.map(|(index, _)| index).next(),
        }
    }
}

impl EnginePool {
    /// All of `engines`.
    pub fn new(engines: Vec<Arc<dyn Engine>>) -> Self {
        let devices = engines.into_iter().map(|engine| Device {
            engine,
            usage: Use::Idle,
            failures: 0,
            is_suspect: false,
            speeds: HashMap::new(),
        });
        Self(Arc::new(Pool {
            state: Mutex::new(State {
                devices: devices.collect(),
                waiting: Vec::new(),
                next_number: 0,
            }),
            changed: Notify::new(),
        }))
    }

    /// Waits for a device for what is `wanted`, behind those with an earlier deadline; `None`: there was none before
    /// `deadline`, or there is none that can do it.
    pub async fn take(&self, deadline: Instant, wanted: Wanted) -> Option<Lease> {
        let ticket = self.enter(deadline, wanted.clone());
        loop {
            let changed = self.0.changed.notified();
            let wake = {
                let mut state = self.0.lock();
                let now = Instant::now();
                if now >= deadline || (0..state.devices.len()).all(|index| wanted.without.contains(&index)) {
                    return None;
                }
                if let Some(index) = state.choice_of(ticket.place, now) {
                    return Some(self.lease(&mut state, index));
                }
                let rests = state.devices.iter().filter_map(|device| match device.usage {
                    Use::Resting(until) if until > now => Some(until),
                    _ => None,
                });
                rests.chain([deadline]).min().unwrap_or(deadline)
            };
            tokio::select! {
                () = changed => {}
                () = tokio::time::sleep_until(wake) => {}
            }
        }
    }

    /// A device that is ready and whose speed at this kind of work is not known.
    pub fn take_unmeasured(&self, kind: Specialisation) -> Option<Lease> {
        let mut state = self.0.lock();
        let now = Instant::now();
        let mut devices = state.devices.iter();
        let index = devices.position(|device| device.is_ready(now) && !device.speeds.contains_key(&kind))?;
        Some(self.lease(&mut state, index))
    }

    fn lease(&self, state: &mut State, index: usize) -> Lease {
        let device = &mut state.devices[index];
        device.usage = Use::Busy(None);
        Lease {
            pool: self.clone(),
            index,
            engine: Arc::clone(&device.engine),
            is_suspect: device.is_suspect,
        }
    }

    fn enter(&self, deadline: Instant, wanted: Wanted) -> Ticket<'_> {
        let mut state = self.0.lock();
        let place = (deadline, state.next_number);
        state.next_number += 1;
        state.waiting.push(Waiting { place, wanted });
        Ticket { pool: &self.0, place }
    }

    /// When each device that does not rest is free, and how fast it is; for the forecast.
    pub fn lanes(&self) -> Vec<Lane> {
        let now = Instant::now();
        let state = self.0.lock();
        let usable = state.devices.iter().enumerate().filter_map(|(index, device)| {
            let free_in = match device.usage {
                Use::Resting(until) if until > now => return None,
                Use::Busy(Some(until)) => until.saturating_duration_since(now),
                _ => Duration::ZERO,
            };
            Some(Lane {
                index,
                free_in,
                speeds: device.speeds.clone(),
            })
        });
        usable.collect()
    }

    /// The devices that `job` does not fit into, by their numbers. What is computed on the processor is for the first device alone: two such jobs
    /// at a time would take twice as long.
    pub fn without(&self, job: &JobSpec) -> Vec<usize> {
        let only_first = agora_compute::is_for_processor(job);
        let state = self.0.lock();
        let devices = state.devices.iter().enumerate();
        devices
            .filter(|(index, device)| !device.engine.fits(job) || (only_first && *index > 0))
            .map(|(index, _)| index)
            .collect()
    }

    /// Whether there are devices but those in `without`, well or not.
    pub fn has_others(&self, without: &[usize]) -> bool {
        (0..self.0.lock().devices.len()).any(|index| !without.contains(&index))
    }

    /// Whether `job` fits into any device.
    pub fn any_fits(&self, job: &JobSpec) -> bool {
        self.has_others(&self.without(job))
    }

    /// Names of devices that do not rest, and of those that do.
    pub fn health(&self) -> (Vec<String>, Vec<String>) {
        let now = Instant::now();
        let state = self.0.lock();
        let rests = |device: &&Device| matches!(device.usage, Use::Resting(until) if until > now);
        let (resting, well): (Vec<_>, Vec<_>) = state.devices.iter().partition(rests);
        let names = |devices: Vec<&Device>| devices.iter().map(|device| device.engine.name().to_owned()).collect();
        (names(well), names(resting))
    }

    /// Whether the speed of any device at this kind of work is known.
    pub fn knows(&self, kind: Specialisation) -> bool {
        let state = self.0.lock();
        state.devices.iter().any(|device| device.speeds.contains_key(&kind))
    }
}

impl Pool {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place among those who wait.
struct Ticket<'a> {
    pool: &'a Pool,
    place: (Instant, u64),
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        self.pool.lock().waiting.retain(|waiting| waiting.place != self.place);
        self.pool.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests;
