use alloc::format;

use super::input::{check_filled, resource_name};
use super::{FIFTEEN_MINUTES, Token, TokenError, signer};
use crate::sigv4::credentials::Credentials;
use crate::sigv4::request::Request;
use crate::sigv4::timestamp::Timestamp;
use crate::text::percent::encode_segment;

/// The password of an ElastiCache user for a replication group, Valkey from 7.2 or Redis OSS from 7.0, valid for 15
/// minutes: `AUTH user token`, or `HELLO 3 AUTH user token`, over TLS. [`elasticache_serverless`] is for serverless caches.
///
/// The identity needs `elasticache:Connect` on the replication group and on the user, and the user has to be made with
/// authentication mode IAM, its id and name the same, in lower case.
///
/// The common mistake is to sign for the endpoint: `cache` is the name (id) of the replication group alone. AWS
/// keeps names in lower case, so it is signed in lower case. ElastiCache cuts a connection 12 hours after its token
/// was taken, unless `AUTH` or `HELLO` brings another.
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
/// assert!(error.to_string().ends_with("is an endpoint; what is signed is the name of the cache alone, e.g. my-cache"));
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

/// The password of an ElastiCache user for a serverless cache; all else is as for [`elasticache`]. With the token of the
/// one for the other, ElastiCache refuses the connection.
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
/// As for [`elasticache`].
pub fn elasticache_serverless(
    credentials: &Credentials,
    region: &str,
    cache: &str,
    user: &str,
    now: Timestamp,
) -> Result<Token, TokenError> {
    connect(credentials, region, "elasticache", ("cache", cache), user, "&ResourceType=ServerlessCache", now)
}

/// The password of a MemoryDB user, Valkey or Redis OSS from 7.0, valid for 15 minutes: `AUTH user token`, over TLS.
///
/// The identity needs `memorydb:connect` on the cluster and on the user. The common mistake is to sign for the
/// endpoint: `cluster` is the name of the cluster alone. MemoryDB cuts a connection 12 hours after its token was
/// taken, unless `AUTH` or `HELLO` brings another.
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
/// As for [`elasticache`].
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
