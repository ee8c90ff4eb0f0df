//! Scenes as bytes, specified in `docs/protocol/rendering.md`: all numbers little endian, one table after the other.

use super::*;

const MAGIC: [u8; 4] = *b"AGSC";
const VERSION: u32 = 2;
/// Magic, version, eight counts, sky, exposure, clamp, and zeros: with them, no material and no node crosses a multiple
/// of 1024 bytes, so that one chunk of the blob has all of it.
const HEADER: usize = 96;
const ZEROS: usize = 12;
/// The places of the normals of a flat triangle.
const FLAT: [u32; 3] = [u32::MAX; 3];

/// A table's name, the bytes of an entry, and how many entries are possible.
struct Table {
    what: &'static str,
    entry: u64,
    least: u32,
    most: u32,
}

/// The tables, in their order.
const TABLES: [Table; 8] = [
    Table {
        what: "materials",
        entry: 32,
        least: 1,
        most: MAX_MATERIALS,
    },
    Table {
        what: "nodes",
        entry: 32,
        least: 0,
        most: MAX_NODES,
    },
    Table {
        what: "spheres",
        entry: 20,
        least: 0,
        most: MAX_SPHERES,
    },
    Table {
        what: "planes",
        entry: 28,
        least: 0,
        most: MAX_PLANES,
    },
    Table {
        what: "vertices",
        entry: 12,
        least: 0,
        most: MAX_VERTICES,
    },
    Table {
        what: "normals",
        entry: 6,
        least: 0,
        most: MAX_VERTICES,
    },
    Table {
        what: "triangles",
        entry: 28,
        least: 0,
        most: MAX_TRIANGLES,
    },
    Table {
        what: "keyframes",
        entry: 40,
        least: 1,
        most: MAX_KEYFRAMES,
    },
];

/// Checks the number of entries of each table.
pub(super) fn check_counts(counts: &[u64; 8]) -> Result<(), SceneError> {
    for (&count, &Table { what, least, most, .. }) in counts.iter().zip(&TABLES) {
        if !(u64::from(least)..=u64::from(most)).contains(&count) {
            return Err(SceneError::Count {
                what,
                count,
                least,
                most,
            });
        }
    }
    Ok(())
}

/// The most triangles and spheres together, and the most nodes, that a scene of `bytes` can have.
pub fn most_shapes_and_nodes(bytes: u64) -> [u64; 2] {
    let most = TABLES.map(|table| (bytes / table.entry).min(table.most.into()));
    let [_, nodes, spheres, _, _, _, triangles, _] = most;
    [spheres + triangles, nodes]
}

/// The bytes of a scene with so many entries of each table.
pub(super) fn length_of(counts: &[u64; 8]) -> u64 {
    let tables = counts.iter().zip(&TABLES).map(|(count, table)| count * table.entry);
    HEADER as u64 + tables.sum::<u64>()
}

/// Reads numbers from the front of bytes whose length was checked before: beyond the end there are zeros.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        match self.0.split_first_chunk() {
            Some((bytes, rest)) => {
                self.0 = rest;
                *bytes
            }
            None => [0; N],
        }
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.bytes())
    }

    fn vector<T>(&mut self, read: impl Fn(&mut Self) -> T) -> [T; 3] {
        [read(self), read(self), read(self)]
    }

    fn position(&mut self) -> [i32; 3] {
        self.vector(|reader| i32::from_le_bytes(reader.bytes()))
    }

    fn radiance(&mut self) -> [u32; 3] {
        self.vector(Self::u32)
    }

    fn colour(&mut self) -> [u16; 3] {
        self.vector(|reader| u16::from_le_bytes(reader.bytes()))
    }

    /// `count` entries, each of which `read` reads.
    fn table<T>(&mut self, count: u64, read: impl Fn(&mut Self) -> T) -> Vec<T> {
        (0..count).map(|_| read(self)).collect()
    }

    fn material(&mut self) -> (u8, Material) {
        let [surface, pattern] = self.bytes();
        let material = Material {
            surface: match surface {
                1 => Surface::Metal,
                2 => Surface::Glass,
                3 => Surface::Emissive,
                4 => Surface::Coated,
                _ => Surface::Diffuse,
            },
            pattern,
            roughness: u16::from_le_bytes(self.bytes()),
            colour: self.colour(),
            other_colour: self.colour(),
            index: self.u32(),
            emission: self.radiance(),
        };
        (surface, material)
    }

    fn node(&mut self) -> Node {
        Node {
            low: self.position(),
            at: self.u32(),
            high: self.position(),
            count: u16::from_le_bytes(self.bytes()),
            axis: u16::from_le_bytes(self.bytes()),
        }
    }

    fn triangle(&mut self) -> Triangle {
        let vertices = self.radiance();
        let normals = self.radiance();
        Triangle {
            vertices,
            normals: (normals != FLAT).then_some(normals),
            material: self.u32(),
        }
    }

    fn keyframe(&mut self) -> Keyframe {
        Keyframe {
            frame: self.u32(),
            position: self.position(),
            target: self.position(),
            tangent: self.u32(),
            aperture: self.u32(),
            focus: self.u32(),
        }
    }
}

