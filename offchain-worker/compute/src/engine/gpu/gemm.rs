//! Products of matrices of signed bytes, summed exactly in `i32`: C = A · Bᵀ, the base of every kind that multiplies.
//!
//! Both factors are stored line by line, each line along the dimension that is summed over: rows of A, rows of B (a
//! layer's weights as they are usually stored). A line starts at a multiple of 16 bytes and is padded to one, in one of the
//! factors at least with zeros. What becomes of the sums is the [`Epilogue`].
//!
//! ```text
//! let gemm = Gemm::new(&context, shape, left, right, epilogue)?;   // once: shader, buffers bound
//! let mut batch = Batch::new(&context, cancel);
//! batch.product(&gemm)?;                                            // as often as wanted
//! batch.finish()?;
//! ```

mod bounds;
mod shader;
#[cfg(test)]
mod tests;
mod texels;
mod tile;

use super::context::Context;
use crate::{error::EngineError, requantise::Range};
use bounds::{Dispatch, dispatches};
pub(crate) use bounds::{Lines, Shape, Words};
use bytemuck::{Pod, Zeroable, bytes_of};
use shader::{ENTRY_POINT, Output};
use std::sync::Arc;
use texels::Texels;
pub(crate) use texels::{Content, Factor};
pub use tile::Tile;

/// The bytes of the largest buffer for which there is a texture on a device with textures of at most `height` rows.
pub(super) const fn texture_capacity(height: u32) -> u64 {
    Texels::capacity(height)
}

/// What becomes of the sums.
#[derive(Clone, Copy)]
pub(crate) enum Epilogue<'a> {
    /// Stored as `i32`, row by row.
    Sums {
        /// A word for each element.
        out: Words<'a>,
    },
    /// Requantised to signed bytes ([`crate::requantise`]), stored as lines that a next product can read: up to the next
    /// multiple of 16 columns, zeros.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "for networks whose activations are bytes; no kind has them yet")
    )]
    Bytes {
        /// A byte for each element.
        out: Words<'a>,
        /// For each column four `i32`: bias, multiplier, shift, and one that is not read.
        columns: &'a wgpu::Buffer,
        /// The range to which bytes are clamped.
        range: Range,
    },
    /// Reduced modulo 251. Amounts of sums are below 251 · 2¹⁸.
    Residues {
        /// Canonical residues, a byte for each element, row by row.
        out: Words<'a>,
        /// Symmetric residues, a signed byte for each element, column by column.
        next: Words<'a>,
    },
}

impl Epilogue<'_> {
    const fn output(&self) -> Output {
        match self {
            Self::Sums { .. } => Output::Sums,
            Self::Bytes { .. } => Output::Bytes,
            Self::Residues { .. } => Output::Residues,
        }
    }
}

/// The shader's parameters: see `common.wgsl`.
#[derive(Clone, Copy, Default, Pod, Zeroable)]
#[repr(C)]
struct Params {
    rows: u32,
    columns: u32,
    vectors: u32,
    first_row: u32,
    first_column: u32,
    first_item: u32,
    left: [u32; 3],
    right: [u32; 3],
    out: [u32; 3],
    next: [u32; 2],
    low: i32,
    high: i32,
    unused: u32,
}

/// One dispatch with its buffers bound.
struct Step {
    bind_group: wgpu::BindGroup,
    dispatch: Dispatch,
}

/// A product that is ready to be computed, as often as wanted, from what its buffers hold by then.
pub(crate) struct Gemm {
    pipeline: Arc<wgpu::ComputePipeline>,
    factors: [Factor; 2],
    /// Rows that a workgroup computes.
    block_rows: u32,
    steps: Vec<Step>,
}

impl Gemm {
    /// Prepares the product of `left` and `right` with the configuration that is fastest on the device.
    ///
    /// Errors: `Refused` if a line would reach out of its buffer or sums
    /// could overflow, `Limit`, and what the device reports.
    pub fn new(
        context: &Context,
        shape: Shape,
        left: Lines<'_>,
        right: Lines<'_>,
        epilogue: Epilogue<'_>,
    ) -> Result<Self, EngineError> {
        let bytes = left.factor.buffer.size().max(right.factor.buffer.size());
        let fits = |tile: Tile| {
            epilogue.output().suits(tile) && (!tile.reads_texels() || bytes <= context.bounds.texture_bytes)
        };
        let chosen = context.tiles.of(shape.rows);
        let tile = if fits(chosen) { chosen } else { Tile::SMALL };
        Self::with_tile(context, shape, left, right, epilogue, tile)
    }

