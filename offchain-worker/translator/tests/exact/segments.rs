//! Where segments end, and where the gas does: at every place of a program.

use crate::{Case, assembler::*};
use agora_machine::{MEMORY_BASE, Status};

/// Stores and loads on a way through the memory, `stride` bytes at a time, with `idle` turns of a loop between two; for ever.
fn walker(stride: i32, idle: i32) -> Vec<u8> {
    let (address, start, end, turn, sum) = (5, 6, 7, 28, 10);
    let mut words = [li(start, MEMORY_BASE), li(end, MEMORY_BASE + (3 << 20))].concat();
    words.push(addi(address, start, 0));
    let body = [
        sd(address, sum, 0),
        i(0x03, 3, sum, address, 8),
        addi(turn, 0, idle),
        // The loop.
        addi(turn, turn, -1),
        r(0x33, 0, 1, sum, sum, turn),
        addi(sum, sum, 3),
        b(5, turn, 0, -12),
        addi(address, address, stride),
        b(6, address, end, 8),
        addi(address, start, 16),
    ];
    words.extend(body);
    words.push(jal(0, -4 * body.len() as i32));
    image(words)
}

#[test]
fn gas_ends_at_every_instruction() {
    let case = Case::new(&walker(1016, 2), Vec::new());
    let image = case.image();
    let (_, translated) = case.compare(&image, 200_000, u64::MAX);
    assert!(translated > 0 && image.version() > 0);
    for gas in (0..500).chain(4000..4200).chain(8100..8300) {
        assert_eq!(case.compare(&image, gas, u64::MAX).0, Status::OutOfGas);
    }
}

/// The more turns between two pages, the further apart are the ends: by pages at first, then by instructions.
#[test]
fn segments_end_at_every_place() {
    let mut translated = 0;
    for stride in [8, 520, 1016, 1024, 2040] {
        for idle in [0, 1, 7, 150, 1200] {
            let case = Case::new(&walker(stride, idle), Vec::new());
            let image = case.image();
            for gas in [3 << 17, 300_001, 262_143, 99_999, 65_600, 65_536] {
                translated += case.compare(&image, gas, u64::MAX).1;
            }
        }
    }
    assert!(translated > 5_000_000, "{translated}");
}

/// Code that is longer than a segment has pages: each chunk of it is a page, and jumps go from one to the next.
#[test]
fn code_touches_pages_too() {
    for (chunks, offset) in [(3, 0), (23, 0), (24, 0), (25, 2), (40, 1018), (40, 1020)] {
        let mut bytes = Vec::new();
        for chunk in 0..chunks {
            // In an offset of 1022 modulo 1024 an instruction lies in two chunks.
            let at = chunk * 1024 + offset;
            while bytes.len() < at {
                bytes.extend(1u16.to_le_bytes());
            }
            bytes.extend(image([addi(10, 10, 1), addi(11, 11, 2)]));
            let here = bytes.len() as i32;
            let next = if chunk + 1 == chunks { 0 } else { at as i32 + 1024 };
            bytes.extend(image([jal(0, next - here)]));
        }
        let case = Case::new(&bytes, Vec::new());
        let image = case.image();
        for gas in [400_000, 77_777, 4096, 12_345] {
            case.compare(&image, gas, u64::MAX);
        }
        assert!(image.version() > 0);
    }
}

/// Jumps by registers from chunk to chunk, each of which is a page, to instructions that lie in two of them too.
#[test]
fn jumps_by_registers_touch_pages() {
    for offset in [0, 1020, 1022] {
        for chunks in [5, 23, 40] {
            let mut bytes = jal(0, offset as i32 + 1024).to_le_bytes().to_vec();
            for chunk in 1..=chunks {
                let at = chunk * 1024 + offset;
                while bytes.len() < at {
                    bytes.extend(1u16.to_le_bytes());
                }
                // auipc x6, 0; then on from there, or back to the beginning.
                bytes.extend(0x0000_0317u32.to_le_bytes());
                // A branch that is never taken, to the jump of the chunk before: so all chunks are one region.
                bytes.extend(b(1, 0, 0, if chunk > 1 { -1020 } else { 4 }).to_le_bytes());
                let next = match chunk < chunks {
                    true => i(0x67, 0, 1, 6, 1024),
                    false => jal(0, -(bytes.len() as i32)),
                };
                bytes.extend(next.to_le_bytes());
            }
            let case = Case::new(&bytes, Vec::new());
            let image = case.image();
            for gas in [300_000, 70_001, 20_000] {
                case.compare(&image, gas, u64::MAX);
            }
            assert!(image.version() > 0);
        }
    }
}

