//! The client: how others are reached, and what is known of them.

use super::{
    Reach, SIZE_HEADER,
    peer::{Failure, Peer},
};
use crate::{BlobError, Wanted};
use reqwest::{
    StatusCode,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect,
};
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use url::Url;

/// Peers that are remembered; of more, those that do not rest are forgotten.
const REMEMBERED: usize = 4096;
/// The longest that a busy server is waited for before it is asked again.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Redirects that are followed.
const REDIRECTS: usize = 3;

/// How much patience others get.
#[derive(Clone, Copy, Debug)]
pub struct PeerLimits {
    /// Which addresses may be connected to that strangers name.
    pub reach: Reach,
    /// Which addresses may be connected to that are named here: those that [`Blobs::new`](crate::Blobs::new) gets.
    pub named_reach: Reach,
    /// How long connecting may take.
    pub connect: Duration,
    /// How long nothing may arrive.
    pub idle: Duration,
    /// Bytes per second that must arrive on average, once an answer has taken longer than `idle`. With it, the whole of an
    /// answer is limited, too.
    pub least_rate: u64,
    /// Requests to one peer at a time.
    pub in_flight: usize,
    /// Bytes that one request asks for.
    pub piece: u64,
    /// Requests in a row that bring nothing before a peer is given up for this blob.
    pub attempts: u32,
    /// How long a peer rests after it failed; twice as long each further time.
    pub rest: Duration,
    /// The longest rest.
    pub longest_rest: Duration,
}

impl Default for PeerLimits {
    fn default() -> Self {
        Self {
            reach: Reach::Public,
            named_reach: Reach::Public,
            connect: Duration::from_secs(5),
            idle: Duration::from_secs(15),
            least_rate: 16 << 10,
            in_flight: 2,
            piece: 4 << 20,
            attempts: 3,
            rest: Duration::from_secs(1),
            longest_rest: Duration::from_secs(600),
        }
    }
}

impl PeerLimits {
    /// How long the fetch of a blob of `size` bytes may take, whatever its peers do.
    pub(super) fn longest_fetch(&self, size: u64) -> Duration {
        let patience = self.connect.saturating_add(self.idle).saturating_mul(4);
        patience.saturating_add(Duration::from_secs(size / self.least_rate.max(1)))
    }

    /// Whether `bytes` in this time are as many as are asked for at least.
    pub(super) fn is_fast(&self, bytes: u64, time: Duration) -> bool {
        let needed = u128::from(self.least_rate).saturating_mul(time.as_millis()) / 1000;
        u128::from(bytes) >= needed
    }
}

/// Those from whom blobs are fetched over HTTP. Cheap to clone; clones share what is known of them.
#[derive(Clone, Debug)]
pub struct Peers {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// For peers that strangers name.
    client: reqwest::Client,
    /// For those that are named here.
    named_client: reqwest::Client,
    limits: PeerLimits,
    known: Mutex<HashMap<Url, Arc<Peer>>>,
    named: Mutex<HashSet<Url>>,
}

impl Peers {
    /// A client with these limits. It uses no proxy, as that would look up names instead. On a machine without root
    /// certificates it reaches `http` alone.
    ///
    /// Errors: `Http`.
    pub fn new(limits: PeerLimits) -> Result<Self, BlobError> {
        let client = client(&limits, limits.reach, Redirects::Followed)?;
        let named_client = match limits.named_reach == limits.reach {
            true => client.clone(),
            false => self::client(&limits, limits.named_reach, Redirects::OnTheSameServer)?,
        };
        Ok(Self {
            shared: Arc::new(Shared {
                client,
                named_client,
                limits,
                known: Mutex::default(),
                named: Mutex::default(),
            }),
        })
    }

    /// Takes note that `urls` are named here, not by strangers.
    pub(crate) fn name(&self, urls: &[Url]) {
        self.named().extend(urls.iter().cloned());
    }

    fn named(&self) -> MutexGuard<'_, HashSet<Url>> {
        self.shared.named.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How much patience others get.
    pub fn limits(&self) -> &PeerLimits {
        &self.shared.limits
    }

