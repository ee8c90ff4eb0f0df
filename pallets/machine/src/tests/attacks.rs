//! What somebody could try who writes programs, states or witnesses to harm others.

use super::{Blobs, assembler::*, program};
use crate::{
    IMAGE_BASE, MAX_GAS, MAX_IMAGE_BYTES, MAX_OUTPUT_BYTES, MAX_WITNESS_BYTES, MEMORY_BASE, Machine, PAGE_BYTES,
    Program, Refused, RunError, SEGMENT_CHUNKS, SEGMENT_GAS, SEGMENT_PAGES, State, Status, Trap, Witness,
    execute_segment, run_tree, show_segment, trace, tree,
};
use agora_jobs::{BlobRef, ChunkProof, blob::MAX_BLOB};
use codec::{Decode, DecodeAll, Encode};
use proptest::prelude::*;

/// Ends by itself, and by segments that can be shown. Returns the last state and how many segments there are.
fn run(program: &Program<'_>, blobs: &Blobs) -> (State, usize) {
    let run = trace(program, blobs).unwrap();
    let mut before = State::start(&program.input, program.gas);
    // The first, the last and some between.
    let shown = [0, 1, run.states.len() / 2, run.states.len() - 1];
    for number in shown.into_iter().filter(|number| *number < run.states.len()) {
        let (state, witness) = show_segment(program, blobs, number as u64).unwrap();
        if number > 0 {
            assert_eq!(state.hash(), run.states[number - 1]);
        }
        before = execute_segment(&BlobRef::to(program.image), None, &state, &witness).unwrap();
        assert_eq!(before.hash(), run.states[number]);
        assert!(state.encoded_size() + witness.encoded_size() <= MAX_WITNESS_BYTES);
    }
    assert_eq!(before, run.end);
    (run.end, run.states.len())
}

/// The most bytes that the proof of a chunk has, below as many levels.
const fn proof_bytes(levels: usize) -> usize {
    8 + 2 + PAGE_BYTES + 1 + 32 * levels
}

/// Whatever a program does, and whoever writes it.
#[test]
fn no_witness_can_be_too_large() {
    // With one instruction less a segment had not ended, and one touches four: two halves, a reference, and where its chunk goes.
    let pages = SEGMENT_PAGES as usize - 1 + 4;
    let of_image = proof_bytes((MAX_IMAGE_BYTES / 1024).ilog2() as usize);
    let of_memory = 4 + PAGE_BYTES + 32 * tree::DEPTH as usize;
    let of_chunk = proof_bytes((MAX_BLOB / 1024).ilog2() as usize);
    // Compact lengths of four lists.
    let witness = 4 * 4 + pages * of_image.max(of_memory) + SEGMENT_CHUNKS as usize * of_chunk;
    let subtrees = (MAX_OUTPUT_BYTES / 1024).ilog2() as usize + 1;
    let state = 2 + 8 + 8 + 31 * 8 + 9 + 32 + 8 + 32 + 1 + 32 * subtrees;
    assert!(witness + state <= MAX_WITNESS_BYTES, "{witness} + {state}");
}

/// Else what follows the last leaf would be in no root, and could be anything.
#[test]
fn a_run_tree_has_room_for_the_shortest_segments() {
    // The fewest instructions with which a segment can end that is not the last: by pages, of which one touches four at most;
    // or by chunks, between which another puts an address into a0 again.
    let fewest = u64::from(SEGMENT_PAGES.div_ceil(4).min(2 * SEGMENT_CHUNKS - 1));
    let leaves = (run_tree::ARITY as u64).pow(run_tree::DEPTH);
    assert!(MAX_GAS.div_ceil(fewest) <= leaves);

    let (image, blobs) = (image(halt(0)), Blobs::default());
    assert_eq!(run(&program(&image, MAX_GAS), &blobs).0.status, Status::Done);
    for gas in [MAX_GAS + 1, u64::MAX] {
        let program = program(&image, gas);
        assert_eq!(Machine::new(&program, &blobs).err(), Some(RunError::Gas));
        assert_eq!(trace(&program, &blobs).err(), Some(RunError::Gas));
        assert_eq!(show_segment(&program, &blobs, 0).err(), Some(RunError::Gas));
    }
}

