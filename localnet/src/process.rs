//! One process.

use crate::LocalnetError;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::process::{Child, Command};

/// How long a process has to end after being asked to.
const GRACE: Duration = Duration::from_secs(30);
/// Pause between two looks at a log.
const POLL: Duration = Duration::from_millis(50);

/// A running process. Killed when dropped.
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command`; what it prints is appended to `log`.
    pub fn start(name: &str, mut command: Command, log: &Path) -> Result<Self, LocalnetError> {
        let what = format!("cannot start {name}");
        let open = || File::options().create(true).append(true).open(log);
        let out = open().map_err(LocalnetError::system(&what))?;
        let err = open().map_err(LocalnetError::system(&what))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .kill_on_drop(true)
            .spawn()
            .map_err(LocalnetError::system(&what))?;
        Ok(Self {
            name: name.to_owned(),
            child,
            log: log.to_owned(),
        })
    }

    /// Everything that it has printed.
    pub fn output(&self) -> String {
        std::fs::read(&self.log)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// Waits until it has printed `text`, from byte `from` of its output on.
    pub async fn printed(&mut self, text: &str, from: usize, patience: Duration) -> Result<(), LocalnetError> {
        let deadline = Instant::now() + patience;
        loop {
            if self.output().get(from..).is_some_and(|output| output.contains(text)) {
                return Ok(());
            }
            self.ensure_running()?;
            if Instant::now() > deadline {
                return Err(LocalnetError::Overdue {
                    what: format!("{} printing {text:?}", self.name),
                    seconds: patience.as_secs(),
                    log: self.log.clone(),
                    tail: self.tail(),
                });
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Succeeds if it has not ended.
    pub fn ensure_running(&mut self) -> Result<(), LocalnetError> {
        match self.child.try_wait().map_err(LocalnetError::system(format!(
            "cannot tell whether {} still runs",
            self.name
        )))? {
            None => Ok(()),
            Some(status) => Err(LocalnetError::Ended {
                name: self.name.clone(),
                status,
                log: self.log.clone(),
                tail: self.tail(),
            }),
        }
    }

    /// Kills it as `kill -9` does, and waits until it is gone.
    pub async fn kill(mut self) -> Result<(), LocalnetError> {
        self.child
            .kill()
            .await
            .map_err(LocalnetError::system(format!("cannot kill {}", self.name)))
    }

    /// Its number; `None`: it has ended.
    pub fn id(&self) -> Option<i32> {
        self.child.id().and_then(|pid| i32::try_from(pid).ok())
    }

    /// The most memory that it has had at a time, in bytes. Linux alone tells.
    pub fn peak_memory(&self) -> Result<u64, LocalnetError> {
        let failed = |reason| LocalnetError::system(format!("cannot tell the memory of {}", self.name))(reason);
        let pid = self.id().ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).map_err(failed)?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = peak.and_then(|peak| peak.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        Ok(kib.ok_or_else(|| failed(io::ErrorKind::InvalidData.into()))? << 10)
    }

    fn signal(&self, signal: Signal) -> Result<(), LocalnetError> {
        let Some(pid) = self.id() else { return Ok(()) };
        kill(Pid::from_raw(pid), signal)
            .map_err(|errno| LocalnetError::system(format!("cannot send {signal} to {}", self.name))(errno.into()))
    }

    /// Suspends it, as a machine that sleeps does, until [`Self::wake`].
    pub fn suspend(&self) -> Result<(), LocalnetError> {
        self.signal(Signal::SIGSTOP)
    }

    /// Lets it go on after [`Self::suspend`].
    pub fn wake(&self) -> Result<(), LocalnetError> {
        self.signal(Signal::SIGCONT)
    }

    /// Asks it to end and waits until it has.
    pub async fn stop(mut self) -> Result<(), LocalnetError> {
        self.signal(Signal::SIGTERM)?;
        match tokio::time::timeout(GRACE, self.child.wait()).await {
            Ok(ended) => {
                ended.map_err(LocalnetError::system(format!("cannot wait for {}", self.name)))?;
                Ok(())
            }
            Err(_) => Err(LocalnetError::Overdue {
                what: format!("the end of {}", self.name),
                seconds: GRACE.as_secs(),
                tail: self.tail(),
                log: self.log.clone(),
            }),
        }
    }

    fn tail(&self) -> String {
        let output = self.output();
        let lines: Vec<_> = output.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }
}
