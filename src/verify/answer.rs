//! A refusal in AWS's words: code, status, text and body for each of its dialects.

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write;
use core::time::Duration;

use super::error::VerifyError;
use crate::timestamp::Timestamp;

/// How a service words its errors.
///
/// ```
/// use countersign::{Dialect, VerifyError};
///
/// let error = VerifyError::SignatureMismatch;
/// assert_eq!(error.code(Dialect::RestJson), "InvalidSignatureException");
/// assert_eq!(error.code(Dialect::QueryXml), "SignatureDoesNotMatch");
/// assert_eq!(Dialect::S3Xml.content_type(), "application/xml");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dialect {
    /// API Gateway and other REST services with JSON: `{"message": …}` and the code in the header `x-amzn-ErrorType`.
    RestJson,
    /// STS, IAM, SQS and other query services: `<ErrorResponse>`.
    QueryXml,
    /// S3: `<Error>`.
    S3Xml,
}

impl Dialect {
    /// The `Content-Type` of [`VerifyError::body`].
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::RestJson => "application/json",
            Self::QueryXml => "text/xml",
            Self::S3Xml => "application/xml",
        }
    }
}

struct Answer {
    status: u16,
    code: &'static str,
    message: Cow<'static, str>,
    /// Further elements of the S3 body.
    details: Vec<(&'static str, String)>,
}

impl VerifyError {
    /// The HTTP status.
    pub fn status(&self, dialect: Dialect) -> u16 {
        self.answer(dialect).status
    }

    /// The error code, e.g. `SignatureDoesNotMatch`. API Gateway sends it as the header `x-amzn-ErrorType`.
    pub fn code(&self, dialect: Dialect) -> &'static str {
        self.answer(dialect).code
    }

