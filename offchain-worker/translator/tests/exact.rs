//! Runs by translation against the interpreter: all that a run comes to is equal, wherever it ends.
//!
//! What decides is `trace`, by which runs are defended in disputes, and `Machine`.

#[path = "../../../pallets/machine/src/tests/assembler.rs"]
#[allow(dead_code)]
mod assembler;
#[path = "exact/graphs.rs"]
mod graphs;
#[path = "exact/guests.rs"]
mod guests;
#[path = "exact/hostile.rs"]
mod hostile;
#[path = "../../../pallets/machine/src/tests/random.rs"]
mod random;
#[path = "exact/segments.rs"]
mod segments;

use agora_jobs::{BlobRef, ChunkProof};
use agora_machine::{Chunks, IMAGE_BASE, MEMORY_BASE, Machine, PAGE_BYTES, Program, State, Status, instruction, trace};
use agora_test_support::cases;
use agora_translator::{Image, Policy, Run, Translator};
use proptest::prelude::*;
use std::sync::{Arc, LazyLock};

/// Blobs in memory.
#[derive(Default)]
struct Blobs(Vec<Vec<u8>>);

impl Chunks for Blobs {
    fn chunk(&self, blob: &BlobRef, index: u64, chunk: &mut [u8; PAGE_BYTES]) -> Option<()> {
        let content = self.0.iter().find(|content| BlobRef::to(content) == *blob)?;
        let bytes = &content[index as usize * PAGE_BYTES..];
        let bytes = &bytes[..bytes.len().min(PAGE_BYTES)];
        chunk[..bytes.len()].copy_from_slice(bytes);
        Some(())
    }

    fn prove(&self, _: &BlobRef, _: u64) -> Option<ChunkProof> {
        None
    }
}

static EAGER: LazyLock<Translator> = LazyLock::new(|| Translator::new(Policy::EAGER).unwrap());

/// A program, and what it is given. The first of the blobs is its input; it may read all.
struct Case {
    image: Arc<[u8]>,
    blobs: Blobs,
    reads: Vec<BlobRef>,
}

/// What a run has come to.
#[derive(PartialEq, Eq, Debug)]
struct Came {
    status: Status,
    gas_used: u64,
    pc: u64,
    registers: Vec<u64>,
    output: Vec<u8>,
}

impl Case {
    fn new(image: &[u8], blobs: Vec<Vec<u8>>) -> Self {
        Self {
            image: image.into(),
            reads: blobs.iter().map(|blob| BlobRef::to(blob)).collect(),
            blobs: Blobs(blobs),
        }
    }

    fn program(&self, gas: u64) -> Program<'_> {
        Program {
            image: &self.image,
            input: self.reads.first().copied().unwrap_or(BlobRef::to(&[])),
            gas,
            reads: Some(&self.reads),
        }
    }

    fn image(&self) -> Arc<Image> {
        EAGER.image(&self.image).unwrap()
    }

    fn run<'a>(&'a self, image: &'a Image, gas: u64) -> Run<'a> {
        Run::new(image, self.program(gas).input, gas, &self.reads, &self.blobs).unwrap()
    }

    /// What the law says.
    fn traced(&self, gas: u64) -> Came {
        let run = trace(&self.program(gas), &self.blobs).unwrap();
        let State { status, pc, .. } = run.end;
        Came {
            status,
            gas_used: gas - run.end.gas,
            pc,
            registers: run.end.registers.to_vec(),
            output: run.output,
        }
    }

    /// Runs with so much gas, in turns of `turn`; compares; and returns how it ended, and how much translated code has executed.
    fn compare(&self, image: &Image, gas: u64, turn: u64) -> (Status, u64) {
        let mut run = self.run(image, gas);
        while run.advance(turn).unwrap() == Status::Running {}
        let came = Came {
            status: run.advance(turn).unwrap(),
            gas_used: run.gas_used(),
            pc: run.pc(),
            registers: (1..32).map(|number| run.register(number)).collect(),
            output: run.output().to_vec(),
        };
        let law = self.traced(gas);
        assert_eq!(came, law, "gas {gas}, turns of {turn}; {} translated", run.translated());
        let program = self.program(gas);
        let mut machine = Machine::new(&program, &self.blobs).unwrap();
        machine.advance(u64::MAX).unwrap();
        for (from, length) in [(0, 1 << 18), ((100 << 20) - 4096, 1 << 14), ((256 << 20) - 8192, 8192)] {
            let at = MEMORY_BASE + from;
            assert!(
                run.bytes(at, length) == machine.bytes(at, length),
                "memory at {at:x}, gas {gas}"
            );
        }
        (law.status, run.translated())
    }
}

/// `words` again and again, `times` times; `x20` counts. It is not among the registers of random programs.
fn again(head: &[u8], body: &[u8], times: u64) -> Vec<u8> {
    use assembler::*;
    let mut bytes = image(li(20, times));
    bytes.extend(head);
    let begin = bytes.len();
    bytes.extend(body);
    bytes.extend(image([addi(20, 20, -1)]));
    let back = begin as i64 - bytes.len() as i64;
    // A branch over a jump, which goes further than a branch.
    bytes.extend(image([b(0, 20, 0, 8), jal(0, back as i32 - 4)]));
    bytes.extend(image(halt(0)));
    bytes
}

proptest! {
    #![proptest_config(cases(150))]

    /// Those with which the interpreter is compared with another one, in a loop.
    #[test]
    fn random_programs_in_loops(
        numbers in prop::collection::vec(
            prop_oneof![any::<u64>(), any::<i32>().prop_map(|x| x as u64), 0..3u64, Just(1 << 63), Just(i64::MAX as u64)], 7,
        ),
        instructions in prop::collection::vec(
            prop_oneof![random::half().prop_map(Ok), random::word().prop_map(Err), random::word().prop_map(Err)], 1..60,
        ),
        times in 1..200u64,
        gas in prop_oneof![Just(1u64 << 20), 1..40_000u64],
        turn in prop_oneof![Just(u64::MAX), 1..3000u64],
    ) {
        // The bases are set anew each time, and so are the numbers: only memory goes from one to the next.
        let body = random::assembled(&numbers, &instructions);
        let without_halt = &body[..body.len() - 12];
        let case = Case::new(&again(&[], without_halt, times), Vec::new());
        let image = case.image();
        case.compare(&image, gas, turn);
        // Now it is translated from the beginning.
        case.compare(&image, gas, turn);
    }
}

/// So that the test above cannot become one of programs that end at once, or that are interpreted.
#[test]
fn most_random_programs_are_translated() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let strategy = prop::collection::vec(
        prop_oneof![random::half().prop_map(Ok), random::word().prop_map(Err)],
        12,
    );
    let (mut done, mut translated, mut executed) = (0, 0, 0);
    for _ in 0..40 {
        let instructions = strategy.new_tree(&mut runner).unwrap().current();
        let body = random::assembled(&[1, 2, 3, 4, 5, 6, 7], &instructions);
        let case = Case::new(&again(&[], &body[..body.len() - 12], 50), Vec::new());
        let image = case.image();
        case.compare(&image, 1 << 20, u64::MAX);
        let (status, by_translation) = case.compare(&image, 1 << 20, u64::MAX);
        done += u32::from(status == Status::Done);
        translated += by_translation;
        executed += case.traced(1 << 20).gas_used;
    }
    assert!(done >= 15, "{done}");
    assert!(translated * 2 > executed, "{translated} of {executed}");
}
