//! The answers of the layer in each format.

use countersign::streaming::{Checksum, Chunked};
use countersign::{ErrorFormat, VerifyError};
use http::Request;

use super::{Answer, DATA, Frames, Handler, Kind, call, chunked, framed, layer, outage, rules, s3};
use crate::support::fixtures::{self, FORMATS, credentials, now};
use countersign::tower::VerifyLayer;

fn request_id(answer: &Answer, format: ErrorFormat) -> String {
    answer.headers[format.request_id_header()].to_str().unwrap().to_owned()
}

#[test]
fn each_format_has_its_status_headers_and_body() {
    for format in FORMATS {
        let request = Request::get("https://bucket.example/key").body(Frames::of([b""; 0])).unwrap();
        let answer = call(&layer(s3()).error_format(format), &Handler::default(), request);
        let expected = VerifyError::MissingAuthentication.refusal(format);
        let id = request_id(&answer, format);
        assert_eq!((answer.status, &answer.body), (expected.status(), &expected.body(&id)), "{format:?}");
        assert_eq!(answer.headers["content-type"], format.content_type());
        let code = format.code_header().map(|name| answer.headers[name].to_str().unwrap());
        assert_eq!(code, format.code_header().map(|_| expected.code()));
        assert_eq!(answer.headers.len(), 2 + usize::from(code.is_some()), "{format:?}: {:?}", answer.headers);
    }
}

#[test]
fn every_answer_has_an_id_of_its_own() {
    let layer = layer(s3());
    let ids: std::collections::BTreeSet<_> = (0..100)
        .map(|_| {
            let request = Request::get("https://bucket.example/key").body(Frames::of([b""; 0])).unwrap();
            request_id(&call(&layer, &Handler::default(), request), ErrorFormat::RestJson)
        })
        .collect();
    assert_eq!(ids.len(), 100);
    assert!(ids.iter().all(|id| id.len() == 36 && id.split('-').map(str::len).eq([8, 4, 4, 4, 12])), "{ids:?}");
}

#[test]
fn an_outage_of_the_look_up_is_not_the_fault_of_the_caller() {
    for format in FORMATS {
        let failing = VerifyLayer::new(s3(), outage).clock(now).error_format(format);
        let handler = Handler::default();
        let answer = call(&failing, &handler, framed(Kind::Hashed.signed(&credentials(), now())));
        assert_eq!((answer.status, handler.count()), (503, 0));
        assert!(answer.body.contains("Service Unavailable") && !answer.body.contains("database"), "{}", answer.body);
    }
}

#[test]
fn what_is_wrong_with_a_body_is_told_in_each_format() {
    type Change = fn(Frames) -> Frames;
    let broken: Change = |body| body.then(Err(std::io::ErrorKind::UnexpectedEof.into()));
    let cases: [(Kind, Change, [u16; 5], &str); 3] = [
        (Kind::Hashed, |body| body.with_length(1 << 40), [413, 413, 413, 413, 400], "TooLarge"),
        (Kind::Hashed, broken, [400; 5], "IncompleteBody"),
        (Kind::Unsigned, |body| body, [403, 400, 400, 403, 403], "AccessDenied"),
    ];
    for (kind, change, statuses, s3_code) in cases {
        for (format, status) in FORMATS.into_iter().zip(statuses) {
            let layer = layer(s3()).error_format(format).refuse_unsigned_bodies();
            let request = framed(kind.signed(&credentials(), now())).map(change);
            let answer = call(&layer, &Handler::default(), request);
            assert_eq!(answer.status, status, "{kind:?} {format:?}: {answer:?}");
            assert!(format != ErrorFormat::S3Xml || answer.body.contains(s3_code), "{}", answer.body);
        }
    }
}

#[test]
fn chunks_that_cannot_be_decoded_are_refused_before_the_service() {
    let signer = fixtures::signer("s3").with_rules(rules());
    let put = |name: &'static str, value: &str| {
        let mut request = Request::put("https://bucket.example/key").body(DATA.to_vec()).unwrap();
        let how = Chunked::unsigned(DATA.len() as u64).with_checksum(Checksum::Crc32c);
        request = chunked(&signer, request, &how, now());
        let payload = countersign::Payload::Streaming(countersign::StreamingPayload::UnsignedTrailer);
        request.headers_mut().insert(name, value.parse().unwrap());
        signer.sign_http_with_payload(&mut request, payload, now()).unwrap();
        framed(request)
    };
    for (name, value) in [
        ("x-amz-decoded-content-length", "-1"),
        ("x-amz-decoded-content-length", "a lot"),
        ("x-amz-trailer", "x-amz-checksum-none"),
    ] {
        let handler = Handler::default();
        let answer = call(&layer(s3()).error_format(ErrorFormat::S3Xml), &handler, put(name, value));
        assert_eq!((answer.status, handler.count()), (400, 0), "{name}: {value}: {answer:?}");
    }
}
