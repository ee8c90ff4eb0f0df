//! An encoder on a device: its weights, the buffers of a batch, and the operators in their order.

use super::shaders::Shader;
use crate::{
    engine::gpu::{
        batch::Batch,
        context::Context,
        gemm::{self, Content, Epilogue, Factor, Gemm, Lines, Words},
    },
    error::EngineError,
    model::{Encoder, Limbs, Linear, Norm, Shape},
};
use std::sync::Arc;
use wgpu::BufferUsages as Usage;

/// How many workgroups an operator has.
#[derive(Clone, Copy)]
enum Extent {
    /// One for each row.
    Rows,
    /// One for each row and each of so many heads.
    RowsAndHeads(u32),
    /// One for each item.
    Items,
}

/// One part of the computation.
enum Operator {
    /// A shader of this kind of jobs.
    Shader {
        pipeline: Arc<wgpu::ComputePipeline>,
        bound: wgpu::BindGroup,
        extent: Extent,
        /// Operations of a workgroup, roughly.
        work: u64,
    },
    /// The sums of a linear map: a product with so many lines for each row.
    Sums { gemm: Gemm, limbs: u32 },
}

/// Everything that is on the device for a job.
pub(super) struct Operators {
    operators: Vec<Operator>,
    pub buffers: Buffers,
}

/// The buffers of a batch.
pub(super) struct Buffers {
    /// Token, position, first token of the item, number of its tokens.
    pub tokens: wgpu::Buffer,
    /// First token, number of tokens.
    pub items: wgpu::Buffer,
    pub embeddings: wgpu::Buffer,
    states: wgpu::Buffer,
    /// A line for each limb of each row: whole vectors, of which the last one's end has any content.
    levels: wgpu::Buffer,
    scales: wgpu::Buffer,
    /// Sums of linear maps, a line for each limb of each row.
    sums: wgpu::Buffer,
    /// Outputs of linear maps; in the end, the means.
    wide: wgpu::Buffer,
    head_scales: wgpu::Buffer,
    mixed: wgpu::Buffer,
}

const fn number_of(limbs: Limbs) -> u32 {
    match limbs {
        Limbs::One => 1,
        Limbs::Two => 2,
    }
}

/// Bytes of a line of levels.
const fn line(width: u32) -> u32 {
    width.next_multiple_of(16)
}

/// Bytes of a row in the widest buffer of those that hold rows.
pub(super) fn row_bytes(shape: &Shape) -> u64 {
    // In two limbs.
    2 * 4 * u64::from(shape.intermediate.max(shape.attention_width()).max(shape.hidden))
}

impl Buffers {
    /// Buffers for batches of up to `tokens` tokens, and as many items.
    fn new(context: &Context, shape: &Shape, tokens: u32) -> Result<Self, EngineError> {
        let rows = |label: &str, bytes: u64, usage: Usage| {
            context.buffer(label, u64::from(tokens) * bytes, usage | Usage::STORAGE)
        };
        let words = |label: &str, width: u32| rows(label, 4 * u64::from(width), Usage::empty());
        let Shape {
            hidden, intermediate, ..
        } = *shape;
        let widest_input = hidden.max(intermediate).max(shape.query_width());
        let widest_output = hidden.max(intermediate).max(shape.attention_width());
        Ok(Self {
            tokens: rows("tokens", 16, Usage::COPY_DST)?,
            items: rows("items", 8, Usage::COPY_DST)?,
            embeddings: rows("embeddings", shape.output_bytes().into(), Usage::COPY_SRC)?,
            states: words("states", hidden)?,
            levels: rows("levels", 2 * u64::from(line(widest_input)), Usage::COPY_SRC)?,
            scales: words("scales", 1)?,
            sums: rows("sums", row_bytes(shape), Usage::empty())?,
            wide: words("wide", widest_output)?,
            head_scales: words("head scales", shape.heads + shape.key_value_heads)?,
            mixed: words("mixed", shape.query_width())?,
        })
    }
}

impl Operators {
    /// Uploads `encoder`, for batches of up to `tokens` tokens.
    ///
    /// Errors: `Limit` where a buffer is larger than the device allows, and what the device reports.
    pub fn new(context: &Context, encoder: &Encoder, tokens: u32) -> Result<Self, EngineError> {
        let buffers = Buffers::new(context, &encoder.shape, tokens)?;
        let mut maker = Maker {
            context,
            encoder,
            tokens,
            levels: Factor::new(&buffers.levels, Content::Changing),
            exponent: upload(context, "table", &encoder.exponent[..], Usage::STORAGE)?,
            activation: upload(context, "table", &encoder.activation.table[..], Usage::STORAGE)?,
            buffers: &buffers,
            operators: Vec::new(),
        };
        maker.start()?;
        for i in 0..encoder.layers.len() {
            maker.layer(i)?;
        }
        let bound = [&buffers.items, &buffers.states, &buffers.wide, &buffers.embeddings];
        let hidden = encoder.shape.hidden;
        // Each item has its rows to itself.
        maker.shader(Shader::Pool, &[hidden], &bound, Extent::Items, hidden)?;
        Ok(Self {
            operators: maker.operators,
            buffers,
        })
    }

