// Powers of two, by the table `exponent` of whoever includes this.

fn power(distance: u32) -> u32 {
    let whole = min(distance >> {{EXPONENT_FRACTION}}u, 31u);
    let fraction = u32(exponent[distance & {{EXPONENT_MASK}}u]);
    return (fraction + ((1u << whole) >> 1u)) >> whole;
}
