//! Invalid input is refused with a typed error, in both directions, and never causes a panic.

use std::time::Duration;

use countersign::{
    Credentials, Location, Payload, Request, RequestError, Rules, ScopeError, SignError, SignedHeaders, Signer,
    StreamingPayload, Timestamp, UnsignedPayload, UnverifiedWithBody, Verifier, VerifyError,
};
use sha2::{Digest, Sha256};

use crate::support::fixtures::{
    HOST, Headers, TEMPORARY_SECRET, added, credentials, now, signer, temporary, verifier, verify, verify_head, views,
};

const MISMATCH: VerifyError = VerifyError::SignatureMismatch { computed: None };

fn after(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(now().unix_seconds() + seconds).unwrap()
}

fn with<T>(method: &str, target: &[u8], headers: &Headers, with: impl FnOnce(Request<'_>) -> T) -> T {
    let (views, has_host) = (views(headers), headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")));
    let request = Request::new(method, target, &views);
    with(if has_host { request } else { request.with_host(HOST) })
}

fn headers(given: &[(&str, &str)]) -> Headers {
    given.iter().map(|(name, value)| ((*name).into(), value.as_bytes().to_vec())).collect()
}

/// Returns the headers of a request after signing it.
fn signed(signer: &Signer, method: &str, target: &str, given: &[(&str, &str)], payload: Payload<'_>) -> Headers {
    let mut all = headers(given);
    let signed = with(method, target.as_bytes(), &all, |request| signer.sign(request, payload, now())).unwrap();
    all.retain(|(name, _)| signed.headers().all(|(added, _)| added != name.to_lowercase()));
    all.extend(added(&signed));
    all
}

struct Server {
    verifier: Verifier,
    known: Vec<Credentials>,
    now: Timestamp,
}

fn server(service: &str) -> Server {
    Server { verifier: verifier(service), known: vec![credentials(), temporary()], now: now() }
}

impl Server {
    fn at(mut self, now: Timestamp) -> Self {
        self.now = now;
        self
    }

    fn verifier(mut self, change: impl FnOnce(Verifier) -> Verifier) -> Self {
        self.verifier = change(self.verifier);
        self
    }

    fn gets(&self, method: &str, target: &[u8], headers: &Headers, body: &[u8]) -> Result<(), VerifyError> {
        with(method, target, headers, |request| {
            let unverified = self.verifier.parse(request, self.now)?;
            let found = self.known.iter().find(|known| known.access_key_id() == unverified.access_key_id());
            unverified.with_body(body).verify(found).map(|_| ())
        })
    }
}

/// Verifies `GET /dev/a?b=c`, signed for execute-api, after a change to its Authorization header.
fn with_authorization(change: impl FnOnce(String) -> String) -> Result<(), VerifyError> {
    let mut all = signed(&signer("execute-api"), "GET", "/dev/a?b=c", &[], Payload::EMPTY);
    for (name, value) in &mut all {
        if name == "authorization" {
            *value = change(String::from_utf8(value.clone()).unwrap()).into_bytes();
            break;
        }
    }
    server("execute-api").gets("GET", b"/dev/a?b=c", &all, b"")
}

#[test]
fn control_bytes_and_fragments_in_the_target_are_refused() {
    for byte in 0..=u8::MAX {
        for position in [3, 7] {
            let mut target = b"/a/b?c=d".to_vec();
            target.insert(position, byte);
            let result =
                with("GET", &target, &headers(&[]), |request| signer("s3").sign(request, Payload::EMPTY, now()));
            let parsed =
                with("GET", &target, &headers(&[]), |request| verifier("s3").parse(request, now()).map(|_| ()));
            if byte.is_ascii_control() {
                let error = RequestError::TargetControlByte { byte, position };
                assert_eq!(result.unwrap_err(), SignError::Request(error.clone()));
                assert_eq!(parsed.unwrap_err(), VerifyError::Request(error));
            } else if byte == b'#' {
                let error = RequestError::Fragment { position };
                assert_eq!(result.unwrap_err(), SignError::Request(error.clone()));
                assert_eq!(parsed.unwrap_err(), VerifyError::Request(error));
            } else {
                assert!(result.is_ok(), "{byte:#x}");
                assert_eq!(parsed.unwrap_err(), VerifyError::MissingAuthentication);
            }
        }
    }
}

#[test]
fn invalid_http_messages_are_refused_in_both_directions() {
    let many: Headers = (0..10_000).map(|n| (format!("x-amz-meta-{n}"), vec![b'1'])).collect();
    let long = format!("/{}", "a".repeat(1 << 20));
    let cases: [(&str, &str, Headers, RequestError); 10] = [
        ("", "/", headers(&[]), RequestError::Method { got: String::new() }),
        ("GET /x", "/", headers(&[]), RequestError::Method { got: "GET /x".into() }),
        ("GET\n", "/", headers(&[]), RequestError::Method { got: "GET\u{fffd}".into() }),
        ("GET", &long, headers(&[]), RequestError::TargetTooLong { length: (1 << 20) + 1, limit: 65_536 }),
        ("GET", "/", many, RequestError::TooManyHeaders { count: 10_000, limit: 1024 }),
        ("GET", "/", headers(&[("", "x")]), RequestError::HeaderName { got: String::new() }),
        ("GET", "/", headers(&[("a:b", "x")]), RequestError::HeaderName { got: "a:b".into() }),
        ("GET", "/", headers(&[("a", "x\r\ny: z")]), RequestError::HeaderValue { name: "a".into(), byte: b'\r' }),
        ("GET", "/", headers(&[("a", "x\ny")]), RequestError::HeaderValue { name: "a".into(), byte: b'\n' }),
        ("GET", "/", headers(&[("a", "\0")]), RequestError::HeaderValue { name: "a".into(), byte: 0 }),
    ];
    for (method, target, headers, error) in cases {
        let result =
            with(method, target.as_bytes(), &headers, |request| signer("s3").sign(request, Payload::EMPTY, now()));
        assert_eq!(result.unwrap_err(), SignError::Request(error.clone()));
        let presigned = with(method, target.as_bytes(), &headers, |request| {
            signer("s3").presign(request, Duration::from_secs(1), now())
        });
        assert_eq!(presigned.unwrap_err(), SignError::Request(error.clone()));
        let parsed =
            with(method, target.as_bytes(), &headers, |request| verifier("s3").parse(request, now()).map(|_| ()));
        assert_eq!(parsed.unwrap_err(), VerifyError::Request(error));
    }
    let query: Vec<String> = (0..2000).map(|n| format!("k{n}=v")).collect();
    let target = format!("/?{}", query.join("&"));
    let result =
        with("GET", target.as_bytes(), &headers(&[]), |request| signer("s3").sign(request, Payload::EMPTY, now()));
    assert_eq!(result.unwrap_err(), SignError::Request(RequestError::TooManyQueryPairs { limit: 1024 }));
    let error =
        server("s3").gets("GET", target.as_bytes(), &signed(&signer("s3"), "GET", "/", &[], Payload::EMPTY), b"");
    assert_eq!(error, Err(VerifyError::Request(RequestError::TooManyQueryPairs { limit: 1024 })));
}

/// Returns the error of signing, presigning and verifying, which has to be the same.
fn error_of_target<'r>(request: impl Into<Request<'r>>) -> Option<RequestError> {
    let request = request.into();
    let signed = signer("s3").sign(request, Payload::EMPTY, now()).map(|_| ());
    let presigned = signer("s3").presign(request, Duration::from_secs(60), now()).map(|_| ());
    assert_eq!(signed, presigned);
    match verifier("s3").parse(request, now()).unwrap_err() {
        VerifyError::MissingAuthentication => {
            assert_eq!(signed, Ok(()));
            None
        }
        VerifyError::Request(error) => {
            assert_eq!(signed, Err(SignError::Request(error.clone())));
            Some(error)
        }
        error => panic!("{error}"),
    }
}

#[test]
fn a_target_is_a_path_and_query() {
    let error = |target: &str| error_of_target(Request::new("GET", target, &[]).with_host(HOST));
    for target in
        ["", "/", "//", "?", "?a=b", "*", "*?a", "/a?b=https://example.com/", "/https://example.com/", "/a:b@c"]
    {
        assert_eq!(error(target), None, "{target}");
    }
    for target in
        ["https://example.com", "https://example.com/a?b=c", "http://user:secret@example.com/", "x://", "://?"]
    {
        assert_eq!(error(target), Some(RequestError::TargetIsUrl), "{target}");
    }
    for (target, got) in [
        ("dev/list", "dev/list"),
        ("example.com:443", "example.com:443"),
        ("a?b=https://example.com/", "a"),
        (" /a", " /a"),
        ("%2Fa", "%2Fa"),
        ("**", "**"),
        ("*/", "*/"),
        (".", "."),
        ("\\a", "\\a"),
        ("ü", "ü"),
        (&"a".repeat(200), &format!("{}…", "a".repeat(128))),
    ] {
        assert_eq!(error(target), Some(RequestError::TargetWithoutSlash { got: got.into() }), "{target}");
    }
    for (target, position) in [("#", 0), ("/#", 1), ("/a?b#c", 4), ("https://example.com/#a", 20), ("a#", 1), ("*#", 1)]
    {
        assert_eq!(error(target), Some(RequestError::Fragment { position }), "{target}");
    }
    let url = RequestError::TargetIsUrl;
    assert_eq!(
        url.to_string(),
        "the target is a full URL; pass only its path and query, e.g. /items?limit=25, and pass the host separately"
    );
}

#[test]
fn targets_of_http_uris() {
    let error = |uri: &str| {
        let request = http::Request::options(uri).header("host", HOST).body(()).unwrap();
        error_of_target(&request)
    };
    for uri in ["*", "/", "/a?b", "http://example.com", "http://example.com?a", "https://user@example.com/a#fragment"] {
        assert_eq!(error(uri), None, "{uri}");
    }
    for (uri, host) in [("example.com:443", "example.com"), ("user:secret@example.com:443", "example.com")] {
        assert_eq!(error(uri), Some(RequestError::TargetWithoutSlash { got: host.into() }), "{uri}");
    }
    let request = http::Request::options("*").header("host", HOST).body(()).unwrap();
    let signed = signer("s3").sign(&request, Payload::EMPTY, now()).unwrap();
    assert!(signed.canonical_request().raw().to_string().starts_with("OPTIONS\n/%2A\n"));
}

#[test]
fn signers_report_what_they_cannot_sign() {
    let request = Request::new("GET", "/", &[]).with_host(HOST);
    let sign = |signer: &Signer| signer.sign(request, Payload::EMPTY, now()).unwrap_err();
    assert_eq!(
        signer("s3").sign(Request::new("GET", "/", &[]), Payload::EMPTY, now()).unwrap_err(),
        SignError::Request(RequestError::MissingHost)
    );
    for (region, service, error) in [
        ("us-east-1", "", ScopeError::Empty { field: "service" }),
        ("", "", ScopeError::Empty { field: "service" }),
        ("us-east-1", "S3", ScopeError::ServiceName { got: "S3".into() }),
        ("us-east-1", "execute-api.amazonaws.com", ScopeError::ServiceName { got: "execute-api.amazonaws.com".into() }),
        ("us-east-1.amazonaws.com", "s3", ScopeError::RegionName { got: "us-east-1.amazonaws.com".into() }),
        ("us/east", "s3", ScopeError::Character { field: "region", got: "us/east".into() }),
        ("us-east-1", "s3\r\nx: y", ScopeError::Character { field: "service", got: "s3\u{fffd}\u{fffd}x: y".into() }),
        ("us-east-1", "s3, x", ScopeError::Character { field: "service", got: "s3, x".into() }),
    ] {
        assert_eq!(Signer::new(credentials(), region, service).unwrap_err(), error);
        assert_eq!(Verifier::new(region, service).unwrap_err(), error);
    }
    let expired = Signer::new(temporary().with_expires_at(now()), "us-east-1", "s3").unwrap();
    assert_eq!(sign(&expired), SignError::CredentialsExpired { expires_at: now(), now: now() });
    let limit = Duration::from_secs(604_800);
    for expires in [Duration::ZERO, Duration::from_millis(1500), limit + Duration::from_secs(1), Duration::MAX] {
        let error = signer("s3").presign(request, expires, now()).unwrap_err();
        assert_eq!(error, SignError::Expires { expires_in: expires, limit });
    }
    assert!(signer("s3").presign(request, limit, now()).is_ok());
    let streaming = StreamingPayload::Signed;
    let presigned = signer("s3").presign_payload(request, Payload::Streaming(streaming), limit, now());
    assert_eq!(presigned.unwrap_err(), SignError::PresignedStreaming { streaming });
    let target = signer("s3").presign(request, limit, now()).unwrap().target().to_owned();
    let again = signer("s3").sign(Request::new("GET", &target, &[]).with_host(HOST), Payload::EMPTY, now());
    assert_eq!(again.unwrap_err(), SignError::AlreadyPresigned);
    for name in ["x-amz-algorithm", "X-Amz-Credential", "X-AMZ-EXPIRES", "x-amz-signedheaders", "x-amz-signature"] {
        let headers = [(name, b"60".as_slice())];
        for service in ["s3", "execute-api"] {
            let presigned = signer(service).presign(Request::new("GET", "/", &headers).with_host(HOST), limit, now());
            assert_eq!(presigned.unwrap_err(), SignError::HeaderOfUrl { name: name.into() });
        }
    }
    for (name, value, error) in [
        ("Authorization", "Bearer abc", SignError::ForeignAuthorization { scheme: "Bearer".into() }),
        ("connection", "close, X-Amz-Date", SignError::RemovedByHop { name: "X-Amz-Date".into() }),
        ("x-amz-security-token", "t", SignError::SessionTokenOfOthers { name: "x-amz-security-token" }),
    ] {
        let result =
            with("GET", b"/", &headers(&[(name, value)]), |request| signer("s3").sign(request, Payload::EMPTY, now()));
        assert_eq!(result.unwrap_err(), error);
    }
}

#[test]
fn scope_errors_explain_the_fix() {
    let error = |region: &str, service: &str| Verifier::new(region, service).unwrap_err().to_string();
    assert_eq!(
        error("us-east-1", "S3"),
        "the service \"S3\" is not a signing name: write it in lower case and without a domain, e.g. s3 or execute-api"
    );
    assert_eq!(
        error("us-east-1.amazonaws.com", "s3"),
        "the region \"us-east-1.amazonaws.com\" is not a region name: write it without a domain, e.g. us-east-1"
    );
}

/// MinIO's admin clients sign with an empty region.
#[test]
fn an_empty_region_matches_only_itself() {
    let without = Signer::new(credentials(), "", "s3").unwrap();
    let verifiers = ["", "us-east-1"].map(|region| Verifier::new(region, "s3").unwrap());
    let verify = |verifier: &Verifier, target: &str, headers: &Headers| {
        with("GET", target.as_bytes(), headers, |request| {
            let verified = verify(verifier, request, b"", &credentials(), now())?;
            assert_eq!(verified.region_set(), None);
            Ok(())
        })
    };
    let none = headers(&[]);
    for (signer, region, [same, other]) in [(&without, "", [0, 1]), (&signer("s3"), "us-east-1", [1, 0])] {
        let in_header = signed(signer, "GET", "/k", &[], Payload::EMPTY);
        let presigned = with("GET", b"/k", &none, |request| signer.presign(request, Duration::from_secs(60), now()));
        let presigned = presigned.unwrap();
        let scope = format!("20150830/{region}/s3/aws4_request");
        assert_eq!(presigned.string_to_sign().to_string().lines().nth(2), Some(scope.as_str()));
        for (target, headers) in [("/k", &in_header), (presigned.target(), &none)] {
            assert_eq!(verify(&verifiers[same], target, headers), Ok(()));
            let error = verify(&verifiers[other], target, headers).unwrap_err();
            let VerifyError::WrongScope { got, expected, .. } = error else { panic!("{error}") };
            assert_eq!(got.to_string(), scope);
            assert_eq!(
                (got.region(), expected.region()),
                (Some(region), Some(if other == 0 { "" } else { "us-east-1" }))
            );
        }
    }
    // A three-part scope is a SigV4A scope.
    let mut all = signed(&without, "GET", "/k", &[], Payload::EMPTY);
    let (_, authorization) = all.iter_mut().find(|(name, _)| name == "authorization").unwrap();
    *authorization = String::from_utf8(authorization.clone()).unwrap().replace("20150830//s3", "20150830/s3").into();
    let error = verify(&verifiers[0], "/k", &all).unwrap_err();
    assert!(matches!(error, VerifyError::MalformedCredential { .. }), "{error}");
}

#[test]
fn every_connection_header_is_checked() {
    let removed = SignError::RemovedByHop { name: "x-amz-date".into() };
    for given in [["x-amz-date", "close"], ["close", "x-amz-date"], ["te, x-amz-date", ""]] {
        let all = headers(&given.map(|value| ("Connection", value)));
        let result = with("GET", b"/", &all, |request| signer("sts").sign(request, Payload::EMPTY, now()));
        assert_eq!(result.unwrap_err(), removed, "{given:?}");
    }
}

/// However many names there are, and in any case and order.
#[test]
fn every_name_is_checked_at_the_limits() {
    let many: Headers = (0..1021).rev().map(|n| (format!("X-Amz-Meta-{n}"), n.to_string().into_bytes())).collect();
    let mut all = many.clone();
    with("GET", b"/", &many, |request| {
        let signed = signer("sts").sign(request, Payload::EMPTY, now()).unwrap();
        all.extend(added(&signed));
    });
    assert_eq!(all.len(), 1023);
    assert_eq!(server("sts").gets("GET", b"/", &all, b""), Ok(()));
    let mut one_more = all.clone();
    one_more.insert(500, ("x-amz-METAS".into(), b"".to_vec()));
    let error = VerifyError::HeadersNotSigned { names: vec!["x-amz-metas".into()] };
    assert_eq!(server("sts").gets("GET", b"/", &one_more, b""), Err(error));
    // A repeated signed header is part of the canonical request, so the signature does not match.
    one_more[500].0 = "x-amz-meta-7".into();
    assert_eq!(server("sts").gets("GET", b"/", &one_more, b""), Err(MISMATCH));
    one_more.remove(0);
    assert!(matches!(
        server("sts").gets("GET", b"/", &one_more, b""),
        Err(VerifyError::SignedHeaderAbsent { name }) if name == "x-amz-meta-1020"
    ));
    for (pairs, taken) in [(1024, true), (1025, false)] {
        for (path, pair) in [("/", ""), ("", ""), ("/", "a"), ("*", "%")] {
            let target = format!("{path}?{}", vec![pair; pairs].join("&"));
            let parsed = with("GET", target.as_bytes(), &headers(&[]), |request| {
                verifier("s3").parse(request, now()).map(|_| ())
            });
            let error = RequestError::TooManyQueryPairs { limit: 1024 };
            let error = if taken { VerifyError::MissingAuthentication } else { VerifyError::Request(error) };
            assert_eq!(parsed, Err(error), "{pairs} {path} {pair}");
        }
    }
}

/// Encoding does not change a parameter name, but case does.
#[test]
fn encoded_and_similar_parameter_names() {
    let encode = |name: &str, only: fn(usize) -> bool, lower: bool| -> String {
        let bytes = name.bytes().enumerate().map(|(index, byte)| match (only(index), lower) {
            (false, _) => char::from(byte).to_string(),
            (true, true) => format!("%{byte:02x}"),
            (true, false) => format!("%{byte:02X}"),
        });
        bytes.collect()
    };
    let target = presigned("s3", &[], 900);
    let gets = |target: &str| server("s3").gets("GET", target.as_bytes(), &headers(&[]), b"");
    assert_eq!(gets(&target), Ok(()));
    let names = ["Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature"];
    for name in names.map(|name| format!("X-Amz-{name}")) {
        let (_, rest) = target.split_once(&format!("{name}=")).unwrap();
        let value = rest.split('&').next().unwrap();
        for only in [|index| index == 0, |index| index == 1, |_| true, |index| index > 8] as [fn(usize) -> bool; 4] {
            for lower in [false, true] {
                let other = encode(&name, only, lower);
                // The canonical form is the same, so the signature is valid. A repeated parameter is refused.
                assert_eq!(gets(&target.replace(&format!("{name}="), &format!("{other}="))), Ok(()), "{other}");
                for more in
                    [format!("{target}&{other}={value}"), format!("{target}&{other}"), format!("{target}&&{other}=")]
                {
                    assert!(matches!(gets(&more), Err(VerifyError::Repeated { .. })), "{more}");
                }
                // Encoded twice, it is a different name.
                let twice = other.replace('%', "%25");
                assert_eq!(gets(&format!("{target}&{twice}={value}")), Err(MISMATCH), "{twice}");
                assert!(gets(&target.replace(&format!("{name}="), &format!("{twice}="))).is_err(), "{twice}");
            }
        }
        for other in
            [name.to_lowercase(), name.to_uppercase(), format!(" {name}"), format!("+{name}"), format!("{name}%00")]
        {
            assert_eq!(gets(&format!("{target}&{other}={value}")), Err(MISMATCH), "{other}");
            assert!(gets(&target.replace(&format!("{name}="), &format!("{other}="))).is_err(), "{other}");
        }
    }
    for more in ["&=", "&=X-Amz-Signature", "&X", "&%", "&%5", "&%58", "&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD"] {
        assert_eq!(gets(&format!("{target}{more}")), Err(MISMATCH), "{more}");
    }
    // Together with an Authorization header, however the algorithm's name is encoded.
    let all = signed(&signer("s3"), "GET", "/", &[], Payload::EMPTY);
    for name in ["X-Amz-Algorithm", "%58-Amz-Algorithm", "X%2dAmz%2DAlgorithm", "X-Amz-Algorith%6d"] {
        let target = format!("/?{name}");
        assert_eq!(server("s3").gets("GET", target.as_bytes(), &all, b""), Err(VerifyError::BothMechanisms), "{name}");
    }
}

#[test]
fn any_target_without_a_fragment_can_be_presigned() {
    let given = headers(&[("X-Amz-Meta-%3A#!", "1"), ("My-Header", "2")]);
    for target in ["", "/", "/?", "/?a?", "/?&&", "?a", "/a b?ü=%zz&+", "/a?X-Amz-Expires=1&X%2DAmz-Signature=2&b"] {
        for service in ["execute-api", "s3"] {
            let signer = signer(service).also_sign(["my-header"]);
            let presigned = with("GET", target.as_bytes(), &given, |request| {
                signer.presign(request, Duration::from_secs(60), now()).unwrap()
            });
            let result = server(service).gets("GET", presigned.target().as_bytes(), &given, b"");
            assert_eq!(result, Ok(()), "{}", presigned.url());
        }
    }
    let request = Request::new("GET", "/a?b#c", &[]).with_host(HOST);
    assert_eq!(
        signer("s3").presign(request, Duration::from_secs(60), now()).unwrap_err(),
        SignError::Request(RequestError::Fragment { position: 4 })
    );
    for host in ["a b", "a/b", "ü.example", "a?b", "a\\b"] {
        let request = Request::new("GET", "/", &[]).with_host(host);
        let error = signer("s3").presign(request, Duration::from_secs(60), now()).unwrap_err();
        assert_eq!(error, SignError::Request(RequestError::Host { got: host.into() }));
    }
}

#[test]
fn presigned_urls_report_that_they_outlive_their_credentials() {
    let request = Request::new("GET", "/", &[]).with_host(HOST);
    let signer = |expiry| Signer::new(temporary().with_expires_at(expiry), "us-east-1", "s3").unwrap();
    let presigned = signer(after(60)).presign(request, Duration::from_secs(61), now()).unwrap();
    assert!(presigned.outlives_credentials());
    assert_eq!(presigned.expires_at(), after(60));
    let presigned = signer(after(60)).presign(request, Duration::from_secs(60), now()).unwrap();
    assert!(!presigned.outlives_credentials());
    assert_eq!(presigned.expires_at(), after(60));
}

#[test]
fn malformed_authorization_headers_are_refused() {
    assert_eq!(with_authorization(|text| text), Ok(()));
    let replaced = |from: &'static str, to: &'static str| {
        with_authorization(|text| {
            assert!(text.contains(from));
            text.replacen(from, to, 1)
        })
        .unwrap_err()
    };
    let not_signed_headers = VerifyError::MalformedSignedHeaders { location: Location::Header };
    for to in ["", ";host;x-amz-date", "host;x-amz-date;", "host;host;x-amz-date", "x-amz-date;host", "Host;x-amz-date"]
    {
        assert_eq!(replaced("host;x-amz-date", to), not_signed_headers, "{to}");
    }
    assert_eq!(replaced("host;x-amz-date", "x-amz-date"), VerifyError::HeadersNotSigned { names: vec!["host".into()] });
    assert_eq!(replaced("host;x", "host;via;x"), VerifyError::SignedHeaderAbsent { name: "via".into() });
    assert_eq!(
        replaced("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA25"),
        VerifyError::UnsupportedAlgorithm { algorithm: "AWS4-HMAC-SHA25".into() }
    );
    assert_eq!(replaced("AWS4-HMAC-SHA256", "AWSX4"), VerifyError::UnsupportedScheme { scheme: "AWSX4".into() });
    assert_eq!(replaced("Credential=", "Credential"), VerifyError::NotKeyValue);
    assert_eq!(replaced("Credential=", "Credentials="), VerifyError::UnknownParameter { name: "Credentials".into() });
    assert_eq!(replaced(", Signature=", ", Signature=x, Signature="), VerifyError::Repeated { name: "Signature" });
    for to in ["", "AKIDEXAMPLE/", "/20150830/us-east-1/execute-api/"] {
        assert!(matches!(
            replaced("AKIDEXAMPLE/20150830/us-east-1/execute-api/", to),
            VerifyError::MalformedCredential { .. }
        ));
    }
    for (from, to) in [
        ("20150830/", "20150829/"),
        ("us-east-1", "us-east-2"),
        ("execute-api", "s3"),
        ("aws4_request", "AWS4_request"),
        ("AKIDEXAMPLE/20150830/", "AKIDEXAMPLE/20150830T123600Z/"),
    ] {
        assert!(matches!(replaced(from, to), VerifyError::WrongScope { .. }), "{from} {to}");
    }
    assert_eq!(
        replaced("AKIDEXAMPLE", "AKIDOTHER"),
        VerifyError::UnknownAccessKey { access_key_id: "AKIDOTHER".into() }
    );
    assert_eq!(with_authorization(|text| text + "0").unwrap_err(), VerifyError::MalformedSignature);
    assert_eq!(
        with_authorization(|text| text.to_uppercase()).unwrap_err(),
        VerifyError::UnknownParameter { name: "CREDENTIAL".into() }
    );
    let long = with_authorization(|text| text + &" ".repeat(1 << 20) + "x").unwrap_err();
    assert!(matches!(long, VerifyError::AuthorizationTooLong { limit: 65_536, .. }), "{long:?}");
    let names: Vec<String> = (0..1025).map(|n| format!("h{n:04}")).collect();
    let many = with_authorization(|text| text.replacen("host", &names.join(";"), 1)).unwrap_err();
    assert_eq!(many, VerifyError::TooManySignedHeaders { limit: 1024 });
}

#[test]
fn repeated_signature_headers_are_refused() {
    let good = signed(&signer("s3"), "GET", "/", &[("date", "Fri, 24 May 2013 00:00:00 GMT")], Payload::EMPTY);
    assert_eq!(server("s3").gets("GET", b"/", &good, b""), Ok(()));
    for (name, said) in [
        ("authorization", "Authorization"),
        ("X-AMZ-DATE", "X-Amz-Date"),
        ("Date", "Date"),
        ("x-amz-content-sha256", "X-Amz-Content-Sha256"),
    ] {
        let mut twice = good.clone();
        let (_, value) = good.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).unwrap();
        twice.push((name.into(), value.clone()));
        assert_eq!(server("s3").gets("GET", b"/", &twice, b""), Err(VerifyError::Repeated { name: said }));
    }
    let mut hosts = good.clone();
    hosts.extend(headers(&[("host", HOST), ("Host", HOST)]));
    assert_eq!(server("s3").gets("GET", b"/", &hosts, b""), Err(VerifyError::Request(RequestError::RepeatedHost)));
    let mut tokens = good.clone();
    tokens.extend(headers(&[("x-amz-security-token", "a"), ("x-amz-s3session-token", "b")]));
    assert_eq!(
        server("s3").gets("GET", b"/", &tokens, b""),
        Err(VerifyError::Repeated { name: "X-Amz-Security-Token" })
    );
}

