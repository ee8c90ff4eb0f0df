//! Operands in the order in which the kernels read them.

use super::{GemmError, Kernel, MAX_DEPTH, MicroKernel};
use bytemuck::{Pod, Zeroable};
use rayon::prelude::*;
use std::array::from_fn;

/// Lines of a depth-major matrix are read so many elements at a time: whole cache lines.
const LANES_PER_TASK: usize = 64;

/// Elements along k that are packed at a time. A multiple of each kernel's group.
const PART_DEPTH: usize = 128;

/// A cache line of packed elements.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
struct Line([u8; 64]);

/// Lanes (rows of the left-hand, columns of the right-hand operand) in panels.
#[derive(Clone)]
pub(super) struct Panels {
    pub(super) kernel: Kernel,
    pub(super) lanes: usize,
    pub(super) depth: usize,
    order: Order,
    lines: Vec<Line>,
}

/// How an operand lies in memory before it is packed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Order {
    /// Lane after lane.
    Lanes,
    /// For each step along k, the elements of all lanes.
    Depths,
}

/// The largest group of a kernel.
const MAX_GROUP: usize = 4;

/// `depth` with the padding of panels: the micro-kernels go along k in steps of four elements. The padding of the
/// left-hand operand is zero.
pub(super) const fn padded_depth(depth: usize) -> usize {
    depth.next_multiple_of(4)
}

impl Panels {
    /// No panels yet.
    fn new(kernel: Kernel, lanes: usize, depth: usize, order: Order) -> Self {
        let lines = Vec::new();
        Self {
            kernel,
            lanes,
            depth,
            order,
            lines,
        }
    }

    /// All panels, one after the other.
    pub(super) fn elements<E: Pod>(&self) -> &[E] {
        bytemuck::cast_slice(&self.lines)
    }

    /// Packs `source` for `micro`, with `width` lanes in a panel. `convert(at)` converts the elements at `at` along k.
    fn fill<K: MicroKernel, C: Fn(i8) -> K::Element>(
        &mut self,
        micro: K,
        source: &[i8],
        width: usize,
        convert: impl Fn(usize) -> C + Copy + Send + Sync,
    ) -> Result<(), GemmError> {
        let Self {
            lanes, depth, order, ..
        } = *self;
        let (rows, columns) = match order {
            Order::Lanes => (lanes, depth),
            Order::Depths => (depth, lanes),
        };
        let elements = rows.checked_mul(columns).filter(|&elements| elements > 0);
        if elements != Some(source.len()) {
            let found = source.len();
            return Err(GemmError::Shape { rows, columns, found });
        }
        if depth > MAX_DEPTH {
            return Err(GemmError::TooDeep(depth));
        }
        // A few times the source and a panel at most. Filled again, padding still holds zeros.
        let panel = padded_depth(depth) * width;
        let size = lanes.div_ceil(width) * panel;
        let bytes = size * size_of::<K::Element>();
        self.lines.resize(bytes.div_ceil(size_of::<Line>()), Line::zeroed());
        let packed = &mut bytemuck::cast_slice_mut::<_, K::Element>(&mut self.lines)[..size];
        let panels_per_task = (LANES_PER_TASK / width).max(1);
        let tasks = packed.par_chunks_mut(panels_per_task * panel).enumerate();
        tasks.for_each(|(task, panels)| {
            let first = task * panels_per_task * width;
            micro.vectorise(
                #[inline(always)]
                || match order {
                    Order::Lanes => pack_lanes::<K, C>(&source[first * depth..], (depth, width), panels, convert),
                    Order::Depths => pack_depths::<K, C>(source, (lanes, first, width), panels, panel, convert),
                },
            );
        });
        Ok(())
    }
}

