//! Runs `countersign proxy` in front of servers that verify.

mod bodies;
mod browsers;
mod credentials;
mod failures;
#[path = "../gate/gate.rs"]
#[allow(dead_code, reason = "shared with the tests of `gate`")]
mod gate;
mod hosts;
mod proxy;
mod signing;
#[path = "../cli/support.rs"]
#[allow(dead_code, reason = "shared with the tests of `request`")]
mod support;
mod websocket;
