#!/usr/bin/env python3
"""A second implementation of docs/protocol/rendering.md, independent of the Rust code, in the standard library alone.

  rendering.py          writes rendering.json beside this file
  rendering.py --check  fails if the file differs from what it would write

It is written to be compared with the page, not to be fast: it takes some seconds.
"""

import json
import pathlib
import re
import struct
import sys
from math import isqrt

from blake3 import blake3
from reference import H, claim, philox4x32_10

ONE = 1 << 30
FRACTION = 1 << 15
MAX_DISTANCE = 1 << 28
PLANE_END = 1 << 26
SINE = [1686629681, -693597962, 85565131, -5017110, 162088]
DIFFUSE, METAL, GLASS, EMISSIVE, COATED = range(5)
PAGE = pathlib.Path(__file__).parents[2] / "docs/protocol/rendering.md"


# --- arithmetic: Python's >> rounds down, as the page's

def add(a, b):
    return [x + y for x, y in zip(a, b)]


def sub(a, b):
    return [x - y for x, y in zip(a, b)]


def neg(a):
    return [-x for x in a]


def dot(a, b):
    return sum(x * y for x, y in zip(a, b)) >> 30


def scale(a, s):
    return [x * s >> 30 for x in a]


def cross_wide(a, b):
    return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]


def normalise_with_length(v):
    bits = max(abs(x) for x in v).bit_length()
    if bits == 0:
        return [0, 0, ONE], 0
    left, right = max(29 - bits, 0), max(bits - 29, 0)
    w = [abs(x) << left >> right for x in v]
    n = isqrt(sum(x * x for x in w))
    c = ((1 << 60) - 1) // n
    return [(-1 if x < 0 else 1) * (y * c >> 30) for x, y in zip(v, w)], n >> left << right


def normalise(v):
    return normalise_with_length(v)[0]


def fraction(cosine):
    return min(max(cosine >> 15, 0), FRACTION)


def quarter_sine(x):
    square = x * x >> 30
    total = SINE[4]
    for coefficient in SINE[3::-1]:
        total = coefficient + (total * square >> 30)
    return min(x * total >> 30, ONE)


def cosine_and_sine(angle):
    rest = angle & (ONE - 1)
    s, c = quarter_sine(rest), quarter_sine(ONE - rest)
    return [(c, s), (-s, c), (-c, -s), (s, -c)][angle >> 30]


def on_sphere(u, v):
    z = ONE - (u >> 1)
    radius = isqrt((1 << 60) - z * z)
    c, s = cosine_and_sine(v)
    return [radius * c >> 30, radius * s >> 30, z]


def on_disc(u, v):
    radius = isqrt(u << 28)
    c, s = cosine_and_sine(v)
    return [radius * c >> 30, radius * s >> 30]


def towards_one(start, cosine):
    x = FRACTION - cosine
    square = x * x >> 15
    fourth = square * square >> 15
    return start + ((FRACTION - start) * (fourth * x >> 15) >> 15)


# --- shapes

