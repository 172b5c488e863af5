//! Every vector is changed between signer and verifier in each of the ways below. Our verifier refuses it in the
//! wording of API Gateway and of S3, and the explanation must name the change.

use std::collections::BTreeMap;
use std::time::Duration;

use countersign::explain::{Explanation, Sent};
use countersign::{Credentials, ErrorFormat, Payload, Timestamp, Verifier};
use countersign_conformance::cases::Case;
use countersign_conformance::cases::plain::{Location, Plain, as_lenient_as_aws};
use countersign_conformance::cases::wire::Wire;

use super::catalogue::certainty;
use crate::support::fixtures::FORMATS;
use crate::support::vector_files::{files, signed_requests};

/// The request as it arrives, and the state of the server.
#[derive(Clone)]
pub struct Arrival {
    pub wire: Wire,
    pub known: Vec<Credentials>,
    pub now: Timestamp,
    pub region: String,
    pub service: String,
    /// When the presigned URL expires, if it is one.
    pub expires_at: Option<Timestamp>,
    pub sent: Sent,
}

/// A change: its name, and a function that makes it and returns the `Debug` text of the cause that must be found first,
/// with `*` for any text, or `None` if the change is impossible.
type Mutation = (&'static str, fn(&mut Arrival) -> Option<String>);

const MUTATIONS: &[Mutation] = &[
    ("another secret", |a| {
        a.known = vec![with_another_secret(a.known.first()?)];
        named("WrongSecret")
    }),
    ("the method", |a| {
        let signed = std::mem::replace(&mut a.wire.method, "PATCH".into());
        named(format!("MethodChanged {{ signed: {signed:?}, verified: \"PATCH\" }}"))
    }),
    ("the path encoded once more", |a| {
        path(a, |path| path.contains('%').then(|| path.replace('%', "%25")))?;
        named("PathUnderEncoded")
    }),
    ("the path decoded once", |a| {
        path(a, |path| {
            let decoded = percent_encoding::percent_decode_str(path).decode_utf8().ok()?.into_owned();
            let same_segments = decoded.matches('/').count() == path.matches('/').count();
            let usable =
                same_segments && !decoded.contains(['?', '#', '%']) && decoded.bytes().all(|byte| byte >= b' ');
            usable.then_some(decoded)
        })?;
        named("PathOverEncoded")
    }),
    ("double slashes removed", |a| {
        path(a, |path| path.contains("//").then(|| path.replace("//", "/")))?;
        named("PathNormalization")
    }),
    ("a slash added at the end", |a| {
        path(a, |path| (path.len() > 1 && !path.ends_with(['/', '.'])).then(|| format!("{path}/")))?;
        named("TrailingSlash { signed: false }")
    }),
    ("the slash at the end removed", |a| {
        let usable = |path: &&str| path.len() > 1 && !path.ends_with(['/', '.']);
        path(a, |path| path.strip_suffix('/').filter(usable).map(String::from))?;
        named("TrailingSlash { signed: true }")
    }),
    ("the stage removed", |a| {
        let (whole, _) = split(a)?;
        let (stage, rest) = whole.strip_prefix('/')?.split_once('/')?;
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'/');
        let usable = plain(stage) && !stage.is_empty() && plain(rest) && !rest.trim_matches('/').is_empty();
        path(a, |_| (usable && !rest.contains("//")).then(|| format!("/{rest}")))?;
        named(format!("PathPrefix {{ prefix: \"/{stage}\", signed: true }}"))
    }),
    ("a stage added", |a| {
        path(a, |path| (path.starts_with('/') && !path.contains('.')).then(|| format!("/stage{path}")))?;
        named("PathPrefix { prefix: \"/stage\", signed: false }")
    }),
    ("another path", |a| {
        path(a, |_| Some("/another/path".into()))?;
        named("PathChanged { signed: *, verified: \"/another/path\" }")
    }),
    ("a parameter added", |a| {
        query(a, |query| Some(if query.is_empty() { "added=1".into() } else { format!("{query}&added=1") }))?;
        named("ParameterAdded { name: \"added\" }")
    }),
    ("a parameter removed", |a| {
        let (_, whole) = split(a)?;
        let (first, rest) = whole.split_once('&').unwrap_or((&whole, ""));
        let name = parameter(first)?;
        query(a, |_| (!rest.contains(first.split('=').next()?)).then(|| rest.into()))?;
        named(format!("ParameterRemoved {{ name: {name:?} }}"))
    }),
    ("a parameter's value", |a| {
        let (_, whole) = split(a)?;
        let (first, rest) = whole.split_once('&').unwrap_or((&whole, ""));
        let (encoded, _) = first.split_once('=')?;
        let name = parameter(first)?;
        query(a, |_| Some(format!("{encoded}=another0&{rest}")))?;
        named(format!("ParameterChanged {{ name: {name:?}, signed: *, verified: \"another0\" }}"))
    }),
    ("a plus that is not encoded", |a| {
        // A plus sign that was decoded in transit is read as a space.
        query(a, |query| {
            let of_signature = |pair: &str| pair.starts_with("X-Amz-");
            let bare = |pair: &str| if of_signature(pair) { pair.into() } else { pair.replace("%2B", "+") };
            let changed = query.split('&').map(bare).collect::<Vec<_>>().join("&");
            (changed != query).then_some(changed)
        })?;
        named("PlusForSpace")
    }),
    ("a parameter encoded once more", |a| {
        let (_, whole) = split(a)?;
        let first = whole.split('&').find(|pair| pair.contains('%') && !pair.starts_with("X-Amz-"))?;
        query(a, |query| Some(query.replace(first, &first.replace('%', "%25"))))?;
        named(format!("QueryEncoding {{ name: {:?} }}", parameter(first)?))
    }),
    ("escapes in lower case", |a| {
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
        })?;
        named("EscapeCase")
    }),
    ("another host", |a| {
        let signed = host(a);
        let name = signed.rsplit_once(':').map_or(signed.as_str(), |(name, _)| name);
        a.wire.set_header("host", b"another.example.com");
        // A default port is not signed.
        named(format!("HostChanged {{ signed: \"{name}*\", verified: \"another.example.com\" }}"))
    }),
    ("a port added", |a| {
        let host = host(a);
        (!host.contains(':')).then(|| a.wire.set_header("host", format!("{host}:8443").as_bytes()))?;
        named(format!("PortChanged {{ signed: {host:?}, verified: \"{host}:8443\" }}"))
    }),
    ("a header re-spaced", |a| {
        let respaced =
            |name: &str, value: &str| (name != "host" && value.contains(' ')).then(|| value.replace(' ', ""));
        let name = signed_header(a, respaced)?;
        named(format!("HeaderRespaced {{ name: {name:?} }}"))
    }),
    ("a header's value", |a| {
        let name = signed_header(a, |name, value| {
            let own = name.starts_with("x-amz-") || ["host", "content-type", "authorization"].contains(&name);
            (!own).then(|| format!("{value}changed"))
        })?;
        named(format!("HeaderChanged {{ name: {name:?}, signed: *, verified: *changed*\" }}"))
    }),
    ("a header repeated", |a| {
        let (name, value) = a
            .wire
            .headers
            .iter()
            .find(|(name, _)| !own(name, &["content-type", "date", "cookie", "x-api-key"]))
            .cloned()?;
        a.wire.headers.push((name.clone(), value));
        named(format!("HeaderChanged {{ name: {:?}, signed: *, verified: *,*\" }}", name.to_ascii_lowercase()))
    }),
    ("a header removed", |a| {
        let name = a.wire.headers.iter().map(|(name, _)| name.clone()).find(|name| !own(name, &[]))?;
        a.wire.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(&name));
        named(format!("HeaderRemoved {{ name: {:?} }}", name.to_ascii_lowercase()))
    }),
    ("an x-amz header added", |a| {
        a.wire.set_header("x-amz-meta-hop", b"1");
        named("UnsignedHeaders { names: [\"x-amz-meta-hop\"] }")
    }),
    ("a charset added", |a| {
        signed_header(a, |name, value| {
            (name == "content-type" && !value.contains("charset")).then(|| format!("{value}; charset=utf-8"))
        })?;
        named("ContentTypeCharset { signed: *, verified: *; charset=utf-8\" }")
    }),
    ("the body", |a| {
        (!a.wire.body.is_empty()).then(|| a.wire.body.push(b'!'))?;
        named("BodyChanged")
    }),
    ("the body dropped", |a| {
        (!a.wire.body.is_empty()).then(|| a.wire.body.clear())?;
        named("BodyDropped")
    }),
    ("a body added", |a| {
        a.wire.body.is_empty().then(|| a.wire.body.extend(b"added"))?;
        named("BodyNotHashed")
    }),
    ("the hash mode", |a| {
        let is_hash = |value: &[u8]| value.len() == 64;
        let mut headers = a.wire.headers.iter_mut();
        let (_, value) = headers.find(|(name, value)| name == "x-amz-content-sha256" && is_hash(value))?;
        let signed = std::mem::replace(value, b"UNSIGNED-PAYLOAD".to_vec());
        let signed = String::from_utf8(signed).ok()?;
        named(format!("PayloadMode {{ signed: {signed:?}, verified: \"UNSIGNED-PAYLOAD\" }}"))
    }),
    ("the time", |a| {
        let later = a.now.saturating_add(1).to_string();
        (later.ends_with("01Z")).then_some(())?;
        if in_header(a) {
            let is_signed = a.wire.headers.iter().any(|(name, _)| name == "x-amz-date");
            is_signed.then(|| a.wire.set_header("x-amz-date", later.as_bytes()))?;
            named(format!("HeaderChanged {{ name: \"x-amz-date\", signed: *, verified: {later:?} }}"))
        } else {
            query(a, |query| Some(query.replacen("00Z&", "01Z&", 1)))?;
            named(format!("ParameterChanged {{ name: \"X-Amz-Date\", signed: *, verified: {later:?} }}"))
        }
    }),
    ("the clock slow", |a| {
        in_header(a).then(|| a.now = a.now.saturating_add(1234))?;
        named("ClockSkew { offset: Some(1234) }")
    }),
    ("the clock fast", |a| {
        in_header(a).then(|| a.now = a.now.saturating_add(-1000))?;
        named("ClockSkew { offset: Some(-1000) }")
    }),
    ("local time", |a| {
        in_header(a).then(|| a.now = a.now.saturating_add(7203))?;
        named("ClockSkew { offset: Some(7203) }")
    }),
    ("a presigned URL that ended", |a| {
        (!in_header(a)).then(|| a.now = a.now.saturating_add(8 * 86_400))?;
        named(format!("PresignExpired {{ at: Some({}) }}", a.expires_at?))
    }),
    ("another region", |a| {
        a.region = "another-region-1".into();
        named(REGION)
    }),
    ("another service", |a| {
        a.service = "another".into();
        named("WrongService { expected: Some(\"another\") }")
    }),
    ("the signature dropped", |a| {
        let before = a.wire.headers.len();
        a.wire.headers.retain(|(name, _)| name != "authorization");
        (a.wire.headers.len() < before).then_some(())?;
        named(LOST)
    }),
    ("a bearer token instead", |a| {
        in_header(a).then(|| a.wire.set_header("authorization", b"Bearer eyJhbGciOiJIUzI1NiJ9"))?;
        named(REPLACED)
    }),
    ("both credentials", |a| {
        if in_header(a) {
            query(a, |query| Some(format!("{query}&X-Amz-Algorithm=AWS4-HMAC-SHA256")))?;
        } else {
            a.wire.set_header(
                "authorization",
                b"AWS4-HMAC-SHA256 Credential=x/20150830/a/b/aws4_request, SignedHeaders=host, Signature=00",
            );
        }
        named("TwoCredentials")
    }),
    ("the token dropped", |a| {
        let signed = |value: &[u8]| String::from_utf8_lossy(value).contains("x-amz-security-token");
        let is_signed = a.wire.headers.iter().any(|(name, value)| name == "authorization" && signed(value));
        is_signed.then(|| a.wire.headers.retain(|(name, _)| name != "x-amz-security-token"))?;
        named("TokenMissing")
    }),
    ("another token", |a| {
        let known = a.known.first()?;
        known.session_token()?;
        let secret = a.known.first()?.clone();
        a.known = vec![secret.with_session_token("another/token").ok()?];
        named("TokenInvalid")
    }),
    ("an unknown key", |a| {
        a.known.clear();
        named("UnknownAccessKey")
    }),
];

