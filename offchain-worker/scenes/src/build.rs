//! From a description to a scene.

use crate::{
    description::{CameraDescription, Description, MaterialDescription, PatternDescription, SurfaceDescription},
    error::DescriptionError,
    files::Files,
    fixed::{SPACE, UNIT, fixed, fraction, length, position, radiance},
    mesh::{difference, normalised},
    place,
    warning::Warning,
};
use agora_compute::scene::{Keyframe, Material, Plane, Scene, Sky, Sphere, Surface};
use std::fmt::Display;

/// The least length: 2⁻¹⁶.
const LEAST: f64 = 1.0 / UNIT;

/// A scene, and what is probably not as meant in it.
#[derive(Clone, PartialEq, Debug)]
pub struct Built {
    /// The scene.
    pub scene: Scene,
    /// What its maker should be told.
    pub warnings: Vec<Warning>,
}

impl Description {
    /// The scene; meshes in files are asked of `files`.
    ///
    /// Errors: `Number`, `UnknownMaterial`, `PatternSize`, `Direction`, `Mesh`, `Scene`.
    pub fn build(&self, files: &dyn Files) -> Result<Built, DescriptionError> {
        let sky = Sky {
            zenith: radiance("sky.zenith", self.sky.zenith.0, 64.0)?,
            horizon: radiance("sky.horizon", self.sky.horizon.0, 64.0)?,
            ground: radiance("sky.ground", self.sky.ground.0, 64.0)?,
        };
        let materials = self.materials.iter().map(|(name, one)| material(name, one));
        let mut scene = Scene {
            sky,
            exposure: fixed("exposure", self.exposure, UNIT, [LEAST, 64.0])?.cast_unsigned(),
            clamp: fixed("clamp", self.clamp, UNIT, [LEAST, 16.0 - LEAST])?.cast_unsigned(),
            materials: materials.collect::<Result<_, _>>()?,
            spheres: self.spheres()?,
            planes: self.planes()?,
            vertices: Vec::new(),
            normals: Vec::new(),
            triangles: Vec::new(),
            keyframes: self.camera.iter().enumerate().map(keyframe).collect::<Result<_, _>>()?,
            nodes: Vec::new(),
        };
        let mut warnings = Vec::new();
        for (i, mesh) in self.meshes.iter().enumerate() {
            let at = format!("meshes[{i}]");
            let material = self.material(&at, &mesh.material)?;
            place::add(&mut scene, mesh, (&at, material), files, &mut warnings)?;
        }
        self.warn(&scene, &mut warnings);
        let scene = scene.arranged();
        scene.validate()?;
        Ok(Built { scene, warnings })
    }

    fn spheres(&self) -> Result<Vec<Sphere>, DescriptionError> {
        let spheres = self.spheres.iter().enumerate().map(|(i, sphere)| {
            let radius = format_args!("spheres[{i}].radius");
            Ok(Sphere {
                centre: position(format_args!("spheres[{i}].centre"), sphere.centre)?,
                radius: length(radius, sphere.radius, [LEAST, SPACE])?.cast_unsigned(),
                material: self.material(format_args!("spheres[{i}]"), &sphere.material)?,
            })
        });
        spheres.collect()
    }

    fn planes(&self) -> Result<Vec<Plane>, DescriptionError> {
        let planes = self.planes.iter().enumerate().map(|(i, plane)| {
            let at = format_args!("planes[{i}].normal");
            if plane.normal == [0.0; 3] {
                return Err(DescriptionError::Direction { at: at.to_string() });
            }
            let [x, y, z] = normalised(plane.normal);
            let component = |value| fixed(at, value, f64::from(1 << 30), [-1.0, 1.0]);
            Ok(Plane {
                point: position(format_args!("planes[{i}].point"), plane.point)?,
                normal: [component(x)?, component(y)?, component(z)?],
                material: self.material(format_args!("planes[{i}]"), &plane.material)?,
            })
        });
        planes.collect()
    }

    /// The place of the material called `name`, which the part at `at` has.
    fn material(&self, at: impl Display, name: &str) -> Result<u32, DescriptionError> {
        let place = self.materials.keys().position(|key| key == name);
        // The scene refuses more than 1024.
        let place = place.map(|place| place as u32);
        place.ok_or_else(|| {
            let known: Vec<_> = self.materials.keys().take(20).map(|key| format!("{key:?}")).collect();
            DescriptionError::UnknownMaterial {
                at: format!("{at}.material"),
                name: name.to_owned(),
                known: if known.is_empty() {
                    "none".to_owned()
                } else {
                    known.join(", ")
                },
            }
        })
    }