fn presigned(service: &str, given: &[(&str, &str)], seconds: u64) -> String {
    with("GET", b"/a?b=c", &headers(given), |request| {
        signer(service).presign(request, Duration::from_secs(seconds), now()).unwrap().target().to_owned()
    })
}

#[test]
fn malformed_presigned_queries_are_refused() {
    let good = presigned("execute-api", &[], 60);
    let get = |target: &str| server("execute-api").gets("GET", target.as_bytes(), &headers(&[]), b"");
    assert_eq!(get(&good), Ok(()));
    for name in ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Signature"] {
        assert_eq!(
            get(&good.replace(name, "Other")),
            Err(VerifyError::MissingParameters { location: Location::Query, names: vec![name] })
        );
        assert_eq!(get(&format!("{good}&{name}=x")), Err(VerifyError::Repeated { name }));
        let encoded = name.replace('-', "%2D");
        assert_eq!(get(&format!("{good}&{encoded}=x")), Err(VerifyError::Repeated { name }));
    }
    assert_eq!(get(&format!("{good}&X-Amz-Expires=60")), Err(VerifyError::Repeated { name: "X-Amz-Expires" }));
    assert_eq!(
        get(&good.replace("X-Amz-Expires", "x-amz-expires")),
        Err(VerifyError::MissingParameters { location: Location::Query, names: vec!["X-Amz-Expires"] })
    );
    let expires = |value: &str| get(&good.replace("X-Amz-Expires=60", &format!("X-Amz-Expires={value}")));
    for value in ["", "-1", "%2B60", "6%200", "0x3c", "6e1", "60.0", "%EF%BC%96%EF%BC%90"] {
        assert!(matches!(expires(value), Err(VerifyError::MalformedExpires { .. })), "{value}");
    }
    let limit = Duration::from_secs(604_800);
    for (value, seconds) in [("0", 0), ("604801", 604_801), ("99999999999999999999999", u64::MAX)] {
        assert_eq!(expires(value), Err(VerifyError::ExpiresOutOfRange { seconds, limit }));
    }
    for value in ["060", "61", "604800"] {
        assert_eq!(expires(value), Err(MISMATCH), "{value}");
    }
    assert_eq!(get(&format!("{good}&%FF=1")), Err(MISMATCH));
    assert_eq!(get(&good.replace("X-Amz-Date=2", "X-Amz-Date=%FF")), Err(VerifyError::NotKeyValue));
}

