use super::world::{Contents, World};
use crate::*;
use agora_jobs::{BlobRef, H256, Mode, ProgramJob, ProgramRun, blob, program::Ending, program::read_record};
use agora_machine::{Chunks, MAX_GAS, Machine, Program, RunError, Status, run_tree::RunTree, trace};
use codec::{DecodeAll, Encode};
use serde::Deserialize;

#[derive(Deserialize)]
struct Vector {
    name: String,
    job: String,
    job_hash: String,
    contents: Vec<String>,
    arguments: Vec<String>,
    trailers: Vec<String>,
    record_hashes: Vec<String>,
    run_roots: Vec<String>,
    gas_used: Vec<u64>,
    state_digests: Vec<String>,
    output_first_bytes: String,
    output_bytes: usize,
    claim: String,
}

impl Vector {
    fn all() -> Vec<Self> {
        serde_json::from_str(include_str!("../../../../tests/vectors/program.json")).unwrap()
    }

    fn named(name: &str) -> Self {
        Self::all().into_iter().find(|vector| vector.name == name).unwrap()
    }

    fn job(&self) -> ProgramJob {
        let spec = JobSpec::decode_all(&mut &hex::decode(&self.job).unwrap()[..]).unwrap();
        assert_eq!(format!("{:x}", spec.hash()), self.job_hash);
        let JobSpec::V2(JobKind::Program(job)) = spec else {
            panic!("another kind")
        };
        job
    }

    fn contents(&self) -> Contents {
        let mut contents = Contents::default();
        for content in &self.contents {
            contents.insert(hex::decode(content).unwrap());
        }
        contents
    }
}

/// What a run reads: contents, and its own.
struct Reads<'a>(&'a Contents, Vec<Vec<u8>>);

impl Chunks for Reads<'_> {
    fn chunk(&self, blob: &BlobRef, index: u64, chunk: &mut [u8; 1024]) -> Option<()> {
        let own = self.1.iter().find(|own| BlobRef::to(own) == *blob);
        let content = own.or_else(|| self.0.0.get(blob))?;
        let bytes = &content[index as usize * 1024..];
        let bytes = &bytes[..bytes.len().min(1024)];
        chunk[..bytes.len()].copy_from_slice(bytes);
        Some(())
    }

    fn prove(&self, _: &BlobRef, _: u64) -> Option<agora_jobs::ChunkProof> {
        None
    }
}

#[test]
fn records_states_and_runs_are_those_of_the_vectors() {
    for vector in Vector::all() {
        let (name, job, contents) = (&vector.name, vector.job(), vector.contents());
        let world = World::new(JobKind::Program(job.clone()), &contents).unwrap();
        let outcome = run(&world.job, &contents).unwrap();
        assert_eq!(hex::encode(outcome.claim.encode()), vector.claim, "{name}");
        assert_eq!(outcome.output.len(), vector.output_bytes, "{name}");
        assert!(
            hex::encode(&outcome.output).starts_with(&vector.output_first_bytes),
            "{name}"
        );
        let digests: Vec<H256> = world.states.iter().map(|state| blob::hash(state)).collect();
        let hexes = |hashes: &[H256]| hashes.iter().map(|hash| format!("{hash:x}")).collect::<Vec<_>>();
        assert_eq!(hexes(&digests), vector.state_digests, "{name}");
        assert_eq!(job.items as usize, vector.arguments.len(), "{name}");
        for item in 0..job.items as usize {
            let (record, before) = match job.mode {
                Mode::Map => (
                    world.states[0].chunks(job.record_bytes as usize).nth(item).unwrap(),
                    None,
                ),
                Mode::Fold => (&world.states[item][..], item.checked_sub(1)),
            };
            assert_eq!(
                format!("{:x}", blob::hash(record)),
                vector.record_hashes[item],
                "{name} {item}"
            );
            assert_eq!(
                hex::encode(&record[record.len() - 8..]),
                vector.trailers[item],
                "{name} {item}"
            );
            let run = job.run(item as u64, before.map(|before| digests[before]));
            assert_eq!(hex::encode(&run.arguments), vector.arguments[item], "{name} {item}");
            let before = before.map(|before| world.states[before].clone()).unwrap_or_default();
            let reads = Reads(&contents, vec![run.arguments.clone(), before]);
            let image = contents.content(&run.image).unwrap();
            let program = Program {
                image,
                input: run.input(),
                gas: run.gas,
                reads: Some(&run.reads),
            };
            let traced = trace(&program, &reads).unwrap();
            let root = RunTree::new(traced.states).unwrap().root();
            assert_eq!(format!("{root:x}"), vector.run_roots[item], "{name} {item}");
            assert_eq!(run.gas - traced.end.gas, vector.gas_used[item], "{name} {item}");
            let ending = traced.end.status.ending().unwrap();
            assert_eq!(job.record(ending, &traced.output), record, "{name} {item}");
        }
    }
}

