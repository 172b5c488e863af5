//! `AWS4-ECDSA-P256-SHA256`, from signer to verifier.

use std::time::Duration;

use countersign::{
    Credentials, ErrorFormat, Location, Payload, PublicKey, Request, Scope, ScopeError, SignError, Signature, Signer,
    SigningKey, StreamingPayload, Verifier, VerifyError, VerifyingKey,
};

use crate::support::fixtures::{SECRET, credentials, now};

const HOST: &str = "example.com";
const TARGET: &str = "/photos/a%20b.jpg?versionId=1&x";

fn signer(region_set: &str) -> Signer {
    Signer::sigv4a(credentials(), region_set, "s3").unwrap()
}

fn verifier() -> Verifier {
    Verifier::new("us-west-2", "s3").unwrap().with_sigv4a()
}

fn key() -> SigningKey {
    SigningKey::derive_sigv4a(&credentials())
}

/// A request as it arrives.
#[derive(Clone)]
struct Arrived {
    target: String,
    headers: Vec<(String, String)>,
}

impl Arrived {
    fn signed(by: &Signer) -> Self {
        let mut arrived = Self { target: TARGET.into(), headers: vec![("x-amz-meta-a".into(), "1".into())] };
        let signed = arrived.view(|request| by.sign(request, Payload::Bytes(b"body"), now())).unwrap();
        signed.headers().for_each(|(name, value)| arrived.set(name, value));
        arrived
    }

    fn presigned(by: &Signer) -> Self {
        let request = Request::new("GET", TARGET, &[]).with_host(HOST);
        let presigned = by.presign(request, Duration::from_secs(900), now()).unwrap();
        Self { target: presigned.target().into(), headers: Vec::new() }
    }

    fn set(&mut self, name: &str, value: &str) {
        self.headers.retain(|(other, _)| other != name);
        self.headers.push((name.into(), value.into()));
    }

    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(other, _)| other == name).map_or("", |(_, value)| value)
    }

    fn without(&self, name: &str) -> Self {
        let mut changed = self.clone();
        changed.headers.retain(|(other, _)| other != name);
        changed
    }

    fn replaced(&self, from: &str, to: &str) -> Self {
        let mut changed = self.clone();
        let found = |text: &str| text.contains(from);
        assert!(found(&self.target) || self.headers.iter().any(|(_, value)| found(value)), "{from}");
        changed.target = changed.target.replace(from, to);
        changed.headers.iter_mut().for_each(|(_, value)| *value = value.replace(from, to));
        changed
    }

    fn view<T>(&self, with: impl FnOnce(Request<'_>) -> T) -> T {
        let headers: Vec<_> = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        with(Request::new("GET", &self.target, &headers).with_host(HOST))
    }

    fn verify(&self, verifier: &Verifier, key: &SigningKey) -> Result<(), VerifyError> {
        self.verify_by(verifier, VerifyingKey::new("AKIDEXAMPLE", key.clone()))
    }

    fn verify_with_public_key(&self, verifier: &Verifier, key: &PublicKey) -> Result<(), VerifyError> {
        self.verify_by(verifier, VerifyingKey::from_public_key("AKIDEXAMPLE", *key))
    }

    fn verify_by(&self, verifier: &Verifier, key: VerifyingKey) -> Result<(), VerifyError> {
        self.view(|request| verifier.parse(request, now())?.verify_head_with_key(Some(&key)).map(|_| ()))
    }

    fn signature(&self) -> String {
        let whole = if self.headers.is_empty() { &self.target } else { self.header("authorization") };
        let (_, behind) = whole.rsplit_once("Signature=").unwrap();
        behind.split('&').next().unwrap().into()
    }
}

fn both(region_set: &str) -> [Arrived; 2] {
    [Arrived::signed(&signer(region_set)), Arrived::presigned(&signer(region_set))]
}

