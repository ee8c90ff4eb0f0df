//! What calls and hooks cost.

#![allow(
    unused_qualifications,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "benchmarks are not part of a runtime that runs"
)]

use super::*;
use crate::impls::BOND;
use agora_primitives::{
    capability::{Ballot, challenge_job, decoy_mark, max_provable, vote_commitment},
    job::{BlobRef, ChunkProof, Limits as _},
    judging::Attestation,
    money::Escrow as _,
};
use frame_benchmarking::v2::*;
use frame_support::{
    ensure,
    traits::{EnsureOrigin, Get, Hooks},
};
use frame_system::{RawOrigin, pallet_prelude::BlockNumberFor};
use sp_core::H256;

/// Sets up what benchmarks need outside this pallet.
pub trait BenchmarkHelper<AccountId> {
    /// Makes `who` an active worker.
    fn prepare_worker(who: &AccountId);
    /// Makes `who` an active verifier.
    fn prepare_verifier(who: &AccountId);
}

/// For chains whose `Participants` is a no-op.
impl<AccountId> BenchmarkHelper<AccountId> for () {
    fn prepare_worker(_: &AccountId) {}
    fn prepare_verifier(_: &AccountId) {}
}

/// A schedule with the highest quorum.
fn schedule<T: Config>() -> Schedule<BlockNumberFor<T>> {
    let seats = T::MaxVotes::get() / 4;
    Schedule {
        period: 1_000u32.into(),
        window: 10u32.into(),
        voting: 20u32.into(),
        revealing: 20u32.into(),
        validity: 2_000u32.into(),
        quorum: seats,
        seats,
    }
}

/// Opens a round, and returns it.
fn open<T: Config>() -> HardwareRound<BlockNumberFor<T>> {
    let now = frame_system::Pallet::<T>::block_number();
    Pallet::<T>::open_round(now, CurrentRound::<T>::get(), &schedule::<T>());
    CurrentRound::<T>::get().unwrap()
}

/// Draws the votes of the round, and returns it.
fn draw<T: Config>() -> HardwareRound<BlockNumberFor<T>> {
    Pallet::<T>::draw_votes(CurrentRound::<T>::get().unwrap());
    CurrentRound::<T>::get().unwrap()
}

/// Ends the round that was opened last.
fn end<T: Config>() -> BlockNumberFor<T> {
    let round = CurrentRound::<T>::get().unwrap();
    frame_system::Pallet::<T>::set_block_number(round.ends_at);
    round.ends_at
}

fn worker<T: Config>() -> T::AccountId {
    let who = account("worker", 0, 0);
    T::BenchmarkHelper::prepare_worker(&who);
    who
}

fn verifier<T: Config>(index: u32) -> T::AccountId {
    let who = account("verifier", index, 0);
    T::BenchmarkHelper::prepare_verifier(&who);
    who
}

const DIGEST: H256 = H256::repeat_byte(1);
const SALT: [u8; 32] = [7; 32];

fn response_of<T: Config>(round: u32, who: &T::AccountId) {
    let origin = RawOrigin::Signed(who.clone()).into();
    Pallet::<T>::respond(origin, round, DIGEST).unwrap();
}

