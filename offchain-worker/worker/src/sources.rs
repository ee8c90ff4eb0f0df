//! Where a task's blobs are fetched from: besides the peers that are named, from those who have a part in the task.

use crate::chain::State;
use agora_blobs::Blobs;
use agora_chain::{AccountId, AtBlock, ChainError, views::TaskView};
use agora_primitives::job::JobSource;
use std::collections::HashSet;
use url::Url;

/// Most addresses of strangers that are asked for one blob.
const MOST: usize = 32;

/// `blobs`, with the addresses that `task`'s publisher and workers have published on chain, but for those of `own`, as peers
/// too. If the chain cannot be asked, that is logged, and they are not asked.
pub async fn with_sources<S: State>(blobs: &Blobs, at: &S, task: &TaskView, own: Option<&AccountId>) -> Blobs {
    if let JobSource::Inline(job) = &task.job
        && job.inputs().is_empty()
        && task.chosen.is_none()
    {
        return blobs.clone();
    }
    with_addresses(blobs, at.sources(task, own).await)
}

/// `blobs`, with addresses of some verifiers as peers too: for a result that nobody gives who has a part in its task.
pub async fn with_verifiers(blobs: &Blobs, at: &AtBlock) -> Blobs {
    with_addresses(blobs, at.verifiers_sources().await)
}

/// `blobs`, with the addresses that were found on chain as peers too.
pub(crate) fn with_addresses(blobs: &Blobs, found: Result<Vec<String>, ChainError>) -> Blobs {
    match found {
        Ok(addresses) => blobs.with_peers(urls(addresses)),
        Err(error) => {
            tracing::debug!(%error, "The chain does not say where blobs may be; only the peers that are named are asked.");
            blobs.clone()
        }
    }
}

/// The addresses that are URLs of web servers. Whether they may be connected to is decided when they are.
fn urls(addresses: Vec<String>) -> impl Iterator<Item = Url> {
    let parsed = addresses.into_iter().filter_map(|address| Url::parse(&address).ok());
    let mut servers = HashSet::new();
    parsed
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        // One server by many paths would be asked as if it were many.
        .filter(move |url| servers.insert((url.host_str().map(str::to_owned), url.port_or_known_default())))
        .take(MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_web_address_is_left_out() {
        let all = [
            "https://a.example/agora",
            "file:///etc/passwd",
            "",
            "no url",
            "http://192.0.2.7:9620",
            "http://192.0.2.7:9620/again",
        ];
        let all = all
            .map(str::to_owned)
            .into_iter()
            .chain((0..100).map(|n| format!("http://h{n}/")));
        let urls: Vec<_> = urls(all.collect()).map(|url| url.to_string()).collect();
        assert_eq!(
            urls[..3],
            ["https://a.example/agora", "http://192.0.2.7:9620/", "http://h0/"]
        );
        assert_eq!(urls.len(), MOST);
    }
}