#[test]
fn accepted_by_the_key_pair_and_by_its_public_half() {
    let scope = Scope::without_region("20150830", "s3").unwrap();
    let kept = SigningKey::from_sigv4a_private_key(*key().private_key_exposed().unwrap()).unwrap();
    let public_key = kept.public_key().unwrap();
    let compressed = {
        let point = public_key.to_sec1();
        let mut bytes = vec![2 + (point[64] & 1)];
        bytes.extend(&point[1..33]);
        PublicKey::from_sec1(&bytes).unwrap()
    };
    assert_eq!(compressed, public_key);
    for arrived in both("us-east-1,us-west-*") {
        arrived.verify(&verifier(), &key()).unwrap();
        arrived.verify(&verifier(), &kept).unwrap();
        arrived.verify(&verifier(), &SigningKey::derive(&credentials(), &scope)).unwrap();
        arrived.verify_with_public_key(&verifier(), &public_key).unwrap();
        arrived.view(|request| {
            let verifier = verifier();
            let unverified = verifier.parse(request, now()).unwrap();
            assert_eq!((unverified.scope(), unverified.scope().region()), (scope, ""));
            let verified = unverified.verify_head(Some(&credentials())).unwrap();
            assert_eq!(verified.region_set(), Some("us-east-1,us-west-*"));
        });
    }
}

#[test]
fn refused_by_a_verifier_that_was_not_told_so() {
    let refused = Err(VerifyError::UnsupportedAlgorithm { algorithm: "AWS4-ECDSA-P256-SHA256".into() });
    for arrived in both("*") {
        assert_eq!(arrived.verify(&Verifier::new("us-west-2", "s3").unwrap(), &key()), refused);
    }
    // And what it takes besides is what it took before.
    let of_v4 = Signer::new(credentials(), "us-west-2", "s3").unwrap();
    let scope = Scope::new("20150830", "us-west-2", "s3").unwrap();
    for arrived in [Arrived::signed(&of_v4), Arrived::presigned(&of_v4)] {
        arrived.verify(&verifier(), &SigningKey::derive(&credentials(), &scope)).unwrap();
        arrived.view(|request| {
            let verifier = verifier();
            let head = verifier.parse(request, now()).unwrap().verify_head(Some(&credentials())).unwrap();
            assert_eq!(head.region_set(), None);
        });
    }
}

#[test]
fn a_key_of_the_other_algorithm_verifies_nothing() {
    let mismatch = Err(VerifyError::SignatureMismatch { computed: None });
    let scope = Scope::new("20150830", "us-west-2", "s3").unwrap();
    let of_v4 = Signer::new(credentials(), "us-west-2", "s3").unwrap();
    let public_key = key().public_key().unwrap();
    for arrived in both("*") {
        assert_eq!(arrived.verify(&verifier(), &SigningKey::derive(&credentials(), &scope)), mismatch);
    }
    for arrived in [Arrived::signed(&of_v4), Arrived::presigned(&of_v4)] {
        assert_eq!(arrived.verify(&verifier(), &key()), mismatch);
        assert_eq!(arrived.verify_with_public_key(&verifier(), &public_key), mismatch);
    }
    assert!(SigningKey::derive(&credentials(), &scope).public_key().is_none());
    // A key of HMAC whose bytes are those of the private key, and the other way about.
    let bytes = *key().private_key_exposed().unwrap();
    assert_eq!(both("*")[0].verify(&verifier(), &SigningKey::from_bytes(bytes)), mismatch);
    for algorithm in ["AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA512", "aws4-ecdsa-p256-sha256"] {
        let arrived = both("*")[0].replaced("AWS4-ECDSA-P256-SHA256", algorithm);
        assert!(arrived.verify(&verifier(), &key()).is_err(), "{algorithm}");
    }
}

