//! What an explanation says of each response that AWS gives, and of each change between signer and verifier.

mod catalogue;
mod deviations;
mod echo;
mod hostile;
mod mutations;
mod pairs;
mod secrets;
mod signers;
mod texts;
