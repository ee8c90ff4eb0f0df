// Numbers of 64 bits as (low word, high word). Products are made of limbs of 16 bits, so that nothing wraps.

fn wide_product(a: u32, b: u32) -> vec2<u32> {
    let a0 = a & 0xffffu;
    let a1 = a >> 16u;
    let b0 = b & 0xffffu;
    let b1 = b >> 16u;
    let p = a0 * b0;
    let q = a0 * b1 + (p >> 16u);
    let r = a1 * b0 + (q & 0xffffu);
    return vec2((r << 16u) | (p & 0xffffu), a1 * b1 + (q >> 16u) + (r >> 16u));
}

fn wide_sum(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    let low = a.x + b.x;
    return vec2(low, a.y + b.y + select(0u, 1u, low < a.x));
}

fn wide_difference(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    return vec2(a.x - b.x, a.y - b.y - select(0u, 1u, a.x < b.x));
}
