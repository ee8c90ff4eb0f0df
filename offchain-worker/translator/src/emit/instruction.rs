//! What single instructions become. Control is written with their blocks.

use super::{ADDRESS, Access, Emitter, Label, NO_PAGE, NUMBER, PAGE, STAMP, address, at, stamp_of};
use crate::{
    layout::{self, IMAGE_TOP, MEMORY_TOP, STAMPS, TOP_SHIFT},
    profile::Block,
};
use agora_machine::{
    PAGE_BYTES,
    instruction::{Instruction, Operation},
};
use wasm_encoder::{BlockType, InstructionSink, MemArg, ValType};

/// The bytes of an access, whose place is on the stack.
const HERE: MemArg = at(0, 0);

impl Emitter<'_> {
    /// An instruction at half `place` of the image, with which `rest` of its block are left.
    pub(super) fn instruction(&mut self, block: &Block, instruction: &Instruction, place: u32, rest: i64) {
        use Operation::*;
        let Instruction {
            operation,
            rd,
            rs1,
            rs2,
            immediate,
            ..
        } = *instruction;
        let immediate = i64::from(immediate);
        if let Some(access) = Access::of(instruction) {
            return self.access(instruction, access, place, rest);
        }
        match operation {
            Beq | Bne | Blt | Bge | Bltu | Bgeu | Jal | Jalr => {
                debug_assert!(place + u32::from(instruction.length / 2) == block.next());
                return;
            }
            _ if rd == 0 => return,
            Lui => {
                self.code().i64_const(immediate);
            }
            Auipc => {
                let value = address(place).wrapping_add_signed(immediate);
                self.code().i64_const(value as i64);
            }
            Addi | Slti | Sltiu | Xori | Ori | Andi | Slli | Srli | Srai => {
                self.get(rs1);
                let mut code = self.code();
                code.i64_const(immediate);
                match operation {
                    Addi => code.i64_add(),
                    Slti => code.i64_lt_s().i64_extend_i32_u(),
                    Sltiu => code.i64_lt_u().i64_extend_i32_u(),
                    Xori => code.i64_xor(),
                    Ori => code.i64_or(),
                    Andi => code.i64_and(),
                    Slli => code.i64_shl(),
                    Srli => code.i64_shr_u(),
                    _ => code.i64_shr_s(),
                };
            }
            Addiw | Slliw | Srliw | Sraiw => {
                self.get(rs1);
                let mut code = self.code();
                code.i32_wrap_i64().i32_const(immediate as i32);
                match operation {
                    Addiw => code.i32_add(),
                    Slliw => code.i32_shl(),
                    Srliw => code.i32_shr_u(),
                    _ => code.i32_shr_s(),
                };
                code.i64_extend_i32_s();
            }
            // Wasm takes as many bits of how far to shift as RISC-V.
            Add | Sub | Sll | Slt | Sltu | Xor | Srl | Sra | Or | And | Mul => {
                self.get(rs1);
                self.get(rs2);
                let mut code = self.code();
                match operation {
                    Add => code.i64_add(),
                    Sub => code.i64_sub(),
                    Sll => code.i64_shl(),
                    Slt => code.i64_lt_s().i64_extend_i32_u(),
                    Sltu => code.i64_lt_u().i64_extend_i32_u(),
                    Xor => code.i64_xor(),
                    Srl => code.i64_shr_u(),
                    Sra => code.i64_shr_s(),
                    Or => code.i64_or(),
                    And => code.i64_and(),
                    _ => code.i64_mul(),
                };
            }
            Addw | Subw | Sllw | Srlw | Sraw | Mulw => {
                self.get(rs1);
                self.code().i32_wrap_i64();
                self.get(rs2);
                let mut code = self.code();
                code.i32_wrap_i64();
                match operation {
                    Addw => code.i32_add(),
                    Subw => code.i32_sub(),
                    Sllw => code.i32_shl(),
                    Srlw => code.i32_shr_u(),
                    Sraw => code.i32_shr_s(),
                    _ => code.i32_mul(),
                };
                code.i64_extend_i32_s();
            }
            Mulh | Mulhsu | Mulhu => self.high_product(operation, rs1, rs2),
            Div | Divu | Rem | Remu => self.quotient(operation, rs1, rs2),
            Divw | Divuw | Remw | Remuw => self.quotient_of_words(operation, rs1, rs2),
            // Fences do nothing. What is left to the interpreter is in no block.
            _ => return,
        }
        self.set(rd);
    }

    /// Whether a branch is taken.
    pub(super) fn condition(&mut self, instruction: &Instruction) {
        use Operation::*;
        self.get(instruction.rs1);
        self.get(instruction.rs2);
        let mut code = self.code();
        match instruction.operation {
            Beq => code.i64_eq(),
            Bne => code.i64_ne(),
            Blt => code.i64_lt_s(),
            Bge => code.i64_ge_s(),
            Bltu => code.i64_lt_u(),
            _ => code.i64_ge_u(),
        };
    }

    fn high_product(&mut self, operation: Operation, rs1: u8, rs2: u8) {
        self.get(rs1);
        self.get(rs2);
        if operation == Operation::Mulh {
            self.code().i64_mul_wide_s();
        } else {
            self.code().i64_mul_wide_u();
        }
        // The high half is on top.
        self.code().local_set(PAGE).drop().local_get(PAGE);
        if operation == Operation::Mulhsu {
            // As a number without sign the first is larger by 2^64 if it is negative.
            self.get(rs1);
            self.code().i64_const(63).i64_shr_s();
            self.get(rs2);
            self.code().i64_and().i64_sub();
        }
    }

    /// Division never traps: by zero, and of the least number by −1, it gives what the manual says.
    fn quotient(&mut self, operation: Operation, rs1: u8, rs2: u8) {
        use Operation::*;
        let value = BlockType::Result(ValType::I64);
        self.get(rs2);
        self.code().i64_eqz().if_(value);
        match operation {
            Div | Divu => {
                self.code().i64_const(-1);
            }
            _ => self.get(rs1),
        }
        self.code().else_();
        match operation {
            Div => {
                self.get(rs2);
                self.code().i64_const(-1).i64_eq().if_(value).i64_const(0);
                self.get(rs1);
                self.code().i64_sub().else_();
                self.get(rs1);
                self.get(rs2);
                self.code().i64_div_s().end();
            }
            // Wasm defines the remainder of the least number by −1.
            _ => {
                self.get(rs1);
                self.get(rs2);
                let mut code = self.code();
                match operation {
                    Rem => code.i64_rem_s(),
                    Remu => code.i64_rem_u(),
                    _ => code.i64_div_u(),
                };
            }
        }
        self.code().end();
    }

    fn quotient_of_words(&mut self, operation: Operation, rs1: u8, rs2: u8) {
        use Operation::*;
        let value = BlockType::Result(ValType::I32);
        let word = |emitter: &mut Self, register| {
            emitter.get(register);
            emitter.code().i32_wrap_i64();
        };
        word(self, rs2);
        self.code().i32_eqz().if_(value);
        match operation {
            Divw | Divuw => {
                self.code().i32_const(-1);
            }
            _ => word(self, rs1),
        }
        self.code().else_();
        match operation {
            Divw => {
                word(self, rs2);
                self.code().i32_const(-1).i32_eq().if_(value).i32_const(0);
                word(self, rs1);
                self.code().i32_sub().else_();
                word(self, rs1);
                word(self, rs2);
                self.code().i32_div_s().end();
            }
            _ => {
                word(self, rs1);
                word(self, rs2);
                let mut code = self.code();
                match operation {
                    Remw => code.i32_rem_s(),
                    Remuw => code.i32_rem_u(),
                    _ => code.i32_div_u(),
                };
            }
        }
        self.code().end().i64_extend_i32_s();
    }

    /// A load or a store.
    fn access(&mut self, instruction: &Instruction, access: Access, place: u32, rest: i64) {
        let Access { size, last, .. } = access;
        self.get(instruction.rs1);
        let inside = (PAGE_BYTES as i64 - 1) & !i64::from(size - 1);
        let mut code = self.code();
        code.i64_const(instruction.immediate.into())
            .i64_add()
            .local_tee(ADDRESS);
        // Of an address that is not aligned the low bits stay, and it is no page.
        code.i64_const(!inside).i64_and().local_tee(PAGE);
        code.local_get(last).i64_ne();
        self.begin_if();
        self.other_page(access, place, rest);
        self.end();
        if instruction.rd == 0 && !access.is_store {
            return;
        }
        let place = |code: &mut InstructionSink<'_>| {
            let mask = layout::MASK as i32;
            code.local_get(ADDRESS).i32_wrap_i64().i32_const(mask).i32_and();
        };
        place(&mut self.code());
        if access.is_store {
            self.get(instruction.rs2);
            let mut code = self.code();
            match size {
                1 => code.i64_store8(HERE),
                2 => code.i64_store16(HERE),
                4 => code.i64_store32(HERE),
                _ => code.i64_store(HERE),
            };
            return;
        }
        use Operation::*;
        let mut code = self.code();
        match instruction.operation {
            Lb => code.i64_load8_s(HERE),
            Lbu => code.i64_load8_u(HERE),
            Lh => code.i64_load16_s(HERE),
            Lhu => code.i64_load16_u(HERE),
            Lw => code.i64_load32_s(HERE),
            Lwu => code.i64_load32_u(HERE),
            _ => code.i64_load(HERE),
        };
        self.set(instruction.rd);
    }

    /// An access to another page than the last: leaves if it traps or if the segment would end, else touches the page.
    fn other_page(&mut self, access: Access, place: u32, rest: i64) {
        let Access { size, is_store, last } = access;
        let image_size = self.bounds.image_size;
        let whole = layout::IMAGE + (image_size & !(PAGE_BYTES as u32 - 1));
        self.begin(Label::Other);
        self.begin(Label::Other);
        // From here on: 0 is to leave, 1 is to go on.
        let mut code = self.code();
        if size > 1 {
            code.local_get(ADDRESS).i64_const((size - 1).into());
            code.i64_and().i64_const(0).i64_ne().br_if(0);
        }
        code.local_get(ADDRESS).i64_const(TOP_SHIFT.into()).i64_shr_u();
        if is_store {
            code.i64_const(MEMORY_TOP as i64).i64_ne().br_if(0);
            code.local_get(PAGE).local_set(last);
        } else {
            code.local_tee(last).i64_const(MEMORY_TOP as i64).i64_ne();
            code.if_(BlockType::Empty);
            code.local_get(last).i64_const(IMAGE_TOP as i64).i64_ne().br_if(1);
            code.local_get(ADDRESS)
                .i64_const(i64::from(layout::IMAGE) + i64::from(image_size));
            code.i64_const(size.into()).i64_sub().i64_gt_s().br_if(1);
            // Of the last chunk, if it is shorter, each access is looked at.
            code.i64_const(NO_PAGE).local_get(PAGE).local_get(ADDRESS);
            code.i64_const(whole.into()).i64_ge_u().select().local_set(last);
            code.else_().local_get(PAGE).local_set(last).end();
        }
        stamp_of(&mut code, ADDRESS);
        code.local_tee(STAMP).i32_load(at(STAMPS, 2));
        code.local_get(NUMBER).i32_eq().br_if(1);
        self.is_full();
        let mut code = self.code();
        code.br_if(0);
        code.local_get(STAMP).local_get(NUMBER).i32_store(at(STAMPS, 2));
        self.count_page();
        self.code().br(1);
        self.end();
        self.leave_to_interpreter(place, rest);
        self.end();
    }
}
