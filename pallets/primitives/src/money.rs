//! Money that is set aside, and the trait through which the other pallets move it.

use crate::{ids::TaskId, participants::Role};
use alloc::{vec, vec::Vec};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_runtime::{DispatchError, DispatchResult};

/// What held money is held for. Two purposes never mix.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Purpose {
    /// The reward of a task, held from its publisher.
    TaskReward,
    /// The publisher's stake in the task.
    PublisherStake,
    /// The fee for publishing.
    PublicationFee,
    /// The bond of a role in the market.
    RoleBond,
    /// A worker's bond for one task.
    TaskBond,
    /// A verifier's bond for its attestation in a task's appeal window.
    AppealBond,
    /// A customer's prepaid balance.
    Prepaid,
    /// The deposit for an account's record of addresses.
    Addresses,
    /// What whoever accuses a claim, defends it, or shows a run puts up in court.
    CourtBond,
    /// What a worker pays for having its response to a hardware challenge checked.
    ChallengeFee,
}

/// What held money belongs to: amounts are kept per (purpose, account, scope).
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Scope {
    /// The account as such (prepaid balance, addresses).
    Account,
    /// A role of the account.
    Role(Role),
    /// One task.
    Task(TaskId),
}

/// Where money that leaves a hold goes.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Payee<AccountId> {
    /// To an account's free balance.
    Account(AccountId),
    /// To the treasury.
    Treasury,
    /// Out of existence: the total issuance falls.
    Burn,
}

/// The only way to move money in the market. Each call is all or nothing.
pub trait Escrow<AccountId> {
    /// Unit of money.
    type Balance;

    /// Holds `amount` of `who`'s free balance, in addition to what is held there already.
    ///
    /// Errors: the balance does not suffice (existential deposit included).
    fn hold(purpose: Purpose, scope: Scope, who: &AccountId, amount: Self::Balance) -> DispatchResult;

    /// What is held of `who` for `purpose` and `scope`.
    fn held(purpose: Purpose, scope: Scope, who: &AccountId) -> Self::Balance;

    /// Gives `amount` back to `who`'s free balance.
    ///
    /// Errors: less than that is held.
    fn release(purpose: Purpose, scope: Scope, who: &AccountId, amount: Self::Balance) -> DispatchResult;

    /// Gives back all that is held of `who` for `purpose` and `scope`, and returns how much that was.
    fn release_all(purpose: Purpose, scope: Scope, who: &AccountId) -> Result<Self::Balance, DispatchError>;

    /// Moves `amount` from `from`'s hold to `payee`. A payee that cannot receive (the amount would be dust in an
    /// account that does not exist) is replaced by the treasury, so that money is never stuck.
    ///
    /// Errors: less than that is held.
    fn pay(
        purpose: Purpose,
        scope: Scope,
        from: &AccountId,
        payee: Payee<AccountId>,
        amount: Self::Balance,
    ) -> DispatchResult;
}

/// Moves nothing and holds nothing.
impl<AccountId> Escrow<AccountId> for () {
    type Balance = u128;

    fn hold(_: Purpose, _: Scope, _: &AccountId, _: u128) -> DispatchResult {
        Ok(())
    }
    fn held(_: Purpose, _: Scope, _: &AccountId) -> u128 {
        0
    }
    fn release(_: Purpose, _: Scope, _: &AccountId, _: u128) -> DispatchResult {
        Ok(())
    }
    fn release_all(_: Purpose, _: Scope, _: &AccountId) -> Result<u128, DispatchError> {
        Ok(0)
    }
    fn pay(_: Purpose, _: Scope, _: &AccountId, _: Payee<AccountId>, _: u128) -> DispatchResult {
        Ok(())
    }
}

/// Names a split preset (see [`RewardPlanner`]).
pub type PresetId = u8;

/// Who is to be paid for one settled task.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Payroll<AccountId> {
    /// The worker whose answer is the best.
    pub best: AccountId,
    /// Workers whose answers are correct too. Takes no account twice, nor `best`.
    pub also_correct: Vec<AccountId>,
    /// Verifiers on the side of the final verdict.
    pub verifiers: Vec<AccountId>,
    /// How many attested, on either side: a verifier's share is as large as if all of them were paid. Else who can have others err gains
    /// their shares.
    pub attested: u32,
}

/// One payment of a [`PaymentPlan`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Payment<AccountId, Balance> {
    /// Who gets it.
    pub payee: Payee<AccountId>,
    /// How much. Never zero.
    pub amount: Balance,
}

/// Payments that add up to exactly the reward they divide.
pub type PaymentPlan<AccountId, Balance> = Vec<Payment<AccountId, Balance>>;

/// Divides the reward of a settled task by rule. Computes, moves nothing.
pub trait RewardPlanner<AccountId> {
    /// Unit of money.
    type Balance;
    /// How a reward is divided. A task keeps its own copy, so that no later change of a preset touches it.
    type Split;

    /// The split that `preset` names; `None` if it does not exist.
    fn split(preset: PresetId) -> Option<Self::Split>;

    /// Divides `reward` by `split` among `payroll`, treasury and burn. A part without recipients goes to the treasury,
    /// and so does every remainder.
    ///
    /// Errors: the split is not valid. Those of [`Self::split`] are.
    fn plan(
        split: &Self::Split,
        reward: Self::Balance,
        payroll: &Payroll<AccountId>,
    ) -> Result<PaymentPlan<AccountId, Self::Balance>, DispatchError>;
}

/// Gives everything to the best worker.
impl<AccountId: Clone> RewardPlanner<AccountId> for () {
    type Balance = u128;
    type Split = ();

    fn split(_: PresetId) -> Option<()> {
        Some(())
    }
    fn plan(_: &(), reward: u128, payroll: &Payroll<AccountId>) -> Result<PaymentPlan<AccountId, u128>, DispatchError> {
        Ok(vec![Payment {
            payee: Payee::Account(payroll.best.clone()),
            amount: reward,
        }])
    }
}
