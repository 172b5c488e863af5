//! Operations whose answers contain credentials. A client that gets them needs the proxy no more, nor its allow-list.
//!
//! The list can't be complete: what a key must not do belongs into its `[[key.allow]]`, in `services`, and into the policy
//! of the real credentials.

use bytes::Bytes;
use countersign::VerifiedHead;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::request::Parts;

use super::{Settings, Unread, outgoing, read};
use crate::serve::path::decoded_once;
use crate::serve::{AnswerBody, full};

/// Services that do little else than giving credentials.
const SERVICES: [&str; 8] =
    ["account-access", "awsssoportal", "cognito-identity", "eks-auth", "rolesanywhere", "signin", "sso", "sso-oauth"];

/// Operations that `X-Amz-Target` or a path of RPC names, in lower case. Without a service, those of all.
const OPERATIONS: [(&str, &str); 23] = [
    ("", "createbucketaccesskey"),
    ("", "getauthorizationtoken"),
    ("", "getbucketaccesskeys"),
    ("", "getclustersessioncredentials"),
    ("", "getcomputeaccess"),
    ("", "getcomputeauthtoken"),
    ("", "getcredentials"),
    ("", "getcredentialsforidentity"),
    ("", "getfederationtoken"),
    ("", "getinstanceaccess"),
    ("", "getopenidtoken"),
    ("", "getopenidtokenfordeveloperidentity"),
    ("", "getspacecredentialsfororganization"),
    ("", "getspacedataaccess"),
    ("", "getsessionendpoint"),
    ("", "gettemporarycredentials"),
    ("", "requestuploadcredentials"),
    ("codepipeline", "getjobdetails"),
    ("codepipeline", "getthirdpartyjobdetails"),
    ("codepipeline", "pollforjobs"),
    ("gamelift", "createbuild"),
    ("license-manager", "getaccesstoken"),
    ("ssm", "getaccesstoken"),
];

/// Services, and how the paths begin, what they contain, and how they end, in lower case.
const PATHS: [(&str, [&str; 3]); 15] = [
    ("bedrock-agentcore", ["/identities/", "token", ""]),
    ("codeartifact", ["/v1/authorization-token", "", ""]),
    ("connect", ["/user/federate", "", ""]),
    ("datazone", ["/v2/domains/", "", "/credentials"]),
    ("datazone", ["/v2/domains/", "/connections/", ""]),
    ("deadline", ["/", "/farms/", "-roles"]),
    ("emr-containers", ["/virtualclusters/", "", "/credentials"]),
    ("emr-serverless", ["/applications/", "/sessions/", "/endpoint"]),
    ("finspace-api", ["/credentials/", "", ""]),
    ("iot", ["/destinations", "", ""]),
    ("lakeformation", ["/assumedecoratedrolewithsaml", "", ""]),
    ("lakeformation", ["/gettemporary", "", ""]),
    ("lambda", ["/", "/microvms/", "auth-token"]),
    ("omics", ["/", "", "/credentials"]),
    ("s3", ["/v20180820/accessgrantsinstance/dataaccess", "", ""]),
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
    let target = verified.header("x-amz-target").map(<[u8]>::to_vec).unwrap_or_default();
    let asked =
        Asked { service, path, target, query: verified.query_pairs().map(|(n, v)| (n.into(), v.into())).collect() };
    asked.refused()
}

/// What a request asks for.
struct Asked<'r> {
    service: &'r str,
    path: &'r str,
    target: Vec<u8>,
    query: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Asked<'_> {
    fn refused(&self) -> Option<&'static str> {
        let is_session = || self.query.iter().any(|(name, _)| name.trim_ascii().eq_ignore_ascii_case(b"session"));
        if SERVICES.contains(&self.service) {
            Some("the service gives credentials")
        } else if self.service.starts_with("s3") && is_session() {
            Some("CreateSession gives credentials; S3 Express works without: s3_disable_express_session_auth = true")
        } else if self.operations().iter().any(|operation| self.gives(operation)) || self.has_path() {
            Some("the operation gives credentials")
        } else {
            None
        }
    }

    /// In lower case: a server that doesn't care about case must not be reached by another spelling.
    fn operations(&self) -> Vec<String> {
        // Some read the target from the query as well.
        let is_target =
            |name: &[u8]| [&b"x-amz-target"[..], b"action"].iter().any(|own| name.eq_ignore_ascii_case(own));
        let in_query = self.query.iter().filter(|(name, _)| self.service != "s3" && is_target(name.trim_ascii()));
        let targets = in_query.map(|(_, value)| value.as_slice()).chain([self.target.as_slice()]);
        let mut all: Vec<_> = targets
            .map(|target| lower(target).rsplit(['.', '#']).next().unwrap_or_default().trim().to_owned())
            .collect();
        // `/service/NAME/operation/NAME`, of Smithy's RPC.
        let path = lower(&decoded_once(self.path));
        all.extend(path.split_once("/operation/").map(|(_, name)| name.trim_matches('/').to_owned()));
        all
    }

    fn gives(&self, operation: &str) -> bool {
        OPERATIONS.iter().any(|(service, own)| (service.is_empty() || *service == self.service) && *own == operation)
    }

    fn has_path(&self) -> bool {
        let path = lower(&decoded_once(self.path));
        let path = path.trim_end_matches('/');
        let is_like =
            |[start, inner, end]: &[&str; 3]| path.starts_with(start) && path.contains(inner) && path.ends_with(end);
        PATHS.iter().any(|(service, parts)| *service == self.service && is_like(parts))
    }
}

