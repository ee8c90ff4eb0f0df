//! The configurations of the product: how the work is divided. Every one gives the same bits.

use crate::device::DeviceLimits;

/// How a product is divided: the tile of elements per invocation, invocations per workgroup, and where operands are
/// read from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Configuration {
    pub(super) name: &'static str,
    pub(super) rows: u32,
    pub(super) columns: u32,
    pub(super) workgroup: [u32; 2],
    pub(super) memory: Memory,
}

/// Where an invocation reads the operands from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Memory {
    /// From the buffers.
    Direct,
    /// From textures, to which the buffers are copied.
    Texels,
    /// From shared memory, to which its workgroup copies blocks of so many vectors along k.
    Shared { depth: u32 },
    /// From the buffers; a workgroup's invocations share the sums of one tile.
    Split,
}

impl Configuration {
    /// Few registers, no shared memory: many invocations at a time.
    pub const SMALL: Self = Self::new("small", [4, 4], [16, 16], Memory::Direct);
    /// Blocks of 64 × 64 through shared memory.
    pub const SMALL_SHARED: Self = Self::new("small-shared", [4, 4], [16, 16], Memory::Shared { depth: 4 });
    /// Blocks of 64 × 64 with half the invocations, each with twice the registers.
    pub const TALL_SHARED: Self = Self::new("tall-shared", [8, 4], [16, 8], Memory::Shared { depth: 4 });
    /// Blocks of 128 × 128 through shared memory: the most reuse.
    pub const LARGE_SHARED: Self = Self::new("large-shared", [8, 8], [16, 16], Memory::Shared { depth: 2 });
    /// Through textures: best on software adapters.
    pub const TEXELS: Self = Self::new("texels", [4, 4], [8, 4], Memory::Texels);
    /// For few rows: 64 invocations share each sum.
    pub const SPLIT: Self = Self::new("split", [1, 4], [64, 1], Memory::Split);

    /// All configurations.
    pub const ALL: [Self; 6] = [
        Self::SMALL,
        Self::SMALL_SHARED,
        Self::TALL_SHARED,
        Self::LARGE_SHARED,
        Self::TEXELS,
        Self::SPLIT,
    ];

    const fn new(name: &'static str, [rows, columns]: [u32; 2], workgroup: [u32; 2], memory: Memory) -> Self {
        Self {
            name,
            rows,
            columns,
            workgroup,
            memory,
        }
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// The configuration called `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|configuration| configuration.name == name)
    }

    /// Rows and columns that a workgroup computes.
    pub(crate) const fn block(self) -> [u32; 2] {
        let [x, y] = self.workgroup;
        match self.memory {
            Memory::Split => [self.rows, self.columns],
            _ => [self.rows * y, self.columns * x],
        }
    }

    /// Whether a device with `limits` can run it.
    pub const fn fits(self, limits: &DeviceLimits) -> bool {
        let [x, y] = self.workgroup;
        x * y <= limits.max_workgroup_invocations && self.shared_bytes() <= limits.max_shared_bytes
    }

    /// Whether it suits every product: operands of any size, and every epilogue.
    pub(super) const fn is_universal(self) -> bool {
        !matches!(self.memory, Memory::Texels | Memory::Split)
    }

    /// Bytes of shared memory that a workgroup uses.
    pub(super) const fn shared_bytes(self) -> u32 {
        let [x, y] = self.workgroup;
        match self.memory {
            Memory::Direct | Memory::Texels => 0,
            Memory::Shared { depth } => 16 * depth * (y * self.rows + x * self.columns),
            Memory::Split => 4 * x * self.rows * self.columns,
        }
    }

    /// Whether it reads its operands from textures.
    pub(super) const fn reads_texels(self) -> bool {
        matches!(self.memory, Memory::Texels)
    }
}
