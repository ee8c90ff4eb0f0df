//! Programs: how they end, what they read and write.

use super::{Blobs, assembler::*, program};
use crate::{IMAGE_BASE, MEMORY_BASE, Machine, Program, RunError, Status, Trap, trace};
use agora_jobs::BlobRef;

/// How a program of these instructions ends, and how many it executed.
fn ends(words: Vec<u32>, gas: u64) -> (Status, u64) {
    let (image, blobs) = (image(words), Blobs::default());
    let program = program(&image, gas);
    let mut machine = Machine::new(&program, &blobs).unwrap();
    let status = machine.advance(u64::MAX).unwrap();
    let traced = trace(&program, &blobs).unwrap();
    assert_eq!((traced.end.status, gas - traced.end.gas), (status, machine.gas_used()));
    (status, machine.gas_used())
}

/// These registers, and then the call.
fn call(number: u64, a0: u64, a1: u64, a2: u64) -> Vec<u32> {
    [li(10, a0), li(11, a1), li(12, a2), li(17, number), vec![ECALL]].concat()
}

#[test]
fn programs_end_as_they_say() {
    assert_eq!(ends(halt(0), 10), (Status::Done, 3));
    assert_eq!(ends(halt(1), 10), (Status::Unusable, 3));
    assert_eq!(ends(halt(2), 10), (Status::Trapped(Trap::BadCall), 3));
    // With its last gas it may still halt.
    assert_eq!(ends(halt(0), 3), (Status::Done, 3));
    assert_eq!(ends(halt(0), 2), (Status::OutOfGas, 2));
    assert_eq!(ends(halt(0), 0), (Status::OutOfGas, 0));
    assert_eq!(ends(vec![jal(0, 0)], 1000), (Status::OutOfGas, 1000));
}

#[test]
fn what_cannot_be_executed_traps() {
    let trapped = |words: Vec<u32>| match ends(words, 1000) {
        (Status::Trapped(trap), _) => trap,
        other => panic!("{other:?}"),
    };
    assert_eq!(trapped(vec![0x0010_0073]), Trap::Breakpoint);
    assert_eq!(trapped(vec![0]), Trap::Illegal);
    // A csr, and a float.
    assert_eq!(trapped(vec![0xC000_2573]), Trap::Illegal);
    assert_eq!(trapped(vec![0x0000_7053]), Trap::Illegal);
    // It runs beyond its end, and jumps to memory.
    assert_eq!(trapped(vec![addi(1, 0, 1)]), Trap::OutsideImage);
    assert_eq!(
        trapped([li(5, MEMORY_BASE), vec![i(0x67, 0, 0, 5, 0)]].concat()),
        Trap::OutsideImage
    );
    assert_eq!(
        trapped([li(5, 0), vec![i(0x67, 0, 0, 5, 0)]].concat()),
        Trap::OutsideImage
    );
    // Half an instruction at the end.
    assert_eq!(trapped(vec![0x0001_0001, 0x0013_0001]), Trap::OutsideImage);
    for (address, funct3, expected) in [
        (MEMORY_BASE + 1, 1, Trap::Misaligned),
        (MEMORY_BASE + 2, 2, Trap::Misaligned),
        (MEMORY_BASE + 4, 3, Trap::Misaligned),
        (MEMORY_BASE - 8, 3, Trap::OutsideMemory),
        (MEMORY_BASE + (256 << 20), 3, Trap::OutsideMemory),
        (u64::MAX - 7, 3, Trap::OutsideMemory),
        (0, 0, Trap::OutsideMemory),
    ] {
        assert_eq!(
            trapped([li(5, address), vec![i(0x03, funct3, 6, 5, 0)]].concat()),
            expected
        );
        assert_eq!(trapped([li(5, address), vec![s(funct3, 5, 6, 0)]].concat()), expected);
    }
    // The image is read, not written, by stores or by atomics.
    assert_eq!(
        ends([li(5, IMAGE_BASE), vec![i(0x03, 3, 6, 5, 0)], halt(0)].concat(), 100).0,
        Status::Done
    );
    assert_eq!(
        trapped([li(5, IMAGE_BASE), vec![sd(5, 6, 0)]].concat()),
        Trap::OutsideMemory
    );
    assert_eq!(
        trapped([li(5, IMAGE_BASE), vec![r(0x2F, 3, 0, 6, 5, 6)]].concat()),
        Trap::OutsideMemory
    );
    // Calls.
    assert_eq!(trapped(call(3, 0, 0, 0)), Trap::BadCall);
    assert_eq!(trapped(call(2, MEMORY_BASE, 0, 0)), Trap::BadCall);
    assert_eq!(trapped(call(2, MEMORY_BASE, 1025, 0)), Trap::BadCall);
    assert_eq!(trapped(call(2, MEMORY_BASE, u64::MAX, 0)), Trap::BadCall);
    assert_eq!(trapped(call(2, MEMORY_BASE + 512, 1, 0)), Trap::Misaligned);
    assert_eq!(trapped(call(2, IMAGE_BASE, 1, 0)), Trap::OutsideMemory);
    assert_eq!(trapped(call(1, MEMORY_BASE + 8, 0, MEMORY_BASE)), Trap::Misaligned);
    // A chunk after one that was shorter.
    assert_eq!(
        trapped([call(2, MEMORY_BASE, 7, 0), call(2, MEMORY_BASE, 7, 0)].concat()),
        Trap::BadCall
    );
}

