//! Requests and responses, for all sources that send something.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use http::header::{DATE, HeaderName, LOCATION};
use http::{HeaderValue, Method, Request, Response};
use zeroize::Zeroizing;

use super::ask::AskError;
use super::context::Context;
use super::endpoint::account_of;
use super::error::SourceError;
use crate::json::read::{Json, parse};
use crate::redact::REDACTED;
use crate::redact::text::{redacted, without_secret_keys, without_token};
use crate::sigv4::timestamp::Timestamp;
use crate::text::is_digits;

/// What a source gets back.
pub(super) type Reply = Response<Zeroizing<Vec<u8>>>;

/// The longest message of a server that becomes part of an error, in characters.
const MOST_MESSAGE: usize = 300;

/// A request to one URL.
pub(super) struct Exchange {
    /// The URL without its query, for errors.
    pub(super) origin: String,
    request: Request<Vec<u8>>,
    timeout: Duration,
    allow_proxy: bool,
}

impl Exchange {
    /// # Errors
    /// The URL is none.
    pub(super) fn new(method: Method, url: &str, timeout: Duration) -> Result<Self, SourceError> {
        let origin = url.split(['?', '#']).next().unwrap_or_default().to_owned();
        let request = Request::builder().method(method).uri(url).body(Vec::new());
        let unusable = |error| SourceError::Unusable { origin: origin.clone(), problem: format!("is no URL: {error}") };
        let request = request.map_err(unusable)?;
        Ok(Self { origin, request, timeout, allow_proxy: true })
    }

    /// Never through a proxy.
    pub(super) fn without_proxy(mut self) -> Self {
        self.allow_proxy = false;
        self
    }

    /// Adds a header whose value is not secret.
    pub(super) fn header(mut self, name: HeaderName, value: &'static str) -> Self {
        self.request.headers_mut().insert(name, HeaderValue::from_static(value));
        self
    }

    /// Adds a header with a secret value, which `Debug` doesn't show. `place` says where the value was read.
    ///
    /// # Errors
    /// The value has bytes that a header can't have, e.g. a line feed.
    pub(super) fn secret_header(mut self, name: HeaderName, value: &str, place: &str) -> Result<Self, SourceError> {
        let problem = || "holds characters that a header can't have, e.g. a line feed".to_owned();
        let mut value = HeaderValue::from_str(value)
            .map_err(|_| SourceError::File { path: place.to_owned(), problem: problem() })?;
        value.set_sensitive(true);
        self.request.headers_mut().insert(name, value);
        Ok(self)
    }

    pub(super) fn body(mut self, body: Vec<u8>) -> Self {
        *self.request.body_mut() = body;
        self
    }

    /// The request, to be signed.
    pub(super) fn request(&mut self) -> &mut Request<Vec<u8>> {
        &mut self.request
    }

    /// Sends it. Whatever the status is, it's for the caller.
    pub(super) async fn send(self, context: &Context) -> Result<Reply, AskError> {
        let query = self.request.uri().query().map(ToOwned::to_owned);
        let sent = context.io.send(self.request, self.timeout, self.allow_proxy).await;
        // Clients repeat the URL in their messages.
        sent.map_err(|error| AskError::new(error.kind(), shown(&format!("{error}"), query.as_deref().as_slice())))
    }

    /// Sends it, and has no hint for the case that there is no answer.
    pub(super) async fn send_or_fail(self, context: &Context) -> Result<Reply, SourceError> {
        let url = self.origin.clone();
        self.send(context).await.map_err(|error| SourceError::NoResponse { url, error, hint: None })
    }
}

/// The time of the server.
pub(super) fn date(reply: &Reply) -> Option<Timestamp> {
    Timestamp::parse_imf_fixdate(reply.headers().get(DATE)?.to_str().ok()?)
}

/// The body as one JSON object.
pub(super) fn json(origin: &str, body: &[u8]) -> Result<Json, SourceError> {
    match parse(body) {
        Some(json @ Json::Object(_)) => Ok(json),
        _ => Err(unusable(origin, "it is not a JSON object")),
    }
}

/// A member that has to be a text with something in it.
pub(super) fn member<'j>(origin: &str, json: &'j Json, name: &str) -> Result<&'j str, SourceError> {
    let problem = match json.member(name) {
        Some(Json::Text(text)) if !text.is_empty() => return Ok(text),
        Some(Json::Text(_)) => "is empty",
        Some(_) => "is not a string",
        None => "is missing",
    };
    Err(unusable(origin, &format!("{name} {problem}")))
}

