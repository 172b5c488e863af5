//! `AWS4-ECDSA-P256-SHA256`: the key pair, the public key and the region set. Everything else is the same as for HMAC.
//!
//! The rest of the crate sees three types ([`Der`], [`KeyPair`], [`PublicKey`]) with the same methods in every build;
//! without the feature `sigv4a` they have no values.

#[cfg(not(feature = "sigv4a"))]
mod absent;
#[cfg(feature = "sigv4a")]
mod built_in;
mod region_set;

#[cfg(not(feature = "sigv4a"))]
pub(crate) use absent::{Der, IS_BUILT_IN, KeyPair, PublicKey};
#[cfg(feature = "sigv4a")]
pub use built_in::PublicKey;
#[cfg(feature = "sigv4a")]
pub(crate) use built_in::{Der, IS_BUILT_IN, KeyPair};
pub(crate) use region_set::{covers, is_region_set};
