//! Who gets how much of a reward: pure, in whole plancks, without storage.

use crate::types::Split;
use agora_math::split::{Shares, SplitError, split, split_whole};
use agora_primitives::money::{Payee, Payment, PaymentPlan, Payroll};
use alloc::{collections::BTreeMap, vec::Vec};
use sp_runtime::{PerThing, Permill, traits::Zero};

/// Divides `reward` among burn, the workers and verifiers of `payroll`, and the treasury.
///
/// The workers' part goes to the best answer, which gets `best_share` of it where there are other right ones; those share
/// the rest equally. Of the verifiers' part each has as much as if all who attested were paid. Every share is rounded down. What is left over, and a part for
/// which there is nobody (always that of the experts: a payroll names none), goes to the treasury. Nobody is named
/// twice, nobody gets zero, and the order is: burn, best, the other workers, the verifiers, the treasury.
///
/// Units: plancks. The payments add up to exactly `reward`.
/// Errors: `NotWhole`; `Overflow` does not happen. Complexity: O(n log n).
pub fn plan<AccountId: Clone + Ord>(
    preset: &Split,
    reward: u128,
    payroll: &Payroll<AccountId>,
) -> Result<PaymentPlan<AccountId, u128>, SplitError> {
    let Shares { shares, .. } = split_whole(reward, &preset.parts())?;
    let [burn, worker, verifier, ..] = shares.as_slice() else {
        return Err(SplitError::EmptySet);
    };

    let mut ledger = Ledger::new(reward);
    ledger.pay(Payee::Burn, *burn)?;
    let weights = worker_weights(preset.best_share, payroll.also_correct.len());
    let workers = core::iter::once(&payroll.best).chain(&payroll.also_correct);
    ledger.pay_all(workers, split(*worker, &weights)?.shares)?;
    let sharers = (payroll.verifiers.len() as u128).max(payroll.attested.into());
    let share = verifier.checked_div(sharers).unwrap_or_default();
    let shares = alloc::vec![share; payroll.verifiers.len()];
    ledger.pay_all(payroll.verifiers.iter(), shares)?;
    Ok(ledger.close())
}

/// Weights of the best answer, first, and of `others` other right ones.
///
/// One weight each, so that rounding down once can never give the best answer less than another: with `n` others and a
/// share `b` these weigh `1 − b` each and the best answer `b · n`, which is no less for `b` of at least one half.
fn worker_weights(best_share: Permill, others: usize) -> Vec<u128> {
    if others.is_zero() {
        return alloc::vec![1];
    }
    let rest = u128::from(best_share.left_from_one().deconstruct());
    // At most a million times the length of a vector.
    let best = u128::from(best_share.deconstruct()).saturating_mul(others as u128);
    core::iter::once(best)
        .chain(core::iter::repeat_n(rest, others))
        .collect()
}

/// Payments so far, and what is left to pay.
struct Ledger<AccountId> {
    payments: PaymentPlan<AccountId, u128>,
    /// Where each account's payment is.
    positions: BTreeMap<AccountId, usize>,
    left: u128,
}

impl<AccountId: Clone + Ord> Ledger<AccountId> {
    fn new(reward: u128) -> Self {
        Self {
            payments: Vec::new(),
            positions: BTreeMap::new(),
            left: reward,
        }
    }

    /// Adds `amount` to what `payee` gets.
    fn pay(&mut self, payee: Payee<AccountId>, amount: u128) -> Result<(), SplitError> {
        if amount.is_zero() {
            return Ok(());
        }
        self.left = self.left.checked_sub(amount).ok_or(SplitError::Overflow)?;
        if let Payee::Account(who) = &payee {
            if let Some(payment) = self.positions.get(who).and_then(|at| self.payments.get_mut(*at)) {
                payment.amount = payment.amount.checked_add(amount).ok_or(SplitError::Overflow)?;
                return Ok(());
            }
            self.positions.insert(who.clone(), self.payments.len());
        }
        self.payments.push(Payment { payee, amount });
        Ok(())
    }

    /// Pays each account its share.
    fn pay_all<'a>(
        &mut self,
        accounts: impl Iterator<Item = &'a AccountId>,
        shares: Vec<u128>,
    ) -> Result<(), SplitError>
    where
        AccountId: 'a,
    {
        accounts
            .zip(shares)
            .try_for_each(|(who, share)| self.pay(Payee::Account(who.clone()), share))
    }

    /// Gives the treasury what is left: its own part, parts without recipients, and every remainder.
    fn close(mut self) -> PaymentPlan<AccountId, u128> {
        if !self.left.is_zero() {
            self.payments.push(Payment {
                payee: Payee::Treasury,
                amount: self.left,
            });
        }
        self.payments
    }
}
