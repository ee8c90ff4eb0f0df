//! Which scenes are usable.

use super::{
    entries::{Keyframe, Material, Node, Normal, Plane, Sphere, Triangle, Vertex},
    hierarchy::{CHECK_BYTES, Check},
    tables::{Header, MAX_ENTRY, Numbers, Table},
};
use crate::{
    Blobs, Fault, MAX_SCAN_BYTES, Output, Reader, Source, Step, Unit,
    counts::{product, sum, touched},
    part, parts,
};
use agora_jobs::RenderingJob;
use alloc::vec::Vec;
use core::ops::Range;

/// Units that scan the scene.
pub const fn scans(job: &RenderingJob) -> u64 {
    parts(job.scene.size, MAX_SCAN_BYTES)
}

/// Unit `unit` of the scan. `None`: there is none.
pub fn unit(job: &RenderingJob, unit: u64) -> Option<Unit> {
    (unit < scans(job)).then_some(Unit {
        output: Output::Kept { size: CHECK_BYTES },
        // Each number is read, and compared a few times.
        work: product([MAX_SCAN_BYTES, 4]),
        // The header, the keyframe before the first, the last entry's end, and what the unit before kept.
        chunks: sum([touched(MAX_SCAN_BYTES), 6]),
    })
}

/// Checks the entries that begin in the `unit`th MiB of the scene. What is kept is the check of the hierarchy under way.
///
/// Errors: `Unusable`, `Missing`.
pub fn scan(job: &RenderingJob, blobs: &dyn Blobs, unit: u64) -> Result<Vec<u8>, Fault> {
    let (start, size) = part(job.scene.size, MAX_SCAN_BYTES, unit).ok_or(Fault::NoUnit)?;
    let mut scene = Reader::new(blobs, Source::Input(job.scene));
    let header = Header::read(&mut scene, job.scene.size)?;
    let hierarchy = match unit.checked_sub(1) {
        None => Check::new(&header),
        Some(before) => {
            let mut kept = Reader::new(blobs, Source::Kept(Step::Inputs, before));
            Check::from_bytes(&header, &kept.read_vec(0, CHECK_BYTES as usize)?)
        }
    };
    let mut scan = Scan {
        header,
        scene,
        hierarchy,
        frame: None,
    };
    for table in Table::ALL {
        scan.table(table, &(start..sum([start, size])))?;
    }
    Ok(scan.hierarchy.bytes())
}

struct Scan<'a> {
    header: Header,
    scene: Reader<'a>,
    hierarchy: Check,
    /// The frame of the keyframe before.
    frame: Option<u32>,
}

impl Scan<'_> {
    /// Checks the entries of `table` that begin within `block`.
    fn table(&mut self, table: Table, block: &Range<u64>) -> Result<(), Fault> {
        let entries = self.header.beginning_in(table, block);
        if table == Table::Keyframes && !entries.is_empty() {
            self.frame = self.frame_before(entries.start)?;
        }
        let mut entry = [0; MAX_ENTRY];
        for index in entries {
            let at = self.header.place(table, index);
            let bytes = entry.get_mut(..table.entry() as usize).unwrap_or_default();
            self.scene.read(at, bytes)?;
            if let Some(reason) = self.fault(table, index, bytes) {
                return Err(Fault::Unusable { reason, at });
            }
        }
        Ok(())
    }

    /// The frame of the keyframe before keyframe `index`.
    fn frame_before(&mut self, index: u64) -> Result<Option<u32>, Fault> {
        let Some(before) = index.checked_sub(1) else {
            return Ok(None);
        };
        let mut frame = [0; 4];
        self.scene
            .read(self.header.place(Table::Keyframes, before), &mut frame)?;
        Ok(Some(u32::from_le_bytes(frame)))
    }

    /// Why the scene is unusable, with this for entry `index` of `table`.
    fn fault(&mut self, table: Table, index: u64, bytes: &[u8]) -> Option<&'static str> {
        let numbers = Numbers(bytes);
        let count = |table| self.header.count(table);
        let materials = count(Table::Materials);
        match table {
            Table::Materials => Material::read(numbers).fault(),
            Table::Nodes => self.hierarchy.node(index, &Node::read(numbers)),
            Table::Spheres => Sphere::read(numbers).fault(materials),
            Table::Planes => Plane::read(numbers).fault(materials),
            Table::Vertices => Vertex::read(numbers).fault(),
            Table::Normals => Normal::read(numbers).fault(),
            Table::Triangles => Triangle::read(numbers).fault(count(Table::Vertices), count(Table::Normals), materials),
            Table::Keyframes => {
                let keyframe = Keyframe::read(numbers);
                let before = self.frame.replace(keyframe.frame);
                keyframe.fault(before)
            }
        }
    }
}
