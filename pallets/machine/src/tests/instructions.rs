//! Instructions, one by one, with what the manual says of them.
//!
//! Whatever a case does not name must stay as it was.

mod cases;

use super::assembler::encode;
use crate::{MEMORY_BASE, PAGE_BYTES, State, Status, Trap, Witness, execute_segment, instruction::Instruction, tree};
use agora_jobs::{BlobRef, ChunkProof};
use cases::{CONTENT, Change, HINTS, ILLEGAL, MEMORY, REGISTERS};
use primitive_types::H256;

/// The image that is this instruction alone.
fn image(word: u32) -> Vec<u8> {
    let length = if word & 3 == 3 { 4 } else { 2 };
    word.to_le_bytes()[..length].to_vec()
}

fn first_page() -> [u8; PAGE_BYTES] {
    let mut page = [0; PAGE_BYTES];
    page[..CONTENT.len()].copy_from_slice(&CONTENT);
    page
}

/// The root of a memory that is zero beyond its first page.
fn root(page: &[u8; PAGE_BYTES]) -> H256 {
    tree::root_of(&[(0, tree::page_hash(page))], &siblings()).unwrap()
}

fn siblings() -> Vec<H256> {
    tree::empty_nodes()[..tree::DEPTH as usize].to_vec()
}

