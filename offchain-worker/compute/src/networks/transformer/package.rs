//! The bytes of a package.

mod decode;
mod encode;
mod error;
mod reader;
mod writer;

use super::{DenseActivation, Encoder, Pooling, Shape};
use agora_primitives::job::inference::MAX_TOKENIZER;
use decode::{Variants, check_size, read_encoder, read_shape};
use encode::write_encoder;
pub use error::PackageError;
use reader::Reader;
use writer::Writer;

/// What every package begins with.
pub const MAGIC: [u8; 4] = *b"AGMP";
/// The version of packages.
pub const VERSION: u8 = 1;
/// The architecture of transformer encoders.
pub const TRANSFORMER_ENCODER: u8 = 0;

/// A transformer encoder, and the tokeniser that makes its input.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Package {
    /// The encoder.
    pub encoder: Encoder,
    /// The tokeniser, in the JSON form of the Hugging Face tokenisers; empty if the tokens have another source.
    pub tokenizer: Vec<u8>,
}

/// The parts of the architecture that a package names in front of the pooling. This version computes one variant of each.
const SUPPORTED: [(&str, u8); 6] = [
    (
        "the normalisation (0: by mean and variance; 1: by the root of the mean square)",
        0,
    ),
    ("the place of the normalisation (0: after a block; 1: before it)", 0),
    ("the activation (0: by table)", 0),
    ("the gate of the perceptron (0: none; 1: gated)", 0),
    ("the positions (0: added from a table; 1: rotary)", 0),
    ("the mask of the attention (0: none; 1: causal)", 0),
];
const POOLING: &str = "the pooling (0: mean of the tokens; 1: the first; 2: maximum; 3: the last; 4: weighted mean)";
const DENSE_ACTIVATION: &str =
    "the activation of the dense layer (0: none, also where there is no such layer; 1: hyperbolic tangent)";

impl Package {
    /// Reads a package. Nothing is allocated that the bytes do not hold.
    ///
    /// Errors: every difference from `docs/protocol/inference.md`. Complexity: O(n).
    pub fn decode(bytes: &[u8]) -> Result<Self, PackageError> {
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
        let pooling = variant(&mut reader, POOLING, &Pooling::ALL)?;
        let possible = if shape.dense == 0 {
            1
        } else {
            DenseActivation::ALL.len()
        };
        let dense_activation = variant(&mut reader, DENSE_ACTIVATION, &DenseActivation::ALL[..possible])?;
        let variants = Variants {
            pooling,
            dense_activation,
            norm_epsilon: reader.u32("the epsilon of the normalisations")?,
        };
        let encoder = read_encoder(&mut reader, shape, &variants)?;
        let length = reader.u32("the length of the tokeniser")?;
        check_size("the tokeniser's length", length, 0..=MAX_TOKENIZER, 1)?;
        let tokenizer = reader.bytes(u64::from(length), "the tokeniser")?.to_vec();
        reader.end()?;
        Ok(Self { encoder, tokenizer })
    }

    /// The bytes of the package.
    ///
    /// Errors: as [`Self::decode`]: what is written can be read.
    pub fn encode(&self) -> Result<Vec<u8>, PackageError> {
        let encoder = &self.encoder;
        let mut writer = Writer::default();
        writer.bytes(&MAGIC);
        writer.bytes(&[VERSION, TRANSFORMER_ENCODER]);
        for size in sizes(&encoder.shape) {
            writer.u32(size);
        }
        writer.bytes(&SUPPORTED.map(|(_, supported)| supported));
        let dense_activation = encoder
            .dense
            .as_ref()
            .map_or(DenseActivation::Identity, |dense| dense.activation);
        writer.bytes(&[encoder.pooling as u8, dense_activation as u8]);
        writer.u32(encoder.norm_epsilon);
        write_encoder(&mut writer, encoder);
        writer.u32(u32::try_from(self.tokenizer.len()).unwrap_or(u32::MAX));
        writer.bytes(&self.tokenizer);
        let bytes = writer.finish();
        // A model may hold tensors of another size than the shape says, or elements out of bounds.
        Self::decode(&bytes)?;
        Ok(bytes)
    }
}

/// The one of `all` whose number is next.
fn variant<T: Copy>(reader: &mut Reader<'_>, what: &'static str, all: &[T]) -> Result<T, PackageError> {
    let [found] = reader.array(what)?;
    let variant = all.get(usize::from(found)).copied();
    variant.ok_or(PackageError::Unsupported { what, found })
}

fn sizes(shape: &Shape) -> [u32; 9] {
    [
        shape.vocabulary,
        shape.positions,
        shape.hidden,
        shape.layers,
        shape.heads,
        shape.key_value_heads,
        shape.head_size,
        shape.intermediate,
        shape.dense,
    ]
}
