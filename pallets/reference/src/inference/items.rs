//! The items of an embedding: whether the input is a list of them, and where each begins.
//!
//! How long an item is stands before it, so the input is scanned from its beginning on. For each [`STRIDE`] bytes a *mark*
//! is kept: how many items begin before their end, and where the next one begins. Later units find an item from the mark
//! before it.

use crate::{
    Blobs, Fault, MAX_SCAN_BYTES, Output, Reader, Source, Step, Unit,
    counts::{product, sum, touched},
};
use agora_jobs::BlobRef;
use alloc::vec::Vec;

/// Bytes of input for which one mark is kept.
const STRIDE: u64 = 4096;
/// Marks of one unit.
const MARKS: u64 = MAX_SCAN_BYTES / STRIDE;
/// Bytes of a mark: a count of items, and an offset.
const MARK: u64 = 12;
/// Items that begin within a stride at most: each has four bytes.
const STRIDE_ITEMS: u64 = STRIDE / 4;

/// The items, as the job says that they are.
pub struct Items {
    pub input: BlobRef,
    pub items: u32,
    /// The most tokens of one.
    pub tokens: u32,
    pub vocabulary: u32,
    /// The unit of [`Step::Inputs`] that scans their beginning.
    pub first_unit: u64,
}

/// How many items begin before a place, and where the next begins.
#[derive(Clone, Copy)]
struct Mark {
    count: u32,
    next: u64,
}

impl Items {
    /// Units that scan them.
    pub const fn scans(&self) -> u64 {
        self.input.size.div_ceil(MAX_SCAN_BYTES)
    }

    /// Unit `unit` of the scan.
    pub fn unit(&self, unit: u64) -> Option<Unit> {
        (unit < self.scans()).then_some(Unit {
            output: Output::Kept {
                size: product([MARKS, MARK]),
            },
            work: product([MAX_SCAN_BYTES, 2]),
            // The last item may end after the block. One mark of the unit before is read.
            chunks: sum([touched(MAX_SCAN_BYTES), 4]),
        })
    }

    /// Checks the items that begin in the `unit`th MiB.
    pub fn scan(&self, blobs: &dyn Blobs, unit: u64) -> Result<Vec<u8>, Fault> {
        let mut reader = Reader::new(blobs, Source::Input(self.input));
        let start = product([unit, MAX_SCAN_BYTES]);
        let mut mark = match unit.checked_sub(1) {
            None => self.begin(&mut reader)?,
            Some(before) => self.mark(blobs, product([before, MARKS]).saturating_add(MARKS.saturating_sub(1)))?,
        };
        mark.next = mark.next.max(start);
        let mut marks = Vec::new();
        for stride in 1..=MARKS {
            let end = product([stride, STRIDE]).saturating_add(start).min(self.input.size);
            while mark.next < end {
                mark = self.item(&mut reader, mark)?;
            }
            marks.extend(mark.count.to_le_bytes());
            marks.extend(mark.next.to_le_bytes());
        }
        let is_last = unit.saturating_add(1) == self.scans();
        if is_last && mark.count != self.items {
            return Err(unusable("the input ends before the last item", self.input.size));
        }
        Ok(marks)
    }

    /// The mark at the beginning of the input, which is the number of items.
    fn begin(&self, reader: &mut Reader<'_>) -> Result<Mark, Fault> {
        let mut count = [0; 4];
        reader.read(0, &mut count)?;
        if u32::from_le_bytes(count) != self.items {
            return Err(unusable("the input has another number of items than the job says", 0));
        }
        Ok(Mark { count: 0, next: 4 })
    }

    /// Checks the item that begins at `mark.next`, and goes on to the next.
    fn item(&self, reader: &mut Reader<'_>, mark: Mark) -> Result<Mark, Fault> {
        let at = mark.next;
        if mark.count >= self.items {
            return Err(unusable("bytes follow the last item", at));
        }
        let first = at.saturating_add(2);
        let truncated = unusable("the input ends within an item", at);
        if first > self.input.size {
            return Err(truncated);
        }
        let length = read_u16(reader, at)?;
        if length == 0 || u32::from(length) > self.tokens {
            return Err(unusable("an item has no token, or more than the job says", at));
        }
        let next = first.saturating_add(u64::from(length).saturating_mul(2));
        if next > self.input.size {
            return Err(truncated);
        }
        let tokens = reader.read_vec(first, usize::from(length).saturating_mul(2))?;
        let (tokens, _) = tokens.as_chunks();
        let unknown = |&token: &[u8; 2]| u32::from(u16::from_le_bytes(token)) >= self.vocabulary;
        if tokens.iter().any(unknown) {
            return Err(unusable("an item has a token that is not in the vocabulary", at));
        }
        Ok(Mark {
            count: mark.count.saturating_add(1),
            next,
        })
    }

