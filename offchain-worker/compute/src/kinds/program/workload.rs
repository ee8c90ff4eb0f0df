//! Measuring: a program that loads, multiplies and stores until its gas is used up.
//!
//! It is so long that none of it is executed often enough to be translated: who goes by this figure promises no more than what
//! the interpreter does, whatever program comes.

use crate::{
    inputs::MemoryInputs,
    kinds::{EngineError, Sample, Unit, Workload},
};
use agora_primitives::job::{JobKind, JobSpec, Limits, Mode, ProgramInputs, ProgramJob};

/// `t0 = 0x8000_0000`.
const BEGIN: [u32; 2] = [0x0010_0293, 0x01F2_9293];
/// `t1 = *t0 + 1; s0 ^= t1 * t1; *t0 = t1`.
const BODY: [u32; 5] = [0x0002_B303, 0x0013_0313, 0x0263_03B3, 0x0074_4433, 0x0062_B023];
/// How many bodies follow one another before it begins again; each has 20 bytes, and a jump goes no further back than a MiB.
const BODIES: usize = 40_000;
/// Instructions of a part.
const GAS: u64 = 1 << 20;

/// Items, each of which is a million instructions; a part is one.
pub(crate) struct Instructions;

impl Workload for Instructions {
    fn name(&self) -> &'static str {
        "programs, on the processor"
    }

    fn units(&self) -> &'static [Unit] {
        const {
            &[Unit {
                name: "program_mips",
                unit: "million instructions/s",
                amount: 1e6,
            }]
        }
    }

    fn max_parts(&self) -> u32 {
        4096
    }

    fn job(&self, parts: u32) -> Result<Sample, EngineError> {
        let mut inputs = MemoryInputs::new();
        let image: Vec<u8> = image().into_iter().flat_map(u32::to_le_bytes).collect();
        let job = ProgramJob {
            image: inputs.insert(image),
            inputs: ProgramInputs::default(),
            mode: Mode::Map,
            items: parts,
            gas: GAS,
            record_bytes: 1024,
        };
        job.validate()?;
        Ok(Sample {
            spec: JobSpec::V2(JobKind::Program(job)),
            inputs,
            amount: (GAS * u64::from(parts)) as f64,
        })
    }
}

/// The program, for ever.
fn image() -> Vec<u32> {
    let mut words = BEGIN.to_vec();
    words.extend(BODY.iter().cycle().take(BODIES * BODY.len()));
    // `j` to the first body.
    let back = -4 * (BODIES * BODY.len()) as i32;
    let bits = |high: i32, low: i32| (back >> low) as u32 & ((1u32 << (high - low + 1)) - 1);
    words.push(bits(20, 20) << 31 | bits(10, 1) << 21 | bits(11, 11) << 20 | bits(19, 12) << 12 | 0x6F);
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CancelFlag, CpuEngine, Engine, NoProgress};
    use agora_primitives::job::program::{Ending, read_record};

    /// Else a part would not be so many instructions.
    #[test]
    fn the_program_ends_with_its_gas() {
        let Sample { spec, inputs, .. } = Instructions.job(2).unwrap();
        let computed = CpuEngine::new()
            .run(&spec, &inputs, &NoProgress, &CancelFlag::new())
            .unwrap();
        for record in computed.output.chunks(1024) {
            assert_eq!(read_record(record), Some((Ending::OutOfGas, &[][..])));
        }
    }
}
