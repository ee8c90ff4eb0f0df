//! Regions as functions of Wasm.
//!
//! A function takes the number of an entry and returns the address where it left off, with the lowest bit set if the interpreter
//! must execute an instruction there. It leaves *before* whatever the interpreter has to do: a trap, a call, the end of a segment
//! or of the gas. So all that is translated is what instructions do when nothing happens.

mod instruction;

use crate::{
    layout::{self, FUEL, SEGMENT, STAMPS, STATE, TOUCHED},
    profile::{Block, End},
    region::{Element, Region},
};
use agora_machine::{
    IMAGE_BASE, MEMORY_PAGES, PAGE_BYTES, Stepper,
    instruction::{Instruction, Operation},
};
use std::collections::{BTreeMap, BTreeSet};
use wasm_encoder::{BlockType, Function, InstructionSink, MemArg, ValType};

/// The local of the number of the entry that is on its way. 0: none is.
const ENTRY: u32 = 0;
/// That of how many instructions may still be executed. Locals 1 to 31 are the registers.
const LEFT: u32 = 32;
/// That of where it goes on outside.
const PC: u32 = 33;
/// That of the address of an access.
const ADDRESS: u32 = 34;
/// That of its page.
const PAGE: u32 = 35;
/// Those of the page that was accessed last with each register: loaded, from here on, and stored, 32 further on. What is accessed
/// there again needs no check: it is in the memory (or, if loaded, in the image), aligned, and touched in this segment.
const LAST: u32 = 36;
/// That of the number of the segment, an i32.
const NUMBER: u32 = LAST + 64;
/// That of where a stamp lies, an i32.
const STAMP: u32 = NUMBER + 1;
/// What is no page: pages are multiples of 1024.
const NO_PAGE: i64 = 512;

/// The part of the image that is translated.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Its first half.
    pub first: u32,
    /// The half behind it.
    pub end: u32,
    pub image_size: u32,
}

impl Bounds {
    /// From the address on the stack and in local `pc`: leaves the place of its entry in [`layout::ENTRIES`], relative to it, in
    /// local `place`, or goes to label `elsewhere` if it has none.
    pub fn look_up(&self, code: &mut InstructionSink<'_>, pc: u32, place: u32, elsewhere: u32) {
        let base = (IMAGE_BASE + 2 * u64::from(self.first)) as i64;
        code.local_get(pc).i64_const(base).i64_sub().local_tee(pc);
        code.i64_const(2 * i64::from(self.end - self.first)).i64_ge_u();
        code.local_get(pc)
            .i32_wrap_i64()
            .i32_const(1)
            .i32_shl()
            .local_set(place);
        code.local_get(pc).i64_const(base).i64_add().local_set(pc);
        code.br_if(elsewhere);
    }
}

/// A place in the memory of four or eight bytes.
pub const fn at(offset: u32, align: u32) -> MemArg {
    MemArg {
        offset: offset as u64,
        align,
        memory_index: 0,
    }
}

/// Where a branch can go.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Label {
    /// Where the function returns.
    Out,
    /// Where the registers are written to memory before that.
    Exit,
    /// Where entries are dispatched.
    Top,
    /// Where an address is looked up.
    Indirect,
    /// The beginning of an element that comes later: a block, or the loop with this head.
    Block(usize),
    Loop(usize),
    /// The head of a loop that this is in.
    Again(usize),
    Other,
}

/// Writes a region.
pub struct Emitter<'a> {
    region: &'a Region,
    /// Regions are numbered from 1 on.
    number: u32,
    bounds: Bounds,
    function: Function,
    labels: Vec<Label>,
    /// Where each label is on the stack, counted from the bottom.
    places: BTreeMap<Label, usize>,
    /// The loops in which each block is, by their heads, the outermost first.
    inside: Vec<Vec<usize>>,
}

impl<'a> Emitter<'a> {
    /// The function of region `number`.
    pub fn function(region: &'a Region, number: u32, bounds: Bounds) -> Function {
        let mut emitter = Self {
            region,
            number,
            bounds,
            // Locals 1 to 99 are i64, the last two i32.
            function: Function::new([(NUMBER - 1, ValType::I64), (2, ValType::I32)]),
            labels: Vec::new(),
            places: BTreeMap::new(),
            inside: vec![Vec::new(); region.blocks.len()],
        };
        emitter.fill_inside(&region.order, &mut Vec::new());
        emitter.write();
        emitter.function
    }

