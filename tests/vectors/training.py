#!/usr/bin/env python3
"""A second implementation of docs/protocol/training.md, independent of the Rust code, in the standard library alone.

  training.py          writes the golden vectors beside this file
  training.py --check  fails if the file differs from what it would write

It is written to be compared with the page, not to be fast.
"""

import json
import pathlib
import sys
from types import SimpleNamespace

from blake3 import blake3
from reference import H, blob, claim, philox4x32_10, u32

M32 = 0xFFFFFFFF


def u16(x: int) -> bytes:
    return x.to_bytes(2, "little")


def i32(x: int) -> bytes:
    return x.to_bytes(4, "little", signed=True)


def words(seed: bytes, label: bytes, block: int) -> tuple:
    h = H(b"agora/philox/1" + seed + label)
    k0, k1, n0, n1 = (int.from_bytes(h[i:i + 4], "little") for i in (0, 4, 8, 12))
    return philox4x32_10((block & M32, block >> 32, n0, n1), (k0, k1))


def word(seed: bytes, label: bytes, block: int, i: int) -> int:
    return words(seed, label, block + i // 4)[i % 4]


def clamp(x: int, low: int, high: int) -> int:
    return min(high, max(low, x))


# --- the network

def shape_of(job) -> SimpleNamespace:
    n = job["network"]
    if n["kind"] == "perceptron":
        window, padding, pool, channels = (job["width"], job["height"]), 0, 1, n["hidden"]
    else:
        window, padding, pool, channels = (n["window"],) * 2, n["window"] // 2, n["pool"], n["channels"]
    s = SimpleNamespace(width=job["width"], height=job["height"], window=window, padding=padding, pool=pool,
                        channels=channels, classes=job["classes"])
    s.K = window[0] * window[1]
    s.w = (s.width + 2 * padding - window[0] + 1) // pool
    s.h = (s.height + 2 * padding - window[1] + 1) // pool
    s.P = s.w * s.h
    s.F = channels * s.P
    s.first = channels * (s.K + 1)
    s.N = s.first + s.classes * (s.F + 1)
    return s


def network_input(pixel: int, maximum: int) -> int:
    return (127 * pixel + maximum // 2) // maximum


def pad(s, pixels: bytes, maximum: int) -> list:
    """Rows of the padded image."""
    image = [[0] * (s.width + 2 * s.padding) for _ in range(s.height + 2 * s.padding)]
    for y in range(s.height):
        for x in range(s.width):
            image[y + s.padding][x + s.padding] = network_input(pixels[y * s.width + x], maximum)
    return image


def window_inputs(s, image: list, y: int, x: int) -> list:
    """The K + 1 inputs at a position."""
    return [image[y + j][x + i] for j in range(s.window[1]) for i in range(s.window[0])] + [127]


def forward(s, w8: list, shift: int, image: list):
    """Returns the features with the constant one, the inputs that were chosen for each, and the logits."""
    features, chosen = [], []
    for c in range(s.channels):
        weights = w8[c * (s.K + 1):(c + 1) * (s.K + 1)]
        for p in range(s.P):
            top, left = p // s.w * s.pool, p % s.w * s.pool
            best = None
            for i in range(s.pool):
                for j in range(s.pool):
                    inputs = window_inputs(s, image, top + i, left + j)
                    total = sum(a * b for a, b in zip(weights, inputs))
                    if best is None or total > best[0]:
                        best = (total, inputs)
            features.append(min(127, max(0, (best[0] + (1 << (shift - 1))) >> shift)))
            chosen.append(best[1])
    features.append(32)
    last = w8[s.first:]
    logits = [sum(a * b for a, b in zip(last[k * (s.F + 1):(k + 1) * (s.F + 1)], features)) for k in range(s.classes)]
    return features, chosen, logits


def package(s, maximum: int, shift: int, w8: list) -> bytes:
    sizes = [s.width, s.height, *s.window, s.padding, s.pool, s.channels, s.classes]
    header = b"AGMP\1\1" + b"".join(map(u16, sizes)) + bytes([maximum, shift])
    return header + bytes(w & 255 for w in w8)


# --- data set and job

def dataset_bytes(data) -> bytes:
    header = b"AGDS\1" + bytes([data.maximum]) + u16(data.width) + u16(data.height) + u16(data.classes)
    return header + u32(len(data.labels)) + b"".join(data.images) + bytes(data.labels)


def scale_network(n) -> bytes:
    if n["kind"] == "perceptron":
        return b"\0" + u32(n["hidden"])
    return b"\1" + u32(n["channels"]) + u32(n["window"]) + u32(n["pool"])


def scale_job_spec(job, data: bytes, start) -> bytes:
    out = b"\2\3" + blob(data) + u32(job["width"]) + u32(job["height"]) + u32(job["classes"])
    out += scale_network(job["network"]) + bytes.fromhex(job["seed"])
    for field in ("batch", "segments", "segment_steps", "state_interval", "rate_shift", "halve_after", "momentum_shift"):
        out += u32(job[field])
    return out + (b"\0" if start is None else b"\1" + blob(start))


# --- training

def first_state(s, seed: bytes):
    weights = []
    for i in range(s.N):
        n, at = (s.K + 1, i) if i < s.first else (s.F + 1, i - s.first)
        if at % n == n - 1:
            weights.append(0)
            continue
        u = word(seed, b"training weights", 0, i)
        u -= (u >> 31) << 32
        weights.append(u >> (7 + (n.bit_length() + 1) // 2))
    return 0, weights, [0] * s.N


def state_bytes(state) -> bytes:
    step, weights, momenta = state
    return u32(step) + b"".join(map(i32, weights)) + b"".join(map(i32, momenta))


def read_state(s, data: bytes):
    numbers = [int.from_bytes(data[i:i + 4], "little", signed=True) for i in range(4, len(data), 4)]
    return int.from_bytes(data[:4], "little"), numbers[:s.N], numbers[s.N:]


def quantised(weights: list) -> list:
    return [clamp((w + (1 << 15)) >> 16, -127, 127) for w in weights]


def order(seed: bytes, epoch: int, count: int) -> list:
    return sorted(range(count), key=lambda i: (word(seed, b"training order", epoch << 32, i), i))


def class_errors(logits: list, label: int):
    """Returns the errors of the classes and the loss."""
    below = [max(logits) - z for z in logits]
    powers = []
    for d in below:
        x = d % 2048
        powers.append((65536 - 16 * x - ((1406 * x * (2048 - x)) >> 19)) >> min(31, d // 2048))
    total = sum(powers)
    errors = [(e * 16384 + total // 2) // total for e in powers]
    errors[label] -= 16384
    g = total.bit_length() - 1
    x = (total >> (g - 11)) - 2048
    loss = below[label] + (g - 16) * 2048 + x + ((704 * x * (2048 - x)) >> 22)
    return errors, min(1 << 20, loss)


def make_step(job, s, data, state):
    """Returns the next state, and the loss."""
    t, weights, momenta = state
    seed, count, batch = bytes.fromhex(job["seed"]), len(data.labels), job["batch"]
    orders = {}
    w8 = quantised(weights)
    gradients, loss = [0] * s.N, 0
    r = (s.P - 1).bit_length()
    half = (1 << r) >> 1
    for b in range(batch):
        epoch, place = divmod(t * batch + b, count)
        if epoch not in orders:
            orders[epoch] = order(seed, epoch, count)
        image = orders[epoch][place]
        inputs = pad(s, data.images[image], data.maximum)
        features, chosen, logits = forward(s, w8, 8, inputs)
        errors, image_loss = class_errors(logits, data.labels[image])
        loss += image_loss
        for k, delta in enumerate(errors):
            for f, a in enumerate(features):
                gradients[s.first + k * (s.F + 1) + f] += delta * a
        for c in range(s.channels):
            sums = [0] * (s.K + 1)
            for p in range(s.P):
                f = c * s.P + p
                if not 0 < features[f] < 127:
                    continue
                total = sum(delta * w8[s.first + k * (s.F + 1) + f] for k, delta in enumerate(errors))
                epsilon = (total + 64) >> 7
                for j, x in enumerate(chosen[f]):
                    sums[j] += epsilon * x
            for j, g in enumerate(sums):
                gradients[c * (s.K + 1) + j] += (g + half) >> r
    rate = job["rate_shift"] + (t // job["halve_after"] if job["halve_after"] else 0)
    shifts = (min(16, max(0, rate + 1 - r)), min(16, rate))
    m = job["momentum_shift"]
    new_weights, new_momenta = [], []
    for i in range(s.N):
        shift = shifts[i >= s.first]
        v = words(seed, b"training rounding", (t << 32) + i // 8)[i % 8 // 2]
        random = v >> 16 if i % 2 else v & 0xFFFF
        g = clamp((gradients[i] + random % (1 << shift)) >> shift, -(1 << 22), 1 << 22)
        v = momenta[i]
        lost = (abs(v) + (1 << m) - 1) >> m
        v = v + g - (lost if v > 0 else -lost)
        new_momenta.append(v)
        new_weights.append(clamp(weights[i] - v, -127 << 16, 127 << 16))
    return (t + 1, new_weights, new_momenta), loss


def train(job, data, start=None):
    """Returns the output, the digests of the states and the last state."""
    s = shape_of(job)
    state = first_state(s, bytes.fromhex(job["seed"])) if start is None else read_state(s, start)
    digests, output = [blake3(state_bytes(state))], b""
    for _ in range(job["segments"]):
        losses = b""
        for _ in range(job["segment_steps"] // job["state_interval"]):
            of_interval = b""
            for _ in range(job["state_interval"]):
                state, loss = make_step(job, s, data, state)
                of_interval += u32(loss)
            digests.append(blake3(state_bytes(state) + of_interval))
            losses += of_interval
        output += state_bytes(state) + losses
    digests.append(blake3(output))
    return output, digests, state


def chosen_segments(check_seed: bytes, segments: int) -> list:
    ordered = sorted(range(segments - 1), key=lambda i: (word(check_seed, b"training check", 0, i), i))
    return [segments - 1, *ordered[:max(2, -(-segments // 8))]]


# --- the vectors

def made_data(name: str, width: int, height: int, classes: int, count: int, maximum: int):
    """Images of noise with a bright place that depends on the class."""
    seed = H(name.encode())
    images, labels = [], []
    for i in range(count):
        label = word(seed, b"labels", 0, i) % classes
        noise = [word(seed, b"pixels", i << 32, j) % (maximum // 3 + 1) for j in range(width * height)]
        noise[label * 3 % (width * height)] = maximum
        images.append(bytes(noise))
        labels.append(label)
    return SimpleNamespace(width=width, height=height, classes=classes, maximum=maximum, images=images, labels=labels)


def vectors() -> list:
    perceptron = lambda hidden: {"kind": "perceptron", "hidden": hidden}
    convolution = lambda channels, window, pool: {
        "kind": "convolutional", "channels": channels, "window": window, "pool": pool}
    cases = [
        ("a perceptron", (4, 3, 3, 11, 16), perceptron(5), (4, 3, 4, 2, 5, 5, 3), False),
        ("a convolution", (6, 5, 4, 9, 255), convolution(3, 3, 2), (3, 2, 4, 1, 5, 3, 3), False),
        ("one pixel", (1, 1, 1, 1, 1), perceptron(1), (1, 1, 1, 1, 0, 0, 0), False),
        ("steep and without momentum", (5, 5, 3, 6, 7), convolution(2, 5, 1), (13, 3, 2, 2, 0, 0, 0), False),
        ("much momentum, small rate", (7, 4, 5, 20, 16), perceptron(9), (8, 2, 6, 3, 12, 2, 6), False),
        ("from a checkpoint", (6, 6, 4, 10, 16), convolution(4, 3, 3), (4, 2, 3, 1, 4, 4, 2), True),
    ]
    out = []
    for name, sizes, network, numbers, resumed in cases:
        data = made_data(name, *sizes)
        content = dataset_bytes(data)
        fields = ("batch", "segments", "segment_steps", "state_interval", "rate_shift", "halve_after", "momentum_shift")
        job = {"width": sizes[0], "height": sizes[1], "classes": sizes[2], "network": network,
               "seed": H(b"job " + name.encode()).hex(), **dict(zip(fields, numbers))}
        s = shape_of(job)
        start = state_bytes(train(job, data)[2]) if resumed else None
        output, digests, state = train(job, data, start)
        spec = scale_job_spec(job, content, start)
        pack = package(s, data.maximum, 8, quantised(state[1]))
        logits = [forward(s, quantised(state[1]), 8, pad(s, image, data.maximum))[2] for image in data.images]
        check_seed = H(b"check " + name.encode())
        out.append({
            "name": name,
            "job": job,
            "data": content.hex(),
            "start": None if start is None else start.hex(),
            "job_spec_scale": spec.hex(),
            "job_hash": blake3(spec).hex(),
            "output": output.hex(),
            "state_digests": [d.hex() for d in digests],
            "digest": digests[-1].hex(),
            "claim_scale": claim(output, digests).hex(),
            "package": pack.hex(),
            "logits": b"".join(i32(z) for image in logits for z in image).hex(),
            "check_seed": check_seed.hex(),
            "chosen_segments_of_40": chosen_segments(check_seed, 40),
        })
    return out


def main() -> None:
    path = pathlib.Path(__file__).parent / "training.json"
    text = json.dumps(vectors(), indent=1) + "\n"
    if "--check" in sys.argv[1:]:
        sys.exit(path.read_text() != text and f"{path.name} is not what this program writes")
    path.write_text(text)


if __name__ == "__main__":
    main()
