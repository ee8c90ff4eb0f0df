use super::*;
use crate::{
    device::{Caps, DeviceInfo, Pooled, testing::first_device},
    run::CancelFlag,
};
use proptest::prelude::*;
use std::sync::OnceLock;

/// One device for all cases.
fn context() -> &'static (Context, DeviceInfo) {
    static CONTEXT: OnceLock<(Context, DeviceInfo)> = OnceLock::new();
    CONTEXT.get_or_init(|| {
        let device = first_device();
        // Small submissions and few workgroups: products are cut.
        let caps = Caps {
            max_work: Some(1 << 18),
            max_workgroups: Some(5),
            ..Default::default()
        };
        let context = Context::open(&device, caps).unwrap();
        (context, device)
    })
}

/// Configurations that the device can run and that suit `output`.
fn configurations(output: Output) -> impl Iterator<Item = Configuration> {
    let limits = context().1.limits;
    Configuration::ALL
        .into_iter()
        .filter(move |configuration| configuration.fits(&limits) && output.suits(*configuration))
}

/// A matrix of signed bytes, line by line, with extremes among them.
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

    /// Rows from `skip` vectors on, padded, with `gap` vectors that nobody must read between them.
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

    fn lines<'a>(&self, operand: &'a Operand, skip: usize, gap: usize) -> OperandView<'a> {
        OperandView {
            offset: 16 * skip as u32,
            stride: (self.columns.next_multiple_of(16) + 16 * gap) as u32,
            ..OperandView::dense(operand, 0)
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
        m: a.count() as u32,
        n: b.count() as u32,
        k: a.columns.next_multiple_of(16) as u32,
        batch: 1,
    }
}

/// Computes `gemm`, and reads the whole of `buffer`, whatever part of it the product has written.
fn compute(gemm: &Gemm, buffers: &[&wgpu::Buffer]) -> Vec<Vec<u8>> {
    compute_first_rows(gemm, u32::MAX, buffers)
}

