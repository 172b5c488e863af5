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
use crate::sigv4::timestamp::Timestamp;
use crate::text::excerpt;
use crate::text::wiped::Wiped;
use crate::verify::{Found, MOST_NAMED, PRESIGN_AHEAD, ScopeParts, Verifier, VerifyError};

impl Verifier {
    /// Reads the signature of a form and does every check for which no key is needed, at the time `now`.
    ///
    /// `bucket` is the one that the request was sent to; `fields` are those before the file, in the order received. S3
    /// ignores every field behind it, and so has the caller to.
    ///
    /// These are the checks, in the order in which they run:
    ///
    /// 1. The form has at most 256 fields, of at most 20480 bytes together, each name once in whatever case. No field has an
    ///    empty name or a control character.
    /// 2. A field `bucket`, if there, names the bucket that the form was sent to.
    /// 3. There are `key`, `policy`, `x-amz-algorithm`, `x-amz-credential`, `x-amz-date` and `x-amz-signature`, and at
    ///    most one session token.
    /// 4. The algorithm is `AWS4-HMAC-SHA256`.
    /// 5. The credential has an access key id and four parts of a scope; the date is of the form `YYYYMMDDTHHMMSSZ`; the
    ///    signature is 64 lower-case hexadecimal digits.
    /// 6. The scope has the date of `x-amz-date`, a region and a service of this verifier, and ends in `aws4_request`.
    ///    That date is at most 15 minutes ahead.
    ///
    /// [`UnverifiedForm::verify`] does the others:
    ///
    /// 7. The access key is known, the session token is the one that belongs to it, and the credentials have not ended; said
    ///    only after the work of 8.
    /// 8. The signature is the one of the field `policy` as it was received, compared in constant time.
    /// 9. The policy is base64 and JSON, has an expiration and conditions, and nothing that is not understood.
    /// 10. It has not ended, and was signed at most `max_presign` ago.
    /// 11. Every condition is met by its field, and a condition for a field that is not there is not met. Names are
    ///     compared without regard to case, values letter for letter. The bucket counts as a field.
    /// 12. Every field is named by a condition, and so is the bucket; but for `policy`, `file`, `x-amz-signature` and names
    ///     that begin with `x-ignore-`.
    ///
    /// What stays with the caller: handing over no field that stood behind the file; a signature in headers or query
    /// besides; using the fields as they are in [`VerifiedForm`]; the length of the file
    /// ([`VerifiedForm::check_file_length`]); that the same form may come any number of times before it ends; and what
    /// the signer is allowed to do.
    ///
    /// # Errors
    /// [`PolicyError`] if the form is not signed, not for this verifier, or malformed.
    pub fn parse_form<'a, 'f: 'a>(
        &'a self,
        bucket: &'a str,
        fields: impl IntoIterator<Item = (&'f str, &'f str)>,
        now: Timestamp,
    ) -> Result<UnverifiedForm<'a>, PolicyError> {
        let form = Form::parse(bucket, fields)?;
        let signed = form.timestamp;
        let (got, terminator) = (form.claims.scope(), form.claims.terminator());
        let expected = self.expected_scope(&got, &signed);
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
    pub(super) fn verify_by(self, found: Found<'_>) -> Result<VerifiedForm<'a>, PolicyError> {
        let Self { verifier, form, now } = self;
        let matches = found.key.verify_pieces(|write| write(form.policy.as_bytes()), form.claims.signature());
        found.standing?;
        if !matches {
            return Err(VerifyError::SignatureMismatch { computed: None }.into());
        }
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

/// A form whose signature is right and whose fields are those that the signer allowed. Only [`UnverifiedForm::verify`] makes
/// one.
///
/// The signature says nothing about the file but its length: [`VerifiedForm::check_file_length`].
#[must_use = "the length of the file is not checked yet: `check_file_length` does it"]
pub struct VerifiedForm<'a> {
    form: Form<'a>,
    conditions: Vec<Condition>,
    expires_at: Timestamp,
}

impl VerifiedForm<'_> {
    /// The fields that the policy has conditions for, in the order received, `${filename}` replaced. The session token
    /// is among them.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        let fields = self.form.fields.iter().map(|(name, value)| (*name, &**value));
        fields.filter(|(name, _)| self.is_named(name))
    }

    /// The value of one of them, by its name in whatever case.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.form.field(name).filter(|_| self.is_named(name))
    }

    fn is_named(&self, name: &str) -> bool {
        self.conditions.iter().any(|condition| condition.is_about(name))
    }

    /// How many bytes the file may have. Stop reading at the end of this range.
    pub fn file_length(&self) -> RangeInclusive<u64> {
        let (mut least, mut most) = (0, u64::MAX);
        for condition in &self.conditions {
            if let Condition::ContentLengthRange { min, max } = condition {
                (least, most) = (least.max(*min), most.min(*max));
            }
        }
        least..=most
    }

    /// Whether the file may have that many bytes; to be asked when all of it has arrived.
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

    /// Who signed.
    pub fn access_key_id(&self) -> &str {
        self.form.claims.access_key_id()
    }

    /// The session token that came with it: that of the credentials.
    pub fn session_token(&self) -> Option<&str> {
        self.form.claims.session_token()
    }

    /// The scope it was signed for.
    pub fn scope(&self) -> Scope<'_> {
        self.form.claims.scope()
    }

    /// When it was signed.
    pub fn timestamp(&self) -> Timestamp {
        self.form.timestamp
    }

    /// When it ends.
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
