//! What a program has executed so far, and the basic blocks that follow from it.
//!
//! Only what was executed is translated: an image does not say which of its bytes are code, and most code is run too seldom to pay.

use agora_machine::{
    Code, IMAGE_BASE, PAGE_BYTES,
    instruction::{Instruction, Operation},
};
use std::collections::BTreeMap;

/// Instructions of a block at most: how far a run has to be from its next event to enter one.
pub const MAX_BLOCK: usize = 64;

/// Set in a count if a jump or branch went there.
const JUMPED: u32 = 1 << 31;
/// Set in a count if runs should be able to enter there.
const WANTED: u32 = 1 << 30;
/// The largest count.
const MOST: u32 = WANTED - 1;

/// How often each instruction was executed.
#[derive(Default)]
pub struct Profile {
    /// For each second byte of the image.
    counts: Vec<u32>,
    /// Where the last counted instruction was.
    last: usize,
    /// All that was counted.
    pub total: u64,
}

impl Profile {
    /// Of an image of so many bytes, when something is counted.
    fn reserve(&mut self, image_size: usize) {
        if self.counts.is_empty() {
            self.counts = vec![0; image_size.div_ceil(2)];
        }
    }

    /// Begins to count, at `pc`. If it is `wanted`, runs begin there, or have left translated code there and could not come back.
    pub fn begin(&mut self, image_size: usize, pc: u64, wanted: bool) {
        self.reserve(image_size);
        let at = place(pc);
        self.last = at.wrapping_sub(1);
        if wanted && let Some(count) = self.counts.get_mut(at) {
            *count |= WANTED;
        }
    }

    /// Counts the instruction at `pc`.
    #[inline(always)]
    pub fn count(&mut self, pc: u64) {
        let at = place(pc);
        if let Some(count) = self.counts.get_mut(at) {
            // The next of an instruction is one or two halves further on.
            if at.wrapping_sub(self.last).wrapping_sub(1) > 1 {
                *count |= JUMPED;
            }
            *count += u32::from(*count & MOST != MOST);
        }
        self.last = at;
    }

    fn of(&self, at: usize) -> u32 {
        self.counts.get(at).map_or(0, |count| count & MOST)
    }

    fn has(&self, at: usize, flag: u32) -> bool {
        self.counts.get(at).is_some_and(|count| count & flag != 0)
    }

    /// The blocks of which each instruction was executed `least` times or more, by address.
    pub fn blocks(&self, code: &Code, least: u32) -> BTreeMap<u32, Block> {
        let is_hot = |at: usize| self.of(at) >= least.max(1);
        let mut leaders = vec![false; self.counts.len()];
        let mut entries = vec![false; self.counts.len()];
        let mut is_target = vec![false; self.counts.len()];
        let mark = |marks: &mut Vec<bool>, at: usize| {
            if let Some(mark) = marks.get_mut(at) {
                *mark = true;
            }
        };
        for at in (0..self.counts.len()).filter(|&at| self.of(at) > 0) {
            if self.has(at, WANTED) {
                mark(&mut entries, at);
            }
            let Some(instruction) = code.instruction(at * 2) else {
                continue;
            };
            let next = at + usize::from(instruction.length / 2);
            match kind(&instruction) {
                Kind::Plain => {}
                Kind::Branch => {
                    let target = offset(at, instruction.immediate);
                    mark(&mut leaders, target);
                    mark(&mut is_target, target);
                    mark(&mut leaders, next);
                }
                Kind::Jump => {
                    let target = offset(at, instruction.immediate);
                    mark(&mut leaders, target);
                    mark(&mut is_target, target);
                    if instruction.rd != 0 {
                        mark(&mut entries, target);
                        mark(&mut entries, next);
                    }
                }
                // Where a call returns to, and where the interpreter is when it has executed what is left to it.
                Kind::Indirect | Kind::Left => mark(&mut entries, next),
            }
        }
        for at in 0..self.counts.len() {
            if self.has(at, JUMPED) {
                leaders[at] = true;
                entries[at] |= !is_target[at];
            }
            leaders[at] |= entries[at];
        }
        let mut blocks = BTreeMap::new();
        let mut at = 0;
        while at < self.counts.len() {
            if !leaders[at] || !is_hot(at) {
                at += 1;
                continue;
            }
            let mut start = at;
            while let Some(block) = self.block(code, start, &leaders, &entries, least.max(1)) {
                let next = start + block.halves();
                let goes_on = block.end == End::Next;
                blocks.insert(start as u32, block);
                // What a limit has cut off belongs to no leader.
                if !goes_on || leaders.get(next).is_none_or(|&is| is) {
                    break;
                }
                start = next;
            }
            at += 1;
        }
        blocks
    }

