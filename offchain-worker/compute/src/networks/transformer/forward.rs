//! The forward pass on the processor: the reference.

use super::{
    DenseActivation, Encoder, Layer, Norm, Pooling,
    linear::LinearLayer,
    operators::{
        ATTENTION_LEVELS, ATTENTION_SHIFT, EXPONENT_ONE, KEY_SHIFT, Normaliser, QUERY_SHIFT, clamp, divide, normalise,
        quantise, rescale, scale, softmax, tangent,
    },
};
use crate::{
    kernels::cpu::{GemmError, Kernel},
    run::CancelFlag,
};
use std::{ops::Range, sync::Arc};

/// An encoder with its weights in the order in which they are read.
pub struct PreparedEncoder {
    encoder: Arc<Encoder>,
    layers: Vec<Linears>,
    dense: Option<LinearLayer>,
}

/// The linear layers of an encoder layer.
struct Linears {
    attention_input: LinearLayer,
    attention_output: LinearLayer,
    up_proj: LinearLayer,
    down_proj: LinearLayer,
}

/// Rows of values, one for each token.
pub(super) struct States {
    pub values: Vec<i32>,
    pub width: usize,
}

impl States {
    pub fn rows(&self) -> impl Iterator<Item = &[i32]> {
        self.values.chunks_exact(self.width)
    }

    fn rows_mut(&mut self) -> impl Iterator<Item = &mut [i32]> {
        self.values.chunks_exact_mut(self.width)
    }

    /// Adds `other`.
    fn add(&mut self, other: &Self) {
        for (value, other) in self.values.iter_mut().zip(&other.values) {
            *value = clamp(value.wrapping_add(*other));
        }
    }
}

impl PreparedEncoder {
    /// Prepares `encoder`.
    ///
    /// Errors: `Shape`, unless it is one that a [`super::Package`] was read or written with.
    pub fn new(encoder: Arc<Encoder>) -> Result<Self, GemmError> {
        let linears = |layer: &Layer| {
            Ok(Linears {
                attention_input: LinearLayer::new(&layer.attention.input)?,
                attention_output: LinearLayer::new(&layer.attention.output)?,
                up_proj: LinearLayer::new(&layer.up_proj)?,
                down_proj: LinearLayer::new(&layer.down_proj)?,
            })
        };
        let layers = encoder.layers.iter().map(linears).collect::<Result<_, _>>()?;
        let dense = encoder.dense.as_ref().map(|dense| LinearLayer::new(&dense.linear));
        let dense = dense.transpose()?;
        Ok(Self { encoder, layers, dense })
    }

    /// The embeddings of `items`, one after the other, each in units of 2⁻¹⁵ and of Euclidean length 1.
    ///
    /// Each item has at least one token and at most as many as there are positions, each below the size of the
    /// vocabulary. An item's embedding does not depend on the others.
    ///
    /// Errors: `Cancelled` soon after `cancel` is set.
    pub fn embed(&self, items: &[&[u16]], cancel: &CancelFlag) -> Result<Vec<i16>, GemmError> {
        let mut tokens = 0;
        let places: Vec<Range<usize>> = items
            .iter()
            .map(|item| {
                let start = tokens;
                tokens += item.len();
                start..tokens
            })
            .collect();
        let mut states = self.embed_tokens(items, tokens);
        for (layer, linears) in self.encoder.layers.iter().zip(&self.layers) {
            self.attend(&mut states, &places, (layer, linears), cancel)?;
            self.feed_forward(&mut states, (layer, linears), cancel)?;
        }
        let pooled = places
            .into_iter()
            .flat_map(|place| pool(&states, place, self.encoder.pooling));
        let mut vectors = States {
            values: pooled.collect(),
            width: states.width,
        };
        if let (Some(dense), Some(linear)) = (&self.encoder.dense, &self.dense) {
            vectors = linear.apply(&vectors, cancel)?;
            if dense.activation == DenseActivation::Tanh {
                for value in &mut vectors.values {
                    *value = tangent(*value, &self.encoder.exponent);
                }
            }
        }
        Ok(vectors.rows().flat_map(unit).collect())
    }

