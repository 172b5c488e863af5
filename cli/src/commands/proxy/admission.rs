//! Keeps pages in a browser from using the proxy. A page of any site can send requests to loopback, and the browser would
//! only keep the answer from it. With a name that it points to loopback (DNS rebinding), it could read the answer, too.

use std::net::{IpAddr, SocketAddr};

use http::header::ORIGIN;
use http::uri::Authority;
use http::{HeaderMap, HeaderValue};

use crate::args::ProxyArgs;
use crate::failure::Failure;

pub struct Admission {
    listen: SocketAddr,
    external_hosts: Vec<String>,
    origins: Vec<String>,
    /// With --allow-host, the host is that of the upstream, and has to be in the list.
    is_fixed: bool,
}

/// Why a request is refused: the check, a reason for the log, and a message for the client.
pub struct Refused {
    pub check: &'static str,
    pub message: &'static str,
}

impl Admission {
    pub fn new(args: &ProxyArgs) -> Result<Self, Failure> {
        let origins = args.allow_origin.iter().map(|origin| {
            let wrong = || Failure::usage(format!("--allow-origin {origin:?} must be such as http://localhost:3000"));
            let (scheme, host) = origin.split_once("://").ok_or_else(wrong)?;
            let is_host = host.parse::<Authority>().is_ok_and(|host| !host.as_str().contains('@'));
            let is_origin = matches!(scheme, "http" | "https") && is_host;
            if is_origin { Ok(origin.to_ascii_lowercase()) } else { Err(wrong()) }
        });
        Ok(Self {
            listen: args.serve.listen,
            external_hosts: args.external_host.iter().map(|host| host.to_ascii_lowercase()).collect(),
            origins: origins.collect::<Result<_, _>>()?,
            is_fixed: args.upstream.is_some(),
        })
    }

    /// `host` is what the client calls this server, or the upstream.
    pub fn check(&self, headers: &HeaderMap, host: &Authority) -> Result<(), Refused> {
        if self.is_fixed && !self.is_own(host) {
            let message = "The Host of the request is not a name of the proxy. See --external-host.";
            return Err(Refused { check: "host", message });
        }
        let origins = || headers.get_all(ORIGIN).iter().map(HeaderValue::as_bytes);
        let is_own = |origin: &[u8]| self.origins.iter().any(|own| is_equal(origin, own));
        let is_listed = headers.contains_key(ORIGIN) && origins().all(is_own);
        if is_listed {
            return Ok(());
        }
        let is_same = |origin: &[u8]| {
            let schemes = ["http", "https"];
            schemes.iter().any(|scheme| is_equal(origin, &format!("{scheme}://{host}")))
        };
        // A site is all ports of a host: another program on this machine is not this one.
        let mut sites = headers.get_all("sec-fetch-site").iter();
        let is_foreign = sites.any(|site| !matches!(site.as_bytes(), b"same-origin" | b"none"));
        if is_foreign || !origins().all(is_same) {
            let message = "A page of another origin sent the request. See --allow-origin.";
            return Err(Refused { check: "origin", message });
        }
        Ok(())
    }

    /// Returns `true` for names that nobody else can point here.
    fn is_own(&self, host: &Authority) -> bool {
        let whole = host.as_str().to_ascii_lowercase();
        let name = host.host().to_ascii_lowercase();
        if self.external_hosts.iter().any(|own| *own == whole || *own == name) {
            return true;
        }
        match name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            Ok(address) => {
                let own = self.listen.ip();
                address.is_loopback() || address == own || own.is_unspecified()
            }
            Err(_) => name == "localhost" || name.ends_with(".localhost"),
        }
    }
}

fn is_equal(value: &[u8], text: &str) -> bool {
    value.eq_ignore_ascii_case(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    fn admission(listen: &str, is_fixed: bool) -> Admission {
        Admission {
            listen: listen.parse().unwrap(),
            external_hosts: vec!["proxy.test".into(), "other.test:81".into()],
            origins: vec!["http://app.test:3000".into()],
            is_fixed,
        }
    }

    fn check(admission: &Admission, host: &str, headers: &[(&'static str, &'static str)]) -> Option<&'static str> {
        let list = headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        let mut headers = HeaderMap::new();
        for (name, value) in list {
            headers.append(name, value);
        }
        admission.check(&headers, &host.parse().unwrap()).err().map(|refused| refused.check)
    }

    #[test]
    fn names_that_others_can_point_here_are_refused() {
        let own = admission("127.0.0.1:8081", true);
        for host in
            ["127.0.0.1:8081", "localhost", "LOCALHOST:1", "a.localhost", "[::1]:8081", "127.9.9.9", "Proxy.test:5"]
        {
            assert_eq!(check(&own, host, &[]), None, "{host}");
        }
        for host in
            ["example.com", "127.0.0.1.example.com", "localhost.example.com", "10.0.0.1", "other.test", "0.0.0.0"]
        {
            assert_eq!(check(&own, host, &[]), Some("host"), "{host}");
        }
        assert_eq!(check(&own, "other.test:81", &[]), None);
        assert_eq!(check(&admission("10.0.0.1:8081", true), "10.0.0.1:8081", &[]), None);
        assert_eq!(check(&admission("0.0.0.0:8081", true), "10.0.0.1:8081", &[]), None);
        assert_eq!(check(&admission("0.0.0.0:8081", true), "example.com", &[]), Some("host"));
        assert_eq!(check(&admission("127.0.0.1:8081", false), "bucket.s3.amazonaws.com", &[]), None);
    }

    #[test]
    fn pages_of_other_origins_are_refused() {
        let own = admission("127.0.0.1:8081", true);
        let host = "localhost:8081";
        for headers in [
            &[][..],
            &[("origin", "http://localhost:8081"), ("sec-fetch-site", "same-origin")],
            &[("sec-fetch-site", "none")],
            &[("origin", "http://app.test:3000"), ("sec-fetch-site", "cross-site")],
        ] {
            assert_eq!(check(&own, host, headers), None, "{headers:?}");
        }
        for headers in [
            &[("origin", "http://evil.test")][..],
            &[("origin", "null")],
            &[("origin", "")],
            &[("origin", "http://localhost:3000")],
            &[("origin", "http://localhost")],
            &[("origin", "http://app.test:3000"), ("origin", "http://evil.test")],
            &[("origin", "http://localhost:8081"), ("origin", "http://evil.test")],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "none"), ("sec-fetch-site", "cross-site")],
            &[("origin", "http://localhost:8081"), ("sec-fetch-site", "cross-site")],
        ] {
            assert_eq!(check(&own, host, headers), Some("origin"), "{headers:?}");
        }
    }
}
