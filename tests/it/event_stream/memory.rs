//! Measures memory: announced data takes no memory until it arrives.

use countersign::event_stream::{EventStreamError, MessageReader};

use super::{Stream, crc32, message};
use crate::support::allocator::most_held;
use crate::support::fixtures::now;

/// Returns the start of a message that announces the given length, and a kibibyte of it.
fn announced(total: u32, headers: u32) -> Vec<u8> {
    let mut start = [total.to_be_bytes(), headers.to_be_bytes()].concat();
    start.extend(crc32(&start).to_be_bytes());
    start.resize(1024, 0);
    start
}

#[test]
fn an_announced_gibibyte_takes_no_memory() {
    let stream = Stream::of(&[]);
    let over = announced(1 << 30, 67);
    let mut events = stream.events();
    let ((), used) = most_held(|| {
        let error = events.verify(&mut over.as_slice(), now()).unwrap_err();
        assert!(matches!(error, EventStreamError::PayloadTooLong { limit: 16_777_216, .. }));
    });
    assert!(used < 4096, "{used} bytes");
    // The same with the maximum length.
    for (total, headers) in [(16 + 131_072 + 16_777_216, 131_072), (16 + 16_777_216, 0)] {
        let start = announced(total, headers);
        let (mut events, mut reader) = (stream.events(), MessageReader::new());
        let ((), used) = most_held(|| {
            for mut piece in start.chunks(7) {
                assert_eq!(events.verify(&mut piece, now()), Ok(None));
            }
            assert_eq!(reader.read(&mut start.as_slice()), Ok(None));
        });
        assert!(used < 4096, "{used} bytes");
    }
}

#[test]
fn memory_is_bounded_by_one_message() {
    let stream = Stream::of(&(0..200).map(|_| message(&"a".repeat(10_000))).collect::<Vec<_>>());
    let body = stream.body();
    let mut events = stream.events();
    let ((), used) = most_held(|| {
        let mut input = body.as_slice();
        while events.verify(&mut input, now()).unwrap().is_some() {}
    });
    assert!(events.is_closed());
    assert!(used < 40_000, "{used} bytes for {}", body.len());
}
