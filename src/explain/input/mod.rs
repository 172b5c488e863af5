//! Requests and responses as people have them: curl commands, HTTP as text, HAR files.

mod curl;
mod diagnose;
mod har;
mod http_text;
mod options;
mod select;
mod shell;
mod show;
mod url;

use alloc::string::String;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::Explanation;
use super::sent::{Auth, Sent, UNKNOWN_BODY};
use crate::hash::{hex_of, sha256};
use crate::sigv4::request::{MAX_HEADERS, MAX_TARGET, Request};
use crate::sigv4::rules::SessionTokenName;
use crate::text::wiped::Wiped;

/// The longest curl command, request or response, in bytes.
const MAX_TEXT: usize = 1024 * 1024;
/// The longest HAR file, in bytes.
const MAX_HAR: usize = 32 * 1024 * 1024;
/// The most words of a command.
const MAX_WORDS: usize = 4096;

/// Why a curl command, an HTTP request or response, or a HAR file could not be read. The message quotes nothing from the
/// input, which may contain secrets.
///
/// ```
/// use countersign::explain::{InputError, Sent};
///
/// assert_eq!(Sent::from_curl("wget https://example.com").unwrap_err(), InputError::NotCurl);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// The input is too long.
    #[error(
        "the input has {length} bytes, but at most {limit} are accepted: leave out a long body, or export a single entry"
    )]
    TooLong {
        /// Length in bytes.
        length: usize,
        /// Largest accepted length.
        limit: usize,
    },
    /// The command has too many words.
    #[error("the command has more than {limit} words: remove options that don't affect the request")]
    TooManyWords {
        /// How many are read.
        limit: usize,
    },
    /// There are more headers than are read.
    #[error("there are more than {limit} headers")]
    TooManyHeaders {
        /// How many are read.
        limit: usize,
    },
    /// The input contains no curl command.
    #[error("no curl command found: paste the whole command line, starting with `curl`")]
    NotCurl,
    /// A quote, brace or parenthesis is not closed.
    #[error("a quote, brace or parenthesis is not closed: paste the complete command")]
    UnclosedQuote,
    /// The last option has no argument.
    #[error("the last option has no argument: paste the complete command")]
    MissingArgument,
    /// The command has no URL.
    #[error("the command has no URL: add it")]
    MissingUrl,
    /// The method, URL or query contains a shell variable or command substitution; these are not expanded.
    #[error("the method, URL or query contains a shell variable or command substitution: replace it with its value")]
    Variable,
    /// The query is read from a file.
    #[error("the query is read from a file: put the content of the file into the URL")]
    QueryFromFile,
    /// The URL contains a curl glob pattern, which stands for several URLs.
    #[error("the URL contains a curl glob pattern ({{}} or []): use the URL of a single request, or add --globoff")]
    UrlPattern,
    /// The URL has no host, contains a space, or its scheme is none of `http`, `https`, `ws` and `wss`.
    #[error("the URL is not a valid http or https URL with a host")]
    Url,
    /// The path and query are too long.
    #[error("the path and query have more than {limit} bytes")]
    TargetTooLong {
        /// How many are read.
        limit: usize,
    },
    /// The input has no request line.
    #[error("no request line found: the input must start with a line such as `GET /path HTTP/1.1`")]
    NoRequestLine,
    /// The input has no status line.
    #[error(
        "no status line found: the input must start with a line such as `HTTP/1.1 403 Forbidden`; pass a body without headers to from_response"
    )]
    NoStatusLine,
    /// A header line is not of the form `name: value`.
    #[error("line {number} is not a header of the form `name: value`; the body must follow an empty line")]
    Header {
        /// Line number within the request or response, counted from 1.
        number: usize,
    },
    /// The input is not valid JSON, or an entry has too many values.
    #[error("not valid JSON, or truncated: export the HAR file again")]
    NotJson,
    /// The JSON contains no such HAR entry.
    #[error("no such HAR entry: entries are in log.entries, each with a request and a response")]
    NoEntry,
    /// The entry has no request with a method and a URL.
    #[error("the entry has no request with a method and a URL")]
    NoRequest,
    /// The entry has no response: the request was blocked, cancelled or failed.
    #[error("the entry has no response: the request was blocked or cancelled, or the connection failed")]
    NoResponse,
}