#[test]
fn other_credentials_are_refused() {
    let verify = |arrived: &Arrived, found: Option<&Credentials>| {
        arrived.view(|request| verifier().parse(request, now()).unwrap().verify_head(found).map(|_| ()))
    };
    let other_secret = Credentials::new("AKIDEXAMPLE", "other").unwrap();
    let other_id = Credentials::new("AKIDOTHER", SECRET).unwrap();
    let with_token = credentials().with_session_token("token").unwrap();
    let expired = credentials().with_expires_at(now());
    for arrived in both("*") {
        assert_eq!(verify(&arrived, Some(&other_secret)), Err(VerifyError::SignatureMismatch { computed: None }));
        for unknown in [None, Some(&other_id)] {
            let error = VerifyError::UnknownAccessKey { access_key_id: "AKIDEXAMPLE".into() };
            assert_eq!(verify(&arrived, unknown), Err(error));
        }
        assert!(matches!(verify(&arrived, Some(&with_token)), Err(VerifyError::InvalidSessionToken { .. })));
        assert!(matches!(verify(&arrived, Some(&expired)), Err(VerifyError::ExpiredSessionToken { .. })));
    }
    let arrived = Arrived::signed(&Signer::sigv4a(with_token.clone(), "*", "s3").unwrap());
    assert!(arrived.header("authorization").contains("x-amz-region-set;x-amz-security-token"));
    assert_eq!(verify(&arrived, Some(&with_token)), Ok(()));
}

#[test]
fn the_region_set_has_to_name_the_region() {
    for (region_set, named) in [
        ("us-west-2", true),
        ("us-east-1,us-west-2", true),
        ("us-*", true),
        ("*", true),
        ("us-east-1", false),
        ("us-east-*,eu-central-1", false),
        ("aws-global", false),
        ("us-east-1, us-west-2", false),
    ] {
        for arrived in both(region_set) {
            let result = arrived.verify(&verifier(), &key());
            if named {
                assert_eq!(result, Ok(()), "{region_set}");
            } else {
                let error = VerifyError::WrongRegionSet { got: region_set.into(), regions: vec!["us-west-2".into()] };
                assert_eq!(result, Err(error), "{region_set}");
            }
        }
    }
    let error = both("us-east-1")[0].verify(&verifier(), &key()).unwrap_err();
    assert_eq!(error.to_string(), "the region set \"us-east-1\" does not include us-west-2");
    assert_eq!(
        (error.refusal(ErrorFormat::S3Xml).status(), error.refusal(ErrorFormat::S3Xml).code()),
        (400, "RegionSetMismatch")
    );
    assert_eq!(
        error.refusal(ErrorFormat::S3Xml).body("1"),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>RegionSetMismatch</Code><Message>The provided \
         X-Amz-Region-Set doesn't match against the requested S3 region.</Message><RequestedRegion>us-west-2\
         </RequestedRegion><RegionSet>us-east-1</RegionSet><RequestId>1</RequestId></Error>"
    );
}

#[test]
fn the_region_set_has_to_be_there_once_and_signed() {
    let [in_header, in_query] = both("*");
    let verify = |arrived: &Arrived| arrived.verify(&verifier(), &key());
    let missing = |location| Err(VerifyError::MissingRegionSet { location });
    assert_eq!(verify(&in_header.without("x-amz-region-set")), missing(Location::Header));
    assert_eq!(verify(&in_query.replaced("&X-Amz-Region-Set=%2A", "")), missing(Location::Query));
    assert_eq!(verify(&in_query.replaced("Region-Set=%2A", "Region-Set=")), missing(Location::Query));
    let mut empty = in_header.clone();
    empty.set("x-amz-region-set", " ");
    assert_eq!(verify(&empty), missing(Location::Header));
    let repeated = Err(VerifyError::Repeated { name: "X-Amz-Region-Set" });
    assert_eq!(verify(&in_query.replaced("X-Amz-Region-Set=%2A", "X-Amz-Region-Set=%2A&X-Amz-Region-Set=*")), repeated);
    assert_eq!(
        verify(&in_query.replaced("X-Amz-Region-Set=%2A", "X-Amz-Region-Set=%2A&X%2dAmz-Region-Set=us")),
        repeated
    );
    let mut twice = in_header.clone();
    twice.headers.push(("X-Amz-Region-Set".into(), "*".into()));
    assert_eq!(verify(&twice), repeated);
    assert_eq!(
        verify(&in_header.replaced(";x-amz-region-set", "")),
        Err(VerifyError::HeadersNotSigned { names: vec!["x-amz-region-set".into()] })
    );
    let mut other = in_header.clone();
    other.set("x-amz-region-set", "us-*");
    assert_eq!(verify(&other), Err(VerifyError::SignatureMismatch { computed: None }));
    let other = in_query.replaced("Region-Set=%2A", "Region-Set=us-%2A");
    assert_eq!(verify(&other), Err(VerifyError::SignatureMismatch { computed: None }));
    // The query's set doesn't stand in for the header's, nor the header's for the query's.
    let mut in_wrong_place = in_header.without("x-amz-region-set");
    in_wrong_place.target.push_str("&X-Amz-Region-Set=%2A");
    assert_eq!(verify(&in_wrong_place), missing(Location::Header));
    let mut in_wrong_place = in_query.replaced("&X-Amz-Region-Set=%2A", "");
    in_wrong_place.set("x-amz-region-set", "*");
    assert_eq!(verify(&in_wrong_place), missing(Location::Query));
}

