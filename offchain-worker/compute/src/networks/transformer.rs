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

pub use encoder::{Activation, Attention, Embedding, Encoder, Layer, Limbs, Linear, Norm, Shape};
pub(crate) use forward::PreparedEncoder;
pub use operators::VALUE_MAX;
pub use package::{Package, PackageError};

pub(crate) use operators::{
    ATTENTION_LEVELS, ATTENTION_SHIFT, EXPONENT_FRACTION, EXPONENT_ONE, KEY_SHIFT, QUERY_SHIFT, ROW_SHIFT,
};

/// The most tokens of one item: sums over them fit an `i32`.
pub const MAX_POSITIONS: u32 = 512;
/// The widest hidden state: sums of values over it fit an `i32`.
pub const MAX_HIDDEN: u32 = 4096;
/// The widest row of any linear layer.
pub const MAX_WIDTH: u32 = 16_384;
/// The widest row of a linear layer whose input is in two limbs: `8191 · 128 · 2048` fits an `i32`.
pub const MAX_TWO_LIMB_WIDTH: u32 = 2048;
/// The most layers.
pub const MAX_LAYERS: u32 = 128;
/// The largest vocabulary: tokens are `u16`.
pub const MAX_VOCABULARY: u32 = 65_536;
/// The longest vector of a head: `2047² · 256` fits an `i32`.
pub const MAX_HEAD_SIZE: u32 = 256;
/// Every width is a multiple of this, so that rows of signed bytes are whole words.
pub const WIDTH_UNIT: u32 = 4;
/// Entries of the table of powers of two.
pub const EXPONENT_TABLE: usize = 1024;
/// Entries of the table of the activation.
pub const ACTIVATION_TABLE: usize = 4096;

/// The table of powers of two: entry `i` is `2^(−i / 1024)` in units of 2⁻¹⁵, rounded to the nearest.
pub fn exponent_table() -> Box<[i32; EXPONENT_TABLE]> {
    let mut table = Box::new([0; EXPONENT_TABLE]);
    for (entry, i) in table.iter_mut().zip(0u16..) {
        // No entry is so near to a half that the last bits of a float matter: every platform gives the same table.
        *entry = (f64::from(EXPONENT_ONE) * (-f64::from(i) / EXPONENT_TABLE as f64).exp2()).round() as i32;
    }
    table
}
