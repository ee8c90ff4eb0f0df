//! A run from which segments are shown later without running it again from its beginning.
//!
//! While it is made, the machine is kept at equal distances: its registers, and the pages that were touched since the time before. When these
//! take too much memory, every second one is merged into its successor, and the distances double. So a program of any length leaves as many as
//! there is memory for, and to show a segment takes one of these distances at most.

use super::{Program, RunError, Trace, Tracer, show_after};
use crate::{PAGE_BYTES, State, Status, Witness, execute::Hart, memory::Chunks, tree};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

/// Segments between two checkpoints at first.
const FIRST_DISTANCE: u64 = 16;
/// Checkpoints at most: more would save little.
const MOST: usize = 512;

type Page = [u8; PAGE_BYTES];

/// The machine between two segments.
struct Checkpoint {
    /// The number of the next segment.
    segment: u64,
    hart: Hart,
    /// The pages that were touched since the checkpoint before, as they are here.
    pages: BTreeMap<u32, Page>,
}

/// The machine on the way of a run.
pub struct Checkpoints {
    all: Vec<Checkpoint>,
    /// Segments between two of them.
    distance: u64,
    /// Most bytes of the pages of all of them.
    limit: usize,
}

/// Runs `program` to its end, records every segment as [`trace`](crate::trace) does, and keeps checkpoints of `bytes` bytes at most.
///
/// Errors: `Image`, `Gas`, `Missing`.
pub fn trace_with_checkpoints(
    program: &Program<'_>,
    chunks: &dyn Chunks,
    bytes: usize,
) -> Result<(Trace, Checkpoints), RunError> {
    let mut tracer = Tracer::new(program, chunks)?;
    let mut checkpoints = Checkpoints {
        all: Vec::new(),
        distance: FIRST_DISTANCE,
        limit: bytes,
    };
    let mut states = Vec::new();
    // Pages since the last checkpoint.
    let mut touched = BTreeSet::new();
    loop {
        let end = tracer.segment()?;
        states.push(end.hash());
        if end.status != Status::Running {
            let trace = Trace {
                states,
                end,
                output: tracer.memory.written,
            };
            return Ok((trace, checkpoints));
        }
        touched.extend(tracer.memory.marks.pages());
        let segment = states.len() as u64;
        if segment.is_multiple_of(checkpoints.distance) {
            let page = |page| Some((page, *tracer.memory.page_bytes(page)?));
            let checkpoint = Checkpoint {
                segment,
                hart: tracer.hart.clone(),
                pages: touched.into_iter().filter_map(page).collect(),
            };
            touched = checkpoints.keep(checkpoint);
        }
    }
}

impl Checkpoints {
    /// Keeps one more, as far as there is room. Returns the pages that were touched since the last that is kept.
    fn keep(&mut self, checkpoint: Checkpoint) -> BTreeSet<u32> {
        self.all.push(checkpoint);
        let mut since = BTreeSet::new();
        // It ends: distances that are longer than the run leave none.
        while self.all.len() > MOST || self.bytes_held() > self.limit {
            since.extend(self.thin());
        }
        since
    }

    /// Doubles the distances: what falls between two is merged into the later. Returns the pages of what has no later one.
    fn thin(&mut self) -> BTreeSet<u32> {
        self.distance = self.distance.saturating_mul(2);
        let mut left = Vec::with_capacity(self.all.len());
        let mut between = BTreeMap::new();
        for mut checkpoint in core::mem::take(&mut self.all) {
            // A page that is in both is as it is in the later one.
            between.append(&mut checkpoint.pages);
            if checkpoint.segment.is_multiple_of(self.distance) {
                checkpoint.pages = core::mem::take(&mut between);
                left.push(checkpoint);
            }
        }
        self.all = left;
        between.into_keys().collect()
    }

    /// About how many bytes of memory they take.
    pub fn bytes_held(&self) -> usize {
        let pages = self.all.iter().map(|checkpoint| checkpoint.pages.len());
        pages.fold(0, usize::saturating_add).saturating_mul(PAGE_BYTES)
    }

    /// The most segments that are run to show one.
    pub const fn distance(&self) -> u64 {
        self.distance
    }

