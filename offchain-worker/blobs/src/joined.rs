//! Small reads and writes that follow one another, joined to large ones: each group of a blob, and each hash pair of its
//! tree, would be a call of the system otherwise.

use bao_tree::io::sync::{ReadAt, Size, WriteAt};
use std::{
    cell::{RefCell, RefMut},
    fs::File,
    io,
};

/// Most bytes that are joined.
const MOST: usize = 1 << 18;
/// Bytes that are read where nothing tells that more will follow.
const LEAST_AHEAD: usize = 1 << 12;

/// Writes to a file, joined for as long as each begins where the last one ended. What is not flushed is not written.
pub struct JoinedWrites {
    file: File,
    begin: u64,
    pending: Vec<u8>,
}

impl JoinedWrites {
    /// Writes to `file`.
    pub const fn to(file: File) -> Self {
        Self {
            file,
            begin: 0,
            pending: Vec::new(),
        }
    }
}

impl WriteAt for JoinedWrites {
    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<usize> {
        let follows = self.begin.saturating_add(self.pending.len() as u64) == at;
        if !follows || self.pending.len().saturating_add(bytes.len()) > MOST {
            self.flush()?;
        }
        if self.pending.is_empty() {
            self.begin = at;
        }
        self.pending.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.pending.is_empty() {
            self.file.write_all_at(self.begin, &self.pending)?;
            self.pending.clear();
        }
        Ok(())
    }
}

/// Reads a file ahead: the further, the longer reads follow one another, so that a small answer from a large file stays cheap.
pub struct ReadAhead {
    file: File,
    ahead: RefCell<Ahead>,
}

#[derive(Default)]
struct Ahead {
    begin: u64,
    bytes: Vec<u8>,
}

impl ReadAhead {
    /// Reads `file`.
    pub fn of(file: File) -> Self {
        Self {
            file,
            ahead: RefCell::default(),
        }
    }

    /// What has been read from `at` on; read now, if it has not.
    fn from(&self, at: u64) -> io::Result<RefMut<'_, Ahead>> {
        let mut ahead = self.ahead.borrow_mut();
        let end = ahead.begin.saturating_add(ahead.bytes.len() as u64);
        if !(ahead.begin..end).contains(&at) {
            let further = if at == end { ahead.bytes.len() * 2 } else { 0 };
            ahead.bytes.resize(further.clamp(LEAST_AHEAD, MOST), 0);
            ahead.begin = at;
            let read = self.file.read_at(at, &mut ahead.bytes);
            // What was there is gone, whether or not something took its place.
            ahead.bytes.truncate(*read.as_ref().unwrap_or(&0));
            read?;
        }
        Ok(ahead)
    }
}

impl ReadAt for ReadAhead {
    fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let ahead = self.from(at)?;
        let from = usize::try_from(at.saturating_sub(ahead.begin)).unwrap_or(usize::MAX);
        let found = ahead.bytes.get(from..).unwrap_or_default();
        let read = found.len().min(buffer.len());
        if let (Some(to), Some(found)) = (buffer.get_mut(..read), found.get(..read)) {
            to.copy_from_slice(found);
        }
        Ok(read)
    }
}

impl Size for ReadAhead {
    fn size(&self) -> io::Result<Option<u64>> {
        self.file.metadata().map(|about| Some(about.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(agora_test_support::cases(32))]

        #[test]
        fn what_is_joined_is_what_was_written_and_what_is_read_ahead_is_what_is_there(
            writes in proptest::collection::vec((any::<bool>(), 0u64..600_000, 1usize..100_000, any::<u8>()), 1..30),
            reads in proptest::collection::vec((0u64..800_000, 0usize..50_000), 1..30),
        ) {
            let mut file = JoinedWrites::to(tempfile::tempfile().expect("a file"));
            let (mut expected, mut next) = (Vec::new(), 0);
            for (follows, at, len, byte) in writes {
                let at = if follows { next } else { at };
                file.write_all_at(at, &vec![byte; len]).expect("written");
                next = at + len as u64;
                expected.resize(expected.len().max(next as usize), 0);
                expected[at as usize..next as usize].fill(byte);
            }
            file.flush().expect("flushed");
            let ahead = ReadAhead::of(file.file);
            for (at, len) in reads {
                let mut found = vec![0; len];
                let there = expected.len().saturating_sub(at as usize).min(len);
                let read = ahead.read_exact_at(at, &mut found[..there]);
                prop_assert!(read.is_ok());
                prop_assert_eq!(&found[..there], &expected[(at as usize).min(expected.len())..][..there]);
                prop_assert_eq!(ahead.read_exact_at(at, &mut found).is_ok(), there == len);
            }
        }
    }
}
