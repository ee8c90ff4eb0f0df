//! Gathers commands into submissions that are short enough for every watchdog, and waits for them.

use super::{
    Context, DeviceError, Pooled,
    pacer::{Pacer, Took},
};
use crate::run::CancelFlag;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

/// The multiply–add operations of a job's first submission: a few milliseconds on slow devices.
const FIRST_WORK: u64 = 1 << 27;

/// Gathers commands of one job into submissions, of as much work as its [`Pacer`] allows. It waits where the device
/// already has two full submissions of the job: so a cancelled job soon leaves the device, and jobs that share the
/// device take turns.
pub(crate) struct Batch<'a> {
    context: &'a Context,
    cancel: &'a CancelFlag,
    encoder: Option<wgpu::CommandEncoder>,
    /// Work recorded and not submitted.
    recorded: u64,
    submitted: VecDeque<Submission>,
    pacer: Pacer,
    ended: Ended,
}

/// Commands on their way.
struct Submission {
    index: wgpu::SubmissionIndex,
    work: u64,
    at: Instant,
}

/// When the last submission ended: not before the one, and at the latest at the other.
#[derive(Clone, Copy)]
struct Ended {
    earliest: Instant,
    latest: Instant,
}

impl<'a> Batch<'a> {
    /// Nothing recorded yet. Work is counted in multiply–add operations.
    pub fn new(context: &'a Context, cancel: &'a CancelFlag) -> Self {
        Self::paced(context, cancel, Pacer::new(FIRST_WORK, context.submission_work))
    }

    /// As [`Self::new`], for work that is counted as that of `pacer` is.
    pub fn paced(context: &'a Context, cancel: &'a CancelFlag, pacer: Pacer) -> Self {
        let now = Instant::now();
        Self {
            context,
            cancel,
            encoder: None,
            recorded: 0,
            submitted: VecDeque::new(),
            pacer,
            ended: Ended {
                earliest: now,
                latest: now,
            },
        }
    }

    /// The encoder to record commands with. `work` is what they take. A submission has more than [`Self::max_work`]
    /// only where a single call asks for more.
    ///
    /// Errors: `Cancelled`, and what the device reports.
    pub fn encoder(&mut self, work: u64) -> Result<&mut wgpu::CommandEncoder, DeviceError> {
        if self.recorded > 0 && self.recorded.saturating_add(work) > self.max_work() {
            self.submit()?;
        }
        self.cancel.check()?;
        self.recorded = self.recorded.saturating_add(work);
        let create = || self.context.device.create_command_encoder(&Default::default());
        Ok(self.encoder.get_or_insert_with(create))
    }

    /// The most work of the next submission.
    pub const fn max_work(&self) -> u64 {
        self.pacer.amount()
    }

    /// As [`Pacer::slow_down`].
    pub fn slow_down(&mut self) {
        self.pacer.slow_down();
    }

    /// Submits what is recorded, and returns the last submission.
    ///
    /// Errors: `Cancelled`, and what the device reports.
    pub fn submit(&mut self) -> Result<Option<wgpu::SubmissionIndex>, DeviceError> {
        if let Some(encoder) = self.encoder.take() {
            let work = std::mem::take(&mut self.recorded);
            let at = Instant::now();
            let index = self.context.queue.submit([encoder.finish()]);
            #[cfg(test)]
            self.context.watch.note(work, &self.context.device);
            self.submitted.push_back(Submission { index, work, at });
        }
        let last = self.submitted.back().map(|last| last.index.clone());
        while self.submitted.len() > 1
            && let Some(oldest) = self.submitted.pop_front()
        {
            let ended = self.context.has_ended(&oldest.index);
            let work: u64 = self.submitted.iter().map(|submission| submission.work).sum();
            // At most two full submissions wait at the device.
            if !ended && work.saturating_add(oldest.work) <= self.max_work().saturating_mul(2) {
                self.submitted.push_front(oldest);
                break;
            }
            if !ended {
                self.context.wait(&oldest.index, self.cancel, || true)?;
            }
            self.learn(&oldest, ended);
        }
        Ok(last)
    }

