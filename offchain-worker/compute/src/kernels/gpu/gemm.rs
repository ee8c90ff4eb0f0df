//! Products of matrices of signed bytes, summed exactly in `i32`: C = A · Bᵀ, where A is m×k, B is n×k and C is m×n.
//!
//! Both operands are stored row by row along k, the dimension that is summed over: B is a layer's weights as they are
//! usually stored. A row starts at a multiple of 16 bytes and is padded to one, in at least one of the operands with
//! zeros. The [`Epilogue`] says what is done with the sums.
//!
//! ```text
//! let gemm = Gemm::new(&context, tuning, shape, lhs, rhs, epilogue)?;   // once: shader, buffers bound
//! let mut batch = Batch::new(&context, cancel);
//! gemm.record(&mut batch)?;                                             // as often as wanted
//! batch.finish()?;
//! ```

mod operands;
mod plan;
mod scales;
mod shader;
#[cfg(test)]
mod tests;

pub(crate) use operands::{Content, Operand, texture_bytes};
pub(crate) use plan::{OperandView, OutputView, Shape};
pub(crate) use scales::{Scales, ScalesView};

use super::{Configuration, Tuning};
use crate::device::{Batch, Bounds, Context, DeviceError};
use bytemuck::{Pod, Zeroable};
use plan::{Dispatch, dispatches};
use shader::ENTRY_POINT;
pub(super) use shader::Output;
use std::{ops::Range, sync::Arc};

/// What is done with the sums.
#[derive(Clone, Copy)]
pub(crate) enum Epilogue<'a> {
    /// Stored as `i32`, row by row.
    Sums {
        /// A word for each element.
        out: OutputView<'a>,
    },
    /// Reduced modulo 251. Amounts of sums are below 251 · 2¹⁸.
    Residues {
        /// Canonical residues, a byte for each element, row by row.
        out: OutputView<'a>,
        /// Symmetric residues of each element times its row's scale, a signed byte each, column by column.
        next: OutputView<'a>,
        /// What the rows are scaled by.
        scales: ScalesView<'a>,
    },
}

impl Epilogue<'_> {
    const fn output(&self) -> Output {
        match self {
            Self::Sums { .. } => Output::Sums,
            Self::Residues { .. } => Output::Residues,
        }
    }
}

/// The shader's parameters: see `common.wgsl`.
#[derive(Clone, Copy, Default, Pod, Zeroable)]
#[repr(C)]
struct Params {
    m: u32,
    n: u32,
    k_vectors: u32,
    first_row: u32,
    first_column: u32,
    first_batch: u32,
    lhs: [u32; 3],
    rhs: [u32; 3],
    out: [u32; 3],
    next: [u32; 2],
    scales: u32,
    padding: [u32; 2],
}

/// One dispatch with its buffers bound.
struct Step {
    bind_group: wgpu::BindGroup,
    dispatch: Dispatch,
}

/// A product, ready to be computed any number of times from what its buffers then hold.
pub(crate) struct Gemm {
    pipeline: Arc<wgpu::ComputePipeline>,
    operands: [Operand; 2],
    /// Rows that a workgroup computes.
    block_rows: u32,
    steps: Vec<Step>,
}

impl Gemm {
    /// Prepares the product of `lhs` and `rhs` with the fastest configuration of `tuning` that suits it.
    ///
    /// Errors: `Refused` if a row would reach out of its buffer or sums could overflow, `Limit`, and what the device
    /// reports.
    pub fn new(
        context: &Context,
        tuning: Tuning,
        shape: Shape,
        lhs: OperandView<'_>,
        rhs: OperandView<'_>,
        epilogue: Epilogue<'_>,
    ) -> Result<Self, DeviceError> {
        let bytes = lhs.operand.buffer.size().max(rhs.operand.buffer.size());
        let texture_bytes = operands::texture_capacity(context.bounds.texture_side);
        let fits = |configuration: Configuration| {
            epilogue.output().suits(configuration) && (!configuration.reads_texels() || bytes <= texture_bytes)
        };
        let configuration = tuning
            .in_order(shape.m)
            .into_iter()
            .find(|&configuration| fits(configuration));
        let configuration = configuration.ok_or_else(|| context.refused("no configuration suits a product"))?;
        Self::with_configuration(context, configuration, shape, lhs, rhs, epilogue)
    }

    /// As [`Self::new`], with `configuration`.
    pub fn with_configuration(
        context: &Context,
        configuration: Configuration,
        shape: Shape,
        lhs: OperandView<'_>,
        rhs: OperandView<'_>,
        epilogue: Epilogue<'_>,
    ) -> Result<Self, DeviceError> {
        let bounds = Bounds {
            work: context.dispatch_work,
            ..context.bounds
        };
        Self::cut(context, configuration, &bounds, shape, [lhs, rhs], epilogue)
    }

