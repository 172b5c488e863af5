//! `countersign verify`

mod body;
mod claims;
mod print;
mod raw;

use std::path::PathBuf;
use std::process::ExitCode;

use countersign::explain::{Diagnosis, deviations};
use countersign::{Credentials, Request, Timestamp, Verifier, VerifyError};

use crate::args::{Scheme, VerifyArgs};
use crate::failure::Failure;
use crate::{credentials, input, time};
use body::Body;
use claims::Scope;
use print::{Accepted, Refused, Report};
use raw::Raw;

/// Refused; accepted is 0.
const REFUSED: u8 = 1;
/// What a verifier gets if the request has no scope. It is refused before this is used.
const NO_SCOPE: (&str, &str) = ("us-east-1", "execute-api");
/// Where the body is checked, whether at once or chunk by chunk.
const CHECK_OF_BODY: u8 = 22;

pub fn run(args: &VerifyArgs) -> Result<ExitCode, Failure> {
    // An error is always 2, since 1 is a result.
    verify(args).map_err(Failure::usage)
}

fn verify(args: &VerifyArgs) -> Result<ExitCode, Failure> {
    let path = args.request.clone().unwrap_or_else(|| PathBuf::from("-"));
    let readers =
        [Some(&path), args.body.as_ref()].into_iter().flatten().filter(|path| path.as_os_str() == "-").count();
    if readers + usize::from(args.credentials.credentials_stdin) > 1 {
        return Err(Failure::usage(
            "standard input can be read for one thing only; name a file for the others (the request is read from \
             standard input unless a file is given)",
        ));
    }
    let bytes = input::read(&path, "the request")?;
    let mut raw = match &args.body {
        Some(_) => Raw::parse_head(&bytes)?,
        None => Raw::parse(&bytes)?,
    };
    let body = match &args.body {
        Some(path) => Body::File(path.clone()),
        None => Body::Bytes(std::mem::take(&mut raw.body)),
    };
    let now = match args.date.as_str() {
        "now" => Timestamp::now(),
        "request" => claims::date(&raw).unwrap_or_else(Timestamp::now),
        date => time::of_flag(date)?,
    };
    let mut report = Report { notes: std::mem::take(&mut raw.notes), now, json: args.json, verbose: args.verbose };
    let verifier = verifier(args, &raw, &mut report)?;
    let found = credentials::find(&args.credentials, &args.transport)?;
    match check(args, &verifier, &raw, &body, &found.credentials, now)? {
        Ok(accepted) => report.accepted(&accepted).map(|()| ExitCode::SUCCESS),
        Err(refused) => report.refused(&refused).map(|()| ExitCode::from(REFUSED)),
    }
}

fn verifier(args: &VerifyArgs, raw: &Raw, report: &mut Report) -> Result<Verifier, Failure> {
    let own = claims::scope(raw);
    let named = |flag: &Option<String>, own: fn(&Scope) -> &String, fallback: &str| {
        flag.clone().or_else(|| claims::scope(raw).map(|scope| own(&scope).clone())).unwrap_or_else(|| fallback.into())
    };
    let region = named(&args.region, |scope| &scope.region, NO_SCOPE.0);
    let service = named(&args.service, |scope| &scope.service, NO_SCOPE.1);
    let is_own = args.region.is_none() || args.service.is_none();
    if own.is_some() && is_own {
        let which = match (&args.region, &args.service) {
            (None, None) => format!("region {region} and service {service} are"),
            (None, _) => format!("region {region} is"),
            _ => format!("service {service} is"),
        };
        report.notes.push(format!(
            "{which} taken from the request itself; check against a server's with --region and --service"
        ));
    }
    let given = args.region.is_some() || args.service.is_some();
    let verifier = match Verifier::new(&region, &service) {
        Ok(verifier) => verifier,
        Err(error) if given => return Err(Failure::usage(error)),
        // The request's own scope is malformed: any verifier refuses it.
        Err(_) => Verifier::new(NO_SCOPE.0, NO_SCOPE.1).map_err(Failure::usage)?,
    };
    let mut verifier = verifier.with_sigv4a().echo_computed().with_external_hosts(&args.external_host);
    if args.accept_dot_segments {
        verifier = verifier.accept_dot_segments();
    }
    if args.accept_repeated_headers {
        verifier = verifier.accept_repeated_headers();
    }
    Ok(verifier)
}

/// The outer error is one of reading the body.
fn check(
    args: &VerifyArgs,
    verifier: &Verifier,
    raw: &Raw,
    body: &Body,
    credentials: &Credentials,
    now: Timestamp,
) -> Result<Result<Accepted, Refused>, Failure> {
    let headers: Vec<(&str, &[u8])> =
        raw.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
    let mut request = Request::new(&raw.method, raw.target.as_slice(), &headers);
    request = request.with_scheme(if args.scheme == Scheme::Http { "http" } else { "https" });
    if let Some((scheme, host)) = &raw.origin {
        request = request.with_scheme(scheme).with_host(host);
    }
    let refused = |error: VerifyError| Ok(Err(Refused::of(&error, request)));
    let unverified = match verifier.parse(request, now) {
        Ok(unverified) => unverified,
        Err(error) => return refused(error),
    };
    // Credentials for other keys are looked up by the server; this command knows one.
    let known = Some(credentials).filter(|own| own.access_key_id() == unverified.access_key_id());
    let whole = unverified.clone().with_body_sha256(body.sha256()?).verify(known);
    match whole {
        Ok(verified) => Ok(Ok(Accepted::of(&verified, &raw.headers, None))),
        Err(VerifyError::BodyIsStreamed { .. }) => match unverified.verify_head(known) {
            Err(error) => refused(error),
            Ok(head) => {
                let decoded = match head.chunk_decoder() {
                    Ok(decoder) => body.decode(decoder)?,
                    Err(error) => Err(error),
                };
                Ok(match decoded {
                    Ok(decoded) => Ok(Accepted::of(&head, &raw.headers, Some(decoded))),
                    Err(error) => Err(Refused::of_body(CHECK_OF_BODY, &error)),
                })
            }
        },
        Err(error) => {
            let mut refused = Refused::of(&error, request);
            if let VerifyError::UnknownAccessKey { .. } = error {
                refused.own_access_key_id = Some(credentials.access_key_id().to_owned());
            }
            if let VerifyError::SignatureMismatch { .. } = error {
                let diagnosis = deviations(request, body.bytes(), credentials);
                refused.signer = Some(diagnosis).filter(|diagnosis| !matches!(diagnosis, Diagnosis::Refused(_)));
            }
            Ok(Err(refused))
        }
    }
}
