//! An encoder on a device: its weights, the buffers of a batch, and the operators in their order.

use super::shaders::Shader;
use crate::{
    device::{Batch, Context, DeviceError},
    kernels::gpu::{self, Content, Epilogue, Gemm, Operand, OperandView, OutputView, Tuning},
    networks::transformer::{Encoder, Limbs, Linear, Norm, Shape},
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
    /// A shader of the transformer's own.
    Shader {
        pipeline: Arc<wgpu::ComputePipeline>,
        bound: wgpu::BindGroup,
        extent: Extent,
        /// Operations of a workgroup, roughly.
        work: u64,
    },
    /// The sums of a linear layer: a product with so many rows for each row of the batch.
    Sums { gemm: Gemm, limbs: u32 },
}

/// An encoder on a device, ready for batches.
pub(crate) struct Operators {
    operators: Vec<Operator>,
    pub buffers: Buffers,
}

/// The buffers of a batch.
pub(crate) struct Buffers {
    /// Token, position, first token of the item, number of its tokens.
    pub tokens: wgpu::Buffer,
    /// First token, number of tokens.
    pub items: wgpu::Buffer,
    pub embeddings: wgpu::Buffer,
    states: wgpu::Buffer,
    /// A line for each limb of each row: whole vectors, of which the last one's end has any content.
    levels: wgpu::Buffer,
    scales: wgpu::Buffer,
    /// Sums of linear layers, a line for each limb of each row.
    sums: wgpu::Buffer,
    /// Outputs of linear layers; in the end, the means.
    wide: wgpu::Buffer,
    head_scales: wgpu::Buffer,
    attended: wgpu::Buffer,
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
pub(crate) fn row_bytes(shape: &Shape) -> u64 {
    // In two limbs.
    2 * 4 * u64::from(shape.intermediate.max(shape.attention_width()).max(shape.hidden))
}

impl Buffers {
    /// Buffers for batches of up to `tokens` tokens, and as many items.
    fn new(context: &Context, shape: &Shape, tokens: u32) -> Result<Self, DeviceError> {
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
            attended: words("attended", shape.query_width())?,
        })
    }
}

impl Operators {
    /// Uploads `encoder`, for batches of up to `tokens` tokens.
    ///
    /// Errors: `Limit` where a buffer is larger than the device allows, and what the device reports.
    pub fn new(context: &Context, tuning: Tuning, encoder: &Encoder, tokens: u32) -> Result<Self, DeviceError> {
        let buffers = Buffers::new(context, &encoder.shape, tokens)?;
        let mut builder = Builder {
            context,
            tuning,
            encoder,
            tokens,
            levels: Operand::new(&buffers.levels, Content::Changing),
            exponent: context.filled("table", &encoder.exponent[..], Usage::STORAGE)?,
            activation: context.filled("table", &encoder.activation.table[..], Usage::STORAGE)?,
            buffers: &buffers,
            operators: Vec::new(),
        };
        builder.embed_tokens()?;
        for i in 0..encoder.layers.len() {
            builder.layer(i)?;
        }
        let bound = [&buffers.items, &buffers.states, &buffers.wide, &buffers.embeddings];
        let hidden = encoder.shape.hidden;
        // Each item has its rows to itself.
        let params = [hidden, encoder.pooling as u32];
        builder.shader(Shader::Pool, &params, &bound, Extent::Items, hidden)?;
        Ok(Self {
            operators: builder.operators,
            buffers,
        })
    }

