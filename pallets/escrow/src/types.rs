//! Purposes and the hold reasons that stand for them.

use crate::{Config, HoldReason};
use agora_primitives::money::Purpose;
use alloc::{collections::BTreeSet, vec::Vec};
use codec::Encode;
use frame_support::traits::fungible::Inspect;

/// The unit of money.
pub type BalanceOf<T> = <<T as Config>::Currency as Inspect<<T as frame_system::Config>::AccountId>>::Balance;

/// Every [`Purpose`], in the order of its codec index.
pub const PURPOSES: [Purpose; 10] = [
    Purpose::TaskReward,
    Purpose::PublisherStake,
    Purpose::PublicationFee,
    Purpose::RoleBond,
    Purpose::TaskBond,
    Purpose::AppealBond,
    Purpose::Prepaid,
    Purpose::Addresses,
    Purpose::CourtBond,
    Purpose::ChallengeFee,
];

impl From<Purpose> for HoldReason {
    fn from(purpose: Purpose) -> Self {
        match purpose {
            Purpose::TaskReward => Self::TaskReward,
            Purpose::PublisherStake => Self::PublisherStake,
            Purpose::PublicationFee => Self::PublicationFee,
            Purpose::RoleBond => Self::RoleBond,
            Purpose::TaskBond => Self::TaskBond,
            Purpose::AppealBond => Self::AppealBond,
            Purpose::Prepaid => Self::Prepaid,
            Purpose::Addresses => Self::Addresses,
            Purpose::CourtBond => Self::CourtBond,
            Purpose::ChallengeFee => Self::ChallengeFee,
        }
    }
}

/// The runtime's hold reason for `purpose`.
pub(crate) fn reason<T: Config>(purpose: Purpose) -> T::RuntimeHoldReason {
    HoldReason::from(purpose).into()
}

/// Whether the runtime's hold reasons tell all purposes apart.
pub(crate) fn reasons_are_distinct<T: Config>() -> bool {
    let reasons: BTreeSet<Vec<u8>> = PURPOSES.iter().map(|purpose| reason::<T>(*purpose).encode()).collect();
    reasons.len() == PURPOSES.len()
}
