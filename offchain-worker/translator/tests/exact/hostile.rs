//! Programs that are made to harm whoever translates them.

use crate::{Case, assembler::*};
use agora_machine::{IMAGE_BASE, MEMORY_BASE, Status, Trap};
use agora_translator::{Policy, Run, Translator};

/// Runs `body`, which ends each time in an instruction that traps once `x20` is 0.
fn trap_in_the_middle(body: &[u32]) -> (Status, u64) {
    let mut words = li(20, 3000);
    words.extend(li(5, MEMORY_BASE));
    let begin = words.len();
    words.extend([addi(20, 20, -1), addi(10, 10, 1)]);
    words.extend(body);
    words.push(addi(11, 11, 1));
    words.push(jal(0, 4 * (begin as i32 - words.len() as i32)));
    let case = Case::new(&image(words), Vec::new());
    let image = case.image();
    case.compare(&image, 1 << 20, u64::MAX);
    case.compare(&image, 1 << 20, u64::MAX)
}

/// `rd = x20 == 0`.
fn is_last(rd: u32) -> u32 {
    i(0x13, 3, rd, 20, 1)
}

#[test]
fn traps_are_where_they_are() {
    let slli = |rd, rs1, by| i(0x13, 1, rd, rs1, by);
    for funct3 in [1, 2, 3] {
        // Misaligned by one at last; once loaded, once stored.
        let at = [is_last(6), add(6, 6, 5)];
        let load = [at[0], at[1], i(0x03, funct3, 12, 6, 0)];
        let store = [at[0], at[1], s(funct3, 6, 12, 0)];
        for body in [load, store] {
            let (status, translated) = trap_in_the_middle(&body);
            assert_eq!(status, Status::Trapped(Trap::Misaligned));
            assert!(translated > 2000, "{translated}");
        }
    }
    // Beyond the memory, by 2^28, 2^29, 2^31, 2^32 and 2^63: what a mask would forget.
    for by in [28, 29, 31, 32, 40, 63] {
        for access in [i(0x03, 3, 12, 6, 0), sd(6, 12, 0), i(0x03, 0, 0, 6, 0)] {
            let body = [is_last(6), slli(6, 6, by), add(6, 6, 5), access];
            let (status, translated) = trap_in_the_middle(&body);
            assert_eq!(status, Status::Trapped(Trap::OutsideMemory), "2^{by}");
            assert!(translated > 2000, "{translated}");
        }
    }
    // The place in the image that looks like one in the memory, and nothing at 0.
    for address in [
        IMAGE_BASE,
        0,
        8,
        1016,
        IMAGE_BASE - 1024,
        MEMORY_BASE + (256 << 20),
        u64::MAX - 7,
    ] {
        let mut body = li(6, address);
        body.push(sd(6, 12, 0));
        let (status, _) = trap_in_the_middle(&body);
        assert_eq!(status, Status::Trapped(Trap::OutsideMemory), "{address:x}");
    }
    // A jump out of the image, into data that is no instruction, and an ebreak.
    let out = [
        is_last(6),
        slli(6, 6, 20),
        i(0x17, 0, 7, 0, 0),
        add(7, 7, 6),
        i(0x67, 0, 0, 7, 12),
    ];
    let (status, translated) = trap_in_the_middle(&out);
    assert_eq!(status, Status::Trapped(Trap::OutsideImage));
    assert!(translated > 2000, "{translated}");
    let (status, _) = trap_in_the_middle(&[b(1, 20, 0, 8), 0x0010_0073]);
    assert_eq!(status, Status::Trapped(Trap::Breakpoint));
    let (status, _) = trap_in_the_middle(&[b(1, 20, 0, 8), 0]);
    assert_eq!(status, Status::Trapped(Trap::Illegal));
}

/// Branches and jumps before the beginning of the image, where an address is smaller than it.
#[test]
fn jumps_before_the_image() {
    for last in [jal(0, -4096), jal(1, -1 << 20), b(0, 0, 0, -4000)] {
        let (status, _) = trap_in_the_middle(&[b(1, 20, 0, 8), last]);
        assert_eq!(status, Status::Trapped(Trap::OutsideImage));
    }
}

