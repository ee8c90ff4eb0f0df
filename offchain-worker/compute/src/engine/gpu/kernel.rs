//! The shaders: filled in for a tile size. Every tile gives the same bits.

use super::adapters::DeviceLimits;
use std::fmt::Write;

const COMMON: &str = include_str!("common.wgsl");
const DIRECT: &str = include_str!("direct.wgsl");
const SHARED: &str = include_str!("shared.wgsl");

/// Rows and columns are padded to a multiple of this; every tile divides it.
pub(super) const PADDING: u32 = 16;
/// The shaders' entry point.
pub(super) const ENTRY_POINT: &str = "product";
/// Vectors of 16 elements along the dimension that is summed over, of a block in shared memory.
const DEPTH: u32 = 4;

/// How the work is divided: elements per invocation, invocations per workgroup, and where factors are read from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tile {
    rows: u32,
    columns: u32,
    workgroup: [u32; 2],
    memory: Memory,
}

/// Where an invocation reads the factors from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Memory {
    /// From the buffers.
    Direct,
    /// From shared memory, to which its workgroup copies them block by block.
    Shared,
}

impl Tile {
    /// Few registers: many invocations at a time.
    pub const SMALL: Self = Self::new(4, 4, [16, 16], Memory::Direct);
    /// As [`Self::SMALL`], through shared memory.
    pub const SMALL_SHARED: Self = Self::new(4, 4, [16, 16], Memory::Shared);
    /// Many registers: more reuse. Best on software adapters, where loads cost most.
    pub const LARGE: Self = Self::new(8, 8, [8, 8], Memory::Direct);
    /// As [`Self::LARGE`], through shared memory.
    pub const LARGE_SHARED: Self = Self::new(8, 8, [8, 8], Memory::Shared);
    /// Between the two, through shared memory.
    pub const TALL_SHARED: Self = Self::new(8, 4, [8, 16], Memory::Shared);

    /// All tiles that are offered.
    pub const ALL: [Self; 5] = [
        Self::SMALL,
        Self::SMALL_SHARED,
        Self::LARGE,
        Self::LARGE_SHARED,
        Self::TALL_SHARED,
    ];

    const fn new(rows: u32, columns: u32, workgroup: [u32; 2], memory: Memory) -> Self {
        Self {
            rows,
            columns,
            workgroup,
            memory,
        }
    }

    /// Rows and columns.
    pub(super) const fn size(self) -> [u32; 2] {
        [self.rows, self.columns]
    }

    /// Invocations per workgroup, in rows and columns of tiles.
    pub(super) const fn workgroup(self) -> [u32; 2] {
        self.workgroup
    }

    /// Whether a device with `limits` can run workgroups of this kind.
    pub(super) const fn fits(self, limits: &DeviceLimits) -> bool {
        let [x, y] = self.workgroup;
        x * y <= limits.max_workgroup_invocations && self.shared_bytes() <= limits.max_shared_bytes
    }

    /// Bytes of shared memory that a workgroup uses.
    const fn shared_bytes(self) -> u32 {
        let [x, y] = self.workgroup;
        match self.memory {
            Memory::Direct => 0,
            Memory::Shared => 16 * DEPTH * (x * self.rows + y * self.columns),
        }
    }

    /// The shader for this tile.
    pub(super) fn shader(self) -> String {
        let Self {
            rows,
            columns,
            workgroup: [x, y],
            memory,
        } = self;
        let template = match memory {
            Memory::Direct => DIRECT,
            Memory::Shared => SHARED,
        };
        [
            ("{{WORKGROUP_X}}", x.to_string()),
            ("{{WORKGROUP_Y}}", y.to_string()),
            ("{{TILE_ROWS}}", rows.to_string()),
            ("{{TILE_COLUMNS}}", columns.to_string()),
            ("{{DEPTH}}", DEPTH.to_string()),
            ("{{BASES}}", self.bases()),
            ("{{SUMS}}", self.sums()),
            ("{{LOADS}}", self.loads()),
            ("{{SHARED_LOADS}}", self.shared_loads()),
            ("{{PRODUCTS}}", self.products()),
            ("{{STORES}}", self.stores()),
        ]
        .into_iter()
        .fold(format!("{COMMON}\n{template}"), |shader, (place, text)| {
            shader.replace(place, &text)
        })
    }

