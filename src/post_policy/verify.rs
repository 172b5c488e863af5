use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt;
use core::ops::RangeInclusive;

use base64ct::{Base64, Encoding};

use super::condition::Condition;
use super::document::Document;
use super::error::PolicyError;
use super::is_exempt;
use super::unverified::{Form, UnverifiedForm};
use crate::sigv4::authorization::Location;
use crate::sigv4::scope::{Scope, TERMINATOR};
use crate::sigv4::signing_key::AnyKey;
use crate::sigv4::timestamp::Timestamp;
use crate::text::excerpt;
use crate::text::wiped::Wiped;
use crate::verify::{Found, MOST_NAMED, PRESIGN_AHEAD, ScopeParts, Verifier, VerifyError};

impl Verifier {
    /// Parses the signature of a form and does every check that needs no key. `now` is the current time.
    ///
    /// `bucket` is the one that the request was sent to; `fields` are those before the file, in the order received. S3
    /// ignores every field after the file, and the caller must do the same.
    ///
    /// The checks run in the following order (3 to 5 field by field):
    ///
    /// 1. The form has at most 256 fields with at most 20480 bytes in total, and each name only once, ignoring case. No
    ///    name is empty, and no name or value contains a control character.
    /// 2. If there is a field `bucket`, it names the bucket that the form was sent to.
    /// 3. There are the fields `key`, `policy`, `x-amz-algorithm`, `x-amz-credential`, `x-amz-date` and
    ///    `x-amz-signature`, and at most one session token.
    /// 4. The algorithm is `AWS4-HMAC-SHA256`.
    /// 5. The credential has an access key id and a scope with four parts. The date is of the form `YYYYMMDDTHHMMSSZ`.
    ///    The signature is 64 lower-case hexadecimal digits.
    /// 6. The scope has the date of `x-amz-date` and a region and service of this verifier, and ends in `aws4_request`.
    ///    The form is dated at most 15 minutes in the future.
    ///
    /// [`UnverifiedForm::verify`] does the others:
    ///
    /// 7. The access key is known, the session token belongs to it, and the credentials have not expired; reported only
    ///    after the work of 8, to avoid a timing side channel.
    /// 8. The signature matches the field `policy` as it was received, compared in constant time.
    /// 9. The policy is base64 and JSON, and has an expiration, a list of valid conditions, and no other members.
    /// 10. The policy has not expired, and was signed less than `max_presign` ago.
    /// 11. Every condition is met by its field; a condition for a missing field is not met. Names are compared ignoring
    ///     case, values case-sensitively. The bucket counts as a field.
    /// 12. Every field and the bucket are covered by a condition, except for `policy`, `file`, `x-amz-signature` and
    ///     names that begin with `x-ignore-`.
    ///
    /// The caller remains responsible for: not passing in fields that came after the file; deciding about a second
    /// signature in the headers or query; using the fields as they are in [`VerifiedForm`]; checking the length of the
    /// file ([`VerifiedForm::check_file_length`]); handling repeats, since the same form is accepted any number of
    /// times until it expires; and deciding what the signer is allowed to do.
    ///
    /// # Errors
    /// [`PolicyError`] if the form is unsigned, malformed, or not for this verifier.
    pub fn parse_form<'a, 'f: 'a>(
        &'a self,
        bucket: &'a str,
        fields: impl IntoIterator<Item = (&'f str, &'f str)>,
        now: Timestamp,
    ) -> Result<UnverifiedForm<'a>, PolicyError> {
        let form = Form::parse(bucket, fields)?;
        let signed = form.timestamp;
        let (got, terminator) = (form.claims.scope(), form.claims.terminator());
        let expected = self.expected_scope_of_form(&got, &signed);
        if got != expected || terminator != TERMINATOR {
            let credential = excerpt(form.credential.as_bytes());
            let (got, expected) = (ScopeParts::of(&got, terminator), ScopeParts::of(&expected, TERMINATOR));
            return Err(PolicyError::WrongScope { credential, got, expected, signed });
        }
        let ahead = signed.unix_seconds() - now.unix_seconds();
        if u64::try_from(ahead).is_ok_and(|ahead| ahead > PRESIGN_AHEAD.as_secs()) {
            return Err(
                VerifyError::NotYetCurrent { location: Location::Form, signed, now, allowed: PRESIGN_AHEAD }.into()
            );
        }
        Ok(UnverifiedForm { verifier: self, form, now })
    }
}

impl<'a> UnverifiedForm<'a> {
    pub(super) fn check_signature(&self, found: &Found<'_>) -> Result<(), VerifyError> {
        let Form { policy, claims, .. } = &self.form;
        let compare = |key: &AnyKey| key.verify_pieces(|write| write(policy.as_bytes()), claims.signature());
        match found.compare(claims, self.now, compare)? {
            true => Ok(()),
            false => Err(VerifyError::SignatureMismatch { computed: None }),
        }
    }