    /// The text for the client.
    pub fn message(&self, dialect: Dialect) -> Cow<'static, str> {
        self.answer(dialect).message
    }

    /// The body to answer with. `request_id` goes into the XML forms; with JSON it is a header (`x-amzn-RequestId`).
    pub fn body(&self, dialect: Dialect, request_id: &str) -> String {
        let Answer { code, message, details, .. } = self.answer(dialect);
        let mut body = String::new();
        match dialect {
            Dialect::RestJson => {
                body.push_str("{\"message\":\"");
                push_json(&mut body, &message);
                body.push_str("\"}");
            }
            Dialect::QueryXml => {
                body.push_str("<ErrorResponse><Error><Type>Sender</Type>");
                push_element(&mut body, "Code", code);
                push_element(&mut body, "Message", &message);
                body.push_str("</Error>");
                push_element(&mut body, "RequestId", request_id);
                body.push_str("</ErrorResponse>");
            }
            Dialect::S3Xml => {
                body.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>");
                push_element(&mut body, "Code", code);
                push_element(&mut body, "Message", &message);
                for (name, value) in &details {
                    push_element(&mut body, name, value);
                }
                push_element(&mut body, "RequestId", request_id);
                body.push_str("</Error>");
            }
        }
        body
    }

    fn answer(&self, dialect: Dialect) -> Answer {
        match dialect {
            Dialect::S3Xml => self.s3(),
            Dialect::RestJson | Dialect::QueryXml => self.generic(dialect == Dialect::RestJson),
        }
    }

    /// The services other than S3 share their texts; codes and some statuses differ by protocol.
    fn generic(&self, json: bool) -> Answer {
        let pick = |of_json: &'static str, of_xml: &'static str| if json { of_json } else { of_xml };
        let answer = |status: u16, code: &'static str, message: Cow<'static, str>| Answer {
            status,
            code,
            message,
            details: Vec::new(),
        };
        let incomplete = |message: Cow<'static, str>| {
            let status = if json { 403 } else { 400 };
            answer(status, pick("IncompleteSignatureException", "IncompleteSignature"), message)
        };
        let invalid = |message: Cow<'static, str>| {
            answer(403, pick("InvalidSignatureException", "SignatureDoesNotMatch"), message)
        };
        let unknown_token = |message: &'static str| {
            answer(403, pick("UnrecognizedClientException", "InvalidClientTokenId"), message.into())
        };
        match self {
            Self::Request(error) => {
                answer(400, pick("BadRequestException", "InvalidRequest"), error.to_string().into())
            }
            Self::MissingAuthentication => answer(
                403,
                pick("MissingAuthenticationTokenException", "MissingAuthenticationToken"),
                pick("Missing Authentication Token", "Request is missing Authentication Token").into(),
            ),
            Self::BothMechanisms => invalid(
                "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.".into(),
            ),
            Self::UnsupportedScheme { .. } if !json => {
                answer(403, "MissingAuthenticationToken", "Request is missing Authentication Token".into())
            }
            // What AWS shows here is the header, which may hold a token.
            Self::UnsupportedScheme { .. } | Self::NotKeyValue => incomplete(
                "'[redacted]' not a valid key=value pair (missing equal-sign) in Authorization header: '[redacted]'."
                    .into(),
            ),
            Self::UnsupportedAlgorithm { algorithm } => incomplete(
                alloc::format!("Unsupported AWS 'algorithm': '{algorithm}' (only AWS4-HMAC-SHA256 for now). ").into(),
            ),
            Self::Repeated { .. } | Self::UnknownParameter { .. } | Self::AuthorizationTooLong { .. } => {
                incomplete(alloc::format!("Authorization is ambiguous or malformed: {self}.").into())
            }
            Self::MissingParameters { presigned: true, names } => {
                let mut text = String::new();
                for name in names {
                    let _ = write!(text, "AWS query-string parameters must include '{name}'. ");
                }
                text.push_str("Re-examine the query-string parameters.");
                incomplete(text.into())
            }
            Self::MissingParameters { presigned: false, names } => {
                let mut text = String::new();
                for name in names {
                    let _ = write!(text, "Authorization header requires '{name}' parameter. ");
                }
                text.push_str("Authorization=[redacted]");
                incomplete(text.into())
            }
            Self::MissingDate => incomplete(
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. \
                 Authorization=[redacted]"
                    .into(),
            ),
            Self::MalformedCredential { got, .. } => incomplete(
                alloc::format!(
                    "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, \
                     got '{got}'"
                )
                .into(),
            ),
            Self::MalformedSignedHeaders { .. } => {
                incomplete("SignedHeaders must be lower-case header names in ascending order, each once.".into())
            }
            Self::MalformedDate { got, .. } => incomplete(
                alloc::format!(
                    "Date must be in ISO-8601 'basic format'. Got '{got}'. See http://en.wikipedia.org/wiki/ISO_8601"
                )
                .into(),
            ),
            Self::MalformedExpires { .. } => incomplete("X-Amz-Expires should be a number".into()),
            Self::ExpiresOutOfRange { limit, .. } => {
                incomplete(alloc::format!("X-Amz-Expires must be from 1 to {} seconds", limit.as_secs()).into())
            }
            Self::MissingContentSha256 => {
                invalid("Missing required header for this request: x-amz-content-sha256".into())
            }
            Self::InvalidContentSha256 { .. } => invalid("The value of x-amz-content-sha256 header is invalid.".into()),
            Self::HeadersNotSigned { names } => {
                let mut text = String::new();
                for (index, name) in names.iter().enumerate() {
                    let separator = if index > 0 { " " } else { "" };
                    let name = if name == "host" { "'Host' or ':authority'" } else { &alloc::format!("'{name}'") };
                    let _ = write!(text, "{separator}{name} must be a 'SignedHeader' in the AWS Authorization.");
                }
                invalid(text.into())
            }
            Self::SignedHeaderAbsent { name } => incomplete(
                alloc::format!("'{name}' is named as a SignedHeader, but it does not exist in the HTTP request.")
                    .into(),
            ),
            Self::Expired { signed, now, allowed } => invalid(signature_expired(*signed, *now, *allowed).into()),
            Self::PresignExpired { signed, now, lifetime } => {
                invalid(signature_expired(*signed, *now, *lifetime).into())
            }
            Self::NotYetCurrent { signed, now, allowed, .. } => invalid(
                alloc::format!(
                    "Signature not yet current: {signed} is still later than {} ({now} + {}.)",
                    moved(*now, *allowed, 1),
                    length(*allowed)
                )
                .into(),
            ),
            Self::WrongScope { got, expected, signed, .. } => {
                invalid(ScopeParts::of(got, expected).generic(*signed).into())
            }
            Self::UnknownAccessKey { .. } => unknown_token("The security token included in the request is invalid."),
            Self::InvalidSessionToken { .. } => unknown_token("The security token included in the request is invalid"),
            Self::ExpiredSessionToken { .. } => answer(
                403,
                pick("ExpiredTokenException", "ExpiredToken"),
                "The security token included in the request is expired".into(),
            ),
            Self::MalformedSignature | Self::SignatureMismatch | Self::BodyMismatch => invalid(
                "The request signature we calculated does not match the signature you provided. Check your AWS \
                 Secret Access Key and signing method. Consult the service documentation for details."
                    .into(),
            ),
            Self::BodyNeeded | Self::BodyIsStreamed { .. } => {
                answer(500, pick("InternalFailure", "InternalFailure"), "Internal failure".into())
            }
        }
    }

    fn s3(&self) -> Answer {
        let answer = |status: u16, code: &'static str, message: Cow<'static, str>| Answer {
            status,
            code,
            message,
            details: Vec::new(),
        };
        let malformed = |presigned: bool, in_header: &str, in_query: &str| {
            if presigned {
                answer(400, "AuthorizationQueryParametersError", String::from(in_query).into())
            } else {
                let message = alloc::format!("The authorization header is malformed; {in_header}");
                answer(400, "AuthorizationHeaderMalformed", message.into())
            }
        };
        let query_error = |message: Cow<'static, str>| answer(400, "AuthorizationQueryParametersError", message);
        match self {
            Self::Request(error) => answer(400, "InvalidRequest", error.to_string().into()),
            Self::MissingAuthentication => answer(403, "AccessDenied", "Access Denied".into()),
            Self::BothMechanisms => answer(
                400,
                "InvalidArgument",
                "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string \
                 parameter or the Authorization header should be specified"
                    .into(),
            ),
            Self::UnsupportedScheme { scheme } if scheme == "AWS" => answer(
                400,
                "InvalidRequest",
                "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.".into(),
            ),
            Self::UnsupportedScheme { .. } => answer(400, "InvalidArgument", "Unsupported Authorization Type".into()),
            Self::UnsupportedAlgorithm { .. } => answer(
                400,
                "InvalidRequest",
                "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.".into(),
            ),
            Self::Repeated { name } => {
                answer(400, "InvalidArgument", alloc::format!("{name} may be given only once").into())
            }
            Self::NotKeyValue => malformed(
                false,
                "the authorization header requires three components: Credential, SignedHeaders, and Signature.",
                "",
            ),
            Self::UnknownParameter { name } => {
                malformed(false, &alloc::format!("the authorization component \"{name}\" is malformed."), "")
            }
            Self::AuthorizationTooLong { .. } => malformed(false, "it is too long.", ""),
            Self::MissingParameters { presigned, names } => malformed(
                *presigned,
                &alloc::format!("missing {}.", names.first().copied().unwrap_or_default()),
                "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, \
                 X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
            ),
            Self::MalformedCredential { presigned, .. } => {
                let text =
                    "the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".";
                malformed(*presigned, text, &alloc::format!("Error parsing the X-Amz-Credential parameter; {text}"))
            }
            Self::MalformedSignedHeaders { presigned } => malformed(
                *presigned,
                "the authorization component \"SignedHeaders\" is malformed.",
                "X-Amz-SignedHeaders must be lower-case header names in ascending order, each once",
            ),
            Self::MissingDate | Self::MalformedDate { presigned: false, .. } => {
                answer(403, "AccessDenied", "AWS authentication requires a valid Date or x-amz-date header".into())
            }
            Self::MalformedDate { presigned: true, .. } => {
                query_error("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"".into())
            }
            Self::MalformedExpires { got } => {
                let negative = got.strip_prefix('-').is_some_and(|n| n.bytes().all(|byte| byte.is_ascii_digit()));
                query_error(
                    if negative { "X-Amz-Expires must be non-negative" } else { "X-Amz-Expires should be a number" }
                        .into(),
                )
            }
            Self::ExpiresOutOfRange { seconds: 0, .. } => {
                query_error("X-Amz-Expires must be at least one second".into())
            }
            Self::ExpiresOutOfRange { limit, .. } if limit.as_secs() == 604_800 => query_error(
                "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less \
                 than 604800 seconds"
                    .into(),
            ),
            Self::ExpiresOutOfRange { limit, .. } => {
                query_error(alloc::format!("X-Amz-Expires must be at most {} seconds", limit.as_secs()).into())
            }
            Self::MissingContentSha256 => {
                answer(400, "InvalidRequest", "Missing required header for this request: x-amz-content-sha256".into())
            }
            Self::InvalidContentSha256 { .. } => answer(
                400,
                "InvalidArgument",
                "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD or a valid sha256 \
                 value."
                    .into(),
            ),
            Self::HeadersNotSigned { names } => Answer {
                details: alloc::vec![("HeadersNotSigned", names.join(", "))],
                ..answer(403, "AccessDenied", "There were headers present in the request which were not signed".into())
            },
            Self::PresignExpired { signed, now, lifetime } => Answer {
                details: alloc::vec![
                    ("X-Amz-Expires", lifetime.as_secs().to_string()),
                    ("Expires", extended(moved(*signed, *lifetime, 1))),
                    ("ServerTime", extended(*now)),
                ],
                ..answer(403, "AccessDenied", "Request has expired".into())
            },
            Self::NotYetCurrent { presigned: true, .. } => {
                answer(403, "AccessDenied", "Request is not valid yet".into())
            }
            Self::Expired { signed, now, allowed } | Self::NotYetCurrent { signed, now, allowed, .. } => Answer {
                details: alloc::vec![
                    ("RequestTime", signed.to_string()),
                    ("ServerTime", extended(*now)),
                    ("MaxAllowedSkewMilliseconds", allowed.as_millis().to_string()),
                ],
                ..answer(
                    403,
                    "RequestTimeTooSkewed",
                    "The difference between the request time and the current time is too large.".into(),
                )
            },
            Self::WrongScope { presigned, got, expected, signed } => {
                let parts = ScopeParts::of(got, expected);
                let (in_header, in_query) = parts.s3(*signed);
                let region = parts.differs(1).then(|| ("Region", String::from(parts.part(1).1)));
                Answer { details: region.into_iter().collect(), ..malformed(*presigned, &in_header, &in_query) }
            }
            Self::UnknownAccessKey { access_key_id } => Answer {
                details: alloc::vec![("AWSAccessKeyId", access_key_id.clone())],
                ..answer(
                    403,
                    "InvalidAccessKeyId",
                    "The AWS Access Key Id you provided does not exist in our records.".into(),
                )
            },
            Self::InvalidSessionToken { .. } => {
                answer(400, "InvalidToken", "The provided token is malformed or otherwise invalid.".into())
            }
            Self::ExpiredSessionToken { .. } => answer(400, "ExpiredToken", "The provided token has expired.".into()),
            Self::MalformedSignature | Self::SignatureMismatch | Self::SignedHeaderAbsent { .. } => answer(
                403,
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided. Check your key and \
                 signing method."
                    .into(),
            ),
            Self::BodyMismatch => answer(
                400,
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed.".into(),
            ),
            Self::BodyNeeded | Self::BodyIsStreamed { .. } => {
                answer(500, "InternalError", "We encountered an internal error. Please try again.".into())
            }
        }
    }
}

