//! What the decoder and the encoder accept, and the errors for everything else.

use countersign::streaming::{Checksum, ChunkDecoder, ChunkError, Chunked, EncodeError, SignedChunked};
use countersign::{
    ErrorFormat, Limits, Payload, Request, RequestError, Rules, SignError, StreamingPayload, UnsignedPayload,
    VerifyError,
};

use super::frames::naive_body;
use super::{DATA, decode, decoder_of, decoder_of_headers, decoder_within, encode, rules, sign, signer};
use crate::support::fixtures::{Headers, added, credentials, now, verifier, verify_head, views};

/// Decodes the body of an unsigned upload of `length` bytes. It is not signed, so it can be written by hand.
fn unsigned(length: u64, body: &[u8], rules: Rules) -> (Vec<u8>, Result<(), ChunkError>) {
    let signed = sign(&Chunked::unsigned(length).with_checksum(Checksum::Sha256));
    let (data, end) = decode(decoder_of(&signed, rules).unwrap(), &[body]);
    (data, end.map(|_| ()))
}

const OF_ABC: &str = "x-amz-checksum-sha256:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=";

#[test]
fn bodies_that_are_accepted() {
    for body in [
        "3\r\nabc\r\n0\r\nTRAILER\r\n\r\n",
        "3\r\nabc\r\n0\r\nTRAILER\r\n",
        "3\r\nabc\r\n0\r\nTRAILER",
        "3\r\nabc\r\n0\r\nTRAILER\n\r\n\r\n",
        "3\r\nabc\r\n0\r\nTRAILER\n\n",
        "03\r\nabc\r\n00\r\nTRAILER\r\n\r\n",
        "2\r\nab\r\n1\r\nc\r\n0\r\nTRAILER\r\n\r\n",
    ] {
        for trailer in [OF_ABC.to_owned(), OF_ABC.to_uppercase().replace(&OF_ABC[21..].to_uppercase(), &OF_ABC[21..])] {
            let body = body.replace("TRAILER", &trailer);
            assert_eq!(unsigned(3, body.as_bytes(), rules()), (b"abc".to_vec(), Ok(())), "{body:?}");
        }
    }
    let digits = "A\r\n0123456789\r\n0\r\n";
    assert_eq!(unsigned(10, digits.as_bytes(), rules()).1.unwrap_err().to_string(), missing("x-amz-checksum-sha256"));
}

