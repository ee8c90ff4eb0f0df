//! The buffers of a chain on a device, and the products that are computed from them.

use super::{
    chain::{Chain, SLOTS},
    plan::Plan,
};
use crate::{
    device::{Context, DeviceError, Needs, Pooled},
    kernels::gpu::{
        Content, Digest, Epilogue, Gemm, Operand, OperandView, OutputView, Scales, ScalesView, Shape, Tuning,
        texture_bytes,
    },
};
use agora_math::field::symmetric_of;
use rayon::prelude::*;
use std::ops::Range;

/// All buffers of a chain, one per panel.
pub(super) struct Buffers {
    lhs: Vec<Pooled>,
    /// The state that is multiplied and the next one, both scaled by their step's diagonal.
    rhs: [Vec<Pooled>; 2],
    pub state: Vec<Pooled>,
    /// The diagonal of the next step.
    pub scales: Scales,
}

/// What a chain that is cut as `plan` says needs of a device.
pub(super) fn needs(plan: &Plan) -> Needs {
    // The factor, two scaled states and the state; and the state on its way to the host.
    let each = 4 + SLOTS as u64;
    let values = Digest::bytes(plan.lines());
    let needs = Needs::default().workgroups(1).buffers(1, Scales::BYTES);
    let needs = values
        .into_iter()
        .fold(needs, |needs, bytes| needs.buffers(1 + SLOTS as u64, bytes));
    plan.panels.iter().fold(needs, |needs, panel| {
        let bytes = plan.bytes(panel);
        // A texture for each operand of the products to one scaled state and to the other; and the factor and the first state,
        // until they are uploaded.
        let aside = 4 * texture_bytes(bytes) + 2 * bytes;
        needs.buffers(each, bytes).memory(aside)
    })
}

impl Buffers {
    /// The buffers, and in them the factor's rows and the state's columns, scaled by the diagonal of the step that is next.
    ///
    /// Errors: as [`Context::storage`].
    pub fn new(context: &Context, plan: &Plan, chain: &Chain) -> Result<Self, DeviceError> {
        let buffers = || -> Result<Vec<Pooled>, DeviceError> {
            let panels = plan.panels.iter();
            panels.map(|panel| context.storage(plan.bytes(panel))).collect()
        };
        let all = Self {
            lhs: buffers()?,
            rhs: [buffers()?, buffers()?],
            state: buffers()?,
            scales: Scales::new(context)?,
        };
        let n = plan.n as usize;
        let diagonal = chain.diagonals.of(chain.done());
        for (i, panel) in plan.panels.iter().enumerate() {
            let rows = packed(plan, panel, |row, k| chain.factor[row * n + k].into());
            context.queue.write_buffer(&all.lhs[i], 0, &rows);
            let columns = packed(plan, panel, |column, k| {
                i32::from(chain.state[k * n + column]) * i32::from(diagonal[k])
            });
            context.queue.write_buffer(&all.rhs[0][i], 0, &columns);
        }
        context.queue.submit([]);
        context.check()?;
        Ok(all)
    }

    /// The products of all panels of rows and all panels of columns, from the buffers of states `from` to the others.
    ///
    /// Errors: what the device reports.
    pub fn products(
        &self,
        context: &Context,
        tuning: Tuning,
        plan: &Plan,
        from: usize,
    ) -> Result<Vec<Gemm>, DeviceError> {
        let operands = |panels: &[Pooled], content| -> Vec<Operand> {
            panels.iter().map(|panel| Operand::new(panel, content)).collect()
        };
        let lhs = operands(&self.lhs, Content::Fixed);
        let rhs = operands(&self.rhs[from], Content::Changing);
        let mut products = Vec::new();
        for (r, rows) in plan.panels.iter().enumerate() {
            for (c, columns) in plan.panels.iter().enumerate() {
                let shape = Shape {
                    m: rows.end - rows.start,
                    n: columns.end - columns.start,
                    k: plan.padded,
                    batch: 1,
                };
                let words = plan.padded / 4;
                let to = |buffer, first: u32| OutputView {
                    offset: first / 4,
                    ..OutputView::dense(buffer, words)
                };
                products.push(Gemm::new(
                    context,
                    tuning,
                    shape,
                    OperandView::dense(&lhs[r], plan.padded),
                    OperandView::dense(&rhs[c], plan.padded),
                    Epilogue::Residues {
                        out: to(&self.state[r], columns.start),
                        next: to(&self.rhs[1 - from][c], rows.start),
                        scales: ScalesView {
                            scales: &self.scales,
                            first_row: rows.start,
                        },
                    },
                )?);
            }
        }
        Ok(products)
    }
}

/// The signed bytes of a panel: `element(line, k)` in symmetric residues, zero in the padding.
fn packed(plan: &Plan, panel: &Range<u32>, element: impl Fn(usize, usize) -> i32 + Sync) -> Vec<u8> {
    let (n, padded) = (plan.n as usize, plan.padded as usize);
    let mut bytes = vec![0; plan.bytes(panel) as usize];
    bytes
        .par_chunks_mut(padded)
        .zip(panel.start as usize..panel.end as usize)
        .for_each(|(line, index)| {
            if index < n {
                for (k, byte) in line[..n].iter_mut().enumerate() {
                    // The cast keeps the lowest byte: two's complement.
                    *byte = symmetric_of(element(index, k)) as u8;
                }
            }
        });
    bytes
}
