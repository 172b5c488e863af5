//! Attempts to make a verifier accept, or tell its application, what was not signed.

use std::cell::Cell;
use std::fmt::Write;
use std::time::Duration;

use countersign::{
    CanonicalRequest, Credentials, ErrorFormat, Payload, Request, RequestError, Rules, Scope, Signer, SigningKey,
    StringToSign, UnverifiedRequest, VerifiedHead, VerifiedRequest, Verifier, VerifyError, VerifyingKey,
};

use crate::support::allocator::freed_with;
use crate::support::fixtures::{
    FORMATS, Headers, TOKEN, added, at, credentials, now, signer, temporary, verifier, verify, views,
};
use crate::support::work::worked;

const HOST: &str = "examplebucket.s3.amazonaws.com";
const MISMATCH: VerifyError = VerifyError::SignatureMismatch { computed: None };

/// Presigns as the JavaScript SDK v2 does: `canonical` has the header lines, `more` the encoded pairs besides the signature's.
fn presigned_by_hand(service: &str, signed_headers: &str, more: &[(&str, &str)], canonical: &str) -> String {
    let scope = Scope::new("20150830", "us-east-1", service).unwrap();
    let (credential, names) = (format!("AKIDEXAMPLE/{scope}").replace('/', "%2F"), signed_headers.replace(';', "%3B"));
    let mut pairs = vec![
        ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
        ("X-Amz-Credential", &credential),
        ("X-Amz-Date", "20150830T123600Z"),
        ("X-Amz-Expires", "900"),
        ("X-Amz-SignedHeaders", &names),
    ];
    pairs.extend(more);
    pairs.sort_unstable();
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let query = pairs.join("&");
    let body = if service == "s3" {
        "UNSIGNED-PAYLOAD"
    } else {
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    };
    let text = format!("PUT\n/photos/cat.jpg\n{query}\n{canonical}\n{signed_headers}\n{body}");
    let string_to_sign = StringToSign::new(now(), scope, &CanonicalRequest::from_bytes(text.as_bytes()));
    let signature = SigningKey::derive(&credentials(), &scope).sign(&string_to_sign).to_hex();
    format!("/photos/cat.jpg?{query}&X-Amz-Signature={signature}")
}

fn with_acl(value: &str, more: &[(&str, &str)]) -> String {
    let canonical = format!("host:{HOST}\nx-amz-acl:{value}\n");
    presigned_by_hand("s3", "host;x-amz-acl", more, &canonical)
}

fn put(verifier: &Verifier, target: &str, headers: &[(&str, &[u8])]) -> Result<VerifiedRequest<'static>, VerifyError> {
    let request = Request::new("PUT", target, headers).with_host(HOST);
    verify(verifier, request, b"", &credentials(), now()).map(VerifiedRequest::into_owned)
}

fn differs(name: &str) -> VerifyError {
    VerifyError::HeaderAndQueryDiffer { name: name.into() }
}

/// The figure is one of a script with hmac and hashlib alone.
#[test]
fn at_s3_a_signed_header_may_stand_in_the_query_only() {
    const TARGET: &str = "/photos/cat.jpg?X-Amz-Algorithm=AWS4-HMAC-SHA256\
        &X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20150830T123600Z\
        &X-Amz-Expires=900&X-Amz-SignedHeaders=host%3Bx-amz-acl%3Bx-amz-meta-note&x-amz-acl=public-read\
        &x-amz-meta-note=a%20%20b&X-Amz-Signature=191ff7572ce2ffdca759101f6ea4c2a8b220398404566306cd7ea2705585630d";
    let verifier = verifier("s3");
    let request = Request::new("PUT", TARGET, &[]).with_host(HOST);
    let head = verifier.parse(request, now()).unwrap().verify_head(Some(&credentials())).unwrap();
    let told = |head: &VerifiedHead<'_>| {
        assert_eq!(head.header("X-Amz-Acl"), Some(b"public-read".as_slice()));
        assert!(head.headers().eq([("x-amz-acl", &b"public-read"[..]), ("x-amz-meta-note", b"a  b")]));
        assert!(head.signed_headers().eq(["host", "x-amz-acl", "x-amz-meta-note"]));
        assert_eq!((head.header("host"), head.header("x-amz-date")), (None, None));
    };
    told(&head);
    told(&head.clone().into_owned());
    told(&head.check_body(b"any").unwrap().into_owned());

    // The name may have any case, and any value but the signed one is another request.
    assert!(put(&verifier, &with_acl("private", &[("X-Amz-ACL", "private")]), &[]).is_ok());
    assert!(put(&verifier, &with_acl("private", &[("x%2Damz-acl", "private")]), &[]).is_err());
    assert_eq!(put(&verifier, &TARGET.replace("public-read", "private"), &[]).unwrap_err(), MISMATCH);
    let moved = TARGET.replace("&x-amz-acl=public-read", "");
    let header = [("x-amz-acl", &b"public-read"[..])];
    assert_eq!(put(&verifier, &moved, &header).unwrap_err(), MISMATCH);
}

