//! Sends requests, and prints each request and response.

use std::error::Error;
use std::time::Duration;

use countersign::explain::{Explanation, Sent};
use ureq::http::{Method, Request};

/// The headers to print.
const SHOWN: [&str; 5] =
    ["authorization", "content-type", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token"];

pub struct Answer {
    pub status: u16,
    pub body: String,
    /// Explains the refusal, if the request was refused.
    pub explanation: Option<Explanation>,
}

/// Returns a client that doesn't follow redirects, since a signature is valid for one host only. It uses the
/// environment's proxy, except for loopback.
pub fn agent(host: &str) -> ureq::Agent {
    let proxy = if host == "127.0.0.1" { None } else { ureq::Proxy::try_from_env() };
    ureq::Agent::config_builder()
        .proxy(proxy)
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(Duration::from_secs(30)))
        .build()
        .new_agent()
}

/// Sends a request and explains a refusal. `sent` is what is known about the request.
pub fn send(agent: &ureq::Agent, request: Request<Vec<u8>>, sent: Sent) -> Result<Answer, Box<dyn Error>> {
    println!("   > {} {}", request.method(), shortened_url(&request.uri().to_string()));
    for name in SHOWN {
        if let Some(value) = request.headers().get(name) {
            let value = String::from_utf8_lossy(value.as_bytes());
            println!(
                "   > {name}: {}",
                if name == "x-amz-security-token" { short(&value) } else { without_signature(&value) }
            );
        }
    }
    if !request.body().is_empty() {
        println!("   > {}", String::from_utf8_lossy(request.body()));
    }
    // ureq sends GET and HEAD without a body.
    let without_body = request.body().is_empty() && [Method::GET, Method::HEAD].contains(request.method());
    let response = if without_body { agent.run(request.map(|_| ()))? } else { agent.run(request)? };
    let (parts, mut body) = response.into_parts();
    let response = ureq::http::Response::from_parts(parts, body.read_to_string()?);
    println!("   < {} {}", response.status().as_u16(), without_echo(response.body()));
    let explanation = (!response.status().is_success()).then(|| Explanation::from_http_response(&response, sent));
    if let Some(explanation) = &explanation {
        println!("   Why: {}", explanation.to_string().replace('\n', "\n   "));
    }
    Ok(Answer { status: response.status().as_u16(), body: response.into_body(), explanation })
}

/// Omits the canonical request that the response to a mismatch contains. The explanation uses it.
fn without_echo(body: &str) -> String {
    match body.split_once("\\n\\nThe Canonical String") {
        Some((before, _)) => format!("{before} …"),
        None => body.into(),
    }
}

fn short(text: &str) -> String {
    format!("{}…", text.chars().take(8).collect::<String>())
}

fn without_signature(value: &str) -> String {
    match value.split_once("Signature=") {
        Some((before, signature)) => format!("{before}Signature={}", short(signature)),
        None => value.into(),
    }
}

fn shortened_url(url: &str) -> String {
    let pieces: Vec<String> = url
        .split('&')
        .map(|piece| match piece.split_once('=') {
            Some((name @ ("X-Amz-Signature" | "X-Amz-Security-Token"), value)) => format!("{name}={}", short(value)),
            _ => piece.into(),
        })
        .collect();
    pieces.join("&")
}
