//! Meshes from glTF 2.0 files, text or binary: the geometry of the default scene's triangles. Materials, cameras and
//! animations are ignored.
//!
//! The crate `gltf` reads the text; references and binary chunks are followed here, because its own validation panics
//! on references to what does not exist (1.4.1).

use crate::{
    error::{MeshError, at_most},
    files::{Files, check_length},
    mesh::{Mesh, cross},
};
use agora_compute::scene::{MAX_TRIANGLES, MAX_VERTICES};
use base64::{Engine, engine::general_purpose::STANDARD};
use gltf::{
    Semantic,
    json::{
        Accessor, Index, Node, Root,
        accessor::{ComponentType, GenericComponentType, Type},
        mesh::{Mode, Primitive},
        validation::Checked,
    },
};
use std::ops::Range;

/// The most nodes and buffers of a file.
const MAX_PARTS: u64 = 1 << 16;
/// The most nodes on the way from the root of a scene to a node.
const MAX_DEPTH: usize = 64;
/// Before base 64 in a URI.
const BASE64: &str = ";base64,";
const MISSING: MeshError = MeshError::Missing;

/// Reads the default scene of a glTF file, or else the first one, as one mesh; buffers in other files are asked of
/// `files`.
///
/// Errors: those of `files`, `TooLong`, `Gltf`, `Missing`, `Unsupported`, `Truncated`, `TooMany`, `NotFinite`, `Index`,
/// `Nodes`, `Base64`.
pub fn read(bytes: &[u8], files: &dyn Files) -> Result<Mesh, MeshError> {
    check_length(bytes.len())?;
    let (text, binary) = if bytes.starts_with(b"glTF") {
        chunks(bytes)?
    } else {
        (bytes, None)
    };
    let root: Root = gltf::json::deserialize::from_slice(text)?;
    at_most("nodes", root.nodes.len() as u64, MAX_PARTS)?;
    at_most("buffers", root.buffers.len() as u64, MAX_PARTS)?;
    let mut total = 0;
    let mut buffers = Vec::new();
    for buffer in &root.buffers {
        let content = match &buffer.uri {
            None => binary.ok_or(MeshError::Truncated("the buffers"))?.to_vec(),
            Some(uri) => match uri.strip_prefix("data:").and_then(|data| data.split_once(BASE64)) {
                Some((_, text)) => STANDARD.decode(text)?,
                None => files.read(uri)?,
            },
        };
        // All buffers together are limited, because a file may be named often.
        total += content.len();
        check_length(total)?;
        buffers.push(content);
    }
    let mesh = Mesh::default();
    let mut reader = Reader {
        root: &root,
        buffers,
        mesh,
    };
    reader.add_scene()?;
    reader.mesh.validate()?;
    Ok(reader.mesh)
}

/// The text and the binary chunk of a binary file.
fn chunks(bytes: &[u8]) -> Result<(&[u8], Option<&[u8]>), MeshError> {
    const TRUNCATED: MeshError = MeshError::Truncated("the chunks");
    let chunk = |rest: &'_ [u8]| {
        let (header, rest) = rest.split_first_chunk::<8>()?;
        let [a, b, c, d, kind @ ..] = *header;
        let length = u32::from_le_bytes([a, b, c, d]) as usize;
        Some((kind, rest.get(..length)?.len()))
    };
    let rest = bytes.get(12..).ok_or(TRUNCATED)?;
    let (kind, length) = chunk(rest).ok_or(TRUNCATED)?;
    if kind != *b"JSON" {
        return Err(MeshError::Unsupported("a first chunk that is no text"));
    }
    let (text, rest) = rest[8..].split_at(length);
    let binary = chunk(rest).filter(|(kind, _)| kind == b"BIN\0");
    Ok((text, binary.map(|(_, length)| &rest[8..8 + length])))
}

/// Four columns.
type Matrix = [[f64; 4]; 4];

const IDENTITY: Matrix = [
    [1.0, 0.0, 0.0, 0.0],
    [0.0, 1.0, 0.0, 0.0],
    [0.0, 0.0, 1.0, 0.0],
    [0.0, 0.0, 0.0, 1.0],
];

fn multiplied(a: &Matrix, b: &Matrix) -> Matrix {
    b.map(|column| [0, 1, 2, 3].map(|row| (0..4).map(|i| a[i][row] * column[i]).sum()))
}