#[test]
fn a_header_that_stands_in_the_query_too_is_the_same_there() {
    let verifier = verifier("s3");
    let target = with_acl("a b", &[("x-amz-acl", "a%20b")]);
    for same in ["a b", " a  b\t"] {
        let verified = put(&verifier, &target, &[("X-Amz-Acl", same.as_bytes())]).unwrap();
        assert_eq!(verified.header("x-amz-acl"), Some(same.as_bytes()));
        assert_eq!(verified.headers().count(), 1);
    }
    for other in ["a", "a b c", "A b", "", "a\u{a0}b"] {
        let got = put(&verifier, &target, &[("x-amz-acl", other.as_bytes())]).unwrap_err();
        assert_eq!(got, differs("x-amz-acl"), "{other}");
    }
    // Signed with both, the header's value counts for one application and the query's for the other.
    for (name, value) in [("x-amz-acl", "private"), ("X-AMZ-ACL", "private"), ("x-amz-acl", "")] {
        let target = with_acl("public-read", &[(name, value)]);
        let got = put(&verifier, &target, &[("x-amz-acl", b"public-read")]).unwrap_err();
        assert_eq!(got, differs("x-amz-acl"));
    }
    // Once in the header, once in the query.
    let twice = with_acl("a", &[("x-amz-acl", "a"), ("X-Amz-Acl", "a")]);
    let repeated = VerifyError::RepeatedParameter { name: "x-amz-acl".into() };
    assert_eq!(put(&verifier, &twice, &[("x-amz-acl", b"a")]).unwrap_err(), repeated);
    let canonical = format!("host:{HOST}\nx-amz-meta-a:1,1\n");
    let target = presigned_by_hand("s3", "host;x-amz-meta-a", &[("x-amz-meta-a", "1")], &canonical);
    let two_lines = [("x-amz-meta-a", &b"1"[..]), ("x-amz-meta-a", b"1")];
    assert_eq!(put(&verifier, &target, &two_lines).unwrap_err(), differs("x-amz-meta-a"));
    // A header that isn't signed is refused, whatever the query says.
    let target = presigned_by_hand("s3", "host", &[("x-amz-acl", "a")], &format!("host:{HOST}\n"));
    let not_signed = VerifyError::HeadersNotSigned { names: vec!["x-amz-acl".into()] };
    assert_eq!(put(&verifier, &target, &[("x-amz-acl", b"a")]).unwrap_err(), not_signed);
    assert_eq!(put(&verifier, &target, &[]).unwrap().header("x-amz-acl"), None);
}

