// Quantising rows to signed bytes: one line for each row, or two (high limbs, then low limbs), of whole vectors of four
// words.

// Reciprocal and shift of a row with this scale.
fn reciprocal(scale: u32, limbs: u32) -> vec2<u32> {
    return select(vec2<u32>({{ONE_LEVELS}}u / scale, {{ONE_SHIFT}}u), vec2<u32>({{TWO_LEVELS}}u / scale, {{TWO_SHIFT}}u), limbs == 2u);
}

fn word(x: vec4<i32>) -> u32 {
    let b = bitcast<vec4<u32>>(x) & vec4<u32>(255u);
    return b.x | (b.y << 8u) | (b.z << 16u) | (b.w << 24u);
}

// Writes word `i` of the levels of a row of `words` words.
fn write_levels(row: u32, i: u32, words: u32, x: vec4<i32>, by: vec2<u32>, limbs: u32) {
    let q = vec4<i32>(
        quantise(x.x, by.x, by.y),
        quantise(x.y, by.x, by.y),
        quantise(x.z, by.x, by.y),
        quantise(x.w, by.x, by.y),
    );
    let line = (words + 3u) / 4u * 4u;
    if limbs == 2u {
        // 128 · high + low, with a low limb of −64 ..= 63.
        let high = (q + vec4<i32>(64)) >> vec4<u32>(7u);
        levels[2u * row * line + i] = word(high);
        levels[2u * row * line + line + i] = word(q - (high << vec4<u32>(7u)));
    } else {
        levels[row * line + i] = word(q);
    }
}
