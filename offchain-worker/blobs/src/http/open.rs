//! The connections that are open, and which of them make room for others.

use super::ServeLimits;
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

/// When a connection last did something.
#[derive(Debug)]
pub struct Activity {
    began: Instant,
    /// In milliseconds since `began`.
    last: AtomicU64,
    /// Requests that are being worked on here.
    working: AtomicUsize,
}

impl Activity {
    pub fn new() -> Self {
        Self {
            began: Instant::now(),
            last: AtomicU64::new(0),
            working: AtomicUsize::new(0),
        }
    }

    /// Bytes came or were taken.
    pub fn touch(&self) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(now, Ordering::Relaxed);
    }

    /// A request is worked on until this is dropped: the other side waits for this machine.
    pub fn work(self: &Arc<Self>) -> Working {
        self.working.fetch_add(1, Ordering::Relaxed);
        Working(Arc::clone(self))
    }

    /// How long nothing has happened.
    fn idle(&self) -> Duration {
        if self.working.load(Ordering::Relaxed) > 0 {
            return Duration::ZERO;
        }
        let last = Duration::from_millis(self.last.load(Ordering::Relaxed));
        self.began.elapsed().saturating_sub(last)
    }
}

/// A request that is being worked on.
pub struct Working(Arc<Activity>);

impl Drop for Working {
    fn drop(&mut self) {
        self.0.touch();
        self.0.working.fetch_sub(1, Ordering::Relaxed);
    }
}

/// All connections that are open. Cheap to clone.
#[derive(Clone, Default)]
pub struct Open(Arc<Mutex<HashMap<u64, Connection>>>);

struct Connection {
    address: IpAddr,
    activity: Arc<Activity>,
    close: CancellationToken,
}

/// One open connection; it is counted until this is dropped.
pub struct Counted {
    open: Open,
    id: u64,
    /// When it last did something.
    pub activity: Arc<Activity>,
    /// Cancelled when it is to make room for another.
    pub close: CancellationToken,
    /// Whether it is within the limits.
    pub is_within: bool,
}

impl Open {
    /// Counts a connection of `address`. `None`: not even a refusal is affordable.
    ///
    /// When all connections are taken, the one that has been idle for longest is closed for it.
    pub fn count(&self, address: IpAddr, limits: &ServeLimits) -> Option<Counted> {
        let address = address.to_canonical();
        let mut all = self.all();
        let of = |prefix: fn(IpAddr) -> IpAddr| {
            let wanted = prefix(address);
            all.values().filter(|other| prefix(other.address) == wanted).count()
        };
        let (of_address, of_site) = (of(network), of(site));
        let within = |part: usize, whole: usize| part < whole;
        // Half as many again are told to come back later.
        let tellable = |part: usize, whole: usize| part < whole.saturating_mul(3) / 2;
        let fits = |fits: fn(usize, usize) -> bool| {
            fits(of_address, limits.connections_per_address) && fits(of_site, limits.connections_per_site)
        };
        let mut is_within = fits(within);
        if is_within && all.len() >= limits.connections {
            is_within = close_idlest(&mut all, limits.idle);
        }
        let is_told = fits(tellable) && tellable(all.len(), limits.connections);
        if !is_within && !is_told {
            return None;
        }
        let id = rand::random();
        let (activity, close) = (Arc::new(Activity::new()), CancellationToken::new());
        let connection = Connection {
            address,
            activity: Arc::clone(&activity),
            close: close.clone(),
        };
        all.insert(id, connection);
        let open = self.clone();
        Some(Counted {
            open,
            id,
            activity,
            close,
            is_within,
        })
    }

    fn all(&self) -> MutexGuard<'_, HashMap<u64, Connection>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes the connection that has been idle for longest, if that is at least `least`.
fn close_idlest(all: &mut HashMap<u64, Connection>, least: Duration) -> bool {
    let idle = all.iter().map(|(id, connection)| (connection.activity.idle(), *id));
    let Some((_, id)) = idle.max().filter(|(idle, _)| *idle >= least) else {
        return false;
    };
    if let Some(connection) = all.remove(&id) {
        connection.close.cancel();
    }
    true
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.open.all().remove(&self.id);
    }
}

/// What counts as one address: an IPv6 user has a whole /64.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6([a, b, c, d, 0, 0, 0, 0].into())
        }
        address @ IpAddr::V4(_) => address,
    }
}

/// What counts as one site: with IPv6 a /48, of which a site has all /64s.
fn site(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            IpAddr::V6([a, b, c, 0, 0, 0, 0, 0].into())
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_does_not_have_more_connections_by_having_many_networks() {
        let limits = ServeLimits {
            connections_per_address: 2,
            connections_per_site: 3,
            ..ServeLimits::default()
        };
        let open = Open::default();
        let count = |address: &str| open.count(address.parse().expect("an address"), &limits);
        let is_within = |counted: &Option<Counted>| counted.as_ref().is_some_and(|counted| counted.is_within);
        let first = ["2001:db8:1:1::1", "2001:db8:1:2::1", "2001:db8:1:3::1"].map(count);
        assert!(first.iter().all(is_within));
        let fourth = count("2001:db8:1:4::1");
        assert!(fourth.is_some() && !is_within(&fourth), "it is told to come back");
        assert!(count("2001:db8:1:5::1").is_none());
        assert!(is_within(&count("2001:db8:2:1::1")), "another site");
        drop(first);
        assert!(is_within(&count("2001:db8:1:5::1")));
    }

    #[test]
    fn who_is_worked_for_does_not_make_room() {
        let limits = ServeLimits {
            connections: 2,
            idle: Duration::from_millis(20),
            ..ServeLimits::default()
        };
        let open = Open::default();
        let count = |address: &str| open.count(address.parse().expect("an address"), &limits);
        let worked_for = count("192.0.2.1").expect("there is room");
        let working = worked_for.activity.work();
        let idle = count("192.0.2.2").expect("there is room");
        assert!(!count("192.0.2.3").expect("it is told").is_within, "nobody is idle yet");
        std::thread::sleep(Duration::from_millis(30));
        let third = count("192.0.2.3").expect("there is room");
        assert!(third.is_within && idle.close.is_cancelled() && !worked_for.close.is_cancelled());
        drop(working);
    }
}
