use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningParams,
    SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;

use super::{countersign, signature_in};
use crate::measure::Contender;
use crate::requests::{ACCESS_KEY_ID, Case, LIFETIME, REGION, SECRET, system_time};

pub const WHO: &str = "aws-sigv4";

/// Made once, before anything is timed.
fn params(case: &'static Case, location: SignatureLocation) -> SigningParams<'static> {
    let mut settings = SigningSettings::default();
    settings.signature_location = location;
    settings.expires_in = (location == SignatureLocation::QueryParams).then_some(LIFETIME);
    if case.is_s3() {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        if location == SignatureLocation::Headers {
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
    }
    let identity = Credentials::new(ACCESS_KEY_ID, SECRET, case.token.clone(), None, "benches").into();
    v4::SigningParams::builder()
        .identity(Box::leak(Box::new(identity)))
        .region(REGION)
        .name(case.service)
        .time(system_time())
        .settings(settings)
        .build()
        .unwrap()
        .into()
}

fn run(
    case: &'static Case,
    location: SignatureLocation,
    body: SignableBody<'static>,
) -> (http::Request<()>, impl FnMut(&mut http::Request<()>)) {
    let params = params(case, location);
    let uri: &'static str = case.uri().leak();
    let run = move |request: &mut http::Request<()>| {
        let headers = request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
        let signable = SignableRequest::new(case.method, uri, headers, body.clone()).unwrap();
        let (instructions, _) = sign(signable, &params).unwrap().into_parts();
        instructions.apply_to_request_http1x(request);
    };
    (case.http(), run)
}

pub fn sign_http(case: &'static Case) -> Contender {
    let (request, mut run) = run(case, SignatureLocation::Headers, SignableBody::Bytes(&case.body));
    let mut once = request.clone();
    run(&mut once);
    let authorization = once.headers()["authorization"].to_str().unwrap();
    assert_eq!(signature_in(authorization), countersign::sign(case).signature().to_hex(), "{}", case.name);
    Contender::with_input(WHO, move || request.clone(), run)
}

pub fn presign_http(case: &'static Case) -> Contender {
    let body = if case.is_s3() { SignableBody::UnsignedPayload } else { SignableBody::Bytes(b"") };
    let (request, mut run) = run(case, SignatureLocation::QueryParams, body);
    let mut once = request.clone();
    run(&mut once);
    let uri = once.uri().to_string();
    assert_eq!(signature_in(&uri), signature_in(&countersign::presigned_target(case)), "{}", case.name);
    Contender::with_input(WHO, move || request.clone(), run)
}

pub fn key_derivation() -> Contender {
    Contender::new(WHO, || v4::generate_signing_key(SECRET, system_time(), REGION, "iam").as_ref().to_vec())
}