/// The transformation of a node into the space of its parent.
fn matrix_of(node: &Node) -> Matrix {
    if let Some(numbers) = &node.matrix {
        let (columns, _) = numbers.as_chunks::<4>();
        return [0, 1, 2, 3].map(|i| columns[i].map(f64::from));
    }
    let [x, y, z, w] = node
        .rotation
        .map_or([0.0, 0.0, 0.0, 1.0], |rotation| rotation.0.map(f64::from));
    let scale = node.scale.map_or([1.0; 3], |scale| scale.map(f64::from));
    let [tx, ty, tz] = node
        .translation
        .map_or([0.0; 3], |translation| translation.map(f64::from));
    let turned = [
        [
            1.0 - 2.0 * (y * y + z * z),
            2.0 * (x * y + z * w),
            2.0 * (x * z - y * w),
        ],
        [
            2.0 * (x * y - z * w),
            1.0 - 2.0 * (x * x + z * z),
            2.0 * (y * z + x * w),
        ],
        [
            2.0 * (x * z + y * w),
            2.0 * (y * z - x * w),
            1.0 - 2.0 * (x * x + y * y),
        ],
    ];
    let column = |i: usize| {
        let [x, y, z] = turned[i].map(|c| c * scale[i]);
        [x, y, z, 0.0]
    };
    [column(0), column(1), column(2), [tx, ty, tz, 1.0]]
}

/// How a node's geometry is moved into the scene.
struct Placement {
    /// The images of the axes.
    axes: [[f64; 3]; 3],
    /// The image of the origin.
    origin: [f64; 3],
    /// The matrix of cofactors of `axes`, which keeps normals perpendicular to their surface.
    cofactors: [[f64; 3]; 3],
}

impl Placement {
    fn new(matrix: &Matrix) -> Self {
        let [x, y, z, origin] = matrix.map(|[x, y, z, _]| [x, y, z]);
        Self {
            axes: [x, y, z],
            origin,
            cofactors: [cross(y, z), cross(z, x), cross(x, y)],
        }
    }

    fn vertex(&self, vertex: [f64; 3]) -> [f64; 3] {
        let moved = combined(&self.axes, vertex);
        [0, 1, 2].map(|c| moved[c] + self.origin[c])
    }

    fn normal(&self, normal: [f64; 3]) -> [f64; 3] {
        combined(&self.cofactors, normal)
    }

    /// Whether it makes a mirror image, in which the corners of a triangle go round the other way.
    fn mirrors(&self) -> bool {
        (0..3).map(|c| self.axes[0][c] * self.cofactors[0][c]).sum::<f64>() < 0.0
    }
}

/// The sum of `axes`, each times its part of `v`.
fn combined(axes: &[[f64; 3]; 3], v: [f64; 3]) -> [f64; 3] {
    [0, 1, 2].map(|c| (0..3).map(|i| axes[i][c] * v[i]).sum())
}

struct Reader<'a> {
    root: &'a Root,
    buffers: Vec<Vec<u8>>,
    mesh: Mesh,
}

/// What `index` names in `list`.
fn named<T>(list: &[T], index: Index<T>) -> Result<&T, MeshError> {
    list.get(index.value()).ok_or(MISSING)
}

fn size(number: u64) -> Result<usize, MeshError> {
    usize::try_from(number).map_err(|_| MeshError::Truncated("elements"))
}

