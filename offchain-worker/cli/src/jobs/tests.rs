//! What the tests of the kinds' modules share, and what is true of all kinds.

use super::*;
use crate::args::{Cli, Command};
use agora_blobs::BlobStore;
use agora_compute::NoInputs;
use agora_primitives::participants::Specialisation;
use clap::{CommandFactory, Parser};
use codec::DecodeAll;
use serde::Deserialize;
use std::{collections::BTreeSet, path::PathBuf};

/// What `agora publish` reads of `arguments`, or what it says against them.
pub fn parse(arguments: &[&str]) -> Result<JobArgs, String> {
    let line = ["agora", "publish"].iter().chain(arguments);
    match Cli::try_parse_from(line).map_err(|error| error.to_string())?.command {
        Command::Publish(args) => Ok(args.job),
        _ => unreachable!("the command is `publish`"),
    }
}

/// The job that `agora publish` makes of `arguments`, or what it says against them.
pub async fn prepare(arguments: &[&str]) -> Result<JobSpec, String> {
    let prepared = parse(arguments)?.prepare().map_err(|error| error.to_string())?;
    let stored = prepared.store(&BlobStore::in_memory()).await;
    stored.map_err(|error| error.to_string())
}

/// `output` in a format of text.
pub fn convert(job: &JobSpec, output: &[u8], format: ResultFormat) -> String {
    let converted = super::convert(job, &NoInputs, output, format);
    String::from_utf8(converted.expect("the kind has the format")).expect("text")
}

/// Checks that results of `job` do not have `formats`, are told so, and can be had raw.
pub fn assert_unfit<const N: usize>(job: &JobSpec, formats: [ResultFormat; N]) {
    for format in formats {
        let refused = super::convert(job, &NoInputs, &[1, 2, 3], format).expect_err("it does not have the format");
        assert_eq!(refused.code(), 2);
        assert!(refused.to_string().ends_with("--format raw writes any result"));
    }
    let raw = super::convert(job, &NoInputs, &[1, 2, 3], ResultFormat::Raw);
    assert_eq!(raw.expect("every kind has it"), [1, 2, 3]);
}

/// A folder of files for arguments to name.
pub struct Files(tempfile::TempDir);

impl Files {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    /// Writes a file, and returns its path.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path: PathBuf = self.0.path().join(name);
        std::fs::write(&path, content).expect("written");
        path.to_str().expect("a temporary folder has a plain name").to_owned()
    }
}

#[test]
fn a_kind_that_there_is_not_is_refused() {
    let unknown = parse(&["rows"]).expect_err("it is called matmul");
    assert!(unknown.contains("rows"), "{unknown}");
    let none = parse(&[]).expect_err("no kind");
    for (kind, _) in small_jobs() {
        assert!(none.contains(&kind), "{none}");
    }
}

/// A small job of every kind, and what the kind is called.
fn small_jobs() -> Vec<(String, JobSpec)> {
    #[derive(Deserialize)]
    struct SmallJob {
        kind: String,
        job: String,
    }
    let vectors = include_str!("../../../../tests/vectors/self_test.json");
    let jobs: Vec<SmallJob> = serde_json::from_str(vectors).expect("the vectors are of this form");
    let read = |small: SmallJob| {
        let bytes = hex::decode(small.job).expect("the vectors are hexadecimal");
        let job = JobSpec::decode_all(&mut &bytes[..]).expect("the vectors are jobs");
        (small.kind, job)
    };
    jobs.into_iter().map(read).collect()
}

#[test]
fn every_kind_can_be_published_and_the_guide_says_how() {
    let agora = Cli::command();
    let publish = agora.find_subcommand("publish").expect("the command is known");
    let known: BTreeSet<String> = publish
        .get_subcommands()
        .map(|kind| kind.get_name().to_owned())
        .collect();
    let kinds: BTreeSet<String> = small_jobs().into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(known, kinds);
    let guide = include_str!("../../../../docs/guides/publisher.md");
    for kind in kinds {
        assert!(
            guide.contains(&format!("agora publish {kind} ")),
            "{kind} is not in the guide"
        );
    }
}

#[test]
fn a_worker_takes_every_kind_unless_it_says_otherwise() {
    let line = ["agora", "register", "--role", "worker", "--bond", "1"];
    let Ok(Command::Register(args)) = Cli::try_parse_from(line).map(|cli| cli.command) else {
        panic!("the command is `register`");
    };
    let taken: BTreeSet<Specialisation> = args.specialisations.into_iter().collect();
    let jobs = small_jobs().into_iter();
    assert_eq!(taken, jobs.map(|(_, job)| job.specialisation()).collect());
}

#[tokio::test]
async fn inputs_are_in_the_store_when_the_job_is_ready() {
    let files = Files::new();
    let (matrix, vectors) = (files.write("matrix", [1; 12]), files.write("vectors", [2; 6]));
    let arguments = ["matmul", "--matrix", &matrix, "--vectors", &vectors, "--columns", "3"];
    let blobs = BlobStore::in_memory();
    let job = parse(&arguments)
        .expect("well formed")
        .prepare()
        .expect("a job")
        .store(&blobs)
        .await;
    let inputs = job.expect("a job").inputs();
    assert_eq!(inputs.len(), 2);
    for input in inputs {
        let stored = blobs.contains(agora_blobs::BlobKind::Input, &input.hash.0).await;
        assert!(stored.expect("in memory"));
    }
}
