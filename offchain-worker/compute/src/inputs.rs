//! What jobs are computed from besides their specification: content-addressed inputs.

use agora_primitives::job::BlobRef;
use std::{collections::HashMap, sync::Arc};

/// Gives the inputs of a job by their hash.
pub trait Inputs: Send + Sync {
    /// The content of `blob`, which has its length and its hash.
    ///
    /// Errors: `Missing`, `Length`.
    fn get(&self, blob: &BlobRef) -> Result<Arc<[u8]>, InputError>;
}

/// Why an input is missing or refused.
#[derive(thiserror::Error, Clone, PartialEq, Eq, Debug)]
pub enum InputError {
    /// It is not there.
    #[error("the input {0} is not here; put it into the blob store")]
    Missing(String),
    /// The content found has another length than the job names: what the job names does not exist.
    #[error("the input {hash} should have {expected} bytes, and has {found}")]
    Length {
        /// The hash by which it is named.
        hash: String,
        /// Its length as the job says.
        expected: u64,
        /// Its length as it is.
        found: usize,
    },
}

/// No inputs, for jobs that need none.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoInputs;

impl Inputs for NoInputs {
    fn get(&self, blob: &BlobRef) -> Result<Arc<[u8]>, InputError> {
        Err(InputError::Missing(hex::encode(blob.hash)))
    }
}

/// Inputs in memory, each under its hash.
#[derive(Clone, Debug, Default)]
pub struct MemoryInputs(HashMap<[u8; 32], Arc<[u8]>>);

impl MemoryInputs {
    /// No inputs yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `content` and returns how a job names it.
    pub fn insert(&mut self, content: impl Into<Arc<[u8]>>) -> BlobRef {
        let content = content.into();
        let blob = BlobRef::to(&content);
        self.0.insert(blob.hash.0, content);
        blob
    }
}

impl Inputs for MemoryInputs {
    fn get(&self, blob: &BlobRef) -> Result<Arc<[u8]>, InputError> {
        let content = self.0.get(&blob.hash.0);
        let content = content.ok_or_else(|| InputError::Missing(hex::encode(blob.hash)))?;
        if content.len() as u64 != blob.size {
            return Err(InputError::Length {
                hash: hex::encode(blob.hash),
                expected: blob.size,
                found: content.len(),
            });
        }
        Ok(Arc::clone(content))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_found_by_their_hash_and_length() {
        let mut inputs = MemoryInputs::new();
        let blob = inputs.insert(*b"content");
        assert_eq!(&inputs.get(&blob).unwrap()[..], b"content");
        assert!(matches!(
            inputs.get(&BlobRef { size: 6, ..blob }),
            Err(InputError::Length {
                expected: 6,
                found: 7,
                ..
            })
        ));
        let missing = BlobRef {
            hash: [0; 32].into(),
            size: 7,
        };
        assert!(matches!(inputs.get(&missing), Err(InputError::Missing(_))));
        assert!(matches!(NoInputs.get(&blob), Err(InputError::Missing(_))));
    }
}
