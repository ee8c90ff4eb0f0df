//! Classification: a network applied to a batch of images.

use super::{
    InputTable, NetworkError, Package, check_pixels,
    forward::{Forward, Weights},
};
use rayon::prelude::*;

/// Images that one task classifies.
const IMAGES_PER_TASK: usize = 16;

/// Applies the network `package` (the bytes of a [`Package`]) to `items` images.
///
/// `pixels` are the images one after the other, row by row, one byte a pixel. Returns the logits of each image, one for
/// each class, as `i32` little endian: `4 · classes` bytes an image.
/// Errors: as [`Package::decode`]; `Length` and `Pixel` for images that do not fit the network.
/// Complexity: [`Shape::work`](super::Shape::work) multiply–adds an image, on all cores.
pub fn classify(package: &[u8], pixels: &[u8], items: u32) -> Result<Vec<u8>, NetworkError> {
    let package = Package::decode(package)?;
    check_images(&package, pixels, items)?;
    let shape = &package.shape;
    let weights = Weights::new(shape, package.weights.iter().map(|&weight| weight.into()));
    let table = InputTable::new(package.maximum);
    let logits = pixels
        .par_chunks(shape.pixels() * IMAGES_PER_TASK)
        .flat_map_iter(|images| {
            let mut forward = Forward::new(shape);
            let mut inputs = vec![0; shape.padded_pixels()];
            let mut logits = Vec::with_capacity(IMAGES_PER_TASK * shape.classes as usize * 4);
            for image in images.chunks_exact(shape.pixels()) {
                table.fill(shape, image, &mut inputs);
                forward.run(shape, &weights, package.shift, &inputs);
                logits.extend(forward.logits.iter().flat_map(|logit| logit.to_le_bytes()));
            }
            logits
        });
    Ok(logits.collect())
}

/// The answers in what [`classify`] returns: for each image the class with the largest logit, the first of several.
///
/// Bytes after the last whole image are ignored, and no classes give no answers.
pub fn labels(logits: &[u8], classes: u32) -> Vec<u32> {
    let label = |image: &[u8]| {
        let mut best = (0, i32::MIN);
        for (class, &logit) in (0..).zip(image.as_chunks::<4>().0) {
            let logit = i32::from_le_bytes(logit);
            if logit > best.1 {
                best = (class, logit);
            }
        }
        best.0
    };
    match classes as usize {
        0 => Vec::new(),
        classes => logits.chunks_exact(4 * classes).map(label).collect(),
    }
}

/// Errors: `Length` and `Pixel` for images that do not fit the network.
pub(super) fn check_images(package: &Package, pixels: &[u8], items: u32) -> Result<(), NetworkError> {
    let expected = package.shape.pixels() as u64 * u64::from(items);
    if pixels.len() as u64 != expected {
        return Err(NetworkError::Length {
            what: "the images",
            expected,
            found: pixels.len() as u64,
        });
    }
    check_pixels(pixels, package.maximum)
}