    /// Mark `number`, of all units.
    fn mark(&self, blobs: &dyn Blobs, number: u64) -> Result<Mark, Fault> {
        let unit = (number / MARKS).saturating_add(self.first_unit);
        let mut reader = Reader::new(blobs, Source::Kept(Step::Inputs, unit));
        let (mut count, mut next) = ([0; 4], [0; 8]);
        let at = product([number % MARKS, MARK]);
        reader.read(at, &mut count)?;
        reader.read(at.saturating_add(4), &mut next)?;
        Ok(Mark {
            count: u32::from_le_bytes(count),
            next: u64::from_le_bytes(next),
        })
    }

    /// The unit that looks up the tokens of an item: their number, then they, then zeros up to the most tokens.
    pub fn tokens_unit(&self) -> Unit {
        // Two chunks for each mark that a search among at most 2¹⁸ looks at, and for each item on the way.
        let ways = sum([40, product([STRIDE_ITEMS, 2])]);
        Unit {
            output: Output::Kept {
                size: product([u64::from(self.tokens).saturating_add(1), 2]),
            },
            work: 1 << 16,
            chunks: sum([ways, touched(product([self.tokens.into(), 2])), 4]),
        }
    }

    /// The output of that unit for item `item`.
    pub fn tokens(&self, blobs: &dyn Blobs, item: u64) -> Result<Vec<u8>, Fault> {
        let mut reader = Reader::new(blobs, Source::Input(self.input));
        let mut mark = self.before(blobs, item)?;
        for _ in 0..STRIDE_ITEMS {
            if u64::from(mark.count) >= item {
                break;
            }
            let length = self.length(&mut reader, mark.next)?;
            mark.count = mark.count.saturating_add(1);
            mark.next = sum([mark.next, 2, length.saturating_mul(2)]);
        }
        let length = self.length(&mut reader, mark.next)?;
        let size = length.saturating_mul(2) as usize;
        let tokens = reader.read_vec(mark.next.saturating_add(2), size)?;
        // At most 512.
        let mut kept = (length as u16).to_le_bytes().to_vec();
        kept.extend(tokens);
        kept.resize((self.tokens as usize).saturating_add(1).saturating_mul(2), 0);
        Ok(kept)
    }

    /// The last mark with at most `item` items before it.
    fn before(&self, blobs: &dyn Blobs, item: u64) -> Result<Mark, Fault> {
        let (mut low, mut high) = (0, product([self.scans(), MARKS]));
        let mut found = Mark { count: 0, next: 4 };
        while low < high {
            let middle = low.midpoint(high);
            let mark = self.mark(blobs, middle)?;
            if u64::from(mark.count) <= item {
                found = mark;
                low = middle.saturating_add(1);
            } else {
                high = middle;
            }
        }
        // Whatever the marks say, only bytes of the input are read.
        found.next = found.next.min(self.input.size.saturating_sub(4));
        Ok(found)
    }

    /// How many tokens the item at `at` has.
    fn length(&self, reader: &mut Reader<'_>, at: u64) -> Result<u64, Fault> {
        Ok(u64::from(read_u16(reader, at)?).clamp(1, self.tokens.into()))
    }

    /// The tokens that [`Self::tokens`] has kept, each in the vocabulary.
    pub fn kept(&self, blobs: &dyn Blobs, step: Step) -> Result<Vec<u16>, Fault> {
        let mut reader = Reader::new(blobs, Source::Kept(step, 0));
        let length = self.length(&mut reader, 0)?;
        let tokens = reader.read_vec(2, length.saturating_mul(2) as usize)?;
        let (tokens, _) = tokens.as_chunks();
        // At most 65,535.
        let last = self.vocabulary.saturating_sub(1).min(u16::MAX.into()) as u16;
        Ok(tokens
            .iter()
            .map(|&token| u16::from_le_bytes(token).min(last))
            .collect())
    }
}

fn read_u16(reader: &mut Reader<'_>, at: u64) -> Result<u16, Fault> {
    let mut bytes = [0; 2];
    reader.read(at, &mut bytes)?;
    Ok(u16::from_le_bytes(bytes))
}

const fn unusable(reason: &'static str, at: u64) -> Fault {
    Fault::Unusable { reason, at }
}
