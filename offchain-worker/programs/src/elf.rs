//! The image of an executable: what of it lies in the machine's memory before the program starts.

use agora_machine::{IMAGE_BASE, MAX_IMAGE_BYTES, MEMORY_BASE};

/// How executables begin.
const MAGIC: &[u8] = b"\x7fELF";
/// The number of RISC-V among the processors of executables.
const RISC_V: u16 = 243;
/// An executable whose addresses are final.
const EXECUTABLE: u16 = 2;
/// Bytes of what an executable says of a part.
const HEADER_BYTES: usize = 56;
/// A part that is loaded.
const LOAD: u32 = 1;
/// Parts that a loader of an operating system would read: it links other files, or makes memory for each thread.
const FOR_A_LOADER: [u32; 3] = [2, 3, 7];
/// Of a part: it is written to.
const WRITABLE: u32 = 2;
/// Of the executable: it passes floats in registers that the machine does not have, or has only half of the registers.
const OTHER_CALLS: u32 = 0b1110;

/// Why there is no image of an executable.
#[derive(thiserror::Error, Clone, Copy, PartialEq, Eq, Debug)]
pub enum ImageError {
    /// It ends too early, or what it says of itself contradicts itself.
    #[error("the executable is damaged: it ends too early")]
    Truncated,
    /// It is not for 64-bit RISC-V.
    #[error("the executable is for another processor: compile it for riscv64imac-unknown-none-elf")]
    OtherProcessor,
    /// It is a library, or not linked yet.
    #[error("the file is no executable: link it with the script link.ld")]
    NotLinked,
    /// Something would have to load it.
    #[error(
        "the executable wants an operating system to load it: link it statically (-static, no thread-local variables)"
    )]
    WantsLoader,
    /// It needs registers for floats.
    #[error(
        "the executable passes floats in registers that the machine does not have: compile it with -mabi=lp64 -march=rv64imac"
    )]
    Floats,
    /// It does not begin with its first instruction.
    #[error(
        "the program begins at {0:#x}, not at {IMAGE_BASE:#x}: put its start first, as link.ld does with the section .init"
    )]
    Start(u64),
    /// A part lies where there is no image.
    #[error("the executable has bytes at {0:#x}, outside of the image: link it with the script link.ld")]
    Outside(u64),
    /// A part is in the image, where nothing can be written, and is written to.
    #[error(
        "the executable writes to the image, at {0:#x}: variables belong into the memory from {MEMORY_BASE:#x} on, as link.ld has them"
    )]
    Writes(u64),
    /// Two parts lie at one place.
    #[error("two parts of the executable lie at {0:#x}")]
    Overlap(u64),
    /// There is nothing in it.
    #[error("the executable is empty")]
    Empty,
}

/// The image of the executable `elf`: its loaded bytes as they lie from the image's first address on, with zeroes between them.
///
/// `None` if it is no executable at all, by its first bytes: then it may be an image already.
/// Errors: what is wrong with the executable. Complexity: O(size of the image), which is at most [`MAX_IMAGE_BYTES`].
pub fn image_of(elf: &[u8]) -> Option<Result<Vec<u8>, ImageError>> {
    elf.starts_with(MAGIC).then(|| flat(elf))
}

fn flat(elf: &[u8]) -> Result<Vec<u8>, ImageError> {
    // Of 64 bits, little endian.
    if elf.get(4..6) != Some(&[2, 1]) || u16_at(elf, 18)? != RISC_V {
        return Err(ImageError::OtherProcessor);
    }
    if u16_at(elf, 16)? != EXECUTABLE {
        return Err(ImageError::NotLinked);
    }
    if u32_at(elf, 48)? & OTHER_CALLS != 0 {
        return Err(ImageError::Floats);
    }
    let entry = u64_at(elf, 24)?;
    if entry != IMAGE_BASE {
        return Err(ImageError::Start(entry));
    }
    let mut parts = parts(elf)?;
    parts.sort_unstable_by_key(|part| part.0);
    let mut image = Vec::new();
    for (offset, bytes) in parts {
        if offset < image.len() {
            return Err(ImageError::Overlap(IMAGE_BASE + offset as u64));
        }
        image.resize(offset, 0);
        image.extend_from_slice(bytes);
    }
    if image.is_empty() {
        return Err(ImageError::Empty);
    }
    Ok(image)
}

/// What is loaded: where in the image, and the bytes.
fn parts(elf: &[u8]) -> Result<Vec<(usize, &[u8])>, ImageError> {
    let (first, size, count) = (u64_at(elf, 32)?, u16_at(elf, 54)?, u16_at(elf, 56)?);
    let mut parts = Vec::new();
    for number in 0..u64::from(count) {
        let at = first
            .checked_add(number * u64::from(size))
            .ok_or(ImageError::Truncated)?;
        let from = usize::try_from(at).map_err(|_| ImageError::Truncated)?;
        let header = elf.get(from..).and_then(|rest| rest.get(..HEADER_BYTES));
        let header = header.ok_or(ImageError::Truncated)?;
        let kind = u32_at(header, 0)?;
        if FOR_A_LOADER.contains(&kind) {
            return Err(ImageError::WantsLoader);
        }
        if kind == LOAD {
            parts.extend(part(elf, header)?);
        }
    }
    Ok(parts)
}

/// The part of `header`. `None`: it has no bytes, only memory.
fn part<'a>(elf: &'a [u8], header: &[u8]) -> Result<Option<(usize, &'a [u8])>, ImageError> {
    let (from, address, place) = (u64_at(header, 8)?, u64_at(header, 16)?, u64_at(header, 24)?);
    let (bytes, memory) = (u64_at(header, 32)?, u64_at(header, 40)?);
    let written = u32_at(header, 4)? & WRITABLE != 0 || memory > bytes;
    if memory > 0 && written && address < MEMORY_BASE {
        return Err(ImageError::Writes(address));
    }
    if bytes == 0 {
        return Ok(None);
    }
    let outside = || ImageError::Outside(place);
    let offset = place.checked_sub(IMAGE_BASE).ok_or_else(outside)?;
    let end = offset.checked_add(bytes).ok_or_else(outside)?;
    if end > MAX_IMAGE_BYTES {
        return Err(outside());
    }
    let within = |number: u64| usize::try_from(number).map_err(|_| ImageError::Truncated);
    let (from, length) = (within(from)?, within(bytes)?);
    let end = from.checked_add(length).ok_or(ImageError::Truncated)?;
    let content = elf.get(from..end).ok_or(ImageError::Truncated)?;
    Ok(Some((within(offset)?, content)))
}

fn bytes_at<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], ImageError> {
    let found = bytes.get(at..).and_then(|rest| rest.first_chunk());
    found.copied().ok_or(ImageError::Truncated)
}

fn u16_at(bytes: &[u8], at: usize) -> Result<u16, ImageError> {
    bytes_at(bytes, at).map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32, ImageError> {
    bytes_at(bytes, at).map(u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Result<u64, ImageError> {
    bytes_at(bytes, at).map(u64::from_le_bytes)
}

#[cfg(test)]
mod tests;
