//! Computes jobs unit by unit, each with nothing but what went before it, and checks what the crate promises of units.

use super::machine::Machine;
use crate::*;
use agora_jobs::{BlobRef, Claim, JobKind, JobSpec, blob, blob::CHUNK_BYTES, states_root};
use agora_machine::Status;
use std::{cell::RefCell, collections::BTreeMap};

/// Contents of inputs.
#[derive(Default, Clone)]
pub struct Contents(pub BTreeMap<BlobRef, Vec<u8>>);

impl Contents {
    pub fn insert(&mut self, content: Vec<u8>) -> BlobRef {
        let blob = BlobRef::to(&content);
        self.0.insert(blob, content);
        blob
    }
}

impl Inputs for Contents {
    fn content(&self, blob: &BlobRef) -> Option<&[u8]> {
        self.0.get(blob).map(Vec::as_slice)
    }
}

/// Everything that was computed of a job.
pub struct World {
    pub job: JobSpec,
    pub inputs: Contents,
    pub kept: BTreeMap<(Step, u64), Vec<u8>>,
    pub states: Vec<Vec<u8>>,
}

/// What of a world went before a unit, less a chunk that is hidden.
struct Before<'a> {
    world: &'a World,
    step: Step,
    unit: u64,
    hidden: Option<(Source, u64)>,
    reads: RefCell<Vec<(Source, u64)>>,
}

impl Blobs for Before<'_> {
    fn chunk(&self, source: &Source, index: u64, chunk: &mut [u8; CHUNK_BYTES]) -> Option<usize> {
        if self.hidden == Some((*source, index)) {
            return None;
        }
        let content = match *source {
            Source::Input(blob) => self.world.inputs.0.get(&blob)?,
            Source::State(state) if Step::State(state) < self.step => &self.world.states[state as usize],
            Source::Kept(step, unit) if step == self.step && unit < self.unit => self.world.kept.get(&(step, unit))?,
            Source::Kept(Step::Inputs, unit) if self.step != Step::Inputs => {
                self.world.kept.get(&(Step::Inputs, unit))?
            }
            Source::State(_) | Source::Kept(..) => return None,
        };
        self.reads.borrow_mut().push((*source, index));
        let bytes = content.get(index as usize * CHUNK_BYTES..)?;
        let bytes = &bytes[..bytes.len().min(CHUNK_BYTES)];
        chunk[..bytes.len()].copy_from_slice(bytes);
        Some(bytes.len())
    }
}

impl World {
    /// Computes `kind` unit by unit, checks each unit against what is said of it, and what comes of it against [`run`].
    ///
    /// Errors: of the first unit that has none.
    pub fn new(kind: JobKind, inputs: &Contents) -> Result<Self, Fault> {
        let job = JobSpec::V2(kind);
        job.validate().unwrap();
        let world = Self::compute_all(job.clone(), inputs);
        match &world {
            Ok(world) => world.compare_with_run(),
            Err(Fault::Unusable { .. }) => {
                let nothing = Outcome {
                    claim: Claim::Unusable,
                    output: Vec::new(),
                    states: Vec::new(),
                };
                assert_eq!(run(&job, inputs), Ok(nothing));
            }
            Err(_) => {}
        }
        world
    }

    fn compute_all(job: JobSpec, inputs: &Contents) -> Result<Self, Fault> {
        let mut world = Self {
            job,
            inputs: inputs.clone(),
            kept: BTreeMap::new(),
            states: Vec::new(),
        };
        for step in world.steps() {
            let mut state = Vec::new();
            for unit in 0..world.law().units(step) {
                let bytes = match world.compute(step, unit, None) {
                    Ok((bytes, _)) => bytes,
                    Err(fault) => {
                        world.compare_fault(step, unit, fault);
                        return Err(fault);
                    }
                };
                match world.law().unit(step, unit).unwrap().output {
                    Output::Kept { .. } => {
                        world.kept.insert((step, unit), bytes);
                    }
                    Output::Part { offset, .. } => {
                        assert_eq!(offset, state.len() as u64, "parts leave no gap");
                        state.extend(bytes);
                    }
                }
            }
            if let Step::State(number) = step {
                assert_eq!(state.len() as u64, world.law().state_size(number));
                world.states.push(state);
            }
        }
        Ok(world)
    }

    /// The machine says the same of a unit that has no output.
    fn compare_fault(&self, step: Step, unit: u64, fault: Fault) {
        let expected = match fault {
            Fault::Unusable { .. } => Status::Unusable,
            Fault::Missing { .. } | Fault::NoUnit => return,
        };
        assert_eq!(
            Machine::new(self).compute(step, unit),
            Err(expected),
            "{step:?} {unit}: {fault}"
        );
    }

    pub fn output(&self) -> &[u8] {
        self.states.last().unwrap()
    }

