// The first state of each token, before its normalisation: one invocation for each place of the row.

struct Params {
    width: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
// Token, position.
@group(0) @binding(1) var<storage, read> tokens: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> weights: array<u32>;
// Multiplier, shift.
@group(0) @binding(3) var<storage, read> scales: array<vec2<i32>>;
@group(0) @binding(4) var<storage, read> positions: array<i32>;
@group(0) @binding(5) var<storage, read_write> states: array<i32>;

@compute @workgroup_size({{GROUP}})
fn embed(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) me: u32) {
    let row = group.x;
    let token = tokens[row].x;
    let position = tokens[row].y;
    let scale = scales[token];
    for (var i = me; i < params.width; i += GROUP) {
        let at = token * params.width + i;
        let weight = extractBits(bitcast<i32>(weights[at / 4u]), 8u * (at % 4u), 8u);
        let value = clamp_value(rescale(weight, scale.x, u32(scale.y)));
        states[row * params.width + i] = clamp_value(value + positions[position * params.width + i]);
    }
}
