//! A writer of glTF files in the dialects of exporters.

use crate::{
    document::{
        BESIDE, Document, FLOAT, Memory, SHORT, Storage, UNSIGNED_BYTE, UNSIGNED_INT, UNSIGNED_SHORT, floats, integers,
    },
    measure::Vector,
    solids::{Face, Solid},
};
use agora_scenes::{Mesh, MeshError, gltf};
use proptest::prelude::*;
use serde_json::{Value, json};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    Triangles,
    Strips,
    Fans,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Positions {
    Floats,
    /// Between other data.
    Strided,
    /// Some, or all, are elsewhere.
    Sparse,
    AllSparse,
    Quantised,
    /// Half of each vertex is in a morph target.
    Morphed,
}

/// One node of a chain: a size that is the same along all axes but for its sign, a turn around one axis, and a move.
#[derive(Clone, Debug)]
pub struct Link {
    pub size: f64,
    pub mirrored: Option<usize>,
    pub axis: usize,
    pub angle: f64,
    pub place: Vector,
    pub as_matrix: bool,
}

#[derive(Clone, Debug)]
pub struct Dialect {
    pub mode: Mode,
    pub positions: Positions,
    /// The kind of number of indices; `None`: there are none.
    pub indices: Option<u32>,
    pub storage: Storage,
    pub chain: Vec<Link>,
    pub instances: Option<Vec<Vector>>,
}

fn links() -> impl Strategy<Value = Link> {
    let place = prop::array::uniform3(-5.0f64..5.0);
    (
        0.5f64..2.0,
        prop::option::of(0usize..3),
        0usize..3,
        -3.0f64..3.0,
        place,
        any::<bool>(),
    )
        .prop_map(|(size, mirrored, axis, angle, place, as_matrix)| Link {
            size,
            mirrored,
            axis,
            angle,
            place,
            as_matrix,
        })
}

pub fn dialects() -> impl Strategy<Value = Dialect> {
    use Positions::{AllSparse, Floats, Morphed, Quantised, Sparse, Strided};
    (
        prop::sample::select(vec![Mode::Triangles, Mode::Strips, Mode::Fans]),
        prop::sample::select(vec![Floats, Strided, Sparse, AllSparse, Quantised, Morphed]),
        prop::sample::select(vec![
            None,
            Some(UNSIGNED_BYTE),
            Some(UNSIGNED_SHORT),
            Some(UNSIGNED_INT),
        ]),
        prop::sample::select(vec![Storage::DataUri, Storage::Binary, Storage::Beside]),
        prop::collection::vec(links(), 1..5),
        prop::option::of(prop::collection::vec(prop::array::uniform3(-5.0f64..5.0), 1..4)),
    )
        .prop_map(|(mode, positions, indices, storage, chain, instances)| Dialect {
            mode,
            positions,
            indices,
            storage,
            chain,
            instances,
        })
}

impl Link {
    fn scale(&self) -> Vector {
        [0, 1, 2].map(|axis| {
            if self.mirrored == Some(axis) {
                -self.size
            } else {
                self.size
            }
        })
    }

    /// Where a vertex is moved to.
    fn moved(&self, vertex: Vector) -> Vector {
        let scale = self.scale();
        let mut v = [0, 1, 2].map(|i| vertex[i] * scale[i]);
        let [next, last] = [(self.axis + 1) % 3, (self.axis + 2) % 3];
        let (sine, cosine) = self.angle.sin_cos();
        (v[next], v[last]) = (v[next] * cosine - v[last] * sine, v[next] * sine + v[last] * cosine);
        [0, 1, 2].map(|i| v[i] + self.place[i])
    }

