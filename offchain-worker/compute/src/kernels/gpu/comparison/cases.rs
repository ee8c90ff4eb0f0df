//! The products that are compared, computed on the processor.

use super::{ComparisonError, Configuration};
use crate::{
    kernels::{
        cpu::{GemmError, PackedLhs, PackedRhs, product},
        gpu::{Shape, gemm::Output},
    },
    run::CancelFlag,
};
use agora_math::field;

/// What every byte of an output holds before.
pub(super) const MARK: u8 = 0xaa;

/// Bytes between two rows of an operand, and words between two rows of an output, that must not be touched.
const GAP: usize = 16;

/// A product to compare.
pub(super) struct Case {
    name: &'static str,
    shape: Shape,
    output: Output,
    operands: [Vec<u8>; 2],
    /// All bytes of each output.
    expected: Vec<Vec<u8>>,
}

/// All products to compare, with the processor's results.
///
/// Blocks are of up to 128 × 128 elements, tiles of up to 8 × 8, steps along k of up to 4 vectors of 16 bytes, or 64 of
/// them. Every size leaves a rest of each. The long rows are those whose sums need all 31 bits.
///
/// Errors: never for these sizes.
pub(super) fn cases() -> Result<Vec<Case>, GemmError> {
    let shape = |m, n, k, batch| Shape { m, n, k, batch };
    [
        ("a large product", shape(1003, 1101, 1040, 1), Output::Sums),
        (
            "a large product of residues",
            shape(1003, 1101, 1040, 1),
            Output::Residues,
        ),
        ("a small product of residues", shape(5, 519, 48, 1), Output::Residues),
        ("one row", shape(1, 1103, 16_400, 1), Output::Sums),
        ("eight rows", shape(8, 1103, 1040, 1), Output::Sums),
        ("the longest rows", shape(9, 17, 131_072, 1), Output::Sums),
        ("a batch of products", shape(70, 77, 80, 4), Output::Sums),
        ("a product of one vector", shape(3, 2, 16, 1), Output::Sums),
    ]
    .into_iter()
    .map(|(name, shape, output)| Case::new(name, shape, output))
    .collect()
}

impl Case {
    fn new(name: &'static str, shape: Shape, output: Output) -> Result<Self, GemmError> {
        let lines = |count: u32, seed| matrix((count * shape.batch) as usize, shape.k as usize, seed, output);
        let (lhs, rhs) = (lines(shape.m, 1), lines(shape.n, 2));
        let sums = sums(&lhs, &rhs, shape)?;
        let expected = match output {
            Output::Sums => vec![sums_bytes(&sums, shape)],
            Output::Residues => residues_bytes(&sums, shape),
        };
        Ok(Self {
            name,
            shape,
            output,
            operands: [lhs, rhs].map(|lines| with_gaps(&lines, shape.k as usize)),
            expected,
        })
    }

    pub fn suits(&self, configuration: Configuration) -> bool {
        self.output.suits(configuration)
    }

    pub fn shape(&self) -> Shape {
        self.shape
    }

    pub fn lhs(&self) -> &[u8] {
        &self.operands[0]
    }

    pub fn rhs(&self) -> &[u8] {
        &self.operands[1]
    }

    pub fn outputs(&self) -> impl Iterator<Item = &Vec<u8>> {
        self.expected.iter()
    }

    /// Offset, stride and stride of the batch, of the operands in bytes, of the outputs in words.
    pub fn views(&self) -> [[[u32; 3]; 2]; 2] {
        let (Shape { m, n, k, .. }, gap) = (self.shape, GAP as u32);
        let line = k + gap;
        let operand = |count: u32| [gap, line, count * line];
        let output = |count: u32, width: u32| [gap, width + gap, count * (width + gap)];
        let outputs = match self.output {
            Output::Sums => [output(m, n), [0; 3]],
            Output::Residues => [output(m, packed(n) as u32), output(n, packed(m) as u32)],
        };
        [[operand(m), operand(n)], outputs]
    }

    /// The first byte of output `number` that differs.
    pub fn difference(&self, number: usize, found: &[u8]) -> Option<ComparisonError> {
        let expected = self.expected.get(number)?;
        let pairs = || expected.iter().zip(found);
        let at = pairs().position(|(expected, found)| expected != found)?;
        let (&expected, &found) = pairs().nth(at)?;
        Some(ComparisonError::Different {
            case: self.name,
            output: match (self.output, number) {
                (Output::Sums, _) => "sums",
                (Output::Residues, 0) => "residues",
                (Output::Residues, _) => "transposed residues",
            },
            at,
            found,
            expected,
        })
    }
}

