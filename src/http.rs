//! `http::Request` and `http::request::Parts`, both directions.

use core::time::Duration;

use http::header::{AUTHORIZATION, HeaderName};
use http::{HeaderMap, HeaderValue, request};

use crate::redact::is_secret_header;
use crate::sign::{Presigned, SignError, Signed, Signer};
use crate::sigv4::payload::Payload;
use crate::sigv4::request::{Request, RequestError};
use crate::sigv4::timestamp::Timestamp;

impl<'a, B> From<&'a http::Request<B>> for Request<'a> {
    fn from(request: &'a http::Request<B>) -> Self {
        Request::of_http(request.method(), request.uri(), request.headers())
    }
}

impl<'a> From<&'a request::Parts> for Request<'a> {
    fn from(parts: &'a request::Parts) -> Self {
        Request::of_http(&parts.method, &parts.uri, &parts.headers)
    }
}

impl Signer {
    /// Signs a request and inserts the headers, replacing those of an earlier signature. The body is not read: say
    /// with `payload` what stands for it.
    ///
    /// ```
    /// use countersign::{Credentials, Payload, Signer, Timestamp};
    ///
    /// let signer = Signer::new(Credentials::new("AKIDEXAMPLE", "secret")?, "us-east-1", "execute-api");
    /// let body = r#"{"name":"x"}"#;
    /// let mut request = http::Request::post("https://abc123.execute-api.us-east-1.amazonaws.com/dev/items")
    ///     .header("content-type", "application/json")
    ///     .body(body)?;
    /// signer.sign_http(&mut request, Payload::Bytes(body.as_bytes()), Timestamp::now())?;
    /// assert!(request.headers().contains_key("authorization"));
    /// assert!(request.headers().contains_key("x-amz-date"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`SignError`]; the request is as it was.
    pub fn sign_http<B>(
        &self,
        request: &mut http::Request<B>,
        payload: Payload<'_>,
        now: Timestamp,
    ) -> Result<Signed, SignError> {
        let signed = self.sign(&Request::from(&*request), payload, now)?;
        insert(&signed, request.headers_mut())?;
        Ok(signed)
    }

    /// Like [`Signer::sign_http`], for a request without its body.
    ///
    /// # Errors
    /// [`SignError`]; the parts are as they were.
    pub fn sign_http_parts(
        &self,
        parts: &mut request::Parts,
        payload: Payload<'_>,
        now: Timestamp,
    ) -> Result<Signed, SignError> {
        let signed = self.sign(&Request::from(&*parts), payload, now)?;
        insert(&signed, &mut parts.headers)?;
        Ok(signed)
    }

    /// Makes a URL of a request that carries its own signature; see [`Signer::presign`].
    ///
    /// # Errors
    /// [`SignError`].
    pub fn presign_http<B>(
        &self,
        request: &http::Request<B>,
        expires: Duration,
        now: Timestamp,
    ) -> Result<Presigned, SignError> {
        self.presign(&Request::from(request), expires, now)
    }
}

static X_AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
static X_AMZ_CONTENT_SHA256: HeaderName = HeaderName::from_static("x-amz-content-sha256");

/// All values are made before the first is inserted.
pub(crate) fn insert(signed: &Signed, headers: &mut HeaderMap) -> Result<(), SignError> {
    let mut values = [const { None }; 5];
    let mut count = 0;
    for (slot, (name, bytes)) in values.iter_mut().zip(signed.shared_headers()) {
        let mut value = HeaderValue::from_maybe_shared(bytes)
            .map_err(|_| RequestError::HeaderValue { name: name.into(), byte: 0 })?;
        value.set_sensitive(is_secret_header(name));
        *slot = Some((name, value));
        count += 1;
    }
    headers.reserve(count);
    for (name, value) in values.into_iter().flatten() {
        let name = match name {
            "authorization" => AUTHORIZATION,
            "x-amz-date" => X_AMZ_DATE.clone(),
            "x-amz-content-sha256" => X_AMZ_CONTENT_SHA256.clone(),
            other => HeaderName::from_static(other),
        };
        headers.insert(name, value);
    }
    Ok(())
}
