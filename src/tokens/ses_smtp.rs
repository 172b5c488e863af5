use alloc::string::String;

use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

use super::{TokenError, input};
use crate::sign::SignError;
use crate::sigv4::credentials::Credentials;
use crate::sigv4::scope::Scope;
use crate::sigv4::signing_key::SigningKey;

/// The first byte of a password, for the algorithm.
const VERSION: u8 = 4;

/// Returns the SMTP password of an IAM user for Amazon SES in a region. The user name is the access key id.
///
/// Unlike the other functions of this module, this one converts the secret: the password does not expire, and is as
/// sensitive as the secret until the access key is deleted. The user needs `ses:SendRawEmail`. Connect to
/// `email-smtp.REGION.amazonaws.com` on port 587 (STARTTLS) or 465 (TLS).
///
/// Common mistakes:
/// - A password works only in the region it was created for.
/// - Temporary credentials have no SMTP password: SES has no way to receive the session token.
///
/// ```
/// use countersign::{Credentials, tokens};
///
/// let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")?;
/// let password = tokens::ses_smtp_password(&credentials, "us-east-1")?;
/// assert_eq!(*password, "BOntiZFm/r+5s3psZ/RpsjB+aSGsj2J0rXdiLuO0cQL7");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// AWS: [Obtaining SMTP credentials](https://docs.aws.amazon.com/ses/latest/dg/smtp-credentials.html)
///
/// # Errors
/// [`TokenError`] for temporary credentials ([`TokenError::Temporary`]) and an invalid region.
pub fn ses_smtp_password(credentials: &Credentials, region: &str) -> Result<Zeroizing<String>, TokenError> {
    input::check_region(region)?;
    if credentials.session_token().is_some() {
        return Err(TokenError::Temporary);
    }
    // A fixed date that no signature has, and text that no string to sign is.
    let scope = Scope::new("11111111", region, "ses").map_err(SignError::from)?;
    let signature = SigningKey::derive(credentials, &scope).sign_pieces(|write| write(b"SendRawEmail"));
    let mut bytes = Zeroizing::new([VERSION; 33]);
    if let Some(rest) = bytes.get_mut(1..) {
        rest.copy_from_slice(signature.as_bytes());
    }
    Ok(Zeroizing::new(Base64::encode_string(&*bytes)))
}
