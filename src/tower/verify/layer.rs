//! The layer and its settings.

use alloc::sync::Arc;
use core::fmt;

use tower_layer::Layer;

use super::service::VerifyService;
use crate::aws_error::ErrorFormat;
use crate::sigv4::timestamp::Timestamp;
use crate::tower::body::{CLOCK, Clock};
use crate::verify::Verifier;

/// Verifies each request before the service gets it, and answers those that are refused. See the table below for bodies.
///
/// `keys` looks up the credentials of a [`Caller`](super::Caller), or another [`CallerKey`](super::CallerKey); it is called
/// at most once for a request, after every check of [`Verifier::parse`] and those of the kind of the body and its announced
/// length. It returns `Ok(None)` for an unknown caller, whose refusal takes as long as that of a wrong signature, and an
/// error if it can't tell, which is answered with status 503.
///
/// The service finds a [`Verified`](super::Verified) in the extensions of the request. It should decide by what was signed: its
/// [`canonical_path`](crate::VerifiedHead::canonical_path), headers and query, not by parts of the request that anyone
/// may have added.
///
/// | body | what the service gets |
/// |---|---|
/// | hashed | the whole body, after it was checked; with [`stream_bodies`](Self::stream_bodies) as it arrives, with an error at the end if it isn't the signed one |
/// | `aws-chunked`, signed or with trailers | the decoded data, each chunk after it was verified, and the trailers; an error where a chunk is refused |
/// | `UNSIGNED-PAYLOAD` | as it arrives, or a refusal with [`refuse_unsigned_bodies`](Self::refuse_unsigned_bodies) |
///
/// Other trailers than those of `aws-chunked` are dropped, since they are not signed.
///
/// A service that reads a body to its end without an error has read what was signed. Put the layer outside of routers
/// that change the URI, or see [`original_uri`](Self::original_uri).
///
/// ```
/// use countersign::tower::{Caller, Verified, VerifyLayer};
/// use countersign::{Credentials, Verifier};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let keys = |caller: Caller| async move {
///     // Look it up by access key id and session token.
///     let known = caller.access_key_id() == "AKIDEXAMPLE" && caller.session_token().is_none();
///     Ok::<_, std::io::Error>(if known { Credentials::new("AKIDEXAMPLE", "secret").ok() } else { None })
/// };
/// let layer = VerifyLayer::new(Verifier::new("us-east-1", "execute-api")?, keys);
/// # let app =
/// axum::Router::new()
///     .route("/dev/items", axum::routing::get(|verified: axum::Extension<Verified>| async move {
///         format!("hello {}", verified.access_key_id())
///     }))
///     .layer(layer);
/// # let _: axum::Router = app;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct VerifyLayer<K>(Arc<Settings<K>>);

#[derive(Clone)]
pub(super) struct Settings<K> {
    pub(super) verifier: Verifier,
    pub(super) keys: K,
    pub(super) format: ErrorFormat,
    pub(super) max_body_bytes: usize,
    pub(super) max_discarded_bytes: Option<usize>,
    pub(super) streams: bool,
    pub(super) refuses_unsigned_bodies: bool,
    pub(super) allows_anonymous: bool,
    pub(super) clock: Clock,
    pub(super) original_uri: Option<OriginalUri>,
}

type OriginalUri = fn(&http::Extensions) -> Option<http::Uri>;

impl<K: Clone> VerifyLayer<K> {
    /// Creates a layer that answers as API Gateway does, buffers bodies of up to 10 MiB, and refuses unsigned requests.
    pub fn new(verifier: Verifier, keys: K) -> Self {
        Self(Arc::new(Settings {
            verifier,
            keys,
            format: ErrorFormat::RestJson,
            max_body_bytes: 10 << 20,
            max_discarded_bytes: None,
            streams: false,
            refuses_unsigned_bodies: false,
            allows_anonymous: false,
            clock: CLOCK,
            original_uri: None,
        }))
    }

    fn with(mut self, change: impl FnOnce(&mut Settings<K>)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// Sets the format of refusals.
    pub fn error_format(self, format: ErrorFormat) -> Self {
        self.with(|settings| settings.format = format)
    }

    /// Sets how many bytes of a body are buffered at most. A larger body is refused with status 413. It doesn't limit
    /// bodies that are streamed. A client without a valid signature can occupy as much for each connection, since a body
    /// whose hash isn't sent has to be read before its signature can be verified. It also occupies a place in a concurrency
    /// limit inside of this layer. Limit the time as well, with a layer outside this one.
    pub fn max_body_bytes(self, bytes: usize) -> Self {
        self.with(|settings| settings.max_body_bytes = bytes)
    }

    /// Sets how many bytes of a refused body are read and dropped before the refusal is sent; as many as
    /// [`max_body_bytes`](Self::max_body_bytes) unless set. Many clients read no response before they have sent everything,
    /// and report a broken connection if it ends before. With 0, the body is dropped at once: for servers that read the rest
    /// themselves, e.g. in a [`Drop`] of their body, where they can limit the time, too.
    pub fn max_discarded_bytes(self, bytes: usize) -> Self {
        self.with(|settings| settings.max_discarded_bytes = Some(bytes))
    }

    /// Passes hashed bodies on as they arrive. The service gets an error at the end of a body that isn't the signed one,
    /// and must not act on it before. Bodies without an `x-amz-content-sha256` are still buffered, since the signature
    /// can't be verified before they are complete.
    pub fn stream_bodies(self) -> Self {
        self.with(|settings| settings.streams = true)
    }

    /// Refuses bodies that the signature doesn't cover: `UNSIGNED-PAYLOAD` and `STREAMING-UNSIGNED-PAYLOAD-TRAILER`.
    pub fn refuse_unsigned_bodies(self) -> Self {
        self.with(|settings| settings.refuses_unsigned_bodies = true)
    }

    /// Passes on requests that have no signature, with their bodies as they arrive, and without a [`Verified`](super::Verified) in their extensions. Requests with an invalid
    /// signature are still refused.
    pub fn allow_anonymous(self) -> Self {
        self.with(|settings| settings.allows_anonymous = true)
    }

    /// Finds the URI as it was sent in the extensions, for a layer inside of a router that changes the URI. For axum's
    /// `nest`:
    ///
    /// ```
    /// # use countersign::tower::VerifyLayer;
    /// # fn nested<K: Clone>(layer: VerifyLayer<K>) -> VerifyLayer<K> {
    /// layer.original_uri(|extensions| extensions.get::<axum::extract::OriginalUri>().map(|uri| uri.0.clone()))
    /// # }
    /// ```
    pub fn original_uri(self, find: fn(&http::Extensions) -> Option<http::Uri>) -> Self {
        self.with(|settings| settings.original_uri = Some(find))
    }

    /// Replaces the clock, e.g. for tests. `wasm32-unknown-unknown` has none of its own: until one is set there, requests are
    /// dated to the year 1970 and refused.
    pub fn clock(self, clock: fn() -> Timestamp) -> Self {
        self.with(|settings| settings.clock = clock)
    }
}

impl<S, K> Layer<S> for VerifyLayer<K> {
    type Service = VerifyService<S, K>;

    fn layer(&self, inner: S) -> Self::Service {
        VerifyService::new(inner, Arc::clone(&self.0))
    }
}

impl<K> fmt::Debug for VerifyLayer<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyLayer").field("format", &self.0.format).finish_non_exhaustive()
    }
}
