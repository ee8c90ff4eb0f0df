// A network applied to a batch of images: see docs/protocol/training.md, whose names these are. Training adds a shader
// of its own to this one (step.wgsl), with the same bindings and the parameters of a step.
//
// No sum leaves 32 bits, as the page proves; integer additions may come in any order.

struct Step {
    // The rounding generator's.
    key: vec2<u32>,
    nonce: vec2<u32>,
    // Where the step's batch begins in `batches`, and its loss in `losses`.
    first_image: u32,
    loss: u32,
    // The number of the step, and the shifts of the first and the last layer's gradients.
    step: u32,
    first_shift: u32,
    last_shift: u32,
    momentum_shift: u32,
    // Images of the batch.
    batch: u32,
    // Width of the padded image, and pixels in it.
    width: u32,
    pixels: u32,
    window_width: u32,
    window_height: u32,
    // Positions after pooling: in a row, in a column, in all; and the side of a square of positions before.
    wide: u32,
    high: u32,
    positions: u32,
    pool: u32,
    // Inputs of a channel with the constant one, features without it.
    inputs: u32,
    features: u32,
    classes: u32,
    // Weights of the first layer, and of both.
    first_weights: u32,
    weights: u32,
    // By how many bits the first layer's sums are shifted, and its gradients.
    shift: u32,
    position_bits: u32,
}

// The workgroups that a dispatch computes: a kernel can be cut into several.
struct Part {
    first: u32,
    end: u32,
}

@group(0) @binding(0) var<uniform> now: Step;
@group(1) @binding(0) var<uniform> part: Part;
// The padded images' inputs, four a word.
@group(0) @binding(1) var<storage, read> images: array<u32>;
// Image and label, one after the other.
@group(0) @binding(2) var<storage, read> batches: array<vec2<u32>>;
// The value in the lower 8 bits; above them how far the chosen position is from the first of its square, in the image.
@group(0) @binding(3) var<storage, read_write> features: array<u32>;
// Errors of the classes; when classifying, the logits of all batches.
@group(0) @binding(4) var<storage, read_write> class_errors: array<i32>;
@group(0) @binding(7) var<storage, read_write> weights: array<i32>;

const LANES: u32 = 64u;
const MAX_CLASSES: u32 = 256u;

// The number of a workgroup, in all parts.
fn number_of(group: vec3<u32>, groups: vec3<u32>) -> u32 {
    return part.first + group.y * groups.x + group.x;
}

// The input at `index` of all padded images.
fn input(index: u32) -> i32 {
    return i32((images[index >> 2u] >> ((index & 3u) * 8u)) & 255u);
}

// The sum of a channel, whose weights begin at `first`, for the window that begins at `corner`.
fn window_sum(first: u32, corner: u32) -> i32 {
    var sum = 127 * weights[first + now.inputs - 1u];
    var pixel = corner;
    var weight = first;
    for (var y = 0u; y < now.window_height; y++) {
        for (var x = 0u; x < now.window_width; x++) {
            sum += weights[weight + x] * input(pixel + x);
        }
        weight += now.window_width;
        pixel += now.width;
    }
    return sum;
}

// The features of all images of the batch, one for each invocation.
@compute @workgroup_size(64)
fn compute_features(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let number = number_of(group, groups);
    let id = number * LANES + lane;
    if (number >= part.end || id >= now.batch * now.features) {
        return;
    }
    let feature = id % now.features;
    let first = (feature / now.positions) * now.inputs;
    let image = batches[now.first_image + id / now.features].x * now.pixels;
    let position = feature % now.positions;
    let corner = image + (position / now.wide * now.width + position % now.wide) * now.pool;
    var best = -2147483647i;
    var chosen = 0u;
    for (var i = 0u; i < now.pool; i++) {
        for (var j = 0u; j < now.pool; j++) {
            let sum = window_sum(first, corner + i * now.width + j);
            if (sum > best) {
                best = sum;
                chosen = i * now.width + j;
            }
        }
    }
    let value = clamp((best + (1i << (now.shift - 1u))) >> now.shift, 0, 127);
    features[id] = u32(value) | (chosen << 8u);
}

fn value(image: u32, feature: u32) -> i32 {
    return i32(features[image * now.features + feature] & 255u);
}

// The part `slice` of `slices` of the logit of `label` of image `image` of the batch.
fn part_of_logit(image: u32, label: u32, slice: u32, slices: u32) -> i32 {
    let first = now.first_weights + label * (now.features + 1u);
    var sum = 0i;
    if (slice == 0u) {
        sum = 32 * weights[first + now.features];
    }
    for (var f = slice; f < now.features; f += slices) {
        sum += weights[first + f] * value(image, f);
    }
    return sum;
}

var<workgroup> logits: array<atomic<i32>, MAX_CLASSES>;

// Computes the logits of image `image` of the batch; all lanes take part.
fn compute_logits_of(image: u32, lane: u32) {
    for (var label = lane; label < now.classes; label += LANES) {
        atomicStore(&logits[label], 0);
    }
    workgroupBarrier();
    // Parts of each sum, so that all lanes have some.
    let slices = max(1u, LANES / now.classes);
    for (var part = lane; part < now.classes * slices; part += LANES) {
        let label = part / slices;
        atomicAdd(&logits[label], part_of_logit(image, label, part % slices, slices));
    }
    workgroupBarrier();
}

// The logits of all images of the batch, one image for each workgroup.
@compute @workgroup_size(64)
fn compute_logits(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let image = number_of(group, groups);
    if (image >= min(part.end, now.batch)) {
        return;
    }
    compute_logits_of(image, lane);
    for (var label = lane; label < now.classes; label += LANES) {
        class_errors[(now.first_image + image) * now.classes + label] = atomicLoad(&logits[label]);
    }
}
