
@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let parents = (params.count + 1u) / 2u;
    for (var parent = id.x; parent < parents; parent += groups.x * GROUP) {
        var value: array<u32, 8>;
        if 2u * parent + 1u < params.count {
            var m: array<u32, 16>;
            for (var i = 0u; i < 16u; i++) {
                m[i] = content[parent * 16u + i];
            }
            value = compress(IV, m, 0u, 64u, PARENT | select(0u, ROOT, params.count == 2u));
        } else {
            for (var i = 0u; i < 8u; i++) {
                value[i] = content[parent * 16u + i];
            }
        }
        for (var i = 0u; i < 8u; i++) {
            values[parent * 8u + i] = value[i];
        }
    }
}
