//! Event streams: framing beside aws-smithy-eventstream, signatures beside aws-sigv4.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_credential_types::Credentials as TheirCredentials;
use aws_sigv4::event_stream::{SigningParams, sign_empty_message, sign_message};
use aws_sigv4::sign::v4;
use aws_smithy_eventstream::frame::{read_message_from, write_message_to};
use aws_smithy_types::DateTime;
use aws_smithy_types::event_stream::{Header, HeaderValue as TheirValue, Message as TheirMessage};
use countersign::event_stream::{HeaderValue, Message};
use countersign::{Credentials, Request, Signer, Timestamp};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 16
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn bytes(&mut self, most: u64) -> Vec<u8> {
        (0..self.below(most + 1)).map(|_| self.next() as u8).collect()
    }

    fn text(&mut self, most: u64) -> String {
        (0..self.below(most + 1)).map(|_| ['a', 'Z', '-', ':', 'é', '日'][self.below(6) as usize]).collect()
    }
}

/// The same message in both forms, with headers of every type.
fn message(random: &mut Random) -> (Message, TheirMessage) {
    let payload = random.bytes(300);
    let (mut ours, mut theirs) = (Message::new(payload.clone()), TheirMessage::new(payload));
    for index in 0..random.below(12) {
        let name = format!(":{index}{}", random.text(20));
        let (our_value, their_value) = match random.below(10) {
            0 => (HeaderValue::Bool(true), TheirValue::Bool(true)),
            1 => (HeaderValue::Bool(false), TheirValue::Bool(false)),
            2 => {
                let n = random.next() as i8;
                (HeaderValue::Byte(n), TheirValue::Byte(n))
            }
            3 => {
                let n = random.next() as i16;
                (HeaderValue::Int16(n), TheirValue::Int16(n))
            }
            4 => {
                let n = random.next() as i32;
                (HeaderValue::Int32(n), TheirValue::Int32(n))
            }
            5 => {
                let n = random.next() as i64;
                (HeaderValue::Int64(n), TheirValue::Int64(n))
            }
            6 => {
                let b = random.bytes(100);
                (HeaderValue::Bytes(b.clone()), TheirValue::ByteArray(b.into()))
            }
            7 => {
                let t = random.text(100);
                (HeaderValue::String(t.clone()), TheirValue::String(t.into()))
            }
            8 => {
                let millis = random.below(4_000_000_000_000) as i64 - 1_000_000_000_000;
                (HeaderValue::Timestamp(millis), TheirValue::Timestamp(DateTime::from_millis(millis)))
            }
            _ => {
                let n = u128::from(random.next()) << 64 | u128::from(random.next());
                (HeaderValue::Uuid(n.to_be_bytes()), TheirValue::Uuid(n))
            }
        };
        ours = ours.with_header(name.clone(), our_value);
        theirs = theirs.add_header(Header::new(name, their_value));
    }
    (ours, theirs)
}

fn framed(message: &TheirMessage) -> Vec<u8> {
    let mut frame = Vec::new();
    write_message_to(message, &mut frame).unwrap();
    frame
}

#[test]
fn frames_are_the_same_bytes() {
    let mut random = Random(1);
    for _ in 0..5_000 {
        let (ours, theirs) = message(&mut random);
        let frame = ours.encode().unwrap();
        assert_eq!(hex::encode(&frame), hex::encode(framed(&theirs)));
        assert_eq!(Message::decode(&frame).unwrap(), ours);
        assert_eq!(read_message_from(&frame[..]).unwrap(), theirs);
        // What was changed, both refuse.
        let mut changed = frame.clone();
        let position = random.below(frame.len() as u64) as usize;
        changed[position] ^= 1 << random.below(8);
        assert!(Message::decode(&changed).is_err());
        assert!(read_message_from(&changed[..]).is_err());
    }
}

fn time(at: Timestamp) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(at.unix_seconds() as u64)
}

