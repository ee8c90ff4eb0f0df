//! What a program for the Agora machine needs: its start, a heap, and the machine's calls.
//!
//! A program that is run for each item of a job, or for each step of a fold:
//!
//! ```ignore
//! #![no_std]
//! #![no_main]
//!
//! use agora_guest::{Arguments, End, Output};
//! use core::fmt::Write;
//!
//! agora_guest::item!(main);
//!
//! fn main(arguments: &Arguments, output: &mut Output) -> End {
//!     let text = arguments.inputs[0].lines(arguments.item, arguments.items);
//!     let _ = writeln!(output, "{} bytes", text.len());
//!     End::Done
//! }
//! ```
//!
//! A program cannot see anything but its arguments and the blobs that they name: each run gives the same output everywhere. If it panics it
//! traps, and `agora program run` says in which line.

#![no_std]

extern crate alloc;

mod arguments;
mod content;
mod heap;
mod output;
pub mod random;
mod start;

pub use arguments::{Arguments, Before, Ending};
pub use content::Content;
pub use output::Output;

use core::{arch::asm, panic::PanicInfo};

/// Bytes of a page, and of a chunk of a blob.
pub const PAGE_BYTES: usize = 1024;

/// The reference to a blob: BLAKE3 hash and length.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C, align(64))]
pub struct Blob {
    /// The hash of its content.
    pub hash: [u8; 32],
    /// Its length in bytes.
    pub size: u64,
}

/// A page.
#[derive(Clone, Copy)]
#[repr(C, align(1024))]
pub struct Page(pub [u8; PAGE_BYTES]);

/// How a run ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// The output is complete.
    Done,
    /// The input is not what the program demands.
    Unusable,
}

impl Blob {
    /// Reads chunk `index` to `page`, and returns how many bytes it has; 0 if the blob ends before. The rest of the page stays as
    /// it was.
    pub fn read(&self, index: u64, page: &mut Page) -> usize {
        // SAFETY: `page` can be written to.
        unsafe { self.read_to(index, page) }
    }

    /// As [`Self::read`], to memory that may hold nothing yet.
    ///
    /// # Safety
    ///
    /// `page` can be written to.
    unsafe fn read_to(&self, index: u64, page: *mut Page) -> usize {
        let length: u64;
        // SAFETY: the machine reads 40 bytes at `self`, whose alignment keeps them in one page, and writes to `page` alone.
        unsafe {
            asm!(
                "ecall",
                in("a7") 1u64,
                inlateout("a0") self as *const Self as u64 => length,
                in("a1") index,
                in("a2") page as u64,
                options(nostack),
            );
        }
        length as usize
    }
}

/// Appends the first `length` bytes of `page` to the output: 1024, or fewer for the last time. Any other number, or another call after
/// fewer, traps.
pub fn write(page: &Page, length: usize) {
    // SAFETY: the machine reads `page`.
    unsafe {
        asm!(
            "ecall",
            in("a7") 2u64,
            in("a0") page as *const Page as u64,
            in("a1") length as u64,
            options(nostack, readonly),
        );
    }
}

/// Appends `bytes` to the output, a page at a time. Once only, unless their number is a multiple of 1024.
pub fn write_all(bytes: &[u8]) {
    let mut page = Page([0; PAGE_BYTES]);
    for chunk in bytes.chunks(PAGE_BYTES) {
        page.0[..chunk.len()].copy_from_slice(chunk);
        write(&page, chunk.len());
    }
}

/// Ends the run.
pub fn halt(end: End) -> ! {
    // SAFETY: the machine stops.
    unsafe { asm!("ecall", in("a7") 0u64, in("a0") end as u64, options(nostack, noreturn)) }
}

/// Traps: nothing was computed, and the fault is the program's.
pub fn trap() -> ! {
    // SAFETY: the machine stops.
    unsafe { asm!("ebreak", options(nostack, noreturn)) }
}

/// In a7 at an `ebreak` that a panic has led to: "panic". Then a0 and a1 are the address and the length of the file's name, and a2 is the
/// line.
const PANIC: u64 = u64::from_le_bytes(*b"panic\0\0\0");

/// Traps, and leaves in the registers where the panic was, for `agora program run`.
pub fn trap_of(panic: &PanicInfo<'_>) -> ! {
    let Some(location) = panic.location() else { trap() };
    let file = location.file();
    // SAFETY: the machine stops.
    unsafe {
        asm!(
            "ebreak",
            in("a7") PANIC,
            in("a0") file.as_ptr() as u64,
            in("a1") file.len() as u64,
            in("a2") u64::from(location.line()),
            options(nostack, noreturn),
        )
    }
}

/// Makes `main`, a `fn(Blob) -> End`, the program that is run. It is given its input as it is.
#[macro_export]
macro_rules! program {
    ($main:path) => {
        #[unsafe(no_mangle)]
        fn agora_main(input: $crate::Blob) -> $crate::End {
            $main(input)
        }

        #[panic_handler]
        fn agora_panic(_: &core::panic::PanicInfo<'_>) -> ! {
            $crate::trap()
        }
    };
}

/// Makes `main`, a `fn(&Arguments, &mut Output) -> End`, the program that is run for each item of a job, or for each step of a fold.
#[macro_export]
macro_rules! item {
    ($main:path) => {
        #[unsafe(no_mangle)]
        fn agora_main(input: $crate::Blob) -> $crate::End {
            let arguments = $crate::Arguments::read(&input);
            let mut output = $crate::Output::new();
            let end = $main(&arguments, &mut output);
            output.finish();
            end
        }

        #[panic_handler]
        fn agora_panic(panic: &core::panic::PanicInfo<'_>) -> ! {
            $crate::trap_of(panic)
        }
    };
}
