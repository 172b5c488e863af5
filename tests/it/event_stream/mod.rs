//! Tests of event streams, in both directions.

mod memory;

use std::time::Duration;

use countersign::event_stream::{EventStreamError, EventVerifier, HeaderValue, Message, MessageReader};
use countersign::{
    Credentials, Payload, Request, Rules, Scope, SignError, Signer, StreamingPayload, Timestamp, VerifyError,
    VerifyingKey,
};

use crate::support::fixtures::{TEMPORARY_SECRET, TOKEN, at, now, temporary, verifier, verify, verify_head};
use crate::support::random::Random;

fn signer() -> Signer {
    Signer::new(temporary(), "us-east-1", "transcribe").unwrap()
}

fn request<'a>(headers: &'a [(&'a str, &'a [u8])]) -> Request<'a> {
    Request::new("POST", "/stream-transcription", headers).with_host("transcribestreaming.us-east-1.amazonaws.com")
}

fn message(text: &str) -> Vec<u8> {
    Message::new(text).with_header(":event-type", "AudioEvent").encode().unwrap()
}

/// Returns the headers of a request and the messages of its body.
struct Stream {
    headers: Vec<(&'static str, String)>,
    frames: Vec<Vec<u8>>,
}

impl Stream {
    fn of(messages: &[Vec<u8>]) -> Self {
        let (signed, mut events) = signer().sign_events(request(&[]), now()).unwrap();
        let mut frames: Vec<_> = messages.iter().map(|message| events.sign(message, now()).unwrap()).collect();
        frames.push(events.finish(now()).unwrap());
        let headers = signed.headers().map(|(name, value)| (name, value.to_owned())).collect();
        Self { headers, frames }
    }

    fn events_of(&self, known: &Credentials, rules: Rules) -> EventVerifier {
        let headers: Vec<_> = self.headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        let verifier = verifier("transcribe").with_rules(rules);
        verify_head(&verifier, request(&headers), known, now()).unwrap().events().unwrap()
    }

    fn events(&self) -> EventVerifier {
        self.events_of(&temporary(), Rules::for_service("transcribe"))
    }

    fn body(&self) -> Vec<u8> {
        self.frames.concat()
    }
}

/// Returns the released messages and the result.
fn receive(
    mut events: EventVerifier,
    pieces: &[&[u8]],
    now: Timestamp,
) -> (Vec<Vec<u8>>, Result<(), EventStreamError>) {
    let mut received = Vec::new();
    for piece in pieces {
        let mut piece = *piece;
        loop {
            match events.verify(&mut piece, now) {
                Ok(Some(message)) => received.push(message),
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(events.verify(&mut piece, now), Err(error.clone()), "an error stays");
                    assert_eq!(events.finish(), Err(error.clone()));
                    return (received, Err(error));
                }
            }
        }
    }
    (received, events.finish())
}

fn messages() -> Vec<Vec<u8>> {
    ["one", "two, which is longer than the first", "three"].map(message).to_vec()
}

#[test]
fn any_split_gives_the_same_result() {
    let (messages, mut random) = (messages(), Random(1));
    let stream = Stream::of(&messages);
    let body = stream.body();
    for size in 1..body.len() {
        let pieces: Vec<&[u8]> = body.chunks(size).collect();
        assert_eq!(receive(stream.events(), &pieces, now()), (messages.clone(), Ok(())), "{size}");
    }
    for round in 0..500 {
        let (mut pieces, mut rest) = (Vec::new(), body.as_slice());
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(random.below(rest.len() + 1));
            pieces.push(piece);
            rest = after;
        }
        assert_eq!(receive(stream.events(), &pieces, now()), (messages.clone(), Ok(())), "{round}");
    }
    assert_eq!(receive(Stream::of(&[]).events(), &[&Stream::of(&[]).body()], now()), (Vec::new(), Ok(())));
}

/// Corrects the checksums of a message, so that only the signature can refuse it.
fn mend(frame: &mut [u8]) {
    let prelude = crc32(&frame[..8]).to_be_bytes();
    frame[8..12].copy_from_slice(&prelude);
    let end = frame.len() - 4;
    let all = crc32(&frame[..end]).to_be_bytes();
    frame[end..].copy_from_slice(&all);
}

