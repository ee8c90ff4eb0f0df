//! A job on its way to the chain, with its inputs.

use crate::exit::CliError;
use agora_blobs::{BlobKind, BlobStore};
use agora_compute::MemoryInputs;
use agora_primitives::job::{BlobRef, JobKind, JobSpec};
use agora_reference::{Blobs, Fault, Source, Step};
use std::{cell::Cell, path::Path};

/// An input of a job.
struct Input {
    /// What people call it: the file that it comes from.
    name: String,
    blob: BlobRef,
    content: Vec<u8>,
    /// What helps if it is unusable.
    remedy: &'static str,
}

/// The inputs of a job that is prepared.
#[derive(Default)]
pub struct JobInputs {
    inputs: Vec<Input>,
    warnings: Vec<String>,
}

impl JobInputs {
    /// Adds an input, which was made from the file at `path`. `remedy` helps if it turns out to be unusable.
    pub fn add(&mut self, path: &Path, content: Vec<u8>, remedy: &'static str) -> BlobRef {
        let blob = BlobRef::to(&content);
        let name = path.display().to_string();
        self.inputs.push(Input {
            name,
            blob,
            content,
            remedy,
        });
        blob
    }

    /// The inputs, for who computes with them here.
    pub fn memory(&self) -> MemoryInputs {
        let mut memory = MemoryInputs::new();
        for input in &self.inputs {
            memory.insert(input.content.as_slice());
        }
        memory
    }

    /// Says what is probably not meant, and is possible all the same.
    pub fn warn(&mut self, warnings: impl IntoIterator<Item = String>) {
        self.warnings.extend(warnings);
    }

    /// The job of `kind`: within its limits, and one that workers can do with these inputs, by the code that judges that
    /// on chain.
    ///
    /// Errors: `Usage`.
    pub fn ready(self, kind: JobKind) -> Result<Prepared, CliError> {
        let spec = JobSpec::V2(kind);
        spec.validate().map_err(|error| CliError::Usage(error.to_string()))?;
        self.scan(&spec)?;
        Ok(Prepared { spec, inputs: self })
    }

    fn scan(&self, spec: &JobSpec) -> Result<(), CliError> {
        let reference = agora_reference::of(spec);
        let mut scans = Scans {
            inputs: &self.inputs,
            kept: Vec::new(),
            last: Cell::new(None),
        };
        for unit in 0..reference.units(Step::Inputs) {
            match reference.compute(&scans, Step::Inputs, unit) {
                Ok(kept) => scans.kept.push(kept),
                Err(fault) => return Err(scans.explain(&fault)),
            }
        }
        Ok(())
    }
}

/// What the scan of the inputs reads.
struct Scans<'a> {
    inputs: &'a [Input],
    kept: Vec<Vec<u8>>,
    /// The input that was read last.
    last: Cell<Option<BlobRef>>,
}

impl Scans<'_> {
    fn input(&self, blob: &BlobRef) -> Option<&Input> {
        self.inputs.iter().find(|input| input.blob == *blob)
    }

    /// What to tell of `fault`, which the unit that has just run has met.
    fn explain(&self, fault: &Fault) -> CliError {
        let input = self.last.get().and_then(|blob| self.input(&blob));
        CliError::Usage(match (fault, input) {
            (Fault::Unusable { reason, at }, Some(input)) => format!(
                "{}, byte {at}: {reason}; no worker could use it, and your stake would pay them for finding out: {}",
                input.name, input.remedy
            ),
            _ => fault.to_string(),
        })
    }
}

impl Blobs for Scans<'_> {
    fn chunk(
        &self,
        source: &Source,
        index: u64,
        chunk: &mut [u8; agora_primitives::job::blob::CHUNK_BYTES],
    ) -> Option<usize> {
        let content: &[u8] = match source {
            Source::Input(blob) => {
                self.last.set(Some(*blob));
                &self.input(blob)?.content
            }
            Source::Kept(Step::Inputs, unit) => self.kept.get(usize::try_from(*unit).ok()?)?,
            Source::Kept(..) | Source::State(_) => return None,
        };
        let from = usize::try_from(index).ok()?.checked_mul(chunk.len())?;
        let bytes = content.get(from..)?;
        let bytes = &bytes[..bytes.len().min(chunk.len())];
        chunk[..bytes.len()].copy_from_slice(bytes);
        Some(bytes.len())
    }
}

/// A job that can be published.
pub struct Prepared {
    spec: JobSpec,
    inputs: JobInputs,
}

impl Prepared {
    /// The job.
    #[cfg(test)]
    pub const fn spec(&self) -> &JobSpec {
        &self.spec
    }

    /// What is probably not meant, each in a sentence.
    pub fn warnings(&self) -> &[String] {
        &self.inputs.warnings
    }

    /// Puts the inputs into the blob store, where workers and verifiers find them.
    pub async fn store(self, blobs: &BlobStore) -> Result<JobSpec, CliError> {
        for input in self.inputs.inputs {
            blobs.put(BlobKind::Input, input.content).await?;
        }
        Ok(self.spec)
    }
}