/// A machine that can execute two instructions, with numbers of their own in all registers but these.
fn before(registers: &[(usize, u64)]) -> State {
    let mut state = State::start(&BlobRef::to(&[]), 2);
    for (number, register) in (1u64..).zip(&mut state.registers) {
        *register = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
    for &(number, value) in registers {
        state.registers[number - 1] = value;
    }
    state.memory = root(&first_page());
    state
}

/// The state after the instruction, which is the whole image and so is followed by a trap or by nothing.
fn execute(word: u32, before: &State, touches_memory: bool) -> State {
    let image = image(word);
    let witness = Witness {
        image: vec![ChunkProof::new(&image, 0).unwrap()],
        pages: touches_memory.then(|| (0, first_page())).into_iter().collect(),
        siblings: if touches_memory { siblings() } else { Vec::new() },
        chunks: Vec::new(),
    };
    let mut one = before.clone();
    one.gas = 1;
    let mut after =
        execute_segment(&BlobRef::to(&image), None, &one, &witness).unwrap_or_else(|error| panic!("{word:x}: {error}"));
    assert_eq!(after.gas, 0, "{word:x}");
    if after.status == Status::OutOfGas {
        after.status = Status::Running;
    }
    after.gas = before.gas - 1;
    after
}

/// What `before` becomes by an instruction of this length that changes these registers.
fn expected(before: &State, moves: i64, registers: &[(usize, u64)]) -> State {
    let mut after = before.clone();
    after.gas -= 1;
    after.pc = after.pc.wrapping_add_signed(moves);
    for &(number, value) in registers {
        after.registers[number - 1] = value;
    }
    after
}

fn length(word: u32) -> i64 {
    image(word).len() as i64
}

#[test]
fn instructions_on_registers() {
    for &(text, word, registers, changed, moves) in REGISTERS {
        let before = before(registers);
        assert_eq!(
            execute(word, &before, false),
            expected(&before, moves, changed),
            "{text}"
        );
    }
}

#[test]
fn instructions_on_memory() {
    for (text, word, registers, changed, change) in MEMORY {
        let before = before(registers);
        let mut after = expected(&before, length(*word), changed);
        let mut page = first_page();
        match *change {
            Change::Nothing => {}
            Change::Stores(at, bytes) => page[at..at + bytes.len()].copy_from_slice(bytes),
            Change::Reserves => after.reservation = registers.first().map(|(_, address)| *address),
        }
        after.memory = root(&page);
        // A conditional store that does not store touches nothing.
        let touches = !text.starts_with("sc.");
        assert_eq!(execute(*word, &before, touches), after, "{text}");
    }
}

#[test]
fn conditional_stores_need_a_reservation_of_their_address() {
    let sc_w = 0x1873_22AF;
    let sc_d = 0x1873_32AF;
    for (word, bytes) in [(sc_w, [5, 6, 7, 8].as_slice()), (sc_d, &[5, 6, 7, 8, 9, 10, 11, 12])] {
        let value = u64::from_le_bytes([5, 6, 7, 8, 9, 10, 11, 12]);
        let mut reserved = before(&[(6, MEMORY_BASE + 8), (7, value)]);
        reserved.reservation = Some(MEMORY_BASE + 8);
        let mut stored = expected(&reserved, 4, &[(5, 0)]);
        let mut page = first_page();
        page[8..8 + bytes.len()].copy_from_slice(bytes);
        (stored.memory, stored.reservation) = (root(&page), None);
        assert_eq!(execute(word, &reserved, true), stored);

        for other in [0, MEMORY_BASE, MEMORY_BASE + 12, MEMORY_BASE + 16, u64::MAX] {
            let mut elsewhere = reserved.clone();
            elsewhere.reservation = Some(other);
            let mut not_stored = expected(&elsewhere, 4, &[(5, 1)]);
            not_stored.reservation = None;
            assert_eq!(execute(word, &elsewhere, false), not_stored);
        }
        // Misaligned, whatever is reserved; and the reservation stays.
        let mut misaligned = before(&[(6, MEMORY_BASE + 2)]);
        misaligned.reservation = Some(MEMORY_BASE + 2);
        let mut trapped = expected(&misaligned, 0, &[]);
        trapped.status = Status::Trapped(Trap::Misaligned);
        assert_eq!(execute(word, &misaligned, false), trapped);
    }
}

#[test]
fn all_else_is_illegal() {
    for &(text, word) in ILLEGAL {
        assert_eq!(Instruction::decode(word), None, "{text}");
        let before = before(&[]);
        let mut after = expected(&before, 0, &[]);
        after.status = Status::Trapped(Trap::Illegal);
        assert_eq!(execute(word, &before, false), after, "{text}");
    }
}

#[test]
fn hints_do_nothing() {
    for &(text, word) in HINTS {
        let before = before(&[]);
        assert_eq!(
            execute(word, &before, false),
            expected(&before, length(word), &[]),
            "{text}"
        );
    }
}

/// What is not decoded to itself is a compressed instruction, a fence, or has an order of memory accesses.
#[test]
fn words_of_four_bytes_are_what_they_are_decoded_to() {
    let words = REGISTERS
        .iter()
        .map(|case| case.1)
        .chain(MEMORY.iter().map(|case| case.1));
    for word in words.filter(|word| word & 3 == 3) {
        let meant = match word & 0x7F {
            0x0F => 0x0F,
            0x2F => word & !(3 << 25),
            _ => word,
        };
        assert_eq!(encode(&Instruction::decode(word).unwrap()), meant, "{word:x}");
    }
}

/// The table has every operation, in both forms where there are two.
#[test]
fn every_operation_is_tried() {
    use std::collections::BTreeSet;
    let all = |length: u8| -> BTreeSet<String> {
        // Every half, and of words as many as differ in what says which operation it is.
        let halves = (0..1u32 << 16).filter(|half| half & 3 != 3);
        let words = (0..1u32 << 15).map(|bits| (bits >> 8) << 25 | (bits >> 5 & 7) << 12 | (bits & 31) << 2 | 3);
        let found = halves.chain(words).chain([0x0010_0073]).filter_map(Instruction::decode);
        found
            .filter(|one| one.length == length)
            .map(|one| format!("{:?}", one.operation))
            .collect()
    };
    let tried = |length: u8| -> BTreeSet<String> {
        let words = REGISTERS
            .iter()
            .map(|case| case.1)
            .chain(MEMORY.iter().map(|case| case.1));
        let found = words.filter_map(Instruction::decode).filter(|one| one.length == length);
        // Calls and `ebreak` have tests of their own.
        let calls = if length == 4 {
            ["Ecall", "Ebreak"].as_slice()
        } else {
            &["Ebreak"]
        };
        found
            .map(|one| format!("{:?}", one.operation))
            .chain(calls.iter().map(|name| name.to_string()))
            .collect()
    };
    assert_eq!((all(2), all(4)), (tried(2), tried(4)));
    // As many as `Operation` has.
    assert_eq!(all(4).len(), 87);
}
