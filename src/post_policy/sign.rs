use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::{self, Write};

use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

use super::condition::Condition;
use super::document::Document;
use super::error::PolicyError;
use super::policy::Policy;
use super::{MAX_FIELD_BYTES, check_sendable, is_exempt};
use crate::sign::{SignError, Signer};
use crate::sigv4::algorithm::Algorithm;
use crate::sigv4::scope::ScopeError;
use crate::sigv4::signature::Signature;
use crate::sigv4::timestamp::Timestamp;
use crate::text::excerpt;
use crate::text::wiped::Wiped;

impl Signer {
    /// Signs a policy, and returns all fields of its form except the file and those that the page adds itself. Adds the
    /// conditions for the credential, algorithm, date and session token.
    ///
    /// ```
    /// use countersign::post_policy::Policy;
    /// use countersign::{Credentials, Signer};
    ///
    /// let signer = Signer::new(Credentials::new("AKIDEXAMPLE", "secret")?, "us-east-1", "s3")?;
    /// let policy = Policy::new("examplebucket", "20151230T120000Z".parse()?).with_field("key", "a.txt");
    /// let form = signer.sign_post_policy(&policy, "20151229T000000Z".parse()?)?;
    /// let names: Vec<&str> = form.fields().map(|(name, _)| name).collect();
    /// let expected = ["key", "policy", "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature"];
    /// assert_eq!(names, expected);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// AWS: [Calculating a signature](https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-authentication-HTTPPOST.html)
    ///
    /// # Errors
    /// [`PolicyError`] if the policy can't be signed, or if S3 would refuse the form.
    pub fn sign_post_policy(&self, policy: &Policy, now: Timestamp) -> Result<SignedForm, PolicyError> {
        let mut conditions = policy.conditions.clone();
        for (field, value) in self.own_fields(&now)? {
            conditions.push(Condition::Exact { field: field.into(), value });
        }
        let text = Document { expires_at: policy.expires_at, conditions }.print();
        let fields = policy.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        self.sign_post_policy_text(&text, fields, now)
    }

    /// Signs the text of a policy, byte for byte, and returns the fields of the form: `fields`, followed by those of
    /// the signature.
    ///
    /// # Errors
    /// [`PolicyError::Sign`] if the signer can't sign. Any other [`PolicyError`] if S3 would refuse the form: the text
    /// is not a policy; the policy has expired; it has no condition for one of the fields, or for `x-amz-algorithm`,
    /// `x-amz-credential`, `x-amz-date` or the session token; or one of these does not meet a condition. The page has
    /// to meet the conditions for other fields.
    pub fn sign_post_policy_text<'f>(
        &self,
        policy: &str,
        fields: impl IntoIterator<Item = (&'f str, &'f str)>,
        now: Timestamp,
    ) -> Result<SignedForm, PolicyError> {
        let Document { expires_at, conditions } = Document::parse(policy.as_bytes())?;
        if expires_at <= now {
            return Err(PolicyError::Expired { expires_at, now });
        }
        // The policy contains the session token as well.
        let has_token = self.credentials().session_token().is_some();
        let field = |name: &str, value: String| (String::from(name), Wiped::new(value, has_token));
        let mut all: Vec<_> = fields.into_iter().map(|(name, value)| field(name, value.into())).collect();
        all.push(field("policy", Base64::encode_string(policy.as_bytes())));
        let string_to_sign = all.len() - 1;
        all.extend(
            self.own_fields(&now)?.into_iter().map(|(name, mut value)| field(name, core::mem::take(&mut *value))),
        );
        check_fields(&all, &conditions)?;

        let scope = self.scope(&now)?;
        let text = all.get(string_to_sign).map_or("", |(_, policy)| policy.as_str());
        let signature = self.with_key(now, &scope, |key| key.sign_pieces(|write| write(text.as_bytes())));
        all.push(field("x-amz-signature", signature.to_hex()));
        let outlives_credentials = self.credentials().expires_at().is_some_and(|end| end < expires_at);
        Ok(SignedForm { fields: all, signature, outlives_credentials })
    }

    /// The fields that the signature adds to the form, except for the signature itself.
    fn own_fields(&self, now: &Timestamp) -> Result<Vec<(&'static str, Zeroizing<String>)>, PolicyError> {
        let scope = self.scope(now)?;
        // Forms have no field for a region set.
        if scope.algorithm() == Algorithm::EcdsaP256Sha256 {
            return Err(SignError::Scope(ScopeError::Empty { field: "region" }).into());
        }
        let credentials = self.credentials();
        let mut fields = alloc::vec![
            ("x-amz-algorithm", String::from(Algorithm::HmacSha256.name())),
            ("x-amz-credential", alloc::format!("{}/{scope}", credentials.access_key_id())),
            ("x-amz-date", now.to_string()),
        ];
        fields.extend(credentials.session_token().map(|token| (self.rules.session_token.header(), token.into())));
        Ok(fields.into_iter().map(|(name, value)| (name, Zeroizing::new(value))).collect())
    }
}

