//! What an ended game costs whom, and who gets it: data, for a pallet to carry out.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// What a payment is for.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Purpose {
    /// For moves that were made for the side that was right.
    Moves,
    /// For having been right.
    Reward,
    /// What is not needed for the first two, less what is burned.
    Rest,
}

/// Who gets what.
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Payment<A> {
    /// Who. `None`: it is burned.
    pub to: Option<A>,
    /// How much, in plancks.
    pub amount: u128,
    /// What for.
    pub purpose: Purpose,
}

/// What an ended game leaves to divide. All amounts are in plancks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ended<A> {
    /// What the losers have lost, together.
    pub forfeited: u128,
    /// What the moves of the side that was right have cost each of those who made them.
    pub costs: Vec<(A, u128)>,
    /// Who was right, and the bond each put on it. Equal accusations share by their bonds.
    pub winners: Vec<(A, u128)>,
    /// What the winners get together, if there is as much.
    pub reward: u128,
}

/// Divides what was lost: movers first, then the reward, and half of what is left is burned; the winners get the other half.
///
/// The reward takes at most half of what the movers leave, so that a quarter of it, at least, is burned: whoever plays against
/// itself pays for it. Payments are rounded down, and what remains is burned: the payments are `forfeited`, exactly. Without winners
/// everything after the movers is burned. Complexity: O(n).
pub fn divide<A: Clone>(ended: &Ended<A>) -> Vec<Payment<A>> {
    let mut payments = Vec::new();
    let costs = ended
        .costs
        .iter()
        .fold(0u128, |sum, (_, cost)| sum.saturating_add(*cost));
    let after = pay(
        &mut payments,
        ended.forfeited,
        costs.min(ended.forfeited),
        &ended.costs,
        Purpose::Moves,
    );
    let after = pay(
        &mut payments,
        after,
        ended.reward.min(after / 2),
        &ended.winners,
        Purpose::Reward,
    );
    let burned = pay(&mut payments, after, after / 2, &ended.winners, Purpose::Rest);
    payments.push(Payment {
        to: None,
        amount: burned,
        purpose: Purpose::Rest,
    });
    payments.retain(|payment| payment.amount > 0);
    payments
}

/// Pays `amount` from `purse` to all of `shares` by their weight; what remains in the purse.
fn pay<A: Clone>(
    payments: &mut Vec<Payment<A>>,
    purse: u128,
    amount: u128,
    shares: &[(A, u128)],
    purpose: Purpose,
) -> u128 {
    let total = shares
        .iter()
        .fold(0u128, |sum, (_, weight)| sum.saturating_add(*weight));
    let mut left = amount.min(purse);
    let kept = purse.saturating_sub(left);
    for (to, weight) in shares {
        let share = part(amount, *weight, total).min(left);
        left = left.saturating_sub(share);
        payments.push(Payment {
            to: Some(to.clone()),
            amount: share,
            purpose,
        });
    }
    kept.saturating_add(left)
}

/// `⌊amount · weight / total⌋`, where `weight ≤ total`; 0 if `total` is.
fn part(amount: u128, weight: u128, total: u128) -> u128 {
    let product = primitive_types::U256::from(amount).checked_mul(weight.into());
    let share = product.and_then(|product| product.checked_div(total.into()));
    // Not above `amount`, as `weight` is not above `total`; unless the total saturated, and then it is capped.
    share.map_or(0, |share| share.min(amount.into()).low_u128())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shares() -> impl Strategy<Value = Vec<(u32, u128)>> {
        let amount = prop_oneof![Just(0), 0..1000u128, any::<u128>()];
        prop::collection::vec((0u32..5, amount), 0..8)
    }

    proptest! {
        #[test]
        fn nothing_is_made_and_nothing_is_lost(
            forfeited in prop_oneof![0..5000u128, any::<u128>()], costs in shares(), winners in shares(),
            reward in prop_oneof![0..2000u128, any::<u128>()],
        ) {
            let ended = Ended { forfeited, costs, winners, reward };
            let payments = divide(&ended);
            let sum = payments.iter().try_fold(0u128, |sum, payment| sum.checked_add(payment.amount));
            prop_assert_eq!(sum, Some(forfeited));
            let of = |purpose| payments.iter().filter(|paid| paid.purpose == purpose && paid.to.is_some())
                .map(|paid| paid.amount).sum::<u128>();
            prop_assert!(of(Purpose::Reward) <= reward);
            let burned: u128 = payments.iter().filter(|paid| paid.to.is_none()).map(|paid| paid.amount).sum();
            let moves = of(Purpose::Moves);
            prop_assert!(burned >= (forfeited - moves) / 4);
            // Nobody is paid more for moves than they cost.
            let costs = ended.costs.iter().fold(0u128, |sum, (_, cost)| sum.saturating_add(*cost));
            prop_assert!(moves <= costs);
        }
    }

    #[test]
    fn movers_come_first() {
        let ended = |forfeited| Ended {
            forfeited,
            costs: vec![("defender", 30), ("passer-by", 10)],
            winners: vec![("a", 2), ("b", 1)],
            reward: 30,
        };
        let paid = |forfeited| {
            let payments = divide(&ended(forfeited));
            payments.iter().map(|paid| (paid.to, paid.amount)).collect::<Vec<_>>()
        };
        assert_eq!(paid(20), [(Some("defender"), 15), (Some("passer-by"), 5)]);
        assert_eq!(
            paid(200),
            [
                (Some("defender"), 30),
                (Some("passer-by"), 10),
                (Some("a"), 20),
                (Some("b"), 10),
                (Some("a"), 43),
                (Some("b"), 21),
                (None, 66)
            ]
        );
    }

    #[test]
    fn a_game_against_oneself_costs_a_quarter_at_least() {
        let own = Ended {
            forfeited: 1000,
            costs: vec![("me", 0)],
            winners: vec![("me", 1)],
            reward: u128::MAX,
        };
        let back: u128 = divide(&own)
            .iter()
            .filter(|paid| paid.to.is_some())
            .map(|paid| paid.amount)
            .sum();
        assert_eq!(back, 750);
    }
}
