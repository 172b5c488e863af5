//! Operations whose answers contain credentials. A client that gets them needs the proxy no more, nor its allow-list.
//!
//! The list can't be complete: what a key must not do belongs into its `[[key.allow]]`, in `services`, and into the policy
//! of the real credentials.

use bytes::Bytes;
use countersign::VerifiedHead;

use super::{Settings, Unread, outgoing, read};
use crate::serve::{AnswerBody, full};

/// Services that do little else than giving credentials.
const SERVICES: [&str; 6] = ["cognito-identity", "eks-auth", "rolesanywhere", "signin", "sso", "sso-oauth"];

/// Operations of services that name them in `X-Amz-Target`, after the last dot.
const TARGETS: [&str; 7] = [
    "GetAuthorizationToken",
    "GetCredentials",
    "GetCredentialsForIdentity",
    "GetFederationToken",
    "GetOpenIdToken",
    "GetOpenIdTokenForDeveloperIdentity",
    "GetTemporaryCredentials",
];

/// Services, and how the paths begin and end.
const PATHS: [(&str, &str, &str); 5] = [
    ("codeartifact", "/v1/authorization-token", ""),
    ("datazone", "/v2/domains/", "/credentials"),
    ("lakeformation", "/AssumeDecoratedRoleWithSAML", ""),
    ("lakeformation", "/GetTemporary", ""),
    ("s3", "/v20180820/accessgrantsinstance/dataaccess", ""),
];

/// What a service that names its operations in `Action` may do.
enum Actions {
    Only(&'static [&'static str]),
    AllBut(&'static [&'static str]),
}

/// Bodies of such requests are not longer, in bytes.
const LONGEST: usize = 256 << 10;

fn actions(service: &str) -> Option<Actions> {
    match service {
        "sts" => Some(Actions::Only(&["DecodeAuthorizationMessage", "GetAccessKeyInfo", "GetCallerIdentity"])),
        "iam" => Some(Actions::AllBut(&[
            "CreateAccessKey",
            "CreateServiceSpecificCredential",
            "ResetServiceSpecificCredential",
        ])),
        "redshift" => Some(Actions::AllBut(&["GetClusterCredentials", "GetClusterCredentialsWithIAM"])),
        _ => None,
    }
}

/// Returns why the request is refused, as far as its head shows it.
pub fn refused(verified: &VerifiedHead<'_>, path: &str) -> Option<&'static str> {
    let scope = verified.scope();
    let service = scope.service();
    let is_s3 = service.starts_with("s3");
    let is_session = || verified.query_pairs().any(|(name, _)| name.eq_ignore_ascii_case(b"session"));
    let target = verified.header("x-amz-target").map(String::from_utf8_lossy).unwrap_or_default();
    let operation = target.rsplit('.').next().unwrap_or_default();
    let is_path = |(own, start, end): &(&str, &str, &str)| {
        service == *own && path.starts_with(start) && path.trim_end_matches('/').ends_with(end)
    };
    if SERVICES.contains(&service) {
        Some("the service gives credentials")
    } else if is_s3 && is_session() {
        Some("CreateSession gives credentials; S3 Express works without: s3_disable_express_session_auth = true")
    } else if TARGETS.contains(&operation) || PATHS.iter().any(is_path) {
        Some("the operation gives credentials")
    } else {
        None
    }
}

/// Reads the operation from the body, where the service has it there, and returns the body.
pub async fn check(settings: &Settings, verified: &VerifiedHead<'_>, body: AnswerBody) -> Result<AnswerBody, String> {
    let scope = verified.scope();
    let Some(actions) = actions(scope.service()).filter(|_| !settings.allow_credentials_in_answers) else {
        return Ok(body);
    };
    let bytes = read(body, LONGEST).await.map_err(|unread| match unread {
        Unread::TooLong => format!("the body is longer than {LONGEST} bytes"),
        Unread::Broken => "the body ended early, or is not the signed one".into(),
    })?;
    let path = outgoing::path(verified);
    permits(&actions, &path, verified.query_pairs().map(|(name, value)| (name.into(), value.into())), &bytes)?;
    Ok(full(bytes))
}

/// There has to be one operation, whoever reads the request.
fn permits(
    actions: &Actions,
    path: &str,
    query: impl Iterator<Item = (Vec<u8>, Vec<u8>)>,
    body: &Bytes,
) -> Result<(), String> {
    let body = String::from_utf8_lossy(body);
    // Some servers separate parameters at `;` as well.
    let in_body = body.split(['&', ';']).flat_map(outgoing::pairs).collect::<Vec<_>>();
    let all = query.chain(in_body).filter(|(name, _)| name.trim_ascii().eq_ignore_ascii_case(b"action"));
    let found: Vec<_> = all.map(|(_, value)| String::from_utf8_lossy(&value).into_owned()).collect();
    let [action] = found.as_slice() else { return Err("the request doesn't name one Action".into()) };
    let is_permitted = match actions {
        Actions::Only(permitted) => permitted.contains(&action.as_str()),
        Actions::AllBut(refused) => !refused.iter().any(|own| own.eq_ignore_ascii_case(action)),
    };
    match is_permitted && path == "/" {
        true => Ok(()),
        false => Err("the Action gives credentials, or may do so".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_action_that_gives_no_credentials() {
        let sts = actions("sts").unwrap();
        let permitted = |query: &str, path: &str, body: &'static str| {
            permits(&sts, path, outgoing::pairs(query), &Bytes::from_static(body.as_bytes())).is_ok()
        };
        assert!(permitted("", "/", "Action=GetCallerIdentity&Version=2011-06-15"));
        assert!(permitted("Action=GetCallerIdentity&Version=2011-06-15", "/", ""));
        for (query, path, body) in [
            ("", "/", "Action=AssumeRole&Version=2011-06-15"),
            ("", "/", "Action=GetSessionToken"),
            ("", "/", "Version=2011-06-15"),
            ("", "/", ""),
            ("Action=AssumeRole", "/", "Action=GetCallerIdentity"),
            ("Action=GetCallerIdentity", "/", "Action=AssumeRole"),
            ("", "/", "Action=GetCallerIdentity&Action=AssumeRole"),
            ("", "/", "Action=GetCallerIdentity&a=b;Action=AssumeRole"),
            ("", "/", "Action=GetCallerIdentity&%41ction=AssumeRole"),
            ("", "/", "Action=GetCallerIdentity&action=AssumeRole"),
            ("", "/", "Action=GetCallerIdentity&+Action=AssumeRole"),
            ("", "/service/AWSSecurityTokenServiceV20110615/operation/AssumeRole", "Action=GetCallerIdentity"),
            ("", "/", "{\"Action\":\"AssumeRole\"}"),
        ] {
            assert!(!permitted(query, path, body), "{query} {path} {body}");
        }
    }
}