/// Checks for everything for which S3 would refuse the form.
fn check_fields(fields: &[(String, Wiped<String>)], conditions: &[Condition]) -> Result<(), PolicyError> {
    let named = |name: &str| excerpt(name.as_bytes());
    let mut length = 0;
    for (index, (name, value)) in fields.iter().enumerate() {
        length += name.len() + value.len();
        if length > MAX_FIELD_BYTES {
            return Err(PolicyError::FieldsTooLong { length, limit: MAX_FIELD_BYTES });
        }
        check_sendable(name, value)?;
        if fields.iter().take(index).any(|(earlier, _)| earlier.eq_ignore_ascii_case(name)) {
            return Err(PolicyError::RepeatedField { name: named(name) });
        }
        let mut is_named = is_exempt(name);
        for condition in conditions.iter().filter(|condition| condition.is_about(name)) {
            is_named = true;
            if !condition.is_met_by(value) {
                return Err(PolicyError::ConditionFailed { condition: condition.to_string() });
            }
        }
        if !is_named {
            return Err(PolicyError::ExtraFields { names: alloc::vec![named(name)] });
        }
    }
    Ok(())
}

/// The fields of a signed form. The file has to come last: S3 ignores every field after it.
#[derive(Clone)]
pub struct SignedForm {
    fields: Vec<(String, Wiped<String>)>,
    signature: Signature,
    outlives_credentials: bool,
}

impl SignedForm {
    /// Returns the names and values in order: the fields of the policy, then `policy`, `x-amz-algorithm`,
    /// `x-amz-credential`, `x-amz-date`, the session token if there is one, and `x-amz-signature`. Keep them out of
    /// logs.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Returns the fields as `<input type="hidden" …>` elements, one per line, with names and values escaped.
    ///
    /// ```
    /// # use countersign::post_policy::Policy;
    /// # use countersign::{Credentials, Signer};
    /// # let signer = Signer::new(Credentials::new("AKIDEXAMPLE", "secret")?, "us-east-1", "s3")?;
    /// let policy = Policy::new("b", "20151230T120000Z".parse()?).with_field("key", "\"><script>");
    /// let form = signer.sign_post_policy(&policy, "20151229T000000Z".parse()?)?;
    /// let first = "<input type=\"hidden\" name=\"key\" value=\"&quot;&gt;&lt;script&gt;\">\n";
    /// assert!(form.hidden_inputs().starts_with(first));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn hidden_inputs(&self) -> String {
        let mut html = Wiped::new(String::new(), self.fields.iter().any(|(_, value)| value.is_secret()));
        for (name, value) in self.fields() {
            let _ = writeln!(html, "<input type=\"hidden\" name=\"{}\" value=\"{}\">", Escaped(name), Escaped(value));
        }
        html.into_inner()
    }

    /// Returns the signature.
    pub fn signature(&self) -> Signature {
        self.signature
    }

    /// Returns `true` if the credentials expire before the policy does, so that the form stops working early.
    pub fn outlives_credentials(&self) -> bool {
        self.outlives_credentials
    }
}

impl fmt::Debug for SignedForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.fields().map(|(name, _)| name).collect();
        f.debug_struct("SignedForm").field("fields", &names).finish_non_exhaustive()
    }
}

/// Escapes text for a quoted attribute.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            c => f.write_char(c),
        })
    }
}
