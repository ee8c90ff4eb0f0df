//! A Dense module behind the pooling: its files, and what it makes of a vector, written apart from the importer.

use super::{
    HIDDEN,
    dialect::{Files, put},
};
use half::{bf16, f16};
use safetensors::{Dtype, tensor::TensorView};
use serde_json::json;

pub const DENSE: &str = "sentence_transformers.models.Dense";
pub const TANH: &str = "torch.nn.modules.activation.Tanh";
pub const IDENTITY: &str = "torch.nn.modules.linear.Identity";

/// A layer from the states of the small model to any width.
#[derive(Clone, Debug)]
pub struct Dense {
    /// A row for each output.
    pub weight: Vec<Vec<f32>>,
    pub bias: Option<Vec<f32>>,
    pub activation: &'static str,
    /// In which type the tensors are written.
    pub dtype: Dtype,
}

impl Dense {
    pub fn random(seed: u64, outputs: usize, has_bias: bool, activation: &'static str) -> Self {
        let mut state = seed ^ 0x5851_f42d_4c95_7f2d;
        let mut number = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 40) as f32 / (1 << 24) as f32 - 0.5
        };
        Self {
            weight: (0..outputs).map(|_| (0..HIDDEN).map(|_| number()).collect()).collect(),
            bias: has_bias.then(|| (0..outputs).map(|_| number()).collect()),
            activation,
            dtype: Dtype::F32,
        }
    }

    /// What it makes of `vector`.
    pub fn apply(&self, vector: &[f64]) -> Vec<f64> {
        let zeros = vec![0.0; self.weight.len()];
        let biases = self.bias.as_ref().unwrap_or(&zeros);
        let output = |(row, bias): (&Vec<f32>, &f32)| {
            let sum: f64 = row.iter().zip(vector).map(|(w, x)| self.rounded(*w) * x).sum();
            let sum = sum + self.rounded(*bias);
            match self.activation {
                // Of exponentials, which shares nothing with the importer's.
                TANH => 1.0 - 2.0 / ((2.0 * sum).exp() + 1.0),
                _ => sum,
            }
        };
        self.weight.iter().zip(biases).map(output).collect()
    }

    /// `number`, as it is written.
    fn rounded(&self, number: f32) -> f64 {
        match self.dtype {
            Dtype::F16 => f16::from_f32(number).to_f64(),
            Dtype::BF16 => bf16::from_f32(number).to_f64(),
            _ => number.into(),
        }
    }

    fn bytes<'a>(&self, numbers: impl IntoIterator<Item = &'a f32>) -> Vec<u8> {
        let bytes = |&number: &f32| match self.dtype {
            Dtype::F16 => f16::from_f32(number).to_le_bytes().to_vec(),
            Dtype::BF16 => bf16::from_f32(number).to_le_bytes().to_vec(),
            Dtype::F64 => f64::from(number).to_le_bytes().to_vec(),
            _ => number.to_le_bytes().to_vec(),
        };
        numbers.into_iter().flat_map(bytes).collect()
    }

    /// The bytes of `model.safetensors`.
    pub fn tensors(&self) -> Vec<u8> {
        let outputs = self.weight.len();
        let weight = self.bytes(self.weight.iter().flatten());
        let bias = self.bias.as_ref().map(|bias| self.bytes(bias));
        let mut views = vec![(
            "linear.weight",
            TensorView::new(self.dtype, vec![outputs, HIDDEN], &weight).unwrap(),
        )];
        if let Some(bias) = &bias {
            views.push(("linear.bias", TensorView::new(self.dtype, vec![outputs], bias).unwrap()));
        }
        safetensors::serialize(views, None).unwrap()
    }

    /// Adds its files, in `folder`.
    pub fn add(&self, files: &mut Files, folder: &str) {
        let config = json!({"in_features": HIDDEN, "out_features": self.weight.len(), "bias": self.bias.is_some(),
            "activation_function": self.activation});
        put(files, &format!("{folder}/config.json"), &config);
        files.insert(format!("{folder}/model.safetensors"), self.tensors());
    }
}
