//! What a process has cost.

use agora_bench_iroh::Failure;
use nix::sys::resource::{UsageWho, getrusage};
use serde::{Deserialize, Serialize};

/// What a process has cost since it began.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Cost {
    /// Seconds of processor time, its own and the system's for it.
    pub processor: f64,
    /// Bytes of memory at the peak.
    pub peak: u64,
}

impl Cost {
    /// What this process has cost.
    pub fn now() -> Result<Self, Failure> {
        let usage = getrusage(UsageWho::RUSAGE_SELF)?;
        let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
        Ok(Self {
            processor: seconds(usage.user_time()) + seconds(usage.system_time()),
            // The system says it in KiB.
            peak: u64::try_from(usage.max_rss())?.saturating_mul(1024),
        })
    }
}

/// Says what this process has cost, for each line of input, until the input ends.
pub async fn tell_until_the_end() -> Result<(), Failure> {
    let told = tokio::task::spawn_blocking(|| {
        for line in std::io::stdin().lines() {
            line?;
            println!("{}", serde_json::to_string(&Cost::now()?)?);
        }
        Ok(())
    });
    told.await?
}