#[test]
fn what_in_the_query_is_no_signed_header() {
    let s3 = verifier("s3");
    for pairs in [&[("x-amz-acl", "a"), ("x-amz-acl", "a")][..], &[("X-Amz-Acl", "a"), ("x-amz-acl", "b")]] {
        let repeated = VerifyError::RepeatedParameter { name: "x-amz-acl".into() };
        assert_eq!(put(&s3, &with_acl("a", pairs), &[]).unwrap_err(), repeated);
    }
    // Each would begin another line of the canonical request, or end the text of a program in C.
    for (encoded, byte) in [("%0A", b'\n'), ("%0D", b'\r'), ("%00", 0)] {
        let value = format!("a{encoded}x-amz-meta-b%3Ac");
        let decoded = format!("a{}x-amz-meta-b:c", char::from(byte));
        let error = RequestError::HeaderValue { name: "x-amz-acl".into(), byte };
        let target = with_acl(&decoded, &[("x-amz-acl", &value)]);
        assert_eq!(put(&s3, &target, &[]).unwrap_err(), error.into(), "{encoded}");
    }
    let absent = |name: &str| VerifyError::SignedHeaderAbsent { name: name.into() };
    for other in ["x-amz-ac", "x-amz-acl2", "x%2525amz-acl", "x-amz-acl%00", "x-amz-acl%FF"] {
        assert_eq!(put(&s3, &with_acl("a", &[(other, "a")]), &[]).unwrap_err(), absent("x-amz-acl"), "{other}");
    }
    // Only x-amz-*.
    for name in ["content-type", "x-amzn-trace-id", "x-amz"] {
        let names = format!("host;{name}");
        let (names, canonical) = match name {
            "content-type" => ("content-type;host".into(), format!("content-type:a\nhost:{HOST}\n")),
            _ => (names, format!("host:{HOST}\n{name}:a\n")),
        };
        let target = presigned_by_hand("s3", &names, &[(name, "a")], &canonical);
        assert_eq!(put(&s3, &target, &[]).unwrap_err(), absent(name));
    }
    let target = presigned_by_hand("s3", "x-amz-acl", &[("host", HOST), ("x-amz-acl", "a")], "x-amz-acl:a\n");
    let not_signed = VerifyError::HeadersNotSigned { names: vec!["host".into()] };
    assert_eq!(put(&s3, &target, &[]).unwrap_err(), not_signed);

    // Other services take none, and no service does beside an Authorization header.
    let canonical = format!("host:{HOST}\nx-amz-acl:a\n");
    let target = presigned_by_hand("execute-api", "host;x-amz-acl", &[("x-amz-acl", "a")], &canonical);
    assert_eq!(put(&verifier("execute-api"), &target, &[]).unwrap_err(), absent("x-amz-acl"));
    let rules = Rules::for_service("execute-api");
    let both = Verifier::new("us-east-1", "s3").unwrap().with_service("execute-api", rules).unwrap();
    assert_eq!(put(&both, &target, &[]).unwrap_err(), absent("x-amz-acl"));
    let headers = [("x-amz-acl", &b"a"[..])];
    let request = Request::new("PUT", "/a?x-amz-acl=a", &headers).with_host(HOST);
    let signed = added(&signer("s3").sign(request, Payload::EMPTY, now()).unwrap());
    assert_eq!(put(&s3, "/a?x-amz-acl=a", &views(&signed)).unwrap_err(), absent("x-amz-acl"));
    // The next hop leaves the query alone, but a name is a name.
    let hop = VerifyError::HopByHopHeader { name: "x-amz-acl".into() };
    let target = with_acl("a", &[("x-amz-acl", "a")]);
    assert_eq!(put(&s3, &target, &[("connection", b"x-amz-acl")]).unwrap_err(), hop);
}

/// A hash or token that is signed as a header, and that nothing reads as one, would be told and never checked.
#[test]
fn hash_and_token_in_the_query_have_their_own_spelling() {
    let hash = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    for (name, value) in [("x-amz-content-sha256", hash), ("x-amz-security-token", "t"), ("x-amz-s3session-token", "t")]
    {
        let canonical = format!("host:{HOST}\n{name}:{value}\n");
        for spelt in [name.to_owned(), name.to_uppercase()] {
            let target = presigned_by_hand("s3", &format!("host;{name}"), &[(&spelt, value)], &canonical);
            let error = VerifyError::SignedHeaderAbsent { name: name.into() };
            assert_eq!(put(&verifier("s3"), &target, &[]).unwrap_err(), error, "{spelt}");
        }
    }
    let canonical = format!("host:{HOST}\nx-amz-content-sha256:{hash}\n");
    let pinned = &[("X-Amz-Content-Sha256", hash)];
    let target = presigned_by_hand("s3", "host;x-amz-content-sha256", pinned, &canonical);
    assert!(matches!(put(&verifier("s3"), &target, &[]), Err(VerifyError::BodyMismatch { .. })));
    let request = Request::new("PUT", &target, &[]).with_host(HOST);
    let verifier = verifier("s3");
    let verified = verify(&verifier, request, b"hello", &credentials(), now()).unwrap();
    assert_eq!(verified.header("x-amz-content-sha256"), Some(hash.as_bytes()));
    assert!(!verified.payload().is_unsigned());
}

/// Sorted by name alone, a name is neither the one that it begins with nor the one that begins with it.
#[test]
fn signed_names_that_begin_alike_are_told_apart() {
    let name = |name: &str| format!("x-amz-meta-{name}");
    let all = ["a", "a!", "a-b", "a.b", "a_b", "ab", "b"].map(name);
    for left_out in &all {
        let headers: Headers =
            all.iter().filter(|name| *name != left_out).map(|n| (n.clone(), b"1".to_vec())).collect();
        let signed =
            signer("s3").sign(Request::new("PUT", "/", &views(&headers)).with_host(HOST), Payload::EMPTY, now());
        let mut arrived = headers.clone();
        arrived.extend(added(&signed.unwrap()));
        for (header, _) in &mut arrived {
            header.make_ascii_uppercase();
        }
        arrived.reverse();
        assert!(put(&verifier("s3"), "/", &views(&arrived)).is_ok());
        arrived.push((left_out.to_uppercase(), b"1".to_vec()));
        let error = VerifyError::HeadersNotSigned { names: vec![left_out.clone()] };
        assert_eq!(put(&verifier("s3"), "/", &views(&arrived)).unwrap_err(), error);
        arrived.retain(|(header, _)| !header.eq_ignore_ascii_case(left_out));
        let gone = arrived.iter().position(|(header, _)| header.starts_with("X-AMZ-META-")).unwrap();
        let (gone, _) = arrived.remove(gone);
        let error = VerifyError::SignedHeaderAbsent { name: gone.to_lowercase() };
        assert_eq!(put(&verifier("s3"), "/", &views(&arrived)).unwrap_err(), error);
    }
}

