//! What engines are measured with.

use super::{Made, Workload, scene};
use crate::{
    error::EngineError,
    inputs::MemoryInputs,
    kinds::{encode_items, training::Dataset},
    model::{self, sample},
    network::{self, Package},
};
use agora_primitives::job::{
    BlobRef, InferenceJob, InferenceTask, JobError, JobKind, JobSpec, MAX_SEGMENT_STEPS, MatmulJob, NetworkShape,
    Region, RenderingJob, SyntheticJob, TrainingJob,
};

/// Paths of a pixel in the picture that is rendered.
pub const SAMPLES_PER_PIXEL: u32 = 16;

/// Surfaces that a path leaves again at most.
const MAX_BOUNCES: u32 = 6;
/// Of everything that is random.
const SEED: [u8; 32] = [0x51; 32];

/// So many bytes below `end` that look random.
fn bytes(count: usize, end: u8) -> Vec<u8> {
    let high = |i: u64| i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    // Below `end`.
    (0..count as u64).map(|i| (high(i) % u64::from(end)) as u8).collect()
}

fn insert(inputs: &mut MemoryInputs, content: Vec<u8>) -> Result<BlobRef, JobError> {
    inputs.insert(content).ok_or(JobError::TooLarge)
}

/// Multiplications and additions of products of matrices; a part is one product.
pub struct Synthetic;

impl Synthetic {
    const MATRIX_SIZE: u32 = 512;
}

impl Workload for Synthetic {
    const MAX_PARTS: u32 = 4096;

    fn job(&self, parts: u32) -> Result<Made, EngineError> {
        let spec = JobSpec::V1(JobKind::Synthetic(SyntheticJob {
            seed: SEED,
            matrix_size: Self::MATRIX_SIZE,
            iterations: parts,
        }));
        Ok(Made {
            amount: 2.0 * spec.work() as f64,
            spec,
            inputs: MemoryInputs::new(),
        })
    }
}

/// Multiplications and additions of rows times vectors; a part is 64 vectors.
pub struct Matmul {
    matrix: BlobRef,
    inputs: MemoryInputs,
}

impl Matmul {
    const SIZE: u32 = 1024;
    const VECTORS: u32 = 64;

    pub fn new() -> Result<Self, EngineError> {
        let mut inputs = MemoryInputs::new();
        let matrix = insert(&mut inputs, bytes((Self::SIZE * Self::SIZE) as usize, u8::MAX))?;
        Ok(Self { matrix, inputs })
    }
}

impl Workload for Matmul {
    const MAX_PARTS: u32 = 256;

    fn job(&self, parts: u32) -> Result<Made, EngineError> {
        let vectors = parts * Self::VECTORS;
        let mut inputs = self.inputs.clone();
        let spec = JobSpec::V1(JobKind::Matmul(MatmulJob {
            matrix: self.matrix,
            columns: Self::SIZE,
            first_row: 0,
            rows: Self::SIZE,
            input: insert(&mut inputs, bytes((vectors * Self::SIZE) as usize, u8::MAX))?,
            vectors,
        }));
        Ok(Made {
            amount: 2.0 * spec.work() as f64,
            spec,
            inputs,
        })
    }
}

/// Sentences; a part is one.
pub struct Embedding {
    model: BlobRef,
    inputs: MemoryInputs,
}

impl Embedding {
    /// That of all-MiniLM-L6-v2, but for the vocabulary and the positions, of which only a few are looked up.
    const SHAPE: model::Shape = model::Shape {
        vocabulary: 256,
        positions: 64,
        hidden: 384,
        layers: 6,
        heads: 12,
        key_value_heads: 12,
        head_size: 32,
        intermediate: 1536,
    };
    const TOKENS: u32 = 32;

    pub fn new() -> Result<Self, EngineError> {
        let mut inputs = MemoryInputs::new();
        let package = sample::package(&SEED, Self::SHAPE).to_bytes()?;
        let model = insert(&mut inputs, package)?;
        Ok(Self { model, inputs })
    }
}

impl Workload for Embedding {
    const MAX_PARTS: u32 = 4096;

    fn job(&self, parts: u32) -> Result<Made, EngineError> {
        let tokens: Vec<u16> = bytes((parts * Self::TOKENS) as usize, u8::MAX)
            .into_iter()
            .map(u16::from)
            .collect();
        let items: Vec<&[u16]> = tokens.chunks(Self::TOKENS as usize).collect();
        let mut inputs = self.inputs.clone();
        let job = InferenceJob {
            model: self.model,
            input: insert(&mut inputs, encode_items(&items).ok_or(JobError::TooLarge)?)?,
            task: InferenceTask::Embedding,
            items: parts,
            item_work: Self::SHAPE.work(Self::TOKENS),
            item_output: Self::SHAPE.output_bytes(),
        };
        Ok(Made {
            spec: JobSpec::V1(JobKind::Inference(job)),
            inputs,
            amount: parts.into(),
        })
    }
}

