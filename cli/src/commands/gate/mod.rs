//! `countersign gate`: verifies requests with the layer of the library and forwards them.
//!
//! `service` decides whether a request needs a signature, `verified` handles those that have one, `outgoing` is
//! what the upstream gets, `query` its query, `bucket` finds the bucket in the host, `form` handles upload forms of S3,
//! and `auth_request` is the mode for nginx.

mod auth_request;
pub mod bucket;
pub mod form;
mod outgoing;
mod query;
mod service;
mod signature;
mod verified;

use std::process::ExitCode;
use std::sync::Arc;

use countersign::{ErrorFormat, Rules, Verifier};
use http::HeaderName;

use crate::args::TransportArgs;
use crate::args::gate::{GateArgs, Unavailable};
use crate::failure::Failure;
use crate::serve::forward::Upstream;
use crate::serve::replay::{Memory, Redis, Store};
use crate::serve::route::Route;
use crate::serve::{Ground, refusal, run as serve};
use bucket::VirtualHosts;
use service::gate;

/// What the parts of the gate share.
pub struct Settings {
    ground: Ground,
    format: ErrorFormat,
    rules: Rules,
    verifier: Verifier,
    /// `None` with --auth-request.
    upstream: Option<Upstream>,
    routes: Vec<Route>,
    /// `/NAME`, or empty.
    stage: String,
    caller_header: HeaderName,
    keep_signature: bool,
    preserve_host: bool,
    is_tls: bool,
    replay: Option<Store>,
    replay_unavailable: Unavailable,
    allow_unchecked_bodies: bool,
    virtual_hosts: VirtualHosts,
}

pub fn run(args: &GateArgs) -> Result<ExitCode, Failure> {
    let format = refusal::format_of(&args.service);
    serve(&args.serve, Some(&args.keys), format, async |ground| Ok(gate(Arc::new(settings(args, ground, format)?))))
}

fn settings(args: &GateArgs, ground: &Ground, format: ErrorFormat) -> Result<Settings, Failure> {
    let rules = Rules::for_service(&args.service);
    if !args.virtual_host.is_empty() && !rules.post_policy {
        return Err(Failure::usage("--virtual-host is for --service s3"));
    }
    let routes = args
        .route
        .iter()
        .map(|route| Route::parse(route).map_err(|problem| Failure::usage(format!("--route {route:?}: {problem}"))));
    let caller_header = args.caller_header.parse::<HeaderName>();
    let caller_header = caller_header.map_err(|_| Failure::usage("--caller-header must be the name of a header"))?;
    let transport = TransportArgs { insecure: args.insecure, cacert: args.cacert.clone(), ..TransportArgs::default() };
    let upstream =
        args.upstream.as_deref().map(|url| Upstream::new(url, &transport, &args.serve.limits)).transpose()?;
    Ok(Settings {
        ground: ground.clone(),
        format,
        rules,
        verifier: verifier(args)?,
        upstream,
        routes: routes.collect::<Result<_, _>>()?,
        stage: stage(args.stage.as_deref())?,
        caller_header,
        keep_signature: args.keep_signature,
        preserve_host: args.preserve_host,
        is_tls: args.serve.cert.is_some(),
        replay: replay(args)?,
        replay_unavailable: args.replay_unavailable,
        allow_unchecked_bodies: args.allow_unchecked_bodies,
        virtual_hosts: VirtualHosts::new(&args.virtual_host)?,
    })
}

fn verifier(args: &GateArgs) -> Result<Verifier, Failure> {
    let mut regions = args.region.iter();
    let first = regions.next().map(String::as_str).unwrap_or_default();
    let mut verifier = Verifier::new(first, &args.service).map_err(Failure::usage)?;
    for region in regions {
        verifier = verifier.with_region(region).map_err(Failure::usage)?;
    }
    let verifier = verifier.with_external_hosts(args.external_host.iter());
    let verifier = if args.sigv4a { verifier.with_sigv4a() } else { verifier };
    Ok(if args.no_echo { verifier } else { verifier.echo_computed() })
}

fn replay(args: &GateArgs) -> Result<Option<Store>, Failure> {
    let Some(replay) = &args.replay else { return Ok(None) };
    if replay.0 == "memory" {
        let most = usize::try_from(args.replay_entries).unwrap_or(usize::MAX);
        return Ok(Some(Store::Memory(Memory::new(most))));
    }
    let transport = TransportArgs { cacert: args.replay_cacert.clone(), ..TransportArgs::default() };
    Redis::new(&replay.0, &args.replay_prefix, args.replay_timeout, &transport).map(|redis| Some(Store::Redis(redis)))
}

fn stage(name: Option<&str>) -> Result<String, Failure> {
    let Some(name) = name.map(|name| name.trim_matches('/')) else { return Ok(String::new()) };
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_$".contains(&byte));
    if is_name { Ok(format!("/{name}")) } else { Err(Failure::usage("--stage must be a name such as dev")) }
}