/// The response does not show whether the route is missing or the signature was lost: API Gateway gives the same
/// response for both, as does S3 for a policy.
const LOST: &str = "the signature was lost";
/// S3 returns the right region; the others return the wrong one.
const REGION: &str = "another region";
/// The query services and DynamoDB report another scheme as a missing signature.
const REPLACED: &str = "the signature was replaced";

fn named(cause: impl Into<String>) -> Option<String> {
    Some(cause.into())
}

/// Headers that have their own mutation.
fn own(name: &str, further: &[&str]) -> bool {
    let name = name.to_ascii_lowercase();
    name.starts_with("x-amz-") || ["host", "authorization"].contains(&name.as_str()) || further.contains(&name.as_str())
}

/// Returns the decoded name of a parameter, or `None` for those that signing adds.
fn parameter(pair: &str) -> Option<String> {
    let name = pair.split('=').next()?;
    let usable = !pair.is_empty() && !name.starts_with("X-Amz-");
    let spaced = name.replace('+', " ");
    usable.then(|| percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy().into_owned())
}

/// Returns `true` if a text matches a pattern with `*`.
fn matches(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(pieces.next().unwrap_or_default()) else { return false };
    let Some(end) = pieces.next_back() else { return rest.is_empty() };
    for piece in pieces {
        let Some((_, after)) = rest.split_once(piece) else { return false };
        rest = after;
    }
    rest.ends_with(end)
}

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

