//! Upload forms of S3 (POST object). The policy is verified, the file is kept on disk until its length is known, and then
//! stored with a PUT that the real credentials sign: for S3, both are the same operation.

use std::time::Duration;

use countersign::post_policy::{PolicyError, VerifiedForm};
use countersign::{Timestamp, Verifier, encode_path};
use http::header::{ACCEPT_ENCODING, CONTENT_LENGTH, HOST};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use http_body_util::{BodyExt, StreamBody};

use super::targets::Target;
use super::verified::{Admitted, credentials, not_signed, refused};
use super::{Settings, Words, answer, sign};
use crate::commands::gate::form::read::{Form, Unreadable, frames};
use crate::commands::gate::form::reply::Reply;
use crate::commands::gate::form::{LARGEST, OBJECT, bucket};
use crate::serve::keys::Asked;
use crate::serve::path::Path;
use crate::serve::{Answer, AnswerBody, Decision, Exchange, Scope, refusal};

/// Fields that a PUT has as headers of the same name, or with names that begin so. `x-amz-copy-source` is none of them: it
/// would read another object.
const HEADERS: [&str; 9] = [
    "x-amz-acl",
    "x-amz-checksum-",
    "x-amz-expected-bucket-owner",
    "x-amz-grant-",
    "x-amz-meta-",
    "x-amz-object-lock-",
    "x-amz-server-side-encryption",
    "x-amz-storage-class",
    "x-amz-website-redirect-location",
];

/// Fields of the signature.
const SIGNATURE: [&str; 5] =
    ["x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-security-token", "x-amz-signature"];

/// A form as it was read, without its file.
struct Fields {
    bucket: String,
    list: Vec<(String, String)>,
    file_name: String,
}

/// What is verified of a form.
struct Upload {
    admitted: Admitted,
    key: String,
    service: String,
    region: String,
    headers: HeaderMap,
    most: u64,
    reply: Reply,
}

pub async fn answer(
    settings: &Settings,
    words: Words,
    verifier: &Verifier,
    (head, body): (Parts, AnswerBody),
    exchange: &Exchange,
) -> Answer {
    let stored = store(settings, words, verifier, (head, body), exchange).await;
    stored.unwrap_or_else(|answer| *answer)
}

async fn store(
    settings: &Settings,
    words: Words,
    verifier: &Verifier,
    (head, body): (Parts, AnswerBody),
    exchange: &Exchange,
) -> Result<Answer, Box<Answer>> {
    let host = head.headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = host.or(head.uri.authority().map(|authority| authority.as_str())).unwrap_or_default();
    let resource = settings.virtual_hosts.path_style(host, head.uri.path()).unwrap_or_default();
    let Some(bucket) = bucket(&resource) else {
        let reason = "a form must be sent to /BUCKET, or to / of the host of the bucket";
        return Err(refused(words, exchange, "target", reason.into()));
    };
    let unreadable = |error| unreadable(words, exchange, error);
    let mut form = Form::read(&head.headers, body, &settings.ground.budget).await.map_err(unreadable)?;
    let list = std::mem::take(&mut form.fields);
    let fields = Fields { bucket: bucket.into(), list, file_name: form.file_name().into() };
    let upload = fields.upload(settings, words, verifier, exchange)?;
    let found = credentials(settings, words, &upload.admitted, exchange).await?;
    let (file, bytes) = form.spool(upload.most.min(LARGEST), &settings.ground.disk).await.map_err(unreadable)?;
    // The same form, now that the length is known: it can have expired in between, and then isn't stored.
    let checked = fields.verified(settings, verifier, |form| form.check_file_length(bytes));
    checked.and_then(|checked| checked).map_err(|error| policy(words, exchange, &error))?;
    let target = target(settings, &upload).ok_or_else(|| Box::new(words.denied()))?;
    let parts = upload.parts(&fields.bucket, target, bytes).ok_or_else(|| Box::new(words.denied()))?;
    let region = settings.region.as_deref().unwrap_or(&upload.region);
    let body = StreamBody::new(frames(file)).boxed_unsync();
    let signed = sign::unsigned_body(parts, body, (region, &upload.service), &found.identity);
    let signed = signed.map_err(|reason| Box::new(not_signed(words, exchange, reason)))?;
    let stored = answer::of(words, &target.upstream, signed, &found, exchange).await;
    let is_stored = stored.status().is_success();
    Ok(if is_stored { upload.reply.answer(&stored, &fields.bucket, &upload.key, host) } else { stored })
}