    /// The block that begins there. `None`: its first instruction is left to the interpreter, or was not executed.
    fn block(&self, code: &Code, start: usize, leaders: &[bool], entries: &[bool], least: u32) -> Option<Block> {
        let mut instructions = Vec::new();
        let mut at = start;
        let chunk = start * 2 / PAGE_BYTES;
        let mut end = End::Next;
        while instructions.len() < MAX_BLOCK && self.of(at) >= least {
            if !instructions.is_empty() && leaders.get(at).is_none_or(|&is| is) {
                break;
            }
            let Some(instruction) = code.instruction(at * 2) else {
                break;
            };
            let halves = usize::from(instruction.length / 2);
            // All bytes of a block are in one chunk of the image, but those of an instruction that lies in two.
            let is_split = (at + halves) * 2 > (chunk + 1) * PAGE_BYTES;
            let is_elsewhere = at * 2 / PAGE_BYTES != chunk;
            let kind = kind(&instruction);
            if kind == Kind::Left || (!instructions.is_empty() && (is_split || is_elsewhere)) {
                break;
            }
            instructions.push(instruction);
            let (from, next) = (at, at + halves);
            at = next;
            match kind {
                Kind::Plain | Kind::Left if is_split => break,
                Kind::Plain | Kind::Left => {}
                Kind::Branch => {
                    end = End::Branch(offset(from, instruction.immediate) as u32);
                    break;
                }
                Kind::Jump => {
                    end = End::Jump(offset(from, instruction.immediate) as u32);
                    break;
                }
                Kind::Indirect => {
                    end = End::Indirect;
                    break;
                }
            }
        }
        (!instructions.is_empty()).then(|| Block {
            at: start as u32,
            instructions,
            end,
            count: self.of(start),
            is_entry: entries.get(start).is_some_and(|&is| is),
        })
    }
}

/// The half of the image at this address; far out of it, if it is elsewhere.
const fn place(pc: u64) -> usize {
    (pc.wrapping_sub(IMAGE_BASE) / 2) as usize
}

/// The half that is `bytes` from `at`. What is before the beginning of the image is as a negative i32 would be.
const fn offset(at: usize, bytes: i32) -> usize {
    // At most 16 MiB in the image, and 1 MiB beside it.
    at.wrapping_add_signed((bytes / 2) as isize) & u32::MAX as usize
}

/// How an instruction matters for control.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Branch,
    Jump,
    Indirect,
    /// It is left to the interpreter.
    Left,
}

const fn kind(instruction: &Instruction) -> Kind {
    use Operation::*;
    match instruction.operation {
        Beq | Bne | Blt | Bge | Bltu | Bgeu => Kind::Branch,
        Jal => Kind::Jump,
        Jalr => Kind::Indirect,
        Ecall | Ebreak | LrW | ScW | AmoswapW | AmoaddW | AmoxorW | AmoandW | AmoorW | AmominW | AmomaxW | AmominuW
        | AmomaxuW | LrD | ScD | AmoswapD | AmoaddD | AmoxorD | AmoandD | AmoorD | AmominD | AmomaxD | AmominuD
        | AmomaxuD => Kind::Left,
        _ => Kind::Plain,
    }
}

/// What comes after a block. Places are halves of the image.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// What lies behind it.
    Next,
    /// This, or what lies behind it.
    Branch(u32),
    /// This.
    Jump(u32),
    /// What a register says.
    Indirect,
}

/// Instructions that are executed one after the other: only the last may jump.
#[derive(Clone, Debug)]
pub struct Block {
    /// The half of the image with which it begins.
    pub at: u32,
    pub instructions: Vec<Instruction>,
    pub end: End,
    /// How often it was executed.
    pub count: u32,
    /// Whether runs come here from elsewhere than by a branch.
    pub is_entry: bool,
}

impl Block {
    /// Its length in halves.
    pub fn halves(&self) -> usize {
        let halves = |instruction: &Instruction| usize::from(instruction.length / 2);
        self.instructions.iter().map(halves).sum()
    }

    /// The half behind it.
    pub fn next(&self) -> u32 {
        self.at + self.halves() as u32
    }

    /// The halves where it may go to directly.
    pub fn successors(&self) -> impl Iterator<Item = u32> + use<> {
        let (target, next) = match self.end {
            End::Next => (None, Some(self.next())),
            End::Branch(target) => (Some(target), Some(self.next())),
            End::Jump(target) => (Some(target), None),
            End::Indirect => (None, None),
        };
        target.into_iter().chain(next)
    }

    /// The chunks of the image in which it lies; the first is that of its first half.
    pub fn chunks(&self) -> impl Iterator<Item = u32> + use<> {
        let halves = (PAGE_BYTES / 2) as u32;
        self.at / halves..=(self.next() - 1) / halves
    }
}