#[test]
fn requests_with_two_signatures_are_refused() {
    let target = presigned("execute-api", &[], 60);
    let mut both = headers(&[]);
    for authorization in ["AWS4-HMAC-SHA256 Credential=x", "AWS AKID:signature"] {
        both.clear();
        both.push(("authorization".into(), authorization.into()));
        let result = server("execute-api").gets("GET", target.as_bytes(), &both, b"");
        assert_eq!(result, Err(VerifyError::BothMechanisms));
    }
    let bearer = headers(&[("Authorization", "Bearer abc")]);
    assert_eq!(server("execute-api").gets("GET", target.as_bytes(), &bearer, b""), Err(VerifyError::BothMechanisms));
    let lenient = server("execute-api").verifier(Verifier::ignore_foreign_authorization);
    assert_eq!(lenient.gets("GET", target.as_bytes(), &bearer, b""), Ok(()));
    assert_eq!(
        lenient.gets("GET", b"/a", &bearer, b""),
        Err(VerifyError::UnsupportedScheme { scheme: "Bearer".into() })
    );
    // Together with an Authorization header, a lone X-Amz-Signature is an ordinary parameter: it is signed and can't be
    // removed.
    let all = signed(&signer("execute-api"), "GET", "/a?X-Amz-Signature=00", &[], Payload::EMPTY);
    assert_eq!(server("execute-api").gets("GET", b"/a?X-Amz-Signature=00", &all, b""), Ok(()));
    assert_eq!(server("execute-api").gets("GET", b"/a", &all, b""), Err(MISMATCH));
}

