use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt;
use core::ops::RangeInclusive;

use base64ct::{Base64, Encoding};

use super::condition::Condition;
use super::document::Document;
use super::error::PolicyError;
use super::is_exempt;
use super::unverified::UnverifiedForm;
use crate::sigv4::algorithm::Algorithm;
use crate::sigv4::authorization::Location;
use crate::sigv4::scope::{Scope, TERMINATOR};
use crate::sigv4::signing_key::SigningKey;
use crate::sigv4::timestamp::Timestamp;
use crate::text::excerpt;
use crate::text::wiped::Wiped;
use crate::verify::{MOST_NAMED, PRESIGN_AHEAD, ScopeParts, Verifier, VerifyError, check_standing};

impl Verifier {
    /// Verifies a form with the key that was found for it, at the time `now`.
    ///
    /// These are the checks, in the order in which they run. [`UnverifiedForm::parse`] does the first five:
    ///
    /// 1. The form has at most 256 fields, of at most 20480 bytes together, each name once in whatever case. No field has an
    ///    empty name or a control character.
    /// 2. A field `bucket`, if there, names the bucket that the form was sent to.
    /// 3. There are `key`, `policy`, `x-amz-algorithm`, `x-amz-credential`, `x-amz-date` and `x-amz-signature`, and at
    ///    most one session token.
    /// 4. The algorithm is `AWS4-HMAC-SHA256`.
    /// 5. The credential has an access key id and four parts of a scope; the date is of the form `YYYYMMDDTHHMMSSZ`; the
    ///    signature is 64 lower-case hexadecimal digits.
    ///
    /// This method does the others:
    ///
    /// 6. The scope has the date of `x-amz-date`, the region and service of this verifier, and ends in `aws4_request`.
    ///    That date is at most 15 minutes ahead.
    /// 7. The access key is known, the session token is the key's own, and it has not ended (if the key came from
    ///    [`UnverifiedForm::derive_key`]); said only after the work of 8.
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
    /// [`PolicyError`], which has the reason for the operator and S3's wording for the client.
    pub fn verify_form<'a>(
        &self,
        presented: UnverifiedForm<'a>,
        key: &SigningKey,
        now: Timestamp,
    ) -> Result<VerifiedForm<'a>, PolicyError> {
        let signed = presented.timestamp;
        let (got, expected) = (presented.scope(), self.scope(Algorithm::HmacSha256, &signed));
        let terminator = presented.claims.terminator();
        if got != expected || terminator != TERMINATOR {
            let credential = excerpt(presented.credential.as_bytes());
            let (got, expected) = (ScopeParts::of(&got, terminator), ScopeParts::of(&expected, TERMINATOR));
            return Err(PolicyError::WrongScope { credential, got, expected, signed });
        }
        let ahead = signed.unix_seconds() - now.unix_seconds();
        if u64::try_from(ahead).is_ok_and(|ahead| ahead > PRESIGN_AHEAD.as_secs()) {
            return Err(
                VerifyError::NotYetCurrent { location: Location::Form, signed, now, allowed: PRESIGN_AHEAD }.into()
            );
        }
        let matches = key.verify_pieces(|write| write(presented.policy.as_bytes()), presented.claims.signature());
        check_standing(key.standing, presented.access_key_id(), now)?;
        if !matches {
            return Err(VerifyError::SignatureMismatch { computed: None }.into());
        }
        let mut decoded = Wiped::new(alloc::vec![0; presented.policy.len()], presented.session_token().is_some());
        let policy = Base64::decode(presented.policy, &mut decoded).map_err(|_| PolicyError::NotBase64)?;
        let Document { expiration, conditions } = Document::parse(policy)?;
        let life = i64::try_from(self.limits.max_presign.as_secs()).unwrap_or(i64::MAX);
        let expiration = expiration.min(signed.saturating_add(life));
        if expiration <= now {
            return Err(PolicyError::Expired { expiration, now });
        }
        check_conditions(&presented, &conditions)?;
        Ok(VerifiedForm { presented, conditions, expiration })
    }
}

fn check_conditions(presented: &UnverifiedForm<'_>, conditions: &[Condition]) -> Result<(), PolicyError> {
    let bucket = ("bucket", presented.bucket);
    let fields = || {
        let others = presented.fields.iter().map(|(name, value)| (*name, &**value));
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

/// A form whose signature is right and whose fields are those that the signer allowed. Only
/// [`Verifier::verify_form`] makes one.
///
/// Nothing is proven about the file until [`VerifiedForm::check_file_length`] was asked.
pub struct VerifiedForm<'a> {
    presented: UnverifiedForm<'a>,
    conditions: Vec<Condition>,
    expiration: Timestamp,
}

impl VerifiedForm<'_> {
    /// The fields that the policy has conditions for, in the order received, `${filename}` replaced. The session token
    /// is among them.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        let fields = self.presented.fields.iter().map(|(name, value)| (*name, &**value));
        fields.filter(|(name, _)| self.is_named(name))
    }

    /// The value of one of them, by its name in whatever case.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.presented.field(name).filter(|_| self.is_named(name))
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
        self.presented.access_key_id()
    }

    /// The session token that came with it. Compared with the key's own if the key came from
    /// [`UnverifiedForm::derive_key`].
    pub fn session_token(&self) -> Option<&str> {
        self.presented.session_token()
    }

    /// The scope it was signed for.
    pub fn scope(&self) -> Scope<'_> {
        self.presented.scope()
    }

    /// When it was signed.
    pub fn timestamp(&self) -> Timestamp {
        self.presented.timestamp
    }

    /// When it ends.
    pub fn expiration(&self) -> Timestamp {
        self.expiration
    }
}

impl fmt::Debug for VerifiedForm<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedForm")
            .field("presented", &self.presented)
            .field("expiration", &self.expiration)
            .field("file_length", &self.file_length())
            .finish()
    }
}
