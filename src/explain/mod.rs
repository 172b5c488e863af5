//! Why the two sides disagree.

mod canonical;
mod cause;
mod compare;
mod diff;
mod recognize;
mod redact;
mod reply;
mod sent;
mod words;

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

pub use cause::{Cause, Finding};
pub use diff::Diff;
pub use sent::Sent;

use canonical::{Canonical, ToSign};
use reply::Reply;

use crate::canonical_request::{CanonicalRequest, REDACTED, is_secret_header};

/// Why a server refused a request: the causes, likeliest first, and what mends them.
///
/// Reads what API Gateway, Lambda function URLs, the query and JSON services, S3 and OpenSearch answer. Where the
/// response holds the canonical request that the server computed, and what was signed is given, both are compared.
///
/// Prints as a short text for a person. Secrets and session tokens are in none of it.
///
/// ```
/// use countersign::explain::{Cause, Explanation};
/// use countersign::{Credentials, Payload, Request, Signer};
///
/// let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")?;
/// let signer = Signer::new(credentials, "us-west-2", "execute-api");
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
    /// Status, code and message of the response, redacted.
    response: String,
    findings: Vec<Finding>,
    diff: Option<Diff>,
    clock_offset: Option<i64>,
}

impl Explanation {
    /// Reads a response: its status, its headers and its body, of which no more than 256 KiB are looked at.
    ///
    /// `sent` is what is known of the request: `Some(&signed)` of what [`Signer::sign`](crate::Signer::sign) returned,
    /// `&presigned`, the `&request` as it was sent, or `None`.
    pub fn from_response(status: u16, headers: &[(&str, &[u8])], body: &[u8], sent: impl Into<Sent>) -> Self {
        Self::of_reply(&Reply::read(status, headers.iter().copied(), body), &sent.into())
    }

    /// The same for a response of the `http` crate.
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
        Self::of_reply(&Reply::read(response.status().as_u16(), headers, response.body().as_ref()), &sent.into())
    }

    /// Compares two canonical requests, or two strings to sign: what a verifier computed, and what a signer signed.
    ///
    /// ```
    /// use countersign::explain::{Cause, Explanation};
    ///
    /// let ours = "GET\n/dev/list\n\nhost:example.com\n\nhost\nUNSIGNED-PAYLOAD";
    /// let theirs = "GET\n/dev/list\n\nhost:example.com:8443\n\nhost\nUNSIGNED-PAYLOAD";
    /// let explanation = Explanation::between(theirs, ours);
    /// let port = Cause::PortChanged { signed: "example.com".into(), verified: "example.com:8443".into() };
    /// assert_eq!(*explanation.findings().next().unwrap().cause(), port);
    /// assert_eq!(
    ///     explanation.diff().unwrap().to_string(),
    ///     "  GET\n  /dev/list\n  \n- host:example.com\n+ host:example.com:8443\n                  ^\n  \n  host\n  UNSIGNED-PAYLOAD",
    /// );
    /// ```
    pub fn between(theirs: impl AsRef<[u8]>, ours: impl AsRef<[u8]>) -> Self {
        let (theirs, ours) = (String::from_utf8_lossy(theirs.as_ref()), String::from_utf8_lossy(ours.as_ref()));
        let (findings, diff) = match (ToSign::parse(&ours), ToSign::parse(&theirs)) {
            (Some(our), Some(their)) => {
                let mut findings = compare::strings_to_sign(&our, &their);
                if our.canonical_request_sha256 != their.canonical_request_sha256 {
                    findings.push(Finding::new(Cause::TextDiffers { line: 4 }, "the canonical requests differ"));
                }
                (findings, Diff::of(&ours, &theirs))
            }
            _ => between_canonical(&ours, &theirs),
        };
        let findings = if findings.is_empty() { alloc::vec![wrong_secret()] } else { findings };
        Self { response: String::new(), findings, diff: Some(diff), clock_offset: None }
    }

    fn of_reply(reply: &Reply, sent: &Sent) -> Self {
        let mut explanation = Self {
            response: reply.summary(sent),
            findings: recognize::recognize(reply, sent),
            diff: None,
            clock_offset: reply.clock_offset(sent),
        };
        let at_mismatch = |finding: &Finding| *finding.cause() == Cause::Mismatch;
        if let Some(position) = explanation.findings.iter().position(at_mismatch) {
            let (causes, diff) = mismatch(reply, sent);
            if !causes.is_empty() {
                explanation.findings.splice(position..=position, causes);
            }
            explanation.diff = diff;
        }
        explanation
    }

    /// The causes, likeliest first. None for a response that is no refusal.
    pub fn findings(&self) -> impl ExactSizeIterator<Item = &Finding> {
        self.findings.iter()
    }

    /// What was signed and what the server computed, line by line, where both are known. Secrets are redacted.
    pub fn diff(&self) -> Option<&Diff> {
        self.diff.as_ref()
    }

    /// Seconds to add to the signer's clock: the server's time minus the time that was signed, from the words of the
    /// response or its `Date` header. Between signing and answer lies the way of the request, too. Given to
    /// [`Timestamp::saturating_add`](crate::Timestamp::saturating_add), it corrects the time argument.
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
            // The words of the response stand above already.
            finding.print(f, !self.response.contains(finding.evidence()))?;
        }
        match &self.diff {
            Some(diff) if !diff.is_empty() => {
                write!(f, "\nsigned (-) and computed by the server (+):\n{}", diff.changes())
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Explanation")
            .field("response", &self.response)
            .field("findings", &self.findings)
            .field("clock_offset", &self.clock_offset)
            .finish_non_exhaustive()
    }
}

