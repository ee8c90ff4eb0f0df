//! How much somebody needs who plays about a job.

use super::{
    index::{HEADER_BYTES, RECORD_BYTES},
    lists::LISTS_BYTES,
    pages::PAGES_BYTES,
};
use crate::CACHE_BYTES;
use agora_jobs::JobSpec;
use agora_reference::{Output, Reference, Step};

/// About how many bytes of memory each state, and each unit that keeps something, takes: its digest in the index of its file, and in the two
/// lists that a move and a run make of it.
const ENTRY_BYTES: u64 = 160;
/// How many states there should be room for what their units kept, if there are several disputes about one job.
const STATES_AT_ONCE: u64 = 4;
/// What a unit of the reference needs, and a group that is hashed.
const UNIT_BYTES: u64 = 1 << 25;
/// What the run of a publisher's program needs: the memory of the machine.
const PROGRAM_BYTES: u64 = 1 << 28;

/// How many bytes what a job comes to takes, on disk unless it is said. All of it follows from the job.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Need {
    /// All states, the output included.
    pub states: u64,
    /// What the units of the inputs keep.
    pub scans: u64,
    /// What the units of any one state keep at most.
    pub kept_most: u64,
    /// What the units of all states keep.
    pub kept: u64,
    /// The inputs, which are where they were fetched to.
    pub inputs: u64,
    /// In memory, for digests and lists.
    pub entries: u64,
    /// In memory, for the unit that is computed.
    pub unit: u64,
}

impl Need {
    /// What `spec` needs. `None`: more than `most` bytes of disk at least.
    ///
    /// Complexity: the number of units, until it is more.
    pub fn of(spec: &JobSpec, most: u64) -> Option<Self> {
        let law = agora_reference::of(spec);
        let (scans, scan_units) = kept(law, Step::Inputs, most)?;
        let mut need = Self {
            states: 0,
            scans,
            kept_most: 0,
            kept: 0,
            inputs: spec
                .inputs()
                .iter()
                .fold(0, |sum, input| sum.saturating_add(input.size)),
            entries: 0,
            unit: law.program().map_or(UNIT_BYTES, |_| PROGRAM_BYTES),
        };
        let mut kept_units = 0;
        for state in 0..law.states() {
            need.states = need.states.checked_add(law.state_size(state))?;
            let (bytes, units) = kept(law, Step::State(state), most)?;
            need.kept_most = need.kept_most.max(bytes);
            // Of jobs that have so much, not all of it is on disk.
            need.kept = need.kept.saturating_add(bytes);
            kept_units = units.max(kept_units);
            if need.fixed().saturating_add(need.kept_most) > most {
                return None;
            }
        }
        let entries = [law.states(), scan_units, kept_units];
        let entries = entries.into_iter().fold(0, u64::saturating_add);
        need.entries = entries.saturating_mul(ENTRY_BYTES);
        need.states = need.states.saturating_add(index(law.states(), scan_units));
        (need.least() <= most).then_some(need)
    }

    /// What is always on disk.
    const fn fixed(&self) -> u64 {
        self.states.saturating_add(self.scans)
    }

    /// With less disk nobody can play.
    pub const fn least(&self) -> u64 {
        self.fixed().saturating_add(self.kept_most)
    }

    /// Bytes of memory that somebody takes at most who plays about one such job: for its entries, what is read, the runs, and one unit.
    pub fn memory(&self) -> u64 {
        let read = self.fixed().saturating_add(self.inputs).saturating_add(self.kept);
        let lists = LISTS_BYTES.min(self.kept);
        let held = [read.min(PAGES_BYTES as u64), lists, CACHE_BYTES as u64, self.unit];
        held.into_iter().fold(self.entries, u64::saturating_add)
    }

    /// With so much, several disputes about the job do not make each other compute again what units kept.
    pub fn ample(&self) -> u64 {
        let several = self.kept_most.saturating_mul(STATES_AT_ONCE);
        self.fixed().saturating_add(self.kept.min(several))
    }
}

/// The bytes of the index.
const fn index(states: u64, scans: u64) -> u64 {
    HEADER_BYTES.saturating_add(states.saturating_add(scans).saturating_mul(RECORD_BYTES))
}

