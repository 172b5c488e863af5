//! Every vector, changed between signer and verifier in each of the ways below: our verifier refuses it in the words of
//! API Gateway and of S3, and the explanation names the change.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use countersign::explain::{Explanation, Sent};
use countersign::{Credentials, Dialect, Payload, Timestamp, Verifier};

use crate::cases::Case;
use crate::cases::plain::{Location, Plain};
use crate::cases::wire::Wire;

/// What arrives, and where.
struct Arrival {
    wire: Wire,
    known: Vec<Credentials>,
    now: Timestamp,
    region: String,
    service: String,
    sent: Sent,
}

/// A change, the cause that has to be found first, and how it is made; `None` where it can't be.
type Mutation = (&'static str, &'static str, fn(&mut Arrival) -> Option<()>);

const MUTATIONS: &[Mutation] = &[
    ("another secret", "WrongSecret", |a| {
        let known = a.known.first()?;
        let other = Credentials::new(known.access_key_id(), "anotherSecret").ok()?;
        a.known = vec![match known.session_token() {
            Some(token) => other.with_session_token(token).ok()?,
            None => other,
        }];
        Some(())
    }),
    ("the method", "MethodChanged", |a| {
        a.wire.method = if a.wire.method == "GET" { "POST".into() } else { "GET".into() };
        Some(())
    }),
    ("the path encoded once more", "PathEncodedTooRarely", |a| {
        path(a, |path| path.contains('%').then(|| path.replace('%', "%25")))
    }),
    ("the path decoded once", "PathEncodedTooOften", |a| {
        path(a, |path| {
            let decoded = percent_encoding::percent_decode_str(path).decode_utf8().ok()?.into_owned();
            let usable =
                !decoded.contains(['?', '#', '%', '/']) || decoded.matches('/').count() == path.matches('/').count();
            (usable && !decoded.contains(['?', '#', '%']) && decoded.bytes().all(|byte| byte >= b' '))
                .then_some(decoded)
        })
    }),
    ("double slashes removed", "PathNormalization", |a| {
        path(a, |path| path.contains("//").then(|| path.replace("//", "/")))
    }),
    ("a slash added at the end", "TrailingSlash", |a| {
        path(a, |path| (path.len() > 1 && !path.ends_with(['/', '.'])).then(|| format!("{path}/")))
    }),
    ("the slash at the end removed", "TrailingSlash", |a| {
        path(a, |path| {
            path.strip_suffix('/').filter(|path| path.len() > 1 && !path.ends_with(['/', '.'])).map(String::from)
        })
    }),
    ("the stage removed", "PathPrefix", |a| {
        path(a, |path| {
            let (stage, rest) = path.strip_prefix('/')?.split_once('/')?;
            let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'/');
            (plain(stage) && plain(rest) && !rest.is_empty() && !rest.contains("//")).then(|| format!("/{rest}"))
        })
    }),
    ("a stage added", "PathPrefix", |a| {
        path(a, |path| (path.starts_with('/') && !path.contains('.')).then(|| format!("/stage{path}")))
    }),
    ("another path", "PathChanged", |a| path(a, |_| Some("/another/path".into()))),
    ("a parameter added", "ParameterAdded { name: \"added\" }", |a| {
        query(a, |query| Some(if query.is_empty() { "added=1".into() } else { format!("{query}&added=1") }))
    }),
    ("a parameter removed", "ParameterRemoved", |a| {
        query(a, |query| {
            let (first, rest) = query.split_once('&').unwrap_or((query, ""));
            (!query.is_empty() && !first.starts_with("X-Amz-") && !rest.contains(first.split('=').next()?))
                .then(|| rest.into())
        })
    }),
    ("a parameter's value", "ParameterChanged", |a| {
        query(a, |query| {
            let (first, rest) = query.split_once('&').unwrap_or((query, ""));
            let name = first.split_once('=')?.0;
            (!first.starts_with("X-Amz-")).then(|| format!("{name}=another0&{rest}"))
        })
    }),
    ("a space as a plus", "PlusForSpace", |a| {
        query(a, |query| query.contains("%20").then(|| query.replace("%20", "+")))
    }),
    ("a parameter encoded once more", "QueryEncoding", |a| {
        query(a, |query| {
            let first = query.split('&').find(|pair| pair.contains('%') && !pair.starts_with("X-Amz-"))?;
            Some(query.replace(first, &first.replace('%', "%25")))
        })
    }),
    ("escapes in lower case", "EscapeCase", |a| {
        path(a, |path| {
            let mut out = String::new();
            let mut rest = path;
            while let Some((before, escape)) = rest.split_once('%') {
                out += before;
                out += "%";
                let (digits, after) = escape.split_at_checked(2)?;
                out += &digits.to_ascii_lowercase();
                rest = after;
            }
            Some(out + rest)
        })
    }),
    ("another host", "HostChanged", |a| {
        a.wire.set_header("host", b"another.example.com");
        Some(())
    }),
    ("a port added", "PortChanged", |a| {
        let host = host(a);
        (!host.contains(':')).then(|| a.wire.set_header("host", format!("{host}:8443").as_bytes()))
    }),
    ("a header re-spaced", "HeaderRespaced", |a| {
        signed_header(a, |name, value| (name != "host" && value.contains(' ')).then(|| value.replace(' ', "")))
    }),
    ("a header's value", "HeaderChanged", |a| {
        signed_header(a, |name, value| {
            let own = name.starts_with("x-amz-") || ["host", "content-type", "authorization"].contains(&name);
            (!own).then(|| format!("{value}changed"))
        })
    }),
    ("a header repeated", "HeaderChanged", |a| {
        let own = |name: &str| {
            name.to_ascii_lowercase().starts_with("x-amz-")
                || ["host", "authorization", "content-type", "date"].contains(&name.to_ascii_lowercase().as_str())
        };
        let header = a.wire.headers.iter().find(|(name, _)| !own(name)).cloned()?;
        a.wire.headers.push(header);
        Some(())
    }),
    ("a header removed", "HeaderRemoved", |a| {
        let own = |name: &str| {
            name.to_ascii_lowercase().starts_with("x-amz-")
                || ["host", "authorization"].contains(&name.to_ascii_lowercase().as_str())
        };
        let name = a.wire.headers.iter().map(|(name, _)| name.clone()).find(|name| !own(name))?;
        a.wire.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(&name));
        Some(())
    }),
    ("an x-amz header added", "UnsignedHeaders { names: [\"x-amz-meta-hop\"] }", |a| {
        a.wire.set_header("x-amz-meta-hop", b"1");
        Some(())
    }),
    ("a charset added", "ContentTypeCharset", |a| {
        signed_header(a, |name, value| {
            (name == "content-type" && !value.contains("charset")).then(|| format!("{value}; charset=utf-8"))
        })
    }),
    ("the body", "BodyChanged", |a| (!a.wire.body.is_empty()).then(|| a.wire.body.push(b'!'))),
    ("the body dropped", "BodyDropped", |a| (!a.wire.body.is_empty()).then(|| a.wire.body.clear())),
    ("a body added", "BodyNotHashed", |a| a.wire.body.is_empty().then(|| a.wire.body.extend(b"added"))),
    ("the hash mode", "PayloadMode", |a| {
        let is_hash = |value: &[u8]| value.len() == 64;
        let header =
            a.wire.headers.iter_mut().find(|(name, value)| name == "x-amz-content-sha256" && is_hash(value))?;
        header.1 = b"UNSIGNED-PAYLOAD".to_vec();
        Some(())
    }),
    ("the clock slow", "ClockSkew { offset: Some(1234) }", |a| {
        in_header(a).then(|| a.now = a.now.saturating_add(1234))
    }),
    ("the clock fast", "ClockSkew { offset: Some(-1000) }", |a| {
        in_header(a).then(|| a.now = a.now.saturating_add(-1000))
    }),
    ("local time", "TimeZone { offset: 7203 }", |a| in_header(a).then(|| a.now = a.now.saturating_add(7203))),
    ("a presigned URL that ended", "PresignExpired", |a| {
        (!in_header(a)).then(|| a.now = a.now.saturating_add(8 * 86_400))
    }),
    ("another region", "WrongRegion", |a| {
        a.region = "another-region-1".into();
        Some(())
    }),
    ("another service", "WrongService { expected: Some(\"another\") }", |a| {
        a.service = "another".into();
        Some(())
    }),
    ("the signature dropped", "", |a| {
        let before = a.wire.headers.len();
        a.wire.headers.retain(|(name, _)| name != "authorization");
        (a.wire.headers.len() < before).then_some(())
    }),
    ("a bearer token instead", "OtherAuthorization", |a| {
        in_header(a).then(|| a.wire.set_header("authorization", b"Bearer eyJhbGciOiJIUzI1NiJ9"))
    }),
    ("both credentials", "TwoCredentials", |a| {
        if in_header(a) {
            query(a, |query| Some(format!("{query}&X-Amz-Algorithm=AWS4-HMAC-SHA256")))
        } else {
            a.wire.set_header(
                "authorization",
                b"AWS4-HMAC-SHA256 Credential=x/20150830/a/b/aws4_request, SignedHeaders=host, Signature=00",
            );
            Some(())
        }
    }),
    ("the token dropped", "TokenMissing", |a| {
        let signed = |value: &[u8]| String::from_utf8_lossy(value).contains("x-amz-security-token");
        let is_signed = a.wire.headers.iter().any(|(name, value)| name == "authorization" && signed(value));
        is_signed.then(|| a.wire.headers.retain(|(name, _)| name != "x-amz-security-token"))
    }),
    ("another token", "TokenInvalid", |a| {
        let known = a.known.first()?;
        known.session_token()?;
        let secret = a.known.first()?.clone();
        a.known = vec![secret.with_session_token("another/token").ok()?];
        Some(())
    }),
    ("an unknown key", "UnknownAccessKey", |a| {
        a.known.clear();
        Some(())
    }),
];

