//! Program jobs: maps and folds of the examples, their checks, and what hostile programs do.

mod opened;

use agora_compute::{
    BlobRef, CancelFlag, Computation, Engine, EngineError, JobKind, JobSpec, MemoryInputs, NoProgress, Place,
    ProgramJob, Verdict, output_digest, program::Blobs,
};
use agora_machine::{Machine, Program, Status};
use agora_primitives::job::{
    Claim, H256, Mode, ProgramInputs,
    program::{Ending, read_record},
    states_root,
};
use codec::{DecodeAll, Encode};
use opened::{CPU, engines};
use serde::Deserialize;
use std::sync::{
    Mutex,
    atomic::{AtomicU32, Ordering},
};

const PI: &[u8] = include_bytes!("../../../guests/images/pi.bin");
const LIFE: &[u8] = include_bytes!("../../../guests/images/life.bin");
const WORDS: &[u8] = include_bytes!("../../../guests/images/words.bin");
const RECORD: usize = 1024;

fn job(image: &[u8], inputs: &[&[u8]], mode: Mode, items: u32, gas: u64) -> (ProgramJob, MemoryInputs) {
    let mut memory = MemoryInputs::new();
    let blobs: Vec<BlobRef> = inputs.iter().map(|&input| memory.insert(input)).collect();
    let job = ProgramJob {
        image: memory.insert(image),
        inputs: ProgramInputs::try_from(blobs).unwrap(),
        mode,
        items,
        gas,
        record_bytes: RECORD as u32,
    };
    (job, memory)
}

fn spec(job: &ProgramJob) -> JobSpec {
    JobSpec::V2(JobKind::Program(job.clone()))
}

fn run(job: &ProgramJob, inputs: &MemoryInputs) -> Computation {
    CPU.run(&spec(job), inputs, &NoProgress, &CancelFlag::new()).unwrap()
}

fn endings(computed: &Computation) -> Vec<Ending> {
    let records = computed.output.chunks(RECORD);
    records.map(|record| read_record(record).unwrap().0).collect()
}

/// `j .`: it never ends.
const FOR_EVER: [u8; 4] = 0x0000_006fu32.to_le_bytes();

#[test]
fn every_engine_gives_the_records_of_all_items_and_the_states_of_all_steps() {
    let (map, inputs) = job(PI, &[b"9 100"], Mode::Map, 5, 1 << 24);
    for engine in engines() {
        let computed = engine
            .run(&spec(&map), &inputs, &NoProgress, &CancelFlag::new())
            .unwrap();
        assert_eq!(endings(&computed), [Ending::Done; 5]);
        assert_eq!(computed.state_digests, [output_digest(&computed.output)]);
        let items: Vec<&[u8]> = computed.output.chunks(RECORD).collect();
        assert!(
            items.windows(2).any(|pair| pair[0] != pair[1]),
            "each item has points of its own"
        );
    }
    let (fold, inputs) = job(LIFE, &[b"...\n###\n...\n...\n...\n", b"1"], Mode::Fold, 4, 1 << 24);
    let mut before: Vec<[u8; 32]> = Vec::new();
    for steps in 1..=4 {
        let shorter = ProgramJob {
            items: steps,
            ..fold.clone()
        };
        let computed = run(&shorter, &inputs);
        assert_eq!(computed.output.len(), RECORD);
        assert_eq!(computed.state_digests.len(), steps as usize);
        assert_eq!(computed.digest(), output_digest(&computed.output));
        // The number of steps is an argument, which this program does not look at.
        assert_eq!(computed.state_digests[..before.len()], before[..]);
        before = computed.state_digests;
    }
}

