//! Scenes: what there is to render, and the limits that keep all arithmetic within 32 bits.
//!
//! A scene is read from bytes that anybody may have made. Nothing is allocated before the counts are within their
//! limits and fit the length; nothing is used before [`Scene::validate`] has passed.

mod arrange;
mod bytes;
mod hierarchy;

pub(super) use bytes::most_shapes_and_nodes;
pub use hierarchy::{MAX_BOX, MAX_DEPTH, MAX_LEAF, Node};

/// Coordinates are at most this: 512 units of 2¹⁶.
pub const MAX_COORDINATE: i32 = 1 << 25;
/// The most materials.
pub const MAX_MATERIALS: u32 = 1024;
/// The most spheres.
pub const MAX_SPHERES: u32 = 1024;
/// The most planes.
pub const MAX_PLANES: u32 = 16;
/// The most vertices, and the most normals.
pub const MAX_VERTICES: u32 = 1 << 20;
/// The most triangles.
pub const MAX_TRIANGLES: u32 = 1 << 20;
/// The most nodes: fewer than two for each shape.
pub const MAX_NODES: u32 = 2 * (MAX_TRIANGLES + MAX_SPHERES);
/// The most keyframes.
pub const MAX_KEYFRAMES: u32 = 4096;
/// 1 in a colour or a roughness.
pub const WHITE: u16 = 1 << 15;
/// The brightest sky: 64 in 16 fractional bits.
pub const MAX_SKY: u32 = 1 << 22;
/// The brightest light: 1024 in 16 fractional bits.
pub const MAX_EMISSION: u32 = 1 << 26;
/// The least index of refraction: 1 in 16 fractional bits.
pub const MIN_INDEX: u32 = 1 << 16;
/// The largest index of refraction: 2.5.
pub const MAX_INDEX: u32 = 5 << 15;
/// The largest exposure: 64 in 16 fractional bits.
pub const MAX_EXPOSURE: u32 = 1 << 22;
/// The largest limit to the radiance of a path: so many samples' sum fits 32 bits.
pub const MAX_CLAMP: u32 = (1 << 20) - 1;
/// The largest pattern: its fields have sides of 2 to this power.
pub const MAX_PATTERN: u8 = 25;
/// The largest component of a vertex normal.
pub const MAX_NORMAL: i16 = 1 << 14;
/// The largest component of a plane's normal.
pub const MAX_PLANE_NORMAL: i32 = 1 << 30;
/// The widest view: a half of the image's height is at most 4 at distance 1, in 16 fractional bits.
pub const MAX_TANGENT: u32 = 1 << 18;

/// Why bytes are no scene, or a scene cannot be rendered.
#[derive(thiserror::Error, Clone, PartialEq, Eq, Debug)]
pub enum SceneError {
    /// The bytes do not begin as those of a scene do.
    #[error("these bytes are no scene: one begins with AGSC")]
    Magic,
    /// The scene is of another version.
    #[error("the scene has version {0}; this program knows version 2")]
    Version(u32),
    /// The counts do not fit the length.
    #[error("the scene has {found} bytes; by its counts it should have {expected}")]
    Length {
        /// As the counts demand.
        expected: u64,
        /// The length found.
        found: u64,
    },
    /// There are too many, or too few, of something.
    #[error("the scene has {count} {what}; from {least} to {most} are possible")]
    Count {
        /// Of which table.
        what: &'static str,
        /// How many.
        count: u64,
        /// The fewest that are possible.
        least: u32,
        /// The most that are possible.
        most: u32,
    },
    /// A number is outside of its range.
    #[error("{what} {index} of the scene is refused: {reason}")]
    Refused {
        /// The name of what holds it.
        what: &'static str,
        /// Its index there, counted from 0.
        index: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
}

/// What a surface does with light.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Surface {
    /// Scatters evenly.
    Diffuse = 0,
    /// Reflects, more or less sharply.
    Metal = 1,
    /// Reflects and refracts.
    Glass = 2,
    /// Gives light and reflects none.
    Emissive = 3,
    /// Scatters under a clear coat that reflects.
    Coated = 4,
}

