//! Rows of a matrix times vectors. Specified in `docs/protocol/matmul.md`.
//!
//! A part is a range of the products, vector by vector. It is at most three rectangles: the end of one vector's products,
//! those of whole vectors, the beginning of another's. Of each rectangle the fewer of rows and vectors are held, and the
//! others are read one by one, so that nothing is read twice.

use crate::{Blobs, Fault, Output, Reader, Reference, Source, Step, Unit, part, parts, whole_chunks};
use agora_jobs::{Limits, MatmulJob, blob::CHUNK_BYTES};
use alloc::{vec, vec::Vec};
use core::ops::Range;

/// Products of a part, times columns: a part reads about as many bytes. The least part, one chunk, is at most as much.
const PART_WORK: u64 = 1 << 25;

/// What a product takes besides its multiply–add operations.
const PRODUCT_WORK: u64 = 16;

/// Bytes of a product.
const PRODUCT: u64 = 4;

impl Reference for MatmulJob {
    fn states(&self) -> u64 {
        1
    }

    fn state_size(&self, _state: u64) -> u64 {
        self.max_output_bytes()
    }

    fn units(&self, step: Step) -> u64 {
        match step {
            Step::State(0) => parts(self.state_size(0), part_bytes(self)),
            Step::State(_) | Step::Inputs => 0,
        }
    }

    fn unit(&self, step: Step, unit: u64) -> Option<Unit> {
        if step != Step::State(0) {
            return None;
        }
        let (offset, size) = part(self.state_size(0), part_bytes(self), unit)?;
        let (products, columns) = (size / PRODUCT, u64::from(self.columns));
        // A rectangle of r rows and v vectors has r + v ≤ r · v + 1 lines, and there are three.
        let bytes = products.saturating_add(3).saturating_mul(columns);
        Some(Unit {
            output: Output::Part { offset, size },
            work: products.saturating_mul(columns.saturating_add(PRODUCT_WORK)),
            // Rows that follow one another, and vectors, may share their first and last chunks with others.
            chunks: bytes.div_ceil(CHUNK_BYTES as u64).saturating_add(11),
        })
    }

    fn compute(&self, blobs: &dyn Blobs, step: Step, unit: u64) -> Result<Vec<u8>, Fault> {
        let Some(Output::Part { offset, size }) = self.unit(step, unit).map(|unit| unit.output) else {
            return Err(Fault::NoUnit);
        };
        let mut lines = Lines {
            columns: self.columns,
            first_row: self.first_row.into(),
            matrix: Reader::new(blobs, Source::Input(self.matrix)),
            input: Reader::new(blobs, Source::Input(self.input)),
        };
        let first = offset / PRODUCT;
        let mut products = Vec::new();
        for rectangle in rectangles(self.rows.into(), first..first.saturating_add(size / PRODUCT)) {
            products.extend(multiply(&mut lines, rectangle)?);
        }
        Ok(products.into_iter().flat_map(i32::to_le_bytes).collect())
    }
}

/// The length of the parts, except the last.
fn part_bytes(job: &MatmulJob) -> u64 {
    let products = PART_WORK.checked_div(job.columns.into()).unwrap_or_default();
    whole_chunks(products.saturating_mul(PRODUCT))
}

/// Some rows times some vectors.
struct Rectangle {
    vectors: Range<u64>,
    rows: Range<u64>,
}

/// The rectangles, at most three, that the products `range` consist of, where each vector has `rows`.
fn rectangles(rows: u64, range: Range<u64>) -> Vec<Rectangle> {
    let mut rectangles = Vec::new();
    let mut at = range.start;
    while at < range.end {
        let (Some(vector), Some(row)) = (at.checked_div(rows), at.checked_rem(rows)) else {
            break;
        };
        let rest = range.end.saturating_sub(at);
        let whole = rest.checked_div(rows).unwrap_or_default();
        let (vectors, until) = if row > 0 || whole == 0 {
            (1, rows.min(row.saturating_add(rest)))
        } else {
            (whole, rows)
        };
        rectangles.push(Rectangle {
            vectors: vector..vector.saturating_add(vectors),
            rows: row..until,
        });
        at = at.saturating_add(vectors.saturating_mul(until.saturating_sub(row)));
    }
    rectangles
}

/// Reads rows and vectors.
struct Lines<'a> {
    columns: u32,
    first_row: u64,
    matrix: Reader<'a>,
    input: Reader<'a>,
}

impl Lines<'_> {
    fn row(&mut self, row: u64, line: &mut [u8]) -> Result<(), Fault> {
        let offset = self.first_row.saturating_add(row).saturating_mul(self.columns.into());
        self.matrix.read(offset, line)
    }

    fn vector(&mut self, vector: u64, line: &mut [u8]) -> Result<(), Fault> {
        self.input.read(vector.saturating_mul(self.columns.into()), line)
    }
}

/// The products of `rectangle`, vector by vector.
fn multiply(lines: &mut Lines<'_>, rectangle: Rectangle) -> Result<Vec<i32>, Fault> {
    let Rectangle { vectors, rows } = rectangle;
    let count = |range: &Range<u64>| range.end.saturating_sub(range.start) as usize;
    let (height, width) = (count(&vectors), count(&rows));
    let mut line = vec![0; lines.columns as usize];
    let mut held = Vec::new();
    // One list for each line that is not held.
    let mut products = Vec::new();
    if height <= width {
        for vector in vectors {
            lines.vector(vector, &mut line)?;
            held.extend_from_slice(&line);
        }
        for row in rows {
            lines.row(row, &mut line)?;
            products.push(dots(&held, &line));
        }
        let of_vector = |vector| products.iter().filter_map(move |of_row| of_row.get(vector).copied());
        return Ok((0..height).flat_map(of_vector).collect());
    }
    for row in rows {
        lines.row(row, &mut line)?;
        held.extend_from_slice(&line);
    }
    for vector in vectors {
        lines.vector(vector, &mut line)?;
        products.push(dots(&held, &line));
    }
    Ok(products.into_iter().flatten().collect())
}

/// The products of each of the lines in `held` with `line`.
fn dots(held: &[u8], line: &[u8]) -> Vec<i32> {
    let dot = |other: &[u8]| {
        let pairs = other.iter().zip(line);
        // At most 131,071 · 2¹⁴ < 2³¹.
        pairs.fold(0i32, |sum, (&a, &b)| {
            let product = i32::from(a.cast_signed()).wrapping_mul(b.cast_signed().into());
            sum.wrapping_add(product)
        })
    };
    held.chunks_exact(line.len().max(1)).map(dot).collect()
}
