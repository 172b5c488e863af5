//! Upload forms of browsers (S3's POST object), which a plain store doesn't know. The file is stored with a PUT once its
//! length is checked.

pub mod read;
pub mod reply;

use countersign::post_policy::{PolicyError, VerifiedForm};
use countersign::{Timestamp, encode_path};
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use http_body_util::{BodyExt, StreamBody};

use super::verified::first_use;
use super::{Settings, outgoing, signature};
use crate::serve::forward::Outgoing;
use crate::serve::keys::Asked;
use crate::serve::{Answer, AnswerBody, Decision, Exchange, refusal};
use read::{Form, Unreadable};

/// Headers of an object that a form can set with a field of the same name.
pub const OBJECT: [&str; 5] = ["cache-control", "content-disposition", "content-encoding", "content-type", "expires"];

/// No upload of a form is larger at S3.
pub const LARGEST: u64 = 5 << 30;

/// A form has its signature in its fields, and none in the headers or the query.
pub fn is_form<B>(settings: &Settings, request: &http::Request<B>) -> bool {
    let is_multipart = || {
        let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        content_type.unwrap_or_default().trim_start().to_ascii_lowercase().starts_with("multipart/form-data")
    };
    settings.is_s3()
        && settings.upstream.is_some()
        && request.method() == Method::POST
        && is_multipart()
        && !request.headers().contains_key(AUTHORIZATION)
        && request.uri().query().is_none_or(str::is_empty)
}

/// Why a form is not stored.
enum Refused {
    Policy(Box<PolicyError>),
    Unreadable(Unreadable),
    Answered(Box<Answer>),
    Other { check: &'static str, reason: &'static str, status: StatusCode, code: &'static str, message: &'static str },
}

impl From<PolicyError> for Refused {
    fn from(error: PolicyError) -> Self {
        Self::Policy(Box::new(error))
    }
}

impl From<Unreadable> for Refused {
    fn from(error: Unreadable) -> Self {
        Self::Unreadable(error)
    }
}

const DENIED: fn(&'static str, &'static str) -> Refused = |check, reason| Refused::Other {
    check,
    reason,
    status: StatusCode::FORBIDDEN,
    code: "AccessDenied",
    message: "Access Denied",
};

pub async fn answer(settings: &Settings, request: http::Request<AnswerBody>, exchange: &Exchange) -> Answer {
    match store(settings, request, exchange).await {
        Ok(answer) => answer,
        Err(Refused::Policy(error)) => {
            exchange.refused("form", error.to_string());
            refusal::of_library(settings.format, &error.refusal(settings.format))
        }
        Err(Refused::Unreadable(error)) => {
            exchange.refused("form", error.reason());
            settings.answer(error.status(), error.code(), error.message())
        }
        Err(Refused::Answered(answer)) => *answer,
        Err(Refused::Other { check, reason, status, code, message }) => {
            exchange.refused(check, reason);
            settings.answer(status, code, message)
        }
    }
}

