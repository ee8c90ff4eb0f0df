//! Executing instructions, one as the other, on any [`Memory`].

use crate::{
    MAX_OUTPUT_BYTES, MIN_SEGMENT_GAS, Output, PAGE_BYTES, State, Status, Trap,
    instruction::{Instruction, Operation},
    memory::{Fault, Memory},
};
use agora_jobs::{BlobRef, blob::MAX_BLOB};
use primitive_types::H256;

/// The calls that a program can make with `ecall`; which one, says register a7.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Call {
    /// Ends the run. a0: 0 if it is done, 1 if the input is unusable.
    Halt,
    /// Reads a chunk of a blob, in a bounded run of one that it may read. a0: the address of the blob's hash and length (40
    /// bytes, aligned to 64); a1: the number of the chunk; a2: the address of the page to which it goes. a0 becomes the bytes of
    /// the chunk, of which only the last may have fewer than 1024; 0 if the blob ends before.
    Read,
    /// Appends to the output, up to [`MAX_OUTPUT_BYTES`]. a0: the address of a page; a1: how many bytes of it, 1 to 1024, and 1024
    /// but for the last time.
    Write,
}

impl Call {
    /// The call of this number.
    pub const fn of(number: u64) -> Option<Self> {
        match number {
            0 => Some(Self::Halt),
            1 => Some(Self::Read),
            2 => Some(Self::Write),
            _ => None,
        }
    }
}

/// Bytes to which the argument of [`Call::Read`] is aligned, so that it lies in one page.
const BLOB_ALIGNMENT: usize = 64;

const A0: u8 = 10;
const A1: u8 = 11;
const A2: u8 = 12;
const A7: u8 = 17;

/// A machine that is running: a [`State`] without the root of its memory.
#[derive(Clone, Debug)]
pub(crate) struct Hart {
    pub status: Status,
    pub gas: u64,
    pc: u64,
    /// The first one stays zero.
    registers: [u64; 32],
    reservation: Option<u64>,
    pub output: Output,
}

/// What follows an instruction.
enum Next {
    /// The next one.
    Instruction,
    /// The one at this address.
    At(u64),
    /// None.
    End(Status),
}

impl Hart {
    pub fn of(state: &State) -> Self {
        let mut registers = [0; 32];
        for (register, value) in registers.iter_mut().skip(1).zip(state.registers) {
            *register = value;
        }
        Self {
            status: state.status,
            gas: state.gas,
            pc: state.pc,
            registers,
            reservation: state.reservation,
            output: state.output.clone(),
        }
    }

    /// The state with this memory.
    pub fn state(&self, memory: H256) -> State {
        let mut registers = [0; 31];
        for (value, register) in registers.iter_mut().zip(self.registers.iter().skip(1)) {
            *value = *register;
        }
        State {
            status: self.status,
            gas: self.gas,
            pc: self.pc,
            registers,
            reservation: self.reservation,
            memory,
            output: self.output.clone(),
        }
    }

    /// Executes up to `count` instructions, until the segment or the run ends.
    ///
    /// Errors: `Missing` and `Unshown`; the instruction was not executed then.
    pub fn advance<M: Memory>(&mut self, memory: &mut M, count: u64) -> Result<(), Fault> {
        self.advance_until(memory, count, |_| false).map(drop)
    }

    /// As [`Self::advance`], but ends before an instruction at whose address `stop` says so. Returns whether it did.
    ///
    /// Errors: `Missing` and `Unshown`; the instruction was not executed then.
    #[inline(always)]
    pub fn advance_until<M: Memory>(
        &mut self,
        memory: &mut M,
        count: u64,
        mut stop: impl FnMut(u64) -> bool,
    ) -> Result<bool, Fault> {
        for _ in 0..count {
            if self.status != Status::Running {
                break;
            }
            if stop(self.pc) {
                return Ok(true);
            }
            match self.step(memory) {
                Ok(()) => {}
                Err(Fault::Trap(trap)) => self.status = Status::Trapped(trap),
                Err(fault) => return Err(fault),
            }
            self.gas = self.gas.saturating_sub(1);
            if self.gas == 0 && self.status == Status::Running {
                self.status = Status::OutOfGas;
            }
            if memory.is_segment_full() {
                break;
            }
        }
        Ok(false)
    }

    /// The address of the next instruction.
    pub const fn pc(&self) -> u64 {
        self.pc
    }

