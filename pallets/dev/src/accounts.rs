//! Accounts, and the numbers that all mocks agree on.

use frame_support::parameter_types;

/// Accounts are numbers: easy to read in a failed assertion.
pub type AccountId = u64;
/// Unit of money: plancks.
pub type Balance = u128;
/// Number of a block.
pub type BlockNumber = u64;

/// The first account of a test.
pub const ALICE: AccountId = 1;
/// The second account of a test.
pub const BOB: AccountId = 2;
/// The third account of a test.
pub const CAROL: AccountId = 3;
/// The fourth account of a test.
pub const DAVE: AccountId = 4;
/// The treasury's account.
pub const TREASURY: AccountId = 1_000;
/// An account that does not exist.
pub const NOBODY: AccountId = 9_999;

/// The existential deposit.
pub const ED: Balance = 10;

parameter_types! {
    /// [`ED`], for a `Config`.
    pub const ExistentialDeposit: Balance = ED;
    /// [`TREASURY`], for a `Config`.
    pub const Treasury: AccountId = TREASURY;
}
