//! Attacks on the servers, by someone other than their author. All of them have failed, or fail now.

mod chunked_upload;
mod gate_auth_request;
#[allow(clippy::ptr_arg, reason = "all changes have the same type")]
mod gate_chunks;
mod gate_forms;
mod gate_headers;
mod gate_held_chunks;
mod gate_http2;
mod gate_keys;
mod gate_paths;
mod gate_replay;
mod gate_slow;
mod gate_smuggling;
mod gate_websocket;
mod proxy_hosts;

#[path = "../gate/gate.rs"]
#[allow(dead_code, reason = "shared with the tests of `gate`")]
mod gate;
mod http2;
#[path = "../proxy/proxy.rs"]
#[allow(dead_code, reason = "shared with the tests of `proxy`")]
mod proxy;
#[path = "../cli/support.rs"]
#[allow(dead_code, reason = "shared with the tests of `request`")]
mod support;
mod wire;
