//! Checksums in the trailer: every known one in every mode, and unknown ones only if the caller names them.

use countersign::streaming::{Checksum, ChunkDecoder, ChunkError, Chunked, SignedChunked};
use countersign::{ErrorFormat, Request};

use super::{DATA, Trailers, decode, decoder_of, encode, rules, sign, sigv4a};
use crate::support::fixtures::{credentials, now, verifier, verify_head};

/// The checksums of [`DATA`], computed by Python's `hashlib`, `zlib` and `xxhash`, and bit by bit for the other CRCs.
const OF_DATA: [(Checksum, &str); 10] = [
    (Checksum::Crc32, "DjIthA=="),
    (Checksum::Crc32c, "KgkppQ=="),
    (Checksum::Crc64Nvme, "x5nkXzro4IA="),
    (Checksum::Sha1, "U3U6kytC32CAKbqtEvQWCwPcnxc="),
    (Checksum::Sha256, "XTIxZxhTYyOIm1dnjGw9STvdT1lQuSzyOKBS/vz/1cU="),
    (Checksum::Sha512, "GgIvUDI32nDMzKYr2T1zwzqBeLsZvggP/xazByxTN8WPk1FhZ2bwOS3xCKj1/lWc1V8zXJ4wIe9SdZ+o3mxQYQ=="),
    (Checksum::Md5, "MRIS6h5zad5943hJkhTDYg=="),
    (Checksum::XxHash64, "QhIFRSYa3xU="),
    (Checksum::XxHash3, "aVE7s/WJJxY="),
    (Checksum::XxHash128, "yM0k3yGaChTk3ftaNjFitA=="),
];

#[test]
fn every_checksum_works_in_every_mode() {
    for (checksum, value) in OF_DATA {
        let expected = (checksum.header_name().to_owned(), value.as_bytes().to_vec());
        let length = DATA.len() as u64;
        for chunked in [Chunked::signed(length), Chunked::unsigned(length)] {
            let chunked = chunked.with_chunk_size(16).with_checksum(checksum);
            let hmac = sign(&chunked);
            let ecdsa = sigv4a::sign(&chunked);
            for (signed, decoder) in [
                (&hmac, &(|| decoder_of(&hmac, rules()).unwrap()) as &dyn Fn() -> ChunkDecoder),
                (&ecdsa, &|| sigv4a::decoder(&ecdsa, rules())),
            ] {
                let body = encode(signed, DATA, &[]);
                assert_eq!(body.len() as u64, signed.content_length(), "{chunked:?}");
                assert_eq!(decode(decoder(), &[&body]), (DATA.to_vec(), Ok(vec![expected.clone()])), "{chunked:?}");
            }
            // Only the checksum protects the data of unsigned chunks.
            let mut changed = encode(&hmac, DATA, &[]);
            let position = changed.windows(5).position(|window| window == b"quick").unwrap();
            changed[position] ^= 1;
            let name = checksum.header_name();
            let refused = decode(decoder_of(&hmac, rules()).unwrap(), &[&changed]).1.unwrap_err();
            let mismatch = ChunkError::ChecksumMismatch { name };
            assert!(refused == mismatch || refused == ChunkError::SignatureMismatch { number: 1 }, "{refused}");
            assert_eq!(refused == mismatch, !super::chunks_are_signed(&hmac));
        }
    }
}

/// An upload with this trailer; the decoder accepts the named checksums unchecked.
fn uploaded(
    name: &str,
    value: &str,
    unchecked: &[&str],
) -> Result<(Vec<u8>, Result<Trailers, ChunkError>), ChunkError> {
    let signed = sign(&Chunked::signed(DATA.len() as u64).with_trailer(name, value.len()));
    let decoder = decoder_with_unchecked(&signed, unchecked)?;
    Ok(decode(decoder, &[&encode(&signed, DATA, &[(name, value)])]))
}