fn signed_for(region: &str, service: &str, target: &str) -> Headers {
    let signer = Signer::new(credentials(), region, service).unwrap();
    added(&signer.sign(Request::new("PUT", target, &[]).with_host(HOST), Payload::EMPTY, now()).unwrap())
}

#[test]
fn several_regions_and_services_and_no_others() {
    let verifier = Verifier::new("us-east-1", "execute-api").unwrap().with_region("eu-west-1").unwrap();
    let verifier = verifier.with_region("").unwrap().with_service("s3", Rules::S3).unwrap();
    for region in ["us-east-1", "eu-west-1", ""] {
        for service in ["execute-api", "s3"] {
            let headers = signed_for(region, service, "/a");
            let verified = put(&verifier, "/a", &views(&headers)).unwrap();
            assert_eq!((verified.scope().region(), verified.scope().service()), (region, service));
        }
    }
    // What is expected is the nearest of what is accepted.
    for (region, service, expected) in [
        ("eu-west-2", "s3", ("us-east-1", "s3")),
        ("eu-west-1", "iam", ("eu-west-1", "execute-api")),
        ("", "S3", ("", "execute-api")),
        ("EU-WEST-1", "execute-api", ("us-east-1", "execute-api")),
        ("eu-west-1,us-east-1", "s3", ("us-east-1", "s3")),
    ] {
        let mut headers = signed_for("us-east-1", "execute-api", "/a");
        for (_, value) in &mut headers {
            let text = String::from_utf8(value.clone()).unwrap();
            *value = text.replace("us-east-1/execute-api", &format!("{region}/{service}")).into_bytes();
        }
        let error = put(&verifier, "/a", &views(&headers)).unwrap_err();
        if region.contains(',') {
            assert_eq!(error, VerifyError::NotKeyValue);
            continue;
        }
        let VerifyError::WrongScope { got, expected: wanted, .. } = error else { panic!("{error}") };
        assert_eq!((got.region(), got.service()), (Some(region), service));
        assert_eq!((wanted.region(), wanted.service()), (Some(expected.0), expected.1));
    }
}

/// The rules are those of the service that was signed, not of the one that the verifier was made for.
#[test]
fn each_service_has_its_own_rules() {
    let api = Rules::for_service("execute-api");
    let [first, second] = [
        Verifier::new("us-east-1", "execute-api").unwrap().with_service("s3", Rules::S3).unwrap(),
        Verifier::new("us-east-1", "s3").unwrap().with_service("execute-api", api).unwrap(),
    ];
    for verifier in [first, second] {
        // Path.
        let path = |service| {
            let verified = put(&verifier, "/a//b%2Fc", &views(&signed_for("us-east-1", service, "/a//b%2Fc"))).unwrap();
            let path = verified.canonical_path();
            assert_eq!(verified.into_owned().canonical_path(), path);
            path
        };
        assert_eq!((path("s3"), path("execute-api")), ("/a//b/c".into(), "/a/b%252Fc".into()));
        let dots = |service| put(&verifier, "/a/../b", &views(&signed_for("us-east-1", service, "/a/../b")));
        assert!(dots("s3").is_ok());
        assert_eq!(dots("execute-api").unwrap_err(), VerifyError::DotSegments { path: "/a/../b".into() });
        // Payload: a missing hash.
        let mut headers = signed_for("us-east-1", "execute-api", "/a");
        for (_, value) in &mut headers {
            *value = String::from_utf8(value.clone()).unwrap().replace("execute-api", "s3").into_bytes();
        }
        assert_eq!(put(&verifier, "/a", &views(&headers)).unwrap_err(), VerifyError::MissingContentSha256);
        // Time.
        for (service, taken) in [("s3", true), ("execute-api", false)] {
            let headers = signed_for("us-east-1", service, "/a");
            let views = views(&headers);
            let request = Request::new("PUT", "/a", &views).with_host(HOST);
            assert_eq!(verifier.parse(request, at("20150830T124101Z")).is_ok(), taken, "{service}");
        }
    }
}

