//! Integer products on the adapter and on the processor, beside the products of other libraries in floats and integers.

use crate::{
    Failure,
    operands::{Operands, compute, giga_operations, job},
    packed_dot, peers,
    processor::ByteProducts,
    timing::in_turn,
};
use agora_bench_figures::{Better, Figure};
use agora_compute::{CpuEngine, DeviceType, Engine, GpuEngine};
use agora_primitives::job::MAX_ITERATIONS;
use burn_tensor::{Device, Float, Int};

/// The goal on a software adapter: at least so many times burn's better figure.
const SOFTWARE_GOAL: f64 = 3.0;
/// The goal on any other adapter: at least so many times burn's better figure.
const HARDWARE_GOAL: f64 = 1.0;
/// The goal for the part of what the adapter reaches in packed products alone.
const PEAK_GOAL: f64 = 0.6;
/// The length of a chain of products.
#[derive(Clone, Copy)]
struct Length {
    /// The fewest operations.
    operations: u64,
    /// The fewest products, so that the start and the end weigh little.
    products: u32,
}

/// For a software adapter: the chain takes seconds.
const ON_SOFTWARE: Length = Length {
    operations: 1 << 35,
    products: 1,
};
/// For any other adapter: hundreds of times as fast, with the same start and end.
const ON_HARDWARE: Length = Length {
    operations: 1 << 42,
    products: 32,
};
/// For the processor.
const ON_PROCESSOR: Length = Length {
    operations: 1 << 36,
    products: 4,
};

/// All figures of `sizes`.
pub fn measure(gpu: &GpuEngine, cpu: &CpuEngine, sizes: &[u32], repetitions: usize) -> Result<Vec<Figure>, Failure> {
    let device = gpu.device();
    let burn = peers::burn::open(device)?;
    let peak = match device.device_type {
        // Packed products are emulated there, one by one.
        DeviceType::Software => None,
        _ => Some(packed_dot::peak(device)?),
    };
    let mut figures = Vec::new();
    for &size in sizes {
        eprintln!("products of size {size}");
        let operands = Operands::new(size)?;
        if compute(gpu, job(size, 1))? != operands.product() {
            return Err(format!("the engines disagree on a product of size {size}").into());
        }
        let on_adapter = against_burn(gpu, &burn, &operands, repetitions)?;
        figures.extend(on_adapter.figures);
        figures.extend(peak.map(|peak| {
            let name = format!("integer GEMM {size}: GPU engine against packed products alone");
            Figure::new(name, "GOPS", on_adapter.speed, peak, Better::Higher).goal(PEAK_GOAL)
        }));
        figures.push(against_gemm(cpu, &operands, repetitions)?);
    }
    Ok(figures)
}

struct OnAdapter {
    /// GOPS of our engine.
    speed: f64,
    figures: [Figure; 2],
}

/// The GPU engine beside burn's products of floats and of integers, the better first.
fn against_burn(
    gpu: &GpuEngine,
    device: &Device,
    operands: &Operands,
    repetitions: usize,
) -> Result<OnAdapter, Failure> {
    let size = operands.size as u32;
    let (length, goal) = match gpu.device().device_type {
        DeviceType::Software => (ON_SOFTWARE, SOFTWARE_GOAL),
        _ => (ON_HARDWARE, HARDWARE_GOAL),
    };
    let iterations = length.iterations(size);
    let names = ["burn's f32", "burn's i32"];
    let floats = peers::burn::Chain::<Float>::new(names[0], operands, operands.scaled_factor(), device)?;
    let integers = peers::burn::Chain::<Int>::new(names[1], operands, operands.factor::<i32>(), device)?;
    let seconds = in_turn(
        repetitions,
        [
            Box::new(|| compute(gpu, job(size, iterations)).map(drop)),
            Box::new(|| floats.run(iterations).map(drop)),
            Box::new(|| integers.run(iterations).map(drop)),
        ],
    )?;
    let [ours, theirs @ ..] = seconds.map(|seconds| giga_operations(size, iterations) / seconds);
    let figure = |at: usize| {
        let name = format!("integer GEMM {size}: GPU engine ({}) against {}", gpu.name(), names[at]);
        Figure::new(name, "GOPS", ours, theirs[at], Better::Higher)
    };
    let (better, other) = if theirs[0] >= theirs[1] { (0, 1) } else { (1, 0) };
    Ok(OnAdapter {
        speed: ours,
        figures: [figure(better).goal(goal), figure(other)],
    })
}

/// The CPU engine beside `gemm`'s product of floats.
fn against_gemm(cpu: &CpuEngine, operands: &Operands, repetitions: usize) -> Result<Figure, Failure> {
    let size = operands.size as u32;
    let iterations = ON_PROCESSOR.iterations(size);
    let mut floats = peers::gemm::Chain::new(operands)?;
    let seconds = in_turn(
        repetitions,
        [
            Box::new(|| compute(cpu, job(size, iterations)).map(drop)),
            Box::new(|| {
                floats.run(iterations);
                Ok(())
            }),
        ],
    )?;
    let [ours, theirs] = seconds.map(|seconds| giga_operations(size, iterations) / seconds);
    let name = format!("integer GEMM {size}: CPU engine against {}", peers::gemm::NAME);
    let goal = match ByteProducts::here() {
        ByteProducts::FourTimes => 3.0,
        ByteProducts::Twice => 1.5,
    };
    Ok(Figure::new(name, "GOPS", ours, theirs, Better::Higher).goal(goal))
}

impl Length {
    /// How many products of `size` it has.
    fn iterations(self, size: u32) -> u32 {
        let product = 2 * u64::from(size).pow(3);
        let products = self.operations.div_ceil(product.max(1)).max(self.products.into());
        // Within an u32, as the limit is.
        products.min(MAX_ITERATIONS.into()) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_have_the_operations_and_products_that_they_need() {
        let iterations = |length: Length| [1, 512, 1024, 2048, 4096].map(|size| length.iterations(size));
        assert_eq!(iterations(ON_SOFTWARE), [16_384, 128, 16, 2, 1]);
        assert_eq!(iterations(ON_HARDWARE), [16_384, 16_384, 2048, 256, 32]);
        assert_eq!(iterations(ON_PROCESSOR), [16_384, 256, 32, 4, 4]);
    }
}
