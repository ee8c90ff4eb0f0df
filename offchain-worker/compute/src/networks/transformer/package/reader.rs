//! Reading what is written in a package, never more than there is.

use super::PackageError;
use std::{fmt::Display, ops::RangeInclusive};

/// What tensors are made of.
pub(super) trait Element: bytemuck::Pod + Into<i32> + PartialOrd + Display {
    /// The type's number.
    const TYPE: u8;
    /// The type's name.
    const NAME: &'static str;
}

impl Element for i8 {
    const TYPE: u8 = 0;
    const NAME: &'static str = "i8";
}

impl Element for i16 {
    const TYPE: u8 = 1;
    const NAME: &'static str = "i16";
}

impl Element for i32 {
    const TYPE: u8 = 2;
    const NAME: &'static str = "i32";
}

/// What is left of a package.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next `count` bytes, of what is called `part`.
    pub fn bytes(&mut self, count: u64, part: &str) -> Result<&'a [u8], PackageError> {
        let left = self.0.len() as u64;
        let split = usize::try_from(count)
            .ok()
            .and_then(|count| self.0.split_at_checked(count));
        let (bytes, rest) = split.ok_or_else(|| PackageError::Truncated {
            part: part.to_owned(),
            missing: count.saturating_sub(left),
        })?;
        self.0 = rest;
        Ok(bytes)
    }

    pub fn array<const N: usize>(&mut self, part: &str) -> Result<[u8; N], PackageError> {
        let mut array = [0; N];
        array.copy_from_slice(self.bytes(N as u64, part)?);
        Ok(array)
    }

    pub fn u32(&mut self, part: &str) -> Result<u32, PackageError> {
        self.array(part).map(u32::from_le_bytes)
    }

    /// The elements of the next tensor, which must be called `name` and have `shape`.
    pub fn tensor<T: Element>(&mut self, name: &str, shape: &[u32]) -> Result<Vec<T>, PackageError> {
        let mut header = vec![name.len() as u8];
        header.extend(name.bytes());
        header.extend([T::TYPE, shape.len() as u8]);
        header.extend(shape.iter().flat_map(|size| size.to_le_bytes()));
        if self.bytes(header.len() as u64, name)? != header {
            return Err(PackageError::Tensor {
                expected: name.to_owned(),
                shape: shape.to_vec(),
                element: T::NAME,
            });
        }
        let elements = shape
            .iter()
            .try_fold(size_of::<T>() as u64, |count, &size| count.checked_mul(size.into()));
        let bytes = self.bytes(elements.unwrap_or(u64::MAX), name)?;
        // Packages are little endian, as all processors are that this is built for; the assertion says so.
        const { assert!(cfg!(target_endian = "little")) };
        Ok(bytemuck::pod_collect_to_vec(bytes))
    }

    /// As [`Self::tensor`], with every element in `bounds`.
    pub fn bounded<T: Element>(
        &mut self,
        name: &str,
        shape: &[u32],
        bounds: RangeInclusive<T>,
    ) -> Result<Vec<T>, PackageError> {
        let elements = self.tensor(name, shape)?;
        match elements.iter().find(|element| !bounds.contains(element)) {
            None => Ok(elements),
            Some(&found) => Err(PackageError::Element {
                tensor: name.to_owned(),
                found: found.into(),
                least: (*bounds.start()).into(),
                most: (*bounds.end()).into(),
            }),
        }
    }

    /// The only element of the next tensor.
    pub fn scalar<T: Element>(&mut self, name: &str, bounds: RangeInclusive<T>) -> Result<T, PackageError> {
        let elements = self.bounded(name, &[1], bounds)?;
        fixed(elements, name).map(|only: Box<[T; 1]>| only[0])
    }

    pub fn end(self) -> Result<(), PackageError> {
        match self.0.len() {
            0 => Ok(()),
            left => Err(PackageError::Trailing(left)),
        }
    }
}

/// `elements` as an array.
pub(super) fn fixed<T: Element, const N: usize>(elements: Vec<T>, name: &str) -> Result<Box<[T; N]>, PackageError> {
    elements.try_into().map_err(|_| PackageError::Tensor {
        expected: name.to_owned(),
        shape: vec![N as u32],
        element: T::NAME,
    })
}
