//! Explains why a request was refused, or why two signatures differ.
//!
#![doc = include_str!("GUIDE.md")]

mod canonical;
mod cause;
mod certainty;
mod compare;
mod deviations;
mod diff;
mod finding;
mod input;
mod mismatch;
mod name;
mod recognize;
mod sent;
#[cfg(feature = "serde")]
mod serialize;
mod text;

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

pub use cause::Cause;
pub use certainty::Certainty;
pub use deviations::{Deviation, Diagnosis, deviations};
pub use diff::Diff;
pub use finding::Finding;
pub use input::InputError;
pub use sent::Sent;

use crate::aws_error::read::Reply;
use crate::redact::text::redacted;
use diff::Clipped;
use mismatch::{mismatch, wrong_secret};

/// Explains why a server refused a request: the likely causes, most likely first, each with its evidence and fix.
///
/// Recognises the responses of API Gateway, Lambda function URLs, the query and JSON services, S3 and OpenSearch. If
/// the response contains the canonical request that the server computed, and the signed request is passed in, the two
/// are compared.
///
/// Displays as a short, readable text. It never contains secrets or session tokens.
///
/// ```
/// use countersign::explain::{Cause, Explanation};
/// use countersign::{Credentials, Payload, Request, Signer};
///
/// let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")?;
/// let signer = Signer::new(credentials, "us-west-2", "execute-api")?;
/// let request = Request::new("GET", "/dev/get-list", &[]).with_host("abc123.execute-api.us-east-1.amazonaws.com");
/// let signed = signer.sign(&request, Payload::EMPTY, "20150830T123600Z".parse()?)?;
///
/// let headers = [("x-amzn-ErrorType", b"InvalidSignatureException".as_slice())];
/// let body = br#"{"message":"Credential should be scoped to a valid region, not 'us-west-2'. "}"#;
/// let explanation = Explanation::from_response(403, &headers, body, Some(&signed));
///
/// let first = explanation.findings().next().map(|finding| finding.cause().clone());
/// assert_eq!(first, Some(Cause::WrongRegion { expected: Some("us-east-1".into()) }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// AWS: [Troubleshoot Signature Version 4](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html)
#[derive(Clone)]
pub struct Explanation {
    /// The status, code and message of the response, redacted.
    response: String,
    findings: Vec<Finding>,
    diff: Option<Diff>,
    /// The canonical request that the server computed, redacted.
    computed: Option<String>,
    clock_offset: Option<i64>,
}

impl Explanation {
    /// Explains a response, given its status, headers and body. Only the first 256 KiB of the body are read.
    ///
    /// `sent` is what is known about the request: `Some(&signed)`, where `signed` was returned by
    /// [`Signer::sign`](crate::Signer::sign); `&presigned`; the `&request` as it was sent; or `None`.
    pub fn from_response(status: u16, headers: &[(&str, &[u8])], body: &[u8], sent: impl Into<Sent>) -> Self {
        let sent = sent.into();
        Self::of_reply(&Reply::read(status, headers.iter().copied(), body, sent.session_token()), &sent)
    }

    /// Explains an `http::Response`, like [`Explanation::from_response`].
    ///
    /// ```
    /// # use countersign::explain::{Cause, Explanation};
    /// let response = http::Response::builder().status(403).body(r#"{"message":"Missing Authentication Token"}"#)?;
    /// let request = http::Request::get("https://abc123.execute-api.us-east-1.amazonaws.com/dev/list").body(())?;
    /// let explanation = Explanation::from_http_response(&response, &request);
    /// assert_eq!(*explanation.findings().next().unwrap().cause(), Cause::NotSigned);
    /// # Ok::<(), http::Error>(())
    /// ```
    #[cfg(feature = "http")]
    pub fn from_http_response<B: AsRef<[u8]>>(response: &http::Response<B>, sent: impl Into<Sent>) -> Self {
        let headers = response.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        let (sent, status) = (sent.into(), response.status().as_u16());
        Self::of_reply(&Reply::read(status, headers, response.body().as_ref(), sent.session_token()), &sent)
    }