/// Long enough for a translation, which the later items begin with.
#[test]
fn runs_are_those_of_the_interpreter() {
    let (job, inputs) = job(PI, &[b"9 12000"], Mode::Map, 3, 1 << 24);
    let blobs = Blobs::of(&job, &inputs).unwrap();
    for item in 0..3 {
        let ran = blobs.run(&job, item, None, &CancelFlag::new()).unwrap();
        let run = job.run(item, None);
        let own = blobs.with(&run.arguments).with(&[]);
        let program = Program {
            image: PI,
            input: run.input(),
            gas: run.gas,
            reads: Some(&run.reads),
        };
        let mut machine = Machine::new(&program, &own).unwrap();
        assert_eq!(machine.advance(u64::MAX), Ok(Status::Done));
        assert!(machine.gas_used() > 1 << 21, "{}", machine.gas_used());
        assert_eq!((ran.ending, ran.gas), (Ending::Done, machine.gas_used()));
        assert_eq!(ran.output, machine.output());
    }
}

#[test]
fn whatever_a_program_does_is_a_result() {
    let ending = |image: &[u8], gas: u64| {
        let (job, inputs) = job(image, &[], Mode::Map, 2, gas);
        let computed = run(&job, &inputs);
        let check = CPU.check_claim(&spec(&job), &inputs, &computed.claim(), &computed.output, &[1; 32]);
        assert_eq!(check.unwrap(), Verdict::Right);
        endings(&computed)
    };
    assert_eq!(ending(&FOR_EVER, 1), [Ending::OutOfGas; 2]);
    assert_eq!(ending(&FOR_EVER, 100_000), [Ending::OutOfGas; 2]);
    // A byte is no instruction, zeroes are an illegal one, and after the last there is none.
    for (image, trap) in [(&[0x13][..], 1), (&[0, 0], 0), (&0x0000_0013u32.to_le_bytes(), 1)] {
        assert_eq!(ending(image, 9), [Ending::Trapped(trap); 2], "{image:?}");
    }
    assert_eq!(ending(WORDS, 1 << 20), [Ending::Unusable; 2], "it has no input");
}

#[test]
fn a_job_is_never_unusable_and_a_claim_that_it_is_is_wrong() {
    let (job, inputs) = job(&[0, 0], &[b"input"], Mode::Map, 1, 9);
    let check = CPU.check_claim(&spec(&job), &inputs, &Claim::Unusable, &[], &[1; 32]);
    assert_eq!(check.unwrap(), Verdict::Wrong(Place::Inputs));
    // An input that is not there is no fault of the job, and no claim.
    let none = MemoryInputs::new();
    for claim in [Claim::Unusable, run(&job, &inputs).claim()] {
        let output = vec![0; claim.output().map_or(0, |output| output.size as usize)];
        let missing = CPU.check_claim(&spec(&job), &none, &claim, &output, &[1; 32]);
        assert!(
            matches!(missing, Err(EngineError::Input(_)) | Ok(Verdict::Wrong(Place::Item(0)))),
            "{missing:?}"
        );
    }
    let missing = CPU.run(&spec(&job), &none, &NoProgress, &CancelFlag::new());
    assert!(matches!(missing, Err(EngineError::Input(_))));
}

#[test]
fn a_wrong_record_of_few_items_is_always_found() {
    let (job, inputs) = job(PI, &[b"9 30"], Mode::Map, 20, 1 << 24);
    let right = run(&job, &inputs);
    for item in 0..20 {
        // Another digit, and so another record that a run could have left.
        let mut wrong = right.output.clone();
        let digit = &mut wrong[item * RECORD];
        *digit = if *digit == b'1' { b'2' } else { b'1' };
        assert!(read_record(&wrong[item * RECORD..][..RECORD]).is_some());
        for engine in engines() {
            let verdict = engine
                .check_output(&spec(&job), &inputs, &wrong, &[item as u8; 32])
                .unwrap();
            assert_eq!(verdict, Verdict::Wrong(Place::Item(item as u64)));
        }
    }
    let short = CPU
        .check_output(&spec(&job), &inputs, &right.output[1..], &[0; 32])
        .unwrap();
    assert!(matches!(short, Verdict::Wrong(Place::Length { .. })));
}

