//! An encoder on a device: its weights, the buffers of a batch, and the operators in their order.

use super::shaders::{LINEAR_GROUP, Shader, TILE};
use crate::{
    engine::gpu::context::Context,
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
    /// Tiles of rows and of so many outputs.
    Tiles(u32),
    /// One for each item.
    Items,
}

/// One dispatch.
struct Operator {
    pipeline: Arc<wgpu::ComputePipeline>,
    bound: wgpu::BindGroup,
    extent: Extent,
}

/// Everything that is on the device for a job.
pub(super) struct Operators {
    /// What is submitted together: the first states, each layer, the pooling.
    steps: Vec<Vec<Operator>>,
    pub buffers: Buffers,
}

/// The buffers of a batch.
pub(super) struct Buffers {
    /// How many rows there are.
    pub batch: wgpu::Buffer,
    /// Token, position, first token of the item, number of its tokens.
    pub tokens: wgpu::Buffer,
    /// First token, number of tokens.
    pub items: wgpu::Buffer,
    /// The embeddings, and where they are read back.
    pub embeddings: wgpu::Buffer,
    pub staging: wgpu::Buffer,
    states: wgpu::Buffer,
    levels: wgpu::Buffer,
    scales: wgpu::Buffer,
    /// Outputs of linear maps; in the end, the means.
    wide: wgpu::Buffer,
    head_scales: wgpu::Buffer,
    mixed: wgpu::Buffer,
}

/// Makes buffers, and notes whether they fit the device.
struct Maker<'a> {
    context: &'a Context,
}

impl Maker<'_> {
    /// A buffer with `content`, whose length is a multiple of four.
    fn upload<T: bytemuck::Pod>(&self, label: &str, content: &[T], usage: Usage) -> Result<wgpu::Buffer, EngineError> {
        let bytes: &[u8] = bytemuck::cast_slice(content);
        let buffer = self
            .context
            .buffer(label, bytes.len() as u64, usage | Usage::COPY_DST)?;
        self.context.queue.write_buffer(&buffer, 0, bytes);
        Ok(buffer)
    }

    /// Weights: something that shaders only read.
    fn weights<T: bytemuck::Pod>(&self, content: &[T]) -> Result<wgpu::Buffer, EngineError> {
        self.upload("weights", content, Usage::STORAGE)
    }

    /// An operator; its parameters are the first binding, `buffers` the others.
    fn operator(
        &self,
        shader: Shader,
        params: &[u32],
        buffers: &[&wgpu::Buffer],
        extent: Extent,
    ) -> Result<Operator, EngineError> {
        let pipeline = shader.pipeline(self.context);
        let params = self.upload("parameters", params, Usage::UNIFORM)?;
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
        Ok(Operator {
            pipeline,
            bound,
            extent,
        })
    }
}

impl Buffers {
    /// Buffers for batches of up to `tokens` tokens, a multiple of [`TILE`], and as many items.
    fn new(maker: &Maker<'_>, shape: &Shape, tokens: u32) -> Result<Self, EngineError> {
        let rows = |label: &str, width: u32, usage: Usage| {
            maker
                .context
                .buffer(label, 4 * u64::from(tokens) * u64::from(width), usage | Usage::STORAGE)
        };
        let Shape {
            hidden, intermediate, ..
        } = *shape;
        let none = Usage::empty();
        let widest_input = hidden.max(intermediate).max(shape.query_width());
        let widest_output = hidden.max(intermediate).max(shape.attention_width());
        let embeddings = u64::from(tokens) * u64::from(shape.output_bytes());
        Ok(Self {
            batch: maker.upload("batch", &[0u32], Usage::UNIFORM)?,
            tokens: rows("tokens", 4, Usage::COPY_DST)?,
            items: rows("items", 2, Usage::COPY_DST)?,
            embeddings: maker
                .context
                .buffer("embeddings", embeddings, Usage::STORAGE | Usage::COPY_SRC)?,
            staging: maker
                .context
                .buffer("staging", embeddings, Usage::MAP_READ | Usage::COPY_DST)?,
            states: rows("states", hidden, none)?,
            // Two limbs of a byte for each place.
            levels: rows("levels", widest_input / 2, none)?,
            scales: rows("scales", 1, none)?,
            wide: rows("wide", widest_output, none)?,
            head_scales: rows("head scales", shape.heads + shape.key_value_heads, none)?,
            mixed: rows("mixed", shape.query_width(), none)?,
        })
    }
}

