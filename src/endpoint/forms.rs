//! The forms of AWS host names, parsed from right to left.

use core::ops::RangeInclusive;

use super::Endpoint;
use super::labels::{count, is_exactly, is_named, pop, strip_labels};
use super::partition::{AWS, GOV, PARTITIONS, Partition, is_region};
use super::services::{AFTER_REGION, ALL_REGIONS, GLOBAL, NAMED_ALIKE, SIGNED_AS, WITH_RESOURCE};
use crate::text::{starts_with_ignoring_case, strip_start};

/// Used by Lambda function URLs, VPC Lattice services, OpenSearch and DSQL in the partitions `aws` and `aws-us-gov`.
const ON_AWS: &str = "on.aws";

/// All domains under which AWS serves its endpoints.
pub(super) fn suffixes() -> impl Iterator<Item = &'static str> {
    let of_partitions = PARTITIONS.iter().flat_map(|partition| [partition.dns_suffix, partition.dual_stack_suffix]);
    of_partitions.chain([ON_AWS])
}

/// Parses the labels that precede one of the [`suffixes`].
pub(super) fn read(labels: &str, suffix: &str) -> Option<Endpoint> {
    let (before, last) = pop(labels);
    if last.eq_ignore_ascii_case("vpce") {
        return vpc_endpoint(before, suffix);
    }
    if is_region_at(last, suffix) {
        return Endpoint::new(regional_service(before)?, last);
    }
    after_region(before, last, suffix)
        .or_else(|| all_regions(labels))
        .or_else(|| s3_without_region(labels, suffix))
        .or_else(|| global(labels, suffix))
}

/// Returns the signing name for the labels that precede the region.
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

/// Returns the signing name of an S3 endpoint. A bucket name may have any number of labels.
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
        0 | 1 if starts_with_ignoring_case(last, "s3express-") => Some("s3express"),
        _ => None,
    }
}

/// `RESOURCE.vpce-ID.SERVICE.REGION`, where the resource is a bucket or the kind of S3 endpoint.
fn vpc_endpoint(labels: &str, suffix: &str) -> Option<Endpoint> {
    let (before, region) = pop(labels);
    let is_endpoint_id = |label: &str| starts_with_ignoring_case(label, "vpce-");
    let mut end = before.len();
    let id_end = before.rsplit('.').find_map(|label| {
        let label_end = end;
        end = end.saturating_sub(label.len() + 1);
        is_endpoint_id(label).then_some(label_end)
    })?;
    let service = before.get(id_end..)?.strip_prefix('.')?;
    if is_region_at(region, suffix) { Endpoint::new(regional_service(service)?, region) } else { None }
}

/// `RESOURCE.REGION.SERVICE`.
fn after_region(before: &str, last: &str, suffix: &str) -> Option<Endpoint> {
    let (resource, region) = pop(before);
    let fits = |(name, labels, _): &&(&str, RangeInclusive<usize>, &str)| {
        is_named(last, name) && labels.contains(&count(resource))
    };
    let (.., service) = AFTER_REGION.iter().find(fits)?;
    if is_region_at(region, suffix) { Endpoint::new(service, region) } else { None }
}

/// `RESOURCE.SERVICE`, which serves all regions.
fn all_regions(labels: &str) -> Option<Endpoint> {
    let fits = |names: &str| strip_labels(labels, names).is_some_and(|resource| !resource.is_empty());
    let (_, service) = ALL_REGIONS.iter().find(|(names, _)| fits(names))?;
    Endpoint::new(service, "*")
}

/// Legacy S3 endpoints, and S3 endpoints that don't name a region.
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
    // Only GovCloud shares its suffixes with another partition.
    let partition =
        PARTITIONS.iter().find(|partition| partition.has_suffix(suffix) && is_gov == (partition.id == GOV))?;
    if partition.id == AWS.id && is_named(service, "queue") {
        return Endpoint::new("sqs", AWS.global_region);
    }
    let (service, _) = GLOBAL.iter().find(|(name, _)| is_named(service, name))?;
    Endpoint::new(service, global_region(service, partition)?)
}

/// Returns the region used to sign requests to a partition's global service.
pub(crate) fn global_region(service: &str, partition: &Partition) -> Option<&'static str> {
    let (_, aws_only) = GLOBAL.iter().find(|(name, _)| *name == service)?;
    match partition.id {
        // Called from everywhere, and signed for this one.
        "aws" if service == "globalaccelerator" => Some("us-west-2"),
        "aws-cn" if service == "iam" => Some("cn-north-1"),
        id if *aws_only && id != AWS.id => None,
        _ => Some(partition.global_region),
    }
}

/// Returns `true` if a label is a region of a partition with this suffix.
fn is_region_at(label: &str, suffix: &str) -> bool {
    let partition = Partition::of_region(label);
    let has_suffix = partition.has_suffix(suffix) || (suffix == ON_AWS && partition.dns_suffix == AWS.dns_suffix);
    has_suffix && is_region(label)
}