fn signed_header(a: &mut Arrival, change: impl Fn(&str, &str) -> Option<String>) -> Option<String> {
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
            return Some(lower);
        }
    }
    None
}

/// Returns the request as signed, and the result of signing.
pub fn arrival(case: &Plain) -> Arrival {
    let mut wire = Wire::of(&case.request);
    let (signer, payload, now) = (case.signer().unwrap(), case.payload().unwrap(), case.now().unwrap());
    let (sent, expires_at) = match case.context.location {
        Location::Header => {
            let signed = wire.with_view(|request| signer.sign(request, payload, now)).unwrap();
            for (name, value) in signed.headers() {
                wire.set_header(name, value.as_bytes());
            }
            (Sent::from(&signed), None)
        }
        Location::Query => {
            let expires = Duration::from_secs(case.context.expires.unwrap_or(900));
            let presigned = wire.with_view(|request| match payload {
                Payload::Unsigned | Payload::EMPTY => signer.presign(request, expires, now),
                payload => signer.presign_payload(request, payload, expires, now),
            });
            let presigned = presigned.unwrap();
            wire = wire.with_url(presigned.url());
            (Sent::from(&presigned), Some(presigned.expires_at()))
        }
    };
    let (_, _, region, service) = case.signed_by();
    // A region that the first entry of a region set matches.
    let region = region.split(',').next().unwrap_or_default().replace('*', "x");
    let service = service.into();
    Arrival { wire, known: vec![case.credentials().unwrap()], now, region, service, expires_at, sent }
}

