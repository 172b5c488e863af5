//! `countersign explain`

mod answer;
mod print;
mod sent;

use std::path::Path;
use std::process::ExitCode;

use countersign::explain::{Cause, Diagnosis, Explanation};

use crate::args::ExplainArgs;
use crate::failure::Failure;
use crate::input;
use answer::Answer;
pub use print::{as_json as diagnosis_as_json, of_signer as diagnosis_as_text};
use sent::Known;

/// The exit codes are grep's.
const NAMED: u8 = 0;
const NOT_NAMED: u8 = 1;

pub fn run(args: &ExplainArgs) -> Result<ExitCode, Failure> {
    // An error is always 2, since 1 is a result.
    let named = explain(args).map_err(Failure::usage)?;
    Ok(ExitCode::from(if named { NAMED } else { NOT_NAMED }))
}

/// Returns `true` if a cause was named.
fn explain(args: &ExplainArgs) -> Result<bool, Failure> {
    check_stdin(args)?;
    if let (Some(ours), Some(theirs)) = (&args.compare.canonical_ours, &args.compare.canonical_theirs) {
        let explanation = Explanation::compare(canonical(theirs)?, canonical(ours)?);
        return print::result(args, &explanation, None);
    }
    let answer = Answer::read(args)?;
    let known = Known::find(args, &answer)?;
    let explanation = answer.explain(known.sent.clone())?;
    let diagnosis = known.diagnosis();
    print::result(args, &explanation, diagnosis.as_ref())
}

/// Canonical requests don't end with a line end, but files do.
fn canonical(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = input::read(path, "the canonical request")?;
    if let Some(why) = input::why_not_text(&bytes) {
        return Err(Failure::usage(format!("{} is not a canonical request: {why}", path.display())));
    }
    for end in [b'\n', b'\r'] {
        if bytes.last() == Some(&end) {
            bytes.pop();
        }
    }
    Ok(bytes)
}

/// Whether a cause says more than that the request was refused.
fn is_named(cause: &Cause) -> bool {
    !matches!(
        cause,
        Cause::Mismatch
            | Cause::CanonicalRequestDiffers
            | Cause::ForbiddenWithoutReason
            | Cause::RefusedWithoutReason
            | Cause::Unrelated
            | Cause::NotRecognised
    )
}

fn names_a_cause(explanation: &Explanation, diagnosis: Option<&Diagnosis>) -> bool {
    matches!(diagnosis, Some(Diagnosis::Deviates { .. }))
        || explanation.findings().any(|finding| is_named(finding.cause()))
}

/// Only one thing can be read from standard input.
fn check_stdin(args: &ExplainArgs) -> Result<(), Failure> {
    let is_stdin = |path: &Option<std::path::PathBuf>| path.as_ref().is_some_and(|path| path.as_os_str() == "-");
    let compares = args.compare.canonical_ours.is_some();
    let answer = !compares && args.response.as_ref().is_none_or(|path| path.as_os_str() == "-");
    let others =
        [&args.sent.sent, &args.sent.upload_file, &args.compare.canonical_ours, &args.compare.canonical_theirs];
    let data = [&args.sent.data, &args.sent.data_binary, &args.sent.headers].into_iter().flatten();
    let readers = usize::from(answer)
        + usize::from(args.credentials.credentials_stdin)
        + others.into_iter().filter(|path| is_stdin(path)).count()
        + data.filter(|value| *value == "@-").count();
    if readers > 1 {
        return Err(Failure::usage(
            "standard input can be read for one thing only; name a file for the others (the answer is read from standard \
             input unless a file is given)",
        ));
    }
    Ok(())
}