    /// All registers; the first is zero.
    pub const fn registers(&self) -> &[u64; 32] {
        &self.registers
    }

    /// Takes over what `executed` instructions have led to that were executed elsewhere, and did not end the run.
    pub fn take_over(&mut self, executed: u64, pc: u64, registers: &[u64; 32]) {
        self.gas = self.gas.saturating_sub(executed);
        self.pc = pc;
        self.registers = *registers;
        if let Some(zero) = self.registers.first_mut() {
            *zero = 0;
        }
    }

    /// Takes what is left of the fee for a segment of a bounded run, which began with `before` gas.
    pub fn charge_segment(&mut self, before: u64) {
        if self.status != Status::Running {
            return;
        }
        let used = before.saturating_sub(self.gas);
        self.gas = self.gas.saturating_sub(MIN_SEGMENT_GAS.saturating_sub(used));
        if self.gas == 0 {
            self.status = Status::OutOfGas;
        }
    }

    #[inline(always)]
    fn step<M: Memory>(&mut self, memory: &mut M) -> Result<(), Fault> {
        let instruction = memory.fetch(self.pc)?;
        match self.execute(&instruction, memory)? {
            Next::Instruction => self.pc = self.pc.wrapping_add(instruction.length.into()),
            Next::At(address) => self.pc = address,
            // The program counter stays.
            Next::End(status) => self.status = status,
        }
        Ok(())
    }

    #[inline(always)]
    pub fn get(&self, register: u8) -> u64 {
        self.registers
            .get(usize::from(register & 31))
            .copied()
            .unwrap_or_default()
    }

    #[inline(always)]
    fn set(&mut self, register: u8, value: u64) {
        if let Some(place) = self.registers.get_mut(usize::from(register & 31)) {
            *place = value;
        }
        if let Some(zero) = self.registers.first_mut() {
            *zero = 0;
        }
    }