/// The end of the image, in the middle of a chunk: loads read up to it, and no further.
#[test]
fn the_last_chunk_is_short() {
    for length in [1500, 1501, 1503, 2048, 2050] {
        for (size, funct3) in [(1, 4), (2, 5), (4, 6), (8, 3)] {
            let mut words = [li(6, IMAGE_BASE + 1024), li(20, 2000)].concat();
            let begin = words.len();
            words.extend([
                i(0x03, funct3, 12, 6, 0),
                add(10, 10, 12),
                addi(6, 6, size),
                addi(20, 20, -1),
            ]);
            words.push(jal(0, 4 * (begin as i32 - words.len() as i32)));
            let mut bytes = image(words);
            while bytes.len() < length {
                bytes.push(bytes.len() as u8);
            }
            let case = Case::new(&bytes, Vec::new());
            let image = case.image();
            case.compare(&image, 1 << 16, u64::MAX);
            let (status, translated) = case.compare(&image, 1 << 16, u64::MAX);
            assert_eq!(status, Status::Trapped(Trap::OutsideMemory));
            assert!(translated > 100, "{translated}");
        }
    }
}

/// The same bytes as two different programs: one begins in the middle of an instruction of the other.
#[test]
fn code_within_code() {
    let outer = li(20, 5000);
    // c.addi x10, 1 and c.addi x11, 1, in the upper immediate of a lui; then a jump into it, every second time.
    let inner = (0x0505u32 << 16) | 0x0537;
    let mut words = outer;
    let begin = words.len() as i32;
    words.extend([
        addi(20, 20, -1),
        i(0x13, 7, 6, 20, 1),
        b(1, 6, 0, 10),
        inner,
        addi(12, 12, 1),
    ]);
    let back = 4 * (begin - words.len() as i32);
    words.push(b(1, 20, 0, back));
    words.extend(halt(0));
    let case = Case::new(&image(words), Vec::new());
    let image = case.image();
    for gas in [1 << 18, 9999, 100] {
        case.compare(&image, gas, u64::MAX);
        case.compare(&image, gas, u64::MAX);
    }
}

/// A jump by a register goes to an even address always.
#[test]
fn jumps_to_odd_addresses() {
    let mut words = [li(20, 4000), li(6, IMAGE_BASE)].concat();
    let here = 4 * words.len() as i32;
    // Of x6 + 12 + 1 the lowest bit is forgotten.
    words.extend([
        addi(6, 6, here),
        addi(20, 20, -1),
        i(0x67, 0, 1, 6, 13),
        addi(10, 10, 1),
    ]);
    words.extend([b(1, 20, 0, -12), i(0x13, 0, 0, 0, 0)]);
    words.extend(halt(0));
    let case = Case::new(&image(words), Vec::new());
    let image = case.image();
    case.compare(&image, 1 << 18, u64::MAX);
    let (status, translated) = case.compare(&image, 1 << 18, u64::MAX);
    assert_eq!(status, Status::Done);
    // No more than one in each turn is left to the interpreter.
    assert!(translated > 15_000, "{translated}");
}

/// Products and quotients of all signs, with the least numbers and zeroes among them.
#[test]
fn arithmetic_of_all_signs() {
    let (one, other, mask) = (10, 11, 7);
    let mut words = [li(20, 3000), li(one, 0x9E37_79B9_7F4A_7C15), li(other, 3), li(mask, 63)].concat();
    let begin = words.len();
    // Numbers of any length, both signs: a generator, shifted by some of its own bits.
    let next = |of, by| {
        [
            r(0x33, 0, 1, of, of, one),
            addi(of, of, by),
            r(0x33, 7, 0, 8, of, mask),
            r(0x33, 5, 32, 9, of, 8),
        ]
    };
    words.extend(next(other, 1013));
    words.push(add(5, 9, 0));
    words.extend(next(other, 77));
    for funct3 in 0..8 {
        for opcode in [0x33, 0x3B] {
            if opcode == 0x33 || funct3 == 0 || funct3 >= 4 {
                words.extend([
                    r(opcode, funct3, 1, 12, 5, 9),
                    r(0x33, 4, 0, 13, 13, 12),
                    r(0x33, 0, 0, 14, 14, 13),
                ]);
                // The same of the least number, by any, and by −1.
                words.extend([
                    addi(15, 0, -1),
                    i(0x13, 1, 16, 15, 63),
                    r(opcode, funct3, 1, 12, 16, 15),
                ]);
                words.extend([
                    r(0x33, 4, 0, 13, 13, 12),
                    r(opcode, funct3, 1, 12, 5, 0),
                    r(0x33, 0, 0, 14, 14, 12),
                ]);
            }
        }
    }
    words.push(addi(20, 20, -1));
    words.push(b(1, 20, 0, 4 * (begin as i32 - words.len() as i32)));
    words.extend(halt(0));
    let case = Case::new(&image(words), Vec::new());
    let image = case.image();
    case.compare(&image, 1 << 20, u64::MAX);
    let (status, translated) = case.compare(&image, 1 << 20, u64::MAX);
    assert_eq!(status, Status::Done);
    assert!(translated > 300_000, "{translated}");
}

