//! The processor's kernels of integer products: the same bits from each, and how fast each is.

use crate::{device::PROCESSOR, error::CheckError, large, report::Report};
use agora_bench_figures::{Better, Figure};
use agora_compute::{
    CancelFlag, EngineError,
    gemm::{GemmError, Kernel, PackedLhs, PackedRhs, product},
};
use std::time::{Duration, Instant};

/// Side of the matrices.
const SIZE: usize = 1024;

/// Measures each kernel that this processor has, for about `run`, beside the portable one.
///
/// Errors: `Wrong` if two kernels differ, `Engine`.
pub fn measure(run: Duration, report: Report) -> Result<(), CheckError> {
    // The casts keep the bits.
    let matrix: Vec<i8> = large::bytes((SIZE * SIZE) as u32, 3)
        .into_iter()
        .map(|byte| byte as i8)
        .collect();
    let measured = Kernel::available().map(|kernel| multiply(kernel, &matrix, run).map(|found| (kernel, found)));
    let measured: Vec<_> = measured.collect::<Result<_, GemmError>>().map_err(EngineError::from)?;
    // The portable kernel is always there, and the first.
    let Some((_, (right, baseline))) = measured.first() else {
        return Ok(());
    };
    for (kernel, (sums, gops)) in &measured {
        if let Some(at) = sums.iter().zip(right).position(|(found, right)| found != right) {
            let title = format!("product {SIZE}, kernel {}", kernel.name());
            report.wrong(
                PROCESSOR,
                &title,
                &format!("sum {at} is {}, must be {}", sums[at], right[at]),
            );
            let device = PROCESSOR.to_owned();
            let (wrong, cases) = (1, measured.len());
            return Err(CheckError::Wrong { device, wrong, cases });
        }
        let name = format!("product {SIZE}: kernel {} against the portable one", kernel.name());
        let figure = Figure::new(name, "GOPS", *gops, *baseline, Better::Higher);
        let shown = |value: f64| format!("{value:.1} GOPS");
        let title = format!("product {SIZE}, {}", kernel.name());
        report.figure(&title, &figure, &shown(*gops), &shown(*baseline));
    }
    Ok(())
}

/// The sums of a square matrix with itself, and billions of multiplications and additions per second.
fn multiply(kernel: Kernel, matrix: &[i8], run: Duration) -> Result<(Vec<i32>, f64), GemmError> {
    let left = PackedLhs::for_kernel(kernel, matrix, SIZE, SIZE)?;
    let right = PackedRhs::for_kernel(kernel, matrix, SIZE, SIZE)?;
    let mut sums = vec![0; SIZE * SIZE];
    let mut shortest = Duration::MAX;
    let until = Instant::now() + run;
    // The best counts, because other programs can only slow a run down.
    loop {
        let started = Instant::now();
        product(&left, &right, &CancelFlag::new(), &mut sums, |_, sums, out| {
            out.copy_from_slice(sums);
        })?;
        shortest = shortest.min(started.elapsed());
        if Instant::now() >= until {
            return Ok((sums, 2.0 * (SIZE as f64).powi(3) / shortest.as_secs_f64() / 1e9));
        }
    }
}
