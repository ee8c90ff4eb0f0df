//! The programs of `guests/examples` and `guests/c`, as workers run them: on data that is made here, compared with what is computed here in
//! another way.

mod life;
mod lint;
mod pi;
mod primes;
mod statistics;
mod words;

use agora_compute::{CancelFlag, CpuEngine, Engine, JobKind, JobSpec, MemoryInputs, NoProgress, ProgramJob};
use agora_primitives::job::{
    Mode,
    program::{Ending, read_record},
};
use std::fmt::Debug;

/// A job on its way.
struct Job<'a> {
    image: &'a [u8],
    inputs: &'a [&'a [u8]],
    mode: Mode,
    items: u32,
    record_bytes: u32,
}

impl Job<'_> {
    /// Each record of the result: how it ended, and the output.
    fn run(&self) -> Vec<(Ending, Vec<u8>)> {
        let mut memory = MemoryInputs::new();
        let image = memory.insert(self.image);
        let inputs: Vec<_> = self.inputs.iter().map(|&input| memory.insert(input)).collect();
        let spec = JobSpec::V2(JobKind::Program(ProgramJob {
            image,
            inputs: inputs.try_into().expect("there are few"),
            mode: self.mode,
            items: self.items,
            gas: 1 << 32,
            record_bytes: self.record_bytes,
        }));
        let engine = CpuEngine::new();
        let computed = engine
            .run(&spec, &memory, &NoProgress, &CancelFlag::new())
            .expect("it is within its limits");
        let verdict = engine.check_claim(&spec, &memory, &computed.claim(), &computed.output, &[5; 32]);
        assert!(verdict.expect("it can be checked").is_right());
        let records = computed.output.chunks(self.record_bytes as usize);
        records
            .map(|record| {
                let (ending, output) = read_record(record).expect("a run has left it");
                (ending, output.to_vec())
            })
            .collect()
    }

    /// The outputs, as texts.
    fn texts(&self) -> Vec<String> {
        let done = self.run().into_iter().map(|(ending, output)| {
            assert_eq!(ending, Ending::Done);
            String::from_utf8(output).expect("it is text")
        });
        done.collect()
    }
}

/// Something in place of random numbers: the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (word ^ (word >> 31)) % end
    }
}

/// What items refuse: all of them say so, and the job has a result.
fn assert_unusable(job: &Job<'_>) {
    let endings: Vec<Ending> = job.run().into_iter().map(|(ending, _)| ending).collect();
    assert_eq!(endings, vec![Ending::Unusable; endings.len()]);
}

/// A field of a line of JSON.
fn field<T: serde::de::DeserializeOwned + Debug>(line: &str, name: &str) -> T {
    let mut line: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{line:?}: {error}"));
    serde_json::from_value(line[name].take()).unwrap_or_else(|error| panic!("{name}: {error}"))
}
