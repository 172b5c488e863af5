//! What the operator's own layers find in the extensions of a refusal.

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;

/// Why [`VerifyLayer`](super::VerifyLayer) refused a request, in the extensions of the response: for logs and metrics.
///
/// `Display` is the reason for the operator. It contains no secret, no session token and no signature.
///
/// ```
/// use countersign::tower::RefusalReason;
///
/// fn log<B>(response: &http::Response<B>) {
///     if let Some(reason) = response.extensions().get::<RefusalReason>() {
///         eprintln!("{}: check {:?}: {reason}", reason.request_id(), reason.check_number());
///     }
/// }
/// # log(&http::Response::new(()));
/// ```
#[derive(Clone, Debug)]
pub struct RefusalReason(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    reason: String,
    check: Option<u8>,
    request_id: String,
}

impl RefusalReason {
    pub(super) fn new(reason: String, check: Option<u8>, request_id: String) -> Self {
        Self(Arc::new(Inner { reason, check, request_id }))
    }

    /// Returns the number of the check that failed, from 1 to 22, as listed in the documentation of
    /// [`Verifier`](crate::Verifier). `None` for reasons that are not about the signature, e.g. a body that is too large.
    pub fn check_number(&self) -> Option<u8> {
        self.0.check
    }

    /// Returns the request id that the client got.
    pub fn request_id(&self) -> &str {
        &self.0.request_id
    }
}

impl fmt::Display for RefusalReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.reason)
    }
}