/// A material. What its surface does not use must be within its range all the same.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Material {
    /// What it does with light.
    pub surface: Surface,
    /// 0, or else it is a chequerboard of `colour` and `other_colour`: vertical columns with sides of 2 to this power.
    pub pattern: u8,
    /// How blurred a metal's reflection is: 0 to [`WHITE`].
    pub roughness: u16,
    /// Its colour: each channel 0 to [`WHITE`].
    pub colour: [u16; 3],
    /// The other colour of a pattern.
    pub other_colour: [u16; 3],
    /// Index of refraction of glass and of a coat, in 16 fractional bits.
    pub index: u32,
    /// Radiance of an emissive surface, in 16 fractional bits.
    pub emission: [u32; 3],
}

/// A sphere.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sphere {
    /// Its centre.
    pub centre: [i32; 3],
    /// Its radius: 1 to [`MAX_COORDINATE`].
    pub radius: u32,
    /// Its material's place.
    pub material: u32,
}

/// A plane.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Plane {
    /// One of its points.
    pub point: [i32; 3],
    /// Its normal, of any length but zero.
    pub normal: [i32; 3],
    /// Its material's place.
    pub material: u32,
}

/// A triangle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Triangle {
    /// The places of its vertices; seen from outside, they go round counter-clockwise.
    pub vertices: [u32; 3],
    /// The places of the normals at its vertices; `None` for a flat triangle.
    pub normals: Option<[u32; 3]>,
    /// Its material's place.
    pub material: u32,
}

/// The camera at one frame. Between keyframes everything changes evenly.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Keyframe {
    /// The frame.
    pub frame: u32,
    /// Where the camera is.
    pub position: [i32; 3],
    /// Where it looks.
    pub target: [i32; 3],
    /// Half of the image's height at distance 1, in 16 fractional bits.
    pub tangent: u32,
    /// Radius of the lens, not more than `focus`.
    pub aperture: u32,
    /// Distance at which everything is sharp.
    pub focus: u32,
}

/// The sky: the radiance that comes from where nothing is, a gradient in 16 fractional bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sky {
    /// Straight above.
    pub zenith: [u32; 3],
    /// At the horizon.
    pub horizon: [u32; 3],
    /// Straight below.
    pub ground: [u32; 3],
}

/// A scene. Positions and lengths have 16 fractional bits; y points up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scene {
    /// The radiance that comes from where nothing is.
    pub sky: Sky,
    /// What radiance is multiplied with before it becomes a colour, in 16 fractional bits.
    pub exposure: u32,
    /// The most radiance of a path, in 16 fractional bits.
    pub clamp: u32,
    /// The materials.
    pub materials: Vec<Material>,
    /// The spheres.
    pub spheres: Vec<Sphere>,
    /// The planes.
    pub planes: Vec<Plane>,
    /// The vertices of all triangles.
    pub vertices: Vec<[i32; 3]>,
    /// The normals of all triangles: of any length but zero, components at most [`MAX_NORMAL`].
    pub normals: Vec<[i16; 3]>,
    /// The triangles.
    pub triangles: Vec<Triangle>,
    /// The camera, by ascending frame.
    pub keyframes: Vec<Keyframe>,
    /// The hierarchy of triangles and spheres: [`Scene::arranged`] makes it.
    pub nodes: Vec<Node>,
}

/// Refuses the first of `items` for which `reason` has one.
fn first_refused<T>(
    what: &'static str,
    items: &[T],
    reason: impl Fn(&T) -> Option<&'static str>,
) -> Result<(), SceneError> {
    match items
        .iter()
        .enumerate()
        .find_map(|(index, item)| Some((index, reason(item)?)))
    {
        Some((index, reason)) => Err(SceneError::Refused { what, index, reason }),
        None => Ok(()),
    }
}

fn is_in_space(position: &[i32; 3]) -> bool {
    position
        .iter()
        .all(|coordinate| coordinate.unsigned_abs() <= MAX_COORDINATE as u32)
}

const OUTSIDE: &str = "it lies outside of the space of 512 units around the origin";
const NO_MATERIAL: &str = "its material does not exist";

