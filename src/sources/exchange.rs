//! Requests and responses, for all sources that send something.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use http::header::{DATE, HeaderName};
use http::{HeaderValue, Method, Request, Response};
use zeroize::Zeroizing;

use super::ask::AskError;
use super::context::Context;
use super::error::SourceError;
use crate::json::read::{Json, parse};
use crate::redact::text::redacted;
use crate::sigv4::timestamp::Timestamp;

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
        context.io.send(self.request, self.timeout, self.allow_proxy).await
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
    match json.member(name).and_then(Json::text) {
        Some(text) if !text.is_empty() => Ok(text),
        _ => Err(unusable(origin, &format!("{name} is missing"))),
    }
}

pub(super) fn unusable(origin: &str, problem: &str) -> SourceError {
    SourceError::Unusable { origin: origin.to_owned(), problem: problem.to_owned() }
}

/// An answer that refuses, with its code and message as far as they can be shown.
pub(super) fn refused(origin: &str, status: u16, code: Option<&str>, message: Option<&str>) -> SourceError {
    let shown = |text: &str| redacted(&text.chars().take(MOST_MESSAGE).collect::<String>());
    SourceError::Refused { url: origin.to_owned(), status, code: code.map(shown), message: message.map(shown) }
}
