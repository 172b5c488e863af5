//! The endpoints of AWS services: configured URLs, FIPS and dual-stack host names, and the region they are in.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

use http::Uri;

use super::context::{Context, Setting};
use super::error::SourceError;
use crate::endpoint::partition::Partition;
use crate::text::excerpt;

const GOV: &str = "aws-us-gov";

impl Context {
    /// Returns the URL of a service in a region, without a slash at the end. `service` is the name in settings, e.g.
    /// `sso_oidc` for `AWS_ENDPOINT_URL_SSO_OIDC` and `[services]`; `host` is the first part of the host name, e.g.
    /// `oidc`.
    ///
    /// # Errors
    /// A setting is malformed, the region can't be part of a host name, or FIPS or dual-stack is demanded of a
    /// configured URL.
    pub(super) fn endpoint(&self, service: &str, host: &str, region: &str) -> Result<String, SourceError> {
        let fips = self.switch("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint")?;
        let dual_stack = self.switch("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint")?;
        if let Some((url, place)) = self.configured_endpoint(service)? {
            // The SDKs refuse it too: whether a configured URL is validated or has IPv6 is not known.
            let kind = match (fips, dual_stack) {
                (true, _) => "FIPS",
                (_, true) => "dual-stack",
                _ => return Ok(url),
            };
            let expected = format!("unset, since {kind} endpoints are demanded, or the demand has to be switched off");
            return Err(SourceError::Setting { place, value: url, expected });
        }
        check_region(region, || self.place_of_region(region))?;
        let partition = Partition::of_region(region);
        let suffix = if dual_stack { partition.dual_stack_suffix() } else { partition.dns_suffix };
        // In GovCloud, the ordinary endpoints of STS and IAM Identity Center are the validated ones.
        let is_marked = fips && (partition.id != GOV || dual_stack);
        Ok(format!("https://{host}{}.{region}.{suffix}", if is_marked { "-fips" } else { "" }))
    }

    /// Returns the URL that is configured for a service, without a slash at the end, and where.
    ///
    /// # Errors
    /// A setting is malformed.
    pub(super) fn configured_endpoint(&self, service: &str) -> Result<Option<(String, String)>, SourceError> {
        if self.switch("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls")? {
            return Ok(None);
        }
        let variables = [format!("AWS_ENDPOINT_URL_{}", service.to_ascii_uppercase()), "AWS_ENDPOINT_URL".into()];
        for variable in variables {
            if let Some(value) = self.environment.get(&variable) {
                return Ok(Some((base_url(value, &variable)?, variable)));
            }
        }
        let Some(profile) = self.profile() else { return Ok(None) };
        if let Some(name) = profile.get("services") {
            let value = self.profiles.services(name).and_then(|section| nested(section.get(service)?, "endpoint_url"));
            if let Some(value) = value {
                let place = format!("{service} endpoint_url of services {name}");
                return Ok(Some((base_url(value, &place)?, place)));
            }
        }
        let Some(value) = profile.get("endpoint_url").filter(|value| !value.is_empty()) else { return Ok(None) };
        let place = format!("endpoint_url of profile {}", self.profile_name);
        Ok(Some((base_url(value, &place)?, place)))
    }

    /// A setting that is on or off, and off if it isn't set.
    ///
    /// # Errors
    /// It is neither `true` nor `false`.
    pub(super) fn switch(&self, variable: &str, key: &str) -> Result<bool, SourceError> {
        let Some(Setting { value, place }) = self.setting(variable, key) else { return Ok(false) };
        match value {
            value if value.eq_ignore_ascii_case("true") => Ok(true),
            value if value.eq_ignore_ascii_case("false") => Ok(false),
            value => {
                Err(SourceError::Setting { place, value: excerpt(value.as_bytes()), expected: "true or false".into() })
            }
        }
    }

