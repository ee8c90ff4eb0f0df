//! Inputs that publishers can make and no engine can use, on a real node with real workers: to find that is a result. It is
//! paid out of the publisher's stake, and costs no worker anything.

use crate::{Tests, shared::Shared};
use agora_chain::api::{Event, api::tasks};
use agora_compute::{
    BlobRef, InferenceJob, InferenceNetwork, JobKind, JobSpec, NetworkShape, Region, RenderingJob, TrainingJob,
    classifier, encode_items,
    training::Dataset,
    transformer::{self, sample},
};
use agora_primitives::{job::Claim, money::Purpose, reputation::Outcome, task::Phase};
use std::sync::Arc;

/// Adds the test of this file.
pub fn add(tests: &mut Tests) {
    tests.sharing(
        "unusable::inputs_that_nobody_can_use_cost_their_publisher_alone",
        inputs_that_nobody_can_use_cost_their_publisher_alone,
    );
}

/// A job that is within its limits, and inputs of the lengths that it names, which cannot be used.
struct Bad {
    /// What is wrong with them.
    what: &'static str,
    job: JobKind,
    inputs: Vec<Vec<u8>>,
}

impl Bad {
    fn all() -> Vec<Self> {
        vec![
            garbage_scene(),
            image_that_is_too_bright(),
            training_image_that_is_too_bright(),
            start_out_of_bounds(),
            data_of_other_sizes(),
            package_of_another_network(),
            text_of_more_tokens_than_declared(),
        ]
    }
}

async fn inputs_that_nobody_can_use_cost_their_publisher_alone(shared: Arc<Shared>) {
    let mut market = shared.kinds(9).await;
    let (mut names, mut jobs) = (Vec::new(), Vec::new());
    for Bad { what, job, inputs } in Bad::all() {
        let job = JobSpec::V2(job);
        job.validate().unwrap_or_else(|error| panic!("{what}: {error}"));
        for input in inputs {
            assert!(
                job.inputs().contains(&BlobRef::to(&input)),
                "{what}: the job has no such input"
            );
            market.chain.put_input(&input).await;
        }
        names.push(what);
        jobs.push(job);
    }
    let tasks = market.publish_specs(jobs).await;

    for (what, &task) in names.iter().zip(&tasks) {
        assert_eq!(market.ended(task).await, Phase::Settled, "{what}");
        let settled = |event: &Event| match event {
            Event::Tasks(tasks::Event::Settled { task: of, claim, .. }) if of.0 == task => Some(claim.0),
            _ => None,
        };
        assert_eq!(market.event("its claim", settled).await, Claim::Unusable, "{what}");
        for worker in ["//Worker1", "//Worker2", "//Worker3"] {
            // Right, but no reason to believe the worker more: to find this takes no computing.
            assert_eq!(
                market.outcome(task, worker),
                Some(Outcome::Right { confirmed: false }),
                "{what}: {worker}"
            );
            assert_eq!(market.taken_for(task, worker), 0, "{what}: {worker} lost something");
            assert!(market.paid_for(task, worker) > 0, "{what}: {worker} is not paid");
        }
        market.assert_conserved(task).await;
    }
    // Workers are paid out of the publisher's stake, and each reward goes back.
    assert_eq!(market.taken_from(&market.publisher, Purpose::TaskReward), 0);
    assert!(market.taken_from(&market.publisher, Purpose::PublisherStake) > 0);
}

fn garbage_scene() -> Bad {
    let garbage = b"this is no scene".repeat(100);
    let side = 64;
    let job = RenderingJob {
        scene: BlobRef::to(&garbage),
        seed: [1; 32],
        width: side,
        height: side,
        region: Region {
            x: 0,
            y: 0,
            width: side,
            height: side,
        },
        first_frame: 0,
        frames: 1,
        samples: 1,
        max_bounces: 2,
        max_steps: 64,
    };
    Bad {
        what: "a scene that is garbage",
        job: JobKind::Rendering(job),
        inputs: vec![garbage],
    }
}

/// The largest pixel of the images here.
const BRIGHTEST: u8 = 16;
/// Pixels of an image: of 8 × 8, and, if somebody says so, of 4 × 16.
const PIXELS: usize = 64;