pub fn with_another_secret(known: &Credentials) -> Credentials {
    let other = Credentials::new(known.access_key_id(), "anotherSecret").unwrap();
    match known.session_token() {
        Some(token) => other.with_session_token(token).unwrap(),
        None => other,
    }
}

/// Returns the explanation of the refusal, or `None` if nothing was refused.
fn explained(case: &Plain, arrival: &Arrival, format: ErrorFormat) -> Option<Explanation> {
    let verifier = Verifier::new(&arrival.region, &arrival.service).unwrap().with_rules(case.rules().unwrap());
    let verifier = as_lenient_as_aws(verifier);
    let verifier = verifier.with_sigv4a().echo_computed();
    let result = case.verify_with(&arrival.wire, &verifier, &arrival.known, arrival.now).unwrap();
    let error = result.err()?;
    let headers: Vec<_> =
        format.code_header().map(|name| (name, error.refusal(format).code().as_bytes())).into_iter().collect();
    let body = error.refusal(format).body("1");
    Some(Explanation::from_response(error.refusal(format).status(), &headers, body.as_bytes(), arrival.sent.clone()))
}

pub fn cases() -> Vec<Plain> {
    let plain = files().into_values().flatten().filter_map(|case| match case {
        Case::Plain(case) => Some(*case),
        _ => None,
    });
    plain.collect()
}

