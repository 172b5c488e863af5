use alloc::format;

use base64ct::{Base64UrlUnpadded, Encoding};
use zeroize::Zeroizing;

use super::input::check_filled;
use super::{FIFTEEN_MINUTES, Token, TokenError, signer};
use crate::endpoint::partition::AWS;
use crate::sigv4::credentials::Credentials;
use crate::sigv4::request::Request;
use crate::sigv4::timestamp::Timestamp;
use crate::text::percent::encode_segment;

/// Returns the SASL/OAUTHBEARER token for Amazon MSK, valid for 15 minutes. Return it from the token callback of a
/// Kafka client (`oauthbearer_token_refresh_cb` in librdkafka), with [`Token::expires_at_millis`] as its lifetime and
/// any principal. The client asks for a new token before it expires; connections stay open.
///
/// `user_agent` names your program, e.g. `my-service/1.4`; it is added to the URL unsigned. The identity needs
/// `kafka-cluster:Connect`, and separate permissions for topics and groups.
///
/// Common mistakes:
/// - The port for IAM is 9098 (9198 from outside the VPC), with `security.protocol=SASL_SSL`.
/// - A lifetime in seconds instead of milliseconds is a time in 1970.
/// - The mechanism `AWS_MSK_IAM` needs a different token.
///
/// ```
/// use countersign::{Credentials, tokens};
///
/// let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")?;
/// let token = tokens::msk(&credentials, "eu-west-1", "my-service/1.4", "20150830T123600Z".parse()?)?;
/// assert!(token.as_str().starts_with("aHR0cHM6Ly9rYWZrYS5ldS13ZXN0LTEuYW1hem9uYXdzLmNvbS8_QWN0aW9uPW"));
/// assert_eq!(token.expires_at_millis(), 1_440_939_060_000);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// AWS: [IAM access control](https://docs.aws.amazon.com/msk/latest/developerguide/iam-access-control.html),
/// [clients](https://docs.aws.amazon.com/msk/latest/developerguide/configure-clients-for-iam-access-control.html)
///
/// # Errors
/// [`TokenError`] for an empty user agent, an invalid region, and expired credentials.
pub fn msk(credentials: &Credentials, region: &str, user_agent: &str, now: Timestamp) -> Result<Token, TokenError> {
    check_filled("user agent", user_agent)?;
    let signer = signer(credentials, region, "kafka-cluster")?;
    // AWS's own signers use this suffix in every partition.
    let host = format!("kafka.{region}.{}", AWS.dns_suffix);
    let request = Request::new("GET", "/?Action=kafka-cluster%3AConnect", &[]).with_host(&host);
    let presigned = signer.presign(request, FIFTEEN_MINUTES, now)?;
    let url = Zeroizing::new([presigned.url(), "&User-Agent=", &encode_segment(user_agent)].concat());
    Ok(Token::new(Base64UrlUnpadded::encode_string(url.as_bytes()), credentials, FIFTEEN_MINUTES, now))
}