#[test]
fn unsigned_x_amz_headers_are_refused() {
    let s3 = server("s3");
    let put = signed(&signer("s3"), "PUT", "/a", &[("x-amz-acl", "private")], Payload::EMPTY);
    assert_eq!(s3.gets("PUT", b"/a", &put, b""), Ok(()));
    let target = presigned("s3", &[], 60);
    for name in ["x-amz-copy-source", "X-Amz-Tagging", "X-AMZ-META-A", "x-amz-date", "x-amz-"] {
        let refused = Err(VerifyError::HeadersNotSigned { names: vec![name.to_lowercase()] });
        let mut more = put.clone();
        if !name.eq_ignore_ascii_case("x-amz-date") {
            more.push((name.into(), b"x".to_vec()));
            assert_eq!(s3.gets("PUT", b"/a", &more, b""), refused);
        }
        assert_eq!(s3.gets("GET", target.as_bytes(), &headers(&[(name, "x")]), b""), refused);
    }
    for name in ["x-amzn-trace-id", "x-amz", "user-agent", "content-type"] {
        assert_eq!(s3.gets("GET", target.as_bytes(), &headers(&[(name, "x")]), b""), Ok(()), "{name}");
    }
    let strict = server("s3").verifier(|verifier| verifier.require_signed(["X-Trusted"]));
    assert_eq!(strict.gets("GET", target.as_bytes(), &headers(&[]), b""), Ok(()));
    assert_eq!(
        strict.gets("GET", target.as_bytes(), &headers(&[("x-trusted", "1")]), b""),
        Err(VerifyError::HeadersNotSigned { names: vec!["x-trusted".into()] })
    );
}

