//! The package of a transformer: whether it is one, and its tensors.

use super::bytes::read_numbers;
use crate::{Blobs, Fault, MAX_SCAN_BYTES, Output, Reader, Source, Unit, counts::touched};
use agora_jobs::{
    BlobRef, TransformerShape,
    inference::{EXPONENT_ONE, TRANSFORMER_HEADER, Tensor},
};
use alloc::vec::Vec;
use core::ops::Range;

/// Where in the header the pooling is. Everything before it follows from the job.
const POOLING: u64 = 48;
/// Where the activation of the dense layer is.
const DENSE_ACTIVATION: u64 = 49;
/// Where `epsilon` is.
const EPSILON: u64 = 50;
/// The largest number of a pooling.
const LAST_POOLING: u8 = 4;
/// The largest number of an activation of a dense layer.
const LAST_DENSE_ACTIVATION: u8 = 1;
/// The most elements that are held at once while a package is scanned.
const HELD: u64 = 4096;

/// The package of a transformer, as the job says that it is.
pub struct Package<'a> {
    pub model: BlobRef,
    pub shape: &'a TransformerShape,
}

impl Package<'_> {
    /// Units that scan it: the tokeniser is not read.
    pub fn scans(&self) -> u64 {
        self.shape.package_bytes().div_ceil(MAX_SCAN_BYTES)
    }

    /// Unit `unit` of the scan.
    pub fn unit(&self, unit: u64) -> Option<Unit> {
        (unit < self.scans()).then_some(Unit {
            output: Output::Kept { size: 0 },
            work: MAX_SCAN_BYTES,
            chunks: touched(MAX_SCAN_BYTES),
        })
    }

    /// Checks what begins in the `unit`th MiB.
    pub fn scan(&self, blobs: &dyn Blobs, unit: u64) -> Result<Vec<u8>, Fault> {
        let start = unit.saturating_mul(MAX_SCAN_BYTES);
        let mut scan = Scan {
            reader: Reader::new(blobs, Source::Input(self.model)),
            block: start..start.saturating_add(MAX_SCAN_BYTES),
        };
        scan.compare(0, &self.header())?;
        scan.number(POOLING, LAST_POOLING, "the package has a pooling that there is not")?;
        let last = LAST_DENSE_ACTIVATION.min(u8::try_from(self.shape.dense).unwrap_or(u8::MAX));
        let reason = "the package has an activation of the dense layer that there is not";
        scan.number(DENSE_ACTIVATION, last, reason)?;
        let mut at = TRANSFORMER_HEADER;
        for tensor in self.shape.first_tensors() {
            at = scan.tensor(at, &tensor, None)?;
        }
        let tensors = self.shape.layer_tensors();
        for layer in 0..self.shape.layers {
            at = self.shape.layer_offset(layer);
            let end = self.shape.layer_offset(layer.saturating_add(1));
            if end <= scan.block.start {
                at = end;
                continue;
            }
            if at >= scan.block.end {
                return Ok(Vec::new());
            }
            for tensor in &tensors {
                at = scan.tensor(at, tensor, Some(layer))?;
            }
        }
        for tensor in self.shape.last_tensors() {
            at = scan.tensor(at, &tensor, None)?;
        }
        let tokenizer = self.model.size.saturating_sub(self.shape.package_bytes());
        // At most 2²⁶.
        scan.compare(at, &(tokenizer as u32).to_le_bytes())?;
        Ok(Vec::new())
    }

    fn header(&self) -> Vec<u8> {
        let shape = self.shape;
        let mut header = b"AGMP\x01\x00".to_vec();
        header.extend(
            [
                shape.vocabulary,
                shape.positions,
                shape.hidden,
                shape.layers,
                shape.heads,
                shape.key_value_heads,
                shape.head_size,
                shape.intermediate,
                shape.dense,
            ]
            .into_iter()
            .flat_map(u32::to_le_bytes),
        );
        // The one variant of each part of the architecture; what there are several of follows.
        header.extend([0; 6]);
        header
    }

    /// `epsilon`.
    pub fn epsilon(&self, blobs: &dyn Blobs) -> Result<u32, Fault> {
        let mut bytes = [0; 4];
        Reader::new(blobs, Source::Input(self.model)).read(EPSILON, &mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    /// The number of the pooling: at most [`LAST_POOLING`] if the scan has found it so.
    pub fn pooling(&self, blobs: &dyn Blobs) -> Result<u8, Fault> {
        self.number(blobs, POOLING)
    }

    /// The number of the dense layer's activation: at most [`LAST_DENSE_ACTIVATION`] if the scan has found it so.
    pub fn dense_activation(&self, blobs: &dyn Blobs) -> Result<u8, Fault> {
        self.number(blobs, DENSE_ACTIVATION)
    }

    fn number(&self, blobs: &dyn Blobs, at: u64) -> Result<u8, Fault> {
        let mut byte = [0];
        Reader::new(blobs, Source::Input(self.model)).read(at, &mut byte)?;
        let [number] = byte;
        Ok(number)
    }

    /// Elements `range` of the tensor `owner.role`.
    ///
    /// The scan has compared them with their bounds. Here they are held to them once more, so that no sum overflows even if
    /// other bytes are given.
    pub fn elements(
        &self,
        blobs: &dyn Blobs,
        (layer, owner, role): (Option<u32>, &str, &str),
        range: Range<u64>,
    ) -> Result<Vec<i32>, Fault> {
        let (tensor, at) = self.place(layer, owner, role).ok_or(Fault::NoUnit)?;
        let mut reader = Reader::new(blobs, Source::Input(self.model));
        let offset = at.saturating_add(range.start.saturating_mul(tensor.element.size()));
        let count = range.end.saturating_sub(range.start);
        let mut numbers = read_numbers(&mut reader, tensor.element, offset, count)?;
        let (least, most) = tensor.bounds;
        for number in &mut numbers {
            *number = (*number).clamp(least, most);
        }
        Ok(numbers)
    }

    /// A tensor, and where its elements begin.
    fn place(&self, layer: Option<u32>, owner: &str, role: &str) -> Option<(Tensor, u64)> {
        let (tensors, mut at) = match layer {
            None if owner == "dense" => (self.shape.last_tensors(), self.shape.layer_offset(self.shape.layers)),
            None => (self.shape.first_tensors(), TRANSFORMER_HEADER),
            Some(layer) => (self.shape.layer_tensors(), self.shape.layer_offset(layer)),
        };
        for tensor in tensors {
            if tensor.owner == owner && tensor.role == role {
                let elements = tensor.count().saturating_mul(tensor.element.size());
                return Some((tensor, at.saturating_add(tensor.bytes(layer).saturating_sub(elements))));
            }
            at = at.saturating_add(tensor.bytes(layer));
        }
        None
    }
}

/// A part of a package that is scanned.
struct Scan<'a> {
    reader: Reader<'a>,
    block: Range<u64>,
}

