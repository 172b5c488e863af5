//! axum with `VerifyLayer`: `cargo run --example axum_server -- 127.0.0.1:3000`, with the credentials that it accepts in
//! `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`.

use std::convert::Infallible;
use std::error::Error;
use std::net::TcpListener;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Extension;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Router, routing};
use countersign::tower::{Caller, Verified, VerifyLayer};
use countersign::{Credentials, ErrorFormat, Verifier};
use http_body_util::BodyExt;

pub type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

pub fn serve(listener: TcpListener, keys: Vec<Credentials>, service: &str, format: ErrorFormat) -> Result<()> {
    // `echo_computed`: a refusal contains what this server computed, for the explanation of the client.
    let verifier = Verifier::new("us-east-1", service)?.echo_computed();
    let keys = Arc::new(keys);
    let look_up = move |caller: Caller| {
        // In a database, look for the session token, too. Here, the verifier compares it with that of the credentials.
        let found = keys.iter().find(|known| known.access_key_id() == caller.access_key_id()).cloned();
        async { Ok::<_, Infallible>(found) } // an error is answered with status 503
    };
    let app = Router::new()
        .route("/files/{key}", routing::get(handle).put(handle))
        .route("/items", routing::post(handle))
        .layer(VerifyLayer::new(verifier, look_up).error_format(format));
    listener.set_nonblocking(true)?;
    tokio::runtime::Runtime::new()?
        .block_on(async { Ok(axum::serve(tokio::net::TcpListener::from_std(listener)?, app).await?) })
}

/// Says what was verified: who sent what.
async fn handle(Extension(verified): Extension<Verified>, mut body: Body) -> Response {
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        match frame {
            // A store writes this to a temporary file, and keeps the file only after the loop.
            Ok(frame) => length += frame.data_ref().map_or(0, |data| data.len()),
            // The layer replaces this answer by its own if the body isn't the signed one.
            Err(_) => return StatusCode::BAD_REQUEST.into_response(),
        }
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let query = verified.query_pairs().map(|(name, value)| (text(&name), text(&value)));
    let query: Vec<_> = query.filter(|(name, _)| !name.starts_with("X-Amz-")).collect();
    let (id, method, path) = (verified.access_key_id(), verified.method(), verified.canonical_path());
    format!("{id}: {method} {path} {query:?} {length} bytes").into_response()
}

fn main() -> Result<()> {
    let address = std::env::args().nth(1).ok_or("usage: axum_server ADDRESS:PORT")?;
    let listener = TcpListener::bind(address)?;
    println!("listening on {}", listener.local_addr()?);
    serve(listener, vec![Credentials::from_env()?], "s3", ErrorFormat::S3Xml)
}