    pub fn law(&self) -> &dyn Reference {
        of(&self.job)
    }

    pub fn steps(&self) -> Vec<Step> {
        let states = (0..self.law().states()).map(Step::State);
        core::iter::once(Step::Inputs).chain(states).collect()
    }

    /// The output of a unit, and what it read.
    #[allow(clippy::type_complexity)]
    fn compute(
        &self,
        step: Step,
        unit: u64,
        hidden: Option<(Source, u64)>,
    ) -> Result<(Vec<u8>, Vec<(Source, u64)>), Fault> {
        let before = Before {
            world: self,
            step,
            unit,
            hidden,
            reads: RefCell::default(),
        };
        let said = self.law().unit(step, unit).unwrap();
        let bytes = self.law().compute(&before, step, unit)?;
        let reads = before.reads.into_inner();
        check_size(&said, &bytes);
        assert!(
            reads.len() as u64 <= said.chunks,
            "{step:?} {unit}: {} reads, {said:?}",
            reads.len()
        );
        Ok((bytes, reads))
    }

    fn compare_with_run(&self) {
        let outcome = run(&self.job, &self.inputs).unwrap();
        let (output, states) = self.states.split_last().unwrap();
        let digests: Vec<_> = states.iter().map(|state| blob::hash(state)).collect();
        assert_eq!(&outcome.output, output);
        assert_eq!(outcome.states, digests);
        let claim = Claim::Output {
            output: BlobRef::to(output),
            states_root: states_root(&digests),
        };
        assert_eq!(outcome.claim, claim);
    }

    /// Every unit, the last first, gives the same again, in the machine too; and without any one of the chunks that it reads, it says that
    /// this one is missing. Of the chunks, every `sparsely`th is hidden.
    pub fn units_stand_alone(&self, sparsely: usize) {
        let machine = Machine::new(self);
        for step in self.steps() {
            for unit in (0..self.law().units(step)).rev() {
                let (bytes, reads) = self.compute(step, unit, None).unwrap();
                match self.law().unit(step, unit).unwrap().output {
                    Output::Kept { .. } => assert_eq!(self.kept[&(step, unit)], bytes),
                    Output::Part { offset, size } => {
                        let Step::State(state) = step else {
                            panic!("a part of no state")
                        };
                        assert_eq!(self.states[state as usize][offset as usize..][..size as usize], bytes);
                    }
                }
                assert_eq!(machine.compute(step, unit), Ok(bytes), "{step:?} {unit} in the machine");
                for &(source, chunk) in reads.iter().step_by(sparsely) {
                    let fault = self.compute(step, unit, Some((source, chunk))).unwrap_err();
                    assert_eq!(fault, Fault::Missing { source, chunk });
                }
            }
        }
    }
}

/// Where in an input `kind` is unusable, if it is.
pub fn unusable_at(kind: JobKind, inputs: &Contents) -> Option<u64> {
    match World::new(kind, inputs).map(|_| ()) {
        Ok(()) => None,
        Err(Fault::Unusable { at, .. }) => Some(at),
        Err(other) => panic!("{other:?}"),
    }
}

pub fn check_size(said: &Unit, bytes: &[u8]) {
    let (Output::Kept { size } | Output::Part { size, .. }) = said.output;
    assert_eq!(bytes.len() as u64, size);
}

/// What must hold for unit `unit` of `step`, whatever the job.
pub fn check_bounds(law: &dyn Reference, step: Step, unit: u64) -> Unit {
    let said = law.unit(step, unit).unwrap();
    assert!(said.work <= MAX_UNIT_WORK, "{step:?} {unit}: {said:?}");
    assert!(said.chunks <= MAX_UNIT_CHUNKS, "{step:?} {unit}: {said:?}");
    match (step, said.output) {
        (_, Output::Kept { size }) => assert!(size <= MAX_KEPT_BYTES, "{step:?} {unit}: {said:?}"),
        (Step::Inputs, Output::Part { .. }) => panic!("inputs have no parts"),
        (Step::State(state), Output::Part { offset, size }) => {
            assert!(
                size > 0 && size <= MAX_PART_BYTES && offset % CHUNK_BYTES as u64 == 0,
                "{said:?}"
            );
            let end = offset + size;
            match law.unit(step, unit + 1).map(|next| next.output) {
                None => assert_eq!(end, law.state_size(state)),
                Some(Output::Part { offset, .. }) => assert_eq!(end, offset),
                Some(Output::Kept { .. }) => panic!("{step:?} {unit}: parts come last"),
            }
            if offset > 0 {
                let before = law.unit(step, unit - 1).unwrap().output;
                assert!(matches!(before, Output::Part { offset: o, size: s } if o + s == offset));
            }
        }
    }
    assert!(unit < law.units(step));
    said
}