/// What the server computed against what was signed. Nothing where one of them isn't known.
fn mismatch(reply: &Reply, sent: &Sent) -> (Vec<Finding>, Option<Diff>) {
    if sent.canonical_request.is_empty() {
        return (Vec::new(), None);
    }
    let ours = String::from_utf8_lossy(&sent.canonical_request);
    let theirs = reply.canonical_request();
    let to_sign = reply.string_to_sign();
    let mut findings = Vec::new();
    let mut same_hash = None;
    if let (Some(their), Some(our)) = (to_sign.as_deref().and_then(ToSign::parse), ToSign::parse(&sent.string_to_sign))
    {
        findings = compare::strings_to_sign(&our, &their);
        same_hash = Some(our.canonical_request_sha256 == their.canonical_request_sha256);
    }
    let diff = match theirs.as_deref().filter(|_| same_hash != Some(true)) {
        Some(theirs) => {
            let (of_request, diff) = between_canonical(&ours, theirs);
            let of_time = |finding: &Finding| matches!(finding.cause(), Cause::HeaderChanged { name, .. } if name == "x-amz-date");
            // The time stands in both texts.
            if of_request.iter().any(of_time) {
                findings.retain(|finding| !of_time(finding));
            }
            findings.splice(0..0, of_request);
            Some(diff)
        }
        None => to_sign.as_deref().map(|theirs| Diff::of(&sent.string_to_sign, theirs)),
    };
    let nothing_differs = findings.is_empty() && (theirs.is_some() || same_hash == Some(true));
    match same_hash {
        // The echo hides what differs, and says so only by its hash.
        Some(false) if findings.is_empty() && theirs.is_some() => {
            let hidden = ours.lines().filter_map(|line| line.split_once(':')).map(|(name, _)| name);
            let hidden: Vec<&str> = hidden.filter(|name| is_secret_header(name)).collect();
            // A wrong token is refused for itself, before the signature.
            let cause = match hidden.iter().find(|name| !compare::is_token_header(name)) {
                Some(name) => {
                    let redacted = || String::from(REDACTED);
                    Cause::HeaderChanged { name: (*name).into(), signed: redacted(), verified: redacted() }
                }
                None if hidden.is_empty() => Cause::TextDiffers { line: 3 },
                None => Cause::TokenInvalid,
            };
            findings.push(Finding::new(cause, "all that the response shows is equal, and the hashes differ"));
        }
        _ if nothing_differs => findings.push(wrong_secret()),
        _ => {}
    }
    (findings, diff)
}

fn between_canonical(ours: &str, theirs: &str) -> (Vec<Finding>, Diff) {
    let printed = |text: &str| CanonicalRequest::from_bytes(text.as_bytes()).to_string();
    let mut diff = Diff::of(&printed(ours), &printed(theirs));
    let findings = match (Canonical::parse(ours), Canonical::parse(theirs)) {
        (Some(our), Some(their)) => {
            compare::hidden_differences(&our, &their).for_each(|name| diff.mark_hidden(name));
            compare::canonical_requests(&our, &their)
        }
        _ if ours == theirs => Vec::new(),
        _ => {
            let same = ours.split('\n').zip(theirs.split('\n')).take_while(|(our, their)| our == their).count();
            alloc::vec![Finding::new(Cause::TextDiffers { line: same + 1 }, "one of the texts is no canonical request")]
        }
    };
    (findings, diff)
}

fn wrong_secret() -> Finding {
    Finding::new(Cause::WrongSecret, "both sides have the same canonical request and string to sign")
}

impl Reply {
    /// `403 InvalidSignatureException: The request signature we …`
    fn summary(&self, sent: &Sent) -> String {
        let message: Cow<'_, str> = redact::redacted(self.short_message(), sent.session_token()).into();
        let mut summary = self.status.to_string();
        for (separator, text) in [(" ", self.code.as_str()), (": ", &message)] {
            if !text.is_empty() {
                summary.push_str(separator);
                summary.push_str(&crate::text::excerpt(text.as_bytes()));
            }
        }
        summary
    }
}
