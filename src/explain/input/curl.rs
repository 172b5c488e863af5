//! The request that curl sends for a command line.

use alloc::string::String;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::options::{letter_takes_argument, long_name, name_takes_argument};
use super::shell::{Word, words_of_curl};
use super::url::Url;
use super::{Bytes, Header, InputError, Read, Sent, SignedByCurl, text_of};
use crate::text::percent::encode_segment;
use crate::text::split_once;
use crate::text::wiped::Wiped;

pub(super) fn read(command: &str) -> Result<Sent, InputError> {
    let words = words_of_curl(command)?;
    let mut command = Command::default();
    let mut words = words.iter();
    let mut only_urls = false;
    while let Some(word) = words.next() {
        match word.text.as_slice() {
            b"--" if !only_urls => only_urls = true,
            [b'-', b'-', ..] if !only_urls => {
                if command.long(word, &mut words)? {
                    break;
                }
            }
            [b'-', _, ..] if !only_urls => {
                if command.letters(word, &mut words)? {
                    break;
                }
            }
            _ => command.positional(word),
        }
    }
    command.request()?.into_sent()
}

/// An argument: part of a word, or a word.
struct Argument<'w> {
    text: &'w [u8],
    unknown_from: Option<usize>,
}

impl<'w> Argument<'w> {
    fn of(word: &'w Word, from: usize) -> Self {
        let unknown_from = word.unknown_from.map(|position| position.saturating_sub(from));
        Self { text: word.text.get(from..).unwrap_or_default(), unknown_from }
    }

    fn is_known(&self) -> bool {
        self.unknown_from.is_none()
    }

    /// Whether all before a position is known.
    fn is_known_before(&self, position: usize) -> bool {
        self.unknown_from.is_none_or(|unknown| unknown >= position)
    }

    fn known(&self) -> Result<&'w [u8], InputError> {
        if self.is_known() { Ok(self.text) } else { Err(InputError::Variable) }
    }
}

/// What the options say.
#[derive(Default)]
struct Command {
    url: Option<Bytes>,
    has_unknown_url: bool,
    method: Option<String>,
    headers: Vec<Header>,
    /// Headers that curl adds unless `headers` has them.
    own_headers: Vec<Header>,
    data: Option<Data>,
    url_queries: Vec<Bytes>,
    target: Option<Bytes>,
    has_form: bool,
    uploads: bool,
    is_get: bool,
    is_head: bool,
    is_json: bool,
    keeps_dot_segments: bool,
    keeps_globs: bool,
    may_have_more_headers: bool,
    user: Option<User>,
    scheme_of_user: Option<&'static str>,
    sigv4: Option<String>,
}

/// What is kept of `--user`: the access key id, which is not secret.
struct User {
    name: String,
}

/// The joined arguments of `--data` and similar options.
struct Data {
    bytes: Wiped<Vec<u8>>,
    is_known: bool,
    has_variable: bool,
}

