//! Closed solids with plane faces, which writers put into files.

use crate::measure::{Measure, Vector, of_polygons};
use proptest::prelude::*;
use std::f64::consts::TAU;

/// A face: its corners, and a point from which all of it is seen, if it is not convex.
#[derive(Clone, Debug)]
pub struct Face {
    pub corners: Vec<usize>,
    pub inside: Option<Vector>,
}

/// A solid whose faces go round counter-clockwise, as seen from outside.
#[derive(Clone, Debug)]
pub struct Solid {
    pub vertices: Vec<Vector>,
    pub faces: Vec<Face>,
}

impl Solid {
    fn new(vertices: Vec<Vector>, faces: impl IntoIterator<Item = Vec<usize>>) -> Self {
        let face = |corners| Face { corners, inside: None };
        let faces = faces.into_iter().map(face).collect();
        Self { vertices, faces }
    }

    pub fn cube() -> Self {
        let vertices = crate::document::CORNERS.to_vec();
        let faces = [
            [0, 2, 3, 1],
            [4, 5, 7, 6],
            [0, 1, 5, 4],
            [2, 6, 7, 3],
            [0, 4, 6, 2],
            [1, 3, 7, 5],
        ];
        Self::new(vertices, faces.map(Vec::from))
    }

    /// A ring with `rings` · `sides` plane quads.
    pub fn torus(rings: usize, sides: usize) -> Self {
        let vertex = |i: usize, j: usize| {
            let (u, v) = (TAU * i as f64 / rings as f64, TAU * j as f64 / sides as f64);
            let distance = 2.0 + 0.75 * v.cos();
            [distance * u.cos(), distance * u.sin(), 0.75 * v.sin()]
        };
        let all = (0..rings).flat_map(|i| (0..sides).map(move |j| (i, j)));
        let vertices = all.clone().map(|(i, j)| vertex(i, j)).collect();
        let place = |i: usize, j: usize| (i % rings) * sides + j % sides;
        let faces = all.map(|(i, j)| vec![place(i, j), place(i + 1, j), place(i + 1, j + 1), place(i, j + 1)]);
        Self::new(vertices, faces)
    }

    /// A prism over a star with these radii.
    pub fn prism(radii: &[f64], height: f64) -> Self {
        let count = radii.len();
        let at = |z: f64| {
            let corner = move |(i, radius): (usize, &f64)| {
                let angle = TAU * i as f64 / count as f64;
                [radius * angle.cos(), radius * angle.sin(), z]
            };
            radii.iter().enumerate().map(corner)
        };
        let vertices = at(0.0).chain(at(height)).collect();
        let mut solid = Self::new(
            vertices,
            (0..count).map(|i| vec![i, (i + 1) % count, count + (i + 1) % count, count + i]),
        );
        let lid = |corners, z| Face {
            corners,
            inside: Some([0.0, 0.0, z]),
        };
        solid.faces.push(lid((0..count).rev().collect(), 0.0));
        solid.faces.push(lid((count..2 * count).collect(), height));
        solid
    }

    /// The solid with each vertex moved.
    pub fn moved(mut self, to: impl Fn(Vector) -> Vector) -> Self {
        self.vertices.iter_mut().for_each(|vertex| *vertex = to(*vertex));
        let inside = self.faces.iter_mut().filter_map(|face| face.inside.as_mut());
        inside.for_each(|inside| *inside = to(*inside));
        self
    }

    pub fn measure(&self) -> Measure {
        of_polygons(
            self.faces
                .iter()
                .map(|face| face.corners.iter().map(|&place| self.vertices[place]).collect()),
        )
    }

    /// The solid with faces that are convex: others are cut into triangles around the point inside.
    pub fn with_convex_faces(mut self) -> Self {
        let faces = std::mem::take(&mut self.faces);
        for face in faces {
            let Some(inside) = face.inside else {
                self.faces.push(face);
                continue;
            };
            let middle = self.vertices.len();
            self.vertices.push(inside);
            for (i, &corner) in face.corners.iter().enumerate() {
                let corners = vec![corner, face.corners[(i + 1) % face.corners.len()], middle];
                self.faces.push(Face { corners, inside: None });
            }
        }
        self
    }

    /// The triangles of a solid with convex faces.
    pub fn triangles(&self) -> Vec<[usize; 3]> {
        let fan = |face: &Face| {
            (1..face.corners.len() - 1)
                .map(|i| [face.corners[0], face.corners[i], face.corners[i + 1]])
                .collect::<Vec<_>>()
        };
        self.faces.iter().flat_map(fan).collect()
    }
}

/// Any solid: a cube, a torus, or a prism over a star, stretched and slanted without turning it inside out.
pub fn solids() -> impl Strategy<Value = Solid> {
    let radii = prop::collection::vec(0.2f64..1.0, 4..40);
    let shapes = prop_oneof![
        Just(Solid::cube()),
        (3usize..12, 3usize..9).prop_map(|(rings, sides)| Solid::torus(rings, sides)),
        (radii, 0.5f64..2.0).prop_map(|(radii, height)| Solid::prism(&radii, height)),
    ];
    let change = (
        prop::array::uniform3(0.5f64..3.0),
        prop::array::uniform3(-0.5f64..0.5),
        prop::array::uniform3(-9.0f64..9.0),
    );
    (shapes, change).prop_map(|(solid, (size, slant, place))| {
        // Lower triangular, with a positive diagonal.
        solid.moved(|[x, y, z]| {
            [
                size[0] * x + place[0],
                size[1] * y + slant[0] * x + place[1],
                size[2] * z + slant[1] * x + slant[2] * y + place[2],
            ]
        })
    })
}
