//! `countersign proxy --resign`: verifies requests with placeholder keys, and signs them again with the credentials that
//! those keys name.
//!
//! `service` verifies with the layer of the library, `verified` handles what is verified: `admit` and `guard` decide
//! whether it may pass, `outgoing` makes the request to the upstream, `sign` signs it with its body in the mode of the
//! client, `events` does both for event streams, `form` handles upload forms, and `answer` keeps the credentials out of what the client gets.

mod admit;
mod answer;
mod credentials;
mod events;
mod form;
mod guard;
mod outgoing;
mod service;
mod sign;
mod targets;
mod verified;

use std::process::ExitCode;
use std::sync::Arc;

use bytes::Bytes;
use countersign::{ErrorFormat, Limits, Rules, Verifier};
use http::StatusCode;
use http_body_util::BodyExt;

use crate::args::{ProxyArgs, TransportArgs};
use crate::commands::gate::bucket::VirtualHosts;
use crate::failure::Failure;
use crate::serve::{Answer, AnswerBody, Ground, refusal, run as serve};
use credentials::Sources;
use targets::{Flags, Targets};

/// What the parts share.
struct Settings {
    ground: Ground,
    targets: Targets,
    sources: Sources,
    virtual_hosts: VirtualHosts,
    /// The region to sign for, if it isn't that of the client.
    region: Option<String>,
    allow_credentials_in_answers: bool,
}

pub fn run(args: &ProxyArgs) -> Result<ExitCode, Failure> {
    let keys = args.keys.as_deref().ok_or_else(|| Failure::usage("--resign needs --keys"))?;
    let transport = TransportArgs { insecure: args.insecure, cacert: args.cacert.clone(), ..TransportArgs::default() };
    let region = args.scope.region.as_deref();
    let (upstream, service) = (args.upstream.as_deref(), args.scope.service.as_deref());
    let flags = Flags { upstream, service, region, resign: &args.again };
    let targets = Targets::new(&flags, &transport, &args.serve.limits)?;
    let most = u64::try_from(args.serve.limits.max_body_bytes).unwrap_or(u64::MAX);
    let verifiers =
        targets.services().iter().map(|service| verifier(service, targets.regions(), &args.external_host, most));
    let verifiers = verifiers.collect::<Result<Vec<_>, _>>()?;
    let virtual_hosts = VirtualHosts::new(&args.again.virtual_host)?;
    if !args.again.virtual_host.is_empty() && !targets.services().iter().any(|service| Words::of(service).is_s3) {
        return Err(Failure::usage("--virtual-host is for S3"));
    }
    let format = targets.services().first().map_or(ErrorFormat::RestJson, |service| refusal::format_of(service));
    serve(&args.serve, Some(keys), format, async |ground| {
        let settings = Settings {
            ground: ground.clone(),
            targets,
            sources: Sources::new(&ground.keys.get(), ground.own.clone()),
            virtual_hosts,
            region: region.map(str::to_owned),
            allow_credentials_in_answers: args.again.allow_credentials_in_answers,
        };
        Ok(service::resigning(Arc::new(settings), verifiers))
    })
}

/// One for each service, which has its own rules and its own format of refusals.
fn verifier(
    service: &str,
    regions: &[String],
    external_hosts: &[String],
    max_body_bytes: u64,
) -> Result<Verifier, Failure> {
    let mut regions = regions.iter();
    let first = regions.next().map(String::as_str).unwrap_or_default();
    // A chunk is in memory until it is verified.
    let mut limits = Limits::default();
    limits.max_chunk_size = limits.max_chunk_size.min(max_body_bytes);
    let verifier = Verifier::new(first, service).map_err(Failure::usage)?;
    let mut verifier = verifier.with_sigv4a().with_limits(limits);
    for region in regions {
        verifier = verifier.with_region(region).map_err(Failure::usage)?;
    }
    Ok(verifier.with_external_hosts(external_hosts).echo_computed())
}

/// Why a body isn't read to its end.
enum Unread {
    TooLong,
    Broken,
}

/// Reads a whole body of at most `most` bytes.
async fn read(mut body: AnswerBody, most: usize) -> Result<Bytes, Unread> {
    let mut all = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Unread::Broken)?.into_data() else { continue };
        if data.len() > most.saturating_sub(all.len()) {
            return Err(Unread::TooLong);
        }
        all.extend_from_slice(&data);
    }
    Ok(all.into())
}

/// What the answers of this server look like for a service.
#[derive(Clone, Copy)]
struct Words {
    format: ErrorFormat,
    is_s3: bool,
}

impl Words {
    fn of(service: &str) -> Self {
        Self { format: refusal::format_of(service), is_s3: Rules::for_service(service).post_policy }
    }

    fn denied(self) -> Answer {
        if self.is_s3 {
            self.answer(StatusCode::FORBIDDEN, "AccessDenied", "Access Denied")
        } else {
            let message = "User is not authorized to access this resource";
            self.answer(StatusCode::FORBIDDEN, "AccessDeniedException", message)
        }
    }

    /// The failure is not one of the client.
    fn failed(self, status: StatusCode, message: &'static str) -> Answer {
        let code = match (self.is_s3, status) {
            (true, StatusCode::SERVICE_UNAVAILABLE) => "ServiceUnavailable",
            (true, _) => "InternalError",
            (false, StatusCode::SERVICE_UNAVAILABLE) => "ServiceUnavailableException",
            (false, _) => "InternalServerErrorException",
        };
        self.answer(status, code, message)
    }

    fn answer(self, status: StatusCode, code: &'static str, message: &'static str) -> Answer {
        refusal::answer(self.format, status, code, message)
    }
}
