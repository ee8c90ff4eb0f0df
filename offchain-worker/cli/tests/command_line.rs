//! The program itself, without a node: how it ends, and what it prints then.

use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Output, Stdio},
};

/// Where nobody answers.
const NOWHERE: &str = "ws://127.0.0.1:9";

/// `agora` with nothing of this machine's settings.
fn agora(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_agora"));
    let settings = [
        "URL", "OUTPUT", "KEY", "KEY_FILE", "DATA", "BLOBS", "CACHE", "CONFIG", "PROFILE",
    ];
    for name in settings {
        command.env_remove(format!("AGORA_{name}"));
    }
    command
        .env_remove("RUST_LOG")
        .env("XDG_CONFIG_HOME", folder)
        .env("AGORA_DATA", folder.join("data"))
        .args(arguments);
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    agora(folder, arguments).output().expect("it runs")
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

fn error(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stderr);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{text:?} is no JSON: {error}"))
}

#[test]
fn a_url_that_can_never_be_right_is_wrong_usage_and_one_where_nobody_answers_is_not() {
    let folder = folder();
    for url in ["http://127.0.0.1:9944", "nonsense", ""] {
        let ended = run(folder.path(), &["--url", url, "tasks"]);
        assert_eq!(ended.status.code(), Some(2), "{url:?}");
    }
    let ended = run(
        folder.path(),
        &["--url", NOWHERE, "--patience", "1", "-o", "json", "tasks"],
    );
    assert_eq!(ended.status.code(), Some(5));
    let told = error(&ended);
    assert_eq!(
        (&told["error"]["kind"], &told["error"]["try_again"]),
        (&"unreachable".into(), &true.into())
    );
}

#[test]
fn wrong_usage_is_told_as_a_document_where_that_is_asked_for() {
    let folder = folder();
    let ended = run(folder.path(), &["--json", "tasks", "--nonsense"]);
    assert_eq!(ended.status.code(), Some(2));
    let told = error(&ended);
    assert_eq!(
        (&told["error"]["kind"], &told["error"]["try_again"]),
        (&"usage".into(), &false.into())
    );
    assert!(
        told["error"]["message"]
            .as_str()
            .is_some_and(|text| text.contains("--nonsense"))
    );
}

#[test]
fn an_empty_variable_counts_as_one_that_is_not_set() {
    let folder = folder();
    let mut command = agora(folder.path(), &["--patience", "0", "tasks"]);
    let ended = command
        .env("AGORA_URL", "")
        .env("AGORA_PROFILE", "")
        .output()
        .expect("it runs");
    assert_eq!(
        ended.status.code(),
        Some(5),
        "{}",
        String::from_utf8_lossy(&ended.stderr)
    );
    assert!(String::from_utf8_lossy(&ended.stderr).contains("127.0.0.1:9944"));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let folder = folder();
    let commands: [&[&str]; 8] = [
        &["completions", "zsh"],
        &["--help"],
        &["keys", "show", "--dev", "//Alice"],
        &["-o", "json", "keys", "show", "--dev", "//Alice"],
        &["-o", "yaml", "devices", "CPU"],
        // Printed as the answers of `agora tasks` are, for which a node is needed.
        &["devices"],
        &["-o", "json", "devices"],
        &["self-test", "cpu"],
    ];
    for arguments in commands {
        let mut command = agora(folder.path(), arguments);
        command.env("RUST_LOG", "off");
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        // Nobody reads it.
        drop(child.stdout.take());
        let ended = child.wait_with_output().expect("it ends");
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(
            ended.status.success() && said.is_empty(),
            "{arguments:?}: {:?}: {said}",
            ended.status
        );
    }
}

