//! Commands on their way to the device: gathered into submissions that end in time, and waited for.

use super::{context::Context, gemm::Gemm, pool::Pooled};
use crate::{engine::CancelFlag, error::EngineError};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

/// Gathers commands of one job into submissions. Not waited for, except where the device has too much before it: so that
/// a cancelled job soon leaves it, and jobs that share it take turns.
pub(crate) struct Batch<'a> {
    context: &'a Context,
    cancel: &'a CancelFlag,
    encoder: Option<wgpu::CommandEncoder>,
    /// Multiply–add operations recorded and not submitted.
    recorded: u64,
    submitted: VecDeque<(wgpu::SubmissionIndex, u64)>,
}

impl<'a> Batch<'a> {
    /// Nothing recorded yet.
    pub fn new(context: &'a Context, cancel: &'a CancelFlag) -> Self {
        Self {
            context,
            cancel,
            encoder: None,
            recorded: 0,
            submitted: VecDeque::new(),
        }
    }

    /// What to record commands with that are not products. Tell of their `work`, in multiply–add operations or the like.
    ///
    /// Errors: `Cancelled`, and what the device reports.
    pub fn encoder(&mut self, work: u64) -> Result<&mut wgpu::CommandEncoder, EngineError> {
        if self.recorded > 0 && self.recorded.saturating_add(work) > self.context.bounds.work {
            self.submit()?;
        }
        self.cancel.check()?;
        self.recorded += work;
        let create = || self.context.device.create_command_encoder(&Default::default());
        Ok(self.encoder.get_or_insert_with(create))
    }

    /// Records a product.
    ///
    /// Errors: `Cancelled`, and what the device reports.
    pub fn product(&mut self, gemm: &Gemm) -> Result<(), EngineError> {
        let (mut first, mut end, mut work) = (0, 0, 0);
        for part in gemm.parts() {
            if end > first && work + part > self.context.bounds.work {
                gemm.record(self.encoder(work)?, first..end);
                (first, work) = (end, 0);
            }
            end += 1;
            work += part;
        }
        gemm.record(self.encoder(work)?, first..end);
        Ok(())
    }

    /// Submits what is recorded, and returns the last submission.
    ///
    /// Errors: `Cancelled`, and what the device reports.
    pub fn submit(&mut self) -> Result<Option<wgpu::SubmissionIndex>, EngineError> {
        if let Some(encoder) = self.encoder.take() {
            let index = self.context.queue.submit([encoder.finish()]);
            self.submitted.push_back((index, std::mem::take(&mut self.recorded)));
        }
        let last = self.submitted.back().map(|(index, _)| index.clone());
        let mut work: u64 = self.submitted.iter().map(|(_, work)| work).sum();
        // The device has at most two full submissions before it.
        while work > 2 * self.context.bounds.work
            && self.submitted.len() > 1
            && let Some((oldest, part)) = self.submitted.pop_front()
        {
            self.context.wait(&oldest, self.cancel, || true)?;
            work -= part;
        }
        Ok(last)
    }

    /// Submits what is recorded, and waits until all has ended.
    ///
    /// Errors: `Cancelled`, `TimedOut`, and what the device reports.
    pub fn finish(mut self) -> Result<(), EngineError> {
        match self.submit()? {
            Some(last) => self.context.wait(&last, self.cancel, || true),
            None => self.context.check(),
        }
    }

    /// Records the copying of `from` to the host, submits, and returns without waiting.
    ///
    /// Errors: `Cancelled`, and what the device reports.
    pub fn read(&mut self, from: &[&wgpu::Buffer]) -> Result<Readback, EngineError> {
        let staging: Result<Vec<Pooled>, _> = from.iter().map(|from| self.context.staging(from.size())).collect();
        let staging = staging?;
        let encoder = self.encoder(0)?;
        for (from, to) in from.iter().zip(&staging) {
            encoder.copy_buffer_to_buffer(from, 0, to, 0, None);
        }
        let submission = self.submit()?;
        let arrival = Arc::new(Mutex::new(Arrival::default()));
        for staging in &staging {
            let arrival = Arc::clone(&arrival);
            staging.map_async(wgpu::MapMode::Read, .., move |result| {
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

/// What has become of the buffers that were asked for.
#[derive(Clone, Copy, Default)]
struct Arrival {
    arrived: usize,
    failed: usize,
}

/// Buffers on their way to the host.
pub(crate) struct Readback {
    staging: Vec<Pooled>,
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
    ) -> Result<(), EngineError> {
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
        for (number, staging) in self.staging.iter().enumerate() {
            let view = staging.get_mapped_range(..);
            let view = view.map_err(|error| context.lost(error.to_string()))?;
            take(number, &view);
        }
        Ok(())
    }
}
