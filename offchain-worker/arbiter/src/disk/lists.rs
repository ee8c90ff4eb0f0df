//! The lists of what the units of states kept, in memory: 32 bytes where the content has up to 1 MiB. Most moves need no more, so that nobody
//! who accuses many states at once has what their units kept computed again for each move.

use agora_jobs::H256;
use std::{collections::VecDeque, sync::Arc};

/// Most bytes of all lists, except for the last.
pub const LISTS_BYTES: u64 = 1 << 26;

/// The lists of some states: those used last.
#[derive(Default)]
pub struct Lists {
    /// The one used last is the last.
    all: VecDeque<(u64, Arc<[H256]>)>,
    bytes: u64,
}

impl Lists {
    /// The list of `state`. `None`: it is not here any more.
    pub fn find(&mut self, state: u64) -> Option<Arc<[H256]>> {
        let at = self.all.iter().position(|(other, _)| *other == state)?;
        let (_, list) = self.all.remove(at)?;
        self.all.push_back((state, Arc::clone(&list)));
        Some(list)
    }

    /// Keeps the list of `state`, and forgets others for it.
    pub fn keep(&mut self, state: u64, list: &[H256]) {
        if list.is_empty() || self.find(state).is_some() {
            return;
        }
        self.all.push_back((state, list.into()));
        self.bytes = self.bytes.saturating_add(bytes_of(list));
        while self.bytes > LISTS_BYTES && self.all.len() > 1 {
            let gone = self.all.pop_front().map_or(0, |(_, list)| bytes_of(&list));
            self.bytes = self.bytes.saturating_sub(gone);
        }
    }
}

const fn bytes_of(list: &[H256]) -> u64 {
    (size_of_val(list) as u64).saturating_add(64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_stay_as_there_is_memory_for_and_those_used_last() {
        let third = vec![H256::repeat_byte(1); LISTS_BYTES as usize / 32 / 3 - 10];
        let mut lists = Lists::default();
        for state in [1, 2, 3] {
            lists.keep(state, &third);
            assert_eq!(lists.find(1).as_deref(), Some(&third[..]));
        }
        lists.keep(4, &third);
        assert!(lists.find(2).is_none() && lists.find(1).is_some() && lists.find(3).is_some());
        lists.keep(4, &third);
        assert_eq!(lists.bytes, 3 * bytes_of(&third), "it is kept once");
        // One that is larger than all memory for them is kept alone.
        lists.keep(5, &vec![H256::zero(); LISTS_BYTES as usize / 32 + 1]);
        assert!(lists.find(5).is_some() && lists.all.len() == 1);
        lists.keep(6, &[]);
        assert!(lists.find(6).is_none(), "there is nothing to keep");
    }
}