    /// As [`Self::new`], with `tile`.
    pub(crate) fn with_tile(
        context: &Context,
        shape: Shape,
        left: Lines<'_>,
        right: Lines<'_>,
        epilogue: Epilogue<'_>,
        tile: Tile,
    ) -> Result<Self, EngineError> {
        bounds::check(shape, &left, &right, &epilogue).map_err(|reason| context.refused(reason))?;
        let output = epilogue.output();
        let pipeline = compile(context, tile, output);
        let mut params = Params {
            rows: shape.rows,
            columns: shape.columns,
            vectors: shape.depth / 16,
            left: left.vectors(),
            right: right.vectors(),
            ..Default::default()
        };
        let (out, extra) = match epilogue {
            Epilogue::Sums { out } => (out, None),
            Epilogue::Bytes { out, columns, range } => {
                (params.low, params.high) = (range.min.into(), range.max.into());
                (out, Some(columns))
            }
            Epilogue::Residues { out, next } => {
                params.next = [next.offset, next.stride];
                (out, Some(next.buffer))
            }
        };
        params.out = [out.offset, out.stride, out.item];
        context.guarded(|| {
            let factors = [left.factor, right.factor].map(|factor| {
                if tile.reads_texels() {
                    wgpu::BindingResource::TextureView(&factor.texels(context).view)
                } else {
                    factor.buffer.as_entire_binding()
                }
            });
            let steps = dispatches(shape, tile, output, &context.bounds);
            let steps = steps.into_iter().map(|dispatch| {
                [params.first_row, params.first_column, params.first_item] = dispatch.first;
                Step {
                    bind_group: bind(context, &pipeline, &factors, out.buffer, extra, &params),
                    dispatch,
                }
            });
            Self {
                steps: steps.collect(),
                factors: [left.factor.clone(), right.factor.clone()],
                block_rows: tile.block()[0],
                pipeline,
            }
        })
    }

    /// Multiply–add operations of the parts of the first `rows` rows, each of which fits in one submission.
    pub fn parts(&self, rows: u32) -> impl Iterator<Item = u64> {
        let work = move |step: &Step| step.dispatch.up_to(rows, self.block_rows).work;
        self.steps.iter().map(work)
    }

    /// Records the parts of the first `rows` rows from `first` to `end`. The first part comes first.
    pub fn record(&self, encoder: &mut wgpu::CommandEncoder, rows: u32, parts: std::ops::Range<usize>) {
        if parts.start == 0 {
            for factor in &self.factors {
                factor.record(encoder);
            }
        }
        let mut pass = encoder.begin_compute_pass(&Default::default());
        pass.set_pipeline(&self.pipeline);
        for step in &self.steps[parts] {
            pass.set_bind_group(0, &step.bind_group, &[]);
            let [x, y, z] = step.dispatch.up_to(rows, self.block_rows).workgroups;
            pass.dispatch_workgroups(x, y, z);
        }
    }
}

fn bind(
    context: &Context,
    pipeline: &wgpu::ComputePipeline,
    factors: &[wgpu::BindingResource<'_>; 2],
    out: &wgpu::Buffer,
    extra: Option<&wgpu::Buffer>,
    params: &Params,
) -> wgpu::BindGroup {
    let uniform = context.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("parameters"),
        size: size_of::<Params>() as u64,
        usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    context.queue.write_buffer(&uniform, 0, bytes_of(params));
    let mut bound = factors.to_vec();
    bound.extend([out.as_entire_binding(), uniform.as_entire_binding()]);
    bound.extend(extra.map(wgpu::Buffer::as_entire_binding));
    let entries: Vec<_> = (0..)
        .zip(bound)
        .map(|(binding, resource)| wgpu::BindGroupEntry { binding, resource })
        .collect();
    context.device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some("product"),
        layout: &pipeline.get_bind_group_layout(0),
        entries: &entries,
    })
}

#[allow(unsafe_code, reason = "a checked shader bounds its inner loop, at several times the cost")]
fn compile(context: &Context, tile: Tile, output: Output) -> Arc<wgpu::ComputePipeline> {
    let key = format!("product {} {output:?}", tile.name());
    // SAFETY: without checks the shader must keep to its buffers, end its loops and not divide by zero.
    // Factors: each index is `offset + item · batch + line · stride + k` with `item < items` (`dispatches` starts no more),
    // `line ≤ lines − 1` by `min`, and `k < vectors` by the loop's end or, in `shared.wgsl`, because just that is asked
    // before. `bounds::check` has made sure that the greatest such index lies in its buffer and below 2³², so that nothing
    // wraps, and that no dimension is zero. `texels.wgsl` reads a texture, which has a texel for each vector of the buffer.
    // Outputs: each store stands behind `row < rows` and `column < columns`, or behind the same with the packed dimension
    // rounded up to 16; `bounds::check` has made sure of the greatest word that is reached. `scales` is read at
    // `min(column, columns − 1)`, of which `bounds::check` has made sure too.
    // Shared memory: `(k · t + a) · g + b` with `k < DEPTH`, `a < t` (size of a tile) and `b < g` (size of a workgroup), in
    // a block of `DEPTH · t · g` vectors; in `split.wgsl` `e · INVOCATIONS + i` with `i < INVOCATIONS` for each element `e`.
    // Every loop counts up by a constant that is not zero to a number below 2²⁸, or halves until zero. Divisors are
    // constants.
    unsafe { context.pipeline(&key, || shader::shader(tile, output), ENTRY_POINT) }
}