impl Fields {
    /// Verifies the form with the key that is there now.
    fn verified<T>(
        &self,
        settings: &Settings,
        verifier: &Verifier,
        with: impl FnOnce(&VerifiedForm<'_>) -> T,
    ) -> Result<T, PolicyError> {
        let fields = self.list.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let unverified = verifier.parse_form(&self.bucket, fields, Timestamp::now())?;
        let unverified = unverified.with_file_name(&self.file_name)?;
        let keys = settings.ground.keys.get();
        let found = keys.find(unverified.access_key_id()).map(|key| &key.credentials);
        Ok(with(&unverified.verify(found)?))
    }

    fn upload(
        &self,
        settings: &Settings,
        words: Words,
        verifier: &Verifier,
        exchange: &Exchange,
    ) -> Result<Upload, Box<Answer>> {
        let admit = |form: &VerifiedForm<'_>| self.admitted(settings, words, form, exchange);
        let verified = self.verified(settings, verifier, admit);
        verified.map_err(|error| policy(words, exchange, &error))?
    }

    fn admitted(
        &self,
        settings: &Settings,
        words: Words,
        form: &VerifiedForm<'_>,
        exchange: &Exchange,
    ) -> Result<Upload, Box<Answer>> {
        let refused = |check: &str, reason: &str| refused(words, exchange, check, reason.into());
        exchange.update(|record| {
            record.decision = Decision::Verified;
            record.caller = Some(form.access_key_id().to_owned());
        });
        let key = form.field("key").unwrap_or_default().to_owned();
        let is_dots = |segment: &str| segment == "." || segment == "..";
        if key.is_empty() || key.starts_with('/') || key.split(['/', '\\']).any(is_dots) {
            return Err(refused("form", "the key is empty, begins with a slash or has dot segments"));
        }
        let (service, region) = (form.scope().service().to_owned(), form.scope().region().to_owned());
        let Some(target) = settings.targets.find(&service, Some(&region)) else {
            return Err(refused("upstream_for", "there is no upstream for this service and region"));
        };
        let host = target.host.to_str().unwrap_or_default();
        let path = format!("/{}/{}", self.bucket, encode_path(&key));
        if target.upstream.has_base() && !Path::parse(&path).is_clear() {
            return Err(refused("path", "the path could leave that of the upstream"));
        }
        let seconds = form.expires_at().unix_seconds() - form.timestamp().unix_seconds();
        let expires = Some(Duration::from_secs(u64::try_from(seconds).unwrap_or_default()));
        let asked = Asked { host, method: "POST", path: &path, service: &service, expires };
        let keys = settings.ground.keys.get();
        let found = keys.find(form.access_key_id()).filter(|found| found.permits(&asked)).cloned();
        let Some(found) = found else {
            return Err(refused("allow", "no [[key.allow]] of the key permits the request"));
        };
        let scope = Scope { service: service.clone(), region: region.clone(), upstream: host.into() };
        exchange.update(|record| record.scope = Some(scope));
        let headers = headers(form).map_err(|name| unsupported(words, exchange, &name))?;
        let (most, reply) = (*form.file_length().end(), Reply::of(form));
        Ok(Upload { admitted: Admitted { keys, key: found }, key, service, region, headers, most, reply })
    }
}

fn target<'s>(settings: &'s Settings, upload: &Upload) -> Option<&'s Target> {
    settings.targets.find(&upload.service, Some(&upload.region))
}

impl Upload {
    fn parts(&self, bucket: &str, target: &Target, bytes: u64) -> Option<Parts> {
        let (mut parts, ()) = http::Request::new(()).into_parts();
        parts.method = Method::PUT;
        parts.uri = target.upstream.uri(&format!("/{bucket}/{}", encode_path(&self.key)))?;
        parts.headers = self.headers.clone();
        parts.headers.insert(HOST, target.host.clone());
        parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes));
        parts.headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        Some(parts)
    }
}

/// The headers that the fields set. A field that would be lost is an error.
fn headers(form: &VerifiedForm<'_>) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in form.fields() {
        let name = match name.to_ascii_lowercase() {
            acl if acl == "acl" => "x-amz-acl".to_owned(),
            name => name,
        };
        let is_header = OBJECT.contains(&name.as_str()) || HEADERS.iter().any(|own| name.starts_with(own));
        if !is_header {
            let is_lost = name == "tagging" || name.starts_with("x-amz-") && !SIGNATURE.contains(&name.as_str());
            if is_lost {
                return Err(name);
            }
            continue;
        }
        let pair = name.parse::<HeaderName>().ok().zip(HeaderValue::from_str(value).ok());
        let (own, value) = pair.ok_or(name)?;
        headers.insert(own, value);
    }
    Ok(headers)
}

fn policy(words: Words, exchange: &Exchange, error: &PolicyError) -> Box<Answer> {
    exchange.refused("form", error.to_string());
    Box::new(refusal::of_library(words.format, &error.refusal(words.format)))
}

fn unreadable(words: Words, exchange: &Exchange, error: Unreadable) -> Box<Answer> {
    exchange.refused("form", error.reason());
    Box::new(words.answer(error.status(), error.code(), error.message()))
}

fn unsupported(words: Words, exchange: &Exchange, name: &str) -> Box<Answer> {
    let reason = format!("the field {name} of a form can't be signed again; use a presigned PUT instead");
    exchange.refused("form", reason);
    let message = "The proxy can't sign a field of this form again; use a presigned PUT instead.";
    Box::new(words.answer(StatusCode::NOT_IMPLEMENTED, "NotImplemented", message))
}
