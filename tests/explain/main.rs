//! What an explanation says of each response that AWS gives, and of each change between signer and verifier.
#![cfg(feature = "explain")]

#[path = "../../examples/conformance/case.rs"]
#[allow(dead_code, reason = "shared with the conformance program")]
mod case;
mod catalogue;
mod echo;
mod hostile;
mod memory;
mod mutations;
mod pairs;
#[path = "../../examples/conformance/plain.rs"]
#[allow(dead_code, reason = "shared with the conformance program")]
mod plain;
mod secrets;
mod signers;
mod texts;
#[path = "../../examples/conformance/verify_reject.rs"]
#[allow(dead_code, reason = "shared with the conformance program")]
mod verify_reject;
#[path = "../../examples/conformance/wire.rs"]
#[allow(dead_code, reason = "shared with the conformance program")]
mod wire;
