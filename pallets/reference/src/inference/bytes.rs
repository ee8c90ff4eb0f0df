//! Numbers from and to bytes.

use crate::{Fault, Reader};
use agora_jobs::inference::Element;
use alloc::vec::Vec;

/// Reads `count` numbers made of `element` from byte `offset` on.
pub fn read_numbers(reader: &mut Reader<'_>, element: Element, offset: u64, count: u64) -> Result<Vec<i32>, Fault> {
    let size = count.saturating_mul(element.size());
    let bytes = reader.read_vec(offset, usize::try_from(size).unwrap_or(usize::MAX))?;
    Ok(match element {
        Element::I8 => bytes.iter().map(|&byte| byte.cast_signed().into()).collect(),
        Element::I16 => {
            let (numbers, _) = bytes.as_chunks();
            numbers
                .iter()
                .map(|&number| i16::from_le_bytes(number).into())
                .collect()
        }
        Element::I32 => {
            let (numbers, _) = bytes.as_chunks();
            numbers.iter().map(|&number| i32::from_le_bytes(number)).collect()
        }
    })
}

/// The bytes of numbers that are kept, four for each.
pub fn write_numbers(numbers: &[i32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}
