//! Tests by call.

mod segment;