#[test]
fn scopes() {
    let wrong = |arrived: Arrived| match arrived.verify(&verifier(), &key()) {
        Err(VerifyError::WrongScope { got, expected, .. }) => (got.to_string(), expected.to_string()),
        other => panic!("{other:?}"),
    };
    let expected = "20150830/s3/aws4_request";
    for arrived in both("*") {
        for (from, to, got) in [
            ("20150830{}s3", "20150831{}s3", "20150831/s3/aws4_request"),
            ("20150830{}s3", "20150830{}iam", "20150830/iam/aws4_request"),
            ("s3{}aws4_request", "s3{}aws4", "20150830/s3/aws4"),
            // A region is taken for the date, and the date for a part of the access key id.
            ("20150830{}s3", "20150830{}us-west-2{}s3", "us-west-2/s3/aws4_request"),
        ] {
            let slash = if arrived.headers.is_empty() { "%2F" } else { "/" };
            let [from, to] = [from, to].map(|text| text.replace("{}", slash));
            assert_eq!(wrong(arrived.replaced(&from, &to)), (got.into(), expected.into()));
        }
    }
    let malformed = both("*")[0].replaced("AKIDEXAMPLE/", "").verify(&verifier(), &key()).unwrap_err();
    assert_eq!(
        malformed.refusal(ErrorFormat::S3Xml).message(),
        "The authorization header is malformed; the Credential is mal-formed; expecting \
         \"<YOUR-AKID>/YYYYMMDD/SERVICE/aws4_request\"."
    );
    let error = both("*")[0].replaced("/s3/", "/iam/").verify(&verifier(), &key()).unwrap_err();
    assert_eq!(
        error.refusal(ErrorFormat::RestJson).message(),
        "Credential should be scoped to correct service: 's3'. "
    );
    assert!(Scope::without_region("2015083", "s3").is_err() && Scope::without_region("20150830", "").is_err());
    assert!(Scope::parse(expected).is_err());
}

#[test]
fn signing_is_reproducible_and_signing_again_replaces() {
    let signer = signer("us-east-1,us-west-2");
    let once = Arrived::signed(&signer);
    assert_eq!(once.headers, Arrived::signed(&signer.clone()).headers);
    let again = once.view(|request| signer.sign(request, Payload::Bytes(b"body"), now())).unwrap();
    assert_eq!(again.authorization(), once.header("authorization"));
    let elsewhere = Signer::sigv4a(credentials(), "*", "s3").unwrap();
    let again = once.view(|request| elsewhere.sign(request, Payload::Bytes(b"body"), now())).unwrap();
    assert_eq!(again.authorization(), Arrived::signed(&elsewhere).header("authorization"));

    // A URL of either algorithm is signed anew by either, and nothing of the first signature is left.
    let of_v4 = Signer::new(credentials(), "us-west-2", "s3").unwrap();
    for first in [&signer, &elsewhere, &of_v4] {
        for second in [&signer, &elsewhere, &of_v4] {
            let url = Arrived::presigned(first);
            let again = url.view(|request| second.presign(request, Duration::from_secs(900), now())).unwrap();
            assert_eq!(again.target(), Arrived::presigned(second).target);
        }
    }
    let request = Request::new("GET", once.target.as_str(), &[]).with_host(HOST);
    let presigned = signer.presign(request, Duration::from_secs(900), now()).unwrap();
    assert!(presigned.url().contains("&X-Amz-Region-Set=us-east-1%2Cus-west-2&"));
    assert_eq!(presigned.signature().to_hex(), Arrived::presigned(&signer).signature());
    assert_eq!(presigned.string_to_sign().to_string().lines().nth(2), Some("20150830/s3/aws4_request"));
}

