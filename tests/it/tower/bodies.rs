//! Bodies that are buffered, streamed, decoded, broken or endless.

use std::io;

use axum::body::Bytes;
use http::{HeaderMap, Request};
use http_body::Frame;

use super::{DATA, Frames, Handler, Kind, call, chunked, framed, layer, rules, s3, unexpected};
use crate::support::allocator::counted;
use crate::support::fixtures::{self, credentials, now, verifier};
use countersign::Payload;
use countersign::streaming::Chunked;
use countersign::tower::VerifyLayer;

fn signed(kind: Kind) -> Request<Vec<u8>> {
    kind.signed(&credentials(), now())
}

/// In frames of this size, with empty ones between them.
fn in_pieces(request: Request<Vec<u8>>, size: usize) -> Request<Frames> {
    request.map(|body| Frames::of(body.chunks(size).flat_map(|piece| [piece, b""])))
}

fn broken() -> io::Result<Frame<Bytes>> {
    Err(io::ErrorKind::ConnectionReset.into())
}

#[test]
fn bodies_arrive_in_frames_of_any_size() {
    for (kind, size) in Kind::ALL.into_iter().flat_map(|kind| [1, 2, 7, 1000].map(|size| (kind, size))) {
        for layer in [layer(kind.verifier()), layer(kind.verifier()).stream_bodies()] {
            let handler = Handler::default();
            assert_eq!(call(&layer, &handler, in_pieces(signed(kind), size)).status, 200, "{kind:?} {size}");
            let expected = if kind == Kind::PresignedGet { b"" } else { DATA };
            assert_eq!(handler.last().data, expected, "{kind:?} {size}");
        }
    }
}

#[test]
fn the_end_of_a_streamed_body_is_held_back_until_it_is_verified() {
    let streaming = layer(s3()).stream_bodies();
    for kind in [Kind::Hashed, Kind::Chunked, Kind::ChunkedTrailer, Kind::UnsignedTrailer] {
        let mut changed = signed(kind);
        match kind {
            Kind::Hashed => changed.body_mut()[0] ^= 1,
            // All data is there; only the end is missing.
            _ => drop(changed.body_mut().split_off(signed(kind).body().len() - 8)),
        }
        let handler = Handler::default();
        assert_eq!(call(&streaming, &handler, in_pieces(changed, 16)).status, 418, "{kind:?}");
        let seen = handler.last();
        // A reader that stops after `content-length` bytes gets to the error, too.
        assert!(seen.data.len() < DATA.len(), "{kind:?}: {} bytes", seen.data.len());
    }
}

#[test]
fn a_body_without_its_end_never_ends_cleanly() {
    let streaming = layer(s3()).stream_bodies();
    for kind in [Kind::Hashed, Kind::Chunked, Kind::ChunkedTrailer, Kind::UnsignedTrailer] {
        let whole = signed(kind).into_body();
        // Some clients leave out the last line ends, which prove nothing.
        for length in 1..whole.len() - 4 {
            let handler = Handler::default();
            let request = signed(kind).map(|body| Frames::of([&body[..length]]));
            assert_eq!(call(&streaming, &handler, request).status, 418, "{kind:?} {length}");
        }
        let handler = Handler::default();
        let request = signed(kind).map(|body| Frames::of([body, b"more".to_vec()]));
        assert_eq!(call(&streaming, &handler, request).status, 418, "{kind:?}");
    }
}

#[test]
fn an_empty_body_in_place_of_the_signed_one_is_refused_before_the_service() {
    let handler = Handler::default();
    let request = signed(Kind::Hashed).map(|_| Frames::of([b""; 0]).with_length(0));
    let answer = call(&layer(s3()).stream_bodies(), &handler, request);
    assert_eq!((answer.code(), handler.count()), ("InvalidSignatureException", 0));
}

#[test]
fn a_connection_that_breaks_is_an_error_and_stays_one() {
    for kind in [Kind::Hashed, Kind::Chunked, Kind::UnsignedTrailer] {
        let handler = Handler::default();
        // Even if all of it has arrived.
        let request = framed(signed(kind)).map(|body| body.then(broken()));
        assert_eq!(call(&layer(s3()).stream_bodies(), &handler, request).status, 418, "{kind:?}");
        assert!(handler.last().error.unwrap().downcast_ref::<io::Error>().is_some(), "{kind:?}");
    }
    for kind in [Kind::Hashed, Kind::NoHash] {
        let handler = Handler::default();
        let request = framed(signed(kind)).map(|body| body.then(broken()));
        let answer = call(&layer(kind.verifier()), &handler, request);
        assert_eq!((answer.status, answer.code(), handler.count()), (400, "BadRequestException", 0));
    }
}

#[test]
fn the_headers_describe_the_decoded_body() {
    for kind in [Kind::Chunked, Kind::ChunkedTrailer, Kind::UnsignedTrailer] {
        let handler = Handler::default();
        let mut request = framed(signed(kind));
        request.headers_mut().insert("transfer-encoding", "chunked".parse().unwrap());
        assert_eq!(call(&layer(s3()), &handler, request).status, 200);
        let headers = handler.last().parts.headers;
        assert_eq!(headers["content-length"], DATA.len().to_string());
        for removed in ["content-encoding", "transfer-encoding"] {
            assert!(!headers.contains_key(removed), "{kind:?}: {removed}");
        }
    }
    let mut request = Request::put("https://bucket.example/key").body(DATA.to_vec()).unwrap();
    request.headers_mut().insert("content-encoding", "gzip, br".parse().unwrap());
    let signer = fixtures::signer("s3").with_rules(rules());
    let request = chunked(&signer, request, &Chunked::signed(DATA.len() as u64), now());
    let handler = Handler::default();
    assert_eq!(call(&layer(s3()), &handler, framed(request)).status, 200);
    assert_eq!(handler.last().parts.headers["content-encoding"], "gzip, br");
}

