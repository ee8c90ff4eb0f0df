//! Each kind of jobs has what the compiler does not ask for.

use agora_compute::JobKind;
use scale_info::{TypeDef, TypeInfo};
use serde::Deserialize;
use std::{collections::BTreeSet, fs, path::Path};

/// The kinds: their numbers, and their names as files have them.
fn kinds() -> Vec<(u8, String)> {
    let TypeDef::Variant(kinds) = JobKind::type_info().type_def else {
        panic!("a kind is a variant");
    };
    let kinds = kinds.variants.into_iter().map(|kind| {
        let words = kind.name.char_indices().map(|(at, letter)| match letter {
            'A'..='Z' if at > 0 => format!("_{}", letter.to_ascii_lowercase()),
            _ => letter.to_ascii_lowercase().to_string(),
        });
        (kind.index, words.collect::<String>())
    });
    kinds.collect()
}

/// The content of a file, from the root of the repository.
fn file(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[derive(Deserialize)]
struct SmallJob {
    job: String,
}

#[test]
fn engines_are_tested_with_a_job_of_every_kind() {
    let jobs: Vec<SmallJob> = serde_json::from_str(&file("tests/vectors/self_test.json")).unwrap();
    // The version is before the kind.
    let tested = jobs.iter().map(|small| hex::decode(&small.job).unwrap()[1]);
    let tested: BTreeSet<u8> = tested.collect();
    for (number, kind) in kinds() {
        assert!(tested.contains(&number), "tests/vectors/self_test.py has no {kind} job");
    }
}

#[test]
fn every_kind_has_its_page_its_rows_and_its_vectors() {
    let protocol = file("docs/protocol.md");
    for (number, kind) in kinds() {
        let row = format!("\n| {number} | {kind}: ");
        assert!(protocol.contains(&row), "{kind} is not in the table of kinds");
        let row = format!("\n| {kind} | ");
        assert!(protocol.contains(&row), "{kind} is not in the table of states");
        assert!(!file(&format!("docs/protocol/{kind}.md")).is_empty());
        assert!(!file(&format!("tests/vectors/{kind}.json")).is_empty());
    }
}
