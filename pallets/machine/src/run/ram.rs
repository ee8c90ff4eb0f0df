//! Where the memory of a machine is while it runs.

use crate::{MEMORY_PAGES, PAGE_BYTES};
use alloc::{boxed::Box, vec, vec::Vec};

/// The memory of a machine: all zeroes at first.
pub(super) trait Ram {
    /// A memory of zeroes.
    fn zeroed() -> Self;

    /// The bytes from byte `at` of page `page` on, at least up to the end of the page. `None`: there is no such place.
    fn after(&self, page: u32, at: usize) -> Option<&[u8]>;

    /// The same, to be changed.
    fn after_mut(&mut self, page: u32, at: usize) -> Option<&mut [u8]>;
}

/// All of it, one byte after the other: the fastest, where 256 MiB of zeroes cost nothing until they are touched.
impl Ram for Vec<u8> {
    fn zeroed() -> Self {
        vec![0; (MEMORY_PAGES as usize).saturating_mul(PAGE_BYTES)]
    }

    #[inline(always)]
    fn after(&self, page: u32, at: usize) -> Option<&[u8]> {
        self.get((page as usize).saturating_mul(PAGE_BYTES).saturating_add(at)..)
    }

    #[inline(always)]
    fn after_mut(&mut self, page: u32, at: usize) -> Option<&mut [u8]> {
        self.get_mut((page as usize).saturating_mul(PAGE_BYTES).saturating_add(at)..)
    }
}

/// A page that nothing was written to.
static ZEROES: [u8; PAGE_BYTES] = [0; PAGE_BYTES];

/// The pages that were written to, each by itself, for those who have little memory: a chain, whose allocator gives no piece of more
/// than 32 MiB. A bounded run touches a page for every few hundred gas at most.
pub(super) struct Sparse {
    /// For each page its place among `pages`, from 1; 0 for those that nothing was written to.
    places: Vec<u32>,
    #[allow(clippy::vec_box, reason = "no piece of memory is to be larger than a page, however many there are")]
    pages: Vec<Box<[u8; PAGE_BYTES]>>,
}

impl Ram for Sparse {
    fn zeroed() -> Self {
        Self {
            places: vec![0; MEMORY_PAGES as usize],
            pages: Vec::new(),
        }
    }

    #[inline(always)]
    fn after(&self, page: u32, at: usize) -> Option<&[u8]> {
        let bytes = match self.places.get(page as usize)?.checked_sub(1) {
            Some(place) => self.pages.get(place as usize)?,
            None => &ZEROES,
        };
        bytes.get(at..)
    }

    #[inline(always)]
    fn after_mut(&mut self, page: u32, at: usize) -> Option<&mut [u8]> {
        let place = self.places.get_mut(page as usize)?;
        if *place == 0 {
            self.pages.push(Box::new(ZEROES));
            // There are 2¹⁸ pages.
            *place = self.pages.len() as u32;
        }
        self.pages.get_mut(place.checked_sub(1)? as usize)?.get_mut(at..)
    }
}
