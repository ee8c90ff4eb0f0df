//! A crate to begin with: a program that counts words, and the library that it is built on.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The library, as it is in the repository. What a crate of its own says otherwise than one of a workspace is in [`LIBRARY`].
const SOURCES: [(&str, &str); 7] = [
    (
        "agora-guest/src/lib.rs",
        include_str!("../../../guests/agora-guest/src/lib.rs"),
    ),
    (
        "agora-guest/src/arguments.rs",
        include_str!("../../../guests/agora-guest/src/arguments.rs"),
    ),
    (
        "agora-guest/src/content.rs",
        include_str!("../../../guests/agora-guest/src/content.rs"),
    ),
    (
        "agora-guest/src/heap.rs",
        include_str!("../../../guests/agora-guest/src/heap.rs"),
    ),
    (
        "agora-guest/src/output.rs",
        include_str!("../../../guests/agora-guest/src/output.rs"),
    ),
    (
        "agora-guest/src/random.rs",
        include_str!("../../../guests/agora-guest/src/random.rs"),
    ),
    (
        "agora-guest/src/start.rs",
        include_str!("../../../guests/agora-guest/src/start.rs"),
    ),
];
/// The manifest of the library.
const LIBRARY: &str = "\
[package]
name = \"agora-guest\"
version = \"0.1.0\"
edition = \"2024\"
license = \"Apache-2.0 OR MIT\"
publish = false

[dependencies]
linked_list_allocator = { version = \"0.10.5\", default-features = false }
";
/// The program.
const MAIN: &str = include_str!("../../../guests/examples/words/src/main.rs");

/// Why no crate was written.
#[derive(thiserror::Error, Debug)]
pub enum TemplateError {
    /// The folder is there, and has something in it.
    #[error("{0} is not empty: name a folder that is new")]
    NotEmpty(PathBuf),
    /// The folder's name cannot be that of a crate.
    #[error("{0:?} is no name of a crate: take letters, digits, - and _, with a letter first")]
    Name(String),
    /// A file could not be written.
    #[error("{path}: {reason}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        reason: io::Error,
    },
}

/// Writes a crate into `folder`, which is new or empty: a program that can be built as it is. Its name is that of the folder.
///
/// Errors: `Name`, `NotEmpty`, `File`.
pub fn create(folder: &Path) -> Result<(), TemplateError> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let begins = name.starts_with(|first: char| first.is_ascii_alphabetic());
    if !begins
        || !name
            .chars()
            .all(|one| one.is_ascii_alphanumeric() || "-_".contains(one))
    {
        return Err(TemplateError::Name(name.into_owned()));
    }
    let failed = |path: &Path| {
        let path = path.to_owned();
        |reason| TemplateError::File { path, reason }
    };
    fs::create_dir_all(folder).map_err(failed(folder))?;
    if fs::read_dir(folder).map_err(failed(folder))?.next().is_some() {
        return Err(TemplateError::NotEmpty(folder.to_owned()));
    }
    let manifest = manifest(&name);
    let own = [
        ("Cargo.toml", manifest.as_str()),
        (".gitignore", "/target\n"),
        ("src/main.rs", MAIN),
        ("agora-guest/Cargo.toml", LIBRARY),
    ];
    for (file, content) in own.into_iter().chain(SOURCES) {
        let path = folder.join(file);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(failed(parent))?;
        }
        fs::write(&path, content).map_err(failed(&path))?;
    }
    Ok(())
}

/// The manifest of a program: a workspace of its own, wherever its folder is.
fn manifest(name: &str) -> String {
    format!(
        "\
[package]
name = \"{name}\"
version = \"0.1.0\"
edition = \"2024\"
publish = false

[dependencies]
agora-guest = {{ path = \"agora-guest\" }}

[workspace]
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_crate_has_all_of_the_library() {
        let folder = tempfile::tempdir().expect("a folder");
        let program = folder.path().join("my-program");
        create(&program).expect("the folder is new");
        let files = |folder: &Path| -> BTreeSet<_> {
            let entries = fs::read_dir(folder).expect("it is there");
            entries.map(|entry| entry.expect("it is read").file_name()).collect()
        };
        let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guests/agora-guest/src");
        assert_eq!(files(&program.join("agora-guest/src")), files(&library));
        let manifest = fs::read_to_string(program.join("Cargo.toml")).expect("it was written");
        assert!(manifest.contains("name = \"my-program\""), "{manifest}");
        // The library depends on what it depends on in the repository.
        let own = fs::read_to_string(library.join("../Cargo.toml")).expect("it is there");
        let dependencies = |manifest: &str| manifest.split_once("[dependencies]").map(|(_, rest)| rest.to_owned());
        assert_eq!(dependencies(LIBRARY), dependencies(&own));
    }

    #[test]
    fn nothing_is_overwritten_and_no_name_is_taken_that_cargo_refuses() {
        let folder = tempfile::tempdir().expect("a folder");
        let program = folder.path().join("mine");
        fs::create_dir(&program).expect("it is new");
        create(&program).expect("it is empty");
        assert!(matches!(create(&program), Err(TemplateError::NotEmpty(_))));
        for name in ["1st", "with blank", "ünique", "..", ""] {
            let refused = create(&folder.path().join(name));
            assert!(matches!(refused, Err(TemplateError::Name(_))), "{name:?}: {refused:?}");
        }
        let file = folder.path().join("file");
        fs::write(&file, "").expect("it is written");
        assert!(matches!(create(&file), Err(TemplateError::File { .. })));
    }
}
