#!/usr/bin/env python3
"""A second implementation of matrix products, from docs/protocol/matmul.md alone. Writes matmul.json beside it.

    matmul.py           write the vectors
    matmul.py --check   fail if matmul.json differs from what would be written
"""

import json
import pathlib
import sys

from blake3 import blake3
from reference import H, blob, claim, u32


def content(label: str, length: int) -> bytes:
    """Made-up inputs: H(label ‖ u32 0) ‖ H(label ‖ u32 1) ‖ …, cut to length."""
    blocks = (H(label.encode() + u32(i)) for i in range((length + 31) // 32))
    return b"".join(blocks)[:length]


def signed(data: bytes) -> list:
    return [byte - 256 if byte > 127 else byte for byte in data]


def lines(data: bytes, columns: int) -> list:
    return [signed(data[i:i + columns]) for i in range(0, len(data), columns)]


def compute(matrix: bytes, columns: int, first_row: int, rows: int, vectors: bytes) -> bytes:
    selected = lines(matrix, columns)[first_row:first_row + rows]
    output = b""
    for x in lines(vectors, columns):
        for row in selected:
            output += sum(w * e for w, e in zip(row, x)).to_bytes(4, "little", signed=True)
    return output


def scale(matrix: bytes, columns: int, first_row: int, rows: int, vectors: bytes) -> bytes:
    count = len(vectors) // columns
    return b"\2\1" + blob(matrix) + u32(columns) + u32(first_row) + u32(rows) + blob(vectors) + u32(count)


def random_vectors(seed: bytes, n: int) -> list:
    """The two vectors of the check."""
    def element(i: int, v: int) -> int:
        word = 2 * (i % 4) + v
        digest = H(b"agora/freivalds-z/1" + seed + u32(i // 4))
        return int.from_bytes(digest[4 * word:4 * word + 4], "little", signed=True)
    return [[element(i, v) for i in range(n)] for v in range(2)]


def first_wrong_vector(matrix, columns, first_row, rows, vectors, output, seed):
    """None if the check finds nothing wrong."""
    selected = lines(matrix, columns)[first_row:first_row + rows]
    for v, x in enumerate(lines(vectors, columns)):
        part = output[4 * rows * v:4 * rows * (v + 1)]
        y = [int.from_bytes(part[i:i + 4], "little", signed=True) for i in range(0, len(part), 4)]
        for r in random_vectors(seed, rows):
            u = [sum(a * row[j] for a, row in zip(r, selected)) for j in range(columns)]
            if sum(a * b for a, b in zip(r, y)) != sum(a * b for a, b in zip(u, x)):
                return v
    return None


SPECS = [
    # (name, columns, first row, rows, rows of the matrix, vectors)
    ("one by one", 1, 0, 1, 1, 1),
    ("three rows of five, two vectors", 5, 1, 3, 6, 2),
    ("one vector", 100, 0, 37, 37, 1),
    ("no multiple of anything", 67, 3, 41, 50, 23),
    ("one more than a tile", 129, 0, 33, 33, 17),
    ("long rows", 3000, 1, 2, 4, 9),
]


def vector(name: str, columns: int, first_row: int, rows: int, matrix_rows: int, count: int) -> dict:
    matrix, vectors = content(name + " W", matrix_rows * columns), content(name + " x", count * columns)
    job = (matrix, columns, first_row, rows, vectors)
    output = compute(*job)
    spec, digest, seed = scale(*job), blake3(output), H(b"check" + name.encode())
    wrong = output[:-1] + bytes([output[-1] ^ 1])
    assert first_wrong_vector(*job, output, seed) is None
    assert first_wrong_vector(*job, wrong, seed) == count - 1
    randoms = random_vectors(seed, rows)
    return {
        "name": name,
        "columns": columns,
        "first_row": first_row,
        "rows": rows,
        "matrix_rows": matrix_rows,
        "vectors": count,
        "matrix_hash": blake3(matrix).hex(),
        "input_hash": blake3(vectors).hex(),
        "job_spec_scale": spec.hex(),
        "job_hash": blake3(spec).hex(),
        "output_first_bytes": output[:24].hex(),
        "output_bytes": len(output),
        "digest": digest.hex(),
        "claim_scale": claim(output, [digest]).hex(),
        "check_seed": seed.hex(),
        "check_vectors_first_elements": [r[0] for r in randoms],
        "check_vectors_last_elements": [r[-1] for r in randoms],
    }


def main() -> int:
    path = pathlib.Path(__file__).resolve().parent / "matmul.json"
    text = json.dumps([vector(*spec) for spec in SPECS], indent=1) + "\n"
    if "--check" not in sys.argv[1:]:
        path.write_text(text)
    elif not path.exists() or path.read_text() != text:
        print(f"{path}: differs from what matmul.py writes", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
