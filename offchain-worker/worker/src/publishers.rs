//! Whose tasks somebody works on and checks, and whose not.

use agora_chain::AccountId;
use std::collections::BTreeSet;

/// The publishers whom an operator wants, and those whom it does not.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Publishers {
    /// Only these; `None`: all but those that are denied.
    pub only: Option<BTreeSet<AccountId>>,
    /// Never these, also if they are among those.
    pub denied: BTreeSet<AccountId>,
}

impl Publishers {
    /// Whether tasks of `publisher` are wanted.
    pub fn allow(&self, publisher: &AccountId) -> bool {
        !self.denied.contains(publisher) && self.only.as_ref().is_none_or(|only| only.contains(publisher))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_denied_is_not_allowed_and_where_some_are_named_nobody_else_is() {
        let [one, other, third] = [1, 2, 3].map(|byte| AccountId([byte; 32]));
        let all = Publishers::default();
        assert!(all.allow(&one) && all.allow(&other));
        let some = Publishers {
            only: Some([one, other].into()),
            denied: [other].into(),
        };
        assert!(some.allow(&one) && !some.allow(&other) && !some.allow(&third));
        let nobody = Publishers {
            only: Some(BTreeSet::new()),
            ..all
        };
        assert!(!nobody.allow(&one));
    }
}
