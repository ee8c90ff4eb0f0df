use super::*;
use crate::{
    engine::{
        CancelFlag,
        gpu::{DeviceInfo, GpuOptions, batch::Batch, find_device, pool::Pooled, tuning::Tiles},
    },
    requantise::{Column, Scale, requantise},
};
use proptest::prelude::*;
use std::sync::OnceLock;

/// One device for all cases.
fn context() -> &'static (Context, DeviceInfo) {
    static CONTEXT: OnceLock<(Context, DeviceInfo)> = OnceLock::new();
    CONTEXT.get_or_init(|| {
        let device = find_device("auto").unwrap_or_else(|error| panic!("these tests need an adapter: {error}"));
        // Small submissions and few workgroups: products are cut.
        let options = GpuOptions {
            max_work: Some(1 << 18),
            max_workgroups: Some(5),
            ..Default::default()
        };
        let context = Context::open(&device, &options, Tiles::only(Tile::SMALL)).unwrap();
        (context, device)
    })
}

/// Tiles that the device can run and that suit `output`.
fn tiles(output: Output) -> impl Iterator<Item = Tile> {
    let limits = context().1.limits;
    Tile::ALL
        .into_iter()
        .filter(move |tile| tile.fits(&limits) && output.suits(*tile))
}

/// A matrix of signed bytes, line by line, from the extremes too.
#[derive(Clone, Debug)]
struct Matrix {
    columns: usize,
    elements: Vec<i8>,
}

impl Matrix {
    fn any(lines: usize, columns: usize, least: i8, greatest: i8) -> impl Strategy<Value = Self> {
        let element = prop_oneof![4 => least..=greatest, 1 => Just(least), 1 => Just(greatest)];
        prop::collection::vec(element, lines * columns).prop_map(move |elements| Self { columns, elements })
    }

    fn line(&self, index: usize) -> &[i8] {
        &self.elements[index * self.columns..][..self.columns]
    }

    fn count(&self) -> usize {
        self.elements.len() / self.columns
    }

    /// Lines from `skip` vectors on, padded, with `gap` vectors that nobody must read between them.
    fn upload(&self, skip: usize, gap: usize) -> Pooled {
        self.upload_padded(skip, gap, 0)
    }

    fn upload_padded(&self, skip: usize, gap: usize, padding: u8) -> Pooled {
        let depth = self.columns.next_multiple_of(16);
        let mut bytes = vec![0x55; 16 * skip];
        for line in self.elements.chunks(self.columns) {
            bytes.extend(line.iter().map(|&element| element as u8));
            bytes.resize(bytes.len() + depth - self.columns, padding);
            bytes.resize(bytes.len() + 16 * gap, 0x55);
        }
        let buffer = context().0.storage(bytes.len() as u64).unwrap();
        context().0.queue.write_buffer(&buffer, 0, &bytes);
        buffer
    }

    fn lines<'a>(&self, factor: &'a Factor, skip: usize, gap: usize) -> Lines<'a> {
        Lines {
            offset: 16 * skip as u32,
            stride: (self.columns.next_multiple_of(16) + 16 * gap) as u32,
            ..Lines::dense(factor, 0)
        }
    }
}

/// Rows of A times rows of B: the definition.
fn sums(a: &Matrix, b: &Matrix) -> Vec<Vec<i32>> {
    let dot = |x: &[i8], y: &[i8]| x.iter().zip(y).map(|(&x, &y)| i32::from(x) * i32::from(y)).sum();
    let row = |r| (0..b.count()).map(|c| dot(a.line(r), b.line(c))).collect();
    (0..a.count()).map(row).collect()
}

fn shape(a: &Matrix, b: &Matrix) -> Shape {
    Shape {
        rows: a.count() as u32,
        columns: b.count() as u32,
        depth: a.columns.next_multiple_of(16) as u32,
        items: 1,
    }
}

