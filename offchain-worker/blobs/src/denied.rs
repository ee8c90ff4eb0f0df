//! Blobs that an operator does not want on this machine.

use crate::{BlobError, BlobKey, Wanted};
use std::{collections::HashSet, sync::Arc};

/// The keys of blobs that are neither fetched nor served, and not kept either. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Denied(Arc<HashSet<BlobKey>>);

impl Denied {
    /// Whether the blob with this key is one of them, whatever its kind.
    pub fn contains(&self, key: &BlobKey) -> bool {
        self.0.contains(key)
    }

    /// Checks that `wanted` is none of them.
    ///
    /// Errors: `Denied`.
    pub(crate) fn check(&self, wanted: &Wanted) -> Result<(), BlobError> {
        match self.contains(&wanted.key) {
            true => Err(BlobError::Denied {
                kind: wanted.kind,
                key: hex::encode(wanted.key),
            }),
            false => Ok(()),
        }
    }
}

impl FromIterator<BlobKey> for Denied {
    fn from_iter<I: IntoIterator<Item = BlobKey>>(keys: I) -> Self {
        Self(Arc::new(keys.into_iter().collect()))
    }
}
