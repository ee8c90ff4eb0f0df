//! A scene as paths use it. Small tables are held; nodes, triangles, vertices and normals are read when they are needed.
//!
//! Inputs are not judged here. An impossible header counts as that of an empty scene, an impossible number is changed,
//! and an entry that does not exist counts as the last one.

use super::{
    entries::{self, Keyframe, Node, Normal, Surface, Vertex},
    number::{Int, Vector, int, ints},
    shapes::{Plane, Sphere, Triangle},
    tables::{Header, MAX_ENTRY, Numbers, Table},
};
use crate::{
    Blobs, Fault, Reader, Source,
    counts::{product, sum, touched},
};
use agora_jobs::BlobRef;
use alloc::vec::Vec;

/// A material, and what follows from its index of refraction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Material {
    pub surface: Surface,
    pub pattern: u8,
    pub roughness: Int,
    pub colour: Vector,
    pub other_colour: Vector,
    pub index: Int,
    pub emission: Vector,
}

/// A scene of which nothing is judged.
pub struct Scene<'a> {
    pub header: Header,
    pub materials: Vec<Material>,
    pub spheres: Vec<Sphere>,
    pub planes: Vec<Plane>,
    keyframes: Vec<Keyframe>,
    nodes: Reader<'a>,
    triangles: Reader<'a>,
    vertices: Reader<'a>,
    normals: Reader<'a>,
}

/// Chunks that [`Scene::open`] reads at most.
pub fn held_chunks() -> u64 {
    let tables = [Table::Materials, Table::Spheres, Table::Planes, Table::Keyframes];
    let chunks = tables.map(|table| touched(product([table.most(), table.entry()])));
    sum([1, sum(chunks)])
}

impl<'a> Scene<'a> {
    /// Reads the header and the small tables.
    ///
    /// Errors: `Missing`.
    pub fn open(blobs: &'a dyn Blobs, scene: BlobRef) -> Result<Self, Fault> {
        let source = || Reader::new(blobs, Source::Input(scene));
        let mut reader = source();
        let header = read_header(&mut reader, scene)?;
        let materials = read_all(&header, &mut reader, Table::Materials, |numbers| {
            Material::of(entries::Material::read(numbers).possible())
        })?;
        let spheres = read_all(&header, &mut reader, Table::Spheres, |numbers| {
            Sphere::of(entries::Sphere::read(numbers).possible())
        })?;
        let planes = read_all(&header, &mut reader, Table::Planes, |numbers| {
            Plane::of(entries::Plane::read(numbers).possible())
        })?;
        let keyframes = read_all(&header, &mut reader, Table::Keyframes, |numbers| {
            Keyframe::read(numbers).possible()
        })?;
        Ok(Self {
            header,
            materials,
            spheres,
            planes,
            keyframes,
            nodes: source(),
            triangles: source(),
            vertices: source(),
            normals: source(),
        })
    }

    /// The last keyframe not after `frame`, and the next one.
    pub fn keyframes_around(&self, frame: u32) -> (Option<Keyframe>, Option<Keyframe>) {
        let all = &self.keyframes;
        let next = all.iter().position(|keyframe| keyframe.frame > frame);
        let (before, after) = all.split_at_checked(next.unwrap_or(all.len())).unwrap_or_default();
        (before.last().copied(), after.first().copied())
    }

    /// Material `number`.
    pub fn material(&self, number: u32) -> Option<Material> {
        let number = (number as usize).min(self.materials.len().saturating_sub(1));
        self.materials.get(number).copied()
    }

    /// The emissive spheres, each with its emission.
    pub fn lights(&self) -> Vec<(Sphere, Vector)> {
        let lights = self.spheres.iter().filter_map(|sphere| {
            let material = self.material(sphere.material)?;
            (material.surface == Surface::Emissive).then_some((*sphere, material.emission))
        });
        lights.collect()
    }

    /// Node `number`.
    ///
    /// Errors: `Missing`.
    pub fn node(&mut self, number: u64) -> Result<Node, Fault> {
        let node = read(&self.header, &mut self.nodes, Table::Nodes, number, Node::read)?;
        Ok(node.possible())
    }

    /// Triangle `number`.
    ///
    /// Errors: `Missing`.
    pub fn triangle(&mut self, number: u64) -> Result<Triangle, Fault> {
        let header = &self.header;
        let triangle = read(
            header,
            &mut self.triangles,
            Table::Triangles,
            number,
            entries::Triangle::read,
        )?;
        let mut vertex = |number: u32| {
            let vertex = read(header, &mut self.vertices, Table::Vertices, number.into(), Vertex::read)?;
            Ok::<_, Fault>(ints(vertex.possible().0))
        };
        let [a, b, c] = triangle.vertices;
        Ok(Triangle::of(
            [vertex(a)?, vertex(b)?, vertex(c)?],
            triangle.normals,
            triangle.material,
        ))
    }

    /// The normals of these numbers.
    ///
    /// Errors: `Missing`.
    pub fn normals(&mut self, numbers: [u32; 3]) -> Result<[Vector; 3], Fault> {
        let mut normal = |number: u32| {
            let normal = read(
                &self.header,
                &mut self.normals,
                Table::Normals,
                number.into(),
                Normal::read,
            )?;
            Ok(ints(normal.possible().0))
        };
        let [a, b, c] = numbers;
        Ok([normal(a)?, normal(b)?, normal(c)?])
    }
}

impl Material {
    fn of(material: entries::Material) -> Self {
        Self {
            surface: material.surface.unwrap_or(Surface::Diffuse),
            pattern: material.pattern,
            roughness: int(material.roughness),
            colour: ints(material.colour),
            other_colour: ints(material.other_colour),
            index: int(material.index),
            emission: ints(material.emission),
        }
    }
}

/// The header, or that of an empty scene.
///
/// Errors: `Missing`.
pub fn read_header(reader: &mut Reader<'_>, scene: BlobRef) -> Result<Header, Fault> {
    match Header::read(reader, scene.size) {
        Err(Fault::Unusable { .. }) => Ok(Header::empty()),
        header => header,
    }
}

/// Entry `number` of `table`, the last one if there is none, or zeros if the table is empty.
fn read<T>(
    header: &Header,
    reader: &mut Reader<'_>,
    table: Table,
    number: u64,
    read: impl FnOnce(Numbers<'_>) -> T,
) -> Result<T, Fault> {
    let Some(last) = header.count(table).checked_sub(1) else {
        return Ok(read(Numbers(&[])));
    };
    let mut entry = [0; MAX_ENTRY];
    let bytes = entry.get_mut(..table.entry() as usize).unwrap_or_default();
    reader.read(header.place(table, number.min(last)), bytes)?;
    Ok(read(Numbers(bytes)))
}

/// All entries of `table`.
fn read_all<T>(
    header: &Header,
    reader: &mut Reader<'_>,
    table: Table,
    entry: impl Fn(Numbers<'_>) -> T,
) -> Result<Vec<T>, Fault> {
    (0..header.count(table))
        .map(|number| read(header, reader, table, number, &entry))
        .collect()
}
