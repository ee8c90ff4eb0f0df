//! Classification: a network applied to an image. Specified in `docs/protocol/training.md`.

use crate::{
    Blobs, Fault, MAX_SCAN_BYTES, Output, Reader, Source, Step, Unit,
    counts::{product, sum, touched},
};
use agora_jobs::{BlobRef, ClassifierShape};
use alloc::{vec, vec::Vec};
use core::ops::Range;

/// Bytes of a package before the weights.
const HEADER: u64 = 24;
/// The constant inputs of the first and of the last layer, and the largest amount of a weight, an input and a feature.
const FIRST_CONSTANT: i32 = 127;
const LAST_CONSTANT: i32 = 32;
const MOST: i32 = 127;
/// Multiply–add operations of a block of channels at most, unless one channel has more.
const BLOCK_WORK: u64 = 1 << 27;
/// Weights of a block of channels at most, unless one channel has more.
const BLOCK_WEIGHTS: u64 = 1 << 21;

/// A network and its images, as the job says that they are.
///
/// The units of an image are blocks of channels of the first layer, whose features are kept, and the last layer.
pub struct Images<'a> {
    pub model: BlobRef,
    pub input: BlobRef,
    pub shape: &'a ClassifierShape,
    pub maximum: u8,
    pub shift: u8,
}

