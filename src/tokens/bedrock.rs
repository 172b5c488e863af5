use core::time::Duration;

use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

use super::{Token, TokenError, signer};
use crate::sigv4::credentials::Credentials;
use crate::sigv4::request::Request;
use crate::sigv4::rules::Limits;
use crate::sigv4::timestamp::Timestamp;

/// Returns a short-term Amazon Bedrock API key, valid for `expires_in` from `now` (whole seconds, 1 second to 12 hours)
/// in one region. Send it as `Authorization: Bearer …`, or set `AWS_BEARER_TOKEN_BEDROCK`, which the AWS SDKs and tools
/// for Bedrock read.
///
/// The identity needs `bedrock:CallWithBearerToken`, and the permissions for the calls themselves. Anyone who obtains the
/// key can call Bedrock as that identity until it expires; it never outlives temporary credentials: see
/// [`Token::expires_at`].
///
/// Common mistakes:
/// - The key is valid only in the region it was created for.
/// - It works only for `bedrock` and `bedrock-runtime`, not for agents or data automation.
///
/// ```
/// use countersign::{Credentials, tokens};
/// use std::time::Duration;
///
/// let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")?;
/// let an_hour = Duration::from_secs(3600);
/// let key = tokens::bedrock(&credentials, "eu-west-1", an_hour, "20150830T123600Z".parse()?)?;
/// assert!(key.as_str().starts_with("bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29tLz9BY3Rpb249Q2Fsb"));
/// assert_eq!(key.expires_at().as_str(), "20150830T133600Z");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// AWS: [API keys](https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys.html),
/// [their permissions](https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys-permissions.html)
///
/// # Errors
/// [`TokenError`] for a lifetime out of range ([`SignError::Expires`](crate::SignError::Expires)), an invalid region, and
/// expired credentials.
pub fn bedrock(
    credentials: &Credentials,
    region: &str,
    expires_in: Duration,
    now: Timestamp,
) -> Result<Token, TokenError> {
    let limits = Limits { max_presign: Duration::from_secs(12 * 60 * 60), ..Limits::default() };
    let signer = signer(credentials, region, "bedrock")?.with_limits(limits);
    // The same host in every region; the scope has the region.
    let request = Request::new("POST", "/?Action=CallWithBearerToken", &[]).with_host("bedrock.amazonaws.com");
    let presigned = Token::of_url(signer.presign(request, expires_in, now)?, "https://");
    let url = Zeroizing::new([presigned.as_str(), "&Version=1"].concat());
    let encoded = Zeroizing::new(Base64::encode_string(url.as_bytes()));
    Ok(Token::new(["bedrock-api-key-", &encoded].concat(), credentials, expires_in, now))
}
