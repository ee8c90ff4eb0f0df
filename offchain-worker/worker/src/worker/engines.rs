//! The devices of a worker.

use crate::{Metrics, WorkerError};
use agora_compute::{CancelFlag, Computation, Engine, MemoryInputs};
use agora_primitives::job::JobSpec;
use std::sync::Arc;
use tokio::sync::Mutex;

/// Devices that are idle. A step takes one out and puts it back.
pub(super) struct EnginePool {
    idle: Mutex<tokio::sync::mpsc::Receiver<Arc<dyn Engine>>>,
    back: tokio::sync::mpsc::Sender<Arc<dyn Engine>>,
}

impl EnginePool {
    /// All of `engines`.
    pub fn new(engines: Vec<Arc<dyn Engine>>) -> Self {
        let (back, idle) = tokio::sync::mpsc::channel(engines.len().max(1));
        for engine in engines {
            back.try_send(engine)
                .unwrap_or_else(|_| unreachable!("the channel has room for every engine"));
        }
        Self {
            idle: Mutex::new(idle),
            back,
        }
    }

    /// Runs `job` on the next idle device.
    pub async fn run(
        &self,
        job: JobSpec,
        inputs: MemoryInputs,
        metrics: Metrics,
        cancel: CancelFlag,
    ) -> Result<Computation, WorkerError> {
        let engine = self.idle.lock().await.recv().await;
        let engine = engine.ok_or_else(|| WorkerError::Interrupted("there is no device".to_owned()))?;
        let used = Arc::clone(&engine);
        let computation = tokio::task::spawn_blocking(move || {
            let progress = |done: u32, total: u32| {
                metrics
                    .progress_permille
                    .set(i64::from(done) * 1000 / i64::from(total.max(1)));
            };
            used.run(&job, &inputs, &progress, &cancel)
        })
        .await;
        // Put back before anything can fail. There is a place for it, because it was taken out of the same channel.
        let _ = self.back.send(engine).await;
        Ok(computation.map_err(|panic| WorkerError::Interrupted(panic.to_string()))??)
    }
}