impl Images<'_> {
    fn package_scans(&self) -> u64 {
        self.model.size.div_ceil(MAX_SCAN_BYTES)
    }

    /// Units that scan package and images.
    pub fn scans(&self) -> u64 {
        sum([self.package_scans(), self.input.size.div_ceil(MAX_SCAN_BYTES)])
    }

    /// Unit `unit` of the scan.
    pub fn scan_unit(&self, unit: u64) -> Option<Unit> {
        (unit < self.scans()).then_some(Unit {
            output: Output::Kept { size: 0 },
            work: MAX_SCAN_BYTES,
            chunks: touched(MAX_SCAN_BYTES),
        })
    }

    /// Checks one MiB of the package or of the images.
    pub fn scan(&self, blobs: &dyn Blobs, unit: u64) -> Result<Vec<u8>, Fault> {
        let package = self.package_scans();
        let (blob, number) = match unit.checked_sub(package) {
            None => (self.model, unit),
            Some(number) => (self.input, number),
        };
        let start = product([number, MAX_SCAN_BYTES]);
        let size = blob.size.saturating_sub(start).min(MAX_SCAN_BYTES);
        let bytes = Reader::new(blobs, Source::Input(blob)).read_vec(start, size as usize)?;
        let (reason, wrong) = if unit >= package {
            let above = |&byte: &u8| byte > self.maximum;
            ("a pixel is above the maximum", bytes.iter().position(above))
        } else {
            self.wrong_in_package(start, &bytes)
        };
        match wrong {
            None => Ok(Vec::new()),
            Some(place) => Err(Fault::Unusable {
                reason,
                at: start.saturating_add(place as u64),
            }),
        }
    }

    /// What may be wrong in bytes of the package, which are at `start`, and where it is.
    fn wrong_in_package(&self, start: u64, bytes: &[u8]) -> (&'static str, Option<usize>) {
        let mut weights = bytes;
        let mut before = 0usize;
        if start == 0 {
            let header = self.header();
            let other = header.iter().zip(bytes).position(|(a, b)| a != b);
            if other.is_some() {
                return ("the package is not one of the network that the job says", other);
            }
            before = header.len();
            weights = bytes.get(before..).unwrap_or_default();
        }
        let wrong = weights.iter().position(|&byte| byte == 128);
        ("a weight is -128", wrong.map(|place| place.saturating_add(before)))
    }

    fn header(&self) -> Vec<u8> {
        let s = self.shape;
        let mut header = b"AGMP\x01\x01".to_vec();
        header.extend(
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
            .into_iter()
            .flat_map(u16::to_le_bytes),
        );
        header.extend([self.maximum, self.shift]);
        header
    }

    /// Channels of a block, except the last.
    fn block_channels(&self) -> u64 {
        let of = |all: u64, one: u64| all.checked_div(one).unwrap_or(1);
        of(BLOCK_WORK, self.shape.channel_work())
            .min(of(BLOCK_WEIGHTS, self.shape.inputs().into()))
            .max(1)
    }

    fn channel_blocks(&self) -> u64 {
        u64::from(self.shape.channels).div_ceil(self.block_channels())
    }

    /// Units of one image.
    pub fn units(&self) -> u64 {
        self.channel_blocks().saturating_add(1)
    }

    /// The channels of block `unit`; none for the last unit.
    fn channels(&self, unit: u64) -> Range<u64> {
        let most = u64::from(self.shape.channels);
        let start = product([unit, self.block_channels()]).min(most);
        start..sum([start, self.block_channels()]).min(most)
    }

    /// Unit `unit` of an image.
    pub fn unit(&self, unit: u64) -> Option<Unit> {
        let shape = self.shape;
        let blocks = self.channel_blocks();
        if unit < blocks {
            let channels = self.channels(unit);
            let channels = channels.end.saturating_sub(channels.start);
            return Some(Unit {
                output: Output::Kept {
                    size: product([channels, shape.positions().into()]),
                },
                work: sum([product([channels, shape.channel_work()]), shape.pixels().into()]),
                chunks: sum([
                    touched(shape.pixels().into()),
                    touched(product([channels, shape.inputs().into()])),
                ]),
            });
        }
        (unit == blocks).then_some(Unit {
            output: Output::Part {
                offset: 0,
                size: shape.output_bytes().into(),
            },
            work: shape.last_work(),
            // Each block of features begins a chunk.
            chunks: sum([
                touched(shape.features().into()),
                blocks << 1,
                touched(shape.last_work()),
            ]),
        })
    }

    /// Computes unit `unit` of image `image`, whose output is the state of `step`.
    pub fn compute(&self, blobs: &dyn Blobs, step: Step, image: u64, unit: u64) -> Result<Vec<u8>, Fault> {
        if unit < self.channel_blocks() {
            let padded = self.padded(blobs, image)?;
            let channels = self.channels(unit);
            let inputs = u64::from(self.shape.inputs());
            let weight = |channel: u64| product([channel, inputs]);
            let weights = self.weights(blobs, weight(channels.start)..weight(channels.end))?;
            let rows = weights.chunks_exact(inputs.max(1) as usize);
            return Ok(rows.flat_map(|weights| self.features(&padded, weights)).collect());
        }
        self.logits(blobs, step)
    }

    /// Weights, none of them −128.
    fn weights(&self, blobs: &dyn Blobs, range: Range<u64>) -> Result<Vec<i32>, Fault> {
        let size = range.end.saturating_sub(range.start) as usize;
        let mut reader = Reader::new(blobs, Source::Input(self.model));
        let bytes = reader.read_vec(range.start.saturating_add(HEADER), size)?;
        let weight = |byte: u8| i32::from(byte.cast_signed()).max(-MOST);
        Ok(bytes.into_iter().map(weight).collect())
    }

    /// The inputs of an image, with the zeros around them.
    fn padded(&self, blobs: &dyn Blobs, image: u64) -> Result<Vec<i32>, Fault> {
        let shape = self.shape;
        let pixels = u64::from(shape.pixels());
        let mut reader = Reader::new(blobs, Source::Input(self.input));
        let pixels = reader.read_vec(product([image, pixels]), pixels as usize)?;
        let maximum = i32::from(self.maximum);
        let input = |pixel: u8| {
            let pixel = i32::from(pixel).min(maximum);
            let scaled = pixel.saturating_mul(MOST).saturating_add(maximum >> 1);
            scaled.checked_div(maximum).unwrap_or(0)
        };
        let padding = usize::from(shape.padding);
        let (wide, high) = shape.padded();
        let mut padded = vec![0; (wide as usize).saturating_mul(high as usize)];
        let rows = padded.chunks_exact_mut((wide as usize).max(1)).skip(padding);
        for (row, pixels) in rows.zip(pixels.chunks_exact(usize::from(shape.width).max(1))) {
            for (place, &pixel) in row.iter_mut().skip(padding).zip(pixels) {
                *place = input(pixel);
            }
        }
        Ok(padded)
    }

    /// The features of a channel, position by position.
    fn features(&self, padded: &[i32], weights: &[i32]) -> Vec<u8> {
        let (wide, high) = self.shape.pooled();
        let pool = u32::from(self.shape.pool);
        let half = 1i32.wrapping_shl(u32::from(self.shift).saturating_sub(1));
        let mut features = Vec::new();
        for top in 0..high {
            for left in 0..wide {
                let mut most = i32::MIN;
                for i in 0..pool {
                    for j in 0..pool {
                        let y = top.saturating_mul(pool).saturating_add(i);
                        let x = left.saturating_mul(pool).saturating_add(j);
                        most = most.max(self.window(padded, weights, y as usize, x as usize));
                    }
                }
                let feature = most.saturating_add(half).wrapping_shr(self.shift.into());
                // Within 0..=127.
                features.push(feature.clamp(0, MOST) as u8);
            }
        }
        features
    }

    /// The sum at one position of the window.
    fn window(&self, padded: &[i32], weights: &[i32], y: usize, x: usize) -> i32 {
        let wide = self.shape.padded().0 as usize;
        let window = usize::from(self.shape.window_width);
        let rows = padded.chunks_exact(wide.max(1)).skip(y);
        let Some((constant, weights)) = weights.split_last() else {
            return 0;
        };
        let inputs = rows
            .take(self.shape.window_height.into())
            .flat_map(|row| row.iter().skip(x).take(window));
        // Below 2²⁷ in amount.
        let sum = inputs.zip(weights).fold(0i32, |sum, (&input, &weight)| {
            sum.wrapping_add(input.wrapping_mul(weight))
        });
        sum.wrapping_add(constant.wrapping_mul(FIRST_CONSTANT))
    }

    /// The last layer.
    fn logits(&self, blobs: &dyn Blobs, step: Step) -> Result<Vec<u8>, Fault> {
        let mut features: Vec<i32> = Vec::new();
        for unit in 0..self.channel_blocks() {
            let channels = self.channels(unit);
            let channels = channels.end.saturating_sub(channels.start);
            let size = product([channels, self.shape.positions().into()]) as usize;
            let mut reader = Reader::new(blobs, Source::Kept(step, unit));
            let kept = reader.read_vec(0, size)?;
            features.extend(kept.into_iter().map(|feature| i32::from(feature).min(MOST)));
        }
        features.push(LAST_CONSTANT);
        let first = u64::from(self.shape.first_weights());
        let weights = self.weights(blobs, first..u64::from(self.shape.weights()))?;
        let logit = |weights: &[i32]| {
            // Below 2²⁸ in amount.
            weights.iter().zip(&features).fold(0i32, |sum, (&weight, &feature)| {
                sum.wrapping_add(weight.wrapping_mul(feature))
            })
        };
        let classes = weights.chunks_exact(features.len());
        Ok(classes.flat_map(|weights| logit(weights).to_le_bytes()).collect())
    }
}
