//! The comparisons: which operation, on which requests, by whom.

use crate::contenders::{
    aws_sign_v4, aws_sigv4, countersign, floor, reqsign, rusty_s3, s3s, scratchstack, sigv4a, streaming,
};
use crate::measure::Row;
use crate::requests::{self, Case};

pub const SIGN: &str = "sign";
pub const PRESIGN: &str = "presign";
pub const VERIFY: &str = "verify";
pub const VERIFY_PRESIGNED: &str = "verify presigned";
pub const DERIVE: &str = "derive a key";
pub const ENCODE: &str = "encode chunks";
pub const DECODE: &str = "decode chunks";
pub const SIGN_V4A: &str = "sign, SigV4A";
pub const VERIFY_V4A: &str = "verify, SigV4A";

pub fn rows() -> Vec<Row> {
    let mut rows: Vec<Row> = requests::all().map(sign).into();
    rows.extend([requests::s3_get(), requests::api_gateway_with_token()].map(presign));
    rows.extend(requests::all().map(verify));
    rows.extend([requests::s3_get(), requests::api_gateway_with_token()].map(verify_presigned));
    rows.push(derive());
    rows.extend([sign_v4a(), verify_v4a(), encode(), decode()]);
    rows
}

/// 10, 100 and 1,000 of what there may be many of.
pub fn growth() -> Vec<Row> {
    let mut rows = Vec::new();
    for many in [requests::many_headers, requests::many_pairs] {
        rows.extend([10, 100, 1000].map(many).map(sign_wire_only));
        rows.extend([10, 100, 1000].map(many).map(verify_wire_only));
    }
    rows
}

fn leak(case: Case) -> &'static Case {
    Box::leak(Box::new(case))
}

pub fn sign(case: Case) -> Row {
    let case = leak(case);
    let contenders = vec![
        countersign::floor_of_sign(case),
        countersign::sign_http(case),
        countersign::sign_wire(case),
        countersign::sign_wire_without_key(case),
        aws_sigv4::sign_http(case),
        reqsign::sign_http(case),
        aws_sign_v4::sign_http(case),
    ];
    Row { operation: SIGN, request: case.name.clone(), contenders }
}

pub fn presign(case: Case) -> Row {
    let case = leak(case);
    let mut contenders = vec![
        countersign::floor_of_presign(case),
        countersign::presign_http(case),
        countersign::presign_wire(case),
        aws_sigv4::presign_http(case),
        reqsign::presign_http(case),
    ];
    if case.is_s3() {
        contenders.push(rusty_s3::presign_get(case));
    }
    Row { operation: PRESIGN, request: case.name.clone(), contenders }
}

pub fn verify(case: Case) -> Row {
    let case = leak(case);
    let arriving = leak(countersign::arriving(case));
    let mut contenders = vec![
        countersign::floor_of_sign(case),
        countersign::verify_http(arriving),
        countersign::verify_wire(arriving),
        countersign::verify_wire_without_key(arriving),
        scratchstack::verify(arriving),
    ];
    if case.is_s3() {
        contenders.push(s3s::verify(arriving));
    }
    Row { operation: VERIFY, request: case.name.clone(), contenders }
}

pub fn verify_presigned(case: Case) -> Row {
    let case = leak(case);
    let arriving = leak(countersign::arriving_presigned(case));
    // scratchstack-aws-signature refuses them: it looks for a `/` in the credential before it is decoded.
    let mut contenders = vec![
        countersign::floor_of_presign(case),
        countersign::verify_http(arriving),
        countersign::verify_wire(arriving),
        countersign::verify_wire_without_key(arriving),
    ];
    if case.is_s3() {
        contenders.push(s3s::verify_presigned(case));
    }
    Row { operation: VERIFY_PRESIGNED, request: case.name.clone(), contenders }
}

fn derive() -> Row {
    let contenders = vec![floor::key_derivation(), countersign::key_derivation(), aws_sigv4::key_derivation()];
    Row { operation: DERIVE, request: "secret to key".into(), contenders }
}

fn sign_v4a() -> Row {
    let case = leak(requests::api_gateway());
    let contenders = vec![sigv4a::floor_of_sign(case), sigv4a::sign(case), sigv4a::aws_sigv4_sign(case)];
    Row { operation: SIGN_V4A, request: case.name.clone(), contenders }
}

fn verify_v4a() -> Row {
    let case = leak(requests::api_gateway());
    Row {
        operation: VERIFY_V4A,
        request: case.name.clone(),
        contenders: vec![sigv4a::floor_of_verify(case), sigv4a::verify(case)],
    }
}

fn encode() -> Row {
    let case = leak(requests::s3_upload());
    let contenders = vec![
        streaming::floor(case),
        streaming::encode_all(case),
        streaming::encode_in_pieces(case),
        streaming::encode_on_two_threads(case),
        streaming::read_on_two_threads(case),
        streaming::aws_sigv4_sign_chunks(case),
    ];
    Row { operation: ENCODE, request: case.name.clone(), contenders }
}

fn decode() -> Row {
    let case = leak(requests::s3_upload());
    let contenders = vec![
        streaming::floor(case),
        streaming::decode_all(case),
        streaming::decode_in_pieces(case),
        streaming::decode_bytes(case),
    ];
    Row { operation: DECODE, request: case.name.clone(), contenders }
}

fn sign_wire_only(case: Case) -> Row {
    let case = leak(case);
    let contenders = vec![countersign::floor_of_sign(case), countersign::sign_wire(case)];
    Row { operation: SIGN, request: case.name.clone(), contenders }
}

fn verify_wire_only(case: Case) -> Row {
    let case = leak(case);
    let arriving = leak(countersign::arriving(case));
    let contenders = vec![countersign::floor_of_sign(case), countersign::verify_wire(arriving)];
    Row { operation: VERIFY, request: case.name.clone(), contenders }
}
