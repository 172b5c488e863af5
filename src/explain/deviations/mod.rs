//! Another signer's fault, named: known deviations of signers, tried against a signature with the credentials at hand.

mod deviation;
mod headers;
mod path;
mod payload;
mod places;
mod query;
mod search;
mod signing;
mod stage;

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

pub use deviation::Deviation;

use super::text::shown;
use crate::hash::{EMPTY_SHA256, from_hex, sha256};
use crate::sigv4::algorithm::Algorithm;
use crate::sigv4::canonical_request::{SignedHeaderList, pairs};
use crate::sigv4::credentials::Credentials;
use crate::sigv4::payload::{PayloadLine, UNSIGNED_PAYLOAD};
use crate::sigv4::request::Request;
use crate::sigv4::rules::Rules;
use crate::text::percent::query_decoded;
use crate::text::wiped::Wiped;
use crate::verify::{Presented, VerifyError};
use headers::Header;
use search::{Known, Search};

/// What is known of a signature: returned by [`deviations`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Diagnosis {
    /// The signature is the right one for these credentials. A verifier checks more than that: time, region, which
    /// headers have to be signed, and the body.
    Right,
    /// A signer with exactly these deviations produces the signature.
    Deviates {
        /// One or two.
        deviations: Vec<Deviation>,
        /// Other single deviations that sign the very same text, less common ones.
        equivalent: Vec<Deviation>,
    },
    /// No known deviation produces the signature: the secret is likely another one, or the request was changed after it
    /// was signed.
    Unknown {
        /// How many texts and keys were tried.
        tried: usize,
        /// The body was not given and no `x-amz-content-sha256` says its hash, so only an empty body and
        /// `UNSIGNED-PAYLOAD` were tried.
        body_needed: bool,
    },
    /// The request has no well-formed SigV4 signature of this access key. The error says why.
    Refused(VerifyError),
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Right => f.write_str("the signature is right"),
            Self::Deviates { deviations, .. } => {
                for (index, deviation) in deviations.iter().enumerate() {
                    let separator = if index > 0 { ", and " } else { "" };
                    write!(f, "{separator}{deviation}")?;
                }
                Ok(())
            }
            Self::Unknown { body_needed, .. } => {
                f.write_str("no known deviation of a signer produces this signature")?;
                if *body_needed { f.write_str("; the body is needed to try more") } else { Ok(()) }
            }
            Self::Refused(error) => error.fmt(f),
        }
    }
}

/// Tries known deviations of signers against the signature of a request, signed by any signer, and names the one that
/// produces exactly this signature, or the two. One deviation comes before two.
///
/// `body` is what was sent, `b""` if nothing was; `None` if it isn't known. The rules are those of the service that the
/// scope names. Nothing is verified besides the signature: no time, no region, no session token.
///
/// The work is bounded. Requests that a [`Verifier`](crate::Verifier) refuses for their size are refused. At most a few
/// thousand texts are hashed or signed for a request whose canonical form has at most 4 KiB; for a larger one only single
/// deviations are tried, a few hundred texts. At most 64 headers are left out or added one by one. `body` is hashed a few
/// times.
///
/// ```
/// use countersign::explain::{Deviation, Diagnosis, deviations};
/// use countersign::{Credentials, Request};
///
/// // Signed by a program that doesn't sort query parameters.
/// let headers = [
///     ("authorization", b"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/execute-api/aws4_request, \
///       SignedHeaders=host;x-amz-date, Signature=eba18c95746db0aebf4d5df9ed0a7b5b993ab08852fbf2cfedf08a2b5f2c8233".as_slice()),
///     ("x-amz-date", b"20150830T123600Z".as_slice()),
/// ];
/// let request = Request::new("GET", "/dev/list?b=2&a=1", &headers).with_host("example.com");
/// let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")?;
///
/// let diagnosis = deviations(request, Some(b""), &credentials);
/// let Diagnosis::Deviates { deviations, .. } = diagnosis else { panic!("{diagnosis}") };
/// assert_eq!(deviations, [Deviation::QueryNotSorted]);
/// assert_eq!(deviations[0].to_string(), "the query parameters were not sorted");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn deviations<'a>(request: impl Into<Request<'a>>, body: Option<&[u8]>, credentials: &Credentials) -> Diagnosis {
    match diagnose(request.into(), body, credentials) {
        Ok(diagnosis) | Err(diagnosis) => diagnosis,
    }
}

fn refused(error: impl Into<VerifyError>) -> Diagnosis {
    Diagnosis::Refused(error.into())
}

/// The signature, if it is one that these credentials can make.
fn presented<'a>(request: Request<'a>, credentials: &Credentials) -> Result<Presented<'a>, Diagnosis> {
    let presented = Presented::parse(request).map_err(refused)?;
    let claims = &presented.claims;
    if claims.algorithm() != Algorithm::HmacSha256 {
        return Err(refused(VerifyError::UnsupportedAlgorithm { algorithm: claims.algorithm().name().into() }));
    }
    if claims.access_key_id() != credentials.access_key_id() {
        return Err(refused(VerifyError::UnknownAccessKey { access_key_id: shown(claims.access_key_id()) }));
    }
    Ok(presented)
}

