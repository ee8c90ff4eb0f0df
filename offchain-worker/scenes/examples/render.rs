//! Renders a description to a picture, with the engine that a device names.
//!
//! `cargo run -p agora-scenes --example render -- offchain-worker/scenes/examples/gallery.json out.png 1920 1080 64 8
//! cpu`

use agora_compute::{CancelFlag, GpuOptions, JobKind, JobSpec, MemoryInputs, Region, RenderingJob, open_engine};
use agora_scenes::{Description, Folder, png};
use std::{error::Error, fs, path::Path, time::Instant};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [description, picture, width, height, samples, max_bounces, device] = arguments.as_slice() else {
        return Err("give a description, a picture's path, width, height, samples, bounces and a device".into());
    };
    let folder = Path::new(description).parent().unwrap_or(Path::new("."));
    let built = Description::read(&fs::read(description)?)?.build(&Folder::new(folder))?;
    for warning in &built.warnings {
        eprintln!("Warning: {warning}");
    }
    let scene = built.scene;
    let mut inputs = MemoryInputs::new();
    let (width, height) = (width.parse()?, height.parse()?);
    let job = RenderingJob {
        scene: inputs.insert(scene.encode()),
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
        samples: samples.parse()?,
        max_bounces: max_bounces.parse()?,
        max_steps: 2048,
    };
    let engine = open_engine(device, &GpuOptions::default())?;
    let started = Instant::now();
    let tell = |done: u32, total: u32| eprint!("\r{done} of {total} tiles");
    let computed = engine.run(
        &JobSpec::V2(JobKind::Rendering(job)),
        &inputs,
        &tell,
        &CancelFlag::new(),
    )?;
    let seconds = started.elapsed().as_secs_f64();
    let paths = f64::from(width) * f64::from(height) * f64::from(job.samples);
    let digest: String = computed.digest().iter().map(|byte| format!("{byte:02x}")).collect();
    println!(
        "\n{}: {seconds:.1} s, {:.2} million paths a second, digest {digest}",
        engine.name(),
        paths / seconds / 1e6
    );
    fs::write(picture, png::encode(&computed.output, width, height)?)?;
    Ok(())
}
