//! A signed request as a curl command.

use ::http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HOST, USER_AGENT};

use super::{Draft, Signed};
use crate::args::{BodyArgs, TransportArgs};
use crate::failure::Failure;

/// Returns a curl command that sends the request.
pub fn command(transport: &TransportArgs, args: &BodyArgs, draft: &Draft, signed: &Signed) -> Result<String, Failure> {
    if signed.is_chunked() {
        return Err(Failure::usage("curl can't sign chunks; use --payload hashed or --payload unsigned"));
    }
    // curl changes paths with dot segments and URLs with brackets otherwise.
    let mut words = vec!["curl".to_owned(), "--path-as-is".into(), "--globoff".into()];
    match draft.method.as_str() {
        "GET" if draft.content.length() == 0 => {}
        "HEAD" => words.push("--head".into()),
        method => words.extend(["-X".into(), quoted(method)]),
    }
    for (flag, given) in [("--insecure", transport.insecure), ("--http1.1", transport.http1)] {
        if given {
            words.push(flag.into());
        }
    }
    if let Some(file) = &transport.cacert {
        words.extend(["--cacert".into(), quoted(&file.display().to_string())]);
    }
    words.push(quoted(&draft.url.to_string()));
    for line in curl_headers(draft, signed) {
        words.extend(["-H".into(), quoted(&line)]);
    }
    if has_body(draft) {
        words.extend(body(args, draft)?);
    }
    Ok(words.join(" "))
}

/// The headers for `-H`: what is sent, and the defaults of curl that are not.
fn curl_headers(draft: &Draft, signed: &Signed) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, value) in &signed.headers {
        let is_default = (name == HOST && value == draft.url.host_header()) || name == CONTENT_LENGTH;
        if !is_default {
            let value = String::from_utf8_lossy(value.as_bytes());
            lines.push(if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") });
        }
    }
    for name in [ACCEPT, USER_AGENT, CONTENT_TYPE] {
        if !signed.headers.contains_key(&name) && (name != CONTENT_TYPE || has_body(draft)) {
            lines.push(format!("{name}:"));
        }
    }
    lines
}

fn has_body(draft: &Draft) -> bool {
    draft.content.length() > 0
}

fn body(args: &BodyArgs, draft: &Draft) -> Result<[String; 2], Failure> {
    if let Some(text) = draft.content.bytes().and_then(|bytes| std::str::from_utf8(bytes).ok())
        && !text.contains('\0')
    {
        return Ok(["--data-raw".into(), quoted(text)]);
    }
    let file = match (&args.upload_file, args.data_binary.as_slice()) {
        (Some(file), _) => file.to_str().map(|file| format!("@{file}")),
        (None, [file]) if file.starts_with('@') => Some(file.clone()),
        _ => None,
    };
    match file {
        Some(file) => Ok(["--data-binary".into(), quoted(&file)]),
        None => {
            Err(Failure::usage("this body can't be written in a command; put it in a file and use --data-binary @FILE"))
        }
    }
}

/// Quotes a word for a POSIX shell.
pub fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}
