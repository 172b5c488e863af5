//! Finds credentials where AWS's tools keep them. `examples/credentials.rs` also tells why a source was not used.

use countersign::Credentials;
use countersign::sources::{Ask, AskError, AskErrorKind, Environment, HttpAsk, Resolver};

use crate::Fallible;

pub fn find() -> Fallible<Credentials> {
    match Resolver::new(Environment::of_process()).resolve(send) {
        Ok(resolved) => Ok(resolved.credentials),
        Err(error) => Err(format!("{}\n{error}", error.report()).into()),
    }
}

fn send(ask: HttpAsk) -> Result<http::Response<Vec<u8>>, AskError> {
    let mut config =
        ureq::Agent::config_builder().timeout_global(Some(ask.timeout)).max_redirects(0).http_status_as_error(false);
    if !ask.allow_proxy {
        config = config.proxy(None);
    }
    let (parts, mut body) = ureq::Agent::from(config.build()).run(ask.request).map_err(error)?.into_parts();
    let body = body.with_config().limit(Ask::MAX_RESPONSE_BYTES as u64).read_to_vec().map_err(error)?;
    Ok(http::Response::from_parts(parts, body))
}

fn error(error: ureq::Error) -> AskError {
    let kind = match &error {
        ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => AskErrorKind::NotConnected,
        ureq::Error::Timeout(_) => AskErrorKind::TimedOut,
        ureq::Error::ConnectionFailed | ureq::Error::HostNotFound => AskErrorKind::NotConnected,
        ureq::Error::BodyExceedsLimit(_) => AskErrorKind::TooLarge,
        ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => AskErrorKind::NotConnected,
        _ => AskErrorKind::Other,
    };
    AskError::new(kind, error.to_string())
}
