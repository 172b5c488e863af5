//! The responses to refused requests: code, status and text in each of AWS's formats.

use std::time::Duration;

use countersign::explain::{Cause, Explanation};
use countersign::{ErrorFormat, Location, RequestError, ScopeParts, StreamingPayload, VerifyError};
use serde_json::Value;

use crate::support::fixtures::{FORMATS, at};

const MISMATCH: VerifyError = VerifyError::SignatureMismatch { computed: None };
const JSON: ErrorFormat = ErrorFormat::RestJson;
const JSON_1_0: ErrorFormat = ErrorFormat::AwsJson1_0;
const JSON_1_1: ErrorFormat = ErrorFormat::AwsJson1_1;
const QUERY: ErrorFormat = ErrorFormat::QueryXml;
const S3: ErrorFormat = ErrorFormat::S3Xml;

fn check(error: &VerifyError, format: ErrorFormat, status: u16, code: &str, message: &str) {
    assert_eq!(
        (error.refusal(format).status(), error.refusal(format).code(), error.refusal(format).message()),
        (status, code, message),
        "{error:?} {format:?}"
    );
}

#[test]
fn texts_are_those_of_aws() {
    let error = VerifyError::MissingAuthentication;
    check(&error, JSON, 403, "MissingAuthenticationTokenException", "Missing Authentication Token");
    check(&error, QUERY, 403, "MissingAuthenticationToken", "Request is missing Authentication Token");

    let both = "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.";
    check(&VerifyError::BothMechanisms, JSON, 403, "InvalidSignatureException", both);
    assert_eq!(VerifyError::BothMechanisms.refusal(S3).code(), "InvalidArgument");
    assert_eq!(VerifyError::BothMechanisms.refusal(S3).status(), 400);

    let error = VerifyError::UnsupportedAlgorithm { algorithm: "AWS4-HMAC-SHA25".into() };
    let text = "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA25' (only AWS4-HMAC-SHA256 for now). ";
    check(&error, JSON, 403, "IncompleteSignatureException", text);
    check(&error, QUERY, 400, "IncompleteSignature", text);

    let error = VerifyError::MissingParameters {
        location: Location::Header,
        names: vec!["Credential", "Signature", "SignedHeaders"],
    };
    check(
        &error,
        JSON,
        403,
        "IncompleteSignatureException",
        "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. \
         Authorization header requires 'SignedHeaders' parameter. Authorization=[redacted]",
    );
    check(
        &error,
        S3,
        400,
        "AuthorizationHeaderMalformed",
        "The authorization header is malformed; missing Credential.",
    );
    let error = VerifyError::MissingParameters { location: Location::Query, names: vec!["X-Amz-Date"] };
    check(
        &error,
        QUERY,
        400,
        "IncompleteSignature",
        "AWS query-string parameters must include 'X-Amz-Date'. Re-examine the query-string parameters.",
    );
    check(
        &error,
        S3,
        400,
        "AuthorizationQueryParametersError",
        "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, \
         X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
    );

    let error = VerifyError::HeadersNotSigned { names: vec!["host".into()] };
    let text = "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.";
    check(&error, JSON, 403, "InvalidSignatureException", text);
    check(&error, S3, 403, "AccessDenied", "There were headers present in the request which were not signed");
    let error = VerifyError::SignedHeaderAbsent { name: "connection".into() };
    let text = "'connection' is named as a SignedHeader, but it does not exist in the HTTP request.";
    check(&error, JSON, 403, "IncompleteSignatureException", text);

    let error = VerifyError::MalformedDate { location: Location::Header, got: "yesterday".into() };
    let text = "Date must be in ISO-8601 'basic format'. Got 'yesterday'. See http://en.wikipedia.org/wiki/ISO_8601";
    check(&error, QUERY, 400, "IncompleteSignature", text);

    let error = VerifyError::UnknownAccessKey { access_key_id: "AKID".into() };
    let text = "The security token included in the request is invalid.";
    check(&error, JSON, 403, "UnrecognizedClientException", text);
    check(&error, QUERY, 403, "InvalidClientTokenId", text);
    let text = "The AWS Access Key Id you provided does not exist in our records.";
    check(&error, S3, 403, "InvalidAccessKeyId", text);
    let error = VerifyError::ExpiredSessionToken { access_key_id: "ASIA".into(), expires_at: at("20150830T123600Z") };
    check(&error, JSON, 403, "ExpiredTokenException", "The security token included in the request is expired");
    check(&error, S3, 400, "ExpiredToken", "The provided token has expired.");

    let generic = "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
                   Access Key and signing method. Consult the service documentation for details.";
    check(&MISMATCH, JSON, 403, "InvalidSignatureException", generic);
    check(&MISMATCH, QUERY, 403, "SignatureDoesNotMatch", generic);
    let s3 = "The request signature we calculated does not match the signature you provided. Check your key and signing \
              method.";
    check(&MISMATCH, S3, 403, "SignatureDoesNotMatch", s3);
    let text = "The provided 'x-amz-content-sha256' header does not match what was computed.";
    let error = VerifyError::BodyMismatch { signed: "00ff".into(), computed: "ff00".into() };
    check(&error, S3, 400, "XAmzContentSHA256Mismatch", text);
    let details = "<ClientComputedContentSHA256>00ff</ClientComputedContentSHA256><S3ComputedContentSHA256>ff00</S3ComputedContentSHA256>";
    assert!(error.refusal(S3).body("").contains(details));
    let text = "The value passed in as x-amz-content-sha256 does not match the computed payload hash. Computed digest: ff00 \
                expected hash: 00ff";
    check(&error, JSON, 403, "InvalidSignatureException", text);
}

