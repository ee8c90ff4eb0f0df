//! A node.

use crate::{LocalnetError, Process, free_port, program};
use agora_chain::Client;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tokio::process::Command;

/// How long a node has to answer after its start.
const PATIENCE: Duration = Duration::from_secs(90);

/// How a node is started.
#[derive(Clone, Debug)]
pub struct NodeOptions {
    /// Its name, and that of its log.
    pub name: String,
    /// The chain: `dev`, `local2`, `local4`, or the path of a specification.
    pub chain: String,
    /// Further options.
    pub arguments: Vec<String>,
}

impl NodeOptions {
    /// The only validator of a development chain.
    pub fn development() -> Self {
        Self {
            name: "node".into(),
            chain: "dev".into(),
            arguments: ["--alice", "--force-authoring", "--unsafe-force-node-key-generation"]
                .map(Into::into)
                .into(),
        }
    }
}

/// A running node with a database that outlives it.
pub struct Node {
    options: NodeOptions,
    folder: PathBuf,
    rpc_port: u16,
    p2p_port: u16,
    process: Option<Process>,
}

impl Node {
    /// Starts a node whose database and log are in `folder`, and waits until it answers.
    pub async fn start(options: NodeOptions, folder: &Path) -> Result<Self, LocalnetError> {
        let mut node = Self {
            options,
            folder: folder.to_owned(),
            rpc_port: free_port()?,
            p2p_port: free_port()?,
            process: None,
        };
        node.resume().await?;
        Ok(node)
    }

    /// Starts it again after [`Self::stop`] or [`Self::kill`], with the same database and ports.
    pub async fn resume(&mut self) -> Result<(), LocalnetError> {
        let mut command = Command::new(program("agora-node")?);
        command
            .arg("--chain")
            .arg(&self.options.chain)
            .arg("--base-path")
            .arg(self.folder.join(&self.options.name))
            .args([
                "--rpc-port",
                &self.rpc_port.to_string(),
                "--port",
                &self.p2p_port.to_string(),
            ])
            .args(["--no-prometheus", "--no-telemetry", "--no-mdns"])
            .args(&self.options.arguments);
        let log = self.folder.join(format!("{}.log", self.options.name));
        let mut process = Process::start(&self.options.name, command, &log)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let connected = Client::connect(&self.url(), Duration::from_secs(1)).await;
            process.ensure_running()?;
            match connected {
                Ok(_) => break,
                Err(error) if Instant::now() > deadline => return Err(error.into()),
                Err(_) => {}
            }
        }
        self.process = Some(process);
        Ok(())
    }

    /// Kills it, and starts another node at its ports: of another chain, if `options` say so, with the database and log of
    /// their name. Returns the options that it had.
    pub async fn replace(&mut self, options: NodeOptions) -> Result<NodeOptions, LocalnetError> {
        self.kill().await?;
        let before = std::mem::replace(&mut self.options, options);
        self.resume().await?;
        Ok(before)
    }

    /// How it was started.
    pub const fn options(&self) -> &NodeOptions {
        &self.options
    }

    /// Where it answers.
    pub fn url(&self) -> String {
        format!("ws://127.0.0.1:{}", self.rpc_port)
    }

    /// The same as an address.
    pub fn rpc_address(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.rpc_port).into()
    }

    /// Where other nodes reach it, given its peer id.
    pub fn address(&self, peer_id: &str) -> String {
        format!("/ip4/127.0.0.1/tcp/{}/p2p/{peer_id}", self.p2p_port)
    }

    /// A new connection to it.
    pub async fn client(&self) -> Result<Client, LocalnetError> {
        Ok(Client::connect(&self.url(), PATIENCE).await?)
    }

    /// Stops it as `kill -9` does.
    pub async fn kill(&mut self) -> Result<(), LocalnetError> {
        match self.process.take() {
            Some(process) => process.kill().await,
            None => Ok(()),
        }
    }

    /// Asks it to end and waits until it has.
    pub async fn stop(&mut self) -> Result<(), LocalnetError> {
        match self.process.take() {
            Some(process) => process.stop().await,
            None => Ok(()),
        }
    }
}
