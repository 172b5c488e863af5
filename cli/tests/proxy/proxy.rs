//! A running proxy, and requests to it.

use countersign::{ErrorFormat, Verifier};

use crate::gate::{Gate, Got};
use crate::support::{Server, countersign, folder};

/// A server that accepts what the proxy signs, and nothing else.
pub fn verifying() -> Server {
    let verifier = Verifier::new("us-east-1", "execute-api").expect("a verifier");
    Server::verifying(verifier, ErrorFormat::RestJson)
}

pub const COMMON: [&str; 5] = ["proxy", "--listen", "127.0.0.1:0", "--management", "127.0.0.1:0"];

/// A proxy with credentials in its environment.
pub fn start(arguments: &[&str]) -> Gate {
    Gate::launch(countersign(&[&COMMON, arguments].concat()), folder())
}

pub fn proxy(upstream: &Server, arguments: &[&str]) -> Gate {
    start(&[&["--upstream", &upstream.url("")], arguments].concat())
}

/// A request without a signature.
pub fn get(proxy: &Gate, target: &str, headers: &[(&str, &str)]) -> Got {
    send(proxy, "GET", target, headers, b"")
}

/// Adds `Host`, unless it is in the list.
pub fn send(proxy: &Gate, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Got {
    let mut head = format!("{method} {target} HTTP/1.1\r\n");
    let mut add = |name: &str, value: &str| head.push_str(&format!("{name}: {value}\r\n"));
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        add("host", &proxy.address.to_string());
    }
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("connection")) {
        add("connection", "close");
    }
    headers.iter().for_each(|(name, value)| add(name, value));
    if !body.is_empty() {
        add("content-length", &body.len().to_string());
    }
    proxy.raw(&[(head + "\r\n").as_bytes(), body].concat())
}
