// What all shaders of C = A · Bᵀ have in common. Both operands are signed bytes, packed along the dimension that is
// summed over, 16 to a vector; `lhs` holds A's rows, `rhs` B's rows, which are C's columns. Sums are exact in i32, in
// whatever order: so every configuration gives the same bits.
//
// The places between {{ and }} are filled in by shader.rs, which unrolls the loops over a tile.

struct Params {
    // C is m×n; k in vectors of 16 bytes.
    m: u32,
    n: u32,
    k_vectors: u32,
    // Where this dispatch starts.
    first_row: u32,
    first_column: u32,
    first_batch: u32,
    // In vectors: the first row, from row to row, from product to product of a batch.
    lhs_offset: u32,
    lhs_stride: u32,
    lhs_batch: u32,
    rhs_offset: u32,
    rhs_stride: u32,
    rhs_batch: u32,
    // In words, likewise.
    out_offset: u32,
    out_stride: u32,
    out_batch: u32,
    // Of the second output, in words.
    next_offset: u32,
    next_stride: u32,
    // The scales of the first four rows of C, in words.
    scales_offset: u32,
}

@group(0) @binding(2) var<storage, read_write> out: array<{{OUT}}>;
@group(0) @binding(3) var<uniform> params: Params;

fn word(a: u32, b: u32, c: u32, d: u32) -> u32 {
    return a | (b << 8u) | (c << 16u) | (d << 24u);
}
