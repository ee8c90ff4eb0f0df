//! What the rows of a product are scaled by before the next product reads them.

use crate::device::{Context, DeviceError};

/// The most rows that can be scaled. The shader has an array of as many bytes; every device allows four times as many in a
/// uniform buffer.
pub(super) const MAX_ROWS: u32 = 4096;

/// A canonical residue for each row, in a uniform buffer: every invocation of a tile reads the same ones.
pub(crate) struct Scales(pub(super) wgpu::Buffer);

impl Scales {
    /// The bytes of their buffer.
    pub const BYTES: u64 = MAX_ROWS as u64;

    /// Zeros.
    ///
    /// Errors: `Limit`.
    pub fn new(context: &Context) -> Result<Self, DeviceError> {
        let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
        context.buffer("scales", Self::BYTES, usage).map(Self)
    }

    /// Has all products that are submitted from now on scale by `residues`, and by zero beyond their end. What is recorded
    /// and not submitted yet is among them.
    ///
    /// Errors: `Refused` if there are more than [`MAX_ROWS`].
    pub fn write(&self, context: &Context, residues: &[u8]) -> Result<(), DeviceError> {
        let mut bytes = [0; MAX_ROWS as usize];
        let Some(part) = bytes.get_mut(..residues.len()) else {
            return Err(context.refused("more rows than can be scaled"));
        };
        part.copy_from_slice(residues);
        context.queue.write_buffer(&self.0, 0, &bytes);
        Ok(())
    }
}

/// The scales of the rows of one product.
#[derive(Clone, Copy)]
pub(crate) struct ScalesView<'a> {
    /// Where they are.
    pub scales: &'a Scales,
    /// The scale that the first row of the product has; a multiple of 16.
    pub first_row: u32,
}
