//! Runs every file of `test-vectors/`: in both directions, at every step, and with every single-byte change of every
//! request.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use countersign_conformance::cases::plain::{Location, Plain};
use countersign_conformance::cases::sigv4a::{SignedRequest, verifies};
use countersign_conformance::cases::wire::Wire;
use countersign_conformance::cases::{Case, Outcome};
use serde_json::Value;

use crate::support::naive::{self, Naive};
use crate::support::vector_files::{files, signed_requests, texts};

fn plain_cases() -> Vec<Plain> {
    let cases = files().into_values().flatten();
    let plain = |case| match case {
        Case::Plain(case) => Some(*case),
        Case::Tokens(case) => Some(case.plain),
        _ => None,
    };
    cases.filter_map(plain).collect()
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
                Ok(Outcome::Skipped) => failures.push(format!("{file}: a case was skipped")),
                Err(difference) => failures.push(format!("{file}: {difference}")),
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    let expected = [
        ("aws-suite-v4", 76),
        ("aws-suite-v4a", 76),
        ("chunked", 24),
        ("documentation", 8),
        ("header_generic", 60),
        ("header_s3", 32),
        ("post_policy", 14),
        ("presign_generic", 25),
        ("presign_s3", 25),
        ("rules", 18),
        ("s3express", 5),
        ("servers", 25),
        ("sigv4a", 22),
        ("tokens", 16),
        ("explain", 300),
        ("verify_reject", 141),
    ];
    assert_eq!(counts, expected.map(|(file, count)| (file.to_owned(), count)).into());
}

/// The names of fields whose values may be anything.
const FREE: [&str; 10] =
    ["values", "source", "features", "note", "base", "aws", "format", "reason", "policy", "mac_valid"];

/// Collects the path of every object in a case, except those whose fields are data.
fn objects(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            found.push(path.to_owned());
            for (name, value) in fields.iter().filter(|(name, _)| !FREE.contains(&name.as_str())) {
                objects(value, &format!("{path}/{name}"), found);
            }
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| objects(item, &format!("{path}/{index}"), found));
        }
        _ => {}
    }
}

#[test]
fn unknown_fields_are_refused_everywhere() {
    let mut refused = 0;
    for (file, text) in texts() {
        for line in text.lines() {
            let case: Value = serde_json::from_str(line).unwrap();
            let mut paths = Vec::new();
            objects(&case, "", &mut paths);
            for path in paths {
                // Form fields, policy conditions, and signatures by the name of their signer.
                let is_data = ["/input/extra_fields", "/input/conditions/", "/expect/signatures_that_must_verify"];
                if is_data.iter().any(|start| path.starts_with(start)) {
                    continue;
                }
                let mut changed = case.clone();
                changed.pointer_mut(&path).unwrap()["colour"] = 1.into();
                let read = Case::read(&changed.to_string());
                assert!(read.is_err(), "{file}: a field in {path:?} was ignored: {line}");
                refused += 1;
            }
        }
    }
    assert!(refused > 1000, "{refused}");
}

/// The published suite has 38 cases per algorithm, each for both header and query.
#[test]
fn the_published_suite_is_complete() {
    let location = |case: &SignedRequest| case.with_each_signature()[0].context.location;
    let sigv4a = signed_requests(|file| file == "aws-suite-v4a");
    let in_header = sigv4a.iter().filter(|case| location(case) == Location::Header).count();
    assert_eq!((in_header, sigv4a.len()), (38, 76));
    let cases = &files()["aws-suite-v4"];
    let in_header =
        cases.iter().filter(|case| matches!(case, Case::Plain(c) if c.context.location == Location::Header));
    assert_eq!((in_header.count(), cases.len()), (38, 76));
}

/// Returns the canonical request that the naive transcription computes.
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
fn the_naive_transcription_matches_the_published_suite() {
    for case in plain_cases() {
        let canonical_request = naive_canonical_request(&case, &arrived(&case));
        assert_eq!(String::from_utf8_lossy(&canonical_request), case.expect.canonical_request, "{}", case.id);
        let (secret, timestamp, region, service) = case.signed_by();
        let signature = naive::signature(secret, timestamp, region, service, &canonical_request);
        assert_eq!(signature, case.expect.signature, "{}", case.id);
    }
}

/// Changes every byte that the verifier receives in four ways. If the naive transcription still computes the same
/// canonical request (a header name in another case, a tab instead of a space), the request has not changed.
#[test]
fn every_single_byte_change_is_refused() {
    let all: [fn(u8) -> u8; 4] = [|b| b ^ 1, |b| b ^ 0x20, |b| b ^ 0x80, |b| b.wrapping_add(3)];
    let (refused, unchanged) = sum_of_all(&plain_cases(), |case| change_every_byte(case, &all));
    assert!(refused > 300_000 && unchanged < refused / 50, "{refused} refused, {unchanged} unchanged");
}

/// The same for SigV4A, with one kind of change, since verifying takes a hundred times as long.
#[test]
fn every_single_byte_change_is_refused_with_sigv4a() {
    let cases: Vec<_> =
        signed_requests(|_| true).iter().flat_map(|case| case.with_each_signature().into_iter().take(1)).collect();
    let (refused, unchanged) = sum_of_all(&cases, |case| change_every_byte(case, &[|b| b ^ 1]));
    assert!(refused > 30_000 && unchanged < refused / 50, "{refused} refused, {unchanged} unchanged");
}

/// Flips each bit of each signature that other implementations made.
#[test]
fn every_single_bit_change_of_a_signature_is_refused_with_sigv4a() {
    let cases = signed_requests(|file| file == "sigv4a");
    let (refused, verified) = sum_of_all(&cases, |case| {
        let (string_to_sign, signatures) = case.signatures();
        let (key, mut refused, mut verified) = (case.public_key().unwrap(), 0, 0);
        for signature in signatures {
            assert!(verifies(&key, string_to_sign, signature));
            verified += 1;
            let bytes = hex::decode(signature).unwrap();
            for bit in 0..8 * bytes.len() {
                let mut changed = bytes.clone();
                changed[bit / 8] ^= 1 << (bit % 8);
                assert!(!verifies(&key, string_to_sign, &hex::encode(changed)), "{} {signature} {bit}", case.id);
                refused += 1;
            }
        }
        (refused, verified)
    });
    assert!(verified == 40 && refused > 40 * 8 * 68, "{refused} refused of {verified}");
}

/// Runs all cases on all cores and returns the sums.
fn sum_of_all<T: Sync>(cases: &[T], run: impl Fn(&T) -> (u32, u32) + Sync) -> (u32, u32) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..std::thread::available_parallelism().map_or(1, usize::from))
            .map(|_| {
                scope.spawn(|| {
                    let mut sum = (0, 0);
                    while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let (refused, unchanged) = run(case);
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
    })
}

/// Returns how many changes were refused, and how many left the canonical request unchanged.
fn change_every_byte(case: &Plain, changes: &[fn(u8) -> u8]) -> (u32, u32) {
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
    for change in changes {
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
