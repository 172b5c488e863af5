//! Tokens with a signed `GetCallerIdentity` request, which a server sends to STS to identify the caller.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;
use core::time::Duration;

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use zeroize::Zeroizing;

use super::input::{check_filled, regional_host, shown};
use super::{FIFTEEN_MINUTES, Token, TokenError, signer};
use crate::endpoint::partition::AWS;
use crate::json::push_escaped;
use crate::sigv4::credentials::Credentials;
use crate::sigv4::payload::Payload;
use crate::sigv4::request::Request;
use crate::sigv4::timestamp::Timestamp;
use crate::text::wiped::Wiped;

const GET_CALLER_IDENTITY: &str = "Action=GetCallerIdentity&Version=2011-06-15";

/// Returns the bearer token for the API server of an EKS cluster, `k8s-aws-v1.…`. `cluster` is the name of the cluster,
/// which is case-sensitive, or its id on Outposts; `region` is the region of the cluster.
///
/// The presigned URL has an expiration of 60 seconds, as with the AWS CLI, but the cluster accepts the token for 15
/// minutes from `now`, which is what [`Token::expires_at`] returns. [`exec_credential`] wraps the token in the JSON
/// that `kubectl` and client libraries read. The cluster must know the identity (an access entry, or `aws-auth`);
/// otherwise it answers 401 even to a valid token.
///
/// A common mistake is to pass the ARN or the endpoint of the cluster instead of its name.
///
/// ```
/// use countersign::{Credentials, tokens};
///
/// let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")?;
/// let token = tokens::eks(&credentials, "eu-west-1", "prod", "20150830T123600Z".parse()?)?;
/// assert!(token.as_str().starts_with("k8s-aws-v1.aHR0cHM6Ly9zdHMuZXUtd2VzdC0xLmFtYXpvbmF3cy5jb20vP0FjdGlvbj"));
/// assert_eq!(token.expires_at().as_str(), "20150830T125100Z");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// AWS: [`aws eks get-token`](https://docs.aws.amazon.com/cli/latest/reference/eks/get-token.html)
///
/// # Errors
/// [`TokenError`] for a cluster name that is empty or contains characters other than letters, digits, `-` and `_`, an
/// invalid region, and expired credentials.
pub fn eks(credentials: &Credentials, region: &str, cluster: &str, now: Timestamp) -> Result<Token, TokenError> {
    check_filled("cluster", cluster)?;
    let got = || shown(cluster);
    if cluster.contains("://") {
        return Err(TokenError::Scheme { field: "cluster", got: got() });
    }
    if !cluster.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
        return Err(TokenError::Name { field: "cluster", got: got(), takes: "letters, digits, '-' and '_'" });
    }
    let (host, region) = sts_endpoint(region);
    let target = format!("/?{GET_CALLER_IDENTITY}");
    let headers = [("x-k8s-aws-id", cluster.as_bytes())];
    let request = Request::new("GET", &target, &headers).with_host(&host);
    let signer = signer(credentials, region, "sts")?.also_sign(["x-k8s-aws-id"]);
    let url = Zeroizing::new(signer.presign(request, Duration::from_secs(60), now)?.into_url());
    let text = ["k8s-aws-v1.", &Zeroizing::new(Base64UrlUnpadded::encode_string(url.as_bytes()))].concat();
    Ok(Token::new(text, credentials, FIFTEEN_MINUTES, now))
}

