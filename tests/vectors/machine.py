#!/usr/bin/env python3
"""A second implementation of the machine, from docs/protocol/machine.md and the RISC-V manual alone. Writes machine.json beside it.

    machine.py           write the vectors
    machine.py --check   fail if machine.json differs from what would be written

It is written to be compared with the page, not to be fast. Instructions of two bytes are turned into the words of those that
they are short for.
"""

import json
import pathlib
import sys
from functools import cache

from blake3 import CHUNK, IV, PARENT, ROOT, blake3, compress, keyed_blake3, node, siblings as chunk_siblings, to_bytes
from reference import H, blob, u32, u64

IMAGE_BASE = 0x10000000
MEMORY_BASE = 0x80000000
PAGE = 1024
LEVELS = 18
MEMORY_BYTES = PAGE << LEVELS
MASK = (1 << 64) - 1

RUNNING, DONE, UNUSABLE, TRAPPED, OUT_OF_GAS = range(5)
ILLEGAL, OUTSIDE_IMAGE, MISALIGNED, OUTSIDE_MEMORY, BREAKPOINT, BAD_CALL = range(6)


class Trap(Exception):
    """Its argument is the trap's byte."""


# --- bits

def field(word: int, high: int, low: int) -> int:
    return word >> low & (1 << high - low + 1) - 1


def signed(x: int, width: int) -> int:
    x &= (1 << width) - 1
    return x - (1 << width) if x >> width - 1 else x


# --- words of four bytes, from the formats of the manual

def r_type(opcode, funct3, funct7, rd, rs1, rs2):
    return funct7 << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode


def i_type(opcode, funct3, rd, rs1, imm):
    return (imm & 0xFFF) << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode


def s_type(funct3, rs1, rs2, imm):
    return field(imm, 11, 5) << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | field(imm, 4, 0) << 7 | 0x23


def b_type(funct3, rs1, rs2, imm):
    return (field(imm, 12, 12) << 31 | field(imm, 10, 5) << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | field(imm, 4, 1) << 8
            | field(imm, 11, 11) << 7 | 0x63)


def u_type(opcode, rd, imm20):
    return (imm20 & 0xFFFFF) << 12 | rd << 7 | opcode


def jal(rd, imm):
    return (field(imm, 20, 20) << 31 | field(imm, 10, 1) << 21 | field(imm, 11, 11) << 20 | field(imm, 19, 12) << 12 | rd << 7
            | 0x6F)


ECALL, EBREAK, FENCE = 0x73, 0x100073, 0x0000000F

# Names of instructions by (opcode, funct3, funct7) and such.
BRANCHES = {0: "beq", 1: "bne", 4: "blt", 5: "bge", 6: "bltu", 7: "bgeu"}
LOADS = {0: (1, True), 1: (2, True), 2: (4, True), 3: (8, True), 4: (1, False), 5: (2, False), 6: (4, False)}
OP = {
    (0, 0): "add", (1, 0): "sll", (2, 0): "slt", (3, 0): "sltu", (4, 0): "xor", (5, 0): "srl", (6, 0): "or", (7, 0): "and",
    (0, 32): "sub", (5, 32): "sra",
    (0, 1): "mul", (1, 1): "mulh", (2, 1): "mulhsu", (3, 1): "mulhu", (4, 1): "div", (5, 1): "divu", (6, 1): "rem", (7, 1): "remu",
}
OP_32 = {
    (0, 0): "addw", (1, 0): "sllw", (5, 0): "srlw", (0, 32): "subw", (5, 32): "sraw",
    (0, 1): "mulw", (4, 1): "divw", (5, 1): "divuw", (6, 1): "remw", (7, 1): "remuw",
}
ATOMICS = {
    0b00010: "lr", 0b00011: "sc", 0b00001: "swap", 0b00000: "add", 0b00100: "xor", 0b01100: "and", 0b01000: "or",
    0b10000: "min", 0b10100: "max", 0b11000: "minu", 0b11100: "maxu",
}


def canonical(word: int):
    """The word without the bits that mean nothing. None: it is illegal."""
    opcode, f3, f7 = field(word, 6, 0), field(word, 14, 12), field(word, 31, 25)
    legal = {
        0x37: True,
        0x17: True,
        0x6F: True,
        0x67: f3 == 0,
        0x63: f3 in BRANCHES,
        0x03: f3 in LOADS,
        0x23: f3 <= 3,
        0x13: f3 not in (1, 5) or f7 >> 1 == 0 or (f3, f7 >> 1) == (5, 16),
        0x1B: f3 == 0 or (f3, f7) in ((1, 0), (5, 0), (5, 32)),
        0x33: (f3, f7) in OP,
        0x3B: (f3, f7) in OP_32,
        0x2F: f3 in (2, 3) and f7 >> 2 in ATOMICS and (f7 >> 2 != 0b00010 or field(word, 24, 20) == 0),
        0x0F: f3 <= 1,
        0x73: word in (ECALL, EBREAK),
    }
    if not legal.get(opcode, False):
        return None
    if opcode == 0x0F:
        return FENCE
    if opcode == 0x2F:
        return word & ~(3 << 25)
    return word


