//! The command line of `agora publish`.

use crate::units::{Amount, Factor, Uuid};
use agora_primitives::job::{NetworkShape, Region};
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Args)]
pub struct PublishArgs {
    #[command(flatten)]
    pub terms: TermsArgs,
    #[command(subcommand)]
    pub job: JobArgs,
}

/// What a task offers and demands, whatever its job.
#[derive(Args)]
pub struct TermsArgs {
    /// Number of the task class; the first one for this kind of work if left out.
    #[arg(long, global = true)]
    pub class: Option<u16>,
    /// Difficulty, such as 1.0 or 2.5; the class says what is allowed.
    #[arg(long, global = true, default_value = "1.0")]
    pub difficulty: Factor,
    /// The reward, in units; the least that class and difficulty allow if left out.
    #[arg(long, global = true, value_name = "AMOUNT")]
    pub reward: Option<Amount>,
    /// Blocks from now by which the work must be committed.
    #[arg(long, global = true, default_value_t = 100, value_name = "BLOCKS")]
    pub deadline: u32,
    /// Your own name of the task: a UUID. Publishing twice under one name is refused, so a lost answer can be retried.
    #[arg(long, global = true, value_name = "UUID")]
    pub reference: Option<Uuid>,
    /// Keep the job specification in the blob store, not on chain.
    #[arg(long, global = true)]
    pub stored: bool,
}

/// What is to be computed. Files are put into the blob store, where workers and verifiers find them.
#[derive(Subcommand)]
pub enum JobArgs {
    /// A chain of matrix products over F_251.
    Synthetic {
        /// Rows and columns of the matrices.
        #[arg(long, default_value_t = 512)]
        matrix_size: u32,
        /// How many products.
        #[arg(long, default_value_t = 64)]
        iterations: u32,
        /// Seed: 64 hex digits; random if left out.
        #[arg(long)]
        seed: Option<String>,
    },
    /// Rows of a matrix of signed bytes times vectors.
    Matmul {
        /// File with the matrix: one byte per element, row by row.
        #[arg(long, value_name = "FILE")]
        matrix: PathBuf,
        /// Length of a row, and of a vector.
        #[arg(long)]
        columns: u32,
        /// The first row to multiply.
        #[arg(long, default_value_t = 0)]
        first_row: u32,
        /// How many rows; all from the first one on if left out.
        #[arg(long)]
        rows: Option<u32>,
        /// File with the vectors: one byte per element, one vector after the other.
        #[arg(long, value_name = "FILE")]
        vectors: PathBuf,
    },
    /// A vector for each sentence.
    Embedding {
        /// The model: a package that `agora model import` made.
        #[arg(long, value_name = "FILE")]
        model: PathBuf,
        /// File with the sentences, one a line.
        #[arg(long, value_name = "FILE")]
        texts: PathBuf,
    },
    /// The class of each image.
    Classification {
        /// The model: a package, such as `agora result --format model` gives of a training task.
        #[arg(long, value_name = "FILE")]
        model: PathBuf,
        /// File with the images: one byte per pixel, one image after the other.
        #[arg(long, value_name = "FILE")]
        images: PathBuf,
    },
    /// A classifier of images.
    Training(TrainingArgs),
    /// A picture of a scene, or several.
    Rendering(RenderingArgs),
}

#[derive(Args)]
pub struct TrainingArgs {
    /// The data set: images with their classes.
    #[arg(long, value_name = "FILE")]
    pub data: PathBuf,
    /// The network: `perceptron:128` has 128 hidden units, `convolution:16:3:2` 16 channels, a window of 3×3 pixels and
    /// squares of 2×2 of which the maximum is taken.
    #[arg(long, default_value = "perceptron:128", value_parser = parse_network)]
    pub network: NetworkShape,
    /// Seed: 64 hex digits; random if left out.
    #[arg(long)]
    pub seed: Option<String>,
    /// Images in one step.
    #[arg(long, default_value_t = 32)]
    pub batch: u32,
    /// Segments: the state after each is part of the result.
    #[arg(long, default_value_t = 16)]
    pub segments: u32,
    /// Steps of one segment.
    #[arg(long, default_value_t = 125)]
    pub segment_steps: u32,
    /// The state after so many steps is committed to; all steps of a segment if left out.
    #[arg(long)]
    pub trace_interval: Option<u32>,
    /// The learning rate is two to minus this power.
    #[arg(long, default_value_t = 5)]
    pub rate_shift: u32,
    /// The learning rate is halved after so many steps, again and again; 0 never halves it.
    #[arg(long, default_value_t = 500)]
    pub halve_after: u32,
    /// The momentum is one minus two to minus this power; 0 has none.
    #[arg(long, default_value_t = 3)]
    pub momentum_shift: u32,
    /// The checkpoint to go on from, as `agora result --format checkpoint` gives it.
    #[arg(long, value_name = "FILE")]
    pub start: Option<PathBuf>,
}

fn parse_network(text: &str) -> Result<NetworkShape, String> {
    let mut parts = text.split(':');
    let kind = parts.next();
    let numbers: Vec<u32> = parts
        .map(|part| part.parse().map_err(|_| format!("{part:?} is not a number")))
        .collect::<Result<_, _>>()?;
    match (kind, numbers.as_slice()) {
        (Some("perceptron"), &[hidden]) => Ok(NetworkShape::Perceptron { hidden }),
        (Some("convolution"), &[channels, window, pool]) => Ok(NetworkShape::Convolutional { channels, window, pool }),
        _ => Err("known are perceptron:HIDDEN and convolution:CHANNELS:WINDOW:POOL".to_owned()),
    }
}

#[derive(Args)]
pub struct RenderingArgs {
    /// The scene: a description (.json), with its meshes beside it, or a scene as it is stored.
    #[arg(long, value_name = "FILE")]
    pub scene: PathBuf,
    /// Width of the picture in pixels.
    #[arg(long, default_value_t = 640)]
    pub width: u32,
    /// Height of the picture in pixels.
    #[arg(long, default_value_t = 360)]
    pub height: u32,
    /// The part that is wanted, as X,Y,WIDTH,HEIGHT; all of it if left out.
    #[arg(long, value_parser = parse_region)]
    pub region: Option<Region>,
    /// The first frame.
    #[arg(long, default_value_t = 0)]
    pub first_frame: u32,
    /// How many frames.
    #[arg(long, default_value_t = 1)]
    pub frames: u32,
    /// Paths of a pixel.
    #[arg(long, default_value_t = 64)]
    pub samples: u32,
    /// Surfaces that a path leaves again at most.
    #[arg(long, default_value_t = 6)]
    pub max_bounces: u32,
    /// Seed: 64 hex digits; random if left out.
    #[arg(long)]
    pub seed: Option<String>,
}

fn parse_region(text: &str) -> Result<Region, String> {
    let numbers: Result<Vec<u32>, _> = text.split(',').map(str::parse).collect();
    match numbers.as_deref() {
        Ok(&[x, y, width, height]) => Ok(Region { x, y, width, height }),
        _ => Err("a region is X,Y,WIDTH,HEIGHT in pixels".to_owned()),
    }
}
