//! The shaders' text, filled in for a configuration and for what is done with the sums.

use super::{super::configuration::Memory, Configuration, scales::MAX_ROWS};
use std::fmt::Write;

const COMMON: &str = include_str!("common.wgsl");
const BUFFERS: &str = include_str!("buffers.wgsl");
const TEXELS: &str = include_str!("texels.wgsl");
const DIRECT: &str = include_str!("direct.wgsl");
const SHARED: &str = include_str!("shared.wgsl");
const SPLIT: &str = include_str!("split.wgsl");
const RESIDUES: &str = include_str!("residues.wgsl");

/// The shaders' entry point.
pub(super) const ENTRY_POINT: &str = "product";
/// Texels of a row of the textures: rows of 16 KiB, and 16,384 rows are 256 MiB.
pub(super) const TEXTURE_WIDTH: u32 = 1024;

/// What is done with the sums.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(in super::super) enum Output {
    /// Stored as they are.
    Sums,
    /// Residues modulo 251, as they are and scaled.
    Residues,
}

impl Output {
    /// Rows that are packed into a word, and columns.
    pub const fn packing(self) -> [u32; 2] {
        match self {
            Self::Sums => [1, 1],
            Self::Residues => [4, 4],
        }
    }

    /// Whether tiles of `configuration` hold whole words.
    pub const fn suits(self, configuration: Configuration) -> bool {
        let [rows, columns] = self.packing();
        configuration.rows.is_multiple_of(rows) && configuration.columns.is_multiple_of(columns)
    }
}

