//! A request with all stages of its signature, in both directions.

use std::time::Duration;

use countersign::{
    Credentials, Payload, Rules, Signature, Signer, SigningKey, StreamingPayload, Timestamp, UnsignedPayload, Verifier,
    VerifyError,
};
use serde::Deserialize;

use super::wire::{Wire, split_url};
use super::{Difference, Remark, Remarks, Request, same};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plain {
    pub id: String,
    #[serde(flatten)]
    _remarks: Remarks,
    #[serde(default, rename = "base")]
    _base: Remark,
    #[serde(default, rename = "aws")]
    _aws: Remark,
    #[serde(default, rename = "format")]
    _format: Remark,
    #[serde(default, rename = "reason")]
    _reason: Remark,
    #[serde(default, rename = "policy")]
    _policy: Remark,
    pub request: Request,
    pub context: Context,
    pub expect: Expect,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
pub struct Context {
    access_key: String,
    secret_key: String,
    #[serde(default)]
    session_token: Option<String>,
    pub region: String,
    pub service: String,
    pub timestamp: String,
    pub location: Location,
    pub normalize_path: bool,
    pub double_encode: bool,
    /// Seconds.
    #[serde(default)]
    pub expires: Option<u64>,
    pub payload: String,
    #[serde(default)]
    omit_session_token: bool,
    #[serde(default)]
    algorithm: Option<String>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Location {
    Header,
    Query,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    pub canonical_request: String,
    pub string_to_sign: String,
    pub signature: String,
    pub signed_headers: String,
    pub authorization: Option<String>,
    pub query: Option<String>,
}

pub const HMAC: &str = "AWS4-HMAC-SHA256";
pub const SIGV4A: &str = "AWS4-ECDSA-P256-SHA256";

impl Context {
    pub fn is_sigv4a(&self) -> bool {
        self.algorithm.as_deref() == Some(SIGV4A)
    }

    pub fn credentials(&self, id: &str) -> Result<Credentials, Box<Difference>> {
        let unusable =
            |error: countersign::CredentialsError| Difference::new(id, "credentials", "credentials", error.to_string());
        let credentials = Credentials::new(&self.access_key, &self.secret_key).map_err(unusable)?;
        match &self.session_token {
            Some(token) => credentials.with_session_token(token).map_err(unusable),
            None => Ok(credentials),
        }
    }

    pub fn timestamp(&self, id: &str) -> Result<Timestamp, Box<Difference>> {
        self.timestamp
            .parse()
            .map_err(|error| Difference::new(id, "context.timestamp", "a timestamp", format!("{error}")))
    }
}

/// Switches off what is stricter than AWS.
pub fn as_lenient_as_aws(verifier: Verifier) -> Verifier {
    verifier.accept_dot_segments().accept_repeated_headers()
}

impl Plain {
    pub fn new(id: &str, request: Request, context: Context, expect: Expect) -> Self {
        Self {
            id: id.into(),
            _remarks: Remarks::default(),
            _base: None,
            _aws: None,
            _format: None,
            _reason: None,
            _policy: None,
            request,
            context,
            expect,
        }
    }

    pub fn run(&self) -> Result<(), Box<Difference>> {
        let id = &self.id;
        let arrived = match self.context.location {
            Location::Header => self.sign()?,
            Location::Query => self.presign()?,
        };
        let presigned_without_expiry = self.context.location == Location::Query && self.context.expires.is_none();
        if presigned_without_expiry {
            return Ok(());
        }
        self.verify(&arrived)?
            .map_err(|error| Difference::new(id, "verifying the expected request", "accepted", error.to_string()))?;
        for (what, changed) in self.changed(&arrived) {
            if self.verify(&changed)?.is_ok() {
                return Err(Difference::new(id, format!("verifying after a change of {what}"), "refused", "accepted"));
            }
        }
        Ok(())
    }

    pub fn credentials(&self) -> Result<Credentials, Box<Difference>> {
        self.context.credentials(&self.id)
    }

    /// Secret, time, region and service.
    pub fn signed_by(&self) -> (&str, &str, &str, &str) {
        let context = &self.context;
        (&context.secret_key, &context.timestamp, &context.region, &context.service)
    }

    pub fn now(&self) -> Result<Timestamp, Box<Difference>> {
        self.context.timestamp(&self.id)
    }

    /// The rules that the context describes.
    pub fn rules(&self) -> Result<Rules, Box<Difference>> {
        let context = &self.context;
        let algorithm = context.algorithm.as_deref().unwrap_or(HMAC);
        if algorithm != HMAC && algorithm != SIGV4A {
            return Err(Difference::new(&self.id, "context.algorithm", format!("{HMAC} or {SIGV4A}"), algorithm));
        }
        let mut rules = Rules::for_service(&context.service);
        rules.normalize_path = context.normalize_path;
        rules.double_encode_path = context.double_encode;
        rules.content_sha256_header = context.payload.ends_with("+header");
        rules.presign_unsigned_payload = context.payload == "unsigned";
        rules.presign_expires = context.expires.is_some();
        rules.sign_session_token = !context.omit_session_token;
        rules.unsigned_payload = UnsignedPayload::Accepted;
        rules.streaming_payload = true;
        rules.min_chunk_size = 1;
        Ok(rules)
    }

    /// Verifies at the time of signing, with the rules and the key of the context.
    pub fn verify(&self, wire: &Wire) -> Result<Result<(), VerifyError>, Box<Difference>> {
        let context = &self.context;
        let verifier = if context.is_sigv4a() {
            // A region that the first entry of the set names.
            let region = context.region.split(',').next().unwrap_or_default().replace('*', "x");
            Verifier::new(region, &context.service).unwrap().with_sigv4a()
        } else {
            Verifier::new(&context.region, &context.service).unwrap()
        };
        let verifier = as_lenient_as_aws(verifier).with_rules(self.rules()?);
        let (known, now) = ([self.credentials()?], self.now()?);
        self.verify_with(wire, &verifier, &known, now)
    }

    /// Verifies the request, or only its signature where chunks follow.
    pub fn verify_with(
        &self,
        wire: &Wire,
        verifier: &Verifier,
        known: &[Credentials],
        now: Timestamp,
    ) -> Result<Result<(), VerifyError>, Box<Difference>> {
        Ok(match self.payload()? {
            Payload::Streaming(_) => wire.verify_seed(verifier, known, now),
            _ => wire.verify(verifier, known, now),
        })
    }

    pub fn signer(&self) -> Result<Signer, Box<Difference>> {
        let (context, credentials) = (&self.context, self.credentials()?);
        let signer = if context.is_sigv4a() {
            Signer::sigv4a(credentials, &context.region, &context.service).unwrap()
        } else {
            Signer::new(credentials, &context.region, &context.service).unwrap()
        };
        Ok(signer.with_rules(self.rules()?).also_sign(self.expect.signed_headers.split(';')))
    }

    pub fn payload(&self) -> Result<Payload<'_>, Box<Difference>> {
        let payload = self.context.payload.as_str();
        match payload.strip_suffix("+header").unwrap_or(payload) {
            "signed" => Ok(Payload::Bytes(&self.request.body)),
            "unsigned" => Ok(Payload::Unsigned),
            other => other
                .strip_prefix("literal:")
                .and_then(StreamingPayload::parse)
                .map(Payload::Streaming)
                .ok_or_else(|| Difference::new(&self.id, "context.payload", "a known payload", other)),
        }
    }

    /// Signs, compares every stage, and gives the request with what is expected added.
    pub fn sign(&self) -> Result<Wire, Box<Difference>> {
        let (id, expect) = (&self.id, &self.expect);
        let mut wire = Wire::of(&self.request);
        let (signer, payload, now) = (self.signer()?, self.payload()?, self.now()?);
        let signed = wire
            .with_view(|request| signer.sign(request, payload, now))
            .map_err(|error| Difference::new(id, "signing", "a signature", error.to_string()))?;
        same(id, "canonical request", &expect.canonical_request, &signed.canonical_request().raw().to_string())?;
        same(id, "string to sign", &expect.string_to_sign, &signed.string_to_sign().to_string())?;
        let ours = self.check_signature(&signed.signature(), signed.authorization())?;
        let expected = expect.authorization.as_deref().unwrap_or(&ours);
        same(id, "authorization", expected, &ours)?;
        let names = format!("SignedHeaders={},", expect.signed_headers);
        if !expected.contains(&names) {
            return Err(Difference::new(id, "signed headers", names, expected));
        }
        for (name, value) in signed.headers() {
            wire.set_header(name, value.as_bytes());
        }
        wire.set_header("authorization", expected.as_bytes());
        Ok(wire)
    }

    /// Presigns, compares every stage, and gives the request of the expected URL.
    pub fn presign(&self) -> Result<Wire, Box<Difference>> {
        let (id, expect) = (&self.id, &self.expect);
        let wire = Wire::of(&self.request);
        let (signer, payload, now) = (self.signer()?, self.payload()?, self.now()?);
        let expires = Duration::from_secs(self.context.expires.unwrap_or(900));
        let presigned = wire
            .with_view(|request| match payload {
                Payload::Unsigned | Payload::EMPTY => signer.presign(request, expires, now),
                payload => signer.presign_payload(request, payload, expires, now),
            })
            .map_err(|error| Difference::new(id, "presigning", "a URL", error.to_string()))?;
        same(id, "canonical request", &expect.canonical_request, &presigned.canonical_request().raw().to_string())?;
        same(id, "string to sign", &expect.string_to_sign, &presigned.string_to_sign().to_string())?;
        let ours = self.check_signature(&presigned.signature(), presigned.url())?;
        let expected = expect.query.as_deref().unwrap_or(&ours);
        same(id, "URL", &unordered(expected), &unordered(&ours))?;
        let names = format!("X-Amz-SignedHeaders={}&", expect.signed_headers.replace(';', "%3B"));
        if !presigned.url().contains(&names) {
            return Err(Difference::new(id, "signed headers", names, presigned.url()));
        }
        Ok(wire.with_url(expected))
    }

    /// Compares our signature, and gives the text that holds it. One of SigV4A is not compared but verified, and the
    /// expected one takes its place in the text.
    fn check_signature(&self, signature: &Signature, text: &str) -> Result<String, Box<Difference>> {
        let (id, expect) = (&self.id, &self.expect);
        if !self.context.is_sigv4a() {
            same(id, "signature", &expect.signature, &signature.to_hex())?;
            return Ok(text.to_owned());
        }
        let key = SigningKey::derive_sigv4a(&self.credentials()?).public_key();
        if !key.is_some_and(|key| key.verify(expect.string_to_sign.as_bytes(), signature)) {
            return Err(Difference::new(id, "our signature", "one that verifies", signature.to_hex()));
        }
        Ok(text.replace(&signature.to_hex(), &expect.signature))
    }

    /// One byte of everything signed, changed so that the canonical request changes.
    fn changed(&self, arrived: &Wire) -> Vec<(String, Wire)> {
        let mut all = Vec::new();
        let mut change = |what: String, change: &dyn Fn(&mut Wire)| {
            let mut wire = arrived.clone();
            change(&mut wire);
            all.push((what, wire));
        };
        change("the method".into(), &|wire| wire.method.push('X'));
        change("the path".into(), &|wire| {
            let end = wire.target.iter().position(|byte| *byte == b'?').unwrap_or(wire.target.len());
            let slash = if end == 0 { "/x" } else { "x" };
            wire.target.splice(end..end, slash.bytes());
        });
        change("the query".into(), &|wire| {
            let separator = if wire.target.contains(&b'?') { b'&' } else { b'?' };
            wire.target.extend([separator, b'0']);
        });
        for name in self.expect.signed_headers.split(';') {
            change(format!("the header {name}"), &|wire| match wire
                .headers
                .iter_mut()
                .find(|(other, _)| other.eq_ignore_ascii_case(name))
            {
                Some((_, value)) => value.push(b'0'),
                None => wire.authority.push('0'),
            });
        }
        if self.context.payload.starts_with("signed") {
            change("the body".into(), &|wire| wire.body.push(0));
        }
        let signature = &self.expect.signature;
        if !signature.is_empty() {
            let last = if signature.ends_with('0') { "1" } else { "0" };
            let other = format!("{}{last}", &signature[..signature.len() - 1]);
            change("the signature".into(), &|wire| {
                let replace = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(signature, &other).into_bytes();
                wire.target = replace(&wire.target);
                wire.headers.iter_mut().for_each(|(_, value)| *value = replace(value));
            });
        }
        all
    }
}

/// Path and parameters of a URL without their order: the path, then the sorted parameters, decoded.
fn unordered(url: &str) -> String {
    let (_, _, target) = split_url(url);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let path = if path.is_empty() { "/" } else { path };
    let mut parameters: Vec<String> = query
        .split('&')
        .filter(|piece| !piece.is_empty())
        .map(|piece| piece.split_once('=').unwrap_or((piece, "")))
        .map(|(name, value)| format!("{} = {}", decoded(name), decoded(value)))
        .collect();
    parameters.sort();
    format!("{path}\n{}", parameters.join("\n"))
}

/// Bytes that are not UTF-8 stay encoded, so that different bytes stay different.
pub fn decoded(text: &str) -> String {
    let bytes: Vec<u8> = percent_encoding::percent_decode_str(text).collect();
    String::from_utf8(bytes).unwrap_or_else(|error| error.into_bytes().escape_ascii().to_string())
}