/// What only one service lets be unsigned has to be signed at the others.
#[test]
fn a_token_added_after_signing_is_for_the_service_that_says_so() {
    let iot = Rules::for_service("iotdevicegateway");
    let verifier = verifier("s3").with_service("iotdevicegateway", iot).unwrap();
    let gets = |service: &str, token: &str, more: &str| {
        let signer = Signer::new(temporary(), "us-east-1", service).unwrap();
        let request = Request::new("GET", "/mqtt", &[]).with_host(HOST);
        let target = signer.presign(request, Duration::from_secs(60), now()).unwrap().target().to_owned();
        let target = format!("{}{more}", target.replace(TOKEN, token));
        let request = Request::new("GET", &target, &[]).with_host(HOST);
        let verified = verify(&verifier, request, b"", &temporary(), now())?;
        let named = verified.query_pairs().any(|(name, _)| *name == *b"X-Amz-Security-Token");
        assert_eq!(verified.session_token(), Some(TOKEN));
        Ok(named)
    };
    assert_eq!(gets("iotdevicegateway", TOKEN, ""), Ok(false));
    assert_eq!(gets("s3", TOKEN, ""), Ok(true));
    let invalid = Err(VerifyError::InvalidSessionToken { access_key_id: "ASIAEXAMPLE".into() });
    assert_eq!(gets("iotdevicegateway", "other", ""), invalid);
    let repeated = Err(VerifyError::Repeated { name: "X-Amz-Security-Token" });
    assert_eq!(gets("iotdevicegateway", TOKEN, "&X-Amz-Security-Token=other"), repeated);
    assert_eq!(gets("iotdevicegateway", TOKEN, "&X-Amz-S3session-Token=other"), repeated);
    assert_eq!(gets("iotdevicegateway", TOKEN, "&x-amz-security-token=other"), Err(MISMATCH));

    // In a header.
    for (service, taken) in [("iotdevicegateway", true), ("s3", false)] {
        let long_term = Credentials::new("ASIAEXAMPLE", "wJalrXUtnFEMIsecret").unwrap();
        let signer = Signer::new(long_term, "us-east-1", service).unwrap();
        let request = Request::new("GET", "/mqtt", &[]).with_host(HOST);
        let mut headers = added(&signer.sign(request, Payload::EMPTY, now()).unwrap());
        headers.push(("X-Amz-Security-Token".into(), TOKEN.into()));
        let views = views(&headers);
        let result = verify(&verifier, Request::new("GET", "/mqtt", &views).with_host(HOST), b"", &temporary(), now());
        assert_eq!(result.as_ref().map(|verified| verified.header("x-amz-security-token")).ok(), taken.then_some(None));
        headers.last_mut().unwrap().0 = "x-amz-s3session-token".into();
        let views = self::views(&headers);
        let request = Request::new("GET", "/mqtt", &views).with_host(HOST);
        let names = vec!["x-amz-s3session-token".into()];
        let error = verify(&verifier, request, b"", &temporary(), now()).unwrap_err();
        assert_eq!(error, VerifyError::HeadersNotSigned { names });
    }
}

/// `a=1&a=2` and `a=2&a=1` have one signature.
#[test]
fn repeated_parameters_can_be_refused() {
    let strict = || verifier("execute-api").refuse_repeated_parameters();
    for (target, name) in [
        ("/?a=1&a=2", "a"),
        ("/?%61=1&a=2", "a"),
        ("/?a&b&a", "a"),
        ("/?=1&=2", ""),
        ("/?b+c=1&b%20c=2", "b c"),
        ("/?a=1&b=2&%C3%BC=3&ü", "ü"),
    ] {
        let headers = signed_for("us-east-1", "execute-api", target);
        assert!(put(&verifier("execute-api"), target, &views(&headers)).is_ok(), "{target}");
        let error = VerifyError::RepeatedParameter { name: name.into() };
        assert_eq!(put(&strict(), target, &views(&headers)).unwrap_err(), error, "{target}");
    }
    for target in ["/", "/?a=1&A=1", "/?a=1&&%2561=1", "/?a%3D1&a=1", "/?a=b&b=a"] {
        let headers = signed_for("us-east-1", "execute-api", target);
        assert!(put(&strict(), target, &views(&headers)).is_ok(), "{target}");
    }
    let request = Request::new("PUT", "/?a=1", &[]).with_host(HOST);
    let presigned = signer("execute-api").presign(request, Duration::from_secs(60), now()).unwrap();
    assert!(put(&strict(), presigned.target(), &[]).is_ok());
}