impl Sent {
    /// Reads a curl command line, as typed into a POSIX shell or copied from a browser ("Copy as cURL", for bash and for
    /// the Windows command prompt).
    ///
    /// No shell is run. A header, body or credential that contains a shell variable, or is read from a file, is treated as
    /// unknown; in the method, URL or query either is an error. Only the first URL is read, and nothing after `--next`.
    ///
    /// Limits: 1 MiB, 4096 words, 1024 headers, and 65,536 bytes of path and query.
    ///
    /// ```
    /// use countersign::explain::{Cause, Explanation, Sent};
    ///
    /// let sent = Sent::from_curl(
    ///     r#"curl --aws-sigv4 aws:amz:us-west-2:execute-api -u "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \
    ///         https://abc123.execute-api.us-east-1.amazonaws.com/dev/list"#,
    /// )?;
    /// let body = br#"{"message":"Credential should be scoped to a valid region, not 'us-west-2'. "}"#;
    /// let explanation = Explanation::from_response(403, &[], body, sent);
    /// let first = explanation.findings().next().map(|finding| finding.cause().clone());
    /// assert_eq!(first, Some(Cause::WrongRegion { expected: Some("us-east-1".into()) }));
    /// # Ok::<(), countersign::explain::InputError>(())
    /// ```
    ///
    /// # Errors
    /// [`InputError`] if there is no curl command, if it is incomplete, or if its URL is not known.
    pub fn from_curl(command: &str) -> Result<Self, InputError> {
        check_length(command.len(), MAX_TEXT)?;
        curl::read(command)
    }

    /// Reads a raw HTTP request (request line, headers, an empty line, body) or the output of `curl -v`. The target may be
    /// an absolute URL, and HTTP/2 pseudo-headers may replace the request line.
    ///
    /// The body is treated as unknown unless its length matches `Content-Length` or its chunked encoding is complete.
    ///
    /// Limits: 1 MiB, 1024 headers, and 65,536 bytes of path and query.
    ///
    /// # Errors
    /// [`InputError`] if there is no request line, or a header is malformed.
    pub fn from_http(request: impl AsRef<[u8]>) -> Result<Self, InputError> {
        check_length(request.as_ref().len(), MAX_TEXT)?;
        http_text::request(request.as_ref())?.into_sent()
    }

    /// Reads a request from a HAR file, as exported by browsers and proxies, or from a single HAR entry.
    ///
    /// `entry` is the index of the entry, counted from 0. `None` selects the last entry with a status of 400 or more, or
    /// the last entry if there is none. Chrome omits the `Authorization` header unless it exports with sensitive data;
    /// without that header, the authentication of a request from Chrome is treated as unknown.
    ///
    /// Limits: 32 MiB, 16,384 JSON values per entry, 1024 headers, and 65,536 bytes of path and query.
    ///
    /// # Errors
    /// [`InputError`] if the input is not a HAR file, or has no such entry.
    pub fn from_har(har: impl AsRef<[u8]>, entry: Option<usize>) -> Result<Self, InputError> {
        har::Entry::read(har.as_ref(), entry)?.request()?.into_sent()
    }
}

