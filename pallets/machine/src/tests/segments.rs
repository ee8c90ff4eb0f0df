//! Segments: executed from a witness as in the run, whatever the program; and nothing but the right witness is taken.

use super::{Blobs, assembler::*, program, programs::copier};
use crate::{
    IMAGE_BASE, MAX_WITNESS_BYTES, MEMORY_BASE, MIN_SEGMENT_GAS, Machine, Program, Refused, RunError, SEGMENT_CHUNKS,
    SEGMENT_GAS, SEGMENT_PAGES, State, Status, Trap, Witness, execute_segment, run_bounded, show_segment, trace,
};
use agora_jobs::BlobRef;
use codec::Encode;
use proptest::prelude::*;

/// Executes every segment of a run from its witness, and returns the witnesses.
fn assert_shown(program: &Program<'_>, blobs: &Blobs) -> Vec<(State, Witness, State)> {
    let run = trace(program, blobs).unwrap();
    let image = BlobRef::to(program.image);
    let mut before = State::start(&program.input, program.gas);
    let mut shown = Vec::new();
    for (number, &hash) in run.states.iter().enumerate() {
        let (state, witness) = show_segment(program, blobs, number as u64).unwrap();
        assert_eq!(state, before);
        let after = execute_segment(&image, program.reads, &state, &witness).unwrap();
        assert_eq!(after.hash(), hash);
        assert!(
            witness.encoded_size() + state.encoded_size() <= MAX_WITNESS_BYTES,
            "{}",
            witness.encoded_size()
        );
        shown.push((before, witness, after.clone()));
        before = after;
    }
    assert_eq!(before, run.end);
    let beyond = show_segment(program, blobs, run.states.len() as u64);
    assert_eq!(beyond.err(), Some(RunError::NoSegment));
    assert_eq!(
        execute_segment(&image, program.reads, &run.end, &Witness::default()),
        Err(Refused::Ended)
    );
    shown
}

/// Touches a new page with each turn: `count` turns.
fn toucher(count: u64, stride: u64) -> Vec<u8> {
    let turns = [li(5, MEMORY_BASE), li(6, count), li(7, stride)].concat();
    let each = vec![sd(5, 6, 0), add(5, 5, 7), addi(6, 6, -1), b(1, 6, 0, -12)];
    image([turns, each, halt(0)].concat())
}

#[test]
fn a_program_that_touches_many_pages_has_more_segments() {
    let image = toucher(100, 1024);
    let shown = assert_shown(&program(&image, 100_000), &Blobs::default());
    // A page of code, and a new page of memory a turn.
    assert_eq!(shown.len(), 100usize.div_ceil(SEGMENT_PAGES as usize - 1));
    for (_, witness, _) in &shown {
        assert!(witness.pages.len() + witness.image.len() <= SEGMENT_PAGES as usize);
    }
}

#[test]
fn a_long_loop_has_a_segment_for_each_so_many_instructions() {
    let image = toucher(50_000, 0);
    let shown = assert_shown(&program(&image, 1_000_000), &Blobs::default());
    assert_eq!(shown.len(), 4);
    for (before, _, after) in &shown[..3] {
        assert_eq!(before.gas - after.gas, u64::from(SEGMENT_GAS));
    }
}

/// Code that jumps from chunk to chunk of the image.
#[test]
fn far_jumps_touch_chunks_of_the_image() {
    let mut words = vec![0x13; 256 * 60];
    for (number, word) in words.iter_mut().enumerate() {
        if number % 256 == 255 {
            // The instruction that lies in the next chunk, after which it jumps.
            *word = jal(0, 4);
        } else if number % 256 == 0 {
            *word = jal(0, 255 * 4);
        }
    }
    words.extend(halt(0));
    let image = image(words);
    let shown = assert_shown(&program(&image, 10_000), &Blobs::default());
    assert_eq!(shown.len(), 61usize.div_ceil(SEGMENT_PAGES as usize));
    assert!(
        shown
            .iter()
            .all(|(_, witness, _)| witness.pages.is_empty() && witness.siblings.is_empty())
    );
}

#[test]
fn reads_of_blobs_end_segments_too() {
    let input: Vec<u8> = (0..20_000).map(|i| (i % 251) as u8).collect();
    let image = copier();
    let program = Program {
        image: &image,
        input: BlobRef::to(&input),
        gas: 100_000,
        reads: None,
    };
    let blobs = Blobs(vec![input]);
    let shown = assert_shown(&program, &blobs);
    // After the last of the chunks it still has to halt.
    assert_eq!(shown.len(), 20 / SEGMENT_CHUNKS as usize + 1);
    assert!(
        shown
            .iter()
            .all(|(_, witness, _)| witness.chunks.len() <= SEGMENT_CHUNKS as usize)
    );
}

