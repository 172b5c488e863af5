//! Checks each row of the table of rules against requests signed by an independent script: `test-vectors/rules.jsonl`.

use std::collections::BTreeSet;
use std::time::Duration;

use countersign::{Payload, Rules, SignError, Signer, Timestamp, UnsignedPayload, Verifier, VerifyError};
use countersign_conformance::cases::plain::Plain;
use countersign_conformance::cases::verify_reject::{Verdict, VerifyReject};
use countersign_conformance::cases::wire::Wire;
use countersign_conformance::cases::{Case, Outcome};

use crate::support::fixtures::verifier;
use crate::support::vector_files::files;

const EVENTS: [&str; 6] = ["bedrock", "health-agent", "lex", "polly", "qbusiness", "transcribe"];
const UNSIGNED: [&str; 4] = ["ebs", "lex", "mediastore", "omics"];
const FIVE_MINUTES: [&str; 13] = [
    "bedrock",
    "ecs",
    "eks",
    "elastictranscoder",
    "execute-api",
    "kinesis",
    "kms",
    "lambda",
    "logs",
    "route53",
    "secretsmanager",
    "ses",
    "ssm",
];

fn cases() -> Vec<Plain> {
    let plain = |case| match case {
        Case::Plain(case) => *case,
        _ => panic!("another kind of case"),
    };
    files().remove("rules").unwrap().into_iter().map(plain).collect()
}

/// Signs with the row of the service only; the conformance program sets the rules that a case names.
fn sign(case: &Plain) -> Wire {
    let service = &case.context.service;
    let signer = Signer::new(case.credentials().unwrap(), &case.context.region, service).unwrap();
    let signer = signer.also_sign(case.expect.signed_headers.split(';'));
    let mut wire = Wire::of(&case.request);
    let signed = wire.with_view(|request| signer.sign(request, case.payload().unwrap(), case.now().unwrap())).unwrap();
    assert_eq!(signed.canonical_request().raw().to_string(), case.expect.canonical_request, "{}", case.id);
    assert_eq!(signed.authorization(), case.expect.authorization.as_deref().unwrap(), "{}", case.id);
    signed.headers().for_each(|(name, value)| wire.set_header(name, value.as_bytes()));
    wire
}

fn verify(verifier: &Verifier, case: &Plain, wire: &Wire, now: Timestamp) -> Result<(), VerifyError> {
    case.verify_with(wire, verifier, &[case.credentials().unwrap()], now).unwrap()
}

#[test]
fn each_row_matches_the_independent_script() {
    let mut seen = BTreeSet::new();
    for case in cases() {
        let (service, now) = (case.context.service.as_str(), case.now().unwrap());
        let wire = sign(&case);
        assert_eq!(verify(&verifier(service), &case, &wire, now), Ok(()), "{}", case.id);
        // Without its row, a body that isn't hashed is refused.
        let generic = verify(&verifier(service).with_rules(Rules::GENERIC), &case, &wire, now);
        let refused = matches!(generic, Err(VerifyError::InvalidContentSha256 { .. }));
        assert!(if case.context.payload == "signed" { generic.is_ok() } else { refused }, "{}: {generic:?}", case.id);
        seen.insert((case.context.payload.clone(), case.context.service.clone()));
    }
    let all = |payload: &str| -> Vec<&str> {
        seen.iter().filter(|(other, _)| other == payload).map(|(_, service)| service.as_str()).collect()
    };
    assert_eq!(all("literal:STREAMING-AWS4-HMAC-SHA256-EVENTS+header"), EVENTS);
    assert_eq!(all("unsigned+header"), UNSIGNED);
    let older = ["execute-api", "kinesis", "route53", "ses", "ssm"];
    let newer: Vec<&str> = FIVE_MINUTES.into_iter().filter(|service| !older.contains(service)).collect();
    assert_eq!(all("signed"), newer);
}