/// The tables of an encoder.
struct Tables {
    exponent: wgpu::Buffer,
    activation: wgpu::Buffer,
    activation_shift: u32,
    epsilon: u32,
}

const fn number_of(limbs: Limbs) -> u32 {
    match limbs {
        Limbs::One => 1,
        Limbs::Two => 2,
    }
}

impl Operators {
    /// Uploads `encoder`, for batches of up to `tokens` tokens, a multiple of [`TILE`].
    ///
    /// Errors: `Limit` where a buffer or a dispatch is larger than the device allows.
    pub fn new(context: &Context, encoder: &Encoder, tokens: u32) -> Result<Self, EngineError> {
        let maker = Maker { context };
        let shape = &encoder.shape;
        let buffers = Buffers::new(&maker, shape, tokens)?;
        let tables = Tables {
            exponent: maker.weights(&encoder.exponent[..])?,
            activation: maker.weights(&encoder.activation.table[..])?,
            activation_shift: encoder.activation.shift.into(),
            epsilon: encoder.norm_epsilon,
        };
        let mut operators = Self {
            steps: Vec::new(),
            buffers,
        };
        operators.add_start(&maker, encoder, &tables)?;
        for i in 0..encoder.layers.len() {
            operators.add_layer(&maker, encoder, i, &tables)?;
        }
        let Buffers {
            items,
            states,
            wide,
            embeddings,
            ..
        } = &operators.buffers;
        let bound = [items, states, wide, embeddings];
        let pool = maker.operator(Shader::Pool, &[shape.hidden], &bound, Extent::Items)?;
        operators.steps.push(vec![pool]);
        Ok(operators)
    }

    fn add_start(&mut self, maker: &Maker<'_>, encoder: &Encoder, tables: &Tables) -> Result<(), EngineError> {
        let embedding = &encoder.embedding;
        let scales: Vec<[i32; 2]> = embedding
            .multiplier
            .iter()
            .zip(&embedding.shift)
            .map(|(&multiplier, &shift)| [multiplier, shift.into()])
            .collect();
        let positions: Vec<i32> = embedding.position.iter().map(|&place| place.into()).collect();
        let (weights, scales, positions) = (
            maker.weights(&embedding.weight)?,
            maker.weights(&scales)?,
            maker.weights(&positions)?,
        );
        let bound = [
            &self.buffers.tokens,
            &weights,
            &scales,
            &positions,
            &self.buffers.states,
        ];
        let embed = maker.operator(Shader::Embed, &[encoder.shape.hidden], &bound, Extent::Rows)?;
        let next = encoder
            .layers
            .first()
            .map_or(Limbs::One, |layer| layer.attention.input.limbs);
        let norm = self.norm(maker, &embedding.norm, 0, next, tables)?;
        self.steps.push(vec![embed, norm]);
        Ok(())
    }

    fn add_layer(
        &mut self,
        maker: &Maker<'_>,
        encoder: &Encoder,
        i: usize,
        tables: &Tables,
    ) -> Result<(), EngineError> {
        let (layer, shape) = (&encoder.layers[i], &encoder.shape);
        // Behind the last layer nothing reads the levels.
        let next = encoder
            .layers
            .get(i + 1)
            .map_or(Limbs::One, |layer| layer.attention.input.limbs);
        let Buffers {
            tokens,
            wide,
            head_scales,
            mixed,
            ..
        } = &self.buffers;
        let quantised = shape.heads + shape.key_value_heads;
        let heads = [
            shape.head_size,
            shape.heads,
            quantised,
            quantised + shape.key_value_heads,
        ];
        let attended = [tokens, wide, head_scales, &tables.exponent, mixed];
        let step = vec![
            self.linear(maker, &layer.attention.input, 0, tables)?,
            maker.operator(Shader::Heads, &heads, &[wide, head_scales], Extent::Rows)?,
            maker.operator(Shader::Attention, &heads, &attended, Extent::RowsAndHeads(shape.heads))?,
            self.quantise(maker, mixed, shape.query_width(), layer.attention.output.limbs)?,
            self.linear(maker, &layer.attention.output, 0, tables)?,
            self.norm(maker, &layer.attention_norm, 1, layer.expand.limbs, tables)?,
            self.linear(maker, &layer.expand, tables.activation_shift, tables)?,
            self.quantise(maker, wide, shape.intermediate, layer.contract.limbs)?,
            self.linear(maker, &layer.contract, 0, tables)?,
            self.norm(maker, &layer.output_norm, 1, next, tables)?,
        ];
        self.steps.push(step);
        Ok(())
    }

