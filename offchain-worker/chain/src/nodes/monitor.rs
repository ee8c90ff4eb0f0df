//! Asks nodes how they are.

use super::{
    Node, Nodes,
    health::{Answered, Distrust, Report, Seen, choose, judge},
    stands_still,
};
use crate::{BlockNumber, BlockRef, ChainError};
use futures::future::join_all;
use std::{
    sync::{Weak, atomic::Ordering},
    time::Duration,
};
use subxt::config::Header;

/// How often nodes are asked.
const EVERY: Duration = Duration::from_secs(2);
/// How often while none is believed.
const EVERY_WITHOUT: Duration = Duration::from_millis(500);
/// The shortest pause between two looks.
const PAUSE: Duration = Duration::from_millis(100);
/// How long a node has to answer.
const ANSWER: Duration = Duration::from_secs(3);

/// Looks at the nodes until they are dropped.
pub(super) async fn run(nodes: Weak<Nodes>) {
    loop {
        {
            let Some(nodes) = nodes.upgrade() else { return };
            // Woken up by a request that failed, or after a while.
            let every = match nodes.believed_now() {
                Some(_) => EVERY,
                None => EVERY_WITHOUT,
            };
            let _ = tokio::time::timeout(every, nodes.look.notified()).await;
        }
        tokio::time::sleep(PAUSE).await;
        let Some(nodes) = nodes.upgrade() else { return };
        look(&nodes).await;
    }
}

/// Asks all nodes, and chooses the one that is used.
pub(super) async fn look(nodes: &Nodes) {
    let before = nodes.state(|state| state.last_final);
    let asked = join_all((0..nodes.urls.len()).map(|number| ask(nodes, number, before))).await;
    let (answers, found): (Vec<Answered>, Vec<Option<(Node, BlockRef)>>) = asked.into_iter().unzip();
    let used = *nodes.used.borrow();
    let number = |block: Option<BlockRef>| block.map_or(0, |block| block.number);
    // One lock: a connection is never there without the judgement of its own node.
    let (earlier, judged, chosen) = nodes.state(|state| {
        let seen = Seen {
            before: number(before),
            after: number(state.last_final),
            used,
        };
        let judged = judge(&answers, seen);
        let chosen = choose(used, &answers, &judged);
        for (connection, found) in state.connections.iter_mut().zip(&found) {
            if let Some((node, _)) = found {
                *connection = Some(node.clone());
            }
        }
        let earlier = std::mem::replace(&mut state.judged, judged.clone());
        (earlier, judged, chosen)
    });
    for (url, (before, now)) in nodes.urls.iter().zip(earlier.iter().zip(&judged)) {
        tell(url, before.as_ref(), now.as_ref());
    }
    // Only what this one shows is seen: others may be ahead of it.
    let is_believed = |number: &usize| judged.get(*number).is_some_and(Option::is_none);
    if let Some(Some((_, block))) = chosen.filter(is_believed).and_then(|chosen| found.get(chosen)) {
        nodes.see_final(*block);
    }
    if chosen != used {
        if let Some(url) = chosen.and_then(|chosen| nodes.urls.get(chosen)) {
            tracing::info!(url, "This node is used now.");
        }
        nodes.used.send_replace(chosen);
    }
    nodes.looked.send_replace(());
    if let Some(Answered::Report(report)) = chosen.and_then(|chosen| answers.get(chosen)) {
        tell_of_finality(nodes, report);
    }
}

/// What node `number` answers, the connection that answered, and its newest finalised block. `seen` was final before.
async fn ask(nodes: &Nodes, number: usize, seen: Option<BlockRef>) -> (Answered, Option<(Node, BlockRef)>) {
    let answer = tokio::time::timeout(ANSWER, async {
        let known = nodes.state(|state| state.connections.get(number).cloned().flatten());
        let node = match known.filter(|node| !node.is_gone()) {
            Some(node) => node,
            None => {
                let url = nodes.urls.get(number).cloned().unwrap_or_default();
                let node = (nodes.connector)(url).await?;
                let genesis = node.legacy.genesis_hash().await?;
                if genesis != nodes.genesis {
                    return Ok((Answered::OtherChain(genesis), None));
                }
                node
            }
        };
        let (report, finalised) = report(&node, seen).await?;
        Ok::<_, ChainError>((Answered::Report(report), Some((node, finalised))))
    });
    match answer.await {
        Ok(Ok(answered)) => answered,
        Ok(Err(error)) => (Answered::Nothing(error.to_string()), None),
        Err(_) => (
            Answered::Nothing(format!("no answer within {} s", ANSWER.as_secs())),
            None,
        ),
    }
}

async fn report(node: &Node, seen: Option<BlockRef>) -> Result<(Report, BlockRef), ChainError> {
    let health = node.legacy.system_health().await?;
    let none = || ChainError::Node("it has no such block".to_owned());
    let number = |number: u64| BlockNumber::try_from(number).map_err(|_| none());
    let hash = node.legacy.chain_get_finalized_head().await?;
    let header = node.legacy.chain_get_header(Some(hash)).await?.ok_or_else(none)?;
    let finalised = BlockRef {
        number: number(header.number())?,
        hash,
    };
    let best = node.legacy.chain_get_header(None).await?.ok_or_else(none)?;
    let best = number(best.number())?;
    let has_final = match seen {
        Some(seen) if seen.number <= best.max(finalised.number) => {
            let there = node.legacy.chain_get_block_hash(Some(seen.number.into())).await?;
            Some(there == Some(seen.hash))
        }
        Some(_) => None,
        None => Some(true),
    };
    let report = Report {
        best,
        finalised: finalised.number,
        is_syncing: health.is_syncing,
        has_final,
    };
    Ok((report, finalised))
}

/// Tells once when a node is no longer believed, and when it is again.
fn tell(url: &str, before: Option<&Distrust>, now: Option<&Distrust>) {
    // That one node finalises a little later than another one is no news.
    let [before, now] = [before, now].map(|distrust| distrust.filter(|distrust| !distrust.is_late()));
    let is_same = match (before, now) {
        (Some(before), Some(now)) => std::mem::discriminant(before) == std::mem::discriminant(now),
        (None, None) => true,
        _ => false,
    };
    match now {
        _ if is_same => {}
        Some(why) => tracing::warn!(url, %why, "The node is not believed, and not used."),
        None => tracing::info!(url, "The node is believed again."),
    }
}

/// Tells once when finality stands still, and when it goes on.
fn tell_of_finality(nodes: &Nodes, report: &Report) {
    let is_stalled = stands_still(report.best, report.finalised);
    if nodes.is_stalled.swap(is_stalled, Ordering::Relaxed) == is_stalled {
        return;
    }
    if is_stalled {
        tracing::warn!(
            finalised = report.finalised,
            best = report.best,
            "Finality stands still: too few validators of consensus are there. Transactions go on, but what they do can still be undone."
        );
    } else {
        tracing::info!(finalised = report.finalised, "Finality goes on.");
    }
}