/// Counts `votes` on the response of `who`: half of them for it, and the others against it.
fn count_votes<T: Config>(round: u32, who: &T::AccountId, votes: u32) {
    Responses::<T>::mutate(round, who, |response| {
        let response = response.as_mut().unwrap();
        for index in 0..votes {
            let voter = verifier::<T>(index);
            OpenVotes::<T>::insert(&voter, 1);
            // More right than wrong, so that somebody is paid.
            let vote = Attestation::of(index.is_multiple_of(2));
            response.votes.try_push((voter, vote)).unwrap();
        }
    });
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn respond() {
        let round = open::<T>().number;
        let who = worker::<T>();

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), round, H256::repeat_byte(1));

        assert!(Responses::<T>::contains_key(round, who));
    }

    #[benchmark]
    fn commit_vote() {
        let round = open::<T>().number;
        let who = worker::<T>();
        response_of::<T>(round, &who);
        let caller = verifier::<T>(0);

        #[extrinsic_call]
        _(RawOrigin::Signed(caller.clone()), round, who.clone(), DIGEST, DIGEST);

        assert!(Votes::<T>::contains_key((round, caller, who)));
    }

    /// The last vote for which there is a place.
    #[benchmark]
    fn reveal_vote() {
        let round = open::<T>();
        let who = worker::<T>();
        response_of::<T>(round.number, &who);
        let caller = verifier::<T>(u32::MAX);
        let ballot = Ballot {
            round_seed: round.seed,
            worker: &who,
            digest: DIGEST,
            verifier: &caller,
            vote: Attestation::Valid,
        };
        let commitment = vote_commitment(&ballot, &SALT);
        let origin = RawOrigin::Signed(caller.clone()).into();
        Pallet::<T>::commit_vote(origin, round.number, who.clone(), DIGEST, commitment).unwrap();
        count_votes::<T>(round.number, &who, T::MaxVotes::get() - 1);
        draw::<T>();

        #[extrinsic_call]
        _(
            RawOrigin::Signed(caller),
            round.number,
            who.clone(),
            Attestation::Valid,
            SALT,
        );

        let votes = Responses::<T>::get(round.number, who).unwrap().votes;
        assert_eq!(votes.len() as u32, T::MaxVotes::get());
    }

    #[benchmark]
    fn show_decoy() {
        let round = open::<T>();
        let who = worker::<T>();
        response_of::<T>(round.number, &who);
        draw::<T>();
        let mark = decoy_mark(round.seed, &who, &SALT);
        let output_of = |size: u64| {
            let mut output = alloc::vec![0; size as usize];
            output[..mark.len()].copy_from_slice(&mark);
            output
        };
        // The largest output there is.
        let capability = max_provable(round.window_ms);
        let job = challenge_job(round.seed, &who, capability, round.window_ms);
        let output = output_of(job.max_output_bytes());
        Responses::<T>::mutate(round.number, &who, |response| {
            let response = response.as_mut().unwrap();
            response.capability = capability;
            response.digest = BlobRef::to(&output).hash;
        });
        count_votes::<T>(round.number, &who, T::MaxVotes::get());
        let proof = ChunkProof::new(&output, 0).unwrap();

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), round.number, SALT, proof);

        assert!(Responses::<T>::get(round.number, who).unwrap().is_decoy);
    }

    #[benchmark]
    fn set_schedule() -> Result<(), BenchmarkError> {
        let origin = T::ScheduleOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, Some(schedule::<T>()));

        ensure!(CurrentSchedule::<T>::get() == Some(schedule::<T>()), "set");
        Ok(())
    }

    /// The round before was not settled.
    #[benchmark]
    fn open_round() {
        open::<T>();
        draw::<T>();
        end::<T>();
        let schedule = schedule::<T>();
        CurrentSchedule::<T>::put(schedule);

        #[block]
        {
            Pallet::<T>::on_initialize(schedule.period);
        }

        assert_eq!(CurrentRound::<T>::get().unwrap().number, 2);
        assert!(PastRounds::<T>::contains_key(1));
    }

    #[benchmark]
    fn draw_votes() {
        let round = open::<T>();

        #[block]
        {
            Pallet::<T>::on_initialize(round.votes_close_at + 1u32.into());
        }

        assert!(CurrentRound::<T>::get().unwrap().draw.is_some());
    }

    #[benchmark]
    fn no_round() {
        let schedule = schedule::<T>();
        CurrentSchedule::<T>::put(schedule);

        #[block]
        {
            Pallet::<T>::on_initialize(1u32.into());
        }

        assert!(CurrentRound::<T>::get().is_none());
    }

    /// Votes that were drawn and not revealed, each on another response.
    #[benchmark]
    fn sweep(n: Linear<0, MAX_SWEPT>) {
        let round = open::<T>().number;
        let mut voters = alloc::vec::Vec::new();
        for index in 0..n {
            let who: T::AccountId = account("past", index, 0);
            let voter = verifier::<T>(index);
            // So light that every vote is drawn.
            let past = ResponseOf::<T> {
                weight: 1,
                ..ResponseOf::<T>::new(1, H256::zero(), 0u32.into())
            };
            Responses::<T>::insert(round, &who, past);
            let vote = Vote {
                weight: 1,
                commitment: H256::zero(),
            };
            Votes::<T>::insert((round, &voter, who), vote);
            OpenVotes::<T>::insert(&voter, 1);
            voters.push(voter);
        }
        draw::<T>();
        let now = end::<T>();
        let bonds = |voters: &[T::AccountId]| -> alloc::vec::Vec<_> {
            let held = voters.iter().map(|voter| T::Escrow::held(BOND.0, BOND.1, voter));
            held.collect()
        };
        let before = bonds(&voters);

        #[block]
        {
            assert_eq!(Pallet::<T>::settle_next(now), Step::Swept(n));
        }

        let after = bonds(&voters);
        assert!(
            before
                .iter()
                .zip(&after)
                .all(|(before, after)| *before == *after + T::VoteBond::get())
        );
        assert_eq!(Votes::<T>::iter_keys().count(), 0);
    }

    /// A response that counts, though nearly half of the votes say otherwise.
    #[benchmark]
    fn settle(v: Linear<0, { T::MaxVotes::get() }>) {
        let round = open::<T>().number;
        let who = worker::<T>();
        response_of::<T>(round, &who);
        // With one vote more for it than against it.
        let v = v - v.is_multiple_of(2) as u32 * v.min(1);
        count_votes::<T>(round, &who, v);
        CurrentRound::<T>::mutate(|round| round.as_mut().unwrap().quorum = v.min(1));
        draw::<T>();
        let now = end::<T>();

        #[block]
        {
            assert_eq!(Pallet::<T>::settle_next(now), Step::Settled(v));
        }

        assert!(!Responses::<T>::contains_key(round, who));
        assert_eq!(OpenVotes::<T>::iter_keys().count(), 0);
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