    /// Takes in how long `submission` took, which was found to have `ended` before, or was waited for until now.
    fn learn(&mut self, submission: &Submission, ended: bool) {
        let now = Instant::now();
        // It began when it was submitted, or when the one before it had ended.
        let begun = submission.at.max(self.ended.earliest);
        let exactly = !ended && self.ended.latest <= begun;
        let time = now.saturating_duration_since(begun);
        self.ended = Ended {
            earliest: if ended { begun } else { now },
            latest: now,
        };
        let took = if exactly {
            Took::Exactly(time)
        } else {
            Took::AtMost(time)
        };
        #[cfg(test)]
        let took = self.context.watch.pretended(submission.work).unwrap_or(took);
        self.pacer.observe(submission.work, took);
    }

    /// Submits what is recorded, and waits until all has ended.
    ///
    /// Errors: `Cancelled`, `TimedOut`, and what the device reports.
    pub fn finish(mut self) -> Result<(), DeviceError> {
        match self.submit()? {
            Some(last) => self.context.wait(&last, self.cancel, || true),
            None => self.context.check(),
        }
    }

    /// Records the copying of `from` to the host, submits, and returns without waiting.
    ///
    /// Errors: `Cancelled`, and what the device reports.
    pub fn read(&mut self, from: &[wgpu::BufferSlice<'_>]) -> Result<Readback, DeviceError> {
        // As large as the whole buffer, so that the pool can give it out again for any other part.
        let staging = |from: &wgpu::BufferSlice<'_>| Ok((self.context.staging(from.buffer().size())?, from.size()));
        let staging: Vec<(Pooled, u64)> = from.iter().map(staging).collect::<Result<_, DeviceError>>()?;
        let encoder = self.encoder(0)?;
        for (from, (to, bytes)) in from.iter().zip(&staging) {
            encoder.copy_buffer_to_buffer(from.buffer(), from.offset(), to, 0, Some(*bytes));
        }
        self.fetch(staging)
    }

    /// Submits what is recorded, and asks the device for the first bytes of each buffer, as many as stand beside it.
    /// The buffers come from [`Context::staging`], and what is recorded fills them.
    ///
    /// Errors: `Cancelled`, and what the device reports.
    pub fn fetch(&mut self, staging: Vec<(Pooled, u64)>) -> Result<Readback, DeviceError> {
        let submission = self.submit()?;
        let arrival = Arc::new(Mutex::new(Arrival::default()));
        for (staging, bytes) in &staging {
            let arrival = Arc::clone(&arrival);
            staging.map_async(wgpu::MapMode::Read, ..*bytes, move |result| {
                let mut arrival = arrival.lock().unwrap_or_else(PoisonError::into_inner);
                match result {
                    Ok(()) => arrival.arrived += 1,
                    Err(_) => arrival.failed += 1,
                }
            });
        }
        Ok(Readback {
            staging,
            submission,
            arrival,
        })
    }
}

/// How many of the requested buffers were mapped, and how many could not be.
#[derive(Clone, Copy, Default)]
struct Arrival {
    arrived: usize,
    failed: usize,
}

/// Buffers on their way to the host. Dropping it gives up waiting for them.
pub(crate) struct Readback {
    /// Each with the number of bytes to be read.
    staging: Vec<(Pooled, u64)>,
    submission: Option<wgpu::SubmissionIndex>,
    arrival: Arc<Mutex<Arrival>>,
}

impl Readback {
    /// Waits for the buffers and gives each, with its number, to `take`.
    ///
    /// Errors: `Cancelled`, `TimedOut`, and what the device reports.
    pub fn wait(
        self,
        context: &Context,
        cancel: &CancelFlag,
        mut take: impl FnMut(usize, &[u8]),
    ) -> Result<(), DeviceError> {
        let Some(submission) = &self.submission else {
            return context.check();
        };
        context.wait(submission, cancel, || {
            let Arrival { arrived, failed } = *self.arrival.lock().unwrap_or_else(PoisonError::into_inner);
            if failed > 0 {
                context.report_loss("a result could not be read");
            }
            arrived == self.staging.len()
        })?;
        for (number, (staging, bytes)) in self.staging.iter().enumerate() {
            let view = staging.get_mapped_range(..*bytes);
            let view = view.map_err(|error| context.lost(error.to_string()))?;
            take(number, &view);
        }
        Ok(())
    }
}

impl Drop for Readback {
    /// Every buffer was asked to be mapped, so every one must be unmapped before the pool has it again.
    fn drop(&mut self) {
        for (staging, _) in &self.staging {
            staging.unmap();
        }
    }
}
