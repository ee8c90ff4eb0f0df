//! What it takes to compute a job whole, for those who must know before they begin: a chain that does it in one call.

use crate::{Output, Step, Unit, of};
use agora_jobs::JobSpec;

// Chosen so that nothing takes longer for what it counts than the instructions of a program do, in Wasm.

/// What a unit counts besides its work, and a step: what it makes is put somewhere, a state is hashed and kept.
const UNIT_WORK: u64 = 1 << 12;
/// What a chunk counts that is read: it is copied twice.
const CHUNK_WORK: u64 = 1 << 8;
/// What a byte counts that is made: it is copied and hashed, and where it is a quarter of a product, a line was read for it.
const BYTE_WORK: u64 = 1 << 4;

/// Multiply–add operations that [`run`](crate::run) takes at most for `job`, with everything that is done around them. `None`: more than `most`.
///
/// [`JobSpec::work`] says what the job is worth to whoever computes it on the fastest device. This is what it costs with this crate: each unit
/// with its share of reading, copying and hashing, so that many small ones cost what they are. It follows from the job alone, which is
/// within its limits.
///
/// Complexity: O(n) in the units, of which no more are looked at than `most` / 4096.
pub fn total_work(job: &JobSpec, most: u64) -> Option<u64> {
    let law = of(job);
    let within = |total: u64, work: u64| total.checked_add(work).filter(|&total| total <= most);
    let states = (0..law.states()).map(Step::State);
    let mut total = 0;
    for step in core::iter::once(Step::Inputs).chain(states) {
        total = within(total, UNIT_WORK)?;
        for unit in 0..law.units(step) {
            total = within(total, unit_work(&law.unit(step, unit)?))?;
        }
    }
    Some(total)
}

/// What a unit takes, with everything around it.
const fn unit_work(unit: &Unit) -> u64 {
    let (Output::Kept { size } | Output::Part { size, .. }) = unit.output;
    UNIT_WORK
        .saturating_add(unit.work)
        .saturating_add(unit.chunks.saturating_mul(CHUNK_WORK))
        .saturating_add(size.saturating_mul(BYTE_WORK))
}
