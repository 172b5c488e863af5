use alloc::format;

use super::input::{check_filled, resource_name};
use super::{FIFTEEN_MINUTES, Token, TokenError, signer};
use crate::sigv4::credentials::Credentials;
use crate::sigv4::request::Request;
use crate::sigv4::timestamp::Timestamp;
use crate::text::percent::encode_segment;

/// Returns the password of an ElastiCache user for a replication group (Valkey 7.2 or later, Redis OSS 7.0 or later),
/// valid for 15 minutes. Send it over TLS as `AUTH user token` or `HELLO 3 AUTH user token`. For serverless caches, use
/// [`elasticache_serverless`].
///
/// The identity needs `elasticache:Connect` on the replication group and on the user. The user must have authentication
/// mode IAM, and the same id and name, in lower case.
///
/// A common mistake is to sign for the endpoint: `cache` is only the name (id) of the replication group. AWS stores
/// names in lower case, so the name is signed in lower case. ElastiCache closes a connection after 12 hours unless it
/// is authenticated again with a new token.
///
/// ```
/// use countersign::{Credentials, tokens};
///
/// let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")?;
/// let now = "20150830T123600Z".parse()?;
/// let token = tokens::elasticache(&credentials, "eu-west-1", "My-Cache", "app", now)?;
/// assert!(token.as_str().starts_with("my-cache/?Action=connect&User=app&X-Amz-Algorithm="));
///
/// let endpoint = "my-cache.abc123.euw1.cache.amazonaws.com";
/// let error = tokens::elasticache(&credentials, "eu-west-1", endpoint, "app", now).unwrap_err();
/// assert!(error.to_string().ends_with("is an endpoint; give only the name of the cache, e.g. my-cache"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// AWS: [Authenticating with IAM](https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html)
///
/// # Errors
/// [`TokenError`] for an endpoint or a URL instead of a name, an empty user, an invalid region, and expired
/// credentials.
pub fn elasticache(
    credentials: &Credentials,
    region: &str,
    cache: &str,
    user: &str,
    now: Timestamp,
) -> Result<Token, TokenError> {
    connect(credentials, region, "elasticache", ("cache", cache), user, "", now)
}

/// Returns the password of an ElastiCache user for a serverless cache. Otherwise the same as [`elasticache`];
/// ElastiCache refuses the token of one kind of cache for the other.
///
/// ```
/// use countersign::{Credentials, tokens};
///
/// let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")?;
/// let now = "20150830T123600Z".parse()?;
/// let token = tokens::elasticache_serverless(&credentials, "eu-west-1", "my-cache", "app", now)?;
/// assert!(token.as_str().starts_with("my-cache/?Action=connect&User=app&ResourceType=ServerlessCache&"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// The same as for [`elasticache`].
pub fn elasticache_serverless(
    credentials: &Credentials,
    region: &str,
    cache: &str,
    user: &str,
    now: Timestamp,
) -> Result<Token, TokenError> {
    connect(credentials, region, "elasticache", ("cache", cache), user, "&ResourceType=ServerlessCache", now)
}

/// Returns the password of a MemoryDB user (Valkey, or Redis OSS 7.0 or later), valid for 15 minutes. Send it over TLS
/// as `AUTH user token`.
///
/// The identity needs `memorydb:connect` on the cluster and on the user. A common mistake is to sign for the endpoint:
/// `cluster` is only the name of the cluster. MemoryDB closes a connection after 12 hours unless it is authenticated
/// again with a new token.
///
/// ```
/// use countersign::{Credentials, tokens};
///
/// let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")?;
/// let now = "20150830T123600Z".parse()?;
/// let token = tokens::memorydb(&credentials, "eu-west-1", "my-cluster", "app", now)?;
/// assert!(token.as_str().starts_with("my-cluster/?Action=connect&User=app&X-Amz-Algorithm="));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// AWS: [Authenticating with IAM](https://docs.aws.amazon.com/memorydb/latest/devguide/auth-iam.html)
///
/// # Errors
/// The same as for [`elasticache`].
pub fn memorydb(
    credentials: &Credentials,
    region: &str,
    cluster: &str,
    user: &str,
    now: Timestamp,
) -> Result<Token, TokenError> {
    connect(credentials, region, "memorydb", ("cluster", cluster), user, "", now)
}

fn connect(
    credentials: &Credentials,
    region: &str,
    service: &str,
    (field, name): (&'static str, &str),
    user: &str,
    resource_type: &str,
    now: Timestamp,
) -> Result<Token, TokenError> {
    let name = resource_name(field, name)?;
    check_filled("user", user)?;
    let target = format!("/?Action=connect&User={}{resource_type}", encode_segment(user));
    let request = Request::new("GET", &target, &[]).with_host(&name).with_scheme("http");
    let presigned = signer(credentials, region, service)?.presign(request, FIFTEEN_MINUTES, now)?;
    Ok(Token::of_url(presigned, "http://"))
}