    /// Either everything that the instruction does is done, or nothing.
    #[inline(always)]
    fn execute<M: Memory>(&mut self, instruction: &Instruction, memory: &mut M) -> Result<Next, Fault> {
        use Operation::*;
        let (a, b) = (self.get(instruction.rs1), self.get(instruction.rs2));
        let immediate = i64::from(instruction.immediate) as u64;
        let at = a.wrapping_add(immediate);
        let beyond = self.pc.wrapping_add(instruction.length.into());
        let jump = self.pc.wrapping_add(immediate);
        let branch = |taken: bool| Ok(if taken { Next::At(jump) } else { Next::Instruction });
        let value = match instruction.operation {
            Lui => immediate,
            Auipc => jump,
            Jal => {
                self.set(instruction.rd, beyond);
                return Ok(Next::At(jump));
            }
            Jalr => {
                self.set(instruction.rd, beyond);
                return Ok(Next::At(at & !1));
            }
            Beq => return branch(a == b),
            Bne => return branch(a != b),
            Blt => return branch((a as i64) < b as i64),
            Bge => return branch(a as i64 >= b as i64),
            Bltu => return branch(a < b),
            Bgeu => return branch(a >= b),
            Lb => i64::from(i8::from_le_bytes(memory.load(at)?)) as u64,
            Lh => i64::from(i16::from_le_bytes(memory.load(at)?)) as u64,
            Lw => signed(u32::from_le_bytes(memory.load(at)?)),
            Ld => u64::from_le_bytes(memory.load(at)?),
            Lbu => u8::from_le_bytes(memory.load(at)?).into(),
            Lhu => u16::from_le_bytes(memory.load(at)?).into(),
            Lwu => u32::from_le_bytes(memory.load(at)?).into(),
            Sb => return stored(memory.store(at, (b as u8).to_le_bytes())),
            Sh => return stored(memory.store(at, (b as u16).to_le_bytes())),
            Sw => return stored(memory.store(at, (b as u32).to_le_bytes())),
            Sd => return stored(memory.store(at, b.to_le_bytes())),
            Addi => at,
            Slti => u64::from((a as i64) < immediate as i64),
            Sltiu => u64::from(a < immediate),
            Xori => a ^ immediate,
            Ori => a | immediate,
            Andi => a & immediate,
            Slli => a.wrapping_shl(immediate as u32),
            Srli => a.wrapping_shr(immediate as u32),
            Srai => (a as i64).wrapping_shr(immediate as u32) as u64,
            Addiw => signed(at as u32),
            Slliw => signed((a as u32).wrapping_shl(immediate as u32)),
            Srliw => signed((a as u32).wrapping_shr(immediate as u32)),
            Sraiw => i64::from((a as i32).wrapping_shr(immediate as u32)) as u64,
            Add => a.wrapping_add(b),
            Sub => a.wrapping_sub(b),
            Sll => a.wrapping_shl(b as u32),
            Slt => u64::from((a as i64) < b as i64),
            Sltu => u64::from(a < b),
            Xor => a ^ b,
            Srl => a.wrapping_shr(b as u32),
            Sra => (a as i64).wrapping_shr(b as u32) as u64,
            Or => a | b,
            And => a & b,
            Addw => signed((a as u32).wrapping_add(b as u32)),
            Subw => signed((a as u32).wrapping_sub(b as u32)),
            Sllw => signed((a as u32).wrapping_shl(b as u32)),
            Srlw => signed((a as u32).wrapping_shr(b as u32)),
            Sraw => i64::from((a as i32).wrapping_shr(b as u32)) as u64,
            Mul => a.wrapping_mul(b),
            Mulh => high(i128::from(a as i64).wrapping_mul(i128::from(b as i64)) as u128),
            Mulhsu => high(i128::from(a as i64).wrapping_mul(i128::from(b)) as u128),
            Mulhu => high(u128::from(a).wrapping_mul(u128::from(b))),
            // Division by zero, and the one quotient that does not fit, have the results that the manual gives.
            Div if b == 0 => u64::MAX,
            Div => (a as i64).checked_div(b as i64).map_or(a, |quotient| quotient as u64),
            Divu => a.checked_div(b).unwrap_or(u64::MAX),
            Rem if b == 0 => a,
            Rem => (a as i64).checked_rem(b as i64).unwrap_or_default() as u64,
            Remu => a.checked_rem(b).unwrap_or(a),
            Mulw => signed((a as u32).wrapping_mul(b as u32)),
            Divw if b as u32 == 0 => u64::MAX,
            Divw => signed((a as i32).checked_div(b as i32).unwrap_or(a as i32) as u32),
            Divuw => signed((a as u32).checked_div(b as u32).unwrap_or(u32::MAX)),
            Remw if b as u32 == 0 => signed(a as u32),
            Remw => signed((a as i32).checked_rem(b as i32).unwrap_or_default() as u32),
            Remuw => signed((a as u32).checked_rem(b as u32).unwrap_or(a as u32)),
            LrW => {
                let value = signed(u32::from_le_bytes(memory.load(a)?));
                self.reservation = Some(a);
                value
            }
            LrD => {
                let value = u64::from_le_bytes(memory.load(a)?);
                self.reservation = Some(a);
                value
            }
            ScW => self.store_conditionally(a, (b as u32).to_le_bytes(), memory)?,
            ScD => self.store_conditionally(a, b.to_le_bytes(), memory)?,
            AmoswapW => replace_word(memory, a, |_| b as u32)?,
            AmoaddW => replace_word(memory, a, |old| old.wrapping_add(b as u32))?,
            AmoxorW => replace_word(memory, a, |old| old ^ b as u32)?,
            AmoandW => replace_word(memory, a, |old| old & b as u32)?,
            AmoorW => replace_word(memory, a, |old| old | b as u32)?,
            AmominW => replace_word(memory, a, |old| (old as i32).min(b as i32) as u32)?,
            AmomaxW => replace_word(memory, a, |old| (old as i32).max(b as i32) as u32)?,
            AmominuW => replace_word(memory, a, |old| old.min(b as u32))?,
            AmomaxuW => replace_word(memory, a, |old| old.max(b as u32))?,
            AmoswapD => replace_double(memory, a, |_| b)?,
            AmoaddD => replace_double(memory, a, |old| old.wrapping_add(b))?,
            AmoxorD => replace_double(memory, a, |old| old ^ b)?,
            AmoandD => replace_double(memory, a, |old| old & b)?,
            AmoorD => replace_double(memory, a, |old| old | b)?,
            AmominD => replace_double(memory, a, |old| (old as i64).min(b as i64) as u64)?,
            AmomaxD => replace_double(memory, a, |old| (old as i64).max(b as i64) as u64)?,
            AmominuD => replace_double(memory, a, |old| old.min(b))?,
            AmomaxuD => replace_double(memory, a, |old| old.max(b))?,
            Fence => return Ok(Next::Instruction),
            Ecall => return self.call(memory),
            Ebreak => return Err(Trap::Breakpoint.into()),
        };
        self.set(instruction.rd, value);
        Ok(Next::Instruction)
    }

