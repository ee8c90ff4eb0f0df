// Adds the output of a block to the states, normalises them, and quantises them for the next linear layer: one
// workgroup for each row.

struct Params {
    width: u32,
    // 1: the output of a block is added; 0: the states are taken as they are.
    addends: u32,
    shift: u32,
    epsilon: u32,
    limbs: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
// Weight, bias.
@group(0) @binding(1) var<storage, read> weights: array<vec2<i32>>;
@group(0) @binding(2) var<storage, read> addends: array<i32>;
@group(0) @binding(3) var<storage, read_write> states: array<i32>;
@group(0) @binding(4) var<storage, read_write> levels: array<u32>;
@group(0) @binding(5) var<storage, read_write> scales: array<i32>;

@compute @workgroup_size({{GROUP}})
fn norm(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) me: u32) {
    let row = group.x;
    let start = row * params.width;
    let words = params.width / 4u;
    // Each invocation has the same places of the row in every loop, so that it reads only what it wrote.
    var part = 0i;
    for (var i = me; i < words; i += GROUP) {
        for (var b = 0u; b < 4u; b += 1u) {
            let at = start + 4u * i + b;
            var x = states[at];
            if params.addends == 1u {
                x = clamp_value(x + addends[at]);
                states[at] = x;
            }
            part += x;
        }
    }
    let mean = divide(sum(part, me), params.width);

    var squares = vec2<u32>(0u, 0u);
    for (var i = me; i < words; i += GROUP) {
        for (var b = 0u; b < 4u; b += 1u) {
            let amount = u32(abs(states[start + 4u * i + b] - mean));
            squares = wide_sum(squares, wide_product(amount, amount));
        }
    }
    let by = normaliser(wide_sum(row_wide_sum(squares, me), vec2<u32>(params.epsilon, 0u)));

    var scale = 1u;
    for (var i = me; i < words; i += GROUP) {
        for (var b = 0u; b < 4u; b += 1u) {
            let at = 4u * i + b;
            let weight = weights[at];
            let x = clamp_value(rescale(normal(states[start + at] - mean, by), weight.x, params.shift));
            let y = clamp_value(x + weight.y);
            states[start + at] = y;
            scale = max(scale, u32(abs(y)));
        }
    }
    scale = most(scale, me);
    let levels_by = reciprocal(scale, params.limbs);
    for (var i = me; i < words; i += GROUP) {
        let at = start + 4u * i;
        let x = vec4<i32>(states[at], states[at + 1u], states[at + 2u], states[at + 3u]);
        write_levels(row, i, words, x, levels_by, params.limbs);
    }
    if me == 0u {
        scales[row] = i32(scale);
    }
}
