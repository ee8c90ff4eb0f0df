//! What the commands share: the node, the key, the folders.

use crate::{args::Global, exit::CliError};
use agora_blobs::BlobStore;
use agora_chain::{AccountId, Client, KeySource, Keypair, Submitter};
use agora_compute::{Engine, GpuOptions};
use agora_worker::{Journal, Metrics, WorkerError, serve_metrics};
use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// Name of the variable that may hold the secret phrase.
const KEY_VARIABLE: &str = "AGORA_KEY";
/// Name of the file in the cache folder that remembers the fastest settings of each device.
const TUNING_FILE: &str = "tuning.json";

/// The global options, acted on when they are needed.
pub struct Context {
    global: Global,
}

impl Context {
    pub fn new(global: Global) -> Self {
        Self { global }
    }

    /// Whether to print JSON.
    pub fn json(&self) -> bool {
        self.global.json
    }

    /// Connects to the node.
    pub async fn client(&self) -> Result<Client, CliError> {
        Ok(Client::connect(&self.global.url, Duration::from_secs(self.global.patience)).await?)
    }

    /// The key to sign with.
    pub fn keypair(&self) -> Result<Keypair, CliError> {
        let source = match (&self.global.dev, &self.global.key_file) {
            (Some(name), _) if name.starts_with('/') => KeySource::Development(name.clone()),
            (Some(name), _) => {
                return Err(CliError::Usage(format!(
                    "--dev takes a name such as //Alice, not {name:?}"
                )));
            }
            (None, Some(file)) => KeySource::File(file.clone()),
            (None, None) => KeySource::Environment(KEY_VARIABLE.to_owned()),
        };
        Ok(source.load()?)
    }

    /// Connects to the node, with the key to sign with.
    pub async fn submitter(&self) -> Result<Submitter, CliError> {
        let keypair = self.keypair()?;
        Ok(Submitter::new(self.client().await?, keypair))
    }

    /// The account named, or that of the key.
    pub fn account(&self, named: Option<&str>) -> Result<AccountId, CliError> {
        match named {
            Some(text) => text
                .parse()
                .map_err(|error| CliError::Usage(format!("{text:?} is not an account address: {error}"))),
            None => Ok(self.keypair()?.account()),
        }
    }

    /// The store of job specifications and results.
    pub fn blobs(&self) -> Result<BlobStore, CliError> {
        let location = match &self.global.blobs {
            Some(location) => location.clone(),
            None => self.data()?.join("blobs").to_string_lossy().into_owned(),
        };
        Ok(BlobStore::open(&location)?)
    }

    /// The journal of `account` on the chain that `client` is connected to.
    pub fn journal(&self, client: &Client, account: &AccountId) -> Result<Journal, CliError> {
        let path = self.data()?.join(format!("{account}.journal"));
        Ok(Journal::open(&path, client.genesis_hash().0, account.0)?)
    }

    /// The folder in which the worker `account` keeps the jobs that it has accepted, and results not yet revealed.
    pub fn tasks(&self, account: &AccountId) -> Result<PathBuf, CliError> {
        Ok(self.data()?.join(format!("{account}.tasks")))
    }

    /// How devices are opened. Their fastest settings are remembered if there is a folder for that.
    pub fn gpu_options(&self) -> GpuOptions {
        let cache = self.global.cache.clone();
        let cache = cache.or_else(|| user_folder("XDG_CACHE_HOME", ".cache"));
        GpuOptions {
            tuning_cache: cache.map(|folder| folder.join(TUNING_FILE)),
            ..GpuOptions::default()
        }
    }

    /// Opens and tests the device that `selector` names, as [`agora_compute::open_engine`] does.
    pub async fn engine(&self, selector: String) -> Result<Arc<dyn Engine>, CliError> {
        let options = self.gpu_options();
        let opened = tokio::task::spawn_blocking(move || agora_compute::open_engine(&selector, &options)).await;
        let opened = opened.map_err(|panic| WorkerError::Interrupted(panic.to_string()))?;
        Ok(opened?.into())
    }

    fn data(&self) -> Result<PathBuf, CliError> {
        if let Some(folder) = &self.global.data {
            return Ok(folder.clone());
        }
        user_folder("XDG_DATA_HOME", ".local/share")
            .ok_or_else(|| CliError::Usage("HOME is not set: give a folder with --data".to_owned()))
    }
}

/// Our folder in the user's folder that `variable` names, or else in `usual`, a folder below the home.
fn user_folder(variable: &str, usual: &str) -> Option<PathBuf> {
    let named = std::env::var_os(variable).filter(|path| !path.is_empty());
    let folder = named
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(usual)))?;
    Some(folder.join("agora"))
}

/// Cancelled by the first Ctrl-C or SIGTERM; a second one ends the process at once.
pub fn shutdown() -> CancellationToken {
    let token = CancellationToken::new();
    let cancelled = token.clone();
    tokio::spawn(async move {
        signal().await;
        tracing::info!("Stopping; press Ctrl-C again to stop at once.");
        cancelled.cancel();
        signal().await;
        std::process::exit(130);
    });
    token
}

/// The metrics of this process, served at `address` until `shutdown`. If they cannot be served, that is logged, and the
/// work goes on.
pub fn metrics(address: Option<SocketAddr>, shutdown: &CancellationToken) -> Metrics {
    let metrics = Metrics::default();
    if let Some(address) = address {
        let (metrics, shutdown) = (metrics.clone(), shutdown.clone());
        tokio::spawn(async move {
            if let Err(error) = serve_metrics(metrics, address, shutdown).await {
                tracing::error!(%error, "Metrics cannot be served; the work goes on without them.");
            }
        });
    }
    metrics
}

async fn signal() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                tokio::select! {
                    _ = interrupt => {}
                    _ = terminate.recv() => {}
                }
                return;
            }
            Err(error) => tracing::warn!(%error, "Cannot listen for SIGTERM."),
        }
    }
    let _ = interrupt.await;
}
