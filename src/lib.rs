#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![no_std]
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
// Items that only optional modules use are unused without them, and code that handles SigV4A values is unreachable
// without that feature. The build with all features reports genuine cases of both.
#![cfg_attr(
    not(all(
        feature = "credentials",
        feature = "event-stream",
        feature = "explain",
        feature = "http-body",
        feature = "post-policy",
        feature = "sigv4a",
        feature = "time",
        feature = "tokens",
        feature = "tower"
    )),
    allow(dead_code, unreachable_code, unused_imports)
)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic))]

extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

mod aws_error;
mod endpoint;
#[cfg(feature = "event-stream")]
pub mod event_stream;
#[cfg(feature = "explain")]
pub mod explain;
mod hash;
#[cfg(feature = "http")]
mod http;
mod json;
#[cfg(feature = "post-policy")]
pub mod post_policy;
mod redact;
mod sign;
mod sigv4;
#[cfg(feature = "credentials")]
pub mod sources;
#[cfg(feature = "streaming")]
pub mod streaming;
mod text;
#[cfg(feature = "tokens")]
pub mod tokens;
#[cfg(feature = "tower")]
pub mod tower;
mod verify;
mod xml;

pub use aws_error::{ErrorFormat, Refusal};
pub use endpoint::Endpoint;
pub use redact::{is_secret_header, is_secret_parameter};
pub use sign::{Identity, Presigned, SignError, Signed, SignedHeaders, Signer};
pub use sigv4::authorization::Location;
pub use sigv4::canonical_request::CanonicalRequest;
pub use sigv4::credentials::{Credentials, CredentialsError};
pub use sigv4::payload::{Payload, StreamingPayload};
pub use sigv4::request::{Request, RequestError};
pub use sigv4::rules::{Limits, Rules, SessionTokenName, UnsignedPayload};
pub use sigv4::scope::{Scope, ScopeError};
pub use sigv4::signature::Signature;
pub use sigv4::signing_key::SigningKey;
#[cfg(feature = "sigv4a")]
pub use sigv4::sigv4a::PublicKey;
pub use sigv4::string_to_sign::StringToSign;
pub use sigv4::timestamp::{Timestamp, TimestampError};
pub use text::percent::{encode_path, encode_segment};
pub use verify::{
    BodyCheck, Computed, ScopeParts, SignedPayload, UnverifiedRequest, UnverifiedWithBody, VerifiedHead,
    VerifiedRequest, Verifier, VerifyError, VerifyingKey,
};