/// Fills `panels` from `source`, in which each lane is `depth` elements.
#[inline(always)]
fn pack_lanes<K: MicroKernel, C: Fn(i8) -> K::Element>(
    source: &[i8],
    (depth, width): (usize, usize),
    panels: &mut [K::Element],
    convert: impl Fn(usize) -> C + Copy,
) {
    let panel = padded_depth(depth) * width;
    for (panel, lanes) in panels.chunks_exact_mut(panel).zip(source.chunks(width * depth)) {
        // Part by part along k, so that what is written stays in the first-level cache until it is whole.
        for (part, from) in panel.chunks_mut(PART_DEPTH * width).zip((0..depth).step_by(PART_DEPTH)) {
            for (lane, values) in lanes.chunks_exact(depth).enumerate() {
                let values = &values[from..depth.min(from + PART_DEPTH)];
                let mut groups = part.chunks_exact_mut(K::GROUP * width);
                let whole = values.chunks_exact(K::GROUP);
                let rest = whole.remainder();
                // Indices, because the length of a group is known to the compiler.
                for ((values, group), at) in whole.zip(&mut groups).zip((from..).step_by(K::GROUP)) {
                    let packed = &mut group[lane * K::GROUP..][..K::GROUP];
                    for i in 0..K::GROUP {
                        packed[i] = convert(at + i)(values[i]);
                    }
                }
                if let Some(group) = groups.next() {
                    let at = from + values.len() - rest.len();
                    for ((packed, &value), at) in group[lane * K::GROUP..].iter_mut().zip(rest).zip(at..) {
                        *packed = convert(at)(value);
                    }
                }
            }
        }
    }
}

/// Fills `panels`, each of `panel` elements, from lane `first` on, from `source`, in which each line is `lanes`
/// elements.
#[inline(always)]
fn pack_depths<K: MicroKernel, C: Fn(i8) -> K::Element>(
    source: &[i8],
    (lanes, first, width): (usize, usize, usize),
    panels: &mut [K::Element],
    panel: usize,
    convert: impl Fn(usize) -> C + Copy,
) {
    for (group, lines) in source.chunks(K::GROUP * lanes).enumerate() {
        let last = lines.len() / lanes - 1;
        let converts: [C; MAX_GROUP] = from_fn(|step| convert(group * K::GROUP + step.min(last)));
        for (panel, first) in panels.chunks_exact_mut(panel).zip((first..lanes).step_by(width)) {
            let packed = &mut panel[group * K::GROUP * width..][..K::GROUP * width];
            let count = width.min(lanes - first);
            if count == width && lines.len() == K::GROUP * lanes {
                // Lengths that the compiler knows, so that the lines are interleaved in registers.
                let lines: [&[i8]; MAX_GROUP] =
                    from_fn(|step| &lines[step.min(K::GROUP - 1) * lanes + first..][..width]);
                for lane in 0..width {
                    for step in 0..K::GROUP {
                        packed[lane * K::GROUP + step] = converts[step](lines[step][lane]);
                    }
                }
                continue;
            }
            for ((step, line), convert) in lines.chunks_exact(lanes).enumerate().zip(&converts) {
                let values = &line[first..first + count];
                for (packed, &value) in packed.chunks_exact_mut(K::GROUP).zip(values) {
                    packed[step] = convert(value);
                }
            }
        }
    }
}

/// The left-hand operand of a product: m×k signed bytes, packed.
#[derive(Clone)]
pub struct PackedLhs {
    pub(super) panels: Panels,
    /// What the sums of each row begin with.
    pub(super) starts: Vec<i32>,
}

impl PackedLhs {
    /// Packs a matrix of `rows` × `depth`, row by row.
    ///
    /// Errors: `Shape`, `TooDeep`. Complexity: O(m·k), on all cores.
    pub fn new(matrix: &[i8], rows: usize, depth: usize) -> Result<Self, GemmError> {
        Self::for_kernel(Kernel::best(), matrix, rows, depth)
    }

    /// As [`Self::new`], for `kernel`.
    pub fn for_kernel(kernel: Kernel, matrix: &[i8], rows: usize, depth: usize) -> Result<Self, GemmError> {
        let mut packed = Self {
            panels: Panels::new(kernel, rows, depth, Order::Lanes),
            starts: Vec::new(),
        };
        packed.replace(matrix)?;
        Ok(packed)
    }

