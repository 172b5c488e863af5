//! What an explanation says of each response that AWS gives, and of each change between signer and verifier.
#![cfg(feature = "explain")]

#[path = "../../examples/conformance/cases/mod.rs"]
#[allow(dead_code, reason = "shared with the conformance program")]
mod cases;
mod catalogue;
mod echo;
mod hostile;
#[path = "../support/memory.rs"]
mod memory;
mod mutations;
mod pairs;
mod secrets;
mod signers;
mod texts;
