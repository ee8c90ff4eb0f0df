//! Compares every kernel configuration with the processor before it is used.
//!
//! Shaders without checks at run time depend on the driver's compiler, and such compilers have had faults that show only
//! in large products, in the last tile of a row, or in one epilogue. A job with wrong bits costs its worker a bond. So each
//! configuration computes, with each epilogue, products that take every way through its shader, and all bytes are
//! compared, those between the rows too. A configuration that differs, or fails, is not used; the device still is, with
//! others.

mod cases;

use super::{Configuration, Content, Epilogue, Gemm, Operand, OperandView, OutputView, Scales, ScalesView};
use crate::{
    device::{Batch, Bounds, Context, Device, DeviceError, DeviceInfo, MayBeDevice, Pooled},
    kernels::cpu::GemmError,
    run::CancelFlag,
};
use cases::{Case, cases};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// More rows than any case of residues has.
const SCALED_ROWS: usize = 1024;

/// Why a configuration is not used.
#[derive(thiserror::Error, Debug)]
pub(super) enum ComparisonError {
    /// It computes something else than the processor.
    #[error("it differs from the processor in {case}: byte {at} of its {output} is {found}, not {expected}")]
    Different {
        case: &'static str,
        output: &'static str,
        at: usize,
        found: u8,
        expected: u8,
    },
    /// It does not compute: its shader does not compile, or the device fails.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The processor could not compute it.
    #[error(transparent)]
    Processor(#[from] GemmError),
}

impl MayBeDevice for ComparisonError {
    fn device_error(&self) -> Option<&DeviceError> {
        match self {
            Self::Device(error) => Some(error),
            Self::Different { .. } | Self::Processor(_) => None,
        }
    }
}

/// Compares configurations on one device.
pub(super) struct Comparison<'a> {
    device: &'a Device,
    /// What is compared with, computed when it is first needed.
    cases: Option<Vec<Case>>,
}

/// What was found in this process, by adapter and configuration: a device that is opened again is not compared again.
static FOUND: Mutex<Option<HashMap<String, Result<(), String>>>> = Mutex::new(None);

impl<'a> Comparison<'a> {
    /// Compares on `device`, whose limits should be the adapter's own.
    pub const fn on(device: &'a Device) -> Self {
        Self { device, cases: None }
    }

    /// The adapter's name.
    pub fn device_name(&self) -> &'a str {
        &self.device.info().name
    }

    /// Whether `configuration` gives the processor's bits; `Err` has the reason why it must not be used.
    pub fn check(&mut self, configuration: Configuration) -> Result<(), String> {
        if self.device.is_sabotaged() {
            return self.compare(configuration).map_err(|error| error.to_string());
        }
        let key = key(self.device.info(), configuration);
        // Held meanwhile, so that two threads do not compare the same.
        let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
        let found = found.get_or_insert_default();
        if let Some(known) = found.get(&key) {
            return known.clone();
        }
        let result = self.compare(configuration).map_err(|error| error.to_string());
        found.insert(key, result.clone());
        result
    }

    /// Errors: the first difference, and what the device reports.
    fn compare(&mut self, configuration: Configuration) -> Result<(), ComparisonError> {
        let cases = match &mut self.cases {
            Some(cases) => cases,
            empty => empty.insert(cases()?),
        };
        self.device.on_device(|context| {
            cases
                .iter()
                .filter(|case| case.suits(configuration))
                .try_for_each(|case| compare(context, configuration, case))
        })
    }
}

fn key(device: &DeviceInfo, configuration: Configuration) -> String {
    format!("{} {:?} {device} {}", device.index, device.bus, configuration.name())
}

/// Computes `case` with `configuration`, cut into dispatches along its longest dimensions, and compares all bytes.
fn compare(context: &Context, configuration: Configuration, case: &Case) -> Result<(), ComparisonError> {
    let upload = |bytes: &[u8]| {
        let buffer = context.storage(bytes.len() as u64)?;
        context.queue.write_buffer(&buffer, 0, bytes);
        Ok::<Pooled, DeviceError>(buffer)
    };
    let [lhs, rhs] = [upload(case.lhs())?, upload(case.rhs())?];
    // Marked, so that a word written beside its place is found.
    let marked = |expected: &Vec<u8>| upload(&vec![cases::MARK; expected.len()]);
    let outputs: Vec<Pooled> = case.outputs().map(marked).collect::<Result<_, _>>()?;
    let [lhs, rhs] = [(&lhs, Content::Changing), (&rhs, Content::Fixed)].map(|(buffer, it)| Operand::new(buffer, it));
    let [operands, views] = case.views();
    let scales = Scales::new(context)?;
    let residues: Vec<u8> = (0..SCALED_ROWS).map(cases::scale).collect();
    scales.write(context, &residues)?;
    let gemm = Gemm::cut(
        context,
        configuration,
        &thirds(context, configuration, case),
        case.shape(),
        [operand(&lhs, operands[0]), operand(&rhs, operands[1])],
        epilogue(&outputs, views, &scales),
    )?;
    let never = CancelFlag::new();
    let mut batch = Batch::new(context, &never);
    gemm.record(&mut batch)?;
    let slices: Vec<_> = outputs.iter().map(|output| output.slice(..)).collect();
    let mut different = None;
    batch.read(&slices)?.wait(context, &never, |number, found| {
        different = different.take().or_else(|| case.difference(number, found));
    })?;
    different.map_or(Ok(()), Err)
}

fn operand(operand: &Operand, [offset, stride, batch_stride]: [u32; 3]) -> OperandView<'_> {
    OperandView {
        offset,
        stride,
        batch_stride,
        ..OperandView::dense(operand, 0)
    }
}

/// Sums go to one output, residues to two.
fn epilogue<'a>(outputs: &'a [Pooled], views: [[u32; 3]; 2], scales: &'a Scales) -> Epilogue<'a> {
    let output = |at: usize| {
        let [offset, stride, batch_stride] = views[at];
        OutputView {
            offset,
            stride,
            batch_stride,
            ..OutputView::dense(&outputs[at], 0)
        }
    };
    if outputs.len() == 1 {
        Epilogue::Sums { out: output(0) }
    } else {
        Epilogue::Residues {
            out: output(0),
            next: output(1),
            scales: ScalesView { scales, first_row: 0 },
        }
    }
}

/// Bounds that cut the product into three along its longest dimension, and along others that are as long.
fn thirds(context: &Context, configuration: Configuration, case: &Case) -> Bounds {
    let (shape, [rows, columns]) = (case.shape(), configuration.block());
    let longest = shape.m.div_ceil(rows).max(shape.n.div_ceil(columns)).max(shape.batch);
    Bounds {
        work: context.dispatch_work,
        workgroups: longest.div_ceil(3).min(context.bounds.workgroups),
        ..context.bounds
    }
}

#[cfg(test)]
mod tests;