#[test]
fn reads_of_blobs_that_there_cannot_be_trap() {
    for (size, expected) in [
        (MAX_BLOB, Status::Done),
        (MAX_BLOB + 1, Status::Trapped(Trap::BadCall)),
        (u64::MAX - 1, Status::Trapped(Trap::BadCall)),
        (u64::MAX, Status::Trapped(Trap::BadCall)),
    ] {
        for chunk in [1 << 26, u64::MAX / 1024, u64::MAX] {
            let words = [
                li(5, MEMORY_BASE),
                li(6, size),
                vec![sd(5, 6, 32)],
                read(MEMORY_BASE, chunk, 7),
                halt(0),
            ]
            .concat();
            let image = image(words);
            assert_eq!(
                run(&program(&image, 1000), &Blobs::default()).0.status,
                expected,
                "{size}: {chunk}"
            );
        }
    }
}

/// A read of a blob that nobody has stops whoever runs it; the chain takes no other bytes for it.
#[test]
fn a_blob_that_nobody_has_has_no_chunks() {
    let words = [
        li(5, MEMORY_BASE),
        li(6, 3000),
        vec![sd(5, 6, 32)],
        read(MEMORY_BASE, 2, MEMORY_BASE + 1024),
        halt(0),
    ]
    .concat();
    let image = image(words);
    let program = program(&image, 1000);
    let missing = Some(RunError::Missing {
        blob: BlobRef {
            size: 3000,
            ..BlobRef {
                hash: Default::default(),
                size: 0,
            }
        },
        chunk: 2,
    });
    let blobs = Blobs::default();
    let mut machine = Machine::new(&program, &blobs).unwrap();
    assert_eq!(machine.advance(u64::MAX).err(), missing);
    let before = machine.gas_used();
    assert_eq!(machine.advance(u64::MAX).err(), missing);
    assert_eq!(machine.gas_used(), before);
    assert_eq!(trace(&program, &Blobs::default()).err(), missing);
    assert_eq!(show_segment(&program, &Blobs::default(), 0).err(), missing);

    // The witness as it would be, with the chunk of another blob.
    let witness = Witness {
        image: vec![ChunkProof::new(&image, 0).unwrap()],
        pages: vec![(0, [0; PAGE_BYTES]), (1, [0; PAGE_BYTES])],
        siblings: tree::empty_nodes()[1..tree::DEPTH as usize].to_vec(),
        chunks: vec![ChunkProof::new(&[0; 3000], 2).unwrap()],
    };
    let start = State::start(&program.input, program.gas);
    assert_eq!(
        execute_segment(&BlobRef::to(&image), None, &start, &witness),
        Err(Refused::Unshown)
    );
}

#[test]
fn an_output_has_a_most() {
    let writes = |last: u64| {
        let mut words = [
            li(10, MEMORY_BASE),
            li(11, 1024),
            li(17, 2),
            li(6, MAX_OUTPUT_BYTES / 1024),
        ]
        .concat();
        words.extend([ECALL, addi(6, 6, -1), b(1, 6, 0, -8)]);
        words.extend([li(11, last), vec![ECALL], halt(0)].concat());
        image(words)
    };
    for (last, expected) in [
        (0, Trap::BadCall),
        (1, Trap::BadCall),
        (1024, Trap::BadCall),
        (u64::MAX, Trap::BadCall),
    ] {
        let (image, blobs) = (writes(last), Blobs::default());
        let program = program(&image, 1 << 20);
        let (end, _) = run(&program, &blobs);
        assert_eq!(end.status, Status::Trapped(expected));
        assert_eq!(end.output.size(), MAX_OUTPUT_BYTES);
        let mut machine = Machine::new(&program, &blobs).unwrap();
        machine.advance(u64::MAX).unwrap();
        assert_eq!(BlobRef::to(machine.output()), end.output.blob());
    }
}