    /// The first states: embeddings of tokens and positions.
    fn embed_tokens(&self, items: &[&[u16]], tokens: usize) -> States {
        let width = self.encoder.shape.hidden as usize;
        let embedding = &self.encoder.embedding;
        let mut values = Vec::with_capacity(tokens * width);
        for item in items {
            for (&token, position) in item.iter().zip(embedding.position.chunks_exact(width)) {
                let token = usize::from(token);
                let (multiplier, shift) = (embedding.multiplier[token], embedding.shift[token] as u32);
                let weights = &embedding.weight[token * width..(token + 1) * width];
                values.extend(weights.iter().zip(position).map(|(&weight, &position)| {
                    clamp(clamp(rescale(weight.into(), multiplier, shift)) + i32::from(position))
                }));
            }
        }
        let mut states = States { values, width };
        self.normalise(&mut states, &embedding.norm);
        states
    }

    fn normalise(&self, states: &mut States, norm: &Norm) {
        let epsilon = self.encoder.norm_epsilon;
        Kernel::best().vectorise(
            #[inline(always)]
            || {
                for row in states.rows_mut() {
                    normalise(row, norm, epsilon);
                }
            },
        );
    }

    /// Adds the attention's output to the states, and normalises them.
    fn attend(
        &self,
        states: &mut States,
        places: &[Range<usize>],
        (layer, linears): (&Layer, &Linears),
        cancel: &CancelFlag,
    ) -> Result<(), GemmError> {
        let heads = linears.attention_input.apply(states, cancel)?;
        let width = self.encoder.shape.query_width() as usize;
        let mut attended = States {
            values: vec![0; states.values.len() / states.width * width],
            width,
        };
        Kernel::best().vectorise(
            #[inline(always)]
            || {
                for place in places {
                    self.attend_item(&heads, place.clone(), &mut attended);
                }
            },
        );
        states.add(&linears.attention_output.apply(&attended, cancel)?);
        self.normalise(states, &layer.attention_norm);
        Ok(())
    }

    /// The attention among the tokens of one item, those at `place`.
    #[inline(always)]
    fn attend_item(&self, heads: &States, place: Range<usize>, attended: &mut States) {
        let shape = &self.encoder.shape;
        let [size, query_width, key_width] =
            [shape.head_size, shape.query_width(), shape.key_width()].map(|n| n as usize);
        let group = (shape.heads / shape.key_value_heads) as usize;
        let part = |token: usize, start: usize| {
            let start = token * heads.width + start;
            &heads.values[start..start + size]
        };
        let mut scores = vec![0; place.len()];
        let mut query = Quantised::default();
        for key_head in 0..shape.key_value_heads as usize {
            let mut keys = Quantised::default();
            for token in place.clone() {
                keys.push(part(token, query_width + key_head * size));
            }
            let values: Vec<i32> = place
                .clone()
                .flat_map(|token| part(token, query_width + key_width + key_head * size))
                .map(|&value| value.clamp(-VALUE_LEVELS, VALUE_LEVELS))
                .collect();
            for head in key_head * group..(key_head + 1) * group {
                for token in place.clone() {
                    query.clear();
                    query.push(part(token, head * size));
                    query.score(&keys, &mut scores);
                    softmax(&mut scores, &self.encoder.exponent);
                    let start = token * attended.width + head * size;
                    weigh(&scores, &values, &mut attended.values[start..start + size]);
                }
            }
        }
    }

    /// Adds the feed-forward network's output to the states, and normalises them.
    fn feed_forward(
        &self,
        states: &mut States,
        (layer, linears): (&Layer, &Linears),
        cancel: &CancelFlag,
    ) -> Result<(), GemmError> {
        let mut between = linears.up_proj.apply(states, cancel)?;
        for value in &mut between.values {
            *value = self.encoder.activation.apply(*value);
        }
        states.add(&linears.down_proj.apply(&between, cancel)?);
        self.normalise(states, &layer.output_norm);
        Ok(())
    }
}

/// The largest amount of a value that the attention averages.
const VALUE_LEVELS: i32 = i16::MAX as i32;

