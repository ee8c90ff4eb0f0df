//! The two sides of a measurement, each a process.

use crate::cost::{Cost, tell_until_the_end};
use agora_bench_iroh::{
    Failure, IrohSource, Limits, Place, Provider, ServeLimits,
    tunnel::{Entrance, Exit},
};
use agora_blobs::{
    BlobKind, BlobSource, BlobStore, Blobs, Cache, Fetched, Wanted,
    http::{self, PeerLimits, Peers, Reach, Served},
};
use agora_jobs::{BlobRef, H256};
use clap::{Args, ValueEnum};
use iroh::{EndpointAddr, endpoint::Connection};
use serde::{Deserialize, Serialize};
use std::{
    fs::File,
    io::Write,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;
use url::Url;

/// What breaks is not measured as if it had taken a little longer.
const ATTEMPTS: u32 = 1;

/// How blobs are passed on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Over {
    /// Our HTTP.
    Http,
    /// `iroh-blobs`.
    Iroh,
    /// Our HTTP, over streams of iroh.
    Tunnel,
}

/// How somebody who serves is reached.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Peer {
    /// Our HTTP.
    Http(String),
    /// An endpoint of iroh.
    Endpoint(Box<EndpointAddr>),
}

/// Serves files.
#[derive(Args)]
pub struct Serve {
    /// How.
    #[arg(long)]
    over: Over,
    /// Where, as JSON. HTTP takes the address of `At`.
    #[arg(long)]
    place: String,
    /// A folder of its own.
    #[arg(long)]
    folder: PathBuf,
    /// What.
    #[arg(long)]
    file: Vec<PathBuf>,
}

impl Serve {
    /// Serves until the input ends.
    pub async fn run(&self) -> Result<(), Failure> {
        let place: Place = serde_json::from_str(&self.place)?;
        if self.over == Over::Iroh {
            let provider = Provider::start(&place, &self.folder, ServeLimits::default()).await?;
            for file in &self.file {
                provider.add(file).await?;
            }
            say(&Peer::Endpoint(Box::new(provider.address.clone())))?;
            tell_until_the_end().await?;
            return provider.stop().await;
        }
        let store = open(&self.folder, "store")?;
        for file in &self.file {
            let blob = hashed(file)?;
            store
                .copy(&Wanted::content(BlobKind::Input, &blob), file.clone())
                .await?;
        }
        let address = match (&place, self.over) {
            (Place::At(address), Over::Http) => *address,
            // Whoever comes through the tunnel comes from this machine.
            _ => SocketAddr::from(([127, 0, 0, 1], 0)),
        };
        let served = Served::new(store, Cache::open(&self.folder.join("cache"), u64::MAX)?)?;
        let (ready, address_too) = tokio::sync::oneshot::channel();
        let until = CancellationToken::new();
        let stop = until.clone();
        let server = tokio::spawn(async move {
            // The one who waits for it is below.
            let tell = |address| _ = ready.send(address);
            http::serve(served, address, http::ServeLimits::default(), until, tell).await
        });
        let address = address_too.await?;
        let exit = match self.over {
            Over::Tunnel => Some(Exit::open(&place, address).await?),
            _ => None,
        };
        say(&match &exit {
            Some(exit) => Peer::Endpoint(Box::new(exit.address.clone())),
            None => Peer::Http(format!("http://{address}/")),
        })?;
        tell_until_the_end().await?;
        if let Some(exit) = exit {
            exit.close().await?;
        }
        stop.cancel();
        server.await??;
        Ok(())
    }
}

/// Fetches a blob.
#[derive(Args)]
pub struct Fetch {
    /// How.
    #[arg(long)]
    over: Over,
    /// Where from, as JSON. Of HTTP nothing is taken.
    #[arg(long)]
    place: String,
    /// Whom to ask, as JSON.
    #[arg(long)]
    peer: String,
    /// A folder of its own.
    #[arg(long)]
    folder: PathBuf,
    /// The blob's hash.
    #[arg(long)]
    hash: String,
    /// The blob's length.
    #[arg(long)]
    size: u64,
    /// Waits at most so many seconds for a direct way before it begins to fetch, and says how long that took.
    #[arg(long)]
    punch: Option<u64>,
}

/// What a fetch has cost.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Brought {
    /// Seconds from the request to the checked file, connecting included if nothing has connected before.
    pub seconds: f64,
    /// Processor time of that, and the peak of the process.
    pub cost: Cost,
    /// Seconds until the first connection stood; until a direct way was taken. Only if it was waited for.
    pub connected: Option<f64>,
    /// Seconds until a direct way was taken.
    pub direct: Option<f64>,
    /// Whether the way was direct at the end. Unknown of HTTP, which has no other.
    pub is_direct: Option<bool>,
}

