// Paths of light, as path.rs. Each invocation follows some of the paths of one pixel and adds up what they bring.

const DIFFUSE = 0i;
const METAL = 1i;
const GLASS = 2i;
const EMISSIVE = 3i;
const COATED = 4i;
const ALL = 65536u;
const WHITE = vec3(32768u);

struct Ray {
    origin: vec3<i32>,
    direction: vec3<i32>,
}

struct SurfaceHit {
    position: vec3<i32>,
    normal: vec3<i32>,
    shading: vec3<i32>,
    // First of the material's vectors in `tables`.
    material: u32,
    inside: bool,
    is_sphere: bool,
}

struct BsdfSample {
    direction: vec3<i32>,
    outgoing_normal: vec3<i32>,
    colour: vec3<u32>,
    is_diffuse: bool,
}

struct PathState {
    radiance: vec3<u32>,
    throughput: vec3<u32>,
}

fn words(pixel: vec2<u32>, sample: u32, draw: u32) -> vec4<u32> {
    let counter = vec2(pixel.x | (pixel.y << 16u), (params.frame << 20u) | (sample << 8u) | draw);
    return philox(vec4(counter, params.nonce), params.key);
}

fn camera_ray(pixel: vec2<u32>, w: vec4<u32>) -> Ray {
    let middle = 2 * vec2<i32>(pixel) - vec2<i32>(params.size);
    let place = (middle << vec2(16u)) + vec2<i32>((w.xy >> vec2(16u)) << vec2(1u));
    let across = scaled(params.right, product(place.x, params.step, 20u));
    let down = scaled(params.up, product(place.y, params.step, 20u));
    let through = across + (params.forward >> vec3(6u)) - down;
    let disc = on_disc(w.z, w.w);
    let lens = scaled(params.right, disc.x) + scaled(params.up, disc.y);
    return Ray(params.position + scaled(lens, params.aperture), normalise(through - scaled(lens, params.lens)));
}

fn sky(direction: vec3<i32>) -> vec3<u32> {
    let height = direction.y;
    let near = vec3<i32>(params.horizon);
    let far = vec3<i32>(select(params.zenith, params.ground, height < 0));
    let low = FRACTION - fraction(abs(height));
    let part = i32(FRACTION - ((low * low) >> 15u));
    let change = far - near;
    return vec3<u32>(near + vec3(product(change.x, part, 15u), product(change.y, part, 15u), product(change.z, part, 15u)));
}

fn receive(light: u32, throughput: u32, factor: u32, times: u32) -> u32 {
    let part = product_saturating(throughput, factor, 16u);
    return min(times_saturating(product_saturating(part, light, 24u), times), params.clamp);
}

fn received(path: PathState, light: vec3<u32>, factor: u32, times: u32) -> vec3<u32> {
    let more = vec3(receive(light.x, path.throughput.x, factor, times), receive(light.y, path.throughput.y, factor, times),
        receive(light.z, path.throughput.z, factor, times));
    return min(path.radiance + more, vec3(params.clamp));
}

fn towards_one(start: vec3<u32>, cosine: u32) -> vec3<u32> {
    let x = FRACTION - cosine;
    let square = (x * x) >> 15u;
    let fourth = (square * square) >> 15u;
    let fifth = (fourth * x) >> 15u;
    return start + (((WHITE - start) * fifth) >> vec3(15u));
}

fn first_material() -> u32 {
    return 2u * (params.planes + params.lights);
}

// What is between the normals of the vertices, or zero if there are none.
fn smooth_normal(place: u32, position: vec3<i32>) -> vec3<i32> {
    let n0 = surfaces[4u * place].xyz;
    let n1 = surfaces[4u * place + 1u].xyz;
    let n2 = surfaces[4u * place + 2u].xyz;
    if all((n0 | n1 | n2) == vec3(0)) {
        return vec3(0);
    }
    let scales = bitcast<vec4<u32>>(surfaces[4u * place + 3u]);
    let w0 = weight(primitives[6u * place + 1u], position, scales.x);
    let w1 = weight(primitives[6u * place + 2u], position, scales.y);
    let w2 = weight(primitives[6u * place + 3u], position, scales.z);
    return normalise(n2 * w0 + n0 * w1 + n1 * w2);
}

fn weight(edge: vec4<i32>, position: vec3<i32>, scale: u32) -> i32 {
    // The offset has a slack of 2.
    let height = max(dot30(edge.xyz, position) - edge.w - 2, 0);
    return i32(min(product_saturating(u32(height), scale, 15u), FRACTION));
}