    fn fill_inside(&mut self, elements: &[Element], within: &mut Vec<usize>) {
        for element in elements {
            match element {
                Element::Block(block) => self.inside[*block].clone_from(within),
                Element::Loop(parts) => {
                    within.extend(element.head());
                    self.fill_inside(parts, within);
                    within.pop();
                }
            }
        }
    }

    fn code(&mut self) -> InstructionSink<'_> {
        self.function.instructions()
    }

    fn begin(&mut self, label: Label) {
        match label {
            Label::Top | Label::Again(_) => self.code().loop_(BlockType::Empty),
            _ => self.code().block(BlockType::Empty),
        };
        self.push(label);
    }

    fn push(&mut self, label: Label) {
        if label != Label::Other {
            self.places.insert(label, self.labels.len());
        }
        self.labels.push(label);
    }

    fn begin_if(&mut self) {
        self.code().if_(BlockType::Empty);
        self.push(Label::Other);
    }

    fn end(&mut self) {
        self.code().end();
        if let Some(label) = self.labels.pop() {
            self.places.remove(&label);
        }
    }

    /// How many labels are within this one. `None`: it is not there.
    fn depth(&self, label: Label) -> Option<u32> {
        let place = self.places.get(&label)?;
        Some((self.labels.len() - 1 - place) as u32)
    }

    fn go(&mut self, label: Label) {
        // What is gone to is there: the function would not validate otherwise, and its image would be interpreted.
        match self.depth(label) {
            Some(depth) => self.code().br(depth),
            None => self.code().unreachable(),
        };
    }

    fn write(&mut self) {
        let (used, changed) = self.registers();
        let pages = self.pages();
        let region = self.region;
        {
            let mut code = self.code();
            code.i32_const(0).i64_load(at(FUEL, 3)).local_set(LEFT);
            code.i32_const(0).i32_load(at(SEGMENT, 2)).local_set(NUMBER);
        }
        self.begin(Label::Out);
        self.begin(Label::Exit);
        self.begin(Label::Top);
        // Whoever comes here has left the registers in memory. To keep them in locals would have the compiler move all of them
        // about, here and where each entry begins.
        let mut code = self.code();
        for &register in &used {
            code.i32_const(0)
                .i64_load(at(STATE + 8 * register, 3))
                .local_set(register);
        }
        for local in pages {
            code.i64_const(NO_PAGE).local_set(local);
        }
        self.begin(Label::Indirect);
        for element in region.order.iter().rev() {
            self.begin(start(element));
        }
        self.dispatch(&region.order, 1);
        for element in &region.order {
            self.end();
            self.element(element);
        }
        // Blocks do not go on behind their end.
        self.code().unreachable();
        self.end();
        self.store(&changed);
        self.look_up();
        self.end();
        self.code().unreachable();
        self.end();
        self.store(&changed);
        self.end();
        self.code().local_get(PC).end();
    }

    /// Writes to memory what the interpreter, other regions and entries need.
    fn store(&mut self, changed: &BTreeSet<u32>) {
        let mut code = self.code();
        for &register in changed {
            code.i32_const(0)
                .local_get(register)
                .i64_store(at(STATE + 8 * register, 3));
        }
        code.i32_const(0).local_get(LEFT).i64_store(at(FUEL, 3));
    }

    /// Goes to the entry at [`PC`], if it is in the region and its chunk is touched; else out.
    fn look_up(&mut self) {
        let (Some(exit), Some(top)) = (self.depth(Label::Out), self.depth(Label::Top)) else {
            return;
        };
        let (bounds, number) = (self.bounds, self.number);
        let mut code = self.code();
        bounds.look_up(&mut code, PC, STAMP, exit);
        code.local_get(STAMP).i32_load(at(layout::ENTRIES, 2)).local_tee(ENTRY);
        code.i32_const(16)
            .i32_shr_u()
            .i32_const(number as i32)
            .i32_ne()
            .br_if(exit);
        is_untouched(&mut code, PC, NUMBER);
        code.br_if(exit);
        code.local_get(ENTRY).i32_const(0xFFFF).i32_and().local_set(ENTRY);
        code.br(top);
    }

    /// The registers that are read or written, and those that are written.
    fn registers(&self) -> (BTreeSet<u32>, BTreeSet<u32>) {
        let (mut used, mut changed) = (BTreeSet::new(), BTreeSet::new());
        for instruction in self.region.blocks.iter().flat_map(|block| &block.instructions) {
            changed.insert(u32::from(instruction.rd));
            used.extend([instruction.rd, instruction.rs1, instruction.rs2].map(u32::from));
        }
        used.remove(&0);
        changed.remove(&0);
        (used, changed)
    }

    /// The locals of last pages that are used.
    fn pages(&self) -> BTreeSet<u32> {
        let all = self.region.blocks.iter().flat_map(|block| &block.instructions);
        all.filter_map(|one| Some(Access::of(one)?.last)).collect()
    }

    /// Goes to the part of `elements` in which the entry lies that is on its way. The first number is `from`.
    fn dispatch(&mut self, elements: &[Element], from: u32) {
        let mut targets = Vec::new();
        for element in elements {
            let depth = self.depth(start(element)).unwrap_or_default();
            targets.extend(vec![depth; self.entries_in(element)]);
        }
        // Of a loop the head has no label: what is directed to it falls through.
        let default = 0;
        self.code().local_get(ENTRY).i32_const(from as i32).i32_sub();
        self.code().br_table(targets, default);
    }

    fn entries_in(&self, element: &Element) -> usize {
        match element {
            Element::Block(block) => usize::from(self.region.entries[*block] != 0),
            Element::Loop(parts) => parts.iter().map(|part| self.entries_in(part)).sum(),
        }
    }

    fn element(&mut self, element: &Element) {
        match element {
            Element::Block(block) => self.block(*block),
            Element::Loop(parts) => {
                let Some((head, rest)) = element.head().zip(parts.get(1..)) else {
                    return;
                };
                self.begin(Label::Again(head));
                for part in rest.iter().rev() {
                    self.begin(start(part));
                }
                if self.entries_in(element) > 1 {
                    self.begin(Label::Other);
                    self.code().local_get(ENTRY).i32_eqz().br_if(0);
                    let from = self.region.entries[head];
                    self.dispatch(parts, from);
                    self.end();
                }
                self.block(head);
                for part in rest {
                    self.end();
                    self.element(part);
                }
                self.end();
            }
        }
    }

    fn block(&mut self, number: usize) {
        let region = self.region;
        let block = &region.blocks[number];
        if region.entries[number] != 0 {
            self.code().i32_const(0).local_set(ENTRY);
        }
        let count = block.instructions.len() as i64;
        // Whether there is room for all of it: if so it is taken at once.
        self.code().local_get(LEFT).i64_const(count).i64_lt_s();
        self.begin_if();
        self.leave_to_interpreter(block.at, 0);
        self.end();
        for chunk in block.chunks().filter(|chunk| !region.known[number].contains(chunk)) {
            self.touch_code(chunk, block.at);
        }
        self.code().local_get(LEFT).i64_const(count).i64_sub().local_set(LEFT);
        let mut place = block.at;
        for (at, instruction) in block.instructions.iter().enumerate() {
            self.instruction(block, instruction, place, count - at as i64);
            place += u32::from(instruction.length / 2);
        }
        if block.end == End::Next {
            self.go_on(number, block.next());
        } else {
            self.control(number, block);
        }
    }

    /// Marks a chunk of the image in which code lies that comes next, at half `place`.
    fn touch_code(&mut self, chunk: u32, place: u32) {
        let stamp = STAMPS + 4 * (MEMORY_PAGES + chunk);
        self.code()
            .i32_const(0)
            .i32_load(at(stamp, 2))
            .local_get(NUMBER)
            .i32_ne();
        self.begin_if();
        self.is_full();
        self.begin_if();
        self.leave_to_interpreter(place, 0);
        self.end();
        self.code().i32_const(0).local_get(NUMBER).i32_store(at(stamp, 2));
        self.count_page();
        self.end();
    }

    /// Whether the segment ends with the next new page.
    fn is_full(&mut self) {
        let mut code = self.code();
        code.i32_const(0).i32_load(at(TOUCHED, 2));
        code.i32_const(Stepper::MOST_TOUCHED as i32).i32_ge_u();
    }

    fn count_page(&mut self) {
        let mut code = self.code();
        code.i32_const(0).i32_const(0).i32_load(at(TOUCHED, 2));
        code.i32_const(1).i32_add().i32_store(at(TOUCHED, 2));
    }

    /// Leaves before the instruction at half `place`, after which `unused` instructions that were counted are not executed,
    /// itself among them.
    fn leave_to_interpreter(&mut self, place: u32, unused: i64) {
        if unused != 0 {
            self.code().local_get(LEFT).i64_const(unused).i64_add().local_set(LEFT);
        }
        self.code().i64_const((address(place) | 1) as i64).local_set(PC);
        self.go(Label::Exit);
    }

    /// Goes on from block `from` at half `to`.
    fn go_on(&mut self, from: usize, to: u32) {
        match self.region.number(to) {
            Some(to) => {
                let (label, is_direct) = self.way(from, to);
                if !is_direct {
                    let entry = self.region.entries[to] as i32;
                    self.code().i32_const(entry).local_set(ENTRY);
                }
                self.go(label);
            }
            None => {
                self.code().i64_const(address(to) as i64).local_set(PC);
                self.go(Label::Exit);
            }
        }
    }

    /// The label by which a block is reached from another, and whether it leads to the block itself, not to a loop that it is in.
    fn way(&self, from: usize, to: usize) -> (Label, bool) {
        if self.inside[from].contains(&to) {
            return (Label::Again(to), true);
        }
        match self.inside[to].iter().find(|head| !self.inside[from].contains(head)) {
            Some(&head) => (Label::Loop(head), head == to),
            None => (Label::Block(to), true),
        }
    }

    /// The last instruction of a block, which says where to go on.
    fn control(&mut self, number: usize, block: &Block) {
        let Some(&last) = block.instructions.last() else {
            return;
        };
        let next = address(block.next());
        match block.end {
            End::Next => {}
            End::Branch(target) => {
                self.condition(&last);
                self.begin_if();
                self.go_on(number, target);
                self.end();
                self.go_on(number, block.next());
            }
            End::Jump(target) => {
                self.code().i64_const(next as i64);
                self.set(last.rd);
                self.go_on(number, target);
            }
            End::Indirect => {
                self.get(last.rs1);
                let mut code = self.code();
                code.i64_const(last.immediate.into()).i64_add();
                code.i64_const(-2).i64_and().local_set(PC);
                code.i64_const(next as i64);
                self.set(last.rd);
                self.go(Label::Indirect);
            }
        }
    }

    fn get(&mut self, register: u8) {
        match register {
            0 => self.code().i64_const(0),
            _ => self.code().local_get(register.into()),
        };
    }

    fn set(&mut self, register: u8) {
        match register {
            0 => self.code().drop(),
            _ => self.code().local_set(register.into()),
        };
    }
}

