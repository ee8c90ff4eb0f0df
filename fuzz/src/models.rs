//! What must hold of the files of a float model: they are refused, or become a package that every engine can compute.

use crate::transformers::check_model;
use agora_compute::transformer::Package;
use agora_models::{ModelFiles, import_files};

/// Checks the files of a model, and returns the package if they make one.
pub fn check_import(files: &dyn ModelFiles) -> Option<Package> {
    let imported = import_files(files).ok()?;
    assert!(imported.accuracy >= 0.95, "less is refused");
    let package = check_model(&imported.package).expect("what is written can be read");
    let tokenizer = files
        .content("tokenizer.json")
        .expect("it is in memory")
        .expect("it was read");
    assert!(package.tokenizer.ends_with(&tokenizer));
    Some(package)
}
