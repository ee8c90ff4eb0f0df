//! Jobs with their inputs: the vectors with which every engine is tested at start, and some that are made here.

use agora_primitives::job::{BlobRef, Claim, JobKind, JobSpec, MatmulJob};
use agora_reference::run;
use codec::DecodeAll;
use serde::Deserialize;

/// A job, and the bytes of its inputs in order.
pub struct Known {
    pub name: String,
    pub job: JobSpec,
    pub inputs: Vec<Vec<u8>>,
}

impl Known {
    pub fn evidence(&self) -> Vec<u8> {
        self.inputs.concat()
    }

    /// What the job comes to.
    pub fn claim(&self) -> Claim {
        run(&self.job, self).unwrap().claim
    }
}

impl agora_reference::Inputs for Known {
    fn content(&self, blob: &BlobRef) -> Option<&[u8]> {
        self.inputs
            .iter()
            .find(|content| BlobRef::to(content) == *blob)
            .map(Vec::as_slice)
    }
}

#[derive(Deserialize)]
struct Vector {
    kind: String,
    name: String,
    job: String,
    inputs: Vec<String>,
    digest: String,
}

/// Every vector. Its output is checked: what the chain computes is what another implementation has.
pub fn vectors() -> Vec<Known> {
    let vectors = include_str!("../../../../tests/vectors/self_test.json");
    let vectors: Vec<Vector> = serde_json::from_str(vectors).unwrap();
    let known = |vector: Vector| {
        let known = Known {
            name: format!("{}: {}", vector.kind, vector.name),
            job: JobSpec::decode_all(&mut hex::decode(&vector.job).unwrap().as_slice()).unwrap(),
            inputs: vector.inputs.iter().map(|input| hex::decode(input).unwrap()).collect(),
        };
        let output = *known.claim().output().unwrap();
        assert_eq!(hex::encode(output.hash), vector.digest, "{}", known.name);
        known
    };
    vectors.into_iter().map(known).collect()
}

/// Two inputs of the same length, and one product.
pub fn matmul() -> Known {
    let inputs = vec![vec![1u8, 2, 3, 4], vec![5u8, 6, 7, 8]];
    let job = MatmulJob {
        matrix: BlobRef::to(&inputs[0]),
        columns: 4,
        first_row: 0,
        rows: 1,
        input: BlobRef::to(&inputs[1]),
        vectors: 1,
    };
    Known {
        name: "matmul".into(),
        job: JobSpec::V2(JobKind::Matmul(job)),
        inputs,
    }
}

/// Four pixels of the scene of a vector.
pub fn rendering() -> Known {
    let mut known = vectors()
        .into_iter()
        .find(|known| known.name.starts_with("rendering"))
        .expect("a rendering job");
    let JobSpec::V2(JobKind::Rendering(job)) = &mut known.job else {
        panic!("no rendering job");
    };
    (job.region.width, job.region.height) = (2, 2);
    (job.frames, job.samples, job.max_steps) = (1, 1, 64);
    known
}

/// A job whose input is not what its kind demands: images of a classifier that are brighter than they may be, or the like.
pub fn unusable() -> Known {
    let usable = vectors().into_iter().find(|known| known.name.starts_with("training"));
    let usable = usable.expect("a training job");
    let JobSpec::V2(JobKind::Training(job)) = usable.job else {
        panic!("no training job");
    };
    // The magic of the data set is wrong.
    let mut data = usable.inputs[0].clone();
    data[0] ^= 1;
    let mut inputs = usable.inputs;
    let blob = BlobRef::to(&data);
    inputs[0] = data;
    Known {
        name: "unusable".into(),
        job: JobSpec::V2(JobKind::Training(agora_primitives::job::TrainingJob {
            data: blob,
            ..job
        })),
        inputs,
    }
}
