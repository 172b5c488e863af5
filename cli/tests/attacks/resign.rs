//! Attacks on `countersign proxy --resign`, by someone other than its author. All of them have failed, or fail now.

#[path = "../resign/client.rs"]
#[allow(dead_code, reason = "shared with the tests of `proxy --resign`")]
mod client;
#[path = "../resign/proxy.rs"]
#[allow(dead_code, reason = "shared with the tests of `proxy --resign`")]
mod proxy;
#[path = "../resign/upstream.rs"]
#[allow(dead_code, reason = "shared with the tests of `proxy --resign`")]
mod upstream;

mod chunked_upload;
mod resign_allow;
mod resign_answers;
mod resign_bodies;
mod resign_buckets;
mod resign_credentials;
mod resign_memory;

use std::time::Duration;

use countersign::{Request, Timestamp};

use client::{Got, Sent};
use proxy::Proxy;
use upstream::Upstream;

/// A refusal, and that nothing arrived at the upstream.
fn refused(upstream: &Upstream, got: &Got, name: &str) {
    assert!(matches!(got.status, 400 | 403), "{name}: {got:?}");
    assert!(upstream.seen().is_empty(), "{name}: {:?}", upstream.seen());
}

/// The path and query of a URL that is valid for a minute.
fn presigned(proxy: &Proxy, sent: &Sent) -> String {
    let host = sent.host.clone().unwrap_or_else(|| proxy.address.to_string());
    let request = Request::new(sent.method, &sent.target, &[]).with_host(&host).with_scheme("http");
    let presigned = sent.signer().presign(request, Duration::from_secs(60), Timestamp::now()).expect("a URL");
    presigned.url().split_once(&host).expect("its host").1.to_owned()
}

/// Sends a request as it is, with these headers besides the host and the length.
fn send(proxy: &Proxy, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Got {
    let host = proxy.address;
    let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!(
        "{method} {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {}\r\n{lines}\r\n",
        body.len()
    );
    client::exchange(proxy.address, &[head.as_bytes(), body].concat())
}
