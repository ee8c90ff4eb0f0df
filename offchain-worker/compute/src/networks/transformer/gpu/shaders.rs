//! The shaders, filled in, and why they are safe to run without checks.

use crate::{
    device::Context,
    kernels::WIDE_WGSL,
    networks::transformer::{
        ACTIVATION_TABLE, ATTENTION_LEVELS, ATTENTION_SHIFT, EXPONENT_FRACTION, EXPONENT_TABLE, KEY_SHIFT, Limbs,
        MAX_POSITIONS, QUERY_SHIFT, ROW_SHIFT, VALUE_MAX,
    },
};
use std::sync::Arc;

/// Invocations of a workgroup that has a row to itself.
const GROUP: u32 = 64;

const COMMON: &str = include_str!("common.wgsl");
const ROWS: &str = include_str!("rows.wgsl");
const LEVELS: &str = include_str!("levels.wgsl");
const POWER: &str = include_str!("power.wgsl");

/// An operator, as a shader.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shader {
    /// The first states.
    Embed,
    /// Addition, normalisation and quantisation.
    Norm,
    /// Quantisation.
    Quantise,
    /// The outputs of a linear layer from its sums.
    Outputs,
    /// Preparation of the attention.
    Heads,
    /// Attention.
    Attention,
    /// Pooling.
    Pool,
    /// The activation of the dense layer, if there is one, and the scaling to the length 1.
    Unit,
}

impl Shader {
    #[cfg(test)]
    const ALL: [Self; 8] = [
        Self::Embed,
        Self::Norm,
        Self::Quantise,
        Self::Outputs,
        Self::Heads,
        Self::Attention,
        Self::Pool,
        Self::Unit,
    ];

    /// The compiled shader.
    #[allow(unsafe_code, reason = "proven below, shader by shader")]
    pub fn pipeline(self, context: &Context) -> Arc<wgpu::ComputePipeline> {
        let (key, entry) = self.names();
        // SAFETY: without checks a shader must keep to its buffers, end its loops and not divide by zero, whatever the buffers
        // hold. Dispatches (`Operators::record`) have exactly one workgroup for each row (or each row and head, or item) of the
        // batch, and a batch has at most as many rows and items as the buffers (`Buffers`). Places in a row are `i < width` or
        // `4 · i + b` with `i < width / 4`, and all widths are multiples of four (`read_shape` of packages); heads are
        // `heads · size` wide, as the rows are. For each limb of a row, levels have a line of whole vectors, and sums one. What
        // is read from buffers as an index is written by the host alone: tokens are below the vocabulary, positions below the
        // number of positions, first token and number of tokens of an item within the batch (the kind inference checks them, and
        // makes the batches), and at most `MAX_POSITIONS` of them, the length of `scores`. The one row of an item lies in the
        // batch too, which has at most as many items as tokens. The table of powers is indexed modulo its length, that of the
        // activation after a clamp. Loops count up by a constant to a number that is the host's. Divisors are: widths, numbers of
        // tokens and heads, sums of places, at least 1; one and a power; scales, maxima with 1; in `wide_root` the root of at
        // least 2³⁰; a root's mantissa, at least 2¹⁵; a sum of weights, of which the largest is the first of the table of powers,
        // 2¹⁵ (`read_exponent`).
        unsafe { context.pipeline(key, || self.source(), entry) }
    }

    /// The key of the pipeline and its entry point.
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Embed => ("transformer/embed", "embed"),
            Self::Norm => ("transformer/norm", "norm"),
            Self::Quantise => ("transformer/quantise", "quantise_rows"),
            Self::Outputs => ("transformer/outputs", "outputs"),
            Self::Heads => ("transformer/heads", "prepare"),
            Self::Attention => ("transformer/attention", "attend"),
            Self::Pool => ("transformer/pool", "pool"),
            Self::Unit => ("transformer/unit", "unit"),
        }
    }

    fn source(self) -> String {
        let parts: &[&str] = match self {
            Self::Embed => &[include_str!("embed.wgsl")],
            Self::Norm => &[ROWS, LEVELS, include_str!("norm.wgsl")],
            Self::Quantise => &[ROWS, LEVELS, include_str!("quantise.wgsl")],
            Self::Outputs => &[include_str!("outputs.wgsl")],
            Self::Heads => &[include_str!("heads.wgsl")],
            Self::Attention => &[ROWS, POWER, include_str!("attention.wgsl")],
            Self::Pool => &[include_str!("pool.wgsl")],
            Self::Unit => &[ROWS, POWER, include_str!("unit.wgsl")],
        };
        let numbers = [
            ("GROUP", GROUP),
            ("VALUE_MAX", VALUE_MAX.unsigned_abs()),
            ("ONE_LEVELS", Limbs::One.levels() << Limbs::One.shift()),
            ("ONE_SHIFT", Limbs::One.shift()),
            ("TWO_LEVELS", Limbs::Two.levels() << Limbs::Two.shift()),
            ("TWO_SHIFT", Limbs::Two.shift()),
            ("ACTIVATION_MIDDLE", ACTIVATION_TABLE as u32 / 2),
            ("ACTIVATION_LAST", ACTIVATION_TABLE as u32 - 1),
            ("ROW_SHIFT", ROW_SHIFT),
            ("ATTENTION_LEVELS", ATTENTION_LEVELS << ATTENTION_SHIFT),
            ("ATTENTION_SHIFT", ATTENTION_SHIFT),
            ("QUERY_SHIFT", QUERY_SHIFT),
            ("KEY_SHIFT", KEY_SHIFT),
            ("EXPONENT_FRACTION", EXPONENT_FRACTION),
            ("EXPONENT_MASK", EXPONENT_TABLE as u32 - 1),
            ("MAX_POSITIONS", MAX_POSITIONS),
        ];
        numbers.into_iter().fold(
            [WIDE_WGSL, COMMON].into_iter().chain(parts.iter().copied()).collect(),
            |source: String, (place, number)| source.replace(&format!("{{{{{place}}}}}"), &number.to_string()),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_is_filled() {
        for shader in Shader::ALL {
            let source = shader.source();
            let code = source.split_once("const GROUP").unwrap().1;
            assert!(!code.contains("{{") && !code.contains("}}"), "{code}");
        }
    }
}
