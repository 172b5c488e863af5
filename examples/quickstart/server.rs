//! A small API, similar to one on API Gateway: a public route, and routes that require a signature.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header, request};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use countersign::{Credentials, ErrorFormat, Timestamp, VerifiedRequest, Verifier, VerifyError};

pub const REGION: &str = "us-east-1";
pub const SERVICE: &str = "execute-api";
const MOST_BODY: usize = 1024 * 1024;

/// The verifier and the credentials of the protected routes.
struct Guard {
    verifier: Verifier,
    keys: Vec<Credentials>,
}

impl Guard {
    fn check(&self, parts: &request::Parts, body: &[u8]) -> Result<VerifiedRequest<'static>, VerifyError> {
        let unverified = self.verifier.parse(parts, Timestamp::now())?;
        let found = self.look_up(unverified.access_key_id(), unverified.session_token());
        Ok(unverified.with_body(body).verify(found)?.into_owned())
    }

    /// Looks up credentials. A real server queries a database, and checks that access key id and session token belong
    /// together.
    fn look_up(&self, access_key_id: &str, _session_token: Option<&str>) -> Option<&Credentials> {
        self.keys.iter().find(|credentials| credentials.access_key_id() == access_key_id)
    }
}

async fn only_signed(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MOST_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    match guard.check(&parts, &body) {
        Ok(verified) => {
            let mut request = Request::from_parts(parts, Body::from(body));
            request.extensions_mut().insert(verified); // for the handlers
            next.run(request).await
        }
        Err(error) => refusal(&error),
    }
}

/// Returns the response that API Gateway would give.
fn refusal(error: &VerifyError) -> Response {
    let format = ErrorFormat::RestJson;
    let status = StatusCode::from_u16(error.refusal(format).status()).unwrap_or(StatusCode::FORBIDDEN);
    let headers =
        [(header::CONTENT_TYPE.as_str(), format.content_type()), ("x-amzn-errortype", error.refusal(format).code())];
    (status, headers, error.refusal(format).body("")).into_response()
}

async fn get_list(Extension(verified): Extension<VerifiedRequest<'static>>) -> String {
    let id = verified.access_key_id();
    format!(r#"{{"items":["hammer","nails"],"caller":"{id}"}}"#)
}

async fn add_item(Extension(verified): Extension<VerifiedRequest<'static>>, item: String) -> String {
    let id = verified.access_key_id();
    format!(r#"{{"added":{item},"caller":"{id}"}}"#)
}

/// Starts the API on a free port of the loopback interface. It runs until the program exits.
pub fn start(keys: Vec<Credentials>) -> Result<SocketAddr, Box<dyn std::error::Error>> {
    let guard = Arc::new(Guard { verifier: Verifier::new(REGION, SERVICE)?.echo_computed(), keys });
    let api = Router::new()
        .route("/dev/get-list", get(get_list))
        .route("/dev/items", post(add_item))
        .layer(from_fn_with_state(guard, only_signed))
        .route("/dev/status", get(|| async { r#"{"status":"up"}"# }));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || runtime.block_on(async { axum::serve(listener, api).await }));
    Ok(address)
}
