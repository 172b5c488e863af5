//! The hosts that hold sessions of users: IAM Identity Center, its OIDC service, and the sign-in service.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

use super::error::SourceError;
use crate::endpoint::partition::Partition;

/// A service that users log in to.
#[derive(Clone, Copy)]
pub(super) enum Service {
    /// Exchanges the token of a user for credentials of a role.
    SsoPortal,
    /// Refreshes tokens of IAM Identity Center.
    SsoOidc,
    /// Refreshes sessions of `aws login`.
    SignIn,
}

/// Returns the URL of a service without a trailing slash. `place` says where the region was read.
///
/// # Errors
/// The region isn't a name: tokens would be sent to another host.
pub(super) fn url(service: Service, region: &str, place: &str) -> Result<String, SourceError> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if region.is_empty() || region.len() > 63 || !region.bytes().all(is_name) {
        return Err(SourceError::Setting {
            place: place.to_owned(),
            value: region.chars().take(80).collect(),
            expected: "the name of a region, e.g. eu-west-1".to_owned(),
        });
    }
    let partition = Partition::of_region(region);
    Ok(match service {
        Service::SsoPortal => format!("https://portal.sso.{region}.{}", partition.dns_suffix),
        Service::SsoOidc => format!("https://oidc.{region}.{}", partition.dns_suffix),
        Service::SignIn => format!("https://{region}.{}", sign_in(partition)),
    })
}

/// Source: the endpoint rules of the service `signin`, as the AWS SDK for JavaScript 3 publishes them.
fn sign_in(partition: &Partition) -> &'static str {
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
        let all = |region| {
            [Service::SsoPortal, Service::SsoOidc, Service::SignIn].map(|service| url(service, region, "").unwrap())
        };
        assert_eq!(
            all("eu-west-1"),
            [
                "https://portal.sso.eu-west-1.amazonaws.com",
                "https://oidc.eu-west-1.amazonaws.com",
                "https://eu-west-1.signin.aws.amazon.com",
            ]
        );
        assert_eq!(
            all("cn-north-1"),
            [
                "https://portal.sso.cn-north-1.amazonaws.com.cn",
                "https://oidc.cn-north-1.amazonaws.com.cn",
                "https://cn-north-1.signin.amazonaws.cn",
            ]
        );
        for (region, host) in [
            ("us-gov-west-1", "https://us-gov-west-1.signin.amazonaws-us-gov.com"),
            ("eusc-de-east-1", "https://eusc-de-east-1.signin.amazonaws-eusc.eu"),
            ("us-iso-east-1", "https://us-iso-east-1.signin.c2shome.ic.gov"),
            ("us-isob-east-1", "https://us-isob-east-1.signin.sc2shome.sgov.gov"),
            ("eu-isoe-west-1", "https://eu-isoe-west-1.signin.csphome.adc-e.uk"),
            ("us-isof-south-1", "https://us-isof-south-1.signin.csphome.hci.ic.gov"),
        ] {
            assert_eq!(all(region)[2], host);
        }
    }

    #[test]
    fn a_region_cannot_name_another_host() {
        let long = "a".repeat(64);
        for region in ["", "evil.example/", "us-east-1.evil.example", "us east", "a@b", "ü", "a:1", "#", long.as_str()]
        {
            for service in [Service::SsoPortal, Service::SsoOidc, Service::SignIn] {
                let error = url(service, region, "sso_region of profile dev").unwrap_err();
                assert!(matches!(&error, SourceError::Setting { place, .. } if place == "sso_region of profile dev"));
            }
        }
    }
}
