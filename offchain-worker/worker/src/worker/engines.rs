//! The devices of a worker: who computes next, how fast each is at each kind of work, and which of them rest.
//!
//! Whoever has the earliest deadline chooses first: the device that has the work done first, as the forecast assumes. A device that fails, or computes something wrong, rests for
//! a while, longer each time, and is tested before it is used again; the others go on.

use super::forecast::Lane;
use agora_compute::{CancelFlag, Computation, Engine, EngineError, Inputs, Progress, self_test};
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
        let usable = state.devices.iter().filter_map(|device| {
            let free_in = match device.usage {
                Use::Resting(until) if until > now => return None,
                Use::Busy(Some(until)) => until.saturating_duration_since(now),
                _ => Duration::ZERO,
            };
            Some(Lane {
                free_in,
                speeds: device.speeds.clone(),
            })
        });
        usable.collect()
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

/// A device that somebody uses. Dropped, it is idle again.
pub(super) struct Lease {
    pool: EnginePool,
    index: usize,
    engine: Arc<dyn Engine>,
    is_suspect: bool,
}

impl Lease {
    /// Its number in the pool.
    pub fn index(&self) -> usize {
        self.index
    }

    /// The device's name.
    pub fn name(&self) -> &str {
        self.engine.name()
    }

    /// The device.
    pub fn engine(&self) -> &dyn Engine {
        self.engine.as_ref()
    }

    /// Computes `job`. Blocks the thread. A device that has failed before is tested first.
    ///
    /// Errors: those of [`Engine::run`] and of [`self_test`].
    pub fn run(
        &self,
        job: &JobSpec,
        inputs: &dyn Inputs,
        progress: &dyn Progress,
        cancel: &CancelFlag,
    ) -> Result<Computation, EngineError> {
        if self.is_suspect {
            self_test(self.engine.as_ref())?;
        }
        let work = job.work() as f64;
        let kind = job.specialisation();
        let speed = self.device(|device| device.speeds.get(&kind).copied());
        let started = Instant::now();
        let until = speed.and_then(|speed| Duration::try_from_secs_f64(work / speed).ok());
        self.device(|device| device.usage = Use::Busy(until.and_then(|duration| started.checked_add(duration))));
        let computation = self.engine.run(job, inputs, progress, cancel)?;
        let took = started.elapsed();
        self.device(|device| {
            device.failures = 0;
            device.is_suspect = false;
        });
        if took >= TELLING {
            let seen = work / took.as_secs_f64();
            self.learn(
                kind,
                speed.map_or(seen, |known| if seen < known { seen } else { (known + seen) / 2.0 }),
            );
        }
        Ok(computation)
    }

    /// Remembers that the device does `speed` multiply–adds of this kind in a second.
    pub fn learn(&self, kind: Specialisation, speed: f64) {
        self.device(|device| device.speeds.insert(kind, speed));
    }

    /// Lets the device rest because it failed, and says how long.
    pub fn rest(self) -> Duration {
        self.device(|device| {
            let rest = FIRST_REST
                .saturating_mul(1 << device.failures.min(16))
                .min(LONGEST_REST);
            device.failures += 1;
            device.is_suspect = true;
            device.usage = Use::Resting(Instant::now() + rest);
            rest
        })
    }