fn in_header(a: &Arrival) -> bool {
    a.wire.headers.iter().any(|(name, _)| name == "authorization")
}

fn host(a: &Arrival) -> String {
    let given = a.wire.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("host"));
    given.map_or_else(|| a.wire.authority.clone(), |(_, value)| String::from_utf8_lossy(value).into_owned())
}

fn split(a: &Arrival) -> Option<(String, String)> {
    let target = String::from_utf8(a.wire.target.clone()).ok()?;
    Some(target.split_once('?').map_or((target.clone(), String::new()), |(path, query)| (path.into(), query.into())))
}

fn join(a: &mut Arrival, path: &str, query: &str) {
    let separator = if query.is_empty() { "" } else { "?" };
    a.wire.target = format!("{path}{separator}{query}").into_bytes();
}

fn path(a: &mut Arrival, change: impl FnOnce(&str) -> Option<String>) -> Option<()> {
    let (path, query) = split(a)?;
    let changed = change(&path)?;
    join(a, &changed, &query);
    Some(())
}

fn query(a: &mut Arrival, change: impl FnOnce(&str) -> Option<String>) -> Option<()> {
    let (path, query) = split(a)?;
    let changed = change(&query)?;
    join(a, &path, &changed);
    Some(())
}

fn signed_header(a: &mut Arrival, change: impl Fn(&str, &str) -> Option<String>) -> Option<()> {
    let authorization = a.wire.headers.iter().find(|(name, _)| name == "authorization");
    let signed = authorization
        .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
        .unwrap_or_else(|| split(a).unwrap_or_default().1);
    for (name, value) in &mut a.wire.headers {
        let lower = name.to_ascii_lowercase();
        let text = String::from_utf8_lossy(value).into_owned();
        if !["authorization", "cookie", "x-api-key"].contains(&lower.as_str())
            && signed.contains(&lower)
            && let Some(changed) = change(&lower, text.trim())
        {
            *value = changed.into_bytes();
            return Some(());
        }
    }
    None
}

