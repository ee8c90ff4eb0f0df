//! Sample models, written from the page, and jobs with them.

use crate::tests::world::Contents;
use agora_jobs::{
    ClassifierShape, InferenceJob, InferenceNetwork, TransformerShape,
    inference::{Element, Tensor},
};
use agora_math::field::Generator;

/// Texts and the sample model for them.
#[derive(Clone)]
pub struct Texts {
    pub shape: TransformerShape,
    pub package: Vec<u8>,
    pub items: Vec<Vec<u16>>,
}

impl Texts {
    pub fn new(seed: [u8; 32], shape: [u32; 9], items: &[Vec<u16>]) -> Self {
        let shape = shape_of(shape);
        Self {
            package: package(&seed, &shape),
            shape,
            items: items.to_vec(),
        }
    }

    pub fn input(&self) -> Vec<u8> {
        let mut bytes = (self.items.len() as u32).to_le_bytes().to_vec();
        for item in &self.items {
            bytes.extend((item.len() as u16).to_le_bytes());
            bytes.extend(item.iter().flat_map(|token| token.to_le_bytes()));
        }
        bytes
    }

    /// The longest item decides how long one may be.
    pub fn job(&self) -> (InferenceJob, Contents) {
        let tokens = self.items.iter().map(Vec::len).max().unwrap() as u32;
        let mut contents = Contents::default();
        let job = InferenceJob {
            model: contents.insert(self.package.clone()),
            input: contents.insert(self.input()),
            network: InferenceNetwork::Embedding {
                shape: self.shape,
                tokens,
            },
            items: self.items.len() as u32,
        };
        (job, contents)
    }
}

pub fn shape_of(sizes: [u32; 9]) -> TransformerShape {
    let [
        vocabulary,
        positions,
        hidden,
        layers,
        heads,
        key_value_heads,
        head_size,
        intermediate,
        dense,
    ] = sizes;
    TransformerShape {
        vocabulary,
        positions,
        hidden,
        layers,
        heads,
        key_value_heads,
        head_size,
        intermediate,
        dense,
    }
}

/// A network and its images.
pub struct Images {
    pub package: Vec<u8>,
    pub pixels: Vec<u8>,
}

impl Images {
    pub fn of(shape: ClassifierShape, maximum: u8, shift: u8, weights: Vec<u8>, pixels: Vec<u8>) -> Self {
        let sizes = [
            shape.width,
            shape.height,
            shape.window_width,
            shape.window_height,
            shape.padding,
            shape.pool,
            shape.channels,
            shape.classes,
        ];
        let sizes = sizes.map(u16::to_le_bytes).concat();
        let package = [&b"AGMP\x01\x01"[..], &sizes, &[maximum, shift], &weights].concat();
        Self { package, pixels }
    }

    /// The network is the one that the package's header says.
    pub fn job(&self) -> (InferenceJob, Contents) {
        let size = |i: usize| u16::from_le_bytes([self.package[6 + 2 * i], self.package[7 + 2 * i]]);
        let shape = ClassifierShape {
            width: size(0),
            height: size(1),
            window_width: size(2),
            window_height: size(3),
            padding: size(4),
            pool: size(5),
            channels: size(6),
            classes: size(7),
        };
        let mut contents = Contents::default();
        let job = InferenceJob {
            model: contents.insert(self.package.clone()),
            input: contents.insert(self.pixels.clone()),
            network: InferenceNetwork::Classification {
                shape,
                maximum: self.package[22],
                shift: self.package[23],
            },
            items: self.pixels.len() as u32 / shape.pixels(),
        };
        (job, contents)
    }
}

/// The sample model of the page.
fn package(seed: &[u8; 32], shape: &TransformerShape) -> Vec<u8> {
    let sizes = [
        shape.vocabulary,
        shape.positions,
        shape.hidden,
        shape.layers,
        shape.heads,
        shape.key_value_heads,
        shape.head_size,
        shape.intermediate,
        shape.dense,
    ];
    let mut bytes = b"AGMP\x01\x00".to_vec();
    bytes.extend(sizes.map(u32::to_le_bytes).concat());
    bytes.extend([0; 8]);
    bytes.extend(1000u32.to_le_bytes());
    for tensor in shape.first_tensors() {
        write(&mut bytes, seed, &tensor, None);
    }
    for layer in 0..shape.layers {
        for tensor in shape.layer_tensors() {
            write(&mut bytes, seed, &tensor, Some(layer));
        }
    }
    for tensor in shape.last_tensors() {
        write(&mut bytes, seed, &tensor, None);
    }
    bytes.extend([0; 4]);
    bytes
}

fn write(bytes: &mut Vec<u8>, seed: &[u8; 32], tensor: &Tensor, layer: Option<u32>) {
    let name = format!("{}.{}", tensor.owner, tensor.role);
    let name = layer.map_or(name.clone(), |layer| format!("layer.{layer}.{name}"));
    let mut residues = vec![0u8; tensor.count() as usize];
    Generator::new(seed, name.as_bytes()).fill(0, &mut residues);
    bytes.extend(tensor.header(layer));
    for (place, b) in (0..).zip(residues) {
        let number = element(tensor, layer, place, b.into());
        match tensor.element {
            Element::I8 => bytes.extend((number as i8).to_le_bytes()),
            Element::I16 => bytes.extend((number as i16).to_le_bytes()),
            Element::I32 => bytes.extend(number.to_le_bytes()),
        }
    }
}

/// Element `place` of a tensor, for which the residue `b` was drawn.
fn element(tensor: &Tensor, layer: Option<u32>, place: i32, b: i32) -> i32 {
    let norm = tensor.owner.ends_with("norm");
    let even = layer.is_none_or(|layer| layer % 2 == 0);
    let two = matches!(tensor.owner, "attention.input" | "perceptron.contract" | "dense") == even;
    match (tensor.owner, tensor.role) {
        ("table", "exponent") => 2f64.powf(15.0 - f64::from(place) / 1024.0).round() as i32,
        ("table", "activation") => {
            let product = i64::from(16 * (place - 2048)) * i64::from(place);
            (product.signum() * ((product.abs() + 2048) / 4096)) as i32
        }
        ("table.activation", "shift") => 4,
        ("embedding", "multiplier") => (1 << 24) + (b << 16),
        ("embedding", "shift") => 19 + b % 3,
        ("embedding", "position") => 8 * (b - 125),
        (_, "weight") if norm => (b - 125) << 23,
        (_, "shift") if norm => 40,
        (_, "bias") => 16 * (b - 125),
        (_, "weight") => b - 125,
        (_, "multiplier") => (1 << 30) + (b << 22),
        (_, "shift") => (if two { 35 } else { 29 }) + b % 3,
        (_, "limbs") => 1 + i32::from(two),
        other => panic!("{other:?}"),
    }
}
