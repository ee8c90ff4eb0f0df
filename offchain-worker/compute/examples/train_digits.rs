//! Trains a network on handwritten digits, says how many held-out ones it recognises, and draws the loss.
//!
//! `cargo run -p agora-compute --example train_digits -- [cpu | auto | adapter] [loss.svg] [network.agmp]`
//!
//! Trains the perceptron and the convolutional network, with three seeds each, on the 1,438 digits whose index does not
//! leave 4 when divided by 5, and applies them to the other 359. Then times both engines' steps and the check. The
//! chart and the package of the best network are written where the arguments say.

use agora_compute::{
    CancelFlag, Engine, EngineError, GpuOptions, JobKind, JobSpec, MemoryInputs, NetworkShape, NoProgress, TrainingJob,
    classifier::{Package, classify, labels},
    open_engine,
    training::{Dataset, LOSS_UNIT, Output},
};
use std::{error::Error, fmt::Write, time::Instant};

/// Steps of a job, and of each of its segments.
const STEPS: u32 = 2000;
const SEGMENT: u32 = 125;
/// Seeds with which each network is trained.
const SEEDS: [u8; 3] = [1, 2, 3];
/// Steps over which the loss is averaged for the chart.
const AVERAGED: usize = 25;

/// One trained network.
struct Trained {
    package: Package,
    losses: Vec<u32>,
    accuracy: f64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let device = arguments.next().unwrap_or_else(|| "cpu".into());
    let engine = open_engine(&device, &GpuOptions::default())?;
    let digits = Dataset::decode(include_bytes!("../../../tests/data/digits/digits.agds"))?;
    let training = part(&digits, |i| i % 5 != 4);
    let held_out = part(&digits, |i| i % 5 == 4);
    println!(
        "{}: {} digits to train on, {} held out",
        engine.name(),
        training.count(),
        held_out.count()
    );
    let networks = [
        ("perceptron, 128 hidden units", NetworkShape::Perceptron { hidden: 128 }),
        (
            "convolution, 16 channels",
            NetworkShape::Convolutional {
                channels: 16,
                window: 3,
                pool: 2,
            },
        ),
    ];
    let mut curves = Vec::new();
    let mut best: Option<Trained> = None;
    for (name, network) in networks {
        for seed in SEEDS {
            let trained = train(engine.as_ref(), name, network, seed, &training, &held_out)?;
            if seed == SEEDS[0] {
                curves.push((name, trained.accuracy, trained.losses.clone()));
            }
            if best.as_ref().is_none_or(|best| trained.accuracy > best.accuracy) {
                best = Some(trained);
            }
        }
    }
    if let Some(path) = arguments.next() {
        std::fs::write(&path, chart(&curves))?;
        println!("the loss is drawn in {path}");
    }
    if let (Some(path), Some(best)) = (arguments.next(), best) {
        std::fs::write(&path, best.package.encode())?;
        println!("the best network ({:.2} %) is in {path}", best.accuracy * 100.0);
    }
    Ok(())
}

/// The images of `data` whose index `keep` accepts.
fn part(data: &Dataset, keep: impl Fn(usize) -> bool) -> Dataset {
    let kept = || (0..data.labels.len()).filter(|&i| keep(i));
    let size = usize::from(data.width) * usize::from(data.height);
    Dataset {
        pixels: kept()
            .flat_map(|i| data.pixels[i * size..][..size].iter().copied())
            .collect(),
        labels: kept().map(|i| data.labels[i]).collect(),
        ..data.clone()
    }
}

