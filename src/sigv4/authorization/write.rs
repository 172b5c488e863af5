//! Formatting of the `Authorization` header and of a presigned query.

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use super::{
    X_AMZ_ALGORITHM, X_AMZ_CONTENT_SHA256, X_AMZ_CREDENTIAL, X_AMZ_DATE, X_AMZ_EXPIRES, X_AMZ_REGION_SET,
    X_AMZ_SIGNED_HEADERS,
};
use crate::sigv4::algorithm::Algorithm;
use crate::sigv4::scope::{Scope, TERMINATOR};
use crate::sigv4::signature::Signature;
use crate::sigv4::timestamp::Timestamp;
use crate::text::percent::{encode_segment, write_encoded};

/// The positions of the region and the service in a formatted header.
#[derive(Clone)]
pub(crate) struct PrintedScope {
    pub(crate) region: Range<usize>,
    pub(crate) service: Range<usize>,
}

impl PrintedScope {
    /// Returns the positions in a scope whose text ends at `end`.
    fn up_to(end: usize, scope: &Scope<'_>) -> Self {
        let service_end = end - TERMINATOR.len() - 1;
        let service_start = service_end - scope.service().len();
        let region_end = service_start - 1;
        Self { region: region_end - scope.region().len()..region_end, service: service_start..service_end }
    }
}

/// Returns the start of the header, up to the date.
pub(crate) fn header_start(algorithm: Algorithm, access_key_id: &str) -> String {
    alloc::format!("{} Credential={access_key_id}/", algorithm.name())
}

/// Returns the start of a presigned query, up to the date.
pub(crate) fn query_start(algorithm: Algorithm, access_key_id: &str) -> String {
    let (algorithm, access_key_id) = (algorithm.name(), encode_segment(access_key_id));
    alloc::format!("{X_AMZ_ALGORITHM}={algorithm}&{X_AMZ_CREDENTIAL}={access_key_id}%2F")
}

/// Returns the maximum number of bytes that [`write_header`] writes.
pub(crate) fn header_length(start: &str, scope: &Scope<'_>, signed_headers: usize) -> usize {
    start.len()
        + ", SignedHeaders=, Signature=".len()
        + scope.printed_length()
        + signed_headers
        + scope.algorithm().signature_digits()
}

/// Writes the header. `start` is its [`header_start`]. `signed_headers` is a range of `out`, which holds the canonical request.
pub(crate) fn write_header(
    out: &mut Vec<u8>,
    start: &str,
    scope: &Scope<'_>,
    signed_headers: Range<usize>,
    signature: &Signature,
) -> PrintedScope {
    out.extend_from_slice(start.as_bytes());
    scope.write_to(|piece| out.extend_from_slice(piece));
    let printed = PrintedScope::up_to(out.len(), scope);
    out.extend_from_slice(b", SignedHeaders=");
    out.extend_from_within(signed_headers);
    out.extend_from_slice(b", Signature=");
    signature.write_hex(|digits| out.extend_from_slice(digits));
    printed
}

/// The parameters of a presigned query, except the signature.
pub(crate) struct QueryParameters<'a, N> {
    /// [`query_start`].
    pub(crate) start: &'a str,
    pub(crate) date: &'a [u8],
    /// What follows the date in the scope, percent-encoded.
    pub(crate) encoded_after_date: &'a str,
    pub(crate) timestamp: Timestamp,
    /// The lifetime in seconds.
    pub(crate) expires: Option<u64>,
    pub(crate) region_set: Option<&'a str>,
    /// Sorted, without duplicates.
    pub(crate) signed_headers: N,
    /// The name of the parameter and the token, if it is signed.
    pub(crate) session_token: Option<(&'a str, &'a str)>,
    pub(crate) content_sha256: Option<&'a [u8]>,
}

impl<'a, N: Iterator<Item = &'a str>> QueryParameters<'a, N> {
    /// Returns `true` if the parameters are canonical as [`QueryParameters::write_to`] writes them. Their names are in
    /// ascending order, except those of a session token and a payload hash.
    pub(crate) fn are_canonical(&self) -> bool {
        self.session_token.is_none() && self.content_sha256.is_none()
    }

    /// Writes the parameters, which follow a `?` or `&`.
    pub(crate) fn write_to(self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.start.as_bytes());
        // Dates and times are digits and letters, which need no encoding.
        out.extend_from_slice(self.date);
        out.extend_from_slice(self.encoded_after_date.as_bytes());
        write_parameter_name(out, X_AMZ_DATE);
        out.extend_from_slice(self.timestamp.as_bytes());
        if let Some(expires) = self.expires {
            write_decimal_parameter(out, X_AMZ_EXPIRES, expires);
        }
        if let Some(region_set) = self.region_set {
            write_parameter(out, X_AMZ_REGION_SET, region_set.as_bytes());
        }
        write_signed_headers(out, self.signed_headers);
        if let Some((name, token)) = self.session_token {
            write_parameter(out, name, token.as_bytes());
        }
        if let Some(hash) = self.content_sha256 {
            write_parameter(out, X_AMZ_CONTENT_SHA256, hash);
        }
    }
}

fn write_signed_headers<'a>(out: &mut Vec<u8>, names: impl Iterator<Item = &'a str>) {
    write_parameter_name(out, X_AMZ_SIGNED_HEADERS);
    for (index, name) in names.enumerate() {
        if index > 0 {
            out.extend_from_slice(b"%3B");
        }
        if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            name.bytes().for_each(|byte| write_encoded(out, &[byte.to_ascii_lowercase()]));
        } else {
            write_encoded(out, name.as_bytes());
        }
    }
}

/// Does not use the formatting of the standard library, which would cost more than all other parameters.
fn write_decimal_parameter(out: &mut Vec<u8>, name: &str, value: u64) {
    let mut digits = [b'0'; 20];
    let mut left = value;
    let mut start = digits.len();
    for digit in digits.iter_mut().rev() {
        *digit += (left % 10) as u8;
        left /= 10;
        start -= 1;
        if left == 0 {
            break;
        }
    }
    write_parameter_name(out, name);
    out.extend_from_slice(digits.get(start..).unwrap_or_default());
}

/// Appends a parameter.
pub(crate) fn write_parameter(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    write_parameter_name(out, name);
    write_encoded(out, value);
}

/// Appends the start of a parameter, up to its value.
pub(crate) fn write_parameter_name(out: &mut Vec<u8>, name: &str) {
    out.push(b'&');
    out.extend_from_slice(name.as_bytes());
    out.push(b'=');
}
