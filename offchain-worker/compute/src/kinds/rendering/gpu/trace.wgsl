// What a ray hits first, as trace.rs.

struct Params {
    // The camera: see camera.rs.
    position: vec3<i32>,
    step: i32,
    right: vec3<i32>,
    aperture: i32,
    up: vec3<i32>,
    lens: i32,
    forward: vec3<i32>,
    frame: u32,
    zenith: vec3<u32>,
    clamp: u32,
    horizon: vec3<u32>,
    max_bounces: u32,
    ground: vec3<u32>,
    first_sample: u32,
    // The generator.
    key: vec2<u32>,
    nonce: vec2<u32>,
    size: vec2<u32>,
    samples: u32,
    nodes: u32,
    primitives: u32,
    planes: u32,
    lights: u32,
    // The first workgroup, counted through all tiles.
    first_group: u32,
    max_steps: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
// Two vectors each: see hierarchy.rs.
@group(0) @binding(1) var<storage, read> nodes: array<vec4<i32>>;
// Six vectors each: see geometry.rs.
@group(0) @binding(2) var<storage, read> primitives: array<vec4<i32>>;
// Four vectors each: see geometry.rs.
@group(0) @binding(3) var<storage, read> surfaces: array<vec4<i32>>;
// Two vectors for each plane, then two for each light, then four for each material.
@group(0) @binding(4) var<storage, read> tables: array<vec4<i32>>;
// Of each tile in this dispatch: place in the image, width and height. Or of each pixel: its place in the image.
@group(0) @binding(5) var<storage, read> tiles: array<vec4<u32>>;
// Of each pixel of each tile, or of the list, three words.
@group(0) @binding(6) var<storage, read_write> sums: array<u32>;

const MAX_DISTANCE = 0x10000000u;

// The steps that are left for the rays of the path, and whether they were too few.
var<private> steps_left: u32;
var<private> ran_out: bool;

struct Hit {
    distance: u32,
    place: u32,
}

fn point_at(origin: vec3<i32>, direction: vec3<i32>, distance: u32) -> vec3<i32> {
    return origin + scaled(direction, i32(distance));
}

// Distances are 0 where nothing is hit.
fn to_plane(plane: vec4<i32>, origin: vec3<i32>, direction: vec3<i32>) -> u32 {
    let height = plane.w - dot30(plane.xyz, origin);
    let speed = dot30(plane.xyz, direction);
    if height == 0 || speed == 0 || (height < 0) != (speed < 0) {
        return 0u;
    }
    let far = u32(abs(height));
    let fast = u32(abs(speed));
    if (far >> 2u) >= fast {
        return 0u;
    }
    let distance = wide_quotient(far >> 2u, far << 30u, fast);
    return select(0u, distance, distance <= MAX_DISTANCE);
}

fn to_infinite_plane(plane: vec4<i32>, origin: vec3<i32>, direction: vec3<i32>) -> u32 {
    let distance = to_plane(plane, origin, direction);
    let point = point_at(origin, direction, distance);
    return select(0u, distance, all(abs(point) <= vec3(0x4000000)));
}

fn to_triangle(first: u32, origin: vec3<i32>, direction: vec3<i32>) -> u32 {
    let distance = to_plane(primitives[first], origin, direction);
    if distance == 0u {
        return 0u;
    }
    let point = point_at(origin, direction, distance);
    if any(point < primitives[first + 4u].xyz) || any(point > primitives[first + 5u].xyz) {
        return 0u;
    }
    for (var i = 1u; i < 4u; i += 1u) {
        let edge = primitives[first + i];
        if dot30(edge.xyz, point) < edge.w {
            return 0u;
        }
    }
    return distance;
}

fn to_sphere(sphere: vec4<i32>, origin: vec3<i32>, direction: vec3<i32>) -> u32 {
    let centre = sphere.xyz - origin;
    let middle = dot30(centre, direction);
    let away = abs(centre - scaled(direction, middle));
    if any(away > vec3(sphere.w)) {
        return 0u;
    }
    let radius = u32(sphere.w);
    let half_squared = wide_difference(wide_product(radius, radius), square_sum(vec3<u32>(away)));
    if half_squared.y >= 0x80000000u {
        return 0u;
    }
    let half = i32(wide_root(half_squared));
    let distance = select(middle + half, middle - half, middle > half);
    return select(0u, u32(distance), distance >= 1 && distance <= 0x10000000);
}

fn to_primitive(place: u32, origin: vec3<i32>, direction: vec3<i32>) -> u32 {
    let first = place * 6u;
    if primitives[first + 4u].w == 0 {
        return to_triangle(first, origin, direction);
    }
    return to_sphere(primitives[first], origin, direction);
}

// ⌊a·b / 2¹⁶⌋, at most 2³² − 2.
fn box_distance(a: u32, b: u32) -> u32 {
    let p = wide_product(a, b);
    return select((p.y << 16u) | (p.x >> 16u), 0xfffffffeu, p.y > 0xffffu);
}

fn inverse_of(size: u32) -> u32 {
    if size <= 32768u {
        return 0x7fffffffu;
    }
    return wide_quotient(16384u, 0u, size);
}

fn trace_planes(origin: vec3<i32>, direction: vec3<i32>, limit: u32) -> Hit {
    var best = Hit(limit, 0u);
    for (var i = 0u; i < params.planes; i += 1u) {
        let distance = to_infinite_plane(tables[2u * i], origin, direction);
        if distance > 0u && distance < best.distance {
            best = Hit(distance, params.primitives + i);
        }
    }
    return best;
}

// The first hit nearer than `limit`; if `any_hit` is not 0, any such. The distance is `limit` if there is none.
fn trace(origin: vec3<i32>, direction: vec3<i32>, limit: u32, any_hit: u32) -> Hit {
    var best = trace_planes(origin, direction, limit);
    if params.nodes == 0u || (any_hit != 0u && best.distance < limit) {
        return best;
    }
    let size = vec3<u32>(abs(direction));
    let inverse = vec3(inverse_of(size.x), inverse_of(size.y), inverse_of(size.z));
    let slack = select(vec3(0), vec3(16384), size <= vec3(32768u));
    let backwards = direction < vec3(0);
    let signs = u32(backwards.x) | (u32(backwards.y) << 1u) | (u32(backwards.z) << 2u);
    // The farther children that wait: at most one for each level of the hierarchy.
    var waiting: array<u32, 40>;
    var count = 0u;
    var at = 0u;
    while steps_left > 0u {
        steps_left -= 1u;
        let first = nodes[2u * at];
        let second = nodes[2u * at + 1u];
        if meets(first.xyz - slack - origin, second.xyz + slack - origin, inverse, backwards, best.distance) {
            let content = u32(second.w);
            let shapes = content & 0xffffu;
            if shapes == 0u {
                let from_second = ((signs >> (content >> 16u)) & 1u) != 0u;
                waiting[count] = select(u32(first.w), at + 1u, from_second);
                count += 1u;
                at = select(at + 1u, u32(first.w), from_second);
                continue;
            }
            if steps_left < 2u * shapes {
                break;
            }
            steps_left -= 2u * shapes;
            for (var place = u32(first.w); place < u32(first.w) + shapes; place += 1u) {
                let distance = to_primitive(place, origin, direction);
                if distance > 0u && (distance < best.distance || (distance == best.distance && place < best.place)) {
                    best = Hit(distance, place);
                }
            }
            if any_hit != 0u && best.distance < limit {
                return best;
            }
        }
        if count == 0u {
            return best;
        }
        count -= 1u;
        at = waiting[count];
    }
    ran_out = true;
    return best;
}

// Whether a ray may meet something in a box that is not farther than `distance`. The box is given by its sides as seen
// from the origin.
fn meets(low: vec3<i32>, high: vec3<i32>, inverse: vec3<u32>, backwards: vec3<bool>, distance: u32) -> bool {
    let start = select(low, -high, backwards);
    let end = select(high, -low, backwards);
    if any(end < vec3(0)) {
        return false;
    }
    let from_start = vec3<u32>(max(start, vec3(0)));
    let from_end = vec3<u32>(end);
    let near = max(max(box_distance(from_start.x, inverse.x), box_distance(from_start.y, inverse.y)),
        box_distance(from_start.z, inverse.z));
    let far = 1u + min(min(box_distance(from_end.x, inverse.x + 1u), box_distance(from_end.y, inverse.y + 1u)),
        box_distance(from_end.z, inverse.z + 1u));
    return near <= min(far, distance);
}
