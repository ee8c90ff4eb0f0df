//! Exact products of integer matrices on the processor: signed bytes times signed bytes, summed in `i32`.
//!
//! An m×k matrix times a k×n matrix. Both operands are packed first ([`PackedLhs`], [`PackedRhs`]) into panels in the
//! order in which they are read; what is used again (the weights of a model, the matrix of a chain) is packed once.
//! [`product`] gives each row segment of sums, while it is in the cache, to the caller, who rescales or reduces it:
//! the `i32` matrix itself is never written.
//!
//! No sum wraps: k is at most [`MAX_DEPTH`]. Every [`Kernel`] gives the same bits.

/// Evaluates `body` with `micro` as the kernel's own [`MicroKernel`].
macro_rules! with_micro_kernel {
    ($kernel:expr, $micro:ident => $body:expr) => {
        match $kernel.0 {
            $crate::kernels::cpu::Instructions::Portable($micro) => $body,
            #[cfg(target_arch = "x86_64")]
            $crate::kernels::cpu::Instructions::Avx2($micro) => $body,
            #[cfg(target_arch = "x86_64")]
            $crate::kernels::cpu::Instructions::Avx512($micro) => $body,
            #[cfg(all(test, target_arch = "x86_64"))]
            $crate::kernels::cpu::Instructions::Emulated($micro) => $body,
        }
    };
}

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod block;
mod pack;
mod portable;
#[cfg(test)]
mod tests;

pub use block::{Segment, product};
pub use pack::{PackedLhs, PackedRhs};

use agora_math::freivalds::{Entry, LIMBS};

/// The largest k: `MAX_DEPTH · 128²` fits an `i32`.
pub const MAX_DEPTH: usize = 131_071;

/// Why a product was not computed.
#[derive(thiserror::Error, Clone, Copy, PartialEq, Eq, Debug)]
pub enum GemmError {
    /// A size is zero, or a slice has another number of elements than its rows and columns say.
    #[error("{found} elements are not a matrix of {rows} × {columns} (neither may be zero)")]
    Shape {
        /// Rows of the matrix.
        rows: usize,
        /// Columns of the matrix.
        columns: usize,
        /// Elements that were given.
        found: usize,
    },
    /// k is so large that a sum could wrap.
    #[error("rows of {0} elements could overflow a sum; at most {MAX_DEPTH} are possible: split the rows")]
    TooDeep(usize),
    /// The columns of the left-hand operand are not as many as the rows of the right-hand one.
    #[error("a matrix of {lhs} columns cannot be multiplied by one of {rhs} rows")]
    Depths {
        /// Columns of the left-hand operand.
        lhs: usize,
        /// Rows of the right-hand operand.
        rhs: usize,
    },
    /// The operands were packed for different kernels.
    #[error("the operands are packed for different kernels: {lhs} and {rhs}")]
    Kernels {
        /// The left-hand operand's.
        lhs: &'static str,
        /// The right-hand operand's.
        rhs: &'static str,
    },
    /// The [`crate::CancelFlag`] was set.
    #[error("cancelled")]
    Cancelled,
}

/// The instructions that products are computed with. A value exists only where the processor has them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kernel(Instructions);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Instructions {
    Portable(portable::Portable),
    #[cfg(target_arch = "x86_64")]
    Avx2(avx2::Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(avx512::Avx512),
    #[cfg(all(test, target_arch = "x86_64"))]
    Emulated(avx512::Emulated),
}

impl Kernel {
    /// All kernels that this processor supports, the fastest last.
    pub fn available() -> impl Iterator<Item = Self> {
        let all = [
            Some(Instructions::Portable(portable::Portable)),
            #[cfg(target_arch = "x86_64")]
            avx2::Avx2::detect().map(Instructions::Avx2),
            #[cfg(target_arch = "x86_64")]
            avx512::Avx512::detect().map(Instructions::Avx512),
        ];
        all.into_iter().flatten().map(Self)
    }

    /// The fastest kernel that this processor supports.
    pub fn best() -> Self {
        Self::available()
            .last()
            .unwrap_or(Self(Instructions::Portable(portable::Portable)))
    }

    /// Its name, for people.
    pub const fn name(self) -> &'static str {
        match self.0 {
            Instructions::Portable(_) => "portable",
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2(_) => "AVX2",
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512(_) => "AVX-512 VNNI",
            #[cfg(all(test, target_arch = "x86_64"))]
            Instructions::Emulated(_) => "AVX-512 VNNI, emulated",
        }
    }

    /// As [`Entry::limb_products`], which says what it is.
    #[inline(always)]
    pub(crate) fn limb_products(self, row: &[i8], limbs: [&[i16]; LIMBS]) -> [i64; LIMBS] {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2(avx2) => avx2.limb_products(row, limbs),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512(avx512) => avx512.avx2().limb_products(row, limbs),
            _ => i8::limb_products(row, limbs),
        }
    }

    /// Calls `work` compiled for these instructions: loops in it that are inlined are vectorised for them.
    ///
    /// What `work` calls should be `#[inline(always)]`.
    #[inline(always)]
    pub fn vectorise<R>(self, work: impl FnOnce() -> R) -> R {
        with_micro_kernel!(self, micro => micro.vectorise(work))
    }
}

/// The innermost part of a product: a tile of `ROWS` × `COLUMNS` sums that are kept in registers.
///
/// Panels hold, for each group of `GROUP` neighbours along k, the groups of all rows (or columns) of the tile, one
/// after the other.
trait MicroKernel: Copy + Send + Sync {
    /// What packed operands are made of.
    type Element: bytemuck::Pod + Send + Sync;
    /// Rows of a tile.
    const ROWS: usize;
    /// Columns of a tile.
    const COLUMNS: usize;
    /// Neighbours along k that one instruction multiplies and adds.
    const GROUP: usize;

    /// An element of the left-hand operand, packed.
    fn lhs(value: i8) -> Self::Element;

    /// An element of the right-hand operand, packed.
    fn rhs(value: i8) -> Self::Element;

    /// What the sums of a row of the left-hand operand begin with, to make up for how elements are packed.
    fn start(row: &[i8]) -> i32;

    /// Adds the product of a panel of the left-hand and one of the right-hand operand to the first `rows` rows of the
    /// tile at the beginning of `sums`, whose rows are `stride` apart. May add to further rows of the tile.
    fn accumulate(self, lhs: &[Self::Element], rhs: &[Self::Element], rows: usize, sums: &mut [i32], stride: usize);

    /// Calls `work` compiled for the tile's instructions.
    fn vectorise<R>(self, work: impl FnOnce() -> R) -> R;
}
