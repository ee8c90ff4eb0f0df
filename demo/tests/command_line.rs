//! What the program does with arguments: none of them starts the market.

use std::{
    path::Path,
    process::{Command, Output, Stdio},
};

/// The program, with `folder` for temporary folders: the market makes one before anything else.
fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_agora-demo"));
    command.env("TMPDIR", folder).args(arguments).stdin(Stdio::null());
    command.output().expect("it runs")
}

fn is_empty(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    entries.count() == 0
}

#[test]
fn help_says_what_it_is_and_starts_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    for argument in ["--help", "-h"] {
        let ended = run(folder.path(), &[argument]);
        let said = String::from_utf8_lossy(&ended.stdout);
        assert_eq!(ended.status.code(), Some(0), "{argument}");
        assert!(
            said.contains("Usage: agora-demo [--help]") && said.contains("Exit codes:"),
            "{said}"
        );
        assert!(!said.contains("== "), "no section of the story begins: {said}");
        assert!(ended.stderr.is_empty() && is_empty(folder.path()), "{argument}");
    }
}

#[test]
fn other_arguments_are_wrong_usage_and_start_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    for arguments in [&["--fast"][..], &["help"], &["--help", "--fast"], &[""]] {
        let ended = run(folder.path(), arguments);
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(2), "{arguments:?}");
        assert!(said.contains("see agora-demo --help"), "{said}");
        assert!(ended.stdout.is_empty() && is_empty(folder.path()), "{arguments:?}");
    }
}

#[test]
fn without_arguments_it_makes_its_folder_where_these_tests_look() {
    let nowhere = tempfile::tempdir().expect("a folder").path().join("gone");
    let ended = run(&nowhere, &[]);
    assert_eq!(ended.status.code(), Some(1));
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(said.contains("The demonstration failed"), "{said}");
    assert!(ended.stdout.is_empty(), "nothing has begun");
}
