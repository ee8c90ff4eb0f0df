
// The word at byte `at`, a multiple of four, of what is hashed; zero beyond the end.
fn word(at: u32) -> u32 {
    if at >= params.total {
        return 0u;
    }
    let line = at / params.bytes;
    let value = content[(line * params.stride + (at - line * params.bytes)) / 4u];
    let left = params.total - at;
    return select(value, value & ((1u << (8u * (left & 3u))) - 1u), left < 4u);
}

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    for (var chunk = id.x; chunk < params.count; chunk += groups.x * GROUP) {
        let begin = chunk * 1024u;
        let length = min(params.total - begin, 1024u);
        let last = (max(length, 1u) - 1u) / 64u;
        var cv = IV;
        for (var block = 0u; block <= last; block++) {
            var m: array<u32, 16>;
            for (var i = 0u; i < 16u; i++) {
                m[i] = word(begin + block * 64u + i * 4u);
            }
            var flags = select(0u, CHUNK_START, block == 0u);
            if block == last {
                flags |= CHUNK_END | select(0u, ROOT, params.count == 1u);
            }
            cv = compress(cv, m, chunk, min(length - block * 64u, 64u), flags);
        }
        for (var i = 0u; i < 8u; i++) {
            values[chunk * 8u + i] = cv[i];
        }
    }
}