#[test]
fn times_are_reported_with_the_servers_clock() {
    let allowed = Duration::from_secs(300);
    let expired = VerifyError::Expired { signed: at("20170212T175938Z"), now: at("20170215T150034Z"), allowed };
    let text = "Signature expired: 20170212T175938Z is now earlier than 20170215T145534Z (20170215T150034Z - 5 min.)";
    check(&expired, JSON, 403, "InvalidSignatureException", text);
    let text = "The difference between the request time and the current time is too large.";
    check(&expired, S3, 403, "RequestTimeTooSkewed", text);
    assert!(expired.refusal(S3).body("id").contains(
        "<RequestTime>20170212T175938Z</RequestTime><ServerTime>2017-02-15T15:00:34Z</ServerTime>\
         <MaxAllowedSkewMilliseconds>300000</MaxAllowedSkewMilliseconds>"
    ));

    let (signed, now) = (at("20150830T130000Z"), at("20150830T123600Z"));
    let early = |location| VerifyError::NotYetCurrent { location, signed, now, allowed };
    let text =
        "Signature not yet current: 20150830T130000Z is still later than 20150830T124100Z (20150830T123600Z + 5 min.)";
    check(&early(Location::Header), QUERY, 403, "SignatureDoesNotMatch", text);
    assert_eq!(early(Location::Header).refusal(S3).code(), "RequestTimeTooSkewed");
    check(&early(Location::Query), S3, 403, "AccessDenied", "Request is not valid yet");

    let lifetime = Duration::from_secs(90);
    let ended = VerifyError::PresignExpired { signed: at("20150830T123000Z"), now, expires_in: lifetime };
    let text = "Signature expired: 20150830T123000Z is now earlier than 20150830T123430Z (20150830T123600Z - 90 sec.)";
    check(&ended, JSON, 403, "InvalidSignatureException", text);
    check(&ended, S3, 403, "AccessDenied", "Request has expired");
    assert!(ended.refusal(S3).body("id").contains(
        "<X-Amz-Expires>90</X-Amz-Expires><Expires>2015-08-30T12:31:30Z</Expires><ServerTime>2015-08-30T12:36:00Z</ServerTime>"
    ));
}

