/// The format in which a service reports errors.
///
/// | format | services |
/// |---|---|
/// | [`RestJson`](Self::RestJson) | API Gateway, Lambda and other REST services that use JSON |
/// | [`AwsJson1_0`](Self::AwsJson1_0) | DynamoDB and other services that use `application/x-amz-json-1.0` |
/// | [`AwsJson1_1`](Self::AwsJson1_1) | Kinesis, KMS, Systems Manager, CloudWatch Logs, Secrets Manager, ECS, Cognito and other services that use `application/x-amz-json-1.1` |
/// | [`QueryXml`](Self::QueryXml) | STS, IAM and other query services |
/// | [`S3Xml`](Self::S3Xml) | S3 and compatible stores |
///
/// ```
/// use countersign::{ErrorFormat, VerifyError};
///
/// let error = VerifyError::SignatureMismatch { computed: None };
/// assert_eq!(error.refusal(ErrorFormat::RestJson).code(), "InvalidSignatureException");
/// assert_eq!(error.refusal(ErrorFormat::QueryXml).code(), "SignatureDoesNotMatch");
/// assert_eq!(ErrorFormat::S3Xml.content_type(), "application/xml");
///
/// // The AWS JSON services refuse with status 400 and put the code into the body, DynamoDB with a namespace.
/// let unsigned = VerifyError::MissingAuthentication;
/// let refusal = unsigned.refusal(ErrorFormat::AwsJson1_0);
/// assert_eq!((refusal.status(), refusal.code()), (400, "MissingAuthenticationTokenException"));
/// assert_eq!(refusal.content_type(), "application/x-amz-json-1.0");
/// assert_eq!(
///     refusal.body(""),
///     r#"{"__type":"com.amazon.coral.service#MissingAuthenticationTokenException","message":"Request is missing Authentication Token"}"#
/// );
/// assert_eq!(
///     unsigned.refusal(ErrorFormat::AwsJson1_1).body(""),
///     r#"{"__type":"MissingAuthenticationTokenException","message":"Missing Authentication Token"}"#
/// );
/// ```
///
/// AWS: [Common errors](https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html),
/// [DynamoDB errors](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html),
/// [S3 errors](https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorFormat {
    /// REST services with JSON: `{"message": …}`, and the code in the header `x-amzn-ErrorType`.
    RestJson,
    /// AWS JSON 1.0: `{"__type": …, "message": …}`, with the namespace `com.amazon.coral.service#` before the code.
    AwsJson1_0,
    /// AWS JSON 1.1: `{"__type": …, "message": …}`, without a namespace.
    AwsJson1_1,
    /// Query services: `<ErrorResponse>`.
    QueryXml,
    /// S3: `<Error>`.
    S3Xml,
}

impl ErrorFormat {
    /// Returns the `Content-Type` of [`Refusal::body`](crate::Refusal::body).
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::RestJson => "application/json",
            Self::AwsJson1_0 => "application/x-amz-json-1.0",
            Self::AwsJson1_1 => "application/x-amz-json-1.1",
            Self::QueryXml => "text/xml",
            Self::S3Xml => "application/xml",
        }
    }

    /// Returns the name of the header for [`Refusal::code`](crate::Refusal::code), or `None` if the code is in the
    /// body.
    ///
    /// ```
    /// use countersign::ErrorFormat;
    ///
    /// assert_eq!(ErrorFormat::RestJson.code_header(), Some("x-amzn-errortype"));
    /// assert_eq!(ErrorFormat::AwsJson1_1.code_header(), None);
    /// ```
    pub const fn code_header(self) -> Option<&'static str> {
        match self {
            Self::RestJson => Some("x-amzn-errortype"),
            Self::AwsJson1_0 | Self::AwsJson1_1 | Self::QueryXml | Self::S3Xml => None,
        }
    }

    /// Returns the name of the header for the request id.
    ///
    /// ```
    /// assert_eq!(countersign::ErrorFormat::S3Xml.request_id_header(), "x-amz-request-id");
    /// ```
    pub const fn request_id_header(self) -> &'static str {
        match self {
            Self::S3Xml => "x-amz-request-id",
            Self::RestJson | Self::AwsJson1_0 | Self::AwsJson1_1 | Self::QueryXml => "x-amzn-requestid",
        }
    }

    /// Returns the namespace that precedes the code in the body.
    pub(super) const fn code_namespace(self) -> &'static str {
        match self {
            Self::AwsJson1_0 => "com.amazon.coral.service#",
            Self::RestJson | Self::AwsJson1_1 | Self::QueryXml | Self::S3Xml => "",
        }
    }
}
