// Each invocation reads what it multiplies, through the caches.

@compute @workgroup_size({{WORKGROUP_X}}, {{WORKGROUP_Y}})
fn product(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) place: vec3<u32>) {
    let row = params.first_row + (group.y * {{WORKGROUP_Y}}u + place.y) * {{TILE_ROWS}}u;
    let column = params.first_column + (group.x * {{WORKGROUP_X}}u + place.x) * {{TILE_COLUMNS}}u;
    let batch = params.first_batch + group.z;
    {{BASES}}
    {{SUMS}}
    for (var k = 0u; k < params.k_vectors; k += 1u) {
        {{LOADS}}
        {{PRODUCTS}}
    }
    {{STORES}}
}