/// The request as it is signed, and what signing returned.
fn arrival(case: &Plain) -> Arrival {
    let mut wire = Wire::of(&case.request);
    let (signer, payload, now) = (case.signer().unwrap(), case.payload().unwrap(), case.now().unwrap());
    let sent = match case.context.location {
        Location::Header => {
            let signed = wire.with_view(|request| signer.sign(&request, payload, now)).unwrap();
            for (name, value) in signed.headers() {
                wire.set_header(name, value.as_bytes());
            }
            Sent::from(&signed)
        }
        Location::Query => {
            let expires = Duration::from_secs(case.context.expires.unwrap_or(900));
            let presigned = wire.with_view(|request| match payload {
                Payload::Unsigned | Payload::EMPTY => signer.presign(&request, expires, now),
                payload => signer.presign_payload(&request, payload, expires, now),
            });
            let presigned = presigned.unwrap();
            wire = wire.with_url(presigned.url());
            Sent::from(&presigned)
        }
    };
    let (_, _, region, service) = case.signed_by();
    let (region, service) = (region.into(), service.into());
    Arrival { wire, known: vec![case.credentials().unwrap()], now, region, service, sent }
}

/// The explanation of the refusal, or `None` where nothing was refused.
fn explained(case: &Plain, arrival: &Arrival, dialect: Dialect) -> Option<Explanation> {
    let verifier = Verifier::new(&arrival.region, &arrival.service).with_rules(case.rules().unwrap()).echo_computed();
    let result = match case.payload().unwrap() {
        Payload::Streaming(_) => arrival.wire.verify_seed(&verifier, &arrival.known, arrival.now),
        _ => arrival.wire.verify(&verifier, &arrival.known, arrival.now),
    };
    let error = result.err()?;
    let headers = [("x-amzn-ErrorType", error.code(dialect).as_bytes())];
    let headers = if dialect == Dialect::RestJson { &headers[..] } else { &[] };
    let body = error.body(dialect, "1");
    Some(Explanation::from_response(error.status(dialect), headers, body.as_bytes(), arrival.sent.clone()))
}

