//! Connection tokens: a signed request in the shape that a database, a broker or a cluster takes as a password.
//!
//! | for | function | sent as | valid for |
//! |---|---|---|---|
//! | RDS, Aurora, RDS Proxy | [`rds`] | the password | 15 minutes |
//! | Aurora DSQL | [`dsql`], [`dsql_admin`] | the password | 1 second to 7 days |
//! | ElastiCache | [`elasticache`], [`elasticache_serverless`] | the password of `AUTH` or `HELLO` | 15 minutes |
//! | MemoryDB | [`memorydb`] | the password of `AUTH` or `HELLO` | 15 minutes |
//! | MSK | [`msk`] | the token of SASL/OAUTHBEARER | 15 minutes |
//! | EKS | [`eks`] | the bearer token; [`exec_credential`] for `kubectl` | 15 minutes |
//! | IoT Core, MQTT over websocket | [`iot_mqtt`] | the URL to connect to | 5 minutes |
//! | Transcribe, streaming websocket | [`transcribe`] | the URL to connect to | 5 minutes |
//! | Vault, AWS auth method | [`vault`] | the body of the login | 15 minutes |
//! | CodeCommit over HTTPS | [`codecommit`] | user name and password | 15 minutes |
//!
//! The server checks a token when a connection is opened, and not afterwards: a pool needs a new one for each new
//! connection, and an open connection stays open. Making one takes microseconds and no network, so none has to be kept.
//! Wrong permissions show up on connecting only: a token says nothing about whether it will be accepted.
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

mod cache;
mod codecommit;
mod database;
mod error;
mod input;
mod msk;
mod sts;
mod websocket;

use alloc::string::String;
use core::fmt;
use core::time::Duration;

use zeroize::Zeroizing;

pub use cache::{elasticache, elasticache_serverless, memorydb};
pub use codecommit::codecommit;
pub use database::{dsql, dsql_admin, rds};
pub use error::TokenError;
pub use msk::msk;
pub use sts::{eks, exec_credential, vault};
pub use websocket::{iot_mqtt, transcribe};

use crate::sign::{Presigned, SignError, Signer};
use crate::sigv4::credentials::Credentials;
use crate::sigv4::timestamp::Timestamp;

const FIFTEEN_MINUTES: Duration = Duration::from_secs(15 * 60);

/// A connection token: it prints as what the server takes, tells when it ends, and is wiped when dropped.
///
/// Anyone who has it can connect. `Debug` does not show it.
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
/// // After 15 minutes, or with the credentials if they end earlier.
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
    /// The token, as the server takes it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The user name that goes with it, where signing makes one: for [`codecommit`] alone. It may hold the session
    /// token; keep it out of logs.
    pub fn user(&self) -> Option<&str> {
        self.user.as_ref().map(|user| user.as_str())
    }

    /// When the token ends: after its own time, or with the credentials, whichever is earlier.
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// The same in milliseconds since 1970, as Kafka clients take the lifetime of an OAUTHBEARER token.
    pub fn expires_at_millis(&self) -> i64 {
        self.expires_at.unix_seconds().saturating_mul(1000)
    }

    /// A token that the server takes for `lifetime` after `now`.
    fn new(text: String, credentials: &Credentials, expires_in: Duration, now: Timestamp) -> Self {
        let end = now.saturating_add(i64::try_from(expires_in.as_secs()).unwrap_or(i64::MAX));
        let expires_at = credentials.expires_at().map_or(end, |expiry| expiry.min(end));
        Self { text: Zeroizing::new(text), user: None, expires_at }
    }

    /// The URL, without `scheme` in front.
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

/// A signer with the rules of the token's service.
fn signer(credentials: &Credentials, region: &str, service: &str) -> Result<Signer, TokenError> {
    input::check_region(region)?;
    Ok(Signer::new(credentials.clone(), region, service).map_err(SignError::from)?)
}