/// The network that `agora publish training` makes of the digits of the tests.
const NETWORK: network::Shape = network::Shape {
    width: 8,
    height: 8,
    window_width: 8,
    window_height: 8,
    padding: 0,
    pool: 1,
    channels: 128,
    classes: 10,
};
/// The largest pixel of the digits.
const MAX_PIXEL: u8 = 16;

/// So many images that look random.
fn images(count: u32) -> Vec<u8> {
    bytes(count as usize * NETWORK.pixels(), MAX_PIXEL + 1)
}

/// Images that are classified; a part is 64.
pub struct Classification {
    model: BlobRef,
    inputs: MemoryInputs,
    item_work: u64,
    item_output: u32,
}

impl Classification {
    const IMAGES: u32 = 64;

    pub fn new() -> Result<Self, EngineError> {
        // −8 to 8.
        let weights = bytes(NETWORK.weights(), 17).into_iter();
        let weights = weights.map(|byte| byte.cast_signed() - 8).collect();
        let package = Package::new(NETWORK, MAX_PIXEL, weights)?.encode();
        let (item_work, item_output) = network::work(&package)?;
        let mut inputs = MemoryInputs::new();
        Ok(Self {
            model: insert(&mut inputs, package)?,
            inputs,
            item_work,
            item_output,
        })
    }
}

impl Workload for Classification {
    const MAX_PARTS: u32 = 4096;

    fn job(&self, parts: u32) -> Result<Made, EngineError> {
        let items = parts * Self::IMAGES;
        let mut inputs = self.inputs.clone();
        let job = InferenceJob {
            model: self.model,
            input: insert(&mut inputs, images(items))?,
            task: InferenceTask::Classification,
            items,
            item_work: self.item_work,
            item_output: self.item_output,
        };
        Ok(Made {
            spec: JobSpec::V1(JobKind::Inference(job)),
            inputs,
            amount: items.into(),
        })
    }
}

/// Steps of training, of 32 images each; a part is one.
pub struct Training {
    data: BlobRef,
    inputs: MemoryInputs,
}

impl Training {
    const IMAGES: u32 = 512;
    const BATCH: u32 = 32;

    pub fn new() -> Result<Self, EngineError> {
        let data = Dataset {
            maximum: MAX_PIXEL,
            // All sizes of the network are small.
            width: NETWORK.width as u16,
            height: NETWORK.height as u16,
            classes: NETWORK.classes as u16,
            pixels: images(Self::IMAGES),
            labels: bytes(Self::IMAGES as usize, NETWORK.classes as u8),
        };
        let mut inputs = MemoryInputs::new();
        Ok(Self {
            data: insert(&mut inputs, data.encode()?)?,
            inputs,
        })
    }
}

impl Workload for Training {
    const MAX_PARTS: u32 = MAX_SEGMENT_STEPS;

    fn job(&self, parts: u32) -> Result<Made, EngineError> {
        let job = TrainingJob {
            data: self.data,
            width: NETWORK.width,
            height: NETWORK.height,
            classes: NETWORK.classes,
            network: NetworkShape::Perceptron {
                hidden: NETWORK.channels,
            },
            seed: SEED,
            batch: Self::BATCH,
            segments: 1,
            segment_steps: parts,
            trace_interval: parts,
            rate_shift: 5,
            halve_after: 500,
            momentum_shift: 3,
            start: None,
        };
        Ok(Made {
            spec: JobSpec::V1(JobKind::Training(job)),
            inputs: self.inputs.clone(),
            amount: parts.into(),
        })
    }
}

/// Pixels of one picture, the larger the more; a part is 144 of them.
pub struct Rendering {
    scene: BlobRef,
    inputs: MemoryInputs,
}

impl Rendering {
    /// Width and height of the smallest picture.
    const SIZE: (u32, u32) = (16, 9);

    pub fn new() -> Result<Self, EngineError> {
        let mut inputs = MemoryInputs::new();
        Ok(Self {
            scene: insert(&mut inputs, scene::daylight().encode())?,
            inputs,
        })
    }
}

impl Workload for Rendering {
    /// 1920 × 1080 pixels.
    const MAX_PARTS: u32 = 120 * 120;

    fn job(&self, parts: u32) -> Result<Made, EngineError> {
        let scale = parts.isqrt();
        let (width, height) = (Self::SIZE.0 * scale, Self::SIZE.1 * scale);
        let job = RenderingJob {
            scene: self.scene,
            seed: SEED,
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
            samples: SAMPLES_PER_PIXEL,
            max_bounces: MAX_BOUNCES,
        };
        Ok(Made {
            amount: job.pixels() as f64,
            spec: JobSpec::V1(JobKind::Rendering(job)),
            inputs: self.inputs.clone(),
        })
    }
}
