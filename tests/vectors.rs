//! Walks every file of `test-vectors/`: both directions, all stages, and every single-byte change of every request.

#[path = "../examples/conformance/case.rs"]
mod case;
#[path = "../examples/conformance/chunked.rs"]
mod chunked;
#[path = "support/naive.rs"]
mod naive;
#[path = "../examples/conformance/plain.rs"]
mod plain;
#[path = "../examples/conformance/post_policy.rs"]
mod post_policy;
#[path = "../examples/conformance/verify_reject.rs"]
mod verify_reject;
#[path = "../examples/conformance/wire.rs"]
mod wire;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use case::{Case, Outcome};
use naive::Naive;
use plain::{Location, Plain};
use wire::Wire;

/// Name of the file, and its cases.
fn files() -> BTreeMap<String, Vec<Case>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("test-vectors");
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "jsonl") {
            let text = std::fs::read_to_string(&path).unwrap();
            let cases = text.lines().map(|line| Case::read(line).unwrap_or_else(|error| panic!("{error}"))).collect();
            files.insert(path.file_stem().unwrap().to_str().unwrap().to_owned(), cases);
        }
    }
    files
}

fn plain_cases() -> Vec<Plain> {
    let cases = files().into_values().flatten();
    cases.filter_map(|case| if let Case::Plain(case) = case { Some(*case) } else { None }).collect()
}

#[test]
fn every_case_passes_and_none_is_skipped() {
    let mut failures = Vec::new();
    let mut counts = BTreeMap::new();
    for (file, cases) in files() {
        counts.insert(file.clone(), cases.len());
        for case in cases {
            match case.run() {
                Ok(Outcome::Passed) => {}
                Ok(Outcome::Skipped) => failures.push(format!("{file}: skipped")),
                Err(difference) => failures.push(format!("{file}: {difference}")),
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    let expected = [
        ("aws-suite-v4", 76),
        ("chunked", 14),
        ("documentation", 8),
        ("header_generic", 60),
        ("header_s3", 32),
        ("post_policy", 14),
        ("presign_generic", 25),
        ("presign_s3", 25),
        ("verify_reject", 38),
    ];
    assert_eq!(counts, expected.map(|(file, count)| (file.to_owned(), count)).into());
}

/// The published suite has 38 cases of the algorithm, each for header and query.
#[test]
fn the_suite_is_whole() {
    let cases = &files()["aws-suite-v4"];
    let in_header =
        cases.iter().filter(|case| matches!(case, Case::Plain(c) if c.context.location == Location::Header));
    assert_eq!((in_header.count(), cases.len()), (38, 76));
}

/// What the request says, canonicalised by the naive transcription.
fn naive_canonical_request(case: &Plain, wire: &Wire) -> Vec<u8> {
    let mut headers = wire.headers.clone();
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        let host = wire.authority.rsplit_once('@').map_or(wire.authority.as_str(), |(_, host)| host);
        let port = if wire.scheme == "http" { ":80" } else { ":443" };
        headers.push(("host".into(), host.strip_suffix(port).unwrap_or(host).into()));
    }
    let signed_headers: Vec<&str> = case.expect.signed_headers.split(';').collect();
    let payload = case.context.payload.as_str();
    let payload = match payload.strip_suffix("+header").unwrap_or(payload) {
        "signed" => naive::sha256_hex(&wire.body),
        "unsigned" => "UNSIGNED-PAYLOAD".into(),
        literal => literal["literal:".len()..].into(),
    };
    let rules = case.rules().unwrap();
    Naive {
        method: &wire.method,
        target: &wire.target,
        headers: &headers,
        signed_headers: &signed_headers,
        payload: &payload,
        normalize_path: rules.normalize_path,
        double_encode: rules.double_encode_path,
        left_out: match (case.context.location, rules.sign_session_token) {
            (Location::Header, _) => &[],
            (Location::Query, true) => &["X-Amz-Signature"],
            (Location::Query, false) => &["X-Amz-Signature", "X-Amz-Security-Token"],
        },
    }
    .canonical_request()
}

fn arrived(case: &Plain) -> Wire {
    match case.context.location {
        Location::Header => case.sign().unwrap(),
        Location::Query => case.presign().unwrap(),
    }
}

#[test]
fn the_naive_transcription_agrees_with_what_is_published() {
    for case in plain_cases() {
        let canonical_request = naive_canonical_request(&case, &arrived(&case));
        assert_eq!(String::from_utf8_lossy(&canonical_request), case.expect.canonical_request, "{}", case.id);
        let (secret, timestamp, region, service) = case.signed_by();
        let signature = naive::signature(secret, timestamp, region, service, &canonical_request);
        assert_eq!(signature, case.expect.signature, "{}", case.id);
    }
}

/// Every position of everything that arrives, changed in four ways. Where the naive transcription says that the
/// canonical request is still the same (another case of a header's name, a tab for a space), nothing was changed.
#[test]
fn every_single_byte_change_is_refused() {
    let (cases, next) = (plain_cases(), AtomicUsize::new(0));
    let (refused, unchanged) = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..std::thread::available_parallelism().map_or(1, usize::from))
            .map(|_| {
                scope.spawn(|| {
                    let mut sum = (0, 0);
                    while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let (refused, unchanged) = change_every_byte(case);
                        sum = (sum.0 + refused, sum.1 + unchanged);
                    }
                    sum
                })
            })
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap())
            .fold((0, 0), |sum, (refused, unchanged)| (sum.0 + refused, sum.1 + unchanged))
    });
    assert!(refused > 300_000 && unchanged < refused / 50, "{refused} refused, {unchanged} unchanged");
}

