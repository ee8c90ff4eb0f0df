//! What becomes of a round when it is over: votes that were drawn and not revealed are paid for, responses are decided, and nothing is kept.
//!
//! A round is settled in steps, first its votes and then its responses, so that the bond behind a vote is at stake until what it was on
//! is decided. While rounds are settled others may open.

use crate::{
    Config, CurrentRound, Event, FirstKept, OpenVotes, Pallet, PastRounds, ResponseOf, Responses, Votes, WeightInfo,
    impls::{BOND, FEE},
    types::{HardwareRound, SlashReason, Vote},
};
use agora_primitives::{
    capability::{Capabilities, Decision, is_drawn},
    money::{Escrow, Payee},
};
use alloc::vec::Vec;
use frame_support::{defensive, traits::Get, weights::Weight};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::{
    DispatchResult,
    traits::{CheckedDiv, Saturating},
};

use crate::{BalanceOf, MAX_SWEPT};

/// What one step of settling did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// No round that is over has anything left.
    Nothing,
    /// So many votes were forgotten that had not been revealed; or, if none, a round that had nothing left.
    Swept(u32),
    /// A response was decided, by so many votes.
    Settled(u32),
}

impl Step {
    /// What it weighs.
    pub fn weight<W: WeightInfo>(self) -> Weight {
        match self {
            Self::Nothing => W::sweep(0),
            Self::Swept(votes) => W::sweep(votes),
            Self::Settled(votes) => W::settle(votes),
        }
    }
}

impl<T: Config> Pallet<T> {
    /// Takes the next step in settling the oldest round that is not settled, if it is over in block `now`.
    pub(crate) fn settle_next(now: BlockNumberFor<T>) -> Step {
        // Rounds count from 1.
        let oldest = FirstKept::<T>::get().max(1);
        let round = PastRounds::<T>::get(oldest)
            .or_else(|| CurrentRound::<T>::get().filter(|current| current.number == oldest && current.is_over(now)));
        let Some(round) = round else {
            return Step::Nothing;
        };
        let votes: Vec<_> = Votes::<T>::iter_prefix((oldest,)).take(MAX_SWEPT as usize).collect();
        if !votes.is_empty() {
            for ((verifier, worker), vote) in &votes {
                Self::forget_vote(&round, verifier, worker, vote);
            }
            // At most `MAX_SWEPT`.
            return Step::Swept(votes.len() as u32);
        }
        if let Some((worker, response)) = Responses::<T>::iter_prefix(oldest).next() {
            // Bounded by a `u32`.
            let votes = response.votes.len() as u32;
            Self::settle(&round, worker, response);
            return Step::Settled(votes);
        }
        PastRounds::<T>::remove(oldest);
        // Saturating: it stays at most one above the number of the current round.
        FirstKept::<T>::put(oldest.saturating_add(1));
        Step::Swept(0)
    }

    /// Forgets a vote that was not revealed. Who should have revealed it loses a part of its bond to the treasury: nobody else is to gain
    /// by keeping a verifier silent.
    fn forget_vote(
        round: &HardwareRound<BlockNumberFor<T>>,
        verifier: &T::AccountId,
        worker: &T::AccountId,
        vote: &Vote,
    ) {
        Votes::<T>::remove((round.number, verifier, worker));
        Self::release_vote(verifier);
        let Some(response) = Responses::<T>::get(round.number, worker) else {
            defensive!("a vote without a response");
            return;
        };
        // Who found no place could not reveal.
        let had_a_place = response.votes.len() < T::MaxVotes::get() as usize;
        let was_drawn = round
            .lots(response.weight)
            .is_some_and(|lots| is_drawn(&lots, worker, verifier, vote.weight));
        if had_a_place && was_drawn {
            let amount = Self::penalty_of(verifier);
            Self::done(T::Escrow::pay(BOND.0, BOND.1, verifier, Payee::Treasury, amount));
            Self::deposit_event(Event::VoterSlashed {
                round: round.number,
                worker: worker.clone(),
                verifier: verifier.clone(),
                amount,
                reason: SlashReason::Silent,
            });
        }
    }

