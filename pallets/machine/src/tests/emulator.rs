//! Random programs on this machine and on an emulator of others, `ckb-vm`: registers, memory and program counter are equal
//! after every one of them, and what one refuses the other does.

use super::{Blobs, assembler::*, program, random::*};
use crate::{
    IMAGE_BASE, MEMORY_BASE, MEMORY_PAGES, PAGE_BYTES, State, Status, Trap,
    instruction::{Instruction, Operation},
    trace, tree,
};
use ckb_vm::{
    Bytes, CoreMachine, Error, ISA_A, ISA_IMC, Machine, Memory,
    decoder::{Decoder, build_decoder},
    instructions::execute,
    machine::VERSION2,
};
use primitive_types::H256;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// The addresses of this machine, for the emulator.
#[derive(Default)]
struct Addresses {
    image: Vec<u8>,
    pages: BTreeMap<u32, [u8; PAGE_BYTES]>,
    reserved: u64,
}

impl Addresses {
    fn load<const N: usize>(&mut self, address: u64) -> Result<[u8; N], Error> {
        if !address.is_multiple_of(N as u64) {
            return Err(Error::MemPageUnalignedAccess);
        }
        if let Some(at) = address
            .checked_sub(IMAGE_BASE)
            .filter(|at| *at < self.image.len() as u64)
        {
            return self.image[at as usize..]
                .first_chunk()
                .copied()
                .ok_or(Error::MemOutOfBound);
        }
        let (page, at) = self.place(address)?;
        Ok(*page[at..].first_chunk().unwrap())
    }

    fn store<const N: usize>(&mut self, address: u64, bytes: [u8; N]) -> Result<(), Error> {
        if !address.is_multiple_of(N as u64) {
            return Err(Error::MemPageUnalignedAccess);
        }
        let (page, at) = self.place(address)?;
        page[at..at + N].copy_from_slice(&bytes);
        Ok(())
    }

    fn place(&mut self, address: u64) -> Result<(&mut [u8; PAGE_BYTES], usize), Error> {
        let at = address.checked_sub(MEMORY_BASE).ok_or(Error::MemOutOfBound)?;
        let page = at / PAGE_BYTES as u64;
        if page >= MEMORY_PAGES.into() {
            return Err(Error::MemOutOfBound);
        }
        let page = self.pages.entry(page as u32).or_insert([0; PAGE_BYTES]);
        Ok((page, at as usize % PAGE_BYTES))
    }

    fn root(&self) -> H256 {
        let mut level: BTreeMap<u32, H256> = self
            .pages
            .iter()
            .map(|(at, page)| (*at, tree::page_hash(page)))
            .collect();
        for empty in &tree::empty_nodes()[..tree::DEPTH as usize] {
            let of = |at| level.get(&at).unwrap_or(empty);
            level = level
                .keys()
                .map(|at| (at / 2, tree::node_hash(of(at & !1), of(at | 1))))
                .collect();
        }
        level.first_key_value().map_or(tree::EMPTY_ROOT, |(_, root)| *root)
    }
}

/// What executing instructions does not need is not there.
impl Memory for Addresses {
    type REG = u64;

    fn new() -> Self {
        Self::default()
    }
    fn new_with_memory(_: usize) -> Self {
        unreachable!()
    }
    fn init_pages(&mut self, _: u64, _: u64, _: u8, _: Option<Bytes>, _: u64) -> Result<(), Error> {
        unreachable!()
    }
    fn fetch_flag(&mut self, _: u64) -> Result<u8, Error> {
        unreachable!()
    }
    fn set_flag(&mut self, _: u64, _: u8) -> Result<(), Error> {
        unreachable!()
    }
    fn clear_flag(&mut self, _: u64, _: u8) -> Result<(), Error> {
        unreachable!()
    }
    fn memory_size(&self) -> usize {
        usize::MAX
    }
    fn store_byte(&mut self, _: u64, _: u64, _: u8) -> Result<(), Error> {
        unreachable!()
    }
    fn store_bytes(&mut self, _: u64, _: &[u8]) -> Result<(), Error> {
        unreachable!()
    }
    fn load_bytes(&mut self, _: u64, _: u64) -> Result<Bytes, Error> {
        unreachable!()
    }

    fn execute_load16(&mut self, address: u64) -> Result<u16, Error> {
        let at = address
            .checked_sub(IMAGE_BASE)
            .and_then(|at| self.image.get(at as usize..));
        let bytes = at.and_then(|bytes| bytes.first_chunk()).ok_or(Error::MemOutOfBound)?;
        Ok(u16::from_le_bytes(*bytes))
    }
    /// It is also asked for these where an instruction of two bytes is the last one.
    fn execute_load32(&mut self, address: u64) -> Result<u32, Error> {
        let low = self.execute_load16(address)?;
        let high = match low & 3 {
            3 => self.execute_load16(address + 2)?,
            _ => 0,
        };
        Ok(u32::from(low) | u32::from(high) << 16)
    }

