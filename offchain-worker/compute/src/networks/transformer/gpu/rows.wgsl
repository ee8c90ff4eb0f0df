// Sums and maxima over a row, of which each invocation of a workgroup has a part.

var<workgroup> parts: array<vec2<u32>, {{GROUP}}>;

fn most(part: u32, me: u32) -> u32 {
    parts[me] = vec2<u32>(part, 0u);
    workgroupBarrier();
    var whole = 0u;
    for (var i = 0u; i < GROUP; i += 1u) {
        whole = max(whole, parts[i].x);
    }
    workgroupBarrier();
    return whole;
}

fn sum(part: i32, me: u32) -> i32 {
    parts[me] = vec2<u32>(bitcast<u32>(part), 0u);
    workgroupBarrier();
    var whole = 0u;
    for (var i = 0u; i < GROUP; i += 1u) {
        whole += parts[i].x;
    }
    workgroupBarrier();
    return bitcast<i32>(whole);
}

fn row_wide_sum(part: vec2<u32>, me: u32) -> vec2<u32> {
    parts[me] = part;
    workgroupBarrier();
    var whole = vec2<u32>(0u, 0u);
    for (var i = 0u; i < GROUP; i += 1u) {
        whole = wide_sum(whole, parts[i]);
    }
    workgroupBarrier();
    return whole;
}
