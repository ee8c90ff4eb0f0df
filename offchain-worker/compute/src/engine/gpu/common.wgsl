// What all shaders of a product over F_251 have in common. Each invocation computes one tile of the product.
//
// `left` holds rows of the factor, `right` columns of the state, both in symmetric residues, four signed bytes a word,
// along the dimension that is summed over. Sums are exact: their amount is at most 4096 · 125² < 2²⁶.
// Each element is written twice: to `next`, packed along its column, as the next product reads it, and to `state`,
// packed along its row, as canonical residue, for the host.
//
// The places between {{ and }} in the shaders are filled in by kernel.rs, which unrolls the loops over the tile.

struct Params {
    // The tiles of this dispatch: first and, exclusively, last.
    first_row_tile: u32,
    end_row_tile: u32,
    first_column_tile: u32,
    end_column_tile: u32,
    // Where the panels' rows and columns start in the rows of `next` and `state`, in words.
    next_offset: u32,
    state_offset: u32,
    // Length of a row of `left` and `right` in vectors; of `next` and `state` in words.
    vectors: u32,
    words: u32,
}

@group(0) @binding(0) var<storage, read> left: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> right: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> next: array<u32>;
@group(0) @binding(3) var<storage, read_write> state: array<u32>;
@group(0) @binding(4) var<uniform> params: Params;

// The canonical residue: 251 · 2¹⁸ is more than any sum's amount, so that the dividend is positive.
fn residue(sum: i32) -> u32 {
    return u32(sum + 65798144) % 251u;
}

// The symmetric residue as a signed byte: r − 251 is r + 5 modulo 256.
fn signed_byte(r: u32) -> u32 {
    return (r + select(0u, 5u, r > 125u)) & 255u;
}

fn word(a: u32, b: u32, c: u32, d: u32) -> u32 {
    return a | (b << 8u) | (c << 16u) | (d << 24u);
}
