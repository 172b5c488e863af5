//! The findings of a security review (`C1` and so on are its numbers): each of these was accepted once, and is now
//! refused.

use std::time::Duration;

use countersign::{
    Credentials, Payload, Request, Signer, StreamingPayload, VerifiedHead, VerifiedRequest, Verifier, VerifyError,
};

use crate::support::fixtures::{FORMATS, Headers, added, credentials, now, signer, verifier, verify, views};

const HOST: &str = "api.example.com";

/// A request as it arrives: what was signed, possibly with other headers or another target.
struct Arrived {
    method: &'static str,
    target: String,
    headers: Headers,
    authority: Option<&'static str>,
}

impl Arrived {
    fn signed(signer: &Signer, target: &str, given: &[(&str, &str)], payload: Payload<'_>) -> Self {
        let mut headers: Headers = vec![("host".into(), HOST.into())];
        headers.extend(given.iter().map(|(name, value)| ((*name).into(), value.as_bytes().to_vec())));
        let signed = signer.sign(Request::new("PUT", target, &views(&headers)), payload, now()).unwrap();
        headers.extend(added(&signed));
        Self { method: "PUT", target: target.into(), headers, authority: None }
    }

    fn presigned(signer: &Signer, given: &[(&str, &str)]) -> Self {
        let mut headers: Headers = vec![("host".into(), HOST.into())];
        headers.extend(given.iter().map(|(name, value)| ((*name).into(), value.as_bytes().to_vec())));
        let request = Request::new("PUT", "/key", &[]).with_host(HOST);
        let presigned = signer.presign(request, Duration::from_secs(60), now()).unwrap();
        Self { method: "PUT", target: presigned.target().into(), headers, authority: None }
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// With a header that its list of signed headers doesn't name.
    fn without_signing(mut self, name: &str) -> Self {
        for (_, value) in self.headers.iter_mut().filter(|(name, _)| name == "authorization") {
            *value = String::from_utf8(value.clone()).unwrap().replace(&format!(";{name}"), "").into();
        }
        self
    }

    fn at(self, target: &str) -> Self {
        Self { target: target.into(), ..self }
    }

    fn for_authority(self, authority: &'static str) -> Self {
        Self { authority: Some(authority), ..self }
    }

    /// Verifies the request and returns its host, and whether the body counts as unsigned.
    fn verify(&self, verifier: &Verifier, body: Option<&[u8]>) -> Result<(String, bool), VerifyError> {
        let headers = views(&self.headers);
        let request = Request::new(self.method, &self.target, &headers);
        let request = self.authority.map_or(request, |authority| request.with_host(authority));
        let unverified = verifier.parse(request, now())?;
        let told = |head: &VerifiedHead<'_>| (head.host().into(), head.payload().is_unsigned());
        match body {
            Some(body) => unverified.with_body(body).verify(Some(&credentials())).map(|verified| told(&verified)),
            None => unverified.verify_head(Some(&credentials())).map(|head| told(&head)),
        }
    }
}

fn ok(unsigned: bool) -> Result<(String, bool), VerifyError> {
    Ok((HOST.into(), unsigned))
}

/// C1. A body that is passed in is either checked or refused; a body sent in chunks can't be compared with the
/// signature.
#[test]
fn a_body_that_is_given_is_never_left_unchecked() {
    for streaming in [
        StreamingPayload::Signed,
        StreamingPayload::SignedTrailer,
        StreamingPayload::UnsignedTrailer,
        StreamingPayload::Events,
    ] {
        let arrived = Arrived::signed(&signer("s3"), "/key", &[], Payload::Streaming(streaming));
        assert_eq!(arrived.verify(&verifier("s3"), Some(b"anything")), Err(VerifyError::BodyIsStreamed { streaming }));
        let unsigned = streaming == StreamingPayload::UnsignedTrailer;
        assert_eq!(arrived.verify(&verifier("s3"), None), ok(unsigned));
    }
}

/// C2. A router that does not normalize paths uses `/admin`, the signature covers `/bob`.
#[test]
fn dot_segments_do_not_choose_another_route() {
    let verifier = || verifier("execute-api");
    let signed = |path: &str| Arrived::signed(&signer("execute-api"), path, &[], Payload::EMPTY);
    for target in ["/admin/../bob/report.pdf", "/./bob/report.pdf", "/bob/./report.pdf?a=/../b", "/bob/x/../report.pdf"]
    {
        let (path, query) =
            target.split_once('?').map_or((target, String::new()), |(path, query)| (path, format!("?{query}")));
        let arrived = signed(&format!("/bob/report.pdf{query}")).at(target);
        assert_eq!(arrived.verify(&verifier(), Some(b"")), Err(VerifyError::DotSegments { path: path.into() }));
        assert_eq!(arrived.verify(&verifier().accept_dot_segments(), Some(b"")), ok(false));
    }
    for name in ["/bob/.report", "/bob/..report", "/bob/report.", "/bob/%2e%2e/a", "/bob/a?b=/../c"] {
        assert_eq!(signed(name).verify(&verifier(), Some(b"")), ok(false), "{name}");
    }
    // In an S3 key, dot segments have no special meaning.
    let key = Arrived::signed(&signer("s3"), "/a/../b", &[], Payload::EMPTY);
    assert_eq!(key.verify(&self::verifier("s3"), Some(b"")), ok(false));
}

/// C3. Of several external hosts, the verified request names the one that was signed.
#[test]
fn of_several_external_hosts_the_one_that_was_signed_is_told() {
    let verifier = || verifier("execute-api").with_external_hosts(["a.example.com", HOST, "b.example.com"]);
    let arrived = Arrived::signed(&signer("execute-api"), "/", &[], Payload::EMPTY);
    assert_eq!(arrived.verify(&verifier(), Some(b"")), ok(false));
    let others = self::verifier("execute-api").with_external_hosts(["a.example.com", "b.example.com"]);
    assert_eq!(arrived.verify(&others, Some(b"")), Err(VerifyError::SignatureMismatch { computed: None }));
}

/// C4. A pinned payload hash must be signed itself: anyone could add an unsigned header in transit.
#[test]
fn an_unsigned_hash_beside_an_unsigned_payload_proves_nothing() {
    let hash = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    let chosen = Arrived::presigned(&signer("s3"), &[("x-amz-content-sha256", hash)]);
    assert_eq!(chosen.verify(&verifier("s3"), None), ok(true));
    assert_eq!(chosen.verify(&verifier("s3"), Some(b"hello")), ok(true));

    // A signed header does pin the hash.
    let headers = [("x-amz-content-sha256", hash.as_bytes())];
    let request = Request::new("PUT", "/key", &headers).with_host(HOST);
    let presigned = signer("s3").presign(request, Duration::from_secs(60), now()).unwrap();
    let pinned = Arrived::presigned(&signer("s3"), &[("x-amz-content-sha256", hash)]).at(presigned.target());
    assert_eq!(pinned.verify(&verifier("s3"), Some(b"hello")), ok(false));
    assert!(matches!(pinned.verify(&verifier("s3"), Some(b"other")), Err(VerifyError::BodyMismatch { .. })));
}

/// C7. Routers use the authority, the signature covers `Host`.
#[test]
fn host_and_authority_are_one() {
    let arrived = || Arrived::signed(&signer("execute-api"), "/", &[], Payload::EMPTY);
    for same in [HOST, "API.example.com", "api.example.com:443", "user@api.example.com"] {
        assert_eq!(arrived().for_authority(same).verify(&verifier("execute-api"), Some(b"")), ok(false), "{same}");
    }
    for other in ["admin.example.com", "api.example.com:8443", "api.example.com.evil.example", "xapi.example.com"] {
        let error = VerifyError::HostsDiffer { host: HOST.into(), authority: other.into() };
        assert_eq!(arrived().for_authority(other).verify(&verifier("execute-api"), Some(b"")), Err(error));
    }
}

/// C8. The next hop removes the headers that `Connection` lists, even signed ones.
#[test]
fn no_signed_header_is_named_by_connection() {
    let arrived = || Arrived::signed(&signer("s3"), "/key", &[("x-amz-acl", "private")], Payload::EMPTY);
    for value in ["x-amz-acl", "close, X-Amz-Acl", "keep-alive,\tx-amz-acl ,close"] {
        let error = VerifyError::HopByHopHeader { name: "x-amz-acl".into() };
        assert_eq!(arrived().with("Connection", value).verify(&verifier("s3"), Some(b"")), Err(error));
    }
    assert_eq!(arrived().with("Connection", "keep-alive, x-other").verify(&verifier("s3"), Some(b"")), ok(false));
    let twice = arrived().with("connection", "close").with("connection", "host");
    assert_eq!(twice.verify(&verifier("s3"), Some(b"")), Err(VerifyError::HopByHopHeader { name: "host".into() }));
}

/// C11. `a,b` on one line and on two lines has the same signature, but a different first value.
#[test]
fn a_header_with_one_value_arrives_once() {
    for (name, value) in [
        ("x-amz-grant-read", "id=\"1\",id=\"2\""),
        ("content-type", "text/plain,text/html"),
        ("Content-MD5", "a,b"),
        ("range", "bytes=0-1,bytes=2-3"),
        ("x-amz-metadata-directive", "COPY,REPLACE"),
    ] {
        let signer = signer("s3").also_sign(["range"]);
        let mut arrived = Arrived::signed(&signer, "/key", &[(name, value)], Payload::EMPTY);
        assert_eq!(arrived.verify(&verifier("s3"), Some(b"")), ok(false));
        let (first, second) = value.split_once(',').unwrap();
        arrived.headers.retain(|(given, _)| given != name);
        let split = arrived.with(name, first).with(name, second);
        let error = VerifyError::RepeatedHeader { name: name.to_lowercase() };
        assert_eq!(split.verify(&verifier("s3"), Some(b"")), Err(error));
        assert_eq!(split.verify(&verifier("s3").accept_repeated_headers(), Some(b"")), ok(false));
    }
    // These headers may have several values.
    for name in ["x-amz-meta-a", "accept"] {
        let signer = signer("s3").also_sign(["accept"]);
        let arrived = Arrived::signed(&signer, "/key", &[(name, "1"), (name, "2")], Payload::EMPTY);
        assert_eq!(arrived.verify(&verifier("s3"), Some(b"")), ok(false), "{name}");
    }
}

/// C13. The length of a response is bounded, however long the access key id is.
#[test]
fn a_long_access_key_id_makes_no_long_answer() {
    let long = Credentials::new("A".repeat(60_000), "secret").unwrap();
    let signer = Signer::new(long.clone(), "us-east-1", "s3").unwrap();
    let arrived = Arrived::signed(&signer, "/key", &[], Payload::EMPTY);
    let expired = long.clone().with_expires_at(now());
    let views = views(&arrived.headers);
    let token = Credentials::new(long.access_key_id(), "secret").unwrap().with_session_token("token").unwrap();
    for known in [None, Some(&expired), Some(&token)] {
        let verifier = verifier("s3");
        let unverified = verifier.parse(Request::new("PUT", "/key", &views), now()).unwrap();
        let error = unverified.with_body(b"").verify(known).unwrap_err();
        for format in FORMATS {
            assert!(error.refusal(format).body("id").len() < 2048);
        }
        assert!(error.to_string().len() < 512 && format!("{error:?}").len() < 512);
    }
}

/// C15. Headers that a proxy adds can be allowed by name; all others are still refused.
#[test]
fn headers_that_a_hop_adds_can_be_allowed_by_name() {
    let arrived = || Arrived::signed(&signer("s3"), "/key", &[], Payload::EMPTY).with("X-Amz-Cf-Id", "abc");
    let not_signed = |name: &str| Err(VerifyError::HeadersNotSigned { names: vec![name.into()] });
    assert_eq!(arrived().verify(&verifier("s3"), Some(b"")), not_signed("x-amz-cf-id"));
    let behind_cloudfront = || verifier("s3").allow_unsigned(["x-amz-cf-id"]);
    assert_eq!(arrived().verify(&behind_cloudfront(), Some(b"")), ok(false));
    let more = arrived().with("x-amz-acl", "public-read");
    assert_eq!(more.verify(&behind_cloudfront(), Some(b"")), not_signed("x-amz-acl"));
}

/// The application sees only what was signed: no unsigned header, and the path in its canonical form.
#[test]
fn a_verified_request_tells_what_was_signed() {
    let arrived = Arrived::signed(
        &signer("execute-api"),
        "/dev//a%20b?x=1",
        &[("x-amz-meta-a", "1"), ("x-amz-meta-a", "2")],
        Payload::EMPTY,
    )
    .with("accept", "text/plain")
    .with("x-forwarded-for", "10.0.0.1");
    let headers = views(&arrived.headers);
    let request = Request::new(arrived.method, &arrived.target, &headers);
    let verifier = verifier("execute-api");
    let verified = verify(&verifier, request, b"", &credentials(), now()).unwrap();
    let told = |verified: &VerifiedRequest<'_>| {
        assert_eq!((verified.method(), verified.host()), ("PUT", HOST));
        assert_eq!(verified.canonical_path(), "/dev/a%2520b");
        assert_eq!(verified.header("X-Amz-Meta-A"), Some(b"1".as_slice()));
        assert_eq!((verified.header("accept"), verified.header("x-forwarded-for")), (None, None));
        let headers: Vec<_> = verified.headers().map(|(name, _)| name.to_owned()).collect();
        assert_eq!(headers, ["x-amz-meta-a", "x-amz-meta-a", "x-amz-date"]);
        assert_eq!(verified.access_key_id(), "AKIDEXAMPLE");
        assert_eq!(verified.scope().service(), "execute-api");
        format!("{verified:?}")
    };
    let borrowed = told(&verified);
    let owned: VerifiedRequest<'static> = verified.into_owned();
    drop(headers);
    assert_eq!(told(&owned), borrowed);
}