    /// Decides a response, tells who keeps capabilities, and pays those who voted.
    fn settle(round: &HardwareRound<BlockNumberFor<T>>, worker: T::AccountId, response: ResponseOf<T>) {
        Responses::<T>::remove(round.number, &worker);
        for (verifier, _) in &response.votes {
            Self::release_vote(verifier);
        }
        let decision = response.decision(round.quorum, round.most_weight);
        let (right, wrong) = decision
            .truth()
            .map_or_else(Default::default, |truth| response.sides(truth));
        let rewarded = if response.is_decoy {
            Vec::from([&worker])
        } else {
            right.clone()
        };
        // Where somebody was wrong others were right, or the worker has shown it.
        for (verifier, other) in wrong.into_iter().zip(rewarded.into_iter().cycle()) {
            Self::slash(round.number, &worker, verifier, other);
        }
        Self::divide_fee(&worker, response.fee, &right);
        Self::announce(round, worker, response.capability, decision);
    }

    /// Takes a part of the bond of `verifier`, whose vote was wrong: half for `other`, the rest is burned, so that nobody plays against
    /// itself for free.
    fn slash(round: u32, worker: &T::AccountId, verifier: &T::AccountId, other: &T::AccountId) {
        let amount = Self::penalty_of(verifier);
        let reward = Self::part(amount, 2);
        let payee = Payee::Account(other.clone());
        Self::done(T::Escrow::pay(BOND.0, BOND.1, verifier, payee, reward));
        let rest = amount.saturating_sub(reward);
        Self::done(T::Escrow::pay(BOND.0, BOND.1, verifier, Payee::Burn, rest));
        Self::deposit_event(Event::VoterSlashed {
            round,
            worker: worker.clone(),
            verifier: verifier.clone(),
            amount,
            reason: SlashReason::Wrong,
        });
    }

    /// Divides the fee of a response among those who were right, rounding down. The remainder goes back to the worker, and so does the
    /// whole fee where nobody was.
    fn divide_fee(worker: &T::AccountId, fee: BalanceOf<T>, right: &[&T::AccountId]) {
        // Bounded by a `u32`.
        let share = Self::part(fee, right.len() as u32);
        let mut left = fee;
        for verifier in right {
            let payee = Payee::Account((*verifier).clone());
            Self::done(T::Escrow::pay(FEE.0, FEE.1, worker, payee, share));
            left.saturating_reduce(share);
        }
        Self::done(T::Escrow::release(FEE.0, FEE.1, worker, left));
    }

    /// Tells who keeps capabilities, and everybody, what was decided.
    fn announce(round: &HardwareRound<BlockNumberFor<T>>, worker: T::AccountId, capability: u32, decision: Decision) {
        match decision {
            Decision::Proven => {
                let until = round.proven_until;
                T::Capabilities::prove(&worker, capability, until);
                Self::deposit_event(Event::CapabilityProven {
                    worker,
                    capability,
                    until,
                });
            }
            Decision::Refuted => {
                T::Capabilities::refute(&worker);
                Self::deposit_event(Event::CapabilityRefuted { worker });
            }
            Decision::Open => Self::deposit_event(Event::ResponseUndecided {
                round: round.number,
                worker,
            }),
        }
    }

    /// One vote of `verifier` is settled.
    fn release_vote(verifier: &T::AccountId) {
        OpenVotes::<T>::mutate_exists(verifier, |open| {
            *open = open.and_then(|open| open.checked_sub(1)).filter(|left| *left > 0);
        });
    }

    /// What `verifier` loses by a vote: what is left of its bond, if that is less.
    fn penalty_of(verifier: &T::AccountId) -> BalanceOf<T> {
        T::VoteBond::get().min(T::Escrow::held(BOND.0, BOND.1, verifier))
    }

    /// One of `parts` equal parts of `amount`, rounded down; zero without parts.
    fn part(amount: BalanceOf<T>, parts: u32) -> BalanceOf<T> {
        amount.checked_div(&parts.into()).unwrap_or_default()
    }

    /// The escrow holds what is paid here, so that it does not fail.
    fn done(paid: DispatchResult) {
        if let Err(error) = paid {
            defensive!(error);
        }
    }
}
