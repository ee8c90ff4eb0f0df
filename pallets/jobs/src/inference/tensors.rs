//! Where in the package of a transformer each tensor is, and what its elements may be.

use super::transformer::{
    ACTIVATION_TABLE, EXPONENT_ONE, EXPONENT_TABLE, MAX_TWO_LIMB_WIDTH, MAX_VALUE, TransformerShape,
};
use alloc::vec::Vec;

/// Bytes of a package before the first tensor.
pub const TRANSFORMER_HEADER: u64 = 54;
/// The largest shift of a rescale.
const MAX_SHIFT: i32 = 62;

/// What a tensor is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Element {
    /// Signed bytes.
    I8,
    /// Signed numbers of two bytes.
    I16,
    /// Signed numbers of four bytes.
    I32,
}

impl Element {
    /// The type's number in a package.
    pub const fn number(self) -> u8 {
        match self {
            Self::I8 => 0,
            Self::I16 => 1,
            Self::I32 => 2,
        }
    }

    /// Bytes of one element.
    pub const fn size(self) -> u64 {
        match self {
            Self::I8 => 1,
            Self::I16 => 2,
            Self::I32 => 4,
        }
    }
}

/// A tensor that a package has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tensor {
    /// The first part of its name, after that of its layer: what it belongs to.
    pub owner: &'static str,
    /// The last part of its name.
    pub role: &'static str,
    /// What it is made of.
    pub element: Element,
    /// Its only dimension, or the first of two.
    pub rows: u32,
    /// The second dimension. `None`: there is none.
    pub columns: Option<u32>,
    /// The least and the most that an element may be.
    pub bounds: (i32, i32),
}

impl Tensor {
    const fn new(owner: &'static str, role: &'static str, element: Element, rows: u32) -> Self {
        Self {
            owner,
            role,
            element,
            rows,
            columns: None,
            bounds: (i32::MIN, i32::MAX),
        }
    }

    const fn columns(mut self, columns: u32) -> Self {
        self.columns = Some(columns);
        self
    }

    const fn bounds(mut self, least: i32, most: i32) -> Self {
        self.bounds = (least, most);
        self
    }

    /// The bytes before the elements: name, type and dimensions. `layer` is that which the tensor is a part of, if any.
    pub fn header(&self, layer: Option<u32>) -> Vec<u8> {
        let mut name = Vec::new();
        if let Some(layer) = layer {
            name.extend(b"layer.");
            name.extend(alloc::format!("{layer}").bytes());
            name.push(b'.');
        }
        name.extend(self.owner.bytes());
        name.push(b'.');
        name.extend(self.role.bytes());
        // No name has more than 64 bytes.
        let mut header = alloc::vec![u8::try_from(name.len()).unwrap_or(u8::MAX)];
        header.append(&mut name);
        header.push(self.element.number());
        header.push(if self.columns.is_some() { 2 } else { 1 });
        header.extend(self.rows.to_le_bytes());
        if let Some(columns) = self.columns {
            header.extend(columns.to_le_bytes());
        }
        header
    }

    /// Length of [`Self::header`], in bytes.
    fn header_bytes(&self, layer: Option<u32>) -> u64 {
        let digits = |number: u32| match number {
            0..10 => 1u64,
            10..100 => 2,
            _ => 3,
        };
        let place = layer.map_or(0, |layer| digits(layer).saturating_add(7));
        let name = self.owner.len().saturating_add(self.role.len()) as u64;
        let dimensions = if self.columns.is_some() { 8 } else { 4 };
        // One byte each: the dot in the name, its length, the type, the number of dimensions.
        place.saturating_add(name).saturating_add(dimensions).saturating_add(4)
    }

    /// How many elements it has.
    pub fn count(&self) -> u64 {
        u64::from(self.rows).saturating_mul(self.columns.unwrap_or(1).into())
    }

    /// Its bytes in a package, header and elements.
    pub fn bytes(&self, layer: Option<u32>) -> u64 {
        self.count()
            .saturating_mul(self.element.size())
            .saturating_add(self.header_bytes(layer))
    }
}

