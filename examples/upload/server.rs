//! An example of a store: verifies the request, writes each chunk after its signature is verified, and makes a file
//! visible only after all of it is verified.

use std::future::poll_fn;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Router, extract};
use countersign::post_policy::PolicyError;
use countersign::streaming::{ChunkError, DecodedBody};
use countersign::{Credentials, ErrorFormat, Signer, Timestamp, Verifier, VerifyError};
use http_body::Body as _;

use crate::browser;

pub const REGION: &str = "us-east-1";
pub const SERVICE: &str = "s3";
pub const BUCKET: &str = "bucket";
const MOST_DISCARDED: usize = 1 << 30;

pub struct Store {
    folder: PathBuf,
    pub signer: Signer,
    pub verifier: Verifier,
    uploads: AtomicU64,
}

/// The reason an upload was not stored.
pub enum Refusal {
    Aws(Box<countersign::Refusal>),
    Other(String),
}

impl Store {
    /// Handles `PUT /bucket/KEY`: answers as AWS does, and stores the file only if the upload is verified.
    async fn put(&self, key: &str, request: Request) -> Result<usize, Refusal> {
        let (parts, mut body) = request.into_parts();
        let decoder = {
            let unverified = self.verifier.parse(&parts, Timestamp::now())?;
            let known = unverified.access_key_id() == self.signer.credentials().access_key_id();
            unverified.verify_head(known.then_some(self.signer.credentials()))?.chunk_decoder()?
        };
        let arriving = self.arriving(key)?;
        let written = write(&arriving.partial, DecodedBody::new(decoder, &mut body)).await;
        if written.is_ok() {
            arriving.keep()?;
        } else {
            discard(&mut body).await;
        }
        written
    }

    /// Returns the temporary and the final path of a file. A key can't lead out of the folder.
    pub fn arriving(&self, key: &str) -> Result<Arriving, Refusal> {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if key.is_empty() || key.starts_with('.') || !key.bytes().all(good) {
            return Err(Refusal::other("this store accepts keys of letters, digits, '.', '_' and '-'"));
        }
        let number = self.uploads.fetch_add(1, Ordering::Relaxed);
        Ok(Arriving { partial: self.folder.join(format!(".{number}.partial")), whole: self.folder.join(key) })
    }
}

/// A file that is being received. Each upload has its own temporary file, so that two uploads of the same key don't
/// mix. The temporary file is removed when dropped, also if the client disconnects.
pub struct Arriving {
    pub partial: PathBuf,
    whole: PathBuf,
}

impl Arriving {
    pub fn keep(&self) -> std::io::Result<()> {
        std::fs::rename(&self.partial, &self.whole)
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.partial);
    }
}

/// Reads the rest of the body: many clients read the response only after they have sent the whole request.
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
    let mut file = std::fs::File::create(path)?;
    let mut length = 0;
    // `http-body-util` has shorter ways to write this.
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let frame = frame.map_err(|error| match error.downcast::<ChunkError>() {
            Ok(error) => Refusal::from(*error),
            Err(error) => Refusal::other(error),
        })?;
        // Not data, but the trailers, whose checksum is already verified.
        let Ok(data) = frame.into_data() else { continue };
        length += data.len();
        file.write_all(&data)?;
    }
    Ok(length)
}

async fn handle_put(
    State(store): State<Arc<Store>>,
    extract::Path(key): extract::Path<String>,
    request: Request,
) -> Response {
    match store.put(&key, request).await {
        Ok(length) => format!("stored {length} bytes").into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

impl Refusal {
    pub fn other(error: impl ToString) -> Self {
        Self::Other(error.to_string())
    }
}

impl From<VerifyError> for Refusal {
    fn from(error: VerifyError) -> Self {
        Self::Aws(Box::new(error.refusal(ErrorFormat::S3Xml)))
    }
}

impl From<ChunkError> for Refusal {
    fn from(error: ChunkError) -> Self {
        Self::Aws(Box::new(error.refusal(ErrorFormat::S3Xml)))
    }
}

impl From<PolicyError> for Refusal {
    fn from(error: PolicyError) -> Self {
        Self::Aws(Box::new(error.refusal(ErrorFormat::S3Xml)))
    }
}

impl From<std::io::Error> for Refusal {
    fn from(error: std::io::Error) -> Self {
        Self::other(error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Aws(refusal) => {
                let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::FORBIDDEN);
                (status, [(header::CONTENT_TYPE, refusal.content_type())], refusal.body("")).into_response()
            }
            Self::Other(error) => (StatusCode::BAD_REQUEST, error).into_response(),
        }
    }
}

/// Starts the store on a free port of the loopback interface. It runs until the program exits.
pub fn start(folder: PathBuf, credentials: Credentials) -> Result<SocketAddr, Box<dyn std::error::Error>> {
    let (signer, verifier) = (Signer::new(credentials, REGION, SERVICE)?, Verifier::new(REGION, SERVICE)?);
    let store = Arc::new(Store { folder, signer, verifier, uploads: AtomicU64::new(0) });
    let app = Router::new()
        .route("/", get(browser::page))
        // The fields of a form are read before anything is verified.
        .route("/bucket", post(browser::post).layer(DefaultBodyLimit::max(browser::MOST_OF_FORM)))
        // The length of a chunked body is signed.
        .route("/bucket/{key}", put(handle_put).layer(DefaultBodyLimit::disable()))
        .with_state(store);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || runtime.block_on(async { axum::serve(listener, app).await }));
    Ok(address)
}