/// CRC-32 bit by bit, from its definition.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 })
    })
}

#[test]
fn every_single_byte_change_is_refused_before_a_wrong_byte_is_released() {
    let messages = messages();
    let stream = Stream::of(&messages);
    let (mut by_checksum, mut by_signature, mut mended_refused) = (0, 0, 0);
    for frame in 0..stream.frames.len() {
        for position in 0..stream.frames[frame].len() {
            for change in [|b: u8| b ^ 1, |b: u8| b ^ 0x20, |b: u8| b ^ 0x80, |b: u8| b.wrapping_add(3)] {
                let mut frames = stream.frames.clone();
                frames[frame][position] = change(frames[frame][position]);
                let (received, end) = receive(stream.events(), &[&frames.concat()], now());
                assert_eq!(received, messages[..frame], "frame {frame}, byte {position}");
                assert!(end.is_err());
                by_checksum += 1;

                mend(&mut frames[frame]);
                let outcome = receive(stream.events(), &[&frames.concat()], now());
                if frames[frame] == stream.frames[frame] {
                    assert_eq!(outcome, (messages.clone(), Ok(())));
                    continue;
                }
                assert_eq!(outcome.0, messages[..frame], "frame {frame}, byte {position}, checksums mended");
                mended_refused += 1;
                by_signature += u32::from(matches!(outcome.1, Err(EventStreamError::SignatureMismatch { .. })));
                assert!(outcome.1.is_err());
            }
        }
    }
    assert!(
        by_checksum > 1500 && mended_refused > 1400 && by_signature > 900,
        "{by_checksum} {mended_refused} {by_signature}"
    );
}

#[test]
fn dropped_swapped_repeated_and_truncated_messages_are_refused() {
    let messages = messages();
    let stream = Stream::of(&messages);
    let receive_frames = |frames: &[Vec<u8>]| receive(stream.events(), &[&frames.concat()], now());
    let mismatch = |number| Err(EventStreamError::SignatureMismatch { number });
    for index in 0..3 {
        let number = index as u64 + 1;
        let before = messages[..index].to_vec();
        let mut dropped = stream.frames.clone();
        dropped.remove(index);
        assert_eq!(receive_frames(&dropped), (before.clone(), mismatch(number)));
        let mut swapped = stream.frames.clone();
        swapped.swap(index, index + 1);
        assert_eq!(receive_frames(&swapped), (before, mismatch(number)));
        let mut repeated = stream.frames.clone();
        repeated.insert(index, repeated[index].clone());
        assert_eq!(receive_frames(&repeated), (messages[..=index].to_vec(), mismatch(number + 1)));
    }
    let body = stream.body();
    for length in 0..body.len() {
        let (received, end) = receive(stream.events(), &[&body[..length]], now());
        assert!(messages.starts_with(&received));
        assert_eq!(end, Err(EventStreamError::Truncated), "{length}");
    }
    let mut longer = body.clone();
    longer.push(0);
    let (whole, last) = longer.split_at(body.len());
    assert_eq!(receive(stream.events(), &[&longer], now()), (messages.clone(), Err(EventStreamError::BytesAfterEnd)));
    assert_eq!(
        receive(stream.events(), &[whole, last], now()),
        (messages.clone(), Err(EventStreamError::BytesAfterEnd))
    );
    // The messages of another stream with the same key.
    let mut other = signer().sign_events(request(&[("x-amz-other", b"1")]), now()).unwrap().1;
    let frame = other.sign(&messages[0], now()).unwrap();
    assert_eq!(receive_frames(&[frame]), (Vec::new(), mismatch(1)));
}

