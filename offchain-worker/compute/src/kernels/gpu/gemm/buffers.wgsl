@group(0) @binding(0) var<storage, read> lhs: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> rhs: array<vec4<u32>>;

fn load_lhs(at: u32) -> vec4<u32> {
    return lhs[at];
}

fn load_rhs(at: u32) -> vec4<u32> {
    return rhs[at];
}
