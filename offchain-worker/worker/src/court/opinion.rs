//! What an account holds of a claim.

use crate::AttestRecord;
use agora_primitives::job::Claim;

/// What an account holds of the claim about a task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Opinion {
    /// It is right.
    Right,
    /// It is wrong.
    Wrong,
    /// It has not looked.
    None,
}

impl Opinion {
    /// What follows from what was computed and checked: `computed` are claims that the account has come to itself.
    pub fn of(claim: &Claim, computed: &[Claim], checked: Option<&AttestRecord>) -> Self {
        if let Some(own) = computed.first() {
            return if own == claim { Self::Right } else { Self::Wrong };
        }
        match checked.filter(|checked| checked.claim == *claim) {
            Some(checked) if checked.valid => Self::Right,
            Some(_) => Self::Wrong,
            None => Self::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agora_primitives::job::BlobRef;

    fn claim(byte: u8) -> Claim {
        Claim::Output {
            output: BlobRef::to(&[byte]),
            states_root: [byte; 32].into(),
        }
    }

    #[test]
    fn what_was_computed_counts_more_than_what_was_checked() {
        let checked = |valid| AttestRecord {
            claim: claim(1),
            valid,
            own: None,
            root: None,
        };
        let opinion = Opinion::of;
        assert_eq!(opinion(&claim(1), &[], None), Opinion::None);
        assert_eq!(opinion(&claim(1), &[], Some(&checked(true))), Opinion::Right);
        assert_eq!(opinion(&claim(1), &[], Some(&checked(false))), Opinion::Wrong);
        // The check was of another claim.
        assert_eq!(opinion(&claim(2), &[], Some(&checked(false))), Opinion::None);
        assert_eq!(opinion(&claim(1), &[claim(1)], Some(&checked(false))), Opinion::Right);
        assert_eq!(opinion(&claim(1), &[claim(2)], Some(&checked(true))), Opinion::Wrong);
    }
}
