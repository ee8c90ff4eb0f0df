//! What the commands share: the node, the key, the folders.

use crate::{
    args::{Global, PeerArgs, RunArgs},
    commands::proxy,
    config::KEY_VARIABLE,
    exit::CliError,
    output::Format,
};
use agora_blobs::{
    BlobStore, Blobs, Cache,
    http::{PeerLimits, Peers, Reach, ServeLimits, Served, serve},
};
use agora_chain::{AccountId, Client, KeyError, KeySource, Keypair, ProxyType, Submitter, patiently, read_private};
use agora_compute::{Engine, GpuOptions};
use agora_worker::{Court, CourtConfig, Housekeeper, Journal, Metrics, WorkerError, serve_metrics};
use std::{
    io::IsTerminal,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The node that is used if none is named.
const NODE: &str = "ws://127.0.0.1:9944";
/// Name of the file in the cache folder that remembers the fastest settings of each device.
const TUNING_FILE: &str = "tuning.json";

/// The global options, acted on when they are needed.
pub struct Context {
    global: Global,
    /// The key, once it was loaded: its password is asked for once.
    keypair: OnceLock<Keypair>,
}

impl Context {
    pub fn new(global: Global) -> Self {
        Self {
            global,
            keypair: OnceLock::new(),
        }
    }

    /// How answers are printed.
    pub fn format(&self) -> Format {
        self.global.format()
    }

    /// Connects to the nodes.
    pub async fn client(&self) -> Result<Client, CliError> {
        Ok(Client::connect_any(&self.nodes(), Duration::from_secs(self.global.patience)).await?)
    }

    /// Connects to the nodes for as long as the process lives: waits until one can be believed, which after a reboot takes
    /// as long as it needs to catch up.
    pub async fn lasting_client(&self) -> Result<Client, CliError> {
        Ok(Client::connect_patiently(&self.nodes()).await?)
    }

    /// The nodes that are named. An empty variable counts as none.
    fn nodes(&self) -> Vec<String> {
        let named = self.global.urls.iter().map(|url| url.trim());
        let mut urls: Vec<String> = named.filter(|url| !url.is_empty()).map(str::to_owned).collect();
        if urls.is_empty() {
            urls.push(NODE.to_owned());
        }
        urls
    }

    /// The key to sign with.
    pub fn keypair(&self) -> Result<Keypair, CliError> {
        if let Some(keypair) = self.keypair.get() {
            return Ok(keypair.clone());
        }
        let keypair = self.load_key()?;
        Ok(self.keypair.get_or_init(|| keypair).clone())
    }

    fn load_key(&self) -> Result<Keypair, CliError> {
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
        match source.load() {
            Err(KeyError::Locked { path }) => Ok(Keypair::unlock(&path, &self.password(None)?)?),
            loaded => Ok(loaded?),
        }
    }

    /// The password of the key file: the first line of --password-file, or what is typed. A new one is typed twice.
    pub fn password(&self, again: Option<&str>) -> Result<String, CliError> {
        if let Some(file) = self
            .global
            .password_file
            .as_deref()
            .filter(|path| !path.as_os_str().is_empty())
        {
            let text = read_private(file)?;
            return Ok(text.lines().next().unwrap_or_default().to_owned());
        }
        if !std::io::stdin().is_terminal() {
            return Err(CliError::Usage(
                "the key file is encrypted, and there is no terminal to ask for its password: give --password-file"
                    .to_owned(),
            ));
        }
        let ask = |what: &str| {
            rpassword::prompt_password(what)
                .map_err(|error| CliError::Usage(format!("no password could be read: {error}")))
        };
        let password = ask("Password of the key file: ")?;
        match again {
            Some(prompt) if ask(prompt)? != password => Err(CliError::Usage(
                "the two passwords differ; nothing was written".to_owned(),
            )),
            _ => Ok(password),
        }
    }

    /// Connects to the node, with the key to sign with, for the account that it acts for.
    pub async fn submitter(&self) -> Result<Submitter, CliError> {
        let (keypair, account) = (self.keypair()?, self.account(None)?);
        Ok(Submitter::new(self.client().await?, keypair).on_behalf_of(account, None))
    }

    /// As [`Self::submitter`], for what a proxy of this type may do.
    ///
    /// Errors: `WouldBeRefused`: the key is none.
    pub async fn submitter_as(&self, proxy_type: ProxyType) -> Result<Submitter, CliError> {
        let submitter = self.submitter().await?;
        let (account, key) = (*submitter.account(), submitter.payer());
        if account == key {
            return Ok(submitter);
        }
        let at = submitter.client().best().await?;
        let right = proxy::right(&at, &account, &key, proxy_type).await?;
        Ok(submitter.on_behalf_of(account, Some(right)))
    }

    /// As [`Self::submitter`], for a process that goes on with what it had sent before it was stopped. Returns the journal of
    /// the account too. It waits for a node that can be believed; `None`: stopped before.
    pub async fn lasting_submitter(
        &self,
        shutdown: &CancellationToken,
    ) -> Result<Option<(Submitter, Journal)>, CliError> {
        let (keypair, account) = (self.keypair()?, self.account(None)?);
        let client = tokio::select! {
            () = shutdown.cancelled() => return Ok(None),
            client = self.lasting_client() => client?,
        };
        let journal = self.journal(&client, &account)?;
        // A key's nonces are its own, whomever it acts for.
        let (transactions, right) = match keypair.account() {
            own if own == account => (journal.clone(), None),
            own => {
                let at = patiently(|| client.best()).await?;
                let right = proxy::right(&at, &account, &own, ProxyType::Work).await?;
                tracing::info!(%account, key = %own, "Acting for another account: bonds and all pay are the account's, and this key pays the fees.");
                (self.journal(&client, &own)?, Some(right))
            }
        };
        let submitter = Submitter::resume(client, keypair, Arc::new(transactions)).on_behalf_of(account, right);
        // It tells the nodes what was final, before one is believed in anything.
        submitter.start().await?;
        Ok(Some((submitter, journal)))
    }

    /// The account named, or that which is acted for, or that of the key.
    pub fn account(&self, named: Option<&str>) -> Result<AccountId, CliError> {
        let proxied = self.global.proxied.as_deref().filter(|text| !text.is_empty());
        match named.or(proxied) {
            Some(text) => parse_account(text),
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

    /// The store, the cache, and the peers that the command line names.
    pub fn source(&self, args: &PeerArgs) -> Result<Blobs, CliError> {
        let named_reach = reach(args.allow_private_peers || args.private_market);
        for url in &args.peers {
            named_reach
                .check(url)
                .map_err(|error| CliError::Usage(error.to_string()))?;
        }
        let cache = Cache::open(&self.data()?.join("cache"), args.cache_size.saturating_mul(1 << 30))?;
        let peers = Peers::new(PeerLimits {
            reach: reach(args.private_market),
            named_reach,
            ..PeerLimits::default()
        })?;
        Ok(Blobs::new(self.blobs()?, cache, peers, args.peers.clone()))
    }

    /// The journal of `account` on the chain that `client` is connected to.
    pub fn journal(&self, client: &Client, account: &AccountId) -> Result<Journal, CliError> {
        let path = self.data()?.join(format!("{account}.journal"));
        Ok(Journal::open(&path, client.genesis_hash().0, account.0)?)
    }

    /// Where the journal of `account` is.
    pub fn journal_file(&self, account: &AccountId) -> Result<PathBuf, CliError> {
        Ok(self.data()?.join(format!("{account}.journal")))
    }

    /// The file that the key comes from, if it comes from one.
    pub fn key_file(&self) -> Option<&Path> {
        self.global.key_file.as_deref().filter(|_| self.global.dev.is_none())
    }

    /// The folder in which the worker `account` keeps the jobs that it has accepted, and results not yet revealed.
    pub fn tasks(&self, account: &AccountId) -> Result<PathBuf, CliError> {
        Ok(self.data()?.join(format!("{account}.tasks")))
    }

    /// The folder in which the verifier `account` keeps outputs that it has attested and not yet shown.
    pub fn attested(&self, account: &AccountId) -> Result<PathBuf, CliError> {
        Ok(self.data()?.join(format!("{account}.attested")))
    }

    /// The folder for what jobs come to that are computed for the court of `account`.
    pub fn court(&self, account: &AccountId) -> Result<PathBuf, CliError> {
        Ok(self.data()?.join(format!("{account}.court")))
    }

    /// While this file exists, no worker with this data folder takes tasks.
    pub fn pause_file(&self) -> Result<PathBuf, CliError> {
        Ok(self.data()?.join("paused"))
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

    /// Where cargo keeps what it downloads.
    pub fn cargo_home(&self) -> PathBuf {
        let named = std::env::var_os("CARGO_HOME").map(PathBuf::from);
        let home = || std::env::home_dir().unwrap_or_default().join(".cargo");
        named.unwrap_or_else(home)
    }

    /// Opens and tests the device that `selector` names, as [`agora_compute::open_engine`] does.
    pub async fn engine(&self, selector: String) -> Result<Arc<dyn Engine>, CliError> {
        let options = self.gpu_options();
        let opened = tokio::task::spawn_blocking(move || agora_compute::open_engine(&selector, &options)).await;
        let opened = opened.map_err(|panic| WorkerError::Interrupted(panic.to_string()))?;
        Ok(opened?.into())
    }

    /// The data folder.
    pub fn data(&self) -> Result<PathBuf, CliError> {
        if let Some(folder) = &self.global.data {
            return Ok(folder.clone());
        }
        user_folder("XDG_DATA_HOME", ".local/share")
            .ok_or_else(|| CliError::Usage("HOME is not set: give a folder with --data".to_owned()))
    }
}

/// Which addresses are connected to, and published.
pub const fn reach(allow_private: bool) -> Reach {
    if allow_private { Reach::Anywhere } else { Reach::Public }
}

/// Reads an account's address.
pub fn parse_account(text: &str) -> Result<AccountId, CliError> {
    text.parse()
        .map_err(|error| CliError::Usage(format!("{text:?} is not an account address: {error}")))
}

/// Our folder in the user's folder that `variable` names, or else in `usual`, a folder below the home.
pub fn user_folder(variable: &str, usual: &str) -> Option<PathBuf> {
    let named = std::env::var_os(variable).filter(|path| !path.is_empty());
    let folder = named
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(usual)))?;
    Some(folder.join("agora"))
}

/// Cancelled by the first Ctrl-C or SIGTERM; a second one ends the process at once.
pub fn shutdown() -> CancellationToken {
    survive_file_limits();
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

/// Serves `blobs` at `address` until `shutdown`. Returns when it can be reached; what is returned ends when the last answer has.
pub async fn serve_blobs(
    blobs: &Blobs,
    address: SocketAddr,
    shutdown: &CancellationToken,
) -> Result<JoinHandle<()>, CliError> {
    let served = Served::new(blobs.store().clone(), blobs.cache().clone())?.without(blobs.denied().clone());
    let shutdown = shutdown.clone();
    let (ready, reached) = tokio::sync::oneshot::channel();
    let (failed, failure) = tokio::sync::oneshot::channel();
    let serving = tokio::spawn(async move {
        let tell = |address| _ = ready.send(address);
        if let Err(error) = serve(served, address, ServeLimits::default(), shutdown, tell).await {
            // Only before it can be reached, when somebody waits for it.
            let _ = failed.send(error);
        }
    });
    match reached.await {
        Ok(address) => {
            tracing::info!("Serving blobs at http://{address}/.");
            Ok(serving)
        }
        Err(_) => match failure.await {
            Ok(error) => Err(error.into()),
            Err(_) => Ok(serving),
        },
    }
}

/// Where files may grow no further, writing fails, and this process is not ended: it has bonds at stake.
fn survive_file_limits() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let too_large = SignalKind::from_raw(nix::sys::signal::Signal::SIGXFSZ as i32);
        // It stays listened for until the end of the process.
        if let Err(error) = signal(too_large) {
            tracing::warn!(%error, "Cannot listen for SIGXFSZ: a limit to the size of files would end this process.");
        }
    }
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

/// Removes once a day what no task needs any more from `blobs`, until `shutdown`, unless `run` says not to.
pub fn keep_house(
    run: &RunArgs,
    submitter: &Submitter,
    journal: &Journal,
    blobs: &Blobs,
    shutdown: &CancellationToken,
) {
    if let Some(config) = run.keep.housekeeping() {
        let keeper = Housekeeper::new(submitter.clone(), journal.clone(), blobs.clone(), config);
        tokio::spawn(keeper.run(shutdown.clone()));
    }
}

/// Goes to court for the account of `submitter`, whose worker keeps its jobs in `tasks`, until `shutdown`, unless `run` says not to. What jobs
/// come to is in `folder`.
pub fn go_to_court(
    run: &RunArgs,
    submitter: &Submitter,
    journal: &Journal,
    blobs: &Blobs,
    [tasks, folder]: [PathBuf; 2],
    metrics: &Metrics,
    shutdown: &CancellationToken,
) -> Option<JoinHandle<()>> {
    let config = CourtConfig {
        folder,
        disk_bytes: run.keep.store_bytes(),
        memory_bytes: run.max_job_bytes().saturating_mul(2),
        tasks,
        stop_loss: run.risk.stop_loss(),
        #[cfg(feature = "fault-injection")]
        fault: run.fault,
    };
    let court = Court::new(
        submitter.clone(),
        journal.clone(),
        blobs.clone(),
        config,
        metrics.clone(),
    );
    (!run.no_court).then(|| tokio::spawn(court.run(shutdown.clone())))
}
