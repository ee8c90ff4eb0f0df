//! Runs of the `agora` command.

use crate::{LocalnetError, Process, program};
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};
use tokio::process::Command;

/// How `agora` is run: which node, which key, which folder.
#[derive(Clone, Debug)]
pub struct Agora {
    url: String,
    folder: PathBuf,
    key: String,
    shares_blobs: bool,
    environment: Vec<(&'static str, OsString)>,
}

/// A run of `agora` that ended with an error.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`agora {arguments}` ended with exit code {code:?}: {message}")]
pub struct CommandFailed {
    /// What it was given.
    pub arguments: String,
    /// Its exit code.
    pub code: Option<i32>,
    /// What it wrote to standard error.
    pub message: String,
}

impl Agora {
    /// Talks to the node at `url`, signs with the development key `key` (`//Worker1`) and keeps its data in `folder`.
    /// Those with the same folder share its blobs.
    pub fn new(url: &str, key: &str, folder: &Path) -> Self {
        Self {
            url: url.to_owned(),
            folder: folder.to_owned(),
            key: key.to_owned(),
            shares_blobs: true,
            environment: Vec::new(),
        }
    }

    /// The same, with blobs of its own: others have them only from a peer.
    #[must_use]
    pub fn apart(self) -> Self {
        Self {
            shares_blobs: false,
            ..self
        }
    }

    /// The same, with `value` for the variable `name` of its environment.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.environment.push((name, value.into()));
        self
    }

    /// The folder in which it keeps its data.
    pub fn data(&self) -> PathBuf {
        self.folder.join(self.key.trim_start_matches('/'))
    }

    fn command(&self, arguments: &[&str]) -> Result<Command, LocalnetError> {
        let mut command = Command::new(program("agora")?);
        command
            .args(["--url", &self.url, "--dev", &self.key])
            .arg("--data")
            .arg(self.data())
            .args(arguments)
            .env_remove("RUST_LOG")
            .env_remove("AGORA_BLOBS")
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        if self.shares_blobs {
            command.arg("--blobs").arg(self.folder.join("blobs"));
        }
        Ok(command)
    }

    /// Runs it to its end and returns the JSON that it printed: one document per line.
    pub async fn json(&self, arguments: &[&str]) -> Result<Vec<serde_json::Value>, LocalnetError> {
        let text = self.text(&[&["--json"], arguments].concat()).await?;
        let malformed = |error: serde_json::Error| CommandFailed {
            arguments: arguments.join(" "),
            code: Some(0),
            message: format!("printed something that is not JSON ({error}): {text}"),
        };
        Ok(text
            .lines()
            .map(serde_json::from_str)
            .collect::<Result<_, _>>()
            .map_err(malformed)?)
    }

    /// Runs it to its end and returns what it printed.
    pub async fn text(&self, arguments: &[&str]) -> Result<String, LocalnetError> {
        let mut command = self.command(arguments)?;
        let output = command
            .kill_on_drop(true)
            .output()
            .await
            .map_err(LocalnetError::system("cannot run agora"))?;
        if !output.status.success() {
            let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(CommandFailed {
                arguments: arguments.join(" "),
                code: output.status.code(),
                message,
            }
            .into());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Starts it and lets it run; what it prints goes to a log named after its key.
    pub fn spawn(&self, arguments: &[&str]) -> Result<Process, LocalnetError> {
        let name = self.key.trim_start_matches('/');
        Process::start(name, self.command(arguments)?, &self.folder.join(format!("{name}.log")))
    }
}
