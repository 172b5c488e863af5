use alloc::string::String;

use super::*;
use crate::sigv4::canonical_request::QueryIndex;

const SIGNATURE: &str = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";

fn header(parameters: &str) -> String {
    alloc::format!("AWS4-HMAC-SHA256 {parameters}").replace("SIG", SIGNATURE)
}

#[test]
fn spaces_and_parameter_order_do_not_matter() {
    for text in [
        "Credential=AK/20150830/r/s/aws4_request, SignedHeaders=a;host, Signature=SIG",
        "Credential=AK/20150830/r/s/aws4_request,SignedHeaders=a;host,Signature=SIG",
        "  Signature=SIG ,  SignedHeaders=a;host ,Credential=AK/20150830/r/s/aws4_request ",
    ] {
        let header = header(text);
        let claims = read(header.as_bytes()).unwrap();
        assert_eq!(claims.signed_headers(), b"a;host");
        assert_eq!(claims.access_key_id(), "AK");
        let scope = claims.scope();
        assert_eq!((scope.date(), scope.region(), scope.service()), ("20150830", "r", "s"));
        assert_eq!(claims.terminator(), "aws4_request");
        assert_eq!(claims.signature().to_hex(), SIGNATURE);
    }
    let header = header("Credential=a/b//c/d/r/s/t, SignedHeaders=host, Signature=SIG");
    assert_eq!(read(header.as_bytes()).unwrap().access_key_id(), "a/b//c");
    let header = self::header("Credential=a/20150830//s/t, SignedHeaders=host, Signature=SIG");
    let claims = read(header.as_bytes()).unwrap();
    let scope = claims.scope();
    assert_eq!((claims.access_key_id(), scope.date(), scope.region()), ("a", "20150830", ""));
}

#[test]
fn malformed_headers_are_refused() {
    let good = "Credential=AK/20150830/r/s/aws4_request, SignedHeaders=a;host, Signature=SIG";
    for (from, to) in [
        ("Signature=SIG", "Signature=SIG,"),
        ("Signature=SIG", ",Signature=SIG"),
        ("Signature=SIG", "Signature=SIG, Signature=SIG"),
        ("Signature=SIG", "Signature=SIG, X=y"),
        ("Signature=SIG", "signature=SIG"),
        ("Signature=SIG", "Signature = SIG"),
        ("Signature=SIG", "Signature=\"SIG\""),
        ("Signature=SIG", "Signature=SIG0"),
        ("Signature=SIG", "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5D7"),
        ("Signature=SIG", "Signature="),
        (", Signature=SIG", ""),
        ("a;host", ""),
        ("a;host", ";host"),
        ("a;host", "host;"),
        ("a;host", "a;;host"),
        ("a;host", "host;a"),
        ("a;host", "a;a;host"),
        ("a;host", "a;Host"),
        ("a;host", "a; host"),
        ("a;host", "a:b;host"),
        ("AK/", "/"),
        ("AK/", ""),
        ("AK/", "A K/"),
        ("AK/", "AK\u{7f}/"),
        ("/20150830/", "//"),
        ("/20150830/r/", "///"),
        ("/s/", "//"),
        ("/r/s/", "///"),
        ("aws4_request", ""),
        ("/s/aws4_request", ""),
        ("Credential=", "Credential "),
        ("Credential=", "Credential=x, Credential="),
    ] {
        assert!(good.contains(from));
        assert!(read(header(&good.replacen(from, to, 1)).as_bytes()).is_err(), "{from} -> {to}");
    }
    for text in ["", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA25 x", "AWS4-HMAC-SHA2566 x", "aws4-hmac-sha256 x", "AWS x"] {
        assert!(read(text.as_bytes()).is_err(), "{text}");
    }
    assert_eq!(
        read(b"AWS4-HMAC-SHA256 ").map(|_| ()),
        Err(ClaimError::Missing { names: alloc::vec!["Credential", "Signature", "SignedHeaders"] })
    );
}

/// The error for bytes that are not text comes before any other error of a header, wherever they are.
#[test]
fn a_header_that_is_not_utf8_has_no_parameters() {
    let good = header("Credential=AK/20150830/r/s/aws4_request, SignedHeaders=a;host, Signature=SIG");
    for position in 0..=good.len() {
        let mut bytes = good.clone().into_bytes();
        bytes.insert(position, 0xff);
        assert_eq!(read(&bytes).map(|_| ()), Err(ClaimError::NotKeyValue), "{position}");
        let mut text = good.clone();
        text.insert(position, 'é');
        assert!(read(text.as_bytes()).is_err(), "{text}");
    }
    let both = [header("Credential=x, Credential=x").as_bytes(), b"\xff"].concat();
    assert_eq!(read(&both).map(|_| ()), Err(ClaimError::NotKeyValue));
}