/// The parts of two scopes side by side: date, region, service, terminator.
struct ScopeParts<'a>([(&'a str, &'a str); 4]);

impl<'a> ScopeParts<'a> {
    fn of(got: &'a str, expected: &'a str) -> Self {
        let (mut got, mut expected) = (got.splitn(4, '/'), expected.splitn(4, '/'));
        Self([(); 4].map(|()| (got.next().unwrap_or_default(), expected.next().unwrap_or_default())))
    }

    /// What was given, and what it has to be.
    fn part(&self, index: usize) -> (&'a str, &'a str) {
        self.0.get(index).copied().unwrap_or_default()
    }

    fn differs(&self, index: usize) -> bool {
        let (got, expected) = self.part(index);
        got != expected
    }

    /// All problems, one behind the other.
    fn generic(&self, signed: Timestamp) -> String {
        let [(date, request_date), (region, _), (_, service), (terminator, _)] = self.0;
        let mut text = String::new();
        if self.differs(1) {
            let _ = write!(text, "Credential should be scoped to a valid region, not '{region}'. ");
        }
        if self.differs(2) {
            let _ = write!(text, "Credential should be scoped to correct service: '{service}'. ");
        }
        if self.differs(3) {
            let _ = write!(
                text,
                "Credential should be scoped with a valid terminator: 'aws4_request', not '{terminator}'. "
            );
        }
        if self.differs(0) {
            let _ = write!(
                text,
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{date}' \
                 != '{request_date}', from '{signed}'."
            );
        }
        text
    }

