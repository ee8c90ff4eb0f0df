//! The shaders' text: filled in for a tile and for what becomes of the sums.

use super::tile::{Memory, Tile};
use std::fmt::Write;

const COMMON: &str = include_str!("common.wgsl");
const BUFFERS: &str = include_str!("buffers.wgsl");
const TEXELS: &str = include_str!("texels.wgsl");
const DIRECT: &str = include_str!("direct.wgsl");
const SHARED: &str = include_str!("shared.wgsl");
const SPLIT: &str = include_str!("split.wgsl");
const REQUANTISE: &str = include_str!("requantise.wgsl");
const RESIDUES: &str = include_str!("residues.wgsl");

/// The shaders' entry point.
pub(super) const ENTRY_POINT: &str = "product";
/// Texels of a row of the textures: rows of 16 KiB, and 16,384 rows are 256 MiB.
pub(super) const TEXTURE_WIDTH: u32 = 1024;

/// What becomes of the sums.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Output {
    /// Stored as they are.
    Sums,
    /// Signed bytes.
    Bytes,
    /// Residues modulo 251, twice.
    Residues,
}

impl Output {
    /// Rows that are packed into a word, and columns.
    pub const fn packing(self) -> [u32; 2] {
        match self {
            Self::Sums => [1, 1],
            Self::Bytes => [1, 4],
            Self::Residues => [4, 4],
        }
    }

    /// Whether `tile` holds whole words.
    pub const fn suits(self, tile: Tile) -> bool {
        let [rows, columns] = self.packing();
        tile.rows.is_multiple_of(rows) && tile.columns.is_multiple_of(columns)
    }
}

/// The shader.
pub(super) fn shader(tile: Tile, output: Output) -> String {
    let loads = if tile.reads_texels() { TEXELS } else { BUFFERS };
    let (template, depth) = match tile.memory {
        Memory::Direct | Memory::Texels => (DIRECT, 0),
        Memory::Shared { depth } => (SHARED, depth),
        Memory::Split => (SPLIT, 0),
    };
    let (out, epilogue) = match output {
        Output::Sums => ("i32", ""),
        Output::Bytes => ("u32", REQUANTISE),
        Output::Residues => ("u32", RESIDUES),
    };
    let [x, y] = tile.workgroup;
    let text = Text { tile, output };
    [
        ("{{WORKGROUP_X}}", x.to_string()),
        ("{{WORKGROUP_Y}}", y.to_string()),
        ("{{TILE_ROWS}}", tile.rows.to_string()),
        ("{{TILE_COLUMNS}}", tile.columns.to_string()),
        ("{{TEXTURE_WIDTH}}", TEXTURE_WIDTH.to_string()),
        ("{{DEPTH}}", depth.to_string()),
        ("{{OUT}}", out.to_owned()),
        ("{{BASES}}", text.bases()),
        ("{{SUMS}}", text.sums()),
        ("{{LOADS}}", text.loads()),
        ("{{PRODUCTS}}", text.products()),
        ("{{SHARES}}", text.shares()),
        ("{{ADDITIONS}}", text.additions()),
        ("{{TOTALS}}", text.totals()),
        ("{{STORES}}", text.stores()),
    ]
    .into_iter()
    .fold(
        [COMMON, loads, epilogue, template].join("\n"),
        |shader, (place, text)| shader.replace(place, &text),
    )
}

/// The parts that depend on the tile.
#[derive(Clone, Copy)]
struct Text {
    tile: Tile,
    output: Output,
}

impl Text {
    /// Where the lines of a tile start. Beyond the last line, the last one is read, and nothing is stored.
    fn bases(self) -> String {
        lines(|out| {
            writeln!(out, "let left_item = params.left_offset + item * params.left_item;")?;
            writeln!(out, "let right_item = params.right_offset + item * params.right_item;")?;
            for r in 0..self.tile.rows {
                let line = format!("min(row + {r}u, params.rows - 1u)");
                writeln!(out, "let left_{r} = left_item + {line} * params.left_stride;")?;
            }
            for c in 0..self.tile.columns {
                let line = format!("min(column + {c}u, params.columns - 1u)");
                writeln!(out, "let right_{c} = right_item + {line} * params.right_stride;")?;
            }
            Ok(())
        })
    }

    fn sums(self) -> String {
        self.for_each_element(|r, c, _| format!("var sum_{r}_{c} = 0i;"))
    }

    fn loads(self) -> String {
        let Tile {
            rows,
            columns,
            workgroup: [x, y],
            memory,
            ..
        } = self.tile;
        let shared = matches!(memory, Memory::Shared { .. });
        lines(|out| {
            for c in 0..columns {
                if shared {
                    let place = format!("(k * {columns}u + {c}u) * {x}u + place.x");
                    writeln!(out, "let r{c} = columns_block[{place}];")?;
                } else {
                    writeln!(out, "let r{c} = load_right(right_{c} + k);")?;
                }
            }
            for r in 0..rows {
                if shared {
                    let place = format!("(k * {rows}u + {r}u) * {y}u + place.y");
                    writeln!(out, "let l{r} = rows_block[{place}];")?;
                } else {
                    writeln!(out, "let l{r} = load_left(left_{r} + k);")?;
                }
            }
            Ok(())
        })
    }

