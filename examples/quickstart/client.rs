//! Sends requests, and shows what goes out and what comes back.

use std::error::Error;
use std::time::Duration;

use ureq::http::{Request, header};

/// Headers that are worth showing.
const SHOWN: [&str; 5] =
    ["authorization", "content-type", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token"];

pub struct Answer {
    pub status: u16,
    pub body: String,
}

/// A client that follows no redirect: a signature is good for one host.
pub fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(Duration::from_secs(30)))
        .build()
        .new_agent()
}

pub fn send(agent: &ureq::Agent, request: Request<Vec<u8>>) -> Result<Answer, Box<dyn Error>> {
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
    // GET and HEAD have no body to this client.
    let mut response = if request.body().is_empty() && request.headers().get(header::CONTENT_LENGTH).is_none() {
        agent.run(request.map(|_| ()))?
    } else {
        agent.run(request)?
    };
    let answer = Answer { status: response.status().as_u16(), body: response.body_mut().read_to_string()? };
    println!("   < {} {}", answer.status, answer.body);
    Ok(answer)
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