#[test]
fn bodies_that_are_refused() {
    let trailer = format!("{OF_ABC}\r\n\r\n");
    let malformed = |got: &str| ChunkError::MalformedHeader { got: got.into() };
    for (body, error) in [
        ("3\nabc\r\n0\r\n".to_owned(), malformed("3\u{fffd}")),
        ("\r\n".into(), malformed("")),
        ("3;a=b\r\nabc\r\n0\r\n".into(), malformed("3;a=b")),
        ("3 \r\nabc\r\n0\r\n".into(), malformed("3 ")),
        ("3\r\nabcd\r\n".into(), ChunkError::MalformedEnd { number: 1 }),
        ("3\r\nabc0\r\n".into(), ChunkError::MalformedEnd { number: 1 }),
        ("3\r\nabc\n0\r\n".into(), ChunkError::MalformedEnd { number: 1 }),
        ("4\r\nabcd\r\n".into(), ChunkError::DecodedLength { announced: 3, received: 4 }),
        ("2\r\nab\r\n0\r\n".into(), ChunkError::DecodedLength { announced: 3, received: 2 }),
        ("2\r\nab\r\n2\r\ncd\r\n".into(), ChunkError::DecodedLength { announced: 3, received: 4 }),
        ("ffffffffffffffff\r\n".into(), ChunkError::DecodedLength { announced: 3, received: u64::MAX }),
        ("3\r\nab".into(), ChunkError::Truncated),
        ("3\r\nabc".into(), ChunkError::Truncated),
        ("3\r\nabc\r\n".into(), ChunkError::Truncated),
        ("3\r\nabc\r\n0".into(), ChunkError::Truncated),
        ("3\r\nabc\r\n0\r".into(), ChunkError::Truncated),
        ("3\r\nabc\r\n0\r\nx\r\n\r\n".into(), ChunkError::MalformedTrailer),
        ("3\r\nabc\r\n0\r\nx:y\r\n\r\n".into(), ChunkError::UnexpectedTrailer { name: "x".into() }),
        (
            format!("3\r\nabc\r\n0\r\n{OF_ABC}\r\n{trailer}"),
            ChunkError::RepeatedTrailer { name: "x-amz-checksum-sha256".into() },
        ),
        (
            format!("3\r\nabc\r\n0\r\n{OF_ABC}\r\nx-amz-trailer-signature:{}\r\n\r\n", "0".repeat(64)),
            ChunkError::UnexpectedTrailer { name: "x-amz-trailer-signature".into() },
        ),
        (format!("3\r\nabd\r\n0\r\n{trailer}"), ChunkError::ChecksumMismatch { name: "x-amz-checksum-sha256" }),
        (
            format!("3\r\nabc\r\n0\r\n{}", trailer.replace("=", "")),
            ChunkError::ChecksumMismatch { name: "x-amz-checksum-sha256" },
        ),
        (format!("3\r\nabc\r\n0\r\n{trailer}\r\n\r\n\r\n"), ChunkError::BytesAfterEnd),
        (format!("3\r\nabc\r\n0\r\n{trailer} "), ChunkError::BytesAfterEnd),
        (format!("3\r\nabc\r\n0\r\n{trailer}3\r\nabc\r\n"), ChunkError::BytesAfterEnd),
        ("9".repeat(2000), ChunkError::HeaderTooLong { limit: 1024 }),
        (format!("3\r\nabc\r\n0\r\n{OF_ABC}{}", " ".repeat(17_000)), ChunkError::TrailerTooLong { limit: 16_384 }),
        (format!("3\r\nabc\r\n0\r\n{OF_ABC}{}\r\n", " ".repeat(17_000)), ChunkError::TrailerTooLong { limit: 16_384 }),
    ] {
        assert_eq!(unsigned(3, body.as_bytes(), rules()).1, Err(error), "{body:?}");
    }
}

#[test]
fn only_the_last_chunk_may_be_small() {
    let (a, b) = ("a".repeat(8191), "b".repeat(8192));
    let end = "0\r\nx-amz-checksum-sha256:";
    let (_, small_first) = unsigned(16_383, format!("1fff\r\n{a}\r\n2000\r\n{b}\r\n{end}").as_bytes(), Rules::S3);
    assert_eq!(small_first, Err(ChunkError::TooSmall { length: 8191, limit: 8192 }));
    let (_, small_last) = unsigned(16_383, format!("2000\r\n{b}\r\n1fff\r\n{a}\r\n{end}x\r\n").as_bytes(), Rules::S3);
    assert_eq!(small_last, Err(ChunkError::ChecksumMismatch { name: "x-amz-checksum-sha256" }));
}

/// The SDK for Go and AWS's C runtime send a body of any length as one unsigned chunk, which is not buffered.
#[test]
fn an_unsigned_chunk_may_be_as_large_as_the_body() {
    const LENGTH: usize = (16 << 20) + 1;
    let signed = sign(&Chunked::unsigned(LENGTH as u64).with_checksum(Checksum::Sha256));
    let mut decoder = decoder_of(&signed, Rules::S3).unwrap();
    let mut received = 0;
    decoder.push(format!("{LENGTH:x}\r\n").as_bytes(), |_| panic!("released")).unwrap();
    for piece in vec![0; LENGTH].chunks(1 << 20) {
        decoder.push(piece, |data| received += data.len()).unwrap();
    }
    assert_eq!(received, LENGTH);
    decoder.push(b"\r\n0\r\n", |_| panic!("released")).unwrap();
    assert_eq!(decoder.finish().unwrap_err().to_string(), missing("x-amz-checksum-sha256"));
}

