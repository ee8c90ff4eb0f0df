@group(0) @binding(0) var<storage, read> left: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> right: array<vec4<u32>>;

fn load_left(at: u32) -> vec4<u32> {
    return left[at];
}

fn load_right(at: u32) -> vec4<u32> {
    return right[at];
}
