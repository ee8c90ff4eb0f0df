"""BLAKE3, from its specification, in the standard library alone: the hash of any bytes, and the chaining values of its tree.

Nothing here is fast. Not the package of this name from the registry: it is written to be read.
"""

CHUNK = 1024
BLOCK = 64
MASK = 0xFFFFFFFF
IV = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19)
PERMUTATION = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
CHUNK_START, CHUNK_END, PARENT, ROOT, KEYED = 1, 2, 4, 8, 16


def rotated(x: int, by: int) -> int:
    return x >> by | x << 32 - by & MASK


def mix(v: list, a: int, b: int, c: int, d: int, x: int, y: int):
    for word, first, second in ((x, 16, 12), (y, 8, 7)):
        v[a] = v[a] + v[b] + word & MASK
        v[d] = rotated(v[d] ^ v[a], first)
        v[c] = v[c] + v[d] & MASK
        v[b] = rotated(v[b] ^ v[c], second)


def compress(cv, block: bytes, counter: int, flags: int) -> tuple:
    """The first eight words of the compression, as a chaining value."""
    padded = block.ljust(BLOCK, b"\0")
    m = [int.from_bytes(padded[i:i + 4], "little") for i in range(0, BLOCK, 4)]
    v = [*cv, *IV[:4], counter & MASK, counter >> 32, len(block), flags]
    for _ in range(7):
        mix(v, 0, 4, 8, 12, m[0], m[1])
        mix(v, 1, 5, 9, 13, m[2], m[3])
        mix(v, 2, 6, 10, 14, m[4], m[5])
        mix(v, 3, 7, 11, 15, m[6], m[7])
        mix(v, 0, 5, 10, 15, m[8], m[9])
        mix(v, 1, 6, 11, 12, m[10], m[11])
        mix(v, 2, 7, 8, 13, m[12], m[13])
        mix(v, 3, 4, 9, 14, m[14], m[15])
        m = [m[i] for i in PERMUTATION]
    return tuple(v[i] ^ v[i + 8] for i in range(8))


def to_bytes(cv: tuple) -> bytes:
    return b"".join(word.to_bytes(4, "little") for word in cv)


def left_length(length: int) -> int:
    """The bytes of the left child of a node over more than one chunk: the largest power of two chunks that leaves some."""
    chunks = (length - 1) // CHUNK
    return CHUNK << chunks.bit_length() - 1


def node(data: bytes, chunk: int, root: int, key=IV, mode: int = 0) -> tuple:
    """The chaining value of the node over `data`, which begins with chunk number `chunk`. `root` is ROOT or 0; `mode` is KEYED
    if there is a key."""
    if len(data) <= CHUNK:
        cv = key
        blocks = [data[i:i + BLOCK] for i in range(0, len(data), BLOCK)] or [b""]
        for i, block in enumerate(blocks):
            last = i == len(blocks) - 1
            cv = compress(cv, block, chunk, mode | (i == 0) * CHUNK_START | last * (CHUNK_END | root))
        return cv
    left = left_length(len(data))
    children = node(data[:left], chunk, 0, key, mode), node(data[left:], chunk + left // CHUNK, 0, key, mode)
    return compress(key, b"".join(map(to_bytes, children)), 0, mode | PARENT | root)


def blake3(data: bytes) -> bytes:
    return to_bytes(node(data, 0, ROOT))


def words_of(key: bytes) -> tuple:
    return tuple(int.from_bytes(key[i:i + 4], "little") for i in range(0, 32, 4))


def keyed_blake3(key: bytes, data: bytes) -> bytes:
    return to_bytes(node(data, 0, ROOT, words_of(key), KEYED))


def siblings(data: bytes, index: int, key: bytes = None) -> list:
    """The chaining values beside the way from chunk `index` to the root, lowest first; with a key, those of the keyed tree."""
    how = (words_of(key), KEYED) if key else (IV, 0)
    found, first = [], 0
    while len(data) > CHUNK:
        left = left_length(len(data))
        if (index - first) * CHUNK < left:
            found.append(to_bytes(node(data[left:], first + left // CHUNK, 0, *how)))
            data = data[:left]
        else:
            found.append(to_bytes(node(data[:left], first, 0, *how)))
            data, first = data[left:], first + left // CHUNK
    return found[::-1]
