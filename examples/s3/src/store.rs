//! Signs requests for a store and sends them.

use std::io::Read;
use std::time::Duration;

use countersign::explain::Explanation;
use countersign::streaming::{Checksum, Chunked, EncodedRead};
use countersign::{Credentials, Signed, Signer, Timestamp, encode_path, encode_segment};
use http::{HeaderMap, Request, Response, Uri};
use ureq::{Agent, Body, SendBody};

use crate::{Fallible, xml};

/// Where the objects are.
#[derive(Default)]
pub struct Where {
    pub endpoint: String,
    pub bucket: String,
    pub region: String,
    /// The bucket is part of the host name, not of the path.
    pub virtual_host: bool,
    /// The store doesn't know trailers.
    pub no_trailer: bool,
    /// The store doesn't encode the keys of a list.
    pub plain_keys: bool,
}

pub struct Store {
    agent: Agent,
    signer: Signer,
    /// URL of the bucket, without a slash at its end.
    bucket: String,
    is_tls: bool,
    no_trailer: bool,
}

type Pairs<'a> = &'a [(&'a str, &'a str)];

impl Store {
    pub fn new(place: &Where, credentials: Credentials) -> Fallible<Self> {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // A redirect leads to another host or region: it would need another signature.
            .max_redirects(0)
            .timeout_connect(Some(Duration::from_secs(10)))
            .timeout_per_read(Some(Duration::from_secs(60)))
            .timeout_per_write(Some(Duration::from_secs(60)));
        let bucket = bucket_url(place)?;
        Ok(Self {
            agent: config.build().into(),
            signer: Signer::new(credentials, &*place.region, "s3")?,
            is_tls: bucket.starts_with("https:"),
            no_trailer: place.no_trailer,
            bucket,
        })
    }

    /// The URL is the same text for signing and sending. An empty key stands for the bucket.
    fn url(&self, key: &str, query: Pairs<'_>) -> String {
        let mut url = format!("{}/{}", self.bucket, encode_path(key));
        for (index, (name, value)) in query.iter().enumerate() {
            let separator = if index == 0 { '?' } else { '&' };
            url += &format!("{separator}{}={}", encode_segment(name), encode_segment(value));
        }
        url
    }

    fn request<B>(
        &self,
        method: &str,
        key: &str,
        query: Pairs<'_>,
        headers: Pairs<'_>,
        body: B,
    ) -> Fallible<Request<B>> {
        let mut request = Request::builder().method(method).uri(self.url(key, query));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Ok(request.body(body)?)
    }

    /// Sends a request, and returns the response if it is a success.
    pub fn call(
        &self,
        method: &str,
        key: &str,
        query: Pairs<'_>,
        headers: Pairs<'_>,
        body: &[u8],
    ) -> Fallible<Response<Body>> {
        let mut request = self.request(method, key, query, headers, body)?;
        let signed = self.signer.sign_http(&mut request, Timestamp::now())?;
        let response = match method {
            "GET" | "DELETE" => self.agent.run(request.map(|_| ()))?,
            _ => self.agent.run(request)?,
        };
        success(response, &signed)
    }

    /// Like `call`, and reads the answer.
    pub fn text(&self, method: &str, key: &str, query: Pairs<'_>, headers: Pairs<'_>, body: &[u8]) -> Fallible<String> {
        Ok(self.call(method, key, query, headers, body)?.into_body().read_to_string()?)
    }

