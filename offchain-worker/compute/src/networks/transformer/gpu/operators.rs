//! An encoder on a device: its weights, the buffers of a batch, and the operators in their order.

use super::shaders::Shader;
use crate::{
    device::{Batch, Context, DeviceError, Needs},
    kernels::gpu::{self, Content, Epilogue, Gemm, Operand, OperandView, OutputView, Tuning, texture_bytes},
    networks::transformer::{ACTIVATION_TABLE, DenseActivation, EXPONENT_TABLE, Encoder, Limbs, Linear, Norm, Shape},
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

impl Extent {
    /// The workgroups for so many tokens and items.
    const fn workgroups(self, tokens: u32, items: u32) -> [u32; 2] {
        match self {
            Self::Rows => [tokens, 1],
            Self::RowsAndHeads(heads) => [tokens, heads],
            Self::Items => [items, 1],
        }
    }
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
    /// The sums of a linear layer: a product with so many rows for each row of the batch, or for each item.
    Sums { gemm: Gemm, limbs: u32, extent: Extent },
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
    /// Outputs of linear layers; in the end, the vector of each item.
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

/// Outputs of the widest linear layer, or numbers of a state if these are more.
fn widest_output(shape: &Shape) -> u32 {
    let widths = [shape.intermediate, shape.attention_width(), shape.dense];
    widths.into_iter().fold(shape.hidden, u32::max)
}

/// Bytes of a row in the widest buffer of those that hold rows.
pub(crate) fn row_bytes(shape: &Shape) -> u64 {
    // In two limbs.
    2 * 4 * u64::from(widest_output(shape))
}

/// Bytes of a token in each of [`Buffers`].
struct TokenBytes {
    tokens: u64,
    items: u64,
    embeddings: u64,
    states: u64,
    levels: u64,
    scales: u64,
    sums: u64,
    wide: u64,
    head_scales: u64,
    attended: u64,
}

impl TokenBytes {
    fn of(shape: &Shape) -> Self {
        let words = |width: u32| 4 * u64::from(width);
        let Shape {
            hidden, intermediate, ..
        } = *shape;
        let widest_input = hidden.max(intermediate).max(shape.query_width());
        Self {
            tokens: 16,
            items: 8,
            embeddings: shape.output_bytes().into(),
            states: words(hidden),
            levels: 2 * u64::from(line(widest_input)),
            scales: words(1),
            sums: row_bytes(shape),
            wide: words(widest_output(shape)),
            head_scales: words(shape.heads + shape.key_value_heads),
            attended: words(shape.query_width()),
        }
    }
}

/// What an encoder of `shape` needs of a device, for batches of up to `tokens` tokens.
pub(crate) fn needs(shape: &Shape, tokens: u32) -> Needs {
    let bytes = TokenBytes::of(shape);
    let rows = [
        bytes.tokens,
        bytes.items,
        // And on their way to the host.
        bytes.embeddings,
        bytes.embeddings,
        bytes.states,
        bytes.levels,
        bytes.scales,
        bytes.sums,
        bytes.wide,
        bytes.head_scales,
        bytes.attended,
    ];
    let rows = rows.map(|bytes| u64::from(tokens) * bytes);
    let [hidden, intermediate, query] = [shape.hidden, shape.intermediate, shape.query_width()];
    let of_vocabulary = |bytes: u32| u64::from(shape.vocabulary) * u64::from(bytes);
    let linear = |width: u32, outputs: u32| [line(width), 16].map(|bytes| u64::from(outputs) * u64::from(bytes));
    let norm = 8 * u64::from(hidden);
    let once = [
        of_vocabulary(hidden),
        of_vocabulary(8),
        4 * u64::from(shape.positions) * u64::from(hidden),
        norm,
        4 * EXPONENT_TABLE as u64,
        4 * ACTIVATION_TABLE as u64,
    ];
    let linears = [
        linear(hidden, shape.attention_width()),
        linear(query, hidden),
        linear(hidden, intermediate),
        linear(intermediate, hidden),
    ];
    let layers = u64::from(shape.layers);
    let of_layers = linears
        .iter()
        .flatten()
        .fold(Needs::default(), |needs, &bytes| needs.buffers(layers, bytes));
    let of_layers = of_layers.buffers(2 * layers, norm);
    let dense = (shape.dense > 0).then(|| linear(hidden, shape.dense));
    let once = once.into_iter().chain(dense.into_iter().flatten());
    let needs = Needs::default().workgroups(shape.heads.max(tokens)).buffers_of(once);
    let weights = needs.memory_bytes + of_layers.memory_bytes;
    // The weights, and the levels, in textures; and the weights until they are uploaded.
    let textures = linears
        .iter()
        .map(|[weight, _]| layers * texture_bytes(*weight))
        .chain(dense.map(|[weight, _]| texture_bytes(weight)))
        .sum::<u64>();
    needs
        .buffers_of(rows)
        .buffers(0, of_layers.buffer_bytes)
        .memory(of_layers.memory_bytes + textures + texture_bytes(u64::from(tokens) * bytes.levels) + weights)
}

impl Buffers {
    /// Buffers for batches of up to `tokens` tokens, and as many items.
    fn new(context: &Context, shape: &Shape, tokens: u32) -> Result<Self, DeviceError> {
        let bytes = TokenBytes::of(shape);
        let rows = |label: &str, bytes: u64, usage: Usage| {
            context.buffer(label, u64::from(tokens) * bytes, usage | Usage::STORAGE)
        };
        let none = Usage::empty();
        Ok(Self {
            tokens: rows("tokens", bytes.tokens, Usage::COPY_DST)?,
            items: rows("items", bytes.items, Usage::COPY_DST)?,
            embeddings: rows("embeddings", bytes.embeddings, Usage::COPY_SRC)?,
            states: rows("states", bytes.states, none)?,
            levels: rows("levels", bytes.levels, Usage::COPY_SRC)?,
            scales: rows("scales", bytes.scales, none)?,
            sums: rows("sums", bytes.sums, none)?,
            wide: rows("wide", bytes.wide, none)?,
            head_scales: rows("head scales", bytes.head_scales, none)?,
            attended: rows("attended", bytes.attended, none)?,
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
        builder.vectors()?;
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
                Operator::Sums { gemm, limbs, extent } => {
                    let [rows, _] = extent.workgroups(tokens, items);
                    gemm.record_rows(batch, limbs * rows)?;
                }
                Operator::Shader {
                    pipeline,
                    bound,
                    extent,
                    work,
                } => {
                    let [x, y] = extent.workgroups(tokens, items);
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
        self.linear(&layer.attention.input, 0, Extent::Rows)?;
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
        self.quantise(
            attended,
            shape.query_width(),
            layer.attention.output.limbs,
            Extent::Rows,
        )?;
        self.linear(&layer.attention.output, 0, Extent::Rows)?;
        self.norm(&layer.attention_norm, 1, layer.up_proj.limbs)?;
        self.linear(&layer.up_proj, self.encoder.activation.shift.into(), Extent::Rows)?;
        self.quantise(wide, shape.intermediate, layer.down_proj.limbs, Extent::Rows)?;
        self.linear(&layer.down_proj, 0, Extent::Rows)?;
        self.norm(&layer.output_norm, 1, self.limbs_of_input(i + 1))
    }

    /// From the states of the tokens to the embeddings of the items.
    fn vectors(&mut self) -> Result<(), DeviceError> {
        let (encoder, shape) = (self.encoder, &self.encoder.shape);
        let Buffers {
            items,
            states,
            wide,
            embeddings,
            ..
        } = self.buffers;
        // Each item has its rows to itself.
        let params = [shape.hidden, encoder.pooling as u32];
        self.shader(
            Shader::Pool,
            &params,
            &[items, states, wide],
            Extent::Items,
            shape.hidden,
        )?;
        if let Some(dense) = &encoder.dense {
            self.quantise(wide, shape.hidden, dense.linear.limbs, Extent::Items)?;
            self.linear(&dense.linear, 0, Extent::Items)?;
        }
        let is_tanh = encoder
            .dense
            .as_ref()
            .is_some_and(|dense| dense.activation == DenseActivation::Tanh);
        let width = shape.embedding_width();
        let exponent = self.exponent.clone();
        let bound = [&exponent, wide, embeddings];
        self.shader(Shader::Unit, &[width, is_tanh.into()], &bound, Extent::Items, width)
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

    /// Quantises the rows of `source` for the next linear layer.
    fn quantise(&mut self, source: &wgpu::Buffer, width: u32, limbs: Limbs, extent: Extent) -> Result<(), DeviceError> {
        let bound = [source, &self.buffers.levels, &self.buffers.scales];
        self.shader(Shader::Quantise, &[width, number_of(limbs)], &bound, extent, width)
    }

    /// A linear layer of the levels. It goes through the activation unless `activation_shift` is 0.
    fn linear(&mut self, linear: &Linear, activation_shift: u32, extent: Extent) -> Result<(), DeviceError> {
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
        self.operators.push(Operator::Sums { gemm, limbs, extent });
        let params = [outputs, limbs, activation_shift];
        let activation = self.activation.clone();
        let bound = [sums, scales, &columns, &activation, wide];
        self.shader(Shader::Outputs, &params, &bound, extent, outputs)
    }
}