    /// Records all operators for a batch of so many tokens and items.
    ///
    /// Errors: `Cancelled`, and what the device reports.
    pub fn record(&self, batch: &mut Batch<'_>, [tokens, items]: [u32; 2]) -> Result<(), EngineError> {
        for operator in &self.operators {
            match operator {
                Operator::Sums { gemm, limbs } => batch.first_rows(gemm, limbs * tokens)?,
                Operator::Shader {
                    pipeline,
                    bound,
                    extent,
                    work,
                } => {
                    let [x, y] = match *extent {
                        Extent::Rows => [tokens, 1],
                        Extent::RowsAndHeads(heads) => [tokens, heads],
                        Extent::Items => [items, 1],
                    };
                    let encoder = batch.encoder(u64::from(x) * u64::from(y) * work)?;
                    let mut pass = encoder.begin_compute_pass(&Default::default());
                    pass.set_pipeline(pipeline);
                    pass.set_bind_group(0, bound, &[]);
                    pass.dispatch_workgroups(x, y, 1);
                }
            }
        }
        Ok(())
    }
}

/// A buffer with `content`, whose length is a multiple of four.
fn upload<T: bytemuck::Pod>(
    context: &Context,
    label: &str,
    content: &[T],
    usage: Usage,
) -> Result<wgpu::Buffer, EngineError> {
    let bytes: &[u8] = bytemuck::cast_slice(content);
    let buffer = context.buffer(label, bytes.len() as u64, usage | Usage::COPY_DST)?;
    context.queue.write_buffer(&buffer, 0, bytes);
    Ok(buffer)
}

/// Makes the operators, one after the other.
struct Maker<'a> {
    context: &'a Context,
    encoder: &'a Encoder,
    /// The most tokens of a batch.
    tokens: u32,
    buffers: &'a Buffers,
    levels: Factor,
    exponent: wgpu::Buffer,
    activation: wgpu::Buffer,
    operators: Vec<Operator>,
}

