//! From a description to a scene.

use crate::{
    description::{
        CameraDescription, Description, MaterialDescription, MeshDescription, PatternDescription, Shading,
        ShapeDescription, SurfaceDescription,
    },
    error::{DescriptionError, MeshError},
    files::Files,
    fixed::{SPACE, UNIT, fixed, fraction, length, position, radiance},
    gltf,
    mesh::{Mesh, difference, normalised},
    obj, shapes,
};
use agora_compute::scene::{
    Keyframe, MAX_TRIANGLES, MAX_VERTICES, Material, Plane, Scene, Sky, Sphere, Surface, Triangle,
};

/// A normal's component of 1.
const NORMAL: f64 = 16384.0;
/// The least length: 2⁻¹⁶.
const LEAST: f64 = 1.0 / UNIT;

impl Description {
    /// The scene; meshes in files are asked of `files`.
    ///
    /// Errors: `Number`, `UnknownMaterial`, `PatternSize`, `Mesh`, `Scene`.
    pub fn build(&self, files: &dyn Files) -> Result<Scene, DescriptionError> {
        let sky = Sky {
            zenith: radiance("the sky's light", self.sky.zenith.0, 64.0)?,
            horizon: radiance("the sky's light", self.sky.horizon.0, 64.0)?,
            ground: radiance("the sky's light", self.sky.ground.0, 64.0)?,
        };
        let materials: Result<_, DescriptionError> = self.materials.values().map(material).collect();
        let spheres = self.spheres.iter().map(|sphere| {
            Ok(Sphere {
                centre: position("a sphere's centre", sphere.centre)?,
                radius: length("a sphere's radius", sphere.radius, [LEAST, SPACE])?.cast_unsigned(),
                material: self.material(&sphere.material)?,
            })
        });
        let planes = self.planes.iter().map(|plane| {
            let [x, y, z] = normalised(plane.normal);
            let component = |value| fixed("a plane's normal", value, f64::from(1 << 30), [-1.0, 1.0]);
            Ok(Plane {
                point: position("a plane's point", plane.point)?,
                normal: [component(x)?, component(y)?, component(z)?],
                material: self.material(&plane.material)?,
            })
        });
        let mut scene = Scene {
            sky,
            exposure: fixed("the exposure", self.exposure, UNIT, [LEAST, 64.0])?.cast_unsigned(),
            clamp: fixed("the clamp", self.clamp, UNIT, [LEAST, 16.0 - LEAST])?.cast_unsigned(),
            materials: materials?,
            spheres: spheres.collect::<Result<_, DescriptionError>>()?,
            planes: planes.collect::<Result<_, DescriptionError>>()?,
            vertices: Vec::new(),
            normals: Vec::new(),
            triangles: Vec::new(),
            keyframes: self.camera.iter().map(keyframe).collect::<Result<_, _>>()?,
            nodes: Vec::new(),
        };
        for mesh in &self.meshes {
            add(&mut scene, mesh, self.material(&mesh.material)?, files)?;
        }
        let scene = scene.arranged();
        scene.validate()?;
        Ok(scene)
    }

    /// The place of the material called `name`.
    fn material(&self, name: &str) -> Result<u32, DescriptionError> {
        let place = self.materials.keys().position(|key| key == name);
        // The scene refuses more than 1024.
        let place = place.map(|place| place as u32);
        place.ok_or_else(|| DescriptionError::UnknownMaterial(name.to_owned()))
    }
}

fn material(material: &MaterialDescription) -> Result<Material, DescriptionError> {
    let colour = |[r, g, b]: [f64; 3]| {
        let channel = |value| fraction("a colour", value);
        Ok::<_, DescriptionError>([channel(r)?, channel(g)?, channel(b)?])
    };
    let (pattern, other_colour) = match material.pattern {
        Some(PatternDescription { colour: other, size }) => (pattern(size)?, colour(other.0)?),
        None => (0, [0; 3]),
    };
    Ok(Material {
        surface: match material.surface {
            SurfaceDescription::Diffuse => Surface::Diffuse,
            SurfaceDescription::Metal => Surface::Metal,
            SurfaceDescription::Glass => Surface::Glass,
            SurfaceDescription::Emissive => Surface::Emissive,
            SurfaceDescription::Coated => Surface::Coated,
        },
        pattern,
        roughness: fraction("a roughness", material.roughness)?,
        colour: colour(material.colour.0)?,
        other_colour,
        index: fixed("an index of refraction", material.index, UNIT, [1.0, 2.5])?.cast_unsigned(),
        emission: radiance(
            "an emission",
            material.emission.map_or([0.0; 3], |light| light.0),
            1024.0,
        )?,
    })
}

/// The exponent of a pattern's size in units of 2⁻¹⁶.
fn pattern(size: f64) -> Result<u8, DescriptionError> {
    let exponent = (1..=25u8).find(|&exponent| f64::from(1u32 << exponent) == size * UNIT);
    exponent.ok_or(DescriptionError::PatternSize(size))
}

