//! A store as a server of one's own might be: it verifies the request, then writes each chunk once its signature is
//! checked, and shows a file only after all of it was.

use std::future::poll_fn;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::put;
use axum::{Router, extract};
use countersign::streaming::DecodedBody;
use countersign::{Credentials, Dialect, Presented, Timestamp, Verifier, VerifyError};
use http_body::Body as _;

pub const REGION: &str = "us-east-1";
pub const SERVICE: &str = "s3";
const MOST_DISCARDED: usize = 1 << 30;

struct Store {
    folder: PathBuf,
    credentials: Credentials,
    verifier: Verifier,
}

/// Why nothing was stored.
enum Refusal {
    Signature(VerifyError),
    Io(std::io::Error),
}

impl Store {
    /// `PUT /bucket/KEY`: what AWS would answer, and a file in the folder only if the answer is good.
    async fn put(&self, key: &str, request: Request) -> Result<usize, Refusal> {
        let (parts, mut body) = request.into_parts();
        let decoder = {
            let presented = Presented::parse(&parts).map_err(Refusal::Signature)?;
            let known = presented.access_key_id() == self.credentials.access_key_id();
            let key = presented.derive_key(known.then_some(&self.credentials));
            let verified = self.verifier.verify(presented, &key, Timestamp::now()).map_err(Refusal::Signature)?;
            verified.chunk_decoder().map_err(Refusal::Signature)?
        };
        let partial = self.folder.join(format!("{key}.partial"));
        let written = write(&partial, DecodedBody::new(decoder, &mut body)).await;
        if written.is_ok() {
            std::fs::rename(&partial, self.folder.join(key)).map_err(Refusal::Io)?;
        } else {
            drop(std::fs::remove_file(&partial));
            discard(&mut body).await;
        }
        written
    }
}

/// Many clients read the answer only when they have sent everything.
async fn discard(body: &mut Body) {
    let mut left = MOST_DISCARDED;
    while let Some(Ok(frame)) = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await {
        left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
        if left == 0 {
            break;
        }
    }
}

async fn write(path: &Path, mut body: DecodedBody<&mut Body>) -> Result<usize, Refusal> {
    let mut file = std::fs::File::create(path).map_err(Refusal::Io)?;
    let mut length = 0;
    // `http-body-util` has shorter words for this.
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let frame = frame.map_err(|error| match error.downcast::<VerifyError>() {
            Ok(error) => Refusal::Signature(*error),
            Err(error) => Refusal::Io(std::io::Error::other(error)),
        })?;
        // Not data: the trailers, whose checksum was compared.
        let Ok(data) = frame.into_data() else { continue };
        length += data.len();
        file.write_all(&data).map_err(Refusal::Io)?;
    }
    Ok(length)
}

async fn handle(
    State(store): State<Arc<Store>>,
    extract::Path(key): extract::Path<String>,
    request: Request,
) -> Response {
    match store.put(&key, request).await {
        Ok(length) => (StatusCode::OK, format!("stored {length} bytes")).into_response(),
        Err(Refusal::Signature(error)) => {
            let dialect = Dialect::S3Xml;
            let status = StatusCode::from_u16(error.status(dialect)).unwrap_or(StatusCode::FORBIDDEN);
            (status, [(header::CONTENT_TYPE, dialect.content_type())], error.body(dialect, "")).into_response()
        }
        Err(Refusal::Io(error)) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// Starts the store on a free port of the loopback interface; it ends with the program.
pub fn start(folder: PathBuf, credentials: Credentials) -> std::io::Result<SocketAddr> {
    let store = Arc::new(Store { folder, credentials, verifier: Verifier::new(REGION, SERVICE) });
    let app = Router::new().route("/bucket/{key}", put(handle)).with_state(store);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || runtime.block_on(async { axum::serve(listener, app).await }));
    Ok(address)
}
