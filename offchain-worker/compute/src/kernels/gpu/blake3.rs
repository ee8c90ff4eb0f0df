//! BLAKE3 on the device: what was computed there is hashed there, and 32 bytes are read back instead of all.
//!
//! Each invocation hashes chunks of 1 KiB, one after the other; then the chaining values are joined level by level, two by
//! two. An odd one moves up unchanged, which gives the shape of BLAKE3's tree.

use crate::{
    device::{Batch, Context, DeviceError, Pooled},
    digest::output_digest,
    run::CancelFlag,
};
use agora_math::merkle::Hash;
use std::{fmt::Write, sync::Arc};

#[cfg(test)]
mod tests;

/// Bytes of a chunk.
const CHUNK: u64 = 1024;
/// Invocations of a workgroup.
const GROUP: u64 = 64;
/// Bytes of a chaining value.
const VALUE: u64 = 32;
/// What hashing a byte takes, in multiply–add operations: seven rounds of eight mixes of some twenty instructions for 64.
const WORK_PER_BYTE: u64 = 16;

/// Where in a buffer the bytes are that are hashed: lines, one after the other, with gaps between them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Lines {
    /// How many.
    pub count: u32,
    /// Bytes of a line that are hashed, a multiple of four if there is more than one.
    pub bytes: u32,
    /// Bytes from the begin of a line to the begin of the next, a multiple of four.
    pub stride: u32,
}

impl Lines {
    /// `bytes` without a gap.
    #[cfg(test)]
    pub const fn dense(bytes: u32) -> Self {
        Self {
            count: 1,
            bytes,
            stride: bytes,
        }
    }

    /// Whether the kernel can read them: it reads words.
    pub const fn suit(&self) -> bool {
        self.count <= 1 || (self.bytes.is_multiple_of(4) && self.stride.is_multiple_of(4))
    }

    /// All bytes that are hashed.
    const fn total(&self) -> u64 {
        self.count as u64 * self.bytes as u64
    }
}

/// The hashing of one buffer, ready to be recorded again and again.
pub(crate) struct Digest {
    steps: Vec<Step>,
    work: u64,
    values: [Pooled; 2],
    /// Which of the two holds the hash in the end.
    last: usize,
}

struct Step {
    pipeline: Arc<wgpu::ComputePipeline>,
    bind_group: wgpu::BindGroup,
    groups: u32,
}

/// The parameters of both shaders.
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
struct Params {
    /// Chunks, or chaining values to join.
    count: u32,
    /// Of a line.
    bytes: u32,
    stride: u32,
    /// All bytes.
    total: u32,
}

impl Digest {
    /// The bytes of the two buffers of chaining values of `lines`.
    pub const fn bytes(lines: Lines) -> [u64; 2] {
        let chunks = match lines.total().div_ceil(CHUNK) {
            0 => 1,
            chunks => chunks,
        };
        [chunks * VALUE, chunks.div_ceil(2) * VALUE]
    }

    /// Prepares the hashing of `lines` of `source`.
    ///
    /// Errors: `Refused` if they do not suit or reach out of the buffer, `Limit`, and what the device reports.
    pub fn new(context: &Context, source: &wgpu::Buffer, lines: Lines) -> Result<Self, DeviceError> {
        let end = u64::from(lines.count.saturating_sub(1)) * u64::from(lines.stride) + u64::from(lines.bytes);
        if !lines.suit() || end > source.size() || lines.total() > u32::MAX.into() || lines.bytes == 0 {
            return Err(context.refused("these lines cannot be hashed on the device"));
        }
        let chunks = lines.total().div_ceil(CHUNK).max(1);
        let [first, second] = Self::bytes(lines);
        let values = [context.storage(first)?, context.storage(second)?];
        let mut steps = vec![step(
            context,
            Shader::Chunks,
            [source, &values[0]],
            Params {
                // Below 2²², as the bytes are below 2³².
                count: chunks as u32,
                bytes: lines.bytes,
                stride: lines.stride,
                total: lines.total() as u32,
            },
        )?];
        let (mut count, mut last) = (chunks, 0);
        while count > 1 {
            let params = Params {
                count: count as u32,
                bytes: 0,
                stride: 0,
                total: 0,
            };
            steps.push(step(
                context,
                Shader::Parents,
                [&values[last], &values[1 - last]],
                params,
            )?);
            count = count.div_ceil(2);
            last = 1 - last;
        }
        Ok(Self {
            steps,
            work: lines.total() * WORK_PER_BYTE,
            values,
            last,
        })
    }

    /// Records the hashing.
    ///
    /// Errors: `Cancelled`, and what the device reports.
    pub fn record(&self, batch: &mut Batch<'_>) -> Result<(), DeviceError> {
        let mut pass = batch.encoder(self.work)?.begin_compute_pass(&Default::default());
        for step in &self.steps {
            pass.set_pipeline(&step.pipeline);
            pass.set_bind_group(0, &step.bind_group, &[]);
            pass.dispatch_workgroups(step.groups, 1, 1);
        }
        Ok(())
    }

    /// The hash, once it is computed.
    pub fn hash(&self) -> wgpu::BufferSlice<'_> {
        self.values[self.last].slice(..VALUE)
    }
}