fn missing(name: &str) -> String {
    format!("the trailer {name:?}, which x-amz-trailer names, is missing")
}

#[test]
fn a_signed_chunk_may_not_exceed_the_limit() {
    let signed = sign(&Chunked::signed(16_384));
    let mut limits = Limits::default();
    limits.max_chunk_size = 8192;
    let header = format!("2001;chunk-signature={}\r\n", "0".repeat(64));
    let (data, end) = decode(decoder_within(&signed, Rules::S3, limits).unwrap(), &[header.as_bytes()]);
    assert_eq!((data, end), (vec![], Err(ChunkError::TooLarge { length: 8193, limit: 8192 })));
}

/// A verifier that refuses unsigned bodies refuses unsigned chunks, and reports that the signature does not cover the
/// body.
#[test]
fn unsigned_chunks_are_an_unsigned_body() {
    let unsigned = sign(&Chunked::unsigned(3).with_checksum(Checksum::Sha256));
    let signed = sign(&Chunked::signed(3));
    let verify = |signed: &SignedChunked, rules: Rules| {
        let headers: Vec<_> = signed.headers().map(|(name, value)| (name, value.as_bytes())).collect();
        let request = Request::new("PUT", "/key", &headers).with_host("bucket.example");
        let verifier = verifier("s3").with_rules(rules);
        verify_head(&verifier, request, &credentials(), now()).map(|head| head.payload().is_unsigned())
    };
    assert_eq!(verify(&unsigned, Rules::S3), Ok(true));
    assert_eq!(verify(&signed, Rules::S3), Ok(false));
    let mut rules = Rules::S3;
    rules.unsigned_payload = UnsignedPayload::Refused;
    let got = "STREAMING-UNSIGNED-PAYLOAD-TRAILER".into();
    assert_eq!(verify(&unsigned, rules), Err(VerifyError::InvalidContentSha256 { got }));
    assert_eq!(verify(&signed, rules), Ok(false));
}

/// A trailer that decoders refuse is not sent, and its length does not overflow.
#[test]
fn a_trailer_that_is_too_long_is_not_announced() {
    let view = Request::new("PUT", "/key", &[]).with_host("bucket.example");
    let sign = |length| signer().sign_chunked(view, &Chunked::signed(3).with_trailer("x-note", length), now());
    for length in [usize::MAX, usize::MAX - 8, 1 << 32, 16_384, 16_300] {
        let error = sign(length).unwrap_err();
        assert_eq!(error, EncodeError::TrailerTooLong { limit: 16_384 }, "{length}");
    }
    let two = Chunked::signed(3).with_trailer("x-a", usize::MAX / 2).with_trailer("x-b", usize::MAX / 2 + 8);
    assert!(signer().sign_chunked(view, &two, now()).is_err());

    // 9 bytes of name, colon and line end; 90 of the signature line; 2 of the line end after it.
    let longest = 16_384 - 9 - 90 - 2;
    assert!(sign(longest + 1).is_err());
    let signed = sign(longest).unwrap();
    let value = "v".repeat(longest);
    let body = encode(&signed, b"abc", &[("x-note", &value)]);
    let (data, end) = decode(decoder_of(&signed, Rules::S3).unwrap(), &[&body]);
    assert_eq!((data.as_slice(), end.map(|trailers| trailers.len())), (b"abc".as_slice(), Ok(1)));
}

#[test]
fn lengths_of_any_size_do_not_overflow() {
    let view = Request::new("PUT", "/key", &[]).with_host("bucket.example");
    let mut limits = Limits::default();
    limits.max_chunk_size = u64::MAX;
    for size in [8192, usize::MAX] {
        let chunked = Chunked::signed(u64::MAX).with_chunk_size(size).with_checksum(Checksum::Sha256);
        let signed = signer().with_rules(Rules::S3).with_limits(limits).sign_chunked(view, &chunked, now()).unwrap();
        assert_eq!(signed.content_length(), u64::MAX);
        assert!(signed.encoder().push(&[0; 100], |_| {}).is_ok());
    }
}

