// What all shaders of C = A · Bᵀ have in common. Both factors are signed bytes, packed along the dimension that is
// summed over, 16 to a vector; `left` holds A's rows, `right` B's rows, which are C's columns. Sums are exact in i32, in
// whatever order: so every configuration gives the same bits.
//
// The places between {{ and }} are filled in by shader.rs, which unrolls the loops over a tile.

struct Params {
    // Of C; vectors of a line of A and B.
    rows: u32,
    columns: u32,
    vectors: u32,
    // Where this dispatch starts.
    first_row: u32,
    first_column: u32,
    first_item: u32,
    // In vectors: the first line, from line to line, from item to item of a batch.
    left_offset: u32,
    left_stride: u32,
    left_item: u32,
    right_offset: u32,
    right_stride: u32,
    right_item: u32,
    // In words, likewise.
    out_offset: u32,
    out_stride: u32,
    out_item: u32,
    // Of the second output, in words.
    next_offset: u32,
    next_stride: u32,
    // The range of a byte.
    low: i32,
    high: i32,
    unused: u32,
}

@group(0) @binding(2) var<storage, read_write> out: array<{{OUT}}>;
@group(0) @binding(3) var<uniform> params: Params;

fn word(a: u32, b: u32, c: u32, d: u32) -> u32 {
    return a | (b << 8u) | (c << 16u) | (d << 24u);
}
