//! Chooses the headers to sign.

use super::added::Header;
use super::{SignError, Signer};
use crate::sigv4::canonical_request::SignedHeaderList;
use crate::sigv4::request::{Request, RequestError};
use crate::text::starts_with_ignoring_case;

/// The headers to sign, in addition to those named with [`Signer::also_sign`].
///
/// ```
/// use countersign::{Credentials, Payload, Request, SignedHeaders, Signer};
///
/// let signer = Signer::new(Credentials::new("AKIDEXAMPLE", "secret")?, "us-east-1", "execute-api")?;
/// let headers = [("accept", b"text/plain".as_slice()), ("user-agent", b"mine")];
/// let request = Request::new("GET", "/", &headers).with_host("example.com");
/// let now = "20150830T123600Z".parse()?;
///
/// let required = signer.sign(&request, Payload::EMPTY, now)?;
/// assert!(required.authorization().contains("SignedHeaders=host;x-amz-date,"));
/// let all = signer.with_signed_headers(SignedHeaders::All).sign(&request, Payload::EMPTY, now)?;
/// assert!(all.authorization().contains("SignedHeaders=accept;host;x-amz-date,"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// AWS: [Create a canonical request](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html#create-canonical-request)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SignedHeaders {
    /// The headers that must be signed and that no hop changes: `host`, `content-type`, `content-md5` and every
    /// `x-amz-*`.
    #[default]
    Required,
    /// All headers except those that hops add, remove or change: `authorization`, `connection`, `keep-alive`,
    /// `transfer-encoding`, `te`, `trailer`, `upgrade`, `expect`, `user-agent`, `x-amzn-trace-id`, `proxy-*`,
    /// `accept-encoding`, `content-length`, `forwarded`, `x-forwarded-*`, `via`, `traceparent`, `tracestate`,
    /// `baggage`, `cache-control`, `sec-websocket-*`.
    All,
}

impl Signer {
    /// Collects the request's headers that are to be signed, except those that signing itself adds.
    pub(super) fn choose_headers<'a>(
        &self,
        request: &Request<'a>,
        headers: &mut SignedHeaderList<'a>,
    ) -> Result<Found<'a>, SignError> {
        let mut found = Found { host: request.host()?, ..Found::default() };
        // The host was checked, so it contains no spaces.
        headers.push_lowercase("host", found.host, true);
        let are_lowercase = request.headers.are_lowercase();
        for (name, value) in request.headers.iter() {
            match Header::of_name(name, &self.rules) {
                Some(Header::Date) => {}
                Some(Header::RegionSet) if self.target.set().is_some() => {}
                Some(Header::SessionToken) => found.session_token = true,
                Some(Header::Authorization) if value.starts_with(b"AWS4-") => {}
                Some(Header::Authorization) => {
                    let scheme = value.split(|byte| *byte == b' ').next().filter(|scheme| scheme.len() < value.len());
                    found.foreign_authorization = Some(scheme.unwrap_or_default());
                }
                Some(Header::ContentSha256) => {
                    let text = core::str::from_utf8(value.trim_ascii());
                    found.content_sha256 = Some(text.map_err(|_| RequestError::not_ascii(name, value))?);
                }
                None if name.eq_ignore_ascii_case("host") => {}
                Some(Header::RegionSet) | None => {
                    found.connection |= name.eq_ignore_ascii_case("connection");
                    match self.is_signed(name) {
                        true if are_lowercase => headers.push_lowercase(name, value, false),
                        true => headers.push(name, value),
                        false => {}
                    }
                }
            }
        }
        Ok(found)
    }

    fn is_signed(&self, name: &str) -> bool {
        let chosen = match self.signed_headers {
            SignedHeaders::Required => {
                name.eq_ignore_ascii_case("content-type")
                    || name.eq_ignore_ascii_case("content-md5")
                    || starts_with_ignoring_case(name, "x-amz-")
            }
            SignedHeaders::All => !is_changed_by_hops(name),
        };
        chosen || self.also_signed.iter().any(|also| also.eq_ignore_ascii_case(name))
    }

    pub(super) fn sort_and_check(
        &self,
        request: &Request<'_>,
        headers: &mut SignedHeaderList<'_>,
        found: &Found<'_>,
    ) -> Result<(), SignError> {
        headers.sort();
        if !found.connection {
            return Ok(());
        }
        for option in request.headers.connection_options() {
            if let Ok(name) = core::str::from_utf8(option)
                && headers.contains(name)
            {
                return Err(SignError::RemovedByHop { name: name.into() });
            }
        }
        Ok(())
    }
}

/// What is found in the headers of a request and handled separately.
#[derive(Default)]
pub(super) struct Found<'a> {
    /// The host as signed.
    pub(super) host: &'a [u8],
    pub(super) content_sha256: Option<&'a str>,
    connection: bool,
    pub(super) session_token: bool,
    /// The scheme of an `Authorization` header that is not an AWS signature.
    pub(super) foreign_authorization: Option<&'a [u8]>,
}

/// Returns `true` for headers that hops change: those that the IAM guide says not to sign, and others known from
/// reports of broken signatures. Proxies, load balancers, tracing and CDNs add or change them in transit.
fn is_changed_by_hops(name: &str) -> bool {
    const NAMES: [&str; 18] = [
        "accept-encoding",
        "authorization",
        "baggage",
        "cache-control",
        "connection",
        "content-length",
        "expect",
        "forwarded",
        "keep-alive",
        "te",
        "traceparent",
        "tracestate",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "via",
        "x-amzn-trace-id",
    ];
    NAMES.iter().any(|changed| changed.eq_ignore_ascii_case(name))
        || ["proxy-", "x-forwarded-", "sec-websocket-"].iter().any(|prefix| starts_with_ignoring_case(name, prefix))
}
