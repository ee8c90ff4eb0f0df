//! What must hold after every block.

use crate::{AppealWindows, Config, Pallet};
use agora_primitives::{
    judging::AttestationsError,
    money::{Escrow, Purpose, Scope},
};
use frame_support::ensure;
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
    /// Checks for every open appeal window that
    ///
    /// 1. nobody attested twice,
    /// 2. neither side has more than its half of the places,
    /// 3. of each attester exactly the bond is held, for this purpose and task.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        for (task, window) in AppealWindows::<T>::iter() {
            window.attestations.validate().map_err(|error| match error {
                AttestationsError::Twice => "judging: somebody attested twice",
                AttestationsError::TooMany => "judging: a side has more than its places",
            })?;
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