impl Command {
    /// One option with two dashes. Returns whether the rest of the command is another request.
    fn long<'w>(&mut self, word: &'w Word, words: &mut impl Iterator<Item = &'w Word>) -> Result<bool, InputError> {
        let text = word.text.get(2..).unwrap_or_default();
        let (name, attached) = match split_once(text, b'=') {
            Some((name, _)) => (name, Some(Argument::of(word, name.len() + 3))),
            None => (text, None),
        };
        let name = core::str::from_utf8(name).unwrap_or_default();
        if name == "next" {
            return Ok(true);
        }
        if !name_takes_argument(name) {
            self.flag(name);
            return Ok(false);
        }
        let argument = match attached {
            Some(argument) => argument,
            None => Argument::of(words.next().ok_or(InputError::MissingArgument)?, 0),
        };
        self.option(name, &argument)?;
        Ok(false)
    }

    /// `-sSvH 'a: b'`, `-XPOST`
    fn letters<'w>(&mut self, word: &'w Word, words: &mut impl Iterator<Item = &'w Word>) -> Result<bool, InputError> {
        for (position, letter) in word.text.iter().enumerate().skip(1) {
            let name = long_name(*letter);
            if name == "next" {
                return Ok(true);
            }
            if letter_takes_argument(*letter) {
                let argument = match Argument::of(word, position + 1) {
                    attached if !attached.text.is_empty() => attached,
                    _ => Argument::of(words.next().ok_or(InputError::MissingArgument)?, 0),
                };
                self.option(name, &argument)?;
                return Ok(false);
            }
            self.flag(name);
        }
        Ok(false)
    }

    /// A URL. A variable alone may also expand to options.
    fn positional(&mut self, word: &Word) {
        if word.unknown_from == Some(0) && !word.text.windows(3).any(|window| window == b"://") {
            self.may_have_more_headers = true;
            self.has_unknown_url = true;
        } else {
            self.url(&Argument::of(word, 0));
        }
    }

    /// Only the first URL is kept; curl sends a request for each.
    fn url(&mut self, argument: &Argument<'_>) {
        if !argument.is_known() {
            self.has_unknown_url = true;
        } else if self.url.is_none() {
            self.url = Some(Zeroizing::new(argument.text.into()));
        }
    }

    fn flag(&mut self, name: &str) {
        match name {
            "get" => self.is_get = true,
            "head" => self.is_head = true,
            "globoff" => self.keeps_globs = true,
            "path-as-is" => self.keeps_dot_segments = true,
            "netrc" | "netrc-optional" => self.may_have_more_headers = true,
            "digest" => self.scheme_of_user = Some("Digest"),
            "ntlm" => self.scheme_of_user = Some("NTLM"),
            "negotiate" => self.scheme_of_user = Some("Negotiate"),
            _ => {}
        }
    }

    fn option(&mut self, name: &str, argument: &Argument<'_>) -> Result<(), InputError> {
        match name {
            "url" => self.url(argument),
            "request" => self.method = Some(text_of(argument.known()?)),
            "request-target" => self.target = Some(Zeroizing::new(argument.known()?.into())),
            "url-query" => self.url_query(argument)?,
            "header" => self.header(argument),
            "data" | "data-ascii" | "data-binary" => self.data(argument, true, b"&"),
            "data-raw" => self.data(argument, false, b"&"),
            "data-urlencode" => self.data_urlencode(argument),
            "json" => {
                self.is_json = true;
                self.data(argument, true, b"");
            }
            "form" | "form-string" => self.has_form = true,
            "upload-file" => self.uploads = true,
            "user" => self.user(argument),
            "aws-sigv4" => {
                self.sigv4 = Some(text_of(
                    argument.text.get(..argument.unknown_from.unwrap_or(argument.text.len())).unwrap_or_default(),
                ))
            }
            "oauth2-bearer" => self.own("Authorization", b"Bearer token"),
            // Without `=` it is a file name.
            "cookie" if argument.text.contains(&b'=') || !argument.is_known() => self.own_of("Cookie", argument),
            "cookie" => self.own_headers.push(Header { name: "Cookie".into(), value: None }),
            "user-agent" => self.own_of("User-Agent", argument),
            "referer" => self.own_of("Referer", argument),
            "range" => self.own("Range", &[b"bytes=", argument.text].concat()),
            "config" | "netrc-file" => self.may_have_more_headers = true,
            _ => {}
        }
        Ok(())
    }

    fn own(&mut self, name: &str, value: &[u8]) {
        self.own_headers.retain(|header| !header.is(name));
        self.own_headers.push(Header::new(name, value));
    }

    /// curl doesn't send the header if the value is empty.
    fn own_of(&mut self, name: &str, argument: &Argument<'_>) {
        self.own(name, argument.text);
        if argument.text.is_empty() {
            self.own_headers.pop();
        } else if let (false, Some(header)) = (argument.is_known(), self.own_headers.last_mut()) {
            header.value = None;
        }
    }

    /// `Name: value`; `Name;` for an empty one, and `Name:` for none at all.
    fn header(&mut self, argument: &Argument<'_>) {
        if argument.text.starts_with(b"@") {
            self.may_have_more_headers = true;
            return;
        }
        let Some(position) = argument.text.iter().position(|byte| matches!(byte, b':' | b';')) else {
            self.may_have_more_headers |= !argument.is_known();
            return;
        };
        if !argument.is_known_before(position) {
            self.may_have_more_headers = true;
            return;
        }
        let name = text_of(argument.text.get(..position).unwrap_or_default().trim_ascii());
        let rest = argument.text.get(position..).unwrap_or_default();
        let value = rest.get(1..).unwrap_or_default().trim_ascii();
        match (rest.first(), value.is_empty()) {
            // Removes a header that curl would add.
            (Some(b':'), true) => self.headers.push(Header { name: [REMOVED, &name].concat(), value: None }),
            (Some(b';'), true) => self.headers.push(Header::new(name, b"")),
            (Some(b':'), false) if argument.is_known() => self.headers.push(Header::new(name, value)),
            (Some(b':'), false) => self.headers.push(Header { name, value: None }),
            _ => {}
        }
    }

    fn data(&mut self, argument: &Argument<'_>, may_be_file: bool, separator: &[u8]) {
        let is_file = may_be_file && argument.text.starts_with(b"@");
        self.append(argument.text, !is_file && argument.is_known(), !argument.is_known(), separator);
    }

    fn append(&mut self, bytes: &[u8], is_known: bool, has_variable: bool, separator: &[u8]) {
        let is_first = self.data.is_none();
        let data = self.data.get_or_insert_with(|| Data {
            bytes: Wiped::new(Vec::new(), true),
            is_known: true,
            has_variable: false,
        });
        let separator = if is_first { b"" } else { separator };
        data.bytes.reserve(separator.len() + bytes.len());
        data.bytes.extend_from_slice(separator);
        data.bytes.extend_from_slice(bytes);
        data.is_known &= is_known;
        data.has_variable |= has_variable;
    }

    fn data_urlencode(&mut self, argument: &Argument<'_>) {
        match urlencoded(argument.text) {
            Some(encoded) => self.append(&encoded, argument.is_known(), !argument.is_known(), b"&"),
            None => self.append(b"", false, !argument.is_known(), b"&"),
        }
    }

    /// A leading `+` means that the query is already encoded.
    fn url_query(&mut self, argument: &Argument<'_>) -> Result<(), InputError> {
        let query = match argument.known()? {
            [b'+', raw @ ..] => Zeroizing::new(raw.into()),
            text => urlencoded(text).ok_or(InputError::QueryFromFile)?,
        };
        self.url_queries.push(query);
        Ok(())
    }

    fn user(&mut self, argument: &Argument<'_>) {
        let name =
            split_once(argument.text, b':').map(|(name, _)| name).filter(|name| argument.is_known_before(name.len()));
        // Anything else may be a secret.
        let is_id = |name: &[u8]| name.len() <= 128 && name.iter().all(u8::is_ascii_alphanumeric);
        self.user = Some(User { name: name.filter(|name| is_id(name)).map(text_of).unwrap_or_default() });
    }
}

