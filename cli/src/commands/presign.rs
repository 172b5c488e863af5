//! `countersign presign`

use std::process::ExitCode;

use ::http::{HeaderMap, Method};
use countersign::{Identity, Payload, Request};

use super::request::verbose;
use crate::args::time::extended;
use crate::args::{PresignArgs, TransportArgs};
use crate::endpoint::Target;
use crate::failure::Failure;
use crate::output::{Output, Style, redacted_url};
use crate::request::{headers, host};
use crate::url::Url;

pub fn run(args: &PresignArgs) -> Result<ExitCode, Failure> {
    let output = Output::new();
    let (url, scheme) = parse(&args.url)?;
    let method = Method::from_bytes(args.request.as_bytes())
        .map_err(|_| Failure::usage("the method of -X contains characters that a method can't contain"))?;
    let mut given = HeaderMap::new();
    headers::apply(&mut given, &args.headers)?;
    let payload = args.payload_hash.as_deref().map(payload).transpose()?;

    let found = crate::credentials::find(&args.credentials, &TransportArgs::default())?;
    let host = host(&args.headers).unwrap_or_else(|| url.host());
    let target = Target::find(&args.scope, host, found.region.as_deref())?;
    if args.verbose {
        verbose::signer(output, &found, &target);
    }
    let signer = target.signer(Identity::new(found.credentials))?.also_sign(given.keys().map(|name| name.as_str()));
    let pairs: Vec<(&str, &[u8])> = given.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let mut request = Request::new(method.as_str(), url.target(), &pairs).with_scheme(scheme);
    if !given.contains_key("host") {
        request = request.with_host(url.host_header());
    }
    let now = args.date.now();
    let presigned = match payload {
        Some(payload) => signer.presign_payload(&request, payload, args.expires, now),
        None => signer.presign(&request, args.expires, now),
    }
    .map_err(Failure::sign)?;
    if args.verbose {
        verbose::block(output, "canonical request", &presigned.canonical_request().redacted().to_string());
        verbose::block(output, "string to sign", &presigned.string_to_sign().to_string());
        output.styled_note(&output.style_err(Style::Bold, &format!("* expires: {}", extended(presigned.expires_at()))));
        output.note(&format!("  {}", redacted_url(presigned.target())));
    }
    if presigned.outlives_credentials() {
        let end = extended(presigned.expires_at());
        output.warning(&format!("the credentials expire at {end}, and the URL with them"));
    }
    output.print(&format!("{}\n", presigned.url())).map(|()| ExitCode::SUCCESS)
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
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let digits: Option<Vec<u8>> = text.as_bytes().iter().map(digit).collect();
    let bytes = digits
        .unwrap_or_default()
        .chunks(2)
        .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit))
        .collect::<Vec<u8>>();
    match <[u8; 32]>::try_from(bytes) {
        Ok(hash) if text.len() == 64 => Ok(Payload::Sha256(hash)),
        _ => Err(Failure::usage(
            "--payload-hash must be the SHA-256 of the body as 64 hexadecimal digits, or `unsigned`",
        )),
    }
}
