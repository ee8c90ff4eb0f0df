//! Bytes as hexadecimal text in JSON: `#[serde(with = "hex_text")]`.
//!
//! `hex::serde` would do the same, but that feature of `hex` would make cargo compile the whole SDK below the node
//! again.

use hex::FromHex;
use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};
use std::fmt::Display;

/// Writes bytes.
pub fn serialize<T: AsRef<[u8]>, S: Serializer>(bytes: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&hex::encode(bytes))
}

/// Reads as many bytes as `T` has.
///
/// Errors: not hexadecimal, or another length.
pub fn deserialize<'de, T: FromHex<Error: Display>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    T::from_hex(String::deserialize(deserializer)?).map_err(D::Error::custom)
}