/// Returns the token of [`eks`] as an `ExecCredential`, the JSON that `kubectl` reads from a credential plugin, in
/// version `client.authentication.k8s.io/v1beta1`. Its expiration is one minute early, so that a token doesn't expire
/// while a request is on its way. `examples/eks_token.rs` is such a plugin.
///
/// The kubeconfig must specify the same version, and `interactiveMode: Never`.
///
/// ```
/// use countersign::{Credentials, tokens};
///
/// let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")?;
/// let token = tokens::eks(&credentials, "eu-west-1", "prod", "20150830T123600Z".parse()?)?;
/// let json: serde_json::Value = serde_json::from_str(&tokens::exec_credential(&token))?;
/// assert_eq!(json["apiVersion"], "client.authentication.k8s.io/v1beta1");
/// assert_eq!(json["status"]["expirationTimestamp"], "2015-08-30T12:50:00Z");
/// assert_eq!(json["status"]["token"], token.as_str());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Kubernetes: [client-go credential plugins](https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins)
pub fn exec_credential(token: &Token) -> Zeroizing<String> {
    let expiration = token.expires_at().saturating_add(-60).extended();
    let mut credential = Wiped::new(String::new(), true);
    let _ = write!(
        credential,
        r#"{{"apiVersion":"client.authentication.k8s.io/v1beta1","kind":"ExecCredential","spec":{{}},"#
    );
    let _ = write!(credential, r#""status":{{"expirationTimestamp":"{expiration}","token":""#);
    push_escaped(&mut credential, token.as_str());
    let _ = credential.write_str(r#""}}"#);
    Zeroizing::new(credential.into_inner())
}

/// Returns the body of a login with Vault's AWS auth method, type `iam`: JSON for `POST /v1/auth/aws/login`. Vault
/// forwards the signed request in it to STS, so it is valid for as long as STS accepts the signature, which is 15
/// minutes.
///
/// `role` is the Vault role to log in as; without it, Vault uses the name of the IAM role or user. `server_id` is
/// Vault's `iam_server_id_header_value`, if it is configured; it prevents a login for one Vault server from being used
/// at another.
///
/// A common mistake is the wrong region: Vault sends the request to its configured STS endpoint (`sts_endpoint`,
/// `sts_region`), not to the one that was signed, and STS answers "Credential should be scoped to a valid region".
/// Vault's default is the global endpoint, `sts.amazonaws.com`, signed for `us-east-1`; the region for it is
/// `aws-global`.
///
/// ```
/// use countersign::{Credentials, tokens};
///
/// let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")?;
/// let server_id = Some("vault.example.com");
/// let now = "20150830T123600Z".parse()?;
/// let login = tokens::vault(&credentials, "aws-global", Some("dev"), server_id, now)?;
/// let json: serde_json::Value = serde_json::from_str(login.as_str())?;
/// assert_eq!(json["role"], "dev");
/// assert_eq!(json["iam_http_request_method"], "POST");
/// // https://sts.amazonaws.com/
/// assert_eq!(json["iam_request_url"], "aHR0cHM6Ly9zdHMuYW1hem9uYXdzLmNvbS8=");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Vault: [AWS auth method](https://developer.hashicorp.com/vault/docs/auth/aws),
/// [login](https://developer.hashicorp.com/vault/api-docs/auth/aws#login)
///
/// # Errors
/// [`TokenError`] for an empty role or server id, a server id that is not a valid header value, an invalid region, and
/// expired credentials.
pub fn vault(
    credentials: &Credentials,
    region: &str,
    role: Option<&str>,
    server_id: Option<&str>,
    now: Timestamp,
) -> Result<Token, TokenError> {
    role.map_or(Ok(()), |role| check_filled("role", role))?;
    server_id.map_or(Ok(()), |id| check_filled("server id", id))?;
    let (host, region) = sts_endpoint(region);
    let content_type = "application/x-www-form-urlencoded; charset=utf-8";
    let server_id = server_id.map(|id| ("X-Vault-AWS-IAM-Server-ID", id));
    let given: Vec<_> =
        [("Host", host.as_str()), ("Content-Type", content_type)].into_iter().chain(server_id).collect();
    let headers: Vec<_> = given.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    let request = Request::new("POST", "/", &headers);
    let signer = signer(credentials, region, "sts")?.also_sign(server_id.map(|(name, _)| name));
    let signed = signer.sign(request, Payload::Bytes(GET_CALLER_IDENTITY.as_bytes()), now)?;

    // Every version of Vault accepts a list of values for each header.
    let headers = object(given.into_iter().chain(signed.headers()).collect(), ["[", "]"]);
    let headers = Zeroizing::new(Base64::encode_string(headers.as_bytes()));
    let (url, body) = (format!("https://{host}/"), Base64::encode_string(GET_CALLER_IDENTITY.as_bytes()));
    let url = Base64::encode_string(url.as_bytes());
    let mut login = Vec::from([
        ("iam_http_request_method", "POST"),
        ("iam_request_url", &url),
        ("iam_request_body", &body),
        ("iam_request_headers", &headers),
    ]);
    login.extend(role.map(|role| ("role", role)));
    Ok(Token::new(object(login, ["", ""]).into_inner(), credentials, FIFTEEN_MINUTES, now))
}

/// Returns a JSON object of strings, sorted by name, with `before` and `behind` around each value.
fn object(mut members: Vec<(&str, &str)>, [before, behind]: [&str; 2]) -> Wiped<String> {
    members.sort_unstable();
    let mut json = Wiped::new(String::new(), true);
    for (index, (name, value)) in members.into_iter().enumerate() {
        let _ = json.write_str(if index == 0 { "{\"" } else { ",\"" });
        push_escaped(&mut json, name);
        let _ = write!(json, "\":{before}\"");
        push_escaped(&mut json, value);
        let _ = write!(json, "\"{behind}");
    }
    let _ = json.write_str("}");
    json
}

/// Returns the host and the signing region. `aws-global` is the SDKs' name for the endpoint without a region in its
/// name.
fn sts_endpoint(region: &str) -> (String, &str) {
    match region {
        "aws-global" => (format!("sts.{}", AWS.dns_suffix), AWS.global_region),
        _ => (regional_host("sts", region), region),
    }
}
