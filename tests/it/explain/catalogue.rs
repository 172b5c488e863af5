//! Responses in the wording of AWS, each with the request that causes it, and the finding that must come first.

use std::collections::BTreeMap;
use std::time::Duration;

use countersign::explain::{Cause, Explanation, Sent};
use countersign::{Credentials, Payload, Request, Signer, Timestamp};

use crate::support::fixtures::{SECRET, at};

pub type Headers = &'static [(&'static str, &'static str)];

/// How the request was sent.
#[derive(Clone, Copy, Debug)]
pub enum By {
    /// Nothing is known about the request.
    Nobody,
    Unsigned,
    Preflight,
    Bearer,
    Version2,
    Version2Query,
    Both,
    SpaceInKey,
    Signed,
    /// With a session token.
    Temporary,
    /// `ASIA…`, without a session token.
    TemporaryWithoutToken,
    S3,
    Iam,
    /// A body `{}`, and a path that must be encoded.
    Model,
    FunctionUrl,
    /// Signed for the managed service, but sent to a serverless one.
    Aoss,
    AossRight,
    Presigned,
    /// Valid for longer than its credentials.
    PresignedTooLong,
}

const HOST: &str = "abc123.execute-api.eu-west-1.amazonaws.com";
pub const TOKEN: &str = "IQoJb3JpZ2luX2VjEXAMPLE//token+of/nobody==";

pub fn now() -> Timestamp {
    at("20260830T123600Z")
}

pub fn sent(by: By) -> Sent {
    let long_term = Credentials::new("AKIAIOSFODNN7EXAMPLE", SECRET).unwrap();
    let temporary = Credentials::new("ASIAIOSFODNN7EXAMPLE", SECRET).unwrap();
    let sign = |credentials: &Credentials, service: &str, host: &str| {
        let signer = Signer::new(credentials.clone(), "us-west-2", service).unwrap();
        let signed = signer.sign(Request::new("GET", "/dev/list", &[]).with_host(host), Payload::EMPTY, now());
        Sent::from(&signed.unwrap())
    };
    let of = |method: &str, target: &str, authorization: &[u8]| {
        let headers: &[_] = if authorization.is_empty() { &[] } else { &[("Authorization", authorization)] };
        Sent::from(&Request::new(method, target, headers).with_host(HOST))
    };
    let presign = |credentials: Credentials| {
        let signer = Signer::new(credentials, "us-east-1", "s3").unwrap();
        let request = Request::new("GET", "/key", &[]).with_host("bucket.s3.amazonaws.com");
        Sent::from(&signer.presign(request, Duration::from_secs(3600), now()).unwrap())
    };
    match by {
        By::Nobody => Sent::default(),
        By::Unsigned => of("GET", "/dev/list", b""),
        By::Preflight => of("OPTIONS", "/dev/list", b""),
        By::Bearer => of("GET", "/dev/list", b"Bearer eyJhbGciOiJIUzI1NiJ9.e30.c2ln"),
        By::Version2 => of("GET", "/dev/list", b"AWS AKIAIOSFODNN7EXAMPLE:frJIUN8DYpKDtOLCwo//yllqDzg="),
        By::Version2Query => of("GET", "/key?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Expires=1&Signature=x", b""),
        By::Both => of(
            "GET",
            "/key?X-Amz-Algorithm=AWS4-HMAC-SHA256",
            b"AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260830/us-east-1/s3/aws4_request, SignedHeaders=host, \
              Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
        ),
        By::SpaceInKey => of(
            "GET",
            "/dev/list",
            b"AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE /20260830/us-east-1/s3/aws4_request, SignedHeaders=host, \
              Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
        ),
        By::Signed => sign(&long_term, "execute-api", HOST),
        By::Temporary => sign(&temporary.with_session_token(TOKEN).unwrap(), "execute-api", HOST),
        By::TemporaryWithoutToken => sign(&temporary, "execute-api", HOST),
        By::S3 => sign(&long_term, "s3", "bucket.s3.amazonaws.com"),
        By::Iam => sign(&long_term, "iam", "iam.amazonaws.com"),
        By::Model => {
            let signer = Signer::new(long_term, "us-west-2", "execute-api").unwrap();
            let headers = [("content-type", b"application/json".as_slice())];
            let request = Request::new("POST", "/model/x-v1:0/invoke", &headers);
            let request = request.with_host("bedrock-runtime.us-west-2.amazonaws.com");
            Sent::from(&signer.sign(request, Payload::Bytes(b"{}"), now()).unwrap())
        }
        By::FunctionUrl => sign(&long_term, "lambda", "abc.lambda-url.us-west-2.on.aws"),
        By::AossRight => sign(&long_term, "aoss", "abc.us-west-2.aoss.amazonaws.com"),
        By::Aoss => sign(&long_term, "es", "abc.us-west-2.aoss.amazonaws.com"),
        By::Presigned => presign(long_term),
        By::PresignedTooLong => {
            presign(temporary.with_session_token(TOKEN).unwrap().with_expires_at(now().saturating_add(600)))
        }
    }
}

const NONE: Headers = &[];
const MISSING: Headers = &[("x-amzn-ErrorType", "MissingAuthenticationTokenException")];
const INCOMPLETE: Headers = &[("x-amzn-ErrorType", "IncompleteSignatureException")];
const INVALID: Headers = &[("x-amzn-ErrorType", "InvalidSignatureException")];
const UNRECOGNIZED: Headers = &[("x-amzn-ErrorType", "UnrecognizedClientException")];
const EXPIRED: Headers = &[("x-amzn-ErrorType", "ExpiredTokenException")];
const DENIED: Headers = &[("x-amzn-ErrorType", "AccessDeniedException")];
const FORBIDDEN: Headers = &[("x-amzn-ErrorType", "ForbiddenException")];
const HTTP_API: Headers = &[("apigw-requestid", "VbZ4RhYnDoEEJtA=")];
const AT_1303: Headers = &[("Date", "Sun, 30 Aug 2026 13:03:00 GMT")];
const AT_1236: Headers = &[("Date", "Sun, 30 Aug 2026 12:36:02 GMT")];

