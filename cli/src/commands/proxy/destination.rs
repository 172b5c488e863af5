//! Where a request is sent, and what it is signed for.

use std::sync::Arc;

use countersign::tower::SignLayer;
use countersign::{Credentials, ErrorFormat, Rules};
use http::header::HOST;
use http::request::Parts;
use http::uri::Authority;

use super::source::Source;
use crate::args::{ProxyArgs, ScopeArgs, TransportArgs};
use crate::endpoint::Target;
use crate::failure::Failure;
use crate::serve::forward::Upstream;
use crate::serve::keys::is_host;
use crate::serve::refusal;

/// A host, and how requests to it are signed.
pub struct Destination {
    pub upstream: Upstream,
    pub target: Target,
    pub rules: Rules,
    pub format: ErrorFormat,
    pub layer: SignLayer<Source>,
}

/// Where requests can be sent.
pub enum Destinations {
    Fixed(Arc<Destination>),
    Listed(Box<Listed>),
}

/// The hosts of --allow-host.
pub struct Listed {
    /// In lower case and without the default port.
    patterns: Vec<String>,
    /// For the host that is found.
    any: Upstream,
    maker: Maker,
}

/// Why a request is sent nowhere.
pub enum Nowhere {
    /// The host is missing, malformed or ambiguous.
    BadHost,
    NotAllowed,
    /// Service or region are not known.
    NoScope(Failure),
}

/// What is the same for all destinations.
pub struct Maker {
    scope: ScopeArgs,
    configured: Option<String>,
    source: Source,
}

impl Destinations {
    /// `configured` is the region of the environment or the profile.
    pub fn new(args: &ProxyArgs, source: Source, configured: Option<String>) -> Result<Self, Failure> {
        let maker = Maker { scope: args.scope.clone(), configured, source };
        let transport =
            TransportArgs { insecure: args.insecure, cacert: args.cacert.clone(), ..TransportArgs::default() };
        let limits = &args.serve.limits;
        if let Some(url) = &args.upstream {
            let upstream = Upstream::new(url, &transport, limits)?;
            return Ok(Self::Fixed(Arc::new(maker.make(upstream)?)));
        }
        let scheme = args.upstream_scheme.as_str();
        let any = Upstream::new(&format!("{scheme}://invalid."), &transport, limits)?;
        let patterns = args.allow_host.iter().map(|pattern| {
            let pattern = parse_pattern(pattern, any.default_port())?;
            // What can't be signed is better known at the start.
            if !pattern.starts_with('*')
                && let Ok(authority) = pattern.parse()
            {
                maker.make(any.with_authority(authority))?;
            }
            Ok(pattern)
        });
        let patterns = patterns.collect::<Result<_, Failure>>()?;
        Ok(Self::Listed(Box::new(Listed { patterns, any, maker })))
    }

    pub fn is_https(&self) -> bool {
        match self {
            Self::Fixed(destination) => destination.upstream.is_https(),
            Self::Listed(listed) => listed.any.is_https(),
        }
    }

    /// The destination of a request. `named` is the host that the request names.
    pub fn find(&self, named: &Authority) -> Result<Arc<Destination>, Nowhere> {
        let Listed { patterns, any, maker } = match self {
            Self::Fixed(destination) => return Ok(Arc::clone(destination)),
            Self::Listed(listed) => &**listed,
        };
        let host = normal(named.as_str(), any.default_port()).filter(|host| is_name(host)).ok_or(Nowhere::BadHost)?;
        if !patterns.iter().any(|pattern| is_host(pattern, &host)) {
            return Err(Nowhere::NotAllowed);
        }
        let authority = host.parse().map_err(|_| Nowhere::BadHost)?;
        maker.make(any.with_authority(authority)).map(Arc::new).map_err(Nowhere::NoScope)
    }
}

impl Maker {
    fn make(&self, upstream: Upstream) -> Result<Destination, Failure> {
        let host = upstream.authority().host().trim_start_matches('[').trim_end_matches(']');
        let target = Target::find(&self.scope, host, self.configured.as_deref())?;
        // Never used: the layer takes the credentials of the source.
        let nobody = Credentials::new("NOBODY", "none").map_err(Failure::usage)?;
        let signer = target.signer(nobody)?;
        let layer = SignLayer::new(self.source.clone(), "none", &target.service).map_err(Failure::usage)?;
        Ok(Destination {
            upstream,
            rules: Rules::for_service(&target.service),
            format: refusal::format_of(&target.service),
            layer: layer.signer(|_| signer),
            target,
        })
    }
}