/// The address of a half of the image; those before its beginning are negative.
const fn address(place: u32) -> u64 {
    IMAGE_BASE.wrapping_add_signed(2 * (place as i32 as i64))
}

/// The label of an element that comes later.
fn start(element: &Element) -> Label {
    match element {
        Element::Block(block) => Label::Block(*block),
        Element::Loop(_) => element.head().map_or(Label::Other, Label::Loop),
    }
}

/// Whether the chunk of the address in local `pc` is not touched in the segment of local `number`.
pub fn is_untouched(code: &mut InstructionSink<'_>, pc: u32, number: u32) {
    stamp_of(code, pc);
    code.i32_load(at(STAMPS, 2)).local_get(number).i32_ne();
}

/// The place of the stamp of the page of the address in local `address`, in the stamps.
fn stamp_of(code: &mut InstructionSink<'_>, address: u32) {
    const PAGE_SHIFT: i32 = PAGE_BYTES.ilog2() as i32;
    code.local_get(address)
        .i32_wrap_i64()
        .i32_const(layout::MASK as i32)
        .i32_and();
    code.i32_const(PAGE_SHIFT).i32_shr_u().i32_const(2).i32_shl();
}

/// An access to memory.
#[derive(Clone, Copy)]
struct Access {
    /// Its bytes.
    size: u32,
    is_store: bool,
    /// The local of the page that was accessed last with its register.
    last: u32,
}

impl Access {
    fn of(instruction: &Instruction) -> Option<Self> {
        use Operation::*;
        let (size, is_store) = match instruction.operation {
            Lb | Lbu => (1, false),
            Lh | Lhu => (2, false),
            Lw | Lwu => (4, false),
            Ld => (8, false),
            Sb => (1, true),
            Sh => (2, true),
            Sw => (4, true),
            Sd => (8, true),
            _ => return None,
        };
        Some(Self {
            size,
            is_store,
            last: LAST + 32 * u32::from(is_store) + u32::from(instruction.rs1),
        })
    }
}
