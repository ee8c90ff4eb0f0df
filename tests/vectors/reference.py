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

from blake3 import CHUNK, blake3, keyed_blake3, siblings as chunk_siblings

P = 251
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


# --- content

def blob(data: bytes) -> bytes:
    """A `BlobRef`."""
    return blake3(data) + u64(len(data))


def states_root(digests: list) -> bytes:
    """Over the digests of the states before the output."""
    return root([leaf_hash(digest) for digest in digests])


def claim(output: bytes, digests: list) -> bytes:
    """The claim of `output`, with the digests of all states: the last is the output's."""
    assert digests[-1] == blake3(output)
    return b"\0" + blob(output) + states_root(digests[:-1])


UNUSABLE = b"\1"


# --- the generator

def philox4x32_10(counter, key):
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ k0, p1 & MASK, (p0 >> 32) ^ c3 ^ k1, p0 & MASK
        k0, k1 = (k0 + 0x9E3779B9) & MASK, (k1 + 0xBB67AE85) & MASK
    return c0, c1, c2, c3


def words(seed: bytes, label: bytes, count: int) -> list:
    h = H(b"agora/philox/1" + seed + label)
    k0, k1, n0, n1 = (int.from_bytes(h[i:i + 4], "little") for i in (0, 4, 8, 12))
    found = []
    for block in range((count + 3) // 4):
        found += philox4x32_10((block & MASK, block >> 32, n0, n1), (k0, k1))
    return found[:count]


def matrix(seed: bytes, label: bytes, n: int) -> list:
    """Canonical residues, row by row."""
    flat = [w % P for w in words(seed, label, n * n)]
    return [flat[r * n:(r + 1) * n] for r in range(n)]


def diagonals(seed: bytes, n: int, iterations: int) -> list:
    """The diagonal of each step, of residues that are not zero."""
    flat = [1 + w % (P - 1) for w in words(seed, b"D", n * iterations)]
    return [flat[i * n:(i + 1) * n] for i in range(iterations)]


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
    for diagonal in diagonals(seed, n, iterations):
        scaled = [[d * x % P for x in row] for d, row in zip(diagonal, states[-1])]
        states.append(multiply(a, scaled))
    return a, states


def check(seed: bytes, n: int, iterations: int, output: bytes, check_seed: bytes) -> bool:
    """The check of an attesting verifier."""
    if len(output) != n * n or any(byte >= P for byte in output):
        return False
    a, m0 = matrix(seed, b"A", n), matrix(seed, b"M", n)
    result = [output[r * n:(r + 1) * n] for r in range(n)]
    apply = lambda m, x: [sum(map(mul, row, x)) % P for row in m]
    for x in chain_vectors(check_seed, n):
        y = apply(m0, x)
        for diagonal in diagonals(seed, n, iterations):
            y = apply(a, [d * e % P for d, e in zip(diagonal, y)])
        if y != apply(result, x):
            return False
    return True


def chain_vectors(check_seed: bytes, n: int) -> list:
    hashes = [H(b"agora/freivalds-251/1" + check_seed + u32(i)) for i in range(n)]
    word = lambda h, v: int.from_bytes(h[4 * v:4 * v + 4], "little") % P
    return [[word(h, v) for h in hashes] for v in range(8)]


# --- encodings

def scale_job_spec(seed: bytes, n: int, iterations: int) -> bytes:
    return b"\2" + b"\0" + seed + u32(n) + u32(iterations)


def scale_inline(spec: bytes) -> bytes:
    return b"\0" + spec


def scale_stored(spec: bytes, specialisation: int) -> bytes:
    return b"\1" + blob(spec) + bytes([specialisation])


def commitment(genesis, task, account, claimed, salt) -> bytes:
    return b"agora/commit/2" + genesis + u64(task) + account + claimed + salt


def scale_result_leaf(task, job_hash, claimed, winner) -> bytes:
    return u64(task) + job_hash + claimed + winner


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
    digests = [blake3(canonical(m)) for m in states]
    output = canonical(states[-1])
    claimed = claim(output, digests)
    spec = scale_job_spec(seed, n, iterations)
    check_seed = H(b"check" + seed)
    wrong = bytes([(output[0] + 1) % P]) + output[1:]
    assert check(seed, n, iterations, output, check_seed)
    assert not check(seed, n, iterations, wrong, check_seed)
    preimage = commitment(GENESIS, TASK, ACCOUNT, claimed, SALT)
    vectors = chain_vectors(check_seed, n)
    return {
        "name": name,
        "seed": seed.hex(),
        "matrix_size": n,
        "iterations": iterations,
        "job_spec_scale": spec.hex(),
        "job_source_inline_scale": scale_inline(spec).hex(),
        "job_source_stored_scale": scale_stored(spec, 0).hex(),
        "job_hash": blake3(spec).hex(),
        "a_first_bytes": canonical(a)[:16].hex(),
        "first_diagonal_first_elements": diagonals(seed, n, 1)[0][:16],
        "m0_first_bytes": canonical(states[0])[:16].hex(),
        "output_first_bytes": output[:16].hex(),
        "first_state_digests": [d.hex() for d in digests[:4]],
        "digest": digests[-1].hex(),
        "claim_scale": claimed.hex(),
        "account": ACCOUNT.hex(),
        "check_seed": check_seed.hex(),
        "check_vectors_first_elements": [v[0] for v in vectors],
        "check_vectors_last_elements": [v[-1] for v in vectors],
        "genesis": GENESIS.hex(),
        "task": TASK,
        "salt": SALT.hex(),
        "commitment_preimage": preimage.hex(),
        "commitment": H(preimage).hex(),
        "result_leaf_scale": scale_result_leaf(TASK, blake3(spec), claimed, ACCOUNT).hex(),
    }


def inclusion_vector(results: int, index: int, blocks: int, block: int):
    """A result among `results` of block `block`, proven to a header whose range has `blocks` leaves."""
    word = lambda text, i: H(text + u32(i))
    claimed = lambda i: b"\0" + word(b"digest", i) + u64(i) + word(b"states", i) if i % 5 != 3 else UNUSABLE
    leaves = [scale_result_leaf(100 + i, word(b"job", i), claimed(i), ACCOUNT) for i in range(results)]
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


def blob_vector(length: int):
    """Bytes that are i mod 251, and proofs of their first, middle and last chunk."""
    data = bytes(i % 251 for i in range(length))
    chunks = max((length + CHUNK - 1) // CHUNK, 1)
    return {
        "bytes": length,
        "blob_ref_scale": blob(data).hex(),
        "chunks": [
            {"index": i, "siblings": [h.hex() for h in chunk_siblings(data, i)]}
            for i in sorted({0, chunks // 2, chunks - 1})
        ],
    }


def attestation_vector(length: int, valid: bool):
    """An attestation about an output whose bytes are i mod 251, and what shows that its verifier had it."""
    data = bytes(i % 251 for i in range(length))
    seed, draw, genesis = b"\x44" * 32, b"\x55" * 32, GENESIS
    of = u64(TASK) + ACCOUNT
    key = H(b"agora/possession/1" + seed + of)
    claimed = b"\0" + blob(data) + b"\x33" * 32
    shown = valid and length > 0
    keyed_root = keyed_blake3(key, data)
    said = bytes([0 if valid else 1]) + (b"\1" + keyed_root if shown else b"\0")
    preimage = b"agora/attest/1" + genesis + u64(TASK) + seed + claimed + ACCOUNT + said + SALT
    lot = lambda i: int.from_bytes(H(b"agora/chunk/1" + draw + of + u32(i))[:8], "little")
    chunks = max((length + CHUNK - 1) // CHUNK, 1)
    drawn = list(dict.fromkeys(lot(i) % chunks for i in range(2))) if shown else []
    opening = lambda i: {
        "index": i,
        "siblings": [h.hex() for h in chunk_siblings(data, i)],
        "keyed_siblings": [h.hex() for h in chunk_siblings(data, i, key)],
    }
    return {
        "bytes": length,
        "valid": valid,
        "genesis": genesis.hex(),
        "task": TASK,
        "seed": seed.hex(),
        "claim_scale": claimed.hex(),
        "verifier": ACCOUNT.hex(),
        "salt": SALT.hex(),
        "seat_lot": H(b"agora/seat/1" + seed + of)[:8].hex(),
        "key": key.hex(),
        "root": keyed_root.hex() if shown else None,
        "commitment": H(preimage).hex(),
        "draw": draw.hex(),
        "openings": [opening(i) for i in drawn],
    }


def files() -> dict:
    # The known answers that the authors of Philox publish.
    assert philox4x32_10((0,) * 4, (0,) * 2) == (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)
    trees = [{"leaves": n, "root": root([leaf_hash(bytes([i])) for i in range(n)]).hex()} for n in range(10)]
    assert blake3(b"").hex() == "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"
    return {
        "synthetic.json": [synthetic_vector(*spec) for spec in SPECS],
        "merkle.json": trees,
        "blobs.json": [blob_vector(n) for n in (0, 1, 1023, 1024, 1025, 2048, 5000, 7169, 65536)],
        "attestations.json": [
            attestation_vector(length, valid)
            for length, valid in [(0, True), (1, True), (1024, True), (5000, True), (70_000, True), (70_000, False)]
        ],
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
