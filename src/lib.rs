#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![no_std]
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic))]

extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

mod algorithm;
mod authorization;
mod canonical_request;
#[cfg(any(feature = "streaming", feature = "event-stream"))]
mod chain;
mod credentials;
#[cfg(feature = "event-stream")]
pub mod event_stream;
#[cfg(feature = "explain")]
pub mod explain;
#[cfg(feature = "http")]
mod http;
mod payload;
#[cfg(feature = "post-policy")]
pub mod post_policy;
mod request;
mod rules;
mod scope;
mod sign;
mod signature;
mod signing_key;
#[cfg(feature = "sigv4a")]
mod sigv4a;
#[cfg(feature = "streaming")]
pub mod streaming;
mod string_to_sign;
mod text;
mod timestamp;
#[cfg(feature = "tokens")]
pub mod tokens;
mod verify;

pub use canonical_request::CanonicalRequest;
pub use canonical_request::percent::encode_segment;
pub use credentials::{Credentials, CredentialsError};
pub use payload::{Payload, StreamingPayload};
pub use request::{Request, RequestError};
pub use rules::{Rules, UnsignedPayload};
pub use scope::{Scope, ScopeError};
pub use sign::{Presigned, SignError, Signed, SignedHeaders, Signer};
pub use signature::Signature;
pub use signing_key::SigningKey;
#[cfg(feature = "sigv4a")]
pub use sigv4a::PublicKey;
pub use string_to_sign::StringToSign;
pub use timestamp::{Timestamp, TimestampError};
pub use verify::{BodyCheck, Computed, Dialect, Presented, Verified, Verifier, VerifyError};