/// Runs a program whole, a few instructions at a time, and segment by segment: all say the same. Returns the segments, and the gas used.
fn assert_bounded(program: &Program<'_>, blobs: &Blobs, step: u64) -> (Vec<(State, Witness, State)>, u64) {
    let shown = assert_shown(program, blobs);
    let mut machine = Machine::new(program, blobs).unwrap();
    let status = loop {
        match machine.advance(step).unwrap() {
            Status::Running => {}
            status => break status,
        }
    };
    let end = &shown.last().unwrap().2;
    assert_eq!((status, machine.gas_used()), (end.status, program.gas - end.gas));
    assert_eq!(end.output.blob(), BlobRef::to(machine.output()));
    let sparse = run_bounded(program, blobs).unwrap();
    assert_eq!(sparse, (status, machine.output().to_vec()));
    assert!(shown.len() as u64 <= program.gas / MIN_SEGMENT_GAS + 1);
    (shown, machine.gas_used())
}

#[test]
fn segments_of_a_bounded_run_are_paid_for() {
    let image = toucher(500, 1024);
    let plain = assert_shown(&program(&image, 1 << 20), &Blobs::default());
    let bounded = Program {
        reads: Some(&[]),
        ..program(&image, 1 << 20)
    };
    for step in [1, 7, u64::MAX] {
        let (shown, used) = assert_bounded(&bounded, &Blobs::default(), step);
        // It does the same; each segment but the last costs as much as it costs at least.
        assert_eq!(shown.len(), plain.len());
        for ((_, _, is), (_, _, was)) in shown.iter().zip(&plain) {
            assert_eq!((is.memory, is.pc, is.status), (was.memory, was.pc, was.status));
        }
        for (before, _, after) in &shown[..shown.len() - 1] {
            assert_eq!(before.gas - after.gas, MIN_SEGMENT_GAS);
        }
        let (before, _, after) = plain.last().unwrap();
        let last = before.gas - after.gas;
        assert_eq!(used, MIN_SEGMENT_GAS * (shown.len() as u64 - 1) + last);
    }
    // Who has less, does not get so far: the run ends with the fee.
    for segments in [1, 2, 7] {
        let program = Program {
            gas: MIN_SEGMENT_GAS * segments,
            ..bounded
        };
        let (shown, used) = assert_bounded(&program, &Blobs::default(), u64::MAX);
        assert_eq!((shown.len() as u64, used), (segments, program.gas));
        assert_eq!(shown.last().unwrap().2.status, Status::OutOfGas);
    }
    // A loop in one page has long segments, which cost what they execute.
    let image = toucher(50_000, 0);
    let plain = assert_shown(&program(&image, 1_000_000), &Blobs::default());
    let bounded = Program {
        reads: Some(&[]),
        ..program(&image, 1_000_000)
    };
    let (shown, _) = assert_bounded(&bounded, &Blobs::default(), 1000);
    assert_eq!(shown, plain);
}

#[test]
fn a_bounded_run_reads_nothing_else() {
    let input = vec![5; 3000];
    let blob = BlobRef::to(&input);
    let image = copier();
    let blobs = Blobs(vec![input]);
    let near = [
        BlobRef { size: 2999, ..blob },
        BlobRef {
            hash: BlobRef::to(b"").hash,
            ..blob
        },
    ];
    let with = |reads| Program {
        image: &image,
        input: blob,
        gas: 100_000,
        reads,
    };
    let listed = [near[0], blob];
    let (shown, _) = assert_bounded(&with(Some(&listed)), &blobs, 10);
    assert_eq!(shown.last().unwrap().2.status, Status::Done);
    for reads in [&[][..], &near] {
        let (refused, _) = assert_bounded(&with(Some(reads)), &blobs, u64::MAX);
        assert_eq!(refused[0].2.status, Status::Trapped(Trap::BadCall));
        // The witness of a run that may read it shows what this one does not read, and the other way round.
        let reference = BlobRef::to(&image);
        let (state, witness, _) = &shown[0];
        let other = execute_segment(&reference, Some(reads), state, witness);
        assert_eq!(other, Err(Refused::Untouched));
        let other = execute_segment(&reference, Some(&listed), state, &refused[0].1);
        assert_eq!(other, Err(Refused::Unshown));
    }
}