/// The headers of a signed request, and its signature.
fn seed_of(headers: &[(&str, &str)], payload: Payload<'_>) -> (Headers, String) {
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    let view = Request::new("PUT", "/key", &headers).with_host("bucket.example");
    let signed = signer().sign(view, payload, now()).unwrap();
    let mut all: Headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.to_vec())).collect();
    all.extend(added(&signed));
    (all, signed.signature().to_hex())
}

fn decoder_for(headers: &[(&str, &str)], payload: Payload<'_>, rules: Rules) -> Result<ChunkDecoder, ChunkError> {
    decoder_of_headers(&views(&seed_of(headers, payload).0), rules)
}

#[test]
fn the_headers_that_describe_the_body_are_checked() {
    let mut strict = rules();
    strict.ignore_unused_trailer = false;
    let request = |headers: &[(&str, &str)], payload| decoder_for(headers, payload, strict).map(|_| ());
    let signed = Payload::Streaming(StreamingPayload::Signed);
    let trailer = Payload::Streaming(StreamingPayload::UnsignedTrailer);
    const LENGTH: &str = "x-amz-decoded-content-length";
    assert_eq!(request(&[(LENGTH, "3")], signed), Ok(()));
    assert_eq!(request(&[(LENGTH, "3"), ("X-Amz-Trailer", "a , b")], trailer), Ok(()));
    assert_eq!(request(&[], signed), Err(ChunkError::MissingDecodedLength));
    for got in ["", "-1", "+1", "1x", "0x1", "18446744073709551616", "1,1"] {
        assert_eq!(request(&[(LENGTH, got)], signed), Err(ChunkError::InvalidDecodedLength { got: got.into() }));
    }
    let twice = request(&[(LENGTH, "3"), (LENGTH, "3")], signed);
    assert_eq!(twice, Err(ChunkError::InvalidDecodedLength { got: "3".into() }));
    let of = |got: &str| Err(ChunkError::InvalidTrailerHeader { got: got.into() });
    assert_eq!(request(&[(LENGTH, "3"), ("x-amz-trailer", "a")], signed), of("a"));
    assert_eq!(request(&[(LENGTH, "3")], trailer), of(""));
    assert_eq!(request(&[(LENGTH, "3"), ("x-amz-trailer", "a,a")], trailer), of("a,a"));
    assert_eq!(request(&[(LENGTH, "3")], Payload::Streaming(StreamingPayload::Events)), Err(ChunkError::EventStream));
    assert_eq!(request(&[], Payload::EMPTY), Err(ChunkError::NotChunked));
}

/// The Java SDK v2 sends such a header.
#[test]
fn a_trailer_announced_without_a_trailer_mode_is_ignored_by_s3_and_refused_elsewhere() {
    let headers =
        [("content-encoding", "aws-chunked"), ("x-amz-decoded-content-length", "0"), ("x-amz-trailer", "a,,")];
    let signed = Payload::Streaming(StreamingPayload::Signed);
    for (service, ignored) in [
        ("s3", true),
        ("s3express", true),
        ("s3-outposts", true),
        ("s3-object-lambda", true),
        ("transcribe", false),
        ("lex", false),
        ("dynamodb", false),
    ] {
        let mut rules = rules();
        rules.ignore_unused_trailer = Rules::for_service(service).ignore_unused_trailer;
        let decoder = decoder_for(&headers, signed, rules);
        assert_eq!(decoder.is_ok(), ignored, "{service}");
        assert!(ignored || decoder.unwrap_err() == ChunkError::InvalidTrailerHeader { got: "a,,".into() });
    }
}

