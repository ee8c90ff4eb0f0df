//! Rendering: pictures of a scene.

use super::{
    Prepare, Show,
    inputs::{read, unusable},
    prepared::JobInputs,
};
use crate::{args::ResultFormat, exit::CliError, units::Seed};
use agora_compute::{Inputs, scene::Scene};
use agora_primitives::job::{BlobRef, JobKind, JobSpec, Region, RenderingJob};
use agora_scenes::{Description, Folder, Warning};
use std::path::{Path, PathBuf};

#[derive(clap::Args, Debug)]
pub struct RenderingArgs {
    /// The scene: a description (JSON), with its meshes in its folder, or a scene as it is stored.
    #[arg(long, value_name = "FILE")]
    scene: PathBuf,
    /// Width of the picture in pixels.
    #[arg(long, default_value_t = 640)]
    width: u32,
    /// Height of the picture in pixels.
    #[arg(long, default_value_t = 360)]
    height: u32,
    /// The part that is wanted, as X,Y,WIDTH,HEIGHT; all of it if left out.
    #[arg(long, value_parser = parse_region)]
    region: Option<Region>,
    /// The first frame.
    #[arg(long, default_value_t = 0)]
    first_frame: u32,
    /// How many frames.
    #[arg(long, default_value_t = 1)]
    frames: u32,
    /// Paths of a pixel.
    #[arg(long, default_value_t = 64)]
    samples: u32,
    /// The most surfaces that a path bounces off.
    #[arg(long, default_value_t = 6)]
    max_bounces: u32,
    /// The most steps in which the rays of a path look for what they hit; then it ends. Declared work grows with it.
    #[arg(long, default_value_t = 2048)]
    max_steps: u32,
    /// Seed: 64 hex digits; random if left out.
    #[arg(long)]
    seed: Option<Seed>,
}

fn parse_region(text: &str) -> Result<Region, String> {
    let numbers: Result<Vec<u32>, _> = text.split(',').map(str::parse).collect();
    match numbers.as_deref() {
        Ok(&[x, y, width, height]) => Ok(Region { x, y, width, height }),
        _ => Err("a region is X,Y,WIDTH,HEIGHT in pixels".to_owned()),
    }
}

impl Prepare for RenderingArgs {
    fn prepare(self, inputs: &mut JobInputs) -> Result<JobKind, CliError> {
        let whole = Region {
            x: 0,
            y: 0,
            width: self.width,
            height: self.height,
        };
        let mut warnings = Vec::new();
        let (scene, is_dark) = scene(&self.scene, &mut warnings)?;
        let job = RenderingJob {
            scene: BlobRef::to(&scene),
            seed: self.seed.unwrap_or_else(Seed::random).0,
            width: self.width,
            height: self.height,
            region: self.region.unwrap_or(whole),
            first_frame: self.first_frame,
            frames: self.frames,
            samples: self.samples,
            max_bounces: self.max_bounces,
            max_steps: self.max_steps,
        };
        // A scene without any light has its warning. What is beyond the limits is refused when the job is ready.
        if !is_dark && JobSpec::V2(JobKind::Rendering(job)).validate().is_ok() {
            warnings.extend(black(&self.scene, &scene, &job));
        }
        inputs.warn(warnings);
        inputs.add(&self.scene, scene, "change what the scene describes");
        Ok(JobKind::Rendering(job))
    }
}

/// What to say if a small picture is black. What the engine refuses has an answer of its own elsewhere.
fn black(path: &Path, scene: &[u8], job: &RenderingJob) -> Option<String> {
    let is_black = agora_scenes::trial::is_black(scene, job).unwrap_or(false);
    is_black.then(|| {
        format!(
            "{}: a small picture of it, rendered here, is black: no light reaches what the camera sees; look at the camera's \
             position and target, and at where the lights are",
            path.display()
        )
    })
}

/// How a scene begins that is stored.
const STORED: &[u8] = b"AGSC";

/// The bytes of the scene at `path`: as they are, or built from a description, of which `warnings` are told; and whether one of
/// these is that there is no light at all.
fn scene(path: &Path, warnings: &mut Vec<String>) -> Result<(Vec<u8>, bool), CliError> {
    let bytes = read(path)?;
    if bytes.starts_with(STORED) {
        Scene::decode(&bytes).map_err(|error| unusable(path, error))?;
        return Ok((bytes, false));
    }
    let description = Description::read(&bytes).map_err(|error| unusable(path, error))?;
    let folder = Folder::new(path.parent().unwrap_or(Path::new(".")));
    let built = description.build(&folder).map_err(|error| unusable(path, error))?;
    let told = built
        .warnings
        .iter()
        .map(|warning| format!("{}: {warning}", path.display()));
    warnings.extend(told);
    Ok((built.scene.encode(), built.warnings.contains(&Warning::NoLight)))
}

impl Show for RenderingJob {
    fn describe(&self) -> String {
        format!(
            "rendering of scene {:#x}, {}×{} pixels, {} frames, {} samples",
            self.scene.hash, self.region.width, self.region.height, self.frames, self.samples
        )
    }

    fn convert(&self, _: &dyn Inputs, output: &[u8], format: ResultFormat) -> Result<Option<Vec<u8>>, CliError> {
        Ok(match format {
            ResultFormat::Png => Some(first_frame(self, output)?),
            _ => None,
        })
    }
}

/// The first frame, as PNG.
fn first_frame(job: &RenderingJob, output: &[u8]) -> Result<Vec<u8>, CliError> {
    let (width, height) = (job.region.width, job.region.height);
    let frame = output.get(..3 * width as usize * height as usize).unwrap_or(output);
    agora_scenes::png::encode(frame, width, height).map_err(|error| CliError::Unverified(error.to_string()))
}

#[cfg(test)]
mod tests;