#[test]
fn each_message_has_its_own_time() {
    let (signed, mut events) = signer().sign_events(request(&[]), now()).unwrap();
    let headers = signed.headers().map(|(name, value)| (name, value.to_owned())).collect();
    let frames = vec![events.sign(&message("a"), now().saturating_add(600)).unwrap()];
    let stream = Stream { headers, frames };
    let body = stream.body();
    for (verified_at, good) in [
        ("20150830T123100Z", true),
        ("20150830T123059Z", false),
        ("20150830T130100Z", true),
        ("20150830T130101Z", false),
    ] {
        let (received, end) = receive(stream.events(), &[&body], at(verified_at));
        assert_eq!(received.len(), usize::from(good), "{verified_at}");
        if !good {
            let skewed = EventStreamError::Skewed {
                signed: now().saturating_add(600),
                now: at(verified_at),
                allowed: Duration::from_secs(900),
            };
            assert_eq!(end, Err(skewed));
        }
    }
}

#[test]
fn another_day_needs_another_key() {
    let (evening, midnight) = (at("20150830T235959Z"), at("20150831T000000Z"));
    let (signed, mut events) = signer().sign_events(request(&[]), evening).unwrap();
    let messages = messages();
    let mut body = events.sign(&messages[0], evening).unwrap();
    body.extend(events.sign(&messages[1], midnight).unwrap());
    body.extend(events.sign(&messages[2], evening).unwrap());
    body.extend(events.finish(midnight).unwrap());
    let headers: Vec<_> = signed.headers().map(|(name, value)| (name, value.as_bytes())).collect();
    let verifier = verifier("transcribe");
    let head = verify_head(&verifier, request(&headers), &temporary(), evening).unwrap();
    for size in [1, 100, body.len()] {
        let (mut events, mut received, mut asked) = (head.events().unwrap(), Vec::new(), Vec::new());
        for mut piece in body.chunks(size) {
            loop {
                match events.verify(&mut piece, midnight) {
                    Ok(Some(message)) => received.push(message),
                    Ok(None) => break,
                    Err(EventStreamError::KeyNeeded { signed }) => {
                        asked.push(signed);
                        if size == 1 {
                            let scope = Scope::new(signed.date(), "us-east-1", "transcribe").unwrap();
                            let key = VerifyingKey::derive(&temporary(), &scope);
                            events.continue_with_key(Some(&key), midnight).unwrap();
                        } else {
                            events.continue_with(Some(&temporary()), midnight).unwrap();
                        }
                    }
                    Err(error) => panic!("{error}"),
                }
            }
        }
        assert_eq!((received, events.finish()), (messages.clone(), Ok(())));
        assert_eq!(asked, [midnight, evening, midnight]);
    }
    // The key of the previous day is refused.
    let needed = || {
        let mut events = head.events().unwrap();
        let mut input = body.as_slice();
        assert!(events.verify(&mut input, midnight).unwrap().is_some());
        assert_eq!(events.verify(&mut input, midnight), Err(EventStreamError::KeyNeeded { signed: midnight }));
        (events, input)
    };
    let (mut events, mut input) = needed();
    let key = VerifyingKey::derive(&temporary(), &Scope::new("20150830", "us-east-1", "transcribe").unwrap());
    events.continue_with_key(Some(&key), midnight).unwrap();
    assert_eq!(events.verify(&mut input, midnight), Err(EventStreamError::SignatureMismatch { number: 2 }));
    // So is the key of another access key id, of another session, or no key at all.
    let other_id = Credentials::new("ASIAOTHER", "secret").unwrap().with_session_token(TOKEN).unwrap();
    let other_token = temporary().with_session_token("other").unwrap();
    for found in [None, Some(&other_id), Some(&other_token), Some(&temporary().with_expires_at(midnight))] {
        let (mut events, mut input) = needed();
        let refused = events.continue_with(found, midnight).unwrap_err();
        assert!(matches!(refused, EventStreamError::Key(_)), "{refused}");
        assert_eq!(events.verify(&mut input, midnight), Err(refused.clone()), "an error stays");
        let (mut events, _) = needed();
        let key =
            found.map(|found| VerifyingKey::derive(found, &Scope::new("20150831", "us-east-1", "transcribe").unwrap()));
        assert_eq!(events.continue_with_key(key.as_ref(), midnight), Err(refused));
    }
    // If no key is needed, nothing changes.
    let mut events = head.events().unwrap();
    events.continue_with(None, midnight).unwrap();
    assert!(events.verify(&mut body.as_slice(), midnight).unwrap().is_some());
}

