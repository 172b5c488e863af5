//! `countersign presign`

use std::process::ExitCode;

use ::http::Method;
use ::http::header::{HOST, HeaderMap, HeaderName};
use countersign::{Identity, Payload, Presigned, Request, Signer};

use super::request::verbose;
use crate::args::time::extended;
use crate::args::{BodyArgs, PresignArgs, TransportArgs};
use crate::endpoint::Target;
use crate::failure::Failure;
use crate::output::Output;
use crate::request::{check_stdin, headers, host};
use crate::url::Url;

pub fn run(args: &PresignArgs) -> Result<ExitCode, Failure> {
    let output = Output::new();
    check_stdin(&args.credentials, &BodyArgs::default(), &args.headers)?;
    let (url, scheme) = parse(&args.url)?;
    let method = Method::from_bytes(args.request.as_bytes())
        .map_err(|_| Failure::usage("the method of -X contains characters that a method can't contain"))?;
    let mut headers = HeaderMap::new();
    headers::apply(&mut headers, &args.headers)?;
    let payload = args.payload_hash.as_deref().map(payload).transpose()?;
    let signer = signer(args, &url, output)?.also_sign(headers.keys().map(HeaderName::as_str));

    let pairs: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let mut request = Request::new(method.as_str(), url.target(), &pairs).with_scheme(scheme);
    if !headers.contains_key(HOST) {
        request = request.with_host(url.host_header());
    }
    let now = args.date.now();
    let presigned = match payload {
        Some(payload) => signer.presign_payload(request, payload, args.expires, now),
        None => signer.presign(request, args.expires, now),
    }
    .map_err(Failure::sign)?;
    if args.verbose {
        stages(output, &presigned);
    }
    if presigned.outlives_credentials() {
        let end = extended(presigned.expires_at());
        output.warning(&format!("the credentials expire at {end}, and the URL with them"));
    }
    output.print(&format!("{}\n", presigned.url())).map(|()| ExitCode::SUCCESS)
}

fn signer(args: &PresignArgs, url: &Url, output: Output) -> Result<Signer, Failure> {
    let found = crate::credentials::find(&args.credentials, &TransportArgs::default())?;
    let host = host(&args.headers).unwrap_or_else(|| url.host());
    let target = Target::find(&args.scope, host, found.region.as_deref())?;
    if args.verbose {
        verbose::signer(output, &found, &target);
    }
    target.signer(Identity::new(found.credentials))
}

fn stages(output: Output, presigned: &Presigned) {
    verbose::block(output, "canonical request", &presigned.canonical_request().redacted().to_string());
    verbose::block(output, "string to sign", &presigned.string_to_sign().to_string());
    verbose::line(output, "expires", &extended(presigned.expires_at()));
}

/// The URL of a WebSocket is signed like that of its handshake.
fn parse(typed: &str) -> Result<(Url, &'static str), Failure> {
    let (scheme, rest) = typed.split_once("://").unwrap_or_default();
    if scheme.eq_ignore_ascii_case("wss") {
        return Ok((Url::parse(&format!("https://{rest}"))?, "wss"));
    }
    if scheme.eq_ignore_ascii_case("ws") {
        return Ok((Url::parse(&format!("http://{rest}"))?, "ws"));
    }
    let url = Url::parse(typed)?;
    let scheme = url.scheme();
    Ok((url, scheme))
}

fn payload(text: &str) -> Result<Payload<'static>, Failure> {
    if text == "unsigned" || text == "UNSIGNED-PAYLOAD" {
        return Ok(Payload::Unsigned);
    }
    let hash = sha256(text).ok_or_else(|| {
        Failure::usage("--payload-hash must be the SHA-256 of the body as 64 hexadecimal digits, or `unsigned`")
    })?;
    Ok(Payload::Sha256(hash))
}

fn sha256(text: &str) -> Option<[u8; 32]> {
    let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
    let byte = |pair: &[u32]| match pair {
        [high, low] => u8::try_from(high << 4 | low).ok(),
        _ => None,
    };
    let bytes: Option<Vec<u8>> = digits?.chunks(2).map(byte).collect();
    bytes?.try_into().ok()
}
