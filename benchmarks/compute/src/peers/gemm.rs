//! Products of floats on the processor, by the crate `gemm`: the pure Rust kernels under candle, faer and burn.

use crate::{Failure, operands::Operands};
use gemm::Parallelism;

/// Its name in the figures.
pub const NAME: &str = "gemm's f32";

/// A chain of products, and the memory it needs.
pub struct Chain {
    size: usize,
    factor: Vec<f32>,
    state: Vec<f32>,
    next: Vec<f32>,
}

impl Chain {
    /// Of `operands`, after a product of theirs that was checked.
    ///
    /// Errors: the product is another than the reference's.
    pub fn new(operands: &Operands) -> Result<Self, Failure> {
        let start: Vec<f32> = operands.start();
        let mut chain = Self {
            size: operands.size,
            factor: operands.factor(),
            next: vec![0.0; start.len()],
            state: start,
        };
        chain.multiply();
        operands.check(NAME, &chain.state)?;
        chain.factor = operands.scaled_factor();
        chain.state = operands.start();
        Ok(chain)
    }

    /// Multiplies `iterations` times, on all threads, and goes on where the last call ended.
    pub fn run(&mut self, iterations: u32) {
        for _ in 0..iterations {
            self.multiply();
        }
    }

    #[expect(unsafe_code, reason = "the crate has no safe interface")]
    fn multiply(&mut self) {
        let n = self.size;
        // Row by row: a column away is 1, a row away is n.
        let (column, row) = (1, n as isize);
        assert!(
            [&self.factor, &self.state, &self.next]
                .iter()
                .all(|matrix| matrix.len() == n * n)
        );
        // SAFETY: each matrix has n·n numbers, as was just asserted, of which the entry in row i and column j is at
        // i·n + j < n·n. `next` is borrowed mutably, and overlaps neither of the others.
        unsafe {
            gemm::gemm(
                n,
                n,
                n,
                self.next.as_mut_ptr(),
                column,
                row,
                false,
                self.factor.as_ptr(),
                column,
                row,
                self.state.as_ptr(),
                column,
                row,
                0.0,
                1.0,
                false,
                false,
                false,
                Parallelism::Rayon(0),
            );
        }
        std::mem::swap(&mut self.state, &mut self.next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_multiplies_what_our_engines_multiply_and_stays_finite() {
        let mut chain = Chain::new(&Operands::new(130).unwrap()).unwrap();
        chain.run(100);
        assert!(chain.state.iter().all(|number| number.is_finite()));
        assert!(chain.state.iter().any(|number| number.abs() > 1.0));
    }
}
