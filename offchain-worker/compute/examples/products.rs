//! Measures matrix products on the processor, alone and in jobs, and what checking them takes.
//!
//! `cargo run -p agora-compute --example products -- [largest size]`

use agora_compute::{
    CancelFlag, CpuEngine, Engine, JobKind, JobSpec, MatmulJob, MemoryInputs, NoInputs, NoProgress, SyntheticJob,
    check_output,
    gemm::{Kernel, PackedLhs, PackedRhs, product},
    output_digest,
};
use std::{
    error::Error,
    time::{Duration, Instant},
};

/// How often each figure is taken. The best counts, because other programs can only slow a run down.
const REPETITIONS: usize = 7;

fn main() -> Result<(), Box<dyn Error>> {
    let largest = std::env::args()
        .nth(1)
        .and_then(|size| size.parse().ok())
        .unwrap_or(2048);
    for n in [512, 1024, 2048, 4096].into_iter().filter(|&n| n <= largest) {
        for kernel in Kernel::available() {
            let gops = gops(n, multiply(kernel, n)?);
            println!("product {n}, {}: {gops:.1} GOPS", kernel.name());
        }
        let iterations = 8;
        let job = SyntheticJob {
            seed: [7; 32],
            matrix_size: n as u32,
            iterations,
        };
        let spec = JobSpec::V1(JobKind::Synthetic(job));
        let run = || CpuEngine::new().run(&spec, &NoInputs, &NoProgress, &CancelFlag::new());
        let time = best(|| run().map(drop))?;
        println!(
            "synthetic {n} × {iterations}: {:.1} GOPS",
            gops(n, time) * f64::from(iterations)
        );
        matmul(n)?;
    }
    Ok(())
}

/// A product of packed square matrices, its sums stored.
fn multiply(kernel: Kernel, n: usize) -> Result<Duration, Box<dyn Error>> {
    let matrix = content(n * n);
    let matrix: Vec<i8> = matrix.into_iter().map(|byte| byte as i8).collect();
    let left = PackedLhs::for_kernel(kernel, &matrix, n, n)?;
    let right = PackedRhs::for_kernel(kernel, &matrix, n, n)?;
    let mut out = vec![0; n * n];
    best(|| {
        product(&left, &right, &CancelFlag::new(), &mut out, |_, sums, out| {
            out.copy_from_slice(sums)
        })
    })
}

/// A matmul job with a square matrix and as many vectors, and its check.
fn matmul(n: usize) -> Result<(), Box<dyn Error>> {
    let mut inputs = MemoryInputs::new();
    let blob = inputs.insert(content(n * n)).ok_or("the matrix is too large")?;
    let (columns, first_row) = (n as u32, 0);
    let job = MatmulJob {
        matrix: blob,
        columns,
        first_row,
        rows: columns,
        input: blob,
        vectors: columns,
    };
    let spec = JobSpec::V1(JobKind::Matmul(job));
    let run = || CpuEngine::new().run(&spec, &inputs, &NoProgress, &CancelFlag::new());
    let output = run()?.output;
    let computing = best(|| run().map(drop))?;
    let checking = best(|| -> Result<(), Box<dyn Error>> {
        let verdict = check_output(&spec, &inputs, &output, &[1; 32])?;
        if verdict.is_right() {
            Ok(())
        } else {
            Err("right work was called wrong".into())
        }
    })?;
    let hashing = best(|| {
        std::hint::black_box(output_digest(&output));
        Ok::<_, Box<dyn Error>>(())
    })?;
    println!(
        "matmul {n}: {:.1} GOPS; check {:.2} ms, {:.2} % of computing; digest of the output {:.2} ms",
        gops(n, computing),
        checking.as_secs_f64() * 1e3,
        100.0 * checking.as_secs_f64() / computing.as_secs_f64(),
        hashing.as_secs_f64() * 1e3,
    );
    Ok(())
}

fn content(length: usize) -> Vec<u8> {
    (0..length as u64)
        .map(|i| (i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8)
        .collect()
}

/// The shortest time that `work` takes.
fn best<E: Into<Box<dyn Error>>>(mut work: impl FnMut() -> Result<(), E>) -> Result<Duration, Box<dyn Error>> {
    let mut shortest = Duration::MAX;
    for _ in 0..REPETITIONS {
        let started = Instant::now();
        work().map_err(Into::into)?;
        shortest = shortest.min(started.elapsed());
    }
    Ok(shortest)
}

/// Billions of multiplications and additions per second, for a product of square matrices.
fn gops(n: usize, time: Duration) -> f64 {
    2.0 * (n as f64).powi(3) / time.as_secs_f64() / 1e9
}