#[test]
fn time_limits_are_exact_to_the_second() {
    for (service, skew) in [("execute-api", 300_i64), ("dynamodb", 900), ("s3", 900)] {
        let all = signed(&signer(service), "GET", "/a", &[], Payload::EMPTY);
        let allowed = Duration::from_secs(skew.unsigned_abs());
        let at = |seconds| server(service).at(after(seconds)).gets("GET", b"/a", &all, b"");
        assert_eq!((at(skew), at(-skew)), (Ok(()), Ok(())));
        assert_eq!(at(skew + 1), Err(VerifyError::Expired { signed: now(), now: after(skew + 1), allowed }));
        assert_eq!(
            at(-skew - 1),
            Err(VerifyError::NotYetCurrent {
                location: Location::Header,
                signed: now(),
                now: after(-skew - 1),
                allowed
            })
        );
    }
    let target = presigned("execute-api", &[], 86_400);
    let at = |seconds| server("execute-api").at(after(seconds)).gets("GET", target.as_bytes(), &headers(&[]), b"");
    assert_eq!((at(86_400), at(-900)), (Ok(()), Ok(())));
    let expires_in = Duration::from_secs(86_400);
    assert_eq!(at(86_401), Err(VerifyError::PresignExpired { signed: now(), now: after(86_401), expires_in }));
    assert!(matches!(at(-901), Err(VerifyError::NotYetCurrent { location: Location::Query, .. })));
}

