//! S3: chunks, trailers and the session token of directory buckets beside aws-sigv4.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_credential_types::Credentials as TheirCredentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use aws_smithy_runtime_api::http::Headers;
use bytes::Bytes;
use countersign::streaming::Chunked;
use countersign::{Credentials, Payload, Request, Signer, Timestamp};

const ID: &str = "AKIDEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const TOKEN: &str = "AQoEXAMPLEs3session/token+with==chars/";

fn now() -> Timestamp {
    "20240312T081500Z".parse().unwrap()
}

fn time() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(now().unix_seconds() as u64)
}

fn params<'a, S: Default>(identity: &'a Identity, service: &'static str, settings: S) -> v4::SigningParams<'a, S> {
    v4::SigningParams::builder()
        .identity(identity)
        .region("us-west-2")
        .name(service)
        .time(time())
        .settings(settings)
        .build()
        .unwrap()
}

#[test]
fn chunks_and_trailers_have_the_same_signatures() {
    let identity = TheirCredentials::new(ID, SECRET, None, None, "test").into();
    let params = params(&identity, "s3", ());
    let signer = Signer::new(Credentials::new(ID, SECRET).unwrap(), "us-west-2", "s3").unwrap();
    let data: Vec<u8> = (0..20_000_u32).map(|n| (n * n >> 3) as u8).collect();
    let upload = Chunked::signed(data.len() as u64).with_chunk_size(8192).with_trailer("x-amz-meta-note", 2);
    let request = Request::new("PUT", "/key", &[]).with_host("bucket.example");
    let signed = signer.sign_chunked(&request, &upload, now()).unwrap();
    let (mut encoder, mut body) = (signed.encoder(), Vec::new());
    encoder.push(&data, |piece| body.extend_from_slice(piece)).unwrap();
    encoder.set_trailer("x-amz-meta-note", "hi").unwrap();
    encoder.finish(|piece| body.extend_from_slice(piece)).unwrap();

    let mut expected = Vec::new();
    let mut last = signed.signed().signature().to_hex();
    for chunk in data.chunks(8192).chain([&[][..]]) {
        last = v4::sign_chunk(&Bytes::copy_from_slice(chunk), &last, &params).unwrap().into_parts().1;
        expected.extend(format!("{:x};chunk-signature={last}\r\n", chunk.len()).bytes());
        expected.extend(chunk);
        if !chunk.is_empty() {
            expected.extend(b"\r\n");
        }
    }
    let mut trailers = Headers::new();
    trailers.insert("x-amz-meta-note", "hi");
    let signature = v4::sign_trailer(&trailers, &last, &params).unwrap().into_parts().1;
    expected.extend(format!("x-amz-meta-note:hi\r\nx-amz-trailer-signature:{signature}\r\n\r\n").bytes());
    assert_eq!(String::from_utf8_lossy(&body), String::from_utf8_lossy(&expected));
}

/// `x-amz-s3session-token` in the header, `X-Amz-S3session-Token` in the query.
#[test]
fn s3_express_has_the_same_signatures() {
    let identity: Identity = TheirCredentials::new(ID, SECRET, Some(TOKEN.into()), None, "test").into();
    let credentials = Credentials::new(ID, SECRET).unwrap().with_session_token(TOKEN).unwrap();
    let signer = Signer::new(credentials, "us-west-2", "s3express").unwrap();
    let host = "bucket--usw2-az1--x-s3.s3express-usw2-az1.us-west-2.amazonaws.com";
    for (method, target) in [("GET", "/a//b/./photo%20one.jpg"), ("PUT", "/key%2Bplus?x-id=PutObject")] {
        let url = format!("https://{host}{target}");
        for presigned in [false, true] {
            let mut settings = SigningSettings::default();
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
            settings.session_token_name_override =
                Some(if presigned { "X-Amz-S3session-Token" } else { "x-amz-s3session-token" });
            let body = if presigned {
                settings.signature_location = SignatureLocation::QueryParams;
                settings.expires_in = Some(Duration::from_secs(300));
                SignableBody::UnsignedPayload
            } else {
                settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
                SignableBody::Bytes(b"hello")
            };
            let headers = [("host", host)];
            let signable = SignableRequest::new(method, &url, headers.into_iter(), body).unwrap();
            let theirs = sign(signable, &params(&identity, "s3express", settings).into()).unwrap().into_parts().1;
            let request = Request::new(method, target, &[]).with_host(host);
            let ours = if presigned {
                signer.presign(&request, Duration::from_secs(300), now()).unwrap().signature()
            } else {
                signer.sign(&request, Payload::Bytes(b"hello"), now()).unwrap().signature()
            };
            assert_eq!(ours.to_hex(), theirs, "{method} {target} {presigned}");
        }
    }
}
