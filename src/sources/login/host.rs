//! The sign-in service, which refreshes sessions of `aws login`.

use alloc::format;
use alloc::string::String;

use crate::endpoint::partition::Partition;
use crate::sources::context::{Context, Setting};
use crate::sources::endpoint::check_region;
use crate::sources::error::SourceError;

/// Returns its URL in a region, without a slash at the end, or the URL that is configured.
///
/// # Errors
/// A setting is malformed, or the region isn't the name of one: tokens would be sent to another host.
pub(super) fn url(context: &Context, region: &Setting<'_>) -> Result<String, SourceError> {
    if let Some((url, _)) = context.configured_endpoint("signin")? {
        return Ok(url);
    }
    check_region(region.value, || region.place.clone())?;
    Ok(format!("https://{}.{}", region.value, suffix(Partition::of_region(region.value))))
}

/// Source: the endpoint rules of the service `signin`, as the AWS SDK for JavaScript 3 publishes them.
fn suffix(partition: &Partition) -> &'static str {
    match partition.id {
        "aws-cn" => "signin.amazonaws.cn",
        "aws-us-gov" => "signin.amazonaws-us-gov.com",
        "aws-eusc" => "signin.amazonaws-eusc.eu",
        "aws-iso" => "signin.c2shome.ic.gov",
        "aws-iso-b" => "signin.sc2shome.sgov.gov",
        "aws-iso-e" => "signin.csphome.adc-e.uk",
        "aws-iso-f" => "signin.csphome.hci.ic.gov",
        _ => "signin.aws.amazon.com",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_partition_has_its_own_hosts() {
        for (region, host) in [
            ("eu-west-1", "signin.aws.amazon.com"),
            ("cn-north-1", "signin.amazonaws.cn"),
            ("us-gov-west-1", "signin.amazonaws-us-gov.com"),
            ("eusc-de-east-1", "signin.amazonaws-eusc.eu"),
            ("us-iso-east-1", "signin.c2shome.ic.gov"),
            ("us-isob-east-1", "signin.sc2shome.sgov.gov"),
            ("eu-isoe-west-1", "signin.csphome.adc-e.uk"),
            ("us-isof-south-1", "signin.csphome.hci.ic.gov"),
        ] {
            assert_eq!(suffix(Partition::of_region(region)), host);
        }
    }
}
