//! HAR 1.2 files, as browsers and proxies export them.

use alloc::string::String;
use alloc::vec::Vec;
use core::cell::Cell;
use core::fmt;

use base64ct::{Base64, Encoding};
use serde_core::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use zeroize::Zeroizing;

use super::select::Select;
use super::url::Url;
use super::{Answer, Bytes, Header, InputError, MAX_HAR, Read, check_length};
use crate::json::read::Json;
use crate::text::is_token;

/// The most JSON values that are kept of one entry; a header takes three.
const MOST_VALUES: usize = 16_384;

/// The members that are read. The last two are Chromium's own.
const NAMES: [&str; 17] = [
    "request",
    "response",
    "method",
    "url",
    "headers",
    "name",
    "value",
    "postData",
    "text",
    "encoding",
    "bodySize",
    "status",
    "content",
    "params",
    "fileName",
    "_resourceType",
    "_priority",
];

/// A request with its response.
pub(super) struct Entry {
    json: Json,
    /// Whether the exporter may have removed the credentials.
    is_sanitized: bool,
}

impl Entry {
    /// Selects the entry with this index; for `None` the last that failed, or else the last.
    pub(super) fn read(har: &[u8], index: Option<usize>) -> Result<Self, InputError> {
        check_length(har.len(), MAX_HAR)?;
        let har = har.strip_prefix("\u{feff}".as_bytes()).unwrap_or(har);
        let mut found = Found { index, count: 0, entry: None, failed: false, is_of_chromium: false };
        let mut deserializer = serde_json::Deserializer::from_slice(har);
        let read = Log { found: &mut found }.deserialize(&mut deserializer);
        read.and_then(|()| deserializer.end()).map_err(|_| InputError::NotJson)?;
        let json = found.entry.ok_or(InputError::NoEntry)?;
        let is_sanitized = found.is_of_chromium || json.member("_resourceType").or(json.member("_priority")).is_some();
        Ok(Self { json, is_sanitized })
    }

    pub(super) fn request(&self) -> Result<Read, InputError> {
        let request = self.json.member("request").ok_or(InputError::NoRequest)?;
        let (Some(method), Some(url)) = (text(request, "method"), text(request, "url")) else {
            return Err(InputError::NoRequest);
        };
        let url = Url::parse(url.as_bytes())?;
        let headers = headers(request);
        let has = |name: &str| headers.iter().any(|header| header.is(name));
        Ok(Read {
            method: method.into(),
            scheme: Some(url.scheme),
            authority: url.authority,
            target: url.target,
            body: body_of(request),
            // `x-amz-date` without `Authorization`: the signature was removed.
            may_have_more_headers: !has("authorization") && (self.is_sanitized || has("x-amz-date")),
            headers,
            signed_by_curl: None,
        })
    }

    pub(super) fn response(&self) -> Result<Answer, InputError> {
        let response = self.json.member("response").ok_or(InputError::NoResponse)?;
        let status = status(&self.json).filter(|status| *status > 0).ok_or(InputError::NoResponse)?;
        let content = response.member("content").unwrap_or(&Json::Other);
        Ok(Answer { status, headers: headers(response), body: decoded(content).unwrap_or_default() })
    }
}

fn status(entry: &Json) -> Option<u16> {
    match entry.member("response")?.member("status")? {
        Json::Whole(status) => u16::try_from(*status).ok(),
        Json::Text(status) => status.parse().ok(),
        _ => None,
    }
}

fn text<'j>(json: &'j Json, name: &str) -> Option<&'j str> {
    json.member(name)?.text()
}

/// The headers, without HTTP/2 pseudo-headers, which repeat the URL, and without invalid names.
fn headers(of: &Json) -> Vec<Header> {
    let Some(Json::List(list)) = of.member("headers") else { return Vec::new() };
    let pairs = list.iter().filter_map(|pair| Some((text(pair, "name")?, text(pair, "value")?)));
    pairs.filter(|(name, _)| is_token(name)).map(|(name, value)| Header::new(name, value.trim())).collect()
}

/// The body of a request; unknown if its length differs from `bodySize`, since binary bodies are not exported completely.
fn body_of(request: &Json) -> Option<Bytes> {
    let length = match request.member("bodySize") {
        Some(Json::Whole(length)) => usize::try_from(*length).ok(),
        _ => None,
    };
    let Some(post_data) = request.member("postData") else {
        let sends_none = matches!(text(request, "method"), Some("GET" | "HEAD" | "DELETE" | "OPTIONS"));
        return (length == Some(0) || length.is_none() && sends_none).then(Bytes::default);
    };
    let body = decoded(post_data)?;
    length.is_none_or(|length| length == body.len()).then_some(body)
}

fn decoded(content: &Json) -> Option<Bytes> {
    let content_text = text(content, "text")?;
    if text(content, "encoding") != Some("base64") {
        return Some(Zeroizing::new(content_text.into()));
    }
    let joined: Zeroizing<String> = Zeroizing::new(content_text.split_ascii_whitespace().collect());
    Base64::decode_vec(&joined).ok().map(Zeroizing::new)
}

/// The entry selected so far.
struct Found {
    index: Option<usize>,
    count: usize,
    entry: Option<Json>,
    /// Whether its status is 400 or more.
    failed: bool,
    is_of_chromium: bool,
}

impl Found {
    fn offer(&mut self, entry: Json) {
        let failed = status(&entry).is_some_and(|status| status >= 400);
        let is_wanted = match self.index {
            Some(index) => index == self.count,
            None => failed || !self.failed,
        };
        if is_wanted {
            (self.entry, self.failed) = (Some(entry), failed);
        }
        self.count += 1;
    }
}

/// The whole file, its `log`, or a single entry.
struct Log<'f> {
    found: &'f mut Found,
}

impl<'de> DeserializeSeed<'de> for Log<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Log<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a HAR file")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let left = Cell::new(MOST_VALUES);
        let mut alone = Vec::new();
        while let Some(name) = members.next_key::<String>()? {
            match name.as_str() {
                "log" => members.next_value_seed(Log { found: self.found })?,
                "entries" => members.next_value_seed(Entries { found: self.found })?,
                "creator" => {
                    let creator = members.next_value_seed(Select { names: &NAMES, left: &left })?;
                    self.found.is_of_chromium |= text(&creator, "name") == Some("WebInspector");
                }
                name if NAMES.contains(&name) => {
                    alone.push((String::from(name), members.next_value_seed(Select { names: &NAMES, left: &left })?));
                }
                _ => {
                    members.next_value::<IgnoredAny>()?;
                }
            }
        }
        let alone = Json::Object(alone);
        if alone.member("request").or(alone.member("response")).is_some() {
            self.found.offer(alone);
        }
        Ok(())
    }
}

struct Entries<'f> {
    found: &'f mut Found,
}

impl<'de> DeserializeSeed<'de> for Entries<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of entries")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        loop {
            let left = Cell::new(MOST_VALUES);
            match list.next_element_seed(Select { names: &NAMES, left: &left })? {
                Some(entry) => self.found.offer(entry),
                None => return Ok(()),
            }
        }
    }
}
