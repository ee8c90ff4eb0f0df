// A linear map of rows of levels: each invocation computes four outputs of four rows.

// What the batch holds.
struct Batch {
    tokens: u32,
}

struct Params {
    outputs: u32,
    // Words of a row of weights.
    words: u32,
    limbs: u32,
    // By how much values are shifted to their place in the table of the activation; 0: there is none.
    activation_shift: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> levels: array<u32>;
@group(0) @binding(2) var<storage, read> scales: array<i32>;
@group(0) @binding(3) var<storage, read> weights: array<u32>;
// Multiplier, shift, bias.
@group(0) @binding(4) var<storage, read> columns: array<vec4<i32>>;
@group(0) @binding(5) var<storage, read> activation: array<i32>;
@group(0) @binding(6) var<storage, read_write> target_rows: array<i32>;
@group(0) @binding(7) var<uniform> batch: Batch;

fn activated(x: i32) -> i32 {
    let shift = params.activation_shift;
    let place = ((x + (1i << ((shift - 1u) & 31u))) >> (shift & 31u)) + {{ACTIVATION_MIDDLE}}i;
    let value = activation[clamp(place, 0, {{ACTIVATION_LAST}}i)];
    return select(select(value, x, place > {{ACTIVATION_LAST}}i), 0i, place < 0);
}

fn output_of(sum: i32, column: vec4<i32>, scale: i32) -> i32 {
    let value = rescale(rescale(sum, column.x, u32(column.y)), scale, {{ROW_SHIFT}}u);
    let x = clamp_value(clamp_value(value) + column.z);
    if params.activation_shift == 0u {
        return x;
    }
    return activated(x);
}

@compute @workgroup_size(8, 8)
fn linear(@builtin(global_invocation_id) id: vec3<u32>) {
    let column = 4u * id.x;
    let row = 4u * id.y;
    // The buffers hold a multiple of four rows, and there is a multiple of four outputs.
    if column >= params.outputs || row >= batch.tokens {
        return;
    }
    let words = params.words;
    let stride = params.limbs * words;
    {{SUMS}}
    for (var limb = 0u; limb < params.limbs; limb += 1u) {
        if limb == 1u {
            {{RAISE}}
        }
        let l = row * stride + limb * words;
        let r = column * words;
        for (var k = 0u; k < words; k += 1u) {
            {{PRODUCTS}}
        }
    }
    {{STORES}}
}
