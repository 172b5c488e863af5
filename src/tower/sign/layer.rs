//! The layer and its settings.

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;
use core::sync::atomic::{AtomicI64, Ordering};

use http::Response;
use http::header::{AGE, DATE};
use tower_layer::Layer;

use super::service::SignService;
use super::source::IdentitySource;
use crate::sign::{Identity, Signer};
use crate::sigv4::credentials::Credentials;
use crate::sigv4::scope::ScopeError;
use crate::sigv4::timestamp::Timestamp;
use crate::streaming::Checksum;
use crate::tower::body::{CLOCK, Clock};

/// What the signature covers of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PayloadPolicy {
    /// Its hash. The body is buffered up to this number of bytes; a larger one is an error.
    Buffered {
        /// The maximum number of bytes.
        max_bytes: usize,
    },
    /// Nothing (`UNSIGNED-PAYLOAD`). Only for services that accept it, and over TLS.
    Unsigned,
    /// Each chunk of an `aws-chunked` body, while it is sent, and a checksum in a trailer. Only for S3 and compatible
    /// stores. The length of the body has to be known before it is sent. A request without a body is signed as usual.
    Chunked(Checksum),
    /// Nothing of an `aws-chunked` body but a checksum in its trailer, as the AWS SDKs upload over TLS. Otherwise as
    /// [`PayloadPolicy::Chunked`].
    UnsignedChunked(Checksum),
}

/// Signs each request. Put it innermost, directly around the client: it then signs each attempt of a retry and each
/// redirect anew, and no other layer changes what was signed. Requests need an absolute URI. Turn off the redirects of
/// the client itself, which would send a signature for another URI. A layer that follows redirects decides which hosts get
/// a signature and the session token: limit it to those that you trust.
///
/// By default, bodies of up to 1 MiB are buffered and hashed ([`SignLayer::payload`]).
///
/// ```
/// use countersign::tower::{PayloadPolicy, SignLayer};
/// use countersign::{Credentials, Identity};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let identity = Identity::new(Credentials::new("AKIDEXAMPLE", "secret")?);
/// let layer = SignLayer::new(identity, "us-east-1", "execute-api")?
///     .payload(PayloadPolicy::Buffered { max_bytes: 64 << 10 });
/// # let _ = layer;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SignLayer<I>(Settings<I>);

#[derive(Clone)]
pub(super) struct Settings<I> {
    pub(super) source: I,
    /// Its credentials are replaced by those of the source.
    pub(super) signer: Signer,
    pub(super) payload: PayloadPolicy,
    clock: Clock,
    /// Seconds to add to the clock, if it is corrected.
    offset: Option<Arc<AtomicI64>>,
}

/// A difference that is more than the time on the way, in seconds. AWS accepts 5 minutes.
const MIN_OFFSET: i64 = 4 * 60;

impl<I> Settings<I> {
    /// Seconds to add to the clock.
    pub(super) fn offset(&self) -> i64 {
        self.offset.as_ref().map_or(0, |offset| offset.load(Ordering::Relaxed))
    }

    pub(super) fn now(&self, offset: i64) -> Timestamp {
        (self.clock)().saturating_add(offset)
    }

    pub(super) fn corrects_clock(&self) -> bool {
        self.offset.is_some()
    }

    /// Learns the time of the server from a refusal. Returns whether the request, signed with the offset `used`, had a
    /// wrong time: then it may succeed with the new one.
    pub(super) fn learn<B>(&self, response: &Response<B>, used: i64) -> bool {
        let Some(offset) = &self.offset else { return false };
        let is_refusal = matches!(response.status().as_u16(), 400 | 401 | 403);
        // The date of a cached response is not the time of the server.
        if !is_refusal || response.headers().contains_key(AGE) {
            return false;
        }
        let date = response.headers().get(DATE).and_then(|date| date.to_str().ok());
        let Some(server) = date.and_then(Timestamp::parse_imf_fixdate) else { return false };
        let difference = server.unix_seconds() - (self.clock)().unix_seconds();
        let differs = |from: i64| (difference - from).abs() > MIN_OFFSET;
        if differs(offset.load(Ordering::Relaxed)) {
            offset.store(if differs(0) { difference } else { 0 }, Ordering::Relaxed);
        }
        // Of several requests that are refused at once, only the first learns something new.
        differs(used)
    }
}

impl<I: IdentitySource> SignLayer<I> {
    /// Creates a layer. `source` is an [`Identity`], or an async closure that returns one for each request, e.g. from a
    /// cache: see [`IdentitySource`]. The region and service are those of [`Signer::new`].
    ///
    /// # Errors
    /// [`ScopeError`], as for [`Signer::new`].
    pub fn new(source: I, region: impl Into<String>, service: impl Into<String>) -> Result<Self, ScopeError> {
        Ok(Self(Settings {
            source,
            signer: Signer::new(nobody(), region, service)?,
            payload: PayloadPolicy::Buffered { max_bytes: 1 << 20 },
            clock: CLOCK,
            offset: None,
        }))
    }

    /// Sets what the signature covers of a body.
    pub fn payload(mut self, payload: PayloadPolicy) -> Self {
        self.0.payload = payload;
        self
    }

    /// Changes the signer, e.g. its rules or the headers that it signs. Its credentials are those of the source.
    pub fn signer(mut self, change: impl FnOnce(Signer) -> Signer) -> Self {
        self.0.signer = change(self.0.signer);
        self
    }

    /// Learns the time of the server from the `Date` of a refusal (status 400, 401 or 403), if it differs from that of
    /// this machine by more than 4 minutes, and signs later requests with it. The refused request is repeated once, and
    /// the second response is returned. A body that is not buffered can't be repeated: the response is then the refusal,
    /// and a later attempt is signed with the right time. Use it only over TLS: who can forge a response could otherwise
    /// obtain a request that is signed for a later time.
    pub fn correct_clock(mut self) -> Self {
        self.0.offset = Some(Arc::default());
        self
    }

    /// Replaces the clock, e.g. for tests. `wasm32-unknown-unknown` has none of its own: until one is set there, requests are
    /// dated to the year 1970 and refused.
    pub fn clock(mut self, clock: fn() -> Timestamp) -> Self {
        self.0.clock = clock;
        self
    }
}

impl<S, I: Clone> Layer<S> for SignLayer<I> {
    type Service = SignService<S, I>;

    fn layer(&self, inner: S) -> Self::Service {
        SignService::new(inner, Arc::new(self.0.clone()))
    }
}

impl<I> fmt::Debug for SignLayer<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignLayer").field("payload", &self.0.payload).finish_non_exhaustive()
    }
}

/// Credentials that are never used.
fn nobody() -> Identity {
    #[allow(clippy::expect_used, reason = "the values are valid")]
    Credentials::new("NOBODY", "none").expect("valid credentials").into()
}
