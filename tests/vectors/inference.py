#!/usr/bin/env python3
"""A second implementation of docs/protocol/inference.md, independent of the Rust code, in the standard library alone.

  inference.py          writes inference.json beside this file
  inference.py --check  fails if the file differs from what it would write

It is written to be compared with the page, not to be fast.
"""

import itertools
import json
import math
import pathlib
import sys
from operator import mul

from blake3 import blake3
from reference import H, blob, claim, philox4x32_10, u32

V = (1 << 19) - 1
TOP = (1 << 31) - 1


# --- operators

def sign(x: int) -> int:
    return (x > 0) - (x < 0)


def clamp(x: int, most: int = V) -> int:
    return max(-most, min(most, x))


def divide(a: int, b: int) -> int:
    return sign(a) * ((abs(a) + b // 2) // b)


def rescale(a: int, b: int, s: int) -> int:
    h = 1 << (s - 1) if s else 0
    return sign(a * b) * min((abs(a * b) + h) >> s, TOP)


def quantise(row: list, levels: int, t: int):
    m = max(1, max(map(abs, row)))
    r = (levels << t) // m
    return [sign(x) * ((abs(x) * r + (1 << (t - 1))) >> t) for x in row], m


def unit(row: list, squares: int) -> list:
    q = max(2, math.isqrt(squares))
    e = q.bit_length() - 16
    mantissa = q << -e if e < 0 else q >> e
    r = (1 << 31) // mantissa
    return [rescale(256 * x, r, 15 + e) for x in row]


def norm(p: dict, row: list, epsilon: int) -> list:
    mean = divide(sum(row), len(row))
    centred = [x - mean for x in row]
    u = unit(centred, epsilon + sum(map(mul, centred, centred)))
    return [clamp(clamp(rescale(x, w, p["shift"])) + b) for x, w, b in zip(u, p["weight"], p["bias"])]


def dot(a: list, b: list) -> int:
    return sum(map(mul, a, b))


def linear(p: dict, row: list) -> list:
    q, m = quantise(row, 127, 24) if p["limbs"] == 1 else quantise(row, 8191, 18)
    width = len(row)
    sums = [dot(q, p["weight"][o * width:(o + 1) * width]) for o in range(len(p["bias"]))]
    assert all(abs(s) <= TOP for s in sums)
    return [clamp(clamp(rescale(rescale(s, a, h), m, 16)) + b)
            for s, a, h, b in zip(sums, p["multiplier"], p["shift"], p["bias"])]


def activation(model: dict, x: int) -> int:
    k = model["activation_shift"]
    p = ((x + (1 << (k - 1))) >> k) + 2048
    return 0 if p < 0 else x if p >= 4096 else model["activation"][p]


def power(model: dict, d: int) -> int:
    z = min(d // 1024, 31)
    return (model["exponent"][d % 1024] + (1 << (z - 1) if z else 0)) >> z


def tangent(model: dict, x: int) -> int:
    e = power(model, abs(x))
    return sign(x) * divide(32768 * (32768 - e), 32768 + e)


def softmax(model: dict, scores: list) -> list:
    e = [power(model, max(scores) - s) for s in scores]
    total = sum(e)
    return [(32768 * x + total // 2) // total for x in e]


# --- the model

def attention(model: dict, rows: list) -> list:
    _, _, _, _, heads, key_heads, size, _, _ = model["shape"]
    query, key = heads * size, key_heads * size
    mixed = [[] for _ in rows]
    for h in range(heads):
        g = h // (heads // key_heads)
        cut = lambda row, start: row[start:start + size]
        queries = [quantise(cut(row, h * size), 2047, 20) for row in rows]
        keys = [quantise(cut(row, query + g * size), 2047, 20) for row in rows]
        values = [[clamp(x, 32767) for x in cut(row, query + key + g * size)] for row in rows]
        for i, (q, mq) in enumerate(queries):
            p = softmax(model, [rescale(rescale(dot(q, k), mq, 15), mk, 21) for k, mk in keys])
            mixed[i] += [divide(dot(p, column), 32768) for column in zip(*values)]
    return mixed


def embed(model: dict, tokens: list) -> bytes:
    hidden = model["shape"][2]
    epsilon = model["epsilon"]
    add = lambda a, b: [clamp(x + y) for x, y in zip(a, b)]
    e = model["embedding"]
    rows = []
    for j, t in enumerate(tokens):
        weights = e["weight"][t * hidden:(t + 1) * hidden]
        places = e["position"][j * hidden:(j + 1) * hidden]
        row = [clamp(clamp(rescale(w, e["multiplier"][t], e["shift"][t])) + p) for w, p in zip(weights, places)]
        rows.append(norm(e["norm"], row, epsilon))
    for layer in model["layers"]:
        mixed = attention(model, [linear(layer["attention.input"], row) for row in rows])
        for j, row in enumerate(rows):
            row = norm(layer["attention.norm"], add(row, linear(layer["attention.output"], mixed[j])), epsilon)
            between = [activation(model, x) for x in linear(layer["perceptron.expand"], row)]
            rows[j] = norm(layer["perceptron.norm"], add(row, linear(layer["perceptron.contract"], between)), epsilon)
    n = len(rows)
    pooled = {
        0: lambda column: divide(8 * sum(column), n),
        1: lambda column: 8 * column[0],
        2: lambda column: 8 * max(column),
        3: lambda column: 8 * column[-1],
        4: lambda column: divide(8 * sum((j + 1) * x for j, x in enumerate(column)), n * (n + 1) // 2),
    }[model["pooling"]]
    y = [pooled(column) for column in zip(*rows)]
    if model["shape"][8]:
        y = linear(model["dense"], y)
        if model["dense_activation"] == 1:
            y = [tangent(model, x) for x in y]
    u = unit(y, dot(y, y))
    return b"".join(clamp(divide(x, 512), 32767).to_bytes(2, "little", signed=True) for x in u)


# --- packages

BYTES = {0: 1, 1: 2, 2: 4}


def tensor(name: str, kind: int, shape: list, elements: list) -> bytes:
    assert math.prod(shape) == len(elements), name
    data = b"".join(x.to_bytes(BYTES[kind], "little", signed=True) for x in elements)
    header = bytes([len(name)]) + name.encode() + bytes([kind, len(shape)]) + b"".join(map(u32, shape))
    return header + data


def package_norm(name: str, p: dict) -> bytes:
    w = len(p["weight"])
    return (tensor(f"{name}.weight", 2, [w], p["weight"]) + tensor(f"{name}.shift", 0, [1], [p["shift"]])
            + tensor(f"{name}.bias", 2, [w], p["bias"]))


def package_linear(name: str, p: dict) -> bytes:
    o = len(p["bias"])
    return (tensor(f"{name}.limbs", 0, [1], [p["limbs"]])
            + tensor(f"{name}.weight", 0, [o, len(p["weight"]) // o], p["weight"])
            + tensor(f"{name}.multiplier", 2, [o], p["multiplier"]) + tensor(f"{name}.shift", 0, [o], p["shift"])
            + tensor(f"{name}.bias", 2, [o], p["bias"]))


def package(model: dict) -> bytes:
    vocabulary, positions, hidden = model["shape"][:3]
    e = model["embedding"]
    out = b"AGMP" + bytes([1, 0]) + b"".join(map(u32, model["shape"])) + bytes([0] * 6)
    out += bytes([model["pooling"], model["dense_activation"]])
    out += u32(model["epsilon"])
    out += tensor("embedding.weight", 0, [vocabulary, hidden], e["weight"])
    out += tensor("embedding.multiplier", 2, [vocabulary], e["multiplier"])
    out += tensor("embedding.shift", 0, [vocabulary], e["shift"])
    out += tensor("embedding.position", 1, [positions, hidden], e["position"])
    out += package_norm("embedding.norm", e["norm"])
    out += tensor("table.exponent", 2, [1024], model["exponent"])
    out += tensor("table.activation.shift", 0, [1], [model["activation_shift"]])
    out += tensor("table.activation", 2, [4096], model["activation"])
    for i, layer in enumerate(model["layers"]):
        for part in ("attention.input", "attention.output", "attention.norm",
                     "perceptron.expand", "perceptron.contract", "perceptron.norm"):
            write = package_norm if part.endswith("norm") else package_linear
            out += write(f"layer.{i}.{part}", layer[part])
    if model["shape"][8]:
        out += package_linear("dense", model["dense"])
    return out + u32(0)


# --- the job

def item_work(shape: list, n: int) -> int:
    _, _, hidden, layers, heads, key_heads, size, intermediate, dense = shape
    query, attention = heads * size, (heads + 2 * key_heads) * size
    return layers * n * (hidden * (attention + query) + 2 * hidden * intermediate + 2 * n * query) + hidden * dense


# --- the check

def words(seed: bytes, label: bytes, block: int) -> tuple:
    h = H(b"agora/philox/1" + seed + label)
    k0, k1, n0, n1 = (int.from_bytes(h[i:i + 4], "little") for i in (0, 4, 8, 12))
    return philox4x32_10((block % (1 << 32), block >> 32, n0, n1), (k0, k1))


def drawn_items(check_seed: bytes, work: list) -> list:
    drawn = set()
    for j in range(20):
        low, high, _, _ = words(check_seed, b"inference check", j)
        point = (low + (high << 32)) % sum(work)
        drawn.add(next(item for item, end in enumerate(itertools.accumulate(work)) if point < end))
    return sorted(drawn)


# --- sample models

def draw(seed: bytes, name: str, count: int) -> list:
    return [word % 251 for b in range((count + 3) // 4) for word in words(seed, name.encode(), b)][:count]


def sample(seed: bytes, shape: list, pooling: int, dense_activation: int) -> dict:
    vocabulary, positions, hidden, layers, heads, key_heads, size, intermediate, dense = shape
    numbers = lambda name, count, f: [f(b) for b in draw(seed, name, count)]

    def a_norm(name: str, w: int) -> dict:
        return {"weight": numbers(f"{name}.weight", w, lambda b: (b - 125) << 23), "shift": 40,
                "bias": numbers(f"{name}.bias", w, lambda b: 16 * (b - 125))}

    def a_linear(name: str, limbs: int, o: int, w: int) -> dict:
        first = 29 if limbs == 1 else 35
        return {"limbs": limbs, "weight": numbers(f"{name}.weight", o * w, lambda b: b - 125),
                "multiplier": numbers(f"{name}.multiplier", o, lambda b: (1 << 30) + (b << 22)),
                "shift": numbers(f"{name}.shift", o, lambda b: first + b % 3),
                "bias": numbers(f"{name}.bias", o, lambda b: 16 * (b - 125))}

    def a_layer(i: int) -> dict:
        n = f"layer.{i}."
        one, two = (1, 2) if i % 2 == 0 else (2, 1)
        query, key = heads * size, key_heads * size
        return {
            "attention.input": a_linear(n + "attention.input", two, query + 2 * key, hidden),
            "attention.output": a_linear(n + "attention.output", one, hidden, query),
            "attention.norm": a_norm(n + "attention.norm", hidden),
            "perceptron.expand": a_linear(n + "perceptron.expand", one, intermediate, hidden),
            "perceptron.contract": a_linear(n + "perceptron.contract", two, hidden, intermediate),
            "perceptron.norm": a_norm(n + "perceptron.norm", hidden),
        }

    return {
        "shape": shape,
        "epsilon": 1000,
        "pooling": pooling,
        "dense_activation": dense_activation,
        "embedding": {
            "weight": numbers("embedding.weight", vocabulary * hidden, lambda b: b - 125),
            "multiplier": numbers("embedding.multiplier", vocabulary, lambda b: (1 << 24) + (b << 16)),
            "shift": numbers("embedding.shift", vocabulary, lambda b: 19 + b % 3),
            "position": numbers("embedding.position", positions * hidden, lambda b: 8 * (b - 125)),
            "norm": a_norm("embedding.norm", hidden),
        },
        "exponent": [math.floor(2 ** (15 - i / 1024) + 0.5) for i in range(1024)],
        "activation_shift": 4,
        "activation": [divide(16 * (p - 2048) * p, 4096) for p in range(4096)],
        "layers": [a_layer(i) for i in range(layers)],
        "dense": a_linear("dense", 2, dense, hidden),
    }


# --- vectors

SMALL = [61, 40, 32, 2, 4, 2, 12, 80]

SPECS = [
    ("two layers", bytes([1]) * 32, [*SMALL, 0], [[3, 1, 4, 1, 5], [0], [60] * 40, [i % 61 for i in range(7, 40)]]),
    ("one narrow layer", bytes(range(32)), [5, 3, 4, 1, 1, 1, 4, 4, 0], [[0, 1, 2], [4], [3, 3]]),
    ("three layers", bytes([200]) * 32, [300, 64, 48, 3, 6, 6, 8, 100, 0], [[(i * i) % 300 for i in range(64)], [299, 17]]),
    ("the first token", bytes([2]) * 32, [*SMALL, 0], [[3, 1, 4, 1, 5], [0], [60] * 3], 1),
    ("the maximum", bytes([3]) * 32, [*SMALL, 0], [[3, 1, 4, 1, 5], [0], [i for i in range(9, 47)]], 2),
    ("the last token", bytes([4]) * 32, [*SMALL, 0], [[3, 1, 4, 1, 5], [0], [7, 2]], 3),
    ("the mean weighted by places", bytes([5]) * 32, [*SMALL, 0], [[3, 1, 4, 1, 5], [0], [i * 7 % 61 for i in range(40)], [8, 9]], 4),
    ("a dense layer to more numbers", bytes([6]) * 32, [*SMALL, 52], [[3, 1, 4, 1, 5], [0], [60] * 3], 0, 0),
    ("a dense layer to fewer, and tanh", bytes([7]) * 32, [*SMALL, 12], [[3, 1, 4, 1, 5], [0], [i for i in range(9, 47)]], 1, 1),
    ("a weighted mean, a dense layer, tanh", bytes([8]) * 32, [5, 7, 8, 1, 1, 1, 4, 4, 8], [[0, 1, 2], [4], [3] * 7], 4, 1),
]


def vector(name: str, seed: bytes, shape: list, items: list, pooling: int = 0, dense_activation: int = 0) -> dict:
    model = sample(seed, shape, pooling, dense_activation)
    data = package(model)
    u16 = lambda x: x.to_bytes(2, "little")
    batch = u32(len(items)) + b"".join(u16(len(item)) + b"".join(map(u16, item)) for item in items)
    outputs = [embed(model, item) for item in items]
    output = b"".join(outputs)
    digests = [blake3(content) for content in [*outputs, output]]
    check_seed = H(b"check " + name.encode())
    tokens = max(map(len, items))
    job = b"\2\2" + blob(data) + blob(batch) + b"\0" + b"".join(map(u32, [*shape, tokens, len(items)]))
    return {
        "name": name,
        "seed": seed.hex(),
        "shape": shape,
        "pooling": pooling,
        "dense_activation": dense_activation,
        "items": items,
        "package_bytes": len(data),
        "package_hash": blake3(data).hex(),
        "item_work": item_work(shape, tokens),
        "input": batch.hex(),
        "job": job.hex(),
        "item_digests": [digest.hex() for digest in digests[:-1]],
        "digest": digests[-1].hex(),
        "claim_scale": claim(output, digests).hex(),
        "output": output.hex(),
        "check_seed": check_seed.hex(),
        "drawn_of_400": drawn_items(check_seed, [1 + i * i % 97 for i in range(400)]),
    }


def main() -> int:
    text = json.dumps([vector(*spec) for spec in SPECS], indent=1) + "\n"
    path = pathlib.Path(__file__).resolve().parent / "inference.json"
    if "--check" not in sys.argv[1:]:
        path.write_text(text)
    elif not path.exists() or path.read_text() != text:
        print(f"{path}: differs from what inference.py writes", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
