use alloc::format;
use core::time::Duration;

use super::input::{check_filled, host};
use super::{FIFTEEN_MINUTES, Token, TokenError, signer};
use crate::sigv4::credentials::Credentials;
use crate::sigv4::request::Request;
use crate::sigv4::timestamp::Timestamp;
use crate::text::percent::encode_segment;

/// Returns the password of a database user for RDS and Aurora (PostgreSQL, MySQL, MariaDB) and RDS Proxy, valid for 15
/// minutes.
///
/// The service name is `rds-db`. The identity needs `rds-db:connect` on the user, and IAM authentication must be
/// enabled for the user (PostgreSQL: `GRANT rds_iam TO app`; MySQL: `IDENTIFIED WITH AWSAuthenticationPlugin AS
/// 'RDS'`).
///
/// Common mistakes, all of which cause the login to fail:
/// - `host` and `port` must be those of the database (or reader, or proxy) itself, not of a CNAME, a tunnel or a load
///   balancer in front of it: connect to the latter, but sign for the database.
/// - TLS is required: `sslmode=verify-full`, or `--ssl-mode=VERIFY_IDENTITY` for MySQL. MySQL clients must also enable
///   the cleartext plugin, since the server needs the token itself.
/// - In a connection URI, the token must be percent-encoded once more with [`encode_segment`](crate::encode_segment),
///   including its `%`. As a keyword value, a struct field or an environment variable it is used as is.
///   `examples/rds_token.rs` shows both.
/// - `user` is case-sensitive and is encoded here: pass it exactly as the database stores it.
///
/// ```
/// use countersign::{Credentials, encode_segment, tokens};
///
/// let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")?;
/// let now = "20150830T123600Z".parse()?;
/// let token = tokens::rds(&credentials, "eu-west-1", "db.example.com", 5432, "a+b", now)?;
/// assert!(token.as_str().contains("&DBUser=a%2Bb&"));
/// assert!(token.as_str().ends_with(
///     "&X-Amz-Signature=98333a99cc9e41db859ff93f0467455c71238d17c5f95411bc6187e713951611"
/// ));
/// let password = encode_segment(token.as_str());
/// let uri = format!("postgres://a%2Bb:{password}@db.example.com:5432/postgres?sslmode=verify-full");
/// assert!(uri.contains("%26DBUser%3Da%252Bb%26"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// AWS: [Connecting with IAM authentication](https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.Connecting.html)
///
/// # Errors
/// [`TokenError`] for a host with a scheme or a port in it, port 0, an empty user, an invalid region, and expired
/// credentials.
pub fn rds(
    credentials: &Credentials,
    region: &str,
    host: &str,
    port: u16,
    user: &str,
    now: Timestamp,
) -> Result<Token, TokenError> {
    let host = self::host(host)?;
    if port == 0 {
        return Err(TokenError::Port);
    }
    check_filled("user", user)?;
    let target = format!("/?Action=connect&DBUser={}", encode_segment(user));
    // Passed as a header so that a default port is kept: the server expects its address to include the port.
    let host_and_port = format!("{host}:{port}");
    let headers = [("host", host_and_port.as_bytes())];
    let request = Request::new("GET", &target, &headers);
    let presigned = signer(credentials, region, "rds-db")?.presign(request, FIFTEEN_MINUTES, now)?;
    Ok(Token::of_url(presigned, "https://"))
}

/// Returns the password of an Aurora DSQL database role other than `admin`, valid for `expires_in` from `now` (whole
/// seconds, 1 to 604800; AWS's own helpers use 900).
///
/// Connect with the PostgreSQL protocol to port 5432, database `postgres`, with `sslmode=verify-full`. The identity
/// needs `dsql:DbConnect`, and must be granted the role (`AWS IAM GRANT app TO 'arn:aws:iam::…'`).
///
/// A common mistake is to sign for the wrong action: the user `admin` needs [`dsql_admin`], all others need this
/// function. The server answers either mistake with "access denied". In a connection URI, the token must be
/// percent-encoded once more, as for [`rds`]. Anyone who obtains a long-lived token can connect until it expires; it
/// never outlives temporary credentials: see [`Token::expires_at`].
///
/// ```
/// use countersign::{Credentials, tokens};
/// use std::time::Duration;
///
/// let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")?;
/// let (host, an_hour) = ("abc.dsql.us-east-1.on.aws", Duration::from_secs(3600));
/// let token = tokens::dsql(&credentials, "us-east-1", host, an_hour, "20150830T123600Z".parse()?)?;
/// assert!(token.as_str().starts_with("abc.dsql.us-east-1.on.aws/?Action=DbConnect&"));
/// assert_eq!(token.expires_at().as_str(), "20150830T133600Z");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// AWS: [Generating an authentication token](https://docs.aws.amazon.com/aurora-dsql/latest/userguide/SECTION_authentication-token.html)
///
/// # Errors
/// [`TokenError`] for a host with a scheme or a port, a lifetime out of range
/// ([`SignError::Expires`](crate::SignError::Expires)), an invalid region, and expired credentials.
pub fn dsql(
    credentials: &Credentials,
    region: &str,
    host: &str,
    expires_in: Duration,
    now: Timestamp,
) -> Result<Token, TokenError> {
    dsql_action(credentials, region, host, "/?Action=DbConnect", expires_in, now)
}

/// Returns the password of the Aurora DSQL user `admin`. The identity needs `dsql:DbConnectAdmin`. Otherwise the same
/// as [`dsql`].
///
/// ```
/// use countersign::{Credentials, tokens};
/// use std::time::Duration;
///
/// let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")?;
/// let (host, expires_in) = ("abc.dsql.us-east-1.on.aws", Duration::from_secs(900));
/// let token = tokens::dsql_admin(&credentials, "us-east-1", host, expires_in, "20150830T123600Z".parse()?)?;
/// assert!(token.as_str().starts_with("abc.dsql.us-east-1.on.aws/?Action=DbConnectAdmin&"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// The same as for [`dsql`].
pub fn dsql_admin(
    credentials: &Credentials,
    region: &str,
    host: &str,
    expires_in: Duration,
    now: Timestamp,
) -> Result<Token, TokenError> {
    dsql_action(credentials, region, host, "/?Action=DbConnectAdmin", expires_in, now)
}

fn dsql_action(
    credentials: &Credentials,
    region: &str,
    host: &str,
    target: &str,
    expires_in: Duration,
    now: Timestamp,
) -> Result<Token, TokenError> {
    let host = self::host(host)?;
    let request = Request::new("GET", target, &[]).with_host(&host);
    let presigned = signer(credentials, region, "dsql")?.presign(request, expires_in, now)?;
    Ok(Token::of_url(presigned, "https://"))
}
