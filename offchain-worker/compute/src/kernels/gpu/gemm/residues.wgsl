// Sums modulo 251, written twice: to `out`, packed along the row, as canonical residues, for the host; to `next`,
// packed along the column, as symmetric residues, as the next product reads it.
@group(0) @binding(4) var<storage, read_write> next: array<u32>;

// The canonical residue: 251 · 2¹⁸ is more than the amount of any sum (4096 · 125² < 2²⁶), so that the dividend is
// positive.
fn residue(sum: i32, row: u32, column: u32) -> u32 {
    let canonical = u32(sum + 65798144) % 251u;
    return select(0u, canonical, row < params.m && column < params.n);
}

// The symmetric residue as a signed byte: r − 251 is r + 5 modulo 256.
fn signed_byte(r: u32) -> u32 {
    return (r + select(0u, 5u, r > 125u)) & 255u;
}
