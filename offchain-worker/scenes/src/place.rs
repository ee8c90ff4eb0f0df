//! Meshes in a scene: loaded, moved to their place, and rounded to the grid of scenes.

use crate::{
    description::{MeshDescription, Shading, ShapeDescription},
    error::{DescriptionError, Fit, MeshError, at_most},
    files::{Beside, Files, find},
    fixed::{SPACE, UNIT},
    gltf,
    mesh::{Mesh, double_area, normalised},
    obj, shapes,
    warning::{Enlarge, MeshWarning, Warning},
};
use agora_compute::scene::{MAX_TRIANGLES, MAX_VERTICES, Scene, Triangle};

/// A normal's component of 1.
const NORMAL: f64 = 16384.0;
/// The part of its area that a mesh may lose without a word.
const LOSS: f64 = 0.01;
/// Where meshes are moved to, they reach as far as this, less than [`SPACE`], so that numbers can be rounded.
const REACH: f64 = 500.0;

/// Adds the mesh at `at` of the description to `scene`.
///
/// Errors: `Mesh`.
pub(crate) fn add(
    scene: &mut Scene,
    mesh: &MeshDescription,
    (at, material): (&str, u32),
    files: &dyn Files,
    warnings: &mut Vec<Warning>,
) -> Result<(), DescriptionError> {
    let name = || match &mesh.shape {
        ShapeDescription::File(path) => path.clone(),
        ShapeDescription::Icosphere(_) => "icosphere".to_owned(),
        ShapeDescription::TorusKnot { .. } => "torus knot".to_owned(),
    };
    let told = placed(scene, mesh, material, files).map_err(|source| DescriptionError::Mesh {
        at: at.to_owned(),
        name: name(),
        source,
    })?;
    warnings.extend(told.into_iter().map(|warning| Warning::Mesh {
        at: at.to_owned(),
        name: name(),
        warning,
    }));
    Ok(())
}

fn placed(
    scene: &mut Scene,
    description: &MeshDescription,
    material: u32,
    files: &dyn Files,
) -> Result<Vec<MeshWarning>, MeshError> {
    if description.scale == 0.0 {
        return Err(MeshError::Scale);
    }
    let mut mesh = load(&description.shape, files)?;
    match description.shading {
        Shading::AsGiven => {}
        Shading::Smooth => mesh.smooth(),
        Shading::Flat => mesh.flatten(),
    }
    mesh.drop_zero_normals();
    let counts = [
        ("vertices", scene.vertices.len() + mesh.vertices.len(), MAX_VERTICES),
        ("normals", scene.normals.len() + mesh.normals.len(), MAX_VERTICES),
        ("triangles", scene.triangles.len() + mesh.triangles.len(), MAX_TRIANGLES),
    ];
    for (what, count, most) in counts {
        at_most(what, count as u64, most.into())?;
    }
    move_vertices(&mut mesh, description)?;
    warn_of_loss(&mut mesh, description.scale)?;
    append(scene, &mesh, description, material);
    Ok(mesh.warnings)
}

/// Appends a mesh whose vertices are in their place and within the space.
fn append(scene: &mut Scene, mesh: &Mesh, description: &MeshDescription, material: u32) {
    let (first_vertex, first_normal) = (scene.vertices.len(), scene.normals.len());
    let rounded = mesh
        .vertices
        .iter()
        .map(|vertex| vertex.map(|c| (c * UNIT).round() as i32));
    scene.vertices.extend(rounded);
    // A mirror image, in which the corners of a triangle go round the other way.
    let mirrors = description.scale < 0.0;
    let sign = if mirrors { -NORMAL } else { NORMAL };
    let normals = mesh.normals.iter().map(|&normal| {
        // Between −2¹⁴ and 2¹⁴, and not all zero.
        turn(normalised(normal), description.turn).map(|c| (c * sign).round() as i16)
    });
    scene.normals.extend(normals);
    // Below 2²¹, checked above.
    let moved = |[a, b, c]: [u32; 3], first: usize| {
        let places = if mirrors { [a, c, b] } else { [a, b, c] };
        places.map(|place| place + first as u32)
    };
    scene
        .triangles
        .extend(mesh.triangles.iter().map(|&(vertices, normals)| Triangle {
            vertices: moved(vertices, first_vertex),
            normals: normals.map(|normals| moved(normals, first_normal)),
            material,
        }));
}

