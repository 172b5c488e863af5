//! `countersign proxy`: signs requests with the layer of the library and forwards them.
//!
//! `service` receives requests: `resign` verifies them and signs again, `signing` only signs. For the latter, `admission`
//! keeps web pages away, `destination` is where a request goes, `prepare` takes out what isn't forwarded, `source` has the
//! credentials, `sending` is the service inside of the layer, and `failed` answers if that fails.

mod admission;
mod destination;
mod failed;
mod prepare;
mod resign;
mod sending;
mod service;
mod signing;
mod source;

use std::process::ExitCode;
use std::sync::Arc;

use countersign::ErrorFormat;
use http::StatusCode;

use crate::args::ProxyArgs;
use crate::args::proxy::BodyMode;
use crate::credentials;
use crate::failure::Failure;
use crate::output::Output;
use crate::serve::{Answer, Ground, refusal, run as serve};
use admission::Admission;
use destination::Destinations;
use prepare::Strip;
use service::Proxy;
use signing::Signing;
use source::Source;

/// What the parts of the proxy share.
pub struct Settings {
    ground: Ground,
    /// How errors are written while the service is not known.
    format: ErrorFormat,
    signing: Signing,
}

pub fn run(args: &ProxyArgs) -> Result<ExitCode, Failure> {
    if args.resign {
        return resign::run(args);
    }
    let format = ErrorFormat::RestJson;
    serve(&args.serve, args.keys.as_deref(), format, async |ground| {
        let signing = signing(args, ground).await?;
        Ok(Proxy(Arc::new(Settings { ground: ground.clone(), format, signing })))
    })
}

async fn signing(args: &ProxyArgs, ground: &Ground) -> Result<Signing, Failure> {
    let (admission, strip) = (Admission::new(args)?, Strip::new(args)?);
    let source = Source::new(&args.credentials, ground.own.clone())?;
    let configured = source.start().await.or_else(credentials::configured_region);
    let destinations = Destinations::new(args, source, configured)?;
    if args.body == BodyMode::Unsigned && !destinations.is_https() {
        Output::new().warning("--body unsigned without TLS: bodies can be changed on their way to the upstream");
    }
    Ok(Signing { admission, destinations, strip, body: args.body })
}

impl Settings {
    pub fn answer(&self, status: StatusCode, code: &'static str, message: &'static str) -> Answer {
        refusal::answer(self.format, status, code, message)
    }
}
