//! What a program writes.

use crate::{PAGE_BYTES, Page, write};
use core::fmt;

/// The output of a run: bytes and, by [`core::fmt::Write`], text. It reaches the machine a page at a time.
pub struct Output {
    page: Page,
    filled: usize,
}

impl Output {
    /// An output of which nothing was written. One for each run: `item!` makes it.
    #[doc(hidden)]
    pub const fn new() -> Self {
        Self {
            page: Page([0; PAGE_BYTES]),
            filled: 0,
        }
    }

    /// Appends `bytes`.
    ///
    /// Traps if the output has more than 1 MiB then.
    pub fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let count = bytes.len().min(PAGE_BYTES - self.filled);
            let (now, later) = bytes.split_at(count);
            self.page.0[self.filled..self.filled + count].copy_from_slice(now);
            self.filled += count;
            bytes = later;
            if self.filled == PAGE_BYTES {
                write(&self.page, PAGE_BYTES);
                self.filled = 0;
            }
        }
    }

    /// Hands over what is left.
    #[doc(hidden)]
    pub fn finish(self) {
        if self.filled > 0 {
            write(&self.page, self.filled);
        }
    }
}

impl fmt::Write for Output {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text.as_bytes());
        Ok(())
    }
}
