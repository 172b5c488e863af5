//! hyper 1 with `VerifyLayer`, without a framework: `cargo run --example hyper_server -- 127.0.0.1:3000`, with the
//! credentials that it accepts in `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`.

use std::convert::Infallible;
use std::error::Error;
use std::net::TcpListener;
use std::sync::Arc;

use countersign::tower::{Caller, Verified, VerifiedBody, VerifyLayer};
use countersign::{Credentials, ErrorFormat, Verifier};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tower::{ServiceBuilder, service_fn};

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
    let service = ServiceBuilder::new()
        .layer(VerifyLayer::new(verifier, look_up).error_format(format))
        .service(service_fn(handle));
    listener.set_nonblocking(true)?;
    tokio::runtime::Runtime::new()?.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        loop {
            let (stream, _) = listener.accept().await?;
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service.clone()));
            tokio::spawn(async { connection.await.inspect_err(|error| eprintln!("connection: {error}")) });
        }
    })
}

/// Says what was verified: who sent what.
async fn handle(request: Request<VerifiedBody<Incoming>>) -> std::result::Result<Response<String>, Infallible> {
    let (mut parts, mut body) = request.into_parts();
    // Only a layer with `allow_anonymous` passes on requests without it.
    let Some(verified) = parts.extensions.remove::<Verified>() else {
        return Ok(answer(StatusCode::FORBIDDEN, "not signed".into()));
    };
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        match frame {
            // A store writes this to a temporary file, and keeps the file only after the loop.
            Ok(frame) => length += frame.data_ref().map_or(0, |data| data.len()),
            // The layer replaces this answer by its own if the body isn't the signed one.
            Err(_) => return Ok(answer(StatusCode::BAD_REQUEST, String::new())),
        }
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let query = verified.query_pairs().map(|(name, value)| (text(&name), text(&value)));
    let query: Vec<_> = query.filter(|(name, _)| !name.starts_with("X-Amz-")).collect();
    let (id, method, path) = (verified.access_key_id(), verified.method(), verified.canonical_path());
    Ok(answer(StatusCode::OK, format!("{id}: {method} {path} {query:?} {length} bytes")))
}

fn answer(status: StatusCode, body: String) -> Response<String> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

fn main() -> Result<()> {
    let address = std::env::args().nth(1).ok_or("usage: hyper_server ADDRESS:PORT")?;
    let listener = TcpListener::bind(address)?;
    println!("listening on {}", listener.local_addr()?);
    serve(listener, vec![Credentials::from_env()?], "s3", ErrorFormat::S3Xml)
}
