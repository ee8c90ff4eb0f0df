// The attention of one head of one token: one workgroup for each.

struct Params {
    size: u32,
    heads: u32,
    quantised: u32,
    all: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
// First token of the item, number of its tokens.
@group(0) @binding(1) var<storage, read> tokens: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> rows: array<i32>;
@group(0) @binding(3) var<storage, read> head_scales: array<i32>;
@group(0) @binding(4) var<storage, read> exponent: array<i32>;
@group(0) @binding(5) var<storage, read_write> attended: array<i32>;

var<workgroup> scores: array<i32, {{MAX_POSITIONS}}>;

@compute @workgroup_size({{GROUP}})
fn attend(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) me: u32) {
    let row = group.x;
    let head = group.y;
    let first = tokens[row].z;
    let count = tokens[row].w;
    let key_heads = params.quantised - params.heads;
    let key_head = head / (params.heads / key_heads);
    let query = (row * params.all + head) * params.size;
    let query_scale = head_scales[row * params.quantised + head];

    // Signed numbers in the order of unsigned ones.
    var highest = 0u;
    for (var j = me; j < count; j += GROUP) {
        let key = ((first + j) * params.all + params.heads + key_head) * params.size;
        var sum = 0i;
        for (var i = 0u; i < params.size; i += 1u) {
            sum += rows[query + i] * rows[key + i];
        }
        let key_scale = head_scales[(first + j) * params.quantised + params.heads + key_head];
        let score = rescale(rescale(sum, query_scale, {{QUERY_SHIFT}}u), key_scale, {{KEY_SHIFT}}u);
        scores[j] = score;
        highest = max(highest, bitcast<u32>(score) ^ 0x80000000u);
    }
    highest = most(highest, me);

    var part = 0i;
    for (var j = me; j < count; j += GROUP) {
        let distance = highest - (bitcast<u32>(scores[j]) ^ 0x80000000u);
        let weight = i32(power(distance));
        scores[j] = weight;
        part += weight;
    }
    let total = u32(sum(part, me));
    for (var j = me; j < count; j += GROUP) {
        scores[j] = i32(((u32(scores[j]) << 15u) + total / 2u) / total);
    }
    workgroupBarrier();

    for (var i = me; i < params.size; i += GROUP) {
        var weighted = 0i;
        for (var j = 0u; j < count; j += 1u) {
            let value = ((first + j) * params.all + params.quantised + key_head) * params.size;
            weighted += scores[j] * rows[value + i];
        }
        attended[(row * params.heads + head) * params.size + i] = divide(weighted, 32768u);
    }
}