pub(super) fn unusable(origin: &str, problem: &str) -> SourceError {
    SourceError::Unusable { origin: origin.to_owned(), problem: problem.to_owned() }
}

/// An answer that refuses, with its code and message as far as they can be shown.
pub(super) fn refused(origin: &str, status: u16, code: Option<&str>, message: Option<&str>) -> SourceError {
    refused_hiding(origin, status, (code, message), &[])
}

/// Like [`refused`], and removes these secrets, which the server may repeat.
pub(super) fn refused_hiding(
    origin: &str,
    status: u16,
    (code, message): (Option<&str>, Option<&str>),
    secrets: &[&str],
) -> SourceError {
    let shown = |text: &str| shown(text, secrets);
    SourceError::Refused { url: origin.to_owned(), status, code: code.map(shown), message: message.map(shown) }
}

/// The text of a server without secrets, without control characters, which a terminal would obey, and not longer than
/// [`MOST_MESSAGE`]. It is shortened last, since a part of a token isn't recognized as one.
pub(super) fn shown(text: &str, secrets: &[&str]) -> String {
    let mut hidden = Zeroizing::new(text.to_owned());
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        hidden = without_token(&hidden, Some(secret));
        // Also those that are shorter than tokens of AWS. Joined, since `replace` leaves copies in freed memory.
        let pieces: Vec<&str> = hidden.split(*secret).collect();
        hidden = Zeroizing::new(pieces.join(REDACTED));
    }
    let hidden = without_secret_keys(&redacted(&hidden));
    let printable = hidden.chars().map(|c| if c.is_control() { ' ' } else { c });
    printable.take(MOST_MESSAGE).collect::<String>().trim().to_owned()
}

/// Appends what is known beyond the server's message.
pub(super) fn with_advice(error: SourceError, advice: &str) -> SourceError {
    match error {
        SourceError::Refused { url, status, code, message } => {
            let message = message.filter(|message| !message.is_empty());
            let message = Some(message.map_or_else(|| advice.to_owned(), |message| format!("{message}; {advice}")));
            SourceError::Refused { url, status, code, message }
        }
        error => error,
    }
}

/// Refuses a redirect: the credentials of the request would go to another host.
pub(super) fn no_redirect(origin: &str, reply: &Reply) -> Result<(), SourceError> {
    if !reply.status().is_redirection() {
        return Ok(());
    }
    let location = reply.headers().get(LOCATION).and_then(|location| location.to_str().ok()?.parse::<http::Uri>().ok());
    let host = location.as_ref().and_then(http::Uri::host).map(|host| format!(" to {host}"));
    let message = format!(
        "a redirect{}, which is not followed, since it would get the credentials too; check the configured URL and the proxy",
        host.unwrap_or_default()
    );
    Err(refused(origin, reply.status().as_u16(), None, Some(&message)))
}

/// The answer of a container or an instance: credentials, or why there are none, without these secrets.
///
/// # Errors
/// It isn't JSON, its `Code` isn't `Success`, or a member is missing.
pub(super) fn role_credentials<'j>(
    origin: &str,
    status: u16,
    json: &'j Json,
    secrets: &[&str],
) -> Result<RoleCredentials<'j>, SourceError> {
    let text = |name: &str| json.member(name).and_then(Json::text);
    if let Some(code) = text("Code").filter(|code| *code != "Success") {
        return Err(refused_hiding(origin, status, (Some(code), text("Message")), secrets));
    }
    let member = |name| member(origin, json, name);
    let keys = (member("AccessKeyId")?, member("SecretAccessKey")?, member("Token")?);
    let expiration = member("Expiration")?;
    let expires_at = Timestamp::parse_rfc3339(expiration)
        .ok_or_else(|| unusable(origin, "Expiration is not a time such as 2026-01-31T12:00:00Z"))?;
    let of_role = || account_of(text("RoleArn")?);
    let account_id = text("AccountId").filter(|id| is_digits(id)).map(ToOwned::to_owned).or_else(of_role);
    Ok(RoleCredentials { keys, expires_at, account_id })
}

/// Credentials as containers and instances give them.
pub(super) struct RoleCredentials<'j> {
    /// Access key id, secret access key, session token.
    pub(super) keys: (&'j str, &'j str, &'j str),
    pub(super) expires_at: Timestamp,
    pub(super) account_id: Option<String>,
}