impl Fetch {
    /// Fetches, and says what it has cost.
    pub async fn run(&self) -> Result<(), Failure> {
        let place: Place = serde_json::from_str(&self.place)?;
        let hash: [u8; 32] = hex::decode(&self.hash)?
            .try_into()
            .map_err(|_| "a hash has 64 digits")?;
        let blob = BlobRef {
            hash: H256(hash),
            size: self.size,
        };
        let wanted = Wanted::content(BlobKind::Input, &blob);
        let brought = match (self.over, serde_json::from_str(&self.peer)?) {
            (Over::Http, Peer::Http(url)) => self.measure(&self.http(Url::parse(&url)?)?, &wanted, None).await?,
            (Over::Tunnel, Peer::Endpoint(peer)) => {
                let entrance = Entrance::open(&place, *peer).await?;
                let url = Url::parse(&format!("http://{}/", entrance.address))?;
                let way = Way::Tunnel(&entrance);
                let brought = self.measure(&self.http(url)?, &wanted, Some(way)).await?;
                entrance.close().await;
                brought
            }
            (Over::Iroh, Peer::Endpoint(peer)) => {
                let limits = Limits {
                    attempts: ATTEMPTS,
                    quota: u64::MAX,
                    ..Limits::default()
                };
                let source = IrohSource::open(&place, &self.folder, limits, vec![(*peer).clone()]).await?;
                let brought = self
                    .measure(&source, &wanted, Some(Way::Source(&source, &peer)))
                    .await?;
                source.close().await?;
                brought
            }
            _ => return Err("the peer is not one of this kind".into()),
        };
        say(&brought)
    }

    fn http(&self, url: Url) -> Result<Blobs, Failure> {
        let limits = PeerLimits {
            attempts: ATTEMPTS,
            reach: Reach::Anywhere,
            named_reach: Reach::Anywhere,
            ..PeerLimits::default()
        };
        let cache = Cache::open(&self.folder.join("cache"), u64::MAX)?;
        Ok(Blobs::new(
            open(&self.folder, "empty")?,
            cache,
            Peers::new(limits)?,
            vec![url],
        ))
    }

    async fn measure(
        &self,
        source: &dyn BlobSource,
        wanted: &Wanted,
        way: Option<Way<'_>>,
    ) -> Result<Brought, Failure> {
        let (mut connected, mut direct) = (None, None);
        if let (Some(most), Some(way)) = (self.punch, &way) {
            let began = Instant::now();
            let connection = way.connection().await?;
            connected = Some(began.elapsed().as_secs_f64());
            let most = Duration::from_secs(most);
            while direct.is_none() && began.elapsed() < most {
                match is_direct(&connection) {
                    true => direct = Some(began.elapsed().as_secs_f64()),
                    false => tokio::time::sleep(Duration::from_millis(1)).await,
                }
            }
        }
        let (before, began) = (Cost::now()?, Instant::now());
        let fetched = source.fetch(wanted).await?;
        let seconds = began.elapsed().as_secs_f64();
        let after = Cost::now()?;
        let is_direct = match &way {
            Some(way) => Some(is_direct(&way.connection().await?)),
            None => None,
        };
        let Fetched::Private(path) = fetched else {
            return Err("it is not in a file of its own".into());
        };
        // After the measurement: whoever is measured must not be believed.
        if hashed(&path)?
            != (BlobRef {
                hash: H256(wanted.key),
                size: wanted.size,
            })
        {
            return Err("another blob was fetched".into());
        }
        let cost = Cost {
            processor: after.processor - before.processor,
            ..after
        };
        Ok(Brought {
            seconds,
            cost,
            connected,
            direct,
            is_direct,
        })
    }
}

/// What leads to a peer over iroh.
enum Way<'a> {
    Source(&'a IrohSource, &'a EndpointAddr),
    Tunnel(&'a Entrance),
}

impl Way<'_> {
    async fn connection(&self) -> Result<Connection, Failure> {
        match self {
            Self::Source(source, peer) => source.connect(peer).await,
            Self::Tunnel(entrance) => entrance.connection().await,
        }
    }
}

/// Whether what is sent takes a direct way.
fn is_direct(connection: &Connection) -> bool {
    connection.paths().iter().any(|path| path.is_selected() && path.is_ip())
}

fn open(folder: &Path, name: &str) -> Result<BlobStore, Failure> {
    Ok(BlobStore::open(&folder.join(name).display().to_string())?)
}

fn say(what: &impl Serialize) -> Result<(), Failure> {
    println!("{}", serde_json::to_string(what)?);
    Ok(())
}

/// The blob that a file is.
fn hashed(path: &Path) -> Result<BlobRef, Failure> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(path)?)?;
    Ok(BlobRef {
        hash: H256(*hasher.finalize().as_bytes()),
        size: hasher.count(),
    })
}

/// Writes a file of `size` bytes that do not repeat.
pub fn write(path: &Path, size: u64) -> Result<BlobRef, Failure> {
    let (mut file, mut piece) = (File::create(path)?, vec![0; 1 << 20]);
    let mut left = size;
    while left > 0 {
        blake3::Hasher::new()
            .update(&left.to_le_bytes())
            .finalize_xof()
            .fill(&mut piece);
        let now = left.min(1 << 20);
        file.write_all(piece.get(..usize::try_from(now)?).unwrap_or_default())?;
        left -= now;
    }
    drop(file);
    hashed(path)
}

/// A place at any port of an address, as JSON.
pub fn place_at(address: IpAddr) -> Result<String, Failure> {
    Ok(serde_json::to_string(&Place::At(SocketAddr::new(address, 0)))?)
}
