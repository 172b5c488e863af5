//! Finds credentials where AWS's tools keep them, and prints where they came from. Requests are sent by hyper.
//!
//! This client speaks http only. For https, i.e. for STS and IAM Identity Center, wrap its connector with hyper-rustls:
//!
//! ```text
//! connector.enforce_http(false);
//! let connector = hyper_rustls::HttpsConnectorBuilder::new()
//!     .with_webpki_roots()
//!     .https_or_http()
//!     .enable_http1()
//!     .wrap_connector(connector);
//! ```
//!
//! ```text
//! cargo run --example credentials_hyper
//! cargo run --example credentials_hyper -- PROFILE
//! ```

use std::error::Error;
use std::process::ExitCode;

use bytes::Bytes;
use countersign::sources::{Ask, AskError, AskErrorKind, Environment, HttpAsk, Resolver};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// Sends one request for [`Resolver::resolve_async`]: with its timeout and with a limit on the response. hyper neither
/// follows redirects nor uses a proxy.
pub async fn send(ask: HttpAsk) -> Result<http::Response<Vec<u8>>, AskError> {
    let mut connector = HttpConnector::new();
    // Shorter, so that a service that can't be reached is told apart from one that doesn't answer.
    connector.set_connect_timeout(Some(ask.timeout / 2));
    let client = Client::builder(TokioExecutor::new()).build::<_, Full<Bytes>>(connector);
    let exchange = async {
        let response = client.request(ask.request.map(|body| Full::new(body.into()))).await.map_err(not_sent)?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, Ask::MAX_RESPONSE_BYTES).collect().await.map_err(not_read)?;
        Ok(http::Response::from_parts(parts, body.to_bytes().into()))
    };
    let timed_out = |_| Err(AskError::new(AskErrorKind::TimedOut, "there was no answer in time"));
    tokio::time::timeout(ask.timeout, exchange).await.unwrap_or_else(timed_out)
}

fn not_sent(error: hyper_util::client::legacy::Error) -> AskError {
    let kind = if error.is_connect() { AskErrorKind::NotConnected } else { AskErrorKind::Other };
    AskError::new(kind, message(&error))
}

fn not_read(error: Box<dyn Error + Send + Sync>) -> AskError {
    let kind = if error.is::<LengthLimitError>() { AskErrorKind::TooLarge } else { AskErrorKind::Other };
    AskError::new(kind, message(&*error))
}

/// The message of an error with those of its sources.
fn message(error: &dyn Error) -> String {
    let sources = std::iter::successors(error.source(), |source| (*source).source());
    sources.fold(error.to_string(), |text, source| format!("{text}: {source}"))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut resolver = Resolver::new(Environment::of_process());
    if let Some(profile) = std::env::args().nth(1) {
        resolver = resolver.with_profile(profile);
    }
    match resolver.resolve_async(send).await {
        Ok(resolved) => {
            println!("{}", resolved.report);
            println!("region: {}", resolved.region.as_deref().unwrap_or("not configured"));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{}\n\n{error}", error.report());
            ExitCode::FAILURE
        }
    }
}
