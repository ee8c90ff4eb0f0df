// Quantises rows for the next linear layer: one workgroup for each row.

struct Params {
    width: u32,
    limbs: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> source: array<i32>;
@group(0) @binding(2) var<storage, read_write> levels: array<u32>;
@group(0) @binding(3) var<storage, read_write> scales: array<i32>;

@compute @workgroup_size({{GROUP}})
fn quantise_rows(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) me: u32) {
    let row = group.x;
    let start = row * params.width;
    let words = params.width / 4u;
    var scale = 1u;
    for (var i = me; i < params.width; i += GROUP) {
        scale = max(scale, u32(abs(source[start + i])));
    }
    scale = most(scale, me);
    let by = reciprocal(scale, params.limbs);
    for (var i = me; i < words; i += GROUP) {
        let at = start + 4u * i;
        let x = vec4<i32>(source[at], source[at + 1u], source[at + 2u], source[at + 3u]);
        write_levels(row, i, words, x, by, params.limbs);
    }
    if me == 0u {
        scales[row] = i32(scale);
    }
}
