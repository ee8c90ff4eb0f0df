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

// ⌊(high·2³² + low) / divisor⌋ for high < divisor, in two digits of 16 bits (Knuth's algorithm D).
fn wide_quotient(high: u32, low: u32, divisor: u32) -> u32 {
    let shift = countLeadingZeros(divisor);
    let v = divisor << (shift & 31u);
    let v1 = v >> 16u;
    let v0 = v & 0xffffu;
    // Twice, so that a shift by 0 does not become one by 32.
    let u = (high << (shift & 31u)) | ((low >> 1u) >> ((31u - shift) & 31u));
    let rest = low << (shift & 31u);
    let u1 = rest >> 16u;
    let u0 = rest & 0xffffu;

    var q1 = u / v1;
    var r1 = u - q1 * v1;
    if q1 > 0xffffu || q1 * v0 > ((r1 << 16u) | u1) {
        q1 -= 1u;
        r1 += v1;
        if r1 <= 0xffffu && (q1 > 0xffffu || q1 * v0 > ((r1 << 16u) | u1)) {
            q1 -= 1u;
        }
    }
    let middle = (u << 16u) + u1 - q1 * v;
    var q0 = middle / v1;
    var r0 = middle - q0 * v1;
    if q0 > 0xffffu || q0 * v0 > ((r0 << 16u) | u0) {
        q0 -= 1u;
        r0 += v1;
        if r0 <= 0xffffu && (q0 > 0xffffu || q0 * v0 > ((r0 << 16u) | u0)) {
            q0 -= 1u;
        }
    }
    return (q1 << 16u) + q0;
}

// ⌊√x⌋, digit by digit.
fn narrow_root(x: u32) -> u32 {
    var rest = x;
    var root = 0u;
    var bit = 0x40000000u;
    for (var i = 0u; i < 16u; i += 1u) {
        let trial = root + bit;
        let fits = rest >= trial;
        rest -= select(0u, trial, fits);
        root = (root >> 1u) + select(0u, bit, fits);
        bit >>= 2u;
    }
    return root;
}

// ⌊√n⌋ of 64 bits: the root of the upper half, and a division for the lower one (Zimmermann's Karatsuba square root).
fn wide_root(n: vec2<u32>) -> u32 {
    if n.y == 0u {
        return narrow_root(n.x);
    }
    let shift = countLeadingZeros(n.y) & 30u;
    let high = (n.y << shift) | ((n.x >> 1u) >> ((31u - shift) & 31u));
    let low = n.x << shift;
    let root = narrow_root(high);
    let rest = high - root * root;
    let digit = low >> 16u;
    let q = ((rest << 15u) | (digit >> 1u)) / root;
    let r = (rest << 16u) + digit - 2u * q * root;
    // Whether r·2¹⁶ + the last digit is below q².
    let small = r <= 0xffffu && (q > 0xffffu || ((r << 16u) | (low & 0xffffu)) < q * q);
    return ((root << 16u) + q - select(0u, 1u, small)) >> (shift >> 1u);
}
