//! Memory, counted: what a frame announces costs nothing until it arrives.

use countersign::event_stream::{EventStreamError, MessageReader};

use super::{Stream, crc32, message};
use crate::support::allocator::most_held;
use crate::support::fixtures::now;

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
    let ((), used) = most_held(|| {
        let error = events.verify(&mut over.as_slice(), now()).unwrap_err();
        assert!(matches!(error, EventStreamError::PayloadTooLong { limit: 16_777_216, .. }));
    });
    assert!(used < 4096, "{used} bytes");
    // The most that is taken, announced likewise.
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
fn memory_is_one_message() {
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
