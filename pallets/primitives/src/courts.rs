//! The court of last resort: where somebody shows that a chosen result is wrong.
//!
//! Terms: a *case* is whether a claim about a task is right. It is open from when the result is chosen until the court says how
//! it ended. Who keeps the tasks asks a [`Court`], perhaps several times for one task, with another claim each time; the court
//! tells [`Cases`] when asking again is worth it, and which claims accusers *enter*: what they say is right instead. What parties
//! do to the market that they should not is reported to [`Offences`].

use crate::{
    ids::TaskId,
    job::{Claim, JobSource},
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_runtime::{
    BoundedVec, DispatchError, DispatchResult, Weight,
    traits::{AtLeast32BitUnsigned, ConstU32},
};

/// The most accusers that share what is won by bringing one claim down.
pub const MAX_SHARERS: u32 = 3;

/// Those who said in time that a claim is wrong which a court has found wrong, in the order in which they committed to that. Never empty
/// in [`Standing::Fallen`].
pub type Accusers<AccountId> = BoundedVec<AccountId, ConstU32<MAX_SHARERS>>;

/// Divides `won` among those who have brought a claim down: whoever accused first has half, everybody after it half of what is left then,
/// and the last one all of that.
///
/// So nobody gains by accusing what others have accused already, with however many accounts: those share what the ones before them
/// leave. Rounded down for all but the last; the sum is `won`, exactly, unless nobody is there. Units: plancks. Complexity: O(n).
pub fn shares<'a, AccountId, Balance>(won: Balance, accusers: &'a [AccountId]) -> Vec<(&'a AccountId, Balance)>
where
    Balance: AtLeast32BitUnsigned + Copy,
{
    let mut left = won;
    let last = accusers.len().saturating_sub(1);
    let share = |(at, accuser): (usize, &'a AccountId)| {
        let part = match at == last {
            true => left,
            false => left.checked_div(&Balance::from(2u32)).unwrap_or(left),
        };
        left = left.saturating_sub(part);
        (accuser, part)
    };
    accusers.iter().enumerate().map(share).collect()
}

/// What a case is opened with.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CaseTerms<BlockNumber> {
    /// What was to be computed.
    pub job: JobSource,
    /// The claim that is right unless somebody shows that it is wrong.
    pub claim: Claim,
    /// The last block in which accusing is possible.
    pub until: BlockNumber,
}

/// How a case stands.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Standing<AccountId, BlockNumber> {
    /// Nobody has shown that the claim is wrong, and nobody can any more. So never before [`CaseTerms::until`] is over: whoever keeps the
    /// tasks would close the appeal window early.
    Stands,
    /// It is not decided.
    Pending {
        /// Ask again after this block at the latest. A court has a bound: it does not name later ones for ever, because a task lasts as
        /// long as its case.
        until: BlockNumber,
    },
    /// The claim is wrong.
    Fallen {
        /// Who divide what is won by that: see [`shares`].
        accusers: Accusers<AccountId>,
    },
    /// The court cannot tell, and never will: a run was left that fails, or what it computes with is suspended.
    Undecided,
}

/// How a case was decided against its claim.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HowEnded {
    /// The claim fell. Who has accused it may still reveal that, to share what is won.
    Fallen,
    /// The court cannot tell, and never will.
    Undecided,
}

/// What clients are told of an open case.
#[derive(Encode, Decode, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CaseView<BlockNumber> {
    /// The task.
    pub task: TaskId,
    /// The number of the case: those of one task have different ones.
    pub number: u64,
    /// The claim.
    pub claim: Claim,
    /// The last block in which accusations may be committed to, if no more blocks are full.
    pub until: BlockNumber,
    /// The last block in which they may be revealed; the same holds.
    pub reveal_until: BlockNumber,
    /// How many accusations are committed to and not revealed.
    pub hidden: u32,
    /// How it was decided. `None`: it is not.
    pub decided: Option<HowEnded>,
}

impl<BlockNumber> CaseView<BlockNumber> {
    /// Whether it is decided, so that no move can be made any more.
    pub const fn is_decided(&self) -> bool {
        self.decided.is_some()
    }
}

/// Some of the open cases, in no order.
#[derive(Encode, Decode, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CasePage<BlockNumber> {
    /// The cases.
    pub cases: Vec<CaseView<BlockNumber>>,
    /// The task after which the next page begins; `None`: there are no more cases.
    pub next: Option<TaskId>,
}

/// Decides cases.
pub trait Court<AccountId, BlockNumber> {
    /// Opens the case of `task`, and returns whether it did: a court that decides nothing opens none.
    ///
    /// Errors: one is open already.
    fn open(task: TaskId, terms: CaseTerms<BlockNumber>) -> Result<bool, DispatchError>;

    /// How the case of `task` stands; without a case, its claim stands.
    fn standing(task: TaskId) -> Standing<AccountId, BlockNumber>;

