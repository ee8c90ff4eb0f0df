#!/usr/bin/env python3
"""A second implementation of program jobs, from docs/protocol/program.md alone, on the machine of machine.py. Writes program.json beside
this file.

    program.py           write the vectors
    program.py --check   fail if program.json differs from what would be written
"""

import json
import pathlib
import sys

from blake3 import blake3
from machine import (EBREAK, ECALL, LOAD, MEMORY_BASE, PAGE, RUNNING, STORE, TRAPPED, Machine, addi, assembled, b_type, call, compact,
                     halt, i_type, jal, li, r_type, run_root, state_hash)
from reference import blob, claim, u32, u64

M = MEMORY_BASE
MAP, FOLD = range(2)


# --- the kind

def scale(image: bytes, inputs: list, mode: int, items: int, gas: int, record_bytes: int) -> bytes:
    return (b"\2\5" + blob(image) + compact(len(inputs)) + b"".join(map(blob, inputs)) + bytes([mode]) + u32(items) + u64(gas)
            + u32(record_bytes))


def arguments(item: int, items: int, before: bytes, inputs: list) -> bytes:
    """`before` is the record before, or no bytes."""
    return u64(1) + u64(item) + u64(items) + blob(before) + u64(len(inputs)) + b"".join(map(blob, inputs))


def record(status: int, trap: int, output: bytes, record_bytes: int) -> bytes:
    if len(output) > record_bytes - 8:
        status, trap, output = 5, 0, b""
    return output.ljust(record_bytes - 8, b"\0") + bytes([status, trap, 0, 0]) + u32(len(output))


def run(image: bytes, inputs: list, item: int, items: int, gas: int, record_bytes: int, before: bytes) -> tuple:
    """The arguments, the record, the root of the run, and the gas that it used."""
    given = arguments(item, items, before, inputs)
    contents = {blob(content): content for content in [given, before, *inputs]}
    machine, states = Machine(image, blob(given), gas, contents, list(contents)), []
    while machine.status == RUNNING:
        machine.segment()
        states.append(state_hash(machine.state()))
    trap = machine.trap if machine.status == TRAPPED else 0
    return given, record(machine.status, trap, machine.output, record_bytes), run_root(states), gas - machine.gas


# --- programs

def flat(*parts) -> list:
    """Words, and lists of lists of them."""
    return [word for part in parts for word in (flat(*part) if isinstance(part, list) else [part])]


# The first page has the reference of the arguments; the second the arguments; more references go to the third, what they name to the
# fourth. x8 is the first page, x5 the item.
START = flat(li(8, M), [STORE(8, 10 + i, 8 * i) for i in range(5)], call(1, M, 0, M + PAGE), li(9, M + PAGE), LOAD(5, 9, 8))


def referred(offset: int) -> list:
    """The reference at `offset` of the arguments goes to the third page. x7 is that."""
    return flat(li(7, M + 2 * PAGE), [[LOAD(6, 9, offset + 8 * i), STORE(7, 6, 8 * i)] for i in range(5)])


def cases(*bodies) -> bytes:
    """Does the body of the item's number."""
    words = list(START)
    for number, body in enumerate(bodies):
        body = flat(body)
        # Too far for a branch.
        words += flat(li(6, number), b_type(0, 5, 6, 8), jal(0, 4 * (len(body) + 1)), body)
    return assembled(words)


BEFORE, INPUTS = 24, 72