    /// Tells what is probably not meant in the whole `scene`.
    fn warn(&self, scene: &Scene, warnings: &mut Vec<Warning>) {
        for (name, material) in &self.materials {
            let light = material.emission.map_or([0.0; 3], |light| light.0);
            let has_light = light.iter().any(|&channel| channel > 0.0);
            match material.surface {
                SurfaceDescription::Emissive if !has_light => warnings.push(Warning::Dark(name.clone())),
                SurfaceDescription::Emissive => {}
                _ if has_light => warnings.push(Warning::Emission(name.clone())),
                _ => {}
            }
        }
        let used = scene.spheres.iter().map(|sphere| sphere.material);
        let used = used.chain(scene.planes.iter().map(|plane| plane.material));
        let mut used = used.chain(scene.triangles.iter().map(|triangle| triangle.material));
        let gives_light = |material: &Material| material.surface == Surface::Emissive && material.emission != [0; 3];
        let is_dark = [scene.sky.zenith, scene.sky.horizon, scene.sky.ground] == [[0; 3]; 3];
        if is_dark && !used.any(|place| scene.materials.get(place as usize).is_some_and(gives_light)) {
            warnings.push(Warning::NoLight);
        }
        if scene.spheres.is_empty() && scene.planes.is_empty() && scene.triangles.is_empty() {
            warnings.push(Warning::Nothing);
        }
    }
}

fn material(name: &str, material: &MaterialDescription) -> Result<Material, DescriptionError> {
    let colour = |field: &str, [r, g, b]: [f64; 3]| {
        let channel = |value| fraction(format_args!("materials.{name}.{field}"), value);
        Ok::<_, DescriptionError>([channel(r)?, channel(g)?, channel(b)?])
    };
    let (pattern, other_colour) = match material.pattern {
        Some(PatternDescription { colour: other, size }) => {
            let at = || format!("materials.{name}.pattern.size");
            let exponent = exponent(size).ok_or_else(|| DescriptionError::PatternSize { at: at(), size })?;
            (exponent, colour("pattern.colour", other.0)?)
        }
        None => (0, [0; 3]),
    };
    let index = format_args!("materials.{name}.index");
    Ok(Material {
        surface: match material.surface {
            SurfaceDescription::Diffuse => Surface::Diffuse,
            SurfaceDescription::Metal => Surface::Metal,
            SurfaceDescription::Glass => Surface::Glass,
            SurfaceDescription::Emissive => Surface::Emissive,
            SurfaceDescription::Coated => Surface::Coated,
        },
        pattern,
        roughness: fraction(format_args!("materials.{name}.roughness"), material.roughness)?,
        colour: colour("colour", material.colour.0)?,
        other_colour,
        index: fixed(index, material.index, UNIT, [1.0, 2.5])?.cast_unsigned(),
        emission: radiance(
            format_args!("materials.{name}.emission"),
            material.emission.map_or([0.0; 3], |light| light.0),
            1024.0,
        )?,
    })
}

/// The exponent of a pattern's size in units of 2⁻¹⁶.
fn exponent(size: f64) -> Option<u8> {
    (1..=25u8).find(|&exponent| f64::from(1u32 << exponent) == size * UNIT)
}

fn keyframe((i, camera): (usize, &CameraDescription)) -> Result<Keyframe, DescriptionError> {
    let tangent = (camera.field_of_view / 2.0).to_radians().tan();
    let away = difference(camera.target, camera.position);
    let focus = camera
        .focus
        .unwrap_or_else(|| away.iter().map(|c| c * c).sum::<f64>().sqrt());
    let view = format_args!("camera[{i}].field_of_view");
    // Up to the widest view of a scene: a tangent of 4.
    fixed(view, camera.field_of_view, 1.0, [0.01, 151.9])?;
    let aperture = format_args!("camera[{i}].aperture");
    Ok(Keyframe {
        frame: camera.frame,
        position: position(format_args!("camera[{i}].position"), camera.position)?,
        target: position(format_args!("camera[{i}].target"), camera.target)?,
        tangent: fixed(view, tangent, UNIT, [0.0, 4.0])?.cast_unsigned(),
        aperture: length(aperture, camera.aperture, [0.0, SPACE])?.cast_unsigned(),
        focus: length(format_args!("camera[{i}].focus"), focus, [LEAST, SPACE])?.cast_unsigned(),
    })
}
