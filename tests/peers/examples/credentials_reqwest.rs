//! Finds credentials where AWS's tools keep them, and prints where they came from. Requests are sent by reqwest, whose
//! feature `rustls` is needed for https, i.e. for STS and IAM Identity Center.
//!
//! ```text
//! cargo run --example credentials_reqwest
//! cargo run --example credentials_reqwest -- PROFILE
//! ```

use std::error::Error;
use std::process::ExitCode;

use countersign::sources::{Ask, AskError, AskErrorKind, Environment, HttpAsk, Resolver};
use reqwest::redirect::Policy;

/// Sends one request for [`Resolver::resolve_async`]: with its timeout, with a proxy only where one is allowed, without
/// following redirects, and with a limit on the response.
pub async fn send(ask: HttpAsk) -> Result<http::Response<Vec<u8>>, AskError> {
    // The connection has less time, so that a service that can't be reached is told apart from one that doesn't answer.
    let mut client =
        reqwest::Client::builder().redirect(Policy::none()).connect_timeout(ask.timeout / 2).timeout(ask.timeout);
    if !ask.allow_proxy {
        client = client.no_proxy();
    }
    let request = ask.request.try_into().map_err(error)?;
    let mut response = client.build().map_err(error)?.execute(request).await.map_err(error)?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(error)? {
        if body.len() + chunk.len() > Ask::MAX_RESPONSE_BYTES {
            return Err(AskError::new(AskErrorKind::TooLarge, "the response is too large"));
        }
        body.extend_from_slice(&chunk);
    }
    let mut answer = http::Response::new(body);
    *answer.status_mut() = response.status();
    *answer.headers_mut() = std::mem::take(response.headers_mut());
    Ok(answer)
}

fn error(error: reqwest::Error) -> AskError {
    let kind = match &error {
        error if error.is_connect() => AskErrorKind::NotConnected,
        error if error.is_timeout() => AskErrorKind::TimedOut,
        _ => AskErrorKind::Other,
    };
    AskError::new(kind, message(&error.without_url()))
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
