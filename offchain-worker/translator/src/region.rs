//! Which blocks become one function, and in what order they are written.
//!
//! Wasm has no jumps, only blocks that are left and loops that are begun again. Blocks are therefore put into a *weak topological
//! order* (Bourdoncle, "Efficient chaotic iteration strategies with widenings", 1993): a sequence of blocks and, nested, of
//! loops, in which whatever goes back goes to the head of a loop that it is in. What jumps into the middle of a loop, and what
//! comes from elsewhere, goes by way of the loop's head, with the number of the place where it wants to go.

use crate::profile::{Block, End};
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

/// Instructions of a region at most: compilers take longer than in proportion.
pub const MAX_INSTRUCTIONS: usize = 3000;
/// Blocks of a region at most.
const MAX_BLOCKS: usize = 600;
/// Loops within each other at most. What is nested deeper is interpreted.
const MAX_DEPTH: usize = 64;
/// Chunks of the image that are followed through a region at most.
const MAX_KNOWN: usize = 64;
/// Instructions between two places where a run can come back, at most.
const ENTRY_DISTANCE: usize = 128;

/// A part of the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Element {
    /// A block, by its number.
    Block(usize),
    /// A loop: its head is the first of its elements.
    Loop(Vec<Element>),
}

impl Element {
    /// The block with which it begins.
    pub fn head(&self) -> Option<usize> {
        match self {
            Self::Block(block) => Some(*block),
            Self::Loop(parts) => parts.first().and_then(Self::head),
        }
    }
}

/// Blocks that become one function.
#[derive(Debug)]
pub struct Region {
    pub blocks: Vec<Block>,
    pub order: Vec<Element>,
    /// The number of each block as an entry, from 1 on in the order. 0: it is none.
    pub entries: Vec<u32>,
    /// For each block the chunks of the image that are touched whenever it is begun.
    pub known: Vec<BTreeSet<u32>>,
    numbers: BTreeMap<u32, usize>,
}

impl Region {
    /// The block that begins at this half of the image.
    pub fn number(&self, at: u32) -> Option<usize> {
        self.numbers.get(&at).copied()
    }

    /// The blocks where block `number` may go to directly within the region.
    pub fn successors(&self, number: usize) -> Vec<usize> {
        let block = self.blocks.get(number);
        block
            .into_iter()
            .flat_map(Block::successors)
            .filter_map(|at| self.number(at))
            .collect()
    }

    /// How many instructions it has.
    pub fn instructions(&self) -> usize {
        self.blocks.iter().map(|block| block.instructions.len()).sum()
    }

    /// `None`: loops are nested too deep.
    fn new(mut blocks: Vec<Block>) -> Option<Self> {
        blocks.sort_by_key(|block| block.at);
        let numbers = blocks.iter().enumerate().map(|(number, block)| (block.at, number));
        let mut region = Self {
            numbers: numbers.collect(),
            entries: vec![0; blocks.len()],
            known: Vec::new(),
            order: Vec::new(),
            blocks,
        };
        region.add_entries();
        region.order = Order::of(&region)?;
        region.number_entries();
        region.find_known();
        Some(region)
    }

    /// Whatever is not reached from entries, and is far from the last one, becomes an entry.
    fn add_entries(&mut self) {
        let mut distance = ENTRY_DISTANCE;
        for block in &mut self.blocks {
            distance += block.instructions.len();
            block.is_entry |= distance >= ENTRY_DISTANCE;
            if block.is_entry {
                distance = 0;
            }
        }
        loop {
            let mut seen = vec![false; self.blocks.len()];
            let mut next: Vec<_> = (0..seen.len()).filter(|&at| self.blocks[at].is_entry).collect();
            while let Some(at) = next.pop() {
                if !std::mem::replace(&mut seen[at], true) {
                    next.extend(self.successors(at));
                }
            }
            match seen.iter().position(|seen| !seen) {
                Some(at) => self.blocks[at].is_entry = true,
                None => break,
            }
        }
    }

    /// Heads of loops become entries, and what is reached from outside of its loop; then all get numbers, in the order.
    fn number_entries(&mut self) {
        // The loops in which each block is, outermost first; each by its head.
        let mut inside = vec![Vec::new(); self.blocks.len()];
        fn fill(elements: &[Element], within: &mut Vec<usize>, inside: &mut [Vec<usize>]) {
            for element in elements {
                match element {
                    Element::Block(block) => inside[*block] = within.clone(),
                    Element::Loop(parts) => {
                        within.extend(element.head());
                        fill(parts, within, inside);
                        within.pop();
                    }
                }
            }
        }
        fill(&self.order, &mut Vec::new(), &mut inside);
        for from in 0..self.blocks.len() {
            for to in self.successors(from) {
                let entered = inside[to].iter().find(|head| !inside[from].contains(head));
                if entered.is_some_and(|&head| head != to) {
                    self.blocks[to].is_entry = true;
                }
            }
            if inside[from].last() == Some(&from) {
                self.blocks[from].is_entry = true;
            }
        }
        fn number(elements: &[Element], blocks: &[Block], entries: &mut [u32], next: &mut u32) {
            for element in elements {
                match element {
                    Element::Block(block) if blocks[*block].is_entry => {
                        entries[*block] = *next;
                        *next += 1;
                    }
                    Element::Block(_) => {}
                    Element::Loop(parts) => number(parts, blocks, entries, next),
                }
            }
        }
        number(&self.order, &self.blocks, &mut self.entries, &mut 1);
    }