#[test]
fn query_pairs_are_the_signed_ones() {
    let told = |verified: &VerifiedRequest<'_>| -> Vec<String> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        verified.query_pairs().map(|(name, value)| format!("{}: {}", text(&name), text(&value))).collect()
    };
    // Beside an Authorization header, `X-Amz-Signature` is a parameter like any other.
    let target = "/?b=2+3%2B&&a&X-Amz-Signature=1&%58-Amz-Signature=2&=x&b=%zz";
    let verified = put(&verifier("s3"), target, &views(&signed_for("us-east-1", "s3", target))).unwrap();
    let all = ["b: 2 3+", "a: ", "X-Amz-Signature: 1", "X-Amz-Signature: 2", ": x", "b: %zz"];
    assert_eq!(told(&verified), all);

    // In a presigned query it is the signature, however it is spelt; in another case it is not.
    let target = presigned_by_hand("s3", "host", &[("a", "1"), ("x-amz-signature", "2")], &format!("host:{HOST}\n"));
    for target in [target.replace("X-Amz-Signature", "%58-Amz%2DSignature"), target] {
        let pairs = told(&put(&verifier("s3"), &target, &[]).unwrap());
        assert_eq!(pairs.len(), 7);
        assert!(pairs.iter().all(|pair| !pair.starts_with("X-Amz-Signature")), "{pairs:?}");
        assert!(pairs.contains(&"a: 1".into()) && pairs.contains(&"x-amz-signature: 2".into()), "{pairs:?}");
    }
}

/// C6. What fails without a key costs no look-up, and so no derivation.
#[test]
fn nobody_is_looked_up_for_a_request_that_no_key_can_save() {
    let looked_up = Cell::new(0);
    let find = |unverified: &UnverifiedRequest<'_>| {
        looked_up.set(looked_up.get() + 1);
        (unverified.access_key_id() == "AKIDEXAMPLE").then(credentials)
    };
    let gets = |headers: &[(&str, &[u8])], now| {
        let verifier = verifier("s3");
        let unverified = verifier.parse(Request::new("PUT", "/a", headers).with_host(HOST), now)?;
        let found = find(&unverified);
        unverified.with_body(b"").verify(found.as_ref()).map(|_| ())
    };
    let asymmetric = Signer::sigv4a(credentials(), "us-east-1", "s3").unwrap();
    let asymmetric = asymmetric.sign(Request::new("PUT", "/a", &[]).with_host(HOST), Payload::EMPTY, now()).unwrap();
    let asymmetric = added(&asymmetric);
    let good = signed_for("us-east-1", "s3", "/a");
    let other_region = signed_for("us-east-2", "s3", "/a");
    let without = |name: &str| -> Headers { good.iter().filter(|(given, _)| given != name).cloned().collect() };
    let mut unsigned = good.clone();
    unsigned.push(("x-amz-acl".into(), b"private".to_vec()));
    let a_year_later = at("20160830T123600Z");
    for (headers, now) in [
        (&vec![], now()),
        (&asymmetric, now()),
        (&asymmetric, a_year_later),
        (&good, a_year_later),
        (&other_region, now()),
        (&unsigned, now()),
        (&without("x-amz-date"), now()),
        (&without("x-amz-content-sha256"), now()),
    ] {
        assert!(gets(&views(headers), now).is_err());
    }
    assert_eq!(looked_up.get(), 0);
    assert!(matches!(gets(&views(&asymmetric), now()), Err(VerifyError::UnsupportedAlgorithm { .. })));
    assert_eq!((gets(&views(&good), now()), looked_up.get()), (Ok(()), 1));
}

