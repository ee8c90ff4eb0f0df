#!/usr/bin/env python3
"""Collects a small job of every kind, with its inputs and the digest of its result: an engine is tested with these when
it starts. Jobs, inputs and digests are those of the other programs in this folder.

  self_test.py          writes self_test.json beside this file
  self_test.py --check  fails if the file differs from what it would write
"""

import json
import pathlib
import sys

import inference
import matmul
import reference
import rendering
import training
from blake3 import blake3
from reference import blob, u32


def entry(kind: str, name: str, job: bytes, inputs: list, digest: str) -> dict:
    return {"kind": kind, "name": name, "job": job.hex(), "inputs": [data.hex() for data in inputs], "digest": digest}


def synthetic_entries() -> list:
    found = []
    for vector in json.loads(pathlib.Path(__file__).with_name("synthetic.json").read_text()):
        job = reference.scale_job_spec(bytes.fromhex(vector["seed"]), vector["matrix_size"], vector["iterations"])
        found.append(entry("synthetic", vector["name"], job, [], vector["digest"]))
    return found


def matmul_entry() -> dict:
    name, columns, first_row, count, matrix_rows, vectors = matmul.SPECS[3]
    made = matmul.vector(*matmul.SPECS[3])
    inputs = [matmul.content(name + " W", matrix_rows * columns), matmul.content(name + " x", vectors * columns)]
    return entry("matmul", name, bytes.fromhex(made["job_spec_scale"]), inputs, made["digest"])


def embedding_entries() -> list:
    """The mean of the tokens; and their mean weighted by places, a dense layer and its hyperbolic tangent."""
    found = []
    for spec in (inference.SPECS[0], inference.SPECS[9]):
        made = inference.vector(*spec)
        sampled = inference.sample(*spec[1:3], made["pooling"], made["dense_activation"])
        inputs = [inference.package(sampled), bytes.fromhex(made["input"])]
        found.append(entry("embedding", made["name"], bytes.fromhex(made["job"]), inputs, made["digest"]))
    return found


def program_entries() -> list:
    """A map whose items end in every way, and a fold."""
    found = []
    for vector in json.loads(pathlib.Path(__file__).with_name("program.json").read_text())[:2]:
        inputs = [bytes.fromhex(content) for content in vector["contents"]]
        found.append(entry("program", vector["name"], bytes.fromhex(vector["job"]), inputs, vector["state_digests"][-1]))
    return found


def training_entries() -> list:
    """A convolutional network that is trained, and then applied to the images it was trained on."""
    made = training.vectors()[1]
    data = training.made_data(made["name"], 6, 5, 4, 9, 255)
    assert training.dataset_bytes(data).hex() == made["data"]
    package, logits, pixels = bytes.fromhex(made["package"]), bytes.fromhex(made["logits"]), b"".join(data.images)
    s = training.shape_of(made["job"])
    sizes = [s.width, s.height, *s.window, s.padding, s.pool, s.channels, s.classes]
    shape = b"".join(size.to_bytes(2, "little") for size in sizes)
    # The header of the package says the same.
    assert package[6:24] == shape + bytes([data.maximum, 8])
    job = b"\2\2" + blob(package) + blob(pixels) + b"\1" + package[6:24] + u32(len(data.images))
    return [
        entry("training", made["name"], bytes.fromhex(made["job_spec_scale"]), [bytes.fromhex(made["data"])],
              made["digest"]),
        entry("classification", made["name"], job, [package, pixels], blake3(logits).hex()),
    ]


def rendering_entry() -> dict:
    made = rendering.vector(rendering.JOBS[0])
    scene = bytes.fromhex(made["scene"])
    job = (b"\2\4" + blob(scene) + bytes.fromhex(made["seed"]) + u32(made["width"]) + u32(made["height"])
           + b"".join(map(u32, made["region"])) + u32(made["first_frame"]) + u32(made["frames"]) + u32(made["samples"])
           + u32(made["max_bounces"]) + u32(made["max_steps"]))
    return entry("rendering", made["name"], job, [scene], made["digest"])


def main() -> int:
    entries = [*synthetic_entries(), matmul_entry(), *embedding_entries(), *training_entries(), rendering_entry(),
               *program_entries()]
    text = json.dumps(entries, indent=1) + "\n"
    path = pathlib.Path(__file__).resolve().with_name("self_test.json")
    if "--check" not in sys.argv[1:]:
        path.write_text(text)
    elif not path.exists() or path.read_text() != text:
        print(f"{path.name} is not what this program writes", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