/// Instructions that lie in two chunks of the image, as each of their halves is touched.
#[test]
fn instructions_lie_in_two_chunks() {
    // A compressed one first, so that those of four bytes are at odd places: 30 chunks.
    let mut bytes = 1u16.to_le_bytes().to_vec();
    let mut words = 0;
    while bytes.len() < 30 * 1024 {
        bytes.extend(addi(10 + words % 4, 10 + (words + 1) % 4, 7).to_le_bytes());
        words += 1;
    }
    let here = bytes.len() as i32;
    bytes.extend(jal(0, -here).to_le_bytes());
    let case = Case::new(&bytes, Vec::new());
    let image = case.image();
    for gas in [200_000, 200_001, 65_537, 8192] {
        case.compare(&image, gas, u64::MAX);
        case.compare(&image, gas, 100);
    }
    assert!(image.version() > 0);
}

/// Chunks that are read end segments, and calls are left to the interpreter in the middle of blocks.
#[test]
fn calls_in_loops() {
    let (reference, page, number) = (5, 6, 7);
    let mut words = [li(reference, MEMORY_BASE), li(page, MEMORY_BASE + 1024)].concat();
    words.extend((0..5).map(|at| sd(reference, 10 + at, 8 * at as i32)));
    words.push(addi(number, 0, 0));
    let body = [
        add(10, reference, 0),
        add(11, number, 0),
        add(12, page, 0),
        addi(17, 0, 1),
        ECALL,
        b(0, 10, 0, 12),
        addi(number, number, 1),
        jal(0, -4 * 7),
        // Once all is read: it is written, a byte at first, which traps the next time.
        add(10, page, 0),
        addi(11, 0, 1024),
        addi(17, 0, 2),
        ECALL,
        addi(number, 0, 0),
        jal(0, -4 * 13),
    ];
    words.extend(body);
    let input: Vec<u8> = (0..9000u32).map(|at| (at % 251) as u8).collect();
    let case = Case::new(&image(words), vec![input]);
    let image = case.image();
    for gas in [1 << 18, 1 << 16, 50_001, 4097] {
        case.compare(&image, gas, u64::MAX);
        case.compare(&image, gas, 77);
    }
}

/// A blob that comes later: the run says so, and goes on as if nothing had been.
#[test]
fn a_run_waits_for_what_is_missing() {
    use crate::{BlobRef, Blobs, Chunks, PAGE_BYTES, Run};
    use std::cell::Cell;
    struct Late(Blobs, Cell<u32>);
    impl Chunks for Late {
        fn chunk(&self, blob: &BlobRef, index: u64, chunk: &mut [u8; PAGE_BYTES]) -> Option<()> {
            self.1.set(self.1.get() + 1);
            self.1.get().is_multiple_of(3).then_some(())?;
            self.0.chunk(blob, index, chunk)
        }
        fn prove(&self, _: &BlobRef, _: u64) -> Option<agora_jobs::ChunkProof> {
            None
        }
    }
    let mut words = [li(5, MEMORY_BASE), li(6, MEMORY_BASE + 1024), li(9, 500)].concat();
    words.extend((0..5).map(|at| sd(5, 10 + at, 8 * at as i32)));
    words.extend([
        add(10, 5, 0),
        addi(11, 0, 0),
        add(12, 6, 0),
        addi(17, 0, 1),
        ECALL,
        addi(9, 9, -1),
        b(1, 9, 0, -24),
    ]);
    words.extend(halt(0));
    let input = vec![7; 1000];
    let case = Case::new(&image(words), vec![input.clone()]);
    let image = case.image();
    case.compare(&image, 1 << 22, u64::MAX);
    let late = Late(Blobs(vec![input]), Cell::new(0));
    let mut run = Run::new(&image, case.reads[0], 1 << 22, &case.reads, &late).unwrap();
    let mut waited = 0;
    while !matches!(run.advance(u64::MAX), Ok(Status::Done)) {
        waited += 1;
        assert!(waited < 2000);
    }
    assert_eq!(waited, 1000);
    assert_eq!(run.gas_used(), case.traced(1 << 22).gas_used);
}
