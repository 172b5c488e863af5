//! `--offline` and `--curl`: the signed request is printed instead of sent.

use std::io::{self, IsTerminal, Read, Write};
use std::process::ExitCode;

use ::http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HOST, USER_AGENT};

use crate::args::RequestArgs;
use crate::failure::Failure;
use crate::output::{Output, write_failure};
use crate::request::{Draft, Signed, unreadable};

/// How much is read at once.
const PIECE: usize = 64 * 1024;
/// No longer body is printed at a terminal.
const MOST_AT_TERMINAL: u64 = 64 * 1024;

/// Prints the request as it would be sent over HTTP/1.1, with its body.
pub fn http(output: Output, draft: &Draft, signed: &Signed) -> Result<ExitCode, Failure> {
    let mut head = format!("{} {} HTTP/1.1\r\n", draft.method, draft.url.target());
    for (name, value) in &signed.headers {
        head.push_str(&format!("{name}: {}\r\n", String::from_utf8_lossy(value.as_bytes())));
    }
    let length = signed.body_length(&draft.content);
    if length > 0 && !signed.headers.contains_key(CONTENT_LENGTH) {
        head.push_str(&format!("content-length: {length}\r\n"));
    }
    head.push_str("\r\n");
    let terminal = io::stdout().is_terminal();
    if terminal {
        // Line ends are for machines.
        head = head.replace("\r\n", "\n");
    }
    output.print(&head)?;
    if terminal && (length > MOST_AT_TERMINAL || !is_text(draft)) {
        output.note(&format!("(the body of {length} bytes is not printed at a terminal)"));
        return Ok(ExitCode::SUCCESS);
    }
    copy(signed.encode(draft.content.reader()))?;
    Ok(ExitCode::SUCCESS)
}

fn is_text(draft: &Draft) -> bool {
    let text = draft.content.bytes().map(|bytes| std::str::from_utf8(bytes));
    matches!(text, Some(Ok(text)) if !text.contains(|c: char| c.is_control() && !c.is_whitespace()))
}

fn copy(mut reader: Box<dyn Read + Send>) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let mut piece = vec![0; PIECE];
    loop {
        let read = reader.read(&mut piece).map_err(unreadable)?;
        match piece.get(..read) {
            None | Some([]) => return out.flush().map_err(write_failure),
            Some(data) => out.write_all(data).map_err(write_failure)?,
        }
    }
}

/// Prints a curl command that sends the request.
pub fn curl(output: Output, args: &RequestArgs, draft: &Draft, signed: &Signed) -> Result<ExitCode, Failure> {
    if signed.is_chunked() {
        return Err(Failure::usage("curl can't sign chunks; use --payload hashed or --payload unsigned with --curl"));
    }
    // curl changes paths with dot segments and URLs with brackets otherwise.
    let mut words = vec!["curl".to_owned(), "--path-as-is".into(), "--globoff".into()];
    match draft.method.as_str() {
        "GET" if draft.content.length() == 0 => {}
        "HEAD" => words.push("--head".into()),
        method => words.extend(["-X".into(), quoted(method)]),
    }
    for (flag, given) in [("--insecure", args.transport.insecure), ("--http1.1", args.transport.http1)] {
        if given {
            words.push(flag.into());
        }
    }
    if let Some(file) = &args.transport.cacert {
        words.extend(["--cacert".into(), quoted(&file.display().to_string())]);
    }
    words.push(quoted(&draft.url.to_string()));
    for line in curl_headers(draft, signed) {
        words.extend(["-H".into(), quoted(&line)]);
    }
    if has_body(draft) {
        words.extend(body(args, draft)?);
    }
    output.print(&(words.join(" ") + "\n"))?;
    Ok(ExitCode::SUCCESS)
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

fn body(args: &RequestArgs, draft: &Draft) -> Result<[String; 2], Failure> {
    if let Some(text) = draft.content.bytes().and_then(|bytes| std::str::from_utf8(bytes).ok())
        && !text.contains('\0')
    {
        return Ok(["--data-raw".into(), quoted(text)]);
    }
    let file = match (&args.body.upload_file, args.body.data_binary.as_slice()) {
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
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}
