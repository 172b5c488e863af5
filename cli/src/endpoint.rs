//! The region and service to sign for: from flags, from the host, or from the configuration.

use std::fmt;

use countersign::{Endpoint, Identity, Signer};

use crate::args::ScopeArgs;
use crate::failure::Failure;

/// Where a value was read from, for `-v`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    Flag,
    Sigv4Flag,
    Host,
    Environment,
    Configuration,
}

impl fmt::Display for From {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flag => "from the command line",
            Self::Sigv4Flag => "from --aws-sigv4",
            Self::Host => "from the host name",
            Self::Environment => "from COUNTERSIGN_SERVICE",
            Self::Configuration => "from the environment or the profile",
        })
    }
}

/// What a request is signed for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// A region; or for SigV4A, a region set such as `*` or `us-east-1,us-west-*`.
    pub region: String,
    pub region_from: From,
    pub service: String,
    pub service_from: From,
}

impl Target {
    /// Determines region and service. `configured` is the region of the environment or the profile.
    pub fn find(args: &ScopeArgs, host: &str, configured: Option<&str>) -> Result<Self, Failure> {
        let endpoint = Endpoint::parse(host);
        let (sigv4_region, sigv4_service) = args.aws_sigv4.as_deref().map_or(Ok((None, None)), parse_sigv4)?;
        let environment = std::env::var("COUNTERSIGN_SERVICE").ok().filter(|service| !service.is_empty());
        let service = first([
            (args.service.as_deref(), From::Flag),
            (sigv4_service, From::Sigv4Flag),
            (endpoint.as_ref().map(Endpoint::service), From::Host),
            (environment.as_deref(), From::Environment),
        ]);
        let Some((service, service_from)) = service else {
            return Err(Failure::usage(format!(
                "the service can't be read from the host {host}; name it, for example with --service execute-api"
            )));
        };
        let region = first([
            (args.region.as_deref(), From::Flag),
            (sigv4_region, From::Sigv4Flag),
            (endpoint.as_ref().and_then(Endpoint::region), From::Host),
            (configured, From::Configuration),
        ]);
        let Some((region, region_from)) = region else {
            return Err(Failure::usage(format!(
                "the region can't be read from the host {host}, and none is configured; name it, for example with \
                 --region us-east-1"
            )));
        };
        Ok(Self { region, region_from, service, service_from })
    }

    /// Returns `true` if a region set is signed for.
    pub fn is_sigv4a(&self) -> bool {
        self.region.contains(['*', ','])
    }

    /// Returns a signer: SigV4A for a region set, SigV4 for a region.
    pub fn signer(&self, identity: impl Into<Identity>) -> Result<Signer, Failure> {
        let (region, service) = (self.region.as_str(), self.service.as_str());
        if self.is_sigv4a() {
            Signer::sigv4a(identity, region, service)
        } else {
            Signer::new(identity, region, service)
        }
        .map_err(Failure::usage)
    }
}

fn first<const N: usize>(candidates: [(Option<&str>, From); N]) -> Option<(String, From)> {
    candidates.into_iter().find_map(|(value, from)| Some((value?.to_owned(), from)))
}

/// Parses `aws:amz[:REGION[:SERVICE]]`, as curl does.
fn parse_sigv4(value: &str) -> Result<(Option<&str>, Option<&str>), Failure> {
    let mut parts = value.split(':');
    let providers = (parts.next(), parts.next());
    if !matches!(providers, (Some("aws"), None | Some("amz"))) {
        return Err(Failure::usage("--aws-sigv4 must be aws:amz:REGION:SERVICE; other providers are not supported"));
    }
    let given = |part: Option<&'_ str>| part.filter(|part| !part.is_empty()).map(str::len);
    let (region, service) = (parts.next(), parts.next());
    if parts.next().is_some() {
        return Err(Failure::usage("--aws-sigv4 must be aws:amz:REGION:SERVICE, with at most four parts"));
    }
    Ok((given(region).and(region), given(service).and(service)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(region: Option<&str>, service: Option<&str>, sigv4: Option<&str>) -> ScopeArgs {
        ScopeArgs { region: region.map(Into::into), service: service.map(Into::into), aws_sigv4: sigv4.map(Into::into) }
    }

    #[test]
    fn flags_come_before_the_host_and_the_host_before_the_configuration() {
        let host = "abc.execute-api.eu-west-1.amazonaws.com";
        let found = |args: &ScopeArgs, host| {
            Target::find(args, host, Some("eu-north-1")).map(|t| (t.region, t.region_from, t.service, t.service_from))
        };
        let all = args(Some("*"), Some("s3"), Some("aws:amz:us-east-2:es"));
        assert_eq!(found(&all, host).unwrap(), ("*".into(), From::Flag, "s3".into(), From::Flag));
        let sigv4 = args(None, None, Some("aws:amz:us-east-2:es"));
        assert_eq!(found(&sigv4, host).unwrap(), ("us-east-2".into(), From::Sigv4Flag, "es".into(), From::Sigv4Flag));
        let partial = args(None, None, Some("aws:amz::es"));
        assert_eq!(found(&partial, host).unwrap(), ("eu-west-1".into(), From::Host, "es".into(), From::Sigv4Flag));
        let none = args(None, None, None);
        assert_eq!(found(&none, host).unwrap(), ("eu-west-1".into(), From::Host, "execute-api".into(), From::Host));
        let service = args(None, Some("execute-api"), None);
        assert_eq!(found(&service, "example.com").unwrap().1, From::Configuration);
        assert!(found(&none, "example.com").unwrap_err().to_string().contains("--service"));
        assert!(Target::find(&service, "example.com", None).unwrap_err().to_string().contains("--region"));
    }

    #[test]
    fn other_providers_are_refused() {
        for value in ["osc", "google:goog:r:s", "aws:amz:r:s:t", "aws:goog"] {
            assert!(Target::find(&args(None, None, Some(value)), "example.com", None).is_err(), "{value}");
        }
    }
}
