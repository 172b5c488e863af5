//! AWS host names: which service and which region they name, and the partitions they belong to.
//!
//! Nothing inside signing or verifying reads a host name; callers opt in with [`Endpoint::parse`].

mod partition;
mod services;
#[cfg(test)]
mod tests;

use core::fmt;

pub(crate) use partition::{AWS, Partition, is_region};

use partition::{GOV, PARTITIONS, strip_start};
use services::{AFTER_REGION, ALL_REGIONS, GLOBAL, NAMED_ALIKE, SIGNED_AS, WITH_RESOURCE};

/// The signing name and the region that an AWS host name stands for.
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
        let (labels, suffix) = suffixes().find_map(|suffix| Some((strip_suffix(host, suffix)?, suffix)))?;
        Self::of_labels(labels, suffix)
    }

    /// The signing name, e.g. `execute-api`.
    pub fn service(&self) -> &'static str {
        self.service
    }

    /// The region to sign for, in lower case.
    ///
    /// `None` if the host doesn't name it: S3 Transfer Acceleration, where it is the bucket's region. `*` if the host
    /// serves all regions, which takes a SigV4A signature with this as the region set: multi-Region access points of
    /// S3, global endpoints of EventBridge and SES, the key-value store of CloudFront.
    pub fn region(&self) -> Option<&str> {
        self.region.as_ref().map(Region::as_str)
    }

    fn new(service: &'static str, region: &str) -> Option<Self> {
        Some(Self { service, region: Some(Region::new(region)?) })
    }

    /// `labels` is all that precedes the suffix, which has a dot between them.
    fn of_labels(labels: &str, suffix: &str) -> Option<Self> {
        let (before, last) = pop(labels);
        if last.eq_ignore_ascii_case("vpce") {
            return Self::of_vpc_endpoint(before, suffix);
        }
        if is_region_at(last, suffix) {
            return Self::new(regional_service(before)?, last);
        }
        after_region(before, last, suffix)
            .or_else(|| all_regions(labels))
            .or_else(|| s3_without_region(labels, suffix))
            .or_else(|| global(labels, suffix))
    }

    /// `RESOURCE.vpce-ID.SERVICE.REGION`, where the resource is a bucket or the kind of an S3 endpoint.
    fn of_vpc_endpoint(labels: &str, suffix: &str) -> Option<Self> {
        let (before, region) = pop(labels);
        let is_endpoint_id = |label: &str| strip_start(label, "vpce-").is_some();
        let mut end = before.len();
        let id_end = before.rsplit('.').find_map(|label| {
            let label_end = end;
            end = end.saturating_sub(label.len() + 1);
            is_endpoint_id(label).then_some(label_end)
        })?;
        let service = before.get(id_end..)?.strip_prefix('.')?;
        if is_region_at(region, suffix) { Self::new(regional_service(service)?, region) } else { None }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("service", &self.service).field("region", &self.region()).finish()
    }
}

/// The longest name in the domain name system ([RFC 1035 2.3.4](https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4)).
const LONGEST_HOST: usize = 253;

/// Of host names in `aws` and `aws-us-gov`: function URLs, Lattice services, DSQL clusters.
const ON_AWS: &str = "on.aws";

fn suffixes() -> impl Iterator<Item = &'static str> {
    let of_partitions = PARTITIONS.iter().flat_map(|partition| [partition.dns_suffix, partition.dual_stack_suffix]);
    of_partitions.chain([ON_AWS])
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

fn is_label(label: &str) -> bool {
    !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// The last label, and the labels before it.
fn pop(labels: &str) -> (&str, &str) {
    labels.rsplit_once('.').unwrap_or(("", labels))
}

fn count(labels: &str) -> usize {
    if labels.is_empty() { 0 } else { labels.split('.').count() }
}

/// What precedes a domain, without the dot between them.
fn strip_suffix<'h>(host: &'h str, suffix: &str) -> Option<&'h str> {
    let (labels, end) = host.split_at_checked(host.len().checked_sub(suffix.len())?)?;
    if end.eq_ignore_ascii_case(suffix) { labels.strip_suffix('.') } else { None }
}

/// Whether a label is a region of a partition that has this suffix.
fn is_region_at(label: &str, suffix: &str) -> bool {
    let partition = Partition::of_region(label);
    let has_suffix = suffix == partition.dns_suffix
        || suffix == partition.dual_stack_suffix
        || (suffix == ON_AWS && partition.dns_suffix == AWS.dns_suffix);
    has_suffix && is_region(label)
}

/// A label as a table has it, with `-fips` at its end or without.
fn is_named(label: &str, name: &str) -> bool {
    let rest = strip_start(label, name);
    rest.is_some_and(|rest| rest.is_empty() || rest.eq_ignore_ascii_case("-fips"))
}

/// What precedes labels that a table names.
fn strip_labels<'h>(labels: &'h str, names: &str) -> Option<&'h str> {
    names.rsplit('.').try_fold(labels, |rest, name| {
        let (before, label) = pop(rest);
        is_named(label, name).then_some(before)
    })
}

