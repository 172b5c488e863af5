//! The resolution of credentials, as a state machine.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context as TaskContext, Poll, Waker};

use zeroize::Zeroize;

use super::ask::{Answer, Ask, AskError, AskErrorKind};
use super::context::{Context, Found};
use super::environment::Environment;
use super::error::{ResolveError, SourceError};
use super::io::Io;
use super::profile::{BaseSource, Locations, NamedSource, ProfileChain, ProfileError, Profiles, needs_home};
use super::refreshes::Refreshes;
use super::report::{Outcome, Report, SourceKind};
use super::{container, imds, login, process, sso, sts};
use crate::sigv4::credentials::Credentials;
use crate::sigv4::timestamp::Timestamp;

/// Finds credentials in the places where AWS's tools keep them, without doing any I/O: it says what it needs, one thing
/// at a time, and is given the answer.
///
/// [`Resolver::resolve`] and [`Resolver::resolve_async`] do everything but send requests.
#[derive(Clone)]
pub struct Resolver(Arc<Options>);

#[derive(Clone)]
struct Options {
    environment: Environment,
    profile: Option<String>,
    region: Option<String>,
    mfa_code: Option<MfaCode>,
    imds_endpoint: Option<String>,
    imds_ipv6: Option<bool>,
    refreshes: Refreshes,
}

/// Asks the user for the code of a device.
type MfaCode = Arc<dyn Fn(&str) -> Result<String, AskError> + Send + Sync>;

impl Resolver {
    /// Creates a resolver for this environment.
    pub fn new(environment: Environment) -> Self {
        Self(Arc::new(Options {
            environment,
            profile: None,
            region: None,
            mfa_code: None,
            imds_endpoint: None,
            imds_ipv6: None,
            refreshes: Refreshes::default(),
        }))
    }

    /// Uses this profile and no other source. `AWS_PROFILE` only chooses the profile that is tried when the environment
    /// has no credentials.
    pub fn with_profile(mut self, profile: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.0).profile = Some(profile.into());
        self
    }

    /// Sets the region whose STS is asked, instead of the configured one.
    pub fn with_region(mut self, region: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.0).region = Some(region.into());
        self
    }

    /// Sets how [`Resolver::resolve`] and [`Resolver::resolve_async`] ask for the code of an MFA device. The function is
    /// given the serial number or ARN of the device. It may block. Without it, a profile with `mfa_serial` is an error.
    pub fn with_mfa_code(
        mut self,
        mfa_code: impl Fn(&str) -> Result<String, AskError> + Send + Sync + 'static,
    ) -> Self {
        Arc::make_mut(&mut self.0).mfa_code = Some(Arc::new(mfa_code));
        self
    }

    pub(super) fn mfa_code(&self, serial: &str) -> Answer {
        match &self.0.mfa_code {
            Some(mfa_code) => mfa_code(serial).map_or_else(Answer::Failed, Answer::MfaCode),
            None => Answer::Failed(AskError::new(
                AskErrorKind::Unsupported,
                "this program doesn't ask for codes (Resolver::with_mfa_code)",
            )),
        }
    }

    /// Asks the instance metadata service at this URL, e.g. `http://localhost:1338`, whatever the environment and the
    /// profile say. A malformed URL is reported when the service is asked.
    pub fn with_imds_endpoint(mut self, url: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.0).imds_endpoint = Some(url.into());
        self
    }

    /// Sets whether the instance metadata service is asked by IPv6 (`[fd00:ec2::254]`) or by IPv4 (`169.254.169.254`),
    /// instead of `AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE` and the profile. A URL that is configured takes precedence.
    pub fn with_imds_ipv6(mut self, ipv6: bool) -> Self {
        Arc::make_mut(&mut self.0).imds_ipv6 = Some(ipv6);
        self
    }

    /// Starts a resolution.
    pub fn start(&self, now: Timestamp) -> Progress {
        let io = Io::new(now);
        let run: Run = Box::pin(run(self.0.clone(), io.clone()));
        Pending { io, run, ask: Ask::Wait(core::time::Duration::ZERO) }.proceed()
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver")
            .field("environment", &self.0.environment)
            .field("profile", &self.0.profile)
            .field("region", &self.0.region)
            .field("imds_ipv6", &self.0.imds_ipv6)
            .finish()
    }
}

type Run = Pin<Box<dyn Future<Output = Result<Resolved, ResolveError>> + Send>>;