fn compute_first_rows(gemm: &Gemm, rows: u32, buffers: &[&wgpu::Buffer]) -> Vec<Vec<u8>> {
    let (context, cancel) = (&context().0, CancelFlag::new());
    let mut batch = Batch::new(context, &cancel);
    gemm.record_rows(&mut batch, rows).unwrap();
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

fn operands(most: usize, depth: usize, least: i8, greatest: i8) -> impl Strategy<Value = (Matrix, Matrix)> {
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
    #![proptest_config(agora_test_support::cases(24))]

    #[test]
    fn sums_are_those_of_the_definition_in_every_configuration(
        (a, b) in operands(150, 100, i8::MIN, i8::MAX), skip in 0usize..3, gap in 0usize..3, offset in 0u32..4, spare in 0u32..4,
        content in prop::sample::select(vec![Content::Fixed, Content::Changing]),
    ) {
        let expected = sums(&a, &b);
        let (lhs, rhs) = (a.upload(skip, gap), b.upload(gap, skip));
        let stride = b.count() as u32 + spare;
        for configuration in configurations(Output::Sums) {
            let out = marked(offset as usize + a.count() * stride as usize);
            let gemm = Gemm::with_configuration(
                &context().0,
                configuration,
                shape(&a, &b),
                a.lines(&Operand::new(&lhs, content), skip, gap),
                b.lines(&Operand::new(&rhs, content), gap, skip),
                Epilogue::Sums { out: OutputView { offset, ..OutputView::dense(&out, stride) } },
            ).unwrap();
            let found = words(&compute(&gemm, &[&out])[0]);
            let marks = i32::from_ne_bytes([0xaa; 4]);
            prop_assert!(found[..offset as usize].iter().all(|&word| word == marks));
            for (row, expected) in found[offset as usize..].chunks(stride as usize).zip(&expected) {
                prop_assert_eq!(&row[..expected.len()], &expected[..], "{:?}", configuration);
                prop_assert!(row[expected.len()..].iter().all(|&word| word == marks), "{:?}", configuration);
            }
        }
    }

    #[test]
    fn residues_are_those_of_the_definition_as_they_are_and_scaled(
        (a, b) in operands(70, 70, -125, 125), residues in prop::collection::vec(0u8..251, 150), first in 0usize..5,
    ) {
        let first_row = 16 * first;
        let scales = Scales::new(&context().0).unwrap();
        scales.write(&context().0, &residues).unwrap();
        let (rows, columns) = (a.count().next_multiple_of(16), b.count().next_multiple_of(16));
        let (lhs, rhs) = (a.upload(0, 0), b.upload(0, 0));
        let mut expected = [vec![0; a.count() * columns], vec![0; b.count() * rows]];
        for (r, row) in sums(&a, &b).iter().enumerate() {
            for (c, sum) in row.iter().enumerate() {
                let residue = sum.rem_euclid(251) as u8;
                expected[0][r * columns + c] = residue;
                let scaled = i32::from(residue) * i32::from(residues[first_row + r]);
                expected[1][c * rows + r] = agora_math::field::symmetric_of(scaled) as u8;
            }
        }
        for configuration in configurations(Output::Residues) {
            let (out, next) = (marked(expected[0].len() / 4), marked(expected[1].len() / 4));
            let gemm = Gemm::with_configuration(
                &context().0,
                configuration,
                shape(&a, &b),
                a.lines(&Operand::new(&lhs, Content::Fixed), 0, 0),
                b.lines(&Operand::new(&rhs, Content::Changing), 0, 0),
                Epilogue::Residues {
                    out: OutputView::dense(&out, columns as u32 / 4),
                    next: OutputView::dense(&next, rows as u32 / 4),
                    scales: ScalesView { scales: &scales, first_row: first_row as u32 },
                },
            ).unwrap();
            prop_assert!(compute(&gemm, &[&out, &next]) == expected, "{:?}", configuration);
        }
    }

    #[test]
    fn the_items_of_a_batch_are_products_of_their_own(items in 1usize..6, (a, b) in operands(40, 40, i8::MIN, i8::MAX)) {
        // Item i multiplies the rows of A from row i on; its output comes after the others'.
        let lines = a.count() + items - 1;
        let long = Matrix { columns: a.columns, elements: a.elements.iter().cycle().take(lines * a.columns).copied().collect() };
        let (lhs, rhs) = (long.upload(0, 0), b.upload(0, 0));
        let size = a.count() * b.count();
        for configuration in configurations(Output::Sums) {
            let out = marked(items * size);
            let gemm = Gemm::with_configuration(
                &context().0,
                configuration,
                Shape { batch: items as u32, ..shape(&a, &b) },
                OperandView { batch_stride: a.columns.next_multiple_of(16) as u32, ..long.lines(&Operand::new(&lhs, Content::Changing), 0, 0) },
                b.lines(&Operand::new(&rhs, Content::Changing), 0, 0),
                Epilogue::Sums { out: OutputView { batch_stride: size as u32, ..OutputView::dense(&out, b.count() as u32) } },
            ).unwrap();
            let found = words(&compute(&gemm, &[&out])[0]);
            for (i, found) in found.chunks(size).take(items).enumerate() {
                let part = Matrix { columns: a.columns, elements: long.elements[i * a.columns..][..a.elements.len()].to_vec() };
                prop_assert!(found == sums(&part, &b).concat(), "{:?}, item {}", configuration, i);
            }
        }
    }
}

proptest! {
    #![proptest_config(agora_test_support::cases(24))]

    #[test]
    fn the_first_rows_are_those_of_the_whole_product((a, b) in operands(150, 50, i8::MIN, i8::MAX), part: prop::sample::Index) {
        let rows = 1 + part.index(a.count());
        let expected = sums(&a, &b)[..rows].concat();
        // The padding of one operand need not be zero.
        let (lhs, rhs) = (a.upload_padded(0, 0, 0x55), b.upload(0, 0));
        for configuration in configurations(Output::Sums) {
            let out = marked(a.count() * b.count());
            let gemm = Gemm::with_configuration(
                &context().0,
                configuration,
                shape(&a, &b),
                a.lines(&Operand::new(&lhs, Content::Changing), 0, 0),
                b.lines(&Operand::new(&rhs, Content::Fixed), 0, 0),
                Epilogue::Sums { out: OutputView::dense(&out, b.count() as u32) },
            ).unwrap();
            let found = words(&compute_first_rows(&gemm, rows as u32, &[&out])[0]);
            prop_assert!(found[..expected.len()] == expected, "{:?}", configuration);
        }
    }
}

#[test]
fn the_longest_lines_do_not_overflow() {
    let depth = plan::MAX_DEPTH as usize;
    let line = |element: i8| Matrix {
        columns: depth,
        elements: vec![element; depth],
    };
    let a = line(-128);
    for element in [-128, 127] {
        let b = line(element);
        let (lhs, rhs, out) = (a.upload(0, 0), b.upload(0, 0), marked(1));
        for configuration in configurations(Output::Sums) {
            let gemm = Gemm::with_configuration(
                &context().0,
                configuration,
                shape(&a, &b),
                a.lines(&Operand::new(&lhs, Content::Fixed), 0, 0),
                b.lines(&Operand::new(&rhs, Content::Fixed), 0, 0),
                Epilogue::Sums {
                    out: OutputView::dense(&out, 1),
                },
            );
            let found = words(&compute(&gemm.unwrap(), &[&out])[0]);
            assert_eq!(found[0], depth as i32 * -128 * i32::from(element), "{configuration:?}");
        }
    }
}

#[test]
fn what_reaches_out_of_its_buffer_is_refused() {
    let context = &context().0;
    let (buffer, out) = (context.storage(160).unwrap(), context.storage(400).unwrap());
    let operand = Operand::new(&buffer, Content::Fixed);
    let right = Shape {
        m: 10,
        n: 10,
        k: 16,
        batch: 1,
    };
    let lines = OperandView::dense(&operand, 16);
    let to = OutputView::dense(&out, 10);
    let tuning = Tuning::only(Configuration::SMALL);
    let refused = |shape, lhs, to| {
        let result = Gemm::new(context, tuning, shape, lhs, lines, Epilogue::Sums { out: to });
        assert!(matches!(result, Err(DeviceError::Refused { .. })));
    };
    assert!(Gemm::new(context, tuning, right, lines, lines, Epilogue::Sums { out: to }).is_ok());
    for shape in [
        Shape { m: 11, ..right },
        Shape { n: 11, ..right },
        Shape { k: 32, ..right },
        Shape { k: 8, ..right },
        Shape { m: 0, ..right },
        Shape { batch: 0, ..right },
        Shape {
            m: u32::MAX,
            batch: u32::MAX,
            ..right
        },
        Shape {
            k: 131_088,
            m: 1,
            n: 1,
            batch: 1,
        },
    ] {
        refused(shape, lines, to);
    }
    refused(right, OperandView { offset: 16, ..lines }, to);
    refused(right, OperandView { offset: 8, ..lines }, to);
    refused(right, OperandView { stride: 32, ..lines }, to);
    refused(right, lines, OutputView { offset: 1, ..to });
    refused(right, lines, OutputView { stride: 11, ..to });
    refused(Shape { batch: 2, ..right }, lines, OutputView { batch_stride: 1, ..to });
}

#[test]
fn rows_without_a_scale_are_refused() {
    let context = &context().0;
    let scales = Scales::new(context).unwrap();
    assert!(scales.write(context, &[1; 4096]).is_ok());
    assert!(matches!(
        scales.write(context, &[1; 4097]),
        Err(DeviceError::Refused { .. })
    ));
    let (buffer, out) = (context.storage(4096).unwrap(), context.storage(4096).unwrap());
    let operand = Operand::new(&buffer, Content::Fixed);
    let lines = OperandView::dense(&operand, 16);
    let product = |first_row| {
        let shape = Shape {
            m: 17,
            n: 16,
            k: 16,
            batch: 1,
        };
        let epilogue = Epilogue::Residues {
            out: OutputView::dense(&out, 4),
            next: OutputView::dense(&out, 8),
            scales: ScalesView {
                scales: &scales,
                first_row,
            },
        };
        Gemm::new(
            context,
            Tuning::only(Configuration::SMALL),
            shape,
            lines,
            lines,
            epilogue,
        )
    };
    // Rows in whole vectors: 32 of them.
    for first_row in [4080, 4096, u32::MAX - 15, 1, 8] {
        assert!(matches!(product(first_row), Err(DeviceError::Refused { .. })));
    }
}