    fn load8(&mut self, address: &u64) -> Result<u64, Error> {
        Ok(u8::from_le_bytes(self.load(*address)?).into())
    }
    fn load16(&mut self, address: &u64) -> Result<u64, Error> {
        Ok(u16::from_le_bytes(self.load(*address)?).into())
    }
    fn load32(&mut self, address: &u64) -> Result<u64, Error> {
        Ok(u32::from_le_bytes(self.load(*address)?).into())
    }
    fn load64(&mut self, address: &u64) -> Result<u64, Error> {
        Ok(u64::from_le_bytes(self.load(*address)?))
    }
    fn store8(&mut self, address: &u64, value: &u64) -> Result<(), Error> {
        self.store(*address, (*value as u8).to_le_bytes())
    }
    fn store16(&mut self, address: &u64, value: &u64) -> Result<(), Error> {
        self.store(*address, (*value as u16).to_le_bytes())
    }
    fn store32(&mut self, address: &u64, value: &u64) -> Result<(), Error> {
        self.store(*address, (*value as u32).to_le_bytes())
    }
    fn store64(&mut self, address: &u64, value: &u64) -> Result<(), Error> {
        self.store(*address, value.to_le_bytes())
    }

    fn lr(&self) -> &u64 {
        &self.reserved
    }
    fn set_lr(&mut self, value: &u64) {
        self.reserved = *value;
    }
}

/// The emulator, at the start of a program.
struct Emulator {
    registers: [u64; 32],
    pc: u64,
    next_pc: u64,
    memory: Addresses,
    decoder: Decoder,
    has_halted: bool,
}

impl Emulator {
    fn new(image: &[u8], start: &State) -> Self {
        let mut registers = [0; 32];
        registers[1..].copy_from_slice(&start.registers);
        Self {
            registers,
            pc: start.pc,
            next_pc: start.pc,
            memory: Addresses {
                image: image.to_vec(),
                pages: BTreeMap::new(),
                reserved: u64::MAX,
            },
            decoder: build_decoder::<u64>(ISA_IMC | ISA_A, VERSION2),
            has_halted: false,
        }
    }

    fn step(&mut self) -> Result<(), Error> {
        let word = self.memory.execute_load32(self.pc)?;
        match Instruction::decode(word) {
            // The manual asks to ignore the fields of fences that are reserved for finer ones; the emulator refuses some.
            Some(Instruction {
                operation: Operation::Fence,
                ..
            }) => {
                self.pc += 4;
                return Ok(());
            }
            // The emulator loads also where nothing is stored, and then stops if nothing is there.
            Some(Instruction {
                operation: Operation::ScW | Operation::ScD,
                rd,
                rs1,
                ..
            }) => {
                let (address, size) = (self.registers[usize::from(rs1)], 1 << (word >> 12 & 7));
                if address != self.memory.reserved && address.is_multiple_of(size) {
                    self.memory.reserved = u64::MAX;
                    self.registers[usize::from(rd)] = u64::from(rd != 0);
                    self.pc += 4;
                    return Ok(());
                }
            }
            _ => {}
        }
        let instruction = self.decoder.decode(&mut self.memory, self.pc)?;
        execute(instruction, self)
    }
}

impl CoreMachine for Emulator {
    type REG = u64;
    type MEM = Addresses;

    fn pc(&self) -> &u64 {
        &self.pc
    }
    fn update_pc(&mut self, pc: u64) {
        self.next_pc = pc;
    }
    fn commit_pc(&mut self) {
        self.pc = self.next_pc;
    }
    fn memory(&self) -> &Addresses {
        &self.memory
    }
    fn memory_mut(&mut self) -> &mut Addresses {
        &mut self.memory
    }
    fn registers(&self) -> &[u64] {
        &self.registers
    }
    fn set_register(&mut self, register: usize, value: u64) {
        self.registers[register] = value;
    }
    fn version(&self) -> u32 {
        VERSION2
    }
    fn isa(&self) -> u8 {
        ISA_IMC | ISA_A
    }
}

impl Machine for Emulator {
    /// A program that halts has jumped over some of what prepares for it, or not.
    fn ecall(&mut self) -> Result<(), Error> {
        let (a0, a7) = (self.registers[10], self.registers[17]);
        self.has_halted = a0 <= 1 && a7 == 0;
        if self.has_halted {
            Ok(())
        } else {
            Err(Error::InvalidEcall(a7))
        }
    }
    fn ebreak(&mut self) -> Result<(), Error> {
        Err(Error::External("ebreak".into()))
    }
}

