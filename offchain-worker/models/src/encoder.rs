//! An encoder of integers from the tensors of one of floats.

use crate::{
    config::Config,
    dense::{DenseFloats, DenseModule, longest},
    error::ImportError,
    floats::{self, Affine},
    probe::Probe,
    quantise::{BETWEEN_BITS, Function, LinearBuilder, MIXED_BITS, STATE_BITS, bits, bytes, multiplier, norm, value},
    tensors::{Rows, Tensors},
};
use agora_compute::transformer::{
    Attention, Embedding, Encoder, Layer, Limbs, Linear, MAX_TWO_LIMB_WIDTH, Norm, Pooling, Shape, exponent_table,
};

/// Makes the parts of an encoder from tensors by their names.
pub(crate) struct Importer<'a> {
    tensors: &'a Tensors<'a>,
    shape: Shape,
    pooling: Pooling,
    activation: Function,
    epsilon: f64,
    /// Kinds of tokens.
    kinds: u32,
}

impl<'a> Importer<'a> {
    pub fn new(tensors: &'a Tensors<'a>, shape: Shape, config: &Config, pooling: Pooling) -> Self {
        Self {
            tensors,
            shape,
            pooling,
            activation: config.activation,
            epsilon: config.epsilon,
            kinds: config.kinds,
        }
    }

    fn get(&self, name: &str, shape: &[u32], rows: Rows) -> Result<Vec<f64>, ImportError> {
        let shape: Vec<usize> = shape.iter().map(|&size| size as usize).collect();
        self.tensors.get(name, &shape, rows)
    }

    /// The encoder, with `dense` behind its pooling. `probe` goes through the layers of floats meanwhile.
    pub fn encoder(
        &self,
        dense: Option<(&DenseModule, &DenseFloats)>,
        probe: &mut Probe,
    ) -> Result<Encoder, ImportError> {
        // The sums of squares of `hidden` values that this is added to are in units of 2⁻²⁰.
        let epsilon = self.epsilon * f64::from(self.shape.hidden) * libm::ldexp(1.0, 2 * STATE_BITS);
        let embedding = self.embedding(probe)?;
        let mut layers = Vec::new();
        let mut reach = 0.0;
        for i in 0..self.shape.layers {
            let name = format!("encoder.layer.{i}");
            let floats = self.floats(&name)?;
            layers.push(self.layer(&name, &floats)?);
            probe.layer(&name, &floats);
            reach = longest(&floats.norm, self.pooling);
        }
        let dense = dense
            .map(|(module, floats)| module.quantise(floats, reach))
            .transpose()?;
        Ok(Encoder {
            shape: self.shape,
            // The cast saturates.
            norm_epsilon: libm::rint(epsilon) as u32,
            pooling: self.pooling,
            embedding,
            layers,
            dense,
            exponent: exponent_table(),
            activation: self.activation.table(),
        })
    }

    fn embedding(&self, probe: &mut Probe) -> Result<Embedding, ImportError> {
        let Shape {
            vocabulary,
            positions,
            hidden,
            ..
        } = self.shape;
        // All tokens of a sentence are of type 0.
        let kinds = self.get(
            "embeddings.token_type_embeddings.weight",
            &[self.kinds, hidden],
            Rows::AtLeast,
        )?;
        let places = self.get(
            "embeddings.position_embeddings.weight",
            &[positions, hidden],
            Rows::AtLeast,
        )?;
        let place = |row: &[f64]| -> Vec<f64> { row.iter().zip(&kinds).map(|(place, kind)| place + kind).collect() };
        let position: Vec<f64> = places.chunks_exact(hidden as usize).flat_map(place).collect();
        let name = "embeddings.word_embeddings.weight";
        let words = self.get(name, &[vocabulary, hidden], Rows::AtLeast)?;
        let norm_floats = self.affine("embeddings.LayerNorm", &[hidden])?;
        probe.embed(&words, &position, &norm_floats);
        // The normalisation undoes whatever unit they have; values have four bits more than 16-bit integers.
        let unit = bits(&position).min(bits(&words) + 4);
        let (mut weight, mut multipliers, mut shifts) = (Vec::new(), Vec::new(), Vec::new());
        for row in words.chunks_exact(hidden as usize) {
            let (row, scale) = bytes(row);
            let scale = multiplier(libm::ldexp(scale, unit));
            let (multiplier, shift) = scale.ok_or_else(|| ImportError::TooCoarse(name.to_owned()))?;
            weight.extend(row);
            multipliers.push(multiplier);
            shifts.push(shift);
        }
        let bounded = |&place| value(place, unit).clamp(i16::MIN.into(), i16::MAX.into()) as i16;
        Ok(Embedding {
            weight,
            multiplier: multipliers,
            shift: shifts,
            position: position.iter().map(bounded).collect(),
            norm: quantised_norm("embeddings.LayerNorm", &norm_floats)?,
        })
    }

