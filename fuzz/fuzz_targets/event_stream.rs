#![no_main]

use std::sync::LazyLock;

use countersign::event_stream::{EventSigner, EventStreamError, EventVerifier, Message, MessageReader};
use countersign::{Request, Signer, Timestamp, Verifier};
use countersign_fuzz::credentials;
use libfuzzer_sys::fuzz_target;

/// A stream that is signed, both sides.
static STREAM: LazyLock<(EventSigner, EventVerifier, Timestamp)> = LazyLock::new(|| {
    let now = "20150830T123600Z".parse().unwrap();
    let signer = Signer::new(credentials(), "us-east-1", "transcribe").unwrap();
    let request = |headers| Request::new("POST", "/stream", headers).with_host("example.com");
    let (signed, events) = signer.sign_events(&request(&[]), now).unwrap();
    let headers: Vec<_> = signed.headers().map(|(name, value)| (name, value.as_bytes())).collect();
    let verifier = Verifier::new("us-east-1", "transcribe").unwrap();
    let head = verifier.parse(request(&headers), now).unwrap().verify_head(Some(&credentials())).unwrap();
    (events, head.events().unwrap(), now)
});

/// All messages of a stream that arrives in pieces of `split` bytes, and whether it ended well.
fn read(stream: &[u8], split: usize) -> (Vec<Message>, bool) {
    let (mut reader, mut messages) = (MessageReader::new(), Vec::new());
    for mut piece in stream.chunks(split.max(1)) {
        loop {
            match reader.read(&mut piece) {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(_) => return (messages, false),
            }
        }
    }
    let whole = !reader.is_within_message();
    (messages, whole)
}

/// What comes out of a stream that arrives in pieces of `split` bytes, and how it ends.
fn verify(stream: &[u8], split: usize) -> (Vec<Vec<u8>>, Result<(), EventStreamError>) {
    let (_, events, now) = &*STREAM;
    let (mut events, mut messages) = (events.clone(), Vec::new());
    for mut piece in stream.chunks(split.max(1)) {
        loop {
            match events.verify(&mut piece, *now) {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(error) => return (messages, Err(error)),
            }
        }
    }
    (messages, events.finish())
}

/// CRC-32, bit by bit.
fn checksum(bytes: &[u8]) -> [u8; 4] {
    let sum = bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 })
    });
    (!sum).to_be_bytes()
}

// A frame after two bytes: how it is split, and whether its lengths and checksums are made right first. A second byte
// above 0xf0, and what follows is the message of a good stream, one byte of which is changed.
fuzz_target!(|input: &[u8]| {
    let [split, kind, bytes @ ..] = input else { return };
    let split = usize::from(*split);
    if *kind > 0xf0 {
        let [high, low, by, message @ ..] = bytes else { return };
        if message.is_empty() {
            return;
        }
        let (events, _, now) = &*STREAM;
        let mut events = events.clone();
        let mut stream = events.sign(message, *now).unwrap();
        let first = stream.len();
        stream.extend(events.finish(*now).unwrap());
        assert_eq!(verify(&stream, split), (vec![message.to_vec()], Ok(())));
        let position = usize::from(u16::from_be_bytes([*high, *low])) % stream.len();
        stream[position] ^= by;
        let (messages, end) = verify(&stream, split);
        if *by == 0 {
            assert_eq!((messages.len(), end), (1, Ok(())));
        } else {
            assert_eq!(messages.len(), usize::from(position >= first));
            assert!(end.is_err());
        }
        return;
    }
    let mut frame = bytes.to_vec();
    if kind & 1 == 1 && frame.len() >= 16 {
        let total = u32::try_from(frame.len()).unwrap();
        frame[..4].copy_from_slice(&total.to_be_bytes());
        let prelude = checksum(&frame[..8]);
        frame[8..12].copy_from_slice(&prelude);
        let end = frame.len() - 4;
        let all = checksum(&frame[..end]);
        frame[end..].copy_from_slice(&all);
    }
    if let Ok(message) = Message::decode(&frame) {
        assert_eq!(message.encode().unwrap(), frame);
    }
    assert_eq!(read(&frame, split), read(&frame, frame.len()));
    let (messages, end) = verify(&frame, split);
    assert!(messages.is_empty() && end.is_err());
    assert_eq!(verify(&frame, frame.len()), (messages, end));
});
