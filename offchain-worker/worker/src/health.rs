//! Whether a worker or a verifier is well, for those who watch many of them.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// If the loop has not gone round for so long, it is stuck: restart the process.
const STUCK: Duration = Duration::from_secs(300);
/// If the last good look at the chain is older, the process cannot do its work now.
const STALE: Duration = Duration::from_secs(120);

/// How a process is. Cheap to clone; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Health(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    /// When the loop went round last.
    turned: Option<Instant>,
    /// When the chain was looked at, and all was well.
    looked: Option<Instant>,
    /// What is waited for.
    waiting: Option<String>,
    /// Devices that are in use or idle; `None`: this process needs none.
    devices: Option<usize>,
}

impl Health {
    /// The chain was looked at, and all is done that is due.
    pub(crate) fn well(&self) {
        let now = Some(Instant::now());
        let mut inner = self.lock();
        inner.turned = now;
        inner.looked = now;
        inner.waiting = None;
    }

    /// The loop goes round, and nothing can be done.
    pub(crate) fn waiting(&self, why: String) {
        let mut inner = self.lock();
        inner.turned = Some(Instant::now());
        inner.waiting = Some(why);
    }

    /// So many devices work.
    pub(crate) fn devices(&self, count: usize) {
        self.lock().devices = Some(count);
    }

    /// Whether the process is alive: it goes round. If not, restart it.
    ///
    /// Errors: what is wrong.
    pub fn alive(&self) -> Result<(), String> {
        let inner = self.lock();
        match inner.turned {
            Some(turned) if turned.elapsed() > STUCK => Err(format!(
                "nothing was done for {} s: the process is stuck\n",
                turned.elapsed().as_secs()
            )),
            _ => Ok(()),
        }
    }

    /// Whether the process can do its work now: a node that is not behind answers, and a device works.
    ///
    /// Errors: what is missing.
    pub fn ready(&self) -> Result<(), String> {
        self.alive()?;
        let inner = self.lock();
        if let Some(why) = &inner.waiting {
            return Err(format!("{why}\n"));
        }
        if inner.looked.is_none_or(|looked| looked.elapsed() > STALE) {
            return Err("the chain was not looked at yet, or not for minutes\n".to_owned());
        }
        match inner.devices {
            Some(0) => Err("no device works\n".to_owned()),
            _ => Ok(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_ready_after_a_good_look_and_while_a_device_works() {
        let health = Health::default();
        assert!(health.alive().is_ok(), "it may still be opening its devices");
        assert!(health.ready().is_err());
        health.well();
        assert_eq!(health.ready(), Ok(()), "a verifier has no devices");
        health.waiting("The node is behind.".to_owned());
        assert_eq!(health.ready(), Err("The node is behind.\n".to_owned()));
        assert_eq!(health.alive(), Ok(()), "restarting the worker would not help the node");
        health.well();
        health.devices(0);
        assert!(health.ready().is_err_and(|why| why.contains("no device")));
    }
}
