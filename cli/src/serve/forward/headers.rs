//! Headers that must not be forwarded as they arrived.

use http::header::{CONNECTION, CONTENT_LENGTH, HeaderName};
use http::{HeaderMap, HeaderValue};

/// Headers of a connection, not of a message (RFC 9110, section 7.6.1).
const HOP_BY_HOP: [&str; 10] = [
    "connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "expect",
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "proxy-authorization",
];

/// Names with which frameworks replace the method or the path: a way around what was verified.
const OVERRIDES: [&str; 7] = [
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
    "x-original-url",
    "x-original-uri",
    "x-rewrite-url",
    "x-forwarded-prefix",
];

/// Removes headers that are meant for this server only, and those that `Connection` names.
pub fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        // The length of the body is not for the connection to decide.
        .filter(|name| *name != CONTENT_LENGTH)
        .collect();
    named.iter().for_each(|name| drop(headers.remove(name)));
    remove_where(headers, |name| HOP_BY_HOP.contains(&name));
}

/// Removes every header that a server could take for this one: servers in the manner of CGI read `_` as `-`, and ignore
/// case.
pub fn remove_alike(headers: &mut HeaderMap, name: &HeaderName) {
    remove_where(headers, |other| is_alike(other, name.as_str()));
}

/// Removes headers that such a server takes for one that begins with `x-amz-`: the verifier reads only real ones.
pub fn remove_disguised(headers: &mut HeaderMap) {
    remove_where(headers, |name| !name.starts_with("x-amz-") && begins_alike(name, "x-amz-"));
}

/// Returns `true` for a header with which some servers replace the method or the path.
pub fn is_override(name: &str) -> bool {
    OVERRIDES.iter().any(|own| is_alike(name, own))
}

/// Removes headers about who the client is and what it asked for, unless they are signed.
pub fn remove_claims(headers: &mut HeaderMap, is_signed: impl Fn(&str) -> bool) {
    remove_where(headers, |name| {
        let is_claim = is_alike(name, "forwarded")
            || is_alike(name, "x-real-ip")
            || begins_alike(name, "x-forwarded-")
            || is_override(name);
        is_claim && !is_signed(name)
    });
}

pub fn remove_where(headers: &mut HeaderMap, is_unwanted: impl Fn(&str) -> bool) {
    let unwanted: Vec<HeaderName> = headers.keys().filter(|name| is_unwanted(name.as_str())).cloned().collect();
    unwanted.iter().for_each(|name| drop(headers.remove(name)));
}

/// Returns `true` if the names differ only in case and punctuation: PHP reads `x.caller` as `x-caller`, and CGI programs may
/// read anything but letters and digits so.
fn is_alike(name: &str, other: &str) -> bool {
    name.len() == other.len() && name.bytes().map(plain).eq(other.bytes().map(plain))
}

/// Returns `true` if the name begins with one that is alike.
fn begins_alike(name: &str, start: &str) -> bool {
    name.get(..start.len()).is_some_and(|own| is_alike(own, start))
}

fn plain(byte: u8) -> u8 {
    if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'-' }
}

/// Leaves one `Content-Length`. The server refuses requests with different ones.
pub fn join_lengths(headers: &mut HeaderMap) {
    if headers.get_all(CONTENT_LENGTH).iter().count() > 1
        && let Some(length) = headers.get(CONTENT_LENGTH).cloned()
    {
        headers.insert(CONTENT_LENGTH, length);
    }
}

pub fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(list: &[(&str, &str)]) -> HeaderMap {
        list.iter().map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn what_connection_names_is_removed() {
        let mut headers = headers(&[
            ("connection", "close, X-Own"),
            ("connection", "te,,content-length"),
            ("x-own", "1"),
            ("content-length", "5"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("keep-alive", "5"),
            ("proxy-connection", "x"),
            ("upgrade", "h2c"),
            ("a", "b"),
        ]);
        remove_hop_by_hop(&mut headers);
        let mut left: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["a", "content-length"]);
    }

    #[test]
    fn names_alike_are_removed() {
        let mut headers = headers(&[
            ("x-caller", "1"),
            ("x_caller", "1"),
            ("x.caller", "2"),
            ("x~caller", "2"),
            ("X-CALLER", "2"),
            ("x-caller-id", "3"),
        ]);
        remove_alike(&mut headers, &HeaderName::from_static("x-caller"));
        assert_eq!(headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["x-caller-id"]);
    }

    #[test]
    fn claims_need_a_signature() {
        let mut headers = headers(&[
            ("x-forwarded-for", "1"),
            ("x_forwarded_for", "1"),
            ("forwarded", "1"),
            ("x-original-url", "/"),
            ("x-real-ip", "1"),
        ]);
        remove_claims(&mut headers, |name| name == "x-original-url");
        assert_eq!(headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["x-original-url"]);
    }
}
