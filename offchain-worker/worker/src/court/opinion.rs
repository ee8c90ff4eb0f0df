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
        match checked {
            Some(checked) if checked.claim == *claim => match checked.valid {
                true => Self::Right,
                false => Self::Wrong,
            },
            // One output is right. What states come before it the check need not have seen.
            Some(checked) if checked.valid && checked.claim.output() != claim.output() => Self::Wrong,
            Some(_) | None => Self::None,
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
        // The check was of another claim: if that is wrong, this one may be right; if that is right, its output is.
        assert_eq!(opinion(&claim(2), &[], Some(&checked(false))), Opinion::None);
        assert_eq!(opinion(&claim(2), &[], Some(&checked(true))), Opinion::Wrong);
        assert_eq!(opinion(&Claim::Unusable, &[], Some(&checked(true))), Opinion::Wrong);
        let other_states = Claim::Output {
            output: BlobRef::to(&[1]),
            states_root: [9; 32].into(),
        };
        assert_eq!(opinion(&other_states, &[], Some(&checked(true))), Opinion::None);
        assert_eq!(opinion(&claim(1), &[claim(1)], Some(&checked(false))), Opinion::Right);
        assert_eq!(opinion(&claim(1), &[claim(2)], Some(&checked(true))), Opinion::Wrong);
    }
}
