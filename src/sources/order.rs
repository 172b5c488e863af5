//! The order of the sources.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};

use super::ask::AskErrorKind;
use super::chain::walk;
use super::context::{Context, Found};
use super::error::SourceError;
use super::io::Io;
use super::profile::{Locations, ProfileError, Profiles, needs_home};
use super::report::{Outcome, SourceKind};
use super::resolver::Options;
use super::{container, imds, sts};
use crate::redact::text::without_secret_keys;

/// What went wrong, and the source that is configured and failed.
pub(super) type Failure = (SourceError, Option<SourceKind>);

pub(super) async fn resolve(options: &Options, io: &Io) -> Result<(Found, SourceKind, Option<String>), Failure> {
    let (context, broken) = context(options, io).await;
    let (found, source) = sources(options, &context, broken).await?;
    let region = match context.region() {
        Some(region) => Some(region.into()),
        None if source == SourceKind::InstanceMetadata => imds::region(&context).await,
        None => None,
    };
    Ok((found, source, region))
}

/// What is wrong with the configuration files.
struct Broken {
    error: SourceError,
    /// Whether nobody asked for these files, and neither can be read. Then their directory is probably another user's, as
    /// in a container that doesn't run as root and has the home directory of root.
    is_no_choice: bool,
}

/// The context, and what is wrong with the configuration files: they are not needed if the environment has keys.
async fn context(options: &Options, io: &Io) -> (Context, Option<Broken>) {
    let environment = options.environment.clone();
    let locations = Locations::of(&environment);
    let names = ["AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"];
    let is_choice = options.profile.is_some() || names.iter().any(|name| environment.get(name).is_some());
    let (profiles, broken) = match profiles(&locations, io).await {
        Ok(profiles) => (profiles, None),
        Err((error, both)) => (Profiles::default(), Some(Broken { error, is_no_choice: both && !is_choice })),
    };
    let profile_name =
        options.profile.as_deref().or_else(|| environment.get("AWS_PROFILE")).unwrap_or("default").into();
    let context = Context {
        environment,
        locations,
        profiles,
        profile_name,
        region: options.region.clone(),
        io: io.clone(),
        imds_endpoint: options.imds_endpoint.clone(),
        imds_ipv6: options.imds_ipv6,
        imds_token: std::sync::Mutex::new(None),
        refreshes: options.refreshes.clone(),
    };
    (context, broken)
}

/// # Errors
/// What is wrong with the files, and whether neither can be read.
async fn profiles(locations: &Locations, io: &Io) -> Result<Profiles, (SourceError, bool)> {
    let files = (text(io, locations.config()).await, text(io, locations.credentials()).await);
    let are_unreadable =
        matches!(&files, (Err(config), Err(credentials)) if [config, credentials].into_iter().all(is_unreadable));
    let one = |error| (error, are_unreadable);
    let (config, credentials) = (files.0.map_err(one)?, files.1.map_err(one)?);
    let profiles = Profiles::parse((locations.config(), &config), (locations.credentials(), &credentials))
        .map_err(|error| (error.into(), false))?;
    for warning in profiles.warnings() {
        io.report(SourceKind::Profile, Outcome::Warning(warning.to_string()));
    }
    Ok(profiles)
}

/// Whether a file can't be read at all, e.g. because of its permissions.
fn is_unreadable(error: &SourceError) -> bool {
    matches!(error, SourceError::Unreadable { error, .. } if error.kind() == AskErrorKind::Other)
}

/// The text of a configuration file, which is empty if the file doesn't exist.
async fn text(io: &Io, path: &str) -> Result<zeroize::Zeroizing<String>, SourceError> {
    if needs_home(path) {
        let text = format!("{path} is not read: the home directory isn't known; set HOME");
        io.report(SourceKind::Profile, Outcome::Warning(text));
        return Ok(zeroize::Zeroizing::default());
    }
    let unreadable = |error| SourceError::Unreadable { path: path.into(), error };
    let contents = io.read_file(path).await.map_err(unreadable)?.unwrap_or_default();
    match core::str::from_utf8(&contents) {
        Ok(text) => Ok(zeroize::Zeroizing::new(text.into())),
        Err(error) => {
            let line = contents.iter().take(error.valid_up_to()).filter(|byte| **byte == b'\n').count() + 1;
            Err(ProfileError::Syntax { path: path.into(), line, problem: "is not UTF-8".into() }.into())
        }
    }
}

/// The sources in their order. The first that is configured decides: if it fails, that is the result.
async fn sources(options: &Options, context: &Context, broken: Option<Broken>) -> Result<(Found, SourceKind), Failure> {
    if options.profile.is_none()
        && let Some(found) = environment(context, broken.as_ref())?
    {
        return Ok(found);
    }
    let Some(Broken { error, is_no_choice }) = broken else {
        if let Some(found) = profile(options, context).await? {
            return Ok(found);
        }
        return without_profile(context).await;
    };
    if !is_no_choice {
        return Err(failed(context, SourceKind::Profile, error));
    }
    context.io.report(SourceKind::Profile, Outcome::Warning(error.to_string()));
    match without_profile(context).await {
        Err((SourceError::NotConfigured { .. }, _)) => Err(failed(context, SourceKind::Profile, error)),
        result => result,
    }
}

