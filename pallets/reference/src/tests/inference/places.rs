//! Where items are found in a long input.

use super::made::shape_of;
use crate::{Blobs, Reference, Source, Step};
use agora_jobs::{BlobRef, InferenceJob, InferenceNetwork, JobKind, JobSpec, blob::CHUNK_BYTES};
use std::collections::BTreeMap;

/// The items, and the outputs of their scan. There is no package.
struct Scanned {
    input: Vec<u8>,
    kept: BTreeMap<u64, Vec<u8>>,
}

impl Blobs for Scanned {
    fn chunk(&self, source: &Source, index: u64, chunk: &mut [u8; CHUNK_BYTES]) -> Option<usize> {
        let content = match source {
            Source::Input(_) => &self.input,
            Source::Kept(Step::Inputs, unit) => self.kept.get(unit)?,
            _ => return None,
        };
        let bytes = content.get(index as usize * CHUNK_BYTES..)?;
        let bytes = &bytes[..bytes.len().min(CHUNK_BYTES)];
        chunk[..bytes.len()].copy_from_slice(bytes);
        Some(bytes.len())
    }
}

/// Scans `items`, and checks that each of those at `places` is found.
fn find(items: &[Vec<u16>], places: &[usize]) {
    let mut input = (items.len() as u32).to_le_bytes().to_vec();
    for item in items {
        input.extend((item.len() as u16).to_le_bytes());
        input.extend(item.iter().flat_map(|token| token.to_le_bytes()));
    }
    let shape = shape_of([65_536, 512, 4, 1, 1, 1, 4, 4, 0]);
    let model = BlobRef {
        size: shape.package_bytes(),
        ..BlobRef::to(b"a package")
    };
    let job = InferenceJob {
        model,
        input: BlobRef::to(&input),
        network: InferenceNetwork::Embedding { shape, tokens: 512 },
        items: items.len() as u32,
    };
    assert_eq!(JobSpec::V2(JobKind::Inference(job)).validate(), Ok(()));
    let package = shape.package_bytes().div_ceil(1 << 20);
    let units = job.units(Step::Inputs);
    assert_eq!(units, package + (input.len() as u64).div_ceil(1 << 20));
    let mut scanned = Scanned {
        input,
        kept: BTreeMap::new(),
    };
    for unit in package..units {
        let kept = job.compute(&scanned, Step::Inputs, unit).unwrap();
        scanned.kept.insert(unit, kept);
    }
    for &place in places {
        let kept = job.compute(&scanned, Step::State(place as u64), 0).unwrap();
        assert_eq!(kept.len(), 2 + 2 * 512);
        let item = &items[place];
        let numbers: Vec<u16> = kept
            .as_chunks()
            .0
            .iter()
            .map(|&number| u16::from_le_bytes(number))
            .collect();
        assert_eq!(numbers[0] as usize, item.len(), "item {place}");
        assert_eq!(&numbers[1..=item.len()], item, "item {place}");
        assert!(numbers[1 + item.len()..].iter().all(|&number| number == 0));
    }
}

#[test]
fn short_items_are_found_in_every_part_of_a_long_input() {
    let items: Vec<Vec<u16>> = (0..600_000u32).map(|i| vec![(i % 65_521) as u16]).collect();
    let places = (0..items.len())
        .step_by(997)
        .chain([1022, 1023, 1024, 262_142, 262_143, 262_144, 599_999]);
    find(&items, &places.collect::<Vec<_>>());
}

#[test]
fn items_across_the_ends_of_pieces_are_found() {
    // 3 · 342 + 2 bytes each: one item of three spans two pieces of 1 MiB, or begins in the last byte of one.
    let items: Vec<Vec<u16>> = (0..3300u32)
        .map(|i| (0..1 + i * i % 512).map(|j| (i + j) as u16).collect())
        .collect();
    find(&items, &(0..items.len()).collect::<Vec<_>>());
    for shift in 0..4u16 {
        let first = vec![7; 1 + usize::from(shift)];
        let items: Vec<Vec<u16>> = core::iter::once(first)
            .chain((0..1100u16).map(|i| vec![i; 511]))
            .collect();
        find(&items, &(0..items.len()).collect::<Vec<_>>());
    }
}

#[test]
fn long_items_span_whole_strides_without_being_lost() {
    let items: Vec<Vec<u16>> = (0..2000u16).map(|i| vec![i; 512]).collect();
    find(&items, &(0..items.len()).collect::<Vec<_>>());
}