#[test]
fn all_problems_of_a_scope_are_listed_except_by_s3_which_lists_the_first() {
    let parts = |text: &str| match *text.split('/').collect::<Vec<_>>() {
        [date, region, service, terminator] => ScopeParts::new(date, Some(region), service, terminator),
        _ => panic!("{text}"),
    };
    let wrong = |location, got: &str| VerifyError::WrongScope {
        location,
        got: parts(got),
        expected: parts("20130609/us-east-1/dynamodb/aws4_request"),
        signed: at("20130609T095204Z"),
    };
    check(
        &wrong(Location::Header, "b/c/d/e"),
        JSON,
        403,
        "InvalidSignatureException",
        "Credential should be scoped to a valid region, not 'c'. Credential should be scoped to correct service: \
         'dynamodb'. Credential should be scoped with a valid terminator: 'aws4_request', not 'e'. Date in Credential \
         scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: 'b' != '20130609', from \
         '20130609T095204Z'.",
    );
    let s3 = |got, header: &str, query: &str| {
        let header = format!("The authorization header is malformed; {header}");
        check(&wrong(Location::Header, got), S3, 400, "AuthorizationHeaderMalformed", &header);
        check(&wrong(Location::Query, got), S3, 400, "AuthorizationQueryParametersError", query);
    };
    let both = |got, text: &str| s3(got, text, &format!("Error parsing the X-Amz-Credential parameter; {text}"));
    both("20130609/eu-west-1/dynamodb/aws4_request", "the region 'eu-west-1' is wrong; expecting 'us-east-1'");
    assert!(wrong(Location::Header, "b/c/d/e").refusal(S3).body("").contains("<Region>us-east-1</Region>"));
    both("20130609/us-east-1/s3/aws4_request", "incorrect service \"s3\". This endpoint belongs to \"dynamodb\".");
    both("20130609/us-east-1/dynamodb/aws4", "incorrect terminal \"aws4\". This endpoint uses \"aws4_request\".");
    both(
        "2013069/us-east-1/dynamodb/aws4_request",
        "incorrect date format \"2013069\". This date in the credential must be in the format \"yyyyMMdd\".",
    );
    s3(
        "20130608/us-east-1/dynamodb/aws4_request",
        "Invalid credential date. Date is not the same as X-Amz-Date.",
        "Invalid credential date \"20130608\". This date is not the same as X-Amz-Date: \"20130609T095204Z\".",
    );
}

#[test]
fn bodies_follow_their_format() {
    let error = VerifyError::HeadersNotSigned { names: vec!["x-amz-acl".into(), "x-amz-tagging".into()] };
    assert_eq!(
        error.refusal(JSON).body("id"),
        "{\"message\":\"'x-amz-acl' must be a 'SignedHeader' in the AWS Authorization. 'x-amz-tagging' must be a \
         'SignedHeader' in the AWS Authorization.\"}"
    );
    assert_eq!(
        MISMATCH.refusal(QUERY).body("c6104cbe"),
        "<ErrorResponse><Error><Type>Sender</Type><Code>SignatureDoesNotMatch</Code><Message>The request signature we \
         calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. \
         Consult the service documentation for details.</Message></Error><RequestId>c6104cbe</RequestId></ErrorResponse>"
    );
    assert_eq!(
        error.refusal(S3).body("4442587FB7D0A2F9"),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AccessDenied</Code><Message>There were headers present \
         in the request which were not signed</Message><HeadersNotSigned>x-amz-acl, x-amz-tagging</HeadersNotSigned>\
         <RequestId>4442587FB7D0A2F9</RequestId></Error>"
    );
    assert_eq!(
        (JSON.content_type(), QUERY.content_type(), S3.content_type()),
        ("application/json", "text/xml", "application/xml")
    );
    assert_eq!(
        (JSON_1_0.content_type(), JSON_1_1.content_type()),
        ("application/x-amz-json-1.0", "application/x-amz-json-1.1")
    );
    // The code is either in the body or in a header, but not in both.
    for format in FORMATS {
        let refusal = MISMATCH.refusal(format);
        assert_eq!(refusal.content_type(), format.content_type());
        assert_eq!(format.code_header().is_none(), refusal.body("id").contains(refusal.code()), "{format:?}");
    }
}

