//! Doubles of what stands around a pallet.

use crate::AccountId;
use agora_primitives::{
    judging::Seed,
    participants::Specialisation,
    reputation::{Level, Outcome, Reputation, Side},
};
use core::marker::PhantomData;
use sp_core::H256;
use sp_runtime::SaturatedConversion;
use std::{cell::RefCell, collections::BTreeMap};

/// A seed that is another one in each block and for each subject.
pub struct BlockSeed<T>(PhantomData<T>);

impl<T: frame_system::Config> Seed for BlockSeed<T> {
    fn seed(subject: &[u8]) -> H256 {
        let now: u64 = frame_system::Pallet::<T>::block_number().saturated_into();
        sp_io::hashing::blake2_256(&[&now.to_le_bytes(), subject].concat()).into()
    }
}

#[derive(Default)]
struct Remembered {
    outcomes: Vec<(AccountId, Side, Outcome)>,
    levels: BTreeMap<(AccountId, Specialisation), Level>,
    confidence: BTreeMap<AccountId, u32>,
}

thread_local! {
    static REMEMBERED: RefCell<Remembered> = RefCell::default();
}

/// Keeps outcomes as they come, makes nothing of them, and knows the levels and scores that the test has set.
pub struct ReputationDouble;

impl ReputationDouble {
    /// Forgets everything.
    pub fn reset() {
        REMEMBERED.take();
    }

    /// The outcomes so far, in order.
    pub fn outcomes() -> Vec<(AccountId, Side, Outcome)> {
        REMEMBERED.with_borrow(|all| all.outcomes.clone())
    }

    /// Sets the level of `who` as a worker.
    pub fn set_level(who: AccountId, specialisation: Specialisation, level: Level) {
        REMEMBERED.with_borrow_mut(|all| all.levels.insert((who, specialisation), level));
    }

    /// Sets the confidence score of `who`, whatever the specialisation.
    pub fn set_confidence(who: AccountId, confidence: u32) {
        REMEMBERED.with_borrow_mut(|all| all.confidence.insert(who, confidence));
    }
}

impl Reputation<AccountId> for ReputationDouble {
    fn record(who: &AccountId, side: Side, outcome: Outcome) {
        REMEMBERED.with_borrow_mut(|all| all.outcomes.push((*who, side, outcome)));
    }

    fn confidence(who: &AccountId, _: Specialisation) -> u32 {
        REMEMBERED.with_borrow(|all| all.confidence.get(who).copied().unwrap_or_default())
    }

    fn level(who: &AccountId, side: Side) -> Level {
        let Side::Worker(specialisation) = side else {
            return Level::Beginner;
        };
        REMEMBERED.with_borrow(|all| all.levels.get(&(*who, specialisation)).copied().unwrap_or_default())
    }
}