    /// For a form whose signature matches.
    pub(super) fn into_verified(self) -> Result<VerifiedForm<'a>, PolicyError> {
        let Self { verifier, form, now } = self;
        let mut decoded = Wiped::new(alloc::vec![0; form.policy.len()], form.claims.session_token().is_some());
        let policy = Base64::decode(form.policy, &mut decoded).map_err(|_| PolicyError::NotBase64)?;
        let Document { expires_at, conditions } = Document::parse(policy)?;
        let life = i64::try_from(verifier.limits.max_presign.as_secs()).unwrap_or(i64::MAX);
        let expires_at = expires_at.min(form.timestamp.saturating_add(life));
        if expires_at <= now {
            return Err(PolicyError::Expired { expires_at, now });
        }
        check_conditions(&form, &conditions)?;
        Ok(VerifiedForm { form, conditions, expires_at })
    }
}

fn check_conditions(form: &Form<'_>, conditions: &[Condition]) -> Result<(), PolicyError> {
    let bucket = ("bucket", form.bucket);
    let fields = || {
        let others = form.fields.iter().map(|(name, value)| (*name, &**value));
        core::iter::once(bucket).chain(others.filter(|(name, _)| !name.eq_ignore_ascii_case("bucket")))
    };
    for condition in conditions {
        let met = match condition {
            Condition::ContentLengthRange { .. } => true,
            _ => {
                fields().find(|(name, _)| condition.is_about(name)).is_some_and(|(_, value)| condition.is_met_by(value))
            }
        };
        if !met {
            return Err(PolicyError::ConditionFailed { condition: condition.to_string() });
        }
    }
    let unnamed = |name: &&str| !is_exempt(name) && !conditions.iter().any(|condition| condition.is_about(name));
    let names: Vec<_> =
        fields().map(|(name, _)| name).filter(unnamed).take(MOST_NAMED).map(|name| excerpt(name.as_bytes())).collect();
    if names.is_empty() { Ok(()) } else { Err(PolicyError::ExtraFields { names }) }
}

/// A form whose signature is verified and whose fields are allowed by the signer. Returned only by
/// [`UnverifiedForm::verify`] and [`UnverifiedForm::verify_with_key`].
///
/// The signature covers nothing of the file except its length: [`VerifiedForm::check_file_length`].
#[must_use = "the length of the file is not checked yet: call `check_file_length`"]
pub struct VerifiedForm<'a> {
    form: Form<'a>,
    conditions: Vec<Condition>,
    expires_at: Timestamp,
}

impl VerifiedForm<'_> {
    /// Returns the fields that are covered by a condition, in the order received and with `${filename}` replaced.
    /// They include the session token, if there is one.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        let fields = self.form.fields.iter().map(|(name, value)| (*name, &**value));
        fields.filter(|(name, _)| self.is_named(name))
    }

    /// Returns the value of one of these fields; the name is compared ignoring case.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.form.field(name).filter(|_| self.is_named(name))
    }

    fn is_named(&self, name: &str) -> bool {
        self.conditions.iter().any(|condition| condition.is_about(name))
    }

    /// Returns the allowed length of the file in bytes. Stop reading at the end of this range.
    pub fn file_length(&self) -> RangeInclusive<u64> {
        let (mut least, mut most) = (0, u64::MAX);
        for condition in &self.conditions {
            if let Condition::ContentLengthRange { min, max } = condition {
                (least, most) = (least.max(*min), most.min(*max));
            }
        }
        least..=most
    }

    /// Checks the length of the file, once all of it has been read.
    ///
    /// # Errors
    /// [`PolicyError::FileTooLong`] or [`PolicyError::FileTooShort`].
    pub fn check_file_length(&self, bytes: u64) -> Result<(), PolicyError> {
        let (least, most) = self.file_length().into_inner();
        if bytes > most {
            return Err(PolicyError::FileTooLong { length: bytes, limit: most });
        }
        if bytes < least {
            return Err(PolicyError::FileTooShort { length: bytes, limit: least });
        }
        Ok(())
    }

    /// Returns the access key id of the signer.
    pub fn access_key_id(&self) -> &str {
        self.form.claims.access_key_id()
    }

    /// Returns the session token of the form, which equals that of the credentials.
    pub fn session_token(&self) -> Option<&str> {
        self.form.claims.session_token()
    }

    /// Returns the scope of the signature.
    pub fn scope(&self) -> Scope<'_> {
        self.form.claims.scope()
    }

    /// Returns the time of signing.
    pub fn timestamp(&self) -> Timestamp {
        self.form.timestamp
    }

    /// Returns when the form expires: at the expiration of the policy, or `max_presign` after signing if that is
    /// earlier.
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

impl fmt::Debug for VerifiedForm<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedForm")
            .field("bucket", &self.form.bucket)
            .field("access_key_id", &self.access_key_id())
            .field("scope", &self.scope())
            .field("expires_at", &self.expires_at)
            .field("file_length", &self.file_length())
            .finish()
    }
}
