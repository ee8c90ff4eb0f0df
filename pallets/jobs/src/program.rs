//! Programs: a publisher's own code for the machine of `docs/protocol/machine.md`, run once for each item or step. Specified in
//! `docs/protocol/program.md`.
//!
//! Whatever a run does is a result: it has a [record](Ending) of a length that follows from the job. So no program, however
//! hostile, makes a job that somebody who computed it rightly could not defend.

mod record;

pub use record::{Ending, TRAILER_BYTES, read_record};

use crate::{BlobRef, H256, JobError, Limits, MAX_BLOB, MAX_OUTPUT, Specialisation, all_within, blob::CHUNK_BYTES};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, Input, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// The most inputs of a job besides its image. With them, the arguments of a run fit one chunk.
pub const MAX_PROGRAM_INPUTS: usize = 16;
/// The largest image, in bytes: that of the machine.
pub const MAX_PROGRAM_BYTES: u64 = 16 * 1024 * 1024;
/// The most gas of one run: about a minute and a half. Larger items are several, larger steps a fold.
pub const MAX_PROGRAM_GAS: u64 = 1 << 34;
/// The longest record, in bytes: as long as a part of a state may be.
pub const MAX_RECORD_BYTES: u32 = 1 << 17;
/// What a unit of gas counts in [`Limits::work`], in multiply–add operations: whoever defends a run traces it, with the hash of the
/// memory after each segment, at about 45 million a second on one core.
pub const GAS_WORK: u64 = 16;
/// What a run counts besides its gas: its memory is made, its record hashed.
pub const RUN_WORK: u64 = 1 << 20;
/// What a byte of the image counts in each run: it is decoded.
pub const IMAGE_BYTE_WORK: u64 = 4;

/// The version that arguments begin with.
const ARGUMENTS_VERSION: u64 = 1;

/// How the runs of a job hang together.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Each item by itself: the output is all records, in order.
    Map,
    /// Each step gets the record of the one before: the output is the last record.
    Fold,
}

/// The inputs of a program: at most [`MAX_PROGRAM_INPUTS`].
#[derive(Encode, TypeInfo, Serialize, Deserialize, Clone, PartialEq, Eq, Debug, Default)]
#[serde(try_from = "Vec<BlobRef>")]
pub struct ProgramInputs(Vec<BlobRef>);

impl ProgramInputs {
    /// They, in the order of the job.
    pub fn as_slice(&self) -> &[BlobRef] {
        &self.0
    }
}

impl TryFrom<Vec<BlobRef>> for ProgramInputs {
    type Error = JobError;

    /// Errors: `TooLarge` if there are more than [`MAX_PROGRAM_INPUTS`].
    fn try_from(inputs: Vec<BlobRef>) -> Result<Self, JobError> {
        match inputs.len() > MAX_PROGRAM_INPUTS {
            true => Err(JobError::TooLarge),
            false => Ok(Self(inputs)),
        }
    }
}

impl Decode for ProgramInputs {
    fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
        let mut rest = codec::Compact::<u32>::decode(input)?.0;
        // Looked at before anything is read: a length that is a lie costs nothing.
        if rest as usize > MAX_PROGRAM_INPUTS {
            return Err("a program has at most 16 inputs".into());
        }
        let mut inputs = Vec::new();
        while let Some(left) = rest.checked_sub(1) {
            inputs.push(BlobRef::decode(input)?);
            rest = left;
        }
        Ok(Self(inputs))
    }
}

impl DecodeWithMemTracking for ProgramInputs {}

impl MaxEncodedLen for ProgramInputs {
    fn max_encoded_len() -> usize {
        // The length takes one byte.
        BlobRef::max_encoded_len()
            .saturating_mul(MAX_PROGRAM_INPUTS)
            .saturating_add(1)
    }
}

