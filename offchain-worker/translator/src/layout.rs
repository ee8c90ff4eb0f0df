//! Where everything lies in the memory of the Wasm instance.
//!
//! The lower 29 bits of an address of the machine are the place in it: the machine's memory comes first, and the image, at its
//! own address, behind it.

use agora_machine::{Arena, IMAGE_BASE, MAX_IMAGE_BYTES, MEMORY_BASE};

/// What is left of an address.
pub const MASK: u32 = 0x1FFF_FFFF;
/// The bits of an address above those that the memory needs.
pub const TOP_SHIFT: u32 = 28;
/// These bits, of the memory.
pub const MEMORY_TOP: u64 = MEMORY_BASE >> TOP_SHIFT;
/// These bits, of the image.
pub const IMAGE_TOP: u64 = IMAGE_BASE >> TOP_SHIFT;
/// The image.
pub const IMAGE: u32 = IMAGE_BASE as u32;
/// For each page of the memory, then for each chunk of the image, the segment in which it was touched last.
pub const STAMPS: u32 = IMAGE + MAX_IMAGE_BYTES as u32;
/// The registers, `x0` to `x31`.
pub const STATE: u32 = 0x1120_0000;
/// How many instructions may still be executed, a u64.
pub const FUEL: u32 = STATE + 256;
/// The number of the segment, a u32.
pub const SEGMENT: u32 = FUEL + 8;
/// How many pages the segment has touched, a u32.
pub const TOUCHED: u32 = SEGMENT + 4;
/// For each half of the translated part of the image the region and the number of the entry there, a u32. 0: there is none.
pub const ENTRIES: u32 = 0x1140_0000;
/// The end of all of it.
pub const END: u32 = ENTRIES + 2 * MAX_IMAGE_BYTES as u32;
/// Bytes of a page of Wasm.
pub const WASM_PAGE: u32 = 1 << 16;

const _: () = {
    assert!(Arena::MEMORY_BYTES == 1 << TOP_SHIFT && MEMORY_BASE & MASK as u64 == 0);
    assert!(IMAGE as usize == Arena::MEMORY_BYTES && MASK + 1 == 2 * IMAGE);
    assert!(STAMPS as usize + Arena::STAMP_BYTES <= STATE as usize);
    assert!(TOUCHED + 4 <= ENTRIES && END.is_multiple_of(WASM_PAGE));
};