#[test]
fn a_session_can_expire_within_a_stream() {
    let stream = Stream::of(&messages());
    let expires_at = now().saturating_add(1);
    let ending = temporary().with_expires_at(expires_at);
    let events = || stream.events_of(&ending, Rules::for_service("transcribe"));
    assert_eq!(receive(events(), &[&stream.body()], now()).1, Ok(()));
    let ended = Err(EventStreamError::ExpiredSessionToken { expires_at });
    assert_eq!(receive(events(), &[&stream.body()], expires_at), (Vec::new(), ended));
    let signer = Signer::new(ending, "us-east-1", "transcribe").unwrap();
    let (_, mut events) = signer.sign_events(request(&[]), now()).unwrap();
    assert!(matches!(events.sign(b"a", expires_at), Err(EventStreamError::Sign(SignError::CredentialsExpired { .. }))));
    assert!(events.sign(b"a", now()).is_ok());
}

/// Headers beside the two would be anybody's.
#[test]
fn a_key_of_another_day_does_not_extend_a_session() {
    let before = at("20150830T235900Z");
    let after = before.saturating_add(120);
    let (signed, mut signing) = signer().sign_events(request(&[]), before).unwrap();
    let frame = signing.sign(&message("a"), after).unwrap();
    let headers: Vec<_> = signed.headers().map(|(name, value)| (name, value.as_bytes())).collect();
    let verifier = verifier("transcribe");
    let head = verify_head(&verifier, request(&headers), &temporary().with_expires_at(after), before).unwrap();
    for now in [after.saturating_add(-1), after] {
        let (mut events, mut input) = (head.events().unwrap(), frame.as_slice());
        assert_eq!(events.verify(&mut input, now), Err(EventStreamError::KeyNeeded { signed: after }));
        events.continue_with(Some(&temporary()), now).unwrap();
        let expected = if now < after {
            Ok(Some(message("a")))
        } else {
            Err(EventStreamError::ExpiredSessionToken { expires_at: after })
        };
        assert_eq!(events.verify(&mut input, now), expected);
    }
}

#[test]
fn headers_that_the_signature_does_not_cover_are_refused() {
    let stream = Stream::of(&messages());
    let frame = Message::decode(&stream.frames[0]).unwrap();
    let headers: Vec<_> = frame.headers().map(|(name, value)| (name.to_owned(), value.clone())).collect();
    let [(chunk_signature, signature), (date, time)] = headers.as_slice() else { panic!("{headers:?}") };
    let message = |headers: &[(&str, &HeaderValue)]| {
        headers
            .iter()
            .fold(Message::new(frame.payload()), |message, (name, value)| message.with_header(*name, (*value).clone()))
    };
    let refused = |message: Message| receive(stream.events(), &[&message.encode().unwrap()], now()).1.unwrap_err();
    let both = [(date.as_str(), time), (chunk_signature.as_str(), signature)];
    // In any order.
    let first = message(&both).encode().unwrap();
    assert_eq!(receive(stream.events(), &[&first], now()).0.len(), 1);
    let text = HeaderValue::String("text".into());
    for (headers, error) in [
        (vec![both[0]], EventStreamError::MissingHeader { name: ":chunk-signature" }),
        (vec![both[1]], EventStreamError::MissingHeader { name: ":date" }),
        (vec![both[0], (":chunk-signature", &text)], EventStreamError::MissingHeader { name: ":chunk-signature" }),
        (vec![both[1], (":date", &HeaderValue::Int64(0))], EventStreamError::MissingHeader { name: ":date" }),
        (
            vec![both[1], (":date", &HeaderValue::Timestamp(i64::MIN))],
            EventStreamError::MissingHeader { name: ":date" },
        ),
        (
            vec![both[0], both[1], (":event-type", &text)],
            EventStreamError::UnsignedHeader { name: ":event-type".into() },
        ),
        (
            vec![both[0], (":chunk-signature", &HeaderValue::Bytes(vec![0; 31]))],
            EventStreamError::MissingHeader { name: ":chunk-signature" },
        ),
    ] {
        assert_eq!(refused(message(&headers)), error);
    }
}