/// Words of a row of `count` residues.
fn packed(count: u32) -> usize {
    count.next_multiple_of(16) as usize / 4
}

/// Pseudorandom lines with extremes among them. All are extremes in the longest, of which one element is zero, so that
/// no sum wraps.
fn matrix(lines: usize, depth: usize, seed: u64, output: Output) -> Vec<i8> {
    let mut state = seed ^ 0x9e37_79b9_7f4a_7c15;
    let is_longest = depth == 131_072;
    let (least, most) = if output == Output::Residues {
        (-125, 125)
    } else {
        (i8::MIN, i8::MAX)
    };
    let element = |place: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        match (state >> 56) as u8 {
            _ if is_longest && (place + 1).is_multiple_of(depth) => 0,
            _ if is_longest => least,
            0..16 => least,
            16..32 => most,
            byte => (byte as i8).clamp(least, most),
        }
    };
    (0..lines * depth).map(element).collect()
}

/// The products of the batch, one after the other, row by row.
fn sums(lhs: &[i8], rhs: &[i8], shape: Shape) -> Result<Vec<i32>, GemmError> {
    let [m, n, k] = [shape.m, shape.n, shape.k].map(|size| size as usize);
    // The last element of a line of 131,072 is zero in all lines.
    let depth = k.min(crate::kernels::cpu::MAX_DEPTH);
    let cut = |lines: &[i8]| -> Vec<i8> { lines.chunks_exact(k).flat_map(|line| &line[..depth]).copied().collect() };
    let mut sums = vec![0; shape.batch as usize * m * n];
    let never = CancelFlag::new();
    for ((lhs, rhs), sums) in lhs.chunks(m * k).zip(rhs.chunks(n * k)).zip(sums.chunks_mut(m * n)) {
        let lhs = PackedLhs::new(&cut(lhs), m, depth)?;
        let rhs = PackedRhs::transposed(&cut(rhs), n, depth)?;
        product(&lhs, &rhs, &never, sums, |_, sums, out| out.copy_from_slice(sums))?;
    }
    Ok(sums)
}

/// Lines with marks before each.
fn with_gaps(lines: &[i8], depth: usize) -> Vec<u8> {
    let line = |line: &[i8]| {
        let bytes: Vec<u8> = line.iter().map(|&element| element as u8).collect();
        [vec![MARK; GAP], bytes].concat()
    };
    lines.chunks_exact(depth).flat_map(line).collect()
}

/// Lines of words as an output has them: each after words that nobody writes, and filled up to whole vectors.
fn output_bytes<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut bytes: Vec<u8> = lines
        .flat_map(|line| vec![MARK; 4 * GAP].into_iter().chain(line.iter().copied()))
        .collect();
    bytes.resize(bytes.len().next_multiple_of(16), MARK);
    bytes
}

fn sums_bytes(sums: &[i32], shape: Shape) -> Vec<u8> {
    let bytes: &[u8] = bytemuck::cast_slice(sums);
    output_bytes(bytes.chunks_exact(4 * shape.n as usize))
}

/// What row `row` of residues is scaled by: another number for each of 250 rows.
pub fn scale(row: usize) -> u8 {
    (1 + row * 7 % 250) as u8
}

/// The residues row by row, then the symmetric ones of the scaled rows column by column.
fn residues_bytes(sums: &[i32], shape: Shape) -> Vec<Vec<u8>> {
    let [m, n] = [shape.m as usize, shape.n as usize];
    let widths = [4 * packed(shape.n), 4 * packed(shape.m)];
    let mut rows = vec![0; m * widths[0]];
    let mut columns = vec![0; n * widths[1]];
    for (r, row) in sums.chunks_exact(n).enumerate() {
        for (c, sum) in row.iter().enumerate() {
            let residue = sum.rem_euclid(251) as u8;
            rows[r * widths[0] + c] = residue;
            columns[c * widths[1] + r] = field::symmetric_of(i32::from(residue) * i32::from(scale(r))) as u8;
        }
    }
    vec![
        output_bytes(rows.chunks_exact(widths[0])),
        output_bytes(columns.chunks_exact(widths[1])),
    ]
}
