//! actix-web 4, whose requests are not those of `http` 1, so they are verified by their parts: `cargo run --example
//! actix_server -- 127.0.0.1:3000`, with the credentials that it accepts in `AWS_ACCESS_KEY_ID`,
//! `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`.

use std::error::Error;
use std::net::TcpListener;

use actix_web::error::PayloadError;
use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, rt, web};
use countersign::streaming::ChunkError;
use countersign::{
    Credentials, ErrorFormat, Refusal, Request, SignedPayload, Timestamp, VerifiedHead, Verifier, VerifyError,
};
use futures_util::TryStreamExt;

pub type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const MAX_BODY_BYTES: usize = 10 << 20;

struct Guard {
    verifier: Verifier,
    keys: Vec<Credentials>,
    format: ErrorFormat,
}

pub fn serve(listener: TcpListener, keys: Vec<Credentials>, service: &str, format: ErrorFormat) -> Result<()> {
    // `echo_computed`: a refusal contains what this server computed, for the explanation of the client.
    let verifier = Verifier::new("us-east-1", service)?.echo_computed();
    let guard = web::Data::new(Guard { verifier, keys, format });
    let app = move || {
        App::new()
            .app_data(guard.clone())
            .service(web::resource("/files/{key}").route(web::get().to(handle)).route(web::put().to(handle)))
            .service(web::resource("/items").route(web::post().to(handle)))
    };
    let server = HttpServer::new(app).workers(2).disable_signals().listen(listener)?.run();
    Ok(rt::System::new().block_on(server)?)
}

/// Says what was verified: who sent what.
async fn handle(request: HttpRequest, body: web::Payload, guard: web::Data<Guard>) -> HttpResponse {
    let (verified, length) = match verify(&request, body, &guard).await {
        Ok(verified) => verified,
        Err(error) => return error.answer(guard.format),
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let query = verified.query_pairs().map(|(name, value)| (text(&name), text(&value)));
    let query: Vec<_> = query.filter(|(name, _)| !name.starts_with("X-Amz-")).collect();
    let (id, method, path) = (verified.access_key_id(), verified.method(), verified.canonical_path());
    HttpResponse::Ok().body(format!("{id}: {method} {path} {query:?} {length} bytes"))
}

/// Verifies a request and its whole body. Returns what was signed, and the length of the body.
async fn verify(
    request: &HttpRequest,
    mut body: web::Payload,
    guard: &Guard,
) -> std::result::Result<(VerifiedHead<'static>, usize), Refused> {
    let headers: Vec<(&str, &[u8])> =
        request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    // The URI is what was sent. `request.path()` is decoded in part.
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    let mut arrived = Request::new(request.method().as_str(), target, &headers);
    // HTTP/2 has it instead of the Host header.
    if let Some(authority) = request.uri().authority() {
        arrived = arrived.with_host(authority.as_str());
    }
    let unverified = guard.verifier.parse(arrived, Timestamp::now())?;
    // In a database, look for the session token, too. Here, the verifier compares it with that of the credentials.
    let found = guard.keys.iter().find(|known| known.access_key_id() == unverified.access_key_id());

    match unverified.clone().verify_head(found) {
        Ok(head) if matches!(head.payload(), SignedPayload::Streaming(_)) => {
            let (mut decoder, mut length) = (head.chunk_decoder()?, 0);
            while let Some(bytes) = body.try_next().await? {
                // A store writes this to a temporary file, and keeps the file only after `finish`.
                decoder.push(&bytes, |data| length += data.len())?;
            }
            decoder.finish()?;
            Ok((head.into_owned(), length))
        }
        // If the hash of the body is in no header, the signature can't be verified before the body has arrived.
        Ok(_) | Err(VerifyError::BodyNeeded) => {
            let body = body.to_bytes_limited(MAX_BODY_BYTES).await.map_err(|_| PayloadError::Overflow)??;
            let verified = unverified.with_body(&body).verify(found)?;
            Ok(((*verified).clone().into_owned(), body.len()))
        }
        Err(error) => Err(error.into()),
    }
}

enum Refused {
    Verify(VerifyError),
    Chunk(ChunkError),
    /// The body is too large, or could not be read.
    Body(actix_web::Error),
}

impl Refused {
    fn answer(self, format: ErrorFormat) -> HttpResponse {
        let refusal: Refusal = match self {
            Self::Verify(error) => error.refusal(format),
            Self::Chunk(error) => error.refusal(format),
            Self::Body(error) => return error.error_response(),
        };
        let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::FORBIDDEN);
        HttpResponse::build(status).content_type(refusal.content_type()).body(refusal.body(""))
    }
}

impl From<VerifyError> for Refused {
    fn from(error: VerifyError) -> Self {
        Self::Verify(error)
    }
}

impl From<ChunkError> for Refused {
    fn from(error: ChunkError) -> Self {
        Self::Chunk(error)
    }
}

impl From<PayloadError> for Refused {
    fn from(error: PayloadError) -> Self {
        Self::Body(error.into())
    }
}

impl From<actix_web::Error> for Refused {
    fn from(error: actix_web::Error) -> Self {
        Self::Body(error)
    }
}

fn main() -> Result<()> {
    let address = std::env::args().nth(1).ok_or("usage: actix_server ADDRESS:PORT")?;
    let listener = TcpListener::bind(address)?;
    println!("listening on {}", listener.local_addr()?);
    serve(listener, vec![Credentials::from_env()?], "s3", ErrorFormat::S3Xml)
}
