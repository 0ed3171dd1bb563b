//! Counts the memory that a thread takes, so that a decoder that trusts a
//! length shows even where the system hands out memory it does not have.
#![allow(unsafe_code, reason = "an allocator is unsafe to implement")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    // Constant and without destructors: using them allocates nothing.
    static NOW: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
}

fn note(change: isize) {
    let now = NOW.get().wrapping_add(change);
    NOW.set(now);
    MOST.set(MOST.get().max(now));
}

fn size(bytes: usize) -> isize {
    isize::try_from(bytes).unwrap_or(isize::MAX)
}

// SAFETY: every request goes to the system's allocator as it came; counting
// touches no memory that is handed out.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(size(layout.size()));
        // SAFETY: the caller keeps the same contract with us.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(size(layout.size()));
        // SAFETY: the caller keeps the same contract with us.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        note(-size(layout.size()));
        // SAFETY: the caller keeps the same contract with us.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        note(size(bytes) - size(layout.size()));
        // SAFETY: the caller keeps the same contract with us.
        unsafe { System.realloc(memory, layout, bytes) }
    }
}

/// The result of `f` and the most bytes this thread held more than before.
pub fn most_during<R>(f: impl FnOnce() -> R) -> (R, usize) {
    let before = NOW.get();
    MOST.set(before);
    let result = f();
    (result, usize::try_from(MOST.get().wrapping_sub(before)).unwrap_or(0))
}

#[test]
fn memory_that_is_taken_and_given_back_is_counted() {
    let (length, most) = most_during(|| vec![1_u8; 1 << 20].len() + vec![2_u8; 1 << 20].len());
    assert_eq!(length, 2 << 20);
    assert!((1 << 20..3 << 20).contains(&most), "{most}");
    let (_, reserved) = most_during(|| Vec::<u8>::with_capacity(1 << 30));
    assert!(reserved >= 1 << 30);
}
