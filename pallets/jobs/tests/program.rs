//! Limits, arguments and records of programs.

use agora_jobs::{
    BlobRef, H256, JobError, JobKind, JobSpec, MAX_BLOB, MAX_OUTPUT, MAX_PROGRAM_GAS, MAX_RECORD_BYTES, MAX_WORK, Mode,
    ProgramInputs, ProgramJob, Specialisation,
    program::{Ending, GAS_WORK, IMAGE_BYTE_WORK, MAX_PROGRAM_BYTES, RUN_WORK, TRAILER_BYTES, read_record},
};
use codec::{Compact, Decode, DecodeAll, Encode, MaxEncodedLen};
use proptest::prelude::*;

fn blob(size: u64) -> BlobRef {
    BlobRef {
        hash: H256::repeat_byte(size as u8),
        size,
    }
}

fn inputs(sizes: impl IntoIterator<Item = u64>) -> ProgramInputs {
    sizes.into_iter().map(blob).collect::<Vec<_>>().try_into().unwrap()
}

fn job() -> ProgramJob {
    ProgramJob {
        image: blob(100),
        inputs: inputs([7, 8]),
        mode: Mode::Map,
        items: 5,
        gas: 1000,
        record_bytes: 2048,
    }
}

fn spec(job: ProgramJob) -> JobSpec {
    JobSpec::V2(JobKind::Program(job))
}

#[test]
fn programs_within_the_limits_are_valid() {
    let most = ProgramJob {
        image: blob(MAX_PROGRAM_BYTES),
        inputs: inputs([MAX_BLOB / 16; 16]),
        gas: MAX_PROGRAM_GAS,
        record_bytes: MAX_RECORD_BYTES,
        items: 2048,
        ..job()
    };
    let many = ProgramJob {
        record_bytes: 1024,
        items: 1 << 18,
        ..job()
    };
    for job in [job(), most, many] {
        for mode in [Mode::Map, Mode::Fold] {
            let job = ProgramJob { mode, ..job.clone() };
            assert_eq!(spec(job.clone()).validate(), Ok(()), "{job:?}");
        }
    }
    assert_eq!(spec(job()).specialisation(), Specialisation::Program);
    assert_eq!(spec(job()).inputs(), [blob(100), blob(7), blob(8)]);
}

#[test]
fn programs_outside_of_the_limits_are_refused() {
    use JobError::*;
    for (wrong, error) in [
        (
            ProgramJob {
                image: blob(0),
                ..job()
            },
            Zero,
        ),
        (
            ProgramJob {
                image: blob(MAX_PROGRAM_BYTES + 1),
                ..job()
            },
            TooLarge,
        ),
        (
            ProgramJob {
                inputs: inputs([1, 0]),
                ..job()
            },
            Zero,
        ),
        (
            ProgramJob {
                inputs: inputs([MAX_BLOB + 1]),
                ..job()
            },
            TooLarge,
        ),
        (
            ProgramJob {
                inputs: inputs([MAX_BLOB, 1]),
                ..job()
            },
            TooLarge,
        ),
        (ProgramJob { items: 0, ..job() }, Zero),
        (ProgramJob { gas: 0, ..job() }, Zero),
        (
            ProgramJob {
                gas: MAX_PROGRAM_GAS + 1,
                ..job()
            },
            TooLarge,
        ),
        (
            ProgramJob {
                record_bytes: 0,
                ..job()
            },
            Zero,
        ),
        (
            ProgramJob {
                record_bytes: 1000,
                ..job()
            },
            Inconsistent,
        ),
        (
            ProgramJob {
                record_bytes: MAX_RECORD_BYTES + 1024,
                ..job()
            },
            TooLarge,
        ),
        (
            ProgramJob {
                record_bytes: 1024,
                items: (1 << 18) + 1,
                ..job()
            },
            TooLarge,
        ),
        (
            ProgramJob {
                record_bytes: MAX_RECORD_BYTES,
                items: 2049,
                mode: Mode::Fold,
                ..job()
            },
            TooLarge,
        ),
        (
            ProgramJob {
                gas: MAX_PROGRAM_GAS,
                record_bytes: 1024,
                items: 1 << 13,
                ..job()
            },
            TooMuchWork,
        ),
    ] {
        assert_eq!(spec(wrong.clone()).validate(), Err(error), "{wrong:?}");
    }
    let seventeen = vec![blob(1); 17];
    assert_eq!(ProgramInputs::try_from(seventeen.clone()), Err(TooLarge));
    assert!(ProgramInputs::decode(&mut &seventeen.encode()[..]).is_err());
    // A length that is a lie is refused before anything is read.
    assert!(ProgramInputs::decode(&mut &Compact(u32::MAX).encode()[..]).is_err());
    assert!(serde_json::from_value::<ProgramInputs>(serde_json::to_value(&seventeen).unwrap()).is_err());
}

#[test]
fn what_a_job_takes_follows_from_its_fields() {
    let run = u128::from(GAS_WORK * 1000 + IMAGE_BYTE_WORK * 100 + RUN_WORK);
    assert_eq!(spec(job()).work(), 5 * run);
    assert!(spec(job()).work() <= MAX_WORK);
    assert_eq!(spec(job()).max_output_bytes(), 5 * 2048);
    assert!(spec(job()).max_output_bytes() <= MAX_OUTPUT);
    let fold = ProgramJob {
        mode: Mode::Fold,
        ..job()
    };
    assert_eq!(spec(fold.clone()).work(), 5 * run);
    assert_eq!(spec(fold).max_output_bytes(), 2048);
}

