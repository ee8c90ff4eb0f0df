//! What is under way.

use crate::{Metrics, WorkerError, told::Told};
use agora_chain::AccountId;
use agora_primitives::TaskId;
use std::{collections::HashMap, fmt, time::Duration};
use tokio::task::{Id, JoinError, JoinSet};
use tracing::{Instrument, Span};

/// How long a graceful stop waits for transactions that are under way.
const DRAIN: Duration = Duration::from_secs(20);

/// What a step is about.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Matter {
    /// A task.
    Task(TaskId),
    /// What an account has attested about a task, and has to reveal in time, whatever else is done about the task.
    Attestation(TaskId),
    /// The worker's own hardware challenge in the round with this number.
    HardwareRound(u32),
    /// The case in court with this number.
    Case(u64),
    /// A defence in the case in court with this number.
    Defence(u64),
    /// The trial with this number.
    Trial(u64),
    /// The response of the account with these bytes in the hardware round with this number.
    Response(u32, [u8; 32]),
}

impl Matter {
    /// What is logged about it is told by this.
    fn span(&self) -> Span {
        match self {
            Self::Task(task) => tracing::info_span!("task", id = task.0),
            other => tracing::info_span!("step", about = %other),
        }
    }
}

impl From<TaskId> for Matter {
    fn from(task: TaskId) -> Self {
        Self::Task(task)
    }
}

impl fmt::Display for Matter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Task(task) => write!(f, "task {task}"),
            Self::Attestation(task) => write!(f, "attestation on task {task}"),
            Self::Case(case) => write!(f, "case {case}"),
            Self::Defence(case) => write!(f, "defence in case {case}"),
            Self::Trial(trial) => write!(f, "trial {trial}"),
            Self::HardwareRound(round) => write!(f, "hardware round {round}"),
            Self::Response(round, worker) => write!(f, "response of {} in hardware round {round}", AccountId(*worker)),
        }
    }
}

/// What is under way: at most one step per matter.
#[derive(Default)]
pub(crate) struct Steps {
    matters: HashMap<Matter, Id>,
    running: JoinSet<(Matter, Result<(), WorkerError>)>,
}

impl Steps {
    /// Whether a step about `matter` is under way.
    pub fn are_busy_with(&self, matter: impl Into<Matter>) -> bool {
        self.matters.contains_key(&matter.into())
    }

    /// Takes a step about `matter`, unless one is under way. What it logs is in the span of that matter.
    pub fn start(
        &mut self,
        matter: impl Into<Matter>,
        step: impl Future<Output = Result<(), WorkerError>> + Send + 'static,
    ) {
        let matter = matter.into();
        if !self.matters.contains_key(&matter) {
            let step = step.instrument(matter.span());
            let step = self.running.spawn(async move { (matter, step.await) });
            self.matters.insert(matter, step.id());
        }
    }

    /// Waits for the steps under way, at most [`DRAIN`]. What is left is in the journal, and the next start takes it
    /// up.
    pub async fn drain(mut self) {
        let drained = tokio::time::timeout(DRAIN, async {
            while let Some(done) = self.running.join_next().await {
                if let Ok((matter, Err(error))) = done {
                    tracing::info!(%matter, %error, "A step failed while stopping; the next start takes it again.");
                }
            }
        });
        if drained.await.is_err() {
            tracing::warn!("Some transactions are still under way; the next start looks for them on chain.");
        }
    }

    /// Says how a step has ended, once for each reason.
    pub fn report(told: &Told, metrics: &Metrics, matter: Option<Matter>, result: Result<(), WorkerError>) {
        let Some(matter) = matter else { return };
        let Err(error) = result else {
            told.is_over(matter);
            return;
        };
        metrics.retries.inc();
        if told.is_new(matter, &error) {
            tracing::warn!(%matter, %error, "A step failed; it is taken again after later blocks.");
        } else {
            tracing::debug!(%matter, %error, "A step failed again.");
        }
    }

    /// The next step that ends, and how. Never, while there is none.
    pub async fn ended(&mut self) -> (Option<Matter>, Result<(), WorkerError>) {
        let Some(done) = self.running.join_next().await else {
            return std::future::pending().await;
        };
        match done {
            Ok((matter, result)) => {
                self.matters.remove(&matter);
                (Some(matter), result)
            }
            Err(panic) => (self.forget(&panic), Err(WorkerError::Interrupted(panic.to_string()))),
        }
    }

    fn forget(&mut self, panic: &JoinError) -> Option<Matter> {
        let (matter, _) = self.matters.iter().find(|(_, id)| **id == panic.id())?;
        let matter = *matter;
        self.matters.remove(&matter);
        Some(matter)
    }

    /// How many steps are under way.
    #[cfg(test)]
    pub fn count(&self) -> usize {
        self.matters.len()
    }

    #[cfg(test)]
    pub async fn all_ended(&mut self) -> Vec<Result<(), WorkerError>> {
        let mut results = Vec::new();
        while !self.running.is_empty() {
            results.push(self.ended().await.1);
        }
        results
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logged::Logged;

    #[tokio::test]
    async fn what_a_step_logs_says_what_it_is_about() {
        let logged = Logged::start();
        let mut steps = Steps::default();
        let matters = [
            (Matter::Task(TaskId(7)), "[task id=7]"),
            (Matter::Case(8), "[step about=case 8]"),
            (Matter::Defence(9), "[step about=defence in case 9]"),
            (Matter::Trial(10), "[step about=trial 10]"),
            (Matter::HardwareRound(11), "[step about=hardware round 11]"),
            (Matter::Response(12, [1; 32]), "[step about=response of "),
        ];
        for (matter, _) in matters {
            steps.start(matter, async move {
                tokio::task::yield_now().await;
                tracing::info!("Done about {matter}.");
                Ok(())
            });
        }
        assert_eq!(steps.all_ended().await.len(), matters.len());
        for (matter, span) in matters {
            let lines = logged.with(&format!("Done about {matter}."));
            assert!(matches!(lines.as_slice(), [line] if line.contains(span)), "{lines:?}");
        }
        tracing::info!("Outside.");
        assert_eq!(logged.with("Outside."), ["INFO Outside."]);
    }
}
