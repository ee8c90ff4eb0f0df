//! Random programs. Other crates use this file too, beside that of the assembler.

use super::assembler::*;
use crate::{
    IMAGE_BASE, MEMORY_BASE,
    instruction::{Instruction, Operation},
};
use proptest::prelude::*;

/// All operations, but for those that jump to what a register says and those that end a program.
pub fn operations() -> Vec<Operation> {
    let words = (0..1u32 << 15).map(|bits| (bits >> 8) << 25 | (bits >> 5 & 7) << 12 | (bits & 31) << 2 | 3);
    let mut found: Vec<Operation> = Vec::new();
    for one in words.filter_map(Instruction::decode) {
        if !matches!(one.operation, Operation::Jalr | Operation::Ecall) && !found.contains(&one.operation) {
            found.push(one.operation);
        }
    }
    assert_eq!(found.len(), 87 - 3);
    found
}

/// Registers that point to memory or to the image, and are not written.
pub const BASES: [u8; 4] = [2, 8, 9, 18];

/// Registers that are written; `x0` too.
pub const TARGETS: [u8; 8] = [0, 1, 5, 10, 11, 12, 15, 31];

pub fn word() -> impl Strategy<Value = u32> {
    let register = || prop::sample::select([TARGETS.as_slice(), &BASES].concat());
    let target = prop::sample::select(TARGETS.to_vec());
    (
        prop::sample::select(operations()),
        target,
        register(),
        register(),
        prop::sample::select(BASES.to_vec()),
        any::<i32>(),
    )
        .prop_map(|(operation, rd, rs1, rs2, base, any)| {
            use Operation::*;
            // Most accesses are aligned and where something is.
            let aligned = |size: i32| if any & 0x3F00 == 0 { any & 63 } else { any & 63 & -size };
            let of = |rs1, immediate| Instruction {
                operation,
                rd,
                rs1,
                rs2,
                length: 4,
                immediate,
            };
            let at = |size| of(base, aligned(size));
            encode(&match operation {
                Lb | Lbu | Sb => at(1),
                Lh | Lhu | Sh => at(2),
                Lw | Lwu | Sw => at(4),
                Ld | Sd => at(8),
                Lui | Auipc => of(0, any & !0xFFF),
                Jal | Beq | Bne | Blt | Bge | Bltu | Bgeu => of(rs1, 2 + (any & 14)),
                Slli | Srli | Srai => of(rs1, any & 63),
                Slliw | Srliw | Sraiw => of(rs1, any & 31),
                Addi | Slti | Sltiu | Xori | Ori | Andi | Addiw => of(rs1, any >> 20),
                // Of memory; the image cannot be written.
                LrW | LrD => Instruction { rs2: 0, ..of(base, 0) },
                _ if encode(&of(0, 0)) & 0x7F == 0x2F => of(if base == 18 { 8 } else { base }, 0),
                _ => of(rs1, 0),
            })
        })
}

/// Two bytes that jump to nothing far, and write no base.
pub fn half() -> impl Strategy<Value = u16> {
    let harmless = |half: &u16| {
        use Operation::*;
        let Some(one) = Instruction::decode((*half).into()).filter(|_| half & 3 != 3) else {
            return false;
        };
        let goes_far = match one.operation {
            Jal | Beq | Bne => !(2..20).contains(&one.immediate),
            Jalr | Ebreak => true,
            Lw | Ld | Sw | Sd => !BASES.contains(&one.rs1),
            _ => false,
        };
        !goes_far && !BASES.contains(&one.rd)
    };
    prop::sample::select((0..u16::MAX).filter(harmless).collect::<Vec<_>>())
}

/// The bytes of a program: bases, any numbers in other registers, then these instructions.
pub fn assembled(numbers: &[u64], instructions: &[Result<u16, u32>]) -> Vec<u8> {
    let bases = [
        MEMORY_BASE + 1024 - 64,
        MEMORY_BASE + (100 << 20),
        MEMORY_BASE + (256 << 20) - 1024,
        IMAGE_BASE,
    ];
    let registers = BASES.iter().zip(&bases).chain(TARGETS.iter().skip(1).zip(numbers));
    let mut bytes = image(registers.flat_map(|(&register, &value)| li(register.into(), value)));
    for instruction in instructions {
        match instruction {
            Ok(half) => bytes.extend(half.to_le_bytes()),
            Err(word) => bytes.extend(word.to_le_bytes()),
        }
    }
    bytes.extend(image(halt(0)));
    bytes
}