#[test]
fn what_no_run_leaves_is_found_whatever_is_drawn() {
    let (job, inputs) = job(&[0, 0], &[], Mode::Map, 4000, 9);
    let right = run(&job, &inputs);
    assert_eq!(
        CPU.check_output(&spec(&job), &inputs, &right.output, &[2; 32]).unwrap(),
        Verdict::Right
    );
    let mut wrong = right.output;
    wrong[3777 * RECORD] = 1;
    let verdict = CPU.check_output(&spec(&job), &inputs, &wrong, &[2; 32]).unwrap();
    assert_eq!(verdict, Verdict::Wrong(Place::Item(3777)));
}

#[test]
fn of_a_fold_the_last_record_and_all_states_are_compared() {
    let (job, inputs) = job(LIFE, &[b"...\n###\n...\n...\n...\n", b"1"], Mode::Fold, 4, 1 << 24);
    let right = run(&job, &inputs);
    let check = |claim: &Claim, output: &[u8]| CPU.check_claim(&spec(&job), &inputs, claim, output, &[3; 32]).unwrap();
    assert_eq!(check(&right.claim(), &right.output), Verdict::Right);
    let mut states = right.states();
    states[1] = H256([7; 32]);
    let output = BlobRef::to(&right.output);
    let other = Claim::Output {
        output,
        states_root: states_root(&states),
    };
    assert_eq!(check(&other, &right.output), Verdict::Wrong(Place::States));
    let mut wrong = right.output.clone();
    wrong[5] ^= 1;
    let claim = Claim::Output {
        output: BlobRef::to(&wrong),
        states_root: states_root(&right.states()),
    };
    assert_eq!(check(&claim, &wrong), Verdict::Wrong(Place::Byte(5)));
    assert_eq!(
        CPU.check_output(&spec(&job), &inputs, &right.output, &[3; 32]).unwrap(),
        Verdict::Right
    );
}

#[test]
fn progress_is_told_and_a_run_that_is_cancelled_ends_long_before_its_gas() {
    let told = Mutex::new(Vec::new());
    let (job_, inputs) = job(PI, &[b"9 10"], Mode::Map, 6, 1 << 24);
    let progress = |done, total| told.lock().unwrap().push((done, total));
    CPU.run(&spec(&job_), &inputs, &progress, &CancelFlag::new()).unwrap();
    let expected: Vec<(u32, u32)> = (0..=6).map(|done| (done, 6)).collect();
    assert_eq!(told.into_inner().unwrap(), expected);

    for mode in [Mode::Map, Mode::Fold] {
        // Minutes, if nobody stops it.
        let (endless, inputs) = job(&FOR_EVER, &[], mode, 3, 1 << 34);
        let cancel = CancelFlag::new();
        let calls = AtomicU32::new(0);
        let stopping = |_, _| {
            calls.fetch_add(1, Ordering::Relaxed);
            cancel.cancel();
        };
        let cancelled = CPU.run(&spec(&endless), &inputs, &stopping, &cancel);
        assert!(matches!(cancelled, Err(EngineError::Cancelled)), "{cancelled:?}");
        assert_eq!(calls.load(Ordering::Relaxed), 1, "the first is before anything is done");
    }
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    job: String,
    contents: Vec<String>,
    record_hashes: Vec<String>,
    gas_used: Vec<u64>,
    state_digests: Vec<String>,
    output_bytes: usize,
    claim: String,
}

