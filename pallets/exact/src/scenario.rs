//! The job with which the call is measured, and what the benchmarks need of a runtime.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use agora_primitives::{
    commitment::Salt,
    job::{BlobRef, JobKind, JobSpec, Mode, ProgramJob, SyntheticJob},
};
use alloc::{vec, vec::Vec};

#[cfg(feature = "runtime-benchmarks")]
use agora_primitives::{TaskId, job::Claim};

/// Makes tasks, in the runtime's real pallets.
#[cfg(feature = "runtime-benchmarks")]
pub trait BenchmarkHelper<AccountId> {
    /// An exact task with `job`, whose worker has committed to `claim` with `salt`, and may reveal it now.
    fn committed(job: JobSpec, claim: Claim, salt: Salt) -> (TaskId, AccountId);
}

/// For runtimes whose tasks are no-ops, in which no benchmark can run.
#[cfg(feature = "runtime-benchmarks")]
impl<AccountId: codec::Decode> BenchmarkHelper<AccountId> for () {
    fn committed(_: JobSpec, _: Claim, _: Salt) -> (TaskId, AccountId) {
        let who = AccountId::decode(&mut [0; 64].as_slice());
        (TaskId(0), who.expect("zeroes decode to an account"))
    }
}

/// The salt of every commitment.
pub const SALT: Salt = [7; 32];

/// Instructions, without end: additions to memory, which take an interpreter the longest for their gas.
const LOOP: [u32; 7] = [
    0x0010_0293, // li x5, 1
    0x01f2_9293, // slli x5, x5, 31
    0x0062_b52f, // amoadd.d x10, x6, (x5)
    0x0062_b52f,
    0x0062_b52f,
    0x0062_b52f,
    0xff1f_f06f, // j -16
];
/// Bytes of an image, and of each KiB of evidence.
const KIB: usize = 1024;

/// The job that takes the longest for its work, with so many KiB of evidence, at least 2, and about so much work, but no more. Returns the
/// evidence, too. What it comes to is a record of running out of gas.
pub fn heaviest(work: u64, evidence: u32) -> (JobSpec, Vec<u8>) {
    let mut image: Vec<u8> = LOOP.iter().flat_map(|word| word.to_le_bytes()).collect();
    image.resize(KIB, 0);
    let rest = vec![1; (evidence as usize - 1) * KIB];
    let job = |gas| {
        JobSpec::V2(JobKind::Program(ProgramJob {
            image: BlobRef::to(&image),
            inputs: vec![BlobRef::to(&rest)].try_into().expect("one input"),
            mode: Mode::Map,
            items: 1,
            gas,
            record_bytes: KIB as u32,
        }))
    };
    let total = |gas| agora_reference::total_work(&job(gas), u64::MAX).expect("it is no more");
    // It is linear in the gas, but for what is rounded.
    const SAMPLE: u64 = 1 << 20;
    let (least, more) = (total(1), total(1 + SAMPLE) - total(1));
    let gas = 1 + u64::try_from(u128::from(work.saturating_sub(least)) * u128::from(SAMPLE) / u128::from(more))
        .expect("less than the work");
    (job(gas), [image.as_slice(), &rest].concat())
}

/// The job that takes the longest to look at, of so much work, but no more: it has as many units as can be.
pub fn most_units(work: u64) -> JobSpec {
    let job = |iterations| {
        JobSpec::V2(JobKind::Synthetic(SyntheticJob {
            seed: [1; 32],
            matrix_size: 1,
            iterations,
        }))
    };
    let total = |iterations| agora_reference::total_work(&job(iterations), u64::MAX).expect("it is no more");
    let (one, two) = (total(1), total(2));
    let iterations = 1 + work.saturating_sub(one) / (two - one);
    job(u32::try_from(iterations).expect("fewer than units"))
}