/// Programs cannot change their code: the image is not written, and the memory is not executed.
#[test]
fn code_does_not_change() {
    let (status, _) = trap_in_the_middle(&[b(1, 20, 0, 12), i(0x17, 0, 7, 0, 0), sd(7, 0, 0)]);
    assert!(matches!(status, Status::Trapped(_)));
    let (status, _) = trap_in_the_middle(&[b(1, 20, 0, 8), i(0x67, 0, 0, 5, 0)]);
    assert_eq!(status, Status::Trapped(Trap::OutsideImage));
}

/// A megabyte of small pieces of code that are called in random order: it takes no longer to translate than what was run allows for.
#[test]
fn an_image_of_branches() {
    let (random, factor, step, first, target) = (20, 21, 22, 23, 24);
    let mut words = [
        li(random, 7),
        li(factor, 6_364_136_223_846_793_005),
        li(step, 1_442_695_040_888_963_407),
        li(first, IMAGE_BASE + 1024),
    ]
    .concat();
    let begin = words.len();
    words.extend([
        r(0x33, 0, 1, random, random, factor),
        add(random, random, step),
        // One of 2^16 pieces of 16 bytes.
        i(0x13, 5, target, random, 48),
        i(0x13, 1, target, target, 4),
        add(target, target, first),
        i(0x67, 0, 1, target, 0),
    ]);
    words.push(jal(0, 4 * (begin as i32 - words.len() as i32)));
    words.resize(256, 0);
    for piece in 0..1 << 16 {
        let (rd, bit) = (10 + piece % 7, 8 * (piece % 2) as i32);
        words.extend([
            addi(rd, rd, piece as i32 % 2000),
            b(4, random, rd, 8 + bit % 8),
            addi(rd, rd, 1),
        ]);
        words.push(i(0x67, 0, 0, 1, 0));
    }
    let case = Case::new(&image(words), Vec::new());
    let eager = case.image();
    for gas in [1 << 16, 1 << 20] {
        case.compare(&eager, gas, u64::MAX);
    }
    assert!(eager.version() > 0);
    // With what is meant for use: what each piece was executed is too little.
    let usual = Translator::new(Policy::default()).unwrap();
    let image = usual.image(&case.image).unwrap();
    let gas = 1 << 22;
    let mut run = Run::new(&image, case.program(gas).input, gas, &case.reads, &case.blobs).unwrap();
    while run.advance(u64::MAX).unwrap() == Status::Running {}
    assert_eq!(run.gas_used(), case.traced(gas).gas_used);
}

/// A call every second instruction: entering translated code for it does not pay, and is left off.
#[test]
fn a_program_of_calls() {
    let mut words = [li(5, MEMORY_BASE), li(20, 200_000)].concat();
    words.extend((0..5).map(|at| sd(5, 10 + at, 8 * at as i32)));
    let begin = words.len();
    // Reads a chunk that the blob does not have.
    words.extend([addi(17, 0, 1), add(10, 5, 0), addi(11, 0, 77), ECALL, addi(20, 20, -1)]);
    words.push(b(1, 20, 0, 4 * (begin as i32 - words.len() as i32)));
    words.extend(halt(0));
    let case = Case::new(&image(words), vec![vec![1; 100]]);
    let image = case.image();
    let (status, translated) = case.compare(&image, 1 << 24, u64::MAX);
    assert_eq!(status, Status::Done);
    assert!(translated < 400_000, "{translated}");
}
