//! Checks the arguments before signing, because a server reports only that the token is invalid.

use alloc::format;
use alloc::string::String;
use core::net::Ipv6Addr;

use super::TokenError;
use crate::endpoint::partition::Partition;
use crate::text::excerpt;

/// Returns a value as an error message shows it: without the user info (before `@`) and the query of a URL, since
/// either may contain a password.
pub(super) fn shown(value: &str) -> String {
    let (value, query) = value.split_once('?').unwrap_or((value, ""));
    if query.contains('@') {
        return String::from("…");
    }
    let mut shown = match value.rsplit_once('@') {
        Some((_, rest)) => excerpt(format!("…@{rest}").as_bytes()),
        None => excerpt(value.as_bytes()),
    };
    if !query.is_empty() {
        shown.push_str("?…");
    }
    shown
}

pub(super) fn check_region(region: &str) -> Result<(), TokenError> {
    check_filled("region", region)?;
    if region.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-') {
        Ok(())
    } else {
        Err(TokenError::Region { got: shown(region) })
    }
}

pub(super) fn check_filled(field: &'static str, value: &str) -> Result<(), TokenError> {
    if value.is_empty() { Err(TokenError::Empty { field }) } else { Ok(()) }
}

/// Returns a host name in lower case, as in a URL, if `host` is one.
pub(super) fn host(host: &str) -> Result<String, TokenError> {
    check_filled("host", host)?;
    let got = || shown(host);
    if host.contains("://") {
        return Err(TokenError::Scheme { field: "host", got: got() });
    }
    if let Some(bracketed) = host.strip_prefix('[') {
        return match bracketed.split_once(']') {
            Some((address, "")) if address.parse::<Ipv6Addr>().is_ok() => Ok(host.to_ascii_lowercase()),
            Some((address, rest)) if address.parse::<Ipv6Addr>().is_ok() && rest.starts_with(':') => {
                Err(TokenError::PortInHost { got: got() })
            }
            _ => Err(TokenError::Host { got: got() }),
        };
    }
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    };
    match host.split_once(':') {
        Some((name, port)) if is_name(name) && port.bytes().all(|byte| byte.is_ascii_digit()) => {
            Err(TokenError::PortInHost { got: got() })
        }
        None if is_name(host) => Ok(host.to_ascii_lowercase()),
        _ => Err(TokenError::Host { got: got() }),
    }
}

/// Returns the name of a cache or cluster in lower case, which is how AWS stores it.
pub(super) fn resource_name(field: &'static str, name: &str) -> Result<String, TokenError> {
    check_filled(field, name)?;
    let got = || shown(name);
    if name.contains("://") {
        Err(TokenError::Scheme { field, got: got() })
    } else if name.contains(['.', ':']) {
        Err(TokenError::Endpoint { field, got: got() })
    } else if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        Err(TokenError::Name { field, got: got(), takes: "letters, digits and '-'" })
    } else {
        Ok(name.to_ascii_lowercase())
    }
}

/// Returns the host name of a service in a region.
pub(super) fn regional_host(service: &str, region: &str) -> String {
    format!("{service}.{region}.{}", Partition::of_region(region).dns_suffix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn hosts() {
        for (given, taken) in [
            ("Db.Example.COM", "db.example.com"),
            ("a_b-c.1", "a_b-c.1"),
            ("10.0.0.1", "10.0.0.1"),
            ("[2001:DB8::1]", "[2001:db8::1]"),
        ] {
            assert_eq!(host(given).unwrap(), taken);
        }
        let error = |given: &str| host(given).unwrap_err();
        assert_eq!(error(""), TokenError::Empty { field: "host" });
        for url in ["https://db.example.com", "postgres://db.example.com:5432/x"] {
            assert_eq!(error(url), TokenError::Scheme { field: "host", got: url.into() });
        }
        let got = "…@db.example.com/x".into();
        assert_eq!(error("postgres://app:p@ssword@db.example.com/x"), TokenError::Scheme { field: "host", got });
        assert_eq!(error("app:password@db"), TokenError::Host { got: "…@db".into() });
        for (url, got) in [
            ("postgres://db.example.com/x?password=secret", "postgres://db.example.com/x?…"),
            ("postgres://app@db.example.com/x?password=secret", "…@db.example.com/x?…"),
            ("postgres://db.example.com/x?password=s@cret", "…"),
            ("postgres://app:s?cret@db.example.com/x", "…"),
        ] {
            assert_eq!(error(url), TokenError::Scheme { field: "host", got: got.into() });
        }
        for with_port in ["db.example.com:5432", "db:", "[::1]:5432"] {
            assert_eq!(error(with_port), TokenError::PortInHost { got: with_port.into() });
        }
        for other in [
            "db.example.com/x",
            "user@db",
            "db?x",
            "db#x",
            "db x",
            " db",
            "db\n",
            "2001:db8::1",
            "::1",
            "[db]",
            "[::1",
            "[::1]x",
            "dbü",
            "db%41",
            ":5432",
            "//db",
        ] {
            assert!(matches!(error(other), TokenError::Host { .. }), "{other:?}: {:?}", error(other));
        }
        assert!(error("a\u{1b}[31m").to_string().contains('\u{fffd}'));
    }

    #[test]
    fn regions() {
        assert!(["us-east-1", "us-gov-west-1", "cn-north-1", "aws-global"].iter().all(|r| check_region(r).is_ok()));
        for region in
            ["", "*", "us-east-1,us-west-2", "US-EAST-1", "us east", "us/east", "a.evil.example", "us-east-1\n"]
        {
            assert!(check_region(region).is_err(), "{region:?}");
        }
    }
}
