//! Renders the still life of the golden vectors on the processor and on the first adapter, checks it, and prints how
//! long each took.
//!
//! `cargo run --release -p agora-compute --example rendering -- [width] [height] [samples]`
//!
//! A path of this scene has 2.47 rays on average, those to lights included (`tests/vectors/rendering.py` counts them).

use agora_compute::{
    CancelFlag, CpuEngine, Engine, GpuEngine, GpuOptions, JobKind, JobSpec, MemoryInputs, NoProgress, Region,
    RenderingJob, check_output, find_device,
};
use std::{error::Error, time::Instant};

const VECTORS: &str = include_str!("../../../tests/vectors/rendering.json");
const RAYS_PER_PATH: f64 = 2.47;

fn main() -> Result<(), Box<dyn Error>> {
    let mut numbers = std::env::args().skip(1).map(|argument| argument.parse::<u32>());
    let mut next = |default| numbers.next().unwrap_or(Ok(default));
    let (width, height, samples) = (next(320)?, next(200)?, next(4)?);
    let vectors: serde_json::Value = serde_json::from_str(VECTORS)?;
    let mut inputs = MemoryInputs::new();
    let scene = hex::decode(vectors[0]["scene"].as_str().ok_or("the vectors have no scene")?)?;
    let job = RenderingJob {
        scene: inputs.insert(scene).ok_or("the scene is too long")?,
        seed: [7; 32],
        width,
        height,
        region: Region {
            x: 0,
            y: 0,
            width,
            height,
        },
        first_frame: 0,
        frames: 1,
        samples,
        max_bounces: 6,
    };
    let spec = JobSpec::V1(JobKind::Rendering(job));
    let engines: [Box<dyn Engine>; 2] = [
        Box::new(CpuEngine::new()),
        Box::new(GpuEngine::open(&find_device("auto")?, &GpuOptions::default())?),
    ];
    let mut outputs = Vec::new();
    for engine in &engines {
        // Compiles the shader and starts the threads.
        let small = RenderingJob {
            region: Region {
                x: 0,
                y: 0,
                width: 8,
                height: 8,
            },
            ..job
        };
        engine.run(
            &JobSpec::V1(JobKind::Rendering(small)),
            &inputs,
            &NoProgress,
            &CancelFlag::new(),
        )?;
        let started = Instant::now();
        let computed = engine.run(&spec, &inputs, &NoProgress, &CancelFlag::new())?;
        let seconds = started.elapsed().as_secs_f64();
        let paths = f64::from(width) * f64::from(height) * f64::from(samples);
        println!(
            "{}: {seconds:.2} s, {:.3} Mpaths/s, {:.3} Mrays/s, digest {}",
            engine.name(),
            paths / seconds / 1e6,
            paths * RAYS_PER_PATH / seconds / 1e6,
            hex::encode(computed.digest())
        );
        outputs.push(computed.output);
    }
    if outputs.windows(2).any(|pair| pair[0] != pair[1]) {
        return Err("the engines differ".into());
    }
    let started = Instant::now();
    let verdict = check_output(&spec, &inputs, &outputs[0], &[3; 32])?;
    println!("check: {:.3} s, {verdict:?}", started.elapsed().as_secs_f64());
    Ok(())
}