fn diagnose(request: Request<'_>, body: Option<&[u8]>, credentials: &Credentials) -> Result<Diagnosis, Diagnosis> {
    let presented = presented(request, credentials)?;
    let host = request.host().map_err(refused)?;
    let claims = &presented.claims;
    let rules = Rules::for_service(claims.service());
    let (signed, unsigned) = split_headers(&request, host, &presented, &rules)?;
    let sha256 = body.map_or(EMPTY_SHA256, sha256);
    let unsigned_by_default = presented.is_presigned() && rules.presign_unsigned_payload;
    let payload = match claims.content_sha256() {
        Some(text) => PayloadLine::Text(text),
        None if unsigned_by_default => PayloadLine::Text(UNSIGNED_PAYLOAD),
        None => PayloadLine::Sha256(crate::hash::hex_of(sha256)),
    };
    let mut list = SignedHeaderList::new();
    for header in &signed {
        header.values.iter().for_each(|value| list.push(&header.name, value));
    }
    list.sort();
    let parts = presented.canonical_parts(&rules, &list, payload);
    let mut text = Wiped::new(Vec::new(), true);
    parts.assemble(&mut text, 0);
    let (signed, unsigned) = (signed.as_slice(), unsigned.as_slice());
    let mut search = Search::new(Known {
        presented: &presented,
        credentials,
        parts: &parts,
        signed,
        unsigned,
        body,
        canonical: &text,
    });
    if search.is_right() {
        let pinned = claims.content_sha256().and_then(from_hex);
        let is_other = body.is_some() && pinned.is_some_and(|pinned| pinned != sha256);
        return Ok(if is_other { search::found([Deviation::ContentSha256Wrong]) } else { Diagnosis::Right });
    }
    let found = search.run(&String::from_utf8_lossy(host));
    let body_needed = body.is_none() && claims.content_sha256().is_none();
    Ok(found.unwrap_or(Diagnosis::Unknown { tried: search.tried(), body_needed }))
}

type Headers<'a> = Vec<Header<'a>>;

/// The headers that are signed, in order of their names, and those that arrived besides.
fn split_headers<'a>(
    request: &Request<'a>,
    host: &'a [u8],
    presented: &Presented<'a>,
    rules: &Rules,
) -> Result<(Headers<'a>, Headers<'a>), Diagnosis> {
    let mut arrived = arrived_headers(request, host);
    let in_query = rules.presign_headers_in_query && presented.is_presigned();
    let mut signed = Vec::new();
    for name in presented.claims.signed_header_names() {
        match arrived.binary_search_by(|header| (*header.name).cmp(name)) {
            Ok(index) => signed.push(arrived.remove(index)),
            Err(_) => {
                let found = if in_query { header_in_query(request, name) } else { None };
                signed.push(found.ok_or_else(|| refused(VerifyError::SignedHeaderAbsent { name: shown(name) }))?);
            }
        }
    }
    arrived.retain(|header| header.name != "authorization");
    Ok((signed, arrived))
}

/// All of them, in order of their names, each name once.
fn arrived_headers<'a>(request: &Request<'a>, host: &'a [u8]) -> Headers<'a> {
    let mut all: Vec<(String, usize, &str, &[u8])> = Vec::new();
    all.push(("host".into(), 0, "host", host));
    for (index, (name, value)) in request.headers.iter().enumerate() {
        if name.eq_ignore_ascii_case("host") {
            // Where it was sent, and as it was sent.
            all.retain(|(other, ..)| other != "host");
        }
        all.push((name.to_ascii_lowercase(), index + 1, name, value));
    }
    all.sort();
    let mut headers: Headers<'a> = Vec::new();
    for (name, position, sent_name, value) in all {
        match headers.last_mut() {
            Some(last) if last.name == name => last.values.push(Cow::Borrowed(value)),
            _ => headers.push(Header {
                name: Cow::Owned(name),
                sent_name,
                values: [Cow::Borrowed(value)].into(),
                position,
            }),
        }
    }
    headers
}

/// A header that a presigned request to S3 carries in its query.
fn header_in_query<'a>(request: &Request<'a>, wanted: &str) -> Option<Header<'a>> {
    let (_, query) = request.path_and_query();
    let is_wanted = |name: &[u8]| query_decoded(name).eq_ignore_ascii_case(wanted.as_bytes());
    let (_, value) = pairs(query).find(|(name, _)| is_wanted(name))?;
    let value = query_decoded(value);
    let name = Cow::Owned(String::from(wanted));
    wanted.starts_with("x-amz-").then(|| Header { name, sent_name: "", values: [value].into(), position: 0 })
}
