//! Fees.
//!
//! The fee for a transaction's weight and length goes to the treasury, the tip to the block's author. Nothing of either is
//! burned, so that "all balances + what escrow burned = issuance at the start" can be checked to the planck. The author
//! gets only the tip: if it got the fee too, it could fill blocks with transactions of its own at no cost.

use super::treasury::TreasuryAccount;
use crate::{AccountId, Authorship, Balance, Balances, MICRO_UNIT, MILLI_UNIT, Runtime, RuntimeEvent};
use frame_support::{
    parameter_types,
    traits::{
        ConstU8, OnUnbalanced,
        fungible::{Balanced, Credit},
        tokens::imbalance::ResolveTo,
    },
    weights::{
        ConstantMultiplier, WeightToFeeCoefficient, WeightToFeeCoefficients, WeightToFeePolynomial,
        constants::ExtrinsicBaseWeight,
    },
};
use pallet_transaction_payment::{FungibleAdapter, Multiplier, TargetedFeeAdjustment};
use sp_runtime::{FixedPointNumber, Perbill, Perquintill};

parameter_types! {
    /// A byte costs one millionth of a unit: a transaction of 200 bytes 0.2 thousandths.
    pub const TransactionByteFee: Balance = MICRO_UNIT;
    /// Blocks emptier than this let fees fall, fuller ones let them rise.
    pub const TargetBlockFullness: Perquintill = Perquintill::from_percent(25);
    /// How fast: at most by 4 % in 200 full blocks.
    pub AdjustmentVariable: Multiplier = Multiplier::saturating_from_rational(75, 1_000_000);
    /// Fees never fall below the prices in this file.
    pub MinimumMultiplier: Multiplier = Multiplier::from_u32(1);
    /// They never rise above a thousand times as much.
    pub MaximumMultiplier: Multiplier = Multiplier::from_u32(1_000);
}

/// An empty transaction's weight costs a tenth of a thousandth of a unit, everything else in proportion.
pub struct WeightToFee;

impl WeightToFeePolynomial for WeightToFee {
    type Balance = Balance;

    fn polynomial() -> WeightToFeeCoefficients<Balance> {
        let price = MILLI_UNIT.wrapping_div(10);
        let of = Balance::from(ExtrinsicBaseWeight::get().ref_time().max(1));
        core::iter::once(WeightToFeeCoefficient {
            degree: 1,
            negative: false,
            coeff_frac: Perbill::from_rational(price.checked_rem(of).unwrap_or_default(), of),
            coeff_integer: price.checked_div(of).unwrap_or_default(),
        })
        .collect()
    }
}

/// Sends fees to the treasury and tips to the block's author.
pub struct FeesToTreasuryTipsToAuthor;

impl OnUnbalanced<Credit<AccountId, Balances>> for FeesToTreasuryTipsToAuthor {
    fn on_unbalanceds(mut credits: impl Iterator<Item = Credit<AccountId, Balances>>) {
        if let Some(fee) = credits.next() {
            Self::to_treasury(fee);
        }
        if let Some(tip) = credits.next() {
            Self::on_unbalanced(tip);
        }
    }

    fn on_nonzero_unbalanced(tip: Credit<AccountId, Balances>) {
        let refused = match Authorship::author() {
            Some(author) => Balances::resolve(&author, tip),
            None => Err(tip),
        };
        // If the author cannot receive the tip (dust to an account that does not exist), the treasury gets it.
        if let Err(tip) = refused {
            Self::to_treasury(tip);
        }
    }
}

impl FeesToTreasuryTipsToAuthor {
    fn to_treasury(credit: Credit<AccountId, Balances>) {
        <ResolveTo<TreasuryAccount, Balances> as OnUnbalanced<_>>::on_unbalanced(credit);
    }
}

impl pallet_transaction_payment::Config for Runtime {
    type FeeMultiplierUpdate =
        TargetedFeeAdjustment<Runtime, TargetBlockFullness, AdjustmentVariable, MinimumMultiplier, MaximumMultiplier>;
    type LengthToFee = ConstantMultiplier<Balance, TransactionByteFee>;
    type OnChargeTransaction = FungibleAdapter<Balances, FeesToTreasuryTipsToAuthor>;
    type OperationalFeeMultiplier = ConstU8<5>;
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = pallet_transaction_payment::weights::SubstrateWeight<Runtime>;
    type WeightToFee = WeightToFee;
}
