#!/usr/bin/env python3
"""Converts scikit-learn's `sklearn/datasets/data/digits.csv.gz` to the data set `digits.agds`, in the standard library alone.

  convert.py path/to/digits.csv.gz
"""

import gzip
import pathlib
import sys

rows = [[int(float(x)) for x in line.split(",")] for line in gzip.open(sys.argv[1], "rt") if line.strip()]
assert all(len(row) == 65 and max(row[:64]) <= 16 for row in rows)
sizes = b"".join(size.to_bytes(2, "little") for size in (8, 8, 10))
header = b"AGDS\1" + bytes([16]) + sizes + len(rows).to_bytes(4, "little")
pixels = bytes(pixel for row in rows for pixel in row[:64])
labels = bytes(row[64] for row in rows)
(pathlib.Path(__file__).parent / "digits.agds").write_bytes(header + pixels + labels)
