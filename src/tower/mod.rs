//! Layers for [tower](https://docs.rs/tower): [`VerifyLayer`] verifies the requests of a server, [`SignLayer`] signs those of
//! a client.
//!
//! Both work with any HTTP stack that is a [`tower_service::Service`] of `http::Request`, e.g. axum, hyper-util and tonic,
//! over HTTP/1 and HTTP/2. Neither limits how long a request takes: put a timeout layer around them.

mod body;
mod sign;
mod verify;

pub use body::{RefusalBody, SignedBody};
pub use sign::{IdentitySource, PayloadPolicy, SignLayer, SignLayerError, SignService};
pub use verify::{Caller, CallerKey, RefusalReason, Verified, VerifiedBody, VerifyLayer, VerifyService};

use alloc::boxed::Box;
use core::error::Error;

type BoxError = Box<dyn Error + Send + Sync>;
