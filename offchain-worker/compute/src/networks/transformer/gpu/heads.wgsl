// Prepares the attention, in place: one invocation for each head of queries, keys or values of each token. Queries and
// keys become levels, and their scales are noted; values are limited.

struct Params {
    size: u32,
    heads: u32,
    // Heads of queries and keys together, and all heads.
    quantised: u32,
    all: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> rows: array<i32>;
@group(0) @binding(2) var<storage, read_write> head_scales: array<i32>;

@compute @workgroup_size({{GROUP}})
fn prepare(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) me: u32) {
    let row = group.x;
    for (var head = me; head < params.all; head += GROUP) {
        let start = (row * params.all + head) * params.size;
        if head >= params.quantised {
            for (var i = 0u; i < params.size; i += 1u) {
                rows[start + i] = clamp(rows[start + i], -32767, 32767);
            }
            continue;
        }
        var scale = 1u;
        for (var i = 0u; i < params.size; i += 1u) {
            scale = max(scale, u32(abs(rows[start + i])));
        }
        let reciprocal = {{ATTENTION_LEVELS}}u / scale;
        for (var i = 0u; i < params.size; i += 1u) {
            rows[start + i] = quantise(rows[start + i], reciprocal, {{ATTENTION_SHIFT}}u);
        }
        head_scales[row * params.quantised + head] = i32(scale);
    }
}
