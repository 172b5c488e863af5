//! Both directions without std.

#![no_std]

extern crate alloc;

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use countersign::event_stream::{EventStreamError, Message};
use countersign::post_policy::Policy;
use countersign::{Credentials, Payload, Request, Signer, Timestamp, Verifier};

/// The `Authorization` header of a request, if it can be signed and the verifier takes it.
pub fn sign_and_verify(target: &[u8], unix_seconds: i64) -> Option<String> {
    let now = Timestamp::from_unix_seconds(unix_seconds).ok()?;
    let credentials = Credentials::new("AKIDEXAMPLE", "secret").ok()?;
    let signer = Signer::new(credentials.clone(), "us-east-1", "execute-api").unwrap();
    let request = Request::new("GET", target, &[]).with_host("example.com");
    let signed = signer.sign(&request, Payload::EMPTY, now).ok()?;
    let headers: Vec<(&str, &[u8])> = signed.headers().map(|(name, value)| (name, value.as_bytes())).collect();
    let arrived = Request::new("GET", target, &headers).with_host("example.com");
    let verifier = Verifier::new("us-east-1", "execute-api").unwrap();
    verifier.parse(arrived, now).ok()?.with_body(b"").verify(Some(&credentials)).ok()?;
    Some(signed.authorization().into())
}

/// A presigned URL.
pub fn presign(target: &str, seconds: u64, now: Timestamp) -> Option<String> {
    let signer = Signer::new(Credentials::new("AKIDEXAMPLE", "secret").ok()?, "us-east-1", "s3").unwrap();
    let request = Request::new("GET", target, &[]).with_host("bucket.example.com");
    Some(signer.presign(&request, Duration::from_secs(seconds), now).ok()?.url().into())
}

/// The key of a form that is signed and verified.
pub fn post(file_name: &str, now: Timestamp) -> Option<String> {
    let credentials = Credentials::new("AKIDEXAMPLE", "secret").ok()?;
    let policy = Policy::new("bucket", now.saturating_add(60)).with_field("key", "user/${filename}");
    let form = Signer::new(credentials.clone(), "us-east-1", "s3").unwrap().sign_post_policy(&policy, now).ok()?;
    let verifier = Verifier::new("us-east-1", "s3").unwrap();
    let unverified = verifier.parse_form("bucket", form.fields(), now).ok()?.with_file_name(file_name).ok()?;
    unverified.verify(Some(&credentials)).ok()?.field("key").map(String::from)
}

/// A message, framed and read.
pub fn message(payload: &[u8]) -> Result<Message, EventStreamError> {
    Message::decode(&Message::new(payload).with_header(":event-type", "AudioEvent").encode()?)
}
