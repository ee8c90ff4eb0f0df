//! The operators of a BERT encoder in floats, for comparison with the integers.

use crate::quantise::Function;

/// A linear layer, or a normalisation.
pub(crate) struct Affine {
    /// Of a linear layer: a row for each output.
    pub weight: Vec<f64>,
    pub bias: Vec<f64>,
}

/// The floats of a layer.
pub(crate) struct Layer {
    pub query: Affine,
    pub key: Affine,
    pub value: Affine,
    pub attention_output: Affine,
    pub attention_norm: Affine,
    pub up: Affine,
    pub down: Affine,
    pub norm: Affine,
}

/// Numbers of one token.
pub(crate) type Row = Vec<f64>;

impl Affine {
    /// The outputs of a linear layer.
    pub fn linear(&self, row: &[f64]) -> Row {
        let weights = self.weight.chunks_exact(row.len().max(1));
        weights
            .zip(&self.bias)
            .map(|(weights, bias)| dot(weights, row) + bias)
            .collect()
    }

    /// `row`, normalised.
    pub fn normalise(&self, row: &[f64], epsilon: f64) -> Row {
        let width = row.len() as f64;
        let mean = row.iter().sum::<f64>() / width;
        let variance = row.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / width;
        let scale = 1.0 / libm::sqrt(variance + epsilon);
        let parts = row.iter().zip(self.weight.iter().zip(&self.bias));
        parts
            .map(|(x, (weight, bias))| (x - mean) * scale * weight + bias)
            .collect()
    }
}

impl Layer {
    /// The rows of an item after this layer, with those after the attention, both normalised.
    pub fn apply(&self, rows: &[Row], heads: usize, (activation, epsilon): (Function, f64)) -> [Vec<Row>; 2] {
        let mixed = self.attend(rows, heads);
        let middle: Vec<Row> = rows
            .iter()
            .zip(&mixed)
            .map(|(row, mixed)| {
                let sum = add(row, &self.attention_output.linear(mixed));
                self.attention_norm.normalise(&sum, epsilon)
            })
            .collect();
        let last = middle.iter().map(|row| {
            let between: Row = self.up.linear(row).into_iter().map(|x| activation.apply(x)).collect();
            self.norm.normalise(&add(row, &self.down.linear(&between)), epsilon)
        });
        let last = last.collect();
        [middle, last]
    }

    fn attend(&self, rows: &[Row], heads: usize) -> Vec<Row> {
        let of = |affine: &Affine| -> Vec<Row> { rows.iter().map(|row| affine.linear(row)).collect() };
        let (queries, keys, values) = (of(&self.query), of(&self.key), of(&self.value));
        let size = self.query.bias.len() / heads.max(1);
        let root = libm::sqrt(size as f64);
        let mix = |query: &Row| -> Row {
            let head = |start: usize| {
                let part = start..start + size;
                let scores = keys
                    .iter()
                    .map(|key| dot(&query[part.clone()], &key[part.clone()]) / root);
                let weights = softmax(scores.collect());
                let mut sums = vec![0.0; size];
                for (weight, value) in weights.iter().zip(&values) {
                    for (sum, x) in sums.iter_mut().zip(&value[part.clone()]) {
                        *sum += weight * x;
                    }
                }
                sums
            };
            (0..heads).flat_map(|head_number| head(head_number * size)).collect()
        };
        queries.iter().map(mix).collect()
    }
}

fn softmax(scores: Row) -> Row {
    let most = scores
        .iter()
        .fold(f64::NEG_INFINITY, |most: f64, score| most.max(*score));
    let powers: Row = scores.into_iter().map(|score| libm::exp(score - most)).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

fn add(a: &[f64], b: &[f64]) -> Row {
    a.iter().zip(b).map(|(x, y)| x + y).collect()
}

/// Eight sums at a time, which processors add side by side.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a_blocks, a_rest) = a.as_chunks::<8>();
    let (b_blocks, b_rest) = b.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for ((sum, x), y) in sums.iter_mut().zip(a).zip(b) {
            *sum += x * y;
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum();
    sums.iter().sum::<f64>() + rest
}
