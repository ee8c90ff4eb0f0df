//! Lists the adapters, tests them, and measures them beside the CPU and the check.
//!
//! `cargo run -p agora-compute --example devices -- [matrix size] [iterations]`

use agora_compute::{
    CancelFlag, Configuration, CpuEngine, Engine, EngineError, GpuEngine, GpuOptions, Inputs, JobKind, JobSpec,
    MatmulJob, MemoryInputs, NoInputs, NoProgress, SyntheticJob, check_output, devices, self_test,
};
use std::time::Instant;

/// How often each figure is taken. The best counts, because other programs can only slow a run down.
const ROUNDS: u32 = 3;

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
    let (matmul, inputs) = matmul(matrix_size);

    let all = devices();
    println!(
        "{} adapter(s); job: {matrix_size}×{matrix_size}, {iterations} iterations; and as many rows times as many vectors",
        all.len()
    );
    for device in &all {
        println!("[{}] {device}\n    {:?}", device.index, device.limits);
        let all = Configuration::ALL.into_iter();
        let forced = all.filter(|configuration| configuration.fits(&device.limits)).map(Some);
        for configuration in std::iter::once(None).chain(forced) {
            let options = GpuOptions {
                configuration,
                ..Default::default()
            };
            let engine = GpuEngine::open(device, &options)?;
            self_test(&engine)?;
            println!("    {}:", configuration.map_or("by default", Configuration::name));
            time(&engine, "synthetic", &spec, &NoInputs)?;
            time(&engine, "matmul", &matmul, &inputs)?;
        }
    }
    println!("cpu:");
    let output = time(&CpuEngine::new(), "synthetic", &spec, &NoInputs)?;
    time(&CpuEngine::new(), "matmul", &matmul, &inputs)?;
    let started = Instant::now();
    let right = check_output(&spec, &NoInputs, &output, &[9; 32])?;
    println!("check: {:.1} ms, {right:?}", started.elapsed().as_secs_f64() * 1e3);
    Ok(())
}

/// A matmul job with as many vectors as rows, all of that length.
fn matmul(n: u32) -> (JobSpec, MemoryInputs) {
    let bytes = |seed: u32| -> Vec<u8> {
        let element = |i: u32| (i.wrapping_add(seed).wrapping_mul(2_654_435_761) >> 24) as u8;
        (0..n * n).map(element).collect()
    };
    let mut inputs = MemoryInputs::new();
    let mut insert = |seed| inputs.insert(bytes(seed)).expect("at most 4096² bytes are an input");
    let job = MatmulJob {
        matrix: insert(1),
        columns: n,
        first_row: 0,
        rows: n,
        input: insert(2),
        vectors: n,
    };
    (JobSpec::V1(JobKind::Matmul(job)), inputs)
}

/// Computes the job, after a warm-up, prints how long it took at best, and returns the output.
fn time(engine: &dyn Engine, name: &str, spec: &JobSpec, inputs: &dyn Inputs) -> Result<Vec<u8>, EngineError> {
    let run = || engine.run(spec, inputs, &NoProgress, &CancelFlag::new());
    let output = run()?.output;
    let mut seconds = f64::MAX;
    for _ in 0..ROUNDS {
        let started = Instant::now();
        run()?;
        seconds = seconds.min(started.elapsed().as_secs_f64());
    }
    let gops = 2.0 * spec.work() as f64 / seconds / 1e9;
    println!("        {name}: {seconds:.3} s, {gops:.1} GOPS");
    Ok(output)
}
