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

fn square_sum(v: vec3<u32>) -> vec2<u32> {
    return wide_sum(wide_sum(wide_product(v.x, v.x), wide_product(v.y, v.y)), wide_product(v.z, v.z));
}

// A vector as its direction and its length.
struct Normalised {
    direction: vec3<i32>,
    length: u32,
}

fn normalise_with_length(v: vec3<i32>) -> Normalised {
    let size = vec3<u32>(abs(v));
    let zeros = countLeadingZeros(size.x | size.y | size.z);
    if zeros == 32u {
        return Normalised(vec3(0, 0, ONE), 0u);
    }
    // 29 bits.
    let left = u32(max(i32(zeros) - 3, 0));
    let right = u32(max(3 - i32(zeros), 0));
    let w = (size << vec3(left)) >> vec3(right);
    let n = wide_root(square_sum(w));
    let c = wide_quotient(0x0fffffffu, MOST, n);
    let forward = vec3(unit_part(w.x, c), unit_part(w.y, c), unit_part(w.z, c));
    return Normalised(select(forward, -forward, v < vec3(0)), (n >> left) << right);
}

fn unit_part(w: u32, c: u32) -> i32 {
    let p = wide_product(w, c);
    return bitcast<i32>((p.x >> 30u) | (p.y << 2u));
}

fn normalise(v: vec3<i32>) -> vec3<i32> {
    return normalise_with_length(v).direction;
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
