//! Starts a server, and ends it.

use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use countersign::ErrorFormat;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::access_log::AccessLog;
use super::keys::{CurrentKeys, Keys};
use super::leaving::Books;
use super::listen::Server;
use super::management::{Management, serve as manage};
use super::metrics::Metrics;
use super::own::OwnCredentials;
use super::{Budget, Disk, Service, keys, tls};
use crate::args::serve::{LimitArgs, ServeArgs};
use crate::failure::{Failure, Kind};
use crate::output::Output;

/// What a service is built on.
#[derive(Clone)]
pub struct Ground {
    pub keys: CurrentKeys,
    pub own: OwnCredentials,
    pub metrics: Arc<Metrics>,
    pub budget: Budget,
    pub disk: Disk,
    pub limits: LimitArgs,
    pub format: ErrorFormat,
}

/// Serves what `make` builds until SIGTERM or SIGINT. The keys are read before and whenever they change.
pub fn run<S>(
    args: &ServeArgs,
    keys_file: Option<&Path>,
    format: ErrorFormat,
    make: impl AsyncFnOnce(&Ground) -> Result<S, Failure>,
) -> Result<ExitCode, Failure>
where
    S: Service,
{
    let read = keys_file.map_or_else(|| Ok(Keys::default()), keys::load)?;
    let metrics = Arc::new(Metrics::default());
    let ground = Ground {
        keys: CurrentKeys::new(read),
        own: OwnCredentials::default(),
        metrics: Arc::clone(&metrics),
        budget: Budget::new(args.limits.max_buffered_bytes),
        disk: Disk::new(args.limits.max_spooled_bytes),
        limits: args.limits.clone(),
        format,
    };
    let acceptor = match (&args.cert, &args.key_file) {
        (Some(cert), Some(key)) => Some(tls::acceptor(cert, key)?),
        _ => None,
    };
    let log = AccessLog::start(&args.access_log, metrics.clone())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Kind::Connect, format!("the runtime can't be started: {error}")))?;
    let ended = runtime.block_on(async {
        let service = make(&ground).await?;
        let books = Books { metrics, log: log.clone() };
        let server = Server { service, ground, books, tls: acceptor };
        start(args, keys_file, server, &log).await
    });
    // Connections that didn't end in time are not waited for.
    runtime.shutdown_background();
    log.flush();
    ended.map(|()| ExitCode::SUCCESS)
}

async fn start<S>(args: &ServeArgs, keys_file: Option<&Path>, server: Server<S>, log: &AccessLog) -> Result<(), Failure>
where
    S: Service,
{
    let is_ending = Arc::new(AtomicBool::new(false));
    let scheme = if server.tls.is_some() { "https" } else { "http" };
    let hang_up = Arc::new(Notify::new());
    let end = signals(Arc::clone(&hang_up), log.clone())?;
    let listener = bind(args.listen, &format!("listening on {scheme}://")).await?;
    if let Some(address) = args.management {
        let management = Management {
            keys: server.ground.keys.clone(),
            own: server.ground.own.clone(),
            metrics: Arc::clone(&server.ground.metrics),
            is_ending: Arc::clone(&is_ending),
        };
        tokio::spawn(manage(bind(address, "management on http://").await?, management));
    }
    if let Some(file) = keys_file {
        let (keys, metrics) = (server.ground.keys.clone(), Arc::clone(&server.ground.metrics));
        tokio::spawn(keys::watch(file.to_owned(), keys, metrics, hang_up));
    }
    let end = async move {
        end.await;
        is_ending.store(true, Ordering::Relaxed);
        Output::new().note("ending: no new connections, open requests may finish");
    };
    if !server.serve(listener, end, args.shutdown_timeout).await {
        Output::new().warning("some requests did not end within --shutdown-timeout");
    }
    Ok(())
}

async fn bind(address: SocketAddr, what: &str) -> Result<TcpListener, Failure> {
    let failed = |error: std::io::Error| Failure::new(Kind::Connect, format!("can't listen on {address}: {error}"));
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Output::new().note(&format!("{what}{bound}"));
    if !bound.ip().is_loopback() {
        Output::new()
            .warning(&format!("{bound} is reachable from other machines; use 127.0.0.1 unless they are meant to"));
    }
    Ok(listener)
}

/// Returns what waits for SIGTERM or SIGINT. SIGHUP reads the keys again, and opens the access log again.
#[cfg(unix)]
fn signals(hang_up: Arc<Notify>, log: AccessLog) -> Result<impl Future<Output = ()>, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let on = |kind| signal(kind).map_err(|error| Failure::new(Kind::Connect, format!("no signals: {error}")));
    let (mut terminate, mut interrupt) = (on(SignalKind::terminate())?, on(SignalKind::interrupt())?);
    let mut hang_ups = on(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hang_ups.recv().await.is_some() {
            log.reopen();
            hang_up.notify_one();
        }
    });
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn signals(_: Arc<Notify>, _: AccessLog) -> Result<impl Future<Output = ()>, Failure> {
    Ok(async { drop(tokio::signal::ctrl_c().await) })
}
