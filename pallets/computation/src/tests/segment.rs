//! The segment that `execute` is measured with.

use agora_disputes::{Execution, Pinned, Segments};
use agora_machine::{Chunks, MEMORY_BASE, Program, SEGMENT_GAS, SEGMENT_PAGES, State, show_segment};
use agora_primitives::job::{BlobRef, ChunkProof};
use codec::{Decode, Encode};

/// No blobs: the program reads none.
struct Nothing;

impl Chunks for Nothing {
    fn chunk(&self, _: &BlobRef, _: u64, _: &mut [u8; 1024]) -> Option<()> {
        None
    }
    fn prove(&self, _: &BlobRef, _: u64) -> Option<ChunkProof> {
        None
    }
}

/// Pages of the memory that are touched in turn, as far from one another as they can be: with the image's they are one less than end a
/// segment.
const PAGES: u32 = 22;

/// Writes a whole output, 1024 chunks, and then adds to a word of each of [`PAGES`] pages in turn, for ever.
///
/// Programs are anybody's: this is the worst that we know of. An atomic instruction touches its page twice, and each finds another page than the
/// one before; a write hashes a chunk.
fn image() -> Vec<u8> {
    let i = |opcode: u32, funct3: u32, rd: u32, rs1: u32, value: u32| {
        (value & 0xFFF) << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode
    };
    let add = |rd: u32, rs1: u32, value: u32| i(0x13, 0, rd, rs1, value);
    let shift = |rd: u32, by: u32| i(0x13, 1, rd, rd, by);
    // x8 is the beginning of the memory; x7 how far apart the pages are: 11 MiB.
    let mut words = vec![
        add(8, 0, (MEMORY_BASE >> 28) as u32),
        shift(8, 28),
        add(7, 0, 11),
        shift(7, 20),
    ];
    // The calls have a0, a1 and a7; x5 counts rounds of 16 writes.
    words.extend([add(10, 8, 0), add(11, 0, 1024), add(17, 0, 2), add(5, 0, 64)]);
    words.extend([0x73; 16]);
    words.push(add(5, 5, 0xFFF));
    // bne x5, x0, -17 instructions.
    let offset = (-17i32 * 4) as u32;
    words.push(
        (offset >> 12 & 1) << 31
            | (offset >> 5 & 63) << 25
            | 5 << 15
            | 1 << 12
            | (offset >> 1 & 15) << 8
            | (offset >> 11 & 1) << 7
            | 0x63,
    );
    let places: Vec<u32> = (9..32).take(PAGES as usize).collect();
    // The first is the page that is written; each of the others is x7 after the one before.
    words.push(add(9, 8, 0));
    words.extend(
        places
            .windows(2)
            .map(|pair| 7 << 20 | pair[0] << 15 | pair[1] << 7 | 0x33),
    );
    let turn = places.iter().map(|place| 7 << 20 | place << 15 | 3 << 12 | 0x2F);
    words.extend(turn);
    // jal back over the turn.
    let offset = -(PAGES as i32) * 4;
    let offset = offset as u32;
    words.push(
        (offset >> 20 & 1) << 31
            | (offset >> 1 & 1023) << 21
            | (offset >> 11 & 1) << 20
            | (offset >> 12 & 255) << 12
            | 0x6F,
    );
    words.iter().flat_map(|word: &u32| word.to_le_bytes()).collect()
}

/// Some unit: the image is that of the chain.
fn unit() -> Execution {
    Execution::Unit(agora_reference::UnitRun {
        job: BlobRef::to(&[]),
        states: BlobRef::to(&[]),
        scans: BlobRef::to(&[]),
        kept: BlobRef::to(&[]),
        step: agora_reference::Step::Inputs,
        unit: 0,
    })
}

fn made() -> Vec<u8> {
    let image = image();
    let program = Program {
        image: &image,
        input: BlobRef::to(&[]),
        gas: 10 * u64::from(SEGMENT_GAS),
        reads: None,
    };
    let (state, witness) = show_segment(&program, &Nothing, 0).unwrap();
    let pinned = Pinned {
        image: BlobRef::to(&image),
        gas: program.gas,
    };
    (pinned, state.encode(), witness.encode()).encode()
}

#[test]
fn it_is_as_long_as_a_segment_can_be() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/benchmarking/segment.bin");
    if std::env::var_os("AGORA_BLESS").is_some() {
        std::fs::write(path, made()).unwrap();
    }
    let kept = std::fs::read(path).unwrap();
    assert!(
        kept == made(),
        "the segment for the benchmark is another now: AGORA_BLESS=1 writes it"
    );
    let (pinned, state, witness): (Pinned, Vec<u8>, Vec<u8>) = Decode::decode(&mut &kept[..]).unwrap();
    let before = State::decode(&mut &state[..]).unwrap();
    // All of its gas is used: it did not end by the pages that it touched.
    let decoded = agora_machine::Witness::decode(&mut &witness[..]).unwrap();
    let after = agora_machine::execute_segment(&pinned.image, None, &before, &decoded).unwrap();
    assert_eq!(before.gas - after.gas, u64::from(SEGMENT_GAS));
    assert_eq!(decoded.pages.len() + decoded.image.len(), SEGMENT_PAGES as usize - 1);
    assert_eq!(after.output.size(), agora_machine::MAX_OUTPUT_BYTES);
    assert_eq!(
        pinned.next(&unit(), &state, &witness),
        Some((before.hash(), after.hash()))
    );
}
