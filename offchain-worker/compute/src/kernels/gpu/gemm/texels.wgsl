// The operands are copied to textures, one vector a texel, in rows of {{TEXTURE_WIDTH}}. On llvmpipe a fetch of eight
// texels is eight loads and a transposition, without branches; eight vectors of a buffer are 32 loads, each with its
// own test against the buffer's end. Storage textures, because fetches from others work out a mip level for each lane
// first.
@group(0) @binding(0) var lhs: texture_storage_2d<rgba32uint, read>;
@group(0) @binding(1) var rhs: texture_storage_2d<rgba32uint, read>;

fn load_lhs(at: u32) -> vec4<u32> {
    return textureLoad(lhs, vec2<u32>(at % {{TEXTURE_WIDTH}}u, at / {{TEXTURE_WIDTH}}u));
}

fn load_rhs(at: u32) -> vec4<u32> {
    return textureLoad(rhs, vec2<u32>(at % {{TEXTURE_WIDTH}}u, at / {{TEXTURE_WIDTH}}u));
}
