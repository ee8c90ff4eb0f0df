//! The entries of a scene's tables: how they are read, and what of them is possible.
//!
//! Each has `fault`, which says why the scene is unusable, for the scan; and `possible`, which changes what is out of
//! its range, for those who do not judge inputs.

use super::tables::Numbers;

/// Coordinates, radii and distances are at most this.
const MAX_COORDINATE: i32 = 1 << 25;
const MAX_BOX: i32 = 1 << 27;
const MAX_FRACTION: u16 = 1 << 15;
const MAX_PATTERN: u8 = 25;
const MIN_INDEX: u32 = 1 << 16;
const MAX_INDEX: u32 = 163_840;
const MAX_EMISSION: u32 = 1 << 26;
const MAX_PLANE_NORMAL: i32 = 1 << 30;
const MAX_NORMAL: i16 = 1 << 14;
const MAX_TANGENT: u32 = 1 << 18;
/// The longest distance, or the largest radius.
const MAX_LENGTH: u32 = MAX_COORDINATE.cast_unsigned();
/// The normals of a flat triangle.
const FLAT: [u32; 3] = [u32::MAX; 3];

const OUTSIDE: &str = "it is outside of the space";

fn is_outside(position: &[i32; 3]) -> bool {
    position.iter().any(|c| !(-MAX_COORDINATE..=MAX_COORDINATE).contains(c))
}

fn inside(position: [i32; 3]) -> [i32; 3] {
    position.map(|c| c.clamp(-MAX_COORDINATE, MAX_COORDINATE))
}