fn read(header: &[u8]) -> Result<Claims<'_>, ClaimError> {
    let mut claims = Claims::new();
    parse_header(header, &mut claims).map(|()| claims)
}

fn parse(query: &str) -> Result<Claims<'_>, ClaimError> {
    let mut claims = Claims::new();
    parse_query(&index(query), &mut claims).map(|()| claims)
}

fn index(query: &str) -> QueryIndex<'_> {
    let mut index = QueryIndex::new();
    index.read(query.as_bytes());
    index
}

#[test]
fn query_values_that_are_not_utf8_are_refused() {
    let query = |token: &str| {
        alloc::format!(
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AK%2F20150830%2Fr%2Fs%2Faws4_request\
             &X-Amz-Date=20150830T123600Z&X-Amz-Security-Token={token}&X-Amz-SignedHeaders=host&X-Amz-Signature={SIGNATURE}"
        )
    };
    let text = query("%C3%A9+");
    let claims = parse(&text).unwrap();
    assert_eq!((claims.session_token(), claims.access_key_id()), (Some("é "), "AK"));
    for token in ["%FF", "%C3", "x%80"] {
        assert_eq!(parse(&query(token)).map(|_| ()), Err(ClaimError::NotKeyValue), "{token}");
    }
    let repeated = query("%FF&X-Amz-Date=1");
    let error = ClaimError::Repeated { name: X_AMZ_DATE };
    assert_eq!(parse(&repeated).map(|_| ()), Err(error));
}

/// A query that is read as sent has the same claims as one that is decoded first.
#[test]
fn both_ways_of_reading_a_query_agree() {
    let good = alloc::format!(
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AK%2F20150830%2Fr%2Fs%2Faws4_request\
         &X-Amz-Date=20150830T123600Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature={SIGNATURE}"
    );
    let shown = |claims: Claims<'_>| {
        let scope = claims.scope();
        let scope = [scope.date(), scope.region(), scope.service(), claims.terminator()].join("/");
        let texts = [Some(claims.access_key_id()), claims.expires(), claims.session_token(), claims.content_sha256()];
        let texts = texts.map(|text| text.map(String::from));
        (
            scope,
            texts,
            claims.signed_headers().to_vec(),
            claims.timestamp().map(<[u8]>::to_vec),
            claims.signature().to_hex(),
        )
    };
    let mut accepted = 0;
    for (from, to) in [
        ("AK%2F", "AK%2F"),
        ("AK%2F", "A%2FK%2F"),
        ("AK%2F", "A%25K%2F"),
        ("AK%2F", "A%2525%2F"),
        ("AK%2F", "A/K/"),
        ("AK%2F", "AK%2f"),
        ("AK%2F", "%2F"),
        ("AK%2F", ""),
        ("%2Fr%2F", "%2F%2F"),
        ("%2Fr%2F", "%2Fr%2D%2F"),
        ("%2Fs%2F", "%2F%2F"),
        ("%2Fs%2F", "%2Fs%3Bt%2F"),
        ("%2Fs%2F", "%252Fs%2F"),
        ("%2Faws4_request", "%2Faws4_request%2F"),
        ("%2F20150830%2Fr%2Fs%2Faws4_request", ""),
        ("=host", "=a%3Bhost"),
        ("=host", "=a;host"),
        ("=host", "=Host"),
        ("&X-Amz-Expires=60", ""),
        ("&X-Amz-Expires=60", "&X-Amz-Expires="),
        ("&X-Amz-Expires=60", "&X-Amz-Expires=60&X-Amz-Expires=60"),
        ("&X-Amz-Expires=60", "&X-Amz-Region-Set=a&X-Amz-Region-Set=a"),
        ("&X-Amz-Expires=60", "&X-Amz-Security-Token=t"),
        ("&X-Amz-Expires=60", "&X-Amz-Security-Token=t%2F"),
        ("&X-Amz-Expires=60", "&X-Amz-Security-Token=t&X-Amz-S3session-Token=t"),
        ("&X-Amz-Expires=60", "&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD&X=%20"),
        ("&X-Amz-Date=", "&X%2DAmz%2DDate="),
        ("&X-Amz-Date=", "&x-amz-date="),
        ("&X-Amz-Date=20150830T123600Z", ""),
        ("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA512"),
        ("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"),
        ("Signature=5d", "Signature=5D"),
    ] {
        assert!(good.contains(from), "{from}");
        let query = good.replacen(from, to, 1);
        // An escape that is not canonical: the values are decoded.
        let decoded = alloc::format!("{query}&z=%41");
        let as_sent = parse(&query).map(shown);
        accepted += u32::from(as_sent.is_ok());
        assert_eq!(as_sent, parse(&decoded).map(shown), "{query}");
    }
    assert!(accepted > 10, "{accepted}");
}
