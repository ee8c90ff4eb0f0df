//! What is known of one peer.

use super::PeerLimits;
use crate::BlobError;
use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::{Semaphore, SemaphorePermit};
use url::Url;

/// Why a request brought less than was asked for.
#[derive(Debug)]
pub enum Failure {
    /// The peer does not have the blob. That is no fault.
    Absent(String),
    /// The address may not be used.
    Refused(String),
    /// The answer did not come, or ended too early, or came too slowly.
    Broken(String),
    /// It is busy, and asks to come back after this time.
    Busy(String, Duration),
    /// What came is not the blob.
    Wrong(String),
    /// This machine has failed, not the peer.
    Here(BlobError),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent(why) | Self::Refused(why) | Self::Broken(why) | Self::Wrong(why) | Self::Busy(why, _) => {
                f.write_str(why)
            }
            Self::Here(error) => error.fmt(f),
        }
    }
}

/// A peer, and how it has behaved.
#[derive(Debug)]
pub struct Peer {
    /// Where it answers.
    pub url: Url,
    limits: PeerLimits,
    in_flight: Semaphore,
    record: Mutex<Record>,
}

#[derive(Debug, Default)]
struct Record {
    /// Failures since it last gave something.
    failures: u32,
    rests_until: Option<Instant>,
    /// Bytes in a second that a request has brought.
    rate: Option<u64>,
}

/// A request that brought less, in less time, says more about the way to a peer than about its speed.
const TELLING: (u64, Duration) = (64 << 10, Duration::from_secs(1));

impl Peer {
    /// A peer of which nothing is known.
    pub fn new(url: Url, limits: PeerLimits) -> Self {
        Self {
            url,
            limits,
            in_flight: Semaphore::new(limits.in_flight.max(1)),
            record: Mutex::default(),
        }
    }

    /// Waits until one more request may be under way.
    pub async fn permit(&self) -> Option<SemaphorePermit<'_>> {
        self.in_flight.acquire().await.ok()
    }

    /// How long it still rests.
    pub fn rests_for(&self) -> Option<Duration> {
        let until = self.record().rests_until?;
        Some(until.saturating_duration_since(Instant::now())).filter(|left| !left.is_zero())
    }

    /// It gave what was asked for.
    pub fn succeeded(&self) {
        let mut record = self.record();
        if record.failures > 0 {
            tracing::info!(peer = %self.url, "The peer works again.");
        }
        (record.failures, record.rests_until) = (0, None);
    }

    /// A request has brought so many bytes in this time.
    pub fn brought(&self, bytes: u64, time: Duration) {
        if bytes < TELLING.0 && time < TELLING.1 {
            return;
        }
        let now = u128::from(bytes).saturating_mul(1000) / time.as_millis().max(1);
        let now = u64::try_from(now).unwrap_or(u64::MAX);
        let mut record = self.record();
        // The last few requests count.
        record.rate = Some(record.rate.map_or(now, |before| before / 2 + now / 2));
    }

    /// How many bytes in a second a request to it brings, if that is known.
    pub fn rate(&self) -> Option<u64> {
        self.record().rate
    }

    /// It failed for good, for one blob: it rests, the longer the oftener. Said once, until it works again.
    pub fn failed(&self, failure: &Failure) {
        let is_wrong = match failure {
            Failure::Absent(_) | Failure::Here(_) => return,
            Failure::Refused(_) | Failure::Broken(_) | Failure::Busy(..) => false,
            Failure::Wrong(_) => true,
        };
        let mut record = self.record();
        if record.failures == 0 && is_wrong {
            tracing::warn!(peer = %self.url, reason = %failure, "The peer serves wrong bytes; they are dropped, and it rests.");
        } else if record.failures == 0 {
            tracing::warn!(peer = %self.url, reason = %failure, "The peer cannot be used now; it rests.");
        }
        let factor = 1u32.checked_shl(record.failures).unwrap_or(u32::MAX);
        let rest = self.limits.rest.saturating_mul(factor).min(self.limits.longest_rest);
        record.failures = record.failures.saturating_add(1);
        record.rests_until = Instant::now().checked_add(rest);
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
