//! Headers that must not be forwarded as they arrived.

use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, HeaderName, TE, TRAILER, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderValue};

/// Headers of a connection, not of a message (RFC 9110, section 7.6.1).
const HOP_BY_HOP: [HeaderName; 6] = [CONNECTION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, EXPECT];
const HOP_BY_HOP_TEXT: [&str; 4] = ["keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization"];

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
    named.iter().chain(&HOP_BY_HOP).for_each(|name| drop(headers.remove(name)));
    HOP_BY_HOP_TEXT.iter().for_each(|name| drop(headers.remove(*name)));
}

/// Removes every header that a server could take for this one: servers in the manner of CGI read `_` as `-`, and ignore
/// case.
pub fn remove_alike(headers: &mut HeaderMap, name: &HeaderName) {
    let wanted = plain(name.as_str());
    remove_where(headers, |name| plain(name) == wanted);
}

/// Removes headers that such a server takes for one that begins with `x-amz-`: the verifier reads only real ones.
pub fn remove_disguised(headers: &mut HeaderMap) {
    remove_where(headers, |name| !name.starts_with("x-amz-") && plain(name).starts_with("x-amz-"));
}

/// Returns `true` for a header with which some servers replace the method or the path.
pub fn is_override(name: &str) -> bool {
    OVERRIDES.contains(&plain(name).as_str())
}

/// Removes headers about who the client is and what it asked for, unless they are signed.
pub fn remove_claims(headers: &mut HeaderMap, is_signed: impl Fn(&str) -> bool) {
    remove_where(headers, |name| {
        let plain = plain(name);
        let is_claim =
            plain == "forwarded" || plain.starts_with("x-forwarded-") || plain == "x-real-ip" || is_override(name);
        is_claim && !is_signed(name)
    });
}

pub fn remove_where(headers: &mut HeaderMap, is_unwanted: impl Fn(&str) -> bool) {
    let unwanted: Vec<HeaderName> = headers.keys().filter(|name| is_unwanted(name.as_str())).cloned().collect();
    unwanted.iter().for_each(|name| drop(headers.remove(name)));
}

/// Headers have one form here: lower case, and `-` for all that is no letter or digit. PHP reads `x.caller` as `x-caller`,
/// and CGI programs may do so with every sign.
fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect()
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