fn find_surface(ray: Ray, hit: Hit) -> SurfaceHit {
    let position = point_at(ray.origin, ray.direction, hit.distance);
    var outward: vec3<i32>;
    var smooth_side = vec3(0);
    var material: u32;
    var is_sphere = false;
    if hit.place < params.primitives {
        let first = primitives[6u * hit.place].xyz;
        is_sphere = primitives[6u * hit.place + 4u].w != 0;
        material = u32(surfaces[4u * hit.place + 3u].w);
        if is_sphere {
            outward = normalise(position - first);
        } else {
            outward = first;
            smooth_side = smooth_normal(hit.place, position);
        }
    } else {
        let plane = 2u * (hit.place - params.primitives);
        outward = tables[plane].xyz;
        material = u32(tables[plane + 1u].x);
    }
    let inside = dot30(outward, ray.direction) > 0;
    let normal = select(outward, -outward, inside);
    var shading = select(smooth_side, -smooth_side, inside);
    if all(smooth_side == vec3(0)) || dot30(shading, ray.direction) >= 0 {
        shading = normal;
    }
    return SurfaceHit(position, normal, shading, first_material() + 4u * material, inside, is_sphere);
}

fn mirrored(direction: vec3<i32>, normal: vec3<i32>) -> vec3<i32> {
    let along = scaled(normal, dot30(direction, normal));
    return direction - along - along;
}

fn colour_at(material: u32, position: vec3<i32>) -> vec3<u32> {
    let other = tables[material + 1u];
    let pattern = u32(other.w) & 31u;
    let odd = (((position.x >> pattern) + (position.z >> pattern)) & 1) != 0;
    return vec3<u32>(select(tables[material].xyz, other.xyz, pattern > 0u && odd));
}

fn through_glass(surface_hit: SurfaceHit, direction: vec3<i32>, cosine: i32, choice: u32) -> BsdfSample {
    let more = tables[surface_hit.material + 3u];
    let bending = select(more.y, more.z, surface_hit.inside);
    let squared = product_saturating(u32(bending), u32(bending), 28u);
    let sine = product_saturating(squared, u32(ONE - product(cosine, cosine, 30u)), 28u);
    let mirror = BsdfSample(mirrored(direction, surface_hit.shading), surface_hit.normal, WHITE, false);
    if sine >= u32(ONE) {
        return mirror;
    }
    let rest = u32(ONE) - sine;
    let behind = i32(wide_root(vec2(rest << 30u, rest >> 2u)));
    let flatter = fraction(select(cosine, behind, surface_hit.inside));
    if choice < towards_one(vec3(u32(more.x)), flatter).x {
        return mirror;
    }
    let along = product(bending, cosine, 30u) - (behind >> 2u);
    let bent = scaled(direction, bending) + scaled(surface_hit.shading, along);
    return BsdfSample(normalise(bent), -surface_hit.normal, vec3<u32>(tables[surface_hit.material].xyz), false);
}

fn sample_bsdf(surface_hit: SurfaceHit, direction: vec3<i32>, w: vec4<u32>) -> BsdfSample {
    let surface = tables[surface_hit.material].w;
    let choice = w.z >> 17u;
    let cosine = clamp(-dot30(direction, surface_hit.shading), 0, ONE);
    if surface == GLASS {
        return through_glass(surface_hit, direction, cosine, choice);
    }
    let random = on_sphere(w.x, w.y);
    let colour = colour_at(surface_hit.material, surface_hit.position);
    if surface == METAL {
        let blurred = scaled(random, tables[surface_hit.material + 2u].w);
        let new_direction = normalise(mirrored(direction, surface_hit.shading) + blurred);
        return BsdfSample(new_direction, surface_hit.normal, towards_one(colour, fraction(cosine)), false);
    }
    let reflectance = vec3(u32(tables[surface_hit.material + 3u].x));
    if surface == COATED && choice < towards_one(reflectance, fraction(cosine)).x {
        return BsdfSample(mirrored(direction, surface_hit.shading), surface_hit.normal, WHITE, false);
    }
    let sum = surface_hit.shading + random;
    var new_direction = surface_hit.shading;
    if any(abs(sum) >= vec3(1024)) {
        new_direction = normalise(sum);
    }
    return BsdfSample(new_direction, surface_hit.normal, colour, true);
}

