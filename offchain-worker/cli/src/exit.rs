//! How the program ends.

use agora_blobs::BlobError;
use agora_chain::{ChainError, KeyError};
use agora_compute::EngineError;
use agora_models::{EmbedError, ImportError};
use agora_programs::{BuildError, TemplateError};
use agora_worker::{JournalError, WorkerError};

/// For `--help`.
pub const EXPLAINED: &str = "\
Exit codes: 0 done · 1 failed · 2 wrong usage · 3 not found · 4 refused by the chain · 5 no node answers, or none is believed · 6 verification \
failed · 7 interrupted: it may or may not have been done · 8 not in time · 9 it will never be
After 5, 7 and 8 the same command may succeed later: try again, after 7 with a look at what was done. After the others \
something must be mended first.";

/// Why the program ends without having done what was asked.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Blob(#[from] BlobError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Worker(#[from] WorkerError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Import(#[from] ImportError),
    #[error(transparent)]
    Embed(#[from] EmbedError),
    #[error(transparent)]
    NewProgram(#[from] TemplateError),
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error("{0}")]
    Usage(String),
    /// What the parser of the command line says; it tells the program's name itself.
    #[error("{0}")]
    Line(String),
    #[error("{0}")]
    NotFound(String),
    #[error("verification failed: {0}")]
    Unverified(String),
    #[error("{path}: {reason}")]
    File { path: String, reason: std::io::Error },
    #[error("it would be refused: {0}")]
    WouldBeRefused(String),
    #[error("{0}")]
    NotInTime(String),
    #[error("{0}")]
    NeverWillBe(String),
    #[error("{0}")]
    Unfit(String),
}

/// The kinds of errors, which scripts tell apart by the exit code or by `error.kind`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Failed,
    Usage,
    NotFound,
    Refused,
    Unreachable,
    Unverified,
    Interrupted,
    NotInTime,
    NeverWillBe,
}

impl Kind {
    /// All of them.
    #[cfg(test)]
    pub const ALL: [Self; 9] = [
        Self::Failed,
        Self::Usage,
        Self::NotFound,
        Self::Refused,
        Self::Unreachable,
        Self::Unverified,
        Self::Interrupted,
        Self::NotInTime,
        Self::NeverWillBe,
    ];

    /// Its name in documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::NotFound => "not-found",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::Unverified => "unverified",
            Self::Interrupted => "interrupted",
            Self::NotInTime => "not-in-time",
            Self::NeverWillBe => "never-will-be",
        }
    }

    /// The process's exit code.
    pub const fn code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::Refused => 4,
            Self::Unreachable => 5,
            Self::Unverified => 6,
            Self::Interrupted => 7,
            Self::NotInTime => 8,
            Self::NeverWillBe => 9,
        }
    }

    /// Whether the same command may succeed later without anybody mending something.
    pub const fn try_again(self) -> bool {
        matches!(self, Self::Unreachable | Self::Interrupted | Self::NotInTime)
    }
}

impl CliError {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Usage(_)
            | Self::Line(_)
            | Self::Blob(BlobError::NotAFolder | BlobError::Url { .. })
            | Self::Key(_)
            | Self::Import(_)
            | Self::Embed(_)
            | Self::NewProgram(TemplateError::Name(_) | TemplateError::NotEmpty(_))
            | Self::Build(BuildError::NoCrate(_) | BuildError::Programs(_) | BuildError::Image(_)) => Kind::Usage,
            Self::NotFound(_) | Self::Blob(BlobError::NotFound { .. }) => Kind::NotFound,
            Self::Chain(error) | Self::Worker(WorkerError::Chain(error)) => of_chain(error),
            Self::Unverified(_) | Self::Blob(BlobError::Corrupt { .. }) => Kind::Unverified,
            Self::WouldBeRefused(_) => Kind::Refused,
            Self::NotInTime(_) => Kind::NotInTime,
            Self::NeverWillBe(_) => Kind::NeverWillBe,
            Self::Blob(_)
            | Self::Engine(_)
            | Self::Worker(_)
            | Self::Journal(_)
            | Self::NewProgram(_)
            | Self::Build(_)
            | Self::File { .. }
            | Self::Unfit(_) => Kind::Failed,
        }
    }

    /// The process's exit code.
    pub fn code(&self) -> u8 {
        self.kind().code()
    }
}

fn of_chain(error: &ChainError) -> Kind {
    match error {
        ChainError::NotFound(_) => Kind::NotFound,
        ChainError::Refused { .. }
        | ChainError::Failed(_)
        | ChainError::CannotPayFee { .. }
        | ChainError::CannotAfford { .. }
        | ChainError::Overdraft { .. }
        | ChainError::OtherFork
        | ChainError::Invalid(_) => Kind::Refused,
        ChainError::InvalidUrl { .. } => Kind::Usage,
        ChainError::Unreachable { .. } | ChainError::NotBelieved(_) => Kind::Unreachable,
        other if other.is_recoverable() => Kind::Interrupted,
        _ => Kind::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_kind_has_a_code_and_a_name_of_its_own_and_all_are_explained() {
        let operations = include_str!("../../../docs/operations.md");
        let codes: BTreeSet<_> = Kind::ALL.map(Kind::code).into();
        assert_eq!(codes, (1..=9).collect());
        for kind in Kind::ALL {
            assert!(EXPLAINED.contains(&format!("{} ", kind.code())), "--help: {kind:?}");
            let again = if kind.try_again() { "yes" } else { "no" };
            let row = format!("| {} | `{}` | {again} |", kind.code(), kind.name());
            assert!(operations.contains(&row), "docs/operations.md has no row {row:?}");
        }
    }

    #[test]
    fn only_what_time_can_mend_is_to_be_tried_again() {
        let lost = CliError::from(ChainError::Disconnected("gone".into()));
        assert_eq!((lost.code(), lost.kind().try_again()), (7, true));
        let unsure = CliError::from(ChainError::Unknown("gone".into()));
        assert_eq!((unsure.code(), unsure.kind().try_again()), (7, true));
        let behind = CliError::from(ChainError::NotBelieved("it lags".into()));
        assert_eq!((behind.code(), behind.kind().try_again()), (5, true));
        let nowhere = CliError::from(ChainError::Unreachable {
            url: "ws://host".into(),
            reason: "refused".into(),
        });
        assert_eq!((nowhere.code(), nowhere.kind().try_again()), (5, true));
        let poor = CliError::from(ChainError::CannotPayFee { account: "5F".into() });
        assert_eq!((poor.code(), poor.kind().try_again()), (4, false));
        let typo = CliError::Usage("no such device".into());
        assert_eq!((typo.code(), typo.kind().try_again()), (2, false));
    }
}
