//! A small random encoder of type BERT in floats: its files, and its forward pass, written apart from the importer.

pub mod dense;
pub mod dialect;

use dialect::{Dialect, Files};
use std::collections::BTreeMap;

pub const HIDDEN: usize = 32;
pub const WORDS: usize = 15;
const INTERMEDIATE: usize = 48;
const HEADS: usize = 4;
const LAYERS: usize = 2;
const POSITIONS: usize = 20;
const VOCABULARY: [&str; WORDS] = [
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "##s",
];

/// Tensors by their names.
/// With its activation.
pub struct FloatModel(pub BTreeMap<String, (Vec<usize>, Vec<f32>)>, pub fn(f64) -> f64);

impl FloatModel {
    pub fn random(seed: u64) -> Self {
        let mut shapes: Vec<(String, Vec<usize>)> = vec![
            ("embeddings.word_embeddings.weight".into(), vec![WORDS, HIDDEN]),
            ("embeddings.position_embeddings.weight".into(), vec![POSITIONS, HIDDEN]),
            ("embeddings.token_type_embeddings.weight".into(), vec![2, HIDDEN]),
            ("embeddings.LayerNorm.weight".into(), vec![HIDDEN]),
            ("embeddings.LayerNorm.bias".into(), vec![HIDDEN]),
        ];
        for layer in 0..LAYERS {
            for (part, outputs, inputs) in [
                ("attention.self.query", HIDDEN, HIDDEN),
                ("attention.self.key", HIDDEN, HIDDEN),
                ("attention.self.value", HIDDEN, HIDDEN),
                ("attention.output.dense", HIDDEN, HIDDEN),
                ("intermediate.dense", INTERMEDIATE, HIDDEN),
                ("output.dense", HIDDEN, INTERMEDIATE),
            ] {
                shapes.push((format!("encoder.layer.{layer}.{part}.weight"), vec![outputs, inputs]));
                shapes.push((format!("encoder.layer.{layer}.{part}.bias"), vec![outputs]));
            }
            for part in ["attention.output.LayerNorm", "output.LayerNorm"] {
                shapes.push((format!("encoder.layer.{layer}.{part}.weight"), vec![HIDDEN]));
                shapes.push((format!("encoder.layer.{layer}.{part}.bias"), vec![HIDDEN]));
            }
        }
        // A linear congruential generator, for numbers between −0.3 and 0.3.
        let mut state = seed;
        let mut number = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            ((state >> 40) as f32 / (1 << 24) as f32 - 0.5) * 0.6
        };
        let tensors = shapes.into_iter().map(|(name, shape)| {
            let offset = if name.contains("LayerNorm.weight") { 1.0 } else { 0.0 };
            let elements = (0..shape.iter().product::<usize>())
                .map(|_| number() + offset)
                .collect();
            (name, (shape, elements))
        });
        Self(tensors.collect(), gelu)
    }

    pub fn set(&mut self, name: &str, at: usize, element: f32) {
        self.0.get_mut(name).unwrap().1[at] = element;
    }

    /// Multiplies element `at` of the tensor `name`.
    pub fn scale(&mut self, name: &str, at: usize, factor: f32) {
        self.0.get_mut(name).unwrap().1[at] *= factor;
    }

    /// The files of the model as transformers writes them.
    pub fn files(&self) -> Files {
        Dialect::default().files(self)
    }

    pub fn config() -> String {
        format!(
            "{{\"model_type\":\"bert\",\"hidden_act\":\"gelu\",\"hidden_size\":{HIDDEN},\"intermediate_size\":{INTERMEDIATE},\
             \"max_position_embeddings\":{POSITIONS},\"num_attention_heads\":{HEADS},\"num_hidden_layers\":{LAYERS},\
             \"vocab_size\":{WORDS},\"layer_norm_eps\":1e-12}}"
        )
    }

    pub fn tokenizer() -> String {
        let words: Vec<String> = (0..)
            .zip(VOCABULARY)
            .map(|(i, word): (u32, _)| format!("\"{word}\":{i}"))
            .collect();
        format!(
            "{{\"version\":\"1.0\",\"added_tokens\":[],\"normalizer\":{{\"type\":\"BertNormalizer\",\"clean_text\":true,\
             \"handle_chinese_chars\":true,\"strip_accents\":null,\"lowercase\":true}},\
             \"pre_tokenizer\":{{\"type\":\"BertPreTokenizer\"}},\"post_processor\":{{\"type\":\"BertProcessing\",\
             \"sep\":[\"[SEP]\",3],\"cls\":[\"[CLS]\",2]}},\"model\":{{\"type\":\"WordPiece\",\"unk_token\":\"[UNK]\",\
             \"continuing_subword_prefix\":\"##\",\"max_input_chars_per_word\":100,\"vocab\":{{{}}}}}}}",
            words.join(",")
        )
    }

    /// The tokens of words with blanks between them.
    pub fn tokens(sentence: &str) -> Vec<u16> {
        let token = |word: &str| {
            VOCABULARY
                .iter()
                .position(|known| *known == word.to_lowercase())
                .unwrap_or(1) as u16
        };
        [2].into_iter()
            .chain(sentence.split(' ').map(token))
            .chain([3])
            .collect()
    }

    fn get(&self, name: &str) -> &[f32] {
        &self.0[name].1
    }

    /// The states of `tokens` after the last layer.
    pub fn states(&self, tokens: &[u16]) -> Vec<Vec<f64>> {
        let row = |name: &str, i: usize| self.get(name)[i * HIDDEN..(i + 1) * HIDDEN].to_vec();
        let mut rows: Vec<Vec<f64>> = (0..)
            .zip(tokens)
            .map(|(position, &token)| {
                let parts = [
                    row("embeddings.word_embeddings.weight", token.into()),
                    row("embeddings.position_embeddings.weight", position),
                    row("embeddings.token_type_embeddings.weight", 0),
                ];
                let sums: Vec<f64> = (0..HIDDEN)
                    .map(|i| parts.iter().map(|part| f64::from(part[i])).sum())
                    .collect();
                self.norm("embeddings.LayerNorm", &sums)
            })
            .collect();
        for layer in 0..LAYERS {
            rows = self.layer(&format!("encoder.layer.{layer}"), &rows);
        }
        rows
    }

    /// The embedding with mean pooling.
    pub fn embed(&self, tokens: &[u16]) -> Vec<f64> {
        column_sums(&self.states(tokens))
    }

    fn layer(&self, name: &str, rows: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let [queries, keys, values] = ["query", "key", "value"].map(|part| -> Vec<Vec<f64>> {
            let name = format!("{name}.attention.self.{part}");
            rows.iter().map(|row| self.linear(&name, row)).collect()
        });
        let size = HIDDEN / HEADS;
        let mixed = queries.iter().map(|query| -> Vec<f64> {
            (0..HEADS)
                .flat_map(|head| {
                    let part = head * size..(head + 1) * size;
                    let score =
                        |key: &Vec<f64>| (dot(&query[part.clone()], &key[part.clone()]) / (size as f64).sqrt()).exp();
                    let weights: Vec<f64> = keys.iter().map(score).collect();
                    let sum: f64 = weights.iter().sum();
                    let values = &values;
                    part.clone()
                        .map(move |i| {
                            weights
                                .iter()
                                .zip(values)
                                .map(|(weight, value)| weight / sum * value[i])
                                .sum()
                        })
                        .collect::<Vec<f64>>()
                })
                .collect()
        });
        rows.iter()
            .zip(mixed)
            .map(|(row, mixed)| {
                let output = self.linear(&format!("{name}.attention.output.dense"), &mixed);
                let row = self.norm(&format!("{name}.attention.output.LayerNorm"), &add(row, &output));
                let between: Vec<f64> = self
                    .linear(&format!("{name}.intermediate.dense"), &row)
                    .into_iter()
                    .map(self.1)
                    .collect();
                let output = self.linear(&format!("{name}.output.dense"), &between);
                self.norm(&format!("{name}.output.LayerNorm"), &add(&row, &output))
            })
            .collect()
    }

    fn linear(&self, name: &str, row: &[f64]) -> Vec<f64> {
        let biases = self.get(&format!("{name}.bias"));
        let weights = self.get(&format!("{name}.weight")).chunks(row.len());
        weights
            .zip(biases)
            .map(|(weights, &bias)| {
                let products = weights.iter().zip(row).map(|(&weight, x)| f64::from(weight) * x);
                products.sum::<f64>() + f64::from(bias)
            })
            .collect()
    }

    fn norm(&self, name: &str, row: &[f64]) -> Vec<f64> {
        let mean = row.iter().sum::<f64>() / row.len() as f64;
        let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / row.len() as f64;
        let [weight, bias] = ["weight", "bias"].map(|part| self.get(&format!("{name}.{part}")));
        (0..row.len())
            .map(|i| (row[i] - mean) / variance.sqrt() * f64::from(weight[i]) + f64::from(bias[i]))
            .collect()
    }
}