    /// The first problem, for header and query.
    fn s3(&self, signed: Timestamp) -> (String, String) {
        let [(date, _), (region, expected_region), (service, expected_service), (terminator, _)] = self.0;
        let problem = if self.differs(1) {
            alloc::format!("the region '{region}' is wrong; expecting '{expected_region}'")
        } else if self.differs(2) {
            alloc::format!("incorrect service \"{service}\". This endpoint belongs to \"{expected_service}\".")
        } else if self.differs(3) {
            alloc::format!("incorrect terminal \"{terminator}\". This endpoint uses \"aws4_request\".")
        } else if date.len() != 8 || !date.bytes().all(|byte| byte.is_ascii_digit()) {
            alloc::format!(
                "incorrect date format \"{date}\". This date in the credential must be in the format \"yyyyMMdd\"."
            )
        } else {
            return (
                String::from("Invalid credential date. Date is not the same as X-Amz-Date."),
                alloc::format!(
                    "Invalid credential date \"{date}\". This date is not the same as X-Amz-Date: \"{signed}\"."
                ),
            );
        };
        let in_query = alloc::format!("Error parsing the X-Amz-Credential parameter; {problem}");
        (problem, in_query)
    }
}

fn signature_expired(signed: Timestamp, now: Timestamp, allowed: Duration) -> String {
    alloc::format!(
        "Signature expired: {signed} is now earlier than {} ({now} - {}.)",
        moved(now, allowed, -1),
        length(allowed)
    )
}