    /// Records all operators for a batch of so many tokens and items.
    ///
    /// Errors: `Cancelled`, and what the device reports.
    pub fn record(&self, batch: &mut Batch<'_>, [tokens, items]: [u32; 2]) -> Result<(), DeviceError> {
        for operator in &self.operators {
            match operator {
                Operator::Sums { gemm, limbs } => gemm.record_rows(batch, limbs * tokens)?,
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

/// Builds the operators, one after the other.
struct Builder<'a> {
    context: &'a Context,
    tuning: Tuning,
    encoder: &'a Encoder,
    /// The most tokens of a batch.
    tokens: u32,
    buffers: &'a Buffers,
    levels: Operand,
    exponent: wgpu::Buffer,
    activation: wgpu::Buffer,
    operators: Vec<Operator>,
}

impl Builder<'_> {
    /// A buffer that shaders only read.
    fn weights<T: bytemuck::Pod>(&self, content: &[T]) -> Result<wgpu::Buffer, DeviceError> {
        self.context.filled("weights", content, Usage::STORAGE)
    }

    /// Adds a shader; its parameters are the first binding, `buffers` the others.
    fn shader(
        &mut self,
        shader: Shader,
        params: &[u32],
        buffers: &[&wgpu::Buffer],
        extent: Extent,
        work: u32,
    ) -> Result<(), DeviceError> {
        let pipeline = shader.pipeline(self.context);
        let params = self.context.filled("parameters", params, Usage::UNIFORM)?;
        let bound = [&params].into_iter().chain(buffers.iter().copied());
        let bound = (0..).zip(bound.map(wgpu::Buffer::as_entire_binding));
        let bound = self.context.bind("transformer", &pipeline, bound);
        self.operators.push(Operator::Shader {
            pipeline,
            bound,
            extent,
            work: work.into(),
        });
        Ok(())
    }

    fn embed_tokens(&mut self) -> Result<(), DeviceError> {
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

    fn layer(&mut self, i: usize) -> Result<(), DeviceError> {
        let (layer, shape) = (&self.encoder.layers[i], &self.encoder.shape);
        let Buffers {
            tokens,
            wide,
            head_scales,
            attended,
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
        let attention = [tokens, wide, head_scales, &exponent, attended];
        let (extent, work) = (Extent::RowsAndHeads(shape.heads), 2 * shape.positions * shape.head_size);
        self.shader(Shader::Attention, &heads, &attention, extent, work)?;
        self.quantise(attended, shape.query_width(), layer.attention.output.limbs)?;
        self.linear(&layer.attention.output, 0)?;
        self.norm(&layer.attention_norm, 1, layer.up_proj.limbs)?;
        self.linear(&layer.up_proj, self.encoder.activation.shift.into())?;
        self.quantise(wide, shape.intermediate, layer.down_proj.limbs)?;
        self.linear(&layer.down_proj, 0)?;
        self.norm(&layer.output_norm, 1, self.limbs_of_input(i + 1))
    }

    /// Normalises the states, after adding the outputs in `wide` to them `addends` (0 or 1) times.
    fn norm(&mut self, norm: &Norm, addends: u32, next: Limbs) -> Result<(), DeviceError> {
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

    fn quantise(&mut self, source: &wgpu::Buffer, width: u32, limbs: Limbs) -> Result<(), DeviceError> {
        let bound = [source, &self.buffers.levels, &self.buffers.scales];
        self.shader(
            Shader::Quantise,
            &[width, number_of(limbs)],
            &bound,
            Extent::Rows,
            width,
        )
    }

    /// A linear layer of the levels. It goes through the activation unless `activation_shift` is 0.
    fn linear(&mut self, linear: &Linear, activation_shift: u32) -> Result<(), DeviceError> {
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
        let weights = self
            .context
            .filled("weights", &weights, Usage::STORAGE | Usage::COPY_SRC)?;
        let columns = self.weights(&columns)?;
        let Buffers { wide, sums, scales, .. } = self.buffers;
        let shape = gpu::Shape {
            m: limbs * self.tokens,
            n: outputs,
            k: depth,
            batch: 1,
        };
        let gemm = Gemm::new(
            self.context,
            self.tuning,
            shape,
            OperandView::dense(&self.levels, depth),
            OperandView::dense(&Operand::new(&weights, Content::Fixed), depth),
            Epilogue::Sums {
                out: OutputView::dense(sums, outputs),
            },
        )?;
        self.operators.push(Operator::Sums { gemm, limbs });
        let params = [outputs, limbs, activation_shift];
        let activation = self.activation.clone();
        let bound = [sums, scales, &columns, &activation, wide];
        self.shader(Shader::Outputs, &params, &bound, Extent::Rows, outputs)
    }
}
