//! The parts of an encoder, read and compared with their bounds.

use super::{
    PackageError,
    reader::{Reader, fixed},
};
use crate::networks::transformer::{
    ACTIVATION_TABLE, Activation, Attention, Dense, DenseActivation, EXPONENT_TABLE, Embedding, Encoder, Layer, Limbs,
    Linear, MAX_HEAD_SIZE, MAX_HIDDEN, MAX_LAYERS, MAX_POSITIONS, MAX_TWO_LIMB_WIDTH, MAX_VOCABULARY, MAX_WIDTH, Norm,
    Pooling, Shape, VALUE_MAX, WIDTH_UNIT, operators::EXPONENT_ONE,
};
use std::ops::RangeInclusive;

/// The largest shift of a rescale.
const MAX_SHIFT: i8 = 62;

pub(super) fn check_size(
    what: &'static str,
    found: u32,
    bounds: RangeInclusive<u32>,
    multiple_of: u32,
) -> Result<(), PackageError> {
    if bounds.contains(&found) && found.is_multiple_of(multiple_of) {
        return Ok(());
    }
    Err(PackageError::Size {
        what,
        found,
        least: *bounds.start(),
        most: *bounds.end(),
        multiple_of,
    })
}

pub(super) fn read_shape(reader: &mut Reader<'_>) -> Result<Shape, PackageError> {
    let mut size = || reader.u32("the shape");
    let shape = Shape {
        vocabulary: size()?,
        positions: size()?,
        hidden: size()?,
        layers: size()?,
        heads: size()?,
        key_value_heads: size()?,
        head_size: size()?,
        intermediate: size()?,
        dense: size()?,
    };
    check_size("the vocabulary", shape.vocabulary, 1..=MAX_VOCABULARY, 1)?;
    check_size("the number of positions", shape.positions, 1..=MAX_POSITIONS, 1)?;
    check_size(
        "the width of the hidden state",
        shape.hidden,
        WIDTH_UNIT..=MAX_HIDDEN,
        WIDTH_UNIT,
    )?;
    check_size("the number of layers", shape.layers, 1..=MAX_LAYERS, 1)?;
    check_size(
        "the size of a head",
        shape.head_size,
        WIDTH_UNIT..=MAX_HEAD_SIZE,
        WIDTH_UNIT,
    )?;
    check_size(
        "the number of heads",
        shape.heads,
        1..=MAX_WIDTH / 3 / shape.head_size,
        1,
    )?;
    check_size("the number of key heads", shape.key_value_heads, 1..=shape.heads, 1)?;
    check_size(
        "the number of heads",
        shape.heads,
        1..=MAX_WIDTH / 3 / shape.head_size,
        shape.key_value_heads,
    )?;
    check_size(
        "the width of the perceptron",
        shape.intermediate,
        WIDTH_UNIT..=MAX_WIDTH,
        WIDTH_UNIT,
    )?;
    check_size("the width of the dense layer", shape.dense, 0..=MAX_WIDTH, WIDTH_UNIT)?;
    Ok(shape)
}

/// What the header says behind the shape.
pub(super) struct Variants {
    pub pooling: Pooling,
    pub dense_activation: DenseActivation,
    pub norm_epsilon: u32,
}

/// What follows the header.
pub(super) fn read_encoder(
    reader: &mut Reader<'_>,
    shape: Shape,
    variants: &Variants,
) -> Result<Encoder, PackageError> {
    Ok(Encoder {
        shape,
        norm_epsilon: variants.norm_epsilon,
        pooling: variants.pooling,
        embedding: read_embedding(reader, &shape)?,
        exponent: read_exponent(reader)?,
        activation: read_activation(reader)?,
        layers: (0..shape.layers)
            .map(|i| read_layer(reader, &shape, i))
            .collect::<Result<_, _>>()?,
        dense: match shape.dense {
            0 => None,
            outputs => Some(Dense {
                linear: read_linear(reader, "dense", outputs, shape.hidden)?,
                activation: variants.dense_activation,
            }),
        },
    })
}

