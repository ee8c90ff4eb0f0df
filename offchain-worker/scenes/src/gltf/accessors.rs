//! Elements of accessors: numbers in buffers.

use super::{
    buffers::Source,
    document::{Accessor, Sparse},
    named, part,
};
use crate::error::{MeshError, PartError, at_most};

/// The most elements of an accessor that are elsewhere; their places are kept.
const MAX_SPARSE: u64 = 1 << 22;

/// The kind of number of which elements are made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Component {
    I8,
    U8,
    I16,
    U16,
    U32,
    F32,
}

impl Component {
    const fn new(code: u32) -> Option<Self> {
        Some(match code {
            5120 => Self::I8,
            5121 => Self::U8,
            5122 => Self::I16,
            5123 => Self::U16,
            5125 => Self::U32,
            5126 => Self::F32,
            _ => return None,
        })
    }

    const fn size(self) -> usize {
        match self {
            Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::U32 | Self::F32 => 4,
        }
    }

    /// The number that begins at `at`, which is within `bytes`.
    fn read(self, bytes: &[u8], at: usize, normalised: bool) -> f64 {
        let byte = |i: usize| bytes[at + i];
        let (number, most) = match self {
            Self::I8 => (f64::from(byte(0).cast_signed()), 127.0),
            Self::U8 => (f64::from(byte(0)), 255.0),
            Self::I16 => (f64::from(i16::from_le_bytes([byte(0), byte(1)])), 32767.0),
            Self::U16 => (f64::from(u16::from_le_bytes([byte(0), byte(1)])), 65535.0),
            Self::U32 => (f64::from(u32::from_le_bytes([0, 1, 2, 3].map(byte))), 4_294_967_295.0),
            Self::F32 => return f64::from(f32::from_le_bytes([0, 1, 2, 3].map(byte))),
        };
        if normalised { (number / most).max(-1.0) } else { number }
    }
}

/// The elements of an accessor with `N` numbers each; their bounds are checked.
pub(super) struct Elements<'a, const N: usize> {
    at: String,
    component: Component,
    normalised: bool,
    count: u64,
    /// None: all zeros.
    data: Option<(&'a [u8], usize)>,
    /// Elements that are elsewhere, in ascending order.
    sparse: Vec<u64>,
    values: &'a [u8],
}

impl<'a, const N: usize> Elements<'a, N> {
    /// The elements of the accessor that `index` names in the part at `at`. They have to be of a kind that `allowed` has;
    /// `wanted` says which.
    pub(super) fn new(
        source: &'a Source<'_>,
        (index, at): (u32, &str),
        allowed: &[Component],
        wanted: &'static str,
    ) -> Result<Self, MeshError> {
        let accessor = named(&source.document.accessors, "accessors", index, at)?;
        let at = format!("accessors[{index}]");
        let component = Component::new(accessor.component_type);
        let component = component.filter(|component| allowed.contains(component) && width(&accessor.shape) == N);
        let component = component.ok_or_else(|| part(at.clone(), PartError::Unfit(wanted)))?;
        let mut elements = Self {
            component,
            normalised: accessor.normalized,
            count: accessor.count,
            data: None,
            sparse: Vec::new(),
            values: &[],
            at,
        };
        elements.find_data(source, accessor)?;
        if let Some(sparse) = &accessor.sparse {
            elements.find_sparse(source, sparse)?;
        }
        Ok(elements)
    }

    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    pub(super) const fn component(&self) -> Component {
        self.component
    }

    pub(super) const fn is_normalised(&self) -> bool {
        self.normalised
    }

    const fn size(&self) -> usize {
        N * self.component.size()
    }

    fn find_data(&mut self, source: &'a Source<'_>, accessor: &Accessor) -> Result<(), MeshError> {
        let Some(view) = accessor.buffer_view else {
            return Ok(());
        };
        let (bytes, stride) = source.view(view, &self.at)?;
        let size = self.size();
        // Zero is written for elements that are next to each other.
        let stride = stride.filter(|stride| *stride != 0).unwrap_or(size as u64);
        if stride < size as u64 {
            let overlap = PartError::Unfit("its byteStride is less than an element, so elements overlap");
            return Err(part(format!("bufferViews[{view}]"), overlap));
        }
        // The last element may end before its stride does.
        let others = self.count.saturating_sub(1).saturating_mul(stride);
        let last = if self.count == 0 { 0 } else { size as u64 };
        let needed = accessor.byte_offset.saturating_add(others).saturating_add(last);
        self.check_length(needed, bytes)?;
        let start = usize::try_from(accessor.byte_offset).ok();
        let rest = start.and_then(|start| bytes.get(start..)).unwrap_or_default();
        // A stride that matters is within the data.
        self.data = Some((rest, usize::try_from(stride).unwrap_or(size)));
        Ok(())
    }

