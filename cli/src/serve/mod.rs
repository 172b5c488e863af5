//! What the servers `gate` and `proxy` consist of: keys, connections, limits, forwarding, logs and metrics.
//!
//! A server is a [`Service`], which [`run`] serves until a signal ends the process.

mod access_log;
mod arriving;
mod disk;
mod exchange;
pub mod forward;
mod heads;
mod held;
mod idle;
pub mod keys;
mod leaving;
mod listen;
mod management;
pub mod metrics;
pub mod own;
pub mod path;
pub mod refusal;
pub mod replay;
pub mod route;
mod run;
pub mod signing_names;
mod tls;

use std::convert::Infallible;
use std::error::Error;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;

pub use arriving::{Arriving, Budget};
pub use disk::{Disk, NoSpace, Used};
pub use exchange::{Decision, Exchange, Scope};
pub use held::{Held, Passing};
pub use run::{Ground, run};

pub type BoxError = Box<dyn Error + Send + Sync>;

/// A request as the services of `gate` and `proxy` get it. Its extensions have an [`Exchange`].
pub type Request = http::Request<Arriving>;

/// Answers requests. Each is answered by a clone.
pub trait Service: Clone + Send + Sync + 'static {
    fn answer(self, request: Request) -> impl Future<Output = Answer> + Send;
}

/// The body of an answer.
pub type AnswerBody = UnsyncBoxBody<Bytes, BoxError>;
pub type Answer = http::Response<AnswerBody>;

/// A body in memory.
pub fn full(bytes: impl Into<Bytes>) -> AnswerBody {
    use http_body_util::BodyExt;
    http_body_util::Full::new(bytes.into()).map_err(|never: Infallible| match never {}).boxed_unsync()
}
