//! What a refused client reads: code, status and text in AWS's three formats.

use std::time::Duration;

use countersign::{ErrorFormat, Location, ScopeParts, VerifyError};

use crate::support::fixtures::at;

const MISMATCH: VerifyError = VerifyError::SignatureMismatch { computed: None };
const JSON: ErrorFormat = ErrorFormat::RestJson;
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
fn times_are_worded_with_the_servers_clock() {
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
fn all_that_is_wrong_with_a_scope_is_said_at_once_and_s3_says_the_first() {
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
fn bodies_have_the_form_of_their_format() {
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
}
