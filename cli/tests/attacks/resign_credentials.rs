//! Operations that give credentials, by other names.

use crate::client::Sent;
use crate::proxy::{Proxy, keys};
use crate::upstream::{REAL_ID, Upstream, text};
use crate::{presigned, refused, send};

const FORM: &str = "application/x-www-form-urlencoded";

/// Answers whatever reaches it, for any service.
fn giving() -> Upstream {
    Upstream::knowing(REAL_ID, |_| Some(text(200, "credentials")))
}

/// For services whose operations are in `X-Amz-Target` or the path as well.
fn proxy(upstream: &Upstream) -> Proxy {
    let pairs =
        ["ecr", "codeartifact", "ssm", "deadline", "s3express"].map(|name| format!("{name}={}", upstream.url()));
    let flags: Vec<_> = pairs.iter().flat_map(|pair| ["--upstream-for", pair]).collect();
    Proxy::with(upstream, &keys(""), &flags, &[])
}

fn post(service: &'static str, target: &str) -> Sent {
    Sent::post(service, "{}").with(|sent| sent.target = target.into())
}

#[test]
fn operations_by_other_names() {
    let upstream = giving();
    let proxy = proxy(&upstream);
    let ecr = "/service/AmazonEC2ContainerRegistry_V20150921/operation/GetAuthorizationToken";
    for (name, sent) in [
        ("target in lower case", post("ecr", "/").header("x-amz-target", "X.getauthorizationtoken")),
        ("target with a fragment", post("ecr", "/").header("x-amz-target", "com.amazon#GetAuthorizationToken")),
        ("target in the query", post("ecr", "/?X-Amz-Target=X.GetAuthorizationToken")),
        ("action in the query", post("ecr", "/?%41ction=GetAuthorizationToken")),
        ("RPC", post("ecr", ecr)),
        ("RPC, encoded", post("ecr", &ecr.replace("operation", "%6fperation"))),
        ("RPC, repeated slashes", post("ecr", &ecr.replace('/', "//"))),
        ("path, encoded", post("codeartifact", "/v1/%61uthorization-token?domain=x")),
        ("path, repeated slashes", post("codeartifact", "//v1//authorization-token?domain=x")),
        ("path, with a slash", post("codeartifact", "/v1/authorization-token/?domain=x")),
        ("node access", post("ssm", "/").header("x-amz-target", "AmazonSSM.GetAccessToken")),
        ("queue role", Sent::get("/2023-10-12/farms/f/queues/q/read-roles").with(|sent| sent.service = "deadline")),
        ("data access, encoded", Sent::get("/v20180820/accessgrantsinstance/%64ataaccess?target=x")),
        ("session of S3 Express", Sent::get("/bucket?session").with(|sent| sent.service = "s3express")),
        ("session, with a space", Sent::get("/bucket?session+")),
    ] {
        refused(&upstream, &sent.send(&proxy), name);
    }
    let target = presigned(&proxy, &Sent::get("/bucket?%53ESSION"));
    refused(&upstream, &send(&proxy, "GET", &target, &[], b""), "presigned session");
}

/// What is read as a form here, and as something else at the upstream.
#[test]
fn bodies_with_two_readings() {
    let upstream = giving();
    let proxy = Proxy::new(&upstream, &keys(""));
    let query = "/?Action=GetCallerIdentity&Version=2011-06-15";
    let sts = |body: &str, kind: &str| Sent::post("sts", body).header("content-type", kind);
    let json = "{\"RoleArn\":\"arn:aws:iam::123456789012:role/x\",\"Policy\":\"&Action=GetCallerIdentity&\"}";
    let part = "--B\r\nContent-Disposition: form-data; name=\"Action\"\r\n\r\nAssumeRole\r\n--B--\r\n";
    let utf16: String = "Action=AssumeRole".chars().flat_map(|one| [one, '\0']).collect();
    for (name, sent) in [
        ("JSON", sts(json, "application/x-amz-json-1.1")),
        ("JSON with a target", sts(json, FORM).header("x-amz-target", "AWSSecurityTokenServiceV20110615.AssumeRole")),
        ("multipart", sts(part, "multipart/form-data; boundary=B").with(|sent| sent.target = query.into())),
        ("UTF-16", sts(&utf16, &format!("{FORM}; charset=UTF-16LE")).with(|sent| sent.target = query.into())),
        ("UTF-7", sts("x=1", &format!("{FORM};charset=utf-7")).with(|sent| sent.target = query.into())),
        ("compressed", sts("\u{1f}", FORM).header("content-encoding", "gzip").with(|sent| sent.target = query.into())),
        (
            "RPC",
            sts("Action=GetCallerIdentity", FORM).with(|sent| sent.target = "/service/X/operation/AssumeRole".into()),
        ),
        ("too long to read", sts(&format!("Action=GetCallerIdentity&{}", "x".repeat(300_000)), FORM)),
    ] {
        refused(&upstream, &sent.send(&proxy), name);
    }
    for body in ["Action=AssumeRole", ""] {
        let get = Sent::get("/?Action=AssumeRole&RoleArn=x").with(|sent| sent.service = "sts");
        refused(&upstream, &send(&proxy, "GET", &presigned(&proxy, &get), &[], body.as_bytes()), "presigned");
    }
    let (head, _) = sts("", FORM).parts(proxy.address);
    let streamed = head.replace("\r\n\r\n", "\r\nx-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-EVENTS\r\n\r\n");
    refused(&upstream, &crate::client::exchange(proxy.address, streamed.as_bytes()), "an event stream");
    for kind in [FORM, "application/x-www-form-urlencoded; charset=utf-8"] {
        assert_eq!(sts("Action=GetCallerIdentity&Version=2011-06-15", kind).send(&proxy).status, 200, "{kind}");
    }
    let get = Sent::get(query).with(|sent| sent.service = "sts");
    assert_eq!(send(&proxy, "GET", &presigned(&proxy, &get), &[], b"").status, 200, "{:?}", proxy.printed());
}