#[test]
fn an_error_that_nobody_reads_has_its_code_all_the_same() {
    let folder = folder();
    let commands: [(&[&str], i32); 3] = [
        (&["--url", NOWHERE, "--patience", "1", "tasks"], 5),
        (&["-v", "journal", "list", "--dev", "//Alice"], 3),
        (&["embed", "--model", "/nowhere", "--texts", "/nowhere"], 1),
    ];
    for (arguments, code) in commands {
        let mut child = agora(folder.path(), arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        drop((child.stdout.take(), child.stderr.take()));
        let ended = child.wait().expect("it ends");
        assert_eq!(ended.code(), Some(code), "{arguments:?}");
    }
}

#[test]
fn a_model_that_is_refused_is_told_as_a_document_with_folder_file_and_remedy() {
    let folder = folder();
    let model = folder.path().join("model");
    std::fs::create_dir(&model).expect("the folder is new");
    std::fs::write(
        model.join("config.json"),
        "version https://git-lfs.github.com/spec/v1\n",
    )
    .expect("it is written");
    let (model, package) = (model.to_string_lossy(), folder.path().join("package"));
    let package = package.to_string_lossy();
    let ended = run(
        folder.path(),
        &["--json", "model", "import", &model, "--file", &package],
    );
    assert_eq!(ended.status.code(), Some(2));
    let told = error(&ended);
    let message = told["error"]["message"].as_str().unwrap_or_default();
    assert!(
        message.starts_with(&*model) && message.contains("config.json"),
        "{message}"
    );
    assert!(message.contains("git lfs pull"), "{message}");
}

#[test]
#[cfg(target_os = "linux")]
fn an_answer_that_cannot_be_written_is_a_failure() {
    let folder = folder();
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .expect("Linux has it");
    let ended = agora(folder.path(), &["completions", "zsh"])
        .stdout(full)
        .output()
        .expect("it runs");
    assert_eq!(ended.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("cannot be written"));
}

#[test]
fn settings_with_a_mistake_are_refused_with_file_and_line() {
    let folder = folder();
    let settings = folder.path().join("agora");
    std::fs::create_dir(&settings).expect("the folder is new");
    std::fs::write(settings.join("config.toml"), "[profiles.a]\n\npatiense = 3\n").expect("it is written");
    let ended = run(folder.path(), &["keys", "show", "--dev", "//Alice"]);
    assert_eq!(ended.status.code(), Some(2));
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(said.contains("config.toml:3: ") && said.contains("patience"), "{said}");
}

#[test]
fn the_format_can_come_from_the_line_the_environment_or_a_profile() {
    let folder = folder();
    let show = ["--dev", "//Alice", "keys", "show"];
    let account = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
    let text = |output: Output| String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(text(run(folder.path(), &show)).trim(), account);
    let yaml = agora(folder.path(), &show)
        .env("AGORA_OUTPUT", "yaml")
        .output()
        .expect("it runs");
    assert_eq!(text(yaml), format!("---\naccount: \"{account}\"\nfile: null\n"));
    let file = folder.path().join("settings.toml");
    std::fs::write(&file, "[profiles.default]\noutput = \"json\"\n").expect("it is written");
    let json = agora(folder.path(), &show)
        .env("AGORA_CONFIG", &file)
        .output()
        .expect("it runs");
    let json: Value = serde_json::from_str(&text(json)).expect("it is JSON");
    assert_eq!(json["account"], account);
}

#[test]
fn a_doctor_without_a_node_says_so_and_checks_the_rest() {
    let folder = folder();
    let arguments = [
        "-o",
        "json",
        "--url",
        NOWHERE,
        "--patience",
        "1",
        "--dev",
        "//Alice",
        "doctor",
        "--quick",
    ];
    let ended = run(folder.path(), &arguments);
    assert_eq!(ended.status.code(), Some(1));
    let checks: Vec<Value> = BufReader::new(&*ended.stdout)
        .lines()
        .map(|line| serde_json::from_str(&line.expect("text")).expect("a document a line"))
        .collect();
    let finding = |name: &str| {
        checks
            .iter()
            .find(|check| check["check"] == name)
            .map(|check| check["finding"].clone())
    };
    assert_eq!(finding("node"), Some("failure".into()));
    assert_eq!(finding("data"), Some("ok".into()));
    assert_eq!(finding("blobs"), Some("ok".into()));
    assert_eq!(finding("key"), Some("warning".into()), "everybody has Alice's key");
    for check in checks.iter().filter(|check| check["finding"] != "ok") {
        assert!(check["advice"].is_string(), "{check} does not say what to do");
    }
}

#[test]
fn a_journal_that_is_not_there_is_not_found() {
    let folder = folder();
    let ended = run(folder.path(), &["--dev", "//Alice", "journal", "list"]);
    assert_eq!(ended.status.code(), Some(3));
    assert!(!folder.path().join("data").exists(), "looking makes nothing");
}

#[cfg(feature = "fault-injection")]
#[test]
fn a_build_that_can_misbehave_says_so_in_the_first_line_of_what_runs_for_long() {
    let folder = folder();
    for command in ["mine", "verify-work"] {
        // It ends at once, for want of a key.
        let ended = run(folder.path(), &[command]);
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        let first = said.lines().next().unwrap_or_default();
        assert!(first.contains("WARN") && first.contains("fault injection"), "{said}");
        assert_eq!(said.matches("fault injection").count(), 1, "{said}");
    }
}

#[test]
fn a_file_is_put_without_a_node_and_its_hash_is_told() {
    let folder = folder();
    let file = folder.path().join("file");
    std::fs::write(&file, vec![7; 1 << 20]).expect("written");
    let path = file.to_string_lossy().into_owned();
    let put = run(folder.path(), &["--json", "blobs", "put", &path]);
    let told: Value = serde_json::from_slice(&put.stdout).expect("it is JSON");
    let hash = told["hash"].as_str().expect("it has a hash");
    assert_eq!(told["size"], 1 << 20);
    let stored = folder.path().join("data/blobs/inputs").join(&hash[..2]).join(hash);
    assert_eq!(std::fs::read(stored).expect("it is there"), vec![7; 1 << 20]);
    let absent = run(folder.path(), &["blobs", "put", "/nonexistent/file"]);
    assert!(!absent.status.success());
    assert!(String::from_utf8_lossy(&absent.stderr).contains("/nonexistent/file"));
}
