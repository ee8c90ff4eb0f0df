//! Saying a thing once.
//!
//! What fails at one block often fails at each, for hours: a log with a line per block hides what is in it. A [`Told`]
//! remembers what was said about a matter, so that it is said again only when it changes, or is over.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// What was said about each matter.
#[derive(Default)]
pub(crate) struct Told(Mutex<HashMap<String, String>>);

impl Told {
    /// Whether `what` was not the last thing said about `matter`. From now on it is.
    pub fn is_new(&self, matter: impl ToString, what: impl ToString) -> bool {
        let (matter, what) = (matter.to_string(), what.to_string());
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        said.insert(matter, what.clone()).is_none_or(|before| before != what)
    }

    /// Whether anything was said about `matter` that is over now.
    pub fn is_over(&self, matter: impl ToString) -> bool {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        said.remove(&matter.to_string()).is_some()
    }

    /// About how many matters something was said that is not over.
    #[cfg(test)]
    pub fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_is_said_once_until_it_changes_or_is_over() {
        let told = Told::default();
        assert!(told.is_new("disk", "full"));
        assert!(!told.is_new("disk", "full"));
        assert!(told.is_new("node", "full"), "another matter");
        assert!(told.is_new("disk", "gone"));
        assert!(told.is_new("disk", "full"), "it has changed back");
        assert!(told.is_over("disk"));
        assert!(!told.is_over("disk"));
        assert!(told.is_new("disk", "full"));
    }
}
