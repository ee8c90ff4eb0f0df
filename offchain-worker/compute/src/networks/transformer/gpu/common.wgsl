// Integer operators with 32-bit words alone, as docs/protocol/inference.md specifies them; numbers of 64 bits are those
// of wide.wgsl. What is in {{ }} is filled in by shaders.rs.

const GROUP = {{GROUP}}u;
const VALUE_MAX = {{VALUE_MAX}}i;

fn clamp_value(x: i32) -> i32 {
    return clamp(x, -VALUE_MAX, VALUE_MAX);
}

fn rescale(a: i32, b: i32, shift: u32) -> i32 {
    // The amount of the least integer is its own bits.
    var p = wide_product(bitcast<u32>(abs(a)), bitcast<u32>(abs(b)));
    let bit = shift - 1u;
    if shift > 32u {
        p = wide_sum(p, vec2<u32>(0u, 1u << (bit & 31u)));
        p = vec2<u32>(p.y >> ((shift - 32u) & 31u), 0u);
    } else if shift == 32u {
        p = wide_sum(p, vec2<u32>(0x80000000u, 0u));
        p = vec2<u32>(p.y, 0u);
    } else if shift > 0u {
        p = wide_sum(p, vec2<u32>(1u << (bit & 31u), 0u));
        p = vec2<u32>((p.x >> (shift & 31u)) | (p.y << ((32u - shift) & 31u)), p.y >> (shift & 31u));
    }
    let amount = i32(select(p.x, 0x7fffffffu, p.y != 0u || p.x > 0x7fffffffu));
    return select(amount, -amount, (a < 0) != (b < 0));
}

fn divide(a: i32, b: u32) -> i32 {
    let amount = i32((u32(abs(a)) + b / 2u) / b);
    return select(amount, -amount, a < 0);
}

// A level of a row whose scale has the reciprocal ⌊levels · 2^shift / scale⌋.
fn quantise(x: i32, reciprocal: u32, shift: u32) -> i32 {
    let amount = i32((u32(abs(x)) * reciprocal + (1u << ((shift - 1u) & 31u))) >> (shift & 31u));
    return select(amount, -amount, x < 0);
}

// Reciprocal and shift with which numbers are divided by the square root of `squares`.
fn normaliser(squares: vec2<u32>) -> vec2<u32> {
    let root = max(wide_root(squares), 2u);
    let zeros = countLeadingZeros(root);
    let mantissa = select(root >> ((16u - zeros) & 31u), root << ((zeros - 16u) & 31u), zeros > 16u);
    return vec2<u32>(0x80000000u / mantissa, 31u - zeros);
}

fn normal(x: i32, by: vec2<u32>) -> i32 {
    return rescale(x << 8u, i32(by.x), by.y);
}