/// What the units of `step` keep, and how many do. `None`: more than `most` bytes.
pub fn kept(law: &dyn Reference, step: Step, most: u64) -> Option<(u64, u64)> {
    let (mut bytes, mut units) = (0u64, 0u64);
    for unit in 0..law.units(step) {
        // Those that are a part of the state come last.
        let Output::Kept { size } = law.unit(step, unit)?.output else {
            break;
        };
        bytes = bytes.checked_add(size).filter(|&bytes| bytes <= most)?;
        units = units.saturating_add(1);
    }
    Some((bytes, units))
}

#[cfg(test)]
mod tests {
    use super::*;
    use agora_jobs::{
        BlobRef, H256, InferenceJob, InferenceNetwork, JobKind, MatmulJob, Mode, NetworkShape, ProgramJob, Region,
        RenderingJob, SyntheticJob, TrainingJob, TransformerShape,
    };

    const GIB: u64 = 1 << 30;

    fn blob(size: u64) -> BlobRef {
        BlobRef {
            hash: H256::zero(),
            size,
        }
    }

    fn training(steps: u32, state_interval: u32) -> TrainingJob {
        let (images, side) = (60_000, 64);
        TrainingJob {
            data: blob(16 + images * (u64::from(side * side) + 1)),
            width: side,
            height: side,
            classes: 256,
            network: NetworkShape::Perceptron { hidden: 4096 },
            seed: [0; 32],
            batch: 1,
            segments: 1,
            segment_steps: steps,
            state_interval,
            rate_shift: 3,
            halve_after: 0,
            momentum_shift: 0,
            start: None,
        }
    }

    fn embedding() -> InferenceJob {
        let shape = TransformerShape {
            vocabulary: 65_536,
            positions: 512,
            hidden: 4096,
            layers: 128,
            heads: 32,
            key_value_heads: 32,
            head_size: 128,
            intermediate: 16_384,
            dense: 0,
        };
        InferenceJob {
            model: blob(shape.package_bytes()),
            input: blob(4 + 80 * 1026),
            network: InferenceNetwork::Embedding { shape, tokens: 512 },
            items: 80,
        }
    }

    fn rendering() -> RenderingJob {
        RenderingJob {
            scene: blob(64 << 20),
            seed: [0; 32],
            width: 8192,
            height: 8192,
            region: Region {
                x: 0,
                y: 0,
                width: 8192,
                height: 8192,
            },
            first_frame: 0,
            frames: 1,
            samples: 3,
            max_bounces: 64,
            max_steps: 1 << 14,
        }
    }

    /// About the largest jobs that the limits allow. Documented in the crate's README: look there when this fails.
    #[test]
    fn the_largest_job_of_each_kind_needs_so_much() {
        let synthetic = JobKind::Synthetic(SyntheticJob {
            seed: [0; 32],
            matrix_size: 4096,
            iterations: 16_384,
        });
        let matmul = JobKind::Matmul(MatmulJob {
            matrix: blob(131_072 * 131_071),
            columns: 131_071,
            first_row: 0,
            rows: 65_536,
            input: blob(1024 * 131_071),
            vectors: 1024,
        });
        let program = JobKind::Program(ProgramJob {
            image: blob(16 << 20),
            inputs: Default::default(),
            mode: Mode::Fold,
            items: 2048,
            gas: 1 << 34,
            record_bytes: 1 << 17,
        });
        // Of each: GiB of disk at least, GiB of all that there is, and MiB of memory, all rounded down.
        let expected = [
            (synthetic, (256, 256, 418)),
            (matmul, (0, 0, 416)),
            (JobKind::Inference(embedding()), (10, 800, 499)),
            (JobKind::Training(training(1, 1)), (0, 0, 480)),
            (JobKind::Training(training(4096, 64)), (17, 552, 481)),
            (JobKind::Training(training(4096, 4096)), (544, 544, 581)),
            (JobKind::Rendering(rendering()), (0, 2, 484)),
            (program, (0, 0, 640)),
        ];
        let found = expected.clone().map(|(kind, _)| {
            let job = JobSpec::V2(kind.clone());
            assert_eq!(job.validate(), Ok(()), "{job:?}");
            let need = Need::of(&job, u64::MAX).unwrap();
            println!("work 2^{}: {need:?}", job.work().ilog2());
            let all = need.fixed() + need.kept;
            (kind, (need.least() / GIB, all / GIB, need.memory() >> 20))
        });
        assert_eq!(found, expected);
    }
}