    /// The weights and biases of `name`, the weights in `shape`.
    fn affine(&self, name: &str, shape: &[u32]) -> Result<Affine, ImportError> {
        Ok(Affine {
            weight: self.get(&format!("{name}.weight"), shape, Rows::Exactly)?,
            bias: self.get(
                &format!("{name}.bias"),
                shape.get(..1).unwrap_or_default(),
                Rows::Exactly,
            )?,
        })
    }

    /// The floats of the layer `name`.
    fn floats(&self, name: &str) -> Result<floats::Layer, ImportError> {
        let Shape {
            hidden, intermediate, ..
        } = self.shape;
        let get = |part: &str, shape: &[u32]| self.affine(&format!("{name}.{part}"), shape);
        Ok(floats::Layer {
            query: get("attention.self.query", &[hidden, hidden])?,
            key: get("attention.self.key", &[hidden, hidden])?,
            value: get("attention.self.value", &[hidden, hidden])?,
            attention_output: get("attention.output.dense", &[hidden, hidden])?,
            attention_norm: get("attention.output.LayerNorm", &[hidden])?,
            up: get("intermediate.dense", &[intermediate, hidden])?,
            down: get("output.dense", &[hidden, intermediate])?,
            norm: get("output.LayerNorm", &[hidden])?,
        })
    }

    fn layer(&self, name: &str, floats: &floats::Layer) -> Result<Layer, ImportError> {
        let of = |part: &str| format!("{name}.{part}");
        let Shape { hidden, head_size, .. } = self.shape;
        let limbs = fine(hidden);
        // The scores of the softmax, which is in powers of two, are to come out in units of 2⁻¹⁰ after shifts of 36
        // bits.
        let to_score = core::f64::consts::LOG2_E / libm::sqrt(head_size.into());
        let query = libm::ldexp(to_score, 10 + 36 - 2 * STATE_BITS) / (2047.0 * 2047.0);
        let input = LinearBuilder::new(limbs, STATE_BITS);
        let input = rows(input, &of("attention.self.query"), &floats.query, (query, STATE_BITS))?;
        let input = rows(input, &of("attention.self.key"), &floats.key, (1.0, STATE_BITS))?;
        let input = rows(input, &of("attention.self.value"), &floats.value, (1.0, MIXED_BITS))?;
        let output = of("attention.output.dense");
        let (up, down) = (of("intermediate.dense"), of("output.dense"));
        Ok(Layer {
            attention: Attention {
                input: input.build(),
                output: linear(&output, &floats.attention_output, Limbs::One, [MIXED_BITS, STATE_BITS])?,
            },
            attention_norm: quantised_norm(&of("attention.output.LayerNorm"), &floats.attention_norm)?,
            up_proj: linear(&up, &floats.up, limbs, [STATE_BITS, BETWEEN_BITS])?,
            down_proj: linear(&down, &floats.down, Limbs::One, [BETWEEN_BITS, STATE_BITS])?,
            output_norm: quantised_norm(&of("output.LayerNorm"), &floats.norm)?,
        })
    }
}

fn quantised_norm(name: &str, floats: &Affine) -> Result<Norm, ImportError> {
    norm(&floats.weight, &floats.bias).ok_or_else(|| ImportError::TooCoarse(name.to_owned()))
}

/// Adds the linear layer `name`, each of its outputs times `factor`, to `linear`.
pub(crate) fn rows(
    linear: LinearBuilder,
    name: &str,
    floats: &Affine,
    (factor, bits): (f64, i32),
) -> Result<LinearBuilder, ImportError> {
    let linear = linear.rows(&floats.weight, &floats.bias, factor, bits);
    linear.ok_or_else(|| ImportError::TooCoarse(name.to_owned()))
}

/// The linear layer `name`, from values with so many bits behind the binary point to others.
fn linear(
    name: &str,
    floats: &Affine,
    limbs: Limbs,
    [input_bits, output_bits]: [i32; 2],
) -> Result<Linear, ImportError> {
    let linear = LinearBuilder::new(limbs, input_bits);
    Ok(rows(linear, name, floats, (1.0, output_bits))?.build())
}

/// Two limbs for inputs of this width, where sums allow it.
///
/// States have outliers, so that most of their values would be left with few levels in one limb: for MiniLM that would
/// be three times as far from the float model.
pub(crate) fn fine(width: u32) -> Limbs {
    if width <= MAX_TWO_LIMB_WIDTH {
        Limbs::Two
    } else {
        Limbs::One
    }
}