    /// A chunk is known to be touched if it is on every way there. Whoever enters has touched that of the first half.
    fn find_known(&mut self) {
        let own = |block: &Block| block.chunks().collect::<BTreeSet<_>>();
        // Of more it is looked for each time: a bound on how long this takes.
        let all: BTreeSet<u32> = self.blocks.iter().flat_map(own).collect();
        let all: BTreeSet<u32> = all.into_iter().take(MAX_KNOWN).collect();
        self.known = self
            .blocks
            .iter()
            .map(|block| match block.is_entry {
                true => block.chunks().take(1).collect(),
                false => all.clone(),
            })
            .collect();
        let mut changed: Vec<usize> = (0..self.blocks.len()).collect();
        while let Some(from) = changed.pop() {
            let mut after = self.known[from].clone();
            after.extend(self.blocks[from].chunks());
            for to in self.successors(from) {
                // What comes from elsewhere knows no more than the entry's own.
                let both: BTreeSet<u32> = self.known[to].intersection(&after).copied().collect();
                if both.len() < self.known[to].len() {
                    self.known[to] = both;
                    changed.push(to);
                }
            }
        }
    }
}

/// Puts blocks that belong together into regions, the hottest first, of `most` instructions in all.
pub fn regions(mut blocks: BTreeMap<u32, Block>, most: usize) -> Vec<Region> {
    let mut neighbours: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (&at, block) in &blocks {
        let link = matches!(block.end, End::Jump(_) | End::Indirect)
            && block.instructions.last().is_some_and(|last| last.rd != 0);
        // A call comes back.
        let back = link.then(|| block.next());
        for other in block.successors().chain(back) {
            neighbours.entry(at).or_default().push(other);
            neighbours.entry(other).or_default().push(at);
        }
    }
    let mut hottest: Vec<(u32, u32)> = blocks.iter().map(|(at, block)| (block.count, *at)).collect();
    hottest.sort_unstable_by(|one, other| other.cmp(one));
    let (mut regions, mut left) = (Vec::new(), most);
    for (count, at) in hottest {
        let mut next = BinaryHeap::from([(count, at)]);
        let (mut taken, mut instructions) = (Vec::new(), 0);
        while let Some((_, at)) = next.pop() {
            let limit = MAX_INSTRUCTIONS.min(left);
            let Some(block) = blocks.remove(&at) else {
                continue;
            };
            if taken.len() == MAX_BLOCKS || instructions + block.instructions.len() > limit {
                blocks.insert(at, block);
                break;
            }
            instructions += block.instructions.len();
            taken.push(block);
            let others = neighbours.get(&at).into_iter().flatten();
            next.extend(others.filter_map(|other| Some((blocks.get(other)?.count, *other))));
        }
        left -= instructions;
        if !taken.is_empty() {
            regions.extend(Region::new(taken));
        }
    }
    regions
}

/// Bourdoncle's algorithm.
struct Order<'a> {
    region: &'a Region,
    /// When each block was visited first. 0: not yet. `usize::MAX`: it has its place.
    visited: Vec<usize>,
    visits: usize,
    stack: Vec<usize>,
    depth: usize,
}

impl<'a> Order<'a> {
    /// `None`: loops are nested too deep.
    fn of(region: &'a Region) -> Option<Vec<Element>> {
        let mut order = Self {
            region,
            visited: vec![0; region.blocks.len()],
            visits: 0,
            stack: Vec::new(),
            depth: 0,
        };
        // In reverse, for each goes before those that it leads to.
        let mut reversed = Vec::new();
        for at in 0..region.blocks.len() {
            if region.blocks[at].is_entry && order.visited[at] == 0 {
                order.visit(at, &mut reversed)?;
            }
        }
        reversed.reverse();
        Some(reversed)
    }

    fn visit(&mut self, at: usize, reversed: &mut Vec<Element>) -> Option<usize> {
        self.stack.push(at);
        self.visits += 1;
        self.visited[at] = self.visits;
        let mut head = self.visits;
        let mut is_loop = false;
        for next in self.region.successors(at) {
            let least = match self.visited[next] {
                0 => self.visit(next, reversed)?,
                number => number,
            };
            if least <= head {
                head = least;
                is_loop = true;
            }
        }
        if head == self.visited[at] {
            self.visited[at] = usize::MAX;
            while let Some(top) = self.stack.pop() {
                if top == at {
                    break;
                }
                if is_loop {
                    self.visited[top] = 0;
                }
            }
            reversed.push(if is_loop {
                self.component(at)?
            } else {
                Element::Block(at)
            });
        }
        Some(head)
    }

    fn component(&mut self, head: usize) -> Option<Element> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let mut reversed = Vec::new();
        for next in self.region.successors(head) {
            if self.visited[next] == 0 {
                self.visit(next, &mut reversed)?;
            }
        }
        self.depth -= 1;
        reversed.push(Element::Block(head));
        reversed.reverse();
        Some(Element::Loop(reversed))
    }
}