// The radiance of a path with the light that a scattering surface gets straight from one of the lights.
fn direct_light(path: PathState, origin: vec3<i32>, surface_hit: SurfaceHit, w: vec4<u32>) -> vec3<u32> {
    let chosen = 2u * (params.planes + wide_product(w.x, params.lights).y);
    let light = tables[chosen];
    let emission = vec3<u32>(tables[chosen + 1u].xyz);
    var outward = on_sphere(w.y, w.z);
    if dot30(outward, origin - light.xyz) < 0 {
        outward = -outward;
    }
    let to_light = normalise_with_length(light.xyz + scaled(outward, light.w) - origin);
    let here = dot30(to_light.direction, surface_hit.shading);
    let there = -dot30(to_light.direction, outward);
    if to_light.length <= 64u || here <= 0 || there <= 0 || dot30(to_light.direction, surface_hit.normal) <= 0 {
        return path.radiance;
    }
    let distance = trace(origin, to_light.direction, to_light.length - 64u, 1u).distance;
    if ran_out || distance < to_light.length - 64u {
        return path.radiance;
    }
    let radius = u32(light.w);
    var ratio = 262144u;
    if (radius >> 16u) < to_light.length {
        ratio = min(wide_quotient(radius >> 16u, radius << 16u, to_light.length), 262144u);
    }
    let squared = product_saturating(ratio, ratio, 8u);
    let factor = product_saturating((fraction(here) * fraction(there)) >> 15u, squared, 14u);
    return received(path, emission, factor, params.lights);
}

fn radiance_of(pixel: vec2<u32>, sample: u32) -> vec3<u32> {
    var ray = camera_ray(pixel, words(pixel, sample, 0u));
    var path = PathState(vec3(0u), vec3(ALL));
    var is_diffuse = false;
    steps_left = params.max_steps;
    ran_out = false;
    for (var bounce = 0u; bounce <= params.max_bounces; bounce += 1u) {
        let hit = trace(ray.origin, ray.direction, MAX_DISTANCE + 1u, 0u);
        if ran_out {
            break;
        }
        if hit.distance > MAX_DISTANCE {
            return received(path, sky(ray.direction), 16777216u, 1u);
        }
        let surface_hit = find_surface(ray, hit);
        if tables[surface_hit.material].w == EMISSIVE {
            if is_diffuse && surface_hit.is_sphere {
                return path.radiance;
            }
            return received(path, vec3<u32>(tables[surface_hit.material + 2u].xyz), 16777216u, 1u);
        }
        if bounce == params.max_bounces {
            break;
        }
        let w = words(pixel, sample, 1u + 2u * bounce);
        let bsdf = sample_bsdf(surface_hit, ray.direction, w);
        ray = Ray(surface_hit.position + scaled(bsdf.outgoing_normal, 16), bsdf.direction);
        path.throughput = (path.throughput * bsdf.colour) >> vec3(15u);
        is_diffuse = bsdf.is_diffuse;
        if is_diffuse && params.lights > 0u {
            path.radiance = direct_light(path, ray.origin, surface_hit, words(pixel, sample, 2u + 2u * bounce));
            if ran_out {
                break;
            }
        }
        if dot30(bsdf.direction, bsdf.outgoing_normal) <= 0 {
            break;
        }
        if bounce >= 2u {
            let chance = max(path.throughput.x, max(path.throughput.y, path.throughput.z));
            if (w.w >> 16u) >= chance {
                break;
            }
            if chance < ALL {
                path.throughput = (path.throughput << vec3(16u)) / vec3(chance);
            }
        }
    }
    return path.radiance;
}

// Adds the radiances of the next paths of a pixel to the sums with this number.
fn add_paths(pixel: vec2<u32>, number: u32) {
    var sum = vec3(0u);
    for (var i = 0u; i < params.samples; i += 1u) {
        sum += radiance_of(pixel, params.first_sample + i);
    }
    let word = 3u * number;
    sums[word] += sum.x;
    sums[word + 1u] += sum.y;
    sums[word + 2u] += sum.z;
}

// A workgroup has 8 × 8 pixels of a tile; 8 × 8 workgroups have a tile. A dispatch may begin within one.
@compute @workgroup_size(64)
fn render(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let first = vec2(params.first_group & 7u, (params.first_group >> 3u) & 7u);
    let place = (first + group.xy) * 8u + vec2(local & 7u, local >> 3u);
    let number = (params.first_group >> 6u) + group.z;
    let tile = tiles[number];
    if any(place >= tile.zw) {
        return;
    }
    add_paths(tile.xy + place, number * 4096u + place.y * 64u + place.x);
}

// A workgroup has 64 pixels of a list, which is whole workgroups long.
@compute @workgroup_size(64)
fn render_pixels(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let number = (params.first_group + group.x) * 64u + local;
    add_paths(tiles[number].xy, number);
}