#[test]
fn images_have_a_length() {
    let blobs = Blobs::default();
    for size in [0, (16 << 20) + 1] {
        let image = vec![0; size];
        assert_eq!(Machine::new(&program(&image, 1), &blobs).err(), Some(RunError::Image));
        assert_eq!(trace(&program(&image, 1), &blobs).err(), Some(RunError::Image));
    }
}

/// Stores the reference to the input at the beginning of the memory, copies the input to the output chunk by chunk, and halts with the
/// number of the first chunk that is not there in the output's last four bytes.
pub(super) fn copier() -> Vec<u8> {
    let mut words = [li(5, MEMORY_BASE), li(6, MEMORY_BASE + 1024)].concat();
    words.extend((0..5).map(|at| sd(5, 10 + at, 8 * at as i32)));
    words.push(addi(7, 0, 0));
    let each = vec![
        add(10, 5, 0),
        add(11, 7, 0),
        add(12, 6, 0),
        addi(17, 0, 1),
        ECALL,
        // The end.
        b(0, 10, 0, 7 * 4),
        add(11, 10, 0),
        add(10, 6, 0),
        addi(17, 0, 2),
        ECALL,
        addi(7, 7, 1),
        jal(0, -11 * 4),
    ];
    words.extend(each);
    words.extend(halt(0));
    image(words)
}

#[test]
fn a_program_reads_and_writes_blobs() {
    let image = copier();
    for size in [1, 1000, 1024, 1025, 5000] {
        let input: Vec<u8> = (0..size).map(|i| (i % 251) as u8).collect();
        let blobs = Blobs(vec![input.clone()]);
        let program = Program {
            image: &image,
            input: BlobRef::to(&input),
            gas: 10_000,
            reads: None,
        };
        let mut machine = Machine::new(&program, &blobs).unwrap();
        assert_eq!(machine.advance(u64::MAX), Ok(Status::Done));
        assert_eq!(machine.output(), input);
        let traced = trace(&program, &blobs).unwrap();
        assert_eq!(traced.output, input);
        assert_eq!(traced.end.output.blob(), program.input);
    }
}

/// What is missing is named; once it is there, the machine goes on as if nothing had been.
#[test]
fn a_machine_waits_for_what_is_missing() {
    use std::cell::Cell;
    struct Late<'a>(&'a Blobs, Cell<u32>);
    impl crate::Chunks for Late<'_> {
        fn chunk(&self, blob: &BlobRef, index: u64, chunk: &mut [u8; 1024]) -> Option<()> {
            self.1.set(self.1.get() + 1);
            (self.1.get().is_multiple_of(3)).then_some(())?;
            self.0.chunk(blob, index, chunk)
        }
        fn prove(&self, blob: &BlobRef, index: u64) -> Option<agora_jobs::ChunkProof> {
            self.0.prove(blob, index)
        }
    }
    let (image, input) = (copier(), vec![7; 3000]);
    let blobs = Blobs(vec![input.clone()]);
    let program = Program {
        image: &image,
        input: BlobRef::to(&input),
        gas: 10_000,
        reads: None,
    };
    let late = Late(&blobs, Cell::new(0));
    let mut machine = Machine::new(&program, &late).unwrap();
    let mut waited = 0;
    while machine.advance(5) != Ok(Status::Done) {
        if let Err(error) = machine.advance(100) {
            assert!(matches!(error, RunError::Missing { blob, .. } if blob == program.input));
            waited += 1;
        }
    }
    assert!(waited >= 3, "{waited}");
    assert_eq!(machine.output(), input);
    let mut whole = Machine::new(&program, &blobs).unwrap();
    whole.advance(u64::MAX).unwrap();
    assert_eq!(machine.gas_used(), whole.gas_used());
}
