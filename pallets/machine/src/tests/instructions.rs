//! Instructions, one by one, with what the manual says of them.
//!
//! The words are those that LLVM's assembler gives for the text beside them; registers are named by their numbers. Whatever a
//! case does not name must stay as it was.

use super::assembler::encode;
use crate::{MEMORY_BASE, PAGE_BYTES, State, Status, Trap, Witness, execute_segment, instruction::Instruction, tree};
use agora_jobs::{BlobRef, ChunkProof};
use primitive_types::H256;

/// Registers and their values.
type Registers = &'static [(usize, u64)];

/// The text of an instruction, its word, what registers hold before, what those hold after that it changes, and how far it moves the
/// program counter.
#[rustfmt::skip]
const REGISTERS: &[(&str, u32, Registers, Registers, i64)] = &[
    // Integer registers with immediates.
    ("addi t0, t1, 2047", 0x7FF3_0293, &[(6, 1)], &[(5, 2048)], 4),
    ("addi t0, t1, -2048", 0x8003_0293, &[(6, 0)], &[(5, u64::MAX - 2047)], 4),
    ("addi t0, t1, 1", 0x0013_0293, &[(6, u64::MAX)], &[(5, 0)], 4),
    ("addi t0, t0, 1", 0x0012_8293, &[(5, 0x7FFF_FFFF_FFFF_FFFF)], &[(5, 0x8000_0000_0000_0000)], 4),
    ("addi zero, t1, 5", 0x0053_0013, &[(6, 7)], &[], 4),
    ("slti t0, t1, -1", 0xFFF3_2293, &[(6, u64::MAX - 1)], &[(5, 1)], 4),
    ("slti t0, t1, -1", 0xFFF3_2293, &[(6, u64::MAX)], &[(5, 0)], 4),
    ("slti t0, t1, 0", 0x0003_2293, &[(6, 0x8000_0000_0000_0000)], &[(5, 1)], 4),
    ("sltiu t0, t1, 1", 0x0013_3293, &[(6, 0)], &[(5, 1)], 4),
    ("sltiu t0, t1, -1", 0xFFF3_3293, &[(6, u64::MAX - 1)], &[(5, 1)], 4),
    ("sltiu t0, t1, -1", 0xFFF3_3293, &[(6, u64::MAX)], &[(5, 0)], 4),
    ("sltiu t0, t1, 5", 0x0053_3293, &[(6, u64::MAX)], &[(5, 0)], 4),
    ("xori t0, t1, -1", 0xFFF3_4293, &[(6, 0xFF_00FF_00FF_00FF)], &[(5, 0xFF00_FF00_FF00_FF00)], 4),
    ("ori t0, t1, -2048", 0x8003_6293, &[(6, 1)], &[(5, u64::MAX - 2046)], 4),
    ("andi t0, t1, -16", 0xFF03_7293, &[(6, 0x1234_5678_9ABC_DEF7)], &[(5, 0x1234_5678_9ABC_DEF0)], 4),
    ("andi t0, t1, 0x7f0", 0x7F03_7293, &[(6, u64::MAX)], &[(5, 2032)], 4),
    ("slli t0, t1, 63", 0x03F3_1293, &[(6, 3)], &[(5, 0x8000_0000_0000_0000)], 4),
    ("slli t0, t1, 0", 0x0003_1293, &[(6, u64::MAX - 4)], &[(5, u64::MAX - 4)], 4),
    ("slli t0, t1, 32", 0x0203_1293, &[(6, 0xFFFF_FFFF)], &[(5, 0xFFFF_FFFF_0000_0000)], 4),
    ("srli t0, t1, 63", 0x03F3_5293, &[(6, u64::MAX)], &[(5, 1)], 4),
    ("srli t0, t1, 1", 0x0013_5293, &[(6, 0x8000_0000_0000_0001)], &[(5, 0x4000_0000_0000_0000)], 4),
    ("srai t0, t1, 63", 0x43F3_5293, &[(6, 0x8000_0000_0000_0000)], &[(5, u64::MAX)], 4),
    ("srai t0, t1, 1", 0x4013_5293, &[(6, 0x8000_0000_0000_0001)], &[(5, 0xC000_0000_0000_0000)], 4),
    ("srai t0, t1, 4", 0x4043_5293, &[(6, 0x7000_0000_0000_0000)], &[(5, 0x700_0000_0000_0000)], 4),
    ("addiw t0, t1, 1", 0x0013_029B, &[(6, 0x7FFF_FFFF)], &[(5, 0xFFFF_FFFF_8000_0000)], 4),
    ("addiw t0, t1, -1", 0xFFF3_029B, &[(6, 0xFFFF_FFFF_8000_0000)], &[(5, 0x7FFF_FFFF)], 4),
    ("addiw t0, t1, 0", 0x0003_029B, &[(6, 0x1234_5678_9ABC_DEF0)], &[(5, 0xFFFF_FFFF_9ABC_DEF0)], 4),
    ("slliw t0, t1, 31", 0x01F3_129B, &[(6, 1)], &[(5, 0xFFFF_FFFF_8000_0000)], 4),
    ("slliw t0, t1, 4", 0x0043_129B, &[(6, 0xFFFF_FFFF_F000_0001)], &[(5, 16)], 4),
    ("srliw t0, t1, 0", 0x0003_529B, &[(6, 0x8000_0000)], &[(5, 0xFFFF_FFFF_8000_0000)], 4),
    ("srliw t0, t1, 31", 0x01F3_529B, &[(6, 0xFFFF_FFFF_8000_0000)], &[(5, 1)], 4),
    ("srliw t0, t1, 1", 0x0013_529B, &[(6, 0x1_FFFF_FFFF)], &[(5, 0x7FFF_FFFF)], 4),
    ("sraiw t0, t1, 31", 0x41F3_529B, &[(6, 0x8000_0000)], &[(5, u64::MAX)], 4),
    ("sraiw t0, t1, 4", 0x4043_529B, &[(6, 0x1_4000_0000)], &[(5, 0x400_0000)], 4),
    ("lui t0, 0x80000", 0x8000_02B7, &[], &[(5, 0xFFFF_FFFF_8000_0000)], 4),
    ("lui t0, 0x7ffff", 0x7FFF_F2B7, &[], &[(5, 0x7FFF_F000)], 4),
    ("lui zero, 1", 0x0000_1037, &[], &[], 4),
    ("auipc t0, 0", 0x0000_0297, &[], &[(5, 0x1000_0000)], 4),
    ("auipc t0, 1", 0x0000_1297, &[], &[(5, 0x1000_1000)], 4),
    ("auipc t0, 0xfffff", 0xFFFF_F297, &[], &[(5, 0xFFF_F000)], 4),
    ("auipc t0, 0x80000", 0x8000_0297, &[], &[(5, 0xFFFF_FFFF_9000_0000)], 4),
    // Integer registers with registers.
    ("add t0, t1, t2", 0x0073_02B3, &[(6, u64::MAX), (7, 1)], &[(5, 0)], 4),
    ("add t0, t1, t1", 0x0063_02B3, &[(6, 0x4000_0000_0000_0000)], &[(5, 0x8000_0000_0000_0000)], 4),
    ("sub t0, t1, t2", 0x4073_02B3, &[(6, 0), (7, 1)], &[(5, u64::MAX)], 4),
    ("sub t0, t1, t2", 0x4073_02B3, &[(6, 0x8000_0000_0000_0000), (7, 1)], &[(5, 0x7FFF_FFFF_FFFF_FFFF)], 4),
    ("sll t0, t1, t2", 0x0073_12B3, &[(6, 1), (7, 63)], &[(5, 0x8000_0000_0000_0000)], 4),
    ("sll t0, t1, t2", 0x0073_12B3, &[(6, 1), (7, 64)], &[(5, 1)], 4),
    ("sll t0, t1, t2", 0x0073_12B3, &[(6, 1), (7, u64::MAX)], &[(5, 0x8000_0000_0000_0000)], 4),
    ("slt t0, t1, t2", 0x0073_22B3, &[(6, u64::MAX), (7, 0)], &[(5, 1)], 4),
    ("slt t0, t1, t2", 0x0073_22B3, &[(6, 0), (7, u64::MAX)], &[(5, 0)], 4),
    ("slt t0, t1, t2", 0x0073_22B3, &[(6, 3), (7, 3)], &[(5, 0)], 4),
    ("sltu t0, t1, t2", 0x0073_32B3, &[(6, u64::MAX), (7, 0)], &[(5, 0)], 4),
    ("sltu t0, t1, t2", 0x0073_32B3, &[(6, 0), (7, u64::MAX)], &[(5, 1)], 4),
    ("sltu t0, zero, t2", 0x0070_32B3, &[(7, 9)], &[(5, 1)], 4),
    ("xor t0, t1, t2", 0x0073_42B3, &[(6, 0xFF00), (7, 4080)], &[(5, 0xF0F0)], 4),
    ("srl t0, t1, t2", 0x0073_52B3, &[(6, u64::MAX), (7, 60)], &[(5, 15)], 4),
    ("srl t0, t1, t2", 0x0073_52B3, &[(6, u64::MAX), (7, 124)], &[(5, 15)], 4),
    ("sra t0, t1, t2", 0x4073_52B3, &[(6, 0x8000_0000_0000_0000), (7, 60)], &[(5, u64::MAX - 7)], 4),
    ("sra t0, t1, t2", 0x4073_52B3, &[(6, 0x8000_0000_0000_0000), (7, 64)], &[(5, 0x8000_0000_0000_0000)], 4),
    ("or t0, t1, t2", 0x0073_62B3, &[(6, 240), (7, 15)], &[(5, 255)], 4),
    ("and t0, t1, t2", 0x0073_72B3, &[(6, 252), (7, 63)], &[(5, 60)], 4),
    ("addw t0, t1, t2", 0x0073_02BB, &[(6, 0x7FFF_FFFF), (7, 1)], &[(5, 0xFFFF_FFFF_8000_0000)], 4),
    ("addw t0, t1, t2", 0x0073_02BB, &[(6, 0xFFFF_FFFF), (7, 1)], &[(5, 0)], 4),
    ("subw t0, t1, t2", 0x4073_02BB, &[(6, 0), (7, 1)], &[(5, u64::MAX)], 4),
    ("subw t0, t1, t2", 0x4073_02BB, &[(6, 0x8000_0000), (7, 1)], &[(5, 0x7FFF_FFFF)], 4),
    ("sllw t0, t1, t2", 0x0073_12BB, &[(6, 1), (7, 31)], &[(5, 0xFFFF_FFFF_8000_0000)], 4),
    ("sllw t0, t1, t2", 0x0073_12BB, &[(6, 3), (7, 32)], &[(5, 3)], 4),
    ("srlw t0, t1, t2", 0x0073_52BB, &[(6, 0xFFFF_FFFF_8000_0000), (7, 31)], &[(5, 1)], 4),
    ("srlw t0, t1, t2", 0x0073_52BB, &[(6, 0x8000_0000), (7, 32)], &[(5, 0xFFFF_FFFF_8000_0000)], 4),
    ("sraw t0, t1, t2", 0x4073_52BB, &[(6, 0x8000_0000), (7, 31)], &[(5, u64::MAX)], 4),
    ("sraw t0, t1, t2", 0x4073_52BB, &[(6, 0x7FFF_FFFF_8000_0000), (7, 4)], &[(5, 0xFFFF_FFFF_F800_0000)], 4),
    // Products and quotients.
    ("mul t0, t1, t2", 0x0273_02B3, &[(6, u64::MAX - 2), (7, 7)], &[(5, u64::MAX - 20)], 4),
    ("mul t0, t1, t2", 0x0273_02B3, &[(6, 0x1_0000_0000), (7, 0x1_0000_0000)], &[(5, 0)], 4),
    ("mulh t0, t1, t2", 0x0273_12B3, &[(6, u64::MAX), (7, u64::MAX)], &[(5, 0)], 4),
    ("mulh t0, t1, t2", 0x0273_12B3, &[(6, 0x8000_0000_0000_0000), (7, 0x8000_0000_0000_0000)], &[(5, 0x4000_0000_0000_0000)], 4),
    ("mulh t0, t1, t2", 0x0273_12B3, &[(6, 0x8000_0000_0000_0000), (7, 1)], &[(5, u64::MAX)], 4),
    ("mulhu t0, t1, t2", 0x0273_32B3, &[(6, u64::MAX), (7, u64::MAX)], &[(5, u64::MAX - 1)], 4),
    ("mulhu t0, t1, t2", 0x0273_32B3, &[(6, 0x8000_0000_0000_0000), (7, 2)], &[(5, 1)], 4),
    ("mulhsu t0, t1, t2", 0x0273_22B3, &[(6, u64::MAX), (7, u64::MAX)], &[(5, u64::MAX)], 4),
    ("mulhsu t0, t1, t2", 0x0273_22B3, &[(6, 0x8000_0000_0000_0000), (7, u64::MAX)], &[(5, 0x8000_0000_0000_0000)], 4),
    ("mulhsu t0, t1, t2", 0x0273_22B3, &[(6, 2), (7, 0x8000_0000_0000_0000)], &[(5, 1)], 4),
    ("mulw t0, t1, t2", 0x0273_02BB, &[(6, 0x1_0000), (7, 0x8000)], &[(5, 0xFFFF_FFFF_8000_0000)], 4),
    ("mulw t0, t1, t2", 0x0273_02BB, &[(6, 0x1_0000_0003), (7, 5)], &[(5, 15)], 4),
    ("div t0, t1, t2", 0x0273_42B3, &[(6, u64::MAX - 6), (7, 2)], &[(5, u64::MAX - 2)], 4),
    ("div t0, t1, t2", 0x0273_42B3, &[(6, 7), (7, u64::MAX - 1)], &[(5, u64::MAX - 2)], 4),
    ("div t0, t1, t2", 0x0273_42B3, &[(6, 5), (7, 0)], &[(5, u64::MAX)], 4),
    ("div t0, t1, t2", 0x0273_42B3, &[(6, 0x8000_0000_0000_0000), (7, u64::MAX)], &[(5, 0x8000_0000_0000_0000)], 4),
    ("divu t0, t1, t2", 0x0273_52B3, &[(6, u64::MAX - 6), (7, 2)], &[(5, 0x7FFF_FFFF_FFFF_FFFC)], 4),
    ("divu t0, t1, t2", 0x0273_52B3, &[(6, 5), (7, 0)], &[(5, u64::MAX)], 4),
    ("divu t0, t1, t2", 0x0273_52B3, &[(6, 0x8000_0000_0000_0000), (7, u64::MAX)], &[(5, 0)], 4),
    ("rem t0, t1, t2", 0x0273_62B3, &[(6, u64::MAX - 6), (7, 2)], &[(5, u64::MAX)], 4),
    ("rem t0, t1, t2", 0x0273_62B3, &[(6, 7), (7, u64::MAX - 1)], &[(5, 1)], 4),
    ("rem t0, t1, t2", 0x0273_62B3, &[(6, u64::MAX - 4), (7, 0)], &[(5, u64::MAX - 4)], 4),
    ("rem t0, t1, t2", 0x0273_62B3, &[(6, 0x8000_0000_0000_0000), (7, u64::MAX)], &[(5, 0)], 4),
    ("remu t0, t1, t2", 0x0273_72B3, &[(6, u64::MAX - 6), (7, 2)], &[(5, 1)], 4),
    ("remu t0, t1, t2", 0x0273_72B3, &[(6, u64::MAX - 4), (7, 0)], &[(5, u64::MAX - 4)], 4),
    ("remu t0, t1, t2", 0x0273_72B3, &[(6, 0x8000_0000_0000_0000), (7, u64::MAX)], &[(5, 0x8000_0000_0000_0000)], 4),
    ("divw t0, t1, t2", 0x0273_42BB, &[(6, 0xFFFF_FFF9), (7, 2)], &[(5, u64::MAX - 2)], 4),
    ("divw t0, t1, t2", 0x0273_42BB, &[(6, 5), (7, 0x1_0000_0000)], &[(5, u64::MAX)], 4),
    ("divw t0, t1, t2", 0x0273_42BB, &[(6, 0x8000_0000), (7, 0xFFFF_FFFF)], &[(5, 0xFFFF_FFFF_8000_0000)], 4),
    ("divuw t0, t1, t2", 0x0273_52BB, &[(6, u64::MAX - 1), (7, 1)], &[(5, u64::MAX - 1)], 4),
    ("divuw t0, t1, t2", 0x0273_52BB, &[(6, 5), (7, 0)], &[(5, u64::MAX)], 4),
    ("divuw t0, t1, t2", 0x0273_52BB, &[(6, 0x8000_0000), (7, 2)], &[(5, 0x4000_0000)], 4),
    ("remw t0, t1, t2", 0x0273_62BB, &[(6, 0xFFFF_FFF9), (7, 2)], &[(5, u64::MAX)], 4),
    ("remw t0, t1, t2", 0x0273_62BB, &[(6, 0x8000_0000), (7, 0)], &[(5, 0xFFFF_FFFF_8000_0000)], 4),
    ("remw t0, t1, t2", 0x0273_62BB, &[(6, 0x8000_0000), (7, 0xFFFF_FFFF)], &[(5, 0)], 4),
    ("remuw t0, t1, t2", 0x0273_72BB, &[(6, 0xFFFF_FFF9), (7, 2)], &[(5, 1)], 4),
    ("remuw t0, t1, t2", 0x0273_72BB, &[(6, 0x1_FFFF_FFF9), (7, 0x1_0000_0000)], &[(5, u64::MAX - 6)], 4),
    // Jumps and branches.
    ("jal ra, . + 2048", 0x0010_00EF, &[], &[(1, 0x1000_0004)], 2048),
    ("jal zero, . - 1048576", 0x8000_006F, &[], &[], -1048576),
    ("jal t0, . + 1048574", 0x7FFF_F2EF, &[], &[(5, 0x1000_0004)], 1048574),
    ("jalr ra, -1(t1)", 0xFFF3_00E7, &[(6, 0x1000_0101)], &[(1, 0x1000_0004)], 0x100),
    ("jalr t1, 3(t1)", 0x0033_0367, &[(6, 0x1000_0100)], &[(6, 0x1000_0004)], 0x102),
    ("beq t1, t2, . + 8", 0x0073_0463, &[(6, 5), (7, 5)], &[], 8),
    ("beq t1, t2, . + 8", 0x0073_0463, &[(6, 5), (7, 6)], &[], 4),
    ("bne t1, t2, . - 4096", 0x8073_1063, &[(6, 5), (7, 6)], &[], -4096),
    ("bne t1, t2, . + 8", 0x0073_1463, &[(6, 5), (7, 5)], &[], 4),
    ("blt t1, t2, . + 4094", 0x7E73_4FE3, &[(6, u64::MAX), (7, 0)], &[], 4094),
    ("blt t1, t2, . + 8", 0x0073_4463, &[(6, 0), (7, 0)], &[], 4),
    ("bge t1, t2, . + 8", 0x0073_5463, &[(6, 0), (7, u64::MAX)], &[], 8),
    ("bge t1, t2, . + 8", 0x0073_5463, &[(6, 0), (7, 0)], &[], 8),
    ("bge t1, t2, . + 8", 0x0073_5463, &[(6, u64::MAX), (7, 0)], &[], 4),
    ("bltu t1, t2, . + 8", 0x0073_6463, &[(6, 0), (7, u64::MAX)], &[], 8),
    ("bltu t1, t2, . + 8", 0x0073_6463, &[(6, u64::MAX), (7, 0)], &[], 4),
    ("bgeu t1, t2, . + 2", 0x0073_7163, &[(6, u64::MAX), (7, 0)], &[], 2),
    ("bgeu t1, t2, . + 8", 0x0073_7463, &[(6, 0), (7, u64::MAX)], &[], 4),
    // What does nothing here.
    ("fence rw, rw", 0x0330_000F, &[], &[], 4),
    ("fence.i", 0x0000_100F, &[], &[], 4),
    ("fence.tso", 0x8330_000F, &[], &[], 4),
    // Two bytes.
    ("c.addi4spn s0, sp, 1020", 0x1FE0, &[(2, 0x1000)], &[(8, 0x13FC)], 2),
    ("c.addi4spn a5, sp, 4", 0x005C, &[(2, u64::MAX - 3)], &[(15, 0)], 2),
    ("c.nop", 0x0001, &[], &[], 2),
    ("c.addi t0, -32", 0x1281, &[(5, 0)], &[(5, u64::MAX - 31)], 2),
    ("c.addi t0, 31", 0x02FD, &[(5, u64::MAX - 30)], &[(5, 0)], 2),
    ("c.addiw t0, 1", 0x2285, &[(5, 0x7FFF_FFFF)], &[(5, 0xFFFF_FFFF_8000_0000)], 2),
    ("c.addiw t0, 0", 0x2281, &[(5, 0x1_8000_0000)], &[(5, 0xFFFF_FFFF_8000_0000)], 2),
    ("c.li t0, -32", 0x5281, &[(5, 5)], &[(5, u64::MAX - 31)], 2),
    ("c.li t6, 31", 0x4FFD, &[], &[(31, 31)], 2),
    ("c.addi16sp sp, 496", 0x617D, &[(2, 0x1000)], &[(2, 0x11F0)], 2),
    ("c.addi16sp sp, -512", 0x7101, &[(2, 0x1000)], &[(2, 3584)], 2),
    ("c.lui t0, 31", 0x62FD, &[], &[(5, 0x1_F000)], 2),
    ("c.lui t0, 0xfffe0", 0x7281, &[], &[(5, 0xFFFF_FFFF_FFFE_0000)], 2),
    ("c.srli s0, 63", 0x907D, &[(8, u64::MAX)], &[(8, 1)], 2),
    ("c.srli a5, 1", 0x8385, &[(15, 6)], &[(15, 3)], 2),
    ("c.srai s0, 63", 0x947D, &[(8, 0x8000_0000_0000_0000)], &[(8, u64::MAX)], 2),
    ("c.srai s1, 33", 0x9485, &[(9, 0x8000_0000_0000_0000)], &[(9, 0xFFFF_FFFF_C000_0000)], 2),
    ("c.andi s0, -32", 0x9801, &[(8, 255)], &[(8, 224)], 2),
    ("c.sub s0, s1", 0x8C05, &[(8, 1), (9, 2)], &[(8, u64::MAX)], 2),
    ("c.xor s0, a5", 0x8C3D, &[(8, 240), (15, 255)], &[(8, 15)], 2),
    ("c.or a4, a5", 0x8F5D, &[(14, 240), (15, 15)], &[(14, 255)], 2),
    ("c.and s0, s1", 0x8C65, &[(8, 240), (9, 60)], &[(8, 48)], 2),
    ("c.subw s0, s1", 0x9C05, &[(8, 0x8000_0000), (9, 1)], &[(8, 0x7FFF_FFFF)], 2),
    ("c.addw s0, s1", 0x9C25, &[(8, 0x7FFF_FFFF), (9, 1)], &[(8, 0xFFFF_FFFF_8000_0000)], 2),
    ("c.j . + 2046", 0xAFFD, &[], &[], 2046),
    ("c.j . - 2048", 0xB001, &[], &[], -2048),
    ("c.beqz s0, . + 254", 0xCC7D, &[(8, 0)], &[], 254),
    ("c.beqz s0, . - 256", 0xD001, &[(8, 1)], &[], 2),
    ("c.bnez a5, . - 256", 0xF381, &[(15, 1)], &[], -256),
    ("c.bnez a5, . + 2", 0xE389, &[(15, 0)], &[], 2),
    ("c.slli t0, 63", 0x12FE, &[(5, 3)], &[(5, 0x8000_0000_0000_0000)], 2),
    ("c.slli t6, 32", 0x1F82, &[(31, 1)], &[(31, 0x1_0000_0000)], 2),
    ("c.jr t0", 0x8282, &[(5, 0x1000_0010)], &[], 0x10),
    ("c.jr ra", 0x8082, &[(1, 0x1000_0021)], &[], 0x20),
    ("c.mv t0, t1", 0x829A, &[(6, u64::MAX - 8)], &[(5, u64::MAX - 8)], 2),
    ("c.jalr t0", 0x9282, &[(5, 0x1000_0040)], &[(1, 0x1000_0002)], 0x40),
    ("c.jalr ra", 0x9082, &[(1, 0x1000_0080)], &[(1, 0x1000_0002)], 0x80),
    ("c.add t0, t1", 0x929A, &[(5, u64::MAX), (6, 3)], &[(5, 2)], 2),
    ("c.add t0, t0", 0x9296, &[(5, 0x8000_0000_0000_0000)], &[(5, 0)], 2),
];