/// Where a resolution stands.
#[derive(Debug)]
#[must_use]
pub enum Progress {
    /// It asks for something.
    Ask(Pending),
    /// It is over.
    Done(Box<Result<Resolved, ResolveError>>),
}

/// A resolution that waits for an answer.
#[must_use]
pub struct Pending {
    io: Io,
    run: Run,
    ask: Ask,
}

impl Pending {
    /// What is asked for.
    pub fn ask(&self) -> &Ask {
        &self.ask
    }

    /// Goes on with the answer. `now` is the time when it arrived.
    pub fn answer(mut self, answer: Answer, now: Timestamp) -> Progress {
        if let Ask::Send(ask) = &mut self.ask {
            // It may hold tokens.
            ask.request.body_mut().zeroize();
        }
        {
            let mut slot = self.io.slot();
            slot.now = now;
            slot.answer = Some(answer);
        }
        self.proceed()
    }

    fn proceed(mut self) -> Progress {
        match self.run.as_mut().poll(&mut TaskContext::from_waker(Waker::noop())) {
            Poll::Ready(result) => Progress::Done(Box::new(result)),
            Poll::Pending => {
                // A source waits only for what it asked for.
                if let Some(ask) = self.io.slot().ask.take() {
                    self.ask = ask;
                }
                Progress::Ask(self)
            }
        }
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").field("ask", &self.ask).finish_non_exhaustive()
    }
}

/// Credentials, and where they came from.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Resolved {
    /// The credentials.
    pub credentials: Credentials,
    /// The account, if the source says it.
    pub account_id: Option<String>,
    /// The region that is configured, if there is one; else that of the instance, if its metadata service gave the
    /// credentials.
    pub region: Option<String>,
    /// The source of the credentials; for roles, that of the last one.
    pub source: SourceKind,
    /// What was tried, in order.
    pub report: Report,
}

async fn run(options: Arc<Options>, io: Io) -> Result<Resolved, ResolveError> {
    let result = resolve(&options, &io).await;
    let report = core::mem::take(&mut io.slot().report);
    match result {
        Ok((found, source, region)) => {
            Ok(Resolved { credentials: found.credentials, account_id: found.account_id, region, source, report })
        }
        Err((error, source)) => Err(ResolveError::new(error, source, report)),
    }
}

type Failure = (SourceError, Option<SourceKind>);

async fn resolve(options: &Options, io: &Io) -> Result<(Found, SourceKind, Option<String>), Failure> {
    let (context, unreadable) = context(options, io).await;
    let (found, source) = sources(options, &context, unreadable).await?;
    let region = match context.region() {
        Some(region) => Some(region.into()),
        None if source == SourceKind::InstanceMetadata => imds::region(&context).await,
        None => None,
    };
    Ok((found, source, region))
}

