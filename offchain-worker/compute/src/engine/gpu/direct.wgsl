// Reads both factors right from their buffers: for devices with caches and few registers to spare.

@compute @workgroup_size({{WORKGROUP_X}}, {{WORKGROUP_Y}})
fn product(@builtin(global_invocation_id) id: vec3<u32>) {
    let row_tile = params.first_row_tile + id.x;
    let column_tile = params.first_column_tile + id.y;
    if row_tile >= params.end_row_tile || column_tile >= params.end_column_tile {
        return;
    }
    let row = row_tile * {{TILE_ROWS}}u;
    let column = column_tile * {{TILE_COLUMNS}}u;
    let vectors = params.vectors;
    {{BASES}}
    {{SUMS}}
    for (var k = 0u; k < vectors; k += 1u) {
        {{LOADS}}
        {{PRODUCTS}}
    }
    {{STORES}}
}
