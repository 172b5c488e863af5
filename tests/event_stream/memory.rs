//! Memory, counted: what a frame announces costs nothing until it arrives.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use countersign::event_stream::{EventStreamError, MessageReader};

use crate::{Stream, crc32, message, now};

struct Counting;

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
}

fn count(bytes: isize) {
    LIVE.with(|live| {
        live.set(live.get() + bytes);
        MOST.with(|most| most.set(most.get().max(live.get())));
    });
}

// SAFETY: hands every call on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as isize - layout.size() as isize);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most bytes that lived at once during `run`, beyond those before.
fn most(run: impl FnOnce()) -> isize {
    let before = LIVE.get();
    MOST.set(before);
    run();
    MOST.get() - before
}

/// The start of a frame that announces so much, and a kibibyte of it.
fn announced(total: u32, headers: u32) -> Vec<u8> {
    let mut start = [total.to_be_bytes(), headers.to_be_bytes()].concat();
    start.extend(crc32(&start).to_be_bytes());
    start.resize(1024, 0);
    start
}

#[test]
fn a_gibibyte_announced_and_a_kibibyte_sent() {
    let stream = Stream::of(&[]);
    let over = announced(1 << 30, 67);
    let mut events = stream.events();
    let used = most(|| {
        let error = events.verify(&mut over.as_slice(), now()).unwrap_err();
        assert!(matches!(error, EventStreamError::PayloadTooLong { limit: 16_777_216, .. }));
    });
    assert!(used < 4096, "{used} bytes");
    // The most that is taken, announced likewise.
    for (total, headers) in [(16 + 131_072 + 16_777_216, 131_072), (16 + 16_777_216, 0)] {
        let start = announced(total, headers);
        let (mut events, mut reader) = (stream.events(), MessageReader::new());
        let used = most(|| {
            for mut piece in start.chunks(7) {
                assert_eq!(events.verify(&mut piece, now()), Ok(None));
            }
            assert_eq!(reader.read(&mut start.as_slice()), Ok(None));
        });
        assert!(used < 4096, "{used} bytes");
    }
}

#[test]
fn memory_is_one_message() {
    let stream = Stream::of(&(0..200).map(|_| message(&"a".repeat(10_000))).collect::<Vec<_>>());
    let body = stream.body();
    let mut events = stream.events();
    let used = most(|| {
        let mut input = body.as_slice();
        while events.verify(&mut input, now()).unwrap().is_some() {}
    });
    assert!(events.is_closed());
    assert!(used < 40_000, "{used} bytes for {}", body.len());
}
