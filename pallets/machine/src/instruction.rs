//! Instructions: what the bytes of a program mean.
//!
//! A compressed instruction means the one that the manual says it stands for; only its length differs.

mod compressed;
mod full;

/// What an instruction does. The names are those of the RISC-V manual; what is not here is illegal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the manual says it")]
pub enum Operation {
    Lui,
    Auipc,
    Jal,
    Jalr,
    Beq,
    Bne,
    Blt,
    Bge,
    Bltu,
    Bgeu,
    Lb,
    Lh,
    Lw,
    Ld,
    Lbu,
    Lhu,
    Lwu,
    Sb,
    Sh,
    Sw,
    Sd,
    Addi,
    Slti,
    Sltiu,
    Xori,
    Ori,
    Andi,
    Slli,
    Srli,
    Srai,
    Addiw,
    Slliw,
    Srliw,
    Sraiw,
    Add,
    Sub,
    Sll,
    Slt,
    Sltu,
    Xor,
    Srl,
    Sra,
    Or,
    And,
    Addw,
    Subw,
    Sllw,
    Srlw,
    Sraw,
    Mul,
    Mulh,
    Mulhsu,
    Mulhu,
    Div,
    Divu,
    Rem,
    Remu,
    Mulw,
    Divw,
    Divuw,
    Remw,
    Remuw,
    LrW,
    ScW,
    AmoswapW,
    AmoaddW,
    AmoxorW,
    AmoandW,
    AmoorW,
    AmominW,
    AmomaxW,
    AmominuW,
    AmomaxuW,
    LrD,
    ScD,
    AmoswapD,
    AmoaddD,
    AmoxorD,
    AmoandD,
    AmoorD,
    AmominD,
    AmomaxD,
    AmominuD,
    AmomaxuD,
    /// There is one hart: nothing to wait for.
    Fence,
    Ecall,
    Ebreak,
}

/// A decoded instruction. Fields that its operation does not have are zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Instruction {
    /// What it does.
    pub operation: Operation,
    /// The register that it writes, below 32.
    pub rd: u8,
    /// The first register that it reads, below 32.
    pub rs1: u8,
    /// The second register that it reads, below 32.
    pub rs2: u8,
    /// Its bytes: 2 or 4.
    pub length: u8,
    /// Its immediate number, sign-extended; that of `Lui` and `Auipc` is shifted already.
    pub immediate: i32,
}

impl Instruction {
    /// The instruction that `word` is: 16 bits of it count if the lowest two are not both set. `None`: it is illegal.
    pub fn decode(word: u32) -> Option<Self> {
        if is_compressed(word as u16) {
            compressed::decode(word as u16)
        } else {
            full::decode(word)
        }
    }
}

impl Instruction {
    /// The instruction whose first two bytes are `first`; `second` gives two more if it has four. `None`: it is illegal.
    ///
    /// Errors: those of `second`.
    pub(crate) fn read<E>(first: u16, second: impl FnOnce() -> Result<u16, E>) -> Result<Option<Self>, E> {
        let second = match is_compressed(first) {
            true => 0,
            false => second()?,
        };
        Ok(Self::decode(u32::from(first) | u32::from(second).wrapping_shl(16)))
    }
}

/// Whether an instruction has two bytes, as its first two tell.
pub const fn is_compressed(first: u16) -> bool {
    first & 3 != 3
}

/// Bits `low ..= high` of `word`.
const fn bits(word: u32, high: u32, low: u32) -> u32 {
    let width = high.wrapping_sub(low).wrapping_add(1);
    word.wrapping_shr(low) & 1u32.wrapping_shl(width).wrapping_sub(1)
}

/// `value`, of which the lowest `width` bits count, sign-extended.
const fn sign_extend(value: u32, width: u32) -> i32 {
    let unused = 32u32.wrapping_sub(width);
    (value.wrapping_shl(unused) as i32).wrapping_shr(unused)
}