    /// As [`show_segment`](crate::show_segment), of the run of which these are the checkpoints; `program` and `chunks` are as they were.
    ///
    /// Errors: `Image`, `Gas`, `Missing`, and `NoSegment` if the run ends before. Complexity: the pages of the checkpoints before, and
    /// [`Self::distance`] segments.
    pub fn show_segment(
        &self,
        program: &Program<'_>,
        chunks: &dyn Chunks,
        number: u64,
    ) -> Result<(State, Witness), RunError> {
        let mut tracer = Tracer::new(program, chunks)?;
        let before = self.all.iter().take_while(|checkpoint| checkpoint.segment <= number);
        let mut pages = BTreeMap::new();
        let mut from = 0;
        for checkpoint in before {
            from = checkpoint.segment;
            tracer.hart = checkpoint.hart.clone();
            pages.extend(&checkpoint.pages);
        }
        for (&page, bytes) in &pages {
            tracer.memory.set_page(page, bytes);
        }
        let hashes: Vec<_> = pages
            .iter()
            .map(|(page, bytes)| (*page, tree::page_hash(bytes)))
            .collect();
        tracer.tree.change(&hashes);
        show_after(tracer, number.saturating_sub(from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        MEMORY_BASE, show_segment,
        tests::{Blobs, assembler::*, program},
        trace,
    };

    /// Writes `count` words, each `stride` bytes after the one before, again and again round the same pages.
    fn writer(count: u64, stride: i32, round: u64) -> Vec<u8> {
        let (address, word, turn, end, base) = (5, 6, 7, 28, 29);
        let mut code = [li(base, MEMORY_BASE), li(end, round), li(word, count)].concat();
        code.extend([addi(address, base, 0), addi(turn, 0, 0)]);
        let body = [
            sd(address, word, 0),
            addi(address, address, stride),
            addi(turn, turn, 1),
            // At the end of a round it begins again.
            b(1, turn, end, 12),
            addi(address, base, 0),
            addi(turn, 0, 0),
            addi(word, word, -1),
        ];
        code.extend(body);
        code.push(b(1, word, 0, -28));
        code.extend([addi(10, 0, 0), addi(17, 0, 0), ECALL]);
        code.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    #[test]
    fn segments_are_shown_as_from_the_beginning_however_little_is_kept() {
        // A page and a half each, so that most segments touch new pages; the pages come again with other words.
        let image = writer(9000, 1536, 300);
        let program = program(&image, 1 << 24);
        let plain = trace(&program, &Blobs::default()).unwrap();
        let segments = plain.states.len() as u64;
        assert!(
            plain.end.status == Status::Done && segments > 300,
            "{segments} {:?}",
            plain.end.status
        );
        for limit in [0, 100_000, 600_000, usize::MAX] {
            let (traced, kept) = trace_with_checkpoints(&program, &Blobs::default(), limit).unwrap();
            assert_eq!(
                (&traced.states, &traced.end, &traced.output),
                (&plain.states, &plain.end, &plain.output)
            );
            assert!(kept.bytes_held() <= limit, "{limit}: {}", kept.bytes_held());
            // The program writes to 450 pages, again and again.
            assert_eq!(kept.all.is_empty(), limit < 450 * PAGE_BYTES, "{limit}");
            for pair in kept.all.windows(2) {
                assert_eq!(pair[1].segment - pair[0].segment, kept.distance());
            }
            let numbers = (0..segments).step_by(37).chain([15, 16, 17, segments - 1]);
            for number in numbers {
                let shown = kept.show_segment(&program, &Blobs::default(), number);
                assert_eq!(
                    shown,
                    show_segment(&program, &Blobs::default(), number),
                    "{limit}, {number}"
                );
            }
            let beyond = kept.show_segment(&program, &Blobs::default(), segments);
            assert_eq!(beyond.err(), Some(RunError::NoSegment));
        }
    }

    #[test]
    fn there_are_never_too_many() {
        let image = writer(200_000, 1536, 40);
        let program = program(&image, 1 << 24);
        let (traced, kept) = trace_with_checkpoints(&program, &Blobs::default(), usize::MAX).unwrap();
        let (segments, distance) = (traced.states.len() as u64, kept.distance());
        assert!(
            kept.all.len() <= MOST && distance > FIRST_DISTANCE,
            "{segments} {distance}"
        );
        // No fewer than half as many as there could be.
        assert!(
            segments / distance <= kept.all.len() as u64 + 1,
            "{segments} {distance} {}",
            kept.all.len()
        );
    }
}
