//! The modules of the crate know only the modules below them, and no kind of jobs knows another.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The layers, the lowest first. A module may use those in its own layer and below.
const LAYERS: [&[&str]; 7] = [
    &["computation", "digest", "inputs", "run"],
    &["device"],
    &["kernels"],
    &["networks"],
    &["kinds"],
    &["engine"],
    &["amounts", "judge", "measure", "self_test"],
];

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|modules| modules.contains(&module))
}

/// All source files in `folder`, except tests.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("tests.rs") {
            found.push(path);
        }
    }
}

/// The code of a file, without comments and without the tests at its end.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let is_test =
        |i: &usize| lines[*i] == "#[cfg(test)]" && lines.get(i + 1).is_some_and(|line| line.contains("mod tests {"));
    let end = (0..lines.len()).find(is_test).unwrap_or(lines.len());
    let code = lines[..end].iter().filter(|line| !line.trim_start().starts_with("//"));
    code.copied().collect::<Vec<_>>().join("\n")
}

/// The first names of the paths that follow `prefix` in `code`: one, or those of a group in braces.
fn names_after(code: &str, prefix: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        let letters = text.trim_start().chars();
        letters.take_while(|&c| c.is_alphanumeric() || c == '_').collect()
    };
    let mut names = Vec::new();
    for rest in code.split(prefix).skip(1) {
        let Some(group) = rest.strip_prefix('{') else {
            names.push(name(rest));
            continue;
        };
        let (mut depth, mut starts) = (0, true);
        for (at, c) in group.char_indices() {
            if starts && !c.is_whitespace() && c != '}' {
                names.push(name(&group[at..]));
                starts = false;
            }
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => starts = true,
                _ => {}
            }
        }
    }
    names
}

#[test]
fn modules_use_only_those_below() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 50);
    for path in files {
        let inside = path.strip_prefix(&root).unwrap();
        let module = inside.components().next().unwrap().as_os_str().to_str().unwrap();
        let module = module.trim_end_matches(".rs");
        if module == "lib" {
            continue;
        }
        let own = layer(module).unwrap_or_else(|| panic!("{module} is in no layer: add it to LAYERS"));
        for used in names_after(&code(&path), "crate::") {
            let used_layer = layer(&used);
            assert!(
                used_layer.is_some(),
                "{}: {used} is no module of this crate",
                inside.display()
            );
            assert!(
                used_layer <= Some(own),
                "{}: {module} must not use {used}",
                inside.display()
            );
        }
    }
}

#[test]
fn kinds_do_not_know_one_another() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/kinds");
    let entries = fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path());
    let folders: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    let name = |folder: &Path| folder.file_name().unwrap().to_str().unwrap().to_owned();
    let kinds: Vec<String> = folders.iter().map(|folder| name(folder)).collect();
    assert!(kinds.contains(&"matmul".to_owned()), "{kinds:?}");
    for (folder, kind) in folders.iter().zip(&kinds) {
        let mut files = vec![folder.with_extension("rs")];
        sources(folder, &mut files);
        for path in files {
            for used in names_after(&code(&path), "kinds::") {
                let is_other = kinds.contains(&used) && used != *kind;
                assert!(!is_other, "{}: {kind} must not use {used}", path.display());
            }
        }
    }
}

#[test]
fn names_are_found_in_paths_and_groups() {
    let code =
        "use crate::run::Run;\nuse crate::{\n    device::{Batch, Context},\n    kernels::{cpu::{A, B}, gpu::C},\n};";
    assert_eq!(names_after(code, "crate::"), ["run", "device", "kernels"]);
}
