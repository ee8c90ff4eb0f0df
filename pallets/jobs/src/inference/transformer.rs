//! The sizes of a transformer encoder.

use crate::{JobError, all_within};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// The most tokens of one item: sums over them fit an `i32`.
pub const MAX_TOKENS: u32 = 512;
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
pub const EXPONENT_TABLE: u32 = 1024;
/// The first entry of that table, which is its largest: one.
pub const EXPONENT_ONE: i32 = 1 << 15;
/// Entries of the table of the activation.
pub const ACTIVATION_TABLE: u32 = 4096;
/// The largest amount of a value.
pub const MAX_VALUE: i32 = (1 << 19) - 1;
/// The longest tokeniser at the end of a package, in bytes.
pub const MAX_TOKENIZER: u32 = 64 * 1024 * 1024;

/// Sizes of an encoder. The counts that follow from them saturate.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
pub struct TransformerShape {
    /// How many tokens there are.
    pub vocabulary: u32,
    /// The most tokens of one item.
    pub positions: u32,
    /// Values of the state of one token.
    pub hidden: u32,
    /// How many layers.
    pub layers: u32,
    /// Heads of queries.
    pub heads: u32,
    /// Heads of keys and values; each serves `heads / key_value_heads` heads of queries.
    pub key_value_heads: u32,
    /// Length of one query, key or value.
    pub head_size: u32,
    /// Values between the two linear layers of the feed-forward network.
    pub intermediate: u32,
    /// Outputs of the dense layer behind the pooling. 0: there is none.
    pub dense: u32,
}

impl TransformerShape {
    /// Checks every limit.
    pub fn validate(&self) -> Result<(), JobError> {
        // Queries, keys and values together are at most the widest row.
        let heads = (MAX_WIDTH / 3).checked_div(self.head_size).unwrap_or(0);
        all_within([
            (self.vocabulary, MAX_VOCABULARY),
            (self.positions, MAX_TOKENS),
            (self.hidden, MAX_HIDDEN),
            (self.layers, MAX_LAYERS),
            (self.head_size, MAX_HEAD_SIZE),
            (self.heads, heads),
            (self.key_value_heads, self.heads),
            (self.intermediate, MAX_WIDTH),
        ])?;
        if self.dense > MAX_WIDTH {
            return Err(JobError::TooLarge);
        }
        let widths = [self.hidden, self.head_size, self.intermediate, self.dense];
        let whole_words = widths.iter().all(|width| width.is_multiple_of(WIDTH_UNIT));
        if whole_words && self.heads.is_multiple_of(self.key_value_heads) {
            Ok(())
        } else {
            Err(JobError::Inconsistent)
        }
    }

    /// Length of all queries of a token.
    pub const fn query_width(&self) -> u32 {
        self.heads.saturating_mul(self.head_size)
    }

    /// Length of all keys of a token, and of all values.
    pub const fn key_width(&self) -> u32 {
        self.key_value_heads.saturating_mul(self.head_size)
    }

    /// Length of queries, keys and values of a token.
    pub const fn attention_width(&self) -> u32 {
        self.query_width().saturating_add(self.key_width().saturating_mul(2))
    }

    /// Numbers of the embedding of one item: what the dense layer puts out, or else the state of a token.
    pub const fn embedding_width(&self) -> u32 {
        if self.dense == 0 { self.hidden } else { self.dense }
    }

    /// Bytes of the embedding of one item.
    pub const fn output_bytes(&self) -> u32 {
        self.embedding_width().saturating_mul(2)
    }

    /// Multiply–add operations of one token in one layer, up to its queries, keys and values.
    pub fn input_work(&self) -> u64 {
        u64::from(self.hidden).saturating_mul(self.attention_width().into())
    }

    /// Multiply–add operations of one token in one layer, from queries, keys and values on, in an item of so many tokens.
    pub fn output_work(&self, tokens: u32) -> u64 {
        let [hidden, intermediate, query] = [self.hidden, self.intermediate, self.query_width()].map(u64::from);
        let attention = u64::from(tokens)
            .saturating_mul(2)
            .saturating_add(hidden)
            .saturating_mul(query);
        hidden
            .saturating_mul(intermediate)
            .saturating_mul(2)
            .saturating_add(attention)
    }

    /// Multiply–add operations of the dense layer for one item.
    pub fn dense_work(&self) -> u64 {
        u64::from(self.hidden).saturating_mul(self.dense.into())
    }

    /// Multiply–add operations of an item of so many tokens.
    pub fn work(&self, tokens: u32) -> u64 {
        self.input_work()
            .saturating_add(self.output_work(tokens))
            .saturating_mul(tokens.into())
            .saturating_mul(self.layers.into())
            .saturating_add(self.dense_work())
    }
}
