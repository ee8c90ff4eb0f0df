//! Counts the operations of a thread.

use std::cell::Cell;

thread_local! {
    static TAKEN: Cell<u64> = const { Cell::new(0) };
}

/// Counts `operations` more.
pub fn took(operations: u64) {
    TAKEN.with(|taken| taken.set(taken.get() + operations));
}

/// What `task` makes, and the operations that it takes.
pub fn counted<T>(task: impl FnOnce() -> T) -> (T, u64) {
    let before = TAKEN.with(Cell::get);
    let made = task();
    (made, TAKEN.with(Cell::get) - before)
}