/// Every error of the verifier with its code in the formats of the JSON services, except `UnsupportedScheme`, whose
/// code differs between them.
fn errors() -> Vec<(VerifyError, &'static str)> {
    const BAD: &str = "BadRequestException";
    const MISSING: &str = "MissingAuthenticationTokenException";
    const INCOMPLETE: &str = "IncompleteSignatureException";
    const INVALID: &str = "InvalidSignatureException";
    const UNKNOWN: &str = "UnrecognizedClientException";
    let text = || String::from("\"a\\b\"\u{1b}");
    let (location, now) = (Location::Header, at("20150830T123600Z"));
    let (signed, allowed) = (now.saturating_add(-7200), Duration::from_secs(300));
    let streaming = StreamingPayload::Signed;
    let scope = |region| ScopeParts::new("20150830", Some(region), "dynamodb", "aws4_request");
    let (got, expected) = (scope("us-\"1"), scope("us-east-1"));
    vec![
        (VerifyError::Request(RequestError::TargetIsUrl), BAD),
        (VerifyError::HostsDiffer { host: text(), authority: text() }, BAD),
        (VerifyError::DotSegments { path: text() }, BAD),
        (VerifyError::RepeatedParameter { name: text() }, BAD),
        (VerifyError::HeaderAndQueryDiffer { name: text() }, BAD),
        (VerifyError::MissingAuthentication, MISSING),
        (VerifyError::BothMechanisms, INVALID),
        (VerifyError::Repeated { name: "Credential" }, INCOMPLETE),
        (VerifyError::UnsupportedAlgorithm { algorithm: text() }, INCOMPLETE),
        (VerifyError::AuthorizationTooLong { length: 2, limit: 1 }, INCOMPLETE),
        (VerifyError::NotKeyValue, INCOMPLETE),
        (VerifyError::UnknownParameter { name: text() }, INCOMPLETE),
        (VerifyError::MissingParameters { location, names: vec!["Credential"] }, INCOMPLETE),
        (VerifyError::MissingParameters { location: Location::Query, names: vec!["X-Amz-Date"] }, INCOMPLETE),
        (VerifyError::MalformedCredential { location, got: text() }, INCOMPLETE),
        (VerifyError::MalformedSigV4aCredential { location, got: text() }, INCOMPLETE),
        (VerifyError::MalformedSignedHeaders { location }, INCOMPLETE),
        (VerifyError::TooManySignedHeaders { limit: 1 }, INCOMPLETE),
        (VerifyError::MalformedSignature, INVALID),
        (VerifyError::MalformedSigV4aSignature, INVALID),
        (VerifyError::MissingRegionSet { location }, INCOMPLETE),
        (VerifyError::WrongRegionSet { got: text(), regions: vec![text()] }, INVALID),
        (VerifyError::MissingDate, INCOMPLETE),
        (VerifyError::MalformedDate { location, got: text() }, INCOMPLETE),
        (VerifyError::MalformedExpires { got: text() }, INCOMPLETE),
        (VerifyError::ExpiresOutOfRange { seconds: 301, limit: allowed }, INCOMPLETE),
        (VerifyError::MissingContentSha256, INVALID),
        (VerifyError::InvalidContentSha256 { got: text() }, INVALID),
        (VerifyError::HeadersNotSigned { names: vec![text(), "host".into()] }, INVALID),
        (VerifyError::SignedHeaderAbsent { name: text() }, INCOMPLETE),
        (VerifyError::HopByHopHeader { name: text() }, INCOMPLETE),
        (VerifyError::RepeatedHeader { name: text() }, INCOMPLETE),
        (VerifyError::Expired { signed, now, allowed }, INVALID),
        (VerifyError::NotYetCurrent { location, signed: now, now: signed, allowed }, INVALID),
        (VerifyError::PresignExpired { signed, now, expires_in: allowed }, INVALID),
        (VerifyError::WrongScope { location, got, expected, signed: now }, INVALID),
        (VerifyError::UnknownAccessKey { access_key_id: text() }, UNKNOWN),
        (VerifyError::InvalidSessionToken { access_key_id: text() }, UNKNOWN),
        (VerifyError::ExpiredSessionToken { access_key_id: text(), expires_at: now }, "ExpiredTokenException"),
        (MISMATCH, INVALID),
        (VerifyError::BodyMismatch { signed: text(), computed: text() }, INVALID),
        (VerifyError::BodyNeeded, "InternalFailure"),
        (VerifyError::BodyIsStreamed { streaming }, "InternalFailure"),
    ]
}