#[test]
fn a_job_is_encoded_as_the_page_says() {
    let bytes = [
        &[5][..],
        &blob(100).encode(),
        &[2 << 2],
        &blob(7).encode(),
        &blob(8).encode(),
        &[0],
        &5u32.to_le_bytes(),
        &1000u64.to_le_bytes(),
        &2048u32.to_le_bytes(),
    ]
    .concat();
    assert_eq!(JobKind::Program(job()).encode(), bytes);
    assert_eq!(JobKind::decode_all(&mut &bytes[..]), Ok(JobKind::Program(job())));
    let full = ProgramJob {
        inputs: inputs([1; 16]),
        ..job()
    };
    assert_eq!(full.encoded_size(), ProgramJob::max_encoded_len());
    let json = serde_json::to_value(spec(job())).unwrap();
    assert_eq!(json["V2"]["kind"], "program");
    assert_eq!(json["V2"]["mode"], "map");
    assert_eq!(serde_json::from_value::<JobSpec>(json).unwrap(), spec(job()));
}

#[test]
fn arguments_are_those_of_the_page() {
    let nothing = BlobRef::to(&[]);
    let digest = H256::repeat_byte(9);
    for (item, digest, before) in [
        (0, None, nothing),
        (
            3,
            Some(digest),
            BlobRef {
                hash: digest,
                size: 2048,
            },
        ),
    ] {
        let run = job().run(item, digest);
        let words = |words: &[u64]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>();
        let bytes = [
            words(&[1, item, 5]),
            before.encode(),
            words(&[2]),
            blob(7).encode(),
            blob(8).encode(),
        ]
        .concat();
        assert_eq!(run.arguments, bytes);
        assert_eq!(run.reads, [BlobRef::to(&bytes), before, blob(7), blob(8)]);
        assert_eq!((run.item, run.image, run.gas), (item, blob(100), 1000));
        assert_eq!(run.input(), BlobRef::to(&bytes));
    }
    // Whatever a job has, they are one chunk.
    let full = ProgramJob {
        inputs: inputs([1; 16]),
        ..job()
    };
    assert_eq!(full.run(0, None).arguments.len(), 712);
}

/// The record of a run, written down plainly.
fn plain(job: &ProgramJob, ending: Ending, output: &[u8]) -> Vec<u8> {
    let capacity = job.record_bytes as usize - TRAILER_BYTES;
    let (ending, output) = match output.len() > capacity {
        true => (Ending::TooLong, &[][..]),
        false => (ending, output),
    };
    let bytes = match ending {
        Ending::Done => [1, 0],
        Ending::Unusable => [2, 0],
        Ending::Trapped(trap) => [3, trap],
        Ending::OutOfGas => [4, 0],
        Ending::TooLong => [5, 0],
    };
    let mut record = output.to_vec();
    record.resize(capacity, 0);
    record.extend(bytes);
    record.extend([0, 0]);
    record.extend((output.len() as u32).to_le_bytes());
    record
}

fn ending() -> impl Strategy<Value = Ending> {
    prop_oneof![
        Just(Ending::Done),
        Just(Ending::Unusable),
        any::<u8>().prop_map(Ending::Trapped),
        Just(Ending::OutOfGas),
    ]
}

proptest! {
    #[test]
    fn records_are_output_zeroes_and_trailer(
        ending in ending(), chunks in 1u32..5, short in 0usize..30, more in prop_oneof![Just(0usize), 0usize..5000],
    ) {
        let job = ProgramJob { record_bytes: 1024 * chunks, ..job() };
        // Around what just fits, and around whole chunks.
        let length = ((1024 * chunks as usize + 15).saturating_sub(short) + more) % (1024 * chunks as usize + 2000);
        let output: Vec<u8> = (0..length).map(|i| (i % 250) as u8 + 1).collect();
        let record = job.record(ending, &output);
        prop_assert_eq!(&record, &plain(&job, ending, &output));
        let fits = length <= record.len() - TRAILER_BYTES;
        let read = if fits { (ending, &output[..]) } else { (Ending::TooLong, &[][..]) };
        prop_assert_eq!(read_record(&record), Some(read));

        // Chunk by chunk, from the chunk of the output alone, where one is needed.
        for index in 0..u64::from(chunks) {
            let at = index as usize * 1024;
            let needs = fits && at < length;
            prop_assert_eq!(job.takes_output(length as u64, index), needs);
            let shown = if needs { &output[at..length.min(at + 1024)] } else { &[][..] };
            let chunk = job.record_chunk(ending, length as u64, index, shown).unwrap();
            prop_assert_eq!(&chunk[..], &record[at..at + 1024]);
            // What is shown for nothing changes nothing.
            if !needs {
                prop_assert_eq!(job.record_chunk(ending, length as u64, index, &[9; 50]), Some(chunk));
            }
        }
        prop_assert_eq!(job.record_chunk(ending, length as u64, chunks.into(), &[]), None);
    }

    /// A record is read as what has just this record, or as none.
    #[test]
    fn other_bytes_are_no_records(
        ending in ending(), length in 0usize..1016, flips in prop::collection::vec((0usize..1024, 1u8..), 1..4),
    ) {
        let job = ProgramJob { record_bytes: 1024, ..job() };
        let mut record = job.record(ending, &vec![1; length]);
        for (at, bits) in flips {
            record[if at % 2 == 0 { at } else { 1016 + at % 8 }] ^= bits;
        }
        if let Some((ending, output)) = read_record(&record) {
            let again = match ending {
                Ending::TooLong => job.record(Ending::Done, &[0; 2000]),
                ending => job.record(ending, output),
            };
            prop_assert_eq!(&again, &record);
        }
        prop_assert_eq!(read_record(&record[..7]), None);
    }
}