/// Programs that are as expensive as they can be: they end with their gas, and their segments are bounded.
#[test]
fn hostile_programs_run_out_of_gas() {
    let gas = 20_000;
    // The lowest 28 bits of x5, and the base of the memory in x8.
    let into_memory = [i(0x13, 1, 5, 5, 36), i(0x13, 5, 5, 5, 36), r(0x33, 6, 0, 5, 5, 8)];
    let mut new_pages = [li(5, MEMORY_BASE), li(7, 1024 * 4099), li(8, MEMORY_BASE)].concat();
    new_pages.extend(
        [sd(5, 7, 0), add(5, 5, 7)]
            .into_iter()
            .chain(into_memory)
            .chain([jal(0, -5 * 4)]),
    );
    // Each reads no chunk of an empty blob.
    let mut calls = [li(8, MEMORY_BASE), li(17, 1)].concat();
    calls.extend([add(10, 8, 0), ECALL, jal(0, -8)]);
    let blobs = Blobs::default();
    for (name, image, segments) in [
        ("a loop of one", image([jal(0, 0)]), 1),
        ("a loop of one, of two bytes", 0xA001u16.to_le_bytes().to_vec(), 1),
        ("calls", image(calls), 1),
        // A page of code, and one with each six instructions.
        (
            "new pages",
            image(new_pages),
            gas as usize / 6 / (SEGMENT_PAGES as usize - 1),
        ),
    ] {
        let (end, found) = run(&program(&image, gas), &blobs);
        assert_eq!(end.status, Status::OutOfGas, "{name}");
        assert!((segments..=segments + 1).contains(&found), "{name}: {found}");
    }
}

/// Each read of a chunk is two instructions, and each second of them ends a segment.
#[test]
fn a_program_that_only_reads_has_short_segments() {
    let input = vec![5; 3000];
    let mut words = [
        li(5, MEMORY_BASE),
        (0..5).map(|at| sd(5, 10 + at, 8 * at as i32)).collect(),
    ]
    .concat();
    words.extend([li(11, 2), li(12, MEMORY_BASE + 1024), li(17, 1)].concat());
    words.extend([add(10, 5, 0), ECALL, add(10, 5, 0), ECALL, jal(0, -16)]);
    let image = image(words);
    let program = Program {
        image: &image,
        input: BlobRef::to(&input),
        gas: 5000,
        reads: None,
    };
    let (end, segments) = run(&program, &Blobs(vec![input]));
    assert_eq!(end.status, Status::OutOfGas);
    // Ten instructions for four reads.
    assert!((490..=510).contains(&segments), "{segments}");
    assert!(segments as u32 > 5000 / SEGMENT_GAS);
}

/// Of a witness that has everything: none of its bytes can be another, none can be missing, and none can follow.
#[test]
fn no_other_bytes_are_the_witness() {
    let input: Vec<u8> = (0..5000).map(|i| (i % 251) as u8).collect();
    let image = super::programs::copier();
    let program = Program {
        image: &image,
        input: BlobRef::to(&input),
        gas: 10_000,
        reads: None,
    };
    let blobs = Blobs(vec![input]);
    let image = BlobRef::to(&image);
    for number in 0..2 {
        let (state, witness) = show_segment(&program, &blobs, number).unwrap();
        assert!(execute_segment(&image, None, &state, &witness).is_ok());
        let bytes = witness.encode();
        let is_taken = |bytes: &[u8]| match Witness::decode_all(&mut &bytes[..]) {
            Ok(other) => execute_segment(&image, None, &state, &other).is_ok(),
            Err(_) => false,
        };
        for at in 0..bytes.len() {
            // Another bit each time, and each of all bits where lengths and numbers are.
            let bits = if at < 16 {
                0..8
            } else {
                at as u32 % 8..at as u32 % 8 + 1
            };
            for bit in bits {
                let mut wrong = bytes.clone();
                wrong[at] ^= 1 << bit;
                assert!(!is_taken(&wrong), "bit {bit} of byte {at} of {}", bytes.len());
            }
        }
        for length in (0..bytes.len()).step_by(97) {
            assert!(!is_taken(&bytes[..length]));
        }
        assert!(!is_taken(&[bytes.as_slice(), &[0]].concat()));
    }
}