fn is_exactly(labels: &str, names: &str) -> bool {
    count(labels) == count(names) && strip_labels(labels, names).is_some()
}

/// The signing name for what precedes the region.
fn regional_service(labels: &str) -> Option<&'static str> {
    let labels = strip_start(labels, "fips.").unwrap_or(labels);
    if let Some(service) = s3_service(labels) {
        return Some(service);
    }
    let signed_as = SIGNED_AS.iter().find(|(names, _)| is_exactly(labels, names)).map(|(_, service)| *service);
    let named_alike = || NAMED_ALIKE.iter().find(|name| is_named(labels, name)).copied();
    let with_resource = || {
        let fits = |names: &str, most: usize| {
            strip_labels(labels, names).is_some_and(|resource| (1..=most).contains(&count(resource)))
        };
        WITH_RESOURCE.iter().find(|(names, most, _)| fits(names, *most)).map(|(.., service)| *service)
    };
    signed_as.or_else(named_alike).or_else(with_resource)
}

/// The signing names of S3. A bucket in front may have any number of labels.
fn s3_service(labels: &str) -> Option<&'static str> {
    let (before, last) = pop(labels);
    let (before, last) = if last.eq_ignore_ascii_case("dualstack") { pop(before) } else { (before, last) };
    let named = |name: &str| is_named(last, name);
    match count(before) {
        _ if named("s3") => Some("s3"),
        1 if named("s3-accesspoint") => Some("s3"),
        0 | 1 if named("s3-control") => Some("s3"),
        0 | 1 if named("s3-object-lambda") => Some("s3-object-lambda"),
        0..=2 if named("s3-outposts") => Some("s3-outposts"),
        // `s3express-control`, and the availability zones, as in `s3express-usw2-az1`.
        0 | 1 if strip_start(last, "s3express-").is_some() => Some("s3express"),
        _ => None,
    }
}

/// `RESOURCE.REGION.SERVICE`.
fn after_region(before: &str, last: &str, suffix: &str) -> Option<Endpoint> {
    let (resource, region) = pop(before);
    let fits = |(name, labels, _): &&(&str, core::ops::RangeInclusive<usize>, &str)| {
        is_named(last, name) && labels.contains(&count(resource))
    };
    let (.., service) = AFTER_REGION.iter().find(fits)?;
    if is_region_at(region, suffix) { Endpoint::new(service, region) } else { None }
}

fn all_regions(labels: &str) -> Option<Endpoint> {
    let fits = |names: &str| strip_labels(labels, names).is_some_and(|resource| !resource.is_empty());
    let (_, service) = ALL_REGIONS.iter().find(|(names, _)| fits(names))?;
    Endpoint::new(service, "*")
}

/// Older forms of S3's endpoints, and those that name no region.
fn s3_without_region(labels: &str, suffix: &str) -> Option<Endpoint> {
    let (before, last) = pop(labels);
    let is_dual_stack = last.eq_ignore_ascii_case("dualstack");
    let (bucket, accelerate) = if is_dual_stack { pop(before) } else { (before, last) };
    if accelerate.eq_ignore_ascii_case("s3-accelerate") && !bucket.is_empty() && suffix == AWS.dns_suffix {
        return Some(Endpoint { service: "s3", region: None });
    }
    let region = strip_start(last, "s3-fips-").or_else(|| strip_start(last, "s3-"));
    if let Some(region) = region.filter(|region| is_region_at(region, suffix)) {
        return Endpoint::new("s3", region);
    }
    let is_global = ["s3", "s3-external-1"].iter().any(|name| last.eq_ignore_ascii_case(name));
    if is_global && suffix == AWS.dns_suffix { Endpoint::new("s3", AWS.global_region) } else { None }
}

/// `SERVICE`, `SERVICE.global`, `global.SERVICE` and `SERVICE.us-gov`.
fn global(labels: &str, suffix: &str) -> Option<Endpoint> {
    let (before, last) = pop(labels);
    let is_gov = last.eq_ignore_ascii_case("us-gov");
    let labels = if is_gov || last.eq_ignore_ascii_case("global") { before } else { labels };
    let service = strip_start(labels, "global.").unwrap_or(labels);
    let has_suffix = |partition: &Partition| [partition.dns_suffix, partition.dual_stack_suffix].contains(&suffix);
    // Only GovCloud shares its suffixes with another partition.
    let partition = PARTITIONS.iter().find(|partition| has_suffix(partition) && is_gov == (partition.id == GOV))?;
    if partition.id == AWS.id && is_named(service, "queue") {
        return Endpoint::new("sqs", AWS.global_region);
    }
    let (service, _) = GLOBAL.iter().find(|(name, _)| is_named(service, name))?;
    Endpoint::new(service, global_region(service, partition)?)
}

/// The region for which a global service of a partition is signed.
pub(crate) fn global_region(service: &str, partition: &Partition) -> Option<&'static str> {
    let (_, aws_only) = GLOBAL.iter().find(|(name, _)| *name == service)?;
    match partition.id {
        "aws-cn" if service == "iam" => Some("cn-north-1"),
        id if *aws_only && id != AWS.id => None,
        _ => Some(partition.global_region),
    }
}

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
