//! Scenes for tests, as bytes, and jobs with them.

use crate::tests::world::Contents;
use agora_jobs::{BlobRef, Region, RenderingJob};

/// Numbers of a scene's tables, entry by entry, as bytes.
#[derive(Clone)]
pub struct Scene {
    pub header: Vec<u8>,
    /// In the order of the page.
    pub tables: [Vec<Vec<u8>>; 8],
}

pub const MATERIALS: usize = 0;
pub const NODES: usize = 1;
pub const SPHERES: usize = 2;
pub const PLANES: usize = 3;
pub const VERTICES: usize = 4;
pub const NORMALS: usize = 5;
pub const TRIANGLES: usize = 6;
pub const KEYFRAMES: usize = 7;

/// 1 in 16 fractional bits.
pub const UNIT: i32 = 1 << 16;

pub fn words(words: &[i32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// A material of surface `surface`, of half white, without emission.
pub fn material(surface: u8) -> Vec<u8> {
    let mut bytes = vec![surface, 0, 0, 0];
    bytes.extend([0x4000u16; 6].into_iter().flat_map(u16::to_le_bytes));
    bytes.extend(words(&[98_304, 0, 0, 0]));
    bytes
}

/// A node of the largest box.
pub fn node(at: u32, count: u16, axis: u16) -> Vec<u8> {
    let (low, high) = (-(1 << 27), 1 << 27);
    let tail = i32::from(count) | i32::from(axis) << 16;
    words(&[low, low, low, at.cast_signed(), high, high, high, tail])
}

pub fn sphere(centre: [i32; 3], radius: i32, material: i32) -> Vec<u8> {
    let [x, y, z] = centre;
    words(&[x, y, z, radius, material])
}

pub fn keyframe(frame: i32, position: [i32; 3], target: [i32; 3]) -> Vec<u8> {
    let ([x, y, z], [u, v, w]) = (position, target);
    words(&[frame, x, y, z, u, v, w, UNIT / 2, 0, 4 * UNIT])
}

/// Nodes whose halves are as even as can be, over `leaves` leaves of `size` shapes each.
pub fn halves(leaves: u32, size: u32) -> Vec<Vec<u8>> {
    fn add(nodes: &mut Vec<Vec<u8>>, first: u32, leaves: u32, size: u32) {
        if leaves == 1 {
            nodes.push(node(first * size, size as u16, 0));
            return;
        }
        let place = nodes.len();
        nodes.push(Vec::new());
        add(nodes, first, leaves / 2, size);
        nodes[place] = node(nodes.len() as u32, 0, (leaves % 3) as u16);
        add(nodes, first + leaves / 2, leaves - leaves / 2, size);
    }
    let mut nodes = Vec::new();
    add(&mut nodes, 0, leaves, size);
    nodes
}

impl Scene {
    /// A triangle with normals, a flat one, two spheres, of which one is a light, and a plane; each in a leaf.
    pub fn small() -> Self {
        let mut header = words(&[0x2000; 9]);
        header.extend(words(&[1 << 16, 1 << 18, 0, 0, 0]));
        let mut emissive = material(3);
        emissive[20..32].copy_from_slice(&words(&[UNIT; 3]));
        let flat = [0, 1, 3, -1, -1, -1, 1];
        Self {
            header,
            tables: [
                vec![material(0), material(1), emissive],
                // Three leaves: two triangles, a sphere, a sphere.
                vec![
                    node(2, 0, 1),
                    node(0, 2, 0),
                    node(4, 0, 0),
                    node(2, 1, 0),
                    node(3, 1, 0),
                ],
                vec![sphere([0, UNIT, 0], UNIT, 1), sphere([UNIT, 3 * UNIT, 0], UNIT / 2, 2)],
                vec![words(&[0, 0, 0, 0, 1, 0, 0])],
                [[-2, 0, -1], [2, 0, -1], [0, 3, -2], [1, 1, 2]]
                    .iter()
                    .map(|vertex| words(&vertex.map(|c: i32| c * UNIT)))
                    .collect(),
                [[0i16, 0, 1 << 14], [1, -1, 16384]]
                    .iter()
                    .map(|normal| normal.iter().flat_map(|c| c.to_le_bytes()).collect())
                    .collect(),
                vec![words(&[0, 1, 2, 0, 1, 0, 0]), words(&flat)],
                vec![
                    keyframe(0, [0, UNIT, 6 * UNIT], [0, UNIT, 0]),
                    keyframe(7, [0, 2 * UNIT, 6 * UNIT], [0, UNIT, 0]),
                ],
            ],
        }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = b"AGSC".to_vec();
        bytes.extend(words(&[2]));
        bytes.extend(self.tables.iter().flat_map(|table| (table.len() as u32).to_le_bytes()));
        bytes.extend(&self.header);
        assert_eq!(bytes.len(), 96);
        bytes.extend(self.tables.iter().flatten().flatten());
        bytes
    }

    /// Where entry `index` of table `table` is.
    pub fn place(&self, table: usize, index: usize) -> u64 {
        let before: usize = self.tables[..table].iter().flatten().map(Vec::len).sum();
        let inside: usize = self.tables[table][..index].iter().map(Vec::len).sum();
        (96 + before + inside) as u64
    }
}

/// A small job for `scene`.
pub fn job_of(scene: Vec<u8>) -> (RenderingJob, Contents) {
    let mut contents = Contents::default();
    let scene = contents.insert(scene);
    (job(scene), contents)
}

pub fn job(scene: BlobRef) -> RenderingJob {
    RenderingJob {
        scene,
        seed: [7; 32],
        width: 3,
        height: 2,
        region: Region {
            x: 0,
            y: 0,
            width: 3,
            height: 2,
        },
        first_frame: 0,
        frames: 1,
        samples: 2,
        max_bounces: 3,
        max_steps: 64,
    }
}