#[test]
fn every_refusal_of_a_json_service_is_a_400_with_its_code_in_the_body() {
    for (error, code) in errors() {
        for (format, namespace) in [(JSON_1_0, "com.amazon.coral.service#"), (JSON_1_1, "")] {
            let refusal = error.refusal(format);
            let status = if code == "InternalFailure" { 500 } else { 400 };
            assert_eq!((refusal.status(), refusal.code()), (status, code), "{error:?} {format:?}");
            let body: Value = serde_json::from_str(&refusal.body("id")).unwrap();
            let expected = serde_json::json!({ "__type": format!("{namespace}{code}"), "message": refusal.message() });
            assert_eq!(body, expected, "{error:?} {format:?}");
        }
    }
}

/// DynamoDB and Kinesis differ in the wording, and in what they treat as a signature.
#[test]
fn the_two_versions_of_aws_json_report_a_missing_signature_differently() {
    let missing = "MissingAuthenticationTokenException";
    check(&VerifyError::MissingAuthentication, JSON_1_0, 400, missing, "Request is missing Authentication Token");
    check(&VerifyError::MissingAuthentication, JSON_1_1, 400, missing, "Missing Authentication Token");
    let other = VerifyError::UnsupportedScheme { scheme: "Bearer".into() };
    check(&other, JSON_1_0, 400, missing, "Request is missing Authentication Token");
    assert_eq!(
        (other.refusal(JSON_1_1).status(), other.refusal(JSON_1_1).code()),
        (400, "IncompleteSignatureException")
    );
    for (error, _) in errors().iter().filter(|(_, code)| *code != missing) {
        assert_eq!(error.refusal(JSON_1_0).message(), error.refusal(JSON_1_1).message());
        assert_eq!(error.refusal(JSON_1_1).message(), error.refusal(JSON).message());
    }
}

/// The status and format differ from those of API Gateway, but the cause is the same. Only for API Gateway can a
/// missing token mean an unknown route.
#[test]
fn a_refusal_of_a_json_service_has_the_same_cause_as_with_api_gateway() {
    for (error, code) in errors() {
        let explained = |format: ErrorFormat| {
            let refusal = error.refusal(format);
            let headers: Vec<_> =
                format.code_header().map(|name| (name, refusal.code().as_bytes())).into_iter().collect();
            Explanation::from_response(refusal.status(), &headers, refusal.body("id").as_bytes(), None)
        };
        let causes = |format| explained(format).findings().map(|finding| finding.cause().clone()).collect::<Vec<_>>();
        for format in [JSON_1_0, JSON_1_1] {
            let shown = explained(format).to_string();
            assert!(shown.starts_with(&format!("{} {code}: ", error.refusal(format).status())), "{shown}");
            match error {
                VerifyError::MissingAuthentication => {
                    let found = causes(format);
                    assert_eq!(found.first(), Some(&Cause::NotSigned));
                    assert!(!found.contains(&Cause::NoSuchRoute) && causes(JSON).contains(&Cause::NoSuchRoute));
                }
                _ => assert_eq!(causes(format), causes(JSON), "{error:?} {format:?}"),
            }
        }
    }
}