    /// Closes the case of `task`, if it has one: nobody can accuse or move in it any more, and what is held for it is given back or
    /// divided by how it stood.
    fn close(task: TaskId);
}

/// Decides nothing: every result stands as it was chosen.
impl<AccountId, BlockNumber> Court<AccountId, BlockNumber> for () {
    fn open(_: TaskId, _: CaseTerms<BlockNumber>) -> Result<bool, DispatchError> {
        Ok(false)
    }
    fn standing(_: TaskId) -> Standing<AccountId, BlockNumber> {
        Standing::Stands
    }
    fn close(_: TaskId) {}
}

/// Is told of cases.
pub trait Cases<AccountId> {
    /// The case of `task` is decided, or there is less to wait for than before: ask the court how it stands. Not said while the court
    /// itself is being asked, or opens or closes a case.
    ///
    /// Errors: there is no such task. The court goes on all the same.
    fn decided(task: TaskId) -> DispatchResult;

    /// `who`, who accuses the result of `task`, enters `claim`: it says that this is right instead. Returns whether it is taken down.
    /// The court goes on all the same.
    fn enter(task: TaskId, who: &AccountId, claim: Claim) -> bool;

    /// The most that one of these weighs.
    fn weight() -> Weight;
}

/// Asks for itself, and takes nothing down.
impl<AccountId> Cases<AccountId> for () {
    fn decided(_: TaskId) -> DispatchResult {
        Ok(())
    }
    fn enter(_: TaskId, _: &AccountId, _: Claim) -> bool {
        false
    }
    fn weight() -> Weight {
        Weight::zero()
    }
}

/// What somebody has done that it should not, from the least to the gravest.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum Offence {
    /// It was too late with what it had promised.
    Late,
    /// It did not say in time what only it could say.
    Silent,
    /// What it said was wrong, or nobody stood up for it. That may happen to who is honest: a machine may fail, and time run out.
    Wrong,
    /// It vouched, with a bond of its own, for a computation of which a step was executed and found to be false.
    Fraud,
}

/// Is told of offences. The bond is the court's affair; this is what else follows.
pub trait Offences<AccountId> {
    /// `who` has done `offence`.
    fn report(who: &AccountId, offence: Offence);

    /// The most that reporting weighs.
    fn weight() -> Weight;
}

/// Nothing else follows.
impl<AccountId> Offences<AccountId> for () {
    fn report(_: &AccountId, _: Offence) {}
    fn weight() -> Weight {
        Weight::zero()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked<C: Court<u64, u32>>() -> (Result<bool, DispatchError>, Standing<u64, u32>) {
        let job = crate::job::SyntheticJob {
            seed: [0; 32],
            matrix_size: 1,
            iterations: 1,
        };
        let terms = CaseTerms {
            job: JobSource::Inline(crate::job::JobSpec::V2(crate::job::JobKind::Synthetic(job))),
            claim: Claim::Unusable,
            until: 7,
        };
        let opened = C::open(TaskId(1), terms);
        C::close(TaskId(1));
        (opened, C::standing(TaskId(1)))
    }

    #[test]
    fn without_a_court_every_claim_stands() {
        assert_eq!(asked::<()>(), (Ok(false), Standing::Stands));
        assert_eq!(<() as Cases<u64>>::decided(TaskId(1)), Ok(()));
        assert!(!<() as Cases<u64>>::enter(TaskId(1), &1, Claim::Unusable));
        <() as Offences<u64>>::report(&1, Offence::Fraud);
        let weights = [<() as Cases<u64>>::weight(), <() as Offences<u64>>::weight()];
        assert_eq!(weights, [Weight::zero(); 2]);
    }

    #[test]
    fn whoever_accuses_first_has_half_and_nothing_is_lost() {
        let of = |won: u64, n: usize| {
            shares(won, &["a", "b", "c", "d"][..n])
                .into_iter()
                .map(|(_, part)| part)
                .collect::<Vec<_>>()
        };
        assert!(of(7, 0).is_empty());
        assert_eq!(of(7, 1), [7]);
        assert_eq!(of(7, 2), [3, 4]);
        assert_eq!(of(1000, 4), [500, 250, 125, 125]);
        for won in 0..100 {
            for n in 1..=4 {
                assert_eq!(of(won, n).iter().sum::<u64>(), won);
            }
        }
    }

    #[test]
    fn more_accounts_after_the_first_take_nothing_from_it() {
        let accusers = ["honest", "sybil", "sybil", "sybil"];
        for n in 2..=4 {
            assert_eq!(shares(1000u64, &accusers[..n])[0], (&"honest", 500));
        }
    }

    #[test]
    fn offences_are_in_the_order_of_their_gravity() {
        use Offence::*;
        assert!(Late < Silent && Silent < Wrong && Wrong < Fraud);
    }
}
