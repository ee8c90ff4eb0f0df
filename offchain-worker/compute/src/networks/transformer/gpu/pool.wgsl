// The rows of an item's tokens, made one, in eighths of values: one workgroup for each item.

struct Params {
    width: u32,
    // 0: the mean, 1: the first, 2: the maximum, 3: the last, 4: the mean weighted by places.
    pooling: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
// First token, number of tokens.
@group(0) @binding(1) var<storage, read> items: array<vec2<u32>>;
@group(0) @binding(2) var<storage, read> states: array<i32>;
@group(0) @binding(3) var<storage, read_write> pooled: array<i32>;

// The mean of number `i` of `count` rows from `first` on, where the row in place j weighs j + 1.
//
// Its sum has up to 37 bits, so it is 1024 · high + low: at most 512 · 513 / 2 weights, of numbers below 2^9 and 2^10 in
// amount, and neither part leaves 32 bits.
fn weighted(first: u32, count: u32, i: u32) -> i32 {
    var high = 0i;
    var low = 0i;
    for (var j = 0u; j < count; j += 1u) {
        let value = states[(first + j) * params.width + i];
        high += i32(j + 1u) * (value >> 10u);
        low += i32(j + 1u) * (value & 1023i);
    }
    high += low >> 10u;
    low &= 1023i;
    let negative = high < 0;
    // −(1024 · high + low) = 1024 · (−high − 1) + (1024 − low).
    let amount_high = u32(select(high, -high - 1i, negative));
    let amount_low = u32(select(low, 1024i - low, negative));
    let weights = count * (count + 1u) / 2u;
    // ⌊(8 · amount + weights / 2) / weights⌋, with 8 · amount = 8192 · high + 8 · low: digit by digit. The remainder is below
    // 2^18, so that 8192 times it, and what is added, is below 2^32.
    let digit = amount_high / weights;
    let rest = amount_high % weights;
    let amount = i32(digit * 8192u + (rest * 8192u + 8u * amount_low + weights / 2u) / weights);
    return select(amount, -amount, negative);
}

@compute @workgroup_size({{GROUP}})
fn pool(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) me: u32) {
    let item = group.x;
    let first = items[item].x;
    let count = items[item].y;
    let is_mean = params.pooling == 0u;
    let is_max = params.pooling == 2u;
    // The tokens that matter, of which there is at least one.
    let begin = select(0u, count - 1u, params.pooling == 3u);
    let end = select(begin + 1u, count, is_mean || is_max);
    for (var i = me; i < params.width; i += GROUP) {
        if params.pooling == 4u {
            pooled[item * params.width + i] = weighted(first, count, i);
            continue;
        }
        var total = states[(first + begin) * params.width + i];
        for (var j = begin + 1u; j < end; j += 1u) {
            let value = states[(first + j) * params.width + i];
            total = select(total + value, max(total, value), is_max);
        }
        pooled[item * params.width + i] = divide(8i * total, select(1u, count, is_mean));
    }
}