fn decoder_with_unchecked(signed: &SignedChunked, unchecked: &[&str]) -> Result<ChunkDecoder, ChunkError> {
    let headers: Vec<_> = signed.headers().map(|(name, value)| (name, value.as_bytes())).collect();
    let request = Request::new("PUT", "/key", &headers).with_host("bucket.example");
    let verifier = verifier("s3").with_rules(rules());
    let head = verify_head(&verifier, request, &credentials(), now()).unwrap();
    let decoder = head.chunk_decoder_with_unchecked(unchecked);
    if unchecked.is_empty() {
        let plain = head.chunk_decoder();
        assert_eq!(
            plain.map(|_| ()).map_err(|error| error.to_string()),
            decoder.as_ref().map(|_| ()).map_err(ToString::to_string)
        );
    }
    decoder
}

#[test]
fn an_unknown_checksum_is_refused_unless_it_is_named() {
    for name in
        ["x-amz-checksum-foo", "x-amz-checksum-crc3", "x-amz-checksum-sha10", "x-amz-checksum-type", "x-amz-checksum-"]
    {
        let refused = Err(ChunkError::UnknownChecksum { name: name.into() });
        let others = ["", "x-amz-checksum", "x-amz-checksum-*", "*", "x-amz-checksum-sha256", "foo"];
        for unchecked in [&[][..], &others] {
            for name in [name.to_owned(), name.to_uppercase()] {
                assert_eq!(uploaded(&name, "abcd", unchecked), refused, "{name} {unchecked:?}");
            }
        }
        let returned = Ok((DATA.to_vec(), Ok(vec![(name.to_owned(), b"abcd".to_vec())])));
        assert_eq!(uploaded(name, "abcd", &["x-amz-checksum-other", name]), returned);
        assert_eq!(uploaded(name, "abcd", &[&name.to_uppercase()]), returned);
    }
    // Also in addition to a verified checksum: the application may store the unknown one.
    let chunked = Chunked::signed(5).with_checksum(Checksum::Sha256).with_trailer("x-amz-checksum-foo", 1);
    let refused = decoder_with_unchecked(&sign(&chunked), &[]).unwrap_err();
    assert_eq!(refused, ChunkError::UnknownChecksum { name: "x-amz-checksum-foo".into() });
}

#[test]
fn an_available_checksum_is_verified_even_if_it_is_named() {
    for (checksum, value) in OF_DATA {
        let (name, wrong) = (checksum.header_name(), "A".repeat(value.len()));
        let refused = Ok((DATA.to_vec(), Err(ChunkError::ChecksumMismatch { name })));
        assert_eq!(uploaded(name, &wrong, &[name]), refused);
        assert!(uploaded(name, value, &[name]).unwrap().1.is_ok());
    }
}

#[test]
fn trailers_that_are_not_checksums_are_returned_as_sent() {
    for name in ["x-amz-meta-note", "x-amz-meta-x-amz-checksum-foo", "x-amz-checksumfoo", "x-amz-checksum", "my-own"] {
        let returned = Ok((DATA.to_vec(), Ok(vec![(name.to_owned(), b"abcd".to_vec())])));
        assert_eq!(uploaded(name, "abcd", &[]), returned);
    }
}

#[test]
fn the_error_names_the_trailer_and_the_fix() {
    let unknown = uploaded("x-amz-checksum-foo", "abcd", &[]).unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "\"x-amz-checksum-foo\" is not a known checksum; to accept it unchecked, pass the name to \
         chunk_decoder_with_unchecked"
    );
    let long = format!("x-amz-checksum-{}", "f".repeat(600));
    let ChunkError::UnknownChecksum { name } = uploaded(&long, "abcd", &[]).unwrap_err() else { panic!() };
    assert!(name.len() < 200, "{}", name.len());
    let unavailable = ChunkError::ChecksumUnavailable { name: "x-amz-checksum-md5", feature: "md5" };
    for error in [unknown, unavailable] {
        let refusal = error.refusal(ErrorFormat::S3Xml);
        assert_eq!(
            (refusal.status(), refusal.code(), refusal.message()),
            (400, "InvalidRequest", "The value specified in the x-amz-trailer header is not supported")
        );
    }
}
