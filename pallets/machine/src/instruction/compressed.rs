//! Instructions of two bytes: RV64C without floats. Each stands for one of four bytes.

use super::{Instruction, Operation, bits, sign_extend};
use Operation::*;

/// The return address.
const RA: u8 = 1;
/// The stack pointer.
const SP: u8 = 2;

/// The instruction that `half` is. `None`: it is illegal or reserved. Those that the manual leaves to hints do nothing,
/// as the instruction that they stand for says.
pub(super) fn decode(half: u16) -> Option<Instruction> {
    let word = u32::from(half);
    let of = |operation, rd, rs1, rs2, immediate| {
        Some(Instruction {
            operation,
            rd,
            rs1,
            rs2,
            length: 2,
            immediate,
        })
    };
    // Registers of five bits, and of three, which are 8 to 15.
    let full = |low: u32| bits(word, low.wrapping_add(4), low) as u8;
    let short = |low: u32| (bits(word, low.wrapping_add(2), low) as u8).wrapping_add(8);
    // Immediates are put together of bits `(high, low)` of the instruction, which go to `at`.
    let gather = |parts: &[(u32, u32, u32)]| {
        let part = |&(high, low, at): &(u32, u32, u32)| bits(word, high, low).wrapping_shl(at);
        parts.iter().fold(0, |all, one| all | part(one))
    };
    let six = sign_extend(gather(&[(12, 12, 5), (6, 2, 0)]), 6);
    let shift = gather(&[(12, 12, 5), (6, 2, 0)]) as i32;
    match (bits(word, 1, 0), bits(word, 15, 13)) {
        // c.addi4spn
        (0, 0) => match gather(&[(12, 11, 4), (10, 7, 6), (6, 6, 2), (5, 5, 3)]) as i32 {
            0 => None,
            offset => of(Addi, short(2), SP, 0, offset),
        },
        (0, 2) => of(
            Lw,
            short(2),
            short(7),
            0,
            gather(&[(12, 10, 3), (6, 6, 2), (5, 5, 6)]) as i32,
        ),
        (0, 3) => of(Ld, short(2), short(7), 0, gather(&[(12, 10, 3), (6, 5, 6)]) as i32),
        (0, 6) => of(
            Sw,
            0,
            short(7),
            short(2),
            gather(&[(12, 10, 3), (6, 6, 2), (5, 5, 6)]) as i32,
        ),
        (0, 7) => of(Sd, 0, short(7), short(2), gather(&[(12, 10, 3), (6, 5, 6)]) as i32),
        (1, 0) => of(Addi, full(7), full(7), 0, six),
        (1, 1) if full(7) != 0 => of(Addiw, full(7), full(7), 0, six),
        (1, 2) => of(Addi, full(7), 0, 0, six),
        // c.addi16sp
        (1, 3) if full(7) == SP => {
            let parts = [(12, 12, 9), (6, 6, 4), (5, 5, 6), (4, 3, 7), (2, 2, 5)];
            match sign_extend(gather(&parts), 10) {
                0 => None,
                offset => of(Addi, SP, SP, 0, offset),
            }
        }
        (1, 3) if six != 0 => of(Lui, full(7), 0, 0, six.wrapping_shl(12)),
        (1, 4) => {
            let rd = short(7);
            match (bits(word, 11, 10), bits(word, 12, 12), bits(word, 6, 5)) {
                (0, ..) => of(Srli, rd, rd, 0, shift),
                (1, ..) => of(Srai, rd, rd, 0, shift),
                (2, ..) => of(Andi, rd, rd, 0, six),
                (_, 0, 0) => of(Sub, rd, rd, short(2), 0),
                (_, 0, 1) => of(Xor, rd, rd, short(2), 0),
                (_, 0, 2) => of(Or, rd, rd, short(2), 0),
                (_, 0, _) => of(And, rd, rd, short(2), 0),
                (_, _, 0) => of(Subw, rd, rd, short(2), 0),
                (_, _, 1) => of(Addw, rd, rd, short(2), 0),
                _ => None,
            }
        }
        (1, 5) => {
            let parts = [
                (12, 12, 11),
                (11, 11, 4),
                (10, 9, 8),
                (8, 8, 10),
                (7, 7, 6),
                (6, 6, 7),
                (5, 3, 1),
                (2, 2, 5),
            ];
            of(Jal, 0, 0, 0, sign_extend(gather(&parts), 12))
        }
        (1, branch @ (6 | 7)) => {
            let parts = [(12, 12, 8), (11, 10, 3), (6, 5, 6), (4, 3, 1), (2, 2, 5)];
            let operation = if branch == 6 { Beq } else { Bne };
            of(operation, 0, short(7), 0, sign_extend(gather(&parts), 9))
        }
        (2, 0) => of(Slli, full(7), full(7), 0, shift),
        (2, 2) if full(7) != 0 => of(Lw, full(7), SP, 0, gather(&[(12, 12, 5), (6, 4, 2), (3, 2, 6)]) as i32),
        (2, 3) if full(7) != 0 => of(Ld, full(7), SP, 0, gather(&[(12, 12, 5), (6, 5, 3), (4, 2, 6)]) as i32),
        (2, 4) => match (bits(word, 12, 12), full(7), full(2)) {
            (0, 0, 0) => None,
            (0, rs1, 0) => of(Jalr, 0, rs1, 0, 0),
            (0, rd, rs2) => of(Add, rd, 0, rs2, 0),
            (_, 0, 0) => of(Ebreak, 0, 0, 0, 0),
            (_, rs1, 0) => of(Jalr, RA, rs1, 0, 0),
            (_, rd, rs2) => of(Add, rd, rd, rs2, 0),
        },
        (2, 6) => of(Sw, 0, SP, full(2), gather(&[(12, 9, 2), (8, 7, 6)]) as i32),
        (2, 7) => of(Sd, 0, SP, full(2), gather(&[(12, 10, 3), (9, 7, 6)]) as i32),
        _ => None,
    }
}
