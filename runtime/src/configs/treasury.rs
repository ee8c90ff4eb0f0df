//! The treasury: an account without a key.

use crate::AccountId;
use frame_support::{PalletId, parameter_types};
use sp_runtime::traits::AccountIdConversion;

/// Names the treasury's account.
pub const TREASURY_ID: PalletId = PalletId(*b"agora/tr");

parameter_types! {
    /// The account of the treasury. Every genesis gives it the existential deposit, so that it can always receive.
    pub TreasuryAccount: AccountId = TREASURY_ID.into_account_truncating();
}
