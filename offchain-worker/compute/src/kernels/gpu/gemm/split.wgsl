// The invocations of a workgroup share the sums of a tile: for few rows, where a tile each would leave most of a device
// idle. Neighbouring invocations read neighbouring vectors.

const INVOCATIONS = {{WORKGROUP_X}}u;

var<workgroup> partial: array<i32, INVOCATIONS * {{TILE_ROWS}}u * {{TILE_COLUMNS}}u>;

@compute @workgroup_size({{WORKGROUP_X}})
fn product(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) invocation: u32) {
    let row = params.first_row + group.y * {{TILE_ROWS}}u;
    let column = params.first_column + group.x * {{TILE_COLUMNS}}u;
    let batch = params.first_batch + group.z;
    {{BASES}}
    {{SUMS}}
    for (var k = invocation; k < params.k_vectors; k += INVOCATIONS) {
        {{LOADS}}
        {{PRODUCTS}}
    }
    {{SHARES}}
    for (var half = INVOCATIONS / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if invocation < half {
            {{ADDITIONS}}
        }
    }
    if invocation == 0u {
        {{TOTALS}}
        {{STORES}}
    }
}
