use core::fmt;

use alloc::string::String;
use zeroize::Zeroizing;

use crate::sigv4::timestamp::Timestamp;

/// An access key id and its secret and, for temporary credentials, the session token and expiration time.
///
/// The values are validated on construction: otherwise a stray newline from a file or a shell would make AWS respond
/// with "not a valid key=value pair" or a signature mismatch. The secret and the token are wiped when dropped, and
/// `Debug` does not show them.
///
/// ```
/// use countersign::{Credentials, CredentialsError};
///
/// let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")?;
/// assert_eq!(credentials.access_key_id(), "AKIDEXAMPLE");
/// assert!(!format!("{credentials:?}").contains("wJalr"));
///
/// let error = Credentials::new("AKIDEXAMPLE", "secret\n").unwrap_err();
/// assert_eq!(error, CredentialsError::Whitespace { field: "secret access key", position: 6 });
/// # Ok::<(), CredentialsError>(())
/// ```
///
/// # Credentials of the AWS SDK
/// These functions convert to and from those of `aws-credential-types`. `sources::Resolved` has the account too.
///
/// ```ignore
/// fn to_aws(resolved: &Resolved) -> aws_credential_types::Credentials {
///     let ours = &resolved.credentials;
///     let mut theirs = aws_credential_types::Credentials::builder()
///         .access_key_id(ours.access_key_id())
///         .secret_access_key(ours.expose_secret_access_key())
///         .provider_name("countersign");
///     theirs.set_session_token(ours.session_token().map(Into::into));
///     let since_1970 = |time: Timestamp| Duration::from_secs(time.unix_seconds().unsigned_abs());
///     theirs.set_expiry(ours.expires_at().map(|time| UNIX_EPOCH + since_1970(time)));
///     theirs.set_account_id(resolved.account_id.as_deref().map(Into::into));
///     theirs.build()
/// }
///
/// fn from_aws(theirs: &aws_credential_types::Credentials) -> Result<Resolved, Box<dyn Error>> {
///     let mut ours = Credentials::new(theirs.access_key_id(), theirs.secret_access_key())?;
///     if let Some(token) = theirs.session_token() {
///         ours = ours.with_session_token(token)?;
///     }
///     if let Some(expires_at) = theirs.expiry() {
///         ours = ours.with_expires_at(expires_at.try_into()?);
///     }
///     let mut resolved = Resolved::from(ours);
///     resolved.account_id = theirs.account_id().map(|id| id.as_str().into());
///     Ok(resolved)
/// }
/// ```
#[derive(Clone)]
pub struct Credentials {
    access_key_id: String,
    /// `AWS4` followed by the secret: the key of the first HMAC, so that deriving a signing key does not copy the
    /// secret.
    aws4_secret: Zeroizing<String>,
    session_token: Option<Zeroizing<String>>,
    expires_at: Option<Timestamp>,
}

impl Credentials {
    /// Creates long-term credentials. For temporary credentials, add the token with
    /// [`Credentials::with_session_token`].
    ///
    /// # Errors
    /// Returns a [`CredentialsError`] if a value is empty or contains whitespace or a control character, or if the
    /// access key id contains a comma or anything outside ASCII.
    pub fn new(
        access_key_id: impl Into<String>,
        secret_access_key: impl Into<String>,
    ) -> Result<Self, CredentialsError> {
        let access_key_id = access_key_id.into();
        let secret = Zeroizing::new(secret_access_key.into());
        check("access key id", &access_key_id)?;
        check("secret access key", &secret)?;
        let mut aws4_secret = Zeroizing::new(String::with_capacity(4 + secret.len()));
        aws4_secret.push_str("AWS4");
        aws4_secret.push_str(&secret);
        Ok(Self { access_key_id, aws4_secret, session_token: None, expires_at: None })
    }

    /// Adds the session token of temporary credentials.
    ///
    /// # Errors
    /// Returns a [`CredentialsError`] if it is empty or contains whitespace, a control character or anything outside
    /// ASCII.
    pub fn with_session_token(mut self, token: impl Into<String>) -> Result<Self, CredentialsError> {
        let token = Zeroizing::new(token.into());
        check("session token", &token)?;
        self.session_token = Some(token);
        Ok(self)
    }

    /// Sets when temporary credentials expire. Signing at or after that time is an error; for a presigned URL that
    /// would be valid for longer, [`Presigned::outlives_credentials`](crate::Presigned::outlives_credentials) returns
    /// `true`.
    pub fn with_expires_at(mut self, expires_at: Timestamp) -> Self {
        self.expires_at = Some(expires_at);
        self
    }

