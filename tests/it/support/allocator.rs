//! The allocator of the test program: it counts for each thread separately, so that tests that measure run beside others.

#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    static BYTES: Cell<usize> = const { Cell::new(0) };
    static HELD: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
    static SOUGHT: Cell<&'static [u8]> = const { Cell::new(&[]) };
    static FREED_WITH_IT: Cell<usize> = const { Cell::new(0) };
}

/// Counts a buffer that is given back with what is sought in it.
///
/// # Safety
/// The buffer has that many bytes.
unsafe fn look_into(buffer: *const u8, length: usize) {
    let sought = SOUGHT.get();
    if sought.is_empty() || length < sought.len() {
        return;
    }
    // Volatile, since some of it may never have been written.
    let byte = |at| unsafe { buffer.add(at).read_volatile() };
    let stands_at = |start| sought.iter().enumerate().all(|(at, wanted)| byte(start + at) == *wanted);
    if (0..=length - sought.len()).any(stands_at) {
        FREED_WITH_IT.set(FREED_WITH_IT.get() + 1);
    }
}

/// One allocation of that size in place of `freed` bytes.
fn allocated(bytes: usize, freed: usize) {
    ALLOCATIONS.set(ALLOCATIONS.get() + 1);
    BYTES.set(BYTES.get() + bytes);
    HELD.set(HELD.get() + bytes.cast_signed() - freed.cast_signed());
    MOST.set(MOST.get().max(HELD.get()));
}

// SAFETY: forwards every call to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        allocated(layout.size(), 0);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.set(HELD.get() - layout.size().cast_signed());
        unsafe { look_into(pointer, layout.size()) };
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        allocated(size, layout.size());
        unsafe { look_into(pointer, layout.size()) };
        unsafe { System.realloc(pointer, layout, size) }
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

/// The result of `run`, and how many buffers this thread gave back meanwhile while `sought` stood in them.
pub fn freed_with<T>(sought: &'static [u8], run: impl FnOnce() -> T) -> (T, usize) {
    FREED_WITH_IT.set(0);
    SOUGHT.set(sought);
    let result = run();
    SOUGHT.set(&[]);
    (result, FREED_WITH_IT.get())
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

#[test]
fn what_is_freed_is_looked_into() {
    let grows = || {
        let mut grown = Vec::from(b"before".as_slice());
        grown.reserve_exact(100);
        grown.fill(0);
    };
    assert_eq!(freed_with(b"before", grows).1, 1);
    assert_eq!(freed_with(b"before", || drop((String::from("- before -"), String::from("after")))).1, 1);
}
