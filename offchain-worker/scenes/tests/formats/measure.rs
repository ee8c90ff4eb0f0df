//! Measures of meshes.

use agora_compute::scene::Scene;
use agora_scenes::Mesh;

pub type Vector = [f64; 3];

/// What a mesh is compared by.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Measure {
    pub triangles: usize,
    pub area: f64,
    /// Of a closed mesh, positive if its faces look outside.
    pub volume: f64,
}

pub fn minus(a: Vector, b: Vector) -> Vector {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

pub fn dot(a: Vector, b: Vector) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

pub fn cross(a: Vector, b: Vector) -> Vector {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

/// The measures of polygons: areas by Newell's formula, volume by signed tetrahedra.
pub fn of_polygons(polygons: impl Iterator<Item = Vec<Vector>>) -> Measure {
    let (mut area, mut volume, mut triangles) = (0.0, 0.0, 0);
    for polygon in polygons {
        let mut normal = [0.0; 3];
        for (i, &corner) in polygon.iter().enumerate() {
            let next = polygon[(i + 1) % polygon.len()];
            let part = cross(corner, next);
            normal = [0, 1, 2].map(|c| normal[c] + part[c]);
        }
        area += dot(normal, normal).sqrt() / 2.0;
        volume += dot(normal, polygon[0]) / 6.0;
        triangles += polygon.len() - 2;
    }
    Measure {
        triangles,
        area,
        volume,
    }
}

pub fn of_mesh(mesh: &Mesh) -> Measure {
    of_polygons(
        mesh.triangles
            .iter()
            .map(|(places, _)| places.map(|place| mesh.vertices[place as usize]).to_vec()),
    )
}

pub fn of_scene(scene: &Scene) -> Measure {
    let vertex = |place: u32| scene.vertices[place as usize].map(|c| f64::from(c) / 65536.0);
    of_polygons(
        scene
            .triangles
            .iter()
            .map(|triangle| triangle.vertices.map(vertex).to_vec()),
    )
}

/// The amount by which a triangle's normals, if it has some, look to the side of its face: the least cosine.
pub fn agreement(mesh: &Mesh) -> f64 {
    let mut least = 1.0f64;
    for (places, normals) in &mesh.triangles {
        let [a, b, c] = places.map(|place| mesh.vertices[place as usize]);
        let face = cross(minus(b, a), minus(c, a));
        for normal in normals.iter().flatten().map(|&place| mesh.normals[place as usize]) {
            least = least.min(dot(face, normal) / (dot(face, face) * dot(normal, normal)).sqrt());
        }
    }
    least
}

#[track_caller]
pub fn assert_near(found: Measure, expected: Measure) {
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-4 * b.abs().max(1e-3);
    assert!(
        found.triangles == expected.triangles && near(found.area, expected.area) && near(found.volume, expected.volume),
        "found {found:?}, expected {expected:?}"
    );
}

#[track_caller]
pub fn assert_measure(mesh: &Mesh, triangles: usize, area: f64, volume: f64) {
    let expected = Measure {
        triangles,
        area,
        volume,
    };
    assert_near(of_mesh(mesh), expected);
}
