//! `--offline`: the signed request is printed instead of sent.

use std::io::{self, IsTerminal, Read, Write};
use std::process::ExitCode;

use ::http::header::CONTENT_LENGTH;

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