/// Prefix of the name of a header that is removed.
const REMOVED: &str = "\0";

/// Encodes `content`, `=content` or `name=content`; `None` if the content is in a file.
fn urlencoded(text: &[u8]) -> Option<Bytes> {
    let position = text.iter().position(|byte| matches!(byte, b'=' | b'@'));
    let (name, content) = match position.and_then(|position| text.split_at_checked(position)) {
        Some((_, [b'@', ..])) => return None,
        Some((name, [_, content @ ..])) => (name, content),
        _ => (b"".as_slice(), text),
    };
    let encoded = Zeroizing::new(encode_segment(content).into_bytes());
    let mut out = Zeroizing::new(Vec::with_capacity(name.len() + 1 + encoded.len()));
    if !name.is_empty() {
        out.extend_from_slice(name);
        out.push(b'=');
    }
    let mut rest = encoded.as_slice();
    loop {
        rest = match rest {
            [] => return Some(out),
            [b'%', b'2', b'0', after @ ..] => {
                out.push(b'+');
                after
            }
            [byte, after @ ..] => {
                out.push(*byte);
                after
            }
        };
    }
}

impl Command {
    fn request(mut self) -> Result<Read, InputError> {
        let missing = if self.has_unknown_url { InputError::Variable } else { InputError::MissingUrl };
        let url = self.url.take().ok_or(missing)?;
        if !self.keeps_globs && has_pattern(&url) {
            return Err(InputError::UrlPattern);
        }
        // curl refuses such a URL.
        if url.iter().any(|byte| byte.is_ascii_control() || *byte == b' ') {
            return Err(InputError::Url);
        }
        let url = Url::parse(&url)?;
        let mut url = if self.keeps_dot_segments { url } else { url.without_dot_segments() };
        self.add_queries(&mut url.target)?;
        if let Some(target) = self.target.take() {
            url.target = target;
        }
        let body = self.body();
        let signed_by_curl = self.add_authorization(&url);
        self.add_own_headers(body.as_deref().map(Vec::len));
        let own = core::mem::take(&mut self.own_headers);
        let is_given = |name: &str| {
            self.headers.iter().any(|header| {
                header.is(name)
                    || header.name.strip_prefix(REMOVED).is_some_and(|removed| removed.eq_ignore_ascii_case(name))
            })
        };
        let own: Vec<Header> = own.into_iter().filter(|header| !is_given(&header.name)).collect();
        self.headers.retain(|header| !header.name.starts_with(REMOVED));
        self.headers.extend(own);
        Ok(Read {
            method: self.method(),
            scheme: Some(url.scheme),
            authority: url.authority,
            target: url.target,
            body,
            headers: self.headers,
            may_have_more_headers: self.may_have_more_headers,
            signed_by_curl,
        })
    }