impl Reader<'_> {
    /// Adds all nodes of the scene.
    fn add_scene(&mut self) -> Result<(), MeshError> {
        let root = self.root;
        let scene = match root.scene {
            Some(index) => Some(named(&root.scenes, index)?),
            None => root.scenes.first(),
        };
        let nodes = scene.map_or(&[][..], |scene| &scene.nodes);
        let mut waiting: Vec<_> = nodes.iter().map(|&node| (node, IDENTITY, 1)).collect();
        let mut seen = vec![false; root.nodes.len()];
        while let Some((index, outer, depth)) = waiting.pop() {
            let node = named(&root.nodes, index)?;
            if std::mem::replace(&mut seen[index.value()], true) || depth > MAX_DEPTH {
                return Err(MeshError::Nodes);
            }
            let matrix = multiplied(&outer, &matrix_of(node));
            if let Some(mesh) = node.mesh {
                let placement = Placement::new(&matrix);
                for primitive in &named(&root.meshes, mesh)?.primitives {
                    self.add(primitive, &placement)?;
                }
            }
            let children = node.children.iter().flatten();
            waiting.extend(children.map(|&child| (child, matrix, depth + 1)));
        }
        Ok(())
    }

    /// Adds the triangles of `primitive`, moved by `placement`.
    fn add(&mut self, primitive: &Primitive, placement: &Placement) -> Result<(), MeshError> {
        let root = self.root;
        if primitive.mode != Checked::Valid(Mode::Triangles) {
            return Err(MeshError::Unsupported("points, lines, strips or fans"));
        }
        let attribute = |semantic| {
            let index = primitive.attributes.get(&Checked::Valid(semantic));
            index.map(|&index| named(&root.accessors, index)).transpose()
        };
        let Some(positions) = attribute(Semantic::Positions)? else {
            return Ok(());
        };
        let (first_vertex, first_normal) = (self.mesh.vertices.len(), self.mesh.normals.len());
        at_most(
            "vertices",
            positions.count.0.saturating_add(first_vertex as u64),
            MAX_VERTICES.into(),
        )?;
        for vertex in self.vectors(positions)? {
            self.mesh.vertices.push(placement.vertex(vertex));
        }
        let vertices = first_vertex..self.mesh.vertices.len();
        let normals = attribute(Semantic::Normals)?.filter(|normals| normals.count.0 == positions.count.0);
        if let Some(normals) = normals {
            for normal in self.vectors(normals)? {
                self.mesh.normals.push(placement.normal(normal));
            }
        }
        let corners = match primitive.indices {
            Some(index) => self.indices(named(&root.accessors, index)?)?,
            None => (0..vertices.len() as u32).collect(),
        };
        self.add_faces(&corners, vertices, normals.map(|_| first_normal), placement)
    }

    /// Adds a triangle for every three of `corners`. These count from the first of `vertices`, and from `first_normal`
    /// among the normals.
    fn add_faces(
        &mut self,
        corners: &[u32],
        vertices: Range<usize>,
        first_normal: Option<usize>,
        placement: &Placement,
    ) -> Result<(), MeshError> {
        let (faces, _) = corners.as_chunks::<3>();
        at_most(
            "triangles",
            (self.mesh.triangles.len() + faces.len()) as u64,
            MAX_TRIANGLES.into(),
        )?;
        let mirrors = placement.mirrors();
        for &[a, b, c] in faces {
            let face = if mirrors { [a, c, b] } else { [a, b, c] };
            if face.iter().any(|&corner| corner as usize >= vertices.len()) {
                return Err(MeshError::Index(self.mesh.triangles.len()));
            }
            let from = |first: usize| face.map(|corner| corner + first as u32);
            self.mesh.triangles.push((from(vertices.start), first_normal.map(from)));
        }
        Ok(())
    }

    fn vectors(&self, accessor: &Accessor) -> Result<Vec<[f64; 3]>, MeshError> {
        let floats = matches!(
            accessor.component_type,
            Checked::Valid(GenericComponentType(ComponentType::F32))
        );
        if !floats || accessor.type_ != Checked::Valid(Type::Vec3) {
            return Err(MeshError::Unsupported("positions or normals that are not three floats"));
        }
        self.elements(accessor, |bytes: &[u8; 12]| {
            let (numbers, _) = bytes.as_chunks::<4>();
            [0, 1, 2].map(|i| f64::from(f32::from_le_bytes(numbers[i])))
        })
    }

    fn indices(&self, accessor: &Accessor) -> Result<Vec<u32>, MeshError> {
        const NO_NUMBERS: MeshError = MeshError::Unsupported("indices that are no unsigned numbers");
        at_most("triangles", accessor.count.0 / 3, MAX_TRIANGLES.into())?;
        let Checked::Valid(GenericComponentType(component)) = accessor.component_type else {
            return Err(NO_NUMBERS);
        };
        match component {
            _ if accessor.type_ != Checked::Valid(Type::Scalar) => Err(NO_NUMBERS),
            ComponentType::U8 => self.elements(accessor, |bytes: &[u8; 1]| bytes[0].into()),
            ComponentType::U16 => self.elements(accessor, |&bytes: &[u8; 2]| u16::from_le_bytes(bytes).into()),
            ComponentType::U32 => self.elements(accessor, |&bytes: &[u8; 4]| u32::from_le_bytes(bytes)),
            _ => Err(NO_NUMBERS),
        }
    }

    /// The elements of `accessor`, of `N` bytes each; the bounds are checked before anything is read.
    fn elements<const N: usize, T>(
        &self,
        accessor: &Accessor,
        read: impl Fn(&[u8; N]) -> T,
    ) -> Result<Vec<T>, MeshError> {
        const TRUNCATED: MeshError = MeshError::Truncated("elements");
        if accessor.sparse.is_some() {
            return Err(MeshError::Unsupported("sparse elements"));
        }
        let view = accessor
            .buffer_view
            .ok_or(MeshError::Unsupported("elements without data"))?;
        let view = named(&self.root.buffer_views, view)?;
        let buffer = self.buffers.get(view.buffer.value()).ok_or(MISSING)?;
        let start = size(view.byte_offset.map_or(0, |offset| offset.0))?;
        let end = start.checked_add(size(view.byte_length.0)?).ok_or(TRUNCATED)?;
        let data = buffer.get(start..end).ok_or(TRUNCATED)?;
        let data = data
            .get(size(accessor.byte_offset.map_or(0, |offset| offset.0))?..)
            .ok_or(TRUNCATED)?;
        let stride = view.byte_stride.map_or(N, |stride| stride.0).max(N);
        let count = size(accessor.count.0)?;
        // The last element may end before its stride does.
        let needed = match count.checked_sub(1) {
            Some(others) => others
                .checked_mul(stride)
                .and_then(|others| others.checked_add(N))
                .ok_or(TRUNCATED)?,
            None => 0,
        };
        if needed > data.len() {
            return Err(TRUNCATED);
        }
        let starts = (0..count).map(|i| &data[i * stride..]);
        Ok(starts.filter_map(|start| start.first_chunk()).map(read).collect())
    }
}