fn norm(owner: &'static str, width: u32) -> [Tensor; 3] {
    [
        Tensor::new(owner, "weight", Element::I32, width),
        Tensor::new(owner, "shift", Element::I8, 1).bounds(0, MAX_SHIFT),
        Tensor::new(owner, "bias", Element::I32, width).bounds(-MAX_VALUE, MAX_VALUE),
    ]
}

fn linear(owner: &'static str, width: u32, outputs: u32) -> [Tensor; 5] {
    let limbs = if width <= MAX_TWO_LIMB_WIDTH { 2 } else { 1 };
    [
        Tensor::new(owner, "limbs", Element::I8, 1).bounds(1, limbs),
        Tensor::new(owner, "weight", Element::I8, outputs).columns(width),
        Tensor::new(owner, "multiplier", Element::I32, outputs).bounds(0, i32::MAX),
        Tensor::new(owner, "shift", Element::I8, outputs).bounds(0, MAX_SHIFT),
        Tensor::new(owner, "bias", Element::I32, outputs).bounds(-MAX_VALUE, MAX_VALUE),
    ]
}

impl TransformerShape {
    /// The tensors before those of the layers, in their order.
    ///
    /// The first entry of `table.exponent` has a bound more: it is 32768.
    pub fn first_tensors(&self) -> Vec<Tensor> {
        let (vocabulary, positions, hidden) = (self.vocabulary, self.positions, self.hidden);
        let embedding = [
            Tensor::new("embedding", "weight", Element::I8, vocabulary).columns(hidden),
            Tensor::new("embedding", "multiplier", Element::I32, vocabulary).bounds(0, i32::MAX),
            Tensor::new("embedding", "shift", Element::I8, vocabulary).bounds(0, MAX_SHIFT),
            Tensor::new("embedding", "position", Element::I16, positions).columns(hidden),
        ];
        let tables = [
            Tensor::new("table", "exponent", Element::I32, EXPONENT_TABLE).bounds(0, EXPONENT_ONE),
            Tensor::new("table.activation", "shift", Element::I8, 1).bounds(1, 8),
            Tensor::new("table", "activation", Element::I32, ACTIVATION_TABLE).bounds(-MAX_VALUE, MAX_VALUE),
        ];
        let norm = norm("embedding.norm", hidden);
        embedding.into_iter().chain(norm).chain(tables).collect()
    }

    /// The tensors of a layer, in their order.
    pub fn layer_tensors(&self) -> Vec<Tensor> {
        let (hidden, intermediate) = (self.hidden, self.intermediate);
        linear("attention.input", hidden, self.attention_width())
            .into_iter()
            .chain(linear("attention.output", self.query_width(), hidden))
            .chain(norm("attention.norm", hidden))
            .chain(linear("perceptron.expand", hidden, intermediate))
            .chain(linear("perceptron.contract", intermediate, hidden))
            .chain(norm("perceptron.norm", hidden))
            .collect()
    }

    /// The tensors behind those of the layers, in their order: the dense layer's, if there is one.
    pub fn last_tensors(&self) -> Vec<Tensor> {
        match self.dense {
            0 => Vec::new(),
            outputs => linear("dense", self.hidden, outputs).into(),
        }
    }

    /// Where in a package the tensors of layer `layer` begin; where those of the layer after the last would, the last
    /// tensors do.
    pub fn layer_offset(&self, layer: u32) -> u64 {
        let first = bytes(&self.first_tensors(), None).saturating_add(TRANSFORMER_HEADER);
        let tensors = self.layer_tensors();
        // A layer is longer than another only if its number has more digits.
        let places = [(0, 10), (10, 100), (100, u32::MAX)].map(|(from, to)| {
            let count = u64::from(layer.min(to).saturating_sub(from));
            bytes(&tensors, Some(from)).saturating_mul(count)
        });
        places.into_iter().fold(first, u64::saturating_add)
    }

    /// Bytes of a package without its tokeniser: the tensors, and the tokeniser's length.
    pub fn package_bytes(&self) -> u64 {
        self.layer_offset(self.layers)
            .saturating_add(bytes(&self.last_tensors(), None))
            .saturating_add(4)
    }
}

/// Bytes of `tensors` in a package.
fn bytes(tensors: &[Tensor], layer: Option<u32>) -> u64 {
    tensors
        .iter()
        .fold(0u64, |sum, tensor| sum.saturating_add(tensor.bytes(layer)))
}