/// Computes `gemm` and reads `buffer`, of which the product has written whatever it wrote.
fn compute(gemm: &Gemm, buffers: &[&wgpu::Buffer]) -> Vec<Vec<u8>> {
    compute_first_rows(gemm, u32::MAX, buffers)
}

fn compute_first_rows(gemm: &Gemm, rows: u32, buffers: &[&wgpu::Buffer]) -> Vec<Vec<u8>> {
    let (context, cancel) = (&context().0, CancelFlag::new());
    let mut batch = Batch::new(context, &cancel);
    batch.first_rows(gemm, rows).unwrap();
    let mut contents = vec![Vec::new(); buffers.len()];
    let slices: Vec<_> = buffers.iter().map(|buffer| buffer.slice(..)).collect();
    let readback = batch.read(&slices).unwrap();
    readback
        .wait(context, &cancel, |i, bytes| contents[i] = bytes.to_vec())
        .unwrap();
    contents
}

/// A buffer of `words`, each of them `0xaaaaaaaa`.
fn marked(words: usize) -> Pooled {
    let buffer = context().0.storage(4 * words as u64).unwrap();
    context()
        .0
        .queue
        .write_buffer(&buffer, 0, &vec![0xaa; buffer.size() as usize]);
    buffer
}

fn factors(most: usize, depth: usize, least: i8, greatest: i8) -> impl Strategy<Value = (Matrix, Matrix)> {
    (1..most, 1..most, 1..depth).prop_flat_map(move |(rows, columns, depth)| {
        (
            Matrix::any(rows, depth, least, greatest),
            Matrix::any(columns, depth, least, greatest),
        )
    })
}

