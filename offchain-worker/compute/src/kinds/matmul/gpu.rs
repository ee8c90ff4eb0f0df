//! On a graphics device: the matrix is streamed through it band by band, so that it need not fit as a whole.

use super::Operands;
use crate::{
    computation::Computation,
    device::{Batch, Bounds, Context, DeviceError, Needs, Pooled, Readback},
    digest::output_digest,
    kernels::gpu::{Content, Epilogue, Gemm, Gpu, Operand, OperandView, OutputView, Shape, Tuning, texture_bytes},
    kinds::EngineError,
    run::Run,
};
use agora_primitives::job::MatmulJob;
use std::{borrow::Cow, collections::VecDeque, ops::Range};

/// The most bytes of a band of rows, of a batch of vectors and of their product that are uploaded or read at a time.
const PART_BYTES: u64 = 32 << 20;
/// Parts in flight at a time: while one is uploaded, one is computed and one read back.
const FLIGHT: usize = 3;

/// Some rows times some vectors.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Part {
    vectors: Range<usize>,
    rows: Range<usize>,
}

/// Bytes of a row or vector on the device: whole vectors of the shader.
const fn depth(job: &MatmulJob) -> u32 {
    job.columns.next_multiple_of(16)
}

/// The parts of `job`, each of which fits in the device's buffers if a single element does.
fn parts(job: &MatmulJob, bounds: &Bounds) -> impl ExactSizeIterator<Item = Part> + use<> {
    let most = PART_BYTES.min(bounds.buffer_bytes);
    let lines = |bytes: u64| (most / bytes).max(1) as usize;
    let [rows, vectors] = [job.rows as usize, job.vectors as usize];
    let line = lines(depth(job).into());
    let batch = vectors.min(line).min(lines(4));
    let band = rows.min(line).min(lines(4 * batch as u64));
    let bands = rows.div_ceil(band);
    (0..vectors.div_ceil(batch) * bands).map(move |index| {
        let [vector, row] = [index / bands * batch, index % bands * band];
        Part {
            vectors: vector..vectors.min(vector + batch),
            rows: row..rows.min(row + band),
        }
    })
}

/// What `job` needs of a device with `bounds`.
pub(super) fn needs(job: &MatmulJob, bounds: &Bounds) -> Needs {
    // The first part is the largest.
    let (vectors, rows) = match parts(job, bounds).next() {
        Some(part) => (part.vectors.len() as u64, part.rows.len() as u64),
        None => (0, 0),
    };
    let depth = u64::from(depth(job));
    let (vectors, rows, sums) = (vectors * depth, rows * depth, 4 * vectors * rows);
    // Besides those in flight, the part that is prepared.
    let flights = FLIGHT as u64 + 1;
    // A part has textures of its own, and what is uploaded is the host's before it is the device's.
    let aside = flights * (texture_bytes(vectors) + texture_bytes(rows) + vectors + rows);
    Needs::default()
        .workgroups(1)
        .buffers(2, vectors)
        .buffers(flights, rows)
        .buffers(2 * flights, sums)
        .memory(aside)
}

pub(super) fn run(job: &MatmulJob, gpu: &Gpu, run: &Run<'_>) -> Result<Computation, EngineError> {
    let mut work = Work {
        job,
        tuning: gpu.tuning(),
        operands: Operands::fetch(job, run.inputs)?,
        output: vec![0; 4 * job.rows as usize * job.vectors as usize],
        done: 0,
    };
    gpu.on_device(|context| work.go_on(context, run))?;
    let state_digests = vec![output_digest(&work.output)];
    Ok(Computation {
        output: work.output,
        state_digests,
    })
}

/// How far a job has come. Survives the loss of a device.
struct Work<'a> {
    job: &'a MatmulJob,
    tuning: Tuning,
    operands: Operands,
    output: Vec<u8>,
    /// Parts that are in the output.
    done: usize,
}

/// A part in flight.
struct Flight {
    part: Part,
    readback: Readback,
    /// Kept until the part is computed, so that the next band is uploaded to another buffer.
    _band: Pooled,
}

