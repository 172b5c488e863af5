//! Connection tokens: signed requests in the form that a database, a broker or a cluster accepts as a password.
//!
//! | for | function | sent as | valid for |
//! |---|---|---|---|
//! | RDS, Aurora, RDS Proxy | [`rds`] | the password | 15 minutes |
//! | Aurora DSQL | [`dsql`], [`dsql_admin`] | the password | 1 second to 7 days |
//! | ElastiCache | [`elasticache`], [`elasticache_serverless`] | the password of `AUTH` or `HELLO` | 15 minutes |
//! | MemoryDB | [`memorydb`] | the password of `AUTH` or `HELLO` | 15 minutes |
//! | MSK | [`msk`] | the token of SASL/OAUTHBEARER | 15 minutes |
//! | EKS | [`eks`] | the bearer token; [`exec_credential`] for `kubectl` | 15 minutes |
//! | IoT Core, MQTT over WebSocket | [`iot_mqtt`] | the URL to connect to | 5 minutes |
//! | Transcribe, streaming over WebSocket | [`transcribe`] | the URL to connect to | 5 minutes |
//! | Vault, AWS auth method | [`vault`] | the body of the login | 15 minutes |
//! | CodeCommit over HTTPS | [`codecommit`] | user name and password | 15 minutes |
//! | Bedrock | [`bedrock`] | the bearer token, or `AWS_BEARER_TOKEN_BEDROCK` | 1 second to 12 hours |
//! | SES over SMTP | [`ses_smtp_password`] | the password | as long as the access key |
//!
//! The server checks a token only when a connection is opened: a pool needs a new token for each new connection, and an
//! open connection stays open after its token expires (but Bedrock checks each call). Creating a token takes microseconds and no network access, so
//! there is no need to cache it. Missing permissions show up only on connecting: creating a token doesn't check them.
//!
//! ```
//! use countersign::{Credentials, tokens};
//!
//! let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")?;
//! let now = "20150830T123600Z".parse()?;
//! let password = tokens::rds(&credentials, "eu-west-1", "db.example.com", 5432, "app", now)?;
//! assert!(password.as_str().starts_with("db.example.com:5432/?Action=connect&DBUser=app&X-Amz-Algorithm="));
//! assert_eq!(password.expires_at().as_str(), "20150830T125100Z");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bedrock;
mod cache;
mod codecommit;
mod database;
mod error;
mod input;
mod msk;
mod ses_smtp;
mod sts;
mod websocket;

use alloc::string::String;
use core::fmt;
use core::time::Duration;

use zeroize::Zeroizing;

pub use bedrock::bedrock;
pub use cache::{elasticache, elasticache_serverless, memorydb};
pub use codecommit::codecommit;
pub use database::{dsql, dsql_admin, rds};
pub use error::TokenError;
pub use msk::msk;
pub use ses_smtp::ses_smtp_password;
pub use sts::{eks, exec_credential, vault};
pub use websocket::{iot_mqtt, transcribe};

use crate::sign::{Presigned, SignError, Signer};
use crate::sigv4::credentials::Credentials;
use crate::sigv4::timestamp::Timestamp;

const FIFTEEN_MINUTES: Duration = Duration::from_secs(15 * 60);

/// A connection token. It displays as the text that the server accepts, and is wiped when dropped.
///
/// Anyone who has the token can connect. `Debug` does not show it.
///
/// ```
/// use countersign::{Credentials, tokens};
///
/// let credentials = Credentials::new("ASIAEXAMPLE", "secret")?
///     .with_session_token("token")?
///     .with_expires_at("20150830T124000Z".parse()?);
/// let now = "20150830T123600Z".parse()?;
/// let token = tokens::memorydb(&credentials, "eu-west-1", "my-cluster", "app", now)?;
/// assert_eq!(token.to_string(), token.as_str());
/// // After 15 minutes, or when the credentials expire if that is earlier.
/// assert_eq!(token.expires_at().as_str(), "20150830T124000Z");
/// assert_eq!(format!("{token:?}"), "Token { expires_at: 20150830T124000Z, .. }");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Token {
    text: Zeroizing<String>,
    user: Option<Zeroizing<String>>,
    expires_at: Timestamp,
}

impl Token {
    /// Returns the token as the server accepts it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the user name that goes with the token; only [`codecommit`] sets one. It may contain the session token:
    /// don't log it.
    pub fn user(&self) -> Option<&str> {
        self.user.as_ref().map(|user| user.as_str())
    }

    /// Returns when the token expires: after its own lifetime or with the credentials, whichever is earlier.
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// Returns [`Token::expires_at`] in milliseconds since 1970, the form in which Kafka clients expect the lifetime of
    /// an OAUTHBEARER token.
    pub fn expires_at_millis(&self) -> i64 {
        self.expires_at.unix_seconds().saturating_mul(1000)
    }

    /// Creates a token that the server accepts for `expires_in` from `now`.
    fn new(text: String, credentials: &Credentials, expires_in: Duration, now: Timestamp) -> Self {
        let end = now.saturating_add(i64::try_from(expires_in.as_secs()).unwrap_or(i64::MAX));
        let expires_at = credentials.expires_at().map_or(end, |expiry| expiry.min(end));
        Self { text: Zeroizing::new(text), user: None, expires_at }
    }

    /// Creates a token from the URL, without the leading `scheme`.
    fn of_url(presigned: Presigned, scheme: &str) -> Self {
        let expires_at = presigned.expires_at();
        let mut text = Zeroizing::new(presigned.into_url());
        if text.starts_with(scheme) {
            text.drain(..scheme.len());
        }
        Self { text, user: None, expires_at }
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// Creates a signer with the rules of the token's service.
fn signer(credentials: &Credentials, region: &str, service: &str) -> Result<Signer, TokenError> {
    input::check_region(region)?;
    Ok(Signer::new(credentials.clone(), region, service).map_err(SignError::from)?)
}
