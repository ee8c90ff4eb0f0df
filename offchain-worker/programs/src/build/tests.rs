use super::*;

fn target(name: &str, kind: &str) -> Target {
    Target {
        name: name.to_owned(),
        kind: vec![kind.to_owned()],
    }
}

#[test]
fn a_crate_has_one_program_and_others_of_its_workspace_do_not_count() {
    let manifest = Path::new("/a/Cargo.toml");
    let of = |targets: Vec<Target>| {
        let package = |path: &Path, targets| Package {
            manifest_path: path.to_owned(),
            targets,
        };
        let other = package(Path::new("/b/Cargo.toml"), vec![target("other", "bin")]);
        let metadata = Metadata {
            packages: vec![other, package(manifest, targets)],
            target_directory: PathBuf::new(),
        };
        program(&metadata, manifest)
    };
    assert_eq!(
        of(vec![target("lib", "lib"), target("one", "bin")]).expect("one"),
        "one"
    );
    let none = of(vec![target("lib", "lib")]).expect_err("a library");
    assert_eq!(
        none.to_string(),
        "the crate has 0 programs: it must have one, src/main.rs"
    );
    let two = of(vec![target("one", "bin"), target("two", "bin")]).expect_err("two");
    assert!(
        two.to_string().starts_with("the crate has 2 programs (one, two)"),
        "{two}"
    );
}

#[test]
fn the_standard_library_is_installed_or_has_sources_or_is_missing() {
    let folder = tempfile::tempdir().expect("a folder");
    let make = |path: &str| fs::create_dir_all(folder.path().join("lib/rustlib").join(path)).expect("it is made");
    let missing = library(folder.path()).expect_err("there is none");
    assert!(
        missing.to_string().contains(&format!("rustup target add {TARGET}")),
        "{missing}"
    );
    make("src/rust/library/core");
    assert_eq!(library(folder.path()).expect("sources"), Library::Sources);
    make(&format!("{TARGET}/lib"));
    assert_eq!(library(folder.path()).expect("installed"), Library::Installed);
}

#[test]
fn a_folder_without_a_crate_and_a_crate_that_is_broken_are_told_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(matches!(
        build(folder.path(), folder.path()),
        Err(BuildError::NoCrate(_))
    ));
    fs::write(folder.path().join("Cargo.toml"), "[package]\nname = 3\n").expect("it is written");
    assert!(matches!(
        build(folder.path(), folder.path()),
        Err(BuildError::Failed(_))
    ));
}