/// Returns the vectors of `AWS4-ECDSA-P256-SHA256`, each with the first of its signatures.
pub fn sigv4a_cases() -> Vec<Plain> {
    signed_requests(|_| true).iter().filter_map(|request| request.with_each_signature().into_iter().next()).collect()
}

#[test]
fn each_change_is_named() {
    assert!(MUTATIONS.len() >= 25);
    let mut made = BTreeMap::<_, (u32, u32)>::new();
    let (mut failures, mut all_wrong) = (Vec::new(), Vec::new());
    let mut vectors = 0;
    let mut certainties: BTreeMap<&str, usize> = BTreeMap::new();
    for case in cases().into_iter().chain(sigv4a_cases()) {
        vectors += 1;
        let unchanged = arrival(&case);
        assert!(explained(&case, &unchanged, ErrorFormat::RestJson).is_none(), "{} is refused unchanged", case.id);
        for format in FORMATS {
            let (mut applied, mut wrong) = (0, Vec::new());
            for (name, mutate) in MUTATIONS {
                let mut arrival = unchanged.clone();
                let Some(expected) = mutate(&mut arrival) else { continue };
                let Some(explanation) = explained(&case, &arrival, format) else { continue };
                let expected = match (expected.as_str(), format) {
                    (LOST, ErrorFormat::S3Xml) => "PolicyDenies",
                    (LOST | REPLACED, ErrorFormat::QueryXml | ErrorFormat::AwsJson1_0) => "SignatureLost",
                    (LOST, ErrorFormat::AwsJson1_1) => "SignatureLost",
                    (REGION, ErrorFormat::S3Xml) => "WrongRegion { expected: Some(\"another-region-1\") }",
                    (REGION, _) => "WrongRegion { expected: * }",
                    (REPLACED, _) => "OtherAuthorization",
                    (LOST, _) => "NoSuchRoute",
                    (expected, _) => expected,
                };
                applied += 1;
                *certainties.entry(certainty(&explanation)).or_default() += 1;
                let shown = format!("{explanation}{explanation:?}{:?}", explanation.diff().map(ToString::to_string));
                let (secret, ..) = case.signed_by();
                let token = arrival.known.first().and_then(Credentials::session_token);
                // The token of one vector is a single letter.
                let token = token.filter(|token| token.len() > 8).unwrap_or(secret);
                assert!(!shown.contains(secret) && !shown.contains(token), "{name} {token}: {shown}");
                let entry = made.entry(*name).or_default();
                entry.0 += 1;
                let first = explanation.findings().next().map(|finding| format!("{:?}", finding.cause()));
                if !first.as_deref().is_some_and(|first| matches(expected, first)) {
                    entry.1 += 1;
                    wrong.push(format!("  {name}: {first:?}, not {expected}"));
                }
            }
            if !wrong.is_empty() {
                failures.push(format!("{} {format:?}: {} of {applied}\n{}", case.id, wrong.len(), wrong.join("\n")));
            }
            all_wrong.extend(wrong.into_iter().map(|wrong| format!("{} {format:?}{wrong}", case.id)));
        }
    }
    for (name, _) in MUTATIONS {
        assert!(made.contains_key(name), "{name} was never made");
    }
    assert!(vectors > 300, "{vectors}");
    println!("first findings: {certainties:?}\n{made:#?}\n{}", all_wrong.join("\n"));
    assert!(failures.is_empty(), "{} of {}\n{}", failures.len(), FORMATS.len() as u32 * vectors, failures.join("\n"));
}
