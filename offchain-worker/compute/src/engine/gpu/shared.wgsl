// Each workgroup first copies a block of both factors to its shared memory: every vector is read from the buffers once
// per workgroup. In shared memory, neighbouring invocations read neighbouring vectors.

const DEPTH = {{DEPTH}}u;
const INVOCATIONS = {{WORKGROUP_X}}u * {{WORKGROUP_Y}}u;
const BLOCK_ROWS = {{WORKGROUP_X}}u * {{TILE_ROWS}}u;
const BLOCK_COLUMNS = {{WORKGROUP_Y}}u * {{TILE_COLUMNS}}u;

var<workgroup> rows_block: array<vec4<u32>, DEPTH * BLOCK_ROWS>;
var<workgroup> columns_block: array<vec4<u32>, DEPTH * BLOCK_COLUMNS>;

@compute @workgroup_size({{WORKGROUP_X}}, {{WORKGROUP_Y}})
fn product(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_id) place: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let row_tile = params.first_row_tile + group.x * {{WORKGROUP_X}}u + place.x;
    let column_tile = params.first_column_tile + group.y * {{WORKGROUP_Y}}u + place.y;
    let row = row_tile * {{TILE_ROWS}}u;
    let column = column_tile * {{TILE_COLUMNS}}u;
    let first_row = (row_tile - place.x) * {{TILE_ROWS}}u;
    let first_column = (column_tile - place.y) * {{TILE_COLUMNS}}u;
    let end_row = params.end_row_tile * {{TILE_ROWS}}u;
    let end_column = params.end_column_tile * {{TILE_COLUMNS}}u;
    let vectors = params.vectors;
    {{SUMS}}
    for (var start = 0u; start < vectors; start += DEPTH) {
        for (var i = invocation; i < DEPTH * BLOCK_ROWS; i += INVOCATIONS) {
            let line = i / DEPTH;
            let k = i % DEPTH;
            var vector = vec4<u32>(0u, 0u, 0u, 0u);
            if first_row + line < end_row && start + k < vectors {
                vector = left[(first_row + line) * vectors + start + k];
            }
            let place_of_line = (k * {{TILE_ROWS}}u + line % {{TILE_ROWS}}u) * {{WORKGROUP_X}}u;
            rows_block[place_of_line + line / {{TILE_ROWS}}u] = vector;
        }
        for (var i = invocation; i < DEPTH * BLOCK_COLUMNS; i += INVOCATIONS) {
            let line = i / DEPTH;
            let k = i % DEPTH;
            var vector = vec4<u32>(0u, 0u, 0u, 0u);
            if first_column + line < end_column && start + k < vectors {
                vector = right[(first_column + line) * vectors + start + k];
            }
            let place_of_line = (k * {{TILE_COLUMNS}}u + line % {{TILE_COLUMNS}}u) * {{WORKGROUP_Y}}u;
            columns_block[place_of_line + line / {{TILE_COLUMNS}}u] = vector;
        }
        workgroupBarrier();
        for (var k = 0u; k < DEPTH; k += 1u) {
            {{SHARED_LOADS}}
            {{PRODUCTS}}
        }
        workgroupBarrier();
    }
    if row_tile < params.end_row_tile && column_tile < params.end_column_tile {
        {{STORES}}
    }
}
