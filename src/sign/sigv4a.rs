//! What SigV4A adds to a signer.

use alloc::string::String;

use super::target::Target;
use super::{Identity, Signer};
use crate::sigv4::rules::Rules;
use crate::sigv4::scope::ScopeError;

impl Signer {
    /// Creates a signer for SigV4A (`AWS4-ECDSA-P256-SHA256`), whose signatures are valid in all regions of
    /// `region_set`, written `us-east-1,us-west-2`, `us-*` or `*`. S3 Multi-Region Access Points, EventBridge global
    /// endpoints and CloudFront KeyValueStore require it. Everything else is as for [`Signer::new`].
    ///
    /// Derives the key pair once, which takes about as long as signing. Temporary credentials have to come from a
    /// regional STS endpoint.
    ///
    /// ```
    /// use countersign::{Credentials, Payload, Request, Signer};
    ///
    /// let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")?;
    /// let signer = Signer::sigv4a(credentials, "*", "s3")?;
    /// let request = Request::new("GET", "/photo.jpg", &[]).with_host("mfzwi23gnjvgw.mrap.accesspoint.s3-global.amazonaws.com");
    /// let signed = signer.sign(&request, Payload::EMPTY, "20150830T123600Z".parse()?)?;
    /// assert!(signed.headers().any(|header| header == ("x-amz-region-set", "*")));
    /// assert!(signed.authorization().starts_with(
    ///     "AWS4-ECDSA-P256-SHA256 Credential=AKIDEXAMPLE/20150830/s3/aws4_request, \
    ///      SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-region-set, Signature=30"
    /// ));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// AWS: [Signature Version 4A](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html#how-sigv4a-works)
    ///
    /// # Errors
    /// Returns a [`ScopeError`] if the region set or the service is empty or malformed.
    pub fn sigv4a(
        identity: impl Into<Identity>,
        region_set: impl Into<String>,
        service: impl Into<String>,
    ) -> Result<Self, ScopeError> {
        let (identity, service) = (identity.into(), service.into());
        let rules = Rules::for_service(&service);
        let target = Target::region_set(region_set.into(), service, identity.credentials())?;
        Ok(Self::of_target(identity, target, rules))
    }
}
