//! `agora doctor`

mod checks;

use crate::{args::DoctorArgs, context::Context, exit::CliError, output::answer};
use serde::Serialize;
use std::fmt;

/// What a check found.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    Ok,
    Warning,
    Failure,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failure => "failure",
        })
    }
}

/// One check.
#[derive(Serialize)]
pub struct Check {
    check: &'static str,
    finding: Finding,
    /// What was found.
    detail: String,
    /// What to do about it; `None`: nothing.
    advice: Option<String>,
}

impl Check {
    fn ok(check: &'static str, detail: impl Into<String>) -> Self {
        Self {
            check,
            finding: Finding::Ok,
            detail: detail.into(),
            advice: None,
        }
    }

    fn warning(check: &'static str, detail: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            finding: Finding::Warning,
            advice: Some(advice.into()),
            ..Self::ok(check, detail)
        }
    }

    fn failure(check: &'static str, detail: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            finding: Finding::Failure,
            ..Self::warning(check, detail, advice)
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<8} {:<8} {}", self.finding, self.check, self.detail)?;
        match &self.advice {
            Some(advice) => write!(f, ": {advice}"),
            None => Ok(()),
        }
    }
}

/// Runs all checks, each as soon as it can be, and prints what they found.
///
/// Errors: one of them is a failure.
pub async fn run(context: &Context, args: DoctorArgs) -> Result<(), CliError> {
    let mut worst = Tally::default();
    worst.tell(context, [checks::key(context)]);
    worst.tell(context, checks::data_folder(context));
    worst.tell(context, checks::node(context).await);
    worst.tell(context, [checks::blobs(context).await]);
    worst.tell(context, checks::ports(&args.listen));
    if !args.quick {
        worst.tell(context, checks::devices(context, args.devices).await);
    }
    worst.verdict()
}

/// How many checks found what.
#[derive(Default)]
struct Tally {
    failures: usize,
}

impl Tally {
    fn tell(&mut self, context: &Context, checks: impl IntoIterator<Item = Check>) {
        for check in checks {
            self.failures += usize::from(check.finding == Finding::Failure);
            answer(context, &check, ToString::to_string);
        }
    }

    fn verdict(&self) -> Result<(), CliError> {
        match self.failures {
            0 => Ok(()),
            1 => Err(CliError::Unfit("one check failed; its line says what to do".to_owned())),
            more => Err(CliError::Unfit(format!(
                "{more} checks failed; their lines say what to do"
            ))),
        }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub fn example() -> Check {
        Check::warning("node", "it is behind", "wait")
    }

    #[test]
    fn a_check_is_a_line_with_what_to_do() {
        assert_eq!(
            Check::ok("key", "it is private").to_string(),
            "ok       key      it is private"
        );
        assert_eq!(example().to_string(), "warning  node     it is behind: wait");
    }

    #[test]
    fn only_failures_make_the_command_fail() {
        assert!(Tally { failures: 0 }.verdict().is_ok());
        assert_eq!(Tally { failures: 2 }.verdict().expect_err("two failed").code(), 1);
    }
}