    /// Compares two canonical requests or two strings to sign: `theirs`, which a verifier computed, with `ours`, which
    /// was signed.
    ///
    /// ```
    /// use countersign::explain::{Cause, Explanation};
    ///
    /// let ours = "GET\n/dev/list\n\nhost:example.com\n\nhost\nUNSIGNED-PAYLOAD";
    /// let theirs = "GET\n/dev/list\n\nhost:example.com:8443\n\nhost\nUNSIGNED-PAYLOAD";
    /// let explanation = Explanation::compare(theirs, ours);
    /// let port = Cause::PortChanged { signed: "example.com".into(), verified: "example.com:8443".into() };
    /// assert_eq!(*explanation.findings().next().unwrap().cause(), port);
    /// assert_eq!(
    ///     explanation.diff().unwrap().to_string(),
    ///     "  GET\n  /dev/list\n  \n- host:example.com\n+ host:example.com:8443\n                  ^\n  \n  host\n  UNSIGNED-PAYLOAD",
    /// );
    /// ```
    pub fn compare(theirs: impl AsRef<[u8]>, ours: impl AsRef<[u8]>) -> Self {
        let (ours, theirs) = text::of_both(ours.as_ref(), theirs.as_ref());
        let (mut findings, diff) = compare::texts(&ours, &theirs);
        if findings.is_empty() {
            findings.push(wrong_secret());
        }
        Self { response: String::new(), findings, diff: Some(diff), computed: None, clock_offset: None }
    }

    fn of_reply(reply: &Reply, sent: &Sent) -> Self {
        let mut explanation = Self {
            response: reply.summary(),
            findings: recognize::recognize(reply, sent),
            diff: None,
            computed: None,
            clock_offset: reply.clock_offset(sent),
        };
        let at_mismatch = |finding: &Finding| *finding.cause() == Cause::Mismatch;
        if let Some(position) = explanation.findings.iter().position(at_mismatch) {
            let (causes, diff) = mismatch(reply, sent);
            if !causes.is_empty() {
                explanation.findings.splice(position..=position, causes);
            }
            explanation.diff = diff;
            explanation.computed = reply.canonical_request().map(compare::redacted);
        }
        explanation
    }

    /// Returns the causes, most likely first. Empty if the response is not a refusal.
    pub fn findings(&self) -> impl ExactSizeIterator<Item = &Finding> {
        self.findings.iter()
    }

    /// Returns the differences between what was signed and what the server computed, line by line, if both are known.
    /// Secrets are redacted.
    pub fn diff(&self) -> Option<&Diff> {
        self.diff.as_ref()
    }

    /// Returns the canonical request that the server computed, if the response contains it. Secrets are redacted. To
    /// compare it with the canonical request of another signer, use [`Explanation::compare`], which treats redacted
    /// secrets as equal.
    pub fn computed(&self) -> Option<&str> {
        self.computed.as_deref()
    }

    /// Returns the number of seconds to add to the client's clock: the server's time, from the response's message or
    /// `Date` header, minus the time of signing. It includes the time that the request took to arrive. Pass it to
    /// [`Timestamp::saturating_add`](crate::Timestamp::saturating_add) to correct the time passed to the signer.
    pub fn clock_offset(&self) -> Option<i64> {
        self.clock_offset
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.response)?;
        for (index, finding) in self.findings.iter().enumerate() {
            let separator = if index > 0 || !self.response.is_empty() { "\n" } else { "" };
            write!(f, "{separator}{}. ", index + 1)?;
            // The message of the response has already been printed.
            let said = self.response.contains(finding.evidence().trim_start_matches("status "));
            finding.print(f, !said)?;
        }
        match (&self.diff, &self.computed) {
            (Some(diff), _) if diff.is_empty() => Ok(()),
            (Some(diff), _) => write!(f, "\nsigned (-), computed by the server (+):\n{}", diff.changes()),
            (None, Some(computed)) => {
                f.write_str("\ncomputed by the server:")?;
                let mut lines = computed.split('\n');
                for line in lines.by_ref().take(MOST_LINES) {
                    write!(f, "\n  {}", Clipped::around(line, 0))?;
                }
                if lines.next().is_some() { f.write_str("\n  …") } else { Ok(()) }
            }
            (None, None) => Ok(()),
        }
    }
}

/// The maximum number of lines printed of what the server computed; [`Explanation::computed`] returns all of them.
const MOST_LINES: usize = 40;

impl fmt::Debug for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Explanation")
            .field("response", &self.response)
            .field("findings", &self.findings)
            .field("clock_offset", &self.clock_offset)
            .finish_non_exhaustive()
    }
}

impl Reply {
    /// `403 InvalidSignatureException: The request signature we …`
    fn summary(&self) -> String {
        let message = redacted(self.short_message());
        let mut summary = self.status.to_string();
        for (separator, text) in [(" ", crate::text::excerpt(self.code.as_bytes())), (": ", text::sentences(&message))]
        {
            if !text.is_empty() {
                summary.push_str(separator);
                summary.push_str(&text);
            }
        }
        summary
    }
}
