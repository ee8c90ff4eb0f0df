//! Data sets: images with their classes, as bytes.

use crate::networks::classifier::{NetworkError, Shape, check_pixels};

/// What a data set begins with, the version included.
const MAGIC: [u8; 5] = *b"AGDS\x01";
/// Bytes before the pixels.
const HEADER: usize = 16;

/// Why a data set cannot be used.
#[derive(thiserror::Error, Clone, PartialEq, Eq, Debug)]
pub enum DataError {
    /// The bytes are no data set, or one of another version.
    #[error("the bytes are no data set of version 1")]
    NoDataset,
    /// A size or count is zero.
    #[error("the data set's {0} is zero")]
    Zero(&'static str),
    /// The bytes are more or fewer than the sizes demand.
    #[error("the data set must have {expected} bytes, and has {found}")]
    Length {
        /// As the sizes demand.
        expected: u64,
        /// The length found.
        found: u64,
    },
    /// A pixel is above the maximum.
    #[error("the data set cannot be used: {0}")]
    Pixel(#[from] NetworkError),
    /// An image has a class that does not exist.
    #[error("image {image} is of class {class}, and there are {classes} classes")]
    Class {
        /// Its index.
        image: usize,
        /// Its class, counted from 0.
        class: u8,
        /// How many there are.
        classes: u16,
    },
    /// The images are not what the job says.
    #[error("the data set's {what} is {found}, and the job's {expected}")]
    Unfit {
        /// What differs.
        what: &'static str,
        /// As the job says.
        expected: u32,
        /// What the data set says.
        found: u32,
    },
}

/// Images of one size with their classes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dataset {
    /// The largest value of a pixel, at least 1.
    pub maximum: u8,
    /// Width of each image.
    pub width: u16,
    /// Height of each image.
    pub height: u16,
    /// How many classes there are.
    pub classes: u16,
    /// The images one after the other, row by row.
    pub pixels: Vec<u8>,
    /// The class of each image, counted from 0.
    pub labels: Vec<u8>,
}

impl Dataset {
    /// Reads a data set.
    ///
    /// Errors: `NoDataset`, `Zero`, `Length`, `Pixel`, `Class`. The sizes are compared with the length before anything
    /// is allocated.
    pub fn decode(bytes: &[u8]) -> Result<Self, DataError> {
        let (header, rest) = bytes.split_first_chunk::<HEADER>().ok_or(DataError::NoDataset)?;
        if header[..5] != MAGIC {
            return Err(DataError::NoDataset);
        }
        let size = |i: usize| u16::from_le_bytes([header[i], header[i + 1]]);
        let (width, height, classes) = (size(6), size(8), size(10));
        let [.., a, b, c, d] = *header;
        let count = u32::from_le_bytes([a, b, c, d]);
        let image = u64::from(width) * u64::from(height);
        // Below 2⁶⁵ in theory, so in wide numbers.
        let expected = (u128::from(image) + 1) * u128::from(count);
        if rest.len() as u128 != expected {
            return Err(DataError::Length {
                expected: u64::try_from(expected)
                    .unwrap_or(u64::MAX)
                    .saturating_add(HEADER as u64),
                found: bytes.len() as u64,
            });
        }
        // As many as the rest has bytes, at most.
        let (pixels, labels) = rest.split_at(rest.len() - count as usize);
        let data = Self {
            maximum: header[5],
            width,
            height,
            classes,
            pixels: pixels.to_vec(),
            labels: labels.to_vec(),
        };
        data.validate()?;
        Ok(data)
    }

    /// The data set's bytes.
    ///
    /// Errors: as [`Dataset::decode`].
    pub fn encode(&self) -> Result<Vec<u8>, DataError> {
        self.validate()?;
        let mut bytes = Vec::with_capacity(HEADER + self.pixels.len() + self.labels.len());
        bytes.extend(MAGIC);
        bytes.push(self.maximum);
        for size in [self.width, self.height, self.classes] {
            bytes.extend(size.to_le_bytes());
        }
        bytes.extend(self.count().to_le_bytes());
        bytes.extend(&self.pixels);
        bytes.extend(&self.labels);
        Ok(bytes)
    }

    /// Number of images.
    pub fn count(&self) -> u32 {
        // A data set is a blob, whose length fits in 32 bits.
        self.labels.len() as u32
    }

    /// Errors: `Unfit` unless the images and classes are those of `shape`.
    pub(super) fn fits(&self, shape: &Shape) -> Result<(), DataError> {
        let pairs = [
            ("image width", shape.width, self.width),
            ("image height", shape.height, self.height),
            ("number of classes", shape.classes, self.classes),
        ];
        match pairs.into_iter().find(|&(_, a, b)| a != u32::from(b)) {
            None => Ok(()),
            Some((what, expected, found)) => Err(DataError::Unfit {
                what,
                expected,
                found: found.into(),
            }),
        }
    }

    fn validate(&self) -> Result<(), DataError> {
        let sizes = [
            ("largest pixel", usize::from(self.maximum)),
            ("image width", self.width.into()),
            ("image height", self.height.into()),
            ("number of classes", self.classes.into()),
            ("number of images", self.labels.len()),
        ];
        if let Some((what, _)) = sizes.into_iter().find(|&(_, size)| size == 0) {
            return Err(DataError::Zero(what));
        }
        let image = u64::from(self.width) * u64::from(self.height);
        let expected = image.saturating_mul(self.labels.len() as u64);
        if u32::try_from(self.labels.len()).is_err() || self.pixels.len() as u64 != expected {
            return Err(DataError::Length {
                expected,
                found: self.pixels.len() as u64,
            });
        }
        check_pixels(&self.pixels, self.maximum)?;
        match self.labels.iter().position(|&class| u16::from(class) >= self.classes) {
            None => Ok(()),
            Some(image) => Err(DataError::Class {
                image,
                class: self.labels[image],
                classes: self.classes,
            }),
        }
    }
}
