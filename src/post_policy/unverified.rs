use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::error::PolicyError;
use super::verify::VerifiedForm;
use super::{FILENAME, MAX_FIELD_BYTES, MAX_FIELDS, SESSION_TOKEN_FIELDS, check_sendable};
use crate::sigv4::algorithm::Algorithm;
use crate::sigv4::authorization::Claims;
use crate::sigv4::credentials::Credentials;
use crate::sigv4::scope::Scope;
use crate::sigv4::signature::Signature;
use crate::sigv4::timestamp::Timestamp;
use crate::text::excerpt;
use crate::verify::{Found, Verifier, VerifyError, VerifyingKey};

/// A form that passed every check that needs no key. Nothing is verified yet: everything here may be forged. Returned
/// by [`Verifier::parse_form`](crate::Verifier::parse_form).
///
/// The caller looks up the credentials by access key id and session token, and passes on the result even if there are
/// none: the response then takes as long as for a wrong signature.
#[derive(Clone)]
#[must_use = "nothing is verified yet: call `verify`"]
pub struct UnverifiedForm<'a> {
    pub(super) verifier: &'a Verifier,
    pub(super) form: Form<'a>,
    pub(super) now: Timestamp,
}

impl<'a> UnverifiedForm<'a> {
    /// Replaces `${filename}` in the fields with the name of the uploaded file, that is, the part after its last slash
    /// or backslash. Conditions apply to the result. If this method is not called, `${filename}` remains in the fields,
    /// as at S3. A key is not a path: a store that uses keys as file paths has to refuse `..`, which can also be the
    /// name of a file.
    ///
    /// # Errors
    /// [`PolicyError::FieldsTooLong`] if the fields become longer than S3 accepts; [`PolicyError::Unsendable`] if the
    /// file name contains a control character.
    pub fn with_file_name(mut self, file_name: &str) -> Result<Self, PolicyError> {
        self.form.set_file_name(file_name)?;
        Ok(self)
    }

    /// Verifies the signature, policy and fields with the credentials that were found for the access key id and session
    /// token.
    ///
    /// # Errors
    /// [`PolicyError`], with S3's wording for the client and the reason for the operator.
    pub fn verify(self, found: Option<&Credentials>) -> Result<VerifiedForm<'a>, PolicyError> {
        let claims = &self.form.claims;
        Found::with_credentials(found, claims, &claims.scope(), |found| self.check_signature(found))?;
        self.into_verified()
    }

    /// Like [`UnverifiedForm::verify`], with a key instead of credentials.
    ///
    /// # Errors
    /// The same as for [`UnverifiedForm::verify`].
    pub fn verify_with_key(self, found: Option<&VerifyingKey>) -> Result<VerifiedForm<'a>, PolicyError> {
        Found::with_key(found, &self.form.claims, |found| self.check_signature(found))?;
        self.into_verified()
    }

    /// Returns the claimed access key id. It may contain a `/`.
    pub fn access_key_id(&self) -> &str {
        self.form.claims.access_key_id()
    }

    /// Returns the session token. Look up the key and the token together: a token that was issued for another key is
    /// invalid.
    pub fn session_token(&self) -> Option<&str> {
        self.form.claims.session_token()
    }

    /// Returns the claimed scope, which is one that the verifier accepts.
    pub fn scope(&self) -> Scope<'_> {
        self.form.claims.scope()
    }
}

/// The fields, and the signature that they contain.
#[derive(Clone)]
pub(super) struct Form<'a> {
    pub(super) bucket: &'a str,
    pub(super) fields: Vec<(&'a str, Cow<'a, str>)>,
    pub(super) policy: &'a str,
    pub(super) credential: &'a str,
    pub(super) claims: Claims<'a>,
    pub(super) timestamp: Timestamp,
}

/// The fields that make up the signature; `${filename}` is not replaced in them.
const SIGNATURE_FIELDS: [&str; 5] = ["policy", "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature"];