#[test]
fn only_a_request_that_announces_events_returns_a_verifier() {
    let verified_events = |service: &str, payload: Payload<'_>| {
        let signer = Signer::new(temporary(), "us-east-1", service).unwrap();
        let signed = signer.sign(request(&[]), payload, now()).unwrap();
        let headers: Vec<_> = signed.headers().map(|(name, value)| (name, value.as_bytes())).collect();
        let verifier = verifier(service);
        if payload == Payload::EMPTY {
            let verified = verify(&verifier, request(&headers), b"", &temporary(), now())?;
            return Ok(verified.events().map(|_| ()));
        }
        let head = verify_head(&verifier, request(&headers), &temporary(), now())?;
        Ok::<_, VerifyError>(head.events().map(|_| ()))
    };
    let events = Payload::Streaming(StreamingPayload::Events);
    for service in ["transcribe", "lex", "bedrock"] {
        assert_eq!(verified_events(service, events), Ok(Ok(())));
    }
    assert_eq!(verified_events("transcribe", Payload::EMPTY), Ok(Err(EventStreamError::NotEvents)));
    let chunks = Payload::Streaming(StreamingPayload::Signed);
    assert_eq!(verified_events("transcribe", chunks), Ok(Err(EventStreamError::NotEvents)));
    assert!(matches!(verified_events("dynamodb", events), Err(VerifyError::InvalidContentSha256 { .. })));
}

#[test]
fn messages_have_limits() {
    let too_long = Message::new(vec![0; 16_777_217]).encode();
    let limit = EventStreamError::PayloadTooLong { length: 16_777_217, limit: 16_777_216 };
    assert_eq!(too_long, Err(limit.clone()));
    let mut events = signer().sign_events(request(&[]), now()).unwrap().1;
    assert_eq!(events.sign(&vec![0; 16_777_217], now()).unwrap_err(), limit);
    assert_eq!(events.sign(b"", now()).unwrap_err(), EventStreamError::EmptyMessage);

    let header = |name: &str, value: HeaderValue| Message::new("").with_header(name, value).encode();
    assert!(header(&"n".repeat(255), HeaderValue::Bytes(vec![0; 32_767])).is_ok());
    for (name, value) in [
        ("n".repeat(256), HeaderValue::Bool(true)),
        (String::new(), HeaderValue::Bool(true)),
        ("n".into(), HeaderValue::Bytes(vec![0; 32_768])),
        ("n".into(), HeaderValue::String("é".repeat(16_384))),
    ] {
        assert!(matches!(header(&name, value), Err(EventStreamError::MalformedHeader { .. })));
    }
    let many =
        |count| (0..count).fold(Message::new(""), |m, n: u32| m.with_header(n.to_string(), HeaderValue::Bool(true)));
    assert!(Message::decode(&many(1024).encode().unwrap()).is_ok());
    assert_eq!(many(1025).encode(), Err(EventStreamError::TooManyHeaders { limit: 1024 }));
    let big =
        (0..5).fold(Message::new(""), |m, n: u32| m.with_header(n.to_string(), HeaderValue::Bytes(vec![0; 32_000])));
    assert!(matches!(big.encode(), Err(EventStreamError::HeadersTooLong { limit: 131_072, .. })));
    let twice = Message::new("").with_header("a", "").with_header("b", "").with_header("a", "");
    assert_eq!(twice.encode(), Err(EventStreamError::RepeatedHeader { name: "a".into() }));

    let stream = Stream::of(&[message("longer than eight bytes")]);
    let (received, end) = receive(stream.events().with_max_payload(8), &[&stream.body()], now());
    assert!(received.is_empty() && matches!(end, Err(EventStreamError::PayloadTooLong { limit: 8, .. })));
}

/// Returns a message with these headers and correct checksums.
fn raw(total: u32, headers_length: u32, rest: &[u8]) -> Vec<u8> {
    let mut frame = [&total.to_be_bytes()[..], &headers_length.to_be_bytes(), &[0; 4], rest, &[0; 4]].concat();
    mend(&mut frame);
    frame
}

