//! The operands: the matrices of a synthetic job, for our engines and for the peers.

use crate::Failure;
use agora_compute::{CancelFlag, CpuEngine, Engine, JobKind, JobSpec, NoInputs, NoProgress, SyntheticJob, synthetic};
use agora_math::field::{MODULUS, canonical, symmetric};

/// The seed of all matrices. How long a product takes does not depend on it.
const SEED: [u8; 32] = [0x51; 32];
/// Standard deviation of a residue: they are uniform from -125 to 125.
const DEVIATION: f64 = 72.46;

/// The synthetic job of `iterations` products of `size`×`size` matrices.
pub fn job(size: u32, iterations: u32) -> SyntheticJob {
    SyntheticJob {
        seed: SEED,
        matrix_size: size,
        iterations,
    }
}

/// Computes `job` on `engine` and returns the output.
pub fn compute(engine: &dyn Engine, job: SyntheticJob) -> Result<Vec<u8>, Failure> {
    let job = JobSpec::V2(JobKind::Synthetic(job));
    Ok(engine.run(&job, &NoInputs, &NoProgress, &CancelFlag::new())?.output)
}

/// Billions of multiplications and additions of `iterations` products.
pub fn giga_operations(size: u32, iterations: u32) -> f64 {
    2e-9 * f64::from(size).powi(3) * f64::from(iterations)
}

/// The factor and the first state of a job, scaled by its diagonal, as numbers, row by row; and their product, with which
/// peers are checked.
pub struct Operands {
    /// The number of rows, and of columns.
    pub size: usize,
    factor: Vec<u8>,
    start: Vec<u8>,
    product: Vec<u8>,
}

impl Operands {
    /// The matrices, and their product as the reference computes it.
    ///
    /// Errors: those of the engine.
    pub fn new(size: u32) -> Result<Self, Failure> {
        let job = job(size, 1);
        let mut start = synthetic::start(&job);
        let diagonal = synthetic::Diagonals::new(&job).of(0);
        for (row, scale) in start.chunks_exact_mut(size as usize).zip(diagonal) {
            for element in row {
                *element = canonical(i32::from(*element) * i32::from(scale));
            }
        }
        Ok(Self {
            size: size as usize,
            factor: synthetic::factor(&job),
            start,
            product: compute(&CpuEngine::new(), job)?,
        })
    }

    /// The matrix that is multiplied with.
    pub fn factor<T: From<i16>>(&self) -> Vec<T> {
        numbers(&self.factor)
    }

    /// The matrix that is multiplied with, scaled so that products of floats stay as large as `start` however long the
    /// chain is.
    pub fn scaled_factor(&self) -> Vec<f32> {
        let scale = (DEVIATION * (self.size as f64).sqrt()).recip() as f32;
        self.factor().into_iter().map(|number: f32| number * scale).collect()
    }

    /// The matrix that is multiplied first.
    pub fn start<T: From<i16>>(&self) -> Vec<T> {
        numbers(&self.start)
    }

    /// The product in residues.
    pub fn product(&self) -> &[u8] {
        &self.product
    }

    /// Checks a peer's `product` of the factor and the start. It is exact in floats too: its sums are below 2²⁴ in practice,
    /// 50 standard deviations away at the largest size.
    ///
    /// Errors: the first entry that is wrong.
    pub fn check<T: Into<f64> + Copy>(&self, peer: &str, product: &[T]) -> Result<(), Failure> {
        if product.len() != self.product.len() {
            return Err(format!("{peer} gives {} numbers, not {}", product.len(), self.product.len()).into());
        }
        let wrong = product.iter().zip(&self.product).position(|(&number, &residue)| {
            let number: f64 = number.into();
            number.rem_euclid(MODULUS.into()) != f64::from(residue)
        });
        match wrong {
            Some(at) => Err(format!("{peer} computes another product, first at number {at}").into()),
            None => Ok(()),
        }
    }
}

fn numbers<T: From<i16>>(residues: &[u8]) -> Vec<T> {
    residues.iter().map(|&residue| symmetric(residue).into()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The product by the definition.
    fn product(operands: &Operands) -> Vec<f64> {
        let (a, b): (Vec<f64>, Vec<f64>) = (operands.factor(), operands.start());
        let n = operands.size;
        let entry = |at: usize| (0..n).map(|k| a[at / n * n + k] * b[k * n + at % n]).sum();
        (0..n * n).map(entry).collect()
    }

    #[test]
    fn the_product_passes_and_any_other_fails() {
        let operands = Operands::new(17).unwrap();
        let mut product = product(&operands);
        operands.check("peer", &product).unwrap();
        product[200] += 1.0;
        let error = operands.check("peer", &product).unwrap_err().to_string();
        assert!(error.contains("at number 200"), "{error}");
        product[200] = f64::NAN;
        operands.check("peer", &product).unwrap_err();
        operands.check("peer", &product[1..]).unwrap_err();
    }

    #[test]
    fn the_scaled_factor_keeps_the_size_of_what_it_multiplies() {
        let operands = Operands::new(256).unwrap();
        let squares: f64 = operands.scaled_factor().iter().map(|&x| f64::from(x).powi(2)).sum();
        // n rows of n entries of variance 1/n.
        assert!((squares / 256.0 - 1.0).abs() < 0.05, "{squares}");
    }
}
