// The outputs of a linear layer from its sums, rescaled: one workgroup for each row.

struct Params {
    outputs: u32,
    limbs: u32,
    // By how much values are shifted to their place in the table of the activation; 0: there is none.
    activation_shift: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
// One row for each limb.
@group(0) @binding(1) var<storage, read> sums: array<i32>;
@group(0) @binding(2) var<storage, read> scales: array<i32>;
// Multiplier, shift, bias.
@group(0) @binding(3) var<storage, read> columns: array<vec4<i32>>;
@group(0) @binding(4) var<storage, read> activation: array<i32>;
@group(0) @binding(5) var<storage, read_write> target_rows: array<i32>;

fn activated(x: i32) -> i32 {
    let shift = params.activation_shift;
    let place = ((x + (1i << ((shift - 1u) & 31u))) >> (shift & 31u)) + {{ACTIVATION_MIDDLE}}i;
    let value = activation[clamp(place, 0, {{ACTIVATION_LAST}}i)];
    return select(select(value, x, place > {{ACTIVATION_LAST}}i), 0i, place < 0);
}

@compute @workgroup_size({{GROUP}})
fn outputs(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) me: u32) {
    let row = group.x;
    let scale = scales[row];
    for (var i = me; i < params.outputs; i += GROUP) {
        let start = row * params.limbs * params.outputs + i;
        var sum = sums[start];
        if params.limbs == 2u {
            sum = 128 * sum + sums[start + params.outputs];
        }
        let column = columns[i];
        let value = rescale(rescale(sum, column.x, u32(column.y)), scale, {{ROW_SHIFT}}u);
        var x = clamp_value(clamp_value(value) + column.z);
        if params.activation_shift > 0u {
            x = activated(x);
        }
        target_rows[row * params.outputs + i] = x;
    }
}
