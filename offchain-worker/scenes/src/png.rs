//! Outputs of rendering jobs as PNG files.

use image::{
    ColorType, ImageEncoder, ImageError,
    codecs::png::{CompressionType, FilterType, PngEncoder},
};

/// Why an output cannot be saved.
#[derive(thiserror::Error, Debug)]
pub enum PngError {
    /// The output is not as long as the image's size demands.
    #[error("the output has {found} bytes; an image of this size has {expected}")]
    Length {
        /// As the size demands.
        expected: u64,
        /// As it is.
        found: u64,
    },
    /// The file cannot be written.
    #[error("the image cannot be written: {0}")]
    Write(#[from] ImageError),
}

/// One frame of an output, `width` × `height` pixels of three bytes, as a PNG file.
///
/// Errors: `Length`, `Write`.
pub fn encode(frame: &[u8], width: u32, height: u32) -> Result<Vec<u8>, PngError> {
    let (expected, found) = (3 * u64::from(width) * u64::from(height), frame.len() as u64);
    if expected != found {
        return Err(PngError::Length { expected, found });
    }
    let mut file = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut file, CompressionType::Best, FilterType::Adaptive);
    encoder.write_image(frame, width, height, ColorType::Rgb8.into())?;
    Ok(file)
}