/// The worst: each turn reads a chunk from far down a tree, and all pages lie far apart.
#[test]
fn no_witness_is_larger_than_a_call_may_be() {
    let input = vec![3; 1 << 20];
    let mut words = [li(5, MEMORY_BASE), li(7, 1 << 21), li(13, 1 << 20)].concat();
    // The reference of the input, in a page of its own, is stored before the registers change.
    words.splice(
        0..0,
        [
            li(6, MEMORY_BASE),
            (0..5).map(|at| sd(6, 10 + at, 8 * at as i32)).collect(),
        ]
        .concat(),
    );
    let turn = vec![
        add(5, 5, 7),
        sd(5, 6, 0),
        add(5, 5, 7),
        sd(5, 6, 0),
        add(5, 5, 7),
        sd(5, 6, 0),
        add(5, 5, 7),
        sd(5, 6, 0),
        add(10, 6, 0),
        add(12, 5, 0),
        addi(17, 0, 1),
        ECALL,
        addi(11, 11, 1),
    ];
    words.extend((0..20).flat_map(|_| turn.clone()));
    words.extend(halt(0));
    let image = image(words);
    let program = Program {
        image: &image,
        input: BlobRef::to(&input),
        gas: 100_000,
        reads: None,
    };
    let shown = assert_shown(&program, &Blobs(vec![input]));
    let largest = shown
        .iter()
        .map(|(state, witness, _)| state.encoded_size() + witness.encoded_size())
        .max()
        .unwrap();
    assert!(largest > 30_000, "{largest}");
}

/// No other witness is taken. Of all bytes of one that has everything, each is changed.
#[test]
fn a_changed_witness_is_refused() {
    let input = vec![9; 1500];
    let image = copier();
    let program = Program {
        image: &image,
        input: BlobRef::to(&input),
        gas: 10_000,
        reads: None,
    };
    let (state, witness) = show_segment(&program, &Blobs(vec![input]), 0).unwrap();
    let image = BlobRef::to(&image);
    let refused = |witness: &Witness| execute_segment(&image, None, &state, witness).unwrap_err();

    for at in 0..witness.image[0].chunk.len() {
        let mut wrong = witness.clone();
        wrong.image[0].chunk[at] ^= 1;
        assert_eq!(refused(&wrong), Refused::ImageChunk);
    }
    for page in 0..witness.pages.len() {
        for at in 0..1024 {
            let mut wrong = witness.clone();
            wrong.pages[page].1[at] ^= 0x80;
            assert_eq!(refused(&wrong), Refused::Pages);
        }
        let mut wrong = witness.clone();
        wrong.pages.remove(page);
        assert!(matches!(refused(&wrong), Refused::Pages | Refused::Unshown));
        wrong.siblings = crate::tree::empty_nodes()[..18].to_vec();
        assert!(matches!(refused(&wrong), Refused::Pages | Refused::Unshown));
    }
    for sibling in 0..witness.siblings.len() {
        let mut wrong = witness.clone();
        wrong.siblings[sibling].0[31] ^= 1;
        assert_eq!(refused(&wrong), Refused::Pages);
    }
    for chunk in 0..witness.chunks.len() {
        let mut wrong = witness.clone();
        wrong.chunks[chunk].chunk[0] ^= 1;
        assert_eq!(refused(&wrong), Refused::Unshown);
        let mut wrong = witness.clone();
        wrong.chunks[chunk].index ^= 1;
        assert_eq!(refused(&wrong), Refused::Unshown);
    }
    let mut wrong = witness.clone();
    wrong.chunks.swap(0, 1);
    assert_eq!(refused(&wrong), Refused::Unshown);
    let mut wrong = witness.clone();
    wrong.pages.swap(0, 1);
    assert_eq!(refused(&wrong), Refused::Pages);
    let mut wrong = witness.clone();
    wrong.chunks.push(wrong.chunks[0].clone());
    assert_eq!(refused(&wrong), Refused::Untouched);
    let mut wrong = witness.clone();
    wrong.image.push(wrong.image[0].clone());
    assert_eq!(refused(&wrong), Refused::ImageChunk);
    assert_eq!(refused(&Witness::default()), Refused::Unshown);
    let other = BlobRef { size: 0, ..image };
    assert_eq!(execute_segment(&other, None, &state, &witness), Err(Refused::Image));
    let other = BlobRef {
        size: image.size + 4,
        ..image
    };
    assert_eq!(
        execute_segment(&other, None, &state, &witness),
        Err(Refused::ImageChunk)
    );
}