fn read_embedding(reader: &mut Reader<'_>, shape: &Shape) -> Result<Embedding, PackageError> {
    let Shape {
        vocabulary,
        positions,
        hidden,
        ..
    } = *shape;
    Ok(Embedding {
        weight: reader.tensor("embedding.weight", &[vocabulary, hidden])?,
        multiplier: reader.bounded("embedding.multiplier", &[vocabulary], 0..=i32::MAX)?,
        shift: reader.bounded("embedding.shift", &[vocabulary], 0..=MAX_SHIFT)?,
        position: reader.tensor("embedding.position", &[positions, hidden])?,
        norm: read_norm(reader, "embedding.norm", hidden)?,
    })
}

fn read_norm(reader: &mut Reader<'_>, name: &str, width: u32) -> Result<Norm, PackageError> {
    Ok(Norm {
        weight: reader.tensor(&format!("{name}.weight"), &[width])?,
        shift: reader.scalar(&format!("{name}.shift"), 0..=MAX_SHIFT)?,
        bias: reader.bounded(&format!("{name}.bias"), &[width], -VALUE_MAX..=VALUE_MAX)?,
    })
}

fn read_linear(reader: &mut Reader<'_>, name: &str, outputs: u32, width: u32) -> Result<Linear, PackageError> {
    let limbs = match reader.scalar::<i8>(&format!("{name}.limbs"), 1..=2)? {
        2 => Limbs::Two,
        _ => Limbs::One,
    };
    if limbs == Limbs::Two {
        check_size("the width of an input in two limbs", width, 1..=MAX_TWO_LIMB_WIDTH, 1)?;
    }
    Ok(Linear {
        limbs,
        weight: reader.tensor(&format!("{name}.weight"), &[outputs, width])?,
        multiplier: reader.bounded(&format!("{name}.multiplier"), &[outputs], 0..=i32::MAX)?,
        shift: reader.bounded(&format!("{name}.shift"), &[outputs], 0..=MAX_SHIFT)?,
        bias: reader.bounded(&format!("{name}.bias"), &[outputs], -VALUE_MAX..=VALUE_MAX)?,
    })
}

fn read_layer(reader: &mut Reader<'_>, shape: &Shape, i: u32) -> Result<Layer, PackageError> {
    let name = |part: &str| format!("layer.{i}.{part}");
    let Shape {
        hidden, intermediate, ..
    } = *shape;
    Ok(Layer {
        attention: Attention {
            input: read_linear(reader, &name("attention.input"), shape.attention_width(), hidden)?,
            output: read_linear(reader, &name("attention.output"), hidden, shape.query_width())?,
        },
        attention_norm: read_norm(reader, &name("attention.norm"), hidden)?,
        up_proj: read_linear(reader, &name("perceptron.expand"), intermediate, hidden)?,
        down_proj: read_linear(reader, &name("perceptron.contract"), hidden, intermediate)?,
        output_norm: read_norm(reader, &name("perceptron.norm"), hidden)?,
    })
}

fn read_exponent(reader: &mut Reader<'_>) -> Result<Box<[i32; EXPONENT_TABLE]>, PackageError> {
    let name = "table.exponent";
    let table: Vec<i32> = reader.bounded(name, &[EXPONENT_TABLE as u32], 0..=EXPONENT_ONE)?;
    match table.first() {
        // Else the probabilities of an item could be a division by zero.
        Some(&first) if first != EXPONENT_ONE => Err(PackageError::Element {
            tensor: name.to_owned(),
            found: first,
            least: EXPONENT_ONE,
            most: EXPONENT_ONE,
        }),
        _ => fixed(table, name),
    }
}

fn read_activation(reader: &mut Reader<'_>) -> Result<Activation, PackageError> {
    let shift: i8 = reader.scalar("table.activation.shift", 1..=8)?;
    let name = "table.activation";
    let table = reader.bounded(name, &[ACTIVATION_TABLE as u32], -VALUE_MAX..=VALUE_MAX)?;
    Ok(Activation {
        shift: shift.unsigned_abs(),
        table: fixed(table, name)?,
    })
}
