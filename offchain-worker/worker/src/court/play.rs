//! In a trial: the moves that are due, and the bonds when it is over.

use super::{
    Shared,
    jobs::Known,
    made::{Made, ended, parts, position},
    opinion::Opinion,
};
use crate::{WorkerError, told::Told};
use agora_arbiter::{Arbiter, Shared as Inputs, disk::Files};
use agora_chain::{
    AccountId, Amount, AtBlock, Balance, BlockNumber, ChainError, Intention, Payload,
    calls::{self, Part},
    views::{CaseView, TrialView},
};
use agora_disputes::{Game, Move, Run, Side, Terms, Time};
use agora_primitives::job::BlobRef;
use futures::future::try_join_all;

/// A move is worth nothing so many blocks after the state that it answers: then it is decided anew.
const MOVE_LASTS: BlockNumber = 16;

/// What bonds are paid from, so that none is tried for which there is no money: the chain would refuse it, for a fee.
pub(super) struct Purse<'a> {
    told: &'a Told,
    /// What it is about.
    matter: String,
    bond: Balance,
    spare: Balance,
}

impl<'a> Purse<'a> {
    fn new(told: &'a Told, matter: String, bond: Balance, spare: Balance) -> Self {
        Self {
            told,
            matter: format!("money for {matter}"),
            bond,
            spare,
        }
    }

    /// Takes one bond out. `false`: there is no money for it. That is said once, until there is.
    pub fn pay(&mut self) -> bool {
        let Some(left) = self.spare.checked_sub(self.bond) else {
            if self.told.is_new(&self.matter, "none") {
                tracing::warn!(
                    bond = %Amount(self.bond),
                    spare = %Amount(self.spare),
                    "There is no {}: the account cannot put up the bond. Send it funds; it is tried again after each block.",
                    self.matter
                );
            }
            return false;
        };
        self.spare = left;
        if self.told.is_over(&self.matter) {
            tracing::info!("There is {} again.", self.matter);
        }
        true
    }
}