/// The host that a request names: in its absolute URI, `:authority` or `Host`. They must not name different ones.
pub fn named(head: &Parts) -> Option<Authority> {
    let mut hosts = head.headers.get_all(HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (_, Some(_)) => return None,
        (Some(host), None) => Some(Authority::try_from(host.as_bytes()).ok()?),
        (None, None) => None,
    };
    let named = match (head.uri.authority(), host) {
        (Some(one), Some(other)) if *one != other => return None,
        (Some(one), _) => one.clone(),
        (None, host) => host?,
    };
    (!named.as_str().contains('@')).then_some(named)
}

/// `HOST`, `HOST:PORT`, `*.DOMAIN` or `*.DOMAIN:PORT`.
fn parse_pattern(text: &str, default_port: u16) -> Result<String, Failure> {
    let wrong = |problem: &str| Failure::usage(format!("--allow-host {text:?}: {problem}"));
    let host = text.strip_prefix("*.").unwrap_or(text);
    let host = normal(host, default_port).filter(|host| is_name(host)).ok_or_else(|| {
        wrong("it must be a host such as bucket.s3.amazonaws.com or *.s3.amazonaws.com, without a scheme and a path")
    })?;
    if !text.starts_with("*.") {
        return Ok(host);
    }
    let has_two_labels = host.split(':').next().is_some_and(|name| name.contains('.'));
    if has_two_labels { Ok(format!("*.{host}")) } else { Err(wrong("the domain after *. must have two labels")) }
}

/// In lower case, without the default port.
fn normal(host: &str, default_port: u16) -> Option<String> {
    let authority = host.parse::<Authority>().ok().filter(|authority| !authority.as_str().contains('@'))?;
    let name = authority.host().to_ascii_lowercase();
    match authority.port() {
        // `Authority` has no port if it isn't a number.
        None => (authority.as_str().len() == name.len()).then_some(name),
        Some(port) => Some(match port_number(port.as_str())? {
            port if port == default_port => name,
            port => format!("{name}:{port}"),
        }),
    }
}

/// Digits only, without the sign that `parse` takes.
fn port_number(text: &str) -> Option<u16> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Returns `true` for names that have one reading only, and for addresses.
fn is_name(host: &str) -> bool {
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split_once(']').is_some_and(|(address, _)| address.parse::<std::net::Ipv6Addr>().is_ok());
    }
    let name = host.split(':').next().unwrap_or_default();
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    name.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (text, pattern) in [
            ("Bucket.S3.amazonaws.com", "bucket.s3.amazonaws.com"),
            ("example.com:443", "example.com"),
            ("example.com:8443", "example.com:8443"),
            ("*.example.com", "*.example.com"),
            ("*.example.com:8443", "*.example.com:8443"),
            ("[::1]:9000", "[::1]:9000"),
            ("localhost", "localhost"),
        ] {
            assert_eq!(parse_pattern(text, 443).unwrap(), pattern);
        }
        for text in [
            "*",
            "*.",
            "*.com",
            "*.com:8443",
            "a.*.com",
            "*example.com",
            "https://example.com",
            "example.com/x",
            "a@b.com",
            "",
            "a..b",
            ".a.b",
            "a.b.",
            "example.com:",
            "example.com:x",
            "example.com:99999",
            "a b",
            "a,b",
        ] {
            assert!(parse_pattern(text, 443).is_err(), "{text:?}");
        }
    }

    #[test]
    fn hosts_have_one_reading() {
        let host = |text: &str| normal(text, 443).filter(|host| is_name(host));
        assert_eq!(host("A.example.com:443").as_deref(), Some("a.example.com"));
        for text in [
            "evil.com%00.example.com",
            "evil.com;.example.com",
            "..example.com",
            "a.example.com.",
            "a.example.com:+1",
            "[::1",
            "[x]",
        ] {
            assert_eq!(host(text), None, "{text}");
        }
    }
}
