//! `--virtual-host`: the bucket is in the host, as in `https://BUCKET.s3.local/key`.

use std::borrow::Cow;

use crate::failure::Failure;

/// Names of buckets are no longer, as they are labels of a host.
const LONGEST: usize = 63;

/// The hosts below which buckets are.
#[derive(Debug, Default)]
pub struct VirtualHosts(Vec<String>);

/// The host is below one of them, but what precedes it can't be a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidBucket;

impl VirtualHosts {
    pub fn new(hosts: &[String]) -> Result<Self, Failure> {
        let checked = hosts.iter().map(|host| {
            let is_host = !host.is_empty() && host.split('.').all(is_label);
            let wrong = || Failure::usage("--virtual-host must be a host such as s3.local, without a port");
            if is_host { Ok(format!(".{}", host.to_ascii_lowercase())) } else { Err(wrong()) }
        });
        Ok(Self(checked.collect::<Result<_, _>>()?))
    }

    /// Returns the bucket, in lower case as hosts ignore case. With any port, since it says nothing about the bucket.
    pub fn bucket(&self, host: &str) -> Result<Option<String>, InvalidBucket> {
        if self.0.is_empty() {
            return Ok(None);
        }
        if !is_clear(host) {
            return Err(InvalidBucket);
        }
        let host = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        // The longest one: `b.eu.s3.local` is the bucket `b` if `eu.s3.local` is one of them, too.
        let Some(below) = self.0.iter().filter(|own| host.ends_with(*own)).max_by_key(|own| own.len()) else {
            return Ok(None);
        };
        let bucket = host.strip_suffix(below.as_str()).unwrap_or_default();
        let is_bucket = bucket.len() <= LONGEST && bucket.split('.').all(is_label);
        if is_bucket { Ok(Some(bucket.to_owned())) } else { Err(InvalidBucket) }
    }

    /// Returns the path with the bucket as its first segment.
    pub fn path_style<'p>(&self, host: &str, path: &'p str) -> Result<Cow<'p, str>, InvalidBucket> {
        Ok(match self.bucket(host)? {
            Some(bucket) => format!("/{bucket}{path}").into(),
            None => path.into(),
        })
    }
}

/// Returns `false` for what one server reads as a host with a bucket and another doesn't, such as `b.s3.local:80:90`. With
/// --preserve-host, the upstream reads it, too.
fn is_clear(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !host.ends_with(']') => (name, port),
        _ => (host, ""),
    };
    let address = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    port.bytes().all(|byte| byte.is_ascii_digit())
        && !name.ends_with("..")
        && address.map_or_else(|| name.bytes().all(is_name), |address| address.parse::<std::net::Ipv6Addr>().is_ok())
}

fn is_label(label: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !label.is_empty() && !label.starts_with('-') && !label.ends_with('-') && label.bytes().all(is_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_of_hosts() {
        let hosts = VirtualHosts::new(&["s3.local".into(), "EU.s3.local".into()]).unwrap();
        for (host, bucket) in [
            ("b.s3.local", Some("b")),
            ("b.s3.local:9000", Some("b")),
            ("b.s3.local.", Some("b")),
            ("B.S3.Local", Some("b")),
            ("a.b.s3.local", Some("a.b")),
            ("b.eu.s3.local", Some("b")),
            ("eu.s3.local.example", None),
            ("s3.local", None),
            ("xs3.local", None),
            ("127.0.0.1:9000", None),
            ("[::1]:9000", None),
            ("[::1]", None),
            ("", None),
            ("my_host:80", None),
        ] {
            assert_eq!(hosts.bucket(host), Ok(bucket.map(str::to_owned)), "{host}");
        }
        let long = format!("{}.s3.local", "b".repeat(64));
        for host in [
            ".s3.local",
            "a..b.s3.local",
            "a/b.s3.local",
            "..s3.local",
            "a_b.s3.local",
            "-a.s3.local",
            "a%2fb.s3.local",
            "x@b.s3.local",
            "b:80.s3.local",
            " b.s3.local",
            "b.s3.local:80:90",
            "b.s3.local:x",
            "b.s3.local..",
            "b.s3.local,example.com",
            "b.s3.local/",
            "b.s3.local#",
            "b.s3.local\u{fffd}",
            "[b.s3.local]",
            &long,
        ] {
            assert_eq!(hosts.bucket(host), Err(InvalidBucket), "{host}");
        }
        for host in ["", "s3.local:9000", ".s3.local", "s3 local", "*.s3.local"] {
            assert!(VirtualHosts::new(&[host.into()]).is_err(), "{host}");
        }
    }
}
