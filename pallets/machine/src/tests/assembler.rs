//! As much of an assembler as the tests need: instruction words from the formats of the manual.

use crate::instruction::{Instruction, Operation};

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
    (offset >> 20 & 1) << 31
        | (offset >> 1 & 1023) << 21
        | (offset >> 11 & 1) << 20
        | (offset >> 12 & 255) << 12
        | rd << 7
        | 0x6F
}

pub fn addi(rd: u32, rs1: u32, immediate: i32) -> u32 {
    i(0x13, 0, rd, rs1, immediate)
}

pub fn add(rd: u32, rs1: u32, rs2: u32) -> u32 {
    r(0x33, 0, 0, rd, rs1, rs2)
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

/// The word of four bytes that means `instruction`, with zeroes where bits mean nothing.
pub fn encode(instruction: &Instruction) -> u32 {
    use Operation::*;
    let Instruction {
        operation, immediate, ..
    } = *instruction;
    let (rd, rs1, rs2) = (instruction.rd.into(), instruction.rs1.into(), instruction.rs2.into());
    let upper = |opcode: u32| immediate as u32 | rd << 7 | opcode;
    let load = |funct3| i(0x03, funct3, rd, rs1, immediate);
    let store = |funct3| s(funct3, rs1, rs2, immediate);
    let branch = |funct3| b(funct3, rs1, rs2, immediate);
    let with_immediate = |funct3| i(0x13, funct3, rd, rs1, immediate);
    let with_immediate_word = |funct3| i(0x1B, funct3, rd, rs1, immediate);
    let registers = |funct7, funct3| r(0x33, funct3, funct7, rd, rs1, rs2);
    let words = |funct7, funct3| r(0x3B, funct3, funct7, rd, rs1, rs2);
    let atomic = |funct5: u32, funct3| r(0x2F, funct3, funct5 << 2, rd, rs1, rs2);
    // `srai` and `sraiw` have a bit of their own above how far they shift.
    let arithmetic = |opcode| i(opcode, 5, rd, rs1, immediate | 1 << 10);
    match operation {
        Lui => upper(0x37),
        Auipc => upper(0x17),
        Jal => jal(rd, immediate),
        Jalr => i(0x67, 0, rd, rs1, immediate),
        Beq => branch(0),
        Bne => branch(1),
        Blt => branch(4),
        Bge => branch(5),
        Bltu => branch(6),
        Bgeu => branch(7),
        Lb => load(0),
        Lh => load(1),
        Lw => load(2),
        Ld => load(3),
        Lbu => load(4),
        Lhu => load(5),
        Lwu => load(6),
        Sb => store(0),
        Sh => store(1),
        Sw => store(2),
        Sd => store(3),
        Addi => with_immediate(0),
        Slli => with_immediate(1),
        Slti => with_immediate(2),
        Sltiu => with_immediate(3),
        Xori => with_immediate(4),
        Srli => with_immediate(5),
        Srai => arithmetic(0x13),
        Ori => with_immediate(6),
        Andi => with_immediate(7),
        Addiw => with_immediate_word(0),
        Slliw => with_immediate_word(1),
        Srliw => with_immediate_word(5),
        Sraiw => arithmetic(0x1B),
        Add => registers(0, 0),
        Sub => registers(32, 0),
        Sll => registers(0, 1),
        Slt => registers(0, 2),
        Sltu => registers(0, 3),
        Xor => registers(0, 4),
        Srl => registers(0, 5),
        Sra => registers(32, 5),
        Or => registers(0, 6),
        And => registers(0, 7),
        Addw => words(0, 0),
        Subw => words(32, 0),
        Sllw => words(0, 1),
        Srlw => words(0, 5),
        Sraw => words(32, 5),
        Mul => registers(1, 0),
        Mulh => registers(1, 1),
        Mulhsu => registers(1, 2),
        Mulhu => registers(1, 3),
        Div => registers(1, 4),
        Divu => registers(1, 5),
        Rem => registers(1, 6),
        Remu => registers(1, 7),
        Mulw => words(1, 0),
        Divw => words(1, 4),
        Divuw => words(1, 5),
        Remw => words(1, 6),
        Remuw => words(1, 7),
        LrW => atomic(0b00010, 2),
        ScW => atomic(0b00011, 2),
        AmoswapW => atomic(0b00001, 2),
        AmoaddW => atomic(0b00000, 2),
        AmoxorW => atomic(0b00100, 2),
        AmoandW => atomic(0b01100, 2),
        AmoorW => atomic(0b01000, 2),
        AmominW => atomic(0b10000, 2),
        AmomaxW => atomic(0b10100, 2),
        AmominuW => atomic(0b11000, 2),
        AmomaxuW => atomic(0b11100, 2),
        LrD => atomic(0b00010, 3),
        ScD => atomic(0b00011, 3),
        AmoswapD => atomic(0b00001, 3),
        AmoaddD => atomic(0b00000, 3),
        AmoxorD => atomic(0b00100, 3),
        AmoandD => atomic(0b01100, 3),
        AmoorD => atomic(0b01000, 3),
        AmominD => atomic(0b10000, 3),
        AmomaxD => atomic(0b10100, 3),
        AmominuD => atomic(0b11000, 3),
        AmomaxuD => atomic(0b11100, 3),
        Fence => 0x0F,
        Ecall => ECALL,
        Ebreak => 0x0010_0073,
    }
}
