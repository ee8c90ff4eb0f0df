//! Trying some items before money is put up: what traps, what does not fit, and how much gas it takes.

use crate::{exit::CliError, jobs::JobInputs, output::inform};
use agora_compute::{
    CancelFlag,
    program::{Blobs, Ran, in_words},
};
use agora_primitives::job::{
    Limits, Mode, ProgramJob,
    program::{Ending, TRAILER_BYTES},
};

/// The most gas that an item is tried with: some seconds.
pub const MOST: u64 = 1 << 30;
/// So many times the gas of the dearest item that was tried is taken, where nobody says otherwise.
const ROOM: u64 = 2;
/// The least gas that is taken.
const LEAST: u64 = 100_000;

/// Runs the first and the last item of `job`, or the first two steps of a fold, and returns the gas of each item: what is `wanted`, or what
/// the trial suggests. What is probably not meant is told by `inputs`.
///
/// Errors: `Usage` if the job is outside of its limits, or nobody says how much gas an item takes and the trial does not find out.
pub fn trial(job: &ProgramJob, inputs: &mut JobInputs, wanted: Option<u64>) -> Result<u64, CliError> {
    job.validate().map_err(|error| CliError::Usage(error.to_string()))?;
    let short = ProgramJob {
        gas: job.gas.min(MOST),
        ..job.clone()
    };
    let blobs = Blobs::of(&short, &inputs.memory())?;
    let mut dearest = 0;
    let mut warnings = Vec::new();
    let mut before: Option<Vec<u8>> = None;
    for item in tried(job) {
        let ran = blobs.run(&short, item, before.as_deref(), &CancelFlag::new())?;
        dearest = dearest.max(ran.gas);
        if ran.ending == Ending::OutOfGas && short.gas < job.gas {
            warnings.push(format!(
                "item {item} takes more than {MOST} gas: it was not tried to its end"
            ));
            break;
        }
        if ran.ending == Ending::OutOfGas && wanted.is_none() {
            return Err(CliError::Usage(format!(
                "item {item} takes more than {MOST} gas: say with --gas how much it may take"
            )));
        }
        warnings.extend(told(job, item, &ran));
        if job.mode == Mode::Fold {
            before = Some(ran.record(&short));
        }
    }
    let gas = wanted.unwrap_or_else(|| suggested(dearest));
    if wanted.is_none() {
        inform(&format!(
            "The gas of each item is {gas}: those that were tried here took up to {dearest}."
        ));
    }
    inputs.warn(warnings);
    Ok(gas)
}

/// The items that are tried.
fn tried(job: &ProgramJob) -> Vec<u64> {
    let last = u64::from(job.items).saturating_sub(1);
    let other = match job.mode {
        Mode::Map => last,
        Mode::Fold => last.min(1),
    };
    let mut items = vec![0, other];
    items.dedup();
    items
}

/// What is probably not meant about a run.
fn told(job: &ProgramJob, item: u64, ran: &Ran) -> Option<String> {
    let place = ran
        .panic
        .as_ref()
        .map(|panic| format!(", in line {} of {}", panic.line, panic.file));
    let fits = job.record_bytes as usize - TRAILER_BYTES;
    if ran.output.len() > fits {
        let record = (ran.output.len() + TRAILER_BYTES).next_multiple_of(1024);
        return Some(format!(
            "item {item} writes {} bytes, and its record takes {fits}: nothing of it will be kept; --record-bytes {record} is enough",
            ran.output.len()
        ));
    }
    match ran.ending {
        Ending::Done => (ran.gas > job.gas / 2).then(|| {
            format!(
                "item {item} took {} of its {} gas here: others may run out of it",
                ran.gas, job.gas
            )
        }),
        other => Some(format!(
            "item {item} ends so, and that will be its result: {}{}",
            in_words(other),
            place.unwrap_or_default()
        )),
    }
}

/// The gas to take if the dearest item that was tried took `dearest`: twice that, in round numbers.
fn suggested(dearest: u64) -> u64 {
    let gas = dearest.saturating_mul(ROOM).max(LEAST);
    let step = 10u64.pow(gas.ilog10() - 1);
    gas.div_ceil(step) * step
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_suggestion_is_a_round_number_with_room() {
        assert_eq!(suggested(0), LEAST);
        assert_eq!(suggested(50_000), 100_000);
        assert_eq!(suggested(50_001), 110_000);
        assert_eq!(suggested(123_456_789), 250_000_000);
        for dearest in [1, 999_999, MOST] {
            assert!(suggested(dearest) >= 2 * dearest);
        }
    }
}