    fn method(&self) -> String {
        let sends_data = self.data.is_some() || self.has_form;
        match &self.method {
            Some(method) => method.clone(),
            None if self.is_head => "HEAD".into(),
            None if self.uploads => "PUT".into(),
            None if sends_data => "POST".into(),
            None => "GET".into(),
        }
    }

    /// Appends the arguments of `--url-query`, and the data if `--get` is set.
    fn add_queries(&mut self, target: &mut Bytes) -> Result<(), InputError> {
        let mut queries = core::mem::take(&mut self.url_queries);
        if (self.is_get || self.is_head)
            && let Some(data) = self.data.take()
        {
            if data.has_variable {
                return Err(InputError::Variable);
            }
            if !data.is_known {
                return Err(InputError::QueryFromFile);
            }
            queries.push(Zeroizing::new(data.bytes.into_inner()));
        }
        let more: usize = queries.iter().map(|query| query.len() + 1).sum();
        let mut joined = Zeroizing::new(Vec::with_capacity(target.len() + more));
        joined.extend_from_slice(target);
        let mut separator: &[u8] = match split_once(&joined, b'?') {
            None => b"?",
            Some((_, b"")) => b"",
            Some(_) => b"&",
        };
        for query in queries.iter().filter(|query| !query.is_empty()) {
            joined.extend_from_slice(separator);
            joined.extend_from_slice(query);
            separator = b"&";
        }
        *target = joined;
        Ok(())
    }

    /// `None` if it isn't known.
    fn body(&mut self) -> Option<Bytes> {
        if self.has_form || self.uploads {
            return None;
        }
        match &mut self.data {
            None => Some(Bytes::default()),
            Some(data) if data.is_known => Some(Zeroizing::new(core::mem::take(&mut *data.bytes))),
            Some(_) => None,
        }
    }

    fn add_own_headers(&mut self, body_length: Option<usize>) {
        let sends_data = self.data.is_some();
        self.own_headers.insert(0, Header::new("Accept", if self.is_json { "application/json" } else { "*/*" }));
        if self.is_json {
            self.own("Content-Type", b"application/json");
        } else if sends_data {
            self.own("Content-Type", b"application/x-www-form-urlencoded");
        } else if self.has_form {
            self.own_headers.push(Header { name: "Content-Type".into(), value: None });
        }
        if let (true, Some(length)) = (sends_data, body_length) {
            self.own("Content-Length", alloc::format!("{length}").as_bytes());
        }
    }

    /// From `--user` and the URL; the credentials themselves are not kept.
    fn add_authorization(&mut self, url: &Url) -> Option<SignedByCurl> {
        let user = self.user.take();
        if self.headers.iter().any(|header| header.is("authorization")) {
            return None;
        }
        match (self.sigv4.take(), user) {
            (Some(provider), Some(user)) => Some(SignedByCurl::new(&provider, user, &url.authority)),
            (_, None) if !url.has_user => None,
            (_, _) => {
                let scheme = self.scheme_of_user.unwrap_or("Basic");
                self.own("Authorization", [scheme, " credentials"].concat().as_bytes());
                None
            }
        }
    }
}

/// Whether the URL has a glob pattern, `{a,b}` or `[1-3]`. The brackets of an IPv6 address don't count.
fn has_pattern(url: &[u8]) -> bool {
    let after_scheme = url.windows(3).position(|window| window == b"://").map_or(0, |position| position + 3);
    let rest = url.get(after_scheme..).unwrap_or_default();
    let is_address = rest.starts_with(b"[");
    let rest = if is_address { rest.get(1..).unwrap_or_default() } else { rest };
    rest.iter().any(|byte| matches!(byte, b'{' | b'['))
}

impl SignedByCurl {
    /// Parses `aws:amz:REGION:SERVICE`. As in curl, a missing service or region is the first or second label of the host.
    fn new(provider: &str, user: User, authority: &str) -> Self {
        let mut parts = provider.split(':').skip(2);
        let mut labels = authority.split('.');
        let (service, region) = (labels.next().unwrap_or_default(), labels.next().unwrap_or_default());
        let mut given = |default: &str| String::from(parts.next().filter(|part| !part.is_empty()).unwrap_or(default));
        let region = given(region);
        Self { access_key_id: user.name, service: given(service), region }
    }
}
