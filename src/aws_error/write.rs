use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use super::{ErrorFormat, text};
use crate::json::push_escaped;
use crate::xml::push_element;

/// A server's response to a request that it refuses: status, code, message and body, in the wording of the services
/// that use an [`ErrorFormat`]. Returned by [`VerifyError::refusal`](crate::VerifyError::refusal).
///
/// It contains no secret, no session token and no signature, unless
/// [`Verifier::echo_computed_raw`](crate::Verifier::echo_computed_raw) is set.
///
/// ```
/// use countersign::{ErrorFormat, VerifyError};
///
/// let refusal = VerifyError::MissingAuthentication.refusal(ErrorFormat::RestJson);
/// assert_eq!((refusal.status(), refusal.code()), (403, "MissingAuthenticationTokenException"));
/// assert_eq!(refusal.message(), "Missing Authentication Token");
/// assert_eq!(refusal.body(""), r#"{"message":"Missing Authentication Token"}"#);
/// ```
///
/// AWS: [Common errors](https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html)
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    format: ErrorFormat,
    status: u16,
    code: &'static str,
    message: Cow<'static, str>,
    details: Vec<(&'static str, String)>,
}

impl Refusal {
    pub(crate) fn new(
        format: ErrorFormat,
        status: u16,
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { format, status, code, message: message.into(), details: Vec::new() }
    }

    /// The response to an error on the server's side.
    pub(crate) fn internal(format: ErrorFormat) -> Self {
        let (code, message) = match format {
            ErrorFormat::S3Xml => ("InternalError", text::S3_INTERNAL_ERROR),
            ErrorFormat::RestJson | ErrorFormat::AwsJson1_0 | ErrorFormat::AwsJson1_1 | ErrorFormat::QueryXml => {
                ("InternalFailure", text::INTERNAL_FAILURE)
            }
        };
        Self::new(format, 500, code, message)
    }

    /// The response to a body that is larger than the server buffers.
    pub(crate) fn body_too_large(format: ErrorFormat) -> Self {
        let (status, code, message) = match format {
            ErrorFormat::S3Xml => (400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size"),
            ErrorFormat::QueryXml => (413, "RequestEntityTooLarge", "Request Too Long"),
            ErrorFormat::RestJson | ErrorFormat::AwsJson1_0 | ErrorFormat::AwsJson1_1 => {
                (413, "RequestEntityTooLargeException", "Request Too Long")
            }
        };
        Self::new(format, status, code, message)
    }

    /// The response to a body that ended before it was complete.
    pub(crate) fn incomplete_body(format: ErrorFormat) -> Self {
        let (code, message) = match format {
            ErrorFormat::S3Xml => (
                "IncompleteBody",
                "You did not provide the number of bytes specified by the Content-Length HTTP header",
            ),
            ErrorFormat::QueryXml => ("BadRequest", "Bad Request"),
            ErrorFormat::RestJson | ErrorFormat::AwsJson1_0 | ErrorFormat::AwsJson1_1 => {
                ("BadRequestException", "Bad Request")
            }
        };
        Self::new(format, 400, code, message)
    }

    /// The response to a body that the signature doesn't cover, where the server demands that.
    pub(crate) fn unsigned_body(format: ErrorFormat) -> Self {
        let code = match format {
            ErrorFormat::S3Xml | ErrorFormat::QueryXml => "AccessDenied",
            ErrorFormat::RestJson | ErrorFormat::AwsJson1_0 | ErrorFormat::AwsJson1_1 => "AccessDeniedException",
        };
        let status = if matches!(format, ErrorFormat::AwsJson1_0 | ErrorFormat::AwsJson1_1) { 400 } else { 403 };
        Self::new(format, status, code, "The signature must cover the body of the request")
    }

    /// The response when it can't be told whether the caller is known.
    pub(crate) fn unavailable(format: ErrorFormat) -> Self {
        let code = match format {
            ErrorFormat::S3Xml | ErrorFormat::QueryXml => "ServiceUnavailable",
            ErrorFormat::RestJson | ErrorFormat::AwsJson1_0 | ErrorFormat::AwsJson1_1 => "ServiceUnavailableException",
        };
        Self::new(format, 503, code, "Service Unavailable")
    }

    /// Adds a detail, an XML element of its own.
    pub(crate) fn with(mut self, name: &'static str, value: String) -> Self {
        self.details.push((name, value));
        self
    }

    /// Returns the HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Returns the error code, e.g. `SignatureDoesNotMatch`. It is part of the body, or has a header of its own
    /// ([`ErrorFormat::code_header`]).
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// Returns the message for the client.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the additional elements of an S3 body, by name.
    pub fn details(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.details.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// Returns the `Content-Type` of [`Refusal::body`].
    pub fn content_type(&self) -> &'static str {
        self.format.content_type()
    }

    /// Returns the body of the response. `request_id` is included in the XML formats; with JSON, send it as a header
    /// (`x-amzn-RequestId`).
    pub fn body(&self, request_id: &str) -> String {
        let mut body = String::new();
        match self.format {
            ErrorFormat::RestJson => {
                body.push_str("{\"message\":\"");
                push_escaped(&mut body, &self.message);
                body.push_str("\"}");
            }
            ErrorFormat::AwsJson1_0 | ErrorFormat::AwsJson1_1 => {
                for text in ["{\"__type\":\"", self.format.code_namespace(), self.code, "\",\"message\":\""] {
                    body.push_str(text);
                }
                push_escaped(&mut body, &self.message);
                body.push_str("\"}");
            }
            ErrorFormat::QueryXml => {
                body.push_str("<ErrorResponse><Error><Type>Sender</Type>");
                push_element(&mut body, "Code", self.code);
                push_element(&mut body, "Message", &self.message);
                body.push_str("</Error>");
                push_element(&mut body, "RequestId", request_id);
                body.push_str("</ErrorResponse>");
            }
            ErrorFormat::S3Xml => {
                body.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>");
                push_element(&mut body, "Code", self.code);
                push_element(&mut body, "Message", &self.message);
                self.details().for_each(|(name, value)| push_element(&mut body, name, value));
                push_element(&mut body, "RequestId", request_id);
                body.push_str("</Error>");
            }
        }
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_escape_what_the_request_put_into_them() {
        let got = "got '<a href=\"x\">&\\\u{fffe}\u{1b}'";
        let body = |format| Refusal::new(format, 400, "Code", got).body("<id>");
        assert_eq!(body(ErrorFormat::RestJson), "{\"message\":\"got '<a href=\\\"x\\\">&\\\\\u{fffe}\\u001b'\"}");
        assert_eq!(
            body(ErrorFormat::AwsJson1_1),
            "{\"__type\":\"Code\",\"message\":\"got '<a href=\\\"x\\\">&\\\\\u{fffe}\\u001b'\"}"
        );
        let xml = body(ErrorFormat::QueryXml);
        assert!(xml.contains("got '&lt;a href=&quot;x&quot;&gt;&amp;\\\u{fffd}\u{fffd}'</Message>"), "{xml}");
        assert!(xml.ends_with("</Error><RequestId>&lt;id&gt;</RequestId></ErrorResponse>"), "{xml}");
    }
}
