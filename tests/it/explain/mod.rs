//! Tests of explanations: for each of AWS's responses, and for each change between signer and verifier.

mod catalogue;
mod deviations;
mod echo;
mod guide;
mod hostile;
mod input;
mod mutations;
mod pairs;
mod presigned;
mod secrets;
mod signers;
mod texts;
