//! A scene as bytes: its header, and where its tables are.

use crate::{Fault, Reader, counts::sum};
use core::ops::Range;

/// Bytes before the first table.
pub const HEADER_BYTES: u64 = 96;
/// The most bytes of an entry of any table.
pub const MAX_ENTRY: usize = 40;

const MAGIC: u32 = u32::from_le_bytes(*b"AGSC");
const VERSION: u32 = 2;
const MAX_SKY: u32 = 1 << 22;
const MAX_EXPOSURE: u32 = 1 << 22;
const MAX_CLAMP: u32 = (1 << 20) - 1;

/// A table of a scene.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Table {
    Materials,
    Nodes,
    Spheres,
    Planes,
    Vertices,
    Normals,
    Triangles,
    Keyframes,
}

impl Table {
    /// In the order of the scene.
    pub const ALL: [Self; 8] = [
        Self::Materials,
        Self::Nodes,
        Self::Spheres,
        Self::Planes,
        Self::Vertices,
        Self::Normals,
        Self::Triangles,
        Self::Keyframes,
    ];

    /// Bytes of an entry.
    pub const fn entry(self) -> u64 {
        match self {
            Self::Materials | Self::Nodes => 32,
            Self::Spheres => 20,
            Self::Planes | Self::Triangles => 28,
            Self::Vertices => 12,
            Self::Normals => 6,
            Self::Keyframes => 40,
        }
    }

    /// The most entries.
    pub const fn most(self) -> u64 {
        match self {
            Self::Materials | Self::Spheres => 1024,
            Self::Nodes => (1 << 21) + (1 << 11),
            Self::Planes => 16,
            Self::Vertices | Self::Normals | Self::Triangles => 1 << 20,
            Self::Keyframes => 4096,
        }
    }

    /// The fewest entries.
    const fn least(self) -> u64 {
        match self {
            Self::Materials | Self::Keyframes => 1,
            _ => 0,
        }
    }
}

/// Reads numbers one after the other; beyond the end there are zeros.
pub struct Numbers<'a>(pub &'a [u8]);

impl Numbers<'_> {
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        match self.0.split_first_chunk() {
            Some((bytes, rest)) => {
                self.0 = rest;
                *bytes
            }
            None => [0; N],
        }
    }

    pub fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.bytes())
    }

    pub fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.bytes())
    }

    pub fn i32(&mut self) -> i32 {
        i32::from_le_bytes(self.bytes())
    }

    /// Three of what `read` reads.
    pub fn three<T>(&mut self, read: impl Fn(&mut Self) -> T) -> [T; 3] {
        [read(self), read(self), read(self)]
    }
}

/// What a scene begins with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Header {
    counts: [u64; 8],
    /// Radiance at the zenith, at the horizon, straight below.
    pub sky: [[u32; 3]; 3],
    pub exposure: u32,
    pub clamp: u32,
}

impl Header {
    /// The header of a scene of `size` bytes.
    ///
    /// Errors: `Unusable`, `Missing`.
    pub fn read(scene: &mut Reader<'_>, size: u64) -> Result<Self, Fault> {
        let unusable = |reason, at| Err(Fault::Unusable { reason, at });
        if size < HEADER_BYTES {
            return unusable("a scene is longer", 0);
        }
        let mut bytes = [0; HEADER_BYTES as usize];
        scene.read(0, &mut bytes)?;
        let mut numbers = Numbers(&bytes);
        if numbers.u32() != MAGIC || numbers.u32() != VERSION {
            return unusable("it is no scene of version 2", 0);
        }
        let header = Self {
            counts: [(); 8].map(|()| numbers.u32().into()),
            sky: numbers.three(|numbers| numbers.three(Numbers::u32)),
            exposure: numbers.u32(),
            clamp: numbers.u32(),
        };
        let is_possible = |table: Table| (table.least()..=table.most()).contains(&header.count(table));
        if !Table::ALL.into_iter().all(is_possible) {
            return unusable("a table has too many entries, or too few", 8);
        }
        if header.table(Table::Keyframes).end != size {
            return unusable("it is longer or shorter than its counts demand", 8);
        }
        if header.count(Table::Nodes) == 0 && header.shapes() > 0 {
            return unusable("there are triangles or spheres, and no nodes", 12);
        }
        if header.sky.iter().flatten().any(|&light| light > MAX_SKY) {
            return unusable("the sky is too bright", 40);
        }
        if !(1..=MAX_EXPOSURE).contains(&header.exposure) {
            return unusable("the exposure is out of range", 76);
        }
        if !(1..=MAX_CLAMP).contains(&header.clamp) {
            return unusable("the most radiance of a path is out of range", 80);
        }
        if numbers.bytes() != [0; 12] {
            return unusable("the header does not end with zeros", 84);
        }
        Ok(header)
    }

    /// The header of a scene with nothing in it. An unusable one counts as this, for those who do not judge inputs.
    pub const fn empty() -> Self {
        Self {
            counts: [0; 8],
            sky: [[0; 3]; 3],
            exposure: 1,
            clamp: 1,
        }
    }

    pub fn count(&self, table: Table) -> u64 {
        self.counts.get(table as usize).copied().unwrap_or_default()
    }

    /// How many triangles and spheres there are.
    pub fn shapes(&self) -> u64 {
        sum([self.count(Table::Triangles), self.count(Table::Spheres)])
    }

    /// The bytes of a table.
    fn table(&self, table: Table) -> Range<u64> {
        let mut end = HEADER_BYTES;
        for other in Table::ALL {
            let start = end;
            end = self.count(other).saturating_mul(other.entry()).saturating_add(start);
            if other == table {
                return start..end;
            }
        }
        end..end
    }

    /// Where entry `index` of a table is.
    pub fn place(&self, table: Table, index: u64) -> u64 {
        sum([self.table(table).start, index.saturating_mul(table.entry())])
    }

    /// The entries of a table that begin within `block`.
    pub fn beginning_in(&self, table: Table, block: &Range<u64>) -> Range<u64> {
        let start = self.table(table).start;
        let before = |at: u64| {
            let entries = at.saturating_sub(start).div_ceil(table.entry().max(1));
            entries.min(self.count(table))
        };
        before(block.start)..before(block.end)
    }
}