def expanded(half: int):
    """The word of the instruction that an instruction of two bytes is short for. None: it is illegal."""
    quadrant, f3 = half & 3, half >> 13
    rd, rs2 = field(half, 11, 7), field(half, 6, 2)
    # The short registers.
    high, low = 8 + field(half, 9, 7), 8 + field(half, 4, 2)
    imm6 = signed(field(half, 12, 12) << 5 | rs2, 6)
    shamt = imm6 & 63

    def bits(*places):
        """The bits of `half` from the highest down to the lowest of `places`, in the manual's notation `(bit, to)`."""
        return sum((half >> bit & 1) << to for bit, to in places)

    if quadrant == 0:
        word_offset = bits((12, 5), (11, 4), (10, 3), (6, 2), (5, 6))
        double_offset = bits((12, 5), (11, 4), (10, 3), (6, 7), (5, 6))
        if f3 == 0:
            imm = bits((12, 5), (11, 4), (10, 9), (9, 8), (8, 7), (7, 6), (6, 2), (5, 3))
            return i_type(0x13, 0, low, 2, imm) if imm else None
        return {
            2: i_type(0x03, 2, low, high, word_offset),
            3: i_type(0x03, 3, low, high, double_offset),
            6: s_type(2, high, low, word_offset),
            7: s_type(3, high, low, double_offset),
        }.get(f3)
    if quadrant == 1:
        if f3 == 0:
            return i_type(0x13, 0, rd, rd, imm6)
        if f3 == 1:
            return i_type(0x1B, 0, rd, rd, imm6) if rd else None
        if f3 == 2:
            return i_type(0x13, 0, rd, 0, imm6)
        if f3 == 3 and rd == 2:
            imm = signed(bits((12, 9), (6, 4), (5, 6), (4, 8), (3, 7), (2, 5)), 10)
            return i_type(0x13, 0, 2, 2, imm) if imm else None
        if f3 == 3:
            return u_type(0x37, rd, imm6) if imm6 else None
        if f3 == 4:
            which = field(half, 11, 10)
            if which == 0:
                return i_type(0x13, 5, high, high, shamt)
            if which == 1:
                return i_type(0x13, 5, high, high, 16 << 6 | shamt)
            if which == 2:
                return i_type(0x13, 7, high, high, imm6)
            arithmetic = {
                0: (0x33, 0, 32), 1: (0x33, 4, 0), 2: (0x33, 6, 0), 3: (0x33, 7, 0), 4: (0x3B, 0, 32), 5: (0x3B, 0, 0),
            }.get(field(half, 12, 12) << 2 | field(half, 6, 5))
            return r_type(*arithmetic, high, high, low) if arithmetic else None
        if f3 == 5:
            imm = bits((12, 11), (11, 4), (10, 9), (9, 8), (8, 10), (7, 6), (6, 7), (5, 3), (4, 2), (3, 1), (2, 5))
            return jal(0, signed(imm, 12))
        imm = signed(bits((12, 8), (11, 4), (10, 3), (6, 7), (5, 6), (4, 2), (3, 1), (2, 5)), 9)
        return b_type(f3 - 6, high, 0, imm)
    if f3 == 0:
        return i_type(0x13, 1, rd, rd, shamt)
    if f3 == 2:
        return i_type(0x03, 2, rd, 2, bits((12, 5), (6, 4), (5, 3), (4, 2), (3, 7), (2, 6))) if rd else None
    if f3 == 3:
        return i_type(0x03, 3, rd, 2, bits((12, 5), (6, 4), (5, 3), (4, 8), (3, 7), (2, 6))) if rd else None
    if f3 == 6:
        return s_type(2, 2, rs2, bits((12, 5), (11, 4), (10, 3), (9, 2), (8, 7), (7, 6)))
    if f3 == 7:
        return s_type(3, 2, rs2, bits((12, 5), (11, 4), (10, 3), (9, 8), (8, 7), (7, 6)))
    if f3 == 4 and half >> 12 & 1 == 0:
        if rs2:
            return r_type(0x33, 0, 0, rd, 0, rs2)
        return i_type(0x67, 0, 0, rd, 0) if rd else None
    if f3 == 4:
        if rs2:
            return r_type(0x33, 0, 0, rd, rd, rs2)
        return i_type(0x67, 0, 1, rd, 0) if rd else EBREAK
    return None


# --- arithmetic

def quotient(a: int, b: int) -> int:
    """Towards zero; all ones for a division by zero."""
    if b == 0:
        return -1
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def remainder(a: int, b: int) -> int:
    return a - b * quotient(a, b) if b else a


def compute(name: str, a: int, b: int, width: int) -> int:
    """An operation on the lowest `width` bits, whose result is sign-extended."""
    ua, ub = a & (1 << width) - 1, b & (1 << width) - 1
    sa, sb = signed(a, width), signed(b, width)
    shift = b & width - 1
    result = {
        "add": lambda: ua + ub,
        "sub": lambda: ua - ub,
        "sll": lambda: ua << shift,
        "slt": lambda: int(sa < sb),
        "sltu": lambda: int(ua < ub),
        "xor": lambda: ua ^ ub,
        "srl": lambda: ua >> shift,
        "sra": lambda: sa >> shift,
        "or": lambda: ua | ub,
        "and": lambda: ua & ub,
        "mul": lambda: ua * ub,
        "mulh": lambda: sa * sb >> width,
        "mulhsu": lambda: sa * ub >> width,
        "mulhu": lambda: ua * ub >> width,
        "div": lambda: quotient(sa, sb),
        "divu": lambda: quotient(ua, ub),
        "rem": lambda: remainder(sa, sb),
        "remu": lambda: remainder(ua, ub),
        "swap": lambda: ub,
        "min": lambda: min(sa, sb),
        "max": lambda: max(sa, sb),
        "minu": lambda: min(ua, ub),
        "maxu": lambda: max(ua, ub),
    }[name]()
    return signed(result, width) & MASK


# --- trees

def K(name: str, data: bytes) -> bytes:
    return keyed_blake3(name.encode().ljust(32, b"."), data)


@cache
def page_hash(page: bytes) -> bytes:
    return K("agora/machine/page/1", page)


@cache
def node_hash(left: bytes, right: bytes) -> bytes:
    return K("agora/machine/node/1", left + right)


@cache
def empty(level: int) -> bytes:
    """The hash of a node over zeroes, `level` above the pages."""
    return node_hash(empty(level - 1), empty(level - 1)) if level else page_hash(bytes(PAGE))


@cache
def run_node(children: tuple) -> bytes:
    return K("agora/machine/run/1", b"".join(children))


def run_root(states: list) -> bytes:
    level, rest = states, states[-1]
    for _ in range(8):
        groups = [level[i:i + 16] for i in range(0, len(level), 16)]
        level = [run_node(tuple(group + [rest] * (16 - len(group)))) for group in groups]
        rest = run_node((rest,) * 16)
    assert len(level) == 1
    return level[0]