async fn store(
    settings: &Settings,
    request: http::Request<AnswerBody>,
    exchange: &Exchange,
) -> Result<Answer, Refused> {
    let (head, body) = request.into_parts();
    let host = outgoing::host(&head.headers, &head.uri);
    // A host that can't be one of a bucket is refused before.
    let resource = settings.virtual_hosts.path_style(&host, head.uri.path()).unwrap_or_default();
    let bucket = bucket(&resource).ok_or(Refused::Other {
        check: "target",
        reason: "a form must be sent to /BUCKET, or to / of the host of the bucket",
        status: StatusCode::METHOD_NOT_ALLOWED,
        code: "MethodNotAllowed",
        message: "The specified method is not allowed against this resource.",
    })?;
    let mut form = Form::read(&head.headers, body, &settings.ground.budget).await?;
    let fields = std::mem::take(&mut form.fields);
    let fields = || fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let file_name = form.file_name().to_owned();
    let (key, length, headers, reply) = {
        let verified = verify(settings, bucket, fields(), &file_name, exchange)?;
        let key = verified.field("key").unwrap_or_default().to_owned();
        admit(settings, &host, bucket, &key, &verified)?;
        let headers = object_headers(settings, &verified, exchange);
        (key, verified.file_length(), headers, reply::Reply::of(&verified))
    };
    let (file, bytes) = form.spool((*length.end()).min(LARGEST), &settings.ground.disk).await?;
    // The same form, now that the length is known: it can have expired in between, and then isn't stored.
    let (digest, end) = {
        let verified = verify(settings, bucket, fields(), &file_name, exchange)?;
        verified.check_file_length(bytes)?;
        (signature::of_form(&verified, fields()), verified.expires_at())
    };
    first_use(settings, digest, end, exchange).await.map_err(Refused::Answered)?;
    let target = format!("/{bucket}/{}", encode_path(&key));
    let mut headers = headers;
    headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes));
    let body = StreamBody::new(read::frames(file)).boxed_unsync();
    let outgoing = Outgoing { method: Method::PUT, target, headers, body, handshake: None };
    let stored = outgoing::send(settings, outgoing, exchange).await;
    Ok(if stored.status().is_success() { reply.answer(&stored, bucket, &key, &host) } else { stored })
}

/// The only segment of the path. A name that S3 couldn't have is none.
pub fn bucket(path: &str) -> Option<&str> {
    let name = path.strip_prefix('/')?;
    let name = name.strip_suffix('/').unwrap_or(name);
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    (is_name && !name.is_empty() && name != "." && name != "..").then_some(name)
}

fn verify<'a>(
    settings: &'a Settings,
    bucket: &'a str,
    fields: impl Iterator<Item = (&'a str, &'a str)>,
    file_name: &str,
    exchange: &Exchange,
) -> Result<VerifiedForm<'a>, Refused> {
    let unverified = settings.verifier.parse_form(bucket, fields, Timestamp::now())?.with_file_name(file_name)?;
    let keys = settings.ground.keys.get();
    let found = keys.find(unverified.access_key_id()).map(|key| &key.credentials);
    let verified = unverified.verify(found)?;
    exchange.update(|record| {
        record.decision = Decision::Verified;
        record.caller = Some(verified.access_key_id().to_owned());
    });
    Ok(verified)
}

fn admit(settings: &Settings, host: &str, bucket: &str, key: &str, verified: &VerifiedForm<'_>) -> Result<(), Refused> {
    // The policy may allow keys that begin with a prefix. A store that uses keys as file paths would leave it.
    if key.is_empty() || key.starts_with('/') || key.split(['/', '\\']).any(|segment| segment == "." || segment == "..")
    {
        return Err(DENIED("form", "the key is empty, begins with a slash or has dot segments"));
    }
    let path = format!("/{bucket}/{}", encode_path(key));
    let asked = Asked { host, method: "POST", path: &path, service: verified.scope().service(), expires: None };
    let keys = settings.ground.keys.get();
    let is_permitted = keys.find(verified.access_key_id()).is_some_and(|found| found.permits(&asked));
    if is_permitted { Ok(()) } else { Err(DENIED("allow", "no [[key.allow]] of the key permits the request")) }
}

/// The headers that the fields set. Only fields that the policy names count.
fn object_headers(settings: &Settings, verified: &VerifiedForm<'_>, exchange: &Exchange) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in verified.fields() {
        let name = name.to_ascii_lowercase();
        let is_of_object = OBJECT.contains(&name.as_str())
            || name.starts_with("x-amz-meta-")
            || name == "x-amz-storage-class"
            || name == "x-amz-website-redirect-location";
        if let (true, Ok(name), Ok(value)) = (is_of_object, name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    }
    if let Some(acl) = verified.field("acl").and_then(|acl| HeaderValue::from_str(acl).ok()) {
        headers.insert("x-amz-acl", acl);
    }
    if let Ok(caller) = HeaderValue::from_str(verified.access_key_id()) {
        headers.insert(&settings.caller_header, caller);
    }
    if let Ok(peer) = HeaderValue::from_str(&exchange.peer().ip().to_string()) {
        headers.insert("x-forwarded-for", peer);
    }
    headers
}
