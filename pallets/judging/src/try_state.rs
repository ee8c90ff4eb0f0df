//! What must hold after every block.

use crate::{ChallengeOf, Challenges, Config, Pallet};
use agora_primitives::money::{Escrow, Purpose, Scope};
use alloc::collections::BTreeSet;
use frame_support::ensure;
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
    /// Checks for every open challenge that
    ///
    /// 1. nobody attested twice,
    /// 2. neither side has more than its half of the places,
    /// 3. of each attester exactly the bond is held, for this purpose and task.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        for (task, challenge) in Challenges::<T>::iter() {
            let places = ChallengeOf::<T>::places_per_side();
            let tally = challenge.tally();
            ensure!(
                tally.in_favour <= places && tally.against <= places,
                "judging: a side has more than its places"
            );
            let attesters: BTreeSet<_> = challenge.attestations.iter().map(|(who, _)| who.clone()).collect();
            ensure!(
                attesters.len() == challenge.attestations.len(),
                "judging: somebody attested twice"
            );
            for who in attesters {
                let held = T::Escrow::held(Purpose::ChallengeBond, Scope::Task(task), &who);
                ensure!(
                    held == challenge.terms.bond,
                    "judging: what is held of an attester is not the bond"
                );
            }
        }
        Ok(())
    }
}
