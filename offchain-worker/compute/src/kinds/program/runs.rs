//! One run of a program.

use super::running::{Running, translated};
use crate::{
    inputs::{InputError, Inputs},
    kinds::EngineError,
    run::CancelFlag,
};
use agora_machine::{Chunks, PAGE_BYTES, RunError, Trap};
use agora_primitives::job::{BlobRef, ChunkProof, JobError, ProgramJob, program::Ending};
use agora_translator::Image;
use codec::Decode;
use std::sync::Arc;

/// Gas between two looks at the flag that cancels: some hundredths of a second.
const GAS_OF_A_TURN: u64 = 1 << 22;

/// What the runs of a job read: its image, its inputs, and what belongs to one run. Clones share the contents.
#[derive(Clone)]
pub struct Blobs {
    image: Arc<[u8]>,
    /// The image, if programs can be translated here.
    translated: Option<Arc<Image>>,
    contents: Vec<(BlobRef, Arc<[u8]>)>,
}

impl Blobs {
    /// Those of `job`.
    ///
    /// Errors: `Input`.
    pub fn of(job: &ProgramJob, inputs: &dyn Inputs) -> Result<Self, EngineError> {
        let contents = job.inputs.as_slice().iter();
        let image = get(inputs, &job.image)?;
        Ok(Self {
            translated: translated(&image),
            image,
            contents: contents
                .map(|input| Ok((*input, get(inputs, input)?)))
                .collect::<Result<_, InputError>>()?,
        })
    }

    /// The image.
    pub fn image(&self) -> &[u8] {
        &self.image
    }

    fn content(&self, blob: &BlobRef) -> Option<&[u8]> {
        let found = self.contents.iter().find(|(known, _)| known == blob);
        found.map(|(_, content)| &**content)
    }

    /// These, and one more.
    pub fn with(&self, content: &[u8]) -> Self {
        let mut more = self.clone();
        more.contents.push((BlobRef::to(content), content.into()));
        more
    }

    /// Runs item `item` of `job`. Of a fold, `before` is the record of the step before.
    ///
    /// Errors: `Cancelled` soon after `cancel` is set; none other for a job that is within its limits.
    pub fn run(
        &self,
        job: &ProgramJob,
        item: u64,
        before: Option<&[u8]>,
        cancel: &CancelFlag,
    ) -> Result<Ran, EngineError> {
        let run = job.run(item, before.map(|record| BlobRef::to(record).hash));
        let blobs = self.with(&run.arguments).with(before.unwrap_or_default());
        let mut machine = Running::new(&self.image, self.translated.as_deref(), &run, &blobs).map_err(failed)?;
        let ending = loop {
            match machine.advance(GAS_OF_A_TURN).map_err(failed)?.ending() {
                None => cancel.check()?,
                Some(ending) => break ending,
            }
        };
        Ok(Ran {
            ending,
            output: machine.output().to_vec(),
            gas: machine.gas_used(),
            panic: (ending == Ending::Trapped(Trap::Breakpoint as u8))
                .then(|| Panic::of(&machine))
                .flatten(),
        })
    }
}

/// The content of `blob`, of the length that it is named by: [`Inputs`] may be wrong about it.
fn get(inputs: &dyn Inputs, blob: &BlobRef) -> Result<Arc<[u8]>, InputError> {
    let content = inputs.get(blob)?;
    if content.len() as u64 != blob.size {
        return Err(InputError::Length {
            hash: hex::encode(blob.hash),
            expected: blob.size,
            found: content.len(),
        });
    }
    Ok(content)
}

/// Why a run stopped that had not ended. A job within its limits gives no reason: its blobs are at hand as they are named.
fn failed(error: RunError) -> EngineError {
    match error {
        RunError::Missing { blob, .. } => InputError::Missing(hex::encode(blob.hash)).into(),
        RunError::Image | RunError::Gas | RunError::NoSegment => JobError::TooLarge.into(),
    }
}

impl Chunks for Blobs {
    fn chunk(&self, blob: &BlobRef, index: u64, chunk: &mut [u8; PAGE_BYTES]) -> Option<()> {
        let at = usize::try_from(index).ok()?.checked_mul(PAGE_BYTES)?;
        let bytes = self.content(blob)?.get(at..)?;
        let bytes = &bytes[..bytes.len().min(PAGE_BYTES)];
        chunk[..bytes.len()].copy_from_slice(bytes);
        Some(())
    }

    fn prove(&self, blob: &BlobRef, index: u64) -> Option<ChunkProof> {
        ChunkProof::new(self.content(blob)?, index)
    }
}

/// What a run came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ran {
    /// How it ended, if its output fits the record.
    pub ending: Ending,
    /// What it wrote.
    pub output: Vec<u8>,
    /// The gas that it used.
    pub gas: u64,
    /// If it trapped itself, where in its source, if it says so.
    pub panic: Option<Panic>,
}

/// Where in the source a program has panicked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Panic {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
}

impl Panic {
    /// What the registers say where `agora-guest` has trapped: in a7 that it did, in a0 and a1 the file's name, in a2 the line.
    /// Any program may say anything there.
    fn of(machine: &Running<'_>) -> Option<Self> {
        const A0: u8 = 10;
        const A7: u8 = 17;
        const SAYS: u64 = u64::from_le_bytes(*b"panic\0\0\0");
        const LONGEST: u64 = 1024;
        let [at, length, line] = [A0, A0 + 1, A0 + 2].map(|register| machine.register(register));
        if machine.register(A7) != SAYS || length > LONGEST {
            return None;
        }
        let file = String::from_utf8_lossy(machine.bytes(at, length as usize)?);
        // What a terminal would obey is left out.
        let file = file.chars().filter(|one| !one.is_control()).collect();
        Some(Self { file, line })
    }
}

impl Ran {
    /// Its record.
    pub fn record(&self, job: &ProgramJob) -> Vec<u8> {
        job.record(self.ending, &self.output)
    }
}

/// How a run ended, for people.
pub fn in_words(ending: Ending) -> String {
    match ending {
        Ending::Done => "done".to_owned(),
        Ending::Unusable => "unusable: the program refused its inputs".to_owned(),
        Ending::Trapped(number) => match Trap::decode(&mut &[number][..]) {
            Ok(trap) => format!("trapped: {trap}"),
            Err(_) => format!("trapped: {number}"),
        },
        Ending::OutOfGas => "out of gas".to_owned(),
        Ending::TooLong => "too long: the output does not fit the record".to_owned(),
    }
}
