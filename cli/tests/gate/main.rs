//! Runs `countersign gate` between raw connections and an upstream that records what arrives.

mod auth_request;
mod buckets;
mod connections;
mod forwarding;
mod hostile;
mod metrics;
mod operation;
mod redis;
mod refusals;
mod s3;
mod sigv4a;
#[path = "../cli/support.rs"]
#[allow(dead_code, reason = "shared with the tests of `request`")]
mod support;

mod gate;
