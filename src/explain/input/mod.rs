//! Requests and responses as people have them: curl commands, HTTP as text, HAR files.

mod curl;
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

/// Why a curl command, a request, a response or a HAR file was not read. The message names no part of the text, which may
/// be secret.
///
/// ```
/// use countersign::explain::{InputError, Sent};
///
/// assert_eq!(Sent::from_curl("wget https://example.com").unwrap_err(), InputError::NotCurl);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// The text is longer than what is read.
    #[error("the text has {length} bytes, at most {limit} are read: leave out a long body, or export one entry alone")]
    TooLong {
        /// Its length in bytes.
        length: usize,
        /// The most that is read.
        limit: usize,
    },
    /// The command has more words than are read.
    #[error("the command has more than {limit} words: leave out options that don't change the request")]
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
    /// There is no curl command in the text.
    #[error("no curl command found: paste the whole command line, which begins with `curl`")]
    NotCurl,
    /// A quotation mark or parenthesis is not closed.
    #[error("a quotation mark or parenthesis of the command is not closed: paste the command up to its end")]
    UnclosedQuote,
    /// The last option lacks its argument.
    #[error("the last option of the command lacks its argument: paste the command up to its end")]
    MissingArgument,
    /// The command has no URL.
    #[error("the command has no URL")]
    MissingUrl,
    /// The method, the URL or the data of its query holds a shell variable, which is not expanded.
    #[error("the method or URL holds a shell variable or command: replace it with its value")]
    Variable,
    /// The query comes from a file.
    #[error("the query comes from a file: write what is in the file into the URL")]
    QueryFromFile,
    /// The URL holds a pattern for which curl sends several requests.
    #[error("the URL holds {{ or [, for which curl sends several requests: give the URL of one, or add --globoff")]
    UrlPattern,
    /// The URL is not one of `http`, `https`, `ws` or `wss`, or has no host.
    #[error("the URL is not an http or https URL with a host")]
    Url,
    /// The path and query are longer than what is read.
    #[error("the path and query have more than {limit} bytes")]
    TargetTooLong {
        /// How many are read.
        limit: usize,
    },
    /// The text has no request line.
    #[error("no request line found: the text has to begin as in `GET /path HTTP/1.1`")]
    NoRequestLine,
    /// The text has no status line.
    #[error(
        "no status line found: the text has to begin as in `HTTP/1.1 403 Forbidden`; give a body alone to from_response"
    )]
    NoStatusLine,
    /// A line of the headers is not `name: value`.
    #[error("line {number} is not a header: `name: value` was expected, and an empty line before the body")]
    Header {
        /// Counted from 1, in what was read as request or response.
        number: usize,
    },
    /// The text is not JSON, or one entry has too many values.
    #[error("not JSON, or cut off: export the HAR file again")]
    NotJson,
    /// The JSON has no entry of a HAR file.
    #[error("no entry found: a HAR file has its entries in log.entries, each with a request and a response")]
    NoEntry,
    /// The entry has no request with a method and a URL.
    #[error("the entry has no request with a method and a URL")]
    NoRequest,
    /// The entry has no response: the request failed before, or was blocked by the browser.
    #[error("the entry has no response: the request was blocked or cancelled, or the connection failed")]
    NoResponse,
}

impl Sent {
    /// Reads a curl command: of a document, of a shell, or what a browser copies for `bash` or the command prompt of
    /// Windows.
    ///
    /// No shell is run. The value of a shell variable counts as unknown where it stands in a header, the body or the
    /// credentials, and is an error in the URL, the method and the query. So does what curl reads of files. Everything
    /// behind `--next` is left out. At most 1 MiB and 4096 words are read.
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
    /// [`InputError`] if there is no command, if it is cut off, or if its URL isn't known.
    pub fn from_curl(command: &str) -> Result<Self, InputError> {
        check_length(command.len(), MAX_TEXT)?;
        curl::read(command)
    }

    /// Reads a request as text: request line, headers, an empty line and the body, or what `curl -v` prints. The target may
    /// be a whole URL, and the pseudo-headers of HTTP/2 may take the place of the request line.
    ///
    /// A body counts as known only if it is as long as `Content-Length` says, or sent in chunks that are complete. At most
    /// 1 MiB and 1024 headers are read.
    ///
    /// # Errors
    /// [`InputError`] if there is no request line, or a header is malformed.
    pub fn from_http(request: impl AsRef<[u8]>) -> Result<Self, InputError> {
        check_length(request.as_ref().len(), MAX_TEXT)?;
        http_text::request(request.as_ref())?.into_sent()
    }

    /// Reads the request of a HAR file, or of one entry of it, as browsers and proxies export them.
    ///
    /// `entry` counts from 0. For `None` it is the last entry with a status of 400 or more; if there is none, the last of
    /// all. Chrome leaves out the `Authorization` header unless it is asked to export sensitive data: how the request was
    /// authenticated is unknown then. At most 32 MiB are read, and 16,384 values of one entry.
    ///
    /// # Errors
    /// [`InputError`] if it is no HAR file, or has no such entry.
    pub fn from_har(har: impl AsRef<[u8]>, entry: Option<usize>) -> Result<Self, InputError> {
        har::Entry::read(har.as_ref(), entry)?.request()?.into_sent()
    }
}

impl Explanation {
    /// Reads a response as text: status line, headers, an empty line and the body, or what `curl -i` and `curl -v` print.
    /// Of several responses, such as redirects, it is the last. A body in chunks is decoded. At most 1 MiB and 1024 headers
    /// are read.
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

    /// Reads request and response of a HAR file, or of one entry of it; `entry` as in [`Sent::from_har`].
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
    /// [`InputError`] if it is no HAR file, or has no such entry, or if the entry has no response.
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

/// What was read of a text beside what [`Sent`] has of every request.
#[derive(Clone, Default)]
pub(super) struct AsRead {
    /// Path and query; empty for what was not read of a text.
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
    /// Whether there may be headers beside these.
    may_have_more_headers: bool,
    /// curl signs the request.
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
        if known.len() < self.headers.len() || self.may_have_more_headers {
            // It lacks the lines of the others.
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

    /// Whether somebody took the credentials out of the text before it was pasted.
    fn is_blanked_out(&self) -> bool {
        let values =
            self.headers.iter().filter(|header| header.is("authorization")).filter_map(|header| header.value.as_ref());
        let has =
            |value: &[u8], mark: &str| value.windows(mark.len()).any(|at| at.eq_ignore_ascii_case(mark.as_bytes()));
        values.into_iter().any(|value| ["redacted", "***", "xxxx", "…", "..."].iter().any(|mark| has(value, mark)))
    }
}

impl Sent {
    /// Writes the hash of the body where the canonical request has none.
    fn with_body(&mut self, body: &[u8]) {
        let unknown = hex_of(UNKNOWN_BODY);
        if self.canonical_request.ends_with(&unknown) {
            let kept = self.canonical_request.len() - unknown.len();
            self.canonical_request.truncate(kept);
            // The allocation has held as many.
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
        // What was not decompressed says nothing.
        let is_gzip = self.body.starts_with(&[0x1f, 0x8b]);
        let body: &[u8] = if is_gzip { b"" } else { &self.body };
        Explanation::from_response(self.status, &headers, body, sent)
    }
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What was there before the memory grew is wiped.
fn append(to: &mut Bytes, bytes: &[u8]) {
    let mut grown = Wiped::new(core::mem::take(&mut **to), true);
    grown.reserve(bytes.len());
    grown.extend_from_slice(bytes);
    **to = grown.into_inner();
}