/// Queries or keys: their levels, at most 2047 in amount, one after the other, and their scales.
#[derive(Default)]
struct Quantised {
    levels: Vec<i16>,
    scales: Vec<i32>,
}

impl Quantised {
    fn clear(&mut self) {
        self.levels.clear();
        self.scales.clear();
    }

    #[inline(always)]
    fn push(&mut self, values: &[i32]) {
        let scale = scale(values);
        let reciprocal = (ATTENTION_LEVELS << ATTENTION_SHIFT) / scale.unsigned_abs();
        let level = |&value| quantise(value, reciprocal, ATTENTION_SHIFT) as i16;
        self.levels.extend(values.iter().map(level));
        self.scales.push(scale);
    }

    /// The scores of the only query with each of `keys`.
    #[inline(always)]
    fn score(&self, keys: &Self, scores: &mut [i32]) {
        let own = self.scales[0];
        let keys = keys.levels.chunks_exact(self.levels.len()).zip(&keys.scales);
        for (score, (key, &scale)) in scores.iter_mut().zip(keys) {
            // At most 256 · 2047² in amount, so that nothing wraps; nor in `weigh`.
            let sum = self.levels.iter().zip(key).fold(0, |sum: i32, (&a, &b)| {
                sum.wrapping_add(i32::from(a).wrapping_mul(i32::from(b)))
            });
            *score = rescale(rescale(sum, own, QUERY_SHIFT), scale, KEY_SHIFT);
        }
    }
}

/// The mean of the rows of `values`, weighted by `probabilities`.
#[inline(always)]
fn weigh(probabilities: &[i32], values: &[i32], attended: &mut [i32]) {
    attended.fill(0);
    for (&probability, row) in probabilities.iter().zip(values.chunks_exact(attended.len())) {
        for (sum, &value) in attended.iter_mut().zip(row) {
            // The probabilities sum to at most 2¹⁵ + 256, the values are below 2¹⁵: no sum wraps.
            *sum = sum.wrapping_add(probability.wrapping_mul(value));
        }
    }
    for sum in attended {
        *sum = divide(*sum, EXPONENT_ONE as u32);
    }
}

/// The rows at `place`, of which there is at least one and at most 512, made one, in eighths of values: below 2²² in
/// amount, as a value's is below 2¹⁹.
fn pool(states: &States, place: Range<usize>, pooling: Pooling) -> Vec<i32> {
    let width = states.width;
    let rows = match pooling {
        Pooling::Mean | Pooling::Max | Pooling::Weighted => place,
        Pooling::First => place.start..place.start + 1,
        Pooling::Last => place.end - 1..place.end,
    };
    // Below 2³⁷ in amount: the weights sum to 512 · 513 / 2 at most.
    let (mut sums, mut weights) = (vec![0i64; width], 0);
    let rows = states.values[rows.start * width..rows.end * width].chunks_exact(width);
    for (row, place) in rows.zip(1..) {
        let weight = if pooling == Pooling::Weighted { place } else { 1 };
        weights += weight;
        for (sum, &value) in sums.iter_mut().zip(row) {
            let value = i64::from(value);
            *sum = match pooling {
                Pooling::Max if place > 1 => value.max(*sum),
                Pooling::Max => value,
                _ => *sum + weight * value,
            };
        }
    }
    if pooling == Pooling::Max {
        weights = 1;
    }
    let rounded = |sum: i64| (8 * sum.abs() + weights / 2) / weights * sum.signum();
    sums.into_iter().map(|sum| rounded(sum) as i32).collect()
}

/// `vector`, whose numbers are below 2²³ in amount, scaled to the Euclidean length 1, in units of 2⁻¹⁵.
fn unit(vector: &[i32]) -> Vec<i16> {
    let squares = vector
        .iter()
        .map(|number| u64::from(number.unsigned_abs()).pow(2))
        .sum();
    let normaliser = Normaliser::new(squares);
    let unit = |&number| divide(normaliser.apply(number), 1 << 9).clamp(-VALUE_LEVELS, VALUE_LEVELS) as i16;
    vector.iter().map(unit).collect()
}