fn cases() -> Vec<Plain> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("test-vectors");
    let mut cases = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "jsonl") {
            for line in std::fs::read_to_string(&path).unwrap().lines() {
                if let Case::Plain(case) = Case::read(line).unwrap_or_else(|error| panic!("{error}")) {
                    cases.push(*case);
                }
            }
        }
    }
    cases
}

#[test]
fn each_change_is_named() {
    assert!(MUTATIONS.len() >= 25);
    let mut made = BTreeMap::<_, (u32, u32)>::new();
    let mut failures = Vec::new();
    let mut vectors = 0;
    for case in cases() {
        if case.context.location == Location::Query && case.context.expires.is_none() {
            continue;
        }
        vectors += 1;
        assert!(explained(&case, &arrival(&case), Dialect::RestJson).is_none(), "{} is refused unchanged", case.id);
        for dialect in [Dialect::RestJson, Dialect::S3Xml] {
            let (mut applied, mut wrong) = (0, Vec::new());
            for (name, expected, mutate) in MUTATIONS {
                let mut arrival = arrival(&case);
                if mutate(&mut arrival).is_none() {
                    continue;
                }
                let Some(explanation) = explained(&case, &arrival, dialect) else { continue };
                // Nobody can tell from here whether the route is missing, or the signature was lost.
                let expected = match (*expected, dialect) {
                    ("", Dialect::S3Xml) => "PolicyDenies",
                    ("", _) => "NoSuchRoute",
                    (expected, _) => expected,
                };
                applied += 1;
                let shown = format!("{explanation}{explanation:?}{:?}", explanation.diff().map(ToString::to_string));
                let (secret, ..) = case.signed_by();
                let token = arrival.known.first().and_then(Credentials::session_token);
                // One of the vectors' tokens is a single letter.
                let token = token.filter(|token| token.len() > 8).unwrap_or(secret);
                assert!(!shown.contains(secret) && !shown.contains(token), "{name} {token}: {shown}");
                let entry = made.entry(*name).or_default();
                entry.0 += 1;
                let first = explanation.findings().next().map(|finding| format!("{:?}", finding.cause()));
                if !first.as_deref().is_some_and(|first| first.starts_with(expected)) {
                    entry.1 += 1;
                    wrong.push(format!("  {name}: {first:?}, not {expected}"));
                }
            }
            if wrong.len() * 25 > applied {
                failures.push(format!("{} {dialect:?}: {} of {applied}\n{}", case.id, wrong.len(), wrong.join("\n")));
            }
        }
    }
    for (name, expected, _) in MUTATIONS {
        assert!(made.contains_key(name), "{name} ({expected}) was never made");
    }
    assert!(vectors > 200, "{vectors}");
    println!("{made:#?}");
    assert!(failures.is_empty(), "{} of {}\n{}", failures.len(), 2 * vectors, failures.join("\n"));
}