/// The shader.
pub(super) fn shader(configuration: Configuration, output: Output) -> String {
    let loads = if configuration.reads_texels() { TEXELS } else { BUFFERS };
    let (template, depth) = match configuration.memory {
        Memory::Direct | Memory::Texels => (DIRECT, 0),
        Memory::Shared { depth } => (SHARED, depth),
        Memory::Split => (SPLIT, 0),
    };
    let (out, epilogue) = match output {
        Output::Sums => ("i32", ""),
        Output::Residues => ("u32", RESIDUES),
    };
    let [x, y] = configuration.workgroup;
    let text = Text { configuration, output };
    [
        ("{{WORKGROUP_X}}", x.to_string()),
        ("{{WORKGROUP_Y}}", y.to_string()),
        ("{{TILE_ROWS}}", configuration.rows.to_string()),
        ("{{TILE_COLUMNS}}", configuration.columns.to_string()),
        ("{{TEXTURE_WIDTH}}", TEXTURE_WIDTH.to_string()),
        ("{{DEPTH}}", depth.to_string()),
        ("{{OUT}}", out.to_owned()),
        ("{{SCALES}}", (MAX_ROWS / 16).to_string()),
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

/// The parts that depend on the configuration.
#[derive(Clone, Copy)]
struct Text {
    configuration: Configuration,
    output: Output,
}

impl Text {
    /// Where the rows of a tile start. Beyond the last row, the last one is read, and nothing is stored.
    fn bases(self) -> String {
        lines(|out| {
            writeln!(out, "let lhs_start = params.lhs_offset + batch * params.lhs_batch;")?;
            writeln!(out, "let rhs_start = params.rhs_offset + batch * params.rhs_batch;")?;
            for r in 0..self.configuration.rows {
                let line = format!("min(row + {r}u, params.m - 1u)");
                writeln!(out, "let lhs_{r} = lhs_start + {line} * params.lhs_stride;")?;
            }
            for c in 0..self.configuration.columns {
                let line = format!("min(column + {c}u, params.n - 1u)");
                writeln!(out, "let rhs_{c} = rhs_start + {line} * params.rhs_stride;")?;
            }
            Ok(())
        })
    }

    fn sums(self) -> String {
        self.for_each_element(|r, c, _| format!("var sum_{r}_{c} = 0i;"))
    }

    fn loads(self) -> String {
        let Configuration {
            rows,
            columns,
            workgroup: [x, y],
            memory,
            ..
        } = self.configuration;
        let shared = matches!(memory, Memory::Shared { .. });
        lines(|out| {
            for c in 0..columns {
                if shared {
                    let place = format!("(k * {columns}u + {c}u) * {x}u + place.x");
                    writeln!(out, "let r{c} = columns_block[{place}];")?;
                } else {
                    writeln!(out, "let r{c} = load_rhs(rhs_{c} + k);")?;
                }
            }
            for r in 0..rows {
                if shared {
                    let place = format!("(k * {rows}u + {r}u) * {y}u + place.y");
                    writeln!(out, "let l{r} = rows_block[{place}];")?;
                } else {
                    writeln!(out, "let l{r} = load_lhs(lhs_{r} + k);")?;
                }
            }
            Ok(())
        })
    }

    /// Element by element: llvmpipe's compiler adds the products of an element at the end of their block, and would
    /// keep those of all elements until then.
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
            Output::Residues => {
                let residues = self.for_each_element(|r, c, _| {
                    format!("let residue_{r}_{c} = residue(sum_{r}_{c}, row + {r}u, column + {c}u);")
                });
                residues + &self.store_rows() + &self.store_next()
            }
        }
    }

    fn store_sums(self) -> String {
        self.for_each_element(|r, c, _| {
            format!(
                "if row + {r}u < params.m && column + {c}u < params.n {{ \
                 out[params.out_offset + batch * params.out_batch + (row + {r}u) * params.out_stride + column + {c}u] = sum_{r}_{c}; }}"
            )
        })
    }

    /// Words of four columns.
    fn store_rows(self) -> String {
        lines(|out| {
            for r in 0..self.configuration.rows {
                for c in (0..self.configuration.columns).step_by(4) {
                    let bytes = [0, 1, 2, 3].map(|i| format!("residue_{r}_{}", c + i));
                    writeln!(
                        out,
                        "if row + {r}u < params.m && column + {c}u < (params.n + 15u) / 16u * 16u {{ \
                         out[params.out_offset + batch * params.out_batch + (row + {r}u) * params.out_stride + column / 4u + {}u] = word({}); }}",
                        c / 4,
                        bytes.join(", ")
                    )?;
                }
            }
            Ok(())
        })
    }

    /// Words of four rows, each with its scale.
    fn store_next(self) -> String {
        lines(|out| {
            for r in (0..self.configuration.rows).step_by(4) {
                writeln!(out, "if row + {r}u < (params.m + 15u) / 16u * 16u {{")?;
                writeln!(out, "let scale = scales_of(row + {r}u);")?;
                for c in 0..self.configuration.columns {
                    let bytes = [0, 1, 2, 3].map(|i| format!("scaled_byte(residue_{}_{c}, scale[{i}])", r + i));
                    writeln!(
                        out,
                        "if column + {c}u < params.n {{ \
                         next[params.next_offset + (column + {c}u) * params.next_stride + row / 4u + {}u] = word({}); }}",
                        r / 4,
                        bytes.join(", ")
                    )?;
                }
                writeln!(out, "}}")?;
            }
            Ok(())
        })
    }

    /// A line for each row, column and number of an element.
    fn for_each_element(self, line: impl Fn(u32, u32, u32) -> String) -> String {
        let Configuration { rows, columns, .. } = self.configuration;
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
    use crate::device::DeviceLimits;

    #[test]
    fn every_place_is_filled_and_every_configuration_fits_the_least_device() {
        // What WebGPU guarantees, and GLES 3.1.
        let least = DeviceLimits {
            max_buffer_bytes: 0,
            max_workgroups: 0,
            max_workgroup_invocations: 256,
            max_shared_bytes: 16_352,
            memory_bytes: None,
        };
        for configuration in Configuration::ALL {
            for output in [Output::Sums, Output::Residues] {
                if output.suits(configuration) {
                    let shader = shader(configuration, output);
                    let code = shader.split_once("struct Params").unwrap().1;
                    assert!(
                        !code.contains("{{") && !code.contains("}}"),
                        "{configuration:?} {output:?}"
                    );
                }
            }
            assert!(configuration.fits(&least), "{configuration:?}");
            let few = DeviceLimits {
                max_workgroup_invocations: 31,
                ..least
            };
            assert!(!configuration.fits(&few));
            assert_eq!(Configuration::named(configuration.name()), Some(configuration));
        }
        assert!(Output::Sums.suits(Configuration::SPLIT));
        assert!(!Output::Residues.suits(Configuration::SPLIT));
    }
}