/// A presigned request in owned form keeps its session token and its location.
#[test]
fn the_owned_form_keeps_token_and_location() {
    let temporary = credentials().with_session_token("to/ken+==").unwrap();
    let signer = Signer::new(temporary.clone(), "us-east-1", "s3").unwrap();
    let request = Request::new("GET", "/key", &[]).with_host(HOST);
    let presigned = signer.presign(request, Duration::from_secs(60), now()).unwrap();
    let owned = {
        let target = presigned.target().to_owned();
        let request = Request::new("GET", &target, &[]).with_host(HOST);
        verify(&verifier("s3"), request, b"", &temporary, now()).unwrap().into_owned()
    };
    assert!(owned.is_presigned() && owned.payload().is_unsigned());
    assert_eq!((owned.session_token(), owned.host()), (Some("to/ken+=="), HOST));
    assert!(!format!("{owned:?}").contains("to/ken"));
}

/// C3. The canonical request is written once, and then only its host and its payload line are replaced: the right one is
/// found wherever it is in the list, and what a mismatch shows is still that of the first host.
#[test]
fn the_right_one_of_many_hosts_is_found() {
    let mut hosts: Vec<String> = (0..40).map(|n| format!("{}.example.com", "h".repeat(n + 1))).collect();
    let body = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    let signed = Arrived::signed(&signer("s3"), "/key?host:a&b", &[("x-amz-meta-host", "host:x")], Payload::Unsigned);
    let presigned = Arrived::presigned(&signer("s3"), &[("x-amz-content-sha256", body)]);
    for at in [0, 1, 20, 40] {
        let mut all = hosts.clone();
        all.insert(at, HOST.into());
        let verifier = verifier("s3").with_external_hosts(all);
        assert_eq!(signed.verify(&verifier, Some(b"x")), ok(true), "{at}");
        assert_eq!(presigned.verify(&verifier, Some(b"x")), ok(true), "{at}, presigned");
    }
    hosts.insert(0, "first.example.com".into());
    let error = signed.verify(&verifier("s3").with_external_hosts(hosts).echo_computed(), Some(b"x")).unwrap_err();
    let VerifyError::SignatureMismatch { computed: Some(computed) } = error else { panic!("{error}") };
    assert!(computed.canonical_request().contains("\nhost:first.example.com\n"), "{}", computed.canonical_request());
}

