//! How long things take, side by side.

use crate::Failure;
use std::time::Instant;

/// One computation, from its start to its result.
pub type Contender<'a> = Box<dyn FnMut() -> Result<(), Failure> + 'a>;

/// The median seconds of each of `contenders`. They run in turn, so that what disturbs the machine disturbs all of them.
///
/// Errors: the first of a contender.
pub fn in_turn<const N: usize>(repetitions: usize, mut contenders: [Contender<'_>; N]) -> Result<[f64; N], Failure> {
    let mut seconds = [const { Vec::new() }; N];
    for _ in 0..repetitions.max(1) {
        for (contender, seconds) in contenders.iter_mut().zip(&mut seconds) {
            let started = Instant::now();
            contender()?;
            seconds.push(started.elapsed().as_secs_f64());
        }
    }
    Ok(seconds.map(median))
}

/// The middle of `values`, the upper one of an even number of them.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{cell::RefCell, thread::sleep, time::Duration};

    #[test]
    fn contenders_run_in_turn_and_their_medians_are_their_own() {
        let order = RefCell::new(String::new());
        let waits = |name, milliseconds| -> Contender<'_> {
            let order = &order;
            Box::new(move || {
                order.borrow_mut().push(name);
                sleep(Duration::from_millis(milliseconds));
                Ok(())
            })
        };
        let [short, long] = in_turn(3, [waits('a', 1), waits('b', 20)]).unwrap();
        assert_eq!(*order.borrow(), "ababab");
        assert!(short < long && long >= 0.02, "{short} {long}");
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![7.0]), 7.0);
    }
}
