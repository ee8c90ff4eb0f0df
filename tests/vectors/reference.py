#!/usr/bin/env python3
"""A second implementation of docs/protocol.md, independent of the Rust code, in the standard library alone.

  reference.py          writes the golden vectors beside this file
  reference.py --check  fails if the files differ from what it would write

It is written to be compared with the page, not to be fast.
"""

import hashlib
import json
import pathlib
import sys
from operator import mul

P = 251
OUTPUT_CHUNK = 1024
MASK = 0xFFFFFFFF


# --- hashing and trees

def H(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=32).digest()


def u32(x: int) -> bytes:
    return x.to_bytes(4, "little")


def u64(x: int) -> bytes:
    return x.to_bytes(8, "little")


def leaf_hash(data: bytes) -> bytes:
    return H(b"\0" + data)


def top(hashes: list) -> bytes:
    if not hashes:
        return H(b"")
    while len(hashes) > 1:
        pairs = [hashes[i:i + 2] for i in range(0, len(hashes), 2)]
        hashes = [H(b"\1" + p[0] + p[1]) if len(p) == 2 else p[0] for p in pairs]
    return hashes[0]


def root(hashes: list) -> bytes:
    return H(b"\3" + u64(len(hashes)) + top(hashes)) if hashes else H(b"")


def chunked_root(data: bytes, size: int) -> bytes:
    leaves = [leaf_hash(data[i:i + size]) for i in range(0, len(data), size)]
    return H(b"\2" + u64(len(data)) + top(leaves))


# --- the generator

def philox4x32_10(counter, key):
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ k0, p1 & MASK, (p0 >> 32) ^ c3 ^ k1, p0 & MASK
        k0, k1 = (k0 + 0x9E3779B9) & MASK, (k1 + 0xBB67AE85) & MASK
    return c0, c1, c2, c3