    /// The peer at `url`, with what is known of it.
    pub(super) fn peer(&self, url: &Url) -> Arc<Peer> {
        let mut known = self.shared.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.retain(|_, peer| peer.rests_for().is_some());
        }
        let peer = known
            .entry(url.clone())
            .or_insert_with(|| Arc::new(Peer::new(url.clone(), self.shared.limits)));
        Arc::clone(peer)
    }

    /// Sends a request for `path`, below the peer's address, and waits for the head of the answer.
    pub(super) async fn ask(
        &self,
        method: reqwest::Method,
        peer: &Peer,
        path: [&str; 2],
        query: Option<&str>,
    ) -> Result<reqwest::Response, Failure> {
        let refused = |error: BlobError| Failure::Refused(error.to_string());
        let limits = &self.shared.limits;
        let (client, reach) = match self.named().contains(&peer.url) {
            true => (&self.shared.named_client, limits.named_reach),
            false => (&self.shared.client, limits.reach),
        };
        reach.check(&peer.url).map_err(refused)?;
        let mut url = peer.url.clone();
        match url.path_segments_mut() {
            Ok(mut segments) => _ = segments.pop_if_empty().extend(path),
            Err(()) => return Err(Failure::Refused("it is not the address of a server".to_owned())),
        }
        url.set_query(query);
        let request = client.request(method, url).send();
        let limit = limits.connect.saturating_add(limits.idle);
        let answer = match tokio::time::timeout(limit, request).await {
            Ok(answer) => answer.map_err(|error| Failure::Broken(chain(&error)))?,
            Err(_) => {
                return Err(Failure::Broken(format!(
                    "it did not answer within {} ms",
                    limit.as_millis()
                )));
            }
        };
        match answer.status() {
            StatusCode::OK => Ok(answer),
            // The publisher has promised more than there is.
            StatusCode::RANGE_NOT_SATISFIABLE if let Some(size) = size(&answer) => Err(Failure::Absent(format!(
                "its blob has {size} bytes, not as many as were promised"
            ))),
            StatusCode::NOT_FOUND | StatusCode::GONE => Err(Failure::Absent("it does not have it".to_owned())),
            status @ (StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)
                if let Some(pause) = retry_after(&answer) =>
            {
                Err(Failure::Busy(format!("it answers {status}"), pause.min(LONGEST_PAUSE)))
            }
            status if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS => {
                Err(Failure::Absent(format!("it answers {status}")))
            }
            status => Err(Failure::Broken(format!("it answers {status}"))),
        }
    }

    /// How long the blob with this hash is, as the first peer says that has it.
    pub(crate) async fn size_of(&self, key: &[u8; 32], urls: &[Url]) -> Option<u64> {
        let name = hex::encode(key);
        for url in urls {
            let peer = self.peer(url);
            if let Ok(answer) = self.ask(reqwest::Method::HEAD, &peer, ["blobs", &name], None).await
                && let Some(size) = size(&answer)
            {
                return Some(size);
            }
        }
        None
    }

    /// Fetches a list of states into memory: it is short, and cannot be checked before all of it is here.
    ///
    /// Errors: `Unavailable`.
    pub(crate) async fn states(&self, wanted: &Wanted, urls: &[Url]) -> Result<(Vec<u8>, Url), BlobError> {
        let mut tried = Vec::new();
        for url in urls {
            let peer = self.peer(url);
            if let Some(rest) = peer.rests_for() {
                tried.push((
                    url.clone(),
                    format!("rests for {} s after failing", rest.as_secs().max(1)),
                ));
                continue;
            }
            match self.states_of(&peer, wanted).await {
                Ok(content) => {
                    peer.succeeded();
                    return Ok((content, url.clone()));
                }
                Err(failure) => {
                    peer.failed(&failure);
                    tried.push((url.clone(), failure.to_string()));
                }
            }
        }
        Err(unavailable(wanted, &tried))
    }

    async fn states_of(&self, peer: &Peer, wanted: &Wanted) -> Result<Vec<u8>, Failure> {
        let _permit = peer.permit().await;
        let name = hex::encode(wanted.key);
        let mut answer = self.ask(reqwest::Method::GET, peer, ["states", &name], None).await?;
        let mut content = Vec::new();
        let mut pace = super::incoming::Pace::new(&self.shared.limits);
        while let Some(bytes) = pace.next(&mut answer).await? {
            if (content.len() as u64).saturating_add(bytes.len() as u64) > wanted.size {
                return Err(Failure::Wrong(format!("it sent more than {} bytes", wanted.size)));
            }
            content.extend_from_slice(&bytes);
        }
        wanted
            .check(&content)
            .map_err(|error| Failure::Wrong(error.to_string()))?;
        Ok(content)
    }
}