#[test]
fn a_date_header_replaces_a_missing_x_amz_date() {
    // If the time is in `date`, the string to sign still contains it as YYYYMMDDTHHMMSSZ.
    let canonical_date = |value: &str| {
        let given = [("Date", value)];
        let signer = signer("execute-api").also_sign(["date"]);
        let mut all = signed(&signer, "GET", "/a", &given, Payload::EMPTY);
        all.retain(|(name, _)| name != "x-amz-date");
        server("execute-api").gets("GET", b"/a", &all, b"")
    };
    // Signed with x-amz-date, which is then removed: the date is parsed, and the signed header is reported as absent.
    for good in ["20150830T123600Z", "Sun, 30 Aug 2015 12:36:00 GMT"] {
        assert_eq!(canonical_date(good), Err(VerifyError::SignedHeaderAbsent { name: "x-amz-date".into() }));
    }
    for bad in ["", "yesterday", "Sun, 30 Aug 2015 12:36:00 CET", "2015-08-30T12:36:00Z"] {
        assert!(matches!(canonical_date(bad), Err(VerifyError::MalformedDate { .. })), "{bad}");
    }
    let mut none = signed(&signer("execute-api"), "GET", "/a", &[], Payload::EMPTY);
    none.retain(|(name, _)| name != "x-amz-date");
    assert_eq!(server("execute-api").gets("GET", b"/a", &none, b""), Err(VerifyError::MissingDate));
}

#[test]
fn session_tokens_must_match_the_credentials() {
    let own = Signer::new(temporary(), "us-east-1", "execute-api").unwrap();
    let good = signed(&own, "GET", "/a", &[], Payload::EMPTY);
    assert_eq!(server("execute-api").gets("GET", b"/a", &good, b""), Ok(()));
    let id = || String::from("ASIAEXAMPLE");
    let invalid = Err(VerifyError::InvalidSessionToken { access_key_id: id() });

    let without =
        Signer::new(Credentials::new("ASIAEXAMPLE", TEMPORARY_SECRET).unwrap(), "us-east-1", "execute-api").unwrap();
    let all = signed(&without, "GET", "/a", &[], Payload::EMPTY);
    assert_eq!(server("execute-api").gets("GET", b"/a", &all, b""), invalid);
    let other =
        Credentials::new("ASIAEXAMPLE", TEMPORARY_SECRET).unwrap().with_session_token("FwoGZXIvYXdztokem").unwrap();
    let all = signed(&Signer::new(other, "us-east-1", "execute-api").unwrap(), "GET", "/a", &[], Payload::EMPTY);
    assert_eq!(server("execute-api").gets("GET", b"/a", &all, b""), invalid);
    let not_needed = credentials().with_session_token("token").unwrap();
    let all = signed(&Signer::new(not_needed, "us-east-1", "execute-api").unwrap(), "GET", "/a", &[], Payload::EMPTY);
    assert_eq!(
        server("execute-api").gets("GET", b"/a", &all, b""),
        Err(VerifyError::InvalidSessionToken { access_key_id: "AKIDEXAMPLE".into() })
    );
    let mut ended = server("execute-api");
    ended.known = vec![temporary().with_expires_at(now())];
    assert_eq!(
        ended.gets("GET", b"/a", &good, b""),
        Err(VerifyError::ExpiredSessionToken { access_key_id: id(), expires_at: now() })
    );
    ended.known = vec![temporary().with_expires_at(after(1))];
    assert_eq!(ended.gets("GET", b"/a", &good, b""), Ok(()));
    // An unknown access key is reported as such.
    ended.known = vec![];
    assert_eq!(ended.gets("GET", b"/a", &good, b""), Err(VerifyError::UnknownAccessKey { access_key_id: id() }));
}

fn is_body_mismatch(error: &VerifyError) -> bool {
    matches!(error, VerifyError::BodyMismatch { .. })
}

#[test]
fn the_body_must_be_the_one_that_was_signed() {
    for service in ["execute-api", "s3"] {
        let all = signed(&signer(service), "POST", "/a", &[("content-length", "4")], Payload::Bytes(b"body"));
        assert_eq!(server(service).gets("POST", b"/a", &all, b"body"), Ok(()));
        let refused = server(service).gets("POST", b"/a", &all, b"bodx").unwrap_err();
        assert!(if service == "s3" { is_body_mismatch(&refused) } else { refused == MISMATCH }, "{refused:?}");
    }
    // Verified before the body is available: for S3, a header contains the hash; for other services, the body is
    // needed.
    let verified = |service: &str, body: &[u8]| {
        let all = signed(&signer(service), "POST", "/a", &[("content-length", "4")], Payload::Bytes(b"body"));
        with("POST", b"/a", &all, |request| {
            let verifier = verifier(service);
            let head = verify_head(&verifier, request, &credentials(), now())?;
            let mut check = head.clone().body_check()?;
            body.chunks(3).for_each(|piece| check.update(piece));
            head.check_body(body).and(check.finish()).map(|_| ())
        })
    };
    assert_eq!(verified("s3", b"body"), Ok(()));
    assert!(verified("s3", b"bodies").is_err_and(|error| is_body_mismatch(&error)));
    assert_eq!(verified("execute-api", b"body"), Err(VerifyError::BodyNeeded));
}

/// For a caller that hashed the body while receiving it: the results are the same as for the body itself.
#[test]
fn the_hash_of_a_body_is_equivalent_to_the_body() {
    let sha256 = |body: &[u8]| -> [u8; 32] { Sha256::digest(body).into() };
    for service in ["execute-api", "s3"] {
        let all = signed(&signer(service), "POST", "/a", &[], Payload::Bytes(b"body"));
        for (body, right) in [(b"body".as_slice(), true), (b"bodx", false), (b"bodyb", false), (b"", false)] {
            let (by_body, by_hash) = with("POST", b"/a", &all, |request| {
                let verifier = verifier(service);
                let parse = || verifier.parse(request, now()).unwrap();
                let verify = |unverified: UnverifiedWithBody<'_>| unverified.verify(Some(&credentials())).map(|_| ());
                (verify(parse().with_body(body)), verify(parse().with_body_sha256(sha256(body))))
            });
            let refusal = if service == "s3" {
                let [signed, computed] = [b"body", body].map(|body| hex::encode(sha256(body)));
                VerifyError::BodyMismatch { signed, computed }
            } else {
                MISMATCH
            };
            let expected = if right { Ok(()) } else { Err(refusal) };
            assert_eq!((&by_hash, &by_body), (&expected, &expected), "{service} {}", body.escape_ascii());
        }
        // The hash of the hexadecimal hash is not the hash of the body.
        with("POST", b"/a", &all, |request| {
            let of_text = sha256(hex::encode(sha256(b"body")).as_bytes());
            let verifier = verifier(service);
            let unverified = verifier.parse(request, now()).unwrap().with_body_sha256(of_text);
            assert!(unverified.verify(Some(&credentials())).is_err());
        });
    }
}

