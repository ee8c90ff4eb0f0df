//! The program in C.

use super::{Ending, Job, Mode};

const IMAGE: &[u8] = include_bytes!("../../../../guests/images/primes.bin");

#[test]
fn primes_are_counted_million_by_million() {
    let job = Job {
        image: IMAGE,
        inputs: &[b"not read"],
        mode: Mode::Map,
        items: 3,
        record_bytes: 1024,
    };
    let mut composite = vec![false; 3_000_000];
    for factor in 2..1733 {
        composite
            .iter_mut()
            .skip(factor * factor)
            .step_by(factor)
            .for_each(|flag| *flag = true);
    }
    composite[..2].fill(true);
    let expected: Vec<_> = (0..3)
        .map(|item| {
            let (from, to) = (item * 1_000_000, (item + 1) * 1_000_000);
            let count = composite[from..to].iter().filter(|&&composite| !composite).count();
            let text = format!("{count} primes from {from} to {}\n", to - 1);
            (Ending::Done, text.into_bytes())
        })
        .collect();
    assert_eq!(job.run(), expected);
}