impl Scan<'_> {
    /// Compares those bytes of `expected`, which are at `at`, that lie in the block.
    fn compare(&mut self, at: u64, expected: &[u8]) -> Result<(), Fault> {
        let end = at.saturating_add(expected.len() as u64);
        let (from, to) = (at.max(self.block.start), end.min(self.block.end));
        let inner = |offset: u64| usize::try_from(offset.saturating_sub(at)).unwrap_or(usize::MAX);
        let Some(expected) = expected.get(inner(from)..inner(to)) else {
            return Ok(());
        };
        let found = self.reader.read_vec(from, expected.len())?;
        match found.iter().zip(expected).position(|(a, b)| a != b) {
            None => Ok(()),
            Some(place) => Err(Fault::Unusable {
                reason: "the package is not one of the network that the job says",
                at: from.saturating_add(place as u64),
            }),
        }
    }

    /// Compares the number of a variant, at `at`, with the `last` that there is, if it lies in the block.
    fn number(&mut self, at: u64, last: u8, reason: &'static str) -> Result<(), Fault> {
        if !self.block.contains(&at) {
            return Ok(());
        }
        match self.reader.read_vec(at, 1)?.first() {
            Some(&number) if number <= last => Ok(()),
            _ => Err(Fault::Unusable { reason, at }),
        }
    }

    /// Checks the header of a tensor, which begins at `at`, and its elements that begin in the block; returns its end.
    fn tensor(&mut self, at: u64, tensor: &Tensor, layer: Option<u32>) -> Result<u64, Fault> {
        let end = at.saturating_add(tensor.bytes(layer));
        if end <= self.block.start || at >= self.block.end {
            return Ok(end);
        }
        self.compare(at, &tensor.header(layer))?;
        let size = tensor.element.size();
        let elements = end.saturating_sub(tensor.count().saturating_mul(size));
        if tensor.bounds == (i32::MIN, i32::MAX) {
            return Ok(end);
        }
        // Elements of the tensor that begin in the block.
        let number = |offset: u64| {
            let before = offset.saturating_sub(elements);
            before.div_ceil(size.max(1)).min(tensor.count())
        };
        let (mut next, last) = (number(self.block.start), number(self.block.end));
        while next < last {
            let count = last.saturating_sub(next).min(HELD);
            let offset = elements.saturating_add(next.saturating_mul(size));
            self.bounded(offset, count, tensor, next)?;
            next = next.saturating_add(count);
        }
        Ok(end)
    }

    /// Compares `count` elements, which begin at `offset` and are those from number `first` on, with their bounds.
    fn bounded(&mut self, offset: u64, count: u64, tensor: &Tensor, first: u64) -> Result<(), Fault> {
        let numbers = read_numbers(&mut self.reader, tensor.element, offset, count)?;
        let (least, most) = tensor.bounds;
        for (place, number) in (0u64..).zip(numbers) {
            // Else the probabilities of an item could be a division by zero.
            let one = first == 0 && place == 0 && (tensor.owner, tensor.role) == ("table", "exponent");
            if number < least || number > most || (one && number != EXPONENT_ONE) {
                return Err(Fault::Unusable {
                    reason: "an element of a tensor is out of bounds",
                    at: offset.saturating_add(place.saturating_mul(tensor.element.size())),
                });
            }
        }
        Ok(())
    }
}