/// How many changes were refused, and how many left the canonical request as it was.
fn change_every_byte(case: &Plain) -> (u32, u32) {
    let (mut refused, mut unchanged) = (0, 0);
    if case.context.location == Location::Query && case.context.expires.is_none() {
        return (0, 0);
    }
    let wire = arrived(case);
    let original = naive_canonical_request(case, &wire);
    assert!(case.verify(&wire).unwrap().is_ok(), "{}", case.id);
    let mut check = |what: &str, position: usize, changed: Wire, credential: bool| {
        let same = !credential && naive_canonical_request(case, &changed) == original;
        match case.verify(&changed).unwrap() {
            Err(_) => refused += 1,
            Ok(()) if same => unchanged += 1,
            Ok(()) => panic!("{}: accepted after a change of {what} at {position}: {:?}", case.id, changed.headers),
        }
    };
    for change in [|b: u8| b ^ 1, |b: u8| b ^ 0x20, |b: u8| b ^ 0x80, |b: u8| b.wrapping_add(3)] {
        for position in 0..wire.method.len() {
            let mut changed = wire.clone();
            let mut method = wire.method.clone().into_bytes();
            method[position] = change(method[position]);
            let Ok(method) = String::from_utf8(method) else { continue };
            changed.method = method;
            check("the method", position, changed, false);
        }
        for position in 0..wire.target.len() {
            let mut changed = wire.clone();
            changed.target[position] = change(wire.target[position]);
            check("the target", position, changed, false);
        }
        for (index, (name, value)) in wire.headers.iter().enumerate() {
            let signed = case.expect.signed_headers.split(';').any(|signed| signed.eq_ignore_ascii_case(name));
            let credential = name == "authorization";
            for position in (0..value.len()).filter(|_| signed || credential) {
                let mut changed = wire.clone();
                changed.headers[index].1[position] = change(value[position]);
                check(name, position, changed, credential);
            }
        }
        let host_header = wire.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host"));
        for position in (0..wire.authority.len()).filter(|_| !host_header) {
            let mut changed = wire.clone();
            let mut authority = wire.authority.clone().into_bytes();
            authority[position] = change(authority[position]);
            let Ok(authority) = String::from_utf8(authority) else { continue };
            changed.authority = authority;
            check("the host", position, changed, false);
        }
        if case.context.payload.starts_with("signed") {
            for position in 0..wire.body.len() {
                let mut changed = wire.clone();
                changed.body[position] = change(wire.body[position]);
                check("the body", position, changed, false);
            }
        }
    }
    (refused, unchanged)
}
