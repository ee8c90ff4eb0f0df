//! The parts of an encoder, written.

use super::writer::Writer;
use crate::networks::transformer::{ACTIVATION_TABLE, EXPONENT_TABLE, Embedding, Encoder, Limbs, Linear, Norm};

pub(super) fn write_encoder(writer: &mut Writer, encoder: &Encoder) {
    let shape = &encoder.shape;
    let Embedding {
        weight,
        multiplier,
        shift,
        position,
        norm,
    } = &encoder.embedding;
    writer.tensor("embedding.weight", &[shape.vocabulary, shape.hidden], weight);
    writer.tensor("embedding.multiplier", &[shape.vocabulary], multiplier);
    writer.tensor("embedding.shift", &[shape.vocabulary], shift);
    writer.tensor("embedding.position", &[shape.positions, shape.hidden], position);
    write_norm(writer, "embedding.norm", norm);
    writer.tensor("table.exponent", &[EXPONENT_TABLE as u32], &encoder.exponent[..]);
    writer.tensor("table.activation.shift", &[1], &[encoder.activation.shift as i8]);
    writer.tensor(
        "table.activation",
        &[ACTIVATION_TABLE as u32],
        &encoder.activation.table[..],
    );
    for (i, layer) in encoder.layers.iter().enumerate() {
        let name = |part: &str| format!("layer.{i}.{part}");
        write_linear(writer, &name("attention.input"), &layer.attention.input, shape.hidden);
        write_linear(
            writer,
            &name("attention.output"),
            &layer.attention.output,
            shape.query_width(),
        );
        write_norm(writer, &name("attention.norm"), &layer.attention_norm);
        write_linear(writer, &name("perceptron.expand"), &layer.up_proj, shape.hidden);
        write_linear(
            writer,
            &name("perceptron.contract"),
            &layer.down_proj,
            shape.intermediate,
        );
        write_norm(writer, &name("perceptron.norm"), &layer.output_norm);
    }
    if let Some(dense) = &encoder.dense {
        write_linear(writer, "dense", &dense.linear, shape.hidden);
    }
}

fn write_norm(writer: &mut Writer, name: &str, norm: &Norm) {
    let width = norm.weight.len() as u32;
    writer.tensor(&format!("{name}.weight"), &[width], &norm.weight);
    writer.tensor(&format!("{name}.shift"), &[1], &[norm.shift]);
    writer.tensor(&format!("{name}.bias"), &[width], &norm.bias);
}

fn write_linear(writer: &mut Writer, name: &str, linear: &Linear, width: u32) {
    let outputs = linear.multiplier.len() as u32;
    let limbs = match linear.limbs {
        Limbs::One => 1i8,
        Limbs::Two => 2,
    };
    writer.tensor(&format!("{name}.limbs"), &[1], &[limbs]);
    writer.tensor(&format!("{name}.weight"), &[outputs, width], &linear.weight);
    writer.tensor(&format!("{name}.multiplier"), &[outputs], &linear.multiplier);
    writer.tensor(&format!("{name}.shift"), &[outputs], &linear.shift);
    writer.tensor(&format!("{name}.bias"), &[outputs], &linear.bias);
}
