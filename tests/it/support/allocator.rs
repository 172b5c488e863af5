//! The allocator of the test program: it counts for each thread separately, so that tests that measure run beside others,
//! and looks for secrets in what is freed.

#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    static BYTES: Cell<usize> = const { Cell::new(0) };
    static HELD: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
    static NEEDLES: Cell<&'static [Vec<u8>]> = const { Cell::new(&[]) };
    static FOUND: Cell<usize> = const { Cell::new(0) };
}

/// One allocation of that size in place of `freed` bytes.
fn allocated(bytes: usize, freed: usize) {
    ALLOCATIONS.set(ALLOCATIONS.get() + 1);
    BYTES.set(BYTES.get() + bytes);
    HELD.set(HELD.get() + bytes.cast_signed() - freed.cast_signed());
    MOST.set(MOST.get().max(HELD.get()));
}

/// Counts the blocks about to be freed that hold one of the needles.
fn look_at(pointer: *const u8, size: usize) {
    let needles = NEEDLES.get();
    if !needles.is_empty() {
        // SAFETY: the block is still allocated, and while there are needles, blocks are zeroed when allocated.
        let block = unsafe { std::slice::from_raw_parts(pointer, size) };
        let held = needles.iter().any(|needle| block.windows(needle.len()).any(|window| window == needle));
        FOUND.set(FOUND.get() + usize::from(held));
    }
}

// SAFETY: forwards every call to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        allocated(layout.size(), 0);
        // What a block held in another life would be found again where it wasn't overwritten.
        if NEEDLES.get().is_empty() { unsafe { System.alloc(layout) } } else { unsafe { System.alloc_zeroed(layout) } }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.set(HELD.get() - layout.size().cast_signed());
        look_at(pointer, layout.size());
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        allocated(size, layout.size());
        look_at(pointer, layout.size());
        let new = unsafe { System.realloc(pointer, layout, size) };
        if !NEEDLES.get().is_empty() && !new.is_null() && size > layout.size() {
            unsafe { new.add(layout.size()).write_bytes(0, size - layout.size()) };
        }
        new
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The result of `run`, how often this thread allocated meanwhile, and how many bytes. A reallocation counts as an
/// allocation of its new size.
pub fn counted<T>(run: impl FnOnce() -> T) -> (T, usize, usize) {
    let before = (ALLOCATIONS.get(), BYTES.get());
    let result = run();
    (result, ALLOCATIONS.get() - before.0, BYTES.get() - before.1)
}

/// The result of `run`, and how many bytes more than before this thread held at once.
pub fn most_held<T>(run: impl FnOnce() -> T) -> (T, usize) {
    let before = HELD.get();
    MOST.set(before);
    let result = run();
    (result, usize::try_from(MOST.get() - before).unwrap_or_default())
}

/// The result of `run`, and how many blocks this thread freed or moved meanwhile that held one of the needles.
pub fn freed_with<T>(needles: &'static [Vec<u8>], run: impl FnOnce() -> T) -> (T, usize) {
    FOUND.set(0);
    NEEDLES.set(needles);
    let result = run();
    NEEDLES.set(&[]);
    (result, FOUND.get())
}

#[test]
fn what_is_freed_is_searched() {
    let needles: &'static [Vec<u8>] = vec![b"a needle of this test".to_vec()].leak();
    let hay = || [b"hay".as_slice(), &needles[0], b"hay"].concat();
    assert_eq!(freed_with(needles, || drop(hay())).1, 1);
    let (kept, found) = freed_with(needles, hay);
    assert_eq!(found, 0);
    assert_eq!(freed_with(needles, || drop(kept)).1, 1);
    let grows = || {
        let mut hay = hay();
        hay.reserve(10_000);
        hay.fill(0);
    };
    assert_eq!(freed_with(needles, grows).1, 1);
    assert_eq!(freed_with(needles, || hay().fill(0)).1, 0);
}

#[test]
fn allocations_are_counted_by_number_and_size() {
    let (_, allocations, bytes) = counted(|| drop((vec![0_u8; 1000], Box::new([0_u8; 24]))));
    assert_eq!((allocations, bytes), (2, 1024));
    let (_, allocations, bytes) = counted(|| {
        let mut grown: Vec<u8> = Vec::with_capacity(10);
        grown.reserve_exact(100);
    });
    assert_eq!((allocations, bytes), (2, 110));
    // Another thread's are its own.
    let other = || std::thread::spawn(|| drop(vec![0_u8; 1 << 20])).join();
    assert!(counted(other).2 < 1 << 20);
}

#[test]
fn what_is_held_is_counted() {
    let (_, most) = most_held(|| drop((vec![0_u8; 1000], vec![0_u8; 2000])));
    assert!((3000..4000).contains(&most), "{most}");
    let (_, most) = most_held(|| (0..100).for_each(|_| drop(vec![0_u8; 1000])));
    assert!((1000..2000).contains(&most), "{most}");
}
