//! Serving files over `iroh-blobs`.

use crate::{Failure, Place, endpoint};
use agora_jobs::{BlobRef, H256};
use iroh::{EndpointAddr, protocol::Router};
use iroh_blobs::{
    BlobFormat, BlobsProtocol,
    api::blobs::{AddPathOptions, BlobStatus, ImportMode},
    provider::events::{
        AbortReason, ConnectMode, EventMask, EventResult, EventSender, ObserveMode, ProviderMessage, RequestMode,
    },
    store::fs::{
        FsStore,
        options::{InlineOptions, Options},
    },
};
use std::{collections::HashSet, path::Path};
use tokio::sync::mpsc::Receiver;

/// What strangers may cost.
#[derive(Clone, Copy, Debug)]
pub struct ServeLimits {
    /// Connections at a time.
    pub connections: usize,
}

impl Default for ServeLimits {
    fn default() -> Self {
        Self { connections: 256 }
    }
}

/// Somebody who serves files over `iroh-blobs`.
#[derive(Debug)]
pub struct Provider {
    /// How it is reached.
    pub address: EndpointAddr,
    router: Router,
    store: FsStore,
}

/// Opens the store of `iroh-blobs` in `folder`. Every blob is a file of its own there, as what is fetched is handed on as a
/// file.
pub(crate) async fn open(folder: &Path) -> Result<FsStore, Failure> {
    let mut options = Options::new(folder);
    options.inline = InlineOptions::NO_INLINE;
    Ok(FsStore::load_with_opts(folder.join("blobs.db"), options).await?)
}

impl Provider {
    /// Serves at `place`, with the store in `folder`.
    ///
    /// Errors: the folder cannot be used; as [`endpoint`].
    pub async fn start(place: &Place, folder: &Path, limits: ServeLimits) -> Result<Self, Failure> {
        let store = open(folder).await?;
        let (endpoint, address) = endpoint(place, iroh_blobs::ALPN).await?;
        // Only whole blobs and ranges of them are served: no lists of blobs, nothing to be written, nothing to be watched.
        let mask = EventMask {
            connected: ConnectMode::Intercept,
            get: RequestMode::Intercept,
            get_many: RequestMode::Disabled,
            push: RequestMode::Disabled,
            observe: ObserveMode::Intercept,
            ..EventMask::DEFAULT
        };
        let (events, asked) = EventSender::channel(32, mask);
        tokio::spawn(judge(asked, limits));
        let router = Router::builder(endpoint)
            .accept(iroh_blobs::ALPN, BlobsProtocol::new(&store, Some(events)))
            .spawn();
        Ok(Self { address, router, store })
    }

    /// Serves the file `path`, where it is: it is hashed, and not copied.
    ///
    /// Errors: the file cannot be read.
    pub async fn add(&self, path: &Path) -> Result<BlobRef, Failure> {
        let options = AddPathOptions {
            path: path.to_owned(),
            format: BlobFormat::Raw,
            mode: ImportMode::TryReference,
        };
        let tag = self.store.add_path_with_opts(options).with_tag().await?;
        match self.store.status(tag.hash).await? {
            BlobStatus::Complete { size } => Ok(BlobRef {
                hash: H256(*tag.hash.as_bytes()),
                size,
            }),
            _ => Err(format!("{path:?} was not taken").into()),
        }
    }

    /// Stops serving, and closes the store.
    ///
    /// Errors: a task has panicked.
    pub async fn stop(self) -> Result<(), Failure> {
        Ok(self.router.shutdown().await?)
    }
}

/// Says which connections and requests are served.
async fn judge(mut asked: Receiver<ProviderMessage>, limits: ServeLimits) {
    let mut open = HashSet::new();
    while let Some(message) = asked.recv().await {
        // Whoever has gone does not need an answer.
        let _ = match message {
            ProviderMessage::ClientConnected(asked) => {
                let fits = open.len() < limits.connections;
                if fits {
                    open.insert(asked.connection_id);
                }
                asked.tx.send(allowed(fits, AbortReason::RateLimited)).await
            }
            ProviderMessage::ConnectionClosed(closed) => {
                open.remove(&closed.connection_id);
                Ok(())
            }
            ProviderMessage::GetRequestReceived(asked) => {
                let is_blob = asked.request.ranges.is_blob();
                asked.tx.send(allowed(is_blob, AbortReason::Permission)).await
            }
            ProviderMessage::ObserveRequestReceived(asked) => asked.tx.send(Err(AbortReason::Permission)).await,
            _ => Ok(()),
        };
    }
}

fn allowed(is_allowed: bool, reason: AbortReason) -> EventResult {
    if is_allowed { Ok(()) } else { Err(reason) }
}
