//! Why the demonstration fails.

use agora_localnet::LocalnetError;

#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error(transparent)]
    Localnet(#[from] LocalnetError),
    #[error(transparent)]
    Chain(#[from] agora_chain::ChainError),
    #[error("a temporary folder cannot be made: {0}")]
    Folder(std::io::Error),
    #[error("{0}")]
    Check(String),
    #[error("it was interrupted")]
    Interrupted,
}

/// Fails with `what` unless `holds`.
pub fn check(holds: bool, what: impl FnOnce() -> String) -> Result<(), DemoError> {
    if holds { Ok(()) } else { Err(DemoError::Check(what())) }
}
