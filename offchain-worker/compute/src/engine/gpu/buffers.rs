//! The buffers of a chain on a device, and the commands that compute a product from them.

use super::{chain::Chain, context::Context, plan::Plan};
use agora_math::field::symmetric;
use bytemuck::{Pod, Zeroable, bytes_of};
use rayon::prelude::*;
use std::ops::Range;

/// States that are on their way to the host at a time.
pub(super) const SLOTS: usize = 3;

/// The shader's parameters: see `common.wgsl`.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Params {
    first_row_tile: u32,
    end_row_tile: u32,
    first_column_tile: u32,
    end_column_tile: u32,
    next_offset: u32,
    state_offset: u32,
    vectors: u32,
    words: u32,
}

/// One dispatch with its buffers bound, for both directions between the two buffers of states.
pub(super) struct Step {
    bind_groups: [wgpu::BindGroup; 2],
    workgroups: [u32; 2],
    pub work: u64,
}

/// All buffers of a chain, one per panel.
pub(super) struct Buffers {
    left: Vec<wgpu::Buffer>,
    right: [Vec<wgpu::Buffer>; 2],
    pub state: Vec<wgpu::Buffer>,
    pub staging: [Vec<wgpu::Buffer>; SLOTS],
    pub steps: Vec<Step>,
}

impl Buffers {
    /// Creates all buffers, zeroed. Whether that worked is for [`Context::check`] to tell.
    pub fn new(context: &Context, plan: &Plan) -> Self {
        use wgpu::BufferUsages as Usage;
        let buffers = |label: &str, usage| -> Vec<wgpu::Buffer> {
            let descriptor = |panel| wgpu::BufferDescriptor {
                label: Some(label),
                size: plan.bytes(panel),
                usage,
                mapped_at_creation: false,
            };
            let panels = plan.panels.iter();
            panels
                .map(|panel| context.device.create_buffer(&descriptor(panel)))
                .collect()
        };
        let left = buffers("left", Usage::STORAGE | Usage::COPY_DST);
        let right = [(); 2].map(|()| buffers("right", Usage::STORAGE | Usage::COPY_DST));
        let state = buffers("state", Usage::STORAGE | Usage::COPY_SRC);
        let staging = [(); SLOTS].map(|()| buffers("staging", Usage::MAP_READ | Usage::COPY_DST));
        let mut all = Self {
            left,
            right,
            state,
            staging,
            steps: Vec::new(),
        };
        for r in 0..plan.panels.len() {
            for c in 0..plan.panels.len() {
                all.add_steps(context, plan, r, c);
            }
        }
        all
    }

    /// Adds the dispatches for the product of the panels `r` (of rows) and `c` (of columns).
    fn add_steps(&mut self, context: &Context, plan: &Plan, r: usize, c: usize) {
        let (rows, columns) = (&plan.panels[r], &plan.panels[c]);
        let layout = context.pipeline.get_bind_group_layout(0);
        for dispatch in plan.dispatches(rows, columns) {
            let params = Params {
                first_row_tile: dispatch.row_tiles.start,
                end_row_tile: dispatch.row_tiles.end,
                first_column_tile: dispatch.column_tiles.start,
                end_column_tile: dispatch.column_tiles.end,
                next_offset: rows.start / 4,
                state_offset: columns.start / 4,
                vectors: plan.padded / 16,
                words: plan.padded / 4,
            };
            let uniform = context.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("parameters"),
                size: size_of::<Params>() as u64,
                usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            });
            context.queue.write_buffer(&uniform, 0, bytes_of(&params));
            let bind = |from: usize| {
                let bound = [
                    &self.left[r],
                    &self.right[from][c],
                    &self.right[1 - from][c],
                    &self.state[r],
                    &uniform,
                ];
                let entries: Vec<_> = (0..)
                    .zip(bound)
                    .map(|(binding, buffer)| wgpu::BindGroupEntry {
                        binding,
                        resource: buffer.as_entire_binding(),
                    })
                    .collect();
                context.device.create_bind_group(&wgpu::BindGroupDescriptor {
                    label: Some("product"),
                    layout: &layout,
                    entries: &entries,
                })
            };
            let bind_groups = [bind(0), bind(1)];
            let workgroups = plan.workgroups(&dispatch);
            self.steps.push(Step {
                bind_groups,
                workgroups,
                work: dispatch.work,
            });
        }
    }

    /// Writes the factor's rows and the state's columns.
    pub fn upload(&self, context: &Context, plan: &Plan, chain: &Chain) {
        let n = plan.n as usize;
        for (i, panel) in plan.panels.iter().enumerate() {
            let rows = packed(plan, panel, |row, k| chain.factor[row * n + k]);
            context.queue.write_buffer(&self.left[i], 0, &rows);
            let columns = packed(plan, panel, |column, k| chain.state[k * n + column]);
            context.queue.write_buffer(&self.right[0][i], 0, &columns);
        }
        context.queue.submit([]);
    }
}

/// The signed bytes of a panel: `element(line, k)` in symmetric residues, zero in the padding.
fn packed(plan: &Plan, panel: &Range<u32>, element: impl Fn(usize, usize) -> u8 + Sync) -> Vec<u8> {
    let (n, padded) = (plan.n as usize, plan.padded as usize);
    let mut bytes = vec![0; plan.bytes(panel) as usize];
    bytes
        .par_chunks_mut(padded)
        .zip(panel.start as usize..panel.end as usize)
        .for_each(|(line, index)| {
            if index < n {
                for (k, byte) in line[..n].iter_mut().enumerate() {
                    // The cast keeps the lowest byte: two's complement.
                    *byte = symmetric(element(index, k)) as u8;
                }
            }
        });
    bytes
}

/// Records `steps`, from the buffers of states `from` to the others.
pub(super) fn record(context: &Context, steps: &[Step], from: usize) -> wgpu::CommandEncoder {
    let mut encoder = context.device.create_command_encoder(&Default::default());
    let mut pass = encoder.begin_compute_pass(&Default::default());
    pass.set_pipeline(&context.pipeline);
    for step in steps {
        pass.set_bind_group(0, &step.bind_groups[from], &[]);
        let [x, y] = step.workgroups;
        pass.dispatch_workgroups(x, y, 1);
    }
    drop(pass);
    encoder
}