fn words(bytes: &[u8]) -> Vec<i32> {
    bytemuck::pod_collect_to_vec(bytes)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn sums_are_those_of_the_definition_in_every_configuration(
        (a, b) in factors(150, 100, i8::MIN, i8::MAX), skip in 0usize..3, gap in 0usize..3, offset in 0u32..4, spare in 0u32..4,
        content in prop::sample::select(vec![Content::Fixed, Content::Changing]),
    ) {
        let expected = sums(&a, &b);
        let (left, right) = (a.upload(skip, gap), b.upload(gap, skip));
        let stride = b.count() as u32 + spare;
        for tile in tiles(Output::Sums) {
            let out = marked(offset as usize + a.count() * stride as usize);
            let gemm = Gemm::with_tile(
                &context().0,
                shape(&a, &b),
                a.lines(&Factor::new(&left, content), skip, gap),
                b.lines(&Factor::new(&right, content), gap, skip),
                Epilogue::Sums { out: Words { offset, ..Words::dense(&out, stride) } },
                tile,
            ).unwrap();
            let found = words(&compute(&gemm, &[&out])[0]);
            let marks = i32::from_ne_bytes([0xaa; 4]);
            prop_assert!(found[..offset as usize].iter().all(|&word| word == marks));
            for (row, expected) in found[offset as usize..].chunks(stride as usize).zip(&expected) {
                prop_assert_eq!(&row[..expected.len()], &expected[..], "{:?}", tile);
                prop_assert!(row[expected.len()..].iter().all(|&word| word == marks), "{:?}", tile);
            }
        }
    }

    #[test]
    fn bytes_are_requantised_as_on_the_processor(
        (a, b) in factors(70, 70, i8::MIN, i8::MAX),
        scales in prop::collection::vec((any::<i32>(), 0..=i32::MAX, 31u32..=62), 70),
        (min, max) in (i8::MIN..=0, 0..=i8::MAX),
        (shift, small) in (31u32..40, -100_000..100_000i32),
    ) {
        // Every second column with a scale such that bytes differ.
        let columns: Vec<Column> = scales.iter().enumerate().map(|(i, &(bias, multiplier, any_shift))| Column {
            bias: if i % 2 == 0 { bias } else { small },
            scale: if i % 2 == 0 { Scale::new(multiplier, any_shift) } else { Scale::new(multiplier >> 8, shift) }.unwrap(),
        }).collect();
        let table: Vec<[i32; 4]> = columns
            .iter()
            .map(|column| [column.bias, column.scale.multiplier(), column.scale.shift() as i32, 7])
            .collect();
        let scales = context().0.storage(16 * table.len() as u64).unwrap();
        context().0.queue.write_buffer(&scales, 0, bytemuck::cast_slice(&table));
        let range = Range { min, max };
        let (left, right) = (a.upload(0, 0), b.upload(0, 0));
        let stride = b.count().next_multiple_of(16);
        let expected: Vec<u8> = sums(&a, &b).iter().flat_map(|row| {
            let bytes = row.iter().zip(&columns).map(|(&sum, &column)| requantise(sum, column, range) as u8);
            bytes.chain(std::iter::repeat(0)).take(stride).collect::<Vec<_>>()
        }).collect();
        for tile in tiles(Output::Bytes) {
            let out = marked(a.count() * stride / 4);
            let gemm = Gemm::with_tile(
                &context().0,
                shape(&a, &b),
                a.lines(&Factor::new(&left, Content::Changing), 0, 0),
                b.lines(&Factor::new(&right, Content::Fixed), 0, 0),
                Epilogue::Bytes { out: Words::dense(&out, stride as u32 / 4), columns: &scales, range },
                tile,
            ).unwrap();
            prop_assert!(compute(&gemm, &[&out])[0] == expected, "{:?}", tile);
        }
    }

    #[test]
    fn residues_are_those_of_the_definition_twice((a, b) in factors(70, 70, -125, 125)) {
        let (rows, columns) = (a.count().next_multiple_of(16), b.count().next_multiple_of(16));
        let (left, right) = (a.upload(0, 0), b.upload(0, 0));
        let mut expected = [vec![0; a.count() * columns], vec![0; b.count() * rows]];
        for (r, row) in sums(&a, &b).iter().enumerate() {
            for (c, sum) in row.iter().enumerate() {
                let residue = sum.rem_euclid(251) as u8;
                expected[0][r * columns + c] = residue;
                expected[1][c * rows + r] = agora_math::field::symmetric(residue) as u8;
            }
        }
        for tile in tiles(Output::Residues) {
            let (out, next) = (marked(expected[0].len() / 4), marked(expected[1].len() / 4));
            let gemm = Gemm::with_tile(
                &context().0,
                shape(&a, &b),
                a.lines(&Factor::new(&left, Content::Fixed), 0, 0),
                b.lines(&Factor::new(&right, Content::Changing), 0, 0),
                Epilogue::Residues {
                    out: Words::dense(&out, columns as u32 / 4),
                    next: Words::dense(&next, rows as u32 / 4),
                },
                tile,
            ).unwrap();
            prop_assert!(compute(&gemm, &[&out, &next]) == expected, "{:?}", tile);
        }
    }

    #[test]
    fn the_items_of_a_batch_are_products_of_their_own(items in 1usize..6, (a, b) in factors(40, 40, i8::MIN, i8::MAX)) {
        // Item i multiplies the rows of A from row i on; its output comes after the others'.
        let lines = a.count() + items - 1;
        let long = Matrix { columns: a.columns, elements: a.elements.iter().cycle().take(lines * a.columns).copied().collect() };
        let (left, right) = (long.upload(0, 0), b.upload(0, 0));
        let size = a.count() * b.count();
        for tile in tiles(Output::Sums) {
            let out = marked(items * size);
            let gemm = Gemm::with_tile(
                &context().0,
                Shape { items: items as u32, ..shape(&a, &b) },
                Lines { item: a.columns.next_multiple_of(16) as u32, ..long.lines(&Factor::new(&left, Content::Changing), 0, 0) },
                b.lines(&Factor::new(&right, Content::Changing), 0, 0),
                Epilogue::Sums { out: Words { item: size as u32, ..Words::dense(&out, b.count() as u32) } },
                tile,
            ).unwrap();
            let found = words(&compute(&gemm, &[&out])[0]);
            for (i, found) in found.chunks(size).take(items).enumerate() {
                let part = Matrix { columns: a.columns, elements: long.elements[i * a.columns..][..a.elements.len()].to_vec() };
                prop_assert!(found == sums(&part, &b).concat(), "{:?}, item {}", tile, i);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_first_rows_are_those_of_the_whole_product((a, b) in factors(150, 50, i8::MIN, i8::MAX), part: prop::sample::Index) {
        let rows = 1 + part.index(a.count());
        let expected = sums(&a, &b)[..rows].concat();
        // The padding of one factor need not be zero.
        let (left, right) = (a.upload_padded(0, 0, 0x55), b.upload(0, 0));
        for tile in tiles(Output::Sums) {
            let out = marked(a.count() * b.count());
            let gemm = Gemm::with_tile(
                &context().0,
                shape(&a, &b),
                a.lines(&Factor::new(&left, Content::Changing), 0, 0),
                b.lines(&Factor::new(&right, Content::Fixed), 0, 0),
                Epilogue::Sums { out: Words::dense(&out, b.count() as u32) },
                tile,
            ).unwrap();
            let found = words(&compute_first_rows(&gemm, rows as u32, &[&out])[0]);
            prop_assert!(found[..expected.len()] == expected, "{:?}", tile);
        }
    }
}

#[test]
fn the_longest_lines_do_not_overflow() {
    let depth = bounds::MAX_DEPTH as usize;
    let line = |element: i8| Matrix {
        columns: depth,
        elements: vec![element; depth],
    };
    let a = line(-128);
    for element in [-128, 127] {
        let b = line(element);
        let (left, right, out) = (a.upload(0, 0), b.upload(0, 0), marked(1));
        for tile in tiles(Output::Sums) {
            let gemm = Gemm::with_tile(
                &context().0,
                shape(&a, &b),
                a.lines(&Factor::new(&left, Content::Fixed), 0, 0),
                b.lines(&Factor::new(&right, Content::Fixed), 0, 0),
                Epilogue::Sums {
                    out: Words::dense(&out, 1),
                },
                tile,
            );
            let found = words(&compute(&gemm.unwrap(), &[&out])[0]);
            assert_eq!(found[0], depth as i32 * -128 * i32::from(element), "{tile:?}");
        }
    }
}

#[test]
fn what_reaches_out_of_its_buffer_is_refused() {
    let context = &context().0;
    let (buffer, out) = (context.storage(160).unwrap(), context.storage(400).unwrap());
    let factor = Factor::new(&buffer, Content::Fixed);
    let right = Shape {
        rows: 10,
        columns: 10,
        depth: 16,
        items: 1,
    };
    let lines = Lines::dense(&factor, 16);
    let to = Words::dense(&out, 10);
    let refused = |shape, left, to| {
        let result = Gemm::new(context, shape, left, lines, Epilogue::Sums { out: to });
        assert!(matches!(result, Err(EngineError::Refused { .. })));
    };
    assert!(Gemm::new(context, right, lines, lines, Epilogue::Sums { out: to }).is_ok());
    for shape in [
        Shape { rows: 11, ..right },
        Shape { columns: 11, ..right },
        Shape { depth: 32, ..right },
        Shape { depth: 8, ..right },
        Shape { rows: 0, ..right },
        Shape { items: 0, ..right },
        Shape {
            rows: u32::MAX,
            items: u32::MAX,
            ..right
        },
        Shape {
            depth: 131_088,
            rows: 1,
            columns: 1,
            items: 1,
        },
    ] {
        refused(shape, lines, to);
    }
    refused(right, Lines { offset: 16, ..lines }, to);
    refused(right, Lines { offset: 8, ..lines }, to);
    refused(right, Lines { stride: 32, ..lines }, to);
    refused(right, lines, Words { offset: 1, ..to });
    refused(right, lines, Words { stride: 11, ..to });
    refused(Shape { items: 2, ..right }, lines, Words { item: 1, ..to });
}
