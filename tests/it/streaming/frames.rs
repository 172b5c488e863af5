//! Chunks compared with a naive implementation of the specification, and split at any position.

use base64ct::{Base64, Encoding};
use countersign::streaming::{Checksum, Chunked};
use sha2::{Digest, Sha256};

use super::{decode, decoder_of, encode, modes, rules, sign};
use crate::support::fixtures::{SECRET, TIME, at};
use crate::support::naive;
use crate::support::random::Random;

/// Encodes chunks as specified, in the simplest way.
pub(super) fn naive_body(seed: &str, data: &[u8], size: usize, signed: bool, trailers: &[(String, String)]) -> Vec<u8> {
    let link = |kind: &str, previous: &str, hashes: Vec<String>| {
        let mut rest = vec![previous.to_owned()];
        rest.extend(hashes);
        naive::signature_of(SECRET, TIME, "us-east-1", "s3", kind, &rest)
    };
    let (mut body, mut previous) = (Vec::new(), seed.to_owned());
    for chunk in data.chunks(size).chain([&[][..]]) {
        body.extend(format!("{:x}", chunk.len()).bytes());
        if signed {
            let hashes = vec![naive::sha256_hex(b""), naive::sha256_hex(chunk)];
            previous = link("AWS4-HMAC-SHA256-PAYLOAD", &previous, hashes);
            body.extend(format!(";chunk-signature={previous}").bytes());
        }
        body.extend(b"\r\n");
        body.extend(chunk);
        if !chunk.is_empty() {
            body.extend(b"\r\n");
        }
    }
    let mut lines: Vec<String> = trailers.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
    lines.sort();
    for (name, value) in trailers {
        body.extend(format!("{name}:{value}\r\n").bytes());
    }
    if signed && !trailers.is_empty() {
        let hash = naive::sha256_hex(lines.concat().as_bytes());
        let signature = link("AWS4-HMAC-SHA256-TRAILER", &previous, vec![hash]);
        body.extend(format!("x-amz-trailer-signature:{signature}\r\n").bytes());
    }
    body.extend(b"\r\n");
    body
}

#[test]
fn every_mode_matches_the_naive_implementation_and_decodes_to_the_data() {
    let mut random = Random(7);
    for length in [0, 1, 15, 16, 17, 32, 33, 1000] {
        let data: Vec<u8> = (0..length).map(|_| random.below(256) as u8).collect();
        for (chunked, given) in modes(length as u64) {
            for size in [1, 16, 65_536] {
                let chunked = chunked.clone().with_chunk_size(size);
                let signed = sign(&chunked);
                let body = encode(&signed, &data, &given);
                assert_eq!(body.len() as u64, signed.content_length(), "{chunked:?}");

                let announced = signed.headers().find(|(name, _)| *name == "x-amz-trailer").map(|(_, names)| names);
                let (received, trailers) = decode(decoder_of(&signed, rules()).unwrap(), &[&body]);
                let trailers = trailers.unwrap();
                assert_eq!(received, data, "{chunked:?}");
                let trailers: Vec<(String, String)> =
                    trailers.into_iter().map(|(name, value)| (name, String::from_utf8(value).unwrap())).collect();
                let names: Vec<&str> = trailers.iter().map(|(name, _)| name.as_str()).collect();
                assert_eq!(names.join(","), announced.unwrap_or_default());
                for (name, value) in &trailers {
                    match name.as_str() {
                        "x-amz-meta-note" => assert_eq!(value, " a:b "),
                        "x-amz-checksum-sha256" => {
                            assert_eq!(*value, Base64::encode_string(&Sha256::digest(&data)));
                        }
                        _ => assert!(name.starts_with("x-amz-checksum-"), "{name}"),
                    }
                }
                let is_signed = crate::streaming::chunks_are_signed(&signed);
                let seed = signed.signed().signature().to_hex();
                let expected = naive_body(&seed, &data, size, is_signed, &trailers);
                assert_eq!(String::from_utf8_lossy(&body), String::from_utf8_lossy(&expected), "{chunked:?}");
            }
        }
    }
}

#[test]
fn any_split_of_data_and_of_chunks_gives_the_same_result() {
    let mut random = Random(11);
    let data: Vec<u8> = (0..300).map(|_| random.below(256) as u8).collect();
    for (chunked, given) in modes(300) {
        let signed = sign(&chunked.with_chunk_size(64));
        let whole = encode(&signed, &data, &given);
        let mut splits: Vec<Vec<usize>> = vec![vec![1; whole.len()], vec![2; whole.len()], vec![7; whole.len()]];
        splits.extend((0..60).map(|_| (0..whole.len()).map(|_| random.below(90)).collect()));
        for split in splits {
            let (mut encoder, mut body, mut rest) = (signed.encoder(), Vec::new(), data.as_slice());
            for length in &split {
                let (piece, after) = rest.split_at((*length).min(rest.len()));
                encoder.push(piece, |piece| body.extend_from_slice(piece)).unwrap();
                rest = after;
            }
            encoder.push(rest, |piece| body.extend_from_slice(piece)).unwrap();
            given.iter().for_each(|(name, value)| encoder.set_trailer(name, value).unwrap());
            encoder.finish(|piece| body.extend_from_slice(piece)).unwrap();
            assert_eq!(body, whole);

            let mut pieces = Vec::new();
            let mut rest = whole.as_slice();
            for length in &split {
                let (piece, after) = rest.split_at((*length).min(rest.len()));
                pieces.push(piece);
                rest = after;
            }
            pieces.push(rest);
            let (received, trailers) = decode(decoder_of(&signed, rules()).unwrap(), &pieces);
            assert_eq!(received, data);
            assert!(trailers.is_ok(), "{trailers:?}");
        }
    }
}

/// The example of the S3 API reference, byte for byte: seed, three chunks, and with a trailer.
#[test]
fn the_example_of_the_documentation_is_reproduced() {
    use countersign::{Credentials, Request, Signer};

    let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY").unwrap();
    let headers = [("x-amz-storage-class", b"REDUCED_REDUNDANCY".as_slice())];
    let request = Request::new("PUT", "/examplebucket/chunkObject.txt", &headers).with_host("s3.amazonaws.com");
    let data = vec![b'a'; 66_560];
    let body_of = |chunked: Chunked, also: &[&str]| {
        let signer = Signer::new(credentials.clone(), "us-east-1", "s3").unwrap().also_sign(also.iter().copied());
        let signed = signer.sign_chunked(request, &chunked, at("20130524T000000Z")).unwrap();
        (signed.signed().signature().to_hex(), encode(&signed, &data, &[]))
    };
    let (seed, body) = body_of(Chunked::signed(66_560), &["content-encoding", "content-length"]);
    assert_eq!(seed, "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
    let mut expected = Vec::new();
    for (length, signature) in [
        (65_536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
        (1024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
        (0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
    ] {
        expected.extend(format!("{length:x};chunk-signature={signature}\r\n").bytes());
        expected.extend(&data[..length]);
        expected.extend(b"\r\n");
    }
    assert_eq!(body.len(), 66_824);
    assert!(body == expected);

    let (seed, body) = body_of(Chunked::signed(66_560).with_checksum(Checksum::Crc32c), &["content-encoding"]);
    assert_eq!(seed, "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e");
    let end = "0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n\
               x-amz-checksum-crc32c:sOO8/Q==\r\n\
               x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n";
    assert!(body.ends_with(end.as_bytes()));
}
