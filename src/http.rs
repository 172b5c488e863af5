//! Support for `http::Request` and `http::request::Parts`, in both directions.

use http::header::{AUTHORIZATION, HeaderName};
use http::{HeaderMap, HeaderValue, request};

use crate::redact::is_secret_header;
use crate::sign::{SignError, Signed, Signer};
use crate::sigv4::headers::Headers;
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

impl<'a> Request<'a> {
    fn of_http(method: &'a http::Method, uri: &'a http::Uri, headers: &'a http::HeaderMap) -> Self {
        // A bare authority, as in a CONNECT request, is refused later, because it does not start with a slash.
        let target = match uri.path_and_query() {
            Some(path_and_query) => path_and_query.as_str(),
            None => uri.host().unwrap_or_default(),
        };
        let path_length = target.len() - uri.query().map_or(0, |query| query.len() + 1);
        Self {
            method: method.as_str(),
            target: target.as_bytes(),
            path_length,
            headers: Headers::Map(headers),
            authority: uri.authority().map(http::uri::Authority::as_str),
            scheme: uri.scheme_str(),
        }
    }
}

impl Signer {
    /// Signs a request together with its body and inserts the resulting headers, replacing those of an earlier
    /// signature.
    ///
    /// ```
    /// use countersign::{Credentials, Signer, Timestamp};
    ///
    /// let signer = Signer::new(Credentials::new("AKIDEXAMPLE", "secret")?, "us-east-1", "execute-api")?;
    /// let mut request = http::Request::post("https://abc123.execute-api.us-east-1.amazonaws.com/dev/items")
    ///     .header("content-type", "application/json")
    ///     .body(r#"{"name":"x"}"#)?;
    /// signer.sign_http(&mut request, Timestamp::now())?;
    /// assert!(request.headers().contains_key("authorization"));
    /// assert!(request.headers().contains_key("x-amz-date"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Returns a [`SignError`] and leaves the request unchanged.
    pub fn sign_http<B: AsRef<[u8]>>(
        &self,
        request: &mut http::Request<B>,
        now: Timestamp,
    ) -> Result<Signed, SignError> {
        let result = self.sign(&*request, Payload::Bytes(request.body().as_ref()), now);
        apply(result, request.headers_mut())
    }

    /// Like [`Signer::sign_http`], for a request whose body is a stream or is sent separately: `payload` describes the
    /// body that will be sent. The request's own body is not read.
    ///
    /// ```
    /// use countersign::{Credentials, Payload, Signer, Timestamp};
    ///
    /// let signer = Signer::new(Credentials::new("AKIDEXAMPLE", "secret")?, "us-east-1", "s3")?;
    /// let body = std::io::empty(); // a file, a socket …
    /// let mut request = http::Request::put("https://bucket.s3.us-east-1.amazonaws.com/key").body(body)?;
    /// signer.sign_http_with_payload(&mut request, Payload::Unsigned, Timestamp::now())?;
    /// assert_eq!(request.headers()["x-amz-content-sha256"], "UNSIGNED-PAYLOAD");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Returns a [`SignError`] and leaves the request unchanged.
    pub fn sign_http_with_payload<B>(
        &self,
        request: &mut http::Request<B>,
        payload: Payload<'_>,
        now: Timestamp,
    ) -> Result<Signed, SignError> {
        let result = self.sign(&*request, payload, now);
        apply(result, request.headers_mut())
    }
}

/// Inserts the headers, without taking the result apart, which would move it.
#[inline]
fn apply(result: Result<Signed, SignError>, headers: &mut HeaderMap) -> Result<Signed, SignError> {
    if let Ok(signed) = &result {
        signed.apply_to(headers)?;
    }
    result
}

/// Returns the same as [`is_secret_header`], without searching its list for the headers that signing adds most often.
fn is_secret(name: &str) -> bool {
    match name {
        "x-amz-date" | "x-amz-content-sha256" => false,
        "authorization" => true,
        other => is_secret_header(other),
    }
}

static X_AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
static X_AMZ_CONTENT_SHA256: HeaderName = HeaderName::from_static("x-amz-content-sha256");

impl Signed {
    /// Inserts the headers from [`Signed::headers`] into a header map, replacing those of an earlier signature. Secret
    /// values are marked as sensitive.
    ///
    /// Use this for `request::Parts` or for several header maps; [`Signer::sign_http`] does the same for a whole
    /// request.
    ///
    /// ```
    /// use countersign::{Credentials, Payload, Signer};
    ///
    /// let signer = Signer::new(Credentials::new("AKIDEXAMPLE", "secret")?, "us-east-1", "execute-api")?;
    /// let (mut parts, body) = http::Request::get("https://example.com/dev").body("")?.into_parts();
    /// let signed = signer.sign(&parts, Payload::EMPTY, "20150830T123600Z".parse()?)?;
    /// signed.apply_to(&mut parts.headers)?;
    /// assert_eq!(parts.headers["x-amz-date"], "20150830T123600Z");
    /// assert!(parts.headers["authorization"].is_sensitive());
    /// # let _ = body;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Returns [`RequestError::HeaderValue`] if a value is not a valid HTTP header value; the map is left unchanged.
    pub fn apply_to(&self, headers: &mut HeaderMap) -> Result<(), RequestError> {
        // All values are created before the first is inserted, so that an error leaves the map unchanged.
        let mut values = [const { None }; 5];
        let mut count = 0;
        for (slot, (name, bytes)) in values.iter_mut().zip(self.shared_headers()) {
            let value = HeaderValue::from_maybe_shared(bytes);
            let mut value = value.map_err(|_| RequestError::not_ascii(name, self.value(name)))?;
            value.set_sensitive(is_secret(name));
            *slot = Some((name, value));
            count += 1;
        }
        headers.reserve(count);
        for (name, value) in values.iter_mut().filter_map(Option::take) {
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
}
