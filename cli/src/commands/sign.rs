//! `countersign sign`

use std::process::ExitCode;

use ::http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName};
use countersign::{Identity, SignedHeaders};
use serde_json::{Map, Value, json};

use super::request::verbose;
use crate::args::sign::SignFormat;
use crate::args::{SignArgs, TransportArgs};
use crate::endpoint::Target;
use crate::failure::Failure;
use crate::output::Output;
use crate::request::{Draft, Ingredients, Payload, Signed, check_stdin, curl, headers, host, sign};
use crate::url::Url;

pub fn run(args: &SignArgs) -> Result<ExitCode, Failure> {
    let output = Output::new();
    check_stdin(&args.credentials, &args.body, &args.headers)?;
    let url = Url::parse(&args.url)?;
    let found = crate::credentials::find(&args.credentials, &TransportArgs::default())?;
    let host = host(&args.headers).unwrap_or_else(|| url.host()).to_owned();
    let target = Target::find(&args.scope, &host, found.region.as_deref())?;
    let draft = Draft::new(Ingredients {
        url,
        method: args.request.as_deref(),
        head: args.head,
        headers: &args.headers,
        body: &args.body,
        service: &target.service,
    })?;
    let payload = Payload::choose(&args.body, &draft.content, &target.service)?;
    if matches!(payload, Payload::Chunked(_) | Payload::UnsignedChunked(_)) {
        return Err(Failure::usage(
            "the signatures of chunks are in the body, so headers alone aren't enough; use --payload hashed or --payload \
             unsigned, or send the request with `countersign request`",
        ));
    }
    if args.verbose {
        verbose::origins(output, &found, &target, payload, &draft);
    }
    let mut signer = target.signer(Identity::new(found.credentials))?;
    if args.sign_all_headers {
        signer = signer.with_signed_headers(SignedHeaders::All);
    }
    let signed = sign(&draft, &signer, payload, args.date.now())?;
    if args.verbose {
        verbose::stages(output, signed.stages());
    }
    output.print(&text(args, &draft, &signed)?).map(|()| ExitCode::SUCCESS)
}

fn text(args: &SignArgs, draft: &Draft, signed: &Signed) -> Result<String, Failure> {
    Ok(match args.format {
        SignFormat::Text => added(args, signed)?.iter().map(|(name, value)| format!("{name}: {value}\n")).collect(),
        SignFormat::Json => {
            let headers: Map<String, Value> =
                added(args, signed)?.into_iter().map(|(name, value)| (name, value.into())).collect();
            let json = json!({ "method": draft.method.as_str(), "url": draft.url.to_string(), "headers": headers });
            format!("{json}\n")
        }
        SignFormat::Curl => curl::command(&TransportArgs::default(), &args.body, draft, signed)? + "\n",
    })
}

/// The headers to send besides those of -H: what signing adds, and those with a default value that are signed.
fn added(args: &SignArgs, signed: &Signed) -> Result<Vec<(String, String)>, Failure> {
    // Standard input has been read already, and can't be asked again which headers it had.
    let (piped, others): (Vec<String>, Vec<String>) = args.headers.iter().cloned().partition(|header| header == "@-");
    let mut given = HeaderMap::new();
    headers::apply(&mut given, &others)?;
    let defaults: &[HeaderName] = match (piped.is_empty(), args.sign_all_headers) {
        (false, _) => &[],
        (true, false) => &[CONTENT_TYPE],
        (true, true) => &[ACCEPT, CONTENT_TYPE],
    };
    let mut added = Vec::new();
    for name in defaults.iter().filter(|name| !given.contains_key(*name)) {
        let value = signed.headers.get(name).and_then(|value| value.to_str().ok());
        added.extend(value.map(|value| (name.to_string(), value.to_owned())));
    }
    added.extend(signed.stages().headers().map(|(name, value)| (name.to_owned(), value.to_owned())));
    Ok(added)
}