#[test]
fn a_key_without_its_secret_is_held_to_id_token_and_end() {
    let signer = Signer::new(temporary(), "us-east-1", "execute-api").unwrap();
    let request = || Request::new("GET", "/a", &[]).with_host(HOST);
    let headers = added(&signer.sign(request(), Payload::EMPTY, now()).unwrap());
    let views = views(&headers);
    let verifier = verifier("execute-api");
    let scope = Scope::new("20150830", "us-east-1", "execute-api").unwrap();
    let key = || SigningKey::derive(&temporary(), &scope);
    let gets = |key: Option<&VerifyingKey>| {
        let unverified = || verifier.parse(Request::new("GET", "/a", &views).with_host(HOST), now()).unwrap();
        let verified = unverified().with_body(b"").verify_with_key(key).map(|_| ());
        // The same without a body at hand, where that is possible: here the hash of the body is what was signed.
        assert_eq!(unverified().verify_head_with_key(key).map(|_| ()), Err(VerifyError::BodyNeeded));
        verified
    };
    let own = || VerifyingKey::new("ASIAEXAMPLE", key()).with_session_token(TOKEN);
    assert_eq!(gets(Some(&own())), Ok(()));
    assert_eq!(gets(Some(&VerifyingKey::derive(&temporary(), &scope))), Ok(()));
    assert_eq!(gets(Some(&own().with_expires_at(at("20150830T123601Z")))), Ok(()));

    let id = || String::from("ASIAEXAMPLE");
    let unknown = Err(VerifyError::UnknownAccessKey { access_key_id: id() });
    assert_eq!(gets(None), unknown);
    assert_eq!(gets(Some(&VerifyingKey::new("ASIAOTHER", key()).with_session_token(TOKEN))), unknown);
    let invalid = Err(VerifyError::InvalidSessionToken { access_key_id: id() });
    assert_eq!(gets(Some(&VerifyingKey::new("ASIAEXAMPLE", key()))), invalid);
    for token in ["", "F", "FwoGZXIvYXdztokem", "FwoGZXIvYXdztoken "] {
        assert_eq!(gets(Some(&own().with_session_token(token))), invalid);
    }
    let ended = Err(VerifyError::ExpiredSessionToken { access_key_id: id(), expires_at: now() });
    assert_eq!(gets(Some(&own().with_expires_at(now()))), ended);
    let of_another_day = SigningKey::derive(&temporary(), &Scope::new("20150831", "us-east-1", "execute-api").unwrap());
    let other = VerifyingKey::new("ASIAEXAMPLE", of_another_day).with_session_token(TOKEN);
    assert_eq!(gets(Some(&other)), Err(MISMATCH));

    // A token for a key that has none.
    let long_term = VerifyingKey::derive(&credentials(), &Scope::new("20150830", "us-east-1", "s3").unwrap());
    let (credentials, s3) = (credentials().with_session_token("chosen").unwrap(), self::verifier("s3"));
    let signed = Signer::new(credentials, "us-east-1", "s3").unwrap().sign(request(), Payload::EMPTY, now()).unwrap();
    let headers = added(&signed);
    let views = self::views(&headers);
    let unverified = s3.parse(Request::new("GET", "/a", &views).with_host(HOST), now()).unwrap();
    let invalid = VerifyError::InvalidSessionToken { access_key_id: "AKIDEXAMPLE".into() };
    assert_eq!(unverified.verify_head_with_key(Some(&long_term)).unwrap_err(), invalid);
}

#[test]
fn an_owned_verified_request_goes_where_requests_go() {
    fn goes_anywhere<T: Clone + Send + Sync + 'static>(_: &T) {}
    let mut request =
        http::Request::put(format!("https://{HOST}/a?b=c")).header("x-amz-meta-a", "1").body("hello").unwrap();
    signer("s3").sign_http(&mut request, now()).unwrap();
    request.headers_mut().insert("x-unsigned", "2".parse().unwrap());
    let verifier = verifier("s3");
    let head = verifier.parse(&request, now()).unwrap().verify_head(Some(&credentials())).unwrap().into_owned();
    goes_anywhere(&head);
    let check = head.body_check().unwrap();
    goes_anywhere(&check);
    let verified = std::thread::spawn(move || {
        let mut check = check;
        check.update(b"hello");
        check.finish().unwrap()
    });
    let verified: VerifiedRequest<'static> = verified.join().unwrap();
    goes_anywhere(&verified);
    request.extensions_mut().insert(verified);
    let verified: VerifiedRequest<'static> = request.extensions().get::<VerifiedRequest<'_>>().unwrap().clone();
    drop(request);
    assert_eq!((verified.method(), verified.host(), verified.canonical_path()), ("PUT", HOST, "/a".into()));
    assert_eq!((verified.header("x-amz-meta-a"), verified.header("x-unsigned")), (Some(b"1".as_slice()), None));
    assert!(verified.headers().map(|(name, _)| name).eq(["x-amz-meta-a", "x-amz-date", "x-amz-content-sha256"]));
}

/// A refusal of long names says a part of each.
#[test]
fn long_names_make_no_long_answer() {
    let mut headers = signed_for("us-east-1", "s3", "/a");
    headers.extend((0..40).map(|n| (format!("X-Amz-{n}-{}", "a".repeat(60_000)), b"1".to_vec())));
    let long = headers.last().unwrap().0.to_lowercase();
    let not_signed = put(&verifier("s3"), "/a", &views(&headers)).unwrap_err();
    assert!(matches!(not_signed, VerifyError::HeadersNotSigned { .. }));
    let names = format!("host;{long}");
    let absent = presigned_by_hand("s3", &names, &[], &format!("host:{HOST}\n{long}:1\n"));
    let absent = put(&verifier("s3"), &absent, &[]).unwrap_err();
    assert!(matches!(absent, VerifyError::SignedHeaderAbsent { .. }));
    for error in [not_signed, absent] {
        assert!(error.to_string().len() < 4096 && format!("{error:?}").len() < 4096);
        for format in FORMATS {
            assert!(error.refusal(format).body("id").len() < 4096);
        }
    }
}