/// Scales, turns and moves all vertices to their place.
///
/// Errors: `Space`.
fn move_vertices(mesh: &mut Mesh, description: &MeshDescription) -> Result<(), MeshError> {
    for vertex in &mut mesh.vertices {
        *vertex = turn(vertex.map(|c| c * description.scale), description.turn);
    }
    let place = |vertex: [f64; 3]| [0, 1, 2].map(|i| vertex[i] + description.position[i]);
    let reach = |vertices: &[[f64; 3]]| {
        let reaches = vertices.iter().flat_map(|&vertex| place(vertex)).map(f64::abs);
        // What is no number is beyond all others.
        reaches.fold(0.0f64, |most, c| if c > most || c.is_nan() { c } else { most })
    };
    let reach = reach(&mesh.vertices);
    if reach <= SPACE {
        mesh.vertices.iter_mut().for_each(|vertex| *vertex = place(*vertex));
        return Ok(());
    }
    let advice = fit(&mesh.vertices, description.scale);
    Err(MeshError::Space { reach, advice })
}

/// A scale and a position with which vertices, scaled by `scale` and turned, are in the space.
fn fit(vertices: &[[f64; 3]], scale: f64) -> Fit {
    let [mut low, mut high] = [[f64::INFINITY; 3], [f64::NEG_INFINITY; 3]];
    for vertex in vertices {
        for i in 0..3 {
            low[i] = low[i].min(vertex[i]);
            high[i] = high[i].max(vertex[i]);
        }
    }
    let half = (0..3).map(|i| high[i] / 2.0 - low[i] / 2.0).fold(0.0, f64::max);
    let factor = if half > REACH { REACH / half } else { 1.0 };
    let factor = if factor < 1.0 {
        rounded_down(factor * scale) / scale
    } else {
        factor
    };
    let thousandths = |c: f64| (c * 1000.0).round() / 1000.0 + 0.0;
    Fit {
        scale: scale * factor,
        position: [0, 1, 2].map(|i| thousandths(-factor * (low[i] / 2.0 + high[i] / 2.0))),
    }
}

/// A number with three digits that is not larger in amount.
fn rounded_down(number: f64) -> f64 {
    if number == 0.0 || !number.is_finite() {
        return number;
    }
    let digits = 2 - number.abs().log10().floor() as i32;
    // Written in decimal it has few digits; a product with a power of ten may have more.
    let rounded = (number * 10f64.powi(digits)).trunc();
    format!("{rounded}e{}", -digits).parse().unwrap_or(number)
}

/// Warns if rounding takes more than a hundredth of the area away, because small triangles vanish.
///
/// Errors: `NoArea`, `TooSmall`.
fn warn_of_loss(mesh: &mut Mesh, scale: f64) -> Result<(), MeshError> {
    let corners = |vertices: [u32; 3]| vertices.map(|place| mesh.vertices[place as usize]);
    let all: f64 = mesh
        .triangles
        .iter()
        .map(|&(vertices, _)| double_area(corners(vertices)))
        .sum();
    if all <= 0.0 {
        return Err(MeshError::NoArea);
    }
    let lost = |factor: f64| {
        let grid = UNIT * factor;
        let mut vanished = 0.0;
        let mut left = 0.0;
        for &(vertices, _) in &mesh.triangles {
            let corners = corners(vertices);
            let rounded = double_area(corners.map(|corner| corner.map(|c| (c * grid).round())));
            if rounded == 0.0 {
                vanished += double_area(corners);
            }
            left += rounded / (grid * grid);
        }
        (vanished.max(all - left) / all, left)
    };
    let (part, left) = lost(1.0);
    if left <= 0.0 {
        return Err(MeshError::TooSmall);
    }
    if part > LOSS {
        let furthest = mesh.vertices.iter().flatten().fold(0.0f64, |most, c| most.max(c.abs()));
        let factors = (1..=24).map(|power| f64::from(1u32 << power));
        let mut factors = factors.take_while(|factor| furthest * factor <= SPACE);
        let factor = factors.find(|&factor| lost(factor).0 <= LOSS);
        let percent = part * 100.0;
        let advice = Enlarge(factor.map(|factor| scale * factor));
        mesh.warnings.push(MeshWarning::AreaLost { percent, advice });
    }
    Ok(())
}

fn load(shape: &ShapeDescription, files: &dyn Files) -> Result<Mesh, MeshError> {
    match shape {
        ShapeDescription::File(path) => {
            let lower = path.to_lowercase();
            let is = |end: &str| lower.ends_with(end);
            if is(".obj") {
                obj::read(&find(files, path)?.0)
            } else if is(".gltf") || is(".glb") {
                let (content, found) = find(files, path)?;
                gltf::read(&content, &Beside::new(files, &found))
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