    /// Reads credentials from the environment variables `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and, if it is set
    /// and not empty, `AWS_SESSION_TOKEN`.
    ///
    /// # Errors
    /// Returns [`CredentialsError::NotInEnvironment`] if a required variable is not set, [`CredentialsError::NotAscii`]
    /// if one is not Unicode, and otherwise errors as for [`Credentials::new`] and [`Credentials::with_session_token`].
    #[cfg(feature = "std")]
    pub fn from_env() -> Result<Self, CredentialsError> {
        let read = |variable: &'static str| match std::env::var(variable) {
            Ok(value) => Ok(value),
            Err(std::env::VarError::NotPresent) => Err(CredentialsError::NotInEnvironment { variable }),
            Err(std::env::VarError::NotUnicode(_)) => Err(CredentialsError::NotAscii { field: variable }),
        };
        let credentials = Self::new(read("AWS_ACCESS_KEY_ID")?, read("AWS_SECRET_ACCESS_KEY")?)?;
        match read("AWS_SESSION_TOKEN") {
            Ok(token) if !token.is_empty() => credentials.with_session_token(token),
            Ok(_) | Err(CredentialsError::NotInEnvironment { .. }) => Ok(credentials),
            Err(error) => Err(error),
        }
    }

    /// Returns the access key id, e.g. `AKIDEXAMPLE`, which is not secret.
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// Returns the session token of temporary credentials. Keep it out of logs.
    pub fn session_token(&self) -> Option<&str> {
        self.session_token.as_ref().map(|token| token.as_str())
    }

    /// Returns the secret access key, to pass the credentials on to another library or program. Signing does not need
    /// it. The copies that are made of it are not wiped; keep them out of logs.
    pub fn expose_secret_access_key(&self) -> &str {
        self.aws4_secret.strip_prefix("AWS4").unwrap_or_default()
    }

    /// Returns when the credentials expire, if that is known.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }

    pub(crate) fn aws4_secret(&self) -> &[u8] {
        self.aws4_secret.as_bytes()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("access_key_id", &self.access_key_id)
            .field("session_token", &self.session_token.as_ref().map(|_| "[redacted]"))
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

fn check(field: &'static str, value: &str) -> Result<(), CredentialsError> {
    if value.is_empty() {
        return Err(CredentialsError::Empty { field });
    }
    for (position, c) in value.char_indices() {
        if c.is_whitespace() {
            return Err(CredentialsError::Whitespace { field, position });
        }
        if c.is_control() {
            return Err(CredentialsError::ControlCharacter { field, position });
        }
        // The secret is only hashed; the id and the token are sent in header values.
        if !c.is_ascii() && field != "secret access key" {
            return Err(CredentialsError::NotAscii { field });
        }
        // A comma would end the Credential parameter of the Authorization header.
        if c == ',' && field == "access key id" {
            return Err(CredentialsError::Comma { position });
        }
    }
    Ok(())
}

/// An error for invalid credentials. The value itself is never part of the error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialsError {
    /// A value is empty.
    #[error("the {field} is empty")]
    Empty {
        /// The name of the value.
        field: &'static str,
    },
    /// A value contains a space, tab or line break, as often happens when it is copied or read from a file.
    #[error("the {field} contains whitespace at byte {position}; trim the value")]
    Whitespace {
        /// The name of the value.
        field: &'static str,
        /// The byte offset.
        position: usize,
    },
    /// A value contains a control character.
    #[error("the {field} contains a control character at byte {position}")]
    ControlCharacter {
        /// The name of the value.
        field: &'static str,
        /// The byte offset.
        position: usize,
    },
    /// A value that is sent in a header is not ASCII, or an environment variable is not Unicode.
    #[error("the {field} is not ASCII")]
    NotAscii {
        /// The name of the value.
        field: &'static str,
    },
    /// The access key id contains a comma, which would end its parameter in the `Authorization` header.
    #[error("the access key id contains a comma at byte {position}")]
    Comma {
        /// The byte offset.
        position: usize,
    },
    /// An environment variable is not set.
    #[error("the environment variable {variable} is not set")]
    NotInEnvironment {
        /// The name of the variable.
        variable: &'static str,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn the_secret_is_shown_on_request_only() {
        for secret in ["wJalrXUtnFEMI", "AWS4", "AWS4AWS4x"] {
            let credentials = Credentials::new("AKID", secret).unwrap();
            assert_eq!(credentials.expose_secret_access_key(), secret);
            assert!(!alloc::format!("{credentials:?} {credentials:#?}").contains(secret));
        }
    }

    #[test]
    fn each_error_names_the_invalid_value() {
        let id = |id: &str| Credentials::new(id, "s").unwrap_err().to_string();
        assert_eq!(id(""), "the access key id is empty");
        assert_eq!(id(" AKID"), "the access key id contains whitespace at byte 0; trim the value");
        assert_eq!(id("AKID\r\n"), "the access key id contains whitespace at byte 4; trim the value");
        assert_eq!(id("AK\u{a0}ID"), "the access key id contains whitespace at byte 2; trim the value");
        assert_eq!(id("AK\0ID"), "the access key id contains a control character at byte 2");
        assert_eq!(id("AK\u{7f}"), "the access key id contains a control character at byte 2");
        assert_eq!(id("AKÏD"), "the access key id is not ASCII");
        assert_eq!(id("AK,ID"), "the access key id contains a comma at byte 2");
        let secret = |secret: &str| Credentials::new("AKID", secret).unwrap_err().to_string();
        assert_eq!(secret(""), "the secret access key is empty");
        assert_eq!(secret("a b"), "the secret access key contains whitespace at byte 1; trim the value");
        assert_eq!(secret("ab\t"), "the secret access key contains whitespace at byte 2; trim the value");
        assert_eq!(secret("\u{1b}"), "the secret access key contains a control character at byte 0");
        let token =
            |token: &str| Credentials::new("AKID", "s").unwrap().with_session_token(token).unwrap_err().to_string();
        assert_eq!(token(""), "the session token is empty");
        assert_eq!(token("t\n"), "the session token contains whitespace at byte 1; trim the value");
        assert_eq!(token("t\u{80}"), "the session token contains a control character at byte 1");
        assert_eq!(token("tö"), "the session token is not ASCII");
        assert!(Credentials::new("user/with/slashes+=.@-", "sécret").is_ok());
    }
}
