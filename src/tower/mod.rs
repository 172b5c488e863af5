//! Layers for [tower](https://docs.rs/tower): [`VerifyLayer`] verifies the requests of a server, [`SignLayer`] signs those of
//! a client.

mod body;
mod sign;
mod verify;

pub use body::{RefusalBody, SignedBody};
pub use sign::{IdentitySource, PayloadPolicy, SignLayer, SignLayerError, SignService};
pub use verify::{Caller, Verified, VerifiedBody, VerifyLayer, VerifyService};

use alloc::boxed::Box;
use core::error::Error;

type BoxError = Box<dyn Error + Send + Sync>;
