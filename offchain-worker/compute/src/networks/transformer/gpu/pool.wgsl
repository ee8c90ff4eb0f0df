// The rows of an item's tokens, made one and scaled to the Euclidean length 1: one workgroup for each item.

struct Params {
    width: u32,
    // 0: the mean, 1: the first, 2: the maximum, 3: the last.
    pooling: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
// First token, number of tokens.
@group(0) @binding(1) var<storage, read> items: array<vec2<u32>>;
@group(0) @binding(2) var<storage, read> states: array<i32>;
@group(0) @binding(3) var<storage, read_write> means: array<i32>;
@group(0) @binding(4) var<storage, read_write> embeddings: array<u32>;

fn element(x: i32, by: vec2<u32>) -> u32 {
    return bitcast<u32>(clamp(divide(normal(x, by), 512u), -32767, 32767)) & 0xffffu;
}

@compute @workgroup_size({{GROUP}})
fn pool(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) me: u32) {
    let item = group.x;
    let first = items[item].x;
    let count = items[item].y;
    let pairs = params.width / 2u;
    let is_mean = params.pooling == 0u;
    let is_max = params.pooling == 2u;
    // The tokens that matter, of which there is at least one.
    let begin = select(0u, count - 1u, params.pooling == 3u);
    let end = select(begin + 1u, count, is_mean || is_max);
    // Each invocation has the same places in both loops, so that it reads only what it wrote.
    var squares = vec2<u32>(0u, 0u);
    for (var i = me; i < pairs; i += GROUP) {
        for (var b = 0u; b < 2u; b += 1u) {
            var total = states[(first + begin) * params.width + 2u * i + b];
            for (var j = begin + 1u; j < end; j += 1u) {
                let value = states[(first + j) * params.width + 2u * i + b];
                total = select(total + value, max(total, value), is_max);
            }
            let mean = divide(8i * total, select(1u, count, is_mean));
            means[item * params.width + 2u * i + b] = mean;
            squares = wide_sum(squares, wide_product(u32(abs(mean)), u32(abs(mean))));
        }
    }
    let by = normaliser(row_wide_sum(squares, me));
    for (var i = me; i < pairs; i += GROUP) {
        let at = item * params.width + 2u * i;
        embeddings[item * pairs + i] = element(means[at], by) | (element(means[at + 1u], by) << 16u);
    }
}
