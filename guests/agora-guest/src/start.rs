//! What is executed before and after the program.

use crate::{Blob, End, halt, heap};
use core::arch::global_asm;

// The registers a0 to a4, which hold the input, are handed on as arguments.
global_asm!(
    ".section .init",
    ".globl _start",
    "_start:",
    "la sp, __stack_top",
    "la t0, __data_image",
    "la t1, __data_start",
    "la t2, __data_end",
    "1: bgeu t1, t2, 2f",
    "ld t3, 0(t0)",
    "sd t3, 0(t1)",
    "addi t0, t0, 8",
    "addi t1, t1, 8",
    "j 1b",
    "2: call agora_start",
);

unsafe extern "Rust" {
    safe fn agora_main(input: Blob) -> End;
}

#[unsafe(no_mangle)]
extern "C" fn agora_start(a0: u64, a1: u64, a2: u64, a3: u64, size: u64) -> ! {
    let mut hash = [0; 32];
    for (bytes, word) in hash.chunks_exact_mut(8).zip([a0, a1, a2, a3]) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    // SAFETY: nothing was allocated.
    unsafe { heap::begin() };
    halt(agora_main(Blob { hash, size }))
}