#[test]
fn payloads_that_the_rules_do_not_accept_are_refused() {
    let mut accepting = Rules::for_service("execute-api");
    accepting.unsigned_payload = UnsignedPayload::Accepted;
    let unsigned = signed(&signer("execute-api").with_rules(accepting), "POST", "/a", &[], Payload::Unsigned);
    let invalid = |got: &str| Err(VerifyError::InvalidContentSha256 { got: got.into() });
    assert_eq!(server("execute-api").gets("POST", b"/a", &unsigned, b"x"), invalid("UNSIGNED-PAYLOAD"));
    let unsigned = signed(&signer("s3"), "PUT", "/a", &[], Payload::Unsigned);
    assert_eq!(server("s3").gets("PUT", b"/a", &unsigned, b"anything"), Ok(()));
    let lattice = signed(&signer("vpc-lattice-svcs"), "PUT", "/a", &[], Payload::Bytes(b"x"));
    assert_eq!(server("vpc-lattice-svcs").gets("PUT", b"/a", &lattice, b"anything"), Ok(()));
    let hashed = signer("vpc-lattice-svcs").with_rules(Rules::GENERIC.content_sha256());
    let hashed = signed(&hashed, "PUT", "/a", &[], Payload::EMPTY);
    assert!(server("vpc-lattice-svcs").gets("PUT", b"/a", &hashed, b"").is_err());

    let streaming = Payload::Streaming(StreamingPayload::UnsignedTrailer);
    let all = signed(&signer("execute-api"), "PUT", "/a", &[], streaming);
    assert_eq!(server("execute-api").gets("PUT", b"/a", &all, b""), invalid("STREAMING-UNSIGNED-PAYLOAD-TRAILER"));
    let all = signed(&signer("s3"), "PUT", "/a", &[], streaming);
    assert_eq!(
        server("s3").gets("PUT", b"/a", &all, b""),
        Err(VerifyError::BodyIsStreamed { streaming: StreamingPayload::UnsignedTrailer })
    );
    let none = signed(&signer("execute-api"), "GET", "/a", &[], Payload::EMPTY);
    let s3_rules = server("execute-api").verifier(|verifier| verifier.with_rules(Rules::S3));
    assert_eq!(s3_rules.gets("GET", b"/a", &none, b""), Err(VerifyError::MissingContentSha256));
    for value in ["", "x", "unsigned-payload", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-FOO", "e3b0c442"] {
        let mut all = signed(&signer("s3"), "GET", "/a", &[], Payload::EMPTY);
        all.iter_mut().filter(|(name, _)| name == "x-amz-content-sha256").for_each(|(_, sent)| *sent = value.into());
        assert_eq!(server("s3").gets("GET", b"/a", &all, b""), invalid(value));
    }
}

#[test]
fn signers_refuse_unsigned_payloads_if_the_rules_do() {
    let request = Request::new("POST", "/a", &[]).with_host(HOST);
    let presign = |signer: &Signer, request| {
        let presigned = signer.presign_payload(request, Payload::Unsigned, Duration::from_secs(60), now());
        presigned.map(|presigned| presigned.target().to_owned())
    };
    for service in ["execute-api", "dynamodb", "glacier"] {
        let signer = signer(service);
        assert_eq!(signer.sign(request, Payload::Unsigned, now()).unwrap_err(), SignError::UnsignedPayload);
        assert_eq!(presign(&signer, request), Err(SignError::UnsignedPayload));
        // The same, requested by the request itself.
        let target = Request::new("POST", "/a?X-Amz-Content-Sha256=UNSIGNED-PAYLOAD", &[]).with_host(HOST);
        let pinned = signer.presign(target, Duration::from_secs(60), now());
        assert_eq!(pinned.unwrap_err(), SignError::UnsignedPayload);
        let pinned = with("POST", b"/a", &headers(&[("x-amz-content-sha256", "UNSIGNED-PAYLOAD")]), |request| {
            signer.presign(request, Duration::from_secs(60), now()).unwrap_err()
        });
        assert_eq!(pinned, SignError::UnsignedPayload);
    }
    // Presigning has a separate rule.
    let mut only_presigned = Rules::S3;
    only_presigned.unsigned_payload = UnsignedPayload::Refused;
    let signer = signer("s3").with_rules(only_presigned);
    assert_eq!(signer.sign(request, Payload::Unsigned, now()).unwrap_err(), SignError::UnsignedPayload);
    let server = server("s3").verifier(|verifier| verifier.with_rules(only_presigned));
    let presigned = presign(&signer, request).unwrap();
    assert_eq!(server.gets("POST", presigned.as_bytes(), &headers(&[]), b"any body"), Ok(()));
    assert_eq!(
        SignError::UnsignedPayload.to_string(),
        "the rules of this service do not accept an unsigned body: pass Payload::Bytes or Payload::Sha256, or set \
         Rules::unsigned_payload if the service does accept one"
    );
}