#[test]
fn what_is_no_region_set_is_not_signed() {
    for region_set in ["", "us east", "us-east-1,", ",", "us-east-1;us-west-2", "us-east-1\n", "us-é", "a/b", "a,,b"] {
        let error = ScopeError::RegionSet { got: region_set.replace('\n', "\u{fffd}") };
        assert_eq!(Signer::sigv4a(credentials(), region_set, "s3").unwrap_err(), error, "{region_set:?}");
    }
    let error = Signer::sigv4a(credentials(), "", "s3").unwrap_err();
    assert_eq!(
        error.to_string(),
        "the region set \"\" must be regions separated by commas, e.g. us-east-1,us-west-2, or us-*, or *"
    );
    let error = Signer::sigv4a(credentials(), "*", "").unwrap_err();
    assert_eq!(error, ScopeError::Empty { field: "service" });
}

#[test]
fn frames_of_the_other_algorithm_are_neither_signed_nor_taken() {
    use StreamingPayload::*;
    let request = Request::new("PUT", "/", &[]).with_host(HOST);
    let of_v4 = Signer::new(credentials(), "us-west-2", "s3").unwrap();
    for (signer, own, others) in [
        (signer("*"), [EcdsaSigned, EcdsaSignedTrailer, UnsignedTrailer], [Signed, SignedTrailer, Events]),
        (of_v4, [Signed, SignedTrailer, UnsignedTrailer], [EcdsaSigned, EcdsaSignedTrailer, EcdsaSigned]),
    ] {
        for streaming in own {
            assert!(signer.sign(request, Payload::Streaming(streaming), now()).is_ok(), "{streaming:?}");
        }
        for streaming in others {
            assert_eq!(
                signer.sign(request, Payload::Streaming(streaming), now()).unwrap_err(),
                SignError::StreamingAlgorithm { streaming }
            );
            let mut arrived = Arrived::signed(&signer);
            arrived.set("x-amz-content-sha256", streaming.as_str());
            let error = VerifyError::InvalidContentSha256 { got: streaming.as_str().into() };
            assert_eq!(arrived.verify(&verifier(), &key()), Err(error));
        }
    }
}

const N: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

/// r and s, 32 bytes each.
fn numbers(der: &[u8]) -> [[u8; 32]; 2] {
    let r_length = usize::from(der[3]);
    [&der[4..4 + r_length], &der[6 + r_length..]].map(|number| {
        let number = number.strip_prefix(&[0]).unwrap_or(number);
        let mut bytes = [0; 32];
        bytes[32 - number.len()..].copy_from_slice(number);
        bytes
    })
}

fn der(numbers: [&[u8]; 2]) -> String {
    let integers: Vec<u8> = numbers
        .iter()
        .flat_map(|number| {
            let start = number.iter().position(|byte| *byte != 0).unwrap_or(number.len() - 1);
            let zero = (number[start] >= 0x80).then_some(0);
            let bytes: Vec<u8> = zero.into_iter().chain(number[start..].iter().copied()).collect();
            [vec![2, bytes.len() as u8], bytes].concat()
        })
        .collect();
    hex::encode([vec![0x30, integers.len() as u8], integers].concat())
}

fn n_minus(number: &[u8; 32]) -> [u8; 32] {
    let n = hex::decode(N).unwrap();
    let (mut result, mut borrow) = ([0; 32], 0);
    for index in (0..32).rev() {
        let difference = i16::from(n[index]) - i16::from(number[index]) - borrow;
        (result[index], borrow) = (difference.rem_euclid(256) as u8, i16::from(difference < 0));
    }
    result
}

