//! Lists the adapters, tests them, and measures them beside the CPU and the check.
//!
//! `cargo run -p agora-compute --example devices -- [matrix size] [iterations]`

use agora_compute::{
    CancelFlag, CpuEngine, Engine, EngineError, GpuEngine, GpuOptions, JobKind, JobSpec, NoInputs, NoProgress,
    SyntheticJob, Tile, check_output, devices, self_test,
};
use std::time::Instant;

fn main() -> Result<(), EngineError> {
    let mut arguments = std::env::args().skip(1).map_while(|argument| argument.parse().ok());
    let matrix_size = arguments.next().unwrap_or(512);
    let iterations = arguments.next().unwrap_or(64);
    let job = SyntheticJob {
        seed: [7; 32],
        matrix_size,
        iterations,
    };
    let spec = JobSpec::V1(JobKind::Synthetic(job));

    let all = devices();
    println!(
        "{} adapter(s); job: {matrix_size}×{matrix_size}, {iterations} iterations",
        all.len()
    );
    for device in &all {
        println!("[{}] {device}\n    {:?}", device.index, device.limits);
        for tile in Tile::ALL {
            let options = GpuOptions {
                tile: Some(tile),
                ..Default::default()
            };
            let engine = GpuEngine::open(device, &options)?;
            self_test(&engine)?;
            print!("    {tile:?}: ");
            time(&engine, &spec)?;
        }
    }
    print!("cpu: ");
    let output = time(&CpuEngine::new(), &spec)?;
    let started = Instant::now();
    let right = check_output(&spec, &NoInputs, &output, &[9; 32])?;
    println!("check: {:.1} ms, {right:?}", started.elapsed().as_secs_f64() * 1e3);
    Ok(())
}

/// Computes the job, after a warm-up, prints how long it took, and returns the output.
fn time(engine: &dyn Engine, spec: &JobSpec) -> Result<Vec<u8>, EngineError> {
    engine.run(spec, &NoInputs, &NoProgress, &CancelFlag::new())?;
    let started = Instant::now();
    let computation = engine.run(spec, &NoInputs, &NoProgress, &CancelFlag::new())?;
    let seconds = started.elapsed().as_secs_f64();
    let gops = 2.0 * spec.work() as f64 / seconds / 1e9;
    println!("{seconds:.3} s, {gops:.1} GOPS");
    Ok(computation.output)
}
