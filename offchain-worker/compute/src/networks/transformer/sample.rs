//! Models with random weights, for tests and measurements: the same bytes from every implementation of
//! `docs/protocol/inference.md`.

use super::{
    ACTIVATION_TABLE, Activation, Attention, Dense, DenseActivation, Embedding, Encoder, Layer, Limbs, Linear, Norm,
    Package, Pooling, Shape, exponent_table, operators::divide,
};
use agora_math::field::Generator;

/// The smallest shape in which every size differs from every other.
pub const SMALL: Shape = Shape {
    vocabulary: 61,
    positions: 40,
    hidden: 32,
    layers: 2,
    heads: 4,
    key_value_heads: 2,
    head_size: 12,
    intermediate: 80,
    dense: 0,
};

/// The shift of the sample's activation.
const ACTIVATION_SHIFT: u8 = 4;

/// The model of `shape` that `seed` gives, with mean pooling and no activation of the dense layer. It has no tokeniser.
pub fn package(seed: &[u8; 32], shape: Shape) -> Package {
    let draw = Draw { seed };
    let norm_place = |name: &str| draw.norm(name, shape.hidden);
    let layers = (0..shape.layers)
        .map(|i| {
            let name = |part: &str| format!("layer.{i}.{part}");
            let limbs = |even, odd| if i % 2 == 0 { even } else { odd };
            let (hidden, intermediate) = (shape.hidden, shape.intermediate);
            let one_or_two = limbs(Limbs::One, Limbs::Two);
            let two_or_one = limbs(Limbs::Two, Limbs::One);
            Layer {
                attention: Attention {
                    input: draw.linear(&name("attention.input"), two_or_one, shape.attention_width(), hidden),
                    output: draw.linear(&name("attention.output"), one_or_two, hidden, shape.query_width()),
                },
                attention_norm: norm_place(&name("attention.norm")),
                up_proj: draw.linear(&name("perceptron.expand"), one_or_two, intermediate, hidden),
                down_proj: draw.linear(&name("perceptron.contract"), two_or_one, hidden, intermediate),
                output_norm: norm_place(&name("perceptron.norm")),
            }
        })
        .collect();
    let dense = (shape.dense > 0).then(|| Dense {
        linear: draw.linear("dense", Limbs::Two, shape.dense, shape.hidden),
        activation: DenseActivation::Identity,
    });
    let encoder = Encoder {
        shape,
        norm_epsilon: 1000,
        pooling: Pooling::Mean,
        embedding: Embedding {
            weight: draw.bytes("embedding.weight", &[shape.vocabulary, shape.hidden]),
            multiplier: draw.numbers("embedding.multiplier", shape.vocabulary, |b| (1 << 24) + (b << 16)),
            shift: draw.numbers("embedding.shift", shape.vocabulary, |b| (19 + b % 3) as i8),
            position: draw.numbers("embedding.position", shape.positions * shape.hidden, |b| {
                (8 * (b - 125)) as i16
            }),
            norm: draw.norm("embedding.norm", shape.hidden),
        },
        layers,
        dense,
        exponent: exponent_table(),
        activation: activation(),
    };
    Package {
        encoder,
        tokenizer: Vec::new(),
    }
}

/// Draws numbers below 251 for each tensor by its name.
struct Draw<'a> {
    seed: &'a [u8; 32],
}

impl Draw<'_> {
    fn numbers<T>(&self, name: &str, count: u32, number: impl Fn(i32) -> T) -> Vec<T> {
        let mut residues = vec![0; count as usize];
        Generator::new(self.seed, name.as_bytes()).fill(0, &mut residues);
        residues.into_iter().map(|residue| number(residue.into())).collect()
    }

    fn bytes(&self, name: &str, [rows, columns]: &[u32; 2]) -> Vec<i8> {
        self.numbers(name, rows * columns, |b| (b - 125) as i8)
    }

    fn norm(&self, name: &str, width: u32) -> Norm {
        Norm {
            weight: self.numbers(&format!("{name}.weight"), width, |b| (b - 125) << 23),
            shift: 40,
            bias: self.numbers(&format!("{name}.bias"), width, |b| (b - 125) * 16),
        }
    }

    fn linear(&self, name: &str, limbs: Limbs, outputs: u32, width: u32) -> Linear {
        // A row in two limbs has 64 times as many levels.
        let first_shift = match limbs {
            Limbs::One => 29,
            Limbs::Two => 35,
        };
        Linear {
            limbs,
            weight: self.bytes(&format!("{name}.weight"), &[outputs, width]),
            multiplier: self.numbers(&format!("{name}.multiplier"), outputs, |b| (1 << 30) + (b << 22)),
            shift: self.numbers(&format!("{name}.shift"), outputs, |b| (first_shift + b % 3) as i8),
            bias: self.numbers(&format!("{name}.bias"), outputs, |b| (b - 125) * 16),
        }
    }
}

/// `x · (x + 2¹⁵) / 2¹⁶`.
fn activation() -> Activation {
    let mut table = Box::new([0; ACTIVATION_TABLE]);
    for (entry, place) in table.iter_mut().zip(-(ACTIVATION_TABLE as i32) / 2..) {
        *entry = divide((place << ACTIVATION_SHIFT) * (place + 2048), 4096);
    }
    Activation {
        shift: ACTIVATION_SHIFT,
        table,
    }
}
