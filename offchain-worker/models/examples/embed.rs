//! Embeds the lines of a file on the processor or a graphics adapter, and writes the vectors.
//!
//! `embed DIRECTORY LINES OUTPUT [DEVICE]` imports the model in DIRECTORY (see `scripts/fetch-minilm.sh`), and writes
//! the output of the job to OUTPUT: for each line of LINES, the embedding as signed 16-bit numbers, little endian.
//! `benchmarks/accuracy/minilm.py` compares them with those of the float model.

use agora_compute::{CancelFlag, GpuOptions, MemoryInputs, NoProgress, open_engine};
use agora_models::{Embedder, import};
use std::{error::Error, fs, path::Path, time::Instant};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, lines, output, device @ ..] = arguments.as_slice() else {
        return Err("usage: embed DIRECTORY LINES OUTPUT [DEVICE]".into());
    };
    let started = Instant::now();
    let package = import(Path::new(directory))?.package;
    println!(
        "imported: {} bytes in {:.2} s",
        package.len(),
        started.elapsed().as_secs_f64()
    );
    let embedder = Embedder::new(package)?;
    let text = fs::read_to_string(lines)?;
    let sentences: Vec<&str> = text.lines().collect();
    let started = Instant::now();
    let made = embedder.job(&sentences)?;
    println!(
        "tokens: {} sentences in {:.2} s",
        sentences.len(),
        started.elapsed().as_secs_f64()
    );

    let mut inputs = MemoryInputs::new();
    let model = inputs.insert(embedder.package().clone());
    inputs.insert(made.input);
    println!("model: {:?}", model.hash);
    let device = device.first().map_or("cpu", String::as_str);
    let engine = open_engine(device, &GpuOptions::default())?;
    let started = Instant::now();
    let computation = engine.run(&made.job, &inputs, &NoProgress, &CancelFlag::new())?;
    let seconds = started.elapsed().as_secs_f64();
    let rate = sentences.len() as f64 / seconds;
    println!("embedded on {}: {seconds:.2} s, {rate:.1} sentences/s", engine.name());

    let started = Instant::now();
    let verdict = engine.check_output(&made.job, &inputs, &computation.output, &[7; 32])?;
    println!("checked: {verdict:?} in {:.2} s", started.elapsed().as_secs_f64());
    fs::write(output, computation.output)?;
    Ok(())
}
