//! The bytes of a package.

mod reader;
mod writer;

use super::{
    ACTIVATION_TABLE, Activation, Attention, EXPONENT_TABLE, Embedding, Encoder, Layer, Limbs, Linear, MAX_HEAD_SIZE,
    MAX_HIDDEN, MAX_LAYERS, MAX_POSITIONS, MAX_TWO_LIMB_WIDTH, MAX_VOCABULARY, MAX_WIDTH, Norm, Shape, VALUE_MAX,
    WIDTH_UNIT, operators::EXPONENT_ONE,
};
use reader::Reader;
use std::ops::RangeInclusive;
use writer::Writer;

/// What every package begins with.
pub const MAGIC: [u8; 4] = *b"AGMP";
/// The version of packages.
pub const VERSION: u8 = 1;
/// The architecture of transformer encoders.
pub const TRANSFORMER_ENCODER: u8 = 0;
/// The largest tokeniser, in bytes.
const MAX_TOKENIZER: u32 = 64 * 1024 * 1024;
/// The largest shift of a rescale.
const MAX_SHIFT: i8 = 62;

/// A transformer encoder, and the tokeniser that makes its input.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Package {
    /// The encoder.
    pub encoder: Encoder,
    /// The tokeniser, in the JSON form of the Hugging Face tokenisers; empty if the tokens have another source.
    pub tokenizer: Vec<u8>,
}

/// Why bytes are not a package, or a model cannot be one.
#[derive(thiserror::Error, Clone, PartialEq, Eq, Debug)]
pub enum PackageError {
    /// The first bytes are others.
    #[error("not a model package: it does not begin with \"AGMP\"")]
    Magic,
    /// Written by another version.
    #[error("version {0} of model packages is not known; this program knows version 1")]
    Version(u8),
    /// Another architecture.
    #[error("the package holds architecture {0}, not a transformer encoder (0)")]
    Architecture(u8),
    /// The bytes end too early.
    #[error("the package ends {missing} bytes too early, in {part}")]
    Truncated {
        /// What is missing.
        part: String,
        /// How many bytes.
        missing: u64,
    },
    /// There is something behind the end.
    #[error("{0} bytes follow the end of the package")]
    Trailing(usize),
    /// A size is out of bounds.
    #[error("{what} is {found}; {least} to {most} are possible{}", unit(*.multiple_of))]
    Size {
        /// Which size.
        what: &'static str,
        /// What it is.
        found: u32,
        /// The least that is possible.
        least: u32,
        /// The most that is possible.
        most: u32,
        /// What it must be a multiple of.
        multiple_of: u32,
    },
    /// A part of the architecture that this version does not compute.
    #[error("{what} {found} cannot be computed by this version")]
    Unsupported {
        /// Which part.
        what: &'static str,
        /// What the package says.
        found: u8,
    },
    /// A tensor is not the one that the architecture has here.
    #[error("the tensor {expected} with {shape:?} elements of type {element} was expected, and is not there")]
    Tensor {
        /// The tensor's name.
        expected: String,
        /// Its shape.
        shape: Vec<u32>,
        /// Its type.
        element: &'static str,
    },
    /// An element of a tensor is out of bounds.
    #[error("an element of {tensor} is {found}; {least} to {most} are possible")]
    Element {
        /// The tensor's name.
        tensor: String,
        /// What it is.
        found: i32,
        /// The least that is possible.
        least: i32,
        /// The most that is possible.
        most: i32,
    },
}

fn unit(multiple_of: u32) -> String {
    match multiple_of {
        0 | 1 => String::new(),
        unit => format!(", in multiples of {unit}"),
    }
}

/// The parts of the architecture that a package names and that this version computes one kind of each of.
const SUPPORTED: [(&str, u8); 7] = [
    (
        "the normalisation (0: by mean and variance; 1: by the root of the mean square)",
        0,
    ),
    ("the place of the normalisation (0: after a block; 1: before it)", 0),
    ("the activation (0: by table)", 0),
    ("the gate of the perceptron (0: none; 1: gated)", 0),
    ("the positions (0: added from a table; 1: rotary)", 0),
    ("the mask of the attention (0: none; 1: causal)", 0),
    ("the pooling (0: mean of the tokens)", 0),
];