impl Work<'_> {
    /// Goes on from the first part that is not done to the end.
    fn go_on(&mut self, context: &Context, run: &Run<'_>) -> Result<(), DeviceError> {
        let parts = parts(self.job, &context.bounds);
        let total = parts.len() as u32;
        run.progress.update(self.done as u32, total);
        let mut batch = Batch::new(context, run.cancel);
        let mut flights = VecDeque::new();
        let mut vectors: Option<(Range<usize>, Pooled)> = None;
        for part in parts.skip(self.done) {
            if flights.len() == FLIGHT
                && let Some(oldest) = flights.pop_front()
            {
                self.take(oldest, context, run, total)?;
            }
            let uploaded = match vectors.take() {
                Some((range, buffer)) if range == part.vectors => buffer,
                _ => self.upload(context, self.operands.vectors(), &part.vectors)?,
            };
            flights.push_back(self.launch(context, &mut batch, part.clone(), &uploaded)?);
            vectors = Some((part.vectors, uploaded));
        }
        for oldest in flights {
            self.take(oldest, context, run, total)?;
        }
        Ok(())
    }

    /// Lines of `matrix` in a buffer, each padded with zeros.
    fn upload(&self, context: &Context, matrix: &[i8], lines: &Range<usize>) -> Result<Pooled, DeviceError> {
        let columns = self.job.columns as usize;
        let depth = depth(self.job) as usize;
        let buffer = context.storage((lines.len() * depth) as u64)?;
        let bytes: &[u8] = bytemuck::cast_slice(&matrix[lines.start * columns..lines.end * columns]);
        let padded = if columns == depth {
            Cow::Borrowed(bytes)
        } else {
            let mut padded = vec![0; lines.len() * depth];
            for (to, from) in padded.chunks_exact_mut(depth).zip(bytes.chunks_exact(columns)) {
                to[..columns].copy_from_slice(from);
            }
            Cow::Owned(padded)
        };
        context.queue.write_buffer(&buffer, 0, &padded);
        Ok(buffer)
    }

    /// Uploads the part's rows, and submits the product and its readback.
    fn launch(
        &self,
        context: &Context,
        batch: &mut Batch<'_>,
        part: Part,
        vectors: &Pooled,
    ) -> Result<Flight, DeviceError> {
        let band = self.upload(context, self.operands.rows(), &part.rows)?;
        let [height, width] = [part.vectors.len(), part.rows.len()];
        let sums = context.storage(4 * (height * width) as u64)?;
        let depth = depth(self.job);
        let gemm = Gemm::new(
            context,
            self.tuning,
            // At most the job's rows and vectors.
            Shape {
                m: height as u32,
                n: width as u32,
                k: depth,
                batch: 1,
            },
            // Copied with the submission in which they are uploaded.
            OperandView::dense(&Operand::new(vectors, Content::Changing), depth),
            OperandView::dense(&Operand::new(&band, Content::Changing), depth),
            Epilogue::Sums {
                out: OutputView::dense(&sums, width as u32),
            },
        )?;
        gemm.record(batch)?;
        Ok(Flight {
            readback: batch.read(&[sums.slice(..)])?,
            part,
            _band: band,
        })
    }

    /// Waits for a part and puts it into the output.
    fn take(&mut self, flight: Flight, context: &Context, run: &Run<'_>, total: u32) -> Result<(), DeviceError> {
        let Part { vectors, rows } = &flight.part;
        let (line, first, width) = (4 * self.job.rows as usize, 4 * rows.start, 4 * rows.len());
        flight.readback.wait(context, run.cancel, |_, bytes| {
            for (vector, from) in vectors.clone().zip(bytes.chunks_exact(width)) {
                self.output[vector * line + first..][..width].copy_from_slice(from);
            }
        })?;
        self.done += 1;
        run.progress.update(self.done as u32, total);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{super::cpu::tests::example, *};
    use crate::{
        CancelFlag, CpuEngine, Engine, GpuEngine, GpuOptions, JobKind, JobSpec, MemoryInputs, NoProgress,
        device::testing::first_device,
    };
    use proptest::prelude::*;
    use std::sync::{Mutex, OnceLock};

    fn open(max_buffer_bytes: Option<u64>) -> GpuEngine {
        let options = GpuOptions {
            max_buffer_bytes,
            ..Default::default()
        };
        GpuEngine::open(&first_device(), &options).unwrap()
    }

    /// One that must cut, for all cases.
    fn small() -> &'static GpuEngine {
        static ENGINE: OnceLock<GpuEngine> = OnceLock::new();
        ENGINE.get_or_init(|| open(Some(2048)))
    }

    fn assert_equals_the_reference(engine: &GpuEngine, job: MatmulJob, inputs: &MemoryInputs) {
        let spec = JobSpec::V2(JobKind::Matmul(job));
        let run = |engine: &dyn Engine| engine.run(&spec, inputs, &NoProgress, &CancelFlag::new()).unwrap();
        assert!(run(engine) == run(&CpuEngine::new()), "{job:?}");
    }

    proptest! {
        #![proptest_config(agora_test_support::cases(24))]

        #[test]
        fn every_shape_gives_the_reference(
            columns in 1u32..300, first_row in 0u32..5, rows in 1u32..60, vectors in 1u32..40, seed: u64,
        ) {
            let (job, inputs, ..) = example((columns, first_row, rows, vectors), 1, seed);
            assert_equals_the_reference(small(), job, &inputs);
        }

        #[test]
        fn parts_hold_each_element_once_and_fit(
            columns in 1u32..5000, rows in 1u32..400, vectors in 1u32..400, kibibytes in 5u64..300,
        ) {
            let (job, ..) = example((1, 0, 1, 1), 0, 0);
            let job = MatmulJob { columns, rows, vectors, ..job };
            let bounds = Bounds { buffer_bytes: kibibytes << 10, texture_side: 0, workgroups: 1, work: 1 };
            let mut count = vec![0u8; (rows * vectors) as usize];
            for Part { vectors, rows: band } in parts(&job, &bounds) {
                let depth = depth(&job) as usize;
                let bytes = [vectors.len() * depth, band.len() * depth, 4 * vectors.len() * band.len()];
                prop_assert!(bytes.iter().all(|&bytes| bytes as u64 <= bounds.buffer_bytes));
                for vector in vectors {
                    for row in band.clone() {
                        count[vector * rows as usize + row] += 1;
                    }
                }
            }
            prop_assert!(count.iter().all(|&times| times == 1));
        }
    }

    #[test]
    fn the_longest_rows_do_not_wrap() {
        let mut inputs = MemoryInputs::new();
        let columns = 131_071;
        let job = MatmulJob {
            matrix: inputs.insert(vec![0x80; columns]),
            columns: columns as u32,
            first_row: 0,
            rows: 1,
            input: inputs.insert(vec![0x80; 9 * columns]),
            vectors: 9,
        };
        assert_equals_the_reference(&open(None), job, &inputs);
    }

    #[test]
    fn a_lost_device_is_opened_again_and_the_job_goes_on() {
        let engine = open(Some(4096));
        let (job, inputs, ..) = example((256, 0, 100, 20), 0, 5);
        let spec = JobSpec::V2(JobKind::Matmul(job));
        let seen = Mutex::new(Vec::new());
        let progress = |done: u32, _: u32| {
            let mut seen = seen.lock().unwrap();
            if done == 3 && !seen.contains(&3) {
                let destroy = |context: &Context| {
                    context.device.destroy();
                    Ok::<_, EngineError>(())
                };
                engine.gpu().on_device(destroy).unwrap();
            }
            seen.push(done);
        };
        let computed = engine.run(&spec, &inputs, &progress, &CancelFlag::new()).unwrap();
        let reference = CpuEngine::new().run(&spec, &inputs, &NoProgress, &CancelFlag::new());
        assert!(computed == reference.unwrap());
        let seen = seen.into_inner().unwrap();
        assert!(seen.is_sorted(), "what is done is not done again: {seen:?}");
    }

    #[test]
    fn a_cancelled_job_stops_and_rows_too_long_for_the_device_are_reported() {
        let engine = small();
        let (job, inputs, ..) = example((256, 0, 100, 20), 0, 5);
        let cancel = CancelFlag::new();
        let stop = |done: u32, _: u32| {
            if done == 2 {
                cancel.cancel();
            }
        };
        let spec = JobSpec::V2(JobKind::Matmul(job));
        let result = engine.run(&spec, &inputs, &stop, &cancel);
        assert!(matches!(result, Err(EngineError::Cancelled)));
        let (job, inputs, ..) = example((2049, 0, 3, 2), 0, 5);
        let spec = JobSpec::V2(JobKind::Matmul(job));
        let result = engine.run(&spec, &inputs, &NoProgress, &CancelFlag::new());
        assert!(matches!(
            result,
            Err(EngineError::Device(DeviceError::Limit {
                limit: "bytes per buffer",
                ..
            }))
        ));
        assert_equals_the_reference(engine, example((30, 0, 7, 2), 0, 5).0, &example((30, 0, 7, 2), 0, 5).1);
    }
}
