//! A request from its arguments, and its signature. Shared by the subcommands that sign.

mod content;
pub mod curl;
mod data;
pub mod headers;
mod signing;

use ::http::Method;
use ::http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};

pub use content::{Content, unreadable};
pub use headers::host;
pub use signing::{Payload, Signed, sign};

use crate::args::{BodyArgs, CredentialArgs};
use crate::failure::Failure;
use crate::url::Url;

/// A request before it is signed.
#[derive(Debug)]
pub struct Draft {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub content: Content,
}

/// What a [`Draft`] is made from.
pub struct Ingredients<'a> {
    pub url: Url,
    /// `-X`
    pub method: Option<&'a str>,
    /// `-I`
    pub head: bool,
    /// `-H`
    pub headers: &'a [String],
    pub body: &'a BodyArgs,
    /// The service to sign for; S3 accepts bodies that are signed while they are sent.
    pub service: &'a str,
}

impl Draft {
    pub fn new(from: Ingredients<'_>) -> Result<Self, Failure> {
        let Ingredients { url, method, head, headers, body, service } = from;
        let data = data::Data::read(body)?;
        let (url, content, default_type) = match &body.upload_file {
            Some(file) => {
                let name = file.file_name().filter(|_| file.as_os_str() != "-").and_then(|name| name.to_str());
                let url = name.map_or_else(|| url.clone(), |name| url.with_file_name(name));
                (url, Content::open(file, body, service)?, None)
            }
            None if body.get => (data.in_query(url)?, Content::default(), None),
            None => (url, data.content(body, service)?, data.content_type()),
        };
        let method = match method {
            Some(method) => Method::from_bytes(method.as_bytes())
                .map_err(|_| Failure::usage("the method of -X contains characters that a method can't contain"))?,
            None if head => Method::HEAD,
            None if body.upload_file.is_some() => Method::PUT,
            None if data.is_given() && !body.get => Method::POST,
            None => Method::GET,
        };
        let mut all = defaults(default_type, !body.json.is_empty());
        headers::apply(&mut all, headers)?;
        Ok(Self { method, url, headers: all, content })
    }

    /// The host that is signed: the `Host` header of -H, or that of the URL.
    pub fn host(&self) -> &str {
        let given = self.headers.get(::http::header::HOST).and_then(|host| host.to_str().ok());
        given.unwrap_or_else(|| self.url.host_header())
    }
}

fn defaults(content_type: Option<&'static str>, json: bool) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut add = |name: HeaderName, value| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    add(ACCEPT, if json { "application/json" } else { "*/*" });
    add(USER_AGENT, concat!("countersign/", env!("CARGO_PKG_VERSION")));
    if let Some(content_type) = content_type {
        add(CONTENT_TYPE, content_type);
    }
    headers
}

/// Only one thing can be read from standard input.
pub fn check_stdin(credentials: &CredentialArgs, body: &BodyArgs, headers: &[String]) -> Result<(), Failure> {
    let data = [&body.data, &body.data_binary, &body.json].into_iter().flatten().chain(headers);
    let readers = usize::from(credentials.credentials_stdin)
        + usize::from(body.upload_file.as_ref().is_some_and(|file| file.as_os_str() == "-"))
        + data.filter(|value| *value == "@-").count()
        + body.data_urlencode.iter().filter(|value| value.ends_with("@-")).count();
    if readers > 1 {
        return Err(Failure::usage(
            "standard input can be read for one thing only: the credentials, the body or the headers",
        ));
    }
    Ok(())
}
