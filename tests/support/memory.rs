//! How much a thread holds at most. Whoever includes it has the allocator.

#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Watching;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
}

fn hold(bytes: isize) {
    HELD.set(HELD.get() + bytes);
    MOST.set(MOST.get().max(HELD.get()));
}

fn size(layout: Layout) -> isize {
    isize::try_from(layout.size()).unwrap_or(isize::MAX)
}

// SAFETY: hands every call on to the system's allocator.
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        hold(size(layout));
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        hold(-size(layout));
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new: usize) -> *mut u8 {
        hold(isize::try_from(new).unwrap_or(isize::MAX) - size(layout));
        unsafe { System.realloc(pointer, layout, new) }
    }
}

#[global_allocator]
static ALLOCATOR: Watching = Watching;

/// The result of `run`, and how many bytes more than before it were held at once.
pub fn most_held<T>(run: impl FnOnce() -> T) -> (T, usize) {
    let before = HELD.get();
    MOST.set(before);
    let result = run();
    (result, usize::try_from(MOST.get() - before).unwrap_or_default())
}

#[test]
fn what_is_held_is_counted() {
    let (_, most) = most_held(|| drop((vec![0_u8; 1000], vec![0_u8; 2000])));
    assert!((3000..4000).contains(&most), "{most}");
    let (_, most) = most_held(|| (0..100).for_each(|_| drop(vec![0_u8; 1000])));
    assert!((1000..2000).contains(&most), "{most}");
}
