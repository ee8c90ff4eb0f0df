// Columns' bias, multiplier and shift: requantise.rs says what becomes of a sum.
@group(0) @binding(4) var<storage, read> scales: array<vec4<i32>>;

// ⌊(x · multiplier + 2^(shift − 1)) / 2^shift⌋ for 0 ≤ multiplier and 31 ≤ shift ≤ 62, from 16-bit limbs.
fn rescale(x: i32, multiplier: u32, shift: u32) -> i32 {
    let a = bitcast<u32>(x);
    let a_low = a & 0xffffu;
    let a_high = a >> 16u;
    let b_low = multiplier & 0xffffu;
    let b_high = multiplier >> 16u;
    let low_low = a_low * b_low;
    let low_high = a_low * b_high;
    let high_low = a_high * b_low;
    let middle = (low_low >> 16u) + (low_high & 0xffffu) + (high_low & 0xffffu);
    let low = (low_low & 0xffffu) | (middle << 16u);
    var high = a_high * b_high + (low_high >> 16u) + (high_low >> 16u) + (middle >> 16u);
    // As unsigned, a negative x is 2³² too much.
    high -= select(0u, multiplier, x < 0);
    let place = shift - 1u;
    let half_low = select(0u, 1u << (place & 31u), place < 32u);
    let half_high = select(1u << (place & 31u), 0u, place < 32u);
    let rounded = low + half_low;
    high += half_high + select(0u, 1u, rounded < low);
    let narrow = bitcast<i32>((high << 1u) | (rounded >> 31u));
    return select(bitcast<i32>(high) >> ((shift - 32u) & 31u), narrow, shift == 31u);
}

fn byte(sum: i32, row: u32, column: u32) -> u32 {
    let scale = scales[min(column, params.columns - 1u)];
    let scaled = rescale(sum + scale.x, bitcast<u32>(scale.y), bitcast<u32>(scale.z));
    let clamped = bitcast<u32>(clamp(scaled, params.low, params.high)) & 255u;
    return select(0u, clamped, column < params.columns);
}