/// AWS's own signers send either s, so both are good: 70 of the 152 signatures of the published suite are above n / 2.
#[test]
fn the_other_s_is_taken_and_nothing_else() {
    for arrived in both("*") {
        let signature = arrived.signature();
        let [r, s] = numbers(&hex::decode(&signature).unwrap());
        assert_eq!(der([&r, &s]), signature);
        let second = der([&r, &n_minus(&s)]);
        assert_ne!(second, signature);
        arrived.replaced(&signature, &second).verify(&verifier(), &key()).unwrap();
        let (n, zero, most) = (hex::decode(N).unwrap(), [0; 32], [0xff; 32]);
        let refused = |other: String| {
            assert!(arrived.replaced(&signature, &other).verify(&verifier(), &key()).is_err(), "{other}");
        };
        refused(der([&n_minus(&r), &s]));
        refused(der([&s, &r]));
        for bad in [&n[..], &zero, &most] {
            for other in [der([bad, &s]), der([&r, bad])] {
                let error = arrived.replaced(&signature, &other).verify(&verifier(), &key());
                assert_eq!(error, Err(VerifyError::MalformedSigV4aSignature), "{other}");
                assert!(Signature::from_der_hex(&other).is_none());
            }
        }
        refused(signature.to_uppercase());
        refused(format!("{signature}00"));
        refused(format!("{signature}0"));
        refused(signature[..signature.len() - 2].into());
        refused(String::new());
        refused("5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7".into());
        refused(signature.replacen("30", "3081", 1));
    }
}

/// Psychic signatures ([CVE-2022-21449](https://nvd.nist.gov/vuln/detail/CVE-2022-21449)): zeros are good for everything.
#[test]
fn zeros_are_no_signature() {
    for zeros in
        ["3006020100020100", "300402000200", "3000", &format!("3044{0}{0}", ["0220", &"00".repeat(32)].concat())]
    {
        assert!(Signature::from_der_hex(zeros).is_none(), "{zeros}");
    }
}

#[test]
fn what_is_no_key_is_none() {
    let n = <[u8; 32]>::try_from(hex::decode(N).unwrap()).unwrap();
    for bytes in [[0; 32], n, [0xff; 32]] {
        assert!(SigningKey::from_sigv4a_private_key(bytes).is_none());
    }
    let mut one = [0; 32];
    one[31] = 1;
    assert!(SigningKey::from_sigv4a_private_key(n_minus(&one)).is_some());
    let point = key().public_key().unwrap().to_sec1();
    let mut off = point;
    off[64] ^= 1;
    let infinity = [0_u8];
    let mut hybrid = point;
    hybrid[0] = 6 + (point[64] & 1);
    for bytes in [&off[..], &infinity, &hybrid, &point[..64], &point[1..], &[], &[4; 65], &[&point[..], &[0]].concat()]
    {
        assert!(PublicKey::from_sec1(bytes).is_none(), "{bytes:?}");
    }
    // x of no point; x above the field's prime.
    assert!(PublicKey::from_sec1(&[&[2][..], &[0xff; 32]].concat()).is_none());
}

