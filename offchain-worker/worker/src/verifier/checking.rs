//! Checking results and responses, and the memory that checks and reveals take.
//!
//! One check runs at a time, because there is one engine; others load meanwhile, as far as there is memory.
//!
//! - A check whose window is over is of no use. One that waits is not begun, and its memory is free at once. One that runs cannot be broken
//!   off, so its memory is free when it ends; but nobody waits for it.
//! - A reveal never waits for a check, which may take longer than the time to reveal: whoever does not reveal in time loses its bond. So
//!   reveals have memory of their own.

use crate::{
    WorkerError,
    check::check_claim,
    turns::{Turn, Turns},
};
use agora_chain::BlockNumber;
use agora_compute::{Engine, MemoryInputs, Verdict};
use agora_primitives::{
    job::{Claim, JobSpec},
    judging::Attestation,
};
use std::sync::Arc;

/// A claim, and what a check of it needs.
pub(super) struct Loaded {
    pub job: JobSpec,
    pub inputs: MemoryInputs,
    pub claim: Claim,
    /// The output that the claim names.
    pub output: Vec<u8>,
    /// What the check draws with.
    pub seed: [u8; 32],
}

/// Checks claims on one engine.
pub(super) struct Checker {
    engine: Arc<dyn Engine>,
    /// The memory that inputs and outputs of checks may take, those of responses too, in bytes.
    memory: Turns,
    /// Lets one be checked at a time.
    computing: Turns,
    /// The memory that outputs may take from which chunks are shown, in bytes.
    revealing: Turns,
}

impl Checker {
    /// Checks on `engine`. All that is checked takes at most `memory` bytes together, and all that is revealed as many.
    pub fn new(engine: Arc<dyn Engine>, memory: u64) -> Self {
        Self {
            engine,
            memory: Turns::new(memory),
            computing: Turns::new(1),
            revealing: Turns::new(memory),
        }
    }

    /// Memory for a reveal of an output of `bytes`; the one that has to be made by the first block comes first.
    pub async fn memory_for_reveal(&self, until: BlockNumber, bytes: u64) -> Turn {
        self.revealing.take(u64::from(until), bytes).await
    }

    /// Whether the claim is right that `load` brings, which takes `bytes`, and what else `load` brings. Those of a lower `rank` come first.
    /// `None`: its window was over first, as `too_late` says.
    ///
    /// Errors: those of `load`, `Engine`, `Interrupted`.
    pub async fn check<T>(
        &self,
        rank: u64,
        bytes: u64,
        load: impl Future<Output = Result<(Loaded, T), WorkerError>>,
        too_late: impl Future<Output = ()>,
    ) -> Result<Option<(Attestation, T)>, WorkerError> {
        tokio::pin!(too_late);
        let prepared = async {
            let memory = self.memory.take(rank, bytes).await;
            let (loaded, with) = load.await?;
            let computing = self.computing.take(rank, 1).await;
            Ok::<_, WorkerError>(((memory, computing), loaded, with))
        };
        let (turns, loaded, with) = tokio::select! {
            // So that nothing is begun after its window, even if it is its turn.
            biased;
            () = &mut too_late => return Ok(None),
            prepared = prepared => prepared?,
        };
        let engine = Arc::clone(&self.engine);
        // It goes on if nobody waits for it any more: the bytes are there until it ends.
        let running = tokio::spawn(async move {
            let found = found(engine, loaded).await;
            drop(turns);
            found
        });
        tokio::select! {
            biased;
            found = running => {
                let found = found.map_err(|panic| WorkerError::Interrupted(panic.to_string()))?;
                Ok(Some((found?, with)))
            }
            () = too_late => Ok(None),
        }
    }
}

