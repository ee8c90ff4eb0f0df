//! As much of an assembler as the tests need: instruction words from the formats of the manual.

/// An instruction of the format R.
pub fn r(opcode: u32, funct3: u32, funct7: u32, rd: u32, rs1: u32, rs2: u32) -> u32 {
    funct7 << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode
}

/// Of the format I.
pub fn i(opcode: u32, funct3: u32, rd: u32, rs1: u32, immediate: i32) -> u32 {
    (immediate as u32) << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode
}

/// Of the format S.
pub fn s(funct3: u32, rs1: u32, rs2: u32, immediate: i32) -> u32 {
    let immediate = immediate as u32;
    (immediate >> 5) << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | (immediate & 31) << 7 | 0x23
}

/// Of the format B.
pub fn b(funct3: u32, rs1: u32, rs2: u32, offset: i32) -> u32 {
    let offset = offset as u32;
    (offset >> 12 & 1) << 31
        | (offset >> 5 & 63) << 25
        | rs2 << 20
        | rs1 << 15
        | funct3 << 12
        | (offset >> 1 & 15) << 8
        | (offset >> 11 & 1) << 7
        | 0x63
}

/// `jal`.
pub fn jal(rd: u32, offset: i32) -> u32 {
    let offset = offset as u32;
    (offset >> 20 & 1) << 31 | (offset >> 1 & 1023) << 21 | (offset >> 11 & 1) << 20 | (offset >> 12 & 255) << 12 | rd << 7 | 0x6F
}

pub fn addi(rd: u32, rs1: u32, immediate: i32) -> u32 {
    i(0x13, 0, rd, rs1, immediate)
}

pub fn add(rd: u32, rs1: u32, rs2: u32) -> u32 {
    r(0x33, 0, 0, rd, rs1, rs2)
}

pub fn lui(rd: u32, upper: u32) -> u32 {
    upper << 12 | rd << 7 | 0x37
}

pub fn sd(rs1: u32, rs2: u32, immediate: i32) -> u32 {
    s(3, rs1, rs2, immediate)
}

pub const ECALL: u32 = 0x73;

/// `rd = value`: as many instructions as it takes.
pub fn li(rd: u32, value: u64) -> Vec<u32> {
    let mut words = vec![addi(rd, 0, 0)];
    // Eleven bits at a time, so that none is taken for a sign.
    for at in (0..6).rev() {
        let bits = (value >> (11 * at) & 0x7FF) as i32;
        words.extend([i(0x13, 1, rd, rd, 11), addi(rd, rd, bits)]);
    }
    words
}

/// Ends a program: `a0 = status`, `a7 = 0`, `ecall`.
pub fn halt(status: i32) -> Vec<u32> {
    vec![addi(10, 0, status), addi(17, 0, 0), ECALL]
}

/// The bytes of instructions.
pub fn image(words: impl IntoIterator<Item = u32>) -> Vec<u8> {
    words.into_iter().flat_map(u32::to_le_bytes).collect()
}
