//! The mistake of another signer, for a request that was read from text.

use alloc::vec::Vec;

use super::Sent;
use crate::explain::{Diagnosis, deviations};
use crate::sigv4::credentials::Credentials;
use crate::sigv4::request::Request;

impl Sent {
    /// Calls [`deviations`] for a request that was read from a curl command, HTTP as text or a HAR file, with its body
    /// if it is known. Returns `None` if the request was not read from text, or if the value of a header is unknown.
    ///
    /// ```
    /// use countersign::Credentials;
    /// use countersign::explain::{Deviation, Diagnosis, Sent};
    ///
    /// // Signed by a program that doesn't sort query parameters.
    /// let sent = Sent::from_http(
    ///     "GET /dev/list?b=2&a=1 HTTP/1.1\nHost: example.com\nX-Amz-Date: 20150830T123600Z\n\
    ///      Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/execute-api/aws4_request, \
    ///      SignedHeaders=host;x-amz-date, Signature=eba18c95746db0aebf4d5df9ed0a7b5b993ab08852fbf2cfedf08a2b5f2c8233\n\n",
    /// )?;
    /// let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")?;
    /// let Some(Diagnosis::Deviates { deviations, .. }) = sent.deviations(&credentials) else { panic!() };
    /// assert_eq!(deviations, [Deviation::QueryNotSorted]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn deviations(&self, credentials: &Credentials) -> Option<Diagnosis> {
        if self.read.target.is_empty() {
            return None;
        }
        let headers = self.read.headers.iter();
        let headers: Option<Vec<(&str, &[u8])>> =
            headers.map(|header| Some((header.name.as_str(), header.value.as_ref()?.as_slice()))).collect();
        let headers = headers?;
        let request = Request::new(&self.method, self.read.target.as_slice(), &headers).with_host(&self.host);
        Some(deviations(request, self.read.body.as_ref().map(|body| body.as_slice()), credentials))
    }
}
