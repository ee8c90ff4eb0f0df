// One step of a network's training, after forward.wgsl, which computes its features: see docs/protocol/training.md,
// whose names these are.

@group(0) @binding(5) var<storage, read_write> feature_errors: array<i32>;
// The master weights, then the momenta.
@group(0) @binding(6) var<storage, read_write> state: array<i32>;
@group(0) @binding(8) var<storage, read_write> losses: array<atomic<u32>>;
// Of the first layer; zeros between two steps.
@group(0) @binding(9) var<storage, read_write> gradients: array<atomic<i32>>;

var<workgroup> errors: array<i32, MAX_CLASSES>;
var<workgroup> total: atomic<u32>;

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
    let image = number_of(group, groups);
    if (image >= min(part.end, now.batch)) {
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

// The part of the gradient of a weight of the first layer that comes from the images `first` to `end` of the batch.
fn first_gradient(channel: u32, index: u32, first: u32, end: u32) -> i32 {
    let offset = index / now.window_width * now.width + index % now.window_width;
    var gradient = 0i;
    for (var b = first; b < end; b++) {
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

// The gradients of the first layer: one weight and some images for each invocation, so that none lasts long.
@compute @workgroup_size(64)
fn sum_gradients(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let number = number_of(group, groups);
    let id = number * LANES + lane;
    // As many as `images_each` in gpu.rs says.
    let images_each = max(1u, 256u / now.positions);
    let first = id / now.first_weights * images_each;
    if (number >= part.end || first >= now.batch) {
        return;
    }
    let weight = id % now.first_weights;
    let end = min(first + images_each, now.batch);
    atomicAdd(&gradients[weight], first_gradient(weight / now.inputs, weight % now.inputs, first, end));
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

// Four words for eight weights.
var<workgroup> random: array<vec4<u32>, 8>;

// Changes the weights by the gradients, one weight for each invocation.
@compute @workgroup_size(64)
fn change_weights(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let number = number_of(group, groups);
    let first = number * LANES;
    if (lane < 8u) {
        random[lane] = philox(vec4<u32>(first / 8u + lane, now.step, now.nonce), now.key);
    }
    workgroupBarrier();
    let id = first + lane;
    if (number >= part.end || id >= now.weights) {
        return;
    }
    var gradient = 0i;
    var shift = now.first_shift;
    if (id < now.first_weights) {
        gradient = atomicExchange(&gradients[id], 0);
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