    /// Packs another matrix of the same size, in the same memory.
    ///
    /// Errors: `Shape`: nothing is replaced. Complexity: as [`Self::new`].
    pub fn replace(&mut self, matrix: &[i8]) -> Result<(), GemmError> {
        let Self { panels, starts } = self;
        with_micro_kernel!(panels.kernel, micro => pack_lhs(micro, panels, starts, matrix))
    }

    /// Rows of the operand.
    pub fn rows(&self) -> usize {
        self.panels.lanes
    }
}

fn pack_lhs<K: MicroKernel>(
    micro: K,
    panels: &mut Panels,
    starts: &mut Vec<i32>,
    matrix: &[i8],
) -> Result<(), GemmError> {
    panels.fill(micro, matrix, K::ROWS, |_| K::lhs)?;
    matrix
        .par_chunks_exact(panels.depth)
        .map(K::start)
        .collect_into_vec(starts);
    Ok(())
}

/// The right-hand operand of a product: k×n signed bytes, packed. A model's weights are packed once and multiplied by
/// often.
#[derive(Clone)]
pub struct PackedRhs {
    pub(super) panels: Panels,
}

impl PackedRhs {
    /// Packs a matrix of `depth` × `columns`, row by row.
    ///
    /// Errors: `Shape`, `TooDeep`. Complexity: O(k·n), on all cores.
    pub fn new(matrix: &[i8], depth: usize, columns: usize) -> Result<Self, GemmError> {
        Self::for_kernel(Kernel::best(), matrix, depth, columns)
    }

    /// As [`Self::new`], for `kernel`.
    pub fn for_kernel(kernel: Kernel, matrix: &[i8], depth: usize, columns: usize) -> Result<Self, GemmError> {
        Self::pack(Panels::new(kernel, columns, depth, Order::Depths), matrix)
    }

    /// Packs the transpose of a matrix of `columns` × `depth`, row by row: weights as they are usually kept, one row
    /// for each output.
    ///
    /// Errors: `Shape`, `TooDeep`. Complexity: O(k·n), on all cores.
    pub fn transposed(matrix: &[i8], columns: usize, depth: usize) -> Result<Self, GemmError> {
        Self::transposed_for_kernel(Kernel::best(), matrix, columns, depth)
    }

    /// As [`Self::transposed`], for `kernel`.
    pub fn transposed_for_kernel(
        kernel: Kernel,
        matrix: &[i8],
        columns: usize,
        depth: usize,
    ) -> Result<Self, GemmError> {
        Self::pack(Panels::new(kernel, columns, depth, Order::Lanes), matrix)
    }

    fn pack(panels: Panels, matrix: &[i8]) -> Result<Self, GemmError> {
        let mut packed = Self { panels };
        packed.replace(matrix)?;
        Ok(packed)
    }

    /// Packs another matrix of the same size and order, in the same memory.
    ///
    /// Errors: `Shape`: nothing is replaced. Complexity: as [`Self::new`].
    pub fn replace(&mut self, matrix: &[i8]) -> Result<(), GemmError> {
        self.replace_mapped(matrix, |_| |element| element)
    }

    /// As [`Self::replace`]; the elements at `at` along k are those that `map(at)` gives, so that they need not be
    /// written before. Plain arithmetic in it is vectorised.
    ///
    /// Errors: `Shape`: nothing is replaced. Complexity: as [`Self::new`].
    pub fn replace_mapped<M: Fn(i8) -> i8>(
        &mut self,
        matrix: &[i8],
        map: impl Fn(usize) -> M + Copy + Send + Sync,
    ) -> Result<(), GemmError> {
        with_micro_kernel!(self.panels.kernel, micro => pack_rhs(micro, &mut self.panels, matrix, map))
    }

    /// Columns of the operand.
    pub fn columns(&self) -> usize {
        self.panels.lanes
    }
}

fn pack_rhs<K: MicroKernel, M: Fn(i8) -> i8>(
    micro: K,
    panels: &mut Panels,
    matrix: &[i8],
    map: impl Fn(usize) -> M + Copy + Send + Sync,
) -> Result<(), GemmError> {
    panels.fill(micro, matrix, K::COLUMNS, |at| {
        let map = map(at);
        move |element| K::rhs(map(element))
    })
}