impl Scene {
    pub(super) fn counts(&self) -> [u64; 8] {
        [
            self.materials.len(),
            self.nodes.len(),
            self.spheres.len(),
            self.planes.len(),
            self.vertices.len(),
            self.normals.len(),
            self.triangles.len(),
            self.keyframes.len(),
        ]
        .map(|count| count as u64)
    }

    /// Reads a scene, and checks it.
    ///
    /// Errors: `Magic`, `Version`, `Length`, and those of [`Self::validate`]. Complexity: O(length). It allocates
    /// little more than `bytes` are long.
    pub fn decode(bytes: &[u8]) -> Result<Self, SceneError> {
        let mut reader = Reader(bytes);
        let length = |expected| SceneError::Length {
            expected,
            found: bytes.len() as u64,
        };
        if reader.bytes() != MAGIC {
            return Err(SceneError::Magic);
        }
        if bytes.len() < HEADER {
            return Err(length(HEADER as u64));
        }
        let version = reader.u32();
        if version != VERSION {
            return Err(SceneError::Version(version));
        }
        let counts = [(); 8].map(|()| u64::from(reader.u32()));
        check_counts(&counts)?;
        let expected = length_of(&counts);
        if expected != bytes.len() as u64 {
            return Err(length(expected));
        }
        let scene = reader.scene(counts)?;
        scene.validate()?;
        Ok(scene)
    }

    /// The scene as bytes: the same bytes for the same scene.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer(MAGIC.to_vec());
        out.words([VERSION]);
        // Valid counts are below 2³².
        out.words(self.counts().map(|count| count as u32));
        out.words(self.sky.zenith);
        out.words(self.sky.horizon);
        out.words(self.sky.ground);
        out.words([self.exposure, self.clamp]);
        out.0.extend([0; ZEROS]);
        self.materials.iter().for_each(|material| out.material(material));
        self.nodes.iter().for_each(|node| out.node(node));
        for sphere in &self.spheres {
            out.position(sphere.centre);
            out.words([sphere.radius, sphere.material]);
        }
        for plane in &self.planes {
            out.position(plane.point);
            out.position(plane.normal);
            out.words([plane.material]);
        }
        self.vertices.iter().for_each(|&vertex| out.position(vertex));
        for component in self.normals.iter().flatten() {
            out.0.extend(component.to_le_bytes());
        }
        for triangle in &self.triangles {
            out.words(triangle.vertices);
            out.words(triangle.normals.unwrap_or(FLAT));
            out.words([triangle.material]);
        }
        for keyframe in &self.keyframes {
            out.words([keyframe.frame]);
            out.position(keyframe.position);
            out.position(keyframe.target);
            out.words([keyframe.tangent, keyframe.aperture, keyframe.focus]);
        }
        out.0
    }
}

impl Reader<'_> {
    /// Everything after the counts.
    fn scene(&mut self, counts: [u64; 8]) -> Result<Scene, SceneError> {
        let [
            materials,
            nodes,
            spheres,
            planes,
            vertices,
            normals,
            triangles,
            keyframes,
        ] = counts;
        let sky = Sky {
            zenith: self.radiance(),
            horizon: self.radiance(),
            ground: self.radiance(),
        };
        let [exposure, clamp] = [self.u32(), self.u32()];
        if self.bytes() != [0; ZEROS] {
            return Err(refused("header", "its last 12 bytes are not 0"));
        }
        let materials = self.table(materials, Self::material);
        first_refused("material", &materials, |&(surface, _)| {
            (surface > Surface::Coated as u8).then_some("its kind is unknown")
        })?;
        Ok(Scene {
            sky,
            exposure,
            clamp,
            materials: materials.into_iter().map(|(_, material)| material).collect(),
            nodes: self.table(nodes, Self::node),
            spheres: self.table(spheres, |reader| Sphere {
                centre: reader.position(),
                radius: reader.u32(),
                material: reader.u32(),
            }),
            planes: self.table(planes, |reader| Plane {
                point: reader.position(),
                normal: reader.position(),
                material: reader.u32(),
            }),
            vertices: self.table(vertices, Self::position),
            normals: self.table(normals, |reader| {
                reader.vector(|reader| i16::from_le_bytes(reader.bytes()))
            }),
            triangles: self.table(triangles, Self::triangle),
            keyframes: self.table(keyframes, Self::keyframe),
        })
    }
}

/// Writes numbers.
struct Writer(Vec<u8>);

impl Writer {
    fn words<const N: usize>(&mut self, words: [u32; N]) {
        self.0.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    }

    fn position(&mut self, position: [i32; 3]) {
        self.0
            .extend(position.iter().flat_map(|coordinate| coordinate.to_le_bytes()));
    }

    fn node(&mut self, node: &Node) {
        self.position(node.low);
        self.words([node.at]);
        self.position(node.high);
        self.0
            .extend([node.count, node.axis].into_iter().flat_map(u16::to_le_bytes));
    }

    fn material(&mut self, material: &Material) {
        self.0.extend([material.surface as u8, material.pattern]);
        let [colour, other] = [material.colour, material.other_colour];
        let halves = [material.roughness].into_iter().chain(colour).chain(other);
        self.0.extend(halves.flat_map(u16::to_le_bytes));
        self.words([material.index]);
        self.words(material.emission);
    }
}