/// The sources of a program that runs at AWS.
async fn without_profile(context: &Context) -> Result<(Found, SourceKind), Failure> {
    if let Some(token_file) = context.environment.get("AWS_WEB_IDENTITY_TOKEN_FILE") {
        let found = web_identity(context, &context.locations.expand(token_file)).await;
        return finished(context, SourceKind::WebIdentity, found);
    }
    skipped(context, SourceKind::WebIdentity, "AWS_WEB_IDENTITY_TOKEN_FILE is not set");
    if container::is_configured(context) {
        return finished(context, SourceKind::Container, container::credentials(context).await);
    }
    let variables = "neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor AWS_CONTAINER_CREDENTIALS_FULL_URI is set";
    skipped(context, SourceKind::Container, variables);
    match imds::credentials(context).await {
        Ok(Some(found)) => Ok(used(context, SourceKind::InstanceMetadata, found)),
        Ok(None) => Err((SourceError::NotConfigured { config: context.locations.config().into() }, None)),
        Err(error) => Err(failed(context, SourceKind::InstanceMetadata, error)),
    }
}

fn environment(context: &Context, broken: Option<&Broken>) -> Result<Option<(Found, SourceKind)>, Failure> {
    match environment_keys(context) {
        Ok(Some(found)) => {
            if let Some(Broken { error, .. }) = broken {
                context.io.report(SourceKind::Profile, Outcome::Warning(error.to_string()));
            }
            Ok(Some(used(context, SourceKind::Environment, found)))
        }
        Ok(None) => {
            skipped(context, SourceKind::Environment, &not_set(context));
            Ok(None)
        }
        Err(error) => Err(failed(context, SourceKind::Environment, error)),
    }
}

fn not_set(context: &Context) -> String {
    let names = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
    match names.iter().find(|name| context.environment.is_blank(name)) {
        Some(name) => format!("{name} is blank"),
        None => "AWS_ACCESS_KEY_ID is not set".into(),
    }
}

/// The keys of the environment, if there are any.
///
/// # Errors
/// One of the two is missing or malformed.
pub(super) fn environment_keys(context: &Context) -> Result<Option<Found>, SourceError> {
    let environment = &context.environment;
    let names = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
    let [id, secret] = names.map(|name| environment.get(name));
    let (id, secret) = match (id, secret) {
        (Some(id), Some(secret)) => (id, secret),
        (None, None) => return Ok(None),
        (id, _) => {
            let [set, missing] = if id.is_some() { names } else { [names[1], names[0]] };
            let blank = environment.is_blank(missing);
            return Err(SourceError::Incomplete { set: set.into(), missing: missing.into(), blank });
        }
    };
    let token = environment.get("AWS_SESSION_TOKEN");
    let credentials = context.credentials("the environment", (id, secret, token), None, None)?;
    Ok(Some(Found { credentials, account_id: environment.get("AWS_ACCOUNT_ID").map(String::from) }))
}

/// The chosen profile. Without credentials it is skipped, unless the program chose it.
async fn profile(options: &Options, context: &Context) -> Result<Option<(Found, SourceKind)>, Failure> {
    let is_chosen = options.profile.is_some();
    let is_named = is_chosen || context.environment.get("AWS_PROFILE").is_some();
    let reason = match context.profiles.chain(&context.profile_name) {
        Ok(chain) => return walk(context, &chain).await.map(Some),
        Err(error @ ProfileError::NoCredentials { .. }) if !is_chosen => error.to_string(),
        Err(ProfileError::NoProfile { profile, .. }) if !is_named => format!("profile {profile} does not exist"),
        Err(error) => return Err(failed(context, SourceKind::Profile, chosen_by(is_chosen, error).into())),
    };
    skipped(context, SourceKind::Profile, &reason);
    Ok(None)
}

/// The error of the chosen profile, with the variable that chose it.
fn chosen_by(is_chosen: bool, error: ProfileError) -> ProfileError {
    match error {
        ProfileError::NoProfile { profile, named_by: None, hint } if !is_chosen => {
            ProfileError::NoProfile { profile, named_by: Some("AWS_PROFILE".to_owned()), hint }
        }
        error => error,
    }
}

async fn web_identity(context: &Context, token_file: &str) -> Result<Found, SourceError> {
    let Some(role_arn) = context.environment.get("AWS_ROLE_ARN") else {
        let missing = "AWS_ROLE_ARN";
        return Err(SourceError::Incomplete {
            set: "AWS_WEB_IDENTITY_TOKEN_FILE".into(),
            missing: missing.into(),
            blank: context.environment.is_blank(missing),
        });
    };
    let session_name = context.environment.get("AWS_ROLE_SESSION_NAME");
    sts::assume_role_with_web_identity(context, token_file, role_arn, session_name, None).await
}

fn finished(
    context: &Context,
    source: SourceKind,
    found: Result<Found, SourceError>,
) -> Result<(Found, SourceKind), Failure> {
    match found {
        Ok(found) => Ok(used(context, source, found)),
        Err(error) => Err(failed(context, source, error)),
    }
}

fn skipped(context: &Context, source: SourceKind, reason: &str) {
    context.io.report(source, Outcome::Skipped(reason.to_owned()));
}

pub(super) fn used(context: &Context, source: SourceKind, found: Found) -> (Found, SourceKind) {
    // Keys that were exchanged by mistake are a common one.
    let id = without_secret_keys(found.credentials.access_key_id());
    let text = match found.credentials.expires_at() {
        Some(expires_at) => format!("gave {id}, which expires at {}", expires_at.extended()),
        None => format!("gave {id}"),
    };
    context.io.report(source, Outcome::Used(text));
    (found, source)
}

pub(super) fn failed(context: &Context, source: SourceKind, error: SourceError) -> Failure {
    context.io.report(source, Outcome::Failed(error.to_string()));
    (error, Some(source))
}
