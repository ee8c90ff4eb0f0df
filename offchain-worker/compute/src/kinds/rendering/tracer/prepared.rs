//! A scene prepared for rendering: everything that is computed once for it, the same on every engine.

use super::{
    fixed::{FRACTION, Vector, add, fraction, mul},
    geometry::Geometry,
    scene::{Material, Scene, Sky, Surface},
};

/// A material, prepared for shading. 16 words, as the shader reads them.
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub(crate) struct PreparedMaterial {
    pub colour: [u32; 3],
    pub surface: u32,
    pub other_colour: [u32; 3],
    pub pattern: u32,
    pub emission: [u32; 3],
    /// In 30 fractional bits.
    pub roughness: i32,
    /// Reflectance at normal incidence, a fraction.
    pub reflectance: u32,
    /// Relative index of refraction, for a ray that enters and for one that leaves, in 28 fractional bits.
    pub bending: [i32; 2],
    pub padding: u32,
}

impl PreparedMaterial {
    fn new(material: &Material) -> Self {
        let index = u64::from(material.index);
        let ratio = ((index - (1 << 16)) << 16) / (index + (1 << 16));
        Self {
            colour: material.colour.map(u32::from),
            surface: material.surface as u32,
            other_colour: material.other_colour.map(u32::from),
            pattern: material.pattern.into(),
            emission: material.emission,
            roughness: i32::from(material.roughness) << 15,
            reflectance: ((ratio * ratio) >> 17) as u32,
            bending: [((1u64 << 44) / index) as i32, (index << 12) as i32],
            padding: 0,
        }
    }

    /// Whether its surface is of this kind.
    pub fn is(&self, surface: Surface) -> bool {
        self.surface == surface as u32
    }

    /// The colour at `point`.
    pub fn colour_at(&self, point: Vector) -> [u32; 3] {
        let odd = ((point[0] >> self.pattern) + (point[2] >> self.pattern)) & 1 == 1;
        if self.pattern > 0 && odd {
            self.other_colour
        } else {
            self.colour
        }
    }

    /// The reflectance at an angle with `cosine`, by Schlick's approximation.
    pub fn reflected(&self, cosine: u32) -> u32 {
        towards_one(self.reflectance, cosine)
    }
}

/// `start + (1 − start)·(1 − cosine)⁵`, all fractions.
pub(crate) fn towards_one(start: u32, cosine: u32) -> u32 {
    let x = FRACTION - cosine;
    let square = (x * x) >> 15;
    let fourth = (square * square) >> 15;
    let fifth = (fourth * x) >> 15;
    start + (((FRACTION - start) * fifth) >> 15)
}

/// An emissive sphere that is sampled as a light. 8 words, as the shader reads them.
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub(crate) struct Light {
    pub centre: Vector,
    pub radius: u32,
    pub emission: [u32; 3],
    pub padding: u32,
}

/// A scene, prepared for rendering.
pub(crate) struct PreparedScene {
    pub geometry: Geometry,
    pub materials: Vec<PreparedMaterial>,
    pub lights: Vec<Light>,
    pub sky: Sky,
    pub clamp: u32,
}

impl PreparedScene {
    /// Prepares `scene`, which is valid.
    pub fn new(scene: &Scene) -> Self {
        let materials: Vec<PreparedMaterial> = scene.materials.iter().map(PreparedMaterial::new).collect();
        let lights = scene.spheres.iter().filter_map(|sphere| {
            let material = &materials[sphere.material as usize];
            material.is(Surface::Emissive).then_some(Light {
                centre: sphere.centre,
                radius: sphere.radius,
                emission: material.emission,
                padding: 0,
            })
        });
        Self {
            geometry: Geometry::new(scene),
            lights: lights.collect(),
            materials,
            sky: scene.sky,
            clamp: scene.clamp,
        }
    }

    /// The sky's radiance seen in `direction`.
    pub fn sky_towards(&self, direction: Vector) -> [u32; 3] {
        let height = direction[1];
        let far = if height < 0 { &self.sky.ground } else { &self.sky.zenith };
        let low = FRACTION - fraction(height.abs());
        let part = (FRACTION - ((low * low) >> 15)) as i32;
        [0, 1, 2].map(|i| {
            let near = self.sky.horizon[i] as i32;
            (near + mul(far[i] as i32 - near, part, 15)) as u32
        })
    }
}

/// By how much `normal` moves a point away from its surface.
pub(crate) fn step_along(point: Vector, normal: Vector, distance: i32) -> Vector {
    add(point, normal.map(|c| mul(c, distance, 30)))
}
