//! What a key may do.

use std::time::Duration;

use crate::serve::path::Path;

/// One `[[key.allow]]`. A request is allowed if one of them has no condition that isn't met.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allow {
    pub hosts: Vec<String>,
    pub methods: Vec<String>,
    pub path_prefixes: Vec<String>,
    pub services: Vec<String>,
    pub max_expires: Option<Duration>,
}

/// What a verified request wants to do.
#[derive(Clone, Debug)]
pub struct Asked<'r> {
    pub host: &'r str,
    pub method: &'r str,
    /// The path that is forwarded.
    pub path: &'r str,
    pub service: &'r str,
    /// How long the presigned URL is valid.
    pub expires: Option<Duration>,
}

impl Allow {
    pub fn permits(&self, asked: &Asked<'_>) -> bool {
        let any = |list: &[String], is: &dyn Fn(&str) -> bool| list.is_empty() || list.iter().any(|one| is(one));
        any(&self.hosts, &|host| is_host(host, asked.host))
            && any(&self.methods, &|method| method == "ANY" || method == asked.method)
            && (self.path_prefixes.is_empty() || self.has_prefix(asked.path))
            && any(&self.services, &|service| service == asked.service)
            && self.max_expires.is_none_or(|most| asked.expires.is_none_or(|expires| expires <= most))
    }

    /// A path that servers could read in two ways has none of the prefixes.
    fn has_prefix(&self, path: &str) -> bool {
        let path = Path::parse(path);
        self.path_prefixes.iter().any(|prefix| path.is_clear() && path.is_below(prefix))
    }
}

/// `*.example.com` stands for one label or more.
pub fn is_host(pattern: &str, host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    let pattern = pattern.to_ascii_lowercase();
    match pattern.strip_prefix('*') {
        Some(rest) if rest.starts_with('.') => host.len() > rest.len() && host.ends_with(rest),
        _ => host == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> Asked<'static> {
        Asked { host: "a.example.com:8080", method: "GET", path: "/dev/x", service: "s3", expires: None }
    }

    #[test]
    fn every_condition_counts() {
        let list = |text: &str| vec![text.to_owned()];
        assert!(Allow::default().permits(&asked()));
        for (allow, is_permitted) in [
            (Allow { hosts: list("A.example.com:8080"), ..Allow::default() }, true),
            (Allow { hosts: list("*.example.com:8080"), ..Allow::default() }, true),
            (Allow { hosts: list("*.example.com"), ..Allow::default() }, false),
            (Allow { hosts: list("*"), ..Allow::default() }, false),
            (Allow { methods: list("GET"), ..Allow::default() }, true),
            (Allow { methods: list("get"), ..Allow::default() }, false),
            (Allow { path_prefixes: list("/dev"), ..Allow::default() }, true),
            (Allow { path_prefixes: list("/de"), ..Allow::default() }, false),
            (Allow { services: list("sts"), ..Allow::default() }, false),
            (Allow { hosts: list("a.example.com:8080"), methods: list("PUT"), ..Allow::default() }, false),
        ] {
            assert_eq!(allow.permits(&asked()), is_permitted, "{allow:?}");
        }
    }

    #[test]
    fn prefixes_are_not_left() {
        let allow = Allow { path_prefixes: vec!["/dev/a".into()], ..Allow::default() };
        for path in ["/dev/a/../b", "/dev/a/%2e%2e/b", "/dev/a%2f..%2fb", "/dev/a/..;/b", "/dev/A", "/dev/ab"] {
            assert!(!allow.permits(&Asked { path, ..asked() }), "{path}");
        }
    }

    #[test]
    fn long_lived_urls() {
        let allow = Allow { max_expires: Some(Duration::from_secs(60)), ..Allow::default() };
        for (seconds, is_permitted) in [(60, true), (61, false)] {
            let expires = Some(Duration::from_secs(seconds));
            assert_eq!(allow.permits(&Asked { expires, ..asked() }), is_permitted);
        }
    }
}