fn moved(timestamp: Timestamp, by: Duration, direction: i64) -> Timestamp {
    timestamp.saturating_add(direction * i64::try_from(by.as_secs()).unwrap_or(i64::MAX))
}

fn length(duration: Duration) -> String {
    match duration.as_secs() {
        seconds if seconds % 60 == 0 => alloc::format!("{} min", seconds / 60),
        seconds => alloc::format!("{seconds} sec"),
    }
}

/// `2015-08-30T12:36:00Z`, as S3 writes its own times.
fn extended(timestamp: Timestamp) -> String {
    let mut text = String::new();
    for (index, c) in timestamp.as_str().chars().enumerate() {
        match index {
            4 | 6 => text.push('-'),
            11 | 13 => text.push(':'),
            _ => {}
        }
        text.push(c);
    }
    text
}

fn push_element(body: &mut String, name: &str, value: &str) {
    let _ = write!(body, "<{name}>");
    for c in value.chars() {
        match c {
            '&' => body.push_str("&amp;"),
            '<' => body.push_str("&lt;"),
            '>' => body.push_str("&gt;"),
            '"' => body.push_str("&quot;"),
            // XML 1.0 can't hold them, not even as references.
            '\u{fffe}' | '\u{ffff}' => body.push(char::REPLACEMENT_CHARACTER),
            c if c.is_control() && !matches!(c, '\n' | '\t') => body.push(char::REPLACEMENT_CHARACTER),
            c => body.push(c),
        }
    }
    let _ = write!(body, "</{name}>");
}

fn push_json(body: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '"' => body.push_str("\\\""),
            '\\' => body.push_str("\\\\"),
            '\n' => body.push_str("\\n"),
            c if c.is_control() => {
                let _ = write!(body, "\\u{:04x}", u32::from(c));
            }
            c => body.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_escape_what_the_request_put_into_them() {
        let error = VerifyError::MalformedCredential { presigned: false, got: "<a href=\"x\">&\\\u{fffe}'".into() };
        assert_eq!(
            error.body(Dialect::RestJson, ""),
            "{\"message\":\"Credential must have exactly 5 slash-delimited elements, e.g. \
             keyid/date/region/service/term, got '<a href=\\\"x\\\">&\\\\\u{fffe}''\"}"
        );
        let xml = error.body(Dialect::QueryXml, "<id>");
        assert!(xml.contains("got '&lt;a href=&quot;x&quot;&gt;&amp;\\\u{fffd}''</Message>"), "{xml}");
        assert!(xml.ends_with("</Error><RequestId>&lt;id&gt;</RequestId></ErrorResponse>"), "{xml}");
    }
}
