//! `countersign proxy`: signs requests with the layer of the library and forwards them.
//!
//! `service` receives requests and decides by the command line what happens to them: `resign` verifies and signs again,
//! `signing` only signs.

mod resign;
mod service;
mod signing;

use std::process::ExitCode;
use std::sync::Arc;

use countersign::ErrorFormat;
use http::StatusCode;

use crate::args::ProxyArgs;
use crate::failure::Failure;
use crate::serve::{Answer, Ground, refusal, run as serve};
use service::Proxy;

/// What the parts of the proxy share.
pub struct Settings {
    ground: Ground,
    /// How errors of the proxy itself are written.
    format: ErrorFormat,
}

pub fn run(args: &ProxyArgs) -> Result<ExitCode, Failure> {
    if args.resign {
        return resign::run(args);
    }
    let format = ErrorFormat::RestJson;
    serve(&args.serve, args.keys.as_deref(), format, |ground| {
        Ok(Proxy(Arc::new(Settings { ground: ground.clone(), format })))
    })
}

impl Settings {
    pub fn answer(&self, status: StatusCode, code: &'static str, message: &'static str) -> Answer {
        refusal::answer(self.format, status, code, message)
    }
}
