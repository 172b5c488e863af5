//! What a store says and is told in XML.

use quick_xml::{de, se};
use serde::{Deserialize, Serialize};

use crate::Fallible;

/// A page of a list.
pub struct Page {
    pub objects: Vec<Object>,
    /// The token of the next page.
    pub next: Option<String>,
}

#[derive(Deserialize)]
pub struct Object {
    #[serde(rename = "Key")]
    pub key: String,
    #[serde(rename = "Size")]
    pub size: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListBucketResult {
    is_truncated: bool,
    encoding_type: Option<String>,
    next_continuation_token: Option<String>,
    #[serde(default)]
    contents: Vec<Object>,
}

pub fn page(text: &str) -> Fallible<Page> {
    let mut result: ListBucketResult = de::from_str(text)?;
    if result.encoding_type.is_some_and(|encoding| encoding == "url") {
        for object in &mut result.contents {
            // As in a form: a space is a plus sign.
            let spaced = object.key.replace('+', " ");
            object.key = percent_encoding::percent_decode_str(&spaced).decode_utf8()?.into();
        }
    }
    if result.is_truncated && result.next_continuation_token.is_none() {
        return Err("the list is not complete, and the store doesn't say how it continues".into());
    }
    Ok(Page { objects: result.contents, next: result.next_continuation_token.filter(|_| result.is_truncated) })
}

#[derive(Deserialize)]
struct InitiateMultipartUploadResult {
    #[serde(rename = "UploadId")]
    upload_id: String,
}

pub fn upload_id(text: &str) -> Fallible<String> {
    Ok(de::from_str::<InitiateMultipartUploadResult>(text)?.upload_id)
}

#[derive(Serialize)]
pub struct Part {
    #[serde(rename = "PartNumber")]
    pub number: u64,
    #[serde(rename = "ETag")]
    pub etag: String,
    /// As the store returned it. AWS asks for it, since the upload was begun with an algorithm.
    #[serde(rename = "ChecksumCRC32C", skip_serializing_if = "Option::is_none")]
    pub crc32c: Option<String>,
}

#[derive(Serialize)]
struct CompleteMultipartUpload {
    #[serde(rename = "@xmlns")]
    xmlns: &'static str,
    #[serde(rename = "Part")]
    parts: Vec<Part>,
}

pub fn complete(parts: Vec<Part>) -> Fallible<String> {
    Ok(se::to_string(&CompleteMultipartUpload { xmlns: "http://s3.amazonaws.com/doc/2006-03-01/", parts })?)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ErrorResponse {
    code: String,
    message: Option<String>,
}

/// Returns what an error says, if it is one.
pub fn error(text: &str) -> Option<String> {
    let error: ErrorResponse = de::from_str(text).ok()?;
    Some(format!("{}: {}", error.code, error.message.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_decoded_if_they_are_encoded() -> Fallible<()> {
        let list = |encoding: &str, key: &str| {
            let text = format!(
                "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
                 <IsTruncated>false</IsTruncated>{encoding}<Contents><Key>{key}</Key><Size>5</Size></Contents>\
                 <CommonPrefixes><Prefix>p</Prefix></CommonPrefixes>\
                 <Contents><Key>last</Key><Size>0</Size></Contents></ListBucketResult>"
            );
            page(&text).map(|page| page.objects.into_iter().map(|object| object.key).collect::<Vec<_>>())
        };
        let encoded = "<EncodingType>url</EncodingType>";
        assert_eq!(list(encoded, "a+b%2Bc%2541%C3%BC%01")?, ["a b+c%41ü\u{1}", "last"]);
        assert_eq!(list("", "a+b&amp;&lt;%41 &#xfc;")?, ["a+b&<%41 ü", "last"]);
        Ok(())
    }

    #[test]
    fn a_list_that_breaks_off_is_an_error() -> Fallible<()> {
        let list = |rest| page(&format!("<ListBucketResult><IsTruncated>true</IsTruncated>{rest}</ListBucketResult>"));
        assert!(list("").is_err());
        assert_eq!(list("<NextContinuationToken>a&amp;b</NextContinuationToken>")?.next.as_deref(), Some("a&b"));
        Ok(())
    }

    #[test]
    fn parts_are_listed_with_their_checksums() -> Fallible<()> {
        let part = |number, crc32c| Part { number, etag: "\"e<\"".into(), crc32c };
        assert_eq!(
            complete(vec![part(1, Some("AAAAAA==".into())), part(2, None)])?,
            "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Part><PartNumber>1</PartNumber>\
             <ETag>\"e&lt;\"</ETag><ChecksumCRC32C>AAAAAA==</ChecksumCRC32C></Part><Part><PartNumber>2</PartNumber>\
             <ETag>\"e&lt;\"</ETag></Part></CompleteMultipartUpload>"
        );
        Ok(())
    }

    #[test]
    fn an_error_is_told_from_a_result() {
        let error = |text| super::error(text);
        assert_eq!(
            error("<Error><Code>SlowDown</Code><Message>a &amp; b</Message></Error>").as_deref(),
            Some("SlowDown: a & b")
        );
        assert_eq!(error("<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>"), None);
        assert_eq!(error("not XML"), None);
    }
}