fn lower(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).to_lowercase()
}

/// Reads the operation from the body, where the service has it there, and returns the body.
pub async fn check(
    settings: &Settings,
    head: &Parts,
    verified: &VerifiedHead<'_>,
    body: AnswerBody,
) -> Result<AnswerBody, String> {
    let scope = verified.scope();
    let Some(actions) = actions(scope.service()).filter(|_| !settings.allow_credentials_in_answers) else {
        return Ok(body);
    };
    check_kind(&head.headers)?;
    let bytes = read(body, LONGEST).await.map_err(|unread| match unread {
        Unread::TooLong => format!("the body is longer than {LONGEST} bytes"),
        Unread::Broken => "the body ended early, or is not the signed one".into(),
    })?;
    let path = outgoing::path(verified, &settings.virtual_hosts).unwrap_or_default();
    permits(&actions, &path, verified.query_pairs().map(|(name, value)| (name.into(), value.into())), &bytes)?;
    Ok(full(bytes))
}

/// The body has to be what it is read as here: a form, in UTF-8, as it is.
fn check_kind(headers: &HeaderMap) -> Result<(), String> {
    let kinds = headers.get_all(CONTENT_TYPE).iter().map(|value| lower(value.as_bytes()).replace([' ', '"'], ""));
    let is_form = |kind: &String| {
        let (kind, parameters) = kind.split_once(';').unwrap_or((kind, ""));
        kind == "application/x-www-form-urlencoded" && matches!(parameters, "" | "charset=utf-8")
    };
    if headers.contains_key("x-amz-target") || headers.contains_key(CONTENT_ENCODING) {
        return Err("the Action can't be read from a request with x-amz-target or content-encoding".into());
    }
    match kinds.collect::<Vec<_>>().iter().all(is_form) {
        true => Ok(()),
        false => Err("the Action can be read only from application/x-www-form-urlencoded".into()),
    }
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

    #[test]
    fn operations_by_any_name() {
        let refused = |service, target: &str, path, query| {
            let query = outgoing::pairs(query).collect();
            Asked { service, path, target: target.into(), query }.refused().is_some()
        };
        for (service, target, path, query) in [
            ("ecr", "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken", "/", ""),
            ("ecr", "x.getauthorizationtoken", "/", ""),
            ("ecr", "com.amazon#GetAuthorizationToken", "/", ""),
            ("ecr", "", "/service/AmazonEC2ContainerRegistry_V20150921/operation/GetAuthorizationToken", ""),
            ("ecr", "", "/service/X/%6Fperation/GetAuthorizationToke%6e/", ""),
            ("ecr", "", "/", "X-Amz-Target=X.GetAuthorizationToken"),
            ("ecr", "", "/", "Action=GetAuthorizationToken"),
            ("ssm", "AmazonSSM.GetAccessToken", "/", ""),
            ("codeartifact", "", "/v1/authorization-token", "domain=x"),
            ("codeartifact", "", "/v1/%61uthorization-token", "domain=x"),
            ("deadline", "", "/2023-10-12/farms/f/queues/q/user-roles", ""),
            ("datazone", "", "/v2/domains/d/connections/c", "withSecret=true"),
            ("s3", "", "/v20180820/accessgrantsinstance/data%61ccess", "target=x"),
            ("s3express", "", "/bucket", "session"),
            ("awsssoportal", "", "/federation/credentials", ""),
        ] {
            assert!(refused(service, target, path, query), "{service} {target} {path} {query}");
        }
        for (service, target, path, query) in [
            ("ecr", "AmazonEC2ContainerRegistry_V20150921.DescribeImages", "/", ""),
            ("dynamodb", "DynamoDB_20120810.GetItem", "/", ""),
            ("ssm", "AmazonSSM.GetParameter", "/", ""),
            ("s3", "", "/bucket/operation/GetCredentials/x", "Action=GetCredentials"),
            ("s3", "", "/bucket/key", "sessions"),
            ("datazone", "", "/v2/domains/d", ""),
            ("lambda", "", "/2015-03-31/functions/auth-token", ""),
        ] {
            assert!(!refused(service, target, path, query), "{service} {target} {path} {query}");
        }
    }
}
