//! What an explanation says of each response that AWS gives, and of each change between signer and verifier.

mod catalogue;
mod echo;
mod hostile;
mod input;
mod mutations;
mod pairs;
mod secrets;
mod signers;
mod texts;