#[test]
fn nothing_printed_holds_the_key() {
    let private = key().private_key_exposed().unwrap();
    let (signer, [arrived, _]) = (signer("us-east-1"), both("us-east-1"));
    let signature = Signature::from_der_hex(&arrived.signature()).unwrap();
    let mut printed = vec![
        format!("{signer:?}"),
        format!("{:?}", key()),
        format!("{signature:?}"),
        format!("{:?}", verifier()),
        format!("{:?}", arrived.verify(&verifier(), &key())),
    ];
    arrived.view(|request| {
        printed.push(format!("{:?}", verifier().with_region("us-east-1").unwrap().parse(request, now())))
    });
    assert!(printed[0].contains("us-east-1"));
    let list = private.iter().take(6).map(u8::to_string).collect::<Vec<_>>().join(", ");
    for text in printed {
        for secret in [&hex::encode(*private), &list, "wJalr", &signature.to_hex()] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

/// Another signer has to find the same signature: the figure is what OpenSSL (by Python's `cryptography` 50.0.2) and the
/// package `ecdsa` 0.19.2 make of the suite's key.
#[test]
fn the_signature_is_that_of_rfc_6979() {
    let string_to_sign = "AWS4-ECDSA-P256-SHA256\n20150830T123600Z\n20150830/service/aws4_request\n\
                          cf59db423e841c8b7e3444158185aa261b724a5c27cbe762676f3eed19f4dc02";
    let signer = Signer::sigv4a(credentials(), "us-east-1", "service").unwrap();
    let request = Request::new("GET", "/", &[]).with_host("example.amazonaws.com");
    let signed = signer.sign(request, Payload::EMPTY, now()).unwrap();
    assert_eq!(signed.string_to_sign().to_string(), string_to_sign);
    assert_eq!(signed.signature().to_hex(), RFC_6979);
    assert!(key().public_key().unwrap().verify(string_to_sign.as_bytes(), &signed.signature()));
}

const RFC_6979: &str = "304502206c8e97f7ed2541ed924ade73b4acf7c40156ee796b1f57156c77319278c93042022100f933779aa3fcbd0279217cd671618552026d099cd2e1770225a5167ac5b6bcfd";

#[test]
fn http_requests_have_the_region_set_inserted() {
    let mut request = http::Request::get("https://example.com/").header("x-amz-region-set", "old").body("").unwrap();
    let signed = signer("us-*").sign_http(&mut request, now()).unwrap();
    assert_eq!(request.headers()["x-amz-region-set"], "us-*");
    assert!(!request.headers()["x-amz-region-set"].is_sensitive());
    assert_eq!(request.headers()["authorization"], signed.authorization());
    assert!(verifier().parse(&request, now()).unwrap().with_body(b"").verify(Some(&credentials())).is_ok());
}

#[test]
fn a_form_is_not_signed_with_it() {
    use countersign::post_policy::Policy;
    let policy = Policy::new("bucket", now().saturating_add(60));
    let error = signer("*").sign_post_policy(&policy, now()).unwrap_err();
    assert_eq!(error, SignError::Scope(ScopeError::Empty { field: "region" }).into());
}

#[test]
fn explained() {
    use countersign::explain::{Cause, Explanation};
    let cause = |error: &VerifyError, format: ErrorFormat, signed: &countersign::Signed| {
        let body = error.refusal(format).body("");
        let explanation = Explanation::from_response(error.refusal(format).status(), &[], body.as_bytes(), signed);
        explanation.findings().next().map(|finding| finding.cause().clone())
    };
    let signer = signer("us-east-1");
    let request = Request::new("GET", TARGET, &[]).with_host(HOST);
    let signed = signer.sign(request, Payload::EMPTY, now()).unwrap();
    let wrong = VerifyError::WrongRegionSet { got: "us-east-1".into(), regions: vec!["us-west-2".into()] };
    let expected = Some(Cause::WrongRegion { expected: Some("us-west-2".into()) });
    assert_eq!(cause(&wrong, ErrorFormat::S3Xml, &signed), expected);
    assert_eq!(cause(&wrong, ErrorFormat::RestJson, &signed), Some(Cause::WrongRegion { expected: None }));
    for format in [ErrorFormat::S3Xml, ErrorFormat::RestJson] {
        for location in [Location::Header, Location::Query] {
            let missing = VerifyError::MissingRegionSet { location };
            assert_eq!(cause(&missing, format, &signed), Some(Cause::MalformedAuthorization), "{format:?}");
        }
    }

    // A region set that was changed on the way, and a query: named, from what the other side computed.
    let mut arrived = Arrived::signed(&signer);
    arrived.set("x-amz-region-set", "us-*");
    let error = arrived.verify(&verifier().echo_computed(), &key()).unwrap_err();
    let body = error.refusal(ErrorFormat::S3Xml).body("");
    let explanation = Explanation::from_response(403, &[], body.as_bytes(), &signed);
    let causes: Vec<_> = explanation.findings().map(|finding| finding.cause().clone()).collect();
    assert!(
        causes.iter().any(|cause| matches!(cause, Cause::HeaderChanged { name, .. } if name == "x-amz-region-set")),
        "{causes:?}"
    );
    // A request of another signer.
    let changed = arrived.replaced("us-*", "*");
    let explanation = changed.view(|request| Explanation::from_response(403, &[], body.as_bytes(), &request));
    assert!(explanation.diff().is_some());
}
