//! AWS host names: which service and which region they name, and the partitions they belong to.
//!
//! Nothing inside signing or verifying reads a host name; callers opt in with [`Endpoint::parse`].

pub(crate) mod forms;
mod labels;
pub(crate) mod partition;
mod services;
#[cfg(test)]
mod tests;

use core::fmt;

use labels::{is_label, strip_suffix, without_port};

/// The signing name and the region of an AWS host name.
///
/// A helper for callers who have nothing but a URL. A [`Signer`](crate::Signer) takes service and region as they are
/// given and never looks at the host.
///
/// ```
/// use countersign::Endpoint;
///
/// let endpoint = Endpoint::parse("abc123.execute-api.eu-west-1.amazonaws.com").unwrap();
/// assert_eq!((endpoint.service(), endpoint.region()), ("execute-api", Some("eu-west-1")));
///
/// // The signing name is not always what the host name says.
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
    /// Reads a host name, with or without a port, in any case, with or without a dot at its end.
    ///
    /// Returns `None` for a host that is not a known AWS endpoint, and for one that takes no signed requests, such as
    /// an S3 website. Nothing is guessed: the endpoint of a service that this version doesn't list is `None`, too.
    pub fn parse(host: &str) -> Option<Self> {
        let host = without_port(host);
        let host = host.strip_suffix('.').unwrap_or(host);
        if host.len() > LONGEST_HOST || !host.split('.').all(is_label) {
            return None;
        }
        let (labels, suffix) = forms::suffixes().find_map(|suffix| Some((strip_suffix(host, suffix)?, suffix)))?;
        forms::read(labels, suffix)
    }

    /// The signing name, e.g. `execute-api`.
    ///
    /// A device endpoint of IoT is `iotdevicegateway`, under which MQTT over WebSocket is signed. The AWS SDKs sign HTTP
    /// requests to the same host for `iotdata`.
    pub fn service(&self) -> &'static str {
        self.service
    }

    /// The region to sign for, in lower case.
    ///
    /// `None` if the host doesn't name it: S3 Transfer Acceleration, where it is the bucket's region. `*` if the host
    /// serves all regions, which takes a SigV4A signature with this as the region set: multi-Region access points of
    /// S3, global endpoints of EventBridge and SES, the key-value store of CloudFront.
    ///
    /// S3's global endpoint, `s3.amazonaws.com`, is `us-east-1`. A bucket of another region that is addressed through
    /// it answers with the region to use.
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

/// The longest name in the domain name system ([RFC 1035 2.3.4](https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4)).
const LONGEST_HOST: usize = 253;

/// The name of a region in lower case, held in place.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Region {
    bytes: [u8; 32],
    length: usize,
}

impl Region {
    /// `None` for a name longer than any region's.
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
