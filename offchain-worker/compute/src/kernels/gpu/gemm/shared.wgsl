// Each workgroup copies a block of both operands to its shared memory: every vector is read from the buffers once per
// workgroup. There, neighbouring invocations read neighbouring vectors.

const DEPTH = {{DEPTH}}u;
const INVOCATIONS = {{WORKGROUP_X}}u * {{WORKGROUP_Y}}u;
const BLOCK_ROWS = {{WORKGROUP_Y}}u * {{TILE_ROWS}}u;
const BLOCK_COLUMNS = {{WORKGROUP_X}}u * {{TILE_COLUMNS}}u;

var<workgroup> rows_block: array<vec4<u32>, DEPTH * BLOCK_ROWS>;
var<workgroup> columns_block: array<vec4<u32>, DEPTH * BLOCK_COLUMNS>;

@compute @workgroup_size({{WORKGROUP_X}}, {{WORKGROUP_Y}})
fn product(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_id) place: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let first_row = params.first_row + group.y * BLOCK_ROWS;
    let first_column = params.first_column + group.x * BLOCK_COLUMNS;
    let row = first_row + place.y * {{TILE_ROWS}}u;
    let column = first_column + place.x * {{TILE_COLUMNS}}u;
    let batch = params.first_batch + group.z;
    let lhs_start = params.lhs_offset + batch * params.lhs_batch;
    let rhs_start = params.rhs_offset + batch * params.rhs_batch;
    {{SUMS}}
    for (var start = 0u; start < params.k_vectors; start += DEPTH) {
        for (var i = invocation; i < DEPTH * BLOCK_ROWS; i += INVOCATIONS) {
            let line = i / DEPTH;
            let k = i % DEPTH;
            var vector = vec4<u32>();
            if start + k < params.k_vectors {
                vector = load_lhs(lhs_start + min(first_row + line, params.m - 1u) * params.lhs_stride + start + k);
            }
            let place_of_line = (k * {{TILE_ROWS}}u + line % {{TILE_ROWS}}u) * {{WORKGROUP_Y}}u;
            rows_block[place_of_line + line / {{TILE_ROWS}}u] = vector;
        }
        for (var i = invocation; i < DEPTH * BLOCK_COLUMNS; i += INVOCATIONS) {
            let line = i / DEPTH;
            let k = i % DEPTH;
            var vector = vec4<u32>();
            if start + k < params.k_vectors {
                vector = load_rhs(rhs_start + min(first_column + line, params.n - 1u) * params.rhs_stride + start + k);
            }
            let place_of_line = (k * {{TILE_COLUMNS}}u + line % {{TILE_COLUMNS}}u) * {{WORKGROUP_X}}u;
            columns_block[place_of_line + line / {{TILE_COLUMNS}}u] = vector;
        }
        workgroupBarrier();
        for (var k = 0u; k < DEPTH; k += 1u) {
            {{LOADS}}
            {{PRODUCTS}}
        }
        workgroupBarrier();
    }
    {{STORES}}
}