impl Explanation {
    /// Reads a raw HTTP response (status line, headers, an empty line, body) or the output of `curl -i` or `curl -v`. If
    /// there are several responses, for example redirects, the last one is used. A chunked body is decoded.
    ///
    /// Limits: 1 MiB and 1024 headers; 256 KiB of the body, as in [`Explanation::from_response`].
    ///
    /// ```
    /// use countersign::explain::{Cause, Explanation, Sent};
    ///
    /// let sent = Sent::from_curl("curl https://abc123.execute-api.us-east-1.amazonaws.com/dev/list")?;
    /// let response = "HTTP/2 403\ncontent-type: application/json\n\n{\"message\":\"Missing Authentication Token\"}\n";
    /// let explanation = Explanation::from_response_text(response, sent)?;
    /// assert_eq!(*explanation.findings().next().unwrap().cause(), Cause::NotSigned);
    /// # Ok::<(), countersign::explain::InputError>(())
    /// ```
    ///
    /// # Errors
    /// [`InputError`] if there is no status line, or a header is malformed.
    pub fn from_response_text(response: impl AsRef<[u8]>, sent: impl Into<Sent>) -> Result<Self, InputError> {
        check_length(response.as_ref().len(), MAX_TEXT)?;
        Ok(http_text::response(response.as_ref())?.explained(sent.into()))
    }

    /// Reads a request and its response from a HAR file or a single HAR entry. `entry` and the limits are those of
    /// [`Sent::from_har`].
    ///
    /// ```
    /// use countersign::explain::{Cause, Explanation};
    ///
    /// let har = r#"{"log": {"entries": [{
    ///     "request": {"method": "GET", "url": "https://abc123.execute-api.us-east-1.amazonaws.com/dev", "headers": []},
    ///     "response": {"status": 403, "headers": [], "content": {"text": "{\"message\":\"Missing Authentication Token\"}"}}
    /// }]}}"#;
    /// let explanation = Explanation::from_har(har, None)?;
    /// assert_eq!(*explanation.findings().next().unwrap().cause(), Cause::NotSigned);
    /// # Ok::<(), countersign::explain::InputError>(())
    /// ```
    ///
    /// # Errors
    /// [`InputError`] if the input is not a HAR file, has no such entry, or if the entry has no response.
    pub fn from_har(har: impl AsRef<[u8]>, entry: Option<usize>) -> Result<Self, InputError> {
        let entry = har::Entry::read(har.as_ref(), entry)?;
        Ok(entry.response()?.explained(entry.request()?.into_sent()?))
    }
}

fn check_length(length: usize, limit: usize) -> Result<(), InputError> {
    if length > limit { Err(InputError::TooLong { length, limit }) } else { Ok(()) }
}

/// Wiped when it is dropped.
type Bytes = Zeroizing<Vec<u8>>;

/// What [`Sent`] keeps only of a request that was read from text.
#[derive(Clone, Default)]
pub(super) struct AsRead {
    /// Path and query; empty if the request was not read from text.
    target: Bytes,
    headers: Vec<Header>,
    /// `None` if it isn't known.
    body: Option<Bytes>,
}

#[derive(Clone)]
struct Header {
    name: String,
    /// `None` if it isn't known.
    value: Option<Bytes>,
}

impl Header {
    fn new(name: impl Into<String>, value: impl AsRef<[u8]>) -> Self {
        Self { name: name.into(), value: Some(Zeroizing::new(value.as_ref().into())) }
    }

    fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// A request as it was read.
#[derive(Default)]
struct Read {
    method: String,
    scheme: Option<&'static str>,
    /// Host and port of the URL.
    authority: String,
    target: Bytes,
    headers: Vec<Header>,
    body: Option<Bytes>,
    /// Whether the request may have had further headers.
    may_have_more_headers: bool,
    /// Set if curl itself signs the request (`--aws-sigv4`).
    signed_by_curl: Option<SignedByCurl>,
}

struct SignedByCurl {
    access_key_id: String,
    region: String,
    service: String,
}

impl Read {
    fn into_sent(mut self) -> Result<Sent, InputError> {
        if self.headers.len() > MAX_HEADERS {
            return Err(InputError::TooManyHeaders { limit: MAX_HEADERS });
        }
        if self.target.len() > MAX_TARGET {
            return Err(InputError::TargetTooLong { limit: MAX_TARGET });
        }
        let mut sent = self.parsed();
        if let Some(signed) = self.signed_by_curl.take() {
            sent.auth = Auth::Signed;
            (sent.access_key_id, sent.region, sent.service) = (signed.access_key_id, signed.region, signed.service);
        } else if self.may_have_more_headers && sent.auth == Auth::None || self.is_blanked_out() {
            sent.auth = Auth::Unknown;
        }
        let token = self.headers.iter().find(|header| SessionTokenName::of_header(&header.name).is_some());
        if let (None, Some(token)) = (sent.session_token(), token) {
            let value = token.value.as_ref().map(|value| String::from_utf8_lossy(value).into_owned());
            sent.session_token = Some(Zeroizing::new(value.unwrap_or_default()));
        }
        if let Some(body) = &self.body {
            sent.with_body(body);
        }
        sent.read = AsRead { target: self.target, headers: self.headers, body: self.body };
        Ok(sent)
    }

