//! What a second implementation says of runs and of instructions: `tests/vectors/machine.py` wrote it from the page alone.

use super::{Blobs, assembler::encode};
use crate::{
    Machine, Program, RunError, State, Status, execute_segment, instruction::Instruction, run_tree::RunTree,
    show_segment, trace, tree,
};
use agora_jobs::{BlobRef, blob};
use codec::{Decode, Encode};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Vectors {
    empty_root: String,
    meanings: BTreeMap<String, Meaning>,
    runs: Vec<Run>,
}

/// Of a group of instructions: how many are legal, and the hash of what they mean.
#[derive(Deserialize, PartialEq, Eq, Debug)]
struct Meaning {
    legal: usize,
    hash: String,
}

#[derive(Deserialize)]
struct Run {
    name: String,
    image: String,
    input_bytes: usize,
    other_blobs_bytes: Vec<usize>,
    gas: u64,
    reads: Option<Vec<String>>,
    start_hash: String,
    state_hashes: Vec<String>,
    witness_bytes: Vec<usize>,
    witness_hashes: Vec<String>,
    end_scale: String,
    output_hash: String,
    run_root: String,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../../../../tests/vectors/machine.json")).unwrap()
}

fn content(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i % 251) as u8).collect()
}

#[test]
fn runs_are_those_of_the_vectors() {
    let runs = vectors().runs;
    assert!(runs.len() > 150);
    for run in runs {
        let (name, image, input) = (&run.name, hex::decode(&run.image).unwrap(), content(run.input_bytes));
        let reads: Option<Vec<BlobRef>> = run.reads.as_ref().map(|reads| {
            let decode = |hex: &String| BlobRef::decode(&mut &hex::decode(hex).unwrap()[..]).unwrap();
            reads.iter().map(decode).collect()
        });
        let program = Program {
            image: &image,
            input: BlobRef::to(&input),
            gas: run.gas,
            reads: reads.as_deref(),
        };
        let others = run.other_blobs_bytes.iter().map(|&len| content(len));
        let blobs = Blobs(others.chain([input]).collect());
        let start = State::start(&program.input, program.gas);
        assert_eq!(format!("{:x}", start.hash()), run.start_hash, "{name}");

        // Fast.
        let mut machine = Machine::new(&program, &blobs).unwrap();
        let status = machine.advance(u64::MAX).unwrap();
        assert_eq!(format!("{:x}", blob::hash(machine.output())), run.output_hash, "{name}");

        // A few instructions at a time: where it is interrupted changes nothing.
        let mut slow = Machine::new(&program, &blobs).unwrap();
        while slow.advance(7).unwrap() == Status::Running {}
        assert_eq!(slow.gas_used(), machine.gas_used(), "{name}");
        assert_eq!(slow.output(), machine.output(), "{name}");

        // With a record.
        let traced = trace(&program, &blobs).unwrap();
        assert_eq!(hex::encode(traced.end.encode()), run.end_scale, "{name}");
        assert_eq!(
            (traced.end.status, program.gas - traced.end.gas),
            (status, machine.gas_used()),
            "{name}"
        );
        assert_eq!(traced.output, machine.output(), "{name}");
        assert_eq!(
            format!("{:x}", traced.end.output.blob().hash),
            run.output_hash,
            "{name}"
        );
        let states: Vec<String> = traced.states.iter().map(|state| format!("{state:x}")).collect();
        let ended_at_once = vec![run.start_hash.clone()];
        let expected = if start.status == Status::Running {
            &run.state_hashes
        } else {
            &ended_at_once
        };
        assert_eq!(states, *expected, "{name}");
        assert_eq!(
            format!("{:x}", RunTree::new(traced.states).unwrap().root()),
            run.run_root,
            "{name}"
        );

        // Segment by segment, from witnesses.
        let mut before = start;
        for (number, hash) in run.state_hashes.iter().enumerate() {
            let (state, witness) = show_segment(&program, &blobs, number as u64).unwrap();
            assert_eq!(state, before, "{name}: {number}");
            assert_eq!(witness.encoded_size(), run.witness_bytes[number], "{name}: {number}");
            assert_eq!(
                format!("{:x}", blob::hash(&witness.encode())),
                run.witness_hashes[number],
                "{name}: {number}"
            );
            before = execute_segment(&BlobRef::to(&image), program.reads, &state, &witness).unwrap();
            assert_eq!(format!("{:x}", before.hash()), *hash, "{name}: {number}");
        }
        assert_eq!(before, traced.end, "{name}");
        let beyond = show_segment(&program, &blobs, run.state_hashes.len() as u64);
        assert_eq!(beyond.err(), Some(RunError::NoSegment), "{name}");
    }
}

#[test]
fn the_root_of_zeroes_is_that_of_the_vectors() {
    assert_eq!(format!("{:x}", tree::EMPTY_ROOT), vectors().empty_root);
}

/// All instructions of two bytes, and those of four by all that says which one it is.
#[test]
fn instructions_mean_what_the_vectors_say() {
    let mut groups: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    let meant = |word| Instruction::decode(word).map_or(0, |one| encode(&one));
    for half in (0..1u32 << 16).filter(|half| half & 3 != 3) {
        let group = format!("compressed {} {}", half & 3, half >> 13);
        groups.entry(group).or_default().push(meant(half));
    }
    for opcode in (3..128).step_by(4) {
        for bits in 0..1 << 10 {
            for (rd, rs1, rs2) in [(0, 0, 0), (0, 0, 1), (1, 2, 3), (31, 30, 29)] {
                let word = super::assembler::r(opcode, bits >> 7, bits & 127, rd, rs1, rs2);
                groups
                    .entry(format!("full {opcode:#04x}"))
                    .or_default()
                    .push(meant(word));
            }
        }
    }
    let found: BTreeMap<String, Meaning> = groups
        .into_iter()
        .map(|(group, words)| {
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            let legal = words.iter().filter(|word| **word != 0).count();
            let hash = format!("{:x}", blob::hash(&bytes));
            (group, Meaning { legal, hash })
        })
        .collect();
    assert_eq!(found, vectors().meanings);
}
