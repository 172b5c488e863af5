use std::future::ready as at_once;
use std::str::FromStr;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use scratchstack_aws_signature::principal::{Principal, User};
use scratchstack_aws_signature::{
    GetSigningKeyRequest, GetSigningKeyResponse, KSecretKey, NO_ADDITIONAL_SIGNED_HEADERS, SignatureOptions,
    sigv4_validate_request,
};
use tower::BoxError;

use super::ready;
use crate::measure::Contender;
use crate::requests::{Case, REGION, SECRET, UNIX_SECONDS};

pub const WHO: &str = "scratchstack";

/// `case` is one that arrives. The key is derived before, and handed out without waiting.
pub fn verify(case: &'static Case) -> Contender {
    let now = DateTime::<Utc>::from_timestamp(UNIX_SECONDS as i64, 0).unwrap();
    let key = KSecretKey::<44>::from_str(SECRET).unwrap().to_ksigning(now.date_naive(), REGION, case.service);
    let principal = Principal::from(vec![User::new("aws", "123456789012", "/", "test").unwrap().into()]);
    let found = GetSigningKeyResponse::builder().principal(principal).signing_key(key).build().unwrap();
    let mut look_up = tower::service_fn(move |_: GetSigningKeyRequest| at_once(Ok::<_, BoxError>(found.clone())));
    let options = if case.is_s3() { SignatureOptions::S3 } else { SignatureOptions::default() };
    let mut request = case.http().map(|()| Bytes::from_static(&case.body));
    *request.uri_mut() = case.target.parse().unwrap();
    let mut run = move |request: &mut Option<http::Request<Bytes>>| {
        let request = request.take().unwrap();
        let result = ready(sigv4_validate_request(
            request,
            REGION,
            case.service,
            &mut look_up,
            now,
            &NO_ADDITIONAL_SIGNED_HEADERS,
            options,
        ));
        if let Err(error) = result {
            panic!("{}: {error}", case.name);
        }
    };
    run(&mut Some(request.clone()));
    Contender::with_input(WHO, move || Some(request.clone()), run)
}
