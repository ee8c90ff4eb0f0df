// BLAKE3's compression.

struct Params {
    // Chunks, or chaining values to join.
    count: u32,
    // Of a line that are hashed.
    bytes: u32,
    // From the begin of a line to the begin of the next.
    stride: u32,
    // All bytes.
    total: u32,
}

@group(0) @binding(0) var<storage, read> content: array<u32>;
@group(0) @binding(1) var<storage, read_write> values: array<u32>;
@group(0) @binding(2) var<uniform> params: Params;

const GROUP = 64u;
const CHUNK_START = 1u;
const CHUNK_END = 2u;
const PARENT = 4u;
const ROOT = 8u;
const IV = array<u32, 8>(
    0x6A09E667u, 0xBB67AE85u, 0x3C6EF372u, 0xA54FF53Au, 0x510E527Fu, 0x9B05688Cu, 0x1F83D9ABu, 0x5BE0CD19u,
);

fn turned(x: u32, by: u32) -> u32 {
    return (x >> by) | (x << (32u - by));
}

fn compress(cv: array<u32, 8>, m: array<u32, 16>, counter: u32, length: u32, flags: u32) -> array<u32, 8> {
    var v0 = cv[0]; var v1 = cv[1]; var v2 = cv[2]; var v3 = cv[3];
    var v4 = cv[4]; var v5 = cv[5]; var v6 = cv[6]; var v7 = cv[7];
    var v8 = IV[0]; var v9 = IV[1]; var v10 = IV[2]; var v11 = IV[3];
    // Fewer than 2³² chunks: the upper half of the counter is zero.
    var v12 = counter; var v13 = 0u; var v14 = length; var v15 = flags;
/*ROUNDS*/
    return array<u32, 8>(v0 ^ v8, v1 ^ v9, v2 ^ v10, v3 ^ v11, v4 ^ v12, v5 ^ v13, v6 ^ v14, v7 ^ v15);
}