/// A page that is shown although the segment does not touch it.
#[test]
fn nothing_is_shown_for_nothing() {
    let words = [li(5, MEMORY_BASE), vec![sd(5, 5, 0)], halt(0)].concat();
    let image = image(words);
    let (state, mut witness) = show_segment(&program(&image, 100), &Blobs::default(), 0).unwrap();
    let blob = BlobRef::to(&image);
    assert!(execute_segment(&blob, None, &state, &witness).is_ok());
    witness.pages.push((1, [0; 1024]));
    witness.siblings = crate::tree::empty_nodes()[1..18].to_vec();
    assert_eq!(execute_segment(&blob, None, &state, &witness), Err(Refused::Untouched));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Whatever bytes are run: they end, and every segment is executed from its witness as in the run.
    #[test]
    fn any_bytes_run_as_they_are_shown(
        words in prop::collection::vec(prop_oneof![any::<u32>(), instruction()], 1..60), odd in 0usize..4,
    ) {
        let mut image = image(setup().into_iter().chain(words));
        image.truncate(image.len() - odd);
        let shown = assert_shown(&program(&image, 3000), &Blobs::default());
        prop_assert_ne!(shown.last().unwrap().2.status, Status::Running);
    }

    /// The same of a bounded run, whether it is interrupted or not.
    #[test]
    fn any_bytes_run_bounded_as_they_are_shown(
        words in prop::collection::vec(prop_oneof![any::<u32>(), instruction()], 1..60), gas in 1u64..20_000, step in 1u64..100,
        turns in 0u64..60,
    ) {
        // After many pages, more segments than one.
        let touched = [li(6, MEMORY_BASE), li(7, 2 * turns + 1), li(5, 4096)].concat();
        let each = vec![sd(6, 7, 0), add(6, 6, 5), addi(7, 7, -1), b(1, 7, 0, -12)];
        let image = image([touched, each, setup(), words].concat());
        let program = Program { reads: Some(&[]), ..program(&image, gas) };
        let (shown, used) = assert_bounded(&program, &Blobs::default(), step);
        prop_assert!(used <= gas);
        prop_assert_ne!(shown.last().unwrap().2.status, Status::Running);
    }

    /// Nothing panics on bytes that are no witness.
    #[test]
    fn any_witness_is_taken_or_refused(
        pages in prop::collection::vec((any::<u32>(), any::<u8>()), 0..4), siblings in prop::collection::vec(any::<[u8; 32]>(), 0..60),
        pc: u64, registers: [u64; 31], gas: u64, size: u64, image in prop::collection::vec(any::<u8>(), 1..200),
    ) {
        let mut state = State::start(&BlobRef::to(&[]), gas);
        (state.pc, state.registers) = (pc, registers);
        let witness = Witness {
            pages: pages.into_iter().map(|(number, byte)| (number, [byte; 1024])).collect(),
            siblings: siblings.into_iter().map(Into::into).collect(),
            ..Witness::default()
        };
        let blob = BlobRef { size, ..BlobRef::to(&image) };
        let _ = execute_segment(&blob, None, &state, &witness);
        let _ = execute_segment(&blob, Some(&[blob]), &state, &witness);
        let _ = execute_segment(&BlobRef::to(&image), None, &state, &witness);
    }
}

/// Registers that point to memory and to the image, so that random instructions find something.
fn setup() -> Vec<u32> {
    [
        li(8, MEMORY_BASE + 4096),
        li(9, MEMORY_BASE + (200 << 20)),
        li(10, IMAGE_BASE),
    ]
    .concat()
}

/// Instructions that are legal, on few registers.
fn instruction() -> impl Strategy<Value = u32> {
    let register = prop_oneof![Just(0u32), 5..12u32];
    let opcode = prop::sample::select(vec![0x33, 0x3B, 0x13, 0x1B, 0x03, 0x23, 0x63, 0x2F, 0x37, 0x17]);
    (
        opcode,
        0..8u32,
        prop::sample::select(vec![0u32, 1, 32]),
        register.clone(),
        register.clone(),
        register,
        -64..64i32,
    )
        .prop_map(|(opcode, funct3, funct7, rd, rs1, rs2, immediate)| match opcode {
            0x33 | 0x3B => r(opcode, funct3, funct7, rd, rs1, rs2),
            0x13 | 0x1B if funct3 & 3 == 1 => i(opcode, funct3, rd, rs1, immediate & 31),
            0x13 | 0x1B => i(opcode, funct3, rd, rs1, immediate * 16),
            0x03 => i(opcode, funct3, rd, rs1, immediate * 8),
            0x23 => s(funct3 & 3, rs1, rs2, immediate * 8),
            0x63 => b(funct3, rs1, rs2, (immediate & 7) * 4 + 4),
            0x2F => r(opcode, 2 + (funct3 & 1), (immediate as u32 & 31) << 2, rd, rs1, rs2),
            _ => (immediate as u32) << 12 | rd << 7 | opcode,
        })
}
