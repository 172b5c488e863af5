//! AWS host names: the service and region they name, and the partitions they belong to.
//!
//! Signing and verifying never derive anything from a host name; callers opt in with [`Endpoint::parse`].

pub(crate) mod forms;
mod labels;
pub(crate) mod partition;
mod services;
#[cfg(test)]
mod tests;

use core::fmt;

use labels::{is_label, strip_suffix, without_port};

/// The signing name and region of an AWS endpoint, parsed from its host name.
///
/// Use this if all you have is a URL. A [`Signer`](crate::Signer) uses the service and region it is given and never
/// derives them from the host.
///
/// ```
/// use countersign::Endpoint;
///
/// let endpoint = Endpoint::parse("abc123.execute-api.eu-west-1.amazonaws.com").unwrap();
/// assert_eq!((endpoint.service(), endpoint.region()), ("execute-api", Some("eu-west-1")));
///
/// // The signing name may differ from the name in the host.
/// let endpoint = Endpoint::parse("bedrock-runtime.us-west-2.amazonaws.com:443").unwrap();
/// assert_eq!((endpoint.service(), endpoint.region()), ("bedrock", Some("us-west-2")));
///
/// assert_eq!(Endpoint::parse("api.example.com"), None);
/// ```
///
/// AWS: [Service endpoints](https://docs.aws.amazon.com/general/latest/gr/rande.html)
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Endpoint {
    service: &'static str,
    region: Option<Region>,
}

impl Endpoint {
    /// Parses a host name. Case is ignored, and a port or a trailing dot is allowed.
    ///
    /// Returns `None` for a host that is not a known AWS endpoint, or that doesn't accept signed requests, such as an
    /// S3 website. Nothing is guessed: the endpoint of a service that this version doesn't list is not recognised.
    pub fn parse(host: &str) -> Option<Self> {
        let host = without_port(host);
        let host = host.strip_suffix('.').unwrap_or(host);
        if host.len() > LONGEST_HOST || !host.split('.').all(is_label) {
            return None;
        }
        let (labels, suffix) = forms::suffixes().find_map(|suffix| Some((strip_suffix(host, suffix)?, suffix)))?;
        forms::read(labels, suffix)
    }

    /// Returns the signing name, e.g. `execute-api`.
    ///
    /// For an IoT device endpoint this is `iotdevicegateway`, the name that MQTT over WebSocket uses. The AWS SDKs sign
    /// HTTP requests to the same host as `iotdata`.
    pub fn service(&self) -> &'static str {
        self.service
    }

    /// Returns the region to sign for, in lowercase.
    ///
    /// Returns `None` if the host doesn't name a region, as with S3 Transfer Acceleration: sign for the bucket's
    /// region. Returns `*` if the host serves all regions and requires a SigV4A signature with `*` as the region set:
    /// S3 Multi-Region Access Points, EventBridge and SES global endpoints, and CloudFront KeyValueStore.
    ///
    /// The region of S3's global endpoint, `s3.amazonaws.com`, is `us-east-1`. If the bucket is in another region, the
    /// response names the region to use.
    pub fn region(&self) -> Option<&str> {
        self.region.as_ref().map(Region::as_str)
    }

    fn new(service: &'static str, region: &str) -> Option<Self> {
        Some(Self { service, region: Some(Region::new(region)?) })
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("service", &self.service).field("region", &self.region()).finish()
    }
}

/// The maximum length of a domain name ([RFC 1035 2.3.4](https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4)).
const LONGEST_HOST: usize = 253;

/// The name of a region in lowercase, stored inline.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Region {
    bytes: [u8; 32],
    length: usize,
}

impl Region {
    /// Returns `None` if the name is longer than any region name.
    fn new(name: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        bytes.get_mut(..name.len())?.copy_from_slice(name.as_bytes());
        bytes.make_ascii_lowercase();
        Some(Self { bytes, length: name.len() })
    }

    fn as_str(&self) -> &str {
        self.bytes.get(..self.length).and_then(|bytes| core::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}
