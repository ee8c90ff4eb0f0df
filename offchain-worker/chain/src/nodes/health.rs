//! Which nodes are believed: purely from what they answer.

use crate::{BlockNumber, H256};

/// How many blocks a node may be behind the others.
const MAY_LAG: BlockNumber = 5;

/// What a node answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Answered {
    /// Nothing.
    Nothing(String),
    /// That it is of another chain.
    OtherChain(H256),
    /// How far it is.
    Report(Report),
}

/// How far a node is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Report {
    /// Its best block.
    pub best: BlockNumber,
    /// Its newest finalised block.
    pub finalised: BlockNumber,
    /// Whether it says that it is still syncing.
    pub is_syncing: bool,
    /// Whether the newest block that was seen to be final is on its best chain; `None`: it has not come so far.
    pub has_final: Option<bool>,
}

/// Why a node is not believed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum Distrust {
    #[error("it does not answer: {0}")]
    Unreachable(String),
    #[error("it is of another chain, with the first block {0:?}")]
    OtherChain(H256),
    #[error("it is still syncing")]
    Syncing,
    #[error("it is {0} blocks behind the others")]
    Behind(BlockNumber),
    #[error("it has not finalised block {0}, which was final already: it lags, or its chain was restored")]
    LacksFinal(BlockNumber),
    #[error("block {0}, which was final already, is on its chain and not final there yet")]
    FinalityLags(BlockNumber),
    #[error("its block {0} is another one than that which was final already: its chain was purged or restored")]
    FinalDiffers(BlockNumber),
}

impl Distrust {
    /// Whether the node is of the right chain and only finalises later. It may get transactions, but it must not be asked:
    /// what was final before would not be so any more.
    pub fn is_late(&self) -> bool {
        matches!(self, Self::FinalityLags(_))
    }
}

/// What was final when nodes were asked, and by whom.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Seen {
    /// The newest block that was seen to be final before they were asked.
    pub before: BlockNumber,
    /// The newest one after they had answered.
    pub after: BlockNumber,
    /// The node that is used: it showed what is between.
    pub used: Option<usize>,
}

/// Says of each node why it is not believed, if it is not.
pub(crate) fn judge(answers: &[Answered], seen: Seen) -> Vec<Option<Distrust>> {
    let alone = answers
        .iter()
        .enumerate()
        .map(|(number, answered)| {
            alone(answered, seen.before).or_else(|| {
                let is_late = Some(number) != seen.used && finalised(answered) < Some(seen.after);
                is_late.then_some(Distrust::FinalityLags(seen.after))
            })
        })
        .collect::<Vec<_>>();
    let is_right = |distrust: &Option<Distrust>| distrust.as_ref().is_none_or(Distrust::is_late);
    let right = answers.iter().zip(&alone).filter(|(_, distrust)| is_right(distrust));
    let newest = right.filter_map(|(answered, _)| best(answered)).max().unwrap_or(0);
    let judged = answers.iter().zip(alone).map(|(answered, distrust)| {
        let behind = best(answered).map_or(0, |best| newest.saturating_sub(best));
        match is_right(&distrust) && behind > MAY_LAG {
            true => Some(Distrust::Behind(behind)),
            false => distrust,
        }
    });
    judged.collect()
}

/// Why a node is not believed, whatever others say.
fn alone(answered: &Answered, final_seen: BlockNumber) -> Option<Distrust> {
    match answered {
        Answered::Nothing(reason) => Some(Distrust::Unreachable(reason.clone())),
        Answered::OtherChain(genesis) => Some(Distrust::OtherChain(*genesis)),
        Answered::Report(report) => {
            let has_finalised = report.finalised >= final_seen;
            match report.has_final {
                Some(false) if has_finalised => Some(Distrust::FinalDiffers(final_seen)),
                _ if report.is_syncing => Some(Distrust::Syncing),
                Some(true) if has_finalised => None,
                Some(true) => Some(Distrust::FinalityLags(final_seen)),
                Some(false) | None => Some(Distrust::LacksFinal(final_seen)),
            }
        }
    }
}

fn finalised(answered: &Answered) -> Option<BlockNumber> {
    match answered {
        Answered::Report(report) => Some(report.finalised),
        Answered::Nothing(_) | Answered::OtherChain(_) => None,
    }
}

fn best(answered: &Answered) -> Option<BlockNumber> {
    match answered {
        Answered::Report(report) => Some(report.best),
        Answered::Nothing(_) | Answered::OtherChain(_) => None,
    }
}

