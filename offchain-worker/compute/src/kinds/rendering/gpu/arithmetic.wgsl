// Fixed-point arithmetic, as fixed.rs; numbers of 64 bits are those of wide.wgsl.

const ONE = 1073741824i;
const FRACTION = 32768u;
const MOST = 0xffffffffu;

fn signed_product(a: i32, b: i32) -> vec2<u32> {
    let x = bitcast<u32>(a);
    let y = bitcast<u32>(b);
    let p = wide_product(x, y);
    return vec2(p.x, p.y - select(0u, y, a < 0) - select(0u, x, b < 0));
}

// ⌊a·b / 2^shift⌋ for shifts from 1 to 31.
fn product(a: i32, b: i32, shift: u32) -> i32 {
    let p = signed_product(a, b);
    return bitcast<i32>((p.x >> (shift & 31u)) | (p.y << ((32u - shift) & 31u)));
}

// The same, at most 2³² − 1.
fn product_saturating(a: u32, b: u32, shift: u32) -> u32 {
    let p = wide_product(a, b);
    let low = (p.x >> (shift & 31u)) | (p.y << ((32u - shift) & 31u));
    return select(low, MOST, (p.y >> (shift & 31u)) != 0u);
}

fn times_saturating(a: u32, b: u32) -> u32 {
    let p = wide_product(a, b);
    return select(p.x, MOST, p.y != 0u);
}

fn dot30(a: vec3<i32>, b: vec3<i32>) -> i32 {
    let sum = wide_sum(wide_sum(signed_product(a.x, b.x), signed_product(a.y, b.y)), signed_product(a.z, b.z));
    return bitcast<i32>((sum.x >> 30u) | (sum.y << 2u));
}

fn scaled(v: vec3<i32>, factor: i32) -> vec3<i32> {
    return vec3(product(v.x, factor, 30u), product(v.y, factor, 30u), product(v.z, factor, 30u));
}

fn fraction(cosine: i32) -> u32 {
    return u32(clamp(cosine >> 15u, 0, 32768));
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

fn square_sum(v: vec3<u32>) -> vec2<u32> {
    return wide_sum(wide_sum(wide_product(v.x, v.x), wide_product(v.y, v.y)), wide_product(v.z, v.z));
}

// A direction and a length.
struct Way {
    direction: vec3<i32>,
    length: u32,
}

fn way_along(v: vec3<i32>) -> Way {
    let size = vec3<u32>(abs(v));
    let zeros = countLeadingZeros(size.x | size.y | size.z);
    if zeros == 32u {
        return Way(vec3(0, 0, ONE), 0u);
    }
    // 29 bits.
    let left = u32(max(i32(zeros) - 3, 0));
    let right = u32(max(3 - i32(zeros), 0));
    let w = (size << vec3(left)) >> vec3(right);
    let n = wide_root(square_sum(w));
    let c = wide_quotient(0x0fffffffu, MOST, n);
    let forward = vec3(unit_part(w.x, c), unit_part(w.y, c), unit_part(w.z, c));
    return Way(select(forward, -forward, v < vec3(0)), (n >> left) << right);
}

fn unit_part(w: u32, c: u32) -> i32 {
    let p = wide_product(w, c);
    return bitcast<i32>((p.x >> 30u) | (p.y << 2u));
}

fn unit(v: vec3<i32>) -> vec3<i32> {
    return way_along(v).direction;
}

fn quarter_sine(x: i32) -> i32 {
    let square = product(x, x, 30u);
    var sum = -5017110 + product(162088, square, 30u);
    sum = 85565131 + product(sum, square, 30u);
    sum = -693597962 + product(sum, square, 30u);
    sum = 1686629681 + product(sum, square, 30u);
    return min(product(x, sum, 30u), ONE);
}

fn cosine_and_sine(angle: u32) -> vec2<i32> {
    let rest = i32(angle & 0x3fffffffu);
    let s = quarter_sine(rest);
    let c = quarter_sine(ONE - rest);
    let odd = (angle & 0x40000000u) != 0u;
    let turned = vec2(select(c, -s, odd), select(s, c, odd));
    return select(turned, -turned, (angle & 0x80000000u) != 0u);
}

fn on_sphere(u: u32, v: u32) -> vec3<i32> {
    let z = ONE - i32(u >> 1u);
    let radius = i32(wide_root(wide_difference(vec2(0u, 0x10000000u), signed_product(z, z))));
    let angle = cosine_and_sine(v);
    return vec3(product(radius, angle.x, 30u), product(radius, angle.y, 30u), z);
}

fn on_disc(u: u32, v: u32) -> vec2<i32> {
    let radius = i32(wide_root(vec2(u << 28u, u >> 4u)));
    let angle = cosine_and_sine(v);
    return vec2(product(radius, angle.x, 30u), product(radius, angle.y, 30u));
}
