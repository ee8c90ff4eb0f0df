// A network applied to a batch of images, and one step of its training: see docs/protocol/training.md, whose names these are.
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

@group(0) @binding(0) var<uniform> now: Step;
// The padded images' inputs, four a word.
@group(0) @binding(1) var<storage, read> images: array<u32>;
// Image and label, one after the other.
@group(0) @binding(2) var<storage, read> batches: array<vec2<u32>>;
// The value in the lower 8 bits; above them how far the chosen position is from the first of its square, in the image.
@group(0) @binding(3) var<storage, read_write> features: array<u32>;
// Errors of the classes; when classifying, the logits of all batches.
@group(0) @binding(4) var<storage, read_write> class_errors: array<i32>;
@group(0) @binding(5) var<storage, read_write> feature_errors: array<i32>;
// The master weights, then the momenta.
@group(0) @binding(6) var<storage, read_write> state: array<i32>;
@group(0) @binding(7) var<storage, read_write> weights: array<i32>;
@group(0) @binding(8) var<storage, read_write> losses: array<atomic<u32>>;

const LANES: u32 = 64u;
const MAX_CLASSES: u32 = 256u;

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
    let id = (group.y * groups.x + group.x) * LANES + lane;
    if (id >= now.batch * now.features) {
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
var<workgroup> errors: array<i32, MAX_CLASSES>;
var<workgroup> total: atomic<u32>;

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
    let image = group.y * groups.x + group.x;
    if (image >= now.batch) {
        return;
    }
    compute_logits_of(image, lane);
    for (var label = lane; label < now.classes; label += LANES) {
        class_errors[(now.first_image + image) * now.classes + label] = atomicLoad(&logits[label]);
    }
}

// About 2^16 · 2^(−below / 2^11).
fn power(below: u32) -> u32 {
    let x = below & 2047u;
    let bend = (1406u * (x * (2048u - x))) >> 19u;
    return (65536u - 16u * x - bend) >> min(31u, below >> 11u);
}

// About log₂(sum / 2^16) · 2^11.
fn logarithm(sum: u32) -> u32 {
    let g = firstLeadingBit(sum);
    let x = (sum >> ((g - 11u) & 31u)) - 2048u;
    return ((g - 16u) << 11u) + x + ((704u * (x * (2048u - x))) >> 22u);
}

// The errors of classes and features, and the loss; one image of the batch for each workgroup.
@compute @workgroup_size(64)
fn compute_errors(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let image = group.y * groups.x + group.x;
    if (image >= now.batch) {
        return;
    }
    if (lane == 0u) {
        atomicStore(&total, 0u);
    }
    compute_logits_of(image, lane);
    var largest = -2147483647i;
    for (var label = 0u; label < now.classes; label++) {
        largest = max(largest, atomicLoad(&logits[label]));
    }
    for (var label = lane; label < now.classes; label += LANES) {
        atomicAdd(&total, power(u32(largest - atomicLoad(&logits[label]))));
    }
    workgroupBarrier();
    let sum = atomicLoad(&total);
    let right = batches[now.first_image + image].y;
    for (var label = lane; label < now.classes; label += LANES) {
        let below = u32(largest - atomicLoad(&logits[label]));
        var error = i32((power(below) * 16384u + sum / 2u) / sum);
        if (label == right) {
            error -= 16384;
            atomicAdd(&losses[now.loss], min(1048576u, below + logarithm(sum)));
        }
        errors[label] = error;
        class_errors[image * now.classes + label] = error;
    }
    workgroupBarrier();
    for (var f = lane; f < now.features; f += LANES) {
        var error = 0i;
        let a = value(image, f);
        if (a > 0 && a < 127) {
            var weight = now.first_weights + f;
            for (var label = 0u; label < now.classes; label++) {
                error += errors[label] * weights[weight];
                weight += now.features + 1u;
            }
            error = (error + 64) >> 7u;
        }
        feature_errors[image * now.features + f] = error;
    }
}

fn first_gradient(channel: u32, index: u32) -> i32 {
    let offset = index / now.window_width * now.width + index % now.window_width;
    var gradient = 0i;
    for (var b = 0u; b < now.batch; b++) {
        let image = batches[now.first_image + b].x * now.pixels + offset;
        var sum = 0i;
        var feature = b * now.features + channel * now.positions;
        for (var y = 0u; y < now.high; y++) {
            for (var x = 0u; x < now.wide; x++) {
                let error = feature_errors[feature];
                if (index == now.inputs - 1u) {
                    sum += error * 127;
                } else if (error != 0) {
                    sum += error * input(image + (y * now.width + x) * now.pool + (features[feature] >> 8u));
                }
                feature += 1u;
            }
        }
        gradient += (sum + ((1i << now.position_bits) >> 1u)) >> now.position_bits;
    }
    return gradient;
}

fn last_gradient(label: u32, feature: u32) -> i32 {
    var gradient = 0i;
    for (var b = 0u; b < now.batch; b++) {
        var a = 32i;
        if (feature < now.features) {
            a = value(b, feature);
        }
        gradient += class_errors[b * now.classes + label] * a;
    }
    return gradient;
}

fn multiply_high(a: u32, b: u32) -> u32 {
    let low = (a & 65535u) * (b & 65535u);
    let middle = (a >> 16u) * (b & 65535u) + (low >> 16u);
    let other = (a & 65535u) * (b >> 16u) + (middle & 65535u);
    return (a >> 16u) * (b >> 16u) + (middle >> 16u) + (other >> 16u);
}

fn philox(counter: vec4<u32>) -> vec4<u32> {
    var c = counter;
    var k = now.key;
    for (var round = 0u; round < 10u; round++) {
        let high0 = multiply_high(0xD2511F53u, c.x);
        let high1 = multiply_high(0xCD9E8D57u, c.z);
        c = vec4<u32>(high1 ^ c.y ^ k.x, 0xCD9E8D57u * c.z, high0 ^ c.w ^ k.y, 0xD2511F53u * c.x);
        k += vec2<u32>(0x9E3779B9u, 0xBB67AE85u);
    }
    return c;
}

// Four words for eight weights.
var<workgroup> random: array<vec4<u32>, 8>;

// Changes the weights by the gradients, one weight for each invocation.
@compute @workgroup_size(64)
fn change_weights(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let first = (group.y * groups.x + group.x) * LANES;
    if (lane < 8u) {
        random[lane] = philox(vec4<u32>(first / 8u + lane, now.step, now.nonce));
    }
    workgroupBarrier();
    let id = first + lane;
    if (id >= now.weights) {
        return;
    }
    var gradient = 0i;
    var shift = now.first_shift;
    if (id < now.first_weights) {
        gradient = first_gradient(id / now.inputs, id % now.inputs);
    } else {
        shift = now.last_shift;
        let last = id - now.first_weights;
        gradient = last_gradient(last / (now.features + 1u), last % (now.features + 1u));
    }
    let words = random[lane / 8u];
    let bits = (words[(lane % 8u) / 2u] >> ((lane & 1u) * 16u)) & ((1u << shift) - 1u);
    let change = clamp((gradient + i32(bits)) >> shift, -4194304, 4194304);
    var momentum = state[now.weights + id];
    let lost = (abs(momentum) + ((1i << now.momentum_shift) - 1)) >> now.momentum_shift;
    momentum += change - lost * sign(momentum);
    let weight = clamp(state[id] - momentum, -8323072, 8323072);
    state[now.weights + id] = momentum;
    state[id] = weight;
    weights[id] = clamp((weight + 32768) >> 16u, -127, 127);
}