/// Checks a claim with the output that it names, which costs far less than computing it.
async fn found(engine: Arc<dyn Engine>, loaded: Loaded) -> Result<Attestation, WorkerError> {
    let Loaded {
        job,
        inputs,
        claim,
        output,
        seed,
    } = loaded;
    match check_claim(engine, job, inputs, claim, output, seed).await? {
        Verdict::Right => Ok(Attestation::Valid),
        Verdict::Wrong(place) => {
            tracing::warn!(?claim, %place, "The result is wrong.");
            Ok(Attestation::Invalid)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agora_compute::{
        CancelFlag, Computation, CpuEngine, EngineError, Inputs, JobKind, NoInputs, NoProgress, Progress,
    };
    use agora_primitives::job::SyntheticJob;
    use futures::poll;
    use std::{
        future::{pending, ready},
        pin::pin,
        sync::{Mutex, mpsc},
    };
    use tokio::sync::{mpsc as waited, oneshot};

    const MEMORY: u64 = 100;

    /// Says when a check begins, and ends it when it is told to.
    struct Slow {
        begun: waited::UnboundedSender<()>,
        ends: Mutex<mpsc::Receiver<()>>,
    }

    impl Engine for Slow {
        fn name(&self) -> &str {
            "slow"
        }

        fn run(
            &self,
            _: &JobSpec,
            _: &dyn Inputs,
            _: &dyn Progress,
            _: &CancelFlag,
        ) -> Result<Computation, EngineError> {
            Err(EngineError::Cancelled)
        }

        fn check_output(&self, _: &JobSpec, _: &dyn Inputs, _: &[u8], _: &[u8; 32]) -> Result<Verdict, EngineError> {
            self.begun.send(()).expect("the test listens");
            // An error: the test is over.
            let _ = self.ends.lock().expect("no check panics").recv();
            Ok(Verdict::Right)
        }
    }

    /// A checker, what tells that a check has begun, and what ends one.
    fn checker() -> (Arc<Checker>, waited::UnboundedReceiver<()>, mpsc::Sender<()>) {
        let (begun, has_begun) = waited::unbounded_channel();
        let (end, ends) = mpsc::channel();
        let engine = Slow {
            begun,
            ends: Mutex::new(ends),
        };
        (Arc::new(Checker::new(Arc::new(engine), MEMORY)), has_begun, end)
    }

    fn loaded() -> Loaded {
        let job = JobSpec::V2(JobKind::Synthetic(SyntheticJob {
            seed: [1; 32],
            matrix_size: 8,
            iterations: 2,
        }));
        let right = CpuEngine::new().run(&job, &NoInputs, &NoProgress, &CancelFlag::new());
        let right = right.expect("it can be computed");
        Loaded {
            claim: right.claim(),
            output: right.output,
            job,
            inputs: MemoryInputs::new(),
            seed: [2; 32],
        }
    }

    /// What a check came to that takes so much memory, without an end of its window.
    async fn checked(checker: &Checker, rank: u64, bytes: u64) -> Option<(Attestation, ())> {
        let checked = checker.check(rank, bytes, ready(Ok((loaded(), ()))), pending());
        checked.await.expect("it can be checked")
    }

    #[tokio::test]
    async fn a_reveal_does_not_wait_for_a_check_that_has_all_the_memory() {
        let (checker, mut has_begun, end) = checker();
        let shared = Arc::clone(&checker);
        let running = tokio::spawn(async move { checked(&shared, 0, MEMORY).await });
        has_begun.recv().await.expect("it begins");
        let held = poll!(pin!(checker.memory_for_reveal(7, MEMORY)));
        assert!(held.is_ready(), "the check is still running");
        // Another reveal waits for this one alone, and the earlier one first.
        let mut late = pin!(checker.memory_for_reveal(9, MEMORY));
        let mut early = pin!(checker.memory_for_reveal(8, MEMORY));
        assert!(poll!(&mut late).is_pending() && poll!(&mut early).is_pending());
        drop(held);
        assert!(poll!(&mut late).is_pending() && poll!(&mut early).is_ready());
        end.send(()).expect("the check waits for it");
        assert_eq!(running.await.expect("no panic"), Some((Attestation::Valid, ())));
    }

    #[tokio::test]
    async fn a_check_that_waits_is_not_begun_after_its_window_and_its_memory_is_free() {
        let (checker, mut has_begun, end) = checker();
        let shared = Arc::clone(&checker);
        let running = tokio::spawn(async move { checked(&shared, 0, 10).await });
        has_begun.recv().await.expect("it begins");
        // It has loaded, and waits for the first; a third one waits for its memory.
        let (close, closed) = oneshot::channel::<()>();
        let too_late = async { closed.await.expect("it closes") };
        let mut second = pin!(checker.check(1, 90, ready(Ok((loaded(), ()))), too_late));
        assert!(poll!(&mut second).is_pending());
        let (loads, has_loaded) = oneshot::channel();
        let third = async move {
            loads.send(()).expect("the test listens");
            Ok((loaded(), ()))
        };
        let mut third = pin!(checker.check(2, 90, third, pending()));
        assert!(poll!(&mut third).is_pending());
        assert_eq!(checker.memory.free(), 0);
        close.send(()).expect("the second waits for it");
        assert_eq!(second.await.expect("no failure"), None);
        assert!(poll!(&mut third).is_pending());
        has_loaded.await.expect("the third has the memory now");
        end.send(()).expect("the first waits for it");
        assert!(running.await.expect("no panic").is_some());
        end.send(()).expect("the third will wait for it");
        assert!(third.await.expect("no failure").is_some());
        has_begun.recv().await.expect("the third has begun");
        assert!(has_begun.try_recv().is_err(), "the second has not");
        assert_eq!(checker.memory.free(), MEMORY);
    }

    #[tokio::test]
    async fn nothing_is_loaded_after_the_window() {
        let (checker, mut has_begun, _end) = checker();
        let load = async { unreachable!("its window is over") };
        let checked = checker.check::<()>(0, 1, load, ready(())).await;
        assert_eq!(checked.expect("no failure"), None);
        assert!(has_begun.try_recv().is_err());
    }

    #[tokio::test]
    async fn nobody_waits_for_a_check_after_its_window_but_its_memory_stays_taken_while_it_runs() {
        let (checker, mut has_begun, end) = checker();
        let too_late = async { has_begun.recv().await.expect("it begins") };
        let checked = checker.check(0, MEMORY, ready(Ok((loaded(), ()))), too_late);
        assert_eq!(checked.await.expect("no failure"), None);
        let mut next = pin!(checker.memory.take(0, 1));
        assert!(poll!(&mut next).is_pending(), "the bytes are still there");
        end.send(()).expect("the check waits for it");
        next.await;
    }
}
