//! What a trained network recognises.

use crate::{
    CONVOLUTION, CPU, PERCEPTRON,
    jobs::{digits, digits_job, part},
    run,
};
use agora_compute::{
    TrainingJob,
    classifier::{self, classify},
    training::Output,
};

#[test]
fn digits_that_were_held_out_are_recognised() {
    let held_out = part(&digits(), |i| i % 5 == 4);
    for (network, least) in [(PERCEPTRON, 0.95), (CONVOLUTION, 0.97)] {
        let (job, inputs) = digits_job(network, 8, 250);
        for seed in [1, 2] {
            let job = TrainingJob {
                seed: [seed; 32],
                ..job
            };
            let output = run(&CPU, job, &inputs).unwrap().output;
            let package = Output::decode(&job, &output)
                .unwrap()
                .package(&job, 16)
                .unwrap()
                .encode();
            let logits = classify(&package, &held_out.pixels, held_out.count()).unwrap();
            let labels = classifier::labels(&logits, 10);
            let right = labels
                .iter()
                .zip(&held_out.labels)
                .filter(|&(a, b)| *a == u32::from(*b))
                .count();
            let accuracy = right as f64 / held_out.labels.len() as f64;
            println!("{network:?}, seed {seed}: {accuracy:.4} of the held-out digits");
            assert!(accuracy >= least, "{network:?}, seed {seed}: {accuracy}");
        }
    }
}
