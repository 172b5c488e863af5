//! The request to the upstream, before it is signed.

use countersign::{Rules, VerifiedHead};
use http::header::{ACCEPT_ENCODING, DATE, HOST};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::targets::Target;
use crate::commands::gate::bucket::{InvalidBucket, VirtualHosts};
use crate::serve::forward::headers;
use crate::serve::path::{decoded_once, sendable};
use crate::serve::signing_names::{is_of_signature, is_presigned_parameter};

/// Headers of a checksum that are not its value.
const ABOUT_CHECKSUMS: [&str; 3] = ["x-amz-checksum-algorithm", "x-amz-checksum-mode", "x-amz-checksum-type"];

/// The path that was signed, percent-encoded once, with the bucket if that is in the host. It is what is compared with the
/// allow-list, and what is forwarded.
pub fn path(verified: &VerifiedHead<'_>, hosts: &VirtualHosts) -> Result<String, InvalidBucket> {
    let canonical = verified.canonical_path();
    let scope = verified.scope();
    let rules = Rules::for_service(scope.service());
    let path = if rules.double_encode_path { sendable(&decoded_once(&canonical)) } else { canonical };
    Ok(if rules.post_policy { hosts.path_style(verified.host(), &path)?.into_owned() } else { path })
}

/// The method, URI and headers for the upstream. `None` if the path can't be sent.
pub fn parts(head: Parts, verified: &VerifiedHead<'_>, target: &Target, hosts: &VirtualHosts) -> Option<Parts> {
    let scope = verified.scope();
    let is_s3 = Rules::for_service(scope.service()).presign_headers_in_query;
    // Neither the version nor the extensions of the client.
    let (mut parts, ()) = http::Request::new(()).into_parts();
    parts.method = head.method;
    parts.headers = head.headers;
    clean(&mut parts.headers);
    let query = match head.uri.query() {
        Some(raw) if verified.is_presigned() => without_signature(raw, is_s3, &mut parts.headers),
        raw => raw.map(str::to_owned),
    };
    let path = path(verified, hosts).ok()?;
    parts.uri = target.upstream.uri(&query.map_or_else(|| path.clone(), |query| format!("{path}?{query}")))?;
    parts.headers.insert(HOST, target.host.clone());
    Some(parts)
}

fn clean(headers: &mut HeaderMap) {
    headers::remove_hop_by_hop(headers);
    // The client could forge them, and could sign them.
    headers::remove_claims(headers, |_| false);
    headers::join_lengths(headers);
    // Nobody had to sign them, and servers in the manner of CGI read them as headers that have to be signed.
    headers::remove_where(headers, |name| name.contains('_') && name.replace('_', "-").starts_with("x-amz-"));
    headers.remove(DATE);
    // `x-amz-content-sha256` is replaced when the request is signed: clients that send it need it at the upstream, too.
    headers::remove_where(headers, is_of_signature);
    // Refusals of the upstream are searched for the real key.
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
}

/// The query without the signature, otherwise as it arrived. S3 reads headers from the query of a presigned URL: in a
/// request that is signed in its headers, they have to be headers.
fn without_signature(raw: &str, is_s3: bool, headers: &mut HeaderMap) -> Option<String> {
    let mut kept = Vec::new();
    for piece in raw.split('&') {
        let Some((name, value)) = pairs(piece).next() else { continue };
        let lower = String::from_utf8_lossy(&name).to_ascii_lowercase();
        let is_header = is_s3 && lower.starts_with("x-amz-");
        if is_presigned_parameter(&lower) || is_s3 && is_checksum(&lower) {
            continue;
        }
        let pair = lower.parse::<HeaderName>().ok().zip(HeaderValue::from_bytes(&value).ok());
        match pair.filter(|_| is_header) {
            Some((name, value)) => drop(headers.entry(name).or_insert(value)),
            None => kept.push(piece),
        }
    }
    (!kept.is_empty()).then(|| kept.join("&"))
}

/// Presigners of SDKs add the checksum of an empty body. S3 ignores it in a URL, but not in a header.
fn is_checksum(name: &str) -> bool {
    let is_value = name.starts_with("x-amz-checksum-") && !ABOUT_CHECKSUMS.contains(&name);
    is_value || name == "x-amz-sdk-checksum-algorithm"
}

/// The parameters of a query or a form, decoded. A `+` is a space.
pub fn pairs(query: &str) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    let pieces = query.split('&').filter(|piece| !piece.is_empty());
    pieces.map(|piece| {
        let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
        let decoded = |text: &str| decoded_once(&text.replace('+', "%20"));
        (decoded(name), decoded(value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_signature_leaves_the_query() {
        let mut headers = HeaderMap::new();
        let raw = "acl&X-Amz-Algorithm=a&x=&X-Amz-Signature=b&%58-Amz-Date=c&X-Amz-Acl=public-read&y=%2F+%7e&&z";
        let query = without_signature(raw, true, &mut headers);
        assert_eq!(query.as_deref(), Some("acl&x=&y=%2F+%7e&z"));
        assert_eq!(headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["x-amz-acl"]);
        let query = without_signature("X-Amz-Own=1&X-Amz-Expires=5", false, &mut headers);
        assert_eq!(query.as_deref(), Some("X-Amz-Own=1"));
        assert_eq!(without_signature("X-Amz-Expires=5", true, &mut headers), None);
    }

    #[test]
    fn what_the_client_may_not_say_is_removed() {
        let mut headers = HeaderMap::new();
        for name in [
            "authorization",
            "x-amz-date",
            "x-amz-security-token",
            "x-forwarded-for",
            "x_forwarded_for",
            "date",
            "connection",
            "x-hop",
            "x-amz-acl",
        ] {
            headers.insert(name.parse::<HeaderName>().unwrap(), HeaderValue::from_static("x-hop"));
        }
        clean(&mut headers);
        let mut left: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["accept-encoding", "x-amz-acl"]);
    }
}
