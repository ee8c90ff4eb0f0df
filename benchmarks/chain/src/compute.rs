//! GPU against CPU, and checking against computing.

use crate::Failure;
use agora_bench_figures::{Better, Figure};
use agora_chain::H256;
use agora_compute::{
    CancelFlag, CpuEngine, Engine, GpuOptions, NoInputs, NoProgress, Verdict, find_device, open_engine,
};
use agora_primitives::job::{JobKind, JobSpec, SyntheticJob};
use std::time::Instant;

pub fn measure(matrix_size: u32, iterations: u32, repetitions: usize) -> Result<Vec<Figure>, Failure> {
    let seed: [u8; 32] = rand::random();
    let job = JobSpec::V2(JobKind::Synthetic(SyntheticJob {
        seed,
        matrix_size,
        iterations,
    }));
    job.validate()?;
    println!(
        "synthetic {matrix_size}×{matrix_size}×{iterations}, seed {:?}",
        H256(seed)
    );
    let device = find_device("auto")?;
    println!("device {} ({}, {})", device.name, device.backend, device.driver);
    let gpu = open_engine(&device.index.to_string(), &GpuOptions::default())?;
    let cpu = CpuEngine::new();
    let run = |engine: &dyn Engine| engine.run(&job, &NoInputs, &NoProgress, &CancelFlag::new());
    let output = run(&cpu)?.output;
    if run(gpu.as_ref())?.output != output {
        return Err("the engines disagree".into());
    }
    let cpu_seconds = median(repetitions, || run(&cpu).map(drop))?;
    let gpu_seconds = median(repetitions, || run(gpu.as_ref()).map(drop))?;
    let check_seed: [u8; 32] = rand::random();
    let check_seconds = median(repetitions, || {
        match cpu.check_output(&job, &NoInputs, &output, &check_seed) {
            Ok(Verdict::Right) => Ok(()),
            Ok(Verdict::Wrong(_)) => unreachable!("the engines agree on this output"),
            Err(error) => Err(error),
        }
    })?;
    let giga_ops = 2e-9 * job.work() as f64;
    Ok(vec![
        Figure::new(
            "GPU engine against CPU engine",
            "GOPS",
            giga_ops / gpu_seconds,
            giga_ops / cpu_seconds,
            Better::Higher,
        ),
        Figure::new(
            "Freivalds check against CPU engine",
            "s",
            check_seconds,
            cpu_seconds,
            Better::Lower,
        )
        .goal(0.05),
        Figure::new(
            "Freivalds check against GPU engine",
            "s",
            check_seconds,
            gpu_seconds,
            Better::Lower,
        ),
    ])
}

fn median<E>(repetitions: usize, mut work: impl FnMut() -> Result<(), E>) -> Result<f64, E> {
    let mut seconds = Vec::new();
    for _ in 0..repetitions.max(1) {
        let started = Instant::now();
        work()?;
        seconds.push(started.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    Ok(seconds[seconds.len() / 2])
}
