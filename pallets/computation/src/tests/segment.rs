//! The segment that `execute` is measured with.

use agora_disputes::{Pinned, Segments};
use agora_machine::{Chunks, MEMORY_BASE, Program, SEGMENT_GAS, State, show_segment};
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

/// Stores to 16 pages in turn, for ever: a fifth of its instructions are stores, and each finds another page than the one before.
fn image() -> Vec<u8> {
    let i = |opcode: u32, funct3: u32, rd: u32, rs1: u32, value: u32| {
        value << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode
    };
    let r = |funct3: u32, rd: u32, rs1: u32, rs2: u32| rs2 << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | 0x33;
    let high = |rd: u32, value: u32| value << 12 | rd << 7 | 0x37;
    let words = [
        // x8 = the beginning of the memory, without the sign; x6 = 16 KiB less one; x10 = 1024.
        high(8, (MEMORY_BASE >> 12) as u32),
        i(0x13, 1, 8, 8, 32),
        i(0x13, 5, 8, 8, 32),
        high(6, 4),
        i(0x13, 0, 6, 6, 0xFFF),
        i(0x13, 0, 10, 0, 1024),
        // The loop: x9 = x8 + x5; store x5 there; x5 = (x5 + 1024) & x6.
        r(0, 9, 8, 5),
        5 << 20 | 9 << 15 | 3 << 12 | 0x23,
        r(0, 5, 5, 10),
        r(7, 5, 5, 6),
        // jal -16.
        0xFF1F_F06F,
    ];
    words.iter().flat_map(|word: &u32| word.to_le_bytes()).collect()
}

fn made() -> Vec<u8> {
    let image = image();
    let program = Program {
        image: &image,
        input: BlobRef::to(&[]),
        gas: 10 * u64::from(SEGMENT_GAS),
    };
    let (state, witness) = show_segment(&program, &Nothing, 1).unwrap();
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
    assert_eq!(before.gas, 9 * u64::from(SEGMENT_GAS));
    // All of its gas is used: it did not end by the pages that it touched.
    let decoded = agora_machine::Witness::decode(&mut &witness[..]).unwrap();
    let after = agora_machine::execute_segment(&pinned.image, &before, &decoded).unwrap();
    assert_eq!(before.gas - after.gas, u64::from(SEGMENT_GAS));
    assert_eq!(decoded.pages.len(), 16);
    assert_eq!(pinned.next(&state, &witness), Some((before.hash(), after.hash())));
}