#[test]
fn services_that_accept_unsigned_bodies_presign_a_hash() {
    for service in ["dynamodb", "execute-api", "polly", "transcribe"].into_iter().chain(UNSIGNED) {
        let accepted = Rules::for_service(service).unsigned_payload == UnsignedPayload::Accepted;
        assert_eq!(accepted, UNSIGNED.contains(&service), "{service}");
        assert!(!Rules::for_service(service).presign_unsigned_payload, "{service}");
    }
    assert_eq!(Rules::for_service("lex"), Rules::GENERIC.events().unsigned_accepted());
}

#[test]
fn clock_skew_is_five_minutes_for_some_services_and_fifteen_for_others() {
    let case = cases().into_iter().find(|case| case.id == "hashed-eks").unwrap();
    let fifteen =
        ["dynamodb", "sts", "iam", "es", "ebs", "lex", "polly", "omics", "s3", "s3express", "glacier", "aoss"];
    let rows = FIVE_MINUTES.map(|service| (service, 300)).into_iter().chain(fifteen.map(|service| (service, 900)));
    for (service, seconds) in rows {
        assert_eq!(Rules::for_service(service).max_skew, Duration::from_secs(seconds), "{service}");
        let signed_at = case.now().unwrap();
        let wire = {
            let signer = Signer::new(case.credentials().unwrap(), "us-east-1", service).unwrap();
            let mut wire = Wire::of(&case.request);
            let signed: Result<_, SignError> =
                wire.with_view(|request| signer.sign(request, Payload::EMPTY, signed_at));
            let signed = signed.unwrap();
            signed.headers().for_each(|(name, value)| wire.set_header(name, value.as_bytes()));
            wire
        };
        let at = |now| verify(&verifier(service), &case, &wire, now);
        let seconds = i64::try_from(seconds).unwrap();
        for within in [-seconds, 0, seconds] {
            assert_eq!(at(signed_at.saturating_add(within)), Ok(()), "{service} {within}");
        }
        let late = at(signed_at.saturating_add(seconds + 1));
        assert!(matches!(late, Err(VerifyError::Expired { .. })), "{service}: {late:?}");
        let early = at(signed_at.saturating_add(-seconds - 1));
        assert!(matches!(early, Err(VerifyError::NotYetCurrent { .. })), "{service}: {early:?}");
    }
}

fn arrived() -> Vec<VerifyReject> {
    let verify_reject = |case| match case {
        Case::VerifyReject(case) => *case,
        _ => panic!("another kind of case"),
    };
    files().remove("verify_reject").unwrap().into_iter().map(verify_reject).collect()
}

/// The conformance program sets the clock skew that a case names; here it comes from the row.
#[test]
fn each_row_accepts_and_refuses_the_vectors() {
    let mut seen = BTreeSet::new();
    for case in arrived() {
        let outcome = case.run_with(Rules::for_service(case.service()));
        assert_eq!(outcome.map_err(|difference| difference.to_string()), Ok(Outcome::Passed));
        seen.insert(case.id);
    }
    for service in FIVE_MINUTES {
        for time in ["300", "301", "early"] {
            assert!(seen.contains(&format!("skew-{service}-{time}")), "{service} {time}");
        }
    }
    assert!(UNSIGNED.iter().all(|service| seen.contains(&format!("unsigned-{service}"))));
}

#[test]
fn refused_chunks_are_not_refused_only_for_their_size() {
    let refused = |case: &VerifyReject| case.is_streamed() && case.expect == Verdict::Refuse;
    let cases: Vec<_> = arrived().into_iter().filter(refused).collect();
    assert!(cases.len() >= 10, "{}", cases.len());
    for case in cases {
        let mut rules = Rules::for_service(case.service());
        rules.min_chunk_size = 1;
        assert_eq!(case.run_with(rules).map_err(|difference| difference.to_string()), Ok(Outcome::Passed));
    }
}