#[rustfmt::skip]
pub const CASES: &[(u16, Headers, &str, By, &str)] = &[
    // API Gateway, REST API.
    (403, MISSING, r#"{"message":"Missing Authentication Token"}"#, By::Nobody, "NoSuchRoute"),
    (403, MISSING, r#"{"message":"Missing Authentication Token"}"#, By::Signed, "NoSuchRoute"),
    (403, MISSING, r#"{"message":"Missing Authentication Token"}"#, By::Unsigned, "NotSigned"),
    (403, MISSING, r#"{"message":"Missing Authentication Token"}"#, By::Preflight, "PreflightNeedsSignature"),
    (403, MISSING, r#"{"message":"Missing Authentication Token"}"#, By::Bearer, "OtherAuthorization"),
    (403, NONE, r#"{"message":"Missing Authentication Token"}"#, By::Nobody, "NoSuchRoute"),
    (403, INCOMPLETE, r#"{"message":"'eyJhbGciOiJIUzI1NiJ9' not a valid key=value pair (missing equal-sign) in Authorization header: 'Bearer eyJhbGciOiJIUzI1NiJ9'."}"#, By::Bearer, "OtherAuthorization"),
    (403, INCOMPLETE, r#"{"message":"Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with Base64): 'pd8cM0TSOzVJyUr9DNkHhtNlsXmgS+5oBzwHAhvBwkk='."}"#, By::Nobody, "OtherAuthorization"),
    (403, INCOMPLETE, r#"{"message":"'Authorization:' not a valid key=value pair (missing equal-sign) in Authorization header: 'Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260830/us-east-1/execute-api/aws4_request'."}"#, By::Nobody, "MalformedAuthorization"),
    (403, INCOMPLETE, r#"{"message":"'/20260830/us-east-1/execute-api/aws4_request' not a valid key=value pair (missing equal-sign) in Authorization header: 'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE /20260830/us-east-1/execute-api/aws4_request'."}"#, By::Nobody, "WhitespaceInCredentials"),
    (403, INCOMPLETE, r#"{"message":"Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with Base64): 'pd8cM0TSOzVJyUr9DNkHhtNlsXmgS+5oBzwHAhvBwkk='."}"#, By::SpaceInKey, "WhitespaceInCredentials"),
    (403, INCOMPLETE, r#"{"message":"Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=Bearer a.b.c="}"#, By::Bearer, "OtherAuthorization"),
    (403, INCOMPLETE, r#"{"message":"Authorization header requires 'Signature' parameter. Authorization=AWS4-HMAC-SHA256 Credential=A/20260830/us-east-1/execute-api/aws4_request"}"#, By::Nobody, "MalformedAuthorization"),
    (403, INCOMPLETE, r#"{"message":"Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=AWS4-HMAC-SHA256 Credential=A/20260830/us-east-1/execute-api/aws4_request"}"#, By::Nobody, "DateMalformed"),
    (403, INVALID, r#"{"message":"The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."}"#, By::Signed, "Mismatch"),
    (403, INVALID, r#"{"message":"The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.\n\nThe Canonical String for this request should have been\n'GET\n/dev/list\n\nhost:abc123.execute-api.eu-west-1.amazonaws.com\nx-amz-date:20260830T123600Z\n\nhost;x-amz-date\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'\n\nThe String-to-Sign should have been\n'AWS4-HMAC-SHA256\n20260830T123600Z\n20260830/us-west-2/execute-api/aws4_request\n9d8a8a61a2ffc3a6c3df6bf9fd2b9e9a1ce4cbc0c9e0e1b9b5e1bd3e2ca15b11'\n"}"#, By::Nobody, "Mismatch"),
    (403, INVALID, r#"{"message":"Signature expired: 20260830T123600Z is now earlier than 20260830T130134Z (20260830T130634Z - 5 min.)"}"#, By::Signed, "ClockSkew { offset: Some(1834) }"),
    (403, INVALID, r#"{"message":"Signature expired: 20170212T175938Z is now earlier than 20170215T145534Z (20170215T150034Z - 5 min.)"}"#, By::Nobody, "ClockSkew { offset: Some(248456) }"),
    (403, INVALID, r#"{"message":"Signature not yet current: 20260830T123600Z is still later than 20260830T104101Z (20260830T103601Z + 5 min.)"}"#, By::Signed, "ClockSkew { offset: Some(-7199) }"),
    (403, INVALID, r#"{"message":"Credential should be scoped to a valid region, not 'us-west-2'. "}"#, By::Signed, "WrongRegion { expected: Some(\"eu-west-1\") }"),
    (403, INVALID, r#"{"message":"Credential should be scoped to a valid region. "}"#, By::Signed, "WrongRegion { expected: Some(\"eu-west-1\") }"),
    (403, INVALID, r#"{"message":"Credential should be scoped to correct service: 'execute-api'. "}"#, By::S3, "WrongService { expected: Some(\"execute-api\") }"),
    (403, INVALID, r#"{"message":"Credential should be scoped to a valid region, not 'us-west-2'. Credential should be scoped to correct service: 'execute-api'. "}"#, By::Nobody, "WrongRegion { expected: None }"),
    (403, INVALID, r#"{"message":"'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."}"#, By::Nobody, "UnsignedHeaders { names: [\"host\"] }"),
    (403, INVALID, r#"{"message":"'Host' must be a 'SignedHeader' in the AWS Authorization."}"#, By::Nobody, "UnsignedHeaders { names: [\"host\"] }"),
    (403, INCOMPLETE, r#"{"message":"'connection' is named as a SignedHeader, but it does not exist in the HTTP request."}"#, By::Nobody, "HeaderRemoved { name: \"connection\" }"),
    (403, INCOMPLETE, r#"{"message":"'x-amz-security-token' is named as a SignedHeader, but it does not exist in the HTTP request."}"#, By::Temporary, "TokenMissing"),
    (403, UNRECOGNIZED, r#"{"message":"The security token included in the request is invalid."}"#, By::Signed, "UnknownAccessKey"),
    (403, UNRECOGNIZED, r#"{"message":"The security token included in the request is invalid."}"#, By::TemporaryWithoutToken, "TokenMissing"),
    (403, UNRECOGNIZED, r#"{"message":"The security token included in the request is invalid"}"#, By::Temporary, "TokenInvalid"),
    (403, EXPIRED, r#"{"message":"The security token included in the request is expired"}"#, By::Temporary, "TokenExpired"),
    (403, DENIED, r#"{"message":"User: arn:aws:iam::123456789012:user/dev is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:eu-west-1:********9012:abc123/dev/GET/list because no identity-based policy allows the execute-api:Invoke action"}"#, By::Signed, "PolicyDenies"),
    (403, DENIED, r#"{"Message":"User is not authorized to access this resource with an explicit deny"}"#, By::Signed, "PolicyDenies"),
    (403, DENIED, r#"{"Message":"User: anonymous is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:eu-west-1:********9012:abc123/dev/GET/list"}"#, By::Unsigned, "NotSigned"),
    (403, FORBIDDEN, r#"{"message":"Forbidden"}"#, By::Signed, "ForbiddenWithoutReason"),
    (401, &[("x-amzn-ErrorType", "UnauthorizedException")], r#"{"message":"Unauthorized"}"#, By::Signed, "OtherAuthorizationExpected"),
    (500, &[("x-amzn-ErrorType", "AuthorizerConfigurationException")], r#"{"message":null}"#, By::Signed, "OtherAuthorizationExpected"),
    (403, INVALID, r#"{"message":"The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.\n\nThe Canonical String for this request should have been\n'GET\n/list\n\nhost:abc123.execute-api.eu-west-1.amazonaws.com\nx-amz-date:20260830T123600Z\n\nhost;x-amz-date\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'\n\nThe String-to-Sign should have been\n'AWS4-HMAC-SHA256\n20260830T123600Z\n20260830/us-west-2/execute-api/aws4_request\n9d8a8a61a2ffc3a6c3df6bf9fd2b9e9a1ce4cbc0c9e0e1b9b5e1bd3e2ca15b11'\n"}"#, By::Signed, "PathPrefix { prefix: \"/dev\", signed: true }"),
    (403, INVALID, r#"{"message":"The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.\n\nThe Canonical String for this request should have been\n'GET\n/dev/list\n\nhost:api.example.com\nx-amz-date:20260830T123600Z\n\nhost;x-amz-date\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'\n\nThe String-to-Sign should have been\n'AWS4-HMAC-SHA256\n20260830T123600Z\n20260830/us-west-2/execute-api/aws4_request\n9d8a8a61a2ffc3a6c3df6bf9fd2b9e9a1ce4cbc0c9e0e1b9b5e1bd3e2ca15b11'\n"}"#, By::Signed, "HostChanged { signed: \"abc123.execute-api.eu-west-1.amazonaws.com\", verified: \"api.example.com\" }"),
    (403, INVALID, r#"{"message":"The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.\n\nThe Canonical String for this request should have been\n'GET\n/dev/list\n\nhost:abc123.execute-api.eu-west-1.amazonaws.com:443\nx-amz-date:20260830T123600Z\n\nhost;x-amz-date\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'\n\nThe String-to-Sign should have been\n'AWS4-HMAC-SHA256\n20260830T123600Z\n20260830/us-west-2/execute-api/aws4_request\n9d8a8a61a2ffc3a6c3df6bf9fd2b9e9a1ce4cbc0c9e0e1b9b5e1bd3e2ca15b11'\n"}"#, By::Signed, "PortChanged { signed: \"abc123.execute-api.eu-west-1.amazonaws.com\", verified: \"abc123.execute-api.eu-west-1.amazonaws.com:443\" }"),
    (403, INVALID, r#"{"message":"The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.\n\nThe Canonical String for this request should have been\n'HEAD\n/dev/list\n\nhost:abc123.execute-api.eu-west-1.amazonaws.com\nx-amz-date:20260830T123600Z\n\nhost;x-amz-date\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'\n\nThe String-to-Sign should have been\n'AWS4-HMAC-SHA256\n20260830T123600Z\n20260830/us-west-2/execute-api/aws4_request\n9d8a8a61a2ffc3a6c3df6bf9fd2b9e9a1ce4cbc0c9e0e1b9b5e1bd3e2ca15b11'\n"}"#, By::Signed, "MethodChanged { signed: \"GET\", verified: \"HEAD\" }"),
    (403, INVALID, r#"{"message":"The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.\n\nThe Canonical String for this request should have been\n'GET\n/dev/list\nutm=1\nhost:abc123.execute-api.eu-west-1.amazonaws.com\nx-amz-date:20260830T123600Z\n\nhost;x-amz-date\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'\n\nThe String-to-Sign should have been\n'AWS4-HMAC-SHA256\n20260830T123600Z\n20260830/us-west-2/execute-api/aws4_request\n9d8a8a61a2ffc3a6c3df6bf9fd2b9e9a1ce4cbc0c9e0e1b9b5e1bd3e2ca15b11'\n"}"#, By::Signed, "ParameterAdded { name: \"utm\" }"),
    (403, INVALID, r#"{"message":"The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.\n\nThe Canonical String for this request should have been\n'POST\n/model/x-v1%253A0/invoke\n\ncontent-type:application/json\nhost:bedrock-runtime.us-west-2.amazonaws.com\nx-amz-date:20260830T123600Z\n\ncontent-type;host;x-amz-date\n44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a'\n\nThe String-to-Sign should have been\n'AWS4-HMAC-SHA256\n20260830T123600Z\n20260830/us-west-2/execute-api/aws4_request\n9d8a8a61a2ffc3a6c3df6bf9fd2b9e9a1ce4cbc0c9e0e1b9b5e1bd3e2ca15b11'\n"}"#, By::Model, "PathUnderEncoded"),
    (403, INVALID, r#"{"message":"The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.\n\nThe Canonical String for this request should have been\n'POST\n/model/x-v1%3A0/invoke\n\ncontent-type:application/json; charset=UTF-8\nhost:bedrock-runtime.us-west-2.amazonaws.com\nx-amz-date:20260830T123600Z\n\ncontent-type;host;x-amz-date\n44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a'\n\nThe String-to-Sign should have been\n'AWS4-HMAC-SHA256\n20260830T123600Z\n20260830/us-west-2/execute-api/aws4_request\n9d8a8a61a2ffc3a6c3df6bf9fd2b9e9a1ce4cbc0c9e0e1b9b5e1bd3e2ca15b11'\n"}"#, By::Model, "ContentTypeCharset { signed: \"application/json\", verified: \"application/json; charset=UTF-8\" }"),
    (403, INVALID, r#"{"message":"The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.\n\nThe Canonical String for this request should have been\n'POST\n/model/x-v1%3A0/invoke\n\ncontent-type:application/json\nhost:bedrock-runtime.us-west-2.amazonaws.com\nx-amz-date:20260830T123600Z\n\ncontent-type;host;x-amz-date\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'\n\nThe String-to-Sign should have been\n'AWS4-HMAC-SHA256\n20260830T123600Z\n20260830/us-west-2/execute-api/aws4_request\n9d8a8a61a2ffc3a6c3df6bf9fd2b9e9a1ce4cbc0c9e0e1b9b5e1bd3e2ca15b11'\n"}"#, By::Model, "BodyDropped"),
    (403, INVALID, r#"{"message":"The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.\n\nThe Canonical String for this request should have been\n'POST\n/model/x-v1%3A0/invoke\n\ncontent-type:application/json\nhost:bedrock-runtime.us-west-2.amazonaws.com\nx-amz-date:20260830T123600Z\n\ncontent-type;host;x-amz-date\n0000000000000000000000000000000000000000000000000000000000000000'\n\nThe String-to-Sign should have been\n'AWS4-HMAC-SHA256\n20260830T123600Z\n20260830/us-west-2/execute-api/aws4_request\n9d8a8a61a2ffc3a6c3df6bf9fd2b9e9a1ce4cbc0c9e0e1b9b5e1bd3e2ca15b11'\n"}"#, By::Model, "BodyChanged"),
    (403, INVALID, r#"{"message":"Credential should be scoped to a valid region. Credential should be scoped to correct service: 'execute-api'. "}"#, By::Signed, "WrongRegion { expected: Some(\"eu-west-1\") }"),
    (403, INVALID, r#"{"message":"Signature not yet current: 20260830T123600Z is still later than 20260830T123050Z (20260830T122550Z + 5 min.)"}"#, By::Signed, "ClockSkew { offset: Some(-610) }"),
    (403, INVALID, r#"{"message":"Signature not yet current: 20230804T000000Z is still later than 20230803T222005Z (20230803T221505Z + 5 min.)"}"#, By::Nobody, "ClockSkew { offset: Some(-6295) }"),
    (403, INVALID, r#"{"message":"Signature expired: 20260830T123600Z is now earlier than 20260830T140000Z (20260830T150000Z - 60 min.)"}"#, By::Nobody, "PresignExpired { at: Some(20260830T133600Z) }"),
    (403, INCOMPLETE, r#"{"message":"'connection' is named as a SignedHeader, but it does not exist in the HTTP request."}"#, By::Signed, "HeaderRemoved { name: \"connection\" }"),
    (403, INCOMPLETE, r#"{"message":"Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=eyJhbGciOiJIUzI1NiJ9.e30.c2ln"}"#, By::Nobody, "OtherAuthorization"),
    (403, INCOMPLETE, r#"{"message":"'[redacted]' not a valid key=value pair (missing equal-sign) in Authorization header: 'Bearer opaque'."}"#, By::Signed, "OtherAuthorization"),
    (403, UNRECOGNIZED, r#"{"message":"The security token included in the request is invalid."}"#, By::Nobody, "UnknownAccessKey"),
    (403, EXPIRED, r#"{"message":"The security token included in the request is expired"}"#, By::PresignedTooLong, "PresignOutlivedCredentials"),
    (403, DENIED, r#"{"message":"User: arn:aws:sts::123456789012:assumed-role/r/s is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:eu-west-1:********9012:abc123/dev/GET/list with an explicit deny in a resource-based policy"}"#, By::Temporary, "PolicyDenies"),
    (403, DENIED, r#"{"Message":"User: anonymous is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:eu-west-1:********9012:abc123/dev/GET/list"}"#, By::Signed, "SignatureLost"),
    (403, FORBIDDEN, r#"{"message":"Forbidden"}"#, By::Nobody, "ForbiddenWithoutReason"),
    (403, FORBIDDEN, r#"{"message":"Forbidden"}"#, By::Unsigned, "ForbiddenWithoutReason"),
    (403, FORBIDDEN, r#"{"message":"Invalid API Key identifier specified"}"#, By::Signed, "ForbiddenWithoutReason"),
    (403, &[("x-amzn-ErrorType", "WafFilteredException")], r#"{"message":"Forbidden"}"#, By::Signed, "ForbiddenWithoutReason"),
    (500, &[("x-amzn-ErrorType", "AuthorizerFailureException")], r#"{"message":null}"#, By::Signed, "OtherAuthorizationExpected"),
    (401, &[("x-amzn-ErrorType", "UnauthorizedException")], r#"{"message":"The incoming token has expired"}"#, By::Bearer, "OtherAuthorizationExpected"),
    (404, &[("x-amzn-ErrorType", "NotFoundException")], r#"{"message":"Not Found"}"#, By::Signed, "NoSuchRoute"),
    // The same with a message by the owner of the API: the type does not change.
    (404, MISSING, r#"{"error":"no such page"}"#, By::Signed, "NoSuchRoute"),
    (401, MISSING, r#"{"message":"please log in"}"#, By::Unsigned, "NotSigned"),
    (401, MISSING, r#"{"message":"please log in"}"#, By::Nobody, "NoSuchRoute"),
    (401, MISSING, r#"{"message":"please log in"}"#, By::Preflight, "PreflightNeedsSignature"),
    (400, INCOMPLETE, r#"{"message":"bad request"}"#, By::Nobody, "MalformedAuthorization"),
    (400, INCOMPLETE, r#"{"message":"bad request"}"#, By::Bearer, "OtherAuthorization"),
    (400, INVALID, r#"{"message":"bad request"}"#, By::Signed, "Mismatch"),
    (401, EXPIRED, r#"{"message":"log in again"}"#, By::Temporary, "TokenExpired"),
    (401, UNRECOGNIZED, r#"{"message":"who are you"}"#, By::TemporaryWithoutToken, "TokenMissing"),
    (401, UNRECOGNIZED, r#"{"message":"who are you"}"#, By::Signed, "UnknownAccessKey"),
    (401, DENIED, r#"{"message":"no"}"#, By::Signed, "PolicyDenies"),
    // HTTP APIs, function URLs.
    (403, HTTP_API, r#"{"message":"Forbidden"}"#, By::Signed, "RefusedWithoutReason"),
    (403, HTTP_API, r#"{"message":"Forbidden"}"#, By::Unsigned, "NotSigned"),
    (404, HTTP_API, r#"{"message":"Not Found"}"#, By::Signed, "NoSuchRoute"),
    (403, DENIED, r#"{"Message":"Forbidden"}"#, By::Unsigned, "NotSigned"),
    (403, DENIED, r#"{"Message":"Forbidden"}"#, By::Signed, "PolicyDenies"),
    (403, INVALID, r#"{"message":"The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."}"#, By::FunctionUrl, "Mismatch"),
    (403, INVALID, r#"{"message":"The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."}"#, By::Unsigned, "Mismatch"),
    (403, HTTP_API, r#"{"message":"Forbidden"}"#, By::Nobody, "RefusedWithoutReason"),
    (404, HTTP_API, r#"{"message":"Not Found"}"#, By::Nobody, "NoSuchRoute"),
    (401, HTTP_API, r#"{"message":"Unauthorized"}"#, By::Signed, "OtherAuthorizationExpected"),
    (403, NONE, r#"{"Message":"Forbidden"}"#, By::Unsigned, "NotSigned"),
    // OpenSearch, Neptune, SP-API.
    (403, NONE, r#"{"message":"The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."}"#, By::Nobody, "Mismatch"),
    (403, NONE, r#"{"Message":"User: anonymous is not authorized to perform: es:ESHttpGet"}"#, By::Unsigned, "NotSigned"),
    (403, NONE, r#"{"error":{"root_cause":[],"type":"security_exception","reason":"no permissions for [indices:data/read/search] and User [name=arn:aws:iam::123456789012:role/r]"},"status":403}"#, By::Signed, "PolicyDenies"),
    (403, &[("X-Aoss-Response-Hint", "X01:gw-helper-deny")], "403 Forbidden", By::Aoss, "WrongService { expected: Some(\"aoss\") }"),
    (403, &[("X-Aoss-Response-Hint", "X01:gw-helper-deny")], "403 Forbidden", By::Nobody, "PolicyDenies"),
    (403, NONE, r#"{"requestId":"0ab1","code":"AccessDeniedException","detailedMessage":"The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method."}"#, By::Signed, "Mismatch"),
    (403, NONE, r#"{"requestId":"0ab1","code":"AccessDeniedException","detailedMessage":"Missing Authentication Token"}"#, By::Nobody, "NotSigned"),
    (400, NONE, r#"{"errors":[{"code":"InvalidInput","message":"Could not match input arguments"}]}"#, By::Signed, "Unrelated"),
    (403, NONE, r#"{"errors":[{"code":"InvalidSignature","message":"The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method."}]}"#, By::Signed, "Mismatch"),
    (403, NONE, r#"403 Forbidden"#, By::AossRight, "PolicyDenies"),
    (403, NONE, r#"{"requestId":"0ab1","code":"AccessDeniedException","detailedMessage":"Missing Authentication Token"}"#, By::Signed, "SignatureLost"),
    (401, NONE, r#"{"errors":[{"errorType":"UnrecognizedClientException","message":"The security token included in the request is invalid."}]}"#, By::Signed, "UnknownAccessKey"),
    // Query services, XML.
    (403, NONE, "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type><Code>MissingAuthenticationToken</Code><Message>Request is missing Authentication Token</Message></Error><RequestId>1</RequestId></ErrorResponse>", By::Nobody, "NotSigned"),
    (403, NONE, "<ErrorResponse><Error><Code>MissingAuthenticationToken</Code><Message>Request is missing Authentication Token</Message></Error></ErrorResponse>", By::Signed, "SignatureLost"),
    (403, NONE, "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.</Message></Error></ErrorResponse>", By::Nobody, "TwoCredentials"),
    (400, NONE, "<ErrorResponse><Error><Code>IncompleteSignature</Code><Message>Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA25' (only AWS4-HMAC-SHA256 for now). </Message></Error></ErrorResponse>", By::Nobody, "MalformedAuthorization"),
    (400, NONE, "<ErrorResponse><Error><Code>IncompleteSignature</Code><Message>AWS query-string parameters must include 'X-Amz-Date'. Re-examine the query-string parameters.</Message></Error></ErrorResponse>", By::Nobody, "MalformedAuthorization"),
    (400, NONE, "<ErrorResponse><Error><Code>IncompleteSignature</Code><Message>Date must be in ISO-8601 'basic format'. Got '2026-08-30T12:36:00Z'. See http://en.wikipedia.org/wiki/ISO_8601</Message></Error></ErrorResponse>", By::Nobody, "DateMalformed"),
    (400, NONE, "<ErrorResponse><Error><Code>IncompleteSignature</Code><Message>Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'AKIA/IOSF/20260830/us-east-1/iam/aws4_request'</Message></Error></ErrorResponse>", By::Nobody, "MalformedAuthorization"),
    (403, NONE, "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>Credential should be scoped to a valid region, not 'us-west-2'. </Message></Error></ErrorResponse>", By::Iam, "WrongRegion { expected: Some(\"us-east-1\") }"),
    (403, NONE, "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>Credential should be scoped with a valid terminator: 'aws4_request', not 'aws4'. </Message></Error></ErrorResponse>", By::Nobody, "ScopeMalformed"),
    (403, NONE, "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20260829' != '20260830', from '20260830T005204Z'.</Message></Error></ErrorResponse>", By::Nobody, "ScopeDate { signed: Some(\"20260829\"), expected: Some(\"20260830\") }"),
    (403, NONE, "<ErrorResponse><Error><Code>InvalidClientTokenId</Code><Message>The security token included in the request is invalid.</Message></Error></ErrorResponse>", By::Signed, "UnknownAccessKey"),
    (403, NONE, "<ErrorResponse><Error><Code>InvalidClientTokenId</Code><Message>The AWS access key provided does not exist in our records.</Message></Error></ErrorResponse>", By::Temporary, "UnknownAccessKey"),
    (403, NONE, "<ErrorResponse><Error><Code>ExpiredToken</Code><Message>The security token included in the request is expired</Message></Error></ErrorResponse>", By::Nobody, "TokenExpired"),
    (400, AT_1303, "<Response><Errors><Error><Code>RequestExpired</Code><Message>Request has expired.</Message></Error></Errors><RequestID>1</RequestID></Response>", By::Signed, "ClockSkew { offset: Some(1620) }"),
    (400, AT_1236, "<Response><Errors><Error><Code>RequestExpired</Code><Message>Request has expired.</Message></Error></Errors></Response>", By::Temporary, "TokenExpired"),
    (401, AT_1236, "<Response><Errors><Error><Code>AuthFailure</Code><Message>AWS was not able to validate the provided access credentials</Message></Error></Errors></Response>", By::Signed, "UnknownAccessKey"),
    (401, AT_1303, "<Response><Errors><Error><Code>AuthFailure</Code><Message>AWS was not able to validate the provided access credentials</Message></Error></Errors></Response>", By::Signed, "ClockSkew { offset: Some(1620) }"),
    (403, NONE, "<ErrorResponse><Error><Code>MissingAuthenticationToken</Code><Message>Request is missing Authentication Token</Message></Error></ErrorResponse>", By::Bearer, "OtherAuthorization"),
    (403, NONE, "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.</Message></Error></ErrorResponse>", By::Iam, "Mismatch"),
    (403, NONE, "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.</Message></Error></ErrorResponse>", By::Nobody, "UnsignedHeaders { names: [\"host\"] }"),
    (403, NONE, "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>'x-amz-acl' must be a 'SignedHeader' in the AWS Authorization. 'x-amz-meta-a' must be a 'SignedHeader' in the AWS Authorization.</Message></Error></ErrorResponse>", By::Nobody, "UnsignedHeaders { names: [\"x-amz-acl\", \"x-amz-meta-a\"] }"),
    (403, NONE, "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>Signature expired: 20260830T123600Z is now earlier than 20260830T130134Z (20260830T131634Z - 15 min.)</Message></Error></ErrorResponse>", By::Iam, "ClockSkew { offset: Some(2434) }"),
    (403, NONE, "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>Signature not yet current: 20260830T123600Z is still later than 20260830T122101Z (20260830T120601Z + 15 min.)</Message></Error></ErrorResponse>", By::Iam, "ClockSkew { offset: Some(-1799) }"),
    (403, NONE, "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>Credential should be scoped to correct service: 'sts'. </Message></Error></ErrorResponse>", By::Iam, "WrongService { expected: Some(\"sts\") }"),
    (403, NONE, "<ErrorResponse><Error><Code>InvalidClientTokenId</Code><Message>The security token included in the request is invalid</Message></Error></ErrorResponse>", By::Temporary, "TokenInvalid"),
    (403, NONE, "<ErrorResponse><Error><Code>InvalidClientTokenId</Code><Message>The security token included in the request is invalid</Message></Error></ErrorResponse>", By::Nobody, "TokenInvalid"),
    (400, NONE, "<ErrorResponse><Error><Code>MalformedQueryString</Code><Message>Incomplete trailing escape % sequence</Message></Error></ErrorResponse>", By::Nobody, "MalformedRequest"),
    (400, NONE, "<ErrorResponse><Error><Code>MalformedQueryString</Code><Message>Illegal hex character in escape % pattern: %..</Message></Error></ErrorResponse>", By::Nobody, "MalformedRequest"),
    (400, NONE, "<ErrorResponse><Error><Code>IncompleteSignature</Code><Message>AWS query-string parameters must include 'X-Amz-Algorithm'. AWS query-string parameters must include 'X-Amz-Credential'. AWS query-string parameters must include 'X-Amz-Signature'. AWS query-string parameters must include 'X-Amz-SignedHeaders'. AWS query-string parameters must include 'X-Amz-Date'. Re-examine the query-string parameters.</Message></Error></ErrorResponse>", By::Nobody, "MalformedAuthorization"),
    (400, NONE, "<ErrorResponse><Error><Code>RequestExpired</Code><Message>The request reached the service more than 15 minutes after the date stamp on the request or more than 15 minutes after the request expiration date (such as for pre-signed URLs), or the date stamp on the request is more than 15 minutes in the future.</Message></Error></ErrorResponse>", By::Nobody, "ClockSkew { offset: None }"),
    (400, AT_1303, "<ErrorResponse><Error><Code>RequestExpired</Code><Message>The request reached the service more than 15 minutes after the date stamp on the request</Message></Error></ErrorResponse>", By::Iam, "ClockSkew { offset: Some(1620) }"),
    (403, NONE, r#"{"Error":{"Code":"InvalidClientTokenId","Message":"The security token included in the request is invalid.","Type":"Sender"},"RequestId":"1"}"#, By::Signed, "UnknownAccessKey"),
    // JSON services.
    (400, NONE, r#"{"__type":"com.amazon.coral.service#MissingAuthenticationTokenException","message":"Missing Authentication Token"}"#, By::Nobody, "NotSigned"),
    (400, NONE, r#"{"__type":"com.amazon.coral.service#UnrecognizedClientException","message":"The security token included in the request is invalid."}"#, By::Signed, "UnknownAccessKey"),
    (400, NONE, r#"{"__type":"com.amazon.coral.service#ExpiredTokenException","message":"The security token included in the request is expired"}"#, By::Temporary, "TokenExpired"),
    (400, NONE, r#"{"__type":"com.amazon.coral.service#InvalidSignatureException","message":"The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."}"#, By::Nobody, "Mismatch"),
    (400, NONE, r#"{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"Requested resource not found"}"#, By::Signed, "Unrelated"),
    (400, NONE, r#"{"__type":"com.amazon.coral.service#IncompleteSignatureException"}"#, By::Nobody, "MalformedAuthorization"),
    (400, NONE, r#"{"__type":"com.amazon.coral.service#InvalidSignatureException","message":"Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."}"#, By::Nobody, "TwoCredentials"),
    (400, NONE, r#"{"__type":"com.amazon.coral.service#InvalidSignatureException","message":"Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."}"#, By::Both, "TwoCredentials"),
    (400, NONE, r#"{"__type":"com.amazon.coral.service#MissingAuthenticationTokenException","message":"Request is missing Authentication Token"}"#, By::Unsigned, "NotSigned"),
    (400, NONE, r#"{"__type":"com.amazon.coral.service#InvalidSignatureException","message":"Credential should be scoped to correct service: 'dynamodb'. "}"#, By::Signed, "WrongService { expected: Some(\"dynamodb\") }"),
    (400, NONE, r#"{"__type":"com.amazon.coral.service#InvalidSignatureException","message":"Credential should be scoped with a valid terminator: 'aws4_request', not 'e'. "}"#, By::Nobody, "ScopeMalformed"),
    (400, NONE, r#"{"__type":"com.amazon.coral.service#IncompleteSignatureException","message":"Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA25' (only AWS4-HMAC-SHA256 for now). "}"#, By::Nobody, "MalformedAuthorization"),
    (400, NONE, r#"{"__type":"com.amazon.coral.service#UnrecognizedClientException","message":"The security token included in the request is invalid"}"#, By::Temporary, "TokenInvalid"),
    (400, NONE, r#"{"__type":"com.amazon.coral.service#AccessDeniedException","Message":"User: arn:aws:iam::123456789012:user/dev is not authorized to perform: dynamodb:GetItem"}"#, By::Signed, "PolicyDenies"),
    // S3.
    (403, NONE, "<Error><Code>SignatureDoesNotMatch</Code><Message>The request signature we calculated does not match the signature you provided. Check your key and signing method.</Message><AWSAccessKeyId>AKIAIOSFODNN7EXAMPLE</AWSAccessKeyId></Error>", By::Nobody, "Mismatch"),
    (400, NONE, "<Error><Code>AuthorizationHeaderMalformed</Code><Message>The authorization header is malformed; the region 'us-west-2' is wrong; expecting 'eu-central-1'</Message><Region>eu-central-1</Region></Error>", By::S3, "WrongRegion { expected: Some(\"eu-central-1\") }"),
    (400, &[("x-amz-bucket-region", "eu-central-1")], "", By::S3, "WrongRegion { expected: Some(\"eu-central-1\") }"),
    (400, NONE, "<Error><Code>AuthorizationHeaderMalformed</Code><Message>The authorization header is malformed; incorrect service \"execute-api\". This endpoint belongs to \"s3\".</Message></Error>", By::Signed, "WrongService { expected: Some(\"s3\") }"),
    (400, NONE, "<Error><Code>AuthorizationHeaderMalformed</Code><Message>The authorization header is malformed; incorrect terminal \"aws4\". This endpoint uses \"aws4_request\".</Message></Error>", By::Nobody, "ScopeMalformed"),
    (400, NONE, "<Error><Code>AuthorizationHeaderMalformed</Code><Message>The authorization header is malformed; incorrect date format \"2026-08-30\". This date in the credential must be in the format \"yyyyMMdd\".</Message></Error>", By::Nobody, "ScopeDate { signed: Some(\"2026-08-30\"), expected: None }"),
    (400, NONE, "<Error><Code>AuthorizationHeaderMalformed</Code><Message>The authorization header is malformed; the Credential is mal-formed; expecting \"&lt;YOUR-AKID&gt;/YYYYMMDD/REGION/SERVICE/aws4_request\".</Message></Error>", By::Nobody, "MalformedAuthorization"),
    (400, NONE, "<Error><Code>AuthorizationHeaderMalformed</Code><Message>The authorization header is malformed; missing Signature.</Message></Error>", By::Nobody, "MalformedAuthorization"),
    (400, NONE, "<Error><Code>AuthorizationHeaderMalformed</Code><Message>The authorization header is malformed; the authorization component \"Foo=bar\" is malformed.</Message></Error>", By::Nobody, "MalformedAuthorization"),
    (400, NONE, "<Error><Code>AuthorizationHeaderMalformed</Code><Message>The authorization header is malformed; the authorization header requires three components: Credential, SignedHeaders, and Signature.</Message></Error>", By::Nobody, "MalformedAuthorization"),
    (400, NONE, "<Error><Code>AuthorizationHeaderMalformed</Code><Message>The authorization header is malformed; Invalid credential date. Date is not the same as X-Amz-Date.</Message></Error>", By::Nobody, "ScopeDate { signed: None, expected: None }"),
    (400, NONE, "<Error><Code>AuthorizationQueryParametersError</Code><Message>Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.</Message></Error>", By::Nobody, "MalformedAuthorization"),
    (400, NONE, "<Error><Code>AuthorizationQueryParametersError</Code><Message>X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256\"</Message></Error>", By::Nobody, "MalformedAuthorization"),
    (400, NONE, "<Error><Code>AuthorizationQueryParametersError</Code><Message>Error parsing the X-Amz-Credential parameter; the region 'us-west-2' is wrong; expecting 'eu-central-1'</Message><Region>eu-central-1</Region></Error>", By::Nobody, "WrongRegion { expected: Some(\"eu-central-1\") }"),
    (400, NONE, "<Error><Code>AuthorizationQueryParametersError</Code><Message>Invalid credential date \"20260829\". This date is not the same as X-Amz-Date: \"20260830T123600Z\".</Message></Error>", By::Nobody, "ScopeDate { signed: Some(\"20260829\"), expected: Some(\"20260830\") }"),
    (400, NONE, "<Error><Code>AuthorizationQueryParametersError</Code><Message>X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"</Message></Error>", By::Nobody, "DateMalformed"),
    (400, NONE, "<Error><Code>AuthorizationQueryParametersError</Code><Message>X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds</Message></Error>", By::Nobody, "PresignLifetime"),
    (400, NONE, "<Error><Code>AuthorizationQueryParametersError</Code><Message>X-Amz-Expires must be non-negative</Message></Error>", By::Nobody, "PresignLifetime"),
    (400, NONE, "<Error><Code>AuthorizationQueryParametersError</Code><Message>X-Amz-Expires should be a number</Message></Error>", By::Nobody, "PresignLifetime"),
    (403, NONE, "<Error><Code>AccessDenied</Code><Message>Request has expired</Message><X-Amz-Expires>3600</X-Amz-Expires><Expires>2026-08-30T13:36:00Z</Expires><ServerTime>2026-08-30T14:00:00Z</ServerTime></Error>", By::Presigned, "PresignExpired { at: Some(20260830T133600Z) }"),
    (400, NONE, "<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message><Token-0>IQoJb3JpZ2luX2VjEXAMPLE//token+of/nobody==</Token-0></Error>", By::PresignedTooLong, "PresignOutlivedCredentials"),
    (400, NONE, "<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>", By::Temporary, "TokenExpired"),
    (403, NONE, "<Error><Code>AccessDenied</Code><Message>Request is not valid yet</Message></Error>", By::Presigned, "ClockSkew { offset: None }"),
    (403, NONE, "<Error><Code>AccessDenied</Code><Message>There were headers present in the request which were not signed</Message><HeadersNotSigned>host, x-amz-acl</HeadersNotSigned></Error>", By::Nobody, "UnsignedHeaders { names: [\"host\", \"x-amz-acl\"] }"),
    (403, NONE, "<Error><Code>AccessDenied</Code><Message>AWS authentication requires a valid Date or x-amz-date header</Message></Error>", By::Nobody, "DateMalformed"),
    (403, NONE, "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>", By::S3, "PolicyDenies"),
    (403, NONE, "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>", By::Unsigned, "NotSigned"),
    (403, NONE, "<Error><Code>RequestTimeTooSkewed</Code><Message>The difference between the request time and the current time is too large.</Message><RequestTime>20260830T123600Z</RequestTime><ServerTime>2026-08-30T12:55:00Z</ServerTime><MaxAllowedSkewMilliseconds>900000</MaxAllowedSkewMilliseconds></Error>", By::S3, "ClockSkew { offset: Some(1140) }"),
    (403, NONE, "<Error><Code>RequestTimeTooSkewed</Code><Message>The difference between the request time and the current time is too large.</Message><RequestTime>Sun, 30 Aug 2026 12:36:00 GMT</RequestTime><ServerTime>2026-08-30T07:06:10.250Z</ServerTime></Error>", By::S3, "ClockSkew { offset: Some(-19790) }"),
    // rclone.
    (400, NONE, "<Error><Code>AccessDenied</Code><Message>The difference between the request time and the server&#39;s time exceeds the maximum allowed.</Message></Error>", By::Nobody, "ClockSkew { offset: None }"),
    (403, NONE, "<Error><Code>InvalidAccessKeyId</Code><Message>The AWS Access Key Id you provided does not exist in our records.</Message><AWSAccessKeyId>AKIAIOSFODNN7EXAMPLE</AWSAccessKeyId></Error>", By::S3, "UnknownAccessKey"),
    (403, NONE, "<Error><Code>InvalidAccessKeyId</Code><Message>The AWS Access Key Id you provided does not exist in our records.</Message><AWSAccessKeyId>ASIAIOSFODNN7EXAMPLE</AWSAccessKeyId></Error>", By::Nobody, "TokenMissing"),
    (400, NONE, "<Error><Code>InvalidToken</Code><Message>The provided token is malformed or otherwise invalid.</Message></Error>", By::Temporary, "TokenInvalid"),
    (400, NONE, "<Error><Code>InvalidArgument</Code><Message>Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified</Message></Error>", By::Both, "TwoCredentials"),
    (400, NONE, "<Error><Code>InvalidArgument</Code><Message>Authorization header is invalid -- one and only one ' ' (space) required</Message></Error>", By::Nobody, "MalformedAuthorization"),
    (400, NONE, "<Error><Code>InvalidArgument</Code><Message>Unsupported Authorization Type</Message></Error>", By::Bearer, "OtherAuthorization"),
    (400, NONE, "<Error><Code>InvalidRequest</Code><Message>The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.</Message></Error>", By::Version2, "SignatureVersion2"),
    (403, NONE, "<Error><Code>SignatureDoesNotMatch</Code><Message>The request signature we calculated does not match the signature you provided. Check your key and signing method.</Message></Error>", By::Version2Query, "SignatureVersion2"),
    (400, NONE, "<Error><Code>InvalidRequest</Code><Message>Missing required header for this request: x-amz-content-sha256</Message></Error>", By::Nobody, "ContentSha256"),
    (400, NONE, "<Error><Code>InvalidRequest</Code><Message>The value of x-amz-content-sha256 header is invalid.</Message></Error>", By::Nobody, "ContentSha256"),
    (400, NONE, "<Error><Code>InvalidRequest</Code><Message>Anonymous requests don't support this x-amz-content-sha256 value. Please use UNSIGNED-PAYLOAD or STREAMING-UNSIGNED-PAYLOAD-TRAILER.</Message></Error>", By::Nobody, "NotSigned"),
    (400, NONE, "<Error><Code>InvalidRequest</Code><Message>Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4.</Message></Error>", By::Nobody, "SignatureVersion2"),
    (400, NONE, "<Error><Code>XAmzContentSHA256Mismatch</Code><Message>The provided 'x-amz-content-sha256' header does not match what was computed.</Message></Error>", By::S3, "BodyChanged"),
    (400, NONE, "<Error><Code>MissingSecurityHeader</Code><Message>Your request was missing a required header</Message><MissingHeaderName>x-amz-date</MissingHeaderName></Error>", By::S3, "RequiredHeaderMissing { name: Some(\"x-amz-date\") }"),
    (411, NONE, "<Error><Code>MissingContentLength</Code><Message>You must provide the Content-Length HTTP header.</Message></Error>", By::S3, "RequiredHeaderMissing { name: Some(\"content-length\") }"),
    (400, NONE, "<Error><Code>IncompleteBody</Code><Message>The request body terminated unexpectedly</Message></Error>", By::S3, "BodyFraming"),
    (400, NONE, "<Error><Code>InvalidChunkSizeError</Code><Message>Only the last chunk is allowed to have a size less than 8192 bytes</Message></Error>", By::S3, "BodyFraming"),
    (400, NONE, "<Error><Code>MalformedTrailerError</Code><Message>The request contained trailing data that was not well-formed.</Message></Error>", By::S3, "BodyFraming"),
    (400, NONE, "<Error><Code>BadDigest</Code><Message>The Content-MD5 you specified did not match what we received.</Message></Error>", By::S3, "BodyChanged"),
    (301, NONE, "<Error><Code>PermanentRedirect</Code><Message>The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.</Message><Endpoint>bucket.s3.eu-central-1.amazonaws.com</Endpoint></Error>", By::S3, "Redirected { location: \"bucket.s3.eu-central-1.amazonaws.com\" }"),
    (307, &[("Location", "https://bucket.s3.eu-central-1.amazonaws.com/key?X-Amz-Signature=00")], "", By::S3, "Redirected { location: \"https://bucket.s3.eu-central-1.amazonaws.com/key\" }"),
    (403, NONE, "<Error><Code>MissingAuthenticationToken</Code><Message>The request was not signed.</Message></Error>", By::Nobody, "NotSigned"),
    (403, NONE, "<Error><Code>AccessDenied</Code><Message>Signature is required</Message></Error>", By::Nobody, "NotSigned"),
    (403, NONE, "<Error><Code>AccessDenied</Code><Message>Signature is required</Message></Error>", By::S3, "SignatureLost"),
    (400, NONE, "<Error><Code>TokenRefreshRequired</Code><Message>The provided token must be refreshed.</Message></Error>", By::Nobody, "TokenExpired"),
    (403, NONE, "<Error><Code>NotSignedUp</Code><Message>Your account is not signed up for the S3 service.</Message></Error>", By::S3, "Unrelated"),
    (400, NONE, "<Error><Code>CredentialsNotSupported</Code><Message>This request does not support credentials.</Message></Error>", By::S3, "TwoCredentials"),
    (403, NONE, "<Error><Code>InvalidSecurity</Code><Message>The provided security credentials are not valid.</Message></Error>", By::S3, "UnknownAccessKey"),
    (400, NONE, "<Error><Code>UnsupportedSignature</Code><Message>The provided request is signed with an unsupported STS Token version or the signature version is not supported.</Message></Error>", By::S3, "SignatureVersion2"),
    (400, NONE, "<Error><Code>InvalidSignature</Code><Message>The request signature that the server calculated does not match the signature that you provided.</Message></Error>", By::S3, "Mismatch"),
    (400, NONE, "<Error><Code>AuthorizationHeaderMalformed</Code><Message>The authorization header is malformed; missing Credential.</Message></Error>", By::Nobody, "MalformedAuthorization"),
    (400, NONE, "<Error><Code>AuthorizationHeaderMalformed</Code><Message>The authorization header is malformed; missing SignedHeaders.</Message></Error>", By::Nobody, "MalformedAuthorization"),
    (400, NONE, "<Error><Code>AuthorizationHeaderMalformed</Code><Message>The authorization header is malformed; the region \"us-west-2\" is wrong; expecting \"eu-central-1\"</Message><Region>eu-central-1</Region></Error>", By::Nobody, "WrongRegion { expected: Some(\"eu-central-1\") }"),
    (400, NONE, "<Error><Code>AuthorizationQueryParametersError</Code><Message>Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting \"&lt;YOUR-AKID&gt;/YYYYMMDD/REGION/SERVICE/aws4_request\".</Message></Error>", By::Nobody, "MalformedAuthorization"),
    (400, NONE, "<Error><Code>AuthorizationQueryParametersError</Code><Message>Error parsing the X-Amz-Credential parameter; the region \"us-east-1\" is wrong; expecting \"eu-central-1\"</Message></Error>", By::Presigned, "WrongRegion { expected: Some(\"eu-central-1\") }"),
    (400, NONE, "<Error><Code>AuthorizationQueryParametersError</Code><Message>Error parsing the X-Amz-Credential parameter; incorrect service \"execute-api\". This endpoint belongs to \"s3\".</Message></Error>", By::Nobody, "WrongService { expected: Some(\"s3\") }"),
    (400, NONE, "<Error><Code>AuthorizationQueryParametersError</Code><Message>Error parsing the X-Amz-Credential parameter; incorrect terminal \"aws4\". This endpoint uses \"aws4_request\".</Message></Error>", By::Nobody, "ScopeMalformed"),
    (400, NONE, "<Error><Code>AuthorizationQueryParametersError</Code><Message>Error parsing the X-Amz-Credential parameter; incorrect date format \"2026-08-30\". This date in the credential must be in the format \"yyyyMMdd\".</Message></Error>", By::Nobody, "ScopeDate { signed: Some(\"2026-08-30\"), expected: None }"),
    (403, NONE, "<Error><Code>AccessDenied</Code><Message>Request has expired</Message><X-Amz-Expires>3600</X-Amz-Expires><Expires>2026-08-30T13:36:00Z</Expires><ServerTime>2026-08-30T14:00:00Z</ServerTime></Error>", By::Nobody, "PresignExpired { at: Some(20260830T133600Z) }"),
    (403, NONE, "<Error><Code>AccessDenied</Code><Message>Request has expired</Message><X-Amz-Expires>3600</X-Amz-Expires><Expires>2026-08-30T12:46:00Z</Expires><ServerTime>2026-08-30T14:00:00Z</ServerTime></Error>", By::PresignedTooLong, "PresignOutlivedCredentials"),
    (403, &[("Date", "Sun, 30 Aug 2026 11:36:00 GMT")], "<Error><Code>AccessDenied</Code><Message>Request is not valid yet</Message></Error>", By::Presigned, "ClockSkew { offset: Some(-3600) }"),
    (403, NONE, "<Error><Code>RequestTimeTooSkewed</Code><Message>The difference between the request time and the current time is too large.</Message><RequestTime>20260830T123600Z</RequestTime><ServerTime>2026-08-30T12:55:00Z</ServerTime></Error>", By::Nobody, "ClockSkew { offset: Some(1140) }"),
    (403, AT_1303, "<Error><Code>RequestTimeTooSkewed</Code><Message>The difference between the request time and the current time is too large.</Message></Error>", By::S3, "ClockSkew { offset: Some(1620) }"),
    (403, NONE, "<Error><Code>InvalidAccessKeyId</Code><Message>The AWS Access Key Id you provided does not exist in our records.</Message><AWSAccessKeyId>ASIAIOSFODNN7EXAMPLE</AWSAccessKeyId></Error>", By::TemporaryWithoutToken, "TokenMissing"),
    (400, NONE, "<Error><Code>InvalidArgument</Code><Message>Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified</Message></Error>", By::Nobody, "TwoCredentials"),
    (400, NONE, "<Error><Code>InvalidArgument</Code><Message>Authorization header is invalid -- one and only one ' ' (space) required</Message></Error>", By::SpaceInKey, "WhitespaceInCredentials"),
    (400, NONE, "<Error><Code>InvalidRequest</Code><Message>The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.</Message></Error>", By::Nobody, "SignatureVersion2"),
    (400, NONE, "<Error><Code>XAmzContentSHA256Mismatch</Code><Message>The provided 'x-amz-content-sha256' header does not match what was computed.</Message><ClientComputedContentSHA256>abababababababababababababababababababababababababababababababab</ClientComputedContentSHA256><S3ComputedContentSHA256>e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855</S3ComputedContentSHA256></Error>", By::S3, "BodyDropped"),
    (400, NONE, "<Error><Code>XAmzContentSHA256Mismatch</Code><Message>The provided 'x-amz-content-sha256' header does not match what was computed.</Message><ClientComputedContentSHA256>e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855</ClientComputedContentSHA256><S3ComputedContentSHA256>abababababababababababababababababababababababababababababababab</S3ComputedContentSHA256></Error>", By::S3, "BodyNotHashed"),
    (400, NONE, "<Error><Code>MissingSecurityHeader</Code><Message>Your request was missing a required header</Message></Error>", By::Nobody, "RequiredHeaderMissing { name: None }"),
    (307, NONE, "<Error><Code>TemporaryRedirect</Code><Message>Please re-send this request to the specified temporary endpoint. Continue to use the original request endpoint for future requests.</Message><Endpoint>bucket.s3-us-west-2.amazonaws.com</Endpoint></Error>", By::S3, "Redirected { location: \"bucket.s3-us-west-2.amazonaws.com\" }"),
    (403, NONE, "<Error><Code>MissingAuthenticationToken</Code><Message>The request was not signed.</Message></Error>", By::S3, "SignatureLost"),
    (400, NONE, "<Error><Code>InvalidURI</Code><Message>Couldn't parse the specified URI.</Message></Error>", By::S3, "MalformedRequest"),
    (403, NONE, "<Error><Code>SignatureDoesNotMatch</Code><Message>The request signature we calculated does not match the signature you provided. Check your key and signing method.</Message><AWSAccessKeyId>AKIAIOSFODNN7EXAMPLE</AWSAccessKeyId><StringToSign>AWS4-HMAC-SHA256\n20260830T123600Z\n20260830/us-west-2/s3/aws4_request\n62b965372483fe0263ca6bcbac12820b43c402b1482493d2b0860b4d25c21a23</StringToSign><SignatureProvided>5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7</SignatureProvided><CanonicalRequest>GET\n/dev/list\n\nhost:bucket.s3.amazonaws.com\nx-amz-content-sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\nx-amz-date:20260830T123600Z\n\nhost;x-amz-content-sha256;x-amz-date\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855</CanonicalRequest></Error>", By::S3, "WrongSecret"),
    (403, NONE, "<Error><Code>SignatureDoesNotMatch</Code><Message>The request signature we calculated does not match the signature you provided. Check your key and signing method.</Message><AWSAccessKeyId>AKIAIOSFODNN7EXAMPLE</AWSAccessKeyId><StringToSign>AWS4-HMAC-SHA256\n20260830T123600Z\n20260830/us-west-2/s3/aws4_request\n62b965372483fe0263ca6bcbac12820b43c402b1482493d2b0860b4d25c21a23</StringToSign><SignatureProvided>5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7</SignatureProvided><CanonicalRequest>mangled</CanonicalRequest><CanonicalRequestBytes>47 45 54 0a 2f 64 65 76 2f 6c 69 73 74 0a 0a 68 6f 73 74 3a 62 75 63 6b 65 74 2e 73 33 2e 61 6d 61 7a 6f 6e 61 77 73 2e 63 6f 6d 0a 78 2d 61 6d 7a 2d 63 6f 6e 74 65 6e 74 2d 73 68 61 32 35 36 3a 65 33 62 30 63 34 34 32 39 38 66 63 31 63 31 34 39 61 66 62 66 34 63 38 39 39 36 66 62 39 32 34 32 37 61 65 34 31 65 34 36 34 39 62 39 33 34 63 61 34 39 35 39 39 31 62 37 38 35 32 62 38 35 35 0a 78 2d 61 6d 7a 2d 64 61 74 65 3a 32 30 32 36 30 38 33 30 54 31 32 33 36 30 30 5a 0a 0a 68 6f 73 74 3b 78 2d 61 6d 7a 2d 63 6f 6e 74 65 6e 74 2d 73 68 61 32 35 36 3b 78 2d 61 6d 7a 2d 64 61 74 65 0a 65 33 62 30 63 34 34 32 39 38 66 63 31 63 31 34 39 61 66 62 66 34 63 38 39 39 36 66 62 39 32 34 32 37 61 65 34 31 65 34 36 34 39 62 39 33 34 63 61 34 39 35 39 39 31 62 37 38 35 32 62 38 35 35</CanonicalRequestBytes></Error>", By::S3, "WrongSecret"),
    (403, NONE, "<Error><Code>SignatureDoesNotMatch</Code><Message>The request signature we calculated does not match the signature you provided. Check your key and signing method.</Message><AWSAccessKeyId>AKIAIOSFODNN7EXAMPLE</AWSAccessKeyId><StringToSign>AWS4-HMAC-SHA256\n20260830T123600Z\n20260830/us-west-2/s3/aws4_request\nbad2eb28ee444d0e1fb8ad4fba922de3ffa1a4eaae362fba76113a7221c50031</StringToSign><SignatureProvided>5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7</SignatureProvided><CanonicalRequest>mangled</CanonicalRequest><CanonicalRequestBytes>47 45 54 0a 2f 64 65 76 25 32 46 6c 69 73 74 0a 0a 68 6f 73 74 3a 62 75 63 6b 65 74 2e 73 33 2e 61 6d 61 7a 6f 6e 61 77 73 2e 63 6f 6d 0a 78 2d 61 6d 7a 2d 63 6f 6e 74 65 6e 74 2d 73 68 61 32 35 36 3a 65 33 62 30 63 34 34 32 39 38 66 63 31 63 31 34 39 61 66 62 66 34 63 38 39 39 36 66 62 39 32 34 32 37 61 65 34 31 65 34 36 34 39 62 39 33 34 63 61 34 39 35 39 39 31 62 37 38 35 32 62 38 35 35 0a 78 2d 61 6d 7a 2d 64 61 74 65 3a 32 30 32 36 30 38 33 30 54 31 32 33 36 30 30 5a 0a 0a 68 6f 73 74 3b 78 2d 61 6d 7a 2d 63 6f 6e 74 65 6e 74 2d 73 68 61 32 35 36 3b 78 2d 61 6d 7a 2d 64 61 74 65 0a 65 33 62 30 63 34 34 32 39 38 66 63 31 63 31 34 39 61 66 62 66 34 63 38 39 39 36 66 62 39 32 34 32 37 61 65 34 31 65 34 36 34 39 62 39 33 34 63 61 34 39 35 39 39 31 62 37 38 35 32 62 38 35 35</CanonicalRequestBytes></Error>", By::S3, "PathUnderEncoded"),
    (403, NONE, "<Error><Code>SignatureDoesNotMatch</Code><Message>The request signature we calculated does not match the signature you provided. Check your key and signing method.</Message><AWSAccessKeyId>AKIAIOSFODNN7EXAMPLE</AWSAccessKeyId><StringToSign>AWS4-HMAC-SHA256\n20260830T123600Z\n20260830/us-west-2/s3/aws4_request\n848d618b275cf8ef3fad333d7d43f8c831089cd37a37f2ae44dbdd783e9fc8bb</StringToSign><SignatureProvided>5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7</SignatureProvided><CanonicalRequest>GET\n/dev/list\n\nhost:bucket.s3.eu-central-1.amazonaws.com\nx-amz-content-sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\nx-amz-date:20260830T123600Z\n\nhost;x-amz-content-sha256;x-amz-date\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855</CanonicalRequest></Error>", By::S3, "HostChanged { signed: \"bucket.s3.amazonaws.com\", verified: \"bucket.s3.eu-central-1.amazonaws.com\" }"),
    (403, NONE, "<Error><Code>SignatureDoesNotMatch</Code><Message>The request signature we calculated does not match the signature you provided. Check your key and signing method.</Message><AWSAccessKeyId>AKIAIOSFODNN7EXAMPLE</AWSAccessKeyId><StringToSign>AWS4-HMAC-SHA256\n20260830T123600Z\n20260830/us-west-2/s3/aws4_request\ncc0770df703da7c53a3cfb726b147bcd0c3a6c1007c5296d1b4461ac966b1dc8</StringToSign><SignatureProvided>5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7</SignatureProvided><CanonicalRequest>GET\n/dev/list\n\nhost:bucket.s3.amazonaws.com\nx-amz-content-sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\nx-amz-date:20260830T123600Z\nx-amz-acl:private\n\nhost;x-amz-content-sha256;x-amz-date\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855</CanonicalRequest></Error>", By::S3, "HeaderAdded { name: \"x-amz-acl\" }"),
    (403, NONE, "<Error><Code>SignatureDoesNotMatch</Code><Message>The request signature we calculated does not match the signature you provided. Check your key and signing method.</Message><AWSAccessKeyId>AKIAIOSFODNN7EXAMPLE</AWSAccessKeyId><StringToSign>AWS4-HMAC-SHA256\n20260830T123600Z\n20260830/us-west-2/s3/aws4_request\n03630f50bfddd12617d9b70e1a8ee43e826ee1c97d9f86835376fe25e1b5cd74</StringToSign><SignatureProvided>5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7</SignatureProvided><CanonicalRequest>GET\n/dev/list\n\nhost:bucket.s3.amazonaws.com\nx-amz-content-sha256:UNSIGNED-PAYLOAD\nx-amz-date:20260830T123600Z\n\nhost;x-amz-content-sha256;x-amz-date\nUNSIGNED-PAYLOAD</CanonicalRequest></Error>", By::S3, "PayloadMode { signed: \"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\", verified: \"UNSIGNED-PAYLOAD\" }"),
    (403, NONE, "<Error><Code>SignatureDoesNotMatch</Code><Message>The request signature we calculated does not match the signature you provided. Check your key and signing method.</Message><AWSAccessKeyId>AKIAIOSFODNN7EXAMPLE</AWSAccessKeyId><StringToSign>AWS4-HMAC-SHA256\n20260830T123600Z\n20260830/us-west-2/s3/aws4_request\n62b965372483fe0263ca6bcbac12820b43c402b1482493d2b0860b4d25c21a23</StringToSign><SignatureProvided>5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7</SignatureProvided><Other>GET\n/dev/list\n\nhost:bucket.s3.amazonaws.com\nx-amz-content-sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\nx-amz-date:20260830T123600Z\n\nhost;x-amz-content-sha256;x-amz-date\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855</Other></Error>", By::S3, "WrongSecret"),
    (403, NONE, "<Error><Code>SignatureDoesNotMatch</Code><Message>The request signature we calculated does not match the signature you provided. Check your key and signing method.</Message><AWSAccessKeyId>AKIAIOSFODNN7EXAMPLE</AWSAccessKeyId><StringToSign>AWS4-HMAC-SHA256\n20260830T123600Z\n20260830/us-west-2/s3/aws4_request\n1db20bf76cdae19610da0166b634333c5e616ec2e42456c78d2ffc9a721853ed</StringToSign><SignatureProvided>5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7</SignatureProvided><Other>GET\n/dev/list\n\nhost:bucket.s3.amazonaws.com\nx-amz-content-sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\nx-amz-date:20260830T123600Z\n\nhost;x-amz-content-sha256;x-amz-date\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855x</Other></Error>", By::S3, "CanonicalRequestDiffers"),
    (400, NONE, "<Error><Code>RegionSetMismatch</Code><Message>The provided X-Amz-Region-Set doesn't match against the requested S3 region.</Message><RequestedRegion>us-west-2</RequestedRegion><RegionSet>eu-*</RegionSet></Error>", By::Nobody, "WrongRegion { expected: Some(\"us-west-2\") }"),
    (400, NONE, "<Error><Code>InvalidRequest</Code><Message>Missing required header for this request: x-amz-region-set</Message></Error>", By::Nobody, "MalformedAuthorization"),
    (403, NONE, "<Error><Code>AccessDenied</Code><Message>Invalid according to Policy: Policy expired.</Message></Error>", By::Nobody, "FormPolicy"),
    (403, NONE, "<Error><Code>AccessDenied</Code><Message>Invalid according to Policy: Policy Condition failed: [&quot;eq&quot;, &quot;$acl&quot;, &quot;private&quot;]</Message></Error>", By::Nobody, "FormPolicy"),
    // From intermediaries, and not from AWS at all.
    (403, NONE, "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01 Transitional//EN\" \"http://www.w3.org/TR/html4/loose.dtd\">\n<HTML><HEAD><META HTTP-EQUIV=\"Content-Type\" CONTENT=\"text/html; charset=iso-8859-1\">\n<TITLE>ERROR: The request could not be satisfied</TITLE>\n</HEAD><BODY>\n<H1>403 ERROR</H1>\n<H2>The request could not be satisfied.</H2>\n<HR noshade size=\"1px\">\nBad request.\n</BODY></HTML>", By::Signed, "BlockedByIntermediary"),
    (403, NONE, "<html>\r\n<head><title>403 Forbidden</title></head>\r\n<body>\r\n<center><h1>403 Forbidden</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n", By::Signed, "BlockedByIntermediary"),
    (403, NONE, "", By::Signed, "RefusedWithoutReason"),
    (403, NONE, "", By::Unsigned, "NotSigned"),
    (403, NONE, "computer says no", By::Signed, "NotRecognised"),
    (503, NONE, "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>", By::S3, "Unrelated"),
    (407, NONE, "<html><head><title>407 Proxy Authentication Required</title></head></html>", By::Signed, "BlockedByIntermediary"),
    (400, NONE, "", By::Signed, "MalformedRequest"),
    (403, NONE, "403 Forbidden", By::Signed, "RefusedWithoutReason"),
    (200, NONE, "<Error><Code>InternalError</Code><Message>We encountered an internal error. Please try again.</Message></Error>", By::S3, "Unrelated"),
];

pub fn explain((status, headers, body, by, _): &(u16, Headers, &str, By, &str)) -> Explanation {
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    Explanation::from_response(*status, &headers, body.as_bytes(), sent(*by))
}

/// How certain the first finding is.
pub fn certainty(explanation: &Explanation) -> &'static str {
    match explanation.findings().next() {
        Some(first) if *first.cause() == Cause::NotRecognised => "not recognised",
        Some(first) => first.certainty().name(),
        None => "none",
    }
}

#[test]
fn each_response_has_its_finding_first() {
    assert!(CASES.len() >= 100, "{}", CASES.len());
    let mut failures = Vec::new();
    let mut certainties: BTreeMap<&str, usize> = BTreeMap::new();
    for case in CASES {
        let explanation = explain(case);
        *certainties.entry(certainty(&explanation)).or_default() += 1;
        let first = explanation.findings().next().map(|finding| format!("{:?}", finding.cause())).unwrap_or_default();
        if first != case.4 {
            failures.push(format!("{} {} by {:?}: {first}, not {}", case.0, case.2, case.3, case.4));
        }
    }
    println!("first findings: {certainties:?}");
    assert!(failures.is_empty(), "{} of {}\n{}", failures.len(), CASES.len(), failures.join("\n"));
}

#[test]
fn each_finding_displays_its_cause_evidence_and_fix() {
    for case in CASES {
        let explanation = explain(case);
        for finding in explanation.findings() {
            assert!(finding.cause().to_string().len() > 10, "{finding:?}");
            assert!(!finding.evidence().is_empty(), "{finding:?}");
            assert!(finding.fix().len() > 10, "{finding:?}");
            let text = explanation.to_string();
            assert!(text.contains(&finding.cause().to_string()) && text.contains(finding.fix()), "{text}");
        }
    }
}

#[test]
fn a_response_that_is_not_a_refusal_has_no_findings() {
    let explanation = Explanation::from_response(200, &[], b"{}", sent(By::Signed));
    assert_eq!(explanation.findings().len(), 0);
    assert_eq!(explanation.to_string(), "200");
}