/// Whether the device hashes as the processor does: lines with gaps, a last chunk that is not full, several levels.
///
/// Errors: what the device reports.
pub(super) fn is_right(context: &Context) -> Result<bool, DeviceError> {
    let lines = Lines {
        count: 1001,
        bytes: 1100,
        stride: 1104,
    };
    let byte = |at: usize| ((at as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as u8;
    let content: Vec<u8> = (0..(lines.count * lines.stride) as usize).map(byte).collect();
    let parts = content
        .chunks(lines.stride as usize)
        .map(|line| &line[..lines.bytes as usize]);
    Ok(hash(context, &content, lines)? == output_digest(&parts.collect::<Vec<_>>().concat()))
}

/// Uploads `content`, whose length is a multiple of four, and hashes `lines` of it.
fn hash(context: &Context, content: &[u8], lines: Lines) -> Result<Hash, DeviceError> {
    let never = CancelFlag::new();
    let buffer = context.storage(content.len() as u64)?;
    context.queue.write_buffer(&buffer, 0, content);
    let digest = Digest::new(context, &buffer, lines)?;
    let mut batch = Batch::new(context, &never);
    digest.record(&mut batch)?;
    let mut hash = Hash::default();
    let read = batch.read(&[digest.hash()])?;
    read.wait(context, &never, |_, bytes| hash.copy_from_slice(bytes))?;
    Ok(hash)
}

/// A step from `from` to `to`.
fn step(
    context: &Context,
    shader: Shader,
    [from, to]: [&wgpu::Buffer; 2],
    params: Params,
) -> Result<Step, DeviceError> {
    let pipeline = compile(context, shader);
    let outputs = match shader {
        Shader::Chunks => u64::from(params.count),
        Shader::Parents => u64::from(params.count).div_ceil(2),
    };
    let uniform = context.filled("parameters", &[params], wgpu::BufferUsages::UNIFORM)?;
    let resources = [from, to, &uniform].map(wgpu::Buffer::as_entire_binding);
    Ok(Step {
        bind_group: context.bind("hash", &pipeline, (0..).zip(resources)),
        pipeline,
        // Each invocation goes on where all others are through, so that any number of groups will do.
        groups: outputs.div_ceil(GROUP).min(context.bounds.workgroups.into()) as u32,
    })
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Shader {
    /// The chaining values of chunks, or the hash if there is one chunk.
    Chunks,
    /// The chaining values of the level above, or the hash if there are two.
    Parents,
}

#[allow(unsafe_code, reason = "a checked shader costs several times as much")]
fn compile(context: &Context, shader: Shader) -> Arc<wgpu::ComputePipeline> {
    // SAFETY: without checks the shader must keep to its buffers, end its loops and not divide by zero.
    // - `content`: words below `total` of lines that `Digest::new` has found to lie in the buffer; chaining values below
    //   `count`, of which the buffer has as many.
    // - `values`: those below `count`, or below its half rounded up, of which the buffer has as many.
    // - Loops count up to `count` by the number of invocations, which is not zero, or to 16.
    // - Divisors: the bytes of a line, which `Digest::new` has found to be more than zero.
    unsafe { context.pipeline(&format!("blake3 {shader:?}"), || source(shader), "main") }
}

/// The places of the message's words in each round.
const SCHEDULE: [[usize; 16]; 7] = {
    const PERMUTATION: [usize; 16] = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];
    let mut rounds = [[0; 16]; 7];
    let mut i = 0;
    while i < 16 {
        rounds[0][i] = i;
        i += 1;
    }
    let mut round = 1;
    while round < 7 {
        let mut i = 0;
        while i < 16 {
            rounds[round][i] = rounds[round - 1][PERMUTATION[i]];
            i += 1;
        }
        round += 1;
    }
    rounds
};

/// Columns and diagonals that are mixed in a round.
const MIXED: [[usize; 4]; 8] = [
    [0, 4, 8, 12],
    [1, 5, 9, 13],
    [2, 6, 10, 14],
    [3, 7, 11, 15],
    [0, 5, 10, 15],
    [1, 6, 11, 12],
    [2, 7, 8, 13],
    [3, 4, 9, 14],
];

fn source(shader: Shader) -> String {
    let mut rounds = String::new();
    for schedule in SCHEDULE {
        for (mix, [a, b, c, d]) in MIXED.into_iter().enumerate() {
            for (word, first, second) in [(schedule[2 * mix], 16, 12), (schedule[2 * mix + 1], 8, 7)] {
                // Writing to a string cannot fail.
                let _ = writeln!(
                    rounds,
                    "v{a} += v{b} + m[{word}]; v{d} = turned(v{d} ^ v{a}, {first}u); v{c} += v{d}; v{b} = turned(v{b} ^ v{c}, {second}u);"
                );
            }
        }
    }
    let main = match shader {
        Shader::Chunks => include_str!("blake3/chunks.wgsl"),
        Shader::Parents => include_str!("blake3/parents.wgsl"),
    };
    [
        &include_str!("blake3/compress.wgsl").replace("/*ROUNDS*/", &rounds),
        main,
    ]
    .concat()
}