impl Scene {
    /// Checks every count and every number.
    ///
    /// Errors: `Count`, `Refused`.
    pub fn validate(&self) -> Result<(), SceneError> {
        bytes::check_counts(&self.counts())?;
        if self
            .sky
            .zenith
            .iter()
            .chain(&self.sky.horizon)
            .chain(&self.sky.ground)
            .any(|&light| light > MAX_SKY)
        {
            return Err(refused("sky", "it is brighter than 64"));
        }
        if !(1..=MAX_EXPOSURE).contains(&self.exposure) {
            return Err(refused("exposure", "it is not above 0 and at most 64"));
        }
        if !(1..=MAX_CLAMP).contains(&self.clamp) {
            return Err(refused("clamp", "it is not above 0 and below 16"));
        }
        first_refused("material", &self.materials, Material::refused)?;
        self.validate_solids()?;
        self.validate_meshes()?;
        self.validate_hierarchy()?;
        first_refused("keyframe", &self.keyframes, Keyframe::refused)?;
        match self
            .keyframes
            .windows(2)
            .position(|pair| pair[0].frame >= pair[1].frame)
        {
            Some(place) => Err(SceneError::Refused {
                what: "keyframe",
                index: place + 1,
                reason: "its frame is not after the one before",
            }),
            None => Ok(()),
        }
    }

    fn has_material(&self, material: u32) -> bool {
        (material as usize) < self.materials.len()
    }

    fn validate_solids(&self) -> Result<(), SceneError> {
        first_refused("sphere", &self.spheres, |sphere| {
            if !is_in_space(&sphere.centre) {
                Some(OUTSIDE)
            } else if !(1..=MAX_COORDINATE as u32).contains(&sphere.radius) {
                Some("its radius is not above 0 and at most 512 units")
            } else {
                (!self.has_material(sphere.material)).then_some(NO_MATERIAL)
            }
        })?;
        first_refused("plane", &self.planes, |plane| {
            if !is_in_space(&plane.point) {
                Some(OUTSIDE)
            } else if plane.normal == [0; 3] {
                Some("its normal is zero")
            } else if plane.normal.iter().any(|c| c.unsigned_abs() > MAX_PLANE_NORMAL as u32) {
                Some("its normal is longer than 2^30")
            } else {
                (!self.has_material(plane.material)).then_some(NO_MATERIAL)
            }
        })
    }

    fn validate_meshes(&self) -> Result<(), SceneError> {
        first_refused("vertex", &self.vertices, |vertex| {
            (!is_in_space(vertex)).then_some(OUTSIDE)
        })?;
        first_refused("normal", &self.normals, |normal| {
            if *normal == [0; 3] {
                Some("it is zero")
            } else {
                let long = normal.iter().any(|c| c.unsigned_abs() > MAX_NORMAL as u16);
                long.then_some("it is longer than 2^14")
            }
        })?;
        first_refused("triangle", &self.triangles, |triangle| {
            let within = |places: [u32; 3], count: usize| places.iter().all(|&place| (place as usize) < count);
            if !within(triangle.vertices, self.vertices.len()) {
                Some("a vertex of it does not exist")
            } else if triangle
                .normals
                .is_some_and(|normals| !within(normals, self.normals.len()))
            {
                Some("a normal of it does not exist")
            } else {
                (!self.has_material(triangle.material)).then_some(NO_MATERIAL)
            }
        })
    }
}

/// Refuses something of which there is only one.
fn refused(what: &'static str, reason: &'static str) -> SceneError {
    SceneError::Refused { what, index: 0, reason }
}

impl Material {
    fn refused(&self) -> Option<&'static str> {
        if self
            .colour
            .iter()
            .chain(&self.other_colour)
            .any(|&channel| channel > WHITE)
        {
            Some("a colour is above 1")
        } else if self.roughness > WHITE {
            Some("its roughness is above 1")
        } else if self.pattern > MAX_PATTERN {
            Some("its pattern is larger than the space")
        } else if !(MIN_INDEX..=MAX_INDEX).contains(&self.index) {
            Some("its index of refraction is not from 1 to 2.5")
        } else {
            let bright = self.emission.iter().any(|&channel| channel > MAX_EMISSION);
            bright.then_some("it is brighter than 1024")
        }
    }
}

impl Keyframe {
    fn refused(&self) -> Option<&'static str> {
        if !is_in_space(&self.position) || !is_in_space(&self.target) {
            Some(OUTSIDE)
        } else if self.position == self.target {
            Some("the camera looks at where it is")
        } else if !(1..=MAX_TANGENT).contains(&self.tangent) {
            Some("its field of view is not above 0 and at most 151 degrees")
        } else if !(1..=MAX_COORDINATE as u32).contains(&self.focus) {
            Some("its focus is not above 0 and at most 512 units")
        } else {
            (self.aperture > self.focus).then_some("its lens is larger than its focus is far")
        }
    }
}
