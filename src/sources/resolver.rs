//! The resolution of credentials, as a state machine.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context as TaskContext, Poll, Waker};

use zeroize::Zeroize;

use super::ask::{Answer, Ask, AskError};
use super::environment::Environment;
use super::error::ResolveError;
use super::io::Io;
use super::order::resolve;
use super::refreshes::Refreshes;
use super::report::{Report, SourceKind};
use crate::sigv4::credentials::Credentials;
use crate::sigv4::timestamp::Timestamp;

/// Finds credentials in the places where AWS's tools keep them, without doing any I/O: it says what it needs, one thing
/// at a time, and is given the answer.
///
/// [`Resolver::resolve`] and [`Resolver::resolve_async`] do everything but send requests.
#[derive(Clone)]
pub struct Resolver(pub(super) Arc<Options>);

/// What the program chose.
#[derive(Clone)]
pub(super) struct Options {
    pub(super) environment: Environment,
    pub(super) profile: Option<String>,
    pub(super) region: Option<String>,
    pub(super) mfa_code: Option<MfaCode>,
    pub(super) imds_endpoint: Option<String>,
    pub(super) imds_ipv6: Option<bool>,
    pub(super) refreshes: Refreshes,
}

/// Asks the user for the code of a device.
pub(super) type MfaCode = Arc<dyn Fn(&str) -> Result<String, AskError> + Send + Sync>;

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

/// For credentials that a program loads itself, e.g. from Vault, to be kept in a
/// [`CredentialCache`](super::CredentialCache).
impl From<Credentials> for Resolved {
    fn from(credentials: Credentials) -> Self {
        let (source, report) = (SourceKind::Program, Report::default());
        Self { credentials, account_id: None, region: None, source, report }
    }
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
