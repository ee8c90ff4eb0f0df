// Sums modulo 251, written twice: to `out`, packed along the row, as canonical residues, for the host; to `next`,
// packed along the column, times the scale of the row, as symmetric residues, as the next product reads it.
@group(0) @binding(4) var<storage, read_write> next: array<u32>;

struct Scales {
    // A canonical residue for each row, four to a word.
    words: array<vec4<u32>, {{SCALES}}>,
}

@group(0) @binding(5) var<uniform> scales: Scales;

// The canonical residue: 251 · 2¹⁸ is more than the amount of any sum (4096 · 125² < 2²⁶), so that the dividend is
// positive.
fn residue(sum: i32, row: u32, column: u32) -> u32 {
    let canonical = u32(sum + 65798144) % 251u;
    return select(0u, canonical, row < params.m && column < params.n);
}

// The scales of four rows from `row` on, a multiple of four.
fn scales_of(row: u32) -> vec4<u32> {
    let word = params.scales_offset + row / 4u;
    return (vec4<u32>(scales.words[word / 4u][word % 4u]) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(255u);
}

// The product of two canonical residues as a symmetric residue, in a signed byte: p − 251 is p + 5 modulo 256.
fn scaled_byte(r: u32, scale: u32) -> u32 {
    let p = r * scale % 251u;
    return (p + select(0u, 5u, p > 125u)) & 255u;
}