/// A witness of another state of the same run, or of another run, is refused.
#[test]
fn a_witness_belongs_to_its_state() {
    let mut words = [li(5, MEMORY_BASE), li(6, 100)].concat();
    words.extend([sd(5, 6, 0), addi(5, 5, 1024), addi(6, 6, -1), b(1, 6, 0, -12)]);
    words.extend(halt(0));
    let image = image(words);
    let (program, blobs) = (program(&image, 10_000), Blobs::default());
    let segments: Vec<_> = (0..4)
        .map(|number| show_segment(&program, &blobs, number).unwrap())
        .collect();
    for (at, (state, _)) in segments.iter().enumerate() {
        for (other, (_, witness)) in segments.iter().enumerate() {
            let next = execute_segment(&BlobRef::to(&image), None, state, witness);
            assert_eq!(next.is_ok(), at == other, "{at} {other}: {next:?}");
        }
    }
    // A state of which a word was changed executes to something else, if at all; its hash is another one.
    for register in 0..31 {
        let (mut state, witness) = segments[1].clone();
        let hash = state.hash();
        state.registers[register] ^= 1 << 40;
        assert_ne!(state.hash(), hash);
        let honest = execute_segment(&BlobRef::to(&image), None, &segments[1].0, &witness).unwrap();
        assert_ne!(
            execute_segment(&BlobRef::to(&image), None, &state, &witness).ok(),
            Some(honest)
        );
    }
}

/// Program counters that no run has, in states that two who lie agree on.
fn wild_address() -> impl Strategy<Value = u64> {
    let near = |base: u64| (0..4096u64).prop_map(move |at| base.wrapping_add(at).wrapping_sub(2048));
    prop_oneof![
        any::<u64>(),
        near(IMAGE_BASE),
        near(MEMORY_BASE),
        near(MEMORY_BASE + (256 << 20)),
        near(0)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Two who lie can agree on any state: it may be nothing that a run leads to, and still nothing panics, and everything ends.
    #[test]
    fn wild_states_are_executed_or_refused(
        gas in prop_oneof![0..3u64, any::<u64>()], pc in wild_address(), registers in prop::collection::vec(wild_address(), 31),
        reservation in prop::option::of(wild_address()), size in prop_oneof![any::<u64>(), (0..1u64 << 54).prop_map(|x| x * 1024), 0..9000u64],
        subtrees in prop::collection::vec(any::<[u8; 32]>(), 0..70), words in prop::collection::vec(
            prop_oneof![any::<u32>(), Just(ECALL), Just(addi(17, 0, 2)), Just(addi(17, 0, 1)), Just(addi(11, 0, 1024))], 1..200),
        page: u8, number in 0..1024 - 64u64,
    ) {
        let image = image(words);
        // The output is put together as it is encoded: its fields are private.
        let mut bytes = State::start(&BlobRef::to(&[]), 1).encode();
        bytes.truncate(bytes.len() - (8 + 32 + 1));
        let subtrees: Vec<[u8; 32]> = subtrees;
        (size, [0u8; 32], subtrees).encode_to(&mut bytes);
        let mut state = State::decode(&mut bytes.as_slice()).unwrap();
        state.status = Status::Running;
        (state.gas, state.pc, state.reservation) = (gas, pc, reservation);
        state.registers.copy_from_slice(&registers);
        // Registers for calls that find something.
        state.registers[9] = MEMORY_BASE;
        state.registers[11] = MEMORY_BASE;
        if number % 2 == 0 {
            state.pc = IMAGE_BASE + number * 2;
        }
        let page = [page; PAGE_BYTES];
        let siblings = tree::empty_nodes()[..tree::DEPTH as usize].to_vec();
        state.memory = tree::root_of(&[(0, tree::page_hash(&page))], &siblings).unwrap();
        let chunks: Vec<ChunkProof> = (0..BlobRef::to(&image).chunks()).map(|at| ChunkProof::new(&image, at).unwrap()).collect();
        for shows_page in [false, true] {
            for first in 0..chunks.len() {
                let witness = Witness {
                    image: chunks[first..].to_vec(),
                    pages: if shows_page { vec![(0, page)] } else { Vec::new() },
                    siblings: if shows_page { siblings.clone() } else { Vec::new() },
                    chunks: Vec::new(),
                };
                if let Ok(next) = execute_segment(&BlobRef::to(&image), None, &state, &witness) {
                    prop_assert!(next.gas < gas || gas == 0);
                    let _ = (next.hash(), next.output.blob());
                }
            }
        }
    }

    /// Bytes that are no state and no witness.
    #[test]
    fn any_bytes_are_decoded_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..3000)) {
        let _ = State::decode_all(&mut bytes.as_slice());
        if let Ok(witness) = Witness::decode_all(&mut bytes.as_slice()) {
            let start = State::start(&BlobRef::to(&[]), 10);
            prop_assert!(execute_segment(&BlobRef::to(&[0; 4]), None, &start, &witness).is_err());
        }
    }
}

