//! Inference: the golden vectors, jobs unit by unit, what is unusable, and limits.

mod bounds;
mod made;
mod places;
mod unusable;

use super::world::{Contents, World};
use agora_jobs::{Claim, InferenceJob, JobKind, JobSpec, blob};
use made::{Images, Texts};
use serde::Deserialize;

#[derive(Deserialize)]
struct Vector {
    name: String,
    seed: String,
    shape: [u32; 9],
    pooling: u8,
    dense_activation: u8,
    items: Vec<Vec<u16>>,
    package_hash: String,
    job: String,
    item_digests: Vec<String>,
    claim_scale: String,
    output: String,
}

impl Vector {
    fn all() -> Vec<Self> {
        serde_json::from_str(include_str!("../../../../tests/vectors/inference.json")).unwrap()
    }

    fn texts(&self) -> Texts {
        let mut seed = [0; 32];
        hex::decode_to_slice(&self.seed, &mut seed).unwrap();
        let mut texts = Texts::new(seed, self.shape, &self.items);
        texts.package[48] = self.pooling;
        texts.package[49] = self.dense_activation;
        texts
    }
}

fn world(kind: InferenceJob, contents: &Contents) -> World {
    World::new(JobKind::Inference(kind), contents).unwrap()
}

#[test]
fn embeddings_are_those_of_the_second_implementation() {
    for vector in Vector::all() {
        let (job, contents) = vector.texts().job();
        assert_eq!(hex::encode(job.model.hash), vector.package_hash, "{}", vector.name);
        let spec = JobSpec::V2(JobKind::Inference(job));
        assert_eq!(hex::encode(codec::Encode::encode(&spec)), vector.job);
        let world = world(job, &contents);
        assert_eq!(hex::encode(world.output()), vector.output, "{}", vector.name);
        let digests = world.states.iter().map(|state| hex::encode(blob::hash(state)));
        let digests: Vec<String> = digests.take(vector.items.len()).collect();
        assert_eq!(digests, vector.item_digests, "{}", vector.name);
        let claim: Claim = crate::run(&spec, &contents).unwrap().claim;
        assert_eq!(hex::encode(codec::Encode::encode(&claim)), vector.claim_scale);
    }
}

#[derive(Deserialize)]
struct Trained {
    name: String,
    data: String,
    package: String,
    logits: String,
}

#[test]
fn logits_are_those_of_the_second_implementation() {
    let vectors: Vec<Trained> = serde_json::from_str(include_str!("../../../../tests/vectors/training.json")).unwrap();
    for vector in vectors {
        let [data, package, logits] =
            [vector.data, vector.package, vector.logits].map(|text| hex::decode(text).unwrap());
        // A header, the images, and a class for each.
        let images = u32::from_le_bytes(data[12..16].try_into().unwrap()) as usize;
        let pixels = data[16..data.len() - images].to_vec();
        let (job, contents) = Images { package, pixels }.job();
        let world = world(job, &contents);
        assert_eq!(world.output(), logits, "{}", vector.name);
        world.units_stand_alone(1);
    }
}

#[test]
fn every_unit_of_an_embedding_stands_alone() {
    let vectors = Vector::all();
    for vector in [&vectors[1], &vectors[9]] {
        let (job, contents) = vector.texts().job();
        world(job, &contents).units_stand_alone(1);
    }
    let (job, contents) = vectors[0].texts().job();
    world(job, &contents).units_stand_alone(17);
}

#[test]
fn an_item_of_several_blocks_of_tokens_stands_alone() {
    let items = vec![(0..150).map(|i| i * i % 50).collect(), vec![7; 64], vec![49; 65]];
    let texts = Texts::new([5; 32], [50, 150, 8, 1, 2, 1, 4, 12, 20], &items);
    let (job, contents) = texts.job();
    let world = world(job, &contents);
    world.units_stand_alone(40);
    // An item does not depend on the others, nor on how long they may be.
    for (place, item) in items.iter().enumerate() {
        let alone = Texts {
            items: vec![item.clone()],
            ..texts.clone()
        };
        let (job, contents) = alone.job();
        let outcome = crate::run(&JobSpec::V2(JobKind::Inference(job)), &contents).unwrap();
        assert_eq!(outcome.output, world.states[place]);
    }
}

#[test]
fn a_classifier_of_several_blocks_of_channels_stands_alone() {
    // 17 million operations a channel: seven channels a block.
    let shape = agora_jobs::ClassifierShape {
        width: 64,
        height: 64,
        window_width: 64,
        window_height: 64,
        padding: 32,
        pool: 8,
        channels: 9,
        classes: 2,
    };
    let weights = (0..shape.weights()).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8 & 0x7f);
    let images = Images::of(shape, 200, 16, weights.collect(), vec![100; 64 * 64]);
    let (job, contents) = images.job();
    let law = crate::of(&JobSpec::V2(JobKind::Inference(job))).units(crate::Step::State(0));
    assert_eq!(law, 3);
    let outcome = crate::run(&JobSpec::V2(JobKind::Inference(job)), &contents).unwrap();
    assert_eq!(outcome.output.len(), 8);
}
