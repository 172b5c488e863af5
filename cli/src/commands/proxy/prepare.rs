//! Takes out of a request what must not be signed or forwarded.

use countersign::streaming::Checksum;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, HOST};

use crate::args::ProxyArgs;
use crate::failure::Failure;
use crate::serve::forward::headers;
use crate::serve::path::decoded_once;
use crate::serve::signing_names::{is_of_signature_or_body, is_presigned_parameter};

/// `--strip-header` and `--strip-query`.
pub struct Strip {
    headers: Vec<Pattern>,
    query: Vec<Pattern>,
}

/// A name, or with `*` the beginning of names. Case does not matter.
struct Pattern {
    text: String,
    is_prefix: bool,
}

impl Pattern {
    fn parse(flag: &str, text: &str) -> Result<Self, Failure> {
        let name = text.strip_suffix('*');
        let is_prefix = name.is_some();
        let name = name.unwrap_or(text);
        if name.is_empty() || name.contains('*') {
            return Err(Failure::usage(format!("{flag} {text:?} must be a NAME, or the beginning of names and *")));
        }
        Ok(Self { text: name.to_ascii_lowercase(), is_prefix })
    }

    fn is_match(&self, name: &[u8]) -> bool {
        let own = self.text.as_bytes();
        let start = if self.is_prefix { name.get(..own.len()) } else { Some(name) };
        start.is_some_and(|start| start.eq_ignore_ascii_case(own))
    }
}

impl Strip {
    pub fn new(args: &ProxyArgs) -> Result<Self, Failure> {
        let parse = |flag: &'static str, list: &[String]| {
            list.iter().map(|text| Pattern::parse(flag, text)).collect::<Result<Vec<_>, _>>()
        };
        Ok(Self {
            headers: parse("--strip-header", &args.strip_header)?,
            query: parse("--strip-query", &args.strip_query)?,
        })
    }

    /// Leaves the headers that are forwarded, without `Host`. This happens before signing: a header that `Connection`
    /// names can't be one of the signature.
    pub fn headers(&self, headers: &mut HeaderMap) {
        headers::remove_hop_by_hop(headers);
        headers::join_lengths(headers);
        headers.remove(HOST);
        headers::remove_where(headers, |name| {
            is_of_signature_or_body(name) || self.headers.iter().any(|own| own.is_match(name.as_bytes()))
        });
    }

    /// The path and query that are forwarded: as they arrived, without the removed parameters.
    pub fn target(&self, uri: &http::Uri) -> String {
        let path = uri.path();
        let Some(query) = uri.query() else { return path.to_owned() };
        let is_kept = |pair: &&str| {
            let name = decoded_once(pair.split_once('=').map_or(*pair, |(name, _)| name));
            !is_presigned_parameter(&name) && !self.query.iter().any(|own| own.is_match(&name))
        };
        let pairs: Vec<&str> = query.split('&').collect();
        let kept: Vec<&str> = pairs.iter().copied().filter(|pair| is_kept(pair)).collect();
        if kept.is_empty() && !pairs.is_empty() && query.len() > 1 {
            return path.to_owned();
        }
        format!("{path}?{}", kept.join("&"))
    }
}

/// Returns `true` if the client has encoded the body in chunks, with a signature or a checksum of its own.
pub fn is_aws_chunked(headers: &HeaderMap) -> bool {
    let is_streaming =
        headers.get("x-amz-content-sha256").is_some_and(|hash| hash.as_bytes().starts_with(b"STREAMING-"));
    let encodings = headers.get_all(CONTENT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    is_streaming
        || encodings.flat_map(|value| value.split(',')).any(|name| name.trim().eq_ignore_ascii_case("aws-chunked"))
}

/// Returns `true` if the client sends a checksum of the body. S3 refuses a second one.
pub fn has_checksum(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| Checksum::from_header_name(name.as_str()).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strip(headers: &[&str], query: &[&str]) -> Strip {
        let parse = |list: &[&str]| list.iter().map(|text| Pattern::parse("--x", text).unwrap()).collect();
        Strip { headers: parse(headers), query: parse(query) }
    }

    #[test]
    fn queries_stay_as_they_arrived() {
        let strip = strip(&[], &["utm_*", "token"]);
        for (target, expected) in [
            ("/a", "/a"),
            ("/a?", "/a?"),
            ("/a?b", "/a?b"),
            ("/a?b=%7e&&c=+", "/a?b=%7e&&c=+"),
            ("/a?token=1&b=2", "/a?b=2"),
            ("/a?TOKEN=1", "/a"),
            ("/a?%74oken=1&tokens=2", "/a?tokens=2"),
            ("/a?utm_source=1&utm_=2&utm=3", "/a?utm=3"),
            ("/a?X-Amz-Signature=1&x%2Damz-credential=2&X-Amz-Meta=3", "/a?X-Amz-Meta=3"),
        ] {
            assert_eq!(strip.target(&target.parse().unwrap()), expected, "{target}");
        }
    }

    #[test]
    fn names_and_prefixes_of_headers() {
        let strip = strip(&["x-internal-*", "Cookie"], &[]);
        let list = [
            ("x-internal-a", "1"),
            ("x-internal", "1"),
            ("cookie", "1"),
            ("cookies", "1"),
            ("authorization", "AWS4-HMAC-SHA256 x"),
            ("x-amz-date", "1"),
            ("x-amz-target", "1"),
            ("host", "a"),
            ("connection", "x-amz-meta-a"),
            ("x-amz-meta-a", "1"),
        ];
        let mut headers: HeaderMap = list
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), http::HeaderValue::from_static(value)))
            .collect();
        strip.headers(&mut headers);
        let mut left: Vec<_> = headers.keys().map(http::HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["cookies", "x-amz-target", "x-internal"]);
    }

    #[test]
    fn patterns_that_match_everything_are_refused() {
        for text in ["", "*", "a*b", "**"] {
            assert!(Pattern::parse("--strip-header", text).is_err(), "{text}");
        }
    }
}
