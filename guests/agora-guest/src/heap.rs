//! The heap: all of the memory after the statics.

use core::{
    alloc::{GlobalAlloc, Layout},
    cell::UnsafeCell,
    ptr::{self, NonNull},
};
use linked_list_allocator::Heap;

/// A heap for the one hart.
struct OneHart(UnsafeCell<Heap>);

// SAFETY: there is one hart, and nothing interrupts it.
unsafe impl Sync for OneHart {}

#[global_allocator]
static HEAP: OneHart = OneHart(UnsafeCell::new(Heap::empty()));

unsafe extern "C" {
    static mut __heap_start: u8;
    static mut __heap_end: u8;
}

/// Gives the heap its memory.
///
/// # Safety
///
/// Once, before anything is allocated.
pub(crate) unsafe fn begin() {
    // SAFETY: the linker script leaves what is between the two to the heap.
    unsafe {
        let (start, end) = (&raw mut __heap_start, &raw mut __heap_end);
        (*HEAP.0.get()).init(start, end as usize - start as usize);
    }
}

// SAFETY: `Heap` allocates.
unsafe impl GlobalAlloc for OneHart {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: see `Sync`.
        let heap = unsafe { &mut *self.0.get() };
        heap.allocate_first_fit(layout).map_or(ptr::null_mut(), NonNull::as_ptr)
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        if let Some(place) = NonNull::new(place) {
            // SAFETY: whoever calls this got `place` from `alloc`.
            unsafe { (*self.0.get()).deallocate(place, layout) }
        }
    }
}
