/// How a service words its errors.
///
/// ```
/// use countersign::{ErrorFormat, VerifyError};
///
/// let error = VerifyError::SignatureMismatch { computed: None };
/// assert_eq!(error.refusal(ErrorFormat::RestJson).code(), "InvalidSignatureException");
/// assert_eq!(error.refusal(ErrorFormat::QueryXml).code(), "SignatureDoesNotMatch");
/// assert_eq!(ErrorFormat::S3Xml.content_type(), "application/xml");
/// ```
///
/// AWS: [Common errors](https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html),
/// [of S3](https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorFormat {
    /// API Gateway and other REST services with JSON: `{"message": …}` and the code in the header `x-amzn-ErrorType`.
    RestJson,
    /// STS, IAM, SQS and other query services: `<ErrorResponse>`.
    QueryXml,
    /// S3: `<Error>`.
    S3Xml,
}

impl ErrorFormat {
    /// The `Content-Type` of [`Refusal::body`](crate::Refusal::body).
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::RestJson => "application/json",
            Self::QueryXml => "text/xml",
            Self::S3Xml => "application/xml",
        }
    }
}