    fn check_length(&self, needed: u64, bytes: &[u8]) -> Result<(), MeshError> {
        let found = bytes.len() as u64;
        if needed > found {
            let what = "its elements";
            return Err(part(self.at.clone(), PartError::CutOff { what, needed, found }));
        }
        Ok(())
    }

    fn find_sparse(&mut self, source: &'a Source<'_>, sparse: &Sparse) -> Result<(), MeshError> {
        at_most("sparse elements", sparse.count, MAX_SPARSE)?;
        source.spend(sparse.count)?;
        let unfit = |reason| part(format!("{}.sparse", self.at), PartError::Unfit(reason));
        let kind = Component::new(sparse.indices.component_type);
        let kind = kind.filter(|kind| matches!(kind, Component::U8 | Component::U16 | Component::U32));
        let kind = kind.ok_or_else(|| unfit("its indices are no unsigned numbers"))?;
        let (bytes, _) = source.view(sparse.indices.buffer_view, &self.at)?;
        let size = kind.size();
        let all = |each: usize| sparse.count.saturating_mul(each as u64);
        self.check_length(sparse.indices.byte_offset.saturating_add(all(size)), bytes)?;
        let start = usize::try_from(sparse.indices.byte_offset).unwrap_or(usize::MAX);
        let bytes = bytes.get(start..).unwrap_or_default();
        let indices: Vec<_> = (0..sparse.count as usize)
            .map(|i| kind.read(bytes, i * size, false) as u64)
            .collect();
        if !indices.is_sorted_by(|one, next| one < next) || indices.last().is_some_and(|&last| last >= self.count) {
            return Err(unfit("its indices do not ascend, or are beyond the elements"));
        }
        let (values, _) = source.view(sparse.values.buffer_view, &self.at)?;
        self.check_length(sparse.values.byte_offset.saturating_add(all(self.size())), values)?;
        let start = usize::try_from(sparse.values.byte_offset).unwrap_or(usize::MAX);
        self.values = values.get(start..).unwrap_or_default();
        self.sparse = indices;
        Ok(())
    }

    /// Element `index`; zeros if it does not exist.
    ///
    /// Errors: `Part` if a number of it is not finite.
    pub(super) fn get(&self, index: u64) -> Result<[f64; N], MeshError> {
        let numbers = self.numbers(index);
        if numbers.iter().all(|number| number.is_finite()) {
            Ok(numbers)
        } else {
            Err(part(self.at.clone(), PartError::NotFinite(index)))
        }
    }

    /// Element `index` as a direction, which is zero if a number of it is not finite.
    pub(super) fn direction(&self, index: u64) -> [f64; N] {
        let numbers = self.numbers(index);
        if numbers.iter().all(|number| number.is_finite()) {
            numbers
        } else {
            [0.0; N]
        }
    }

    fn numbers(&self, index: u64) -> [f64; N] {
        let size = self.component.size();
        let read = |bytes: &[u8], start: usize| {
            let mut numbers = [0.0; N];
            for (i, number) in numbers.iter_mut().enumerate() {
                *number = self.component.read(bytes, start + i * size, self.normalised);
            }
            numbers
        };
        if index >= self.count {
            return [0.0; N];
        }
        match (self.sparse.binary_search(&index), self.data) {
            (Ok(place), _) => read(self.values, place * self.size()),
            (Err(_), Some((bytes, stride))) => read(bytes, index as usize * stride),
            (Err(_), None) => [0.0; N],
        }
    }
}

/// How many numbers an element has.
fn width(shape: &str) -> usize {
    match shape {
        "SCALAR" => 1,
        "VEC2" => 2,
        "VEC3" => 3,
        "VEC4" | "MAT2" => 4,
        "MAT3" => 9,
        "MAT4" => 16,
        _ => 0,
    }
}
