// Philox 4×32 with ten rounds: the words of the block `counter` of the generator with `start_key`.
fn philox(counter: vec4<u32>, start_key: vec2<u32>) -> vec4<u32> {
    var c = counter;
    var key = start_key;
    for (var round = 0u; round < 10u; round += 1u) {
        let p = wide_product(0xd2511f53u, c.x);
        let q = wide_product(0xcd9e8d57u, c.z);
        c = vec4(q.y ^ c.y ^ key.x, q.x, p.y ^ c.w ^ key.y, p.x);
        key += vec2(0x9e3779b9u, 0xbb67ae85u);
    }
    return c;
}
