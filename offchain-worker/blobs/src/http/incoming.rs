//! Bytes of an answer as they arrive: not too slowly, never more than the reader has asked for, and not ahead of it.

use super::{PeerLimits, client::chain, peer::Failure};
use bytes::Bytes;
use std::{
    io::{self, Read},
    time::Duration,
};
use tokio::{sync::mpsc, time::Instant};

/// How many pieces of an answer wait for the disk.
const AHEAD: usize = 8;

/// Watches how fast an answer arrives. Only waiting for the peer counts, not for the own disk.
pub struct Pace {
    idle: Duration,
    least_rate: u64,
    waited: Duration,
    arrived: u64,
}

impl Pace {
    /// With these limits.
    pub const fn new(limits: &PeerLimits) -> Self {
        Self {
            idle: limits.idle,
            least_rate: limits.least_rate,
            waited: Duration::ZERO,
            arrived: 0,
        }
    }

    /// The next bytes of `answer`. `None`: it has ended.
    pub async fn next(&mut self, answer: &mut reqwest::Response) -> Result<Option<Bytes>, Failure> {
        let began = Instant::now();
        let bytes = match tokio::time::timeout(self.idle, answer.chunk()).await {
            Ok(Ok(bytes)) => bytes,
            Ok(Err(error)) => return Err(Failure::Broken(chain(&error))),
            Err(_) => {
                let idle = self.idle.as_millis();
                return Err(Failure::Broken(format!("nothing arrived for {idle} ms")));
            }
        };
        self.waited = self.waited.saturating_add(began.elapsed());
        self.arrived = self
            .arrived
            .saturating_add(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64));
        let needed = u128::from(self.least_rate).saturating_mul(self.waited.as_millis()) / 1000;
        if bytes.is_some() && self.waited > self.idle && u128::from(self.arrived) < needed {
            return Err(Failure::Broken(format!(
                "only {} bytes arrived in {} ms",
                self.arrived,
                self.waited.as_millis()
            )));
        }
        Ok(bytes)
    }
}

/// The reader's end of an answer.
pub struct Incoming {
    pieces: mpsc::Receiver<Bytes>,
    rest: Bytes,
}

/// An answer's two ends: bytes are sent into one, and a thread reads from the other.
pub fn incoming() -> (mpsc::Sender<Bytes>, Incoming) {
    let (sender, pieces) = mpsc::channel(AHEAD);
    let rest = Bytes::new();
    (sender, Incoming { pieces, rest })
}

/// Sends what arrives of `answer` to a reader, until either has ended.
pub async fn pump(
    mut answer: reqwest::Response,
    limits: &PeerLimits,
    sender: mpsc::Sender<Bytes>,
) -> Result<(), Failure> {
    let mut pace = Pace::new(limits);
    loop {
        tokio::select! {
            // The reader has all that it wants, or has found something wrong: more is of no use, however much there is.
            () = sender.closed() => return Ok(()),
            bytes = pace.next(&mut answer) => match bytes? {
                Some(bytes) => if sender.send(bytes).await.is_err() { return Ok(()) },
                None => return Ok(()),
            }
        }
    }
}

impl Read for Incoming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            match self.pieces.blocking_recv() {
                Some(bytes) => self.rest = bytes,
                None => return Ok(0),
            }
        }
        let piece = self.rest.split_to(self.rest.len().min(buffer.len()));
        if let Some(target) = buffer.get_mut(..piece.len()) {
            target.copy_from_slice(&piece);
        }
        Ok(piece.len())
    }
}
