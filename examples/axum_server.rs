//! A server with axum: an extractor for the verified caller, and a route for everyone.
//!
//! ```text
//! cargo run --example axum_server                calls the server signed, unsigned and with a changed body
//! cargo run --example axum_server -- --serve     listens on http://127.0.0.1:8080
//! ```

use std::error::Error;
use std::process::ExitCode;

use axum::Router;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use countersign::tower::{Caller, Verified, VerifyLayer};
use countersign::{Credentials, ErrorFormat, Signer, Timestamp, Verifier, VerifyError};
use http::request::Parts;

const ID: &str = "AKIDEXAMPLE";
const SECRET: &str = "an-example-known-to-everyone";

/// Whoever signed the request. A handler with this argument is called only for signed requests.
struct SignedBy(Verified);

impl<S: Sync> FromRequestParts<S> for SignedBy {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let verified = parts.extensions.get::<Verified>().cloned();
        verified.map(Self).ok_or_else(|| {
            let refusal = VerifyError::MissingAuthentication.refusal(ErrorFormat::RestJson);
            let status = http::StatusCode::from_u16(refusal.status()).unwrap_or(http::StatusCode::FORBIDDEN);
            (status, [("content-type", refusal.content_type())], refusal.body("")).into_response()
        })
    }
}

async fn store(SignedBy(caller): SignedBy, body: String) -> String {
    // The path that was signed; not that of the request, which a router may have changed.
    format!("{} stored {} bytes at {}", caller.access_key_id(), body.len(), caller.canonical_path())
}

/// A real server asks its database for the access key id and the session token.
async fn look_up(caller: Caller) -> Result<Option<Credentials>, std::convert::Infallible> {
    let is_known = caller.access_key_id() == ID && caller.session_token().is_none();
    Ok(if is_known { Credentials::new(ID, SECRET).ok() } else { None })
}

fn app() -> Result<Router, Box<dyn Error>> {
    // Without `allow_anonymous`, every route needs a signature.
    let layer = VerifyLayer::new(Verifier::new("us-east-1", "execute-api")?, look_up).allow_anonymous();
    Ok(Router::new().route("/health", get("healthy")).route("/items/{name}", put(store)).layer(layer))
}

/// Sends a request, and prints the response.
fn call(title: &str, request: http::Request<&'static str>) -> Result<(u16, String), Box<dyn Error>> {
    let agent = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().new_agent();
    let mut response = agent.run(request)?;
    let (status, body) = (response.status().as_u16(), response.body_mut().read_to_string()?);
    println!("{title:<16} {status} {body}");
    Ok((status, body))
}

fn calls(server: &str) -> Result<bool, Box<dyn Error>> {
    let signer = Signer::new(Credentials::new(ID, SECRET)?, "us-east-1", "execute-api")?;
    let item = || http::Request::put(format!("{server}/items/first")).body("the item");
    let mut signed = item()?;
    signer.sign_http(&mut signed, Timestamp::now())?;
    let changed = signed.clone().map(|_| "another!");

    let health = call("public route:", http::Request::get(format!("{server}/health")).body("")?)?;
    let stored = call("signed:", signed)?;
    let unsigned = call("unsigned:", item()?)?;
    let changed = call("changed body:", changed)?;
    let answers = [health.0, stored.0, unsigned.0, changed.0];
    Ok(answers == [200, 200, 403, 403] && stored.1 == "AKIDEXAMPLE stored 8 bytes at /items/first")
}

fn run(port: u16, serves: bool) -> Result<bool, Box<dyn Error>> {
    let runtime = tokio::runtime::Runtime::new()?;
    let listener = runtime.block_on(tokio::net::TcpListener::bind(("127.0.0.1", port)))?;
    let server = format!("http://{}", listener.local_addr()?);
    let app = app()?;
    if serves {
        println!("listening on {server}; the access key is {ID}, its secret {SECRET}");
        runtime.block_on(async { axum::serve(listener, app).await })?;
        return Ok(true);
    }
    runtime.spawn(async { axum::serve(listener, app).await });
    calls(&server)
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => run(0, false),
        ["--serve"] => run(8080, true),
        _ => {
            eprintln!("usage: axum_server [--serve]");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("a call was not answered as expected");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