/// The first of `rules` that is broken.
fn first<const N: usize>(rules: [(bool, &'static str); N]) -> Option<&'static str> {
    let mut broken = rules.into_iter().filter(|&(is_broken, _)| is_broken);
    broken.next().map(|(_, reason)| reason)
}

/// What a surface does with light.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Surface {
    Diffuse,
    Metal,
    Glass,
    Emissive,
    Coated,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Material {
    /// `None`: its number is unknown.
    pub surface: Option<Surface>,
    pub pattern: u8,
    pub roughness: u16,
    pub colour: [u16; 3],
    pub other_colour: [u16; 3],
    pub index: u32,
    pub emission: [u32; 3],
}

impl Material {
    pub fn read(mut numbers: Numbers<'_>) -> Self {
        let [surface, pattern] = numbers.bytes();
        Self {
            surface: match surface {
                0 => Some(Surface::Diffuse),
                1 => Some(Surface::Metal),
                2 => Some(Surface::Glass),
                3 => Some(Surface::Emissive),
                4 => Some(Surface::Coated),
                _ => None,
            },
            pattern,
            roughness: numbers.u16(),
            colour: numbers.three(Numbers::u16),
            other_colour: numbers.three(Numbers::u16),
            index: numbers.u32(),
            emission: numbers.three(Numbers::u32),
        }
    }

    pub fn fault(&self) -> Option<&'static str> {
        let mut colours = self.colour.iter().chain(&self.other_colour);
        first([
            (self.surface.is_none(), "its surface is unknown"),
            (self.pattern > MAX_PATTERN, "its pattern is too large"),
            (self.roughness > MAX_FRACTION, "its roughness is above 1"),
            (colours.any(|&channel| channel > MAX_FRACTION), "a colour is above 1"),
            (
                !(MIN_INDEX..=MAX_INDEX).contains(&self.index),
                "its index of refraction is out of range",
            ),
            (
                self.emission.iter().any(|&channel| channel > MAX_EMISSION),
                "its emission is too bright",
            ),
        ])
    }

    pub fn possible(self) -> Self {
        let colour = |colour: [u16; 3]| colour.map(|channel| channel.min(MAX_FRACTION));
        Self {
            surface: self.surface,
            pattern: self.pattern.min(MAX_PATTERN),
            roughness: self.roughness.min(MAX_FRACTION),
            colour: colour(self.colour),
            other_colour: colour(self.other_colour),
            index: self.index.clamp(MIN_INDEX, MAX_INDEX),
            emission: self.emission.map(|channel| channel.min(MAX_EMISSION)),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Node {
    pub low: [i32; 3],
    pub at: u32,
    pub high: [i32; 3],
    pub count: u16,
    pub axis: u16,
}

impl Node {
    pub fn read(mut numbers: Numbers<'_>) -> Self {
        Self {
            low: numbers.three(Numbers::i32),
            at: numbers.u32(),
            high: numbers.three(Numbers::i32),
            count: numbers.u16(),
            axis: numbers.u16(),
        }
    }

    /// Of its box; the rest depends on its place in the hierarchy.
    pub fn fault(&self) -> Option<&'static str> {
        let mut sides = self.low.iter().zip(&self.high);
        let is_box = sides.all(|(&low, &high)| -MAX_BOX <= low && low <= high && high <= MAX_BOX);
        first([(!is_box, "its box is none, or too large")])
    }

    /// With a place of a shape or node that may not exist.
    pub fn possible(self) -> Self {
        let within = |corner: [i32; 3]| corner.map(|c| c.clamp(-MAX_BOX, MAX_BOX));
        Self {
            low: within(self.low),
            high: within(self.high),
            at: self.at,
            count: self.count.min(super::hierarchy::MAX_LEAF),
            axis: self.axis.min(2),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sphere {
    pub centre: [i32; 3],
    pub radius: u32,
    pub material: u32,
}

impl Sphere {
    pub fn read(mut numbers: Numbers<'_>) -> Self {
        Self {
            centre: numbers.three(Numbers::i32),
            radius: numbers.u32(),
            material: numbers.u32(),
        }
    }

    pub fn fault(&self, materials: u64) -> Option<&'static str> {
        first([
            (is_outside(&self.centre), OUTSIDE),
            (!(1..=MAX_LENGTH).contains(&self.radius), "its radius is out of range"),
            (u64::from(self.material) >= materials, "its material does not exist"),
        ])
    }

    pub fn possible(self) -> Self {
        Self {
            centre: inside(self.centre),
            radius: self.radius.clamp(1, MAX_LENGTH),
            material: self.material,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Plane {
    pub point: [i32; 3],
    pub normal: [i32; 3],
    pub material: u32,
}

impl Plane {
    pub fn read(mut numbers: Numbers<'_>) -> Self {
        Self {
            point: numbers.three(Numbers::i32),
            normal: numbers.three(Numbers::i32),
            material: numbers.u32(),
        }
    }

    pub fn fault(&self, materials: u64) -> Option<&'static str> {
        let is_short = |c: &i32| (-MAX_PLANE_NORMAL..=MAX_PLANE_NORMAL).contains(c);
        first([
            (is_outside(&self.point), OUTSIDE),
            (self.normal == [0; 3], "its normal is zero"),
            (!self.normal.iter().all(is_short), "its normal is too long"),
            (u64::from(self.material) >= materials, "its material does not exist"),
        ])
    }

    /// A normal of zero becomes a unit vector later.
    pub fn possible(self) -> Self {
        Self {
            point: inside(self.point),
            normal: self.normal.map(|c| c.clamp(-MAX_PLANE_NORMAL, MAX_PLANE_NORMAL)),
            material: self.material,
        }
    }
}

/// A vertex of triangles.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Vertex(pub [i32; 3]);

impl Vertex {
    pub fn read(mut numbers: Numbers<'_>) -> Self {
        Self(numbers.three(Numbers::i32))
    }

    pub fn fault(&self) -> Option<&'static str> {
        first([(is_outside(&self.0), OUTSIDE)])
    }

    pub fn possible(self) -> Self {
        Self(inside(self.0))
    }
}

/// A normal at a vertex of triangles.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Normal(pub [i16; 3]);

impl Normal {
    pub fn read(mut numbers: Numbers<'_>) -> Self {
        Self(numbers.three(|numbers| i16::from_le_bytes(numbers.bytes())))
    }

    pub fn fault(&self) -> Option<&'static str> {
        let is_short = |c: &i16| (-MAX_NORMAL..=MAX_NORMAL).contains(c);
        first([
            (self.0 == [0; 3], "it is zero"),
            (!self.0.iter().all(is_short), "it is too long"),
        ])
    }

    pub fn possible(self) -> Self {
        Self(self.0.map(|c| c.clamp(-MAX_NORMAL, MAX_NORMAL)))
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Triangle {
    pub vertices: [u32; 3],
    /// `None`: it is flat.
    pub normals: Option<[u32; 3]>,
    pub material: u32,
}

impl Triangle {
    pub fn read(mut numbers: Numbers<'_>) -> Self {
        Self {
            vertices: numbers.three(Numbers::u32),
            normals: Some(numbers.three(Numbers::u32)).filter(|normals| *normals != FLAT),
            material: numbers.u32(),
        }
    }

    /// How many vertices, normals and materials there are.
    pub fn fault(&self, vertices: u64, normals: u64, materials: u64) -> Option<&'static str> {
        let are_missing = |places: &[u32; 3], count: u64| places.iter().any(|&place| u64::from(place) >= count);
        let has_no_normal = self.normals.is_some_and(|places| are_missing(&places, normals));
        first([
            (are_missing(&self.vertices, vertices), "a vertex of it does not exist"),
            (has_no_normal, "a normal of it does not exist"),
            (u64::from(self.material) >= materials, "its material does not exist"),
        ])
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Keyframe {
    pub frame: u32,
    pub position: [i32; 3],
    pub target: [i32; 3],
    pub tangent: u32,
    pub aperture: u32,
    pub focus: u32,
}

impl Keyframe {
    pub fn read(mut numbers: Numbers<'_>) -> Self {
        Self {
            frame: numbers.u32(),
            position: numbers.three(Numbers::i32),
            target: numbers.three(Numbers::i32),
            tangent: numbers.u32(),
            aperture: numbers.u32(),
            focus: numbers.u32(),
        }
    }

    /// After a keyframe of frame `before`, if there is one.
    pub fn fault(&self, before: Option<u32>) -> Option<&'static str> {
        first([
            (is_outside(&self.position) || is_outside(&self.target), OUTSIDE),
            (self.position == self.target, "the camera looks at where it is"),
            (
                !(1..=MAX_TANGENT).contains(&self.tangent),
                "its tangent is out of range",
            ),
            (self.aperture > self.focus, "its aperture is above its focus"),
            (!(1..=MAX_LENGTH).contains(&self.focus), "its focus is out of range"),
            (
                before.is_some_and(|before| before >= self.frame),
                "its frame is not after the one before",
            ),
        ])
    }

    /// A target at the position has a direction all the same.
    pub fn possible(self) -> Self {
        let focus = self.focus.clamp(1, MAX_LENGTH);
        Self {
            frame: self.frame,
            position: inside(self.position),
            target: inside(self.target),
            tangent: self.tangent.clamp(1, MAX_TANGENT),
            aperture: self.aperture.min(focus),
            focus,
        }
    }
}
