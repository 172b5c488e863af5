//! `-d` and its relatives.

use std::io::Read;
use std::path::Path;

use super::content::Content;
use crate::args::BodyArgs;
use crate::failure::{Failure, Kind};
use crate::url::Url;

/// The data of -d, --data-binary, --data-raw, --data-urlencode and --json.
#[derive(Default)]
pub struct Data {
    parts: Vec<Vec<u8>>,
    json: Option<Vec<u8>>,
    /// The only part is a file to be sent byte for byte. It isn't read into memory.
    file: Option<String>,
}

impl Data {
    pub fn read(body: &BodyArgs) -> Result<Self, Failure> {
        let mut data = Self::default();
        let others = body.data.len() + body.data_raw.len() + body.data_urlencode.len();
        if !body.json.is_empty() {
            if others + body.data_binary.len() > 0 {
                return Err(Failure::usage("--json is the whole body; it can't be used with -d"));
            }
            let parts = body.json.iter().map(|value| at_file(value, false)).collect::<Result<Vec<_>, _>>()?;
            data.json = Some(parts.concat());
            return Ok(data);
        }
        if let ([only], 0, false) = (body.data_binary.as_slice(), others, body.get)
            && let Some(file) = only.strip_prefix('@')
        {
            data.file = Some(file.to_owned());
            return Ok(data);
        }
        data.parts = in_order(body).map(|(part, value)| part(value)).collect::<Result<_, _>>()?;
        Ok(data)
    }

    pub fn is_given(&self) -> bool {
        !self.parts.is_empty() || self.json.is_some() || self.file.is_some()
    }

    pub fn content_type(&self) -> Option<&'static str> {
        match (&self.json, self.is_given()) {
            (Some(_), _) => Some("application/json"),
            (None, true) => Some("application/x-www-form-urlencoded"),
            (None, false) => None,
        }
    }

    pub fn content(&self, body: &BodyArgs, service: &str) -> Result<Content, Failure> {
        match (&self.file, &self.json) {
            (Some(file), _) => Content::open(Path::new(file), body, service),
            (None, Some(json)) => Ok(Content::from(json.clone())),
            (None, None) => Ok(Content::from(self.parts.join(&b'&'))),
        }
    }

    /// `-G`
    pub fn in_query(&self, url: Url) -> Result<Url, Failure> {
        if self.json.is_some() {
            return Err(Failure::usage("--json is a body; it can't be sent in the query with -G"));
        }
        let query = String::from_utf8(self.parts.join(&b'&'))
            .map_err(|_| Failure::usage("the data for the query is not text; encode it with --data-urlencode"))?;
        if query.is_empty() { Ok(url) } else { url.with_query(&query) }
    }
}

/// Reads one value.
type Part = fn(&str) -> Result<Vec<u8>, Failure>;

/// The values of all four flags in the order typed, and how each is read.
fn in_order(body: &BodyArgs) -> impl Iterator<Item = (Part, &str)> {
    let flags: [(&[usize], &[String], Part); 4] = [
        (&body.order.data, &body.data, |value| at_file(value, true)),
        (&body.order.binary, &body.data_binary, |value| at_file(value, false)),
        (&body.order.raw, &body.data_raw, |value| Ok(value.into())),
        (&body.order.urlencode, &body.data_urlencode, |value| urlencoded(value).map(String::into_bytes)),
    ];
    let mut all = Vec::new();
    for (positions, values, part) in flags {
        all.extend(values.iter().enumerate().map(|(nth, value)| (positions.get(nth), part, value.as_str())));
    }
    // Stable, so that values without a position stay as they are.
    all.sort_by_key(|(position, ..)| *position);
    all.into_iter().map(|(_, part, value)| (part, value))
}

/// The value, or the file after `@`. `-d` removes line breaks and NUL from a file, as curl does.
fn at_file(value: &str, strip: bool) -> Result<Vec<u8>, Failure> {
    let Some(file) = value.strip_prefix('@') else { return Ok(value.into()) };
    let mut bytes = read(file)?;
    if strip {
        bytes.retain(|byte| !matches!(byte, b'\r' | b'\n' | 0));
    }
    Ok(bytes)
}

fn read(file: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let result =
        if file == "-" { std::io::stdin().read_to_end(&mut bytes).map(|_| bytes) } else { std::fs::read(file) };
    result.map_err(|error| Failure::new(Kind::Read, format!("the data can't be read from {file}: {error}")))
}

/// `content`, `=content`, `name=content`, `@FILE`, `name@FILE`
fn urlencoded(value: &str) -> Result<String, Failure> {
    let Some(position) = value.find(['=', '@']) else { return Ok(countersign::encode_segment(value)) };
    let (name, rest) = value.split_at_checked(position).unwrap_or((value, ""));
    let content = match rest.strip_prefix('@') {
        Some(file) => countersign::encode_segment(read(file)?),
        None => countersign::encode_segment(rest.strip_prefix('=').unwrap_or(rest)),
    };
    Ok(if name.is_empty() { content } else { format!("{name}={content}") })
}
