#!/usr/bin/env python3
"""Compares the integer embeddings with those of the float model, and their speeds.

  scripts/fetch-minilm.sh MODEL
  cargo build -p agora-models --example embed
  python3 -m venv VENV && VENV/bin/pip install -r benchmarks/accuracy/requirements.txt
  VENV/bin/python benchmarks/accuracy/minilm.py MODEL EMBED TEXT...

EMBED is the example that was built. TEXT are directories with HTML pages, from whose paragraphs sentences are drawn, the
same ones every time; the figures of benchmarks/RESULTS.md are from the books that come with the Rust toolchain
("$(rustc --print sysroot)/share/doc/rust/html/"{book,reference,nomicon,cargo,edition-guide}; MIT or Apache-2.0).

The float model is built here from config.json and model.safetensors alone, as an ONNX graph, and run by onnxruntime: it
shares no code with the importer. Tokens are made anew by the Python `tokenizers`.
"""

import argparse
import hashlib
import html
import json
import os
import pathlib
import re
import subprocess
import tempfile
import time

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file
from tokenizers import Tokenizer

MAX_TOKENS = 256
BATCH = 32


def sentences(roots: list, count: int) -> list:
    found = set()
    for root in roots:
        for path in sorted(pathlib.Path(root).rglob("*.html")):
            for paragraph in re.findall(r"<p>(.*?)</p>", path.read_text(encoding="utf-8", errors="replace"), re.S):
                plain = " ".join(html.unescape(re.sub(r"<[^>]*>", "", paragraph)).split())
                found.update(filter(is_sentence, re.split(r"(?<=[.!?]) (?=[A-Z])", plain)))
    return sorted(found, key=lambda sentence: hashlib.sha256(sentence.encode()).digest())[:count]


def is_sentence(text: str) -> bool:
    words = text.split()
    return (30 <= len(text) <= 400 and text[0].isupper() and text[-1] in ".!?" and len(words) >= 6
            and sum(word.isalpha() for word in words) >= 0.6 * len(words))