#[test]
fn malformed_messages_are_refused() {
    let lengths = |total, headers| Err(EventStreamError::Lengths { total, headers });
    for (total, headers) in [(0, 0), (15, 0), (16, 1), (20, 5), (16, u32::MAX)] {
        assert_eq!(Message::decode(&raw(total, headers, &[])), lengths(total, headers));
    }
    assert_eq!(Message::decode(&raw(16, 0, &[])), Ok(Message::new("")));
    assert_eq!(Message::decode(&raw(17, 0, &[])), Err(EventStreamError::Truncated));
    assert_eq!(Message::decode(&raw(16, 0, &[0])), Err(EventStreamError::BytesAfterEnd));
    assert_eq!(Message::decode(&[0; 11]), Err(EventStreamError::Truncated));
    assert_eq!(Message::decode(&[0; 16]), Err(EventStreamError::PreludeChecksum));
    let headers = |bytes: &[u8]| {
        let length = bytes.len() as u32;
        Message::decode(&raw(16 + length, length, bytes))
    };
    let malformed = |name: &str| Err(EventStreamError::MalformedHeader { name: name.into() });
    for (bytes, name) in [
        (&b"\x00\x00"[..], ""),       // no name
        (b"\x02a", ""),               // truncated name
        (b"\x01\xff\x00", ""),        // not UTF-8
        (b"\x01a", "a"),              // no type
        (b"\x01a\x0a", "a"),          // unknown type
        (b"\x01a\x03\x00", "a"),      // truncated value
        (b"\x01a\x07\x00", "a"),      // truncated length
        (b"\x01a\x07\x00\x02x", "a"), // truncated string
        (b"\x01a\x07\x00\x01\xff", "a"),
        (b"\x01a\x08\x00\x00\x00\x00\x00\x00\x00", "a"),
        (b"\x01a\x09\x00", "a"),
    ] {
        assert_eq!(headers(bytes), malformed(name), "{bytes:?}");
    }
    assert_eq!(headers(b"\x01a\x00\x01a\x01"), Err(EventStreamError::RepeatedHeader { name: "a".into() }));
    let long = [&b"\x01a\x06\x80\x00"[..], &[0; 32_768]].concat();
    assert_eq!(headers(&long), malformed("a"));
}

#[test]
fn unsigned_messages_are_read_in_any_split() {
    let stream: Vec<u8> = messages().concat();
    for size in 1..stream.len() {
        let (mut reader, mut read) = (MessageReader::new(), Vec::new());
        for mut piece in stream.chunks(size) {
            while let Some(message) = reader.read(&mut piece).unwrap() {
                read.push(message.encode().unwrap());
            }
        }
        assert_eq!(read, messages());
        assert!(!reader.is_within_message());
    }
    let mut reader = MessageReader::new();
    assert_eq!(reader.read(&mut &stream[..20]), Ok(None));
    assert!(reader.is_within_message());
}

#[test]
fn debug_output_and_errors_contain_no_secret() {
    let stream = Stream::of(&messages());
    let frame = Message::decode(&stream.frames[0]).unwrap();
    let signature = match frame.header(":chunk-signature") {
        Some(HeaderValue::Bytes(bytes)) => bytes.clone(),
        other => panic!("{other:?}"),
    };
    let (_, signing) = signer().sign_events(request(&[]), now()).unwrap();
    let mut texts = vec![format!("{frame:?} {signing:?} {:?} {:?}", stream.events(), MessageReader::new())];
    let body = stream.body();
    for position in 0..stream.frames[0].len() {
        let mut changed = body.clone();
        changed[position] ^= 1;
        mend(&mut changed[..stream.frames[0].len()]);
        if let Err(error) = receive(stream.events(), &[&changed], now()).1 {
            texts.push(format!("{error} {error:?}"));
        }
    }
    assert!(texts.len() > 100);
    let list: Vec<String> = signature.iter().take(6).map(u8::to_string).collect();
    for text in texts {
        for secret in [TEMPORARY_SECRET, TOKEN, &hex::encode(&signature), &list.join(", ")] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}
