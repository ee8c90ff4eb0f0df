//! Outputs of rendering jobs as PNG files.

use ::png::{BitDepth, ColorType, Compression, Encoder, EncodingError, Filter};

/// Why an output cannot be saved.
#[derive(thiserror::Error, Debug)]
pub enum PngError {
    /// The output is not as long as the image's size demands.
    #[error("the output has {found} bytes; an image of this size has {expected}")]
    Length {
        /// As the size demands.
        expected: u64,
        /// The length found.
        found: u64,
    },
    /// The file cannot be written.
    #[error("the image cannot be written: {0}")]
    Write(#[from] EncodingError),
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
    let mut encoder = Encoder::new(&mut file, width, height);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::High);
    encoder.set_filter(Filter::Adaptive);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(frame)?;
    writer.finish()?;
    Ok(file)
}