    fn node(&self) -> Value {
        if self.as_matrix {
            let origin = self.moved([0.0; 3]);
            let mut columns = Vec::new();
            for axis in 0..3 {
                let mut unit = [0.0; 3];
                unit[axis] = 1.0;
                let image = self.moved(unit);
                columns.extend([0, 1, 2].map(|i| image[i] - origin[i]));
                columns.push(0.0);
            }
            columns.extend(origin);
            columns.push(1.0);
            return json!({ "matrix": columns });
        }
        let mut rotation = [0.0, 0.0, 0.0, (self.angle / 2.0).cos()];
        rotation[self.axis] = (self.angle / 2.0).sin();
        json!({ "translation": self.place, "rotation": rotation, "scale": self.scale() })
    }
}

impl Dialect {
    /// The solid as the file has it, before nodes move it: rounded if vertices are quantised.
    pub fn rounded(&self, solid: Solid) -> Solid {
        let solid = solid.with_convex_faces();
        match self.positions {
            Positions::Quantised => {
                // Rounded quads are not plane.
                let mut solid = solid.moved(|vertex| vertex.map(|c| (c * 600.0).round() / 32767.0));
                solid.faces = solid
                    .triangles()
                    .into_iter()
                    .map(|face| Face {
                        corners: face.to_vec(),
                        inside: None,
                    })
                    .collect();
                solid
            }
            _ => solid.moved(|vertex| vertex.map(|c| f64::from(c as f32))),
        }
    }

    /// What all copies of `solid` are in the scene.
    pub fn placed(&self, solid: &Solid) -> Vec<Solid> {
        let instances = self.instances.clone().unwrap_or_else(|| vec![[0.0; 3]]);
        let copy = |place: Vector| {
            solid.clone().moved(|vertex| {
                let vertex = [0, 1, 2].map(|i| vertex[i] + f64::from(place[i] as f32));
                self.chain.iter().rev().fold(vertex, |vertex, link| link.moved(vertex))
            })
        };
        instances.into_iter().map(copy).collect()
    }

    /// Whether the chain mirrors.
    pub fn mirrors(&self) -> bool {
        self.chain.iter().filter(|link| link.mirrored.is_some()).count() % 2 == 1
    }

    /// The corners of each primitive.
    fn primitives(&self, solid: &Solid) -> Vec<Vec<usize>> {
        match self.mode {
            Mode::Triangles => vec![solid.triangles().into_iter().flatten().collect()],
            Mode::Fans => solid.faces.iter().map(|face| face.corners.clone()).collect(),
            Mode::Strips => {
                let strip = |corners: &Vec<usize>| {
                    // 0, 1, last, 2, last but one …
                    let count = corners.len();
                    let place = |i: usize| {
                        if i % 2 == 1 {
                            i.div_ceil(2)
                        } else {
                            (count - i / 2) % count
                        }
                    };
                    (0..count).map(|i| corners[place(i)]).collect()
                };
                solid.faces.iter().map(|face| strip(&face.corners)).collect()
            }
        }
    }

