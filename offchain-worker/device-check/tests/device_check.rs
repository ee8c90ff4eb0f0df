//! The program itself, on the adapter that the set-up installs.

use serde_json::Value;
use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_agora-device-check");
/// The most bytes of the stripped program: it is copied to machines that have nothing of ours.
const MAX_BYTES: u64 = 20 << 20;

fn program(arguments: &[&str], environment: &[(&str, &Path)]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).envs(environment.iter().copied());
    command.output().unwrap_or_else(|error| panic!("{PROGRAM}: {error}"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The JSON documents of a run, which must have passed.
fn passed(output: &Output) -> Vec<Value> {
    let (out, error) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{out}\n{error}");
    let lines = out.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
        .collect()
}

#[test]
fn every_kind_is_compared_and_measured_and_the_figures_are_json() {
    let figures = passed(&program(&["--device", "auto", "--seconds", "1", "--json"], &[]));
    for figure in &figures {
        let [name, unit] = ["name", "unit"].map(|field| figure[field].as_str().unwrap_or_else(|| panic!("{figure}")));
        assert!(!name.is_empty() && !unit.is_empty(), "{figure}");
        let value = figure["value"].as_f64().unwrap();
        assert!(value > 0.0, "{figure}");
        match figure["baseline"].as_f64() {
            Some(baseline) => assert!(
                (figure["ratio"].as_f64().unwrap() - value / baseline).abs() < 1e-9,
                "{figure}"
            ),
            None => assert!(figure["baseline"].is_null() && name.starts_with("opening"), "{figure}"),
        }
    }
    let named = |part: &str| {
        let found = figures
            .iter()
            .find(|figure| figure["name"].as_str().unwrap().starts_with(part));
        found.unwrap_or_else(|| panic!("no figure {part}: {figures:#?}"))
    };
    for work in [
        "synthetic",
        "matmul",
        "embedding",
        "classification",
        "training",
        "rendering",
    ] {
        named(work);
    }
    assert!(named("jobs with the right bits")["value"].as_f64().unwrap() >= 25.0);
    assert!(
        figures
            .iter()
            .filter(|figure| figure["unit"] == "jobs")
            .all(|figure| figure["ratio"] == 1.0)
    );
}

#[test]
fn the_processor_can_be_checked_alone() {
    let output = program(&["--device", "cpu", "--seconds", "1"], &[]);
    let out = text(&output.stdout);
    assert!(output.status.success(), "{out}\n{}", text(&output.stderr));
    for part in ["jobs are right", "portable", "checking", "synthetic", "GOPS"] {
        assert!(out.contains(part), "{part} is missing in:\n{out}");
    }
}

#[test]
fn devices_are_listed_with_their_limits() {
    let devices = passed(&program(&["--list", "--json"], &[]));
    assert!(!devices.is_empty());
    for device in devices {
        for field in ["name", "backend", "driver", "device_type", "limits"] {
            assert!(!device[field].is_null(), "{device}");
        }
    }
    let listed = text(&program(&["--list"], &[]).stdout);
    assert!(listed.starts_with("[0] ") && listed.contains("workgroups"), "{listed}");
}

/// Runs without success, and returns the exit code and what it said.
fn failed(output: &Output) -> (i32, String) {
    let error = text(&output.stderr);
    assert!(!output.status.success() && output.stdout.is_empty(), "{error}");
    (output.status.code().unwrap_or_else(|| panic!("{error}")), error)
}

#[test]
fn without_a_loader_or_a_driver_the_error_says_what_to_install() {
    // The first library of the name is an empty file, so that loading it fails.
    let folder = tempfile::tempdir().unwrap();
    for name in ["libvulkan.so.1", "libvulkan.so"] {
        fs::write(folder.path().join(name), []).unwrap();
    }
    let (code, error) = failed(&program(&[], &[("LD_LIBRARY_PATH", folder.path())]));
    assert!(
        code == 3 && error.contains("no Vulkan loader") && error.contains("libvulkan1"),
        "{error}"
    );

    let none = folder.path().join("none.json");
    let (code, error) = failed(&program(
        &[],
        &[("VK_DRIVER_FILES", &none), ("VK_ICD_FILENAMES", &none)],
    ));
    assert!(code == 3 && error.contains("mesa-vulkan-drivers"), "{error}");
}

#[test]
fn an_unknown_device_and_wrong_usage_have_codes_of_their_own() {
    let (code, error) = failed(&program(&["--device", "no such device"], &[]));
    assert!(code == 3 && error.contains("no such device"), "{error}");
    assert_eq!(failed(&program(&["--seconds", "0"], &[])).0, 2);
}

/// The libraries that the program names as needed.
fn needed_libraries() -> Vec<String> {
    let output = Command::new("readelf")
        .args(["--dynamic", "--wide", PROGRAM])
        .output()
        .unwrap();
    let (out, error) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{error}");
    let needed = out.lines().filter(|line| line.contains("(NEEDED)"));
    needed
        .filter_map(|line| Some(line.split_once('[')?.1.split_once(']')?.0.to_owned()))
        .collect()
}

#[test]
fn it_needs_no_library_but_those_of_every_system() {
    let libraries = needed_libraries();
    assert!(!libraries.is_empty());
    for library in libraries {
        let common = [
            "libc.so",
            "libm.so",
            "libgcc_s.so",
            "libdl.so",
            "libpthread.so",
            "ld-linux",
        ];
        assert!(common.iter().any(|name| library.starts_with(name)), "{library}");
    }
}

#[test]
fn stripped_it_is_small_enough_to_be_copied_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    let stripped = folder.path().join("agora-device-check");
    let status = Command::new("strip")
        .arg("-o")
        .arg(&stripped)
        .arg(PROGRAM)
        .status()
        .unwrap();
    assert!(status.success());
    let bytes = fs::metadata(&stripped).unwrap().len();
    assert!(bytes <= MAX_BYTES, "{bytes} bytes");
}