impl Maker<'_> {
    /// Something that shaders only read.
    fn weights<T: bytemuck::Pod>(&self, content: &[T]) -> Result<wgpu::Buffer, EngineError> {
        upload(self.context, "weights", content, Usage::STORAGE)
    }

    /// Adds a shader; its parameters are the first binding, `buffers` the others.
    fn shader(
        &mut self,
        shader: Shader,
        params: &[u32],
        buffers: &[&wgpu::Buffer],
        extent: Extent,
        work: u32,
    ) -> Result<(), EngineError> {
        let pipeline = shader.pipeline(self.context);
        let params = upload(self.context, "parameters", params, Usage::UNIFORM)?;
        let entries: Vec<_> = (0..)
            .zip([&params].into_iter().chain(buffers.iter().copied()))
            .map(|(binding, buffer)| wgpu::BindGroupEntry {
                binding,
                resource: buffer.as_entire_binding(),
            })
            .collect();
        let bound = self.context.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("inference"),
            layout: &pipeline.get_bind_group_layout(0),
            entries: &entries,
        });
        self.operators.push(Operator::Shader {
            pipeline,
            bound,
            extent,
            work: work.into(),
        });
        Ok(())
    }

    fn start(&mut self) -> Result<(), EngineError> {
        let encoder = self.encoder;
        let embedding = &encoder.embedding;
        let scales: Vec<[i32; 2]> = embedding
            .multiplier
            .iter()
            .zip(&embedding.shift)
            .map(|(&multiplier, &shift)| [multiplier, shift.into()])
            .collect();
        let positions: Vec<i32> = embedding.position.iter().map(|&place| place.into()).collect();
        let (weights, scales, positions) = (
            self.weights(&embedding.weight)?,
            self.weights(&scales)?,
            self.weights(&positions)?,
        );
        let Buffers { tokens, states, .. } = self.buffers;
        let (bound, hidden) = ([tokens, &weights, &scales, &positions, states], encoder.shape.hidden);
        self.shader(Shader::Embed, &[hidden], &bound, Extent::Rows, hidden)?;
        self.norm(&embedding.norm, 0, self.limbs_of_input(0))
    }

    /// How the input of layer `i` is quantised. Behind the last layer nothing reads it.
    fn limbs_of_input(&self, i: usize) -> Limbs {
        let layer = self.encoder.layers.get(i);
        layer.map_or(Limbs::One, |layer| layer.attention.input.limbs)
    }

    fn layer(&mut self, i: usize) -> Result<(), EngineError> {
        let (layer, shape) = (&self.encoder.layers[i], &self.encoder.shape);
        let Buffers {
            tokens,
            wide,
            head_scales,
            mixed,
            ..
        } = self.buffers;
        let quantised = shape.heads + shape.key_value_heads;
        let heads = [
            shape.head_size,
            shape.heads,
            quantised,
            quantised + shape.key_value_heads,
        ];
        self.linear(&layer.attention.input, 0)?;
        self.shader(
            Shader::Heads,
            &heads,
            &[wide, head_scales],
            Extent::Rows,
            shape.attention_width(),
        )?;
        let exponent = self.exponent.clone();
        let attended = [tokens, wide, head_scales, &exponent, mixed];
        let (extent, work) = (Extent::RowsAndHeads(shape.heads), 2 * shape.positions * shape.head_size);
        self.shader(Shader::Attention, &heads, &attended, extent, work)?;
        self.quantise(mixed, shape.query_width(), layer.attention.output.limbs)?;
        self.linear(&layer.attention.output, 0)?;
        self.norm(&layer.attention_norm, 1, layer.expand.limbs)?;
        self.linear(&layer.expand, self.encoder.activation.shift.into())?;
        self.quantise(wide, shape.intermediate, layer.contract.limbs)?;
        self.linear(&layer.contract, 0)?;
        self.norm(&layer.output_norm, 1, self.limbs_of_input(i + 1))
    }

    /// A normalisation of the states, to which the outputs in `wide` are added `addends` (0 or 1) times.
    fn norm(&mut self, norm: &Norm, addends: u32, next: Limbs) -> Result<(), EngineError> {
        let places = norm.weight.iter().zip(&norm.bias);
        let weights: Vec<[i32; 2]> = places.map(|(&weight, &bias)| [weight, bias]).collect();
        let width = weights.len() as u32;
        let weights = self.weights(&weights)?;
        let params = [
            width,
            addends,
            norm.shift as u32,
            self.encoder.norm_epsilon,
            number_of(next),
        ];
        let Buffers {
            wide,
            states,
            levels,
            scales,
            ..
        } = self.buffers;
        let bound = [&weights, wide, states, levels, scales];
        self.shader(Shader::Norm, &params, &bound, Extent::Rows, width)
    }

    fn quantise(&mut self, source: &wgpu::Buffer, width: u32, limbs: Limbs) -> Result<(), EngineError> {
        let bound = [source, &self.buffers.levels, &self.buffers.scales];
        self.shader(
            Shader::Quantise,
            &[width, number_of(limbs)],
            &bound,
            Extent::Rows,
            width,
        )
    }

    /// A linear map of the levels. It goes through the activation unless `activation_shift` is 0.
    fn linear(&mut self, linear: &Linear, activation_shift: u32) -> Result<(), EngineError> {
        let columns: Vec<[i32; 4]> = linear
            .multiplier
            .iter()
            .zip(&linear.shift)
            .zip(&linear.bias)
            .map(|((&multiplier, &shift), &bias)| [multiplier, shift.into(), bias, 0])
            .collect();
        let outputs = columns.len() as u32;
        let width = linear.weight.len() / columns.len();
        let (depth, limbs) = (line(width as u32), number_of(linear.limbs));
        let mut weights = vec![0i8; columns.len() * depth as usize];
        let lines = weights.chunks_exact_mut(depth as usize);
        for (to, from) in lines.zip(linear.weight.chunks_exact(width)) {
            to[..width].copy_from_slice(from);
        }
        let weights = upload(self.context, "weights", &weights, Usage::STORAGE | Usage::COPY_SRC)?;
        let columns = self.weights(&columns)?;
        let Buffers { wide, sums, scales, .. } = self.buffers;
        let gemm = Gemm::new(
            self.context,
            gemm::Shape {
                rows: limbs * self.tokens,
                columns: outputs,
                depth,
                items: 1,
            },
            Lines::dense(&self.levels, depth),
            Lines::dense(&Factor::new(&weights, Content::Fixed), depth),
            Epilogue::Sums {
                out: Words::dense(sums, outputs),
            },
        )?;
        self.operators.push(Operator::Sums { gemm, limbs });
        let params = [outputs, limbs, activation_shift];
        let activation = self.activation.clone();
        let bound = [sums, scales, &columns, &activation, wide];
        self.shader(Shader::Outputs, &params, &bound, Extent::Rows, outputs)
    }
}
