//! The tables of a journal, by name: for those who know its records, and for those who look at it from outside.

use redb::TableDefinition;

/// A table of records, by the task that they are about.
pub(crate) type Records<'a> = TableDefinition<'a, u64, &'static [u8]>;

/// A worker's tasks.
pub(crate) const TASKS: Records<'_> = TableDefinition::new("tasks");
/// A verifier's attestations.
pub(crate) const ATTESTATIONS: Records<'_> = TableDefinition::new("attestations");
/// Accusations in court.
pub(crate) const ACCUSATIONS: Records<'_> = TableDefinition::new("accusations");
/// Records that could not be read, as they were.
pub(crate) const DAMAGED: Records<'_> = TableDefinition::new("damaged");
/// All tables of records.
pub(crate) const RECORDS: [Records<'_>; 4] = [TASKS, ATTESTATIONS, ACCUSATIONS, DAMAGED];

/// A table of what is known by name.
pub(crate) type Named = TableDefinition<'static, &'static str, &'static [u8]>;

/// What was signed and is not final, or was final lately.
pub(crate) const TRANSACTIONS: Named = TableDefinition::new("transactions");
/// Those of them that could not be read, as they were.
pub(crate) const DAMAGED_TRANSACTIONS: Named = TableDefinition::new("damaged transactions");
/// Which chain and account the journal belongs to, and how far the chain was seen: under the names below.
pub(crate) const OWNER: Named = TableDefinition::new("owner");

/// The hash of the first block, and the account's bytes.
pub(crate) const OWNED_BY: &str = "owner";
/// The newest block that was seen to be final.
pub(crate) const FINALISED: &str = "finalised";
/// How far the chain was seen.
pub(crate) const SEEN: &str = "seen";
/// The finalised block whose events were taken note of last.
pub(crate) const SETTLED: &str = "settled";
/// What was lost lately.
pub(crate) const LOSSES: &str = "losses";
/// What decoys are made from.
pub(crate) const DECOY_SECRET: &str = "decoy secret";
/// What the salts of attestations, and of votes on hardware responses, are made from.
pub(crate) const VOTE_SECRET: &str = "vote secret";