fn keyframe(camera: &CameraDescription) -> Result<Keyframe, DescriptionError> {
    let tangent = (camera.field_of_view / 2.0).to_radians().tan();
    let away = difference(camera.target, camera.position);
    let focus = camera
        .focus
        .unwrap_or_else(|| away.iter().map(|c| c * c).sum::<f64>().sqrt());
    // Up to the widest view of a scene: a tangent of 4.
    fixed("a field of view", camera.field_of_view, 1.0, [0.01, 151.9])?;
    Ok(Keyframe {
        frame: camera.frame,
        position: position("a camera's position", camera.position)?,
        target: position("a camera's target", camera.target)?,
        tangent: fixed("a field of view's tangent", tangent, UNIT, [0.0, 4.0])?.cast_unsigned(),
        aperture: length("an aperture", camera.aperture, [0.0, SPACE])?.cast_unsigned(),
        focus: length("a focus", focus, [LEAST, SPACE])?.cast_unsigned(),
    })
}

/// Adds a mesh to `scene`.
fn add(scene: &mut Scene, mesh: &MeshDescription, material: u32, files: &dyn Files) -> Result<(), DescriptionError> {
    let named = |source| DescriptionError::Mesh {
        name: match &mesh.shape {
            ShapeDescription::File(path) => path.clone(),
            ShapeDescription::Icosphere(_) => "icosphere".to_owned(),
            ShapeDescription::TorusKnot { .. } => "torus knot".to_owned(),
        },
        source,
    };
    let mut triangles = load(&mesh.shape, files).map_err(named)?;
    match mesh.shading {
        Shading::AsGiven => {}
        Shading::Smooth => triangles.smooth(),
        Shading::Flat => triangles.flatten(),
    }
    let (first_vertex, first_normal) = (scene.vertices.len(), scene.normals.len());
    let counts = [
        ("vertices", first_vertex + triangles.vertices.len(), MAX_VERTICES),
        ("normals", first_normal + triangles.normals.len(), MAX_VERTICES),
        (
            "triangles",
            scene.triangles.len() + triangles.triangles.len(),
            MAX_TRIANGLES,
        ),
    ];
    for (what, count, most) in counts {
        crate::error::at_most(what, count as u64, most.into()).map_err(named)?;
    }
    let turned = |v: [f64; 3]| turn(v, mesh.turn);
    for &vertex in &triangles.vertices {
        let moved = turned(vertex.map(|c| c * mesh.scale));
        scene
            .vertices
            .push(position("a vertex", [0, 1, 2].map(|i| moved[i] + mesh.position[i]))?);
    }
    let sign = mesh.scale.signum();
    for &normal in &triangles.normals {
        // Between −2¹⁴ and 2¹⁴, and not all zero.
        scene
            .normals
            .push(turned(normalised(normal)).map(|c| (c * sign * NORMAL).round() as i16));
    }
    // Below 2²¹, checked above.
    let moved = |places: [u32; 3], first: usize| places.map(|place| place + first as u32);
    scene
        .triangles
        .extend(triangles.triangles.iter().map(|&(vertices, normals)| Triangle {
            vertices: moved(vertices, first_vertex),
            normals: normals.map(|normals| moved(normals, first_normal)),
            material,
        }));
    Ok(())
}

fn load(shape: &ShapeDescription, files: &dyn Files) -> Result<Mesh, MeshError> {
    match shape {
        ShapeDescription::File(path) => {
            let content = files.read(path)?;
            let lower = path.to_lowercase();
            if lower.ends_with(".obj") {
                obj::read(&content)
            } else if lower.ends_with(".gltf") || lower.ends_with(".glb") {
                gltf::read(&content, files)
            } else {
                Err(MeshError::UnknownKind)
            }
        }
        &ShapeDescription::Icosphere(subdivisions) => shapes::icosphere(subdivisions),
        &ShapeDescription::TorusKnot {
            turns,
            windings,
            radius,
            tube,
            segments,
            sides,
        } => {
            let knot = shapes::TorusKnot {
                turns,
                windings,
                radius,
                tube,
                segments,
                sides,
            };
            knot.mesh()
        }
    }
}

/// Turns `v` around x, then y, then z, by angles in degrees.
fn turn(v: [f64; 3], angles: [f64; 3]) -> [f64; 3] {
    let [x, y, z] = angles.map(|angle| angle.to_radians().sin_cos());
    let around = |(sine, cosine): (f64, f64), a: f64, b: f64| (a * cosine - b * sine, a * sine + b * cosine);
    let [mut vx, mut vy, mut vz] = v;
    (vy, vz) = around(x, vy, vz);
    (vz, vx) = around(y, vz, vx);
    (vx, vy) = around(z, vx, vy);
    [vx, vy, vz]
}