/// Trains one network, checks the result as a verifier would, and applies it to `held_out`.
fn train(
    engine: &dyn Engine,
    name: &str,
    network: NetworkShape,
    seed: u8,
    training: &Dataset,
    held_out: &Dataset,
) -> Result<Trained, Box<dyn Error>> {
    let mut inputs = MemoryInputs::new();
    let data = inputs.insert(training.encode()?);
    let job = TrainingJob {
        data,
        width: training.width.into(),
        height: training.height.into(),
        classes: training.classes.into(),
        network,
        seed: [seed; 32],
        batch: 32,
        segments: STEPS / SEGMENT,
        segment_steps: SEGMENT,
        state_interval: SEGMENT,
        rate_shift: 5,
        halve_after: 500,
        momentum_shift: 3,
        start: None,
    };
    let spec = JobSpec::V2(JobKind::Training(job));
    let seconds = |started: Instant| started.elapsed().as_secs_f64();
    let started = Instant::now();
    let output = engine.run(&spec, &inputs, &NoProgress, &CancelFlag::new())?.output;
    let trained = seconds(started);
    let started = Instant::now();
    let verdict = engine.check_output(&spec, &inputs, &output, &[9; 32])?;
    let checked = seconds(started);

    let output = Output::decode(&job, &output)?;
    let package = output.package(&job, training.maximum)?;
    let share = |data: &Dataset| -> Result<f64, EngineError> {
        let logits = classify(&package.encode(), &data.pixels, data.count())?;
        let found = labels(&logits, u32::from(data.classes));
        let right = found
            .iter()
            .zip(&data.labels)
            .filter(|&(a, b)| *a == u32::from(*b))
            .count();
        Ok(right as f64 / f64::from(data.count()))
    };
    let accuracy = share(held_out)?;
    println!(
        "{name}, seed {seed}: {:.2} % of the held-out digits, {:.2} % of the others; {:.0} steps/s ({:.1} GMAC/s); check {:.0} % of training, {verdict:?}",
        accuracy * 100.0,
        share(training)? * 100.0,
        f64::from(STEPS) / trained,
        spec.work() as f64 / trained / 1e9,
        checked / trained * 100.0,
    );
    Ok(Trained {
        package,
        losses: output.losses,
        accuracy,
    })
}

/// The chart's size; its margins left and below, and right and above.
const SIZE: (f64, f64) = (760.0, 400.0);
const MARGIN: (f64, f64) = (64.0, 24.0);
/// The range of the loss in the chart, which is in bits: exponents of ten.
const DECADES: (f64, f64) = (-3.0, 1.0);
const COLOURS: [&str; 2] = ["#1f6feb", "#d1571b"];

/// Where step `step` and `bits` of loss are in the chart.
fn place(step: f64, bits: f64) -> (f64, f64) {
    let height = SIZE.1 - MARGIN.0 - MARGIN.1;
    let share = (bits.log10().max(DECADES.0) - DECADES.0) / (DECADES.1 - DECADES.0);
    let x = MARGIN.0 + step / f64::from(STEPS) * (SIZE.0 - MARGIN.0 - MARGIN.1);
    (x, MARGIN.1 + height * (1.0 - share))
}

/// The loss of each network over its steps, as an SVG.
fn chart(curves: &[(&str, f64, Vec<u32>)]) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
        SIZE.0, SIZE.1
    );
    // Writing to a string does not fail.
    let mut add = |text: String| svg.write_str(&text).unwrap_or_default();
    for decade in DECADES.0 as i32..=DECADES.1 as i32 {
        let ((left, y), (right, _)) = (place(0.0, 10f64.powi(decade)), place(STEPS.into(), 1.0));
        add(format!("<path d=\"M{left} {y:.1}H{right}\" stroke=\"#ddd\"/>\n"));
        let value = 10f64.powi(decade);
        add(format!(
            "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{value}</text>\n",
            left - 8.0,
            y + 4.0
        ));
    }
    let bottom = SIZE.1 - MARGIN.0;
    for step in (0..=STEPS).step_by(250) {
        let (x, _) = place(step.into(), 1.0);
        add(format!(
            "<text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{step}</text>\n",
            bottom + 20.0
        ));
    }
    let middle = SIZE.0 / 2.0;
    add(format!(
        "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">step</text>\n",
        bottom + 44.0
    ));
    add(format!(
        "<text transform=\"translate(16 {}) rotate(-90)\" text-anchor=\"middle\">loss per image, in bits</text>\n",
        bottom / 2.0
    ));
    for (i, ((name, accuracy, losses), colour)) in curves.iter().zip(COLOURS).enumerate() {
        let points: Vec<String> = losses
            .chunks_exact(AVERAGED)
            .enumerate()
            .map(|(at, losses)| {
                let sum: u64 = losses.iter().map(|&loss| u64::from(loss)).sum();
                let bits = sum as f64 / (AVERAGED as f64 * 32.0 * f64::from(LOSS_UNIT));
                let (x, y) = place((at as f64 + 0.5) * AVERAGED as f64, bits);
                format!("{x:.1},{y:.1}")
            })
            .collect();
        let points = points.join(" ");
        add(format!(
            "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.8\"/>\n"
        ));
        let (x, y) = (SIZE.0 - MARGIN.1 - 8.0, MARGIN.1 + 20.0 + 20.0 * i as f64);
        let text = format!("{name}: {:.1} % of held-out digits", accuracy * 100.0);
        add(format!(
            "<text x=\"{x}\" y=\"{y}\" text-anchor=\"end\" fill=\"{colour}\">{text}</text>\n"
        ));
    }
    svg + "</svg>\n"
}