#[test]
fn a_presigned_url_can_pin_its_body() {
    let s3 = server("s3");
    let empty = headers(&[]);
    let open = presigned("s3", &[], 60);
    assert_eq!(s3.gets("GET", open.as_bytes(), &empty, b"any body"), Ok(()));
    let request = Request::new("GET", "/a", &[]).with_host(HOST);
    let pinned =
        signer("s3").presign_payload(request, Payload::Bytes(b"this"), Duration::from_secs(60), now()).unwrap();
    assert!(pinned.url().contains("&X-Amz-Content-Sha256="));
    assert_eq!(s3.gets("GET", pinned.target().as_bytes(), &empty, b"this"), Ok(()));
    assert!(s3.gets("GET", pinned.target().as_bytes(), &empty, b"that").is_err_and(|error| is_body_mismatch(&error)));
    // A header can't override the hash that the query pins.
    let looser = headers(&[("x-amz-content-sha256", "UNSIGNED-PAYLOAD")]);
    assert!(matches!(
        s3.gets("GET", pinned.target().as_bytes(), &looser, b"that"),
        Err(VerifyError::InvalidContentSha256 { .. })
    ));
    // Pinned by a signed header, which the client sends along.
    let hash = "1eb79602411ef02cf6fe117897015fff89f80face4eccd50425c45149b148408";
    let given = [("x-amz-content-sha256", hash)];
    let by_header = presigned("s3", &given, 60);
    assert_eq!(s3.gets("GET", by_header.as_bytes(), &headers(&given), b"this"), Ok(()));
    assert!(
        s3.gets("GET", by_header.as_bytes(), &headers(&given), b"that").is_err_and(|error| is_body_mismatch(&error))
    );
    assert!(s3.gets("GET", by_header.as_bytes(), &empty, b"that").is_err());
    let streamed = headers(&[("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")]);
    assert!(matches!(s3.gets("GET", open.as_bytes(), &streamed, b""), Err(VerifyError::InvalidContentSha256 { .. })));
    // Pinned by the caller's own parameter.
    let target = format!("/a?X-Amz-Content-Sha256={hash}");
    let request = Request::new("GET", &target, &[]).with_host(HOST);
    let by_query = signer("s3").presign(request, Duration::from_secs(60), now()).unwrap();
    assert!(by_query.canonical_request().to_string().ends_with(hash));
    assert_eq!(s3.gets("GET", by_query.target().as_bytes(), &empty, b"this"), Ok(()));
    assert!(s3.gets("GET", by_query.target().as_bytes(), &empty, b"that").is_err_and(|error| is_body_mismatch(&error)));
    // For other services, the payload hash is signed, and the URL does not contain it.
    let request = Request::new("POST", "/a", &[]).with_host(HOST);
    let signer = signer("execute-api");
    let posted = signer.presign_payload(request, Payload::Bytes(b"this"), Duration::from_secs(60), now()).unwrap();
    assert!(!posted.url().contains("Content-Sha256"));
    assert_eq!(server("execute-api").gets("POST", posted.target().as_bytes(), &empty, b"this"), Ok(()));
    assert!(server("execute-api").gets("POST", posted.target().as_bytes(), &empty, b"that").is_err());
}

#[test]
fn external_hosts_replace_the_host_header() {
    let all = signed(&signer("s3"), "GET", "/a", &[], Payload::EMPTY);
    let mut rewritten = all.clone();
    rewritten.extend(headers(&[("host", "10.0.0.7:8080")]));
    assert_eq!(server("s3").gets("GET", b"/a", &rewritten, b""), Err(MISMATCH));
    let proxied =
        |hosts: &'static [&'static str]| server("s3").verifier(|verifier| verifier.with_external_hosts(hosts.to_vec()));
    assert_eq!(proxied(&["other.example", HOST]).gets("GET", b"/a", &rewritten, b""), Ok(()));
    assert_eq!(proxied(&["other.example"]).gets("GET", b"/a", &all, b""), Err(MISMATCH));
}

#[test]
fn signing_is_idempotent() {
    for service in ["execute-api", "s3", "s3express"] {
        let signer = Signer::new(temporary(), "us-east-1", service).unwrap();
        let given = [("content-type", "text/plain"), ("x-amz-meta-a", "1")];
        let once = signed(&signer, "PUT", "/a?b=c", &given, Payload::Bytes(b"x"));
        let given: Vec<(&str, &str)> =
            once.iter().map(|(name, value)| (name.as_str(), std::str::from_utf8(value).unwrap())).collect();
        assert_eq!(signed(&signer, "PUT", "/a?b=c", &given, Payload::Bytes(b"x")), once);

        let request = Request::new("GET", "/a?b=c", &[]).with_host(HOST);
        let once = signer.presign(request, Duration::from_secs(60), now()).unwrap();
        let request = Request::new("GET", once.target(), &[]).with_host(HOST);
        let twice = signer.presign(request, Duration::from_secs(60), now()).unwrap();
        assert_eq!(once.url(), twice.url());
    }
}

#[test]
fn signing_an_http_request_replaces_headers_or_changes_nothing() {
    let signer = Signer::new(temporary(), "us-east-1", "s3").unwrap();
    let mut request = http::Request::put("https://bucket.s3.amazonaws.com:443/a%20b?x").body("x").unwrap();
    signer.sign_http(&mut request, now()).unwrap();
    assert_eq!(request.headers().len(), 4);
    assert!(
        request.headers()["authorization"].is_sensitive() && request.headers()["x-amz-security-token"].is_sensitive()
    );
    let once = request.headers().clone();
    signer.sign_http(&mut request, now()).unwrap();
    assert_eq!(request.headers(), &once);
    signer.sign_http_with_payload(&mut request, Payload::Unsigned, after(1)).unwrap();
    assert_eq!(request.headers().len(), 4);
    assert_eq!(request.headers()["x-amz-content-sha256"], "UNSIGNED-PAYLOAD");
    let (mut parts, _) = request.into_parts();
    signer.sign(&parts, Payload::Bytes(b"x"), now()).unwrap().apply_to(&mut parts.headers).unwrap();
    assert_eq!(parts.headers, once);

    let mut bearer = http::Request::get("https://h/").header("authorization", "Bearer x").body("").unwrap();
    assert!(signer.sign_http(&mut bearer, now()).is_err());
    assert_eq!((bearer.headers().len(), &bearer.headers()["authorization"]), (1, &"Bearer x".parse().unwrap()));
}

#[test]
fn headers_that_hops_change_are_not_signed() {
    let given = [
        ("accept", "*/*"),
        ("User-Agent", "x"),
        ("x-forwarded-for", "x"),
        ("Proxy-Foo", "x"),
        ("range", "x"),
        ("traceparent", "x"),
        ("via", "x"),
        ("x-amzn-trace-id", "x"),
        ("content-length", "0"),
        ("TE", "x"),
    ];
    let names = |signer: Signer| {
        let all = signed(&signer, "GET", "/", &given, Payload::EMPTY);
        let authorization = all.iter().find(|(name, _)| name == "authorization").unwrap().1.clone();
        let authorization = String::from_utf8(authorization).unwrap();
        authorization.split("SignedHeaders=").nth(1).unwrap().split(',').next().unwrap().to_owned()
    };
    let signer = || signer("execute-api");
    assert_eq!(names(signer()), "host;x-amz-date");
    assert_eq!(names(signer().also_sign(["Range", "not-there"])), "host;range;x-amz-date");
    let all = || signer().with_signed_headers(SignedHeaders::All);
    assert_eq!(names(all()), "accept;host;range;x-amz-date");
    assert_eq!(names(all().also_sign(["user-agent"])), "accept;host;range;user-agent;x-amz-date");
}

#[test]
fn one_signer_serves_many_threads_across_midnight() {
    let signer = signer("execute-api");
    let times: Vec<Timestamp> = (-4..4)
        .map(|n| {
            Timestamp::from_unix_seconds("20150831T000000Z".parse::<Timestamp>().unwrap().unix_seconds() + n).unwrap()
        })
        .collect();
    let sign = |signer: &Signer, time| {
        signer.sign(Request::new("GET", "/", &[]).with_host(HOST), Payload::EMPTY, time).unwrap().signature().to_hex()
    };
    let expected: Vec<String> = times.iter().map(|time| sign(&Signer::clone(&signer), *time)).collect();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (signer, times, expected) = (&signer, &times, &expected);
            scope.spawn(move || {
                for round in 0..200 {
                    let index = (thread + round) % times.len();
                    assert_eq!(sign(signer, times[index]), expected[index]);
                }
            });
        }
    });
}