class Graph:
    """An ONNX graph of a BERT encoder."""

    def __init__(self, directory: pathlib.Path):
        self.config = json.loads((directory / "config.json").read_text())
        self.weights = load_file(directory / "model.safetensors")
        self.nodes, self.constants = [], {}

    def constant(self, name: str, value) -> str:
        self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def op(self, kind: str, *inputs: str, **attributes) -> str:
        output = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def linear(self, x: str, name: str) -> str:
        product = self.op("MatMul", x, self.constant(f"{name}.w", self.weights[f"{name}.weight"].T))
        return self.op("Add", product, self.constant(f"{name}.b", self.weights[f"{name}.bias"]))

    def norm(self, x: str, name: str) -> str:
        weight, bias = (self.constant(f"{name}.{part}", self.weights[f"{name}.{part}"]) for part in ("weight", "bias"))
        return self.op("LayerNormalization", x, weight, bias, axis=-1, epsilon=self.config["layer_norm_eps"])

    def layer(self, x: str, name: str) -> str:
        heads, hidden = self.config["num_attention_heads"], self.config["hidden_size"]
        split = self.constant("split", np.array([0, 0, heads, hidden // heads], np.int64))
        join = self.constant("join", np.array([0, 0, hidden], np.int64))
        parts = (self.op("Reshape", self.linear(x, f"{name}.attention.self.{part}"), split)
                 for part in ("query", "key", "value"))
        query, key, value = (self.op("Transpose", part, perm=perm)
                             for part, perm in zip(parts, ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3])))
        scale = self.constant("scale", np.float32((hidden // heads) ** -0.5))
        scores = self.op("Mul", self.op("MatMul", query, key), scale)
        weights = self.op("Softmax", self.op("Add", scores, "mask"), axis=-1)
        mixed = self.op("Transpose", self.op("MatMul", weights, value), perm=[0, 2, 1, 3])
        output = self.linear(self.op("Reshape", mixed, join), f"{name}.attention.output.dense")
        x = self.norm(self.op("Add", output, x), f"{name}.attention.output.LayerNorm")
        between = self.op("Gelu", self.linear(x, f"{name}.intermediate.dense"))
        return self.norm(self.op("Add", self.linear(between, f"{name}.output.dense"), x), f"{name}.output.LayerNorm")

    def model(self):
        w = self.weights
        words = self.op("Gather", self.constant("words", w["embeddings.word_embeddings.weight"]), "tokens", axis=0)
        table = w["embeddings.position_embeddings.weight"] + w["embeddings.token_type_embeddings.weight"][0]
        places = self.op("Gather", self.constant("places", table), "positions", axis=0)
        x = self.norm(self.op("Add", words, places), "embeddings.LayerNorm")
        for i in range(self.config["num_hidden_layers"]):
            x = self.layer(x, f"encoder.layer.{i}")
        inputs = [
            helper.make_tensor_value_info("tokens", TensorProto.INT64, ["batch", "length"]),
            helper.make_tensor_value_info("positions", TensorProto.INT64, ["length"]),
            helper.make_tensor_value_info("mask", TensorProto.FLOAT, ["batch", 1, 1, "length"]),
        ]
        output = helper.make_tensor_value_info(x, TensorProto.FLOAT, ["batch", "length", self.config["hidden_size"]])
        graph = helper.make_graph(self.nodes, "encoder", inputs, [output], list(self.constants.values()))
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)])
        model.ir_version = 9
        return model


class FloatModel:
    def __init__(self, directory: pathlib.Path, threads: int):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        model = Graph(directory).model().SerializeToString()
        self.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def batch(self, items: list):
        length = max(map(len, items))
        tokens = np.zeros((len(items), length), np.int64)
        keep = np.zeros((len(items), length), np.float32)
        for i, item in enumerate(items):
            tokens[i, :len(item)] = item
            keep[i, :len(item)] = 1
        mask = ((keep - 1) * 1e9)[:, None, None, :]
        (states,) = self.session.run(None, {"tokens": tokens, "positions": np.arange(length), "mask": mask})
        means = (states * keep[:, :, None]).sum(1) / keep.sum(1, keepdims=True)
        return means / np.linalg.norm(means, axis=1, keepdims=True)

    def embed(self, items: list):
        """In batches of items of like length, so that little is padded."""
        order = sorted(range(len(items)), key=lambda i: len(items[i]))
        vectors = np.zeros((len(items), 384), np.float32)
        for start in range(0, len(items), BATCH):
            part = order[start:start + BATCH]
            vectors[part] = self.batch([items[i] for i in part])
        return vectors


def neighbours(vectors):
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -2)
    return cosines.argmax(1), np.sort(cosines, axis=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("embed", type=pathlib.Path)
    parser.add_argument("text", nargs="+")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()

    drawn = sentences(arguments.text, arguments.count)
    tokenizer = Tokenizer.from_file(str(arguments.model / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    items = [encoding.ids for encoding in tokenizer.encode_batch(drawn)]
    print(f"{len(items)} sentences, {sum(map(len, items))} tokens, the longest {max(map(len, items))}")

    exact = FloatModel(arguments.model, arguments.threads)
    exact.embed(items[:64])
    started = time.perf_counter()
    floats = exact.embed(items)
    seconds = time.perf_counter() - started
    print(f"onnxruntime {onnxruntime.__version__}, f32, {arguments.threads} threads: {len(items) / seconds:.1f} sentences/s")

    with tempfile.TemporaryDirectory() as directory:
        lines, output = pathlib.Path(directory, "lines"), pathlib.Path(directory, "output")
        lines.write_text("\n".join(drawn) + "\n")
        environment = {**os.environ, "RAYON_NUM_THREADS": str(arguments.threads)}
        command = [arguments.embed, arguments.model, lines, output, arguments.device]
        subprocess.run(command, check=True, env=environment)
        integers = np.frombuffer(output.read_bytes(), np.int16).reshape(len(items), -1).astype(np.float64)

    lengths = np.linalg.norm(integers, axis=1, keepdims=True)
    integers /= lengths
    cosines = (integers * floats).sum(1)
    print(f"cosine to the float model: mean {cosines.mean():.5f}, worst {cosines.min():.5f}")
    (found, _), (expected, sorted_cosines) = neighbours(integers), neighbours(floats)
    print(f"nearest neighbours that agree: {100 * (found == expected).mean():.1f} %")
    second = expected != found
    margins = sorted_cosines[:, -1] - sorted_cosines[:, -2]
    if second.any():
        print(f"where they differ, the two nearest differ in cosine by {np.median(margins[second]):.4f} in the median "
              f"(else {np.median(margins[~second]):.4f})")


if __name__ == "__main__":
    main()
