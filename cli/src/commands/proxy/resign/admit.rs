//! Whether a verified request may pass.
//!
//! The client is not trusted: it signs whatever it likes with its placeholder key, so what it signed proves who it is and
//! nothing more.

use std::time::Duration;

use countersign::{Rules, VerifiedHead};
use http::request::Parts;

use super::targets::Target;
use super::{Settings, guard, outgoing};
use crate::serve::forward::headers::is_override;
use crate::serve::keys::{Asked, Key};
use crate::serve::path::Path;

/// The check that failed, and why.
type Refused = (&'static str, String);

/// Objects that an S3 request reads or removes besides the one in its path.
const SOURCES: [&str; 2] = ["x-amz-copy-source", RENAME];
const RENAME: &str = "x-amz-rename-source";

pub fn target<'s>(settings: &'s Settings, verified: &VerifiedHead<'_>) -> Option<&'s Target> {
    let scope = verified.scope();
    let region = verified.region_set().is_none().then(|| scope.region());
    settings.targets.find(scope.service(), region)
}

pub fn check(
    settings: &Settings,
    key: &Key,
    head: &Parts,
    verified: &VerifiedHead<'_>,
    target: &Target,
) -> Result<(), Refused> {
    let host = target.host.to_str().unwrap_or_default();
    let Ok(path) = outgoing::path(verified, &settings.virtual_hosts) else {
        return Err(("host", "what precedes the --virtual-host in the host can't be a bucket".into()));
    };
    let expires = verified.is_presigned().then(|| expires(verified)).flatten();
    let asked = Asked { host, method: verified.method(), path: &path, service: verified.scope().service(), expires };
    if !key.permits(&asked) {
        let reason = format!("no [[key.allow]] of the key permits the request to {host}");
        return Err(("allow", reason));
    }
    if target.upstream.has_base() && !Path::parse(&path).is_clear() {
        return Err(("path", "the path could leave that of the upstream".into()));
    }
    if let Some(name) = verified.signed_headers().find(|name| is_override(name)) {
        return Err(("override", format!("the header {name} replaces the method or the path at some servers")));
    }
    if Rules::for_service(asked.service).post_policy {
        check_host(settings, verified.host())?;
        sources(key, head, &asked)?;
    }
    match guard::refused(verified, &path) {
        Some(reason) if !settings.allow_credentials_in_answers => Err(("credentials_in_answer", reason.into())),
        _ => Ok(()),
    }
}

/// A copy reads its source, and renaming removes it: that has to be permitted, too.
fn sources(key: &Key, head: &Parts, asked: &Asked<'_>) -> Result<(), Refused> {
    // Of a presigned request, they can be in the query; the signature covers both.
    let in_headers = head.headers.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()));
    let in_query = outgoing::pairs(head.uri.query().unwrap_or_default());
    let in_query = in_query.map(|(name, value)| (String::from_utf8_lossy(&name).to_lowercase(), value));
    for (name, value) in in_headers.chain(in_query).filter(|(name, _)| SOURCES.contains(&name.as_str())) {
        let value = String::from_utf8_lossy(&value).into_owned();
        let path = value.split('?').next().unwrap_or_default();
        let path = format!("/{}", path.strip_prefix('/').unwrap_or(path));
        // S3 decodes the value, and reads a plus as a space.
        let (method, paths) = (if name == RENAME { "DELETE" } else { "GET" }, [path.replace('+', "%20"), path]);
        let is_permitted = |path: &String| key.permits(&Asked { method, path, expires: None, ..asked.clone() });
        if !paths.iter().all(is_permitted) {
            return Err(("allow", format!("no [[key.allow]] of the key permits {method} for the object in {name}")));
        }
    }
    Ok(())
}

/// `bucket.localhost`: the bucket would be lost, as the upstream gets another host.
fn check_host(settings: &Settings, host: &str) -> Result<(), Refused> {
    if matches!(settings.virtual_hosts.bucket(host), Ok(Some(_))) {
        return Ok(());
    }
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name).to_ascii_lowercase();
    match name.ends_with(".localhost") {
        true => Err((
            "host",
            "the bucket is in the host, which needs --virtual-host or a client with path-style addressing".into(),
        )),
        false => Ok(()),
    }
}

fn expires(verified: &VerifiedHead<'_>) -> Option<Duration> {
    let mut pairs = verified.query_pairs();
    let (_, value) = pairs.find(|(name, _)| **name == *b"X-Amz-Expires")?;
    std::str::from_utf8(&value).ok()?.parse().ok().map(Duration::from_secs)
}
