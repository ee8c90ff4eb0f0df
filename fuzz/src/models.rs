//! What must hold of the files of a float model: they are refused, or become a package that every engine can compute.

use crate::transformers::check_model;
use agora_compute::transformer::Package;
use agora_models::ModelFiles;

/// Checks the files of a model, and returns the package if they make one.
pub fn check_import(files: ModelFiles<'_>) -> Option<Package> {
    let package = files.import().ok()?;
    let package = check_model(&package).expect("what is written can be read");
    assert!(package.tokenizer == files.tokenizer);
    Some(package)
}