/// Where redirects are followed to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Redirects {
    /// To wherever may be connected to.
    Followed,
    /// To the server that they come from, and no other: what one peer may have, others it names may not.
    OnTheSameServer,
}

/// A client that connects to what is within `reach`.
fn client(limits: &PeerLimits, reach: Reach, redirects: Redirects) -> Result<reqwest::Client, BlobError> {
    let client = builder(limits, reach, redirects).build().or_else(|error| {
        tracing::info!(
            error = chain(&error),
            "Peers are reached by http alone; for https install ca-certificates."
        );
        builder(limits, reach, redirects).tls_certs_only([]).build()
    });
    client.map_err(|error| BlobError::Http(chain(&error)))
}

/// How connections are made.
fn builder(limits: &PeerLimits, reach: Reach, redirects: Redirects) -> reqwest::ClientBuilder {
    let follow = redirect::Policy::custom(move |attempt| {
        let from = attempt.previous().last();
        let from_https = from.is_some_and(|url| url.scheme() == "https");
        let server = |url: &Url| (url.host_str().map(str::to_owned), url.port_or_known_default());
        if redirects == Redirects::OnTheSameServer && from.map(server) != Some(server(attempt.url())) {
            return attempt.error("redirected to another server, which a peer of a private network may not");
        }
        if attempt.previous().len() > REDIRECTS {
            return attempt.error("too many redirects");
        }
        if from_https && attempt.url().scheme() != "https" {
            return attempt.error("redirected from https to something else");
        }
        match reach.check(attempt.url()) {
            Ok(()) => attempt.follow(),
            Err(error) => attempt.error(error),
        }
    });
    reqwest::Client::builder()
        .no_proxy()
        .http1_only()
        .redirect(follow)
        .referer(false)
        .retry(reqwest::retry::never())
        .dns_resolver(Arc::new(Guarded(reach)))
        .connect_timeout(limits.connect)
        .pool_max_idle_per_host(limits.in_flight)
        .tcp_nodelay(true)
        .user_agent(concat!("agora-blobs/", env!("CARGO_PKG_VERSION")))
}

/// How many bytes the whole blob has, as an answer says.
pub fn size(answer: &reqwest::Response) -> Option<u64> {
    answer.headers().get(SIZE_HEADER)?.to_str().ok()?.parse().ok()
}

/// After how many seconds a busy server asks to come back.
fn retry_after(answer: &reqwest::Response) -> Option<Duration> {
    let seconds = answer.headers().get(reqwest::header::RETRY_AFTER)?.to_str().ok()?;
    seconds.trim().parse().ok().map(Duration::from_secs)
}

/// That nobody gave a blob, and why not.
pub fn unavailable(wanted: &Wanted, tried: &[(Url, String)]) -> BlobError {
    let tried = tried.iter().map(|(url, reason)| format!("{url}: {reason}"));
    BlobError::Unavailable {
        kind: wanted.kind,
        key: hex::encode(wanted.key),
        tried: tried.collect::<Vec<_>>().join("; "),
    }
}

/// An error and what caused it, in one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// Looks up names, and forgets addresses that may not be connected to. As the connection is made to what is left, the name
/// cannot stand for something else by then.
#[derive(Debug)]
struct Guarded(Reach);

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.0;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed = reach.choose(found);
            if allowed.is_empty() {
                return Err(format!("{}: {}", name.as_str(), super::address::PRIVATE).into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}