impl<'a> Form<'a> {
    /// Parses the fields: checks 1 to 5.
    pub(super) fn parse<'f: 'a>(
        bucket: &'a str,
        fields: impl IntoIterator<Item = (&'f str, &'f str)>,
    ) -> Result<Self, PolicyError> {
        let fields = read_fields(fields)?;
        let find =
            |name: &str| fields.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| *value);
        if let Some(got) = find("bucket").filter(|named| *named != bucket) {
            return Err(PolicyError::OtherBucket { got: excerpt(got.as_bytes()) });
        }
        let is_signed =
            ["x-amz-algorithm", "x-amz-credential", "x-amz-signature"].iter().any(|name| find(name).is_some());
        if !is_signed {
            // Signature Version 2.
            return Err(if find("AWSAccessKeyId").is_some() || find("signature").is_some() {
                PolicyError::UnsupportedAlgorithm { algorithm: "AWS".into() }
            } else {
                VerifyError::MissingAuthentication.into()
            });
        }
        let need = |name: &'static str| find(name).ok_or(PolicyError::MissingField { name });
        need("key")?;
        let policy = need("policy")?;
        let algorithm = need("X-Amz-Algorithm")?;
        if algorithm != Algorithm::HmacSha256.name() {
            return Err(PolicyError::UnsupportedAlgorithm { algorithm: excerpt(algorithm.as_bytes()) });
        }
        let credential = need("X-Amz-Credential")?;
        let date = need("X-Amz-Date")?;
        let timestamp = date.parse().map_err(|_| PolicyError::MalformedDate { got: excerpt(date.as_bytes()) })?;
        let signature = Signature::from_hex(need("X-Amz-Signature")?).ok_or(VerifyError::MalformedSignature)?;
        let malformed = || PolicyError::MalformedCredential { got: excerpt(credential.as_bytes()) };
        let mut claims = Claims::of_form(credential, signature).ok_or_else(malformed)?;
        match SESSION_TOKEN_FIELDS.map(find) {
            [Some(_), Some(_)] => return Err(VerifyError::Repeated { name: "X-Amz-Security-Token" }.into()),
            [token, s3session_token] => token.or(s3session_token).into_iter().for_each(|t| claims.set_session_token(t)),
        }
        let fields = fields.into_iter().map(|(name, value)| (name, Cow::Borrowed(value))).collect();
        Ok(Self { bucket, fields, policy, credential, claims, timestamp })
    }

    fn set_file_name(&mut self, file_name: &str) -> Result<(), PolicyError> {
        let name = file_name.rsplit(['/', '\\']).next().unwrap_or_default();
        check_sendable("file", name)?;
        let mut length: usize = 0;
        for (field, value) in &mut self.fields {
            let count = value.matches(FILENAME).count();
            let signature = SIGNATURE_FIELDS.iter().chain(&SESSION_TOKEN_FIELDS);
            if count > 0 && !signature.into_iter().any(|own| field.eq_ignore_ascii_case(own)) {
                length = length.saturating_add(value.len()).saturating_add(count.saturating_mul(name.len()));
                if length > MAX_FIELD_BYTES {
                    return Err(PolicyError::FieldsTooLong { length, limit: MAX_FIELD_BYTES });
                }
                *value = Cow::Owned(value.replace(FILENAME, name));
            }
        }
        Ok(())
    }

    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }
}

/// Accepts each name only once: of two fields with the same name, the verifier and the application might use different
/// ones. Also applies the limits.
fn read_fields<'a>(
    fields: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<Vec<(&'a str, &'a str)>, PolicyError> {
    let mut read: Vec<(&str, &str)> = Vec::new();
    let mut length: usize = 0;
    for (name, value) in fields {
        if read.len() == MAX_FIELDS {
            return Err(PolicyError::TooManyFields { limit: MAX_FIELDS });
        }
        length = length.saturating_add(name.len()).saturating_add(value.len());
        if length > MAX_FIELD_BYTES {
            return Err(PolicyError::FieldsTooLong { length, limit: MAX_FIELD_BYTES });
        }
        check_sendable(name, value)?;
        if read.iter().any(|(earlier, _)| earlier.eq_ignore_ascii_case(name)) {
            return Err(PolicyError::RepeatedField { name: excerpt(name.as_bytes()) });
        }
        read.push((name, value));
    }
    Ok(read)
}

impl fmt::Debug for UnverifiedForm<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let form = &self.form;
        let names: Vec<String> = form.fields.iter().map(|(name, _)| excerpt(name.as_bytes())).collect();
        f.debug_struct("UnverifiedForm")
            .field("bucket", &form.bucket)
            .field("fields", &names)
            .field("access_key_id", &self.access_key_id())
            .field("scope", &self.scope())
            .field("timestamp", &form.timestamp)
            .field("session_token", &self.session_token().map(|_| "[redacted]"))
            .finish_non_exhaustive()
    }
}