    /// Element by element: llvmpipe's compiler adds the products of an element at the end of their block, and would keep
    /// those of all elements until then.
    fn products(self) -> String {
        self.for_each_element(|r, c, _| {
            let dot = |part| format!("sum_{r}_{c} += dot4I8Packed(l{r}.{part}, r{c}.{part});");
            ["x", "y", "z", "w"].map(dot).join("\n")
        })
    }

    fn shares(self) -> String {
        self.for_each_element(|r, c, e| format!("partial[{e}u * INVOCATIONS + invocation] = sum_{r}_{c};"))
    }

    fn additions(self) -> String {
        self.for_each_element(|_, _, e| {
            let place = format!("{e}u * INVOCATIONS + invocation");
            format!("partial[{place}] += partial[{place} + half];")
        })
    }

    fn totals(self) -> String {
        self.for_each_element(|r, c, e| format!("sum_{r}_{c} = partial[{e}u * INVOCATIONS];"))
    }

    fn stores(self) -> String {
        match self.output {
            Output::Sums => self.store_sums(),
            Output::Bytes => self.store_rows("byte"),
            Output::Residues => {
                let residues = self.for_each_element(|r, c, _| {
                    format!("let m_{r}_{c} = residue(sum_{r}_{c}, row + {r}u, column + {c}u);")
                });
                residues + &self.store_rows("m") + &self.store_next()
            }
        }
    }

    fn store_sums(self) -> String {
        self.for_each_element(|r, c, _| {
            format!(
                "if row + {r}u < params.rows && column + {c}u < params.columns {{ \
                 out[params.out_offset + item * params.out_item + (row + {r}u) * params.out_stride + column + {c}u] = sum_{r}_{c}; }}"
            )
        })
    }

    /// Words of four columns: the bytes of the sums, or the residues that were computed.
    fn store_rows(self, value: &str) -> String {
        lines(|out| {
            for r in 0..self.tile.rows {
                for c in (0..self.tile.columns).step_by(4) {
                    let bytes = [0, 1, 2, 3].map(|i| c + i).map(|c| match value {
                        "byte" => format!("byte(sum_{r}_{c}, row + {r}u, column + {c}u)"),
                        _ => format!("m_{r}_{c}"),
                    });
                    writeln!(
                        out,
                        "if row + {r}u < params.rows && column + {c}u < (params.columns + 15u) / 16u * 16u {{ \
                         out[params.out_offset + item * params.out_item + (row + {r}u) * params.out_stride + column / 4u + {}u] = word({}); }}",
                        c / 4,
                        bytes.join(", ")
                    )?;
                }
            }
            Ok(())
        })
    }

    /// Words of four rows.
    fn store_next(self) -> String {
        lines(|out| {
            for c in 0..self.tile.columns {
                for r in (0..self.tile.rows).step_by(4) {
                    let bytes = [0, 1, 2, 3].map(|i| format!("signed_byte(m_{}_{c})", r + i));
                    writeln!(
                        out,
                        "if row + {r}u < (params.rows + 15u) / 16u * 16u && column + {c}u < params.columns {{ \
                         next[params.next_offset + (column + {c}u) * params.next_stride + row / 4u + {}u] = word({}); }}",
                        r / 4,
                        bytes.join(", ")
                    )?;
                }
            }
            Ok(())
        })
    }

    /// A line for each row, column and number of an element.
    fn for_each_element(self, line: impl Fn(u32, u32, u32) -> String) -> String {
        let Tile { rows, columns, .. } = self.tile;
        lines(|out| {
            for r in 0..rows {
                for c in 0..columns {
                    writeln!(out, "{}", line(r, c, r * columns + c))?;
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
    use crate::engine::gpu::adapters::DeviceLimits;

    #[test]
    fn every_place_is_filled_and_every_tile_fits_the_least_device() {
        // What WebGPU guarantees, and GLES 3.1.
        let least = DeviceLimits {
            max_buffer_bytes: 0,
            max_workgroups: 0,
            max_workgroup_invocations: 256,
            max_shared_bytes: 16_352,
        };
        for tile in Tile::ALL {
            for output in [Output::Sums, Output::Bytes, Output::Residues] {
                if output.suits(tile) {
                    let shader = shader(tile, output);
                    let code = shader.split_once("struct Params").unwrap().1;
                    assert!(!code.contains("{{") && !code.contains("}}"), "{tile:?} {output:?}");
                }
            }
            assert!(tile.fits(&least), "{tile:?}");
            let few = DeviceLimits {
                max_workgroup_invocations: 31,
                ..least
            };
            assert!(!tile.fits(&few));
            assert_eq!(Tile::named(tile.name()), Some(tile));
        }
        assert!(Output::Sums.suits(Tile::SPLIT) && Output::Bytes.suits(Tile::SPLIT));
        assert!(!Output::Residues.suits(Tile::SPLIT));
    }
}
