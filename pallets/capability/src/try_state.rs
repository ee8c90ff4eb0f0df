//! What must hold after every block.

use crate::{
    BalanceOf, Config, CurrentRound, CurrentSchedule, FirstKept, OpenVotes, Pallet, PastRounds, Responses, Votes,
    impls::FEE,
};
use agora_primitives::money::Escrow;
use alloc::collections::{BTreeMap, BTreeSet};
use frame_support::{ensure, traits::Get};
use sp_runtime::{TryRuntimeError, traits::Saturating};

impl<T: Config> Pallet<T> {
    /// Checks that
    /// 1. the schedule is one that could be set;
    /// 2. past rounds are over and not settled, and no response or vote is of a round to come or of one that is settled;
    /// 3. no vote counts twice or is on a response of one's own, and each vote that was not revealed is on a response;
    /// 4. the votes on a response weigh as much as it says, or more if some were revealed, and none weighs more than the round says;
    /// 5. everybody has as many open votes as the chain says;
    /// 6. the fees of all responses are held, and of those workers nothing else is held for fees.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        if let Some(schedule) = CurrentSchedule::<T>::get() {
            ensure!(
                schedule.validate(T::MaxVotes::get()).is_ok(),
                "capability: an impossible schedule"
            );
        }
        let current = CurrentRound::<T>::get();
        let last = current.map_or(0, |round| round.number);
        let first = FirstKept::<T>::get();
        let now = frame_system::Pallet::<T>::block_number();
        for (number, round) in PastRounds::<T>::iter() {
            ensure!(
                number == round.number && (first..last).contains(&number) && round.is_over(now),
                "capability: a past round that is settled, or not past"
            );
        }
        let mut open = BTreeMap::<_, u32>::new();
        let mut weights = BTreeMap::<_, u64>::new();
        for ((round, verifier, worker), vote) in Votes::<T>::iter() {
            ensure!(
                Responses::<T>::contains_key(round, &worker),
                "capability: a vote without a response"
            );
            ensure!(verifier != worker, "capability: a vote on a response of one's own");
            let weight = weights.entry((round, worker)).or_default();
            *weight = weight.saturating_add(vote.weight.into());
            let open = open.entry(verifier).or_default();
            *open = open.saturating_add(1);
        }
        let mut fees = BTreeMap::<_, BalanceOf<T>>::new();
        for (number, worker, response) in Responses::<T>::iter() {
            ensure!(
                (first..=last).contains(&number),
                "capability: a response of a round that is not kept"
            );
            let round = PastRounds::<T>::get(number).or(current.filter(|round| round.number == number));
            let round = round.ok_or("capability: a response of an unknown round")?;
            ensure!(
                response.weight <= round.most_weight,
                "capability: a response with more votes than the one that has most"
            );
            let unrevealed = weights.remove(&(number, worker.clone())).unwrap_or_default();
            let is_counted = unrevealed <= response.weight;
            ensure!(
                is_counted && (unrevealed == response.weight || round.draw.is_some()),
                "capability: votes that weigh more or less than the response says"
            );
            let voters: BTreeSet<_> = response.votes.iter().map(|(voter, _)| voter).collect();
            ensure!(
                voters.len() == response.votes.len(),
                "capability: somebody's vote counts twice"
            );
            ensure!(
                !voters.contains(&worker),
                "capability: a vote on a response of one's own"
            );
            ensure!(
                voters
                    .iter()
                    .all(|voter| !Votes::<T>::contains_key((number, *voter, &worker))),
                "capability: a vote that counts and is kept"
            );
            for (voter, _) in response.votes {
                let open = open.entry(voter).or_default();
                *open = open.saturating_add(1);
            }
            fees.entry(worker).or_default().saturating_accrue(response.fee);
        }
        ensure!(
            OpenVotes::<T>::iter().collect::<BTreeMap<_, _>>() == open,
            "capability: open votes that are none, or that are not counted"
        );
        for (worker, fee) in fees {
            ensure!(
                T::Escrow::held(FEE.0, FEE.1, &worker) == fee,
                "capability: fees that are not held, or held for nothing"
            );
        }
        Ok(())
    }
}