/// Which node is used: the same one while it is believed, else the believed one with the newest block. If none is
/// believed, one that does not answer is waited for.
pub(crate) fn choose(used: Option<usize>, answers: &[Answered], judged: &[Option<Distrust>]) -> Option<usize> {
    let is_believed = |node: usize| judged.get(node).is_some_and(Option::is_none);
    let is_away = |node: usize| matches!(judged.get(node), Some(Some(Distrust::Unreachable(_))));
    if let Some(node) = used.filter(|node| is_believed(*node)) {
        return Some(node);
    }
    let believed = (0..answers.len()).filter(|node| is_believed(*node));
    let newest = believed.rev().max_by_key(|node| answers.get(*node).and_then(best));
    newest.or(used.filter(|node| is_away(*node)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(best: BlockNumber) -> Answered {
        Answered::Report(Report {
            best,
            finalised: best.saturating_sub(3),
            is_syncing: false,
            has_final: Some(true),
        })
    }

    fn seen(number: BlockNumber) -> Seen {
        Seen {
            before: number,
            after: number,
            used: None,
        }
    }

    fn changed(best: BlockNumber, change: impl FnOnce(&mut Report)) -> Answered {
        let Answered::Report(mut report) = at(best) else {
            unreachable!("it is a report")
        };
        change(&mut report);
        Answered::Report(report)
    }

    #[test]
    fn nodes_that_lag_or_sync_are_not_believed() {
        let syncing = changed(100, |report| report.is_syncing = true);
        let answers = [at(100), at(95), at(94), syncing];
        let expected = [None, None, Some(Distrust::Behind(6)), Some(Distrust::Syncing)];
        assert_eq!(judge(&answers, seen(90)), expected);
    }

    #[test]
    fn a_node_that_is_not_believed_makes_others_look_behind_in_nothing() {
        let ahead = changed(9_000, |report| report.is_syncing = true);
        assert_eq!(judge(&[at(100), ahead], seen(90)), [None, Some(Distrust::Syncing)]);
    }

    #[test]
    fn a_node_that_lost_a_final_block_is_not_believed_even_alone() {
        let restored = changed(20, |report| report.has_final = None);
        assert_eq!(judge(&[restored], seen(90)), [Some(Distrust::LacksFinal(90))]);
        let purged = changed(100, |report| report.has_final = Some(false));
        assert_eq!(judge(&[purged], seen(90)), [Some(Distrust::FinalDiffers(90))]);
    }

    #[test]
    fn a_node_that_has_not_finalised_what_was_final_is_not_asked_but_gets_transactions_if_its_chain_agrees() {
        let late = judge(&[at(92)], seen(90));
        assert_eq!(late, [Some(Distrust::FinalityLags(90))]);
        assert!(late.iter().flatten().all(Distrust::is_late));
        for unknown in [None, Some(false)] {
            let lacks = judge(&[changed(92, |report| report.has_final = unknown)], seen(90));
            assert_eq!(lacks, [Some(Distrust::LacksFinal(90))]);
            assert!(!lacks.iter().flatten().any(Distrust::is_late));
        }
    }

    #[test]
    fn only_the_node_that_is_used_may_lack_what_it_showed_while_it_was_asked() {
        let showed = Seen {
            before: 97,
            after: 98,
            used: Some(0),
        };
        let late = Some(Distrust::FinalityLags(98));
        assert_eq!(judge(&[at(100), at(100)], showed), [None, late]);
    }

    #[test]
    fn the_same_node_is_used_while_it_is_believed() {
        let answers = [at(97), at(100)];
        assert_eq!(choose(Some(0), &answers, &[None, None]), Some(0));
        assert_eq!(choose(None, &answers, &[None, None]), Some(1));
        assert_eq!(choose(Some(0), &answers, &[Some(Distrust::Syncing), None]), Some(1));
    }

    #[test]
    fn only_a_node_that_does_not_answer_is_waited_for() {
        let gone = Some(Distrust::Unreachable("gone".to_owned()));
        let nothing = [Answered::Nothing("gone".to_owned())];
        assert_eq!(choose(Some(0), &nothing, &[gone]), Some(0));
        for distrust in [
            Distrust::Syncing,
            Distrust::FinalDiffers(1),
            Distrust::OtherChain(H256::zero()),
        ] {
            assert_eq!(choose(Some(0), &[at(1)], &[Some(distrust)]), None);
        }
    }
}
