//! Contents of blobs, in memory.

use crate::{Blob, PAGE_BYTES, Page};
use alloc::vec::Vec;
use core::{mem::MaybeUninit, ops::Deref, ops::Range, slice};

/// Bytes of a blob, in memory.
pub struct Content {
    /// The chunks in which they are.
    pages: Vec<MaybeUninit<Page>>,
    /// Where in these they begin.
    from: usize,
    length: usize,
}

impl Deref for Content {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: `Blob::range` has read the pages from their first byte to the last one of these.
        unsafe { slice::from_raw_parts(self.pages.as_ptr().cast::<u8>().add(self.from), self.length) }
    }
}

impl Blob {
    /// All of it.
    ///
    /// Traps if the memory does not suffice.
    pub fn bytes(&self) -> Content {
        self.range(0..self.size)
    }

    /// The bytes of `range`, as far as there are so many.
    ///
    /// Traps if the memory does not suffice.
    pub fn range(&self, range: Range<u64>) -> Content {
        const PAGE: u64 = PAGE_BYTES as u64;
        let end = range.end.min(self.size);
        let start = range.start.min(end);
        let (first, last) = (start / PAGE, end.div_ceil(PAGE));
        let mut pages = Vec::<MaybeUninit<Page>>::new();
        if start < end {
            pages.reserve_exact((last - first) as usize);
            for (index, page) in (first..last).zip(pages.spare_capacity_mut()) {
                // SAFETY: the memory is the vector's.
                unsafe { self.read_to(index, page.as_mut_ptr().cast()) };
            }
            // SAFETY: pages that hold nothing are what the vector is of.
            unsafe { pages.set_len((last - first) as usize) };
        }
        Content {
            pages,
            from: (start % PAGE) as usize,
            length: (end - start) as usize,
        }
    }

    /// The lines of which `part`, of `parts` equally long ones, has the first byte: so each line of a text is in exactly one part, and whole.
    ///
    /// Traps if there is no such part, or the memory does not suffice.
    pub fn lines(&self, part: u64, parts: u64) -> Content {
        assert!(part < parts, "there are fewer parts");
        let border = |part: u64| (u128::from(self.size) * u128::from(part) / u128::from(parts)) as u64;
        self.range(self.line_from(border(part))..self.line_from(border(part + 1)))
    }

    /// Where the first line begins that does not begin before byte `at`.
    fn line_from(&self, at: u64) -> u64 {
        const PAGE: u64 = PAGE_BYTES as u64;
        let Some(before) = at.checked_sub(1) else { return 0 };
        let mut page = Page([0; PAGE_BYTES]);
        let (mut chunk, mut from) = (before / PAGE, (before % PAGE) as usize);
        loop {
            let length = self.read(chunk, &mut page);
            if length == 0 {
                return self.size;
            }
            let rest = page.0.get(from..length).unwrap_or_default();
            if let Some(found) = rest.iter().position(|&byte| byte == b'\n') {
                return chunk * PAGE + (from + found) as u64 + 1;
            }
            (chunk, from) = (chunk + 1, 0);
        }
    }
}