    /// Where a region was read, for errors.
    fn place_of_region(&self, region: &str) -> String {
        let variable =
            ["AWS_REGION", "AWS_DEFAULT_REGION"].iter().find(|name| self.environment.get(name) == Some(region));
        match variable {
            _ if self.region.as_deref() == Some(region) => "the region that the program was given".into(),
            Some(variable) => (*variable).to_owned(),
            None => "region of a profile".into(),
        }
    }
}

/// A region becomes part of a host name: `evil.example/` would send the request to somebody else.
pub(super) fn check_region(region: &str, place: impl FnOnce() -> String) -> Result<(), SourceError> {
    let is_label = (1..=63).contains(&region.len())
        && !region.starts_with('-')
        && !region.ends_with('-')
        && region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if is_label {
        return Ok(());
    }
    let expected = "the name of a region, e.g. eu-west-1".into();
    Err(SourceError::Setting { place: place(), value: excerpt(region.as_bytes()), expected })
}

/// Checks a URL that is configured, and returns it without a slash at the end.
pub(super) fn base_url(value: &str, place: &str) -> Result<String, SourceError> {
    let uri = value.parse::<Uri>().ok();
    let uri = uri.filter(|uri| is_web(uri) && uri.query().is_none() && !value.contains('#'));
    match uri {
        Some(_) => Ok(value.trim_end_matches('/').into()),
        None => Err(not_a_url(value, place, "an absolute URL without user and query, e.g. https://host:8443")),
    }
}

pub(super) fn not_a_url(value: &str, place: &str, expected: &str) -> SourceError {
    SourceError::Setting { place: place.into(), value: shown(value), expected: expected.into() }
}

/// Whether it is an absolute URL of HTTP whose host every client reads in the same way.
pub(super) fn is_web(uri: &Uri) -> bool {
    let Some(authority) = uri.authority() else { return false };
    let Some(port) = authority.as_str().strip_prefix(authority.host()) else { return false };
    let is_port = match port.strip_prefix(':') {
        Some(digits) => crate::text::is_digits(digits) && digits.parse::<u16>().is_ok_and(|port| port > 0),
        None => port.is_empty(),
    };
    let host = authority.host();
    let is_host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<core::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)),
    };
    matches!(uri.scheme_str(), Some("http" | "https")) && is_port && is_host
}

/// A URL for errors: without query, and without the user and password that may stand before the host.
fn shown(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let shown = match (url.split_once("//"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}//[redacted]@{rest}"),
        (None, Some((_, rest))) => format!("[redacted]@{rest}"),
        _ => url.into(),
    };
    excerpt(shown.as_bytes())
}

/// A key of one nested level: `value` has a line for each.
fn nested<'a>(value: &'a str, key: &str) -> Option<&'a str> {
    let mut keys = value.lines().filter_map(|line| line.split_once('='));
    let found = keys.rfind(|(name, _)| name.trim().eq_ignore_ascii_case(key))?;
    Some(found.1.trim()).filter(|value| !value.is_empty())
}

/// The account in an ARN, e.g. `arn:aws:sts::123456789012:assumed-role/name/session`.
pub(super) fn account_of(arn: &str) -> Option<String> {
    let account = arn.strip_prefix("arn:")?.split(':').nth(3)?;
    crate::text::is_digits(account).then(|| account.into())
}