/// One stream, over midnight.
#[test]
fn signed_frames_are_the_same_bytes() {
    let mut random = Random(2);
    for _ in 0..200 {
        let identity = TheirCredentials::new("AKIDEXAMPLE", SECRET, None, None, "test").into();
        let at = |now| -> SigningParams<'_> {
            v4::SigningParams::builder()
                .identity(&identity)
                .region("us-east-1")
                .name("transcribe")
                .time(time(now))
                .settings(())
                .build()
                .unwrap()
        };
        let mut now: Timestamp = "20150830T235500Z".parse().unwrap();
        let signer = Signer::new(Credentials::new("AKIDEXAMPLE", SECRET).unwrap(), "us-east-1", "transcribe").unwrap();
        let request = Request::new("POST", "/stream-transcription", &[]).with_host("example.com");
        let (signed, mut events) = signer.sign_events(&request, now).unwrap();
        let mut last = signed.signature().to_hex();
        for _ in 0..20 {
            now = now.saturating_add(random.below(60) as i64);
            let (ours, theirs) = message(&mut random);
            let frame = events.sign(&ours.encode().unwrap(), now).unwrap();
            let (their_frame, signature) = sign_message(&theirs, &last, &at(now)).unwrap().into_parts();
            assert_eq!(hex::encode(&frame), hex::encode(framed(&their_frame)));
            last = signature;
        }
        assert_eq!(now.date(), "20150831");
        let (their_frame, _) = sign_empty_message(&last, &at(now)).unwrap().into_parts();
        assert_eq!(hex::encode(events.finish(now).unwrap()), hex::encode(framed(&their_frame)));
    }
}

/// The figures that the crate's own tests hold.
#[test]
fn the_recorded_stream() {
    let identity = TheirCredentials::new("AKIDEXAMPLE", SECRET, None, None, "test").into();
    let at = |now: &str| -> SigningParams<'_> {
        v4::SigningParams::builder()
            .identity(&identity)
            .region("us-east-1")
            .name("transcribe")
            .time(time(now.parse().unwrap()))
            .settings(())
            .build()
            .unwrap()
    };
    let text = |value: &'static str| TheirValue::String(value.into());
    let message = TheirMessage::new(&b"audio"[..])
        .add_header(Header::new(":message-type", text("event")))
        .add_header(Header::new(":event-type", text("AudioEvent")))
        .add_header(Header::new(":content-type", text("application/octet-stream")));
    let seed = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
    let (first, one) = sign_message(&message, seed, &at("20150830T123600Z")).unwrap().into_parts();
    let (_, two) = sign_message(&message, &one, &at("20150831T000000Z")).unwrap().into_parts();
    let (last, three) = sign_empty_message(&two, &at("20150831T000001Z")).unwrap().into_parts();
    assert_eq!(hex::encode(framed(&first)), FIRST);
    assert_eq!(
        [&*one, &*two, &*three],
        [
            "5897aeea95f18fb94102a8393623fb4d7d64de4b93d2d44fccc71f1455038e6e",
            "8db0dbfd198355ca52ef02bad02c8ab6868715fa76a757b551fc8a647ee8121a",
            "4650fd695b3c997ea49ff839e8f5aea1d8034d6647f60507f93f54e4346942d1",
        ]
    );
    assert_eq!(hex::encode(framed(&last)), LAST);
}

const FIRST: &str = "000000c00000004363e22798103a6368756e6b2d7369676e61747572650600205897aeea95f18fb94102a8393623fb4d\
7d64de4b93d2d44fccc71f1455038e6e053a64617465080000014f7e9b6f800000006d000000586130b5530d3a6d6573736167652d747970650700056576\
656e740b3a6576656e742d7479706507000a417564696f4576656e740d3a636f6e74656e742d747970650700186170706c69636174696f6e2f6f63746574\
2d73747265616d617564696ff4c18287c7f2bb7f";
const LAST: &str = "0000005300000043f5447a58103a6368756e6b2d7369676e61747572650600204650fd695b3c997ea49ff839e8f5aea1\
d8034d6647f60507f93f54e4346942d1053a64617465080000014f810dabe80fadf12b";