class Triangle:
    def __init__(self, scene, vertices, normals, material):
        a = [scene["vertices"][i] for i in vertices]
        self.material = material
        self.normals = normals and [scene["normals"][i] for i in normals]
        self.thin = True
        normal = cross_wide(sub(a[1], a[0]), sub(a[2], a[0]))
        if normal == [0, 0, 0]:
            return
        self.normal = normalise(normal)
        self.offset = dot(self.normal, a[0])
        self.edges = []
        for i in range(3):
            inward = normalise(cross_wide(self.normal, sub(a[(i + 1) % 3], a[i])))
            offset = dot(inward, a[i])
            height = dot(inward, a[(i + 2) % 3]) - offset
            if height < 1:
                return
            self.edges.append((inward, offset, (1 << 30) // height))
        self.low = [min(p[i] for p in a) - 8 for i in range(3)]
        self.high = [max(p[i] for p in a) + 8 for i in range(3)]
        self.thin = False

    def hit(self, o, d):
        t = None if self.thin else to_plane(self.normal, self.offset, o, d)
        if t is None:
            return None
        p = at(o, d, t)
        inside = all(l <= x <= h for l, x, h in zip(self.low, p, self.high))
        return t if inside and all(dot(m, p) >= k - 2 for m, k, _ in self.edges) else None

    def outward(self, p):
        return self.normal

    def smooth(self, p):
        if not self.normals:
            return None
        b = [min(max(dot(m, p) - k, 0) * s >> 15, FRACTION) for m, k, s in self.edges]
        return normalise([sum(b[i] * self.normals[(i + 2) % 3][c] for i in range(3)) for c in range(3)])


class Sphere:
    def __init__(self, centre, radius, material):
        self.centre, self.radius, self.material = centre, radius, material

    def hit(self, o, d):
        c = sub(self.centre, o)
        m = dot(c, d)
        away = sub(c, scale(d, m))
        if any(abs(x) > self.radius for x in away):
            return None
        square = self.radius ** 2 - sum(x * x for x in away)
        if square < 0:
            return None
        h = isqrt(square)
        t = m - h if m > h else m + h
        return t if 1 <= t <= MAX_DISTANCE else None

    def outward(self, p):
        return normalise(sub(p, self.centre))

    def smooth(self, p):
        return None


class Plane:
    def __init__(self, point, normal, material):
        self.normal = normalise(normal)
        self.offset, self.material = dot(self.normal, point), material

    def hit(self, o, d):
        t = to_plane(self.normal, self.offset, o, d)
        return t if t is not None and all(abs(x) <= PLANE_END for x in at(o, d, t)) else None

    def outward(self, p):
        return self.normal

    def smooth(self, p):
        return None


def to_plane(normal, offset, o, d):
    height, speed = offset - dot(normal, o), dot(normal, d)
    if height == 0 or speed == 0 or (height < 0) != (speed < 0):
        return None
    t = (abs(height) << 30) // abs(speed)
    return t if 1 <= t <= MAX_DISTANCE else None


def at(o, d, t):
    return add(o, scale(d, t))


# --- scenes

def box_around(shape):
    """A box that hides nothing of a sphere, or of a triangle given by its corners."""
    if len(shape) == 3 and isinstance(shape[1], int):
        centre, radius, _ = shape
        return [c - radius - 16 for c in centre], [c + radius + 16 for c in centre]
    return [min(p[i] for p in shape) - 24 for i in range(3)], [max(p[i] for p in shape) + 24 for i in range(3)]


def halves(shapes):
    """Two halves along the longest axis, and the axis."""
    middle = [[sum(x) for x in zip(*box)] for _, box, _ in shapes]
    axis = max(range(3), key=lambda i: max(m[i] for m in middle) - min(m[i] for m in middle))
    ordered = [shapes[i] for i in sorted(range(len(shapes)), key=lambda i: middle[i][axis])]
    return ordered[:len(shapes) // 2], ordered[len(shapes) // 2:], axis


def one_by_one(shapes):
    """The first shape and the others, by axes that change."""
    return shapes[:1], shapes[1:], len(shapes) % 3


def arranged(scene, split=halves, leaf=2):
    """The scene with a hierarchy, and the triangles and spheres in the order of its leaves."""
    corners = [[scene["vertices"][i] for i in vertices] for vertices, _, _ in scene["triangles"]]
    shapes = [("triangles", box_around(c), t) for c, t in zip(corners, scene["triangles"])]
    shapes += [("spheres", box_around(s), s) for s in scene["spheres"]]
    tables, nodes = {"triangles": [], "spheres": []}, []

    def grow(shapes):
        low = [min(box[0][i] for _, box, _ in shapes) for i in range(3)]
        high = [max(box[1][i] for _, box, _ in shapes) for i in range(3)]
        place = len(nodes)
        nodes.append(None)
        kinds = {kind for kind, _, _ in shapes}
        if len(shapes) <= leaf and len(kinds) == 1:
            kind = kinds.pop()
            at = len(tables[kind]) + (len(corners) if kind == "spheres" else 0)
            tables[kind] += [shape for _, _, shape in shapes]
            nodes[place] = (low, at, high, len(shapes), 0)
            return
        first, second, axis = split(shapes)
        grow(first)
        at = len(nodes)
        grow(second)
        nodes[place] = (low, at, high, 0, axis)

    if shapes:
        grow(shapes)
    return {**scene, **tables, "nodes": nodes}


def u16(x):
    return x.to_bytes(2, "little")


def encode(scene):
    def words(xs):
        return b"".join(struct.pack("<i" if x < 0 else "<I", x) for x in xs)

    names = ["materials", "nodes", "spheres", "planes", "vertices", "normals", "triangles", "keyframes"]
    out = b"AGSC" + words([2] + [len(scene[name]) for name in names])
    out += words(sum(scene["sky"], []) + [scene["exposure"], scene["clamp"]]) + bytes(12)
    for m in scene["materials"]:
        out += bytes([m["surface"], m["pattern"]]) + u16(m["roughness"])
        out += b"".join(map(u16, m["colour"] + m["other_colour"])) + words([m["index"]] + m["emission"])
    for low, at, high, count, axis in scene["nodes"]:
        out += words(low + [at] + high) + u16(count) + u16(axis)
    for centre, radius, material in scene["spheres"]:
        out += words(centre + [radius, material])
    for point, normal, material in scene["planes"]:
        out += words(point + normal + [material])
    for vertex in scene["vertices"]:
        out += words(vertex)
    for normal in scene["normals"]:
        out += struct.pack("<3h", *normal)
    for vertices, normals, material in scene["triangles"]:
        out += words(vertices + (normals or [0xFFFFFFFF] * 3) + [material])
    for k in scene["keyframes"]:
        out += words([k["frame"]] + k["position"] + k["target"] + [k["tangent"], k["aperture"], k["focus"]])
    return out


# --- the camera

def camera(keyframes, frame, height):
    before = [k for k in keyframes if k["frame"] <= frame] or keyframes[:1]
    after = [k for k in keyframes if k["frame"] > frame] or keyframes[-1:]
    a, b = before[-1], after[0]
    span, done = b["frame"] - a["frame"], frame - a["frame"]

    def between(x, y):
        return x + (y - x) * done // span if span > 0 and done > 0 else x

    position, target = ([between(x, y) for x, y in zip(a[n], b[n])] for n in ("position", "target"))
    tangent, aperture, focus = (between(a[n], b[n]) for n in ("tangent", "aperture", "focus"))
    forward = normalise(sub(target, position))
    right = normalise([x >> 30 for x in cross_wide(forward, [0, ONE, 0])])
    up = [x >> 30 for x in cross_wide(right, forward)]
    return position, forward, right, up, (tangent << 12) // height, aperture, (aperture << 24) // focus


def camera_ray(view, x, y, width, height, words):
    position, forward, right, up, step, aperture, lens = view
    px = ((2 * x - width) << 16) + (words[0] >> 16 << 1)
    py = ((2 * y - height) << 16) + (words[1] >> 16 << 1)
    through = add(scale(right, px * step >> 20), [c >> 6 for c in forward])
    through = sub(through, scale(up, py * step >> 20))
    u, v = on_disc(words[2], words[3])
    on_lens = add(scale(right, u), scale(up, v))
    return add(position, scale(on_lens, aperture)), normalise(sub(through, scale(on_lens, lens)))


# --- the search

def meets(low, high, o, d, best):
    """Whether the ray may meet something in a box that is not farther than `best`."""
    near, far = 0, best
    for i in range(3):
        size = abs(d[i])
        inverse = (1 << 46) // size if size > 1 << 15 else (1 << 31) - 1
        slack = 0 if size > 1 << 15 else 1 << 14
        start, end = low[i] - slack - o[i], high[i] + slack - o[i]
        if d[i] < 0:
            start, end = -end, -start
        if end < 0:
            return False
        near = max(near, max(start, 0) * inverse >> 16)
        far = min(far, (end * (inverse + 1) >> 16) + 1)
    return near <= far


# --- paths

class OutOfSteps(Exception):
    """The path ends."""


class Renderer:
    def __init__(self, scene, job):
        self.scene, self.job = scene, job
        self.shapes = [Triangle(scene, *t) for t in scene["triangles"]] + [Sphere(*s) for s in scene["spheres"]]
        self.planes = [Plane(*p) for p in scene["planes"]]
        self.lights = [s for s in scene["spheres"] if scene["materials"][s[2]]["surface"] == EMISSIVE]
        h = H(b"agora/philox/1" + bytes.fromhex(job["seed"]) + b"R")
        self.k0, self.k1, self.n0, self.n1 = (int.from_bytes(h[i:i + 4], "little") for i in (0, 4, 8, 12))
        self.thresholds = thresholds()
        self.rays, self.ended, self.most_steps, self.left = 0, 0, 0, 0

    def words(self, x, y, frame, sample, draw):
        counter = (x | y << 16, frame << 20 | sample << 8 | draw, self.n0, self.n1)
        return philox4x32_10(counter, (self.k0, self.k1))

    def search(self, o, d, limit, any_hit):
        """The least distance below `limit` that the search finds, and what is hit there."""
        self.rays += 1
        best, numbered = (limit, 0), self.shapes + self.planes
        for number in range(len(self.shapes), len(numbered)):
            t = numbered[number].hit(o, d)
            if t is not None and (t, number) < best:
                best = (t, number)
        waiting = [0] if self.scene["nodes"] else []
        while waiting and not (any_hit and best[0] < limit):
            if self.left == 0:
                raise OutOfSteps
            self.left -= 1
            place = waiting.pop()
            low, at, high, count, axis = self.scene["nodes"][place]
            if not meets(low, high, o, d, best[0]):
                continue
            if count == 0:
                waiting += [place + 1, at] if d[axis] < 0 else [at, place + 1]
                continue
            if self.left < 2 * count:
                raise OutOfSteps
            self.left -= 2 * count
            for number in range(at, at + count):
                t = self.shapes[number].hit(o, d)
                if t is not None and (t, number) < best:
                    best = (t, number)
        return (best[0], numbered[best[1]]) if best[0] < limit else None

    def sky(self, d):
        low = FRACTION - fraction(abs(d[1]))
        part = FRACTION - (low * low >> 15)
        zenith, horizon, ground = self.scene["sky"]
        return [n + ((f - n) * part >> 15) for n, f in zip(horizon, ground if d[1] < 0 else zenith)]

    def receive(self, radiance, throughput, light, factor, times):
        clamp, most = self.scene["clamp"], 0xFFFFFFFF
        for i in range(3):
            part = min(throughput[i] * factor >> 16, most)
            more = min(min(part * light[i] >> 24, most) * times, most)
            radiance[i] = min(radiance[i] + min(more, clamp), clamp)

    def path(self, view, x, y, frame, sample):
        radiance, self.left = [0] * 3, self.job["max_steps"]
        try:
            self.follow(radiance, view, x, y, frame, sample)
        except OutOfSteps:
            self.ended += 1
        self.most_steps = max(self.most_steps, self.job["max_steps"] - self.left)
        return radiance

    def follow(self, radiance, view, x, y, frame, sample):
        job = self.job
        o, d = camera_ray(view, x, y, job["width"], job["height"], self.words(x, y, frame, sample, 0))
        throughput, direct = [1 << 16] * 3, True
        for b in range(job["max_bounces"] + 1):
            hit = self.search(o, d, MAX_DISTANCE + 1, False)
            if hit is None:
                self.receive(radiance, throughput, self.sky(d), 1 << 24, 1)
                break
            t, shape = hit
            p = at(o, d, t)
            material = self.scene["materials"][shape.material]
            if material["surface"] == EMISSIVE:
                if direct or not isinstance(shape, Sphere):
                    self.receive(radiance, throughput, material["emission"], 1 << 24, 1)
                break
            if b == job["max_bounces"]:
                break
            outward = shape.outward(p)
            inside = dot(outward, d) > 0
            n = neg(outward) if inside else outward
            s = shape.smooth(p)
            s = s and (neg(s) if inside else s)
            if s is None or dot(s, d) >= 0:
                s = n
            words = self.words(x, y, frame, sample, 1 + 2 * b)
            new, away, colour, direct = leave(material, d, p, n, s, inside, words)
            o = add(p, scale(away, 16))
            throughput = [a * c >> 15 for a, c in zip(throughput, colour)]
            if not direct:
                self.light(radiance, throughput, o, n, s, self.words(x, y, frame, sample, 2 + 2 * b))
            if dot(new, away) <= 0:
                break
            if b >= 2:
                chance = max(throughput)
                if words[3] >> 16 >= chance:
                    break
                if chance < 1 << 16:
                    throughput = [(a << 16) // chance for a in throughput]
            d = new

    def light(self, radiance, throughput, o, n, s, words):
        if not self.lights:
            return
        centre, radius, material = self.lights[words[0] * len(self.lights) >> 32]
        q = on_sphere(words[1], words[2])
        if dot(q, sub(o, centre)) < 0:
            q = neg(q)
        d, distance = normalise_with_length(sub(add(centre, scale(q, radius)), o))
        here, there = dot(d, s), -dot(d, q)
        if distance <= 64 or here <= 0 or there <= 0 or dot(d, n) <= 0:
            return
        if self.search(o, d, distance - 64, True):
            return
        ratio = min((radius << 16) // distance, 1 << 18)
        factor = (fraction(here) * fraction(there) >> 15) * (ratio * ratio >> 8) >> 14
        self.receive(radiance, throughput, self.scene["materials"][material]["emission"], factor, len(self.lights))

    def pixel(self, view, x, y, frame):
        samples = self.job["samples"]
        sums = [0, 0, 0]
        for sample in range(samples):
            sums = add(sums, self.path(view, x, y, frame, sample))
        exposed = [s * self.scene["exposure"] // (samples << 16) for s in sums]
        return bytes(sum(t <= e for t in self.thresholds) for e in exposed)

    def render(self):
        """The output and the tiles' bytes."""
        job = self.job
        rx, ry, rw, rh = job["region"]
        output, tiles = b"", []
        for frame in range(job["first_frame"], job["first_frame"] + job["frames"]):
            view = camera(self.scene["keyframes"], frame, job["height"])
            rows = [[self.pixel(view, rx + x, ry + y, frame) for x in range(rw)] for y in range(rh)]
            output += b"".join(b"".join(row) for row in rows)
            for y in range(0, rh, 64):
                for x in range(0, rw, 64):
                    tiles.append(b"".join(b"".join(row[x:x + 64]) for row in rows[y:y + 64]))
        return output, tiles


def leave(m, d, p, n, s, inside, words):
    random, choice = on_sphere(words[0], words[1]), words[2] >> 17
    cosine = min(max(-dot(d, s), 0), ONE)
    along = scale(s, dot(d, s))
    mirror = sub(sub(d, along), along)
    colour = m["colour"]
    if m["pattern"] and ((p[0] >> m["pattern"]) + (p[2] >> m["pattern"])) & 1:
        colour = m["other_colour"]
    index = m["index"]
    ratio = (index - (1 << 16) << 16) // (index + (1 << 16))
    reflectance = ratio * ratio >> 17
    white = [FRACTION] * 3
    if m["surface"] == GLASS:
        bending = index << 12 if inside else (1 << 44) // index
        sine = (bending * bending >> 28) * (ONE - (cosine * cosine >> 30)) >> 28
        if sine >= ONE:
            return mirror, n, white, True
        behind = isqrt((ONE - sine) << 30)
        if choice < towards_one(reflectance, fraction(behind if inside else cosine)):
            return mirror, n, white, True
        k = (bending * cosine >> 30) - (behind >> 2)
        bent = add(scale(d, bending), scale(s, k))
        return normalise(bent), neg(n), m["colour"], True
    if m["surface"] == METAL:
        direction = normalise(add(mirror, scale(random, m["roughness"] << 15)))
        return direction, n, [towards_one(c, fraction(cosine)) for c in colour], True
    if m["surface"] == COATED and choice < towards_one(reflectance, fraction(cosine)):
        return mirror, n, white, True
    total = add(s, random)
    return s if all(abs(x) < 1 << 10 for x in total) else normalise(total), n, colour, False


def thresholds():
    """The table of the page."""
    table = PAGE.read_text().split("<!-- thresholds -->")[1]
    numbers = [int(n) for n in re.findall(r"\d+", table)]
    assert len(numbers) == 255 and numbers == sorted(set(numbers))
    return numbers


# --- the vectors

UNIT = 1 << 16


def material(surface, colour=(0.8, 0.8, 0.8), **more):
    def fixed(values, one):
        return [round(v * one) for v in values]

    return {
        "surface": surface,
        "pattern": more.get("pattern", 0),
        "roughness": round(more.get("roughness", 0) * FRACTION),
        "colour": fixed(colour, FRACTION),
        "other_colour": fixed(more.get("other_colour", (0, 0, 0)), FRACTION),
        "index": round(more.get("index", 1.5) * UNIT),
        "emission": fixed(more.get("emission", (0, 0, 0)), UNIT),
    }


def at_units(*coordinates):
    return [round(c * UNIT) for c in coordinates]


def keyframe(frame, position, target, tangent=0.5, aperture=0.0, focus=4.0):
    return {
        "frame": frame,
        "position": at_units(*position),
        "target": at_units(*target),
        "tangent": round(tangent * UNIT),
        "aperture": round(aperture * UNIT),
        "focus": round(focus * UNIT),
    }


def scene(**tables):
    empty = {"materials": [], "spheres": [], "planes": [], "vertices": [], "normals": [], "triangles": []}
    sky = [at_units(0.2, 0.35, 0.7), at_units(0.8, 0.85, 0.9), at_units(0.1, 0.1, 0.1)]
    return {**empty, "sky": sky, "exposure": UNIT, "clamp": 10 * UNIT, **tables}


def octahedron(centre, size, flat, smooth):
    """Eight triangles: four flat, four with normals that point away from the centre."""
    axes = [(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)]
    vertices = [at_units(*(c + size * a for c, a in zip(centre, axis))) for axis in axes]
    normals = [[a << 14 for a in axis] for axis in axes]
    triangles = []
    for x in (0, 1):
        for y in (2, 3):
            for z in (4, 5):
                corners = [x, y, z] if (x + y + z) % 2 == 0 else [x, z, y]
                triangles.append((corners, None, flat) if y == 2 else (corners, list(corners), smooth))
    return {"vertices": vertices, "normals": normals, "triangles": triangles}


def still_life():
    """Every surface, every shape, a light that is aimed at, a lens, and a camera that moves."""
    return scene(
        materials=[
            material(DIFFUSE, (0.7, 0.7, 0.72), other_colour=(0.2, 0.25, 0.3), pattern=16),
            material(METAL, (0.9, 0.7, 0.4), roughness=0.1),
            material(GLASS, (0.95, 1, 0.97), index=1.5),
            material(EMISSIVE, emission=(12, 11, 9)),
            material(COATED, (0.7, 0.1, 0.1), index=1.5),
        ],
        spheres=[(at_units(-1.2, 1, 0), UNIT, 2), (at_units(1.2, 0.8, -1), round(0.8 * UNIT), 1),
                 (at_units(2, 4, 2), round(0.7 * UNIT), 3), (at_units(-3, 3, 2), round(0.4 * UNIT), 3)],
        planes=[(at_units(0, 0, 0), [0, 1, 0], 0)],
        keyframes=[keyframe(0, (0, 2, 6), (0, 0.8, 0), aperture=0.05, focus=6),
                   keyframe(10, (3, 1.5, 5), (0.2, 0.7, 0), tangent=0.4, aperture=0.1, focus=5)],
        **octahedron((0.4, 0.7, 1.2), 0.6, 4, 1),
    )


def large_and_far():
    """Coordinates at the limits, a light of triangles, thin and degenerate triangles, two equal spheres."""
    far = 1 << 25
    vertices = [[-far, -far, -far], [far, -far, -far], [0, far, -far], at_units(-1, 0, 0), at_units(1, 0, 0),
                [0, 1, 0], at_units(0, 2, 0), at_units(2, 3, 1), at_units(-2, 3, 1), at_units(0, 3.5, -2)]
    return scene(
        materials=[material(DIFFUSE, (1, 1, 1)), material(EMISSIVE, emission=(5, 4, 3)),
                   material(METAL, (1, 0.5, 0.25)), material(GLASS, (1, 1, 1), index=2.5)],
        spheres=[(at_units(0, 1, 3), UNIT, 3), (at_units(0, 1, 3), UNIT, 2), ([0, -far, 0], far, 0),
                 ([far, far, far], far, 1), (at_units(1.5, 0.5, 2.5), 1, 2)],
        planes=[(at_units(0, -1, 0), [5, 1 << 30, -7], 2), ([far, 0, 0], [-3, 0, 1], 0)],
        vertices=vertices,
        triangles=[([0, 1, 2], None, 2), ([3, 4, 5], None, 0), ([3, 4, 3], None, 0), ([3, 6, 4], None, 0),
                   ([7, 8, 9], None, 1)],
        keyframes=[keyframe(3, (0.3, 1.7, 8), (0, 1, 0), tangent=1.5)],
    )


def straight_down():
    """Seen along the vertical, inside of glass, without lights, sky alone."""
    return scene(
        materials=[material(GLASS, (0.9, 0.9, 1), index=1.33), material(DIFFUSE, (0.6, 0.5, 0.4))],
        spheres=[(at_units(0, 2, 0), 3 * UNIT, 0)],
        planes=[(at_units(0, -3, 0), [0, 4, 0], 1)],
        keyframes=[keyframe(0, (0, 2, 0), (0, -1, 0), tangent=1, aperture=0.2, focus=3)],
    )


def crowd():
    """Long triangles that all cross, and spheres in each other: every ray has much to try."""
    vertices, triangles, spheres = [], [], []
    for i in range(24):
        x, z = (i % 6) * 0.2 - 0.5, (i // 6) * 0.3 - 0.5
        vertices += [at_units(-4 + x, -0.2, z), at_units(4, 0.3 - x, -z), at_units(x, 3 + z, x)]
        triangles.append(([3 * i, 3 * i + 1, 3 * i + 2], None, i % 3))
        if i % 2:
            spheres.append((at_units(x, 1 + z, -x), round((1 + i / 32) * UNIT), (2, 3, 0)[i // 2 % 3]))
    spheres.append((at_units(0, 6, 3), UNIT, 4))
    return scene(
        materials=[material(DIFFUSE, (0.8, 0.4, 0.3)), material(METAL, (0.6, 0.8, 0.9), roughness=0.2),
                   material(COATED, (0.2, 0.5, 0.9)), material(GLASS, (1, 1, 1)), material(EMISSIVE, emission=(20, 20, 20))],
        planes=[(at_units(0, -0.5, 0), [0, 1, 0], 0)],
        keyframes=[keyframe(0, (0.5, 2, 6), (0, 1, 0))],
        vertices=vertices, triangles=triangles, spheres=spheres,
    )


def untrue(scene):
    """Boxes that leave out parts of what is in them, or are too large: what the search finds is the picture."""
    def other(place, node):
        low, at, high, count, axis = node
        if place % 5 == 3:
            return [x + (y - x) // 3 for x, y in zip(low, high)], at, high, count, axis
        if place % 7 == 4:
            return [-(1 << 27)] * 3, at, [1 << 27] * 3, count, (axis + 1) % 3 if count == 0 else 0
        return node

    return {**scene, "nodes": [other(*entry) for entry in enumerate(scene["nodes"])]}


def job(name, of, size, region=None, frames=(0, 1), samples=4, max_bounces=6, max_steps=1024):
    return {
        "name": name,
        "scene": of,
        "seed": H(name.encode()).hex(),
        "width": size[0],
        "height": size[1],
        "region": region or [0, 0, *size],
        "first_frame": frames[0],
        "frames": frames[1],
        "samples": samples,
        "max_bounces": max_bounces,
        "max_steps": max_steps,
    }


JOBS = [
    job("still life", arranged(still_life()), (32, 20)),
    job("still life, a region of frames between and after the keyframes", arranged(still_life()), (300, 40),
        region=[100, 30, 80, 3], frames=(9, 3), samples=1, max_bounces=3),
    job("large and far", arranged(large_and_far(), leaf=1), (24, 24), samples=3, max_bounces=12),
    job("straight down in glass", arranged(straight_down()), (20, 12), samples=5, max_bounces=9),
    job("no bounce at all", arranged(still_life()), (16, 9), samples=2, max_bounces=0),
    job("paths that run out of steps", arranged(crowd()), (32, 18), samples=3, max_steps=150),
    job("a deep hierarchy", arranged(crowd(), one_by_one, leaf=1), (24, 14), samples=2, max_steps=250),
    job("boxes that are not true", untrue(arranged(crowd(), leaf=8)), (32, 18), samples=2, max_steps=150),
    job("a single step", arranged(still_life()), (16, 9), samples=2, max_steps=1),
]


def vector(entry):
    renderer = Renderer(entry["scene"], entry)
    output, tiles = renderer.render()
    digests = [blake3(data) for data in tiles + [output]]
    scene = encode(entry["scene"])
    print(f"{entry['name']}: {renderer.rays} rays, {renderer.ended} paths ran out of steps, at most {renderer.most_steps} steps",
          file=sys.stderr)
    return {
        **{key: value for key, value in entry.items() if key != "scene"},
        "scene": scene.hex(),
        "scene_hash": blake3(scene).hex(),
        "output": output.hex(),
        "tile_digests": [digest.hex() for digest in digests[:-1]],
        "digest": digests[-1].hex(),
        "claim_scale": claim(output, digests).hex(),
    }


def main():
    path = pathlib.Path(__file__).with_name("rendering.json")
    text = json.dumps([vector(entry) for entry in JOBS], indent=1) + "\n"
    if "--check" in sys.argv:
        sys.exit(0 if path.read_text() == text else f"{path.name} differs from what this program writes")
    path.write_text(text)


if __name__ == "__main__":
    main()
