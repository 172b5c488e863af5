use core::fmt;

use alloc::string::String;
use zeroize::Zeroizing;

use crate::sigv4::timestamp::Timestamp;

/// An access key id, its secret, and for temporary credentials the session token and expires_at.
///
/// They are checked when made, since a stray newline from a file or a shell otherwise comes back from AWS as
/// "not a valid key=value pair" or as a signature that does not match. Secret and token are wiped when dropped, and no
/// `Debug` shows them.
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
#[derive(Clone)]
pub struct Credentials {
    access_key_id: String,
    /// `AWS4` and the secret: the key of the first HMAC, so that deriving a signing key copies no secret.
    aws4_secret: Zeroizing<String>,
    session_token: Option<Zeroizing<String>>,
    expires_at: Option<Timestamp>,
}

impl Credentials {
    /// Long-term credentials, or the first two parts of temporary ones.
    ///
    /// # Errors
    /// [`CredentialsError`] if one of them is empty or holds white space, a control character or, in the access key
    /// id, anything that is not visible ASCII.
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

    /// Adds the session token that came with temporary credentials.
    ///
    /// # Errors
    /// [`CredentialsError`] if it is empty or holds white space, a control character or anything outside ASCII.
    pub fn with_session_token(mut self, token: impl Into<String>) -> Result<Self, CredentialsError> {
        let token = Zeroizing::new(token.into());
        check("session token", &token)?;
        self.session_token = Some(token);
        Ok(self)
    }

    /// Says when temporary credentials end. Signing after that is an error, and a presigned URL that would live
    /// longer says so.
    pub fn with_expires_at(mut self, expires_at: Timestamp) -> Self {
        self.expires_at = Some(expires_at);
        self
    }

    /// Reads `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and, if it is set and not empty, `AWS_SESSION_TOKEN`.
    ///
    /// # Errors
    /// [`CredentialsError::NotInEnvironment`] names the variable that is missing; the others as in
    /// [`Credentials::new`].
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

    /// The access key id, e.g. `AKIDEXAMPLE`; no secret.
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// The session token of temporary credentials. Keep it out of logs.
    pub fn session_token(&self) -> Option<&str> {
        self.session_token.as_ref().map(|token| token.as_str())
    }

    /// When they end, if that is known.
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
        // A secret is only hashed; id and token travel in header values.
        if !c.is_ascii() && field != "secret access key" {
            return Err(CredentialsError::NotAscii { field });
        }
        // It would end the Credential parameter inside the Authorization header.
        if c == ',' && field == "access key id" {
            return Err(CredentialsError::Comma { position });
        }
    }
    Ok(())
}

/// What is wrong with credentials. The value itself is never part of the error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialsError {
    /// A part is empty.
    #[error("the {field} is empty")]
    Empty {
        /// Which part.
        field: &'static str,
    },
    /// A part holds a space, tab or line break, as happens when it is copied or read from a file.
    #[error("the {field} holds white space at byte {position}; trim what it was read from")]
    Whitespace {
        /// Which part.
        field: &'static str,
        /// Offset in bytes.
        position: usize,
    },
    /// A part holds a control character.
    #[error("the {field} holds a control character at byte {position}")]
    ControlCharacter {
        /// Which part.
        field: &'static str,
        /// Offset in bytes.
        position: usize,
    },
    /// A part that travels in a header is not ASCII.
    #[error("the {field} is not ASCII")]
    NotAscii {
        /// Which part.
        field: &'static str,
    },
    /// The access key id holds a comma, which ends a parameter of the Authorization header.
    #[error("the access key id holds a comma at byte {position}")]
    Comma {
        /// Offset in bytes.
        position: usize,
    },
    /// An environment variable is not set.
    #[error("the environment variable {variable} is not set")]
    NotInEnvironment {
        /// Its name.
        variable: &'static str,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn every_broken_shape_names_its_field() {
        let id = |id: &str| Credentials::new(id, "s").unwrap_err().to_string();
        assert_eq!(id(""), "the access key id is empty");
        assert_eq!(id(" AKID"), "the access key id holds white space at byte 0; trim what it was read from");
        assert_eq!(id("AKID\r\n"), "the access key id holds white space at byte 4; trim what it was read from");
        assert_eq!(id("AK\u{a0}ID"), "the access key id holds white space at byte 2; trim what it was read from");
        assert_eq!(id("AK\0ID"), "the access key id holds a control character at byte 2");
        assert_eq!(id("AK\u{7f}"), "the access key id holds a control character at byte 2");
        assert_eq!(id("AKÏD"), "the access key id is not ASCII");
        assert_eq!(id("AK,ID"), "the access key id holds a comma at byte 2");
        let secret = |secret: &str| Credentials::new("AKID", secret).unwrap_err().to_string();
        assert_eq!(secret(""), "the secret access key is empty");
        assert_eq!(secret("a b"), "the secret access key holds white space at byte 1; trim what it was read from");
        assert_eq!(secret("ab\t"), "the secret access key holds white space at byte 2; trim what it was read from");
        assert_eq!(secret("\u{1b}"), "the secret access key holds a control character at byte 0");
        let token =
            |token: &str| Credentials::new("AKID", "s").unwrap().with_session_token(token).unwrap_err().to_string();
        assert_eq!(token(""), "the session token is empty");
        assert_eq!(token("t\n"), "the session token holds white space at byte 1; trim what it was read from");
        assert_eq!(token("t\u{80}"), "the session token holds a control character at byte 1");
        assert_eq!(token("tö"), "the session token is not ASCII");
        assert!(Credentials::new("user/with/slashes+=.@-", "sécret").is_ok());
    }
}