/// The context, and what is wrong with the configuration files: they are not needed if the environment has keys.
async fn context(options: &Options, io: &Io) -> (Context, Option<SourceError>) {
    let environment = options.environment.clone();
    let locations = Locations::of(&environment);
    let (profiles, unreadable) = match profiles(&locations, io).await {
        Ok(profiles) => (profiles, None),
        Err(error) => (Profiles::default(), Some(error)),
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
    (context, unreadable)
}

async fn profiles(locations: &Locations, io: &Io) -> Result<Profiles, SourceError> {
    let config = text(io, locations.config()).await?;
    let credentials = text(io, locations.credentials()).await?;
    let profiles = Profiles::parse((locations.config(), &config), (locations.credentials(), &credentials))?;
    for warning in profiles.warnings() {
        io.report(SourceKind::Profile, Outcome::Warning(warning.to_string()));
    }
    Ok(profiles)
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
async fn sources(
    options: &Options,
    context: &Context,
    unreadable: Option<SourceError>,
) -> Result<(Found, SourceKind), Failure> {
    let skipped = |source, reason: &str| context.io.report(source, Outcome::Skipped(reason.into()));
    if options.profile.is_none() {
        match environment_keys(context) {
            Ok(Some(found)) => {
                if let Some(error) = unreadable {
                    context.io.report(SourceKind::Profile, Outcome::Warning(error.to_string()));
                }
                return Ok(used(context, SourceKind::Environment, found));
            }
            Ok(None) => skipped(SourceKind::Environment, &not_set(context)),
            Err(error) => return Err(failed(context, SourceKind::Environment, error)),
        }
    }
    if let Some(error) = unreadable {
        return Err(failed(context, SourceKind::Profile, error));
    }
    match context.profiles.chain(&context.profile_name) {
        Ok(chain) => return walk(context, &chain).await,
        Err(ProfileError::NoCredentials { profile }) if options.profile.is_none() => {
            skipped(SourceKind::Profile, &format!("profile {profile} has no credentials"));
        }
        Err(ProfileError::NoProfile { profile, .. })
            if options.profile.is_none() && context.environment.get("AWS_PROFILE").is_none() =>
        {
            skipped(SourceKind::Profile, &format!("profile {profile} does not exist"));
        }
        Err(error) => return Err(failed(context, SourceKind::Profile, chosen_by(options, context, error).into())),
    }
    if let Some(token_file) = context.environment.get("AWS_WEB_IDENTITY_TOKEN_FILE") {
        let found = web_identity(context, &context.locations.expand(token_file)).await;
        return finished(context, SourceKind::WebIdentity, found);
    }
    skipped(SourceKind::WebIdentity, "AWS_WEB_IDENTITY_TOKEN_FILE is not set");
    if container::is_configured(context) {
        return finished(context, SourceKind::Container, container::credentials(context).await);
    }
    skipped(
        SourceKind::Container,
        "neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor AWS_CONTAINER_CREDENTIALS_FULL_URI is set",
    );
    match imds::credentials(context).await {
        Ok(Some(found)) => Ok(used(context, SourceKind::InstanceMetadata, found)),
        Ok(None) => {
            let config = context.locations.config().into();
            Err((SourceError::NotConfigured { config }, None))
        }
        Err(error) => Err(failed(context, SourceKind::InstanceMetadata, error)),
    }
}

/// The error of the chosen profile, with the variable that chose it.
fn chosen_by(options: &Options, context: &Context, error: ProfileError) -> ProfileError {
    match error {
        ProfileError::NoProfile { profile, named_by: None, hint }
            if options.profile.is_none() && context.environment.get("AWS_PROFILE").is_some() =>
        {
            ProfileError::NoProfile { profile, named_by: Some("AWS_PROFILE".into()), hint }
        }
        error => error,
    }
}

fn not_set(context: &Context) -> String {
    let names = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
    match names.iter().find(|name| context.environment.is_blank(name)) {
        Some(name) => format!("{name} is blank"),
        None => "AWS_ACCESS_KEY_ID is not set".into(),
    }
}

fn environment_keys(context: &Context) -> Result<Option<Found>, SourceError> {
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

/// Follows a profile from the base of its chain.
async fn walk(context: &Context, chain: &ProfileChain) -> Result<(Found, SourceKind), Failure> {
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
        BaseSource::Named { source: NamedSource::Environment, .. } => {
            let missing = || SourceError::Setting {
                place: format!("credential_source of profile {}", context.profile_name),
                value: "Environment".into(),
                expected: "another source, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY have to be set".into(),
            };
            (SourceKind::Environment, environment_keys(context).and_then(|found| found.ok_or_else(missing)))
        }
        BaseSource::Named { source: NamedSource::EcsContainer, .. } => {
            (SourceKind::Container, container::credentials(context).await)
        }
        BaseSource::Named { source: NamedSource::Ec2InstanceMetadata, .. } => {
            let missing = || SourceError::Setting {
                place: format!("credential_source of profile {}", context.profile_name),
                value: "Ec2InstanceMetadata".into(),
                expected: "another source: the instance metadata service gave no credentials".into(),
            };
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

fn without_role(profile: &str) -> SourceError {
    let problem = "IAM Identity Center needs a role to give credentials; add sso_account_id and sso_role_name";
    ProfileError::Profile { profile: profile.into(), problem: problem.into() }.into()
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

fn used(context: &Context, source: SourceKind, found: Found) -> (Found, SourceKind) {
    let id = found.credentials.access_key_id();
    let text = match found.credentials.expires_at() {
        Some(expires_at) => format!("gave {id}, which expires at {}", expires_at.extended()),
        None => format!("gave {id}"),
    };
    context.io.report(source, Outcome::Used(text));
    (found, source)
}

fn failed(context: &Context, source: SourceKind, error: SourceError) -> Failure {
    context.io.report(source, Outcome::Failed(error.to_string()));
    (error, Some(source))
}
