//! Finds credentials where AWS's tools keep them, and prints where they came from. Requests are sent by ureq.
//!
//! ```text
//! cargo run --example credentials
//! cargo run --example credentials -- --profile dev
//! ```

use std::io::Write;
use std::process::ExitCode;

use countersign::sources::{Ask, AskError, AskErrorKind, Environment, HttpAsk, Resolver};

/// Sends one request for [`Resolver::resolve`]: with its timeout, with a proxy only where one is allowed, without
/// following redirects, and with a limit on the response.
pub fn send(ask: HttpAsk) -> Result<http::Response<Vec<u8>>, AskError> {
    let mut config = ureq::Agent::config_builder()
        // Shorter, so that a service that can't be reached is told apart from one that doesn't answer.
        .timeout_resolve(Some(ask.timeout / 3))
        .timeout_connect(Some(ask.timeout / 2))
        .timeout_global(Some(ask.timeout))
        .max_redirects(0)
        .http_status_as_error(false);
    if !ask.allow_proxy {
        config = config.proxy(None);
    }
    let agent = ureq::Agent::new_with_config(config.build());
    let (parts, body) = agent.run(ask.request).map_err(error)?.into_parts();
    let body = body.into_with_config().limit(Ask::MAX_RESPONSE_BYTES as u64).read_to_vec().map_err(error)?;
    Ok(http::Response::from_parts(parts, body))
}

fn error(error: ureq::Error) -> AskError {
    use ureq::{Error, Timeout};
    let kind = match &error {
        Error::Timeout(Timeout::Resolve | Timeout::Connect) => AskErrorKind::NotConnected,
        Error::Timeout(_) => AskErrorKind::TimedOut,
        Error::ConnectionFailed | Error::HostNotFound => AskErrorKind::NotConnected,
        Error::BodyExceedsLimit(_) => AskErrorKind::TooLarge,
        // Connections that were refused, and hosts and networks that can't be reached.
        Error::Io(error) => AskError::from(std::io::Error::from(error.kind())).kind(),
        _ => AskErrorKind::Other,
    };
    AskError::new(kind, error.to_string())
}

/// Asks on the terminal.
fn mfa_code(serial: &str) -> Result<String, AskError> {
    eprint!("code of {serial}: ");
    let mut code = String::new();
    std::io::stderr().flush().and_then(|()| std::io::stdin().read_line(&mut code))?;
    Ok(code.trim().into())
}

fn main() -> ExitCode {
    let mut resolver = Resolver::new(Environment::of_process()).with_mfa_code(mfa_code);
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => {}
        ["--profile", profile] => resolver = resolver.with_profile(*profile),
        _ => {
            eprintln!("usage: credentials [--profile NAME]");
            return ExitCode::from(2);
        }
    }
    match resolver.resolve(send) {
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
