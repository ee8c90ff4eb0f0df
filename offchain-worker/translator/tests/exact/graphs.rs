//! Programs whose control flow is any graph at all: loops with several entries, calls that never return, jumps into the middle of
//! instructions.

use crate::{Case, assembler::*, cases};
use agora_machine::{IMAGE_BASE, MEMORY_BASE};
use proptest::prelude::*;

/// How a block goes on; numbers are those of blocks, taken by the number of blocks.
#[derive(Clone, Debug)]
enum Way {
    Branch(u32, u8),
    Jump(u8),
    Call(u8),
    /// To where the last call came from.
    Return,
    /// To a block whose number is in a register.
    Indirect,
    /// To an address in the middle of a block, by a register.
    Middle(u8, u8),
    Next,
}

#[derive(Clone, Debug)]
struct Node {
    operations: Vec<(u8, u8, u8, u8, i16)>,
    way: Way,
}

/// Bytes of each block: all are as long, so that a block's address follows from its number.
const LENGTH: usize = 64;
/// The registers that blocks compute with.
const USED: [u32; 5] = [10, 11, 12, 13, 14];
/// Points to the memory.
const BASE: u32 = 8;
/// Points to the first block.
const CODE: u32 = 9;
const LINK: u32 = 1;
const SCRATCH: u32 = 6;

fn node() -> impl Strategy<Value = Node> {
    let way = prop_oneof![
        4 => (0..6u32, any::<u8>()).prop_map(|(condition, to)| Way::Branch([0, 1, 4, 5, 6, 7][condition as usize], to)),
        2 => any::<u8>().prop_map(Way::Jump),
        2 => any::<u8>().prop_map(Way::Call),
        2 => Just(Way::Return),
        2 => Just(Way::Indirect),
        1 => (any::<u8>(), 0..24u8).prop_map(|(to, half)| Way::Middle(to, half)),
        2 => Just(Way::Next),
    ];
    (prop::collection::vec(any::<(u8, u8, u8, u8, i16)>(), 0..6), way)
        .prop_map(|(operations, way)| Node { operations, way })
}

fn operation(&(which, rd, rs1, rs2, number): &(u8, u8, u8, u8, i16)) -> u32 {
    let of = |any: u8| USED[usize::from(any) % USED.len()];
    let (rd, rs1, rs2) = (of(rd), of(rs1), of(rs2));
    let near = i32::from(number) & 0x3F8;
    match which % 12 {
        0 | 1 => addi(rd, rs1, i32::from(number) >> 4),
        2 => add(rd, rs1, rs2),
        3 => r(0x33, 0, 32, rd, rs1, rs2),
        4 => r(0x33, 4, 0, rd, rs1, rs2),
        5 => r(0x33, 0, 1, rd, rs1, rs2),
        6 => i(0x13, 5, rd, rs1, i32::from(number) & 63),
        7 => i(0x03, 3, rd, BASE, near),
        8 => sd(BASE, rs1, near),
        // The base moves about the memory, by whole pages and a little.
        9 => i(0x13, 0, BASE, BASE, i32::from(number) & 0x7F8),
        10 => i(0x03, 3, rd, CODE, i32::from(number) & 0x78),
        _ => r(0x33, 3, 0, rd, rs1, rs2),
    }
}

fn assemble(nodes: &[Node]) -> Vec<u8> {
    let head = |at: usize| {
        [
            li(BASE, MEMORY_BASE),
            li(CODE, IMAGE_BASE + at as u64),
            li(LINK, IMAGE_BASE + at as u64),
        ]
    };
    // `li` has the same length whatever the number is.
    let start = image(head(0).concat()).len();
    let mut bytes = image(head(start).concat());
    for (number, node) in nodes.iter().enumerate() {
        let mut words: Vec<u32> = node.operations.iter().map(operation).collect();
        let at = (number * LENGTH + 4 * words.len()) as i32;
        let to = |to: u8| (usize::from(to) % nodes.len() * LENGTH) as i32;
        match node.way {
            Way::Branch(condition, target) => words.push(b(condition, 10, 11, to(target) - at)),
            Way::Jump(target) => words.push(jal(0, to(target) - at)),
            Way::Call(target) => words.push(jal(LINK, to(target) - at)),
            Way::Return => words.push(i(0x67, 0, 0, LINK, 0)),
            Way::Indirect => words.extend([
                // (x12 & 7) blocks further on than the first.
                i(0x13, 7, SCRATCH, 12, 7),
                i(0x13, 1, SCRATCH, SCRATCH, LENGTH.ilog2() as i32),
                add(SCRATCH, SCRATCH, CODE),
                i(0x67, 0, LINK, SCRATCH, 0),
            ]),
            Way::Middle(target, half) => words.extend([
                addi(SCRATCH, CODE, (to(target) + 2 * i32::from(half)).min(2047)),
                i(0x67, 0, 0, SCRATCH, 0),
            ]),
            Way::Next => {}
        }
        // Compressed `nop`s.
        let mut block = image(words);
        while block.len() < LENGTH {
            block.extend(1u16.to_le_bytes());
        }
        bytes.extend(block);
    }
    bytes
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn whatever_the_graph_is(
        nodes in prop::collection::vec(node(), 8..40),
        gas in prop_oneof![Just(1u64 << 18), 1..60_000u64],
        turn in prop_oneof![Just(u64::MAX), 1..3000u64],
    ) {
        let case = Case::new(&assemble(&nodes), Vec::new());
        let image = case.image();
        for _ in 0..2 {
            case.compare(&image, gas, turn);
        }
    }
}

/// So that the test above cannot become one of programs that trap at once.
#[test]
fn many_graphs_run_long_and_translated() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let (mut long, mut translated) = (0, 0);
    for _ in 0..40 {
        let nodes = prop::collection::vec(node(), 8..40)
            .new_tree(&mut runner)
            .unwrap()
            .current();
        let case = Case::new(&assemble(&nodes), Vec::new());
        let image = case.image();
        case.compare(&image, 1 << 18, u64::MAX);
        let (_, executed) = case.compare(&image, 1 << 18, u64::MAX);
        long += u32::from(case.traced(1 << 18).gas_used > 1000);
        translated += u32::from(executed > 500);
    }
    assert!(long >= 10 && translated >= 8, "{long} {translated}");
}
