//! Transformers: what their model packages hold, how these are read and written, and the integer operators that they
//! are computed with.
//!
//! A package is a content-addressed blob: its hash is what "this model" means. It holds only integers; everything that
//! depends on floats was decided when it was made. Its bytes and the operators are specified in
//! `docs/protocol/inference.md`.
//!
//! Terms: a *value* is a 20-bit signed fixed-point number ([`VALUE_MAX`]); the *levels* of a quantised row are the
//! integers that its largest value is scaled to; a *rescale* is a multiplication by a 31-bit multiplier, and a rounding
//! shift.

mod encoder;
mod forward;
pub(crate) mod gpu;
mod linear;
mod operators;
mod package;
pub mod sample;

use agora_primitives::job::inference;

pub use agora_primitives::job::{
    TransformerShape as Shape,
    inference::{
        MAX_HEAD_SIZE, MAX_HIDDEN, MAX_LAYERS, MAX_TOKENS as MAX_POSITIONS, MAX_TWO_LIMB_WIDTH, MAX_VALUE as VALUE_MAX,
        MAX_VOCABULARY, MAX_WIDTH, WIDTH_UNIT,
    },
};
pub use encoder::{
    Activation, Attention, Dense, DenseActivation, Embedding, Encoder, Layer, Limbs, Linear, Norm, Pooling,
};
pub(crate) use forward::PreparedEncoder;
pub use package::{Package, PackageError};

pub(crate) use operators::{
    ATTENTION_LEVELS, ATTENTION_SHIFT, EXPONENT_FRACTION, EXPONENT_ONE, KEY_SHIFT, QUERY_SHIFT, ROW_SHIFT,
};

/// Entries of the table of powers of two.
pub const EXPONENT_TABLE: usize = inference::EXPONENT_TABLE as usize;
/// Entries of the table of the activation.
pub const ACTIVATION_TABLE: usize = inference::ACTIVATION_TABLE as usize;

/// The table of powers of two: entry `i` is `2^(−i / 1024)` in units of 2⁻¹⁵, rounded to the nearest.
pub fn exponent_table() -> Box<[i32; EXPONENT_TABLE]> {
    let mut table = Box::new([0; EXPONENT_TABLE]);
    for (entry, i) in table.iter_mut().zip(0u16..) {
        // No entry is so near to a half that the last bits of a float matter: every platform gives the same table.
        *entry = (f64::from(EXPONENT_ONE) * (-f64::from(i) / EXPONENT_TABLE as f64).exp2()).round() as i32;
    }
    table
}
