//! Why a request was refused.

use countersign::explain::{Cause, Explanation};

use super::Session;
use crate::http::Answer;
use crate::output::{Style, printable};
use crate::request::Signed;

pub fn explain(answer: &Answer<'_>, body: &[u8], signed: &Signed) -> Explanation {
    let headers: Vec<(&str, &[u8])> =
        answer.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    Explanation::from_response(answer.status().as_u16(), &headers, body, signed.stages())
}

/// Prints the causes to standard error. An answer that isn't about the signature is left to speak for itself.
pub fn print(session: &Session<'_>, status: u16, explanation: &Explanation) {
    let show = &session.args.show;
    let is_about_access = matches!(status, 401 | 403);
    let says_nothing = explanation.findings().all(|finding| match finding.cause() {
        Cause::Unrelated => true,
        Cause::NotRecognised => !is_about_access,
        _ => false,
    });
    if show.no_explain || (show.silent && !show.show_error) || says_nothing {
        return;
    }
    let output = session.output;
    output.styled_note(&output.style_err(Style::Bold, "why it was refused:"));
    for line in printable(&explanation.to_string()).lines() {
        let style = match line.as_bytes() {
            [b'-', ..] => Some(Style::Red),
            [b'+', ..] => Some(Style::Green),
            _ => None,
        };
        output.styled_note(&style.map_or_else(|| line.to_owned(), |style| output.style_err(style, line)));
    }
    if explanation.clock_offset().is_some() && !session.args.act.retry_skew {
        output.note("With --retry-skew, the request is signed with the server's time and sent again.");
    }
}
