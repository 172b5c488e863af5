#![no_main]

use std::time::Duration;

use countersign::{Credentials, Payload, Request, SignedHeaders, Signer, Timestamp, Verifier, VerifyError};
use countersign_fuzz::{Message, credentials};
use libfuzzer_sys::fuzz_target;

fn verify(
    request: Request<'_>,
    body: &[u8],
    service: &str,
    known: &Credentials,
    now: Timestamp,
) -> Result<(), VerifyError> {
    // Signing accepts both, and this is about what is signed.
    let verifier = Verifier::new("us-east-1", service).unwrap().accept_dot_segments().accept_repeated_headers();
    verifier.parse(request, now)?.with_body(body).verify(Some(known)).map(|_| ())
}

/// A header `host` is what is sent instead of the host of the URL.
fn received<'a>(method: &'a str, target: &'a [u8], headers: &'a [(&'a str, &'a [u8])]) -> Request<'a> {
    let request = Request::new(method, target, headers);
    let has_host = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host"));
    if has_host { request } else { request.with_host("example.com") }
}

fuzz_target!(|text: &[u8]| {
    let Some(message) = Message::read(text) else { return };
    let now = Timestamp::from_unix_seconds(1_440_938_160).unwrap();
    let own = credentials().with_session_token("tokenOfTheFuzzer").unwrap();
    let other = Credentials::new("AKIDFUZZ", "another").unwrap().with_session_token("tokenOfTheFuzzer").unwrap();
    for service in ["execute-api", "s3"] {
        for signed_headers in [SignedHeaders::Required, SignedHeaders::All] {
            let signer = Signer::new(own.clone(), "us-east-1", service).unwrap().with_signed_headers(signed_headers);
            if let Ok(signed) = signer.sign(&message.request(), Payload::Bytes(message.body), now) {
                let mut headers = message.headers.clone();
                headers.retain(|(name, _)| signed.headers().all(|(own, _)| !own.eq_ignore_ascii_case(name)));
                headers.extend(signed.headers().map(|(name, value)| (name, value.as_bytes())));
                // The verifier refuses an invalid or repeated date, which signing accepts.
                headers.retain(|(name, _)| !name.eq_ignore_ascii_case("date"));
                if signed.canonical_request().as_bytes().windows(6).any(|window| window == b"\ndate:") {
                    continue;
                }
                let arrived = |target| received(message.method, target, &headers);
                assert_eq!(verify(arrived(message.target), message.body, service, &own, now), Ok(()));
                assert!(verify(arrived(message.target), message.body, service, &other, now).is_err());
                let longer = [message.target, b"x"].concat();
                assert!(verify(arrived(&longer), message.body, service, &own, now).is_err());
            }
            if let Ok(presigned) = signer.presign(&message.request(), Duration::from_secs(60), now) {
                let mut headers = message.headers.clone();
                headers.retain(|(name, _)| {
                    ["authorization", "date", "x-amz-date", "x-amz-security-token", "x-amz-s3session-token"]
                        .iter()
                        .all(|own| !own.eq_ignore_ascii_case(name))
                });
                if presigned.canonical_request().as_bytes().windows(6).any(|window| window == b"\ndate:") {
                    continue;
                }
                let arrived = |target| received(message.method, target, &headers);
                // A body pinned by a seed's own header is not the empty one, and its query may contradict its headers.
                match verify(arrived(presigned.target().as_bytes()), b"", service, &own, now) {
                    Ok(())
                    | Err(
                        VerifyError::BodyMismatch { .. }
                        | VerifyError::HeaderAndQueryDiffer { .. }
                        | VerifyError::InvalidContentSha256 { .. }
                        | VerifyError::Repeated { .. },
                    ) => {}
                    Err(error) => panic!("{error}: {}", presigned.url()),
                }
                let longer = [presigned.target().as_bytes(), b"&x"].concat();
                assert!(verify(arrived(&longer), b"", service, &own, now).is_err());
            }
        }
    }
});
