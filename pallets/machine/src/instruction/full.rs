//! Instructions of four bytes: RV64I, M and A, and `fence.i`.

use super::{Instruction, Operation, bits, sign_extend};
use Operation::*;

/// The instruction that `word` is. `None`: it is illegal.
pub(super) fn decode(word: u32) -> Option<Instruction> {
    let register = |low: u32| bits(word, low.wrapping_add(4), low) as u8;
    let (rd, rs1, rs2) = (register(7), register(15), register(20));
    let (funct3, funct7) = (bits(word, 14, 12), bits(word, 31, 25));
    let of = |operation, rd, rs1, rs2, immediate| Instruction {
        operation,
        rd,
        rs1,
        rs2,
        length: 4,
        immediate,
    };
    let upper = |operation| Some(of(operation, rd, 0, 0, (word & 0xFFFF_F000) as i32));
    let immediate = sign_extend(bits(word, 31, 20), 12);
    let with_immediate = |operation| Some(of(operation, rd, rs1, 0, immediate));
    let shift = |operation, amount: u32| Some(of(operation, rd, rs1, 0, amount as i32));
    let registers = |operation| Some(of(operation, rd, rs1, rs2, 0));
    match bits(word, 6, 0) {
        0b011_0111 => upper(Lui),
        0b001_0111 => upper(Auipc),
        0b110_1111 => Some(of(Jal, rd, 0, 0, jump_offset(word))),
        0b110_0111 if funct3 == 0 => with_immediate(Jalr),
        0b110_0011 => {
            let operation = [
                Some(Beq),
                Some(Bne),
                None,
                None,
                Some(Blt),
                Some(Bge),
                Some(Bltu),
                Some(Bgeu),
            ];
            Some(of(
                (*operation.get(funct3 as usize)?)?,
                0,
                rs1,
                rs2,
                branch_offset(word),
            ))
        }
        0b000_0011 => {
            let operation = [Lb, Lh, Lw, Ld, Lbu, Lhu, Lwu];
            with_immediate(*operation.get(funct3 as usize)?)
        }
        0b010_0011 => {
            let operation = [Sb, Sh, Sw, Sd];
            let offset = sign_extend(bits(word, 31, 25).wrapping_shl(5) | bits(word, 11, 7), 12);
            Some(of(*operation.get(funct3 as usize)?, 0, rs1, rs2, offset))
        }
        0b001_0011 => match (funct3, bits(word, 31, 26)) {
            (0, _) => with_immediate(Addi),
            (2, _) => with_immediate(Slti),
            (3, _) => with_immediate(Sltiu),
            (4, _) => with_immediate(Xori),
            (6, _) => with_immediate(Ori),
            (7, _) => with_immediate(Andi),
            (1, 0) => shift(Slli, bits(word, 25, 20)),
            (5, 0) => shift(Srli, bits(word, 25, 20)),
            (5, 0b01_0000) => shift(Srai, bits(word, 25, 20)),
            _ => None,
        },
        0b001_1011 => match (funct3, funct7) {
            (0, _) => with_immediate(Addiw),
            (1, 0) => shift(Slliw, bits(word, 24, 20)),
            (5, 0) => shift(Srliw, bits(word, 24, 20)),
            (5, 0b010_0000) => shift(Sraiw, bits(word, 24, 20)),
            _ => None,
        },
        0b011_0011 => registers(match (funct7, funct3) {
            (0, 0) => Add,
            (0, 1) => Sll,
            (0, 2) => Slt,
            (0, 3) => Sltu,
            (0, 4) => Xor,
            (0, 5) => Srl,
            (0, 6) => Or,
            (0, 7) => And,
            (0b010_0000, 0) => Sub,
            (0b010_0000, 5) => Sra,
            (1, 0) => Mul,
            (1, 1) => Mulh,
            (1, 2) => Mulhsu,
            (1, 3) => Mulhu,
            (1, 4) => Div,
            (1, 5) => Divu,
            (1, 6) => Rem,
            (1, 7) => Remu,
            _ => return None,
        }),
        0b011_1011 => registers(match (funct7, funct3) {
            (0, 0) => Addw,
            (0, 1) => Sllw,
            (0, 5) => Srlw,
            (0b010_0000, 0) => Subw,
            (0b010_0000, 5) => Sraw,
            (1, 0) => Mulw,
            (1, 4) => Divw,
            (1, 5) => Divuw,
            (1, 6) => Remw,
            (1, 7) => Remuw,
            _ => return None,
        }),
        // The bits that order memory accesses mean nothing with one hart.
        0b010_1111 => registers(match (bits(word, 31, 27), funct3, rs2) {
            (0b00010, 2, 0) => LrW,
            (0b00011, 2, _) => ScW,
            (0b00001, 2, _) => AmoswapW,
            (0b00000, 2, _) => AmoaddW,
            (0b00100, 2, _) => AmoxorW,
            (0b01100, 2, _) => AmoandW,
            (0b01000, 2, _) => AmoorW,
            (0b10000, 2, _) => AmominW,
            (0b10100, 2, _) => AmomaxW,
            (0b11000, 2, _) => AmominuW,
            (0b11100, 2, _) => AmomaxuW,
            (0b00010, 3, 0) => LrD,
            (0b00011, 3, _) => ScD,
            (0b00001, 3, _) => AmoswapD,
            (0b00000, 3, _) => AmoaddD,
            (0b00100, 3, _) => AmoxorD,
            (0b01100, 3, _) => AmoandD,
            (0b01000, 3, _) => AmoorD,
            (0b10000, 3, _) => AmominD,
            (0b10100, 3, _) => AmomaxD,
            (0b11000, 3, _) => AmominuD,
            (0b11100, 3, _) => AmomaxuD,
            _ => return None,
        }),
        // What fences order, and fields that are reserved for finer ones, is ignored, as the manual asks.
        0b000_1111 if funct3 <= 1 => Some(of(Fence, 0, 0, 0, 0)),
        0b111_0011 => match word {
            0x0000_0073 => Some(of(Ecall, 0, 0, 0, 0)),
            0x0010_0073 => Some(of(Ebreak, 0, 0, 0, 0)),
            _ => None,
        },
        _ => None,
    }
}

/// How far `Jal` jumps.
const fn jump_offset(word: u32) -> i32 {
    let offset = bits(word, 31, 31).wrapping_shl(20)
        | bits(word, 19, 12).wrapping_shl(12)
        | bits(word, 20, 20).wrapping_shl(11)
        | bits(word, 30, 21).wrapping_shl(1);
    sign_extend(offset, 21)
}

/// How far a branch jumps.
const fn branch_offset(word: u32) -> i32 {
    let offset = bits(word, 31, 31).wrapping_shl(12)
        | bits(word, 7, 7).wrapping_shl(11)
        | bits(word, 30, 25).wrapping_shl(5)
        | bits(word, 11, 8).wrapping_shl(1);
    sign_extend(offset, 13)
}
