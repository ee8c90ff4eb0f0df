//! The slot duration.

use crate::{Runtime, block_time};

impl block_time::Config for Runtime {}
