//! What a transformer encoder consists of.

use super::{ACTIVATION_TABLE, EXPONENT_TABLE, Shape};

/// In how many signed bytes each input of a linear layer is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Limbs {
    /// One: 127 levels.
    One,
    /// Two, `128 · high + low`: 8191 levels, at twice the work.
    Two,
}

/// A linear layer, applied to rows that are quantised one by one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Linear {
    /// How rows are quantised.
    pub limbs: Limbs,
    /// One row for each output, each as long as the input.
    pub weight: Vec<i8>,
    /// For each output, the multiplier of its sums.
    pub multiplier: Vec<i32>,
    /// For each output, the shift of its sums, 0 ..= 62.
    pub shift: Vec<i8>,
    /// For each output, a value to add.
    pub bias: Vec<i32>,
}

/// A layer normalisation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Norm {
    /// Multipliers, for each place of the row.
    pub weight: Vec<i32>,
    /// The shift of all of them, 0 ..= 62.
    pub shift: i8,
    /// Values to add.
    pub bias: Vec<i32>,
}

/// The first state of a token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Embedding {
    /// A row for each token.
    pub weight: Vec<i8>,
    /// For each token, the multiplier of its row.
    pub multiplier: Vec<i32>,
    /// For each token, the shift of its row, 0 ..= 62.
    pub shift: Vec<i8>,
    /// A row for each position.
    pub position: Vec<i16>,
    /// The normalisation of the sum of both.
    pub norm: Norm,
}

/// The two linear layers around the attention.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attention {
    /// To the queries of all heads, then the keys, then the values.
    pub input: Linear,
    /// From the attention's output for all heads.
    pub output: Linear,
}

/// A layer: attention and feed-forward network, each added to the state and normalised.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Layer {
    /// The attention.
    pub attention: Attention,
    /// After the attention.
    pub attention_norm: Norm,
    /// The feed-forward network's first linear layer.
    pub up_proj: Linear,
    /// Its second, after the activation.
    pub down_proj: Linear,
    /// After the feed-forward network.
    pub output_norm: Norm,
}

/// The activation: a table for values around zero; above it the identity, below it zero.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Activation {
    /// By how much a value is shifted to its place in the table, 1 ..= 8.
    pub shift: u8,
    /// The values. The middle one is that of zero.
    pub table: Box<[i32; ACTIVATION_TABLE]>,
}

/// What becomes of the states of an item's tokens, number by number, before they are scaled to the length 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pooling {
    /// Their mean.
    Mean,
    /// That of the first token, which is `[CLS]` in models that are trained for it.
    First,
    /// The largest of all tokens.
    Max,
    /// That of the last token.
    Last,
    /// Their mean, where the weight of the token in place `j`, counted from 0, is `j + 1`.
    Weighted,
}

impl Pooling {
    /// All of them, each at the place of its number in packages.
    pub const ALL: [Self; 5] = [Self::Mean, Self::First, Self::Max, Self::Last, Self::Weighted];
}

/// What becomes of each output of the dense layer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DenseActivation {
    /// Nothing.
    Identity,
    /// Its hyperbolic tangent: a value is one in units of `ln 2 / 2048`, and what comes out is in units of 2⁻¹⁵.
    Tanh,
}

impl DenseActivation {
    /// All of them, each at the place of its number in packages.
    pub const ALL: [Self; 2] = [Self::Identity, Self::Tanh];
}

/// A layer of an item's vector, behind the pooling. Its input is in eighths of values.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dense {
    /// The layer.
    pub linear: Linear,
    /// What its outputs go through.
    pub activation: DenseActivation,
}

/// A transformer encoder: one vector for each list of tokens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Encoder {
    /// Its sizes.
    pub shape: Shape,
    /// What is added to the sums of squares in normalisations.
    pub norm_epsilon: u32,
    /// How tokens become a vector.
    pub pooling: Pooling,
    /// The first state.
    pub embedding: Embedding,
    /// The layers.
    pub layers: Vec<Layer>,
    /// The dense layer behind the pooling, of `shape.dense` outputs. `None`: there is none, and `shape.dense` is 0.
    pub dense: Option<Dense>,
    /// `2^(−i / 1024)` in units of 2⁻¹⁵.
    pub exponent: Box<[i32; EXPONENT_TABLE]>,
    /// Between the linear layers of the feed-forward network.
    pub activation: Activation,
}
