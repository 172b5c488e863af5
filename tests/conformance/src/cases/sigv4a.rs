//! `AWS4-ECDSA-P256-SHA256`: requests, derived keys, and signatures that have to be refused.

use std::collections::BTreeMap;

use countersign::{Credentials, PublicKey, Signature, SigningKey};
use serde::Deserialize;

use super::plain::{self, Context, Plain};
use super::{Difference, Remark, Remarks, Request, same};

pub enum SigV4a {
    Request(Box<SignedRequest>),
    Key(Key),
    BadSignature(BadSignature),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedRequest {
    pub id: String,
    #[serde(flatten)]
    _remarks: Remarks,
    #[serde(rename = "kind")]
    _kind: String,
    request: Request,
    context: Context,
    expect: ExpectRequest,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectRequest {
    canonical_request: String,
    string_to_sign: String,
    signed_headers: String,
    public_key: Point,
    /// By whom, and the signature.
    signatures_that_must_verify: BTreeMap<String, String>,
    authorization: Option<String>,
    query: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    id: String,
    #[serde(flatten)]
    _remarks: Remarks,
    #[serde(rename = "kind")]
    _kind: String,
    context: KeyContext,
    expect: ExpectKey,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyContext {
    access_key: String,
    secret_key: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectKey {
    private_key: Option<String>,
    public_key: Point,
    /// Which candidate it is: told by nothing that the crate gives out, and by the key itself.
    #[serde(rename = "counter")]
    _counter: Remark,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BadSignature {
    id: String,
    #[serde(flatten)]
    _remarks: Remarks,
    #[serde(rename = "kind")]
    _kind: String,
    expect: ExpectBadSignature,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectBadSignature {
    string_to_sign: String,
    public_key: Point,
    signatures_that_must_not_verify: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Point {
    x: String,
    y: String,
}

impl Point {
    fn to_hex(&self) -> String {
        format!("04{}{}", self.x, self.y)
    }

    fn public_key(&self, id: &str) -> Result<PublicKey, Box<Difference>> {
        let bytes = hex::decode(self.to_hex()).unwrap_or_default();
        PublicKey::from_sec1(&bytes).ok_or_else(|| Difference::new(id, "public key", "a point", self.to_hex()))
    }
}

impl SigV4a {
    pub fn read(line: &str) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Kind {
            kind: String,
        }
        let kind: Kind = serde_json::from_str(line)?;
        Ok(match kind.kind.as_str() {
            "request" => SigV4a::Request(serde_json::from_str(line)?),
            "key" => SigV4a::Key(serde_json::from_str(line)?),
            "bad-signature" => SigV4a::BadSignature(serde_json::from_str(line)?),
            other => return Err(serde::de::Error::custom(format!("no kind of sigv4a: {other:?}"))),
        })
    }

    pub fn run(&self) -> Result<(), Box<Difference>> {
        match self {
            SigV4a::Request(case) => case.run(),
            SigV4a::Key(case) => case.run(),
            SigV4a::BadSignature(case) => case.run(),
        }
    }
}

impl SignedRequest {
    /// The case once for each signature.
    pub fn with_each_signature(&self) -> Vec<Plain> {
        let expect = &self.expect;
        let signatures = &expect.signatures_that_must_verify;
        signatures
            .iter()
            .map(|(by, signature)| {
                let holding = |text: &Option<String>| text.clone().filter(|text| text.contains(signature.as_str()));
                let expect = plain::Expect {
                    canonical_request: expect.canonical_request.clone(),
                    string_to_sign: expect.string_to_sign.clone(),
                    signature: signature.clone(),
                    signed_headers: expect.signed_headers.clone(),
                    authorization: holding(&expect.authorization),
                    query: holding(&expect.query),
                };
                Plain::new(&format!("{} ({by})", self.id), self.request.clone(), self.context.clone(), expect)
            })
            .collect()
    }

    pub fn public_key(&self) -> Result<PublicKey, Box<Difference>> {
        self.expect.public_key.public_key(&self.id)
    }

    /// String to sign, and each signature of it.
    pub fn signatures(&self) -> (&str, impl Iterator<Item = &str>) {
        let signatures = self.expect.signatures_that_must_verify.values();
        (&self.expect.string_to_sign, signatures.map(String::as_str))
    }

    fn run(&self) -> Result<(), Box<Difference>> {
        let id = &self.id;
        let key = SigningKey::derive_sigv4a(&self.context.credentials(id)?).public_key();
        let derived = key.map_or_else(String::new, |key| hex::encode(key.to_sec1()));
        same(id, "public key", &self.expect.public_key.to_hex(), &derived)?;
        for case in self.with_each_signature() {
            case.run()?;
        }
        let key = self.public_key()?;
        let (string_to_sign, signatures) = self.signatures();
        for signature in signatures {
            if !verifies(&key, string_to_sign, signature) {
                return Err(Difference::new(id, "a signature of others", "one that verifies", signature));
            }
            if let Some(changed) = changed_bits(signature).find(|changed| verifies(&key, string_to_sign, changed)) {
                return Err(Difference::new(id, "a signature with one changed bit", "refused", changed));
            }
        }
        Ok(())
    }
}

/// One changed bit in each byte.
fn changed_bits(signature: &str) -> impl Iterator<Item = String> {
    let bytes = hex::decode(signature).unwrap_or_default();
    (0..bytes.len()).map(move |position| {
        let mut changed = bytes.clone();
        changed[position] ^= 1 << (position % 8);
        hex::encode(changed)
    })
}

pub fn verifies(key: &PublicKey, string_to_sign: &str, signature: &str) -> bool {
    Signature::from_der_hex(signature).is_some_and(|signature| key.verify(string_to_sign.as_bytes(), &signature))
}

impl Key {
    fn run(&self) -> Result<(), Box<Difference>> {
        let id = &self.id;
        let unusable =
            |error: &dyn std::fmt::Display| Difference::new(id, "context", "something usable", error.to_string());
        let credentials =
            Credentials::new(&self.context.access_key, &self.context.secret_key).map_err(|error| unusable(&error))?;
        let derived = SigningKey::derive_sigv4a(&credentials);
        let private_key = derived.private_key_exposed().ok_or_else(|| unusable(&"no key pair"))?;
        if let Some(expected) = &self.expect.private_key {
            same(id, "private key", expected, &hex::encode(*private_key))?;
        }
        for key in [Some(derived), SigningKey::from_sigv4a_private_key(*private_key)] {
            let key = key.and_then(|key| key.public_key()).map_or_else(String::new, |key| hex::encode(key.to_sec1()));
            same(id, "public key", &self.expect.public_key.to_hex(), &key)?;
        }
        Ok(())
    }
}

impl BadSignature {
    fn run(&self) -> Result<(), Box<Difference>> {
        let key = self.expect.public_key.public_key(&self.id)?;
        let mut signatures = self.expect.signatures_that_must_not_verify.iter();
        match signatures.find(|signature| verifies(&key, &self.expect.string_to_sign, signature)) {
            Some(signature) => Err(Difference::new(&self.id, "a bad signature", "refused", signature)),
            None => Ok(()),
        }
    }
}
