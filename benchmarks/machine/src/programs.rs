//! The programs that are measured, as words.

use agora_machine::MEMORY_BASE;

/// Which machine a program ends on.
#[derive(Clone, Copy)]
pub enum Exit {
    /// This one: `halt` is call 0.
    Here,
    /// `ckb-vm`: `exit` is call 93.
    There,
}

/// Instructions of a turn of [`product`]'s loop.
pub const PRODUCT_LENGTH: u64 = 8;

/// Multiplies signed bytes with signed bytes and adds the products up, `turns` times, over 4 KiB again and again.
pub fn product(memory: u64, turns: u64, exit: Exit) -> Vec<u8> {
    let mut words = [li(5, memory), li(6, turns), li(9, 4095)].concat();
    words.extend([addi(8, 0, 0), add(11, 5, 0)]);
    words.extend([
        // lb x12, 0(x11); lb x13, 1(x11): the loop.
        i(0x03, 0, 12, 11, 0),
        i(0x03, 0, 13, 11, 1),
        // mul x12, x12, x13.
        r(0x33, 0, 1, 12, 12, 13),
        add(10, 10, 12),
        // The next place: x8 = x8 + 1 & 4095.
        addi(8, 8, 1),
        r(0x33, 7, 0, 8, 8, 9),
        addi(6, 6, -1),
        // bne x6, x0.
        b(1, 6, 0, -28),
    ]);
    let call = match exit {
        Exit::Here => 0,
        Exit::There => 93,
    };
    words.extend([addi(10, 0, 0), addi(17, 0, call), 0x73]);
    image(&words)
}

/// Writes to a page that it has not touched for long, for ever: a store, then a step of an odd number of pages round the memory.
pub fn new_pages() -> Vec<u8> {
    let mut words = [li(5, MEMORY_BASE), li(7, 1024 * 4099), li(8, MEMORY_BASE)].concat();
    let begin = words.len();
    for _ in 0..32 {
        words.extend([s(3, 5, 7, 0), add(5, 5, 7)]);
    }
    // Once in 32 the address goes back into the first half of the memory: slli, srli, or. The steps cross the other half.
    words.extend([i(0x13, 1, 5, 5, 37), i(0x13, 5, 5, 5, 37), r(0x33, 6, 0, 5, 5, 8)]);
    let back = -4 * (words.len() - begin) as i32;
    words.push(jal(0, back));
    image(&words)
}

/// Reads its input's chunks, each to the same page, over and over.
pub fn reads() -> Vec<u8> {
    let mut words = [li(5, MEMORY_BASE), li(17, 1)].concat();
    words.extend((0..5).map(|at| s(3, 5, 10 + at, 8 * at as i32)));
    // Only now: x12 held a part of the input's hash.
    words.extend(li(12, MEMORY_BASE + 1024));
    words.push(addi(11, 0, 0));
    // add a0, x5; ecall; a1 += 1; and again, until there is no chunk: then from the first one on.
    words.extend([
        add(10, 5, 0),
        0x73,
        addi(11, 11, 1),
        b(1, 10, 0, -12),
        addi(11, 0, 0),
        jal(0, -20),
    ]);
    image(&words)
}

fn r(opcode: u32, funct3: u32, funct7: u32, rd: u32, rs1: u32, rs2: u32) -> u32 {
    funct7 << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode
}

fn i(opcode: u32, funct3: u32, rd: u32, rs1: u32, immediate: i32) -> u32 {
    (immediate as u32) << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode
}

fn s(funct3: u32, rs1: u32, rs2: u32, immediate: i32) -> u32 {
    let immediate = immediate as u32;
    (immediate >> 5) << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | (immediate & 31) << 7 | 0x23
}

fn b(funct3: u32, rs1: u32, rs2: u32, offset: i32) -> u32 {
    let offset = offset as u32;
    let high = (offset >> 12 & 1) << 31 | (offset >> 5 & 63) << 25;
    let low = (offset >> 1 & 15) << 8 | (offset >> 11 & 1) << 7;
    high | rs2 << 20 | rs1 << 15 | funct3 << 12 | low | 0x63
}

fn jal(rd: u32, offset: i32) -> u32 {
    let offset = offset as u32;
    let high = (offset >> 20 & 1) << 31 | (offset >> 1 & 1023) << 21;
    high | (offset >> 11 & 1) << 20 | (offset >> 12 & 255) << 12 | rd << 7 | 0x6F
}

fn addi(rd: u32, rs1: u32, immediate: i32) -> u32 {
    i(0x13, 0, rd, rs1, immediate)
}

fn add(rd: u32, rs1: u32, rs2: u32) -> u32 {
    r(0x33, 0, 0, rd, rs1, rs2)
}

/// `rd = value`, eleven bits at a time, so that none is taken for a sign.
fn li(rd: u32, value: u64) -> Vec<u32> {
    let parts = (0..6).rev().flat_map(|at| {
        [
            i(0x13, 1, rd, rd, 11),
            addi(rd, rd, (value >> (11 * at) & 0x7FF) as i32),
        ]
    });
    [addi(rd, 0, 0)].into_iter().chain(parts).collect()
}

fn image(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}
