//! The SigV4 specification, step by step.

pub(crate) mod algorithm;
pub(crate) mod authorization;
pub(crate) mod canonical_request;
pub(crate) mod chain;
pub(crate) mod credentials;
pub(crate) mod headers;
pub(crate) mod payload;
pub(crate) mod request;
pub(crate) mod rules;
pub(crate) mod scope;
pub(crate) mod signature;
pub(crate) mod signing_key;
pub(crate) mod sigv4a;
pub(crate) mod string_to_sign;
pub(crate) mod timestamp;
