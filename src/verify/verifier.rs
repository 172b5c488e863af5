use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use super::body::SignedBody;
use super::error::{Computed, VerifyError};
use super::scope_parts::ScopeParts;
use super::unverified::Presented;
use super::verified::Verified;
use crate::hash::{hex_of, sha256};
use crate::sigv4::algorithm::Algorithm;
use crate::sigv4::authorization::X_AMZ_SIGNATURE;
use crate::sigv4::canonical_request::{CanonicalRequest, Parts, SignedHeaderList};
use crate::sigv4::payload::{PayloadLine, UNSIGNED_PAYLOAD};
use crate::sigv4::rules::{Rules, UnsignedPayload};
use crate::sigv4::scope::{Scope, TERMINATOR};
use crate::sigv4::signing_key::{KeyStanding, SigningKey, VerifyingKey};
#[cfg(feature = "sigv4a")]
use crate::sigv4::sigv4a::PublicKey;
use crate::sigv4::string_to_sign::StringToSign;
use crate::sigv4::timestamp::Timestamp;
use crate::text::compare_ignoring_case;
use crate::text::excerpt;
use crate::text::inline::Inline;
use crate::text::starts_with_ignoring_case;

/// Verifies requests for one region and service.
///
/// These are its checks, in the order in which they run. [`Presented::parse`] does the first eight:
///
/// 1. Method, target and headers can be those of an HTTP message, and are within the limits: 1024 headers, 1024 query
///    parameters, 65536 bytes of path and query. There is at most one `Host`.
/// 2. `Authorization`, `x-amz-date`, `date`, `x-amz-content-sha256` and the session token stand there at most once.
/// 3. There is a signature, in the header or in the query, not in both.
/// 4. The algorithm is `AWS4-HMAC-SHA256`, or SigV4A's `AWS4-ECDSA-P256-SHA256` (feature `sigv4a`), which
///    [`Verifier::verify`] refuses unless it is told to take it; the latter has a region set.
/// 5. The `Authorization` header (at most 65536 bytes) or the query has all parameters, each once, and no others.
/// 6. The signed headers are at most 1024 lower-case names in ascending order, each once; the credential has an access
///    key id and four parts of a scope, with SigV4A three; the signature is 64 lower-case hexadecimal digits, with SigV4A
///    DER.
/// 7. The time is there and of the form `YYYYMMDDTHHMMSSZ` (a `date` header also as HTTP writes it), and
///    `X-Amz-Expires` is a number.
/// 8. `x-amz-content-sha256`, if there, is a hash or a known literal, and the same in header and query.
///
/// [`Verifier::verify`] does the others:
///
/// 9. An `Authorization` header of another kind beside a presigned query is refused, unless
///    [`Verifier::ignore_foreign_authorization`].
/// 10. `host`, every `x-amz-*` header that arrived and the headers of [`Verifier::require_signed`] are signed. Exempt
///     are `x-amz-content-sha256`, which the payload line binds, and the session token where the rules say that it is
///     added after signing.
/// 11. Every header that is named as signed is there.
/// 12. A presigned URL has a lifetime from 1 second to the rules' `max_presign`, has not ended, and is not signed for
///     more than 15 minutes ahead; any other request was signed within `max_skew` of now.
/// 13. The scope has the date of that time, the region and service of this verifier, and ends in `aws4_request`; with
///     SigV4A the region set names the region.
/// 14. What stands for the body is something that the rules take, and the body is given where its hash isn't.
/// 15. The access key is known, the session token is the key's own, and it has not ended (if the key came from
///     [`Presented::derive_key`]); found out earlier, and said only after the work of 16.
/// 16. The signature is the one of this request and key, compared in constant time.
/// 17. The body, if it was given, is the one that was signed.
///
/// What stays with the caller: finding the key by access key id *and* session token; reading no more of the body than
/// it wants to; checking a body that was not given beforehand ([`Verified::check_body`]); that the same signed request
/// may come twice within its time; what the signer is allowed to do; and going by the `Host` header that was signed, not
/// by another authority (`:authority`, an absolute URI) that came beside it.
///
/// ```
/// use countersign::{Credentials, Payload, Presented, Signer, Verifier};
///
/// let credentials = Credentials::new("AKIDEXAMPLE", "secret")?;
/// let now = "20150830T123600Z".parse()?;
/// let mut request = http::Request::get("https://example.com/dev/get-list").body(())?;
/// Signer::new(credentials.clone(), "us-east-1", "execute-api").sign_http(&mut request, Payload::EMPTY, now)?;
///
/// let verifier = Verifier::new("us-east-1", "execute-api");
/// let presented = Presented::parse(&request)?.with_body(b"");
/// let key = presented.derive_key(Some(&credentials)); // of whom presented.access_key_id() names
/// let verified = verifier.verify(presented, &key, now)?;
/// assert_eq!(verified.access_key_id(), "AKIDEXAMPLE");
///
/// request.headers_mut().insert("x-amz-acl", "public-read".parse()?);
/// let presented = Presented::parse(&request)?;
/// let error = verifier.verify(presented, &key, now).unwrap_err();
/// assert_eq!(error.to_string(), "headers that have to be signed are not: x-amz-acl");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Verifier {
    region: String,
    service: String,
    pub(crate) rules: Rules,
    external_hosts: Vec<String>,
    required: Vec<String>,
    ignore_foreign_authorization: bool,
    echo: Echo,
    #[cfg(feature = "sigv4a")]
    sigv4a: bool,
}

