//! The court of last resort: where somebody shows that a chosen result is wrong.
//!
//! Terms: a *case* is whether a claim about a task is right. It is open from when the result is chosen until the court says how it
//! ended. Who keeps the tasks asks a [`Court`], perhaps several times for one task, with another claim each time; the court tells
//! [`Cases`] when asking again is worth it.

use crate::{
    ids::TaskId,
    job::{Claim, JobSource},
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_runtime::{DispatchError, DispatchResult};

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
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
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
        /// Who has shown it.
        by: AccountId,
        /// What that account says is right instead, if it says anything.
        own: Option<Claim>,
    },
    /// The court cannot tell, and never will: what it computes with has failed.
    Undecided,
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
pub trait Cases {
    /// The case of `task` is decided: ask the court how it stands. Said when it is no longer pending, and not while the court itself is
    /// being asked, or opens or closes a case.
    ///
    /// Errors: there is no such task. The court goes on all the same.
    fn decided(task: TaskId) -> DispatchResult;
}

/// Asks for itself.
impl Cases for () {
    fn decided(_: TaskId) -> DispatchResult {
        Ok(())
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
        assert_eq!(<() as Cases>::decided(TaskId(1)), Ok(()));
    }
}