impl Package {
    /// Reads a package. Nothing is allocated that the bytes do not hold.
    ///
    /// Errors: every difference from `docs/protocol/inference.md`. Complexity: O(n).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PackageError> {
        let mut reader = Reader::new(bytes);
        if reader.array("the magic")? != MAGIC {
            return Err(PackageError::Magic);
        }
        match reader.array("the header")? {
            [VERSION, TRANSFORMER_ENCODER] => {}
            [VERSION, architecture] => return Err(PackageError::Architecture(architecture)),
            [version, _] => return Err(PackageError::Version(version)),
        }
        let shape = read_shape(&mut reader)?;
        for (what, supported) in SUPPORTED {
            let [found] = reader.array(what)?;
            if found != supported {
                return Err(PackageError::Unsupported { what, found });
            }
        }
        let norm_epsilon = reader.u32("the epsilon of the normalisations")?;
        let encoder = Encoder {
            shape,
            norm_epsilon,
            embedding: read_embedding(&mut reader, &shape)?,
            exponent: read_exponent(&mut reader)?,
            activation: read_activation(&mut reader)?,
            layers: (0..shape.layers)
                .map(|i| read_layer(&mut reader, &shape, i))
                .collect::<Result<_, _>>()?,
        };
        let length = reader.u32("the length of the tokeniser")?;
        check_size("the tokeniser's length", length, 0..=MAX_TOKENIZER, 1)?;
        let tokenizer = reader.bytes(u64::from(length), "the tokeniser")?.to_vec();
        reader.end()?;
        Ok(Self { encoder, tokenizer })
    }

    /// The bytes of the package.
    ///
    /// Errors: as [`Self::from_bytes`]: what is written can be read.
    pub fn to_bytes(&self) -> Result<Vec<u8>, PackageError> {
        let encoder = &self.encoder;
        let mut writer = Writer::default();
        writer.bytes(&MAGIC);
        writer.bytes(&[VERSION, TRANSFORMER_ENCODER]);
        for size in sizes(&encoder.shape) {
            writer.u32(size);
        }
        writer.bytes(&SUPPORTED.map(|(_, supported)| supported));
        writer.u32(encoder.norm_epsilon);
        write_encoder(&mut writer, encoder);
        writer.u32(u32::try_from(self.tokenizer.len()).unwrap_or(u32::MAX));
        writer.bytes(&self.tokenizer);
        let bytes = writer.finish();
        // Whoever made the model may have made tensors of another size than the shape says, or elements out of bounds.
        Self::from_bytes(&bytes)?;
        Ok(bytes)
    }
}

fn sizes(shape: &Shape) -> [u32; 8] {
    [
        shape.vocabulary,
        shape.positions,
        shape.hidden,
        shape.layers,
        shape.heads,
        shape.key_value_heads,
        shape.head_size,
        shape.intermediate,
    ]
}

fn check_size(
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

fn read_shape(reader: &mut Reader<'_>) -> Result<Shape, PackageError> {
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
    Ok(shape)
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
        expand: read_linear(reader, &name("perceptron.expand"), intermediate, hidden)?,
        contract: read_linear(reader, &name("perceptron.contract"), hidden, intermediate)?,
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
        _ => reader::fixed(table, name),
    }
}

fn read_activation(reader: &mut Reader<'_>) -> Result<Activation, PackageError> {
    let shift: i8 = reader.scalar("table.activation.shift", 1..=8)?;
    let name = "table.activation";
    let table = reader.bounded(name, &[ACTIVATION_TABLE as u32], -VALUE_MAX..=VALUE_MAX)?;
    Ok(Activation {
        shift: shift.unsigned_abs(),
        table: reader::fixed(table, name)?,
    })
}

fn write_encoder(writer: &mut Writer, encoder: &Encoder) {
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
        write_linear(writer, &name("perceptron.expand"), &layer.expand, shape.hidden);
        write_linear(
            writer,
            &name("perceptron.contract"),
            &layer.contract,
            shape.intermediate,
        );
        write_norm(writer, &name("perceptron.norm"), &layer.output_norm);
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