#[test]
fn every_engine_computes_the_vectors() {
    let vectors: Vec<Vector> = serde_json::from_str(include_str!("../../../tests/vectors/program.json")).unwrap();
    assert!(vectors.len() > 3);
    for vector in vectors {
        let name = &vector.name;
        let spec = JobSpec::decode_all(&mut &hex::decode(&vector.job).unwrap()[..]).unwrap();
        let mut inputs = MemoryInputs::new();
        for content in &vector.contents {
            inputs.insert(hex::decode(content).unwrap());
        }
        for engine in engines() {
            let computed = engine.run(&spec, &inputs, &NoProgress, &CancelFlag::new()).unwrap();
            let digests: Vec<String> = computed.state_digests.iter().map(hex::encode).collect();
            assert_eq!(digests, vector.state_digests, "{name}");
            assert_eq!(computed.output.len(), vector.output_bytes, "{name}");
            assert_eq!(hex::encode(computed.claim().encode()), vector.claim, "{name}");
            let check = engine.check_claim(&spec, &inputs, &computed.claim(), &computed.output, &[4; 32]);
            assert_eq!(check.unwrap(), Verdict::Right, "{name}");
        }
        // Each run by itself, with its gas.
        let JobSpec::V2(JobKind::Program(job)) = spec else {
            panic!("{name} is no program")
        };
        let blobs = Blobs::of(&job, &inputs).unwrap();
        let mut before: Option<Vec<u8>> = None;
        for (item, (hash, gas)) in (0..).zip(vector.record_hashes.iter().zip(&vector.gas_used)) {
            let ran = blobs.run(&job, item, before.as_deref(), &CancelFlag::new()).unwrap();
            let record = ran.record(&job);
            assert_eq!(
                (hex::encode(output_digest(&record)), ran.gas),
                (hash.clone(), *gas),
                "{name}, item {item}"
            );
            before = (job.mode == Mode::Fold).then_some(record);
        }
    }
}

/// A program that leaves this in a7, and in a0 to a2 the address and the length of a text and the line 77; then it stops itself.
fn panicking(says: &[u8; 8], text: &[u8], length: u32) -> Vec<u8> {
    let immediate = |value: u32, rs1: u32, funct3: u32, rd: u32, code: u32| {
        (value << 20) | (rs1 << 15) | (funct3 << 12) | (rd << 7) | code
    };
    let words = [
        // auipc a0, 0; ld a7, 24(a0); addi a0, a0, 32; li a1, length; li a2, 77; ebreak
        0x0000_0517,
        immediate(24, 10, 3, 17, 0x03),
        immediate(32, 10, 0, 10, 0x13),
        immediate(length, 0, 0, 11, 0x13),
        immediate(77, 0, 0, 12, 0x13),
        0x0010_0073u32,
    ];
    let code = words.into_iter().flat_map(u32::to_le_bytes);
    code.chain(says.iter().copied()).chain(text.iter().copied()).collect()
}

#[test]
fn a_program_says_where_it_panicked_and_nobody_has_to_believe_it() {
    let panic = |says: &[u8; 8], text: &[u8], length: u32| {
        let (job, inputs) = job(&panicking(says, text, length), &[], Mode::Map, 1, 100);
        let ran = Blobs::of(&job, &inputs)
            .unwrap()
            .run(&job, 0, None, &CancelFlag::new())
            .unwrap();
        assert_eq!(ran.ending, Ending::Trapped(4));
        ran.panic.map(|panic| (panic.file, panic.line))
    };
    let says = b"panic\0\0\0";
    assert_eq!(panic(says, b"src/main.rs", 11), Some(("src/main.rs".to_owned(), 77)));
    // Nothing that a terminal would obey.
    assert_eq!(panic(says, b"a\x1b[2J\nb", 7), Some(("a[2Jb".to_owned(), 77)));
    assert_eq!(panic(b"panik\0\0\0", b"src/main.rs", 11), None);
    // More than there is, and more than any file's name has.
    assert_eq!(panic(says, b"src/main.rs", 12), None);
    assert_eq!(panic(says, &[b'a'; 1100], 1025), None);
    assert_eq!(panic(says, &[b'a'; 1100], 1024).map(|(file, _)| file.len()), Some(1024));
}