    fn bases(self) -> String {
        lines(|out| {
            for r in 0..self.rows {
                writeln!(out, "let left_{r} = (row + {r}u) * vectors;")?;
            }
            for c in 0..self.columns {
                writeln!(out, "let right_{c} = (column + {c}u) * vectors;")?;
            }
            Ok(())
        })
    }

    fn sums(self) -> String {
        self.for_each_element(|r, c| format!("var sum_{r}_{c} = 0i;"))
    }

    fn loads(self) -> String {
        lines(|out| {
            for r in 0..self.rows {
                writeln!(out, "let l{r} = left[left_{r} + k];")?;
            }
            for c in 0..self.columns {
                writeln!(out, "let r{c} = right[right_{c} + k];")?;
            }
            Ok(())
        })
    }

    fn shared_loads(self) -> String {
        let Self {
            rows,
            columns,
            workgroup: [x, y],
            ..
        } = self;
        lines(|out| {
            for r in 0..rows {
                writeln!(out, "let l{r} = rows_block[(k * {rows}u + {r}u) * {x}u + place.x];")?;
            }
            for c in 0..columns {
                writeln!(
                    out,
                    "let r{c} = columns_block[(k * {columns}u + {c}u) * {y}u + place.y];"
                )?;
            }
            Ok(())
        })
    }

    fn products(self) -> String {
        lines(|out| {
            for part in ["x", "y", "z", "w"] {
                for r in 0..self.rows {
                    for c in 0..self.columns {
                        writeln!(out, "sum_{r}_{c} += dot4I8Packed(l{r}.{part}, r{c}.{part});")?;
                    }
                }
            }
            Ok(())
        })
    }

    fn stores(self) -> String {
        let mut text = self.for_each_element(|r, c| format!("let m_{r}_{c} = residue(sum_{r}_{c});"));
        text += &lines(|out| {
            for c in 0..self.columns {
                for r in (0..self.rows).step_by(4) {
                    let [r1, r2, r3] = [r + 1, r + 2, r + 3];
                    writeln!(
                        out,
                        "next[(column + {c}u) * params.words + params.next_offset + row / 4u + {}u] = \
                         word(signed_byte(m_{r}_{c}), signed_byte(m_{r1}_{c}), signed_byte(m_{r2}_{c}), signed_byte(m_{r3}_{c}));",
                        r / 4
                    )?;
                }
            }
            for r in 0..self.rows {
                for c in (0..self.columns).step_by(4) {
                    let [c1, c2, c3] = [c + 1, c + 2, c + 3];
                    writeln!(
                        out,
                        "state[(row + {r}u) * params.words + params.state_offset + column / 4u + {}u] = \
                         word(m_{r}_{c}, m_{r}_{c1}, m_{r}_{c2}, m_{r}_{c3});",
                        c / 4
                    )?;
                }
            }
            Ok(())
        });
        text
    }

    fn for_each_element(self, line: impl Fn(u32, u32) -> String) -> String {
        lines(|out| {
            for r in 0..self.rows {
                for c in 0..self.columns {
                    writeln!(out, "{}", line(r, c))?;
                }
            }
            Ok(())
        })
    }
}

/// What `write` writes. Writing to a string never fails.
fn lines(write: impl FnOnce(&mut String) -> std::fmt::Result) -> String {
    let mut text = String::new();
    let result = write(&mut text);
    debug_assert!(result.is_ok());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tile_divides_the_padding_and_fills_every_place() {
        for tile in Tile::ALL {
            let shader = tile.shader();
            let code = shader.split_once("struct Params").unwrap().1;
            assert!(!code.contains("{{") && !code.contains("}}"));
            for size in tile.size() {
                assert_eq!(size % 4, 0);
                assert_eq!(PADDING % size, 0);
            }
            // What WebGPU guarantees, and GLES 3.1.
            let least = DeviceLimits {
                max_buffer_bytes: 0,
                max_workgroups: 0,
                max_workgroup_invocations: 256,
                max_shared_bytes: 16_352,
            };
            assert!(tile.fits(&least));
            let less = DeviceLimits {
                max_workgroup_invocations: 63,
                ..least
            };
            assert!(!tile.fits(&less));
        }
    }
}