impl Shared {
    /// What the account has for bonds of `bond` each.
    pub(super) async fn purse(&self, matter: String, bond: Balance) -> Result<Purse<'_>, WorkerError> {
        Ok(Purse::new(&self.told, matter, bond, self.submitter.spare().await?))
    }

    /// Makes the moves that are due in a trial, or collects its bonds.
    pub(super) async fn play(&self, at: &AtBlock, number: u64, case: Option<CaseView>) -> Result<(), WorkerError> {
        let Some(view) = at.trial(number).await? else {
            return Ok(());
        };
        let task = view.task;
        let Some(case) =
            case.filter(|case| case.number == view.case && !case.is_decided() && view.game.verdict().is_none())
        else {
            return self.collect(at, number, view).await;
        };
        let Some(side) = side(
            self.opinion(task, &view.game.dispute.accused)?,
            &self.account,
            &view.game,
        ) else {
            return Ok(());
        };
        let was_known = self.truths.find(task).is_some();
        let Some(arbiter) = self.arbiter(at, task, case.reveal_until).await? else {
            return Ok(());
        };
        if side == Side::Accuser && !was_known {
            self.keep_output(&arbiter, &case).await;
        }
        if side == Side::Defence && arbiter.claim() != view.game.dispute.accused {
            // Nobody can defend what is wrong.
            return Ok(());
        }
        let time = Time {
            // When a call is included at the earliest.
            block: u64::from(at.block.number) + 1,
            full: at.full_blocks().await?,
        };
        let TrialView { terms, game, bond, .. } = view;
        let ended = ended(&game, time);
        let (lies, known) = (self.lies(), Known::clone(&arbiter));
        let played = tokio::task::spawn_blocking(move || {
            let moves = match lies {
                true => lied(&known, side, &game, &terms),
                false => known.moves(side, &game, &terms),
            };
            (game, moves)
        });
        let (game, moves) = played
            .await
            .map_err(|panic| WorkerError::Interrupted(panic.to_string()))?;
        self.truths.look_after(task, &arbiter);
        let made = moves.into_iter().enumerate();
        let made = made.filter_map(|(order, made)| Some((order, Made::of(&game, made)?)));
        let made = self.affordable(number, bond, made.collect()).await?;
        let about = BlobRef::to(&position(&game)).hash;
        let moves = made.into_iter().map(|(order, made)| {
            let name = format!("move {order} in trial {number} at {about:?}");
            self.make(at, number, made, name)
        });
        try_join_all(moves).await?;
        let ends = ended.into_iter().enumerate().map(|(order, what)| async move {
            let name = format!("end {order} in trial {number} at {about:?}");
            self.send(at, &calls::advance_trial(number, what), name).await
        });
        try_join_all(ends).await?;
        Ok(())
    }

    /// Those of the moves for which there is money, the first first.
    async fn affordable(
        &self,
        trial: u64,
        bond: Balance,
        made: Vec<(usize, Made)>,
    ) -> Result<Vec<(usize, Made)>, WorkerError> {
        if !made.iter().any(|(_, made)| made.has_bond()) {
            return Ok(made);
        }
        let mut purse = self.purse(format!("trial {trial}"), bond).await?;
        Ok(made
            .into_iter()
            .filter(|(_, made)| !made.has_bond() || purse.pay())
            .collect())
    }

    async fn make(&self, at: &AtBlock, trial: u64, made: Made, name: String) -> Result<(), WorkerError> {
        tracing::info!(trial, %made, "Makes a move in court.");
        match made {
            Made::Show(shown) => self.send(at, &calls::show(trial, shown), name).await,
            Made::Name(child) => self.send(at, &calls::name_child(trial, child), name).await,
            Made::Defend(defence) => self.send(at, &calls::defend(trial, defence), name).await,
            Made::List(key, made) => self.send(at, &calls::dispute_list(trial, key, made), name).await,
            Made::Run(key, root, end) => self.send(at, &calls::add_run(trial, key, root, end), name).await,
            Made::Challenge(key, one, other) => self.send(at, &calls::challenge(trial, key, one, other), name).await,
            Made::Open(key, roots, player, children) => {
                self.send(at, &calls::open_node(trial, key, roots, player, &children), name)
                    .await
            }
            Made::Execute(key, roots, segment) => {
                self.send(at, &calls::execute(trial, key, roots, segment), name).await
            }
        }
    }

    /// Sends a call that others may make, too: one that is refused was made by somebody else, or comes too late.
    async fn send(&self, at: &AtBlock, call: &impl Payload, name: String) -> Result<(), WorkerError> {
        let intention = Intention::named(name)
            .until(at.block.number.saturating_add(MOVE_LASTS))
            .urgent(3);
        match self.submitter.submit_as(call, intention).await {
            Ok(_) => Ok(()),
            Err(error @ (ChainError::Refused { .. } | ChainError::Failed(_))) => {
                tracing::debug!(%error, "A move in court was refused: the trial is elsewhere now.");
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Has the bonds of a trial settled, if this account has one in it, or wins one.
    async fn collect(&self, at: &AtBlock, number: u64, view: TrialView) -> Result<(), WorkerError> {
        if !has_part(&self.account, &view) {
            return Ok(());
        }
        let parts = parts(&view.game).into_iter().map(|part| async move {
            let name = format!("settlement of {part:?} of trial {number}");
            self.send(at, &calls::collect(number, part), name).await
        });
        try_join_all(parts).await?;
        // With its last part gone, the trial can be forgotten.
        let name = format!("settlement of trial {number}");
        self.send(at, &calls::collect(number, Part::Accusation), name).await
    }
}

/// The side of `account` in a game about a claim of which it has this opinion. `None`: nobody else makes an accuser's choices, and nobody
/// defends what is wrong.
pub(super) fn side(opinion: Opinion, account: &AccountId, game: &Game<AccountId>) -> Option<Side> {
    match (opinion, game.accuser == *account) {
        (Opinion::Wrong, true) => Some(Side::Accuser),
        (Opinion::Right, false) => Some(Side::Defence),
        _ => None,
    }
}

/// Whether `account` has a bond in a trial, or wins one.
pub(super) fn has_part(account: &AccountId, view: &TrialView) -> bool {
    let added = view.game.branches.iter().any(|(branch, runs)| {
        let run = |run: &Run<AccountId>| run.by == *account;
        branch.by == *account || runs.runs.iter().any(run)
    });
    added || view.game.accuser == *account || view.defender.as_ref() == Some(account)
}

/// The moves of somebody who holds what is wrong for right.
#[cfg(feature = "fault-injection")]
fn lied(arbiter: &Arbiter<Inputs, Files>, side: Side, game: &Game<AccountId>, terms: &Terms) -> Vec<Move> {
    agora_arbiter::Liar(arbiter).moves(side, game, terms)
}

#[cfg(not(feature = "fault-injection"))]
fn lied(arbiter: &Arbiter<Inputs, Files>, side: Side, game: &Game<AccountId>, terms: &Terms) -> Vec<Move> {
    arbiter.moves(side, game, terms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bonds_are_tried_as_far_as_there_is_money_and_again_when_there_is_more() {
        let told = Told::default();
        let purse = |spare| Purse::new(&told, "trial 7".to_owned(), 10, spare);
        let mut short = purse(25);
        assert_eq!(
            [short.pay(), short.pay(), short.pay(), short.pay()],
            [true, true, false, false]
        );
        // It was said; the next look says nothing, until there is money.
        assert!(!told.is_new("money for trial 7", "none"));
        assert!(!purse(9).pay());
        assert!(purse(10).pay());
        assert!(!told.is_over("money for trial 7"), "that was said, too");
    }
}
