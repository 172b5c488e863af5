//! The page with the upload form, and the handler for the submitted form.

use std::io::Write;
use std::sync::Arc;

use axum::extract::State;
use axum::extract::multipart::{Field, Multipart};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use countersign::Timestamp;
use countersign::post_policy::Policy;

use crate::server::{BUCKET, Refusal, Store};

/// The maximum size of an uploaded file, in bytes.
pub const MOST: u64 = 1 << 20;
/// The maximum size of a form, in bytes. It exceeds `MOST`, so that a file too large for the policy gets the right
/// error.
pub const MOST_OF_FORM: usize = 2 << 20;
const VALID_SECONDS: i64 = 600;

/// Returns a page that can upload one image of at most 1 MiB within ten minutes, and nothing else.
pub async fn page(State(store): State<Arc<Store>>) -> Response {
    let now = Timestamp::now();
    let policy = Policy::new(BUCKET, now.saturating_add(VALID_SECONDS))
        .with_field("key", "${filename}")
        .with_field("success_action_status", "201")
        .with_starts_with("Content-Type", "image/")
        .with_content_length(1..=MOST);
    match store.signer.sign_post_policy(&policy, now) {
        Ok(form) => Html(format!(
            "<!doctype html>\n<meta charset=\"utf-8\">\n<title>Upload</title>\n\
             <h1>Upload an image</h1>\n\
             <form action=\"/{BUCKET}\" method=\"post\" enctype=\"multipart/form-data\">\n{}\
             <label>Type <input name=\"Content-Type\" value=\"image/jpeg\"></label>\n\
             <label>File, at most {} KiB <input type=\"file\" name=\"file\" accept=\"image/*\" required></label>\n\
             <button>Upload</button>\n</form>\n",
            form.hidden_inputs(),
            MOST / 1024,
        ))
        .into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// Handles `POST /bucket`: the fields, then the file. Anything after the file is ignored.
pub async fn post(State(store): State<Arc<Store>>, mut form: Multipart) -> Response {
    let stored = async {
        let mut fields: Vec<(String, String)> = Vec::new();
        while let Some(field) = form.next_field().await.map_err(Refusal::other)? {
            let name = field.name().unwrap_or_default().to_owned();
            if name.eq_ignore_ascii_case("file") {
                return store_file(&store, &fields, field).await;
            }
            fields.push((name, field.text().await.map_err(Refusal::other)?));
        }
        Err(Refusal::other("the form has no file"))
    };
    let stored = stored.await;
    // Many clients read the response only after they have sent the whole request.
    while let Ok(Some(_)) = form.next_field().await {}
    match stored {
        Ok(length) => (StatusCode::CREATED, format!("stored {length} bytes")).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

async fn store_file(store: &Store, fields: &[(String, String)], mut file: Field<'_>) -> Result<u64, Refusal> {
    let fields = fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let unverified = store.verifier.parse_form(BUCKET, fields, Timestamp::now())?;
    let unverified = unverified.with_file_name(file.file_name().unwrap_or_default())?;
    let known = unverified.access_key_id() == store.signer.credentials().access_key_id();
    let verified = unverified.verify(known.then_some(store.signer.credentials()))?;
    let arriving = store.arriving(verified.field("key").unwrap_or_default())?;

    let mut length = 0;
    let mut to = std::fs::File::create(&arriving.partial)?;
    while let Some(piece) = file.chunk().await.map_err(Refusal::other)? {
        length += piece.len() as u64;
        // No more is written than the policy allows.
        if length <= *verified.file_length().end() {
            to.write_all(&piece)?;
        }
    }
    verified.check_file_length(length)?;
    arriving.keep()?;
    Ok(length)
}