    /// As [`Self::with_configuration`], in dispatches within `bounds`, which are at most those of the device.
    pub fn cut(
        context: &Context,
        configuration: Configuration,
        bounds: &Bounds,
        shape: Shape,
        [lhs, rhs]: [OperandView<'_>; 2],
        epilogue: Epilogue<'_>,
    ) -> Result<Self, DeviceError> {
        plan::check(shape, &lhs, &rhs, &epilogue).map_err(|reason| context.refused(reason))?;
        let output = epilogue.output();
        let pipeline = compile(context, configuration, output);
        let mut params = Params {
            m: shape.m,
            n: shape.n,
            k_vectors: shape.k / 16,
            lhs: lhs.vectors(),
            rhs: rhs.vectors(),
            ..Default::default()
        };
        let (out, others) = match epilogue {
            Epilogue::Sums { out } => (out, None),
            Epilogue::Residues { out, next, scales } => {
                params.next = [next.offset, next.stride];
                params.scales = scales.first_row / 4;
                (out, Some([next.buffer, &scales.scales.0]))
            }
        };
        params.out = [out.offset, out.stride, out.batch_stride];
        let steps = context.guarded(|| {
            let mut bound = [lhs, rhs]
                .map(|view| view.operand.binding(context, configuration))
                .to_vec();
            bound.push(out.buffer.as_entire_binding());
            let steps = dispatches(shape, configuration, output, bounds);
            let bind = |dispatch: Dispatch| {
                [params.first_row, params.first_column, params.first_batch] = dispatch.first;
                let uniform = context.filled("parameters", &[params], wgpu::BufferUsages::UNIFORM)?;
                let resources = bound.iter().cloned().chain([uniform.as_entire_binding()]);
                let resources = resources.chain(others.into_iter().flatten().map(wgpu::Buffer::as_entire_binding));
                Ok(Step {
                    bind_group: context.bind("product", &pipeline, (0..).zip(resources)),
                    dispatch,
                })
            };
            steps.into_iter().map(bind).collect::<Result<_, DeviceError>>()
        })?;
        Ok(Self {
            steps: steps?,
            operands: [lhs.operand.clone(), rhs.operand.clone()],
            block_rows: configuration.block()[0],
            pipeline,
        })
    }

    /// Records the product.
    ///
    /// Errors: `Cancelled`, and what the device reports.
    pub fn record(&self, batch: &mut Batch<'_>) -> Result<(), DeviceError> {
        self.record_rows(batch, u32::MAX)
    }

    /// Records the first `rows` rows of the product; the others then hold anything.
    ///
    /// Errors: `Cancelled`, and what the device reports.
    pub fn record_rows(&self, batch: &mut Batch<'_>, rows: u32) -> Result<(), DeviceError> {
        let (mut first, mut end, mut work) = (0, 0, 0);
        for step in &self.steps {
            let part = step.dispatch.up_to(rows, self.block_rows).work;
            if end > first && work + part > batch.max_work() {
                self.encode(batch.encoder(work)?, rows, first..end);
                (first, work) = (end, 0);
            }
            end += 1;
            work += part;
        }
        self.encode(batch.encoder(work)?, rows, first..end);
        Ok(())
    }

    /// Encodes those of the first `rows` rows that `steps` compute. The first step comes first.
    fn encode(&self, encoder: &mut wgpu::CommandEncoder, rows: u32, steps: Range<usize>) {
        if steps.start == 0 {
            for operand in &self.operands {
                operand.refresh(encoder);
            }
        }
        let mut pass = encoder.begin_compute_pass(&Default::default());
        pass.set_pipeline(&self.pipeline);
        for step in &self.steps[steps] {
            pass.set_bind_group(0, &step.bind_group, &[]);
            let [x, y, z] = step.dispatch.up_to(rows, self.block_rows).workgroups;
            pass.dispatch_workgroups(x, y, z);
        }
    }
}

#[allow(unsafe_code, reason = "a checked shader bounds its inner loop, at several times the cost")]
fn compile(context: &Context, configuration: Configuration, output: Output) -> Arc<wgpu::ComputePipeline> {
    let key = format!("product {} {output:?}", configuration.name());
    // SAFETY: without checks the shader must keep to its buffers, end its loops and not divide by zero.
    // - Operands: each index is `offset + batch · batch_stride + row · stride + k` with `batch < shape.batch`
    //   (`dispatches` starts no more), `row ≤ rows − 1` by `min`, and `k < k_vectors` by the loop's end or, in
    //   `shared.wgsl`, because the code tests this first. `plan::check` has made sure that the greatest such index lies
    //   in its buffer and below 2³², so that nothing wraps, and that no dimension is zero. `texels.wgsl` reads a
    //   texture, which has a texel for each vector of the buffer.
    // - Scales: `scales + row / 4 < MAX_ROWS / 4`, behind `row < m` with m rounded up to 16; `plan::check` has made sure.
    // - Outputs: each store stands behind `row < m` and `column < n`, or behind the same with the packed dimension
    //   rounded up to 16; `plan::check` has made sure of the greatest word that is reached.
    // - Shared memory: `(k · t + a) · g + b` with `k < DEPTH`, `a < t` (size of a tile) and `b < g` (size of a
    //   workgroup), in a block of `DEPTH · t · g` vectors; in `split.wgsl` `e · INVOCATIONS + i` with
    //   `i < INVOCATIONS` for each element `e`.
    // - Every loop counts up by a constant that is not zero to a number below 2²⁸, or halves until zero. Divisors are
    //   constants.
    unsafe { context.pipeline(&key, || shader::shader(configuration, output), ENTRY_POINT) }
}