def endings() -> bytes:
    """Each item ends in another way."""
    page = M + PAGE
    return cases(
        [call(2, page, 24), halt()],
        # It just fits; it is a byte too long.
        [call(2, page, 1024), call(2, page, 1016), halt()],
        [call(2, page, 1024), call(2, page, 1017), halt()],
        [call(2, page, 10), EBREAK],
        [call(2, page, 1024), jal(0, 0)],
        [call(2, page, 3), halt(1)],
        # Not what it may read: a byte is changed, then the length.
        [referred(INPUTS), LOAD(6, 7), addi(6, 6, 1), STORE(7, 6), call(1, M + 2 * PAGE, 0, M + 3 * PAGE), halt()],
        [referred(INPUTS), LOAD(6, 7, 32), addi(6, 6, -1), STORE(7, 6, 32), call(1, M + 2 * PAGE, 0, M + 3 * PAGE), halt()],
        # The last chunk of the second input, and nothing after it.
        [referred(INPUTS + 40), call(1, M + 2 * PAGE, 1, M + 3 * PAGE), addi(28, 10, 0), call(1, M + 2 * PAGE, 2, M + 3 * PAGE),
         r_type(0x33, 0, 0, 28, 28, 10), li(10, M + 3 * PAGE), addi(11, 28, 0), li(17, 2), ECALL, halt()],
        # Nothing is before; it can be read all the same.
        [referred(BEFORE), call(1, M + 2 * PAGE, 0, M + 3 * PAGE), STORE(7, 10), call(2, M + 2 * PAGE, 8), halt()],
        # Page after page, with few instructions for each.
        [li(6, 200), li(7, M + 8 * PAGE), li(28, PAGE), STORE(7, 6), r_type(0x33, 0, 0, 7, 7, 28), addi(6, 6, -1), b_type(1, 6, 0, -12),
         call(2, M + 8 * PAGE, 9), halt()],
        # More than any record takes.
        [li(28, 1024), [li(10, page), li(11, 1024), li(17, 2), ECALL, addi(28, 28, -1)], b_type(1, 28, 0, -4 * 8), halt()],
        # Nothing at all.
        halt(),
        0,
    )


def steps() -> bytes:
    """A sum over the steps, of what was before, the item, and the first byte of the input; written after a page of it. Step 3 traps."""
    read = flat(referred(BEFORE), call(1, M + 2 * PAGE, 1, M + 3 * PAGE), li(7, M + 3 * PAGE), LOAD(29, 7), referred(INPUTS),
                call(1, M + 2 * PAGE, 0, M + 3 * PAGE), li(7, M + 3 * PAGE), i_type(0x03, 4, 28, 7, 0))
    add = flat(li(6, 31), r_type(0x33, 0, 1, 29, 29, 6), r_type(0x33, 0, 0, 29, 29, 28), r_type(0x33, 0, 0, 29, 29, 5))
    trap = flat(li(6, 3), b_type(1, 5, 6, 8), EBREAK)
    # The page begins with the sum.
    write = flat(STORE(7, 29), call(2, M + 3 * PAGE, 1024), call(2, M + 3 * PAGE, 8))
    return assembled(flat(START, read, add, trap, write, halt()))


def content(length: int) -> bytes:
    return bytes((i * i + 7) % 253 for i in range(length))


JOBS = [
    # (name, image, inputs, mode, items, gas, record bytes)
    ("every ending", endings(), [content(100), content(1500)], MAP, 14, 40000, 2048),
    ("a fold", steps(), [content(2000)], FOLD, 6, 40000, 2048),
    ("a fold of one step", steps(), [content(1)], FOLD, 1, 40000, 2048),
    ("one item", assembled(halt()), [], MAP, 1, 3, 1024),
    ("gas for all but the halt", assembled(halt()), [], MAP, 2, 2, 1024),
    ("no image of an instruction", b"\1", [], FOLD, 3, 1, 1024),
]


def vector(name: str, image: bytes, inputs: list, mode: int, items: int, gas: int, record_bytes: int) -> dict:
    job = scale(image, inputs, mode, items, gas, record_bytes)
    runs, before = [], b""
    for item in range(items):
        runs.append(run(image, inputs, item, items, gas, record_bytes, before))
        before = runs[-1][1] if mode == FOLD else b""
    records = [found[1] for found in runs]
    states = records if mode == FOLD else [b"".join(records)]
    digests = [blake3(state) for state in states]
    return {
        "name": name,
        "job": job.hex(),
        "job_hash": blake3(job).hex(),
        "contents": [found.hex() for found in [image, *inputs]],
        "arguments": [found[0].hex() for found in runs],
        "trailers": [found[-8:].hex() for found in records],
        "record_hashes": [blake3(found).hex() for found in records],
        "run_roots": [found[2].hex() for found in runs],
        "gas_used": [found[3] for found in runs],
        "state_digests": [digest.hex() for digest in digests],
        "output_first_bytes": states[-1][:32].hex(),
        "output_bytes": len(states[-1]),
        "claim": claim(states[-1], digests).hex(),
    }


def main() -> int:
    text = json.dumps([vector(*job) for job in JOBS], indent=1) + "\n"
    path = pathlib.Path(__file__).resolve().with_name("program.json")
    if "--check" not in sys.argv[1:]:
        path.write_text(text)
    elif not path.exists() or path.read_text() != text:
        print(f"{path}: differs from what program.py writes", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