/// The words that read a chunk.
fn read(reference: u64, chunk: u64, page: u64) -> Vec<u32> {
    [li(10, reference), li(11, chunk), li(12, page), li(17, 1), vec![ECALL]].concat()
}

/// A true proof of another chunk than the one that is read.
#[test]
fn another_chunk_of_the_same_blob_is_not_the_one_that_is_read() {
    let input: Vec<u8> = (0..5000).map(|i| (i % 251) as u8).collect();
    let image = super::programs::copier();
    let program = Program {
        image: &image,
        input: BlobRef::to(&input),
        gas: 10_000,
        reads: None,
    };
    let blobs = Blobs(vec![input.clone()]);
    let (state, witness) = show_segment(&program, &blobs, 0).unwrap();
    let image = BlobRef::to(&image);
    assert_eq!(witness.chunks.len(), 4);
    for read in 0..4 {
        for other in (0..5).filter(|other| *other != read) {
            let mut wrong = witness.clone();
            wrong.chunks[read as usize] = ChunkProof::new(&input, other).unwrap();
            assert!(program.input.verify(&wrong.chunks[read as usize]));
            assert_eq!(
                execute_segment(&image, None, &state, &wrong),
                Err(Refused::Unshown),
                "{read} {other}"
            );
        }
    }
}

/// True, but for nothing: a chunk of the image and a page of the memory that the segment does not touch.
#[test]
fn what_is_not_touched_is_not_shown() {
    let mut bytes = image([li(5, MEMORY_BASE), vec![sd(5, 5, 0)], halt(0)].concat());
    bytes.resize(5 * PAGE_BYTES, 0);
    let (state, witness) = show_segment(&program(&bytes, 100), &Blobs::default(), 0).unwrap();
    let image = BlobRef::to(&bytes);
    assert!(execute_segment(&image, None, &state, &witness).is_ok());
    for chunk in 1..5 {
        let mut wrong = witness.clone();
        wrong.image.push(ChunkProof::new(&bytes, chunk).unwrap());
        assert_eq!(
            execute_segment(&image, None, &state, &wrong),
            Err(Refused::Untouched),
            "{chunk}"
        );
    }
    let mut wrong = witness;
    wrong.pages.push((1, [0; PAGE_BYTES]));
    wrong.siblings = tree::empty_nodes()[1..tree::DEPTH as usize].to_vec();
    assert_eq!(execute_segment(&image, None, &state, &wrong), Err(Refused::Untouched));
}