    /// Stores if `address` is reserved, and ends the reservation. Returns 0 if it stored, else 1.
    fn store_conditionally<M: Memory, const N: usize>(
        &mut self,
        address: u64,
        bytes: [u8; N],
        memory: &mut M,
    ) -> Result<u64, Fault> {
        if !address.is_multiple_of(N as u64) {
            return Err(Trap::Misaligned.into());
        }
        let reserved = self.reservation == Some(address);
        if reserved {
            memory.store(address, bytes)?;
        }
        self.reservation = None;
        Ok(u64::from(!reserved))
    }

    fn call<M: Memory>(&mut self, memory: &mut M) -> Result<Next, Fault> {
        let (a0, a1, a2) = (self.get(A0), self.get(A1), self.get(A2));
        match Call::of(self.get(A7)).ok_or(Trap::BadCall)? {
            Call::Halt => match a0 {
                0 => return Ok(Next::End(Status::Done)),
                1 => return Ok(Next::End(Status::Unusable)),
                _ => return Err(Trap::BadCall.into()),
            },
            Call::Read => {
                let blob = blob_at(memory, a0)?;
                if !memory.may_read(&blob) {
                    return Err(Trap::BadCall.into());
                }
                // There are no such blobs, and the way to a chunk of one would be longer than a witness allows for.
                if blob.size > MAX_BLOB {
                    return Err(Trap::BadCall.into());
                }
                let length = blob.chunk_len(a1).unwrap_or_default();
                if length > 0 {
                    memory.read(&blob, a1, length, a2)?;
                }
                self.set(A0, length as u64);
            }
            Call::Write => {
                let page = *memory.page(a0)?;
                let length = usize::try_from(a1).unwrap_or(usize::MAX);
                let bytes = page.get(..length).ok_or(Trap::BadCall)?;
                // Whoever runs a program holds its output: gas alone would allow terabytes.
                if self.output.size().saturating_add(a1) > MAX_OUTPUT_BYTES {
                    return Err(Trap::BadCall.into());
                }
                self.output.append(bytes).ok_or(Trap::BadCall)?;
                memory.keep(bytes);
            }
        }
        Ok(Next::Instruction)
    }
}

/// The reference to a blob at `address`.
fn blob_at<M: Memory>(memory: &mut M, address: u64) -> Result<BlobRef, Fault> {
    if !address.is_multiple_of(BLOB_ALIGNMENT as u64) {
        return Err(Trap::Misaligned.into());
    }
    let mut words = [[0; 8]; 5];
    for (at, word) in words.iter_mut().enumerate() {
        *word = memory.load(address.wrapping_add((at as u64).wrapping_mul(8)))?;
    }
    let [hash @ .., size] = words;
    let mut blob = BlobRef {
        hash: H256::zero(),
        size: u64::from_le_bytes(size),
    };
    for (bytes, word) in blob.hash.0.chunks_exact_mut(8).zip(hash) {
        bytes.copy_from_slice(&word);
    }
    Ok(blob)
}

#[inline(always)]
fn stored(done: Result<(), Fault>) -> Result<Next, Fault> {
    done.map(|()| Next::Instruction)
}

/// A word, sign-extended.
#[inline(always)]
const fn signed(word: u32) -> u64 {
    word as i32 as i64 as u64
}

/// The high half of a product.
#[inline(always)]
const fn high(product: u128) -> u64 {
    (product >> 64) as u64
}

#[inline(always)]
fn replace_word<M: Memory>(memory: &mut M, address: u64, new: impl FnOnce(u32) -> u32) -> Result<u64, Fault> {
    let old = u32::from_le_bytes(memory.load(address)?);
    memory.store(address, new(old).to_le_bytes())?;
    Ok(signed(old))
}

#[inline(always)]
fn replace_double<M: Memory>(memory: &mut M, address: u64, new: impl FnOnce(u64) -> u64) -> Result<u64, Fault> {
    let old = u64::from_le_bytes(memory.load(address)?);
    memory.store(address, new(old).to_le_bytes())?;
    Ok(old)
}

/// What [`Call::Write`] takes at most; a page.
const _: () = assert!(PAGE_BYTES == agora_jobs::blob::CHUNK_BYTES);