def matrix(seed: bytes, label: bytes, n: int) -> list:
    """Canonical residues, row by row."""
    h = H(b"agora/philox/1" + seed + label)
    k0, k1, n0, n1 = (int.from_bytes(h[i:i + 4], "little") for i in (0, 4, 8, 12))
    words = []
    for block in range((n * n + 3) // 4):
        words += philox4x32_10((block & MASK, block >> 32, n0, n1), (k0, k1))
    flat = [w % P for w in words[:n * n]]
    return [flat[r * n:(r + 1) * n] for r in range(n)]


# --- the synthetic job

def multiply(a: list, m: list) -> list:
    columns = list(zip(*m))
    return [[sum(map(mul, row, column)) % P for column in columns] for row in a]


def canonical(m: list) -> bytes:
    return bytes(x for row in m for x in row)


def synthetic(seed: bytes, n: int, iterations: int):
    """Returns A, the states M_0 ..= M_k and nothing else: everything follows from them."""
    a = matrix(seed, b"A", n)
    states = [matrix(seed, b"M", n)]
    for _ in range(iterations):
        states.append(multiply(a, states[-1]))
    return a, states


def trace_root(account: bytes, digests: list) -> bytes:
    return root([leaf_hash(account + u32(i) + d) for i, d in enumerate(digests)])


def check(seed: bytes, n: int, iterations: int, output: bytes, check_seed: bytes) -> bool:
    """The check of an attesting verifier."""
    if len(output) != n * n or any(byte >= P for byte in output):
        return False
    a, m0 = matrix(seed, b"A", n), matrix(seed, b"M", n)
    result = [output[r * n:(r + 1) * n] for r in range(n)]
    apply = lambda m, x: [sum(map(mul, row, x)) % P for row in m]
    for x in chain_vectors(check_seed, n):
        y = apply(m0, x)
        for _ in range(iterations):
            y = apply(a, y)
        if y != apply(result, x):
            return False
    return True


def chain_vectors(check_seed: bytes, n: int) -> list:
    hashes = [H(b"agora/freivalds-251/1" + check_seed + u32(i)) for i in range(n)]
    word = lambda h, v: int.from_bytes(h[4 * v:4 * v + 4], "little") % P
    return [[word(h, v) for h in hashes] for v in range(8)]


# --- encodings

def scale_job_spec(seed: bytes, n: int, iterations: int) -> bytes:
    return b"\1" + b"\0" + seed + u32(n) + u32(iterations)


def scale_inline(spec: bytes) -> bytes:
    return b"\0" + spec


def scale_stored(spec: bytes, specialisation: int) -> bytes:
    return b"\1" + H(spec) + u32(len(spec)) + chunked_root(spec, 16 * 1024) + bytes([specialisation])


def commitment(genesis, task, account, digest, trace, salt) -> bytes:
    return b"agora/commit/1" + genesis + u64(task) + account + digest + trace + salt


def scale_result_leaf(task, job_hash, digest, trace, winner) -> bytes:
    return u64(task) + job_hash + digest + trace + winner


# --- inclusion proofs

def path(hashes: list, index: int) -> list:
    """The hashes beside the way from a leaf to the top, lowest first."""
    siblings = []
    while len(hashes) > 1:
        if index ^ 1 < len(hashes):
            siblings.append(hashes[index ^ 1])
        pairs = [hashes[i:i + 2] for i in range(0, len(hashes), 2)]
        hashes = [H(b"\1" + p[0] + p[1]) if len(p) == 2 else p[0] for p in pairs]
        index //= 2
    return siblings


def mountain_top(hashes: list) -> bytes:
    """The top of a mountain: a perfect tree."""
    while len(hashes) > 1:
        hashes = [H(hashes[i] + hashes[i + 1]) for i in range(0, len(hashes), 2)]
    return hashes[0]


def mountains(hashes: list) -> list:
    """The leaves of each mountain: one for each bit of their number, the largest first."""
    parts = []
    for bit in reversed(range(len(hashes).bit_length())):
        if len(hashes) & (1 << bit):
            start = sum(map(len, parts))
            parts.append(hashes[start:start + (1 << bit)])
    return parts


def bag(peaks: list) -> bytes:
    joined = peaks[-1]
    for peak in reversed(peaks[:-1]):
        joined = H(joined + peak)
    return joined


def compute_root(block_leaves: list) -> bytes:
    peaks = [mountain_top(m) for m in mountains([H(leaf) for leaf in block_leaves])]
    return H(b"\4" + u64(len(block_leaves)) + bag(peaks))


def mountain_items(block_leaves: list, index: int) -> list:
    parts = mountains([H(leaf) for leaf in block_leaves])
    left = []
    for i, part in enumerate(parts):
        if index < len(part):
            siblings = []
            level = part
            while len(level) > 1:
                siblings.append(level[index ^ 1])
                level = [H(level[j] + level[j + 1]) for j in range(0, len(level), 2)]
                index //= 2
            right = [bag([mountain_top(m) for m in parts[i + 1:]])] if parts[i + 1:] else []
            return left + siblings + right
        index -= len(part)
        left.append(mountain_top(part))
    raise IndexError


def scale_block_leaf(block: int, block_hash: bytes, results_root: bytes, count: int) -> bytes:
    return b"\1" + u64(block) + block_hash + results_root + u32(count)


# --- golden vectors

ACCOUNT = bytes(range(32))
GENESIS = bytes([0x11] * 32)
SALT = bytes([0x22] * 32)
TASK = 7

SPECS = [
    # (name, seed, matrix size, iterations)
    ("one element", bytes(32), 1, 1),
    ("two by two", bytes([1] * 32), 2, 3),
    ("seven, no multiple of anything", bytes(range(32)), 7, 5),
    ("one tile", H(b"sixteen"), 16, 4),
    ("one more than two tiles", H(b"thirty-three"), 33, 6),
    ("a power of two", H(b"sixty-four"), 64, 2),
    ("a hundred", H(b"a hundred"), 100, 3),
    ("many iterations", H(b"many iterations"), 5, 300),
]


def synthetic_vector(name, seed, n, iterations):
    a, states = synthetic(seed, n, iterations)
    digests = [chunked_root(canonical(m), OUTPUT_CHUNK) for m in states]
    output = canonical(states[-1])
    trace = trace_root(ACCOUNT, digests)
    spec = scale_job_spec(seed, n, iterations)
    check_seed = H(b"challenge" + seed)
    wrong = bytes([(output[0] + 1) % P]) + output[1:]
    assert check(seed, n, iterations, output, check_seed)
    assert not check(seed, n, iterations, wrong, check_seed)
    preimage = commitment(GENESIS, TASK, ACCOUNT, digests[-1], trace, SALT)
    vectors = chain_vectors(check_seed, n)
    return {
        "name": name,
        "seed": seed.hex(),
        "matrix_size": n,
        "iterations": iterations,
        "job_spec_scale": spec.hex(),
        "job_source_inline_scale": scale_inline(spec).hex(),
        "job_source_stored_scale": scale_stored(spec, 0).hex(),
        "job_hash": H(spec).hex(),
        "a_first_bytes": canonical(a)[:16].hex(),
        "m0_first_bytes": canonical(states[0])[:16].hex(),
        "output_first_bytes": output[:16].hex(),
        "first_state_digests": [d.hex() for d in digests[:4]],
        "digest": digests[-1].hex(),
        "account": ACCOUNT.hex(),
        "trace_root": trace.hex(),
        "challenge_seed": check_seed.hex(),
        "challenge_vectors_first_elements": [v[0] for v in vectors],
        "challenge_vectors_last_elements": [v[-1] for v in vectors],
        "genesis": GENESIS.hex(),
        "task": TASK,
        "salt": SALT.hex(),
        "commitment_preimage": preimage.hex(),
        "commitment": H(preimage).hex(),
        "result_leaf_scale": scale_result_leaf(TASK, H(spec), digests[-1], trace, ACCOUNT).hex(),
    }


def inclusion_vector(results: int, index: int, blocks: int, block: int):
    """A result among `results` of block `block`, proven to a header whose range has `blocks` leaves."""
    word = lambda text, i: H(text + u32(i))
    leaves = [
        scale_result_leaf(100 + i, word(b"job", i), word(b"digest", i), word(b"trace", i), ACCOUNT)
        for i in range(results)
    ]
    hashes = [leaf_hash(leaf) for leaf in leaves]
    block_leaves = [scale_block_leaf(i, word(b"block", i), H(b""), 0) for i in range(blocks)]
    block_leaves[block] = scale_block_leaf(block, word(b"block", block), root(hashes), results)
    top_of_all = compute_root(block_leaves)
    return {
        "result_leaf_scale": leaves[index].hex(),
        "index": index,
        "siblings": [h.hex() for h in path(hashes, index)],
        "block": block,
        "block_hash": word(b"block", block).hex(),
        "results_root": root(hashes).hex(),
        "count": results,
        "block_leaf_scale": block_leaves[block].hex(),
        "leaf_index": block,
        "leaf_count": blocks,
        "items": [h.hex() for h in mountain_items(block_leaves, block)],
        "compute_root": top_of_all.hex(),
        "digest_item_scale": (b"\4AGRA" + bytes([33 << 2]) + b"\1" + top_of_all).hex(),
    }


def files() -> dict:
    # The known answers that the authors of Philox publish.
    assert philox4x32_10((0,) * 4, (0,) * 2) == (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)
    trees = [{"leaves": n, "root": root([leaf_hash(bytes([i])) for i in range(n)]).hex()} for n in range(10)]
    chunks = [
        {"bytes": n, "chunk": 1024, "root": chunked_root(bytes(i % 251 for i in range(n)), 1024).hex()}
        for n in (0, 1, 1023, 1024, 1025, 2048, 5000, 262144)
    ]
    return {
        "synthetic.json": [synthetic_vector(*spec) for spec in SPECS],
        "merkle.json": {"roots": trees, "chunked_roots": chunks},
        "inclusion.json": [
            inclusion_vector(results, index, blocks, block)
            for results, index, blocks, block in [
                (1, 0, 1, 0), (2, 1, 2, 0), (3, 2, 3, 2), (5, 3, 11, 9), (8, 7, 11, 10), (13, 12, 100, 63),
            ]
        ],
    }


def main() -> int:
    here = pathlib.Path(__file__).resolve().parent
    status = 0
    for name, content in files().items():
        text = json.dumps(content, indent=1) + "\n"
        path = here / name
        if "--check" not in sys.argv[1:]:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            print(f"{path}: differs from what reference.py writes", file=sys.stderr)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