    /// Adds the positions of vertices, and returns their accessor and a target.
    fn positions(&self, document: &mut Document, vertices: &[Vector]) -> (usize, Option<usize>) {
        let count = vertices.len();
        let all = || floats(vertices.iter().flatten().copied());
        match self.positions {
            Positions::Floats => (document.vectors(vertices), None),
            Positions::Morphed => {
                let half = |vertex: &Vector| vertex.map(|c| c / 2.0);
                let halves: Vec<_> = vertices.iter().map(half).collect();
                let accessor = document.vectors(&halves);
                (accessor, Some(document.vectors(&halves)))
            }
            Positions::Strided => {
                let bytes: Vec<u8> = all()
                    .chunks(12)
                    .flat_map(|vertex| [vertex, &[0xaa; 8]].concat())
                    .collect();
                let accessor = document.accessor(FLOAT, "VEC3", count, &bytes);
                let view = document.json["bufferViews"]
                    .as_array()
                    .map_or(0, |views| views.len() - 1);
                document.json["bufferViews"][view]["byteStride"] = 20.into();
                (accessor, None)
            }
            Positions::Quantised => {
                let numbers = |vertex: &Vector| vertex.map(|c| (c * 32767.0).round() as i64).into_iter().chain([7]);
                let accessor = document.accessor(
                    SHORT,
                    "VEC3",
                    count,
                    &integers(SHORT, vertices.iter().flat_map(numbers)),
                );
                let view = document.json["bufferViews"]
                    .as_array()
                    .map_or(0, |views| views.len() - 1);
                document.json["bufferViews"][view]["byteStride"] = 8.into();
                document.json["accessors"][accessor]["normalized"] = true.into();
                document.json["extensionsRequired"] = json!(["KHR_mesh_quantization"]);
                (accessor, None)
            }
            Positions::Sparse | Positions::AllSparse => {
                let is_elsewhere = |i: usize| self.positions == Positions::AllSparse || i.is_multiple_of(3);
                let accessor = if self.positions == Positions::AllSparse {
                    document.push(
                        "accessors",
                        json!({ "componentType": FLOAT, "count": count, "type": "VEC3" }),
                    )
                } else {
                    let base: Vec<_> = (0..count)
                        .map(|i| if is_elsewhere(i) { [77.0; 3] } else { vertices[i] })
                        .collect();
                    document.vectors(&base)
                };
                let places: Vec<usize> = (0..count).filter(|&i| is_elsewhere(i)).collect();
                let indices = document.view(&integers(UNSIGNED_SHORT, places.iter().map(|&place| place as i64)));
                let values = document.view(&floats(places.iter().flat_map(|&place| vertices[place])));
                document.json["accessors"][accessor]["sparse"] = json!({
                    "count": places.len(),
                    "indices": { "bufferView": indices, "componentType": UNSIGNED_SHORT },
                    "values": { "bufferView": values },
                });
                (accessor, None)
            }
        }
    }

    /// What is read of a file with `solid`, which was rounded.
    pub fn read(&self, solid: &Solid) -> Result<Mesh, MeshError> {
        let mut document = Document::new();
        // Single bytes count to 256.
        let indices = self
            .indices
            .filter(|&component| component != UNSIGNED_BYTE || solid.vertices.len() <= 255);
        let shared = indices.map(|component| (component, self.positions(&mut document, &solid.vertices)));
        for corners in self.primitives(solid) {
            let mut primitive = json!({});
            let (positions, target) = match shared {
                Some((component, shared)) => {
                    primitive["indices"] = document.indices(component, &corners).into();
                    shared
                }
                None => {
                    let vertices: Vec<_> = corners.iter().map(|&place| solid.vertices[place]).collect();
                    self.positions(&mut document, &vertices)
                }
            };
            primitive["attributes"] = json!({ "POSITION": positions });
            if let Some(target) = target {
                primitive["targets"] = json!([{ "POSITION": target }]);
            }
            match self.mode {
                Mode::Triangles => {}
                Mode::Strips => primitive["mode"] = 5.into(),
                Mode::Fans => primitive["mode"] = 6.into(),
            }
            document.primitive(primitive);
        }
        if self.positions == Positions::Morphed {
            document.json["meshes"][0]["weights"] = json!([1.0]);
        }
        self.add_nodes(&mut document);
        let files = Memory::default().with(BESIDE, document.bytes.clone());
        gltf::read(&document.file(self.storage), &files)
    }

    fn add_nodes(&self, document: &mut Document) {
        let mut nodes: Vec<_> = self.chain.iter().map(Link::node).collect();
        let last = nodes.len() - 1;
        for (i, node) in nodes.iter_mut().enumerate().take(last) {
            node["children"] = json!([i + 1]);
        }
        nodes[last]["mesh"] = 0.into();
        if let Some(places) = &self.instances {
            let accessor = document.vectors(places);
            nodes[last]["extensions"]["EXT_mesh_gpu_instancing"]["attributes"]["TRANSLATION"] = accessor.into();
            document.json["extensionsUsed"] = json!(["EXT_mesh_gpu_instancing"]);
        }
        document.json["nodes"] = nodes.into();
    }
}