/// The partition that an ARN names.
pub(super) fn partition_of(arn: &str) -> Option<&'static Partition> {
    Partition::of_id(arn.strip_prefix("arn:")?.split(':').next()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::environment::Environment;
    use crate::sources::io::Io;
    use crate::sources::profile::{Locations, Profiles};
    use alloc::vec;

    fn endpoint(variables: &[(&str, &str)], service: &str, host: &str, region: &str) -> Result<String, SourceError> {
        let environment = Environment::new(variables.iter().copied());
        let context = Context {
            locations: Locations::of(&environment),
            environment,
            profiles: Profiles::default(),
            profile_name: "default".into(),
            region: None,
            io: Io::new("20260101T000000Z".parse().unwrap()),
            imds_endpoint: None,
            imds_ipv6: None,
            imds_token: std::sync::Mutex::new(None),
            refreshes: Default::default(),
        };
        context.endpoint(service, host, region)
    }

    #[test]
    fn services_with_other_host_names_follow_the_same_rules() {
        let (fips, dual) = (("AWS_USE_FIPS_ENDPOINT", "true"), ("AWS_USE_DUALSTACK_ENDPOINT", "true"));
        for (variables, service, host, region, url) in [
            (vec![], "sso", "portal.sso", "eu-west-1", "https://portal.sso.eu-west-1.amazonaws.com"),
            (vec![], "sso_oidc", "oidc", "cn-north-1", "https://oidc.cn-north-1.amazonaws.com.cn"),
            (vec![fips], "sso", "portal.sso", "us-east-2", "https://portal.sso-fips.us-east-2.amazonaws.com"),
            (vec![fips], "sso", "portal.sso", "us-gov-east-1", "https://portal.sso.us-gov-east-1.amazonaws.com"),
            (vec![dual], "sso_oidc", "oidc", "us-east-2", "https://oidc.us-east-2.api.aws"),
            (vec![("AWS_ENDPOINT_URL_SSO_OIDC", "http://h:1/")], "sso_oidc", "oidc", "us-east-2", "http://h:1"),
            (
                vec![("AWS_ENDPOINT_URL_SSO", "http://h:1/")],
                "sso_oidc",
                "oidc",
                "us-east-2",
                "https://oidc.us-east-2.amazonaws.com",
            ),
        ] {
            assert_eq!(endpoint(&variables, service, host, region).as_deref(), Ok(url), "{variables:?}");
        }
        for region in ["", "evil.example/", "a.b", "a@b", "-a", "a-", "a b", &"a".repeat(64)] {
            assert!(matches!(endpoint(&[], "sso", "portal.sso", region), Err(SourceError::Setting { .. })), "{region}");
        }
    }

    #[test]
    fn nested_keys_are_found() {
        let value = "\nendpoint_url = https://one\nother=x\nENDPOINT_URL=https://two";
        assert_eq!(nested(value, "endpoint_url"), Some("https://two"));
        assert_eq!(nested("", "endpoint_url"), None);
        assert_eq!(nested("\nendpoint_url =", "endpoint_url"), None);
    }

    #[test]
    fn users_and_queries_are_not_shown() {
        assert_eq!(shown("http://user:pass@host/path?token=x"), "http://[redacted]@host/path");
        assert_eq!(shown("user:pass@host"), "[redacted]@host");
        assert_eq!(shown("http://a@b/c@d"), "http://[redacted]@d");
    }

    #[test]
    fn only_unambiguous_urls_are_accepted() {
        for url in ["http://h", "https://h:8443/base", "http://[::1]:80/", "http://127.0.0.1", "HTTP://h"] {
            assert!(url.parse::<Uri>().is_ok_and(|uri| is_web(&uri)), "{url}");
        }
        for url in [
            "h",
            "/path",
            "ftp://h",
            "http://",
            "http://u@h",
            "http://h:",
            "http://h:0",
            "http://h:65536",
            "http://h:+1",
            "http://[::1",
            "http://[v1.a]",
            "http://h%2eh",
            "http://[fe80::1%25eth0]",
            "http://a b",
            "http:/h",
            "//h",
            "http://h\\@g",
        ] {
            assert!(!url.parse::<Uri>().is_ok_and(|uri| is_web(&uri)), "{url}");
        }
    }

    #[test]
    fn accounts_and_partitions_are_read_from_arns() {
        assert_eq!(account_of("arn:aws:sts::123456789012:assumed-role/a/b").as_deref(), Some("123456789012"));
        assert_eq!(account_of("arn:aws:sts:::assumed-role/a/b"), None);
        assert_eq!(account_of("123456789012"), None);
        assert_eq!(partition_of("arn:aws-cn:iam::1:role/a").map(|found| found.global_region), Some("cn-northwest-1"));
        assert!(partition_of("arn:moon:iam::1:role/a").is_none());
    }
}