# --- SCALE

def compact(n: int) -> bytes:
    if n < 1 << 6:
        return bytes([n << 2])
    if n < 1 << 14:
        return (n << 2 | 1).to_bytes(2, "little")
    return (n << 2 | 2).to_bytes(4, "little")


def listed(items: list) -> bytes:
    return compact(len(items)) + b"".join(items)


def chunk_proof(content: bytes, index: int) -> bytes:
    chunk = content[index * CHUNK:(index + 1) * CHUNK]
    return u64(index) + compact(len(chunk)) + chunk + listed(chunk_siblings(content, index))


# --- the machine

class Machine:
    """`blobs` are contents, by their `BlobRef`. A bounded run may read `reads`."""

    def __init__(self, image: bytes, input_ref: bytes, gas: int, blobs: dict, reads: list | None = None):
        self.image, self.blobs, self.gas, self.reads = image, blobs, gas, reads
        self.status, self.trap = (RUNNING if gas else OUT_OF_GAS), None
        self.pc = IMAGE_BASE
        self.x = [0] * 32
        self.x[10:15] = [int.from_bytes(input_ref[i:i + 8], "little") for i in range(0, 40, 8)]
        self.reserved = None
        self.pages, self.output = {}, b""
        self.nodes = {}
        self.begin()

    # The tree of the memory, of which `nodes` has what was changed.

    def node(self, level: int, number: int) -> bytes:
        return self.nodes.get((level, number), empty(level))

    def update(self):
        level_numbers = {number for where, number in self.touched if where == "memory"}
        for number in level_numbers:
            self.nodes[0, number] = page_hash(bytes(self.page(number)))
        for level in range(1, LEVELS + 1):
            level_numbers = {number // 2 for number in level_numbers}
            for number in level_numbers:
                self.nodes[level, number] = node_hash(self.node(level - 1, 2 * number), self.node(level - 1, 2 * number + 1))

    def beside(self, numbers: list) -> list:
        hashes = []
        for level in range(LEVELS):
            hashes += [self.node(level, number ^ 1) for number in numbers if number ^ 1 not in numbers]
            numbers = sorted({number // 2 for number in numbers})
        return hashes if numbers else []

    # What is touched.

    def begin(self):
        self.touched, self.before, self.read, self.executed = set(), {}, [], 0

    def page(self, number: int) -> bytearray:
        return self.pages.setdefault(number, bytearray(PAGE))

    def touch(self, where: str, number: int):
        self.touched.add((where, number))
        if where == "memory" and number not in self.before:
            self.before[number] = bytes(self.page(number))

    def place(self, address: int, size: int, write: bool) -> tuple:
        """Where an access goes, which touches it: the bytes there, and the first one's place in them."""
        address &= MASK
        if address % size:
            raise Trap(MISALIGNED)
        if MEMORY_BASE <= address < MEMORY_BASE + MEMORY_BYTES:
            number, at = divmod(address - MEMORY_BASE, PAGE)
            self.touch("memory", number)
            return self.page(number), at
        if not write and IMAGE_BASE <= address and address + size <= IMAGE_BASE + len(self.image):
            self.touch("image", (address - IMAGE_BASE) // PAGE)
            return self.image, address - IMAGE_BASE
        raise Trap(OUTSIDE_MEMORY)

    def load(self, address: int, size: int) -> int:
        data, at = self.place(address, size, False)
        return int.from_bytes(data[at:at + size], "little")

    def store(self, address: int, size: int, value: int):
        data, at = self.place(address, size, True)
        data[at:at + size] = (value & (1 << 8 * size) - 1).to_bytes(size, "little")

    # Instructions.

    def half(self, address: int) -> int:
        if not (IMAGE_BASE <= address and address + 2 <= IMAGE_BASE + len(self.image)):
            raise Trap(OUTSIDE_IMAGE)
        at = address - IMAGE_BASE
        self.touch("image", at // PAGE)
        return int.from_bytes(self.image[at:at + 2], "little")

    def step(self):
        before = list(self.x)
        try:
            self.pc = self.execute() & MASK
            self.x[0] = 0
        except Trap as trap:
            self.x = before
            self.status, self.trap = TRAPPED, trap.args[0]
        self.gas -= 1
        self.executed += 1
        if self.status == RUNNING and self.gas == 0:
            self.status = OUT_OF_GAS

    def execute(self) -> int:
        """Executes the instruction at `pc`, and returns what `pc` is then."""
        half = self.half(self.pc)
        if half & 3 == 3:
            length, word = 4, canonical(half | self.half(self.pc + 2 & MASK) << 16)
        else:
            length, word = 2, expanded(half)
        if word is None:
            raise Trap(ILLEGAL)
        opcode, rd, f3, f7 = field(word, 6, 0), field(word, 11, 7), field(word, 14, 12), field(word, 31, 25)
        a, b = self.x[field(word, 19, 15)], self.x[field(word, 24, 20)]
        imm, after = signed(field(word, 31, 20), 12), self.pc + length & MASK
        if opcode == 0x37:
            self.x[rd] = signed(word & 0xFFFFF000, 32) & MASK
        elif opcode == 0x17:
            self.x[rd] = self.pc + signed(word & 0xFFFFF000, 32) & MASK
        elif opcode == 0x6F:
            offset = (field(word, 31, 31) << 20 | field(word, 19, 12) << 12 | field(word, 20, 20) << 11
                      | field(word, 30, 21) << 1)
            self.x[rd] = after
            return self.pc + signed(offset, 21)
        elif opcode == 0x67:
            self.x[rd] = after
            return a + imm & ~1
        elif opcode == 0x63:
            sa, sb = signed(a, 64), signed(b, 64)
            taken = {"beq": a == b, "bne": a != b, "blt": sa < sb, "bge": sa >= sb, "bltu": a < b, "bgeu": a >= b}[BRANCHES[f3]]
            offset = (field(word, 31, 31) << 12 | field(word, 7, 7) << 11 | field(word, 30, 25) << 5
                      | field(word, 11, 8) << 1)
            return self.pc + signed(offset, 13) if taken else after
        elif opcode == 0x03:
            size, is_signed = LOADS[f3]
            value = self.load(a + imm, size)
            self.x[rd] = (signed(value, 8 * size) if is_signed else value) & MASK
        elif opcode == 0x23:
            self.store(a + signed(f7 << 5 | rd, 12), 1 << f3, b)
        elif opcode in (0x13, 0x1B):
            if f3 == 5:
                name = "sra" if f7 & 32 else "srl"
            else:
                name = {0: "add", 1: "sll", 2: "slt", 3: "sltu", 4: "xor", 6: "or", 7: "and"}[f3]
            self.x[rd] = compute(name, a, imm & MASK, 64 if opcode == 0x13 else 32)
        elif opcode == 0x33:
            self.x[rd] = compute(OP[f3, f7], a, b, 64)
        elif opcode == 0x3B:
            self.x[rd] = compute(OP_32[f3, f7][:-1], a, b, 32)
        elif opcode == 0x2F:
            self.x[rd] = self.atomic(ATOMICS[f7 >> 2], 1 << f3, a, b) & MASK
        elif word == ECALL:
            return self.call(after)
        elif word == EBREAK:
            raise Trap(BREAKPOINT)
        return after

    def atomic(self, name: str, size: int, address: int, operand: int) -> int:
        if name == "sc":
            if address % size:
                raise Trap(MISALIGNED)
            if self.reserved == address:
                self.store(address, size, operand)
                self.reserved = None
                return 0
            self.reserved = None
            return 1
        old = self.load(address, size)
        if name == "lr":
            self.reserved = address
        else:
            self.store(address, size, compute(name, old, operand, 8 * size))
        return signed(old, 8 * size)

    def call(self, after: int) -> int:
        number, (a0, a1, a2) = self.x[17], self.x[10:13]
        if number == 0 and a0 <= 1:
            self.status = (DONE, UNUSABLE)[a0]
            return self.pc
        if number == 1:
            if a0 % 64:
                raise Trap(MISALIGNED)
            ref = b"".join(u64(self.load(a0 + 8 * i, 8)) for i in range(5))
            size = int.from_bytes(ref[32:], "little")
            if size > 1 << 36 or (self.reads is not None and ref not in self.reads):
                raise Trap(BAD_CALL)
            if a1 * CHUNK < size:
                length = min(CHUNK, size - a1 * CHUNK)
                data, at = self.place(a2, PAGE, True)
                data[at:at + length] = self.blobs[ref][a1 * CHUNK:a1 * CHUNK + length]
                self.read.append((ref, a1))
                self.x[10] = length
            else:
                self.x[10] = 0
            return after
        if number == 2:
            data, at = self.place(a0, PAGE, False)
            if not 1 <= a1 <= 1024 or len(self.output) % 1024 or len(self.output) + a1 > 1 << 20:
                raise Trap(BAD_CALL)
            self.output += bytes(data[at:at + a1])
            return after
        raise Trap(BAD_CALL)

    # States and segments.

    def subtrees(self) -> list:
        """The chaining values that the state keeps of the output."""
        if not self.output:
            return []
        last = (len(self.output) - 1) // CHUNK
        values, at = [], 0
        for bit in reversed(range(last.bit_length())):
            if last >> bit & 1:
                values.append(to_bytes(node(self.output[at * CHUNK:(at + (1 << bit)) * CHUNK], at, 0)))
                at += 1 << bit
        return values + [to_bytes(node(self.output[at * CHUNK:], at, 0))]

    def state(self) -> bytes:
        status = bytes([self.status]) + (bytes([self.trap]) if self.status == TRAPPED else b"")
        reserved = b"\0" if self.reserved is None else b"\1" + u64(self.reserved)
        subtrees, first = self.subtrees(), blake3(self.output[:CHUNK])
        # Joined from the right they are the hash.
        joined = subtrees[-1:] or [first]
        for i, left in enumerate(reversed(subtrees[:-1])):
            joined = [to_bytes(compress(IV, left + joined[0], 0, PARENT | (ROOT if i == len(subtrees) - 2 else 0)))]
        assert (joined[0] if len(subtrees) > 1 else first) == blake3(self.output)
        return (status + u64(self.gas) + u64(self.pc) + b"".join(map(u64, self.x[1:])) + reserved + self.node(LEVELS, 0)
                + u64(len(self.output)) + first + listed(subtrees))

    def segment(self) -> bytes:
        """Runs a segment, and returns its witness."""
        self.begin()
        while True:
            self.step()
            full = self.executed == 65536 or len(self.touched) >= 24 or len(self.read) >= 4
            if full or self.status != RUNNING:
                break
        if self.reads is not None and self.status == RUNNING:
            self.gas = max(self.gas - max(4096 - self.executed, 0), 0)
            if self.gas == 0:
                self.status = OUT_OF_GAS
        numbers = sorted(self.before)
        image = [chunk_proof(self.image, number) for where, number in sorted(self.touched) if where == "image"]
        pages = [u32(number) + self.before[number] for number in numbers]
        chunks = [chunk_proof(self.blobs[ref], number) for ref, number in self.read]
        witness = listed(image) + listed(pages) + listed(self.beside(numbers)) + listed(chunks)
        self.update()
        return witness


def state_hash(state: bytes) -> bytes:
    return blake3(b"agora/machine/state/1" + state)


# --- programs

def addi(rd, rs1, imm):
    return i_type(0x13, 0, rd, rs1, imm)


def li(rd: int, value: int) -> list:
    """The shortest of the ways to make a number: `lui` and `addiw`, then twelve bits at a time."""
    value = signed(value, 64)
    if -2048 <= value < 2048:
        return [addi(rd, 0, value)]
    if -1 << 31 <= value < (1 << 31) - 2048:
        low = signed(value, 12)
        return [u_type(0x37, rd, value - low >> 12), i_type(0x1B, 0, rd, rd, low)]
    low = signed(value, 12)
    return li(rd, value - low >> 12) + [i_type(0x13, 1, rd, rd, 12), addi(rd, rd, low)]


def flat(*parts) -> list:
    """Words and lists of them."""
    return [word for part in parts for word in (part if isinstance(part, list) else [part])]


def assembled(*parts) -> bytes:
    """Words of four bytes, and halves: numbers whose lowest two bits are not both set are two bytes."""
    return b"".join(word.to_bytes(4 if word & 3 == 3 else 2, "little") for word in flat(*parts))


def halt(status: int = 0) -> list:
    return [addi(10, 0, status), addi(17, 0, 0), ECALL]


def call(number: int, a0: int, a1: int = 0, a2: int = 0) -> list:
    return flat(li(10, a0), li(11, a1), li(12, a2), li(17, number), ECALL)


LOAD, STORE = (lambda rd, rs1, imm=0: i_type(0x03, 3, rd, rs1, imm)), (lambda rs1, rs2, imm=0: s_type(3, rs1, rs2, imm))

NUMBERS = [0, 1, MASK, 1 << 63, (1 << 63) - 1, 1 << 31, (1 << 31) - 1, 0xFFFFFFFF, 0xFFFFFFFF80000000, 37, 0x0123456789ABCDEF]


def table_program(body: list, operands: int, memory_operand: bool = False) -> bytes:
    """For all numbers (and pairs of them) in x6 (and x7): does `body`, which leaves x28, and writes all of these as the output.

    The table lies at the end of the image. With `memory_operand` x5 is an address at which x6 is stored before, and what is there
    afterwards is written too."""
    def program(table: int) -> bytes:
        words = flat(li(8, table), li(9, MEMORY_BASE), li(30, MEMORY_BASE + 0x10000))
        pairs = [(i, j) for i in range(len(NUMBERS)) for j in range(len(NUMBERS) if operands == 2 else 1)]
        loop = flat(
            LOAD(6, 20), LOAD(7, 21),
            ([addi(5, 30, 0), STORE(5, 6)] if memory_operand else []),
            addi(28, 0, 0), body, STORE(9, 28), addi(9, 9, 8),
            ([LOAD(28, 30), STORE(9, 28), addi(9, 9, 8)] if memory_operand else []),
        )
        # x20 and x21 walk through the table, x22 is its end.
        words += flat(addi(20, 8, 0), addi(22, 8, 8 * len(NUMBERS)), addi(21, 8, 0))
        inner = loop + [addi(21, 21, 8), b_type(1, 21, 22, -4 * (len(loop) + 1))] if operands == 2 else loop
        outer = flat(addi(21, 8, 0), inner, addi(20, 20, 8))
        words += outer + [b_type(1, 20, 22, -4 * len(outer))]
        written = 8 * len(pairs) * (2 if memory_operand else 1)
        at = MEMORY_BASE
        while written:
            words += call(2, at, min(written, 1024))
            at, written = at + 1024, written - min(written, 1024)
        return assembled(words, halt())

    # The table's place is known when the length is; numbers in the image take as many words wherever they are.
    length = -(-len(program(IMAGE_BASE + 0x700)) // 8) * 8
    code = program(IMAGE_BASE + length)
    assert len(code) <= length < PAGE - 8 * len(NUMBERS)
    return code.ljust(length, b"\0") + b"".join(map(u64, NUMBERS))


def operations() -> dict:
    """Images by the name of the instruction that each does with many numbers."""
    programs = {}
    for opcode, table in ((0x33, OP), (0x3B, OP_32)):
        for (f3, f7), name in table.items():
            programs[name] = table_program([r_type(opcode, f3, f7, 28, 6, 7)], 2)
    for f3, name in BRANCHES.items():
        programs[name] = table_program([b_type(f3, 6, 7, 8), addi(28, 28, 1)], 2)
    for opcode, suffix in ((0x13, ""), (0x1B, "w")):
        for f3, name in {0: "addi", 2: "slti", 3: "sltiu", 4: "xori", 6: "ori", 7: "andi"}.items():
            if opcode == 0x1B and f3:
                continue
            # Each number with several immediates, one after the other.
            body = flat(*[[i_type(opcode, f3, 29, 6, imm), r_type(0x33, 0, 1, 28, 28, 8), r_type(0x33, 4, 0, 28, 28, 29)]
                          for imm in (0, 1, -1, 2047, -2048, 0x555)])
            programs[name + suffix] = table_program(body, 1)
        for f3, high, name in ((1, 0, "slli"), (5, 0, "srli"), (5, 1024, "srai")):
            shifts = (0, 1, 31) if suffix else (0, 1, 31, 32, 63)
            body = flat(*[[i_type(opcode, f3, 29, 6, high | by), r_type(0x33, 0, 1, 28, 28, 8), r_type(0x33, 4, 0, 28, 28, 29)]
                          for by in shifts])
            programs[name + suffix] = table_program(body, 1)
    for f3, name in enumerate(("lb", "lh", "lw", "ld", "lbu", "lhu", "lwu")):
        offsets = range(0, 8, LOADS[f3][0])
        body = flat(*[[i_type(0x03, f3, 29, 5, at), r_type(0x33, 0, 1, 28, 28, 8), r_type(0x33, 4, 0, 28, 28, 29)] for at in offsets])
        programs[name] = table_program(body, 1, True)
    for f3, name in enumerate(("sb", "sh", "sw", "sd")):
        programs[name] = table_program([s_type(f3, 5, 7, 8 - (1 << f3))], 2, True)
    for f3, suffix in ((2, ".w"), (3, ".d")):
        for f5, name in ATOMICS.items():
            if name in ("lr", "sc"):
                continue
            programs["amo" + name + suffix] = table_program([r_type(0x2F, f3, f5 << 2, 28, 5, 7)], 2, True)
        lr = r_type(0x2F, f3, 0b00010 << 2, 29, 5, 0)
        sc = r_type(0x2F, f3, 0b00011 << 2, 28, 5, 7)
        add = r_type(0x33, 0, 0, 28, 28, 29)
        programs["lr" + suffix] = table_program([lr, addi(28, 29, 0)], 1, True)
        programs["sc" + suffix] = table_program([lr, sc, add], 2, True)
        programs["sc" + suffix + " of nothing that is reserved"] = table_program([sc], 2, True)
        programs["sc" + suffix + " again"] = table_program([lr, sc, sc], 2, True)
        programs["sc" + suffix + " elsewhere"] = table_program([addi(5, 5, 8), lr, addi(5, 5, -8), sc], 2, True)
    return programs


class Draws:
    """Made-up numbers: H(name ‖ u32 0), H(name ‖ u32 1), …"""

    def __init__(self, name: str):
        self.name, self.count = name.encode(), 0

    def below(self, n: int) -> int:
        self.count += 1
        return int.from_bytes(H(self.name + u32(self.count))[:8], "little") % n

    def of(self, items):
        return items[self.below(len(items))]


def random_program(name: str) -> bytes:
    """Registers that point to memory and image, and others; then any instructions, of two and of four bytes."""
    draws = Draws(name)
    words = flat(li(2, MEMORY_BASE + 3 * PAGE - 64), li(8, MEMORY_BASE + 8 * draws.below(1 << 25)), li(9, MEMORY_BASE + 512),
                 li(10, IMAGE_BASE), *[li(rd, draws.of(NUMBERS)) for rd in (1, 5, 11, 12, 13, 14, 15, 16)])
    values = (0, 1, 5, 11, 12, 13, 14, 15, 16, 17, 31)
    # What points to something is not changed often.
    targets = values + (11, 12, 13, 14, 15) * 2

    def base():
        return draws.of((2, 8, 9, 8, 9))

    def random_word():
        which = draws.below(12)
        rd, rs1, rs2 = draws.of(targets), draws.of(values), draws.of(values)
        if which < 3:
            (f3, f7), opcode = draws.of([*OP]), 0x33
            return r_type(opcode, f3, f7, rd, rs1, rs2)
        if which == 3:
            return r_type(0x3B, *draws.of([*OP_32]), rd, rs1, rs2)
        if which == 4:
            opcode, f3 = draws.of((0x13, 0x1B)), draws.of((0, 0, 1, 2, 3, 4, 5, 6, 7))
            if opcode == 0x1B and f3 not in (1, 5):
                f3 = 0
            imm = draws.below(32) | (f3 == 5) * draws.of((0, 1024)) if f3 in (1, 5) else draws.below(4096)
            return i_type(opcode, f3, rd, rs1, imm)
        if which in (5, 6):
            f3 = draws.below(7)
            size = LOADS[f3][0]
            return i_type(0x03, f3, rd, draws.of((2, 8, 9, 10)), size * draws.below(64 // size))
        if which in (7, 8):
            f3 = draws.below(4)
            return s_type(f3, base(), rs2, (1 << f3) * draws.below(64 >> f3))
        if which == 9:
            f5 = draws.of([*ATOMICS])
            return r_type(0x2F, draws.of((2, 3)), f5 << 2 | draws.below(4), rd, base(), rs2 if ATOMICS[f5] != "lr" else 0)
        if which == 10:
            return b_type(draws.of([*BRANCHES]), rs1, rs2, 4 + 2 * draws.below(6))
        return draws.of((u_type(0x37, rd, draws.below(1 << 20)), u_type(0x17, rd, draws.below(1 << 20)), FENCE, jal(rd, 4 + 2 * draws.below(4))))

    def random_half():
        # Any half that is short for something which neither jumps far nor changes what points to something.
        while True:
            half = draws.below(1 << 16)
            word = expanded(half) if half & 3 != 3 else None
            if word is None or word & 127 in (0x67, 0x6F) or word == EBREAK:
                continue
            writes = word & 127 not in (0x63, 0x23)
            if writes and field(word, 11, 7) not in values:
                continue
            if word & 127 == 0x63 and not 0 < signed(field(word, 31, 31) << 12 | field(word, 7, 7) << 11
                                                     | field(word, 30, 25) << 5 | field(word, 11, 8) << 1, 13) < 16:
                continue
            if word & 127 in (0x03, 0x23) and field(word, 19, 15) not in (2, 8, 9):
                continue
            return half

    # A branch goes ahead by some bytes, so it may land in the middle of an instruction.
    words += [random_half() if draws.below(3) == 0 else random_word() for _ in range(150)]
    return assembled(words, halt())


def copier() -> bytes:
    """Writes its input to the output. Its `BlobRef` goes to the beginning of the memory, each chunk to a page of its own."""
    loop = flat(
        addi(10, 5, 0), addi(11, 7, 0), addi(12, 6, 0), addi(17, 0, 1), ECALL,
        b_type(0, 10, 0, 4 * 8),
        addi(11, 10, 0), addi(10, 6, 0), addi(17, 0, 2), ECALL,
        addi(6, 6, 1024), addi(7, 7, 1))
    return assembled(li(5, MEMORY_BASE), li(6, MEMORY_BASE + 1024), [STORE(5, 10 + i, 8 * i) for i in range(5)], addi(7, 0, 0), loop,
                     jal(0, -4 * len(loop)), halt())


def toucher(pages: int, stride: int) -> bytes:
    """Writes to `pages` places, each `stride` bytes after the one before."""
    loop = [STORE(5, 6), r_type(0x33, 0, 0, 5, 5, 7), addi(6, 6, -1)]
    return assembled(li(5, MEMORY_BASE), li(6, pages), li(7, stride), loop, b_type(1, 6, 0, -12), halt())


def jumper(chunks: int) -> bytes:
    """Jumps from chunk to chunk of the image; each time the last half of a chunk and the first of the next are one instruction."""
    image = b""
    for _ in range(chunks):
        # Two bytes in front of the words that cross.
        image += assembled([] if image else 0x0001, jal(0, PAGE - 4))
        image = image.ljust(len(image) // PAGE * PAGE + PAGE - 2, b"\0") + assembled(addi(5, 5, 3))
    return image + assembled(halt(1))


def programs() -> list:
    """(name, image, input, other blobs, gas)"""
    content = lambda n: bytes(i % 251 for i in range(n))
    found = [(name, image, b"", [], 10000) for name, image in operations().items()]
    found += [(f"random {i}", random_program(f"machine {i}"), content(i), [], 2000) for i in range(40)]
    m, i = MEMORY_BASE, IMAGE_BASE
    load = lambda address, f3: assembled(li(5, address), i_type(0x03, f3, 6, 5, 0), halt())
    store = lambda address, f3: assembled(li(5, address), s_type(f3, 5, 6, 0), halt())
    atomic = lambda address, f5, f3: assembled(li(5, address), r_type(0x2F, f3, f5 << 2, 6, 5, 0), halt())
    jump = lambda address: assembled(li(5, address), i_type(0x67, 0, 1, 5, 0))
    reference = [STORE(5, 10 + at, 8 * at) for at in range(5)]
    single = {
        "halts": assembled(halt()),
        "says that its input is unusable": assembled(halt(1)),
        "halts with 2": assembled(halt(2)),
        "halts with a large number": assembled(call(0, 1 << 32)),
        "breaks": assembled(EBREAK),
        "breaks in two bytes": assembled(0x9002),
        "zeroes": bytes(4),
        "ones": b"\xff" * 8,
        "one byte": b"\1",
        "half an instruction": b"\x13\x05",
        "runs over its end": assembled(addi(5, 0, 7)),
        "an odd length": assembled(addi(5, 0, 7)) + b"\1",
        "jumps to memory": jump(m),
        "jumps to nothing": jump(0),
        "jumps to the last half of its image": jump(i + 12) + b"\x13\x05",
        "jumps to zeroes": jump(i + 12) + b"\0\0",
        "jumps to an odd address": assembled(u_type(0x17, 5, 0), i_type(0x67, 0, 1, 5, 13), addi(6, 0, 1), halt()),
        "jumps into an instruction": assembled(jal(1, 6), u_type(0x37, 6, 0x9002 << 4 | 1), halt()),
        "jumps back over the first byte": assembled(jal(0, -4)),
        "jumps round to where it is": assembled(jal(1, 0)),
        "loads the last bytes of memory": load(m + MEMORY_BYTES - 8, 3),
        "loads after memory": load(m + MEMORY_BYTES, 0),
        "loads before memory": load(m - 1, 4),
        "loads its first instructions": load(i, 3),
        "loads after its image": load(i + 64, 3),
        "loads at the end of addresses": load(MASK, 0),
        "a misaligned load of nothing": load(1, 1),
        "a misaligned load": load(m + 4, 3),
        "a misaligned store": store(m + 2, 2),
        "stores the last byte of memory": store(m + MEMORY_BYTES - 1, 0),
        "stores after memory": store(m + MEMORY_BYTES, 0),
        "stores to its image": store(i, 0),
        "an atomic of its image": atomic(i, 0, 2),
        "reserves an address of its image": atomic(i, 0b00010, 3),
        "a misaligned atomic": atomic(m + 4, 1, 3),
        "a misaligned sc": atomic(m + 4, 0b00011, 3),
        "sc of an address of its image": assembled(li(5, i), r_type(0x2F, 2, 8, 6, 5, 0), r_type(0x2F, 2, 12, 6, 5, 0), halt()),
        "lr of a word, sc of a double": assembled(li(5, m), li(7, -3), r_type(0x2F, 2, 8, 6, 5, 0), r_type(0x2F, 3, 12, 6, 5, 7), halt()),
        "a call that there is not": assembled(call(3, 0)),
        "a large number of a call": assembled(call(1 << 63, 0)),
        "writes nothing": assembled(call(2, m, 0)),
        "writes too much": assembled(call(2, m, 1025)),
        "writes very much": assembled(call(2, m, MASK)),
        "writes what is not a page": assembled(call(2, m + 512, 1)),
        "writes what is not there": assembled(call(2, m - 1024, 1)),
        "writes its image, which is too short": assembled(call(2, i, 1)),
        "writes its image": assembled(call(2, i, 1024), call(2, i, 3), halt()).ljust(PAGE, b"\7"),
        "writes after its last": assembled(call(2, m, 1024), call(2, m, 1023), call(2, m, 1), halt()),
        "writes too little and too much": assembled(call(2, m, 5), call(2, m, 0), halt()),
        "reads a misaligned reference": assembled(call(1, m + 32, 0, m)),
        "reads a reference in nothing": assembled(call(1, 0, 0, m)),
        "reads a reference that its image ends in": assembled(call(1, i, 0, m)).ljust(56, b"\0")[:36],
        "reads chunk 1 of 1": assembled(li(5, m), reference, call(1, m, 1, 7), halt()),
        "reads a chunk with a very large number": assembled(li(5, m), reference, call(1, m, MASK, 7), halt()),
        "reads a chunk to its image": assembled(li(5, m), reference, call(1, m, 0, i), halt()),
        "reads a chunk to what is not a page": assembled(li(5, m), reference, call(1, m, 0, m + 8), halt()),
        "reads a chunk over its reference": assembled(li(5, m), reference, call(1, m, 0, m), LOAD(6, 5), halt()),
    }
    found += [(name, image, content(100), [], 100) for name, image in single.items()]
    found += [("reads an empty blob", assembled(li(5, m), reference, call(1, m, 0, 7), halt()), b"", [], 100)]
    # A reference that lies in the image.
    start = assembled(call(1, i + 128, 2, m), call(2, m, 17), halt())
    assert len(start) <= 128
    other = content(5000)
    of_length = lambda n: assembled(li(5, m), li(6, n), STORE(5, 6, 32), call(1, m, 1 << 60, 7), halt())
    found += [
        ("reads another blob", start.ljust(128, b"\0") + blob(other), b"", [other], 100),
        ("reads a blob of the most bytes", of_length(1 << 36), b"", [], 100),
        ("reads a blob of too many bytes", of_length((1 << 36) + 1), b"", [], 100),
        ("reads a blob of far too many bytes", of_length(MASK), b"", [], 100),
        ("no gas", assembled(halt()), b"", [], 0),
        ("gas to halt", assembled(halt()), b"", [], 3),
        ("not enough gas to halt", assembled(halt()), b"", [], 2),
        ("the last gas for a trap", assembled(EBREAK), b"", [], 1),
        ("not enough gas for a trap", assembled(addi(5, 0, 1), EBREAK), b"", [], 1),
        ("a long loop", assembled(li(6, 70000), addi(6, 6, -1), b_type(1, 6, 0, -4), halt()), b"", [], 1 << 20),
        ("all gas is the end of a segment", assembled(jal(0, 0)), b"", [], 65536),
        ("one more", assembled(jal(0, 0)), b"", [], 65537),
        ("touches pages beside one another", toucher(60, 1024), b"", [], 10000),
        ("touches pages far from one another", toucher(50, (MEMORY_BYTES // 50) & ~1023), b"", [], 10000),
        ("touches the same pages again", toucher(300, 8), b"", [], 10000),
        ("jumps from chunk to chunk", jumper(30), b"", [], 10000),
    ]
    found += [(f"copies {n} bytes", copier(), content(n), [], 10000) for n in (0, 1, 1023, 1024, 1025, 4096, 5000, 20000)]
    return found


def bounded_programs() -> list:
    """(name, image, input, other blobs, gas, the blobs that may be read)"""
    content = lambda n: bytes(i % 251 for i in range(n))
    m = MEMORY_BASE
    reference = [STORE(5, 10 + at, 8 * at) for at in range(5)]
    reads = lambda *words: assembled(li(5, m), reference, *words, call(1, m, 0, 7), halt())
    longer = assembled(li(5, m), reference, li(6, 101), STORE(5, 6, 32), call(1, m, 0, m), halt())
    image = toucher(60, 1024)
    loop = assembled(li(6, 70000), addi(6, 6, -1), b_type(1, 6, 0, -4), halt())
    found = [(f"copies {n} bytes, bounded", copier(), content(n), [], 100000, [blob(content(n))]) for n in (0, 1025, 20000)]
    return found + [
        ("may read nothing", copier(), content(100), [], 10000, []),
        ("may read another", copier(), content(100), [content(99)], 10000, [blob(content(99))]),
        ("may read a longer one", longer, content(100), [], 10000, [blob(content(100))]),
        ("may not read what is empty", reads(), b"", [], 10000, [blob(b"1")]),
        ("may read what is empty", reads(), b"", [], 10000, [blob(b"1"), blob(b"")]),
        ("may not read a chunk that is not there", assembled(li(5, m), reference, call(1, m, 1, 7), halt()), content(100), [], 10000, []),
        ("halts, bounded", assembled(halt()), b"", [], 3, []),
        ("a long loop, bounded", loop, b"", [], 1 << 20, []),
        ("touches pages, bounded", image, b"", [], 100000, []),
        ("gas for a segment and its fee alone", image, b"", [], 4096, []),
        ("one more, bounded", image, b"", [], 4097, []),
        ("one less than the fee", image, b"", [], 4095, []),
        ("all gas is the end of a segment, bounded", assembled(jal(0, 0)), b"", [], 65536, []),
    ]


def vector(name: str, image: bytes, input_bytes: bytes, others: list, gas: int, reads: list | None = None) -> dict:
    blobs = {blob(content): content for content in [input_bytes, *others]}
    machine = Machine(image, blob(input_bytes), gas, blobs, reads)
    start, states, witnesses = machine.state(), [], []
    while machine.status == RUNNING:
        witnesses.append(machine.segment())
        states.append(state_hash(machine.state()))
    end = machine.state()
    return {
        "name": name,
        "image": image.hex(),
        "input_bytes": len(input_bytes),
        "other_blobs_bytes": [len(other) for other in others],
        "gas": gas,
        # What a bounded run may read.
        **({} if reads is None else {"reads": [ref.hex() for ref in reads]}),
        "start_hash": state_hash(start).hex(),
        "state_hashes": [state.hex() for state in states],
        "witness_bytes": [len(witness) for witness in witnesses],
        "witness_hashes": [blake3(witness).hex() for witness in witnesses],
        "end_scale": end.hex(),
        "output_hash": blake3(machine.output).hex(),
        # A run that ends before its first instruction has its start as its only state.
        "run_root": run_root(states or [state_hash(start)]).hex(),
    }


def meanings() -> dict:
    """BLAKE3 of what many instructions mean: the canonical word of each, and 0 for an illegal one.

    Of two bytes: all, by bits 1..0 and 15..13. Of four: by opcode all funct3 and funct7 with some registers."""
    groups = {}
    for half in range(1 << 16):
        if half & 3 != 3:
            groups.setdefault(f"compressed {half & 3} {half >> 13}", []).append(expanded(half) or 0)
    for opcode in range(3, 128, 4):
        for f3 in range(8):
            for f7 in range(128):
                for rd, rs1, rs2 in ((0, 0, 0), (0, 0, 1), (1, 2, 3), (31, 30, 29)):
                    word = r_type(opcode, f3, f7, rd, rs1, rs2)
                    groups.setdefault(f"full {opcode:#04x}", []).append(canonical(word) or 0)
    return {name: {"legal": sum(word != 0 for word in words), "hash": blake3(b"".join(map(u32, words))).hex()}
            for name, words in groups.items()}


def main() -> int:
    path = pathlib.Path(__file__).resolve().parent / "machine.json"
    vectors = {"empty_root": empty(LEVELS).hex(), "meanings": meanings(), "runs": [vector(*run) for run in programs() + bounded_programs()]}
    text = json.dumps(vectors, indent=1) + "\n"
    if "--check" not in sys.argv[1:]:
        path.write_text(text)
    elif not path.exists() or path.read_text() != text:
        print(f"{path}: differs from what machine.py writes", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
