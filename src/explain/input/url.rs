//! Splits URLs as curl does.

use alloc::string::String;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::{Bytes, InputError, text_of};

pub(super) struct Url {
    pub(super) scheme: &'static str,
    /// Host and port.
    pub(super) authority: String,
    pub(super) has_user: bool,
    /// Path and query, as it is sent.
    pub(super) target: Bytes,
}

impl Url {
    /// Drops the fragment, which no client sends. The default scheme is `http`, as in curl.
    pub(super) fn parse(url: &[u8]) -> Result<Self, InputError> {
        let url = url.split(|byte| *byte == b'#').next().unwrap_or_default();
        let (scheme, rest) = match url.windows(3).position(|window| window == b"://") {
            Some(position) if url.iter().take(position).all(u8::is_ascii_alphabetic) => {
                (scheme(url.get(..position).unwrap_or_default())?, url.get(position + 3..).unwrap_or_default())
            }
            _ => ("http", url),
        };
        let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(rest.len());
        let (authority, target) = rest.split_at_checked(end).unwrap_or((rest, b""));
        let host = authority.rsplit(|byte| *byte == b'@').next().unwrap_or_default();
        let is_host = |byte: &u8| byte.is_ascii_graphic() || !byte.is_ascii();
        if host.is_empty() || host.starts_with(b":") || !host.iter().all(is_host) {
            return Err(InputError::Url);
        }
        let mut path = Zeroizing::new(Vec::with_capacity(target.len() + 1));
        if !target.starts_with(b"/") {
            path.push(b'/');
        }
        path.extend_from_slice(target);
        Ok(Self { scheme, authority: text_of(host), has_user: host.len() < authority.len(), target: path })
    }

    /// Removes the path segments `.` and `..`, as curl and browsers do.
    pub(super) fn without_dot_segments(mut self) -> Self {
        let end = self.target.iter().position(|byte| *byte == b'?').unwrap_or(self.target.len());
        let (path, query) = self.target.split_at_checked(end).unwrap_or((&self.target, b""));
        let mut kept: Vec<&[u8]> = Vec::new();
        let mut segments = path.split(|byte| *byte == b'/').skip(1).peekable();
        while let Some(segment) = segments.next() {
            let is_last = segments.peek().is_none();
            match segment {
                b"." => {}
                b".." => {
                    kept.pop();
                }
                segment => {
                    kept.push(segment);
                    continue;
                }
            }
            if is_last {
                kept.push(b"");
            }
        }
        let mut target = Zeroizing::new(Vec::with_capacity(self.target.len() + 1));
        for segment in kept {
            target.push(b'/');
            target.extend_from_slice(segment);
        }
        target.extend_from_slice(query);
        self.target = target;
        self
    }
}

fn scheme(name: &[u8]) -> Result<&'static str, InputError> {
    let known = ["https", "http", "wss", "ws"].into_iter();
    known.into_iter().find(|known| name.eq_ignore_ascii_case(known.as_bytes())).ok_or(InputError::Url)
}