/// What an instruction does to the memory.
enum Change {
    Nothing,
    /// These bytes are stored, from this place of the first page on.
    Stores(usize, &'static [u8]),
    /// Its address is reserved.
    Reserves,
}

/// The first bytes of the memory; the others of its first page are zero.
const CONTENT: [u8; 16] = [
    0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF,
];

#[rustfmt::skip]
const MEMORY: &[(&str, u32, Registers, Registers, Change)] = &[
    // Loads.
    ("lb t0, 0(t1)", 0x0003_0283, &[(6, MEMORY_BASE)], &[(5, u64::MAX - 119)], Change::Nothing),
    ("lb t0, -1(t1)", 0xFFF3_0283, &[(6, MEMORY_BASE + 9)], &[(5, 1)], Change::Nothing),
    ("lbu t0, 0(t1)", 0x0003_4283, &[(6, MEMORY_BASE)], &[(5, 136)], Change::Nothing),
    ("lh t0, 2(t1)", 0x0023_1283, &[(6, MEMORY_BASE)], &[(5, 0xFFFF_FFFF_FFFF_BBAA)], Change::Nothing),
    ("lhu t0, 2(t1)", 0x0023_5283, &[(6, MEMORY_BASE)], &[(5, 0xBBAA)], Change::Nothing),
    ("lw t0, 4(t1)", 0x0043_2283, &[(6, MEMORY_BASE)], &[(5, 0xFFFF_FFFF_FFEE_DDCC)], Change::Nothing),
    ("lw t0, 8(t1)", 0x0083_2283, &[(6, MEMORY_BASE)], &[(5, 0x6745_2301)], Change::Nothing),
    ("lwu t0, 4(t1)", 0x0043_6283, &[(6, MEMORY_BASE)], &[(5, 0xFFEE_DDCC)], Change::Nothing),
    ("ld t0, 0(t1)", 0x0003_3283, &[(6, MEMORY_BASE)], &[(5, 0xFFEE_DDCC_BBAA_9988)], Change::Nothing),
    ("ld t0, -2048(t1)", 0x8003_3283, &[(6, MEMORY_BASE + 2056)], &[(5, 0xEFCD_AB89_6745_2301)], Change::Nothing),
    ("ld zero, 0(t1)", 0x0003_3003, &[(6, MEMORY_BASE)], &[], Change::Nothing),
    // Stores.
    ("sb t0, 3(t1)", 0x0053_01A3, &[(6, MEMORY_BASE), (5, 0x1122_3344_5566_7788)], &[], Change::Stores(3, &[0x88])),
    ("sh t0, 2(t1)", 0x0053_1123, &[(6, MEMORY_BASE), (5, 0x1122_3344_5566_7788)], &[], Change::Stores(2, &[0x88, 0x77])),
    ("sw t0, 4(t1)", 0x0053_2223, &[(6, MEMORY_BASE), (5, 0x1122_3344_5566_7788)], &[], Change::Stores(4, &[0x88, 0x77, 0x66, 0x55])),
    ("sd t0, -2048(t1)", 0x8053_3023, &[(6, MEMORY_BASE + 2056), (5, 0x1122_3344_5566_7788)], &[], Change::Stores(8, &[0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11])),
    ("sd zero, 1016(t1)", 0x3E03_3C23, &[(6, MEMORY_BASE)], &[], Change::Stores(1016, &[0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00])),
    // Two bytes.
    ("c.lw s0, 4(s1)", 0x40C0, &[(9, MEMORY_BASE)], &[(8, 0xFFFF_FFFF_FFEE_DDCC)], Change::Nothing),
    ("c.lw a0, 124(a1)", 0x5DE8, &[(11, MEMORY_BASE - 120)], &[(10, 0xFFFF_FFFF_FFEE_DDCC)], Change::Nothing),
    ("c.ld s0, 8(s1)", 0x6480, &[(9, MEMORY_BASE)], &[(8, 0xEFCD_AB89_6745_2301)], Change::Nothing),
    ("c.ld a0, 248(a1)", 0x7DE8, &[(11, MEMORY_BASE - 248)], &[(10, 0xFFEE_DDCC_BBAA_9988)], Change::Nothing),
    ("c.sw s0, 8(s1)", 0xC480, &[(9, MEMORY_BASE), (8, 0x1122_3344_5566_7788)], &[], Change::Stores(8, &[0x88, 0x77, 0x66, 0x55])),
    ("c.sw s0, 64(s1)", 0xC0A0, &[(9, MEMORY_BASE), (8, 0x1122_3344_5566_7788)], &[], Change::Stores(64, &[0x88, 0x77, 0x66, 0x55])),
    ("c.sd a5, 192(a4)", 0xE37C, &[(14, MEMORY_BASE), (15, 0x1122_3344_5566_7788)], &[], Change::Stores(192, &[0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11])),
    ("c.lwsp t0, 8(sp)", 0x42A2, &[(2, MEMORY_BASE)], &[(5, 0x6745_2301)], Change::Nothing),
    ("c.lwsp t0, 252(sp)", 0x52FE, &[(2, MEMORY_BASE - 248)], &[(5, 0xFFFF_FFFF_FFEE_DDCC)], Change::Nothing),
    ("c.ldsp ra, 504(sp)", 0x70FE, &[(2, MEMORY_BASE - 496)], &[(1, 0xEFCD_AB89_6745_2301)], Change::Nothing),
    ("c.swsp t0, 252(sp)", 0xDF96, &[(2, MEMORY_BASE), (5, 0x1122_3344_5566_7788)], &[], Change::Stores(252, &[0x88, 0x77, 0x66, 0x55])),
    ("c.sdsp t0, 504(sp)", 0xFF96, &[(2, MEMORY_BASE), (5, 0x1122_3344_5566_7788)], &[], Change::Stores(504, &[0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11])),
    ("c.sdsp zero, 0(sp)", 0xE002, &[(2, MEMORY_BASE)], &[], Change::Stores(0, &[0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00])),
    // Atomics.
    ("amoswap.w t0, t2, (t1)", 0x0873_22AF, &[(6, MEMORY_BASE), (7, 0x1122_3344_5566_7788)], &[(5, 0xFFFF_FFFF_BBAA_9988)], Change::Stores(0, &[0x88, 0x77, 0x66, 0x55])),
    ("amoadd.w t0, t2, (t1)", 0x0073_22AF, &[(6, MEMORY_BASE + 4), (7, 820)], &[(5, 0xFFFF_FFFF_FFEE_DDCC)], Change::Stores(4, &[0x00, 0xE1, 0xEE, 0xFF])),
    ("amoadd.w.aqrl t0, t2, (t1)", 0x0673_22AF, &[(6, MEMORY_BASE + 4), (7, 0x11_2234)], &[(5, 0xFFFF_FFFF_FFEE_DDCC)], Change::Stores(4, &[0x00, 0x00, 0x00, 0x00])),
    ("amoxor.w t0, t2, (t1)", 0x2073_22AF, &[(6, MEMORY_BASE + 8), (7, u64::MAX)], &[(5, 0x6745_2301)], Change::Stores(8, &[0xFE, 0xDC, 0xBA, 0x98])),
    ("amoand.w t0, t2, (t1)", 0x6073_22AF, &[(6, MEMORY_BASE + 8), (7, 0xFF0_0FF0)], &[(5, 0x6745_2301)], Change::Stores(8, &[0x00, 0x03, 0x40, 0x07])),
    ("amoor.w t0, t2, (t1)", 0x4073_22AF, &[(6, MEMORY_BASE + 8), (7, 0x8000_0000)], &[(5, 0x6745_2301)], Change::Stores(8, &[0x01, 0x23, 0x45, 0xE7])),
    ("amomin.w t0, t2, (t1)", 0x8073_22AF, &[(6, MEMORY_BASE), (7, 0x1_0000_0001)], &[(5, 0xFFFF_FFFF_BBAA_9988)], Change::Stores(0, &[0x88, 0x99, 0xAA, 0xBB])),
    ("amomin.w t0, t2, (t1)", 0x8073_22AF, &[(6, MEMORY_BASE + 8), (7, 0x8000_0000)], &[(5, 0x6745_2301)], Change::Stores(8, &[0x00, 0x00, 0x00, 0x80])),
    ("amomax.w t0, t2, (t1)", 0xA073_22AF, &[(6, MEMORY_BASE), (7, 0x1_0000_0001)], &[(5, 0xFFFF_FFFF_BBAA_9988)], Change::Stores(0, &[0x01, 0x00, 0x00, 0x00])),
    ("amomax.w t0, t2, (t1)", 0xA073_22AF, &[(6, MEMORY_BASE), (7, 0x1_8000_0000)], &[(5, 0xFFFF_FFFF_BBAA_9988)], Change::Stores(0, &[0x88, 0x99, 0xAA, 0xBB])),
    ("amominu.w t0, t2, (t1)", 0xC073_22AF, &[(6, MEMORY_BASE), (7, 0x1_0000_0001)], &[(5, 0xFFFF_FFFF_BBAA_9988)], Change::Stores(0, &[0x01, 0x00, 0x00, 0x00])),
    ("amomaxu.w t0, t2, (t1)", 0xE073_22AF, &[(6, MEMORY_BASE), (7, 0x1_0000_0001)], &[(5, 0xFFFF_FFFF_BBAA_9988)], Change::Stores(0, &[0x88, 0x99, 0xAA, 0xBB])),
    ("amomaxu.w.aq t0, t2, (t1)", 0xE473_22AF, &[(6, MEMORY_BASE), (7, u64::MAX)], &[(5, 0xFFFF_FFFF_BBAA_9988)], Change::Stores(0, &[0xFF, 0xFF, 0xFF, 0xFF])),
    ("amoswap.d t0, t2, (t1)", 0x0873_32AF, &[(6, MEMORY_BASE), (7, 0x1122_3344_5566_7788)], &[(5, 0xFFEE_DDCC_BBAA_9988)], Change::Stores(0, &[0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11])),
    ("amoswap.d t2, t2, (t1)", 0x0873_33AF, &[(6, MEMORY_BASE), (7, 1)], &[(7, 0xFFEE_DDCC_BBAA_9988)], Change::Stores(0, &[0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00])),
    ("amoswap.d t1, t2, (t1)", 0x0873_332F, &[(6, MEMORY_BASE), (7, 1)], &[(6, 0xFFEE_DDCC_BBAA_9988)], Change::Stores(0, &[0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00])),
    ("amoadd.d.rl t0, t2, (t1)", 0x0273_32AF, &[(6, MEMORY_BASE), (7, 0x112_2334_4556_6778)], &[(5, 0xFFEE_DDCC_BBAA_9988)], Change::Stores(0, &[0x00, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01])),
    ("amoxor.d t0, t2, (t1)", 0x2073_32AF, &[(6, MEMORY_BASE + 8), (7, u64::MAX)], &[(5, 0xEFCD_AB89_6745_2301)], Change::Stores(8, &[0xFE, 0xDC, 0xBA, 0x98, 0x76, 0x54, 0x32, 0x10])),
    ("amoand.d t0, t2, (t1)", 0x6073_32AF, &[(6, MEMORY_BASE + 8), (7, 255)], &[(5, 0xEFCD_AB89_6745_2301)], Change::Stores(8, &[0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00])),
    ("amoor.d zero, t2, (t1)", 0x4073_302F, &[(6, MEMORY_BASE + 8), (7, 255)], &[], Change::Stores(8, &[0xFF, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF])),
    ("amomin.d t0, t2, (t1)", 0x8073_32AF, &[(6, MEMORY_BASE), (7, 0)], &[(5, 0xFFEE_DDCC_BBAA_9988)], Change::Stores(0, &[0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF])),
    ("amomin.d t0, t2, (t1)", 0x8073_32AF, &[(6, MEMORY_BASE), (7, 0x8000_0000_0000_0000)], &[(5, 0xFFEE_DDCC_BBAA_9988)], Change::Stores(0, &[0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80])),
    ("amomax.d t0, t2, (t1)", 0xA073_32AF, &[(6, MEMORY_BASE), (7, 0)], &[(5, 0xFFEE_DDCC_BBAA_9988)], Change::Stores(0, &[0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00])),
    ("amominu.d t0, t2, (t1)", 0xC073_32AF, &[(6, MEMORY_BASE), (7, 0)], &[(5, 0xFFEE_DDCC_BBAA_9988)], Change::Stores(0, &[0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00])),
    ("amomaxu.d t0, t2, (t1)", 0xE073_32AF, &[(6, MEMORY_BASE), (7, 0)], &[(5, 0xFFEE_DDCC_BBAA_9988)], Change::Stores(0, &[0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF])),
    ("amomaxu.d t0, t2, (t1)", 0xE073_32AF, &[(6, MEMORY_BASE), (7, u64::MAX)], &[(5, 0xFFEE_DDCC_BBAA_9988)], Change::Stores(0, &[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF])),
    ("lr.w t0, (t1)", 0x1003_22AF, &[(6, MEMORY_BASE)], &[(5, 0xFFFF_FFFF_BBAA_9988)], Change::Reserves),
    ("lr.d.aq t0, (t1)", 0x1403_32AF, &[(6, MEMORY_BASE + 8)], &[(5, 0xEFCD_AB89_6745_2301)], Change::Reserves),
    ("sc.w t0, t2, (t1)", 0x1873_22AF, &[(6, MEMORY_BASE), (7, 5)], &[(5, 1)], Change::Nothing),
    ("sc.d t0, t2, (t1)", 0x1873_32AF, &[(6, MEMORY_BASE), (7, 5)], &[(5, 1)], Change::Nothing),
];

/// Illegal for the manual or on this machine.
const ILLEGAL: &[(&str, u32)] = &[
    ("zero", 0x0000),
    ("c.addi4spn of 0", 0x0004),
    ("c.fld", 0x2000),
    ("reserved in quadrant 0", 0x8000),
    ("c.fsd", 0xA000),
    ("c.addiw of x0", 0x2001),
    ("c.addiw of x0, 1", 0x2005),
    ("c.addi16sp of 0", 0x6101),
    ("c.lui of 0", 0x6281),
    ("c.lui of x0, 0", 0x6001),
    ("reserved beside c.addw", 0x9C41),
    ("reserved beside c.addw", 0x9C61),
    ("c.fldsp", 0x2002),
    ("c.lwsp of x0", 0x4002),
    ("c.ldsp of x0", 0x6002),
    ("c.jr of x0", 0x8002),
    ("c.fsdsp", 0xA002),
    ("slli by 64", 0x0403_1293),
    ("srai with another high bit", 0xC003_5293),
    ("slliw by 32", 0x0203_129B),
    ("srliw by 32", 0x0203_529B),
    ("sraiw by 32", 0x4203_529B),
    ("slti, of words", 0x0003_229B),
    ("add with another funct7", 0x0473_02B3),
    ("sll with that of sub", 0x4073_12B3),
    ("andn", 0x4073_72B3),
    ("sh1add", 0x2073_22B3),
    ("slt, of words", 0x0073_22BB),
    ("mulh, of words", 0x0273_12BB),
    ("add.uw", 0x0873_02BB),
    ("a load with funct3 7", 0x0003_7283),
    ("a store with funct3 4", 0x0053_4023),
    ("a branch with funct3 2", 0x0073_2463),
    ("a branch with funct3 3", 0x0073_3463),
    ("jalr with funct3 1", 0x0003_1067),
    ("lr.w with rs2", 0x1013_22AF),
    ("lr.d with rs2", 0x1073_32AF),
    ("amoadd.b", 0x0073_02AF),
    ("amoadd.h", 0x0073_12AF),
    ("amocas.w", 0x2873_22AF),
    ("fence with funct3 2 (cbo)", 0x0000_200F),
    ("ecall with rd", 0x0000_00F3),
    ("ebreak with rs1", 0x0010_8073),
    ("uret", 0x0020_0073),
    ("sret", 0x1020_0073),
    ("wfi", 0x1050_0073),
    ("mret", 0x3020_0073),
    ("csrrw", 0x3400_1073),
    ("rdcycle", 0xC000_2573),
    ("flw", 0x0003_2287),
    ("fsw", 0x0053_2027),
    ("fadd.s", 0x0073_02D3),
    ("fmadd.s", 0x2073_02C3),
    ("vadd.vv", 0x0220_81D7),
    ("custom-0", 0x0000_000B),
    ("of 48 bits", 0x0000_001F),
    ("of 64 bits", 0x0000_003F),
    ("ones", u32::MAX),
];

/// What the manual leaves for hints: they do nothing.
const HINTS: &[(&str, u32)] = &[
    ("c.nop 1", 0x0005),
    ("c.addi t0, 0", 0x0281),
    ("c.li zero, 5", 0x4015),
    ("c.lui zero, 1", 0x6005),
    ("c.srli s0, 0", 0x8001),
    ("c.srai s0, 0", 0x8401),
    ("c.slli t0, 0", 0x0282),
    ("c.slli zero, 1", 0x0006),
    ("c.mv zero, t0", 0x8016),
    ("c.add zero, t0", 0x9016),
    ("lui zero, 1", 0x0000_1037),
    ("auipc zero, 1", 0x0000_1017),
    ("slti zero, t0, 1", 0x0012_A013),
    ("add zero, t0, t0", 0x0052_8033),
    ("mul zero, t0, t0", 0x0252_8033),
    ("addiw zero, t0, 1", 0x0012_801B),
    ("subw zero, t0, t0", 0x4052_803B),
    ("fence with registers and a mode", 0xFFF2_8F8F),
    ("fence.i with everything", 0xFFFF_9F8F),
];

/// The image that is this instruction alone.
fn image(word: u32) -> Vec<u8> {
    let length = if word & 3 == 3 { 4 } else { 2 };
    word.to_le_bytes()[..length].to_vec()
}

fn first_page() -> [u8; PAGE_BYTES] {
    let mut page = [0; PAGE_BYTES];
    page[..CONTENT.len()].copy_from_slice(&CONTENT);
    page
}

/// The root of a memory that is zero beyond its first page.
fn root(page: &[u8; PAGE_BYTES]) -> H256 {
    tree::root_of(&[(0, tree::page_hash(page))], &siblings()).unwrap()
}

fn siblings() -> Vec<H256> {
    tree::empty_nodes()[..tree::DEPTH as usize].to_vec()
}

/// A machine that can execute two instructions, with numbers of their own in all registers but these.
fn before(registers: &[(usize, u64)]) -> State {
    let mut state = State::start(&BlobRef::to(&[]), 2);
    for (number, register) in (1u64..).zip(&mut state.registers) {
        *register = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
    for &(number, value) in registers {
        state.registers[number - 1] = value;
    }
    state.memory = root(&first_page());
    state
}

/// The state after the instruction, which is the whole image and so is followed by a trap or by nothing.
fn execute(word: u32, before: &State, touches_memory: bool) -> State {
    let image = image(word);
    let witness = Witness {
        image: vec![ChunkProof::new(&image, 0).unwrap()],
        pages: touches_memory.then(|| (0, first_page())).into_iter().collect(),
        siblings: if touches_memory { siblings() } else { Vec::new() },
        chunks: Vec::new(),
    };
    let mut one = before.clone();
    one.gas = 1;
    let mut after =
        execute_segment(&BlobRef::to(&image), &one, &witness).unwrap_or_else(|error| panic!("{word:x}: {error}"));
    assert_eq!(after.gas, 0, "{word:x}");
    if after.status == Status::OutOfGas {
        after.status = Status::Running;
    }
    after.gas = before.gas - 1;
    after
}

/// What `before` becomes by an instruction of this length that changes these registers.
fn expected(before: &State, moves: i64, registers: &[(usize, u64)]) -> State {
    let mut after = before.clone();
    after.gas -= 1;
    after.pc = after.pc.wrapping_add_signed(moves);
    for &(number, value) in registers {
        after.registers[number - 1] = value;
    }
    after
}

fn length(word: u32) -> i64 {
    image(word).len() as i64
}

#[test]
fn instructions_on_registers() {
    for &(text, word, registers, changed, moves) in REGISTERS {
        let before = before(registers);
        assert_eq!(
            execute(word, &before, false),
            expected(&before, moves, changed),
            "{text}"
        );
    }
}

#[test]
fn instructions_on_memory() {
    for (text, word, registers, changed, change) in MEMORY {
        let before = before(registers);
        let mut after = expected(&before, length(*word), changed);
        let mut page = first_page();
        match *change {
            Change::Nothing => {}
            Change::Stores(at, bytes) => page[at..at + bytes.len()].copy_from_slice(bytes),
            Change::Reserves => after.reservation = registers.first().map(|(_, address)| *address),
        }
        after.memory = root(&page);
        // A conditional store that does not store touches nothing.
        let touches = !text.starts_with("sc.");
        assert_eq!(execute(*word, &before, touches), after, "{text}");
    }
}

#[test]
fn conditional_stores_need_a_reservation_of_their_address() {
    let sc_w = 0x1873_22AF;
    let sc_d = 0x1873_32AF;
    for (word, bytes) in [(sc_w, [5, 6, 7, 8].as_slice()), (sc_d, &[5, 6, 7, 8, 9, 10, 11, 12])] {
        let value = u64::from_le_bytes([5, 6, 7, 8, 9, 10, 11, 12]);
        let mut reserved = before(&[(6, MEMORY_BASE + 8), (7, value)]);
        reserved.reservation = Some(MEMORY_BASE + 8);
        let mut stored = expected(&reserved, 4, &[(5, 0)]);
        let mut page = first_page();
        page[8..8 + bytes.len()].copy_from_slice(bytes);
        (stored.memory, stored.reservation) = (root(&page), None);
        assert_eq!(execute(word, &reserved, true), stored);

        for other in [0, MEMORY_BASE, MEMORY_BASE + 12, MEMORY_BASE + 16, u64::MAX] {
            let mut elsewhere = reserved.clone();
            elsewhere.reservation = Some(other);
            let mut not_stored = expected(&elsewhere, 4, &[(5, 1)]);
            not_stored.reservation = None;
            assert_eq!(execute(word, &elsewhere, false), not_stored);
        }
        // Misaligned, whatever is reserved; and the reservation stays.
        let mut misaligned = before(&[(6, MEMORY_BASE + 2)]);
        misaligned.reservation = Some(MEMORY_BASE + 2);
        let mut trapped = expected(&misaligned, 0, &[]);
        trapped.status = Status::Trapped(Trap::Misaligned);
        assert_eq!(execute(word, &misaligned, false), trapped);
    }
}

#[test]
fn all_else_is_illegal() {
    for &(text, word) in ILLEGAL {
        assert_eq!(Instruction::decode(word), None, "{text}");
        let before = before(&[]);
        let mut after = expected(&before, 0, &[]);
        after.status = Status::Trapped(Trap::Illegal);
        assert_eq!(execute(word, &before, false), after, "{text}");
    }
}

#[test]
fn hints_do_nothing() {
    for &(text, word) in HINTS {
        let before = before(&[]);
        assert_eq!(
            execute(word, &before, false),
            expected(&before, length(word), &[]),
            "{text}"
        );
    }
}

/// What is not decoded to itself is a compressed instruction, a fence, or has an order of memory accesses.
#[test]
fn words_of_four_bytes_are_what_they_are_decoded_to() {
    let words = REGISTERS
        .iter()
        .map(|case| case.1)
        .chain(MEMORY.iter().map(|case| case.1));
    for word in words.filter(|word| word & 3 == 3) {
        let meant = match word & 0x7F {
            0x0F => 0x0F,
            0x2F => word & !(3 << 25),
            _ => word,
        };
        assert_eq!(encode(&Instruction::decode(word).unwrap()), meant, "{word:x}");
    }
}

/// The table has every operation, in both forms where there are two.
#[test]
fn every_operation_is_tried() {
    use std::collections::BTreeSet;
    let all = |length: u8| -> BTreeSet<String> {
        // Every half, and of words as many as differ in what says which operation it is.
        let halves = (0..1u32 << 16).filter(|half| half & 3 != 3);
        let words = (0..1u32 << 15).map(|bits| (bits >> 8) << 25 | (bits >> 5 & 7) << 12 | (bits & 31) << 2 | 3);
        let found = halves.chain(words).chain([0x0010_0073]).filter_map(Instruction::decode);
        found
            .filter(|one| one.length == length)
            .map(|one| format!("{:?}", one.operation))
            .collect()
    };
    let tried = |length: u8| -> BTreeSet<String> {
        let words = REGISTERS
            .iter()
            .map(|case| case.1)
            .chain(MEMORY.iter().map(|case| case.1));
        let found = words.filter_map(Instruction::decode).filter(|one| one.length == length);
        // Calls and `ebreak` have tests of their own.
        let calls = if length == 4 {
            ["Ecall", "Ebreak"].as_slice()
        } else {
            &["Ebreak"]
        };
        found
            .map(|one| format!("{:?}", one.operation))
            .chain(calls.iter().map(|name| name.to_string()))
            .collect()
    };
    assert_eq!((all(2), all(4)), (tried(2), tried(4)));
    // As many as `Operation` has.
    assert_eq!(all(4).len(), 87);
}