/// Whether a mismatch says what was computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Echo {
    Nothing,
    Redacted,
    Raw,
}

/// How far ahead of the verifier a presigned URL may be dated: clocks of clients run fast, and S3 lets them by as much.
pub(crate) const PRESIGN_AHEAD: Duration = Duration::from_secs(15 * 60);

impl Verifier {
    /// A verifier with the rules of the service: region and service as they have to stand in the scope.
    pub fn new(region: impl Into<String>, service: impl Into<String>) -> Self {
        let service = service.into();
        Self {
            region: region.into(),
            rules: Rules::for_service(&service),
            service,
            external_hosts: Vec::new(),
            required: Vec::new(),
            ignore_foreign_authorization: false,
            echo: Echo::Nothing,
            #[cfg(feature = "sigv4a")]
            sigv4a: false,
        }
    }

    /// Other rules than those of the service.
    pub fn with_rules(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    /// The names (with port, if it isn't the scheme's default one) that clients know this server by, for a server
    /// behind a proxy that rewrites `Host`. A signature for any of them is good; the `Host` that arrives no longer
    /// counts.
    pub fn with_external_hosts<H: Into<String>>(mut self, hosts: impl IntoIterator<Item = H>) -> Self {
        self.external_hosts.extend(hosts.into_iter().map(Into::into));
        self
    }

    /// Names headers that have to be signed if a request has them, because something behind this verifier trusts them.
    pub fn require_signed<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.required.extend(names.into_iter().map(Into::into));
        self
    }

    /// Lets an `Authorization` header of another kind (`Bearer`, `Basic`) stand beside a presigned query; it is not
    /// looked at.
    pub fn ignore_foreign_authorization(mut self) -> Self {
        self.ignore_foreign_authorization = true;
        self
    }

    /// Lets a mismatch say which canonical request and string to sign this verifier computed, as AWS does, with session
    /// tokens, cookies and customer keys redacted. It tells a client nothing that it didn't send.
    pub fn echo_computed(mut self) -> Self {
        self.echo = Echo::Redacted;
        self
    }

    /// Like [`Verifier::echo_computed`], with nothing redacted: for a local gateway whose answers no log keeps.
    pub fn echo_computed_raw(mut self) -> Self {
        self.echo = Echo::Raw;
        self
    }

    /// Takes signatures of SigV4A, too (`AWS4-ECDSA-P256-SHA256`), if their region set names this verifier's region.
    /// Otherwise they are refused, as [`VerifyError::UnsupportedAlgorithm`].
    ///
    /// Entries of a region set are separated by commas and compared whole and without case; `*` in an entry stands for
    /// any characters. An entry with a space before it names no region: S3 takes it so, too.
    #[cfg(feature = "sigv4a")]
    pub fn with_sigv4a(mut self) -> Self {
        self.sigv4a = true;
        self
    }