#[test]
fn trailers_are_handed_over_if_they_belong_to_the_chunks() {
    let crc = |kind| {
        let handler = Handler::default();
        let mut foreign = HeaderMap::new();
        foreign.insert("x-amz-checksum-crc32c", "AAAAAA==".parse().unwrap());
        foreign.insert("x-amz-meta-forged", "1".parse().unwrap());
        let request = framed(signed(kind)).map(|body| body.then(Ok(Frame::trailers(foreign))));
        assert_eq!(call(&layer(s3()).stream_bodies(), &handler, request).status, 200, "{kind:?}");
        handler.last().trailers
    };
    let expected = crc(Kind::ChunkedTrailer).unwrap();
    assert_eq!((expected.len(), expected.contains_key("x-amz-checksum-crc32c")), (1, true));
    assert_ne!(expected["x-amz-checksum-crc32c"], "AAAAAA==");
    assert_eq!(crc(Kind::UnsignedTrailer).unwrap(), expected);
    // HTTP trailers are not signed.
    for kind in [Kind::Hashed, Kind::Chunked] {
        assert!(crc(kind).is_none(), "{kind:?}");
    }
}

#[test]
fn a_streamed_body_knows_its_length() {
    for layer in [layer(s3()), layer(s3()).stream_bodies()] {
        let handler = Handler::default();
        let request = framed(signed(Kind::Hashed)).map(|body| body.with_length(DATA.len() as u64));
        assert_eq!(call(&layer, &handler, request).status, 200);
        assert_eq!(handler.last().hint.exact(), Some(DATA.len() as u64));
    }
}

#[test]
fn a_body_larger_than_the_limit_is_refused() {
    let limit = DATA.len();
    for kind in [Kind::Hashed, Kind::NoHash] {
        for (most, status) in [(limit, 200), (limit - 1, 413), (0, 413)] {
            for size in [1, 16, 1000] {
                let handler = Handler::default();
                let layer = layer(kind.verifier()).max_body_bytes(most);
                let answer = call(&layer, &handler, in_pieces(signed(kind), size));
                assert_eq!((answer.status, handler.count()), (status, usize::from(status == 200)), "{kind:?} {most}");
            }
        }
    }
    // Only bodies that are buffered are limited.
    for kind in [Kind::Chunked, Kind::Unsigned, Kind::PresignedPut] {
        let handler = Handler::default();
        let request = framed(signed(kind)).map(|body| body.with_length(1000));
        assert_eq!(call(&layer(s3()).max_body_bytes(0), &handler, request).status, 200);
    }
    let streaming = layer(s3()).stream_bodies().max_body_bytes(0);
    assert_eq!(call(&streaming, &Handler::default(), framed(signed(Kind::Hashed))).status, 200);
}

#[test]
fn a_length_that_is_announced_as_too_large_is_refused_before_the_look_up() {
    for kind in [Kind::Hashed, Kind::NoHash] {
        let layer = VerifyLayer::new(kind.verifier(), unexpected).clock(now).max_body_bytes(100);
        let request = framed(signed(kind)).map(|body| body.with_length(101));
        assert_eq!(call(&layer, &Handler::default(), request).code(), "RequestEntityTooLargeException");
    }
}

#[test]
fn a_length_that_is_wrong_reserves_no_memory_and_skips_no_check() {
    let most = 1 << 30;
    let layer = layer(s3()).max_body_bytes(most);
    let request = framed(signed(Kind::Hashed)).map(|body| body.with_length(most as u64));
    let (answer, _, bytes) = counted(|| call(&layer, &Handler::default(), request));
    assert_eq!(answer.status, 200);
    assert!(bytes < 1 << 20, "{bytes}");
    let short = framed(signed(Kind::Hashed)).map(|body| body.with_length(0));
    assert_eq!(call(&layer, &Handler::default(), short).status, 200);
}

#[test]
fn tiny_and_empty_frames_take_no_more_memory_than_their_data() {
    const LENGTH: usize = 100_000;
    let mut request = Request::put("https://bucket.example/key").body(vec![7; LENGTH]).unwrap();
    fixtures::signer("execute-api").sign_http(&mut request, now()).unwrap();
    let frames = Frames::of(std::iter::repeat_n([7], LENGTH).flat_map(|byte| [&byte[..], b""].map(<[u8]>::to_vec)));
    let layer = layer(verifier("execute-api"));
    let (answer, _, bytes) = counted(|| call(&layer, &Handler::default(), request.map(|_| frames)));
    assert_eq!(answer.status, 200);
    // The data doubles as it grows, and the handler collects it again; a list of frames would have 32 bytes for each.
    assert!(bytes < 10 * LENGTH, "{bytes}");
}

#[test]
fn messages_are_refused_since_nothing_decodes_them() {
    use countersign::StreamingPayload;
    let mut request = Request::put("https://bucket.example/key").body(DATA.to_vec()).unwrap();
    let payload = Payload::Streaming(StreamingPayload::Events);
    fixtures::signer("transcribe").sign_http_with_payload(&mut request, payload, now()).unwrap();
    let handler = Handler::default();
    let answer = call(&layer(verifier("transcribe")), &handler, framed(request));
    assert_eq!((answer.status, answer.code(), handler.count()), (403, "InvalidSignatureException", 0));
}
