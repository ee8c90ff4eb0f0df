//! From command line arguments to a job and its inputs.

use crate::{
    args::{JobArgs, RenderingArgs, TrainingArgs},
    exit::CliError,
};
use agora_blobs::{BlobKind, BlobStore};
use agora_compute::{classifier, training::Dataset};
use agora_models::Embedder;
use agora_primitives::job::{
    BlobRef, InferenceJob, InferenceTask, JobKind, JobSpec, Region, RenderingJob, MatmulJob, SyntheticJob, TrainingJob,
};
use agora_scenes::{Description, Folder};
use std::path::Path;

/// The job that `args` describe, within its limits. Its inputs are in `blobs` then.
pub async fn prepare(blobs: &BlobStore, args: JobArgs) -> Result<JobSpec, CliError> {
    let spec = match args {
        JobArgs::Synthetic {
            matrix_size,
            iterations,
            seed,
        } => JobSpec::V1(JobKind::Synthetic(SyntheticJob {
            seed: parse_seed(seed.as_deref())?,
            matrix_size,
            iterations,
        })),
        JobArgs::Matmul {
            matrix,
            columns,
            first_row,
            rows,
            vectors,
        } => {
            let matrix = store(blobs, read(&matrix)?).await?;
            let input = store(blobs, read(&vectors)?).await?;
            let count = |bytes: u32| bytes.checked_div(columns).unwrap_or(0);
            JobSpec::V1(JobKind::Matmul(MatmulJob {
                matrix,
                columns,
                first_row,
                rows: rows.unwrap_or_else(|| count(matrix.size).saturating_sub(first_row)),
                input,
                vectors: count(input.size),
            }))
        }
        JobArgs::Embedding { model, texts } => embedding(blobs, &model, &texts).await?,
        JobArgs::Classification { model, images } => classification(blobs, &model, &images).await?,
        JobArgs::Training(args) => training(blobs, &args).await?,
        JobArgs::Rendering(args) => rendering(blobs, &args).await?,
    };
    spec.validate().map_err(|error| CliError::Usage(error.to_string()))?;
    Ok(spec)
}

async fn embedding(blobs: &BlobStore, model: &Path, texts: &Path) -> Result<JobSpec, CliError> {
    let embedder = Embedder::new(read(model)?)?;
    let embedding = embedder.job(&sentences(texts)?)?;
    store(blobs, embedder.package().to_vec()).await?;
    store(blobs, embedding.input).await?;
    Ok(embedding.job)
}

async fn classification(blobs: &BlobStore, model: &Path, images: &Path) -> Result<JobSpec, CliError> {
    let (package, pixels) = (read(model)?, read(images)?);
    let network = |error: classifier::NetworkError| CliError::Usage(format!("{}: {error}", model.display()));
    let shape = classifier::Package::decode(&package).map_err(network)?.shape;
    let (item_work, item_output) = classifier::work(&package).map_err(network)?;
    let items = pixels.len() / shape.pixels();
    if items * shape.pixels() != pixels.len() {
        return Err(CliError::Usage(format!(
            "{} is not made of images of {} pixels",
            images.display(),
            shape.pixels()
        )));
    }
    Ok(JobSpec::V1(JobKind::Inference(InferenceJob {
        model: store(blobs, package).await?,
        input: store(blobs, pixels).await?,
        task: InferenceTask::Classification,
        // More than fit are refused with the job.
        items: u32::try_from(items).unwrap_or(u32::MAX),
        item_work,
        item_output,
    })))
}

async fn training(blobs: &BlobStore, args: &TrainingArgs) -> Result<JobSpec, CliError> {
    let bytes = read(&args.data)?;
    let data = Dataset::decode(&bytes).map_err(|error| CliError::Usage(format!("{}: {error}", args.data.display())))?;
    let start = match &args.start {
        Some(path) => Some(store(blobs, read(path)?).await?),
        None => None,
    };
    Ok(JobSpec::V1(JobKind::Training(TrainingJob {
        width: data.width.into(),
        height: data.height.into(),
        classes: data.classes.into(),
        data: store(blobs, bytes).await?,
        network: args.network,
        seed: parse_seed(args.seed.as_deref())?,
        batch: args.batch,
        segments: args.segments,
        segment_steps: args.segment_steps,
        trace_interval: args.trace_interval.unwrap_or(args.segment_steps),
        rate_shift: args.rate_shift,
        halve_after: args.halve_after,
        momentum_shift: args.momentum_shift,
        start,
    })))
}

async fn rendering(blobs: &BlobStore, args: &RenderingArgs) -> Result<JobSpec, CliError> {
    let whole = Region {
        x: 0,
        y: 0,
        width: args.width,
        height: args.height,
    };
    Ok(JobSpec::V1(JobKind::Rendering(RenderingJob {
        scene: store(blobs, scene(&args.scene)?).await?,
        seed: parse_seed(args.seed.as_deref())?,
        width: args.width,
        height: args.height,
        region: args.region.unwrap_or(whole),
        first_frame: args.first_frame,
        frames: args.frames,
        samples: args.samples,
        max_bounces: args.max_bounces,
    })))
}

/// The bytes of the scene at `path`: built from a description, or as they are.
fn scene(path: &Path) -> Result<Vec<u8>, CliError> {
    let bytes = read(path)?;
    let refuse = |error: &dyn std::fmt::Display| CliError::Usage(format!("{}: {error}", path.display()));
    if path.extension().is_none_or(|extension| extension != "json") {
        agora_compute::scene::Scene::decode(&bytes).map_err(|error| refuse(&error))?;
        return Ok(bytes);
    }
    let text = String::from_utf8(bytes).map_err(|error| refuse(&error))?;
    let description = Description::parse(&text).map_err(|error| refuse(&error))?;
    let folder = Folder::new(path.parent().unwrap_or(Path::new(".")));
    Ok(description.build(&folder).map_err(|error| refuse(&error))?.encode())
}

/// The lines of the file at `path` that are not empty.
pub fn sentences(path: &Path) -> Result<Vec<String>, CliError> {
    let text = String::from_utf8(read(path)?)
        .map_err(|error| CliError::Usage(format!("{} is not UTF-8: {error}", path.display())))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    Ok(lines.map(str::to_owned).collect())
}

fn parse_seed(text: Option<&str>) -> Result<[u8; 32], CliError> {
    let Some(text) = text else { return Ok(rand::random()) };
    let mut seed = [0; 32];
    hex::decode_to_slice(text.trim_start_matches("0x"), &mut seed)
        .map_err(|_| CliError::Usage("--seed takes 64 hex digits".to_owned()))?;
    Ok(seed)
}

/// The content of the file at `path`.
pub fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    std::fs::read(path).map_err(|reason| CliError::File {
        path: path.display().to_string(),
        reason,
    })
}

/// Puts an input where workers and verifiers find it.
async fn store(blobs: &BlobStore, content: Vec<u8>) -> Result<BlobRef, CliError> {
    let blob = BlobRef::to(&content)
        .ok_or_else(|| CliError::Usage(format!("{} bytes are more than an input may have", content.len())))?;
    blobs.put(BlobKind::Input, content).await?;
    Ok(blob)
}
