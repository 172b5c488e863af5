//! The integration tests, built as one program.
//!
//! The dev-dependency on the crate itself turns on every feature but `time`, so that nothing here is conditional on one.

mod allocations;
mod answers;
mod attacks;
mod attacks_verifier;
mod event_stream;
mod examples;
mod explain;
mod hostile;
mod post_policy;
mod properties;
mod routing;
mod rules;
mod secrets;
mod sigv4a;
mod sources;
mod streaming;
mod support;
mod tokens;
mod tower;
mod vectors;
mod wiping;
