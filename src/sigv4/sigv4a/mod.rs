//! `AWS4-ECDSA-P256-SHA256`: the key pair, its public half, the region set. All else is as for HMAC.

mod der;
mod key;
mod public_key;
mod region_set;

pub(crate) use der::Der;
pub(crate) use key::KeyPair;
pub use public_key::PublicKey;
pub(crate) use region_set::{covers, in_query as region_set_in_query, is_region_set};
