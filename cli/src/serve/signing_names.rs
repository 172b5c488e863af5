//! The names of headers and query parameters that belong to a signature.

/// Headers of a signature. A new one brings its own.
const SIGNATURE: [&str; 5] =
    ["authorization", "x-amz-date", "x-amz-region-set", "x-amz-s3session-token", "x-amz-security-token"];

/// Headers about the body as it is signed.
const BODY: [&str; 3] = ["x-amz-content-sha256", "x-amz-decoded-content-length", "x-amz-trailer"];

/// Query parameters of a presigned URL.
const PRESIGNED: [&str; 10] = [
    "x-amz-algorithm",
    "x-amz-content-sha256",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-region-set",
    "x-amz-s3session-token",
    "x-amz-security-token",
    "x-amz-signature",
    "x-amz-signedheaders",
];

/// Returns `true` for a header of a signature, not of the body. `name` is in lower case.
pub fn is_of_signature(name: &str) -> bool {
    SIGNATURE.contains(&name)
}

/// Returns `true` for a header of a signature or about the body as it is signed. `name` is in lower case.
pub fn is_of_signature_or_body(name: &str) -> bool {
    is_of_signature(name) || BODY.contains(&name)
}

/// Returns `true` for a query parameter of a presigned URL, in any case.
pub fn is_presigned_parameter(name: impl AsRef<[u8]>) -> bool {
    PRESIGNED.iter().any(|own| own.as_bytes().eq_ignore_ascii_case(name.as_ref()))
}
