//! The result, as text or JSON. The right signature is in none of what the library returns.

use countersign::explain::Diagnosis;
use countersign::streaming::ChunkError;
use countersign::{Request, SignedPayload, Timestamp, VerifiedHead, VerifyError};
use serde_json::{Value, json};

use super::body::Decoded;
use crate::failure::Failure;
use crate::output::{Output, Style, printable};
use crate::time;

/// How the result is printed, and what has to be said with it.
pub struct Report {
    pub notes: Vec<String>,
    pub now: Timestamp,
    pub json: bool,
    pub verbose: bool,
}

/// What was signed.
pub struct Accepted {
    access_key_id: String,
    has_token: bool,
    scope: String,
    region_set: Option<String>,
    signed_at: Timestamp,
    is_presigned: bool,
    method: String,
    host: String,
    path: String,
    signed_headers: Vec<String>,
    /// Headers that arrived, and that anyone could have added.
    other_headers: Vec<String>,
    body: String,
}

/// The first check that failed.
pub struct Refused {
    check: u8,
    error: String,
    /// The canonical request and the string to sign that were computed, redacted.
    computed: Option<(String, String)>,
    pub signer: Option<Diagnosis>,
    /// If the access key is unknown: the one of the credentials that were given.
    pub own_access_key_id: Option<String>,
}

impl Accepted {
    pub fn of(head: &VerifiedHead<'_>, headers: &[(String, Vec<u8>)], decoded: Option<Decoded>) -> Self {
        let signed_headers: Vec<String> = head.signed_headers().map(str::to_owned).collect();
        let mut other_headers: Vec<String> = headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
        other_headers.retain(|name| name != "authorization" && !signed_headers.contains(name));
        other_headers.sort();
        other_headers.dedup();
        Self {
            access_key_id: head.access_key_id().to_owned(),
            has_token: head.session_token().is_some(),
            scope: head.scope().to_string(),
            region_set: head.region_set().map(str::to_owned),
            signed_at: head.timestamp(),
            is_presigned: head.is_presigned(),
            method: head.method().to_owned(),
            host: head.host().to_owned(),
            path: head.canonical_path(),
            signed_headers,
            other_headers,
            body: body(head.payload(), decoded),
        }
    }
}

fn body(payload: SignedPayload, decoded: Option<Decoded>) -> String {
    let Some(Decoded { length, trailers }) = decoded else {
        return match payload {
            SignedPayload::Unsigned => "not signed; any body is accepted".into(),
            _ => "matches the signed SHA-256".into(),
        };
    };
    let trailers = if trailers.is_empty() { String::new() } else { format!(", with {}", trailers.join(", ")) };
    match payload.is_unsigned() {
        true => format!("{length} bytes in chunks that are not signed{trailers}"),
        false => format!("{length} bytes; the signature of each chunk matches{trailers}"),
    }
}

impl Refused {
    pub fn of(error: &VerifyError, request: Request<'_>) -> Self {
        let computed = match error {
            VerifyError::SignatureMismatch { computed: Some(computed) } => {
                Some((computed.canonical_request().to_owned(), computed.string_to_sign().to_owned()))
            }
            _ => None,
        };
        Self {
            check: error.check_number(request),
            error: error.to_string(),
            computed,
            signer: None,
            own_access_key_id: None,
        }
    }

    pub fn of_body(check: u8, error: &ChunkError) -> Self {
        Self { check, error: error.to_string(), computed: None, signer: None, own_access_key_id: None }
    }
}

impl Report {
    pub fn accepted(&self, accepted: &Accepted) -> Result<(), Failure> {
        let output = Output::new();
        if self.json {
            return output.print(&format!("{:#}\n", self.accepted_json(accepted)));
        }
        let token = if accepted.has_token { ", with a session token" } else { "" };
        let presigned = if accepted.is_presigned { ", in the query" } else { "" };
        let regions = accepted.region_set.as_ref().map(|set| format!(", region set {set}")).unwrap_or_default();
        let list = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let rows = [
            ("caller", format!("{}{token}", accepted.access_key_id)),
            ("scope", format!("{}{regions}{presigned}", accepted.scope)),
            ("signed at", format!("{}, {}", accepted.signed_at, self.age(accepted.signed_at))),
            ("request", format!("{} {} on {}", accepted.method, accepted.path, accepted.host)),
            ("signed headers", list(&accepted.signed_headers)),
            ("other headers", format!("{} (not signed: anyone could have added them)", list(&accepted.other_headers))),
            ("body", accepted.body.clone()),
        ];
        let mut text = format!("{}\n", output.style_out(Style::Green, "accepted"));
        for (name, value) in rows.iter().filter(|row| row.0 != "other headers" || !accepted.other_headers.is_empty()) {
            text.push_str(&format!("  {name:<15} {}\n", printable(value)));
        }
        output.print(&(text + &self.notes()))
    }

    fn accepted_json(&self, accepted: &Accepted) -> Value {
        json!({
            "accepted": true,
            "access_key_id": accepted.access_key_id,
            "has_session_token": accepted.has_token,
            "scope": accepted.scope,
            "region_set": accepted.region_set,
            "signed_at": accepted.signed_at.to_string(),
            "age_seconds": self.now.unix_seconds() - accepted.signed_at.unix_seconds(),
            "presigned": accepted.is_presigned,
            "method": accepted.method,
            "host": accepted.host,
            "path": accepted.path,
            "signed_headers": accepted.signed_headers,
            "other_headers": accepted.other_headers,
            "body": accepted.body,
            "notes": self.notes,
        })
    }

    /// How long before the time of the server the request was signed.
    fn age(&self, signed: Timestamp) -> String {
        let seconds = self.now.unix_seconds() - signed.unix_seconds();
        let side = if seconds < 0 { "after" } else { "before" };
        format!("{} {side} {}", time::duration(seconds.unsigned_abs()), self.now)
    }

    pub fn refused(&self, refused: &Refused) -> Result<(), Failure> {
        let output = Output::new();
        let Refused { check, error, computed, signer, own_access_key_id } = refused;
        if self.json {
            let computed = computed.as_ref().filter(|_| self.verbose).map(|(canonical_request, string_to_sign)| {
                json!({ "canonical_request": canonical_request, "string_to_sign": string_to_sign })
            });
            let value = json!({
                "accepted": false,
                "check": check,
                "error": error,
                "computed": computed,
                "signer": signer.as_ref().map(crate::commands::explain::diagnosis_as_json),
                "notes": self.notes,
            });
            return output.print(&format!("{value:#}\n"));
        }
        let mut text = format!("{} by check {check}: {}\n", output.style_out(Style::Red, "refused"), printable(error));
        if let Some(id) = own_access_key_id {
            text.push_str(&format!("the credentials that were given are those of {id:?}\n"));
        }
        if let Some(signer) = signer {
            text.push_str(&format!("{}\n", printable(&crate::commands::explain::diagnosis_as_text(signer))));
        }
        match computed {
            Some((canonical_request, string_to_sign)) if self.verbose => {
                for (name, computed) in [("canonical request", canonical_request), ("string to sign", string_to_sign)] {
                    text.push_str(&format!("the {name} that was computed:\n"));
                    printable(computed).split('\n').for_each(|line| text.push_str(&format!("  {line}\n")));
                }
            }
            Some(_) => text.push_str("With -v, the canonical request and the string to sign are printed.\n"),
            None => {}
        }
        output.print(&(text + &self.notes()))
    }

    fn notes(&self) -> String {
        self.notes.iter().map(|note| format!("note: {}\n", printable(note))).collect()
    }
}
