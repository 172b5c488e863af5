//! What the service finds in the extensions.

use alloc::sync::Arc;
use core::ops::Deref;

use crate::verify::{VerifiedHead, VerifiedRequest};

/// A request that was verified by [`VerifyLayer`](super::VerifyLayer), for the extensions of an `http::Request`. Cloning is
/// cheap.
///
/// It dereferences to [`VerifiedHead`]: caller, host, canonical path, signed headers and query.
#[derive(Clone)]
pub struct Verified(Arc<Kind>);

enum Kind {
    Request(VerifiedRequest<'static>),
    Head(VerifiedHead<'static>),
}

impl Verified {
    pub(super) fn of_request(request: VerifiedRequest<'static>) -> Self {
        Self(Arc::new(Kind::Request(request)))
    }

    pub(super) fn of_head(head: VerifiedHead<'static>) -> Self {
        Self(Arc::new(Kind::Head(head)))
    }

    /// Returns the verified request if its body was checked, as a whole and before the service got it. `None` if the
    /// body is checked while it is read, or is not signed.
    pub fn request(&self) -> Option<&VerifiedRequest<'static>> {
        match &*self.0 {
            Kind::Request(request) => Some(request),
            Kind::Head(_) => None,
        }
    }
}

impl Deref for Verified {
    type Target = VerifiedHead<'static>;

    fn deref(&self) -> &VerifiedHead<'static> {
        match &*self.0 {
            Kind::Request(request) => request,
            Kind::Head(head) => head,
        }
    }
}

impl core::fmt::Debug for Verified {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Verified").field("access_key_id", &self.access_key_id()).finish_non_exhaustive()
    }
}