    /// A normalisation of the states, to which the outputs in `wide` are added `addends` (0 or 1) times.
    fn norm(
        &self,
        maker: &Maker<'_>,
        norm: &Norm,
        addends: u32,
        next: Limbs,
        tables: &Tables,
    ) -> Result<Operator, EngineError> {
        let weights: Vec<[i32; 2]> = norm
            .weight
            .iter()
            .zip(&norm.bias)
            .map(|(&weight, &bias)| [weight, bias])
            .collect();
        let width = weights.len() as u32;
        let weights = maker.weights(&weights)?;
        let params = [width, addends, norm.shift as u32, tables.epsilon, number_of(next)];
        let Buffers {
            wide,
            states,
            levels,
            scales,
            ..
        } = &self.buffers;
        maker.operator(
            Shader::Norm,
            &params,
            &[&weights, wide, states, levels, scales],
            Extent::Rows,
        )
    }

    fn quantise(
        &self,
        maker: &Maker<'_>,
        source: &wgpu::Buffer,
        width: u32,
        limbs: Limbs,
    ) -> Result<Operator, EngineError> {
        let bound = [source, &self.buffers.levels, &self.buffers.scales];
        maker.operator(Shader::Quantise, &[width, number_of(limbs)], &bound, Extent::Rows)
    }

    /// A linear map of the levels. It goes through the activation unless `activation_shift` is 0.
    fn linear(
        &self,
        maker: &Maker<'_>,
        linear: &Linear,
        activation_shift: u32,
        tables: &Tables,
    ) -> Result<Operator, EngineError> {
        let columns: Vec<[i32; 4]> = linear
            .multiplier
            .iter()
            .zip(&linear.shift)
            .zip(&linear.bias)
            .map(|((&multiplier, &shift), &bias)| [multiplier, shift.into(), bias, 0])
            .collect();
        let outputs = columns.len() as u32;
        let words = (linear.weight.len() / columns.len()) as u32 / 4;
        let (weights, columns) = (maker.weights(&linear.weight)?, maker.weights(&columns)?);
        let Buffers {
            batch,
            wide,
            levels,
            scales,
            ..
        } = &self.buffers;
        let params = [outputs, words, number_of(linear.limbs), activation_shift];
        let bound = [levels, scales, &weights, &columns, &tables.activation, wide, batch];
        maker.operator(Shader::Linear, &params, &bound, Extent::Tiles(outputs))
    }

    /// Submits all operators for a batch of so many tokens and items, and returns the last submission.
    ///
    /// `before` is asked before each submission; its error is returned.
    pub fn submit(
        &self,
        context: &Context,
        [tokens, items]: [u32; 2],
        mut before: impl FnMut() -> Result<(), EngineError>,
    ) -> Result<wgpu::SubmissionIndex, EngineError> {
        let mut last = context.queue.submit([]);
        for step in &self.steps {
            before()?;
            let mut encoder = context.device.create_command_encoder(&Default::default());
            let mut pass = encoder.begin_compute_pass(&Default::default());
            for operator in step {
                pass.set_pipeline(&operator.pipeline);
                pass.set_bind_group(0, &operator.bound, &[]);
                let (x, y) = match operator.extent {
                    Extent::Rows => (tokens, 1),
                    Extent::RowsAndHeads(heads) => (tokens, heads),
                    Extent::Tiles(outputs) => (
                        outputs.div_ceil(TILE * LINEAR_GROUP),
                        tokens.div_ceil(TILE * LINEAR_GROUP),
                    ),
                    Extent::Items => (items, 1),
                };
                pass.dispatch_workgroups(x, y, 1);
            }
            drop(pass);
            last = context.queue.submit([encoder.finish()]);
        }
        Ok(last)
    }
}