/// A program, run `items` times: see [`Mode`].
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
pub struct ProgramJob {
    /// The code: a flat image for the machine.
    pub image: BlobRef,
    /// What the runs may read, besides what belongs to the run itself.
    pub inputs: ProgramInputs,
    /// How the runs hang together.
    pub mode: Mode,
    /// How many runs there are.
    pub items: u32,
    /// The gas of each run.
    pub gas: u64,
    /// The length of each record in bytes: a multiple of 1024.
    pub record_bytes: u32,
}

/// One run of a program: everything that decides what it comes to.
#[derive(Encode, Clone, PartialEq, Eq, Debug)]
pub struct ProgramRun {
    /// Its number among the runs of the job.
    pub item: u64,
    /// The code.
    pub image: BlobRef,
    /// The content of the blob with which it is started.
    pub arguments: Vec<u8>,
    /// Its gas.
    pub gas: u64,
    /// What it may read: its arguments, the record before, and the inputs of the job. A read of anything else traps: else nobody could
    /// execute one of what nobody has.
    pub reads: Vec<BlobRef>,
}

impl ProgramRun {
    /// The blob with which it is started.
    pub fn input(&self) -> BlobRef {
        BlobRef::to(&self.arguments)
    }
}

impl ProgramJob {
    /// The state, which is a record, with this digest.
    pub const fn state(&self, digest: H256) -> BlobRef {
        BlobRef {
            hash: digest,
            size: self.record_bytes as u64,
        }
    }

    /// Run number `item`. `before` is the digest of the record before it: of a fold, all but the first have one.
    pub fn run(&self, item: u64, before: Option<H256>) -> ProgramRun {
        let before = before.map_or_else(|| BlobRef::to(&[]), |digest| self.state(digest));
        let inputs = self.inputs.as_slice();
        let mut arguments = Vec::new();
        for word in [ARGUMENTS_VERSION, item, self.items.into()] {
            arguments.extend(word.to_le_bytes());
        }
        before.encode_to(&mut arguments);
        arguments.extend((inputs.len() as u64).to_le_bytes());
        for input in inputs {
            input.encode_to(&mut arguments);
        }
        let own = [BlobRef::to(&arguments), before];
        ProgramRun {
            item,
            image: self.image,
            gas: self.gas,
            reads: own.iter().chain(inputs).copied().collect(),
            arguments,
        }
    }

    /// Multiply–add operations that one run counts.
    pub const fn run_work(&self) -> u64 {
        self.gas
            .saturating_mul(GAS_WORK)
            .saturating_add(self.image.size.saturating_mul(IMAGE_BYTE_WORK))
            .saturating_add(RUN_WORK)
    }

    /// Bytes of all records.
    pub const fn all_record_bytes(&self) -> u64 {
        (self.items as u64).saturating_mul(self.record_bytes as u64)
    }
}

impl Limits for ProgramJob {
    fn validate(&self) -> Result<(), JobError> {
        all_within([(self.image.size, MAX_PROGRAM_BYTES), (self.gas, MAX_PROGRAM_GAS)])?;
        all_within([(self.items, u32::MAX), (self.record_bytes, MAX_RECORD_BYTES)])?;
        if !self.record_bytes.is_multiple_of(CHUNK_BYTES as u32) {
            return Err(JobError::Inconsistent);
        }
        let inputs = self.inputs.as_slice();
        inputs.iter().try_for_each(BlobRef::validate)?;
        let bytes = inputs.iter().fold(0, |sum: u64, input| sum.saturating_add(input.size));
        // The states of a fold are kept, as the output of a map is.
        if bytes > MAX_BLOB || self.all_record_bytes() > MAX_OUTPUT {
            return Err(JobError::TooLarge);
        }
        Ok(())
    }

    fn work(&self) -> u128 {
        u128::from(self.run_work()).saturating_mul(self.items.into())
    }

    fn max_output_bytes(&self) -> u64 {
        match self.mode {
            Mode::Map => self.all_record_bytes(),
            Mode::Fold => self.record_bytes.into(),
        }
    }

    fn specialisation(&self) -> Specialisation {
        Specialisation::Program
    }

    fn inputs(&self) -> Vec<BlobRef> {
        [self.image].iter().chain(self.inputs.as_slice()).copied().collect()
    }
}
