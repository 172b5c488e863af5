//! Follows a profile: from the source at the base of its chain, role by role.

use alloc::format;

use super::context::{Context, Found};
use super::error::SourceError;
use super::order::{Failure, environment_keys, failed, used};
use super::profile::{BaseSource, NamedSource, ProfileChain, ProfileError};
use super::report::SourceKind;
use super::{container, imds, login, process, sso, sts};

/// Follows a profile from the base of its chain.
pub(super) async fn walk(context: &Context, chain: &ProfileChain) -> Result<(Found, SourceKind), Failure> {
    let (mut source, base) = base(context, &chain.base).await;
    let mut found = base.map_err(|error| failed(context, source, error))?;
    for role in &chain.roles {
        (found, _) = used(context, source, found);
        source = SourceKind::AssumeRole;
        let assumed = sts::assume_role(context, &found.credentials, role).await;
        found = assumed.map_err(|error| failed(context, source, error))?;
    }
    Ok(used(context, source, found))
}

async fn base(context: &Context, base: &BaseSource) -> (SourceKind, Result<Found, SourceError>) {
    match base {
        BaseSource::StaticKeys { credentials, account_id, .. } => {
            let found = Found { credentials: credentials.clone(), account_id: account_id.clone() };
            (SourceKind::StaticKeys, Ok(found))
        }
        BaseSource::Named { profile, source: NamedSource::Environment } => {
            let keys = "another source, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY have to be set";
            let missing = || nothing_there(profile, "Environment", keys);
            (SourceKind::Environment, environment_keys(context).and_then(|found| found.ok_or_else(missing)))
        }
        BaseSource::Named { source: NamedSource::EcsContainer, .. } => {
            (SourceKind::Container, container::credentials(context).await)
        }
        BaseSource::Named { profile, source: NamedSource::Ec2InstanceMetadata } => {
            let other = "another source: the instance metadata service gave no credentials";
            let missing = || nothing_there(profile, "Ec2InstanceMetadata", other);
            let found = imds::credentials(context).await;
            (SourceKind::InstanceMetadata, found.and_then(|found| found.ok_or_else(missing)))
        }
        BaseSource::WebIdentity { token_file, role_arn, session_name, region, .. } => {
            let token_file = context.locations.expand(token_file);
            let (session_name, region) = (session_name.as_deref(), region.as_deref());
            let found = sts::assume_role_with_web_identity(context, &token_file, role_arn, session_name, region).await;
            (SourceKind::WebIdentity, found)
        }
        BaseSource::Sso(sso) => (SourceKind::Sso, sso::credentials(context, sso).await),
        BaseSource::SsoToken { profile, .. } => (SourceKind::Sso, Err(without_role(profile))),
        BaseSource::Login { profile, session } => {
            (SourceKind::Login, login::credentials(context, profile, session).await)
        }
        BaseSource::Process { profile, command, account_id } => {
            (SourceKind::Process, process::credentials(context, profile, command, account_id.as_deref()).await)
        }
    }
}

/// `credential_source` names a source that has no credentials.
fn nothing_there(profile: &str, source: &str, expected: &str) -> SourceError {
    let place = format!("credential_source of profile {profile}");
    SourceError::Setting { place, value: source.into(), expected: expected.into() }
}

fn without_role(profile: &str) -> SourceError {
    let problem = "IAM Identity Center needs a role to give credentials; add sso_account_id and sso_role_name";
    ProfileError::Profile { profile: profile.into(), problem: problem.into() }.into()
}