#[test]
fn a_unit_reads_the_record_before_and_what_the_run_reads() {
    let vector = Vector::named("a fold");
    let (job, contents) = (vector.job(), vector.contents());
    let world = World::new(JobKind::Program(job.clone()), &contents).unwrap();
    let at = |state| Known {
        world: &world,
        hidden: None,
        state,
    };
    for state in 0..job.items.into() {
        let step = Step::State(state);
        let record = job.compute(&at(state), step, 0).unwrap();
        assert_eq!(record, world.states[state as usize]);
        // Without any one chunk it says that this one is missing.
        let image = Source::Input(job.image);
        let mut needed = vec![(image, 0), (Source::Input(job.inputs.as_slice()[0]), 0)];
        needed.extend(state.checked_sub(1).map(|before| (Source::State(before), 1)));
        for hidden in needed {
            let known = Known {
                world: &world,
                hidden: Some(hidden),
                state,
            };
            let (source, chunk) = hidden;
            assert_eq!(job.compute(&known, step, 0), Err(Fault::Missing { source, chunk }));
        }
        assert_eq!(job.compute(&at(state), step, 1), Err(Fault::NoUnit));
    }
    assert_eq!(job.compute(&at(6), Step::State(6), 0), Err(Fault::NoUnit));
    assert_eq!(job.compute(&at(0), Step::Inputs, 0), Err(Fault::NoUnit));
}

/// All states before one, less a chunk.
struct Known<'a> {
    world: &'a World,
    hidden: Option<(Source, u64)>,
    state: u64,
}

impl Blobs for Known<'_> {
    fn chunk(&self, source: &Source, index: u64, chunk: &mut [u8; 1024]) -> Option<usize> {
        if self.hidden == Some((*source, index)) {
            return None;
        }
        let content = match source {
            Source::Input(blob) => self.world.inputs.0.get(blob)?,
            Source::State(state) if *state < self.state => &self.world.states[*state as usize],
            _ => return None,
        };
        let bytes = content.get(index as usize * 1024..)?;
        let bytes = &bytes[..bytes.len().min(1024)];
        chunk[..bytes.len()].copy_from_slice(bytes);
        Some(bytes.len())
    }
}

#[test]
fn units_are_runs_of_one_record_each() {
    let JobKind::Program(map) = JobKind::Program(Vector::named("every ending").job()) else {
        unreachable!()
    };
    let fold = ProgramJob {
        mode: Mode::Fold,
        ..map.clone()
    };
    let size = u64::from(map.record_bytes);
    assert_eq!((map.states(), map.state_size(0)), (1, 14 * size));
    assert_eq!((fold.states(), fold.state_size(5)), (14, size));
    assert_eq!((map.units(Step::State(0)), map.units(Step::State(1))), (14, 0));
    assert_eq!((fold.units(Step::State(13)), fold.units(Step::State(14))), (1, 0));
    assert_eq!((map.units(Step::Inputs), fold.units(Step::Inputs)), (0, 0));
    for (job, step, unit, offset) in [(&map, Step::State(0), 13, 13 * size), (&fold, Step::State(13), 0, 0)] {
        let found = super::world::check_bounds(job, step, unit);
        assert_eq!(found.output, Output::Part { offset, size });
        assert_eq!(found.work, job.run_work());
        assert_eq!(job.unit(step, unit + 1), None);
        assert_eq!(job.program(), Some(job));
    }
    // The kinds of the reference are no programs.
    let synthetic = agora_jobs::SyntheticJob {
        seed: [1; 32],
        matrix_size: 1,
        iterations: 1,
    };
    assert_eq!(synthetic.program(), None);
}

/// The image of this crate holds no interpreter, and no program can be disputed by it: it says that there is no such unit.
#[test]
fn the_image_of_the_reference_has_no_unit_of_a_program() {
    const IMAGE: &[u8] = include_bytes!("../../../../guests/images/reference.bin");
    let vector = Vector::named("one item");
    let mut contents = vector.contents();
    let job = contents.insert(hex::decode(&vector.job).unwrap());
    let nothing = contents.insert(Vec::new());
    let run = UnitRun {
        job,
        states: nothing,
        scans: nothing,
        kept: nothing,
        step: Step::State(0),
        unit: 0,
    };
    let input = contents.insert(run.encode());
    let program = Program {
        image: IMAGE,
        input,
        gas: 1 << 22,
        reads: None,
    };
    let reads = Reads(&contents, Vec::new());
    let mut machine = Machine::new(&program, &reads).unwrap();
    assert!(matches!(machine.advance(u64::MAX), Ok(Status::Trapped(_))));
}

/// What no bytes of a job can say has no run.
#[test]
fn a_run_that_the_machine_does_not_take_is_no_unit() {
    let vector = Vector::named("one item");
    let (mut job, contents) = (vector.job(), vector.contents());
    job.gas = MAX_GAS + 1;
    let world = World {
        job: JobSpec::V2(JobKind::Program(job.clone())),
        inputs: contents.clone(),
        kept: Default::default(),
        states: Vec::new(),
    };
    let known = Known {
        world: &world,
        hidden: None,
        state: 0,
    };
    assert_eq!(job.compute(&known, Step::State(0), 0), Err(Fault::NoUnit));
    assert_eq!(run(&world.job, &contents), Err(Fault::NoUnit));
    let ProgramRun { image, .. } = job.run(0, None);
    let program = Program {
        image: contents.content(&image).unwrap(),
        input: BlobRef::to(&[]),
        gas: job.gas,
        reads: Some(&[]),
    };
    assert_eq!(
        Machine::new(&program, &Reads(&contents, Vec::new())).err(),
        Some(RunError::Gas)
    );
    // Trailers are read as what they are.
    assert_eq!(
        read_record(&job.record(Ending::OutOfGas, b"x")),
        Some((Ending::OutOfGas, &b"x"[..]))
    );
}