/// The header has no effect: the body must not have a trailer.
#[test]
fn an_ignored_trailer_header_has_no_effect_on_the_body() {
    let length = DATA.len().to_string();
    let headers = [("x-amz-decoded-content-length", length.as_str()), ("x-amz-trailer", "x-amz-checksum-sha256")];
    let payload = Payload::Streaming(StreamingPayload::Signed);
    let (_, seed) = seed_of(&headers, payload);
    let body = naive_body(&seed, DATA, 16, true, &[]);
    let decoder = || decoder_for(&headers, payload, rules()).unwrap();
    assert_eq!(decode(decoder(), &[&body]), (DATA.to_vec(), Ok(vec![])));
    let trailer = [("x-amz-checksum-sha256".into(), "7e0dHzw==".into())];
    let with_trailer = naive_body(&seed, DATA, 16, true, &trailer);
    assert_eq!(decode(decoder(), &[&with_trailer]), (DATA.to_vec(), Err(ChunkError::BytesAfterEnd)));
}

#[test]
fn a_presigned_request_with_chunks_is_refused_in_both_directions() {
    let view = Request::new("PUT", "/key", &[]).with_host("bucket.example");
    let payload = Payload::Streaming(StreamingPayload::Signed);
    let presigned = signer().presign_payload(view, payload, std::time::Duration::from_secs(60), now());
    assert!(matches!(presigned, Err(SignError::PresignedStreaming { streaming: StreamingPayload::Signed })));

    // A URL with a valid signature, and a header, signed or not, that announces chunks.
    let presigned = signer().presign(view, std::time::Duration::from_secs(60), now()).unwrap();
    for streaming in ["STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"] {
        let headers = [("x-amz-content-sha256", streaming.as_bytes())];
        let view = Request::new("PUT", presigned.target(), &headers).with_host("bucket.example");
        let refused = verifier("s3").parse(view, now()).unwrap_err();
        assert_eq!(refused, VerifyError::InvalidContentSha256 { got: streaming.into() });
    }
}

#[test]
fn invalid_input_of_the_encoder_is_refused() {
    let view = Request::new("PUT", "/key", &[]).with_host("bucket.example");
    let s3 = signer().with_rules(Rules::S3);
    let error = |chunked: Chunked| match s3.sign_chunked(view, &chunked, now()) {
        Err(error) => error,
        Ok(signed) => panic!("{signed:?}"),
    };
    let size = |size| EncodeError::ChunkSize { size, least: 8192, most: 16_777_216 };
    assert_eq!(error(Chunked::signed(5).with_chunk_size(0)), size(0));
    assert_eq!(error(Chunked::signed(8192).with_chunk_size(8191)), size(8191));
    assert_eq!(error(Chunked::signed(5).with_chunk_size(16_777_217)), size(16_777_217));
    assert!(s3.sign_chunked(view, &Chunked::signed(8191).with_chunk_size(8191), now()).is_ok());
    assert_eq!(error(Chunked::unsigned(5)), EncodeError::NoTrailer);
    for name in ["", "a b", "a:b", "ü", "a\r\nb", "x-amz-trailer-signature", "X-Amz-Trailer-Signature"] {
        let got = name.to_ascii_lowercase().replace(['\r', '\n'], "\u{fffd}");
        assert_eq!(error(Chunked::signed(5).with_trailer(name, 1)), EncodeError::TrailerName { name: got });
    }
    let twice = Chunked::signed(5).with_checksum(Checksum::Sha256).with_trailer("X-Amz-Checksum-SHA256", 1);
    assert_eq!(error(twice), EncodeError::TrailerName { name: "x-amz-checksum-sha256".into() });

    let chunked = Chunked::signed(5).with_trailer("X-Note", 2).with_checksum(Checksum::Sha256);
    let mut encoder = sign(&chunked).encoder();
    let more = EncodeError::DecodedLength { announced: 5, given: 6 };
    assert_eq!(encoder.push(b"123456", |_| panic!("handed over")), Err(more));
    encoder.push(b"12", |_| {}).unwrap();
    assert_eq!(encoder.finish(|_| panic!("handed over")), Err(EncodeError::DecodedLength { announced: 5, given: 2 }));
    encoder.push(b"345", |_| {}).unwrap();
    assert_eq!(encoder.finish(|_| panic!("handed over")), Err(EncodeError::MissingTrailer { name: "x-note".into() }));
    for value in ["", "1", "123", "1\n", "\r1", "1\0"] {
        let refused = EncodeError::TrailerValue { name: "x-note".into(), announced: 2 };
        assert_eq!(encoder.set_trailer("x-NOTE", value), Err(refused), "{value:?}");
    }
    for name in ["other", "x-amz-checksum-sha256"] {
        assert_eq!(encoder.set_trailer(name, "12"), Err(EncodeError::UnannouncedTrailer { name: name.into() }));
    }
    encoder.set_trailer("X-Note", "12").unwrap();
    encoder.set_trailer("X-Note", "34").unwrap();
    let mut end = Vec::new();
    encoder.finish(|piece| end.extend_from_slice(piece)).unwrap();
    assert!(end.starts_with(b"5;chunk-signature="));
    assert!(String::from_utf8_lossy(&end).contains("\r\nx-note:34\r\n"));
    assert_eq!(encoder.finish(|_| {}), Err(EncodeError::Finished));
    assert_eq!(encoder.push(b"", |_| {}), Err(EncodeError::Finished));
}