/// The echo of what was computed hides a customer's key, in whichever of the two places a client sends it.
#[test]
fn a_customer_key_in_the_query_is_not_echoed() {
    let name = "x-amz-server-side-encryption-customer-key";
    let canonical = format!("host:{HOST}\n{name}:OTHER\n");
    let target = presigned_by_hand("s3", &format!("host;{name}"), &[(name, "HIDDEN")], &canonical);
    let error = put(&verifier("s3").echo_computed(), &target, &[]).unwrap_err();
    let VerifyError::SignatureMismatch { computed: Some(computed) } = &error else { panic!("{error}") };
    assert!(computed.canonical_request().contains(&format!("{name}=[redacted]")));
    assert!(!format!("{computed:?}{}", error.refusal(ErrorFormat::RestJson).body("id")).contains("HIDDEN"));
}

fn took(run: impl FnOnce()) -> Duration {
    let begun = worked();
    run();
    worked() - begun
}

/// Nobody has to have a key for that: the work grows with the request, not with the product of two of its parts.
#[test]
fn many_long_names_are_compared_in_bounded_time() {
    // Each took longer when it was a product, and a tenth of that now.
    const LONG: Duration = Duration::from_secs(3);
    let many: Headers = (0..1000).map(|n| (format!("x-amz-meta-{n:050}"), b"1".to_vec())).collect();
    let signed = signer("s3").sign(Request::new("PUT", "/a", &views(&many)).with_host(HOST), Payload::EMPTY, now());
    let mut headers = many.clone();
    headers.extend(added(&signed.unwrap()));
    let verified = put(&verifier("s3"), "/a", &views(&headers)).unwrap();
    let time = took(|| assert_eq!((0..20).map(|_| verified.headers().count()).sum::<usize>(), 20 * 1002));
    assert!(time < LONG, "the headers of a verified request: {time:?}");

    headers.push(("connection".into(), "a,".repeat(100_000).into_bytes()));
    let time = took(|| assert!(put(&verifier("s3"), "/a", &views(&headers)).is_ok()));
    assert!(time < LONG, "options of Connection: {time:?}");

    // One name in a thousand parameters and in a thousand headers.
    let (mut query, mut headers) = (String::new(), Headers::new());
    for _ in 0..1000 {
        write!(query, "&x-amz-meta-a=+1").unwrap();
        headers.push(("x-amz-meta-a".into(), format!("1{}", " ".repeat(400)).into_bytes()));
    }
    let target = presigned_by_hand("s3", "host;x-amz-meta-a", &[], "") + &query;
    let time = took(|| assert!(put(&verifier("s3"), &target, &views(&headers)).is_err()));
    assert!(time < LONG, "header and query: {time:?}");
}

/// C14. What is secret is wiped before its memory goes to somebody else. The headers of a request can't be: they are sent.
#[test]
fn no_buffer_is_given_back_with_a_secret_in_it() {
    const OWN_SECRET: &str = "secretsecretsecretsecretsecretsecret1234";
    const OWN_TOKEN: &str = "tokentokentokentokentokentokentokentoken";
    let scope = Scope::new("20150830", "us-east-1", "s3").unwrap();
    let own = || Credentials::new("ASIAEXAMPLE", OWN_SECRET).unwrap().with_session_token(OWN_TOKEN).unwrap();
    let use_them = || {
        let credentials = own();
        let derived = VerifyingKey::derive(&credentials.clone(), &scope);
        let given = VerifyingKey::new("ASIAEXAMPLE", SigningKey::derive(&credentials, &scope));
        let given = given.with_session_token(OWN_TOKEN).with_session_token(OWN_TOKEN);
        let pair = SigningKey::derive_sigv4a(&credentials);
        let signer = Signer::new(credentials, "us-east-1", "s3").unwrap();
        let signed = signer.sign(Request::new("PUT", "/a", &[]).with_host(HOST), Payload::EMPTY, now()).unwrap();
        drop((derived.clone(), derived, given, pair, signer.clone(), signer));
        signed
    };
    for secret in [OWN_SECRET, OWN_TOKEN] {
        let needles: &'static [Vec<u8>] = vec![secret.as_bytes().to_vec()].leak();
        assert_eq!(freed_with(needles, use_them).1, 0, "{secret}");
    }
}