    fn device<T>(&self, change: impl FnOnce(&mut Device) -> T) -> T {
        change(&mut self.pool.0.lock().devices[self.index])
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.device(|device| {
            if matches!(device.usage, Use::Busy(_)) {
                device.usage = Use::Idle;
            }
        });
        self.pool.0.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agora_compute::CpuEngine;

    fn pool(devices: usize) -> EnginePool {
        EnginePool::new(
            (0..devices)
                .map(|_| Arc::new(CpuEngine::new()) as Arc<dyn Engine>)
                .collect(),
        )
    }

    fn within(milliseconds: u64) -> Instant {
        Instant::now() + Duration::from_millis(milliseconds)
    }

    #[tokio::test]
    async fn the_earliest_deadline_is_served_first() {
        let pool = pool(1);
        let busy = pool.take(within(1000), Wanted::default()).await.expect("it is idle");
        let (order, mut served) = tokio::sync::mpsc::unbounded_channel();
        for seconds in [30, 10, 20] {
            let (pool, order) = (pool.clone(), order.clone());
            tokio::spawn(async move {
                let lease = pool.take(within(seconds * 1000), Wanted::default()).await;
                order.send((seconds, lease.is_some())).expect("somebody listens");
            });
        }
        while pool.0.lock().waiting.len() < 3 {
            tokio::task::yield_now().await;
        }
        drop(busy);
        for seconds in [10, 20, 30] {
            assert_eq!(served.recv().await, Some((seconds, true)));
        }
    }

    #[tokio::test]
    async fn nobody_waits_beyond_the_deadline() {
        let pool = pool(1);
        let _busy = pool.take(within(1000), Wanted::default()).await.expect("it is idle");
        let before = Instant::now();
        assert!(pool.take(within(30), Wanted::default()).await.is_none());
        assert!(before.elapsed() >= Duration::from_millis(30));
        assert!(pool.0.lock().waiting.is_empty());
    }

    #[tokio::test]
    async fn a_device_that_fails_rests_longer_each_time_and_others_go_on() {
        let pool = pool(2);
        let one = pool.take(within(1000), Wanted::default()).await.expect("idle");
        let failed = one.index;
        assert_eq!(one.rest(), FIRST_REST);
        assert_eq!(pool.health().1.len(), 1);
        assert_eq!(pool.lanes().len(), 1, "the forecast does not count on it");
        let other = pool
            .take(within(1000), Wanted::default())
            .await
            .expect("the other goes on");
        assert_ne!(other.index, failed);
        let again = pool
            .take(within(10_000), Wanted::default())
            .await
            .expect("its rest is over");
        assert_eq!(again.index, failed);
        assert!(again.is_suspect);
        assert_eq!(again.rest(), FIRST_REST * 2);
        drop(other);
    }

    /// A job that takes so many seconds on a device with a speed of 1000.
    fn wanted(seconds: u128) -> Wanted {
        Wanted {
            load: Some((Specialisation::Synthetic, seconds * 1000)),
            without: Vec::new(),
        }
    }

    /// A pool of devices with these speeds.
    async fn with_speeds(speeds: &[f64]) -> EnginePool {
        let pool = pool(speeds.len());
        for &speed in speeds {
            let lease = pool.take_unmeasured(Specialisation::Synthetic).expect("idle");
            lease.learn(Specialisation::Synthetic, speed);
        }
        pool
    }

    #[tokio::test]
    async fn work_goes_to_the_device_that_has_it_done_first() {
        let pool = with_speeds(&[1.0, 1000.0, 500.0]).await;
        let first = pool.take(within(10_000), wanted(1)).await.expect("idle");
        let second = pool.take(within(10_000), wanted(1)).await.expect("idle");
        assert_eq!((first.index, second.index), (1, 2));
    }

    #[tokio::test]
    async fn work_waits_for_the_device_that_has_it_done_in_time_and_others_pass_by() {
        let pool = with_speeds(&[1.0, 1000.0]).await;
        let fast = pool.take(within(10_000), wanted(1)).await.expect("idle");
        assert_eq!(fast.index, 1);
        let waiting = tokio::spawn({
            let pool = pool.clone();
            async move { pool.take(within(60_000), wanted(1)).await.map(|lease| lease.index) }
        });
        while pool.0.lock().waiting.is_empty() {
            tokio::task::yield_now().await;
        }
        // It is behind the one that waits, and has time enough for the slow device.
        let slow = pool.take(within(100_000_000), wanted(1)).await.expect("idle");
        assert_eq!(slow.index, 0);
        drop(fast);
        assert_eq!(waiting.await.expect("no panic"), Some(1));
    }

    #[tokio::test]
    async fn a_device_that_cannot_do_it_is_passed_over_and_none_is_waited_for_if_none_can() {
        let pool = with_speeds(&[1000.0, 500.0]).await;
        let mut wanted = wanted(1);
        wanted.without.push(0);
        let other = pool.take(within(10_000), wanted.clone()).await.expect("idle");
        assert_eq!(other.index, 1);
        drop(other);
        wanted.without.push(1);
        assert!(pool.take(within(10_000), wanted).await.is_none());
    }
}