fn image_that_is_too_bright() -> Bad {
    let shape = classifier::Shape {
        width: 8,
        height: 8,
        window_width: 8,
        window_height: 8,
        padding: 0,
        pool: 1,
        channels: 4,
        classes: 10,
    };
    let package = classifier::Package {
        shape,
        maximum: BRIGHTEST,
        shift: 8,
        weights: vec![1; shape.weights()],
    };
    // The last pixel of two images.
    let mut images = vec![BRIGHTEST; 2 * PIXELS];
    images[2 * PIXELS - 1] += 1;
    let model = package.encode();
    let job = InferenceJob {
        model: BlobRef::to(&model),
        input: BlobRef::to(&images),
        network: package.network(),
        items: 2,
    };
    Bad {
        what: "an image that is too bright",
        job: JobKind::Inference(job),
        inputs: vec![model, images],
    }
}

/// Ten images, of a class each.
fn data() -> Vec<u8> {
    let data = Dataset {
        maximum: BRIGHTEST,
        width: 8,
        height: 8,
        classes: 10,
        pixels: (0..10 * PIXELS).map(|at| (at % 17) as u8).collect(),
        labels: (0..10).collect(),
    };
    data.encode().expect("it is within its bounds")
}

fn training_on(data: &[u8]) -> TrainingJob {
    TrainingJob {
        data: BlobRef::to(data),
        width: 8,
        height: 8,
        classes: 10,
        network: NetworkShape::Perceptron { hidden: 4 },
        seed: [1; 32],
        batch: 5,
        segments: 2,
        segment_steps: 4,
        state_interval: 2,
        rate_shift: 5,
        halve_after: 100,
        momentum_shift: 3,
        start: None,
    }
}

fn training_image_that_is_too_bright() -> Bad {
    let mut data = data();
    // Before the classes are the pixels.
    let last = data.len() - 11;
    data[last] = BRIGHTEST + 1;
    Bad {
        what: "a training image that is too bright",
        job: JobKind::Training(training_on(&data)),
        inputs: vec![data],
    }
}

fn start_out_of_bounds() -> Bad {
    let data = data();
    let job = training_on(&data);
    // No steps, and all weights and momenta zero, but for one weight that is larger than any can be.
    let mut start = vec![0; job.state_bytes() as usize];
    start[8..12].copy_from_slice(&i32::MAX.to_le_bytes());
    let job = TrainingJob {
        start: Some(BlobRef::to(&start)),
        ..job
    };
    Bad {
        what: "a start out of bounds",
        job: JobKind::Training(job),
        inputs: vec![data, start],
    }
}

fn data_of_other_sizes() -> Bad {
    let data = data();
    let job = TrainingJob {
        width: 4,
        height: 16,
        ..training_on(&data)
    };
    Bad {
        what: "images of another width and height than declared",
        job: JobKind::Training(job),
        inputs: vec![data],
    }
}

/// Embeddings of `texts` by the sample network, declared to be of `shape` and to have so many tokens each at most.
fn embedding(what: &'static str, shape: transformer::Shape, tokens: u32, texts: &[Vec<u16>]) -> Bad {
    let package = sample::package(&[1; 32], sample::SMALL).encode();
    let model = package.expect("it is within its bounds");
    let input = encode_items(texts).expect("they are few");
    let job = InferenceJob {
        model: BlobRef::to(&model),
        input: BlobRef::to(&input),
        network: InferenceNetwork::Embedding { shape, tokens },
        items: texts.len() as u32,
    };
    Bad {
        what,
        job: JobKind::Inference(job),
        inputs: vec![model, input],
    }
}

/// Three times as many heads of a third of the size: a package of such a network has the same length.
fn package_of_another_network() -> Bad {
    let shape = transformer::Shape {
        heads: 3 * sample::SMALL.heads,
        key_value_heads: 3 * sample::SMALL.key_value_heads,
        head_size: sample::SMALL.head_size / 3,
        ..sample::SMALL
    };
    embedding("a package of another network than declared", shape, 3, &[vec![1, 2, 3]])
}

/// Short texts beside a long one make up for its bytes, so that the length of the input shows nothing.
fn text_of_more_tokens_than_declared() -> Bad {
    let texts = [vec![1, 2, 3], vec![4], vec![5, 6]];
    embedding("a text of more tokens than declared", sample::SMALL, 2, &texts)
}
