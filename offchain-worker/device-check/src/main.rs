//! `agora-device-check`: does a graphics device compute Agora's jobs right, and how fast?
//!
//! One program without files, network or chain: everything that it computes is inside or generated. It needs the C
//! library, a Vulkan loader and a driver. For each adapter it opens the engine, runs the self-test and the golden
//! vectors, compares large jobs with the processor bit for bit, and measures each kind of work.
//!
//! Terms: a *case* is a job on which a device is compared with the processor; a *figure* is a measured value beside the
//! one that it is compared with.

mod args;
mod case;
mod compare;
mod device;
mod error;
mod golden;
mod kernels;
mod large;
mod report;
mod speed;

use agora_compute::DeviceInfo;
use args::Args;
use case::Case;
use clap::Parser;
use error::CheckError;
use report::Report;
use speed::{Budget, Speeds};
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = Args::parse();
    // A device that was lost and opened again is worth a line.
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::WARN)
        .with_writer(std::io::stderr)
        .with_target(false)
        .init();
    let report = if args.json { Report::Json } else { Report::Text };
    let errors = run(&args, report).unwrap_or_else(|error| vec![error]);
    for error in &errors {
        eprintln!("agora-device-check: {error}");
    }
    // The largest code is the gravest: wrong bits.
    let code = errors.iter().map(CheckError::code).max();
    code.map_or(ExitCode::SUCCESS, ExitCode::from)
}

/// Checks the devices that `args` name. Returns what was found wrong, of each device at most one error.
///
/// Errors: what prevents all checking.
fn run(args: &Args, report: Report) -> Result<Vec<CheckError>, CheckError> {
    let targets = device::select(&args.device)?;
    if args.list {
        targets.iter().for_each(|target| report.device(target));
        return Ok(Vec::new());
    }
    let cases = Case::all()?;
    let mut speeds = Speeds::new(args.seconds)?;
    // It is what the others are compared with.
    device::check_processor(&cases, report)?;
    let mut errors = Vec::new();
    for (i, target) in targets.iter().enumerate() {
        let budget = Budget::share(&speeds, targets.len() - i);
        // The other devices are checked all the same.
        errors.extend(check(target.as_ref(), args, &cases, &mut speeds, budget, report).err());
    }
    Ok(errors)
}

/// Checks one device, and measures it if its bits are right.
fn check(
    target: Option<&DeviceInfo>,
    args: &Args,
    cases: &[Case],
    speeds: &mut Speeds,
    budget: Budget,
    report: Report,
) -> Result<(), CheckError> {
    let engine = target
        .map(|info| device::check_adapter(info, args.every_configuration, cases, report))
        .transpose()?;
    match engine {
        _ if args.no_measure => Ok(()),
        Some(engine) => speeds.compare(&engine, budget, report),
        None => speeds.processor_alone(budget, cases, report),
    }
}
