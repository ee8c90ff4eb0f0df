// The vectors of items, after the activation of the dense layer if there is one, scaled to the Euclidean length 1: one
// workgroup for each item.

struct Params {
    width: u32,
    // 1: the hyperbolic tangent; 0: there is no activation.
    activation: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> exponent: array<i32>;
@group(0) @binding(2) var<storage, read_write> vectors: array<i32>;
@group(0) @binding(3) var<storage, read_write> embeddings: array<u32>;

fn tangent(x: i32) -> i32 {
    // At most one, which is 32768.
    let e = power(u32(abs(x)));
    let amount = i32((((32768u - e) << 15u) + (32768u + e) / 2u) / (32768u + e));
    return select(amount, -amount, x < 0);
}

fn element(x: i32, by: vec2<u32>) -> u32 {
    return bitcast<u32>(clamp(divide(normal(x, by), 512u), -32767, 32767)) & 0xffffu;
}

@compute @workgroup_size({{GROUP}})
fn unit(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) me: u32) {
    let item = group.x;
    let pairs = params.width / 2u;
    // Each invocation has the same places in both loops, so that it reads only what it wrote.
    var squares = vec2<u32>(0u, 0u);
    for (var i = me; i < pairs; i += GROUP) {
        for (var b = 0u; b < 2u; b += 1u) {
            let at = item * params.width + 2u * i + b;
            var x = vectors[at];
            if params.activation == 1u {
                x = tangent(x);
                vectors[at] = x;
            }
            squares = wide_sum(squares, wide_product(u32(abs(x)), u32(abs(x))));
        }
    }
    let by = normaliser(row_wide_sum(squares, me));
    for (var i = me; i < pairs; i += GROUP) {
        let at = item * params.width + 2u * i;
        embeddings[item * pairs + i] = element(vectors[at], by) | (element(vectors[at + 1u], by) << 16u);
    }
}