/// Number by number, the sums of `rows`.
pub fn column_sums(rows: &[Vec<f64>]) -> Vec<f64> {
    (0..HIDDEN).map(|i| rows.iter().map(|row| row[i]).sum()).collect()
}

/// Number by number, the sums of `rows`, each times its place counted from 1.
pub fn weighted_sums(rows: &[Vec<f64>]) -> Vec<f64> {
    (0..HIDDEN)
        .map(|i| (1..).zip(rows).map(|(place, row)| f64::from(place) * row[i]).sum())
        .collect()
}

/// Number by number, the largest of `rows`.
pub fn maxima(rows: &[Vec<f64>]) -> Vec<f64> {
    (0..HIDDEN)
        .map(|i| rows.iter().map(|row| row[i]).fold(f64::MIN, f64::max))
        .collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn add(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(x, y)| x + y).collect()
}

/// By the trapezoidal rule on the normal density, which shares nothing with the importer's.
fn gelu(x: f64) -> f64 {
    const STEPS: u32 = 200;
    let step = x / f64::from(STEPS);
    let density = |t: f64| (-t * t / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let ends = (density(0.0) + density(x)) / 2.0;
    let between: f64 = (1..STEPS).map(|i| density(f64::from(i) * step)).sum();
    x * (0.5 + (ends + between) * step)
}