/// Runs `image` on both, and compares. Returns how it ends, and after how many instructions.
fn compare(image: &[u8], gas: u64) -> (Status, u64) {
    let program = program(image, gas);
    let run = trace(&program, &Blobs::default()).unwrap();
    let used = gas - run.end.gas;
    let mut emulator = Emulator::new(image, &State::start(&program.input, gas));
    let mut registers = emulator.registers;
    for at in 1..=used {
        let is_last = at == used;
        let step = emulator.step();
        match run.end.status {
            // The emulator may have changed a register before.
            Status::Trapped(_) if is_last => assert!(step.is_err(), "{:?} at {:x}", run.end.status, run.end.pc),
            _ => {
                assert_eq!(step, Ok(()), "instruction {at} at {:x}", emulator.pc);
                registers = emulator.registers;
            }
        }
        assert_eq!(
            emulator.has_halted,
            is_last && matches!(run.end.status, Status::Done | Status::Unusable)
        );
    }
    assert_eq!(registers[1..], run.end.registers);
    assert_eq!(emulator.memory.root(), run.end.memory);
    if run.end.status == Status::OutOfGas {
        assert_eq!(emulator.pc, run.end.pc);
    }
    (run.end.status, used)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn random_programs_do_the_same(
        numbers in prop::collection::vec(
            prop_oneof![any::<u64>(), any::<i32>().prop_map(|x| x as u64), 0..3u64, Just(1 << 63), Just(i64::MAX as u64)], 7,
        ),
        instructions in prop::collection::vec(prop_oneof![half().prop_map(Ok), word().prop_map(Err), word().prop_map(Err)], 1..120),
    ) {
        compare(&assembled(&numbers, &instructions), 400);
    }
}

/// So that the test above cannot become one of programs that end at once.
#[test]
fn most_random_programs_come_far() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let strategy = prop::collection::vec(prop_oneof![half().prop_map(Ok), word().prop_map(Err)], 100);
    let (mut ends, mut executed) = ([0; 2], 0);
    for _ in 0..200 {
        let instructions = strategy.new_tree(&mut runner).unwrap().current();
        let (status, used) = compare(&assembled(&[1, 2, 3, 4, 5, 6, 7], &instructions), 400);
        ends[usize::from(status == Status::Done)] += 1;
        executed += used;
    }
    assert!(ends[0] > 5 && ends[1] > 50, "{ends:?}");
    assert!(executed / 200 > 150, "{executed}");
}

/// All instructions of two bytes; and of those of four all opcodes with all that says more. Not the fields of fences.
#[test]
fn the_same_instructions_are_legal() {
    let legal = |word: u32| {
        let bytes = word.to_le_bytes();
        let mut memory = Addresses {
            image: bytes[..if word & 3 == 3 { 4 } else { 2 }].to_vec(),
            ..Addresses::default()
        };
        build_decoder::<u64>(ISA_IMC | ISA_A, VERSION2)
            .decode(&mut memory, IMAGE_BASE)
            .is_ok()
    };
    let mut differ = Vec::new();
    for half in (0..1u32 << 16).filter(|half| half & 3 != 3) {
        if legal(half) != Instruction::decode(half).is_some() {
            differ.push(half);
        }
    }
    for bits in (0..1u32 << 15).filter(|bits| bits & 31 != 0x0F >> 2) {
        for rs2 in [0, 1] {
            let word = (bits >> 8) << 25 | rs2 << 20 | (bits >> 5 & 7) << 12 | (bits & 31) << 2 | 3;
            if legal(word) != Instruction::decode(word).is_some() {
                differ.push(word);
            }
        }
    }
    assert!(differ.is_empty(), "{}: {differ:x?}", differ.len());
}

/// A jump to what a register says.
#[test]
fn jumps_by_registers_do_the_same() {
    for (word, target) in [
        // jalr x1, 13(x5); jalr x5, 12(x5); c.jr x6; c.jalr x6.
        (i(0x67, 0, 1, 5, 13), 12),
        (i(0x67, 0, 5, 5, 12), 12),
        (0x0001_8302, 12),
        (0x0001_9302, 13),
    ] {
        // auipc x5, 0 first; x6 is the address of the end.
        let words = [0x0000_0297, addi(6, 5, target), word, 0x0000_0013];
        let (status, used) = compare(&image(words.into_iter().chain(halt(0))), 100);
        assert_eq!((status, used > 5), (Status::Done, true), "{word:x}");
    }
    let (status, _) = compare(&image([i(0x67, 0, 1, 0, 0)]), 100);
    assert_eq!(status, Status::Trapped(Trap::OutsideImage));
}
