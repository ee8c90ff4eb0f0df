//! The inputs of one job.

use agora_jobs::{BlobRef, JobSpec};
use agora_reference::Inputs;
use std::{collections::HashMap, sync::Arc};

/// The inputs of a job that somebody has, shared with whoever else has them in memory.
#[derive(Clone, Debug, Default)]
pub struct Held(HashMap<BlobRef, Arc<[u8]>>);

impl Held {
    /// What `job` reads, as far as `get` has it.
    pub fn of(job: &JobSpec, get: impl Fn(&BlobRef) -> Option<Arc<[u8]>>) -> Self {
        let all = job.inputs().into_iter();
        Self(all.filter_map(|blob| Some((blob, get(&blob)?))).collect())
    }
}

impl Inputs for Held {
    fn content(&self, blob: &BlobRef) -> Option<&[u8]> {
        self.0.get(blob).map(|content| &**content)
    }
}