    /// What the request says about its signature, as far as the headers are known.
    fn parsed(&self) -> Sent {
        let known = self.headers.iter().filter_map(|header| Some((header.name.as_str(), header.value.as_ref()?)));
        let known: Vec<(&str, &[u8])> = known.map(|(name, value)| (name, value.as_slice())).collect();
        let request = Request::new(&self.method, self.target.as_slice(), &known).with_host(&self.authority);
        let request = request.with_scheme(self.scheme.unwrap_or("https"));
        let mut sent = Sent::from(&request);
        if known.len() < self.headers.len() || self.may_have_more_headers && !sent.is_presigned() {
            // Its lines for the unknown headers are missing.
            sent.canonical_request = Zeroizing::default();
        }
        let decides = |header: &&Header| {
            ["authorization", "date", "x-amz-date", "x-amz-content-sha256"].iter().any(|name| header.is(name))
        };
        if self.headers.iter().filter(decides).any(|header| header.value.is_none()) {
            sent.auth = Auth::Unknown;
        }
        sent
    }

    /// Whether the credentials were redacted before the text was pasted.
    fn is_blanked_out(&self) -> bool {
        let values =
            self.headers.iter().filter(|header| header.is("authorization")).filter_map(|header| header.value.as_ref());
        let has =
            |value: &[u8], mark: &str| value.windows(mark.len()).any(|at| at.eq_ignore_ascii_case(mark.as_bytes()));
        values.into_iter().any(|value| ["redacted", "***", "xxxx", "…", "..."].iter().any(|mark| has(value, mark)))
    }
}

impl Sent {
    /// Fills in the hash of the body if the canonical request lacks it.
    fn with_body(&mut self, body: &[u8]) {
        let unknown = hex_of(UNKNOWN_BODY);
        if self.canonical_request.ends_with(&unknown) {
            let kept = self.canonical_request.len() - unknown.len();
            self.canonical_request.truncate(kept);
            // Fits into the existing allocation.
            self.canonical_request.extend_from_slice(&hex_of(sha256(body)));
        }
    }
}

/// A response as it was read.
#[derive(Default)]
struct Answer {
    status: u16,
    headers: Vec<Header>,
    body: Bytes,
}

impl Answer {
    fn explained(&self, sent: Sent) -> Explanation {
        let headers = self.headers.iter().filter_map(|header| Some((header.name.as_str(), header.value.as_ref()?)));
        let headers: Vec<(&str, &[u8])> = headers.map(|(name, value)| (name, value.as_slice())).collect();
        // A compressed body can't be read.
        let is_gzip = self.body.starts_with(&[0x1f, 0x8b]);
        let body: &[u8] = if is_gzip { b"" } else { &self.body };
        Explanation::from_response(self.status, &headers, body, sent)
    }
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Wipes the old allocation when the vector grows.
fn append(to: &mut Bytes, bytes: &[u8]) {
    let mut grown = Wiped::new(core::mem::take(&mut **to), true);
    grown.reserve(bytes.len());
    grown.extend_from_slice(bytes);
    **to = grown.into_inner();
}
