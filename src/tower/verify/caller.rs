//! Who a request claims to be from, and what the look-up finds.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use sealed::Found;
use zeroize::Zeroizing;

use crate::sigv4::algorithm::Algorithm;
use crate::sigv4::credentials::Credentials;
use crate::sigv4::scope::Scope;
use crate::verify::{UnverifiedRequest, VerifiedHead, VerifiedRequest, VerifyError, VerifyingKey};

/// Who a request claims to be from. Nothing of it is verified yet. Look up the access key id and the session token
/// together: a session token that was issued for another key is invalid.
#[derive(Clone)]
pub struct Caller {
    access_key_id: String,
    session_token: Option<Zeroizing<String>>,
    scope: String,
    algorithm: Algorithm,
}

impl Caller {
    pub(super) fn of(unverified: &UnverifiedRequest<'_>) -> Self {
        let scope = unverified.scope();
        let mut text = Vec::with_capacity(scope.printed_length());
        scope.write_to(|piece| text.extend_from_slice(piece));
        Self {
            access_key_id: unverified.access_key_id().into(),
            session_token: unverified.session_token().map(|token| Zeroizing::new(token.into())),
            scope: String::from_utf8(text).unwrap_or_default(),
            algorithm: scope.algorithm(),
        }
    }

    /// Returns the access key id.
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// Returns the session token. Keep it out of logs.
    pub fn session_token(&self) -> Option<&str> {
        self.session_token.as_ref().map(|token| token.as_str())
    }

    /// Returns the scope, e.g. `20150830/us-east-1/execute-api/aws4_request`, without a region for SigV4A. It is one that
    /// the verifier accepts, with a date within its clock skew or of a presigned URL that is still valid.
    pub fn scope(&self) -> &str {
        &self.scope
    }

    /// Derives the key of these credentials for the scope of the request. It verifies every request with the same access
    /// key and [`scope`](Self::scope), so a look-up can keep it by these two until the credentials change, instead of
    /// returning [`Credentials`], from which the layer derives it for each request.
    ///
    /// ```
    /// use std::collections::HashMap;
    /// use std::sync::{Arc, Mutex};
    ///
    /// use countersign::tower::{Caller, VerifyLayer};
    /// use countersign::{Credentials, Verifier, VerifyingKey};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let known = Credentials::new("AKIDEXAMPLE", "secret")?;
    /// // A server keeps those of known access keys only, and removes those of other days.
    /// let derived: Mutex<HashMap<String, Arc<VerifyingKey>>> = Mutex::default();
    /// let keys = Arc::new(move |caller: Caller| {
    ///     let mut derived = derived.lock().unwrap();
    ///     let key = (caller.access_key_id() == known.access_key_id()).then(|| {
    ///         let kept = derived.entry(caller.scope().into());
    ///         Arc::clone(kept.or_insert_with(|| Arc::new(caller.verifying_key(&known))))
    ///     });
    ///     std::future::ready(Ok::<_, std::io::Error>(key))
    /// });
    /// let layer = VerifyLayer::new(Verifier::new("us-east-1", "execute-api")?, move |caller| keys(caller));
    /// # let app =
    /// axum::Router::new().route("/", axum::routing::get(|| async { "hello" })).layer(layer);
    /// # let _: axum::Router = app;
    /// # Ok(())
    /// # }
    /// ```
    pub fn verifying_key(&self, credentials: &Credentials) -> VerifyingKey {
        let mut parts = self.scope.split('/');
        let date = parts.next().unwrap_or_default();
        let region = match self.algorithm {
            Algorithm::HmacSha256 => parts.next().unwrap_or_default(),
            Algorithm::EcdsaP256Sha256 => "",
        };
        let service = parts.next().unwrap_or_default();
        VerifyingKey::derive(credentials, &Scope::unchecked(self.algorithm, date, region, service))
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

/// What the look-up of [`VerifyLayer`](super::VerifyLayer) returns for a known caller: its [`Credentials`], or a
/// [`VerifyingKey`], also in an [`Arc`]. Other types can't implement it.
pub trait CallerKey: sealed::Verifies {}

impl CallerKey for Credentials {}
impl CallerKey for VerifyingKey {}
impl CallerKey for Arc<VerifyingKey> {}

pub(super) mod sealed {
    use crate::sigv4::credentials::Credentials;
    use crate::verify::VerifyingKey;

    /// Which kind was asked for is known for an unknown caller, too, so that its refusal takes as long as others.
    pub enum Found<'k> {
        Credentials(Option<&'k Credentials>),
        Key(Option<&'k VerifyingKey>),
    }

    pub trait Verifies: Sized + Send {
        fn found(found: Option<&Self>) -> Found<'_>;
    }
}

impl sealed::Verifies for Credentials {
    fn found(found: Option<&Self>) -> Found<'_> {
        Found::Credentials(found)
    }
}

impl sealed::Verifies for VerifyingKey {
    fn found(found: Option<&Self>) -> Found<'_> {
        Found::Key(found)
    }
}

impl sealed::Verifies for Arc<VerifyingKey> {
    fn found(found: Option<&Self>) -> Found<'_> {
        Found::Key(found.map(|key| &**key))
    }
}

impl Found<'_> {
    pub(super) fn verify_head<'r>(self, unverified: UnverifiedRequest<'r>) -> Result<VerifiedHead<'r>, VerifyError> {
        match self {
            Self::Credentials(found) => unverified.verify_head(found),
            Self::Key(found) => unverified.verify_head_with_key(found),
        }
    }

    pub(super) fn verify<'r>(
        self,
        unverified: UnverifiedRequest<'r>,
        body: &[u8],
    ) -> Result<VerifiedRequest<'r>, VerifyError> {
        let unverified = unverified.with_body(body);
        match self {
            Self::Credentials(found) => unverified.verify(found),
            Self::Key(found) => unverified.verify_with_key(found),
        }
    }
}