    /// Verifies the signature with the key that was found for it, at the time `now`.
    ///
    /// # Errors
    /// [`VerifyError`], with AWS's words for the client and the reason for the operator.
    pub fn verify<'a>(
        &self,
        presented: Presented<'a>,
        key: &SigningKey,
        now: Timestamp,
    ) -> Result<Verified<'a>, VerifyError> {
        self.verify_by(presented, &VerifyingKey::Signing(Cow::Borrowed(key)), now)
    }

    /// Verifies a signature of SigV4A with the public half of the key. What [`Presented::derive_key`] does besides, this
    /// leaves to the caller: comparing the session token and its expiry, and, for an unknown access key, doing the same
    /// work as for a known one.
    ///
    /// # Errors
    /// [`VerifyError`]; [`VerifyError::SignatureMismatch`] for a signature of SigV4.
    #[cfg(feature = "sigv4a")]
    pub fn verify_with_public_key<'a>(
        &self,
        presented: Presented<'a>,
        key: &PublicKey,
        now: Timestamp,
    ) -> Result<Verified<'a>, VerifyError> {
        self.verify_by(presented, &VerifyingKey::Public(*key), now)
    }

    fn verify_by<'a>(
        &self,
        presented: Presented<'a>,
        key: &VerifyingKey<'_>,
        now: Timestamp,
    ) -> Result<Verified<'a>, VerifyError> {
        #[cfg(feature = "sigv4a")]
        if !self.sigv4a && presented.region_set().is_some() {
            return Err(VerifyError::UnsupportedAlgorithm { algorithm: presented.scope().algorithm().name().into() });
        }
        if presented.foreign_authorization && !self.ignore_foreign_authorization {
            return Err(VerifyError::BothMechanisms);
        }
        let mut headers = SignedHeaderList::new();
        self.list_signed_headers(&presented, &mut headers)?;
        self.check_time(&presented, now)?;
        self.check_scope(&presented)?;
        let (body, lines) = self.payload(&presented)?;

        let (matches, computed) = self.matches(&presented, &mut headers, lines, key)?;
        check_standing(key.standing(), presented.access_key_id(), now)?;
        if !matches {
            return Err(VerifyError::SignatureMismatch { computed });
        }
        if let (Some(body_sha256), SignedBody::Sha256(_)) = (&presented.body_sha256, body) {
            body.check(body_sha256)?;
        }
        #[cfg(any(feature = "streaming", feature = "event-stream"))]
        let key = matches!(body, SignedBody::Streaming(_)).then(|| key.to_owned());
        Ok(Verified {
            presented,
            body,
            #[cfg(any(feature = "streaming", feature = "event-stream"))]
            key,
            #[cfg(any(feature = "streaming", feature = "event-stream"))]
            rules: self.rules,
        })
    }

    /// Lists the headers that are named as signed, as they arrived; `host` stands for whichever it will be.
    fn list_signed_headers<'p>(
        &self,
        presented: &'p Presented<'_>,
        headers: &mut SignedHeaderList<'p>,
    ) -> Result<(), VerifyError> {
        let mut names: Inline<&str, 16> = Inline::new();
        presented.signed_headers().for_each(|name| names.push(name));
        let is_named =
            |name: &str| names.as_slice().binary_search_by(|probe| compare_ignoring_case(probe, name)).is_ok();
        let mut unsigned = Vec::new();
        if is_named("host") {
            headers.push("host", b"");
        } else {
            unsigned.push(String::from("host"));
        }
        for (name, value) in presented.request.headers.iter() {
            if name.eq_ignore_ascii_case("host") {
                continue;
            } else if is_named(name) {
                headers.push(name, value);
            } else if self.has_to_be_signed(name) && unsigned.len() < MOST_NAMED {
                unsigned.push(name.to_ascii_lowercase());
            }
        }
        if !unsigned.is_empty() {
            return Err(VerifyError::HeadersNotSigned { names: unsigned });
        }
        headers.sort();
        let mut arrived = headers.names();
        for name in names.as_slice() {
            if !arrived.next().is_some_and(|arrived| arrived.eq_ignore_ascii_case(name)) {
                return Err(VerifyError::SignedHeaderAbsent { name: excerpt(name.as_bytes()) });
            }
        }
        Ok(())
    }

    fn has_to_be_signed(&self, name: &str) -> bool {
        // `x-amzn-trace-id` is no `x-amz-`: load balancers write it on the way.
        let exempt = name.eq_ignore_ascii_case("x-amz-content-sha256")
            || !self.rules.sign_session_token && name.eq_ignore_ascii_case(self.rules.session_token_header);
        starts_with_ignoring_case(name, "x-amz-") && !exempt
            || self.required.iter().any(|required| required.eq_ignore_ascii_case(name))
    }

    fn check_time(&self, presented: &Presented<'_>, now: Timestamp) -> Result<(), VerifyError> {
        let signed = presented.timestamp;
        let ahead = signed.unix_seconds() - now.unix_seconds();
        let exceeds = |seconds: i64, limit: Duration| u64::try_from(seconds).is_ok_and(|n| n > limit.as_secs());
        let (lifetime, allowed) = match presented.expires {
            Some(seconds) if presented.presigned => {
                let limit = self.rules.max_presign;
                if seconds == 0 || seconds > limit.as_secs() {
                    return Err(VerifyError::ExpiresOutOfRange { seconds, limit });
                }
                (Some(Duration::from_secs(seconds)), PRESIGN_AHEAD)
            }
            None if presented.presigned && self.rules.presign_expires => {
                let names = alloc::vec![crate::sigv4::authorization::X_AMZ_EXPIRES];
                return Err(VerifyError::MissingParameters { presigned: true, names });
            }
            _ => (None, self.rules.max_skew),
        };
        if exceeds(ahead, allowed) {
            return Err(VerifyError::NotYetCurrent { presigned: presented.presigned, signed, now, allowed });
        }
        match lifetime {
            Some(lifetime) if exceeds(-ahead, lifetime) => Err(VerifyError::PresignExpired { signed, now, lifetime }),
            None if exceeds(-ahead, allowed) => Err(VerifyError::Expired { signed, now, allowed }),
            _ => Ok(()),
        }
    }

    /// The one scope that it takes for a signature made then.
    pub(crate) fn scope<'s>(&'s self, algorithm: Algorithm, signed: &'s Timestamp) -> Scope<'s> {
        let region = match algorithm {
            Algorithm::HmacSha256 => &self.region,
            #[cfg(feature = "sigv4a")]
            Algorithm::EcdsaP256Sha256 => "",
        };
        Scope::unchecked(signed.date(), region, &self.service)
    }

    fn check_scope(&self, presented: &Presented<'_>) -> Result<(), VerifyError> {
        let got = presented.scope();
        let expected = self.scope(got.algorithm(), &presented.timestamp);
        if got == expected && presented.terminator() == TERMINATOR {
            #[cfg(feature = "sigv4a")]
            self.check_region_set(presented)?;
            return Ok(());
        }
        Err(VerifyError::WrongScope {
            presigned: presented.presigned,
            got: ScopeParts::of(&got, presented.terminator()),
            expected: ScopeParts::of(&expected, TERMINATOR),
            signed: presented.timestamp,
        })
    }

    #[cfg(feature = "sigv4a")]
    fn check_region_set(&self, presented: &Presented<'_>) -> Result<(), VerifyError> {
        match presented.region_set() {
            Some(region_set) if !crate::sigv4::sigv4a::covers(region_set, &self.region) => {
                let got = excerpt(region_set.as_bytes());
                Err(VerifyError::WrongRegionSet { got, region: self.region.clone() })
            }
            _ => Ok(()),
        }
    }

    /// What the body has to be, and the lines that may stand for it in the canonical request.
    fn payload<'p>(
        &self,
        presented: &'p Presented<'_>,
    ) -> Result<(SignedBody, [Option<PayloadLine<'p>>; 2]), VerifyError> {
        let rules = &self.rules;
        let unsigned = PayloadLine::Text(UNSIGNED_PAYLOAD);
        let presign_unsigned = presented.presigned && rules.presign_unsigned_payload;
        match presented.content_sha256() {
            Some((text, signed)) => {
                let taken = match signed {
                    SignedBody::Sha256(_) => rules.unsigned_payload != UnsignedPayload::Always,
                    SignedBody::Unsigned => presign_unsigned || rules.unsigned_payload != UnsignedPayload::Refused,
                    SignedBody::Streaming(streaming) => {
                        rules.streaming_payload
                            && !presented.presigned
                            && streaming.is_for(presented.scope().algorithm())
                            && !(signed.is_unsigned() && rules.unsigned_payload == UnsignedPayload::Refused)
                    }
                };
                if !taken {
                    return Err(VerifyError::InvalidContentSha256 { got: text.into() });
                }
                // AWS's own presigner signs UNSIGNED-PAYLOAD beside a pinned hash; the hash holds all the same.
                Ok((signed, [Some(PayloadLine::Text(text)), presign_unsigned.then_some(unsigned)]))
            }
            None if presign_unsigned => Ok((SignedBody::Unsigned, [Some(unsigned), None])),
            None if rules.content_sha256_header && !presented.presigned => Err(VerifyError::MissingContentSha256),
            None => {
                // Taking it for empty would leave a body that did arrive to nobody's check.
                let hash = presented.body_sha256.ok_or(VerifyError::BodyNeeded)?;
                Ok((SignedBody::Sha256(hash), [Some(PayloadLine::Sha256(hex_of(hash))), None]))
            }
        }
    }

    /// Whether the signature is right for one of the hosts and one of the payload lines; if not, what was computed for
    /// the first of them, where that is to be said.
    fn matches<'p>(
        &'p self,
        presented: &'p Presented<'_>,
        headers: &mut SignedHeaderList<'p>,
        lines: [Option<PayloadLine<'_>>; 2],
        key: &VerifyingKey<'_>,
    ) -> Result<(bool, Option<Box<Computed>>), VerifyError> {
        let request = &presented.request;
        let (path, query) = request.path_and_query();
        // Only where the query is the credential; elsewhere anybody could append it.
        let (with_token, without) = ([X_AMZ_SIGNATURE, self.rules.session_token_query], [X_AMZ_SIGNATURE]);
        let left_out: &[&str] = match (presented.presigned, self.rules.sign_session_token) {
            (true, false) => &with_token,
            (true, true) => &without,
            (false, _) => &[],
        };
        let mut buffer = Vec::new();
        let mut computed = None;
        let mut matches_for = |host: &'p [u8]| {
            headers.set("host", host);
            for payload in lines.into_iter().flatten() {
                let parts =
                    Parts { method: request.method, path, query, left_out, rules: &self.rules, headers, payload };
                buffer.clear();
                parts.assemble(&mut buffer, 0);
                let string_to_sign = StringToSign::of_hash(presented.timestamp, presented.scope(), sha256(&buffer));
                if key.verify(&string_to_sign, presented.signature()) {
                    return true;
                }
                if computed.is_none() {
                    computed = self.computed(&buffer, &string_to_sign);
                }
            }
            false
        };
        let matches = if self.external_hosts.is_empty() {
            matches_for(request.host()?)
        } else {
            self.external_hosts.iter().any(|host| matches_for(host.as_bytes()))
        };
        Ok((matches, computed))
    }

    fn computed(&self, canonical_request: &[u8], string_to_sign: &StringToSign<'_>) -> Option<Box<Computed>> {
        let canonical_request = CanonicalRequest::from_bytes(canonical_request);
        let canonical_request = match self.echo {
            Echo::Nothing => return None,
            Echo::Redacted => canonical_request.redacted().to_string(),
            Echo::Raw => canonical_request.raw().to_string(),
        };
        Some(Box::new(Computed { canonical_request, string_to_sign: string_to_sign.to_string() }))
    }
}

/// Whether the key is one to accept; asked after the work of comparing a signature.
pub(crate) fn check_standing(standing: KeyStanding, access_key_id: &str, now: Timestamp) -> Result<(), VerifyError> {
    let access_key_id = || String::from(access_key_id);
    match standing {
        KeyStanding::UnknownAccessKey => Err(VerifyError::UnknownAccessKey { access_key_id: access_key_id() }),
        KeyStanding::InvalidSessionToken => Err(VerifyError::InvalidSessionToken { access_key_id: access_key_id() }),
        KeyStanding::ExpiresAt(expiry) if expiry <= now => {
            Err(VerifyError::ExpiredSessionToken { access_key_id: access_key_id(), expiry })
        }
        KeyStanding::Good | KeyStanding::ExpiresAt(_) => Ok(()),
    }
}

/// How many headers an error names.
pub(crate) const MOST_NAMED: usize = 16;
