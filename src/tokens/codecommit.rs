use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::input::{host, shown};
use super::{FIFTEEN_MINUTES, Token, TokenError, signer};
use crate::hash::{hex_of, sha256};
use crate::sigv4::canonical_request::{Parts, SignedHeaderList};
use crate::sigv4::credentials::Credentials;
use crate::sigv4::payload::PayloadLine;
use crate::sigv4::request::Request;
use crate::sigv4::rules::Rules;
use crate::sigv4::scope::Scope;
use crate::sigv4::signature::Signature;
use crate::sigv4::signing_key::SigningKey;
use crate::sigv4::timestamp::Timestamp;
use crate::text::wiped::Wiped;

/// Returns the user name and password for git over HTTPS with CodeCommit, valid for 15 minutes. The token displays as
/// the password; [`Token::user`] is the user name, which contains the session token of temporary credentials.
///
/// `host` and `path` are what git passes to a credential helper if `credential.useHttpPath` is set:
/// `git-codecommit.us-east-1.amazonaws.com` and `v1/repos/NAME`. The identity needs `codecommit:GitPull` and
/// `codecommit:GitPush`.
///
/// Common mistakes:
/// - Without `credential.useHttpPath = true`, git passes no path, and there is nothing to sign.
/// - A password store, such as the macOS keychain, returns an expired password, which CodeCommit answers with 403.
/// - In a URL (`https://USER:PASSWORD@…`), the user name must be percent-encoded with
///   [`encode_segment`](crate::encode_segment).
///
/// ```
/// use countersign::{Credentials, tokens};
///
/// let credentials = Credentials::new("ASIAEXAMPLE", "secret")?.with_session_token("token")?;
/// let host = "git-codecommit.us-east-1.amazonaws.com";
/// let token = tokens::codecommit(&credentials, "us-east-1", host, "v1/repos/MyRepo", "20150830T123600Z".parse()?)?;
/// assert_eq!(token.user(), Some("ASIAEXAMPLE%token"));
/// assert!(token.as_str().starts_with("20150830T123600Z"));
///
/// // The output of a credential helper for `get`.
/// let answer = format!("username={}\npassword={token}\n", token.user().unwrap_or_default());
/// # let _ = answer;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// AWS: [HTTPS connections with the credential helper](https://docs.aws.amazon.com/codecommit/latest/userguide/setting-up-https-unixes.html)
///
/// # Errors
/// [`TokenError`] for a host with a scheme or a port, a path other than `v1/repos/NAME`, an invalid region, and
/// expired credentials.
pub fn codecommit(
    credentials: &Credentials,
    region: &str,
    host: &str,
    path: &str,
    now: Timestamp,
) -> Result<Token, TokenError> {
    let host = self::host(host)?;
    let path = repository_path(path)?;
    let signer = signer(credentials, region, "codecommit")?;
    let scope = signer.check(&Request::new("GIT", &path, &[]), &now)?;

    let signature = signature(credentials, &scope, &host, &path, now);
    let mut token = Token::new(format!("{now}{}", signature.to_hex()), credentials, FIFTEEN_MINUTES, now);
    token.user = Some(user_name(credentials));
    Ok(token)
}

/// Signs a request with the method `GIT`, except that the payload hash is empty and the timestamp has no `Z`.
fn signature(credentials: &Credentials, scope: &Scope<'_>, host: &str, path: &str, now: Timestamp) -> Signature {
    let mut headers = SignedHeaderList::new();
    headers.push("host", host.as_bytes());
    let parts = Parts {
        method: "GIT",
        path: path.as_bytes(),
        query: b"",
        is_query_canonical: false,
        left_out: &[],
        rules: &Rules::GENERIC,
        headers: &headers,
        signed_headers: None,
        payload: PayloadLine::Text(""),
    };
    // The session token is not among its headers.
    let mut canonical_request = Wiped::new(Vec::new(), false);
    parts.assemble(&mut canonical_request, 0);
    let (algorithm, time) = (scope.algorithm().name(), now.as_str().trim_end_matches('Z'));
    let head = format!("{algorithm}\n{time}\n{scope}\n");
    let hash = hex_of(sha256(&canonical_request));
    SigningKey::derive(credentials, scope).sign_pieces(|write| {
        write(head.as_bytes());
        write(&hash);
    })
}

/// Returns the access key id, followed by the session token of temporary credentials.
fn user_name(credentials: &Credentials) -> Zeroizing<String> {
    let mut user = Zeroizing::new(String::from(credentials.access_key_id()));
    if let Some(token) = credentials.session_token() {
        user.reserve_exact(1 + token.len());
        user.push('%');
        user.push_str(token);
    }
    user
}

/// Returns `/v1/repos/NAME`. Repository names contain no characters that need encoding or normalising.
fn repository_path(path: &str) -> Result<String, TokenError> {
    let name = path.strip_prefix('/').unwrap_or(path).strip_prefix("v1/repos/").unwrap_or_default();
    let well_formed = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
    if name.is_empty() || !well_formed || matches!(name, "." | "..") {
        return Err(TokenError::RepositoryPath { got: shown(path) });
    }
    Ok(format!("/v1/repos/{name}"))
}
