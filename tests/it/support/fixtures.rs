//! Who signs, when, and what the other end does.

use countersign::{
    Credentials, ErrorFormat, Request, Signed, Signer, Timestamp, VerifiedHead, VerifiedRequest, Verifier, VerifyError,
};

pub const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
pub const TEMPORARY_SECRET: &str = "wJalrXUtnFEMIsecret";
pub const TOKEN: &str = "FwoGZXIvYXdztoken";
pub const TIME: &str = "20150830T123600Z";
pub const HOST: &str = "abc123.execute-api.us-east-1.amazonaws.com";
/// Every format of a refusal.
pub const FORMATS: [ErrorFormat; 5] = [
    ErrorFormat::RestJson,
    ErrorFormat::AwsJson1_0,
    ErrorFormat::AwsJson1_1,
    ErrorFormat::QueryXml,
    ErrorFormat::S3Xml,
];

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub fn now() -> Timestamp {
    at(TIME)
}

pub fn credentials() -> Credentials {
    Credentials::new("AKIDEXAMPLE", SECRET).unwrap()
}

/// Credentials with a session token.
pub fn temporary() -> Credentials {
    Credentials::new("ASIAEXAMPLE", TEMPORARY_SECRET).unwrap().with_session_token(TOKEN).unwrap()
}

pub fn signer(service: &str) -> Signer {
    Signer::new(credentials(), "us-east-1", service).unwrap()
}

pub fn verifier(service: &str) -> Verifier {
    Verifier::new("us-east-1", service).unwrap()
}

/// What a server does that knows one access key.
pub fn verify<'a>(
    verifier: &'a Verifier,
    request: impl Into<Request<'a>>,
    body: &[u8],
    known: &Credentials,
    now: Timestamp,
) -> Result<VerifiedRequest<'a>, VerifyError> {
    verifier.parse(request, now)?.with_body(body).verify(Some(known))
}

/// The same up to the body.
pub fn verify_head<'a>(
    verifier: &'a Verifier,
    request: impl Into<Request<'a>>,
    known: &Credentials,
    now: Timestamp,
) -> Result<VerifiedHead<'a>, VerifyError> {
    verifier.parse(request, now)?.verify_head(Some(known))
}

/// Headers that outlive what they were made from.
pub type Headers = Vec<(String, Vec<u8>)>;

pub fn views(headers: &Headers) -> Vec<(&str, &[u8])> {
    headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect()
}

/// The headers that signing adds.
pub fn added(signed: &Signed) -> Headers {
    signed.headers().map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec())).collect()
}
