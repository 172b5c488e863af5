use aws_sign_v4::AwsSign;
use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderValue};
use sha2::{Digest, Sha256};

use super::{countersign, signature_in};
use crate::measure::Contender;
use crate::requests::{ACCESS_KEY_ID, Case, REGION, SECRET, TIME, UNIX_SECONDS};

pub const WHO: &str = "aws-sign-v4";

/// It signs all headers that there are, so its caller adds host, date, token and hash before.
pub fn sign_http(case: &'static Case) -> Contender {
    let uri: &'static str = case.uri().leak();
    let time = DateTime::<Utc>::from_timestamp(UNIX_SECONDS as i64, 0).unwrap();
    let mut request = case.http().into_parts().0.headers;
    request.insert("host", HeaderValue::from_static(case.host));
    request.insert("x-amz-date", HeaderValue::from_static(TIME));
    if let Some(token) = &case.token {
        request.insert("x-amz-security-token", HeaderValue::from_static(token));
    }
    if case.is_s3() && case.body.is_empty() {
        request.insert("x-amz-content-sha256", hex::encode(Sha256::digest(b"")).parse().unwrap());
    }
    let run = move |headers: &mut HeaderMap| {
        if case.is_s3() && !case.body.is_empty() {
            let hash = hex::encode(Sha256::digest(&case.body));
            headers.insert("x-amz-content-sha256", hash.try_into().unwrap());
        }
        let sign =
            AwsSign::new(case.method, uri, &time, headers, REGION, ACCESS_KEY_ID, SECRET, case.service, &case.body);
        let authorization = sign.sign();
        headers.insert("authorization", authorization.try_into().unwrap());
    };
    let mut once = request.clone();
    run(&mut once);
    let authorization = once["authorization"].to_str().unwrap();
    assert_eq!(signature_in(authorization), countersign::sign(case).signature().to_hex(), "{}", case.name);
    Contender::with_input(WHO, move || request.clone(), run)
}