/// A header that the verifier itself reads is not exempt from signing, whatever its caller lists.
#[test]
fn what_the_verifier_reads_is_signed_even_if_it_is_allowed_unsigned() {
    for name in ["x-amz-date", "x-amz-security-token", "x-amz-s3session-token", "x-amz-region-set"] {
        let arrived = Arrived::signed(&signer("s3"), "/key", &[], Payload::EMPTY);
        let arrived = if name == "x-amz-date" { arrived.without_signing(name) } else { arrived.with(name, "*") };
        let refused = Err(VerifyError::HeadersNotSigned { names: vec![name.into()] });
        assert_eq!(arrived.verify(&verifier("s3").allow_unsigned([name]), Some(b"")), refused, "{name}");
    }
}

/// A key that was derived for another service of a gateway signs no uploads.
#[test]
fn a_form_is_for_a_service_that_takes_forms() {
    use countersign::post_policy::{Policy, PolicyError};
    let gateway =
        Verifier::new("us-east-1", "execute-api").unwrap().with_service("s3", countersign::Rules::S3).unwrap();
    let policy = Policy::new("bucket", now().saturating_add(60)).with_field("key", "a");
    let verify = |verifier: &Verifier, service: &str| {
        let form = signer(service).sign_post_policy(&policy, now()).unwrap();
        let fields: Vec<(&str, &str)> = form.fields().collect();
        verifier.parse_form("bucket", fields, now())?.verify(Some(&credentials())).map(|_| ())
    };
    assert_eq!(verify(&gateway, "s3"), Ok(()));
    let error = verify(&gateway, "execute-api").unwrap_err();
    let PolicyError::WrongScope { expected, .. } = error else { panic!("{error}") };
    assert_eq!(expected.service(), "s3");
    assert_eq!(verify(&verifier("store"), "store"), Ok(()), "a store of another name, which has no other service");
}
