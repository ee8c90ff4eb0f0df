//! What must hold after every block.

use crate::{AppealWindows, Config, Pallet};
use agora_primitives::{
    judging::Tally,
    money::{Escrow, Purpose, Scope},
};
use frame_support::ensure;
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
    /// Checks for every open appeal window that
    ///
    /// 1. nobody attests twice,
    /// 2. nothing is revealed before chunks are drawn, nor are those drawn before committing is over,
    /// 3. of each attester exactly the bond is held, for this purpose and task.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        for (task, window) in AppealWindows::<T>::iter() {
            ensure!(
                window.attestations.validate().is_ok(),
                "judging: somebody attests twice"
            );
            let has_revealed = window.attestations.tally() != Tally::default();
            ensure!(
                window.draw.is_some() || !has_revealed,
                "judging: something is revealed before chunks are drawn"
            );
            ensure!(
                window
                    .draw
                    .is_none_or(|draw| draw.at > window.commit_until(draw.full_before)),
                "judging: chunks are drawn while verifiers can commit"
            );
            for (who, _) in window.attestations.iter() {
                let held = T::Escrow::held(Purpose::AppealBond, Scope::Task(task), who);
                ensure!(
                    held == window.terms.bond,
                    "judging: what is held of an attester is not the bond"
                );
            }
        }
        Ok(())
    }
}
