//! The bytes of a network: a model package of architecture 1.

use super::{FIRST_SHIFT, NetworkError, Shape, within};
use agora_primitives::job::{ClassifierShape, InferenceNetwork, inference::MAX_CLASSIFIER_SHIFT};

/// What every model package begins with, the version included.
const MAGIC: [u8; 5] = *b"AGMP\x01";
/// Networks that classify images.
const ARCHITECTURE: u8 = 1;
/// Bytes before the weights.
const HEADER: usize = 24;

/// A network that can be applied: shape, scales and weights.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Package {
    /// The sizes.
    pub shape: Shape,
    /// The largest value of a pixel.
    pub maximum: u8,
    /// The first layer's sums are divided by two to this power.
    pub shift: u8,
    /// The weights of both layers, [`Shape::weights`] of them, −127 to 127.
    pub weights: Vec<i8>,
}

impl Package {
    /// The network of `shape` with `weights`, as training makes it.
    ///
    /// Errors: `Size`, `Weight`, and `Length` unless there are [`Shape::weights`].
    pub fn new(shape: Shape, maximum: u8, weights: Vec<i8>) -> Result<Self, NetworkError> {
        let package = Self {
            shape,
            maximum,
            shift: FIRST_SHIFT,
            weights,
        };
        package.validate_header()?;
        package.validate_weights()?;
        Ok(package)
    }

    /// Reads a package.
    ///
    /// Errors: `NoPackage`, `Architecture`, `Size`, `Length`, `Weight`. The sizes are checked before anything is
    /// allocated.
    pub fn decode(bytes: &[u8]) -> Result<Self, NetworkError> {
        let (header, weights) = bytes.split_first_chunk::<HEADER>().ok_or(NetworkError::NoPackage)?;
        let (magic, rest) = header.split_at(MAGIC.len());
        if magic != MAGIC {
            return Err(NetworkError::NoPackage);
        }
        if rest[0] != ARCHITECTURE {
            return Err(NetworkError::Architecture(rest[0]));
        }
        let size = |i: usize| u32::from(u16::from_le_bytes([rest[1 + 2 * i], rest[2 + 2 * i]]));
        let shape = Shape {
            width: size(0),
            height: size(1),
            window_width: size(2),
            window_height: size(3),
            padding: size(4),
            pool: size(5),
            channels: size(6),
            classes: size(7),
        };
        let mut package = Self {
            shape,
            maximum: rest[17],
            shift: rest[18],
            weights: Vec::new(),
        };
        package.validate_header()?;
        package.check_length(weights.len())?;
        package.weights = weights.iter().map(|&weight| weight.cast_signed()).collect();
        package.validate_weights()?;
        Ok(package)
    }

    /// The network, as a job says what it is.
    pub fn network(&self) -> InferenceNetwork {
        let [
            width,
            height,
            window_width,
            window_height,
            padding,
            pool,
            channels,
            classes,
        ] = self.sizes();
        let shape = ClassifierShape {
            width,
            height,
            window_width,
            window_height,
            padding,
            pool,
            channels,
            classes,
        };
        InferenceNetwork::Classification {
            shape,
            maximum: self.maximum,
            shift: self.shift,
        }
    }

    fn sizes(&self) -> [u16; 8] {
        let s = &self.shape;
        // Every size is at most 4096.
        [
            s.width,
            s.height,
            s.window_width,
            s.window_height,
            s.padding,
            s.pool,
            s.channels,
            s.classes,
        ]
        .map(|size| size as u16)
    }

    /// The package's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER + self.weights.len());
        bytes.extend(MAGIC);
        bytes.push(ARCHITECTURE);
        bytes.extend(self.sizes().into_iter().flat_map(u16::to_le_bytes));
        bytes.extend([self.maximum, self.shift]);
        bytes.extend(self.weights.iter().map(|&weight| weight.cast_unsigned()));
        bytes
    }

    fn validate_header(&self) -> Result<(), NetworkError> {
        self.shape.validate()?;
        within("largest pixel", self.maximum.into(), 1, u8::MAX.into())?;
        within("shift", self.shift.into(), 1, MAX_CLASSIFIER_SHIFT.into())
    }

    fn validate_weights(&self) -> Result<(), NetworkError> {
        self.check_length(self.weights.len())?;
        match self.weights.iter().position(|&weight| weight == i8::MIN) {
            Some(at) => Err(NetworkError::Weight(at)),
            None => Ok(()),
        }
    }

    fn check_length(&self, found: usize) -> Result<(), NetworkError> {
        let expected = self.shape.weights();
        if found == expected {
            return Ok(());
        }
        Err(NetworkError::Length {
            what: "the weights",
            expected: expected as u64,
            found: found as u64,
        })
    }
}