#[test]
fn request_headers_are_replaced_but_content_encodings_are_kept() {
    let headers = [
        ("Content-Length", b"5".as_slice()),
        ("content-encoding", b"gzip"),
        ("Content-Encoding", b"AWS-Chunked, br"),
        ("X-Amz-Decoded-Content-Length", b"9"),
        ("x-amz-trailer", b"other"),
        ("x-amz-content-sha256", b"UNSIGNED-PAYLOAD"),
    ];
    let view = Request::new("PUT", "/key", &headers).with_host("bucket.example");
    let signed = signer().sign_chunked(view, &Chunked::signed(5), now()).unwrap();
    let header = |wanted: &str| signed.headers().find(|(name, _)| *name == wanted).map(|(_, value)| value.to_owned());
    assert_eq!(header("content-encoding").unwrap(), "aws-chunked,gzip,br");
    assert_eq!(header("content-length"), Some(encode(&signed, b"hello", &[]).len().to_string()));
    assert_eq!(header("x-amz-decoded-content-length").unwrap(), "5");
    assert_eq!(header("x-amz-content-sha256").unwrap(), "STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
    assert_eq!(header("x-amz-trailer"), None);
    assert!(!signed.signed().canonical_request().raw().to_string().contains("other"));
    assert!(format!("{signed:?} {:?}", signed.encoder()).len() < 2000);
}

/// A content encoding that is not ASCII would be changed; the error shows the original byte.
#[test]
fn a_content_encoding_that_is_not_ascii_is_refused() {
    let refused = |error: EncodeError| {
        let name = "content-encoding".into();
        assert_eq!(error, EncodeError::Sign(SignError::Request(RequestError::HeaderValue { name, byte: 0xfc })));
    };
    let headers = [("content-encoding", b"gzip".as_slice()), ("Content-Encoding", b"z\xfc\xff")];
    let view = Request::new("PUT", "/key", &headers).with_host("bucket.example");
    refused(signer().sign_chunked(view, &Chunked::signed(5), now()).unwrap_err());
    #[cfg(feature = "http-body")]
    {
        let value = http::HeaderValue::from_bytes(b"z\xfc\xff").unwrap();
        let request = http::Request::put("https://bucket.example/key").header("content-encoding", value);
        let request = request.body(()).unwrap();
        refused(signer().sign_chunked(&request, &Chunked::signed(5), now()).unwrap_err());
        assert_eq!(request.headers().len(), 1);
    }
}

#[test]
fn refusals_have_the_wording_of_s3() {
    let answers = [
        (ChunkError::MissingDecodedLength, 411, "MissingContentLength"),
        (ChunkError::InvalidDecodedLength { got: "x".into() }, 400, "InvalidArgument"),
        (ChunkError::InvalidTrailerHeader { got: "x".into() }, 400, "InvalidRequest"),
        (ChunkError::SignatureMismatch { number: 1 }, 403, "SignatureDoesNotMatch"),
        (ChunkError::TrailerSignatureMismatch, 403, "SignatureDoesNotMatch"),
        (ChunkError::TooSmall { length: 1, limit: 8192 }, 400, "InvalidChunkSizeError"),
        (ChunkError::TooLarge { length: 1, limit: 8192 }, 400, "InvalidChunkSizeError"),
        (ChunkError::Truncated, 400, "IncompleteBody"),
        (ChunkError::DecodedLength { announced: 1, received: 2 }, 400, "IncompleteBody"),
        (ChunkError::MalformedTrailer, 400, "MalformedTrailerError"),
        (ChunkError::MissingTrailerSignature, 400, "MalformedTrailerError"),
        (ChunkError::ChecksumMismatch { name: "x-amz-checksum-sha256" }, 400, "BadDigest"),
    ];
    for (error, status, code) in answers {
        assert_eq!(
            (error.refusal(ErrorFormat::S3Xml).status(), error.refusal(ErrorFormat::S3Xml).code()),
            (status, code),
            "{error}"
        );
        assert!(error.refusal(ErrorFormat::S3Xml).body("id").contains(code));
        for format in [ErrorFormat::RestJson, ErrorFormat::QueryXml] {
            assert_eq!(error.refusal(format).status(), status);
        }
        for format in [ErrorFormat::AwsJson1_0, ErrorFormat::AwsJson1_1] {
            assert_eq!(error.refusal(format).status(), if status == 403 { 400 } else { status });
            assert!(error.refusal(format).body("id").contains(error.refusal(format).code()));
        }
    }
    for (error, answers) in [
        (
            ChunkError::SignatureMismatch { number: 1 },
            [
                (
                    ErrorFormat::RestJson,
                    403,
                    "InvalidSignatureException",
                    "Check your AWS Secret Access Key and signing method.",
                ),
                (
                    ErrorFormat::QueryXml,
                    403,
                    "SignatureDoesNotMatch",
                    "Check your AWS Secret Access Key and signing method.",
                ),
                (
                    ErrorFormat::AwsJson1_1,
                    400,
                    "InvalidSignatureException",
                    "Check your AWS Secret Access Key and signing method.",
                ),
                (ErrorFormat::S3Xml, 403, "SignatureDoesNotMatch", "Check your key and signing method."),
            ],
        ),
        (
            ChunkError::NotChunked,
            [
                (ErrorFormat::RestJson, 500, "InternalFailure", "Internal failure"),
                (ErrorFormat::AwsJson1_1, 500, "InternalFailure", "Internal failure"),
                (ErrorFormat::QueryXml, 500, "InternalFailure", "Internal failure"),
                (ErrorFormat::S3Xml, 500, "InternalError", "We encountered an internal error. Please try again."),
            ],
        ),
    ] {
        for (format, status, code, text) in answers {
            let refusal = error.refusal(format);
            assert_eq!((refusal.status(), refusal.code()), (status, code), "{format:?}");
            assert!(refusal.message().contains(text), "{format:?}: {}", refusal.message());
        }
    }
    let small = ChunkError::TooSmall { length: 1, limit: 8192 };
    assert_eq!(
        small.refusal(ErrorFormat::S3Xml).message(),
        "Only the last chunk is allowed to have a size less than 8192 bytes"
    );
}
