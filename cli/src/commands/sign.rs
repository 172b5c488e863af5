//! `countersign sign`

use std::process::ExitCode;

use ::http::HeaderMap;
use ::http::header::CONTENT_TYPE;
use countersign::Identity;
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
    let transport = TransportArgs::default();
    let found = crate::credentials::find(&args.credentials, &transport)?;
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
            "the signatures of chunks are in the body, so that headers alone are no use; use --payload hashed or --payload \
             unsigned, or send the request with `countersign request`",
        ));
    }
    if args.verbose {
        verbose::origins(output, &found, &target, payload, &draft);
    }
    let signer = target.signer(Identity::new(found.credentials))?;
    let signed = sign(&draft, &signer, payload, args.date.now())?;
    if args.verbose {
        verbose::stages(output, signed.stages());
    }
    let text = match args.format {
        SignFormat::Text => added(args, &signed)?.iter().map(|(name, value)| format!("{name}: {value}\n")).collect(),
        SignFormat::Json => {
            let headers: Map<String, Value> =
                added(args, &signed)?.into_iter().map(|(name, value)| (name, value.into())).collect();
            let json = json!({ "method": draft.method.as_str(), "url": draft.url.to_string(), "headers": headers });
            format!("{json}\n")
        }
        SignFormat::Curl => curl::command(&transport, &args.body, &draft, &signed)? + "\n",
    };
    output.print(&text).map(|()| ExitCode::SUCCESS)
}

/// The headers to send besides those of -H: what signing adds, and the content type of the body, which is signed.
fn added(args: &SignArgs, signed: &Signed) -> Result<Vec<(String, String)>, Failure> {
    let mut headers: Vec<(String, String)> = Vec::new();
    let content_type = signed.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if let Some(content_type) = content_type
        && !is_given(args)?
    {
        headers.push((CONTENT_TYPE.to_string(), content_type.into()));
    }
    headers.extend(signed.stages().headers().map(|(name, value)| (name.to_owned(), value.to_owned())));
    Ok(headers)
}

/// Returns `true` if -H has the content type.
fn is_given(args: &SignArgs) -> Result<bool, Failure> {
    // Standard input has been read already.
    let (piped, others): (Vec<String>, Vec<String>) = args.headers.iter().cloned().partition(|header| header == "@-");
    let mut given = HeaderMap::new();
    headers::apply(&mut given, &others)?;
    Ok(!piped.is_empty() || given.contains_key(CONTENT_TYPE))
}
