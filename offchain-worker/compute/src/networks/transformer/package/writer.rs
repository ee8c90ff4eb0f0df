//! Writing a package.

use super::reader::Element;

/// What is written of a package.
#[derive(Default)]
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub fn u32(&mut self, number: u32) {
        self.bytes(&number.to_le_bytes());
    }

    /// A tensor. One whose elements are not as many as `shape` says makes a package that cannot be read.
    pub fn tensor<T: Element>(&mut self, name: &str, shape: &[u32], elements: &[T]) {
        self.bytes(&[name.len() as u8]);
        self.bytes(name.as_bytes());
        self.bytes(&[T::TYPE, shape.len() as u8]);
        for size in shape {
            self.u32(*size);
        }
        self.bytes(bytemuck::cast_slice(elements));
    }

    pub fn finish(self) -> Vec<u8> {
        self.0
    }
}