    /// The header that announces the checksums of parts.
    pub fn checksum_algorithm(&self) -> Pairs<'static> {
        if self.no_trailer { &[] } else { &[("x-amz-checksum-algorithm", "CRC32C")] }
    }

    /// Uploads `length` bytes of `data` in chunks, with their CRC-32C at the end, and returns the headers of the response.
    /// Over TLS the chunks need no signatures.
    pub fn upload(&self, key: &str, query: Pairs<'_>, length: u64, data: &mut dyn Read) -> Fallible<HeaderMap> {
        let body = match (self.no_trailer, self.is_tls) {
            (true, _) => Chunked::signed(length),
            (false, true) => Chunked::unsigned(length).with_checksum(Checksum::Crc32c),
            (false, false) => Chunked::signed(length).with_checksum(Checksum::Crc32c),
        };
        let mut request = self.request("PUT", key, query, &[], ())?;
        let signed = self.signer.sign_chunked(&request, &body, Timestamp::now())?;
        signed.apply_to(request.headers_mut())?;
        let mut encoded = EncodedRead::new(signed.encoder(), data);
        let response = self.agent.run(request.map(|()| SendBody::from_reader(&mut encoded)))?;
        Ok(success(response, signed.signed())?.headers().clone())
    }

    /// Returns a URL for this method, which anyone can use until it expires.
    pub fn presign(&self, method: &str, key: &str, expires_in: Duration) -> Fallible<String> {
        let request = self.request(method, key, &[], &[], ())?;
        Ok(self.signer.presign(&request, expires_in, Timestamp::now())?.url().into())
    }
}

fn bucket_url(place: &Where) -> Fallible<String> {
    let endpoint: Uri = place.endpoint.parse().map_err(|error| format!("{}: {error}", place.endpoint))?;
    let (Some(scheme @ ("http" | "https")), Some(authority), "/" | "") =
        (endpoint.scheme_str(), endpoint.authority(), endpoint.path())
    else {
        return Err(format!("{}: an endpoint is http:// or https:// and a host", place.endpoint).into());
    };
    let bucket = &place.bucket;
    Ok(if place.virtual_host {
        format!("{scheme}://{bucket}.{authority}")
    } else {
        format!("{scheme}://{authority}/{}", encode_segment(bucket))
    })
}

/// Returns the response, or what the store says against the request, with the likely causes if it refused the signature.
fn success(response: Response<Body>, signed: &Signed) -> Fallible<Response<Body>> {
    if response.status().is_success() {
        return Ok(response);
    }
    let (parts, mut body) = response.into_parts();
    let text = body.with_config().limit(1 << 20).read_to_string()?;
    let status = parts.status;
    Err(match status.as_u16() {
        400 | 401 | 403 => {
            Explanation::from_http_response(&Response::from_parts(parts, text), Some(signed)).to_string().into()
        }
        _ => format!("{status}: {}", xml::error(&text).unwrap_or(text)).into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(endpoint: &str, virtual_host: bool) -> Fallible<Store> {
        let (endpoint, bucket, region) = (endpoint.into(), "bucket".into(), "auto".into());
        let place = Where { endpoint, bucket, region, virtual_host, ..Where::default() };
        Store::new(&place, Credentials::new("AKIDEXAMPLE", "secret")?)
    }

    #[test]
    fn the_bucket_is_in_the_path_or_in_the_host() -> Fallible<()> {
        let key = "a b/+%41/ü?#";
        let encoded = "a%20b/%2B%2541/%C3%BC%3F%23";
        assert_eq!(
            store("http://localhost:9000", false)?.url(key, &[]),
            format!("http://localhost:9000/bucket/{encoded}")
        );
        assert_eq!(store("https://example.com/", true)?.url(key, &[]), format!("https://bucket.example.com/{encoded}"));
        let query = [("prefix", "a b+&"), ("uploads", "")];
        assert_eq!(
            store("https://example.com", true)?.url("", &query),
            "https://bucket.example.com/?prefix=a%20b%2B%26&uploads="
        );
        Ok(())
    }

    #[test]
    fn an_endpoint_has_a_scheme_and_no_path() {
        for endpoint in ["", "example.com", "ftp://example.com", "https://example.com/path", "https://"] {
            assert!(store(endpoint, false).is_err(), "{endpoint}");
        }
    }

    #[test]
    fn auto_is_signed_as_the_region() -> Fallible<()> {
        let url = store("https://example.com", true)?.presign("GET", "key", Duration::from_secs(60))?;
        assert!(url.contains("%2Fauto%2Fs3%2Faws4_request"), "{url}");
        Ok(())
    }
}
