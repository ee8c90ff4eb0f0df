//! `agora addresses`

use crate::{
    args::{AddressesArgs, RunArgs},
    context::{Context, reach, serve_blobs},
    exit::CliError,
    output::answer,
};
use agora_blobs::Blobs;
use agora_chain::{BlockNumber, Intention, Submitter, calls};
use agora_primitives::participants::{MAX_ADDRESS_BYTES, MAX_ADDRESSES};
use serde::Serialize;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use url::Url;

/// How many blocks it may take until addresses are published.
const LIFE: BlockNumber = 64;
/// When it is tried again.
const AGAIN: Duration = Duration::from_secs(300);

/// Where an account says that it serves blobs.
#[derive(Serialize)]
pub struct Addresses {
    account: String,
    /// The preferred one first.
    addresses: Vec<String>,
}

pub async fn run(context: &Context, args: AddressesArgs) -> Result<(), CliError> {
    let account = context.account(args.account.as_deref())?;
    if args.clear || !args.set.is_empty() {
        let submitter = context.submitter().await?;
        if args.clear {
            submitter.submit_settled(&calls::set_addresses(&[])).await?;
        } else {
            announce(&submitter, &args.set, args.allow_private).await?;
        }
    }
    let addresses = context.client().await?.best().await?.addresses(&account).await?;
    let shown = Addresses {
        account: account.to_string(),
        addresses,
    };
    answer(context, &shown, |shown| match shown.addresses.as_slice() {
        [] => format!("{} says nowhere that it serves blobs.", shown.account),
        some => format!("{} serves blobs at:\n  {}", shown.account, some.join("\n  ")),
    });
    Ok(())
}

/// Publishes on chain that the account serves blobs at `urls`, if it does not say just that already. With no `urls` nothing
/// is changed.
pub async fn announce(submitter: &Submitter, urls: &[Url], allow_private: bool) -> Result<(), CliError> {
    if urls.is_empty() {
        return Ok(());
    }
    let wanted = checked(urls, allow_private)?;
    let at = submitter.client().best().await?;
    if at.addresses(submitter.account()).await? == wanted {
        return Ok(());
    }
    let call = calls::set_addresses(&wanted);
    let now = at.block.number;
    let intention = Intention::named(format!("addresses after block {now}")).until(now.saturating_add(LIFE));
    let included = submitter.submit_as(&call, intention).await?;
    tracing::info!(
        addresses = wanted.join(" "),
        block = included.block.number,
        "Published where blobs are served."
    );
    Ok(())
}

/// Serves `blobs` as `run` says, and publishes where. Returns what ends when the last answer has, if they are served.
///
/// Errors: they cannot be served there, or a URL that others could not use.
pub async fn serve(
    run: &RunArgs,
    blobs: &Blobs,
    submitter: &Submitter,
    shutdown: &CancellationToken,
) -> Result<Option<JoinHandle<()>>, CliError> {
    let serving = match run.serve {
        Some(address) => Some(serve_blobs(blobs, address, shutdown).await?),
        None => None,
    };
    announce_beside(submitter, &run.announce, run.peers.private_market, shutdown)?;
    Ok(serving)
}

/// As [`announce`], beside what else is done, until it has succeeded: what a worker has promised does not wait for it.
///
/// Errors: a URL that others could not use.
fn announce_beside(
    submitter: &Submitter,
    urls: &[Url],
    allow_private: bool,
    shutdown: &CancellationToken,
) -> Result<(), CliError> {
    checked(urls, allow_private)?;
    let (submitter, urls, shutdown) = (submitter.clone(), urls.to_vec(), shutdown.clone());
    tokio::spawn(async move {
        let published = async {
            while let Err(error) = announce(&submitter, &urls, allow_private).await {
                tracing::warn!(%error, "Where blobs are served could not be published; trying again in some minutes.");
                tokio::time::sleep(AGAIN).await;
            }
        };
        tokio::select! {
            () = published => {}
            () = shutdown.cancelled() => {}
        }
    });
    Ok(())
}

/// The URLs as they are published, if others could use them.
fn checked(urls: &[Url], allow_private: bool) -> Result<Vec<String>, CliError> {
    if urls.len() > MAX_ADDRESSES as usize {
        return Err(CliError::Usage(format!(
            "an account has at most {MAX_ADDRESSES} addresses"
        )));
    }
    let checked = urls.iter().map(|url| {
        let wrong = |why: String| CliError::Usage(format!("{url} cannot be published: {why}"));
        reach(allow_private)
            .check_own(url)
            .map_err(|error| wrong(error.to_string()))?;
        if url.as_str().len() > MAX_ADDRESS_BYTES as usize {
            return Err(wrong(format!("it has more than {MAX_ADDRESS_BYTES} bytes")));
        }
        Ok(url.to_string())
    });
    checked.collect()
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub fn example() -> Addresses {
        Addresses {
            account: "5F".to_owned(),
            addresses: vec!["https://blobs.example/".to_owned()],
        }
    }

    fn published(urls: &[&str], allow_private: bool) -> Result<Vec<String>, String> {
        let urls: Vec<Url> = urls.iter().map(|url| url.parse().expect("a URL")).collect();
        checked(&urls, allow_private).map_err(|error| error.to_string())
    }

    #[test]
    fn what_others_cannot_reach_is_not_published() {
        assert_eq!(
            published(&["https://blobs.example/agora", "http://8.8.8.8:9620"], false),
            Ok(vec![
                "https://blobs.example/agora".to_owned(),
                "http://8.8.8.8:9620/".to_owned()
            ])
        );
        for wrong in [
            "http://127.0.0.1:9620",
            "http://10.0.0.1/",
            "ftp://blobs.example/",
            "https://me:secret@blobs.example/",
            "https://blobs.example/?a=b",
        ] {
            let refused = published(&[wrong], false).expect_err(wrong);
            assert!(refused.contains("cannot be published"), "{refused}");
        }
        assert!(published(&["http://127.0.0.1:9620"], true).is_ok());
        let long = format!("https://blobs.example/{}", "a".repeat(MAX_ADDRESS_BYTES as usize));
        assert!(published(&[&long], false).is_err());
        assert!(published(&["http://8.8.8.8"; MAX_ADDRESSES as usize + 1], false).is_err());
    }
}
