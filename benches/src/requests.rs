//! The requests that everybody signs, presigns and verifies. Each holds only headers that every contender signs, so
//! that there is one right signature.

use std::time::{Duration, SystemTime};

use countersign::{Credentials, Request, Timestamp};

pub const ACCESS_KEY_ID: &str = "AKIDEXAMPLE";
pub const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
pub const REGION: &str = "us-east-1";
pub const TIME: &str = "20150830T123600Z";
pub const UNIX_SECONDS: u64 = 1_440_938_160;
/// Of a presigned URL.
pub const LIFETIME: Duration = Duration::from_secs(900);

pub fn now() -> Timestamp {
    TIME.parse().unwrap()
}

pub fn system_time() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(UNIX_SECONDS)
}

#[derive(Clone)]
pub struct Case {
    pub name: String,
    pub service: &'static str,
    pub method: &'static str,
    pub host: &'static str,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub token: Option<String>,
    pub body: Vec<u8>,
}

impl Case {
    fn new(name: &str, service: &'static str, method: &'static str, host: &'static str, target: &str) -> Self {
        Self {
            name: name.into(),
            service,
            method,
            host,
            target: target.into(),
            headers: Vec::new(),
            token: None,
            body: Vec::new(),
        }
    }

    fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub fn credentials(&self) -> Credentials {
        let credentials = Credentials::new(ACCESS_KEY_ID, SECRET).unwrap();
        match &self.token {
            Some(token) => credentials.with_session_token(token).unwrap(),
            None => credentials,
        }
    }

    pub fn is_s3(&self) -> bool {
        self.service == "s3"
    }

    pub fn uri(&self) -> String {
        format!("https://{}{}", self.host, self.target)
    }

    pub fn http(&self) -> http::Request<()> {
        let mut builder = http::Request::builder().method(self.method).uri(self.uri());
        for (name, value) in &self.headers {
            builder = builder.header(name, value);
        }
        builder.body(()).unwrap()
    }

    /// Name and value of each header as wire parts have them.
    pub fn wire_headers(&self) -> Vec<(&str, &[u8])> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect()
    }

    pub fn wire<'a>(&'a self, headers: &'a [(&'a str, &'a [u8])]) -> Request<'a> {
        Request::new(self.method, &self.target, headers).with_host(self.host)
    }
}

const API: &str = "abc123.execute-api.us-east-1.amazonaws.com";
const BUCKET: &str = "bucket.s3.us-east-1.amazonaws.com";

pub fn api_gateway() -> Case {
    Case::new("API Gateway GET", "execute-api", "GET", API, "/dev/get-list?limit=25&sort=name&filter=a%20b")
}

pub fn api_gateway_with_token() -> Case {
    Case { name: "API Gateway GET, 400-byte token".into(), token: Some("IQoJb3JpZ2luX2Vj".repeat(25)), ..api_gateway() }
}

pub fn dynamodb() -> Case {
    let mut case = Case::new("DynamoDB POST, 512 B", "dynamodb", "POST", "dynamodb.us-east-1.amazonaws.com", "/")
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amz-target", "DynamoDB_20120810.GetItem");
    case.body = b"x".repeat(512);
    case
}

pub fn s3_get() -> Case {
    Case::new("S3 GET", "s3", "GET", BUCKET, "/photos/2026/sunrise%20over%20harbour.jpg")
}

pub fn s3_put() -> Case {
    let mut case = Case::new("S3 PUT, 1 MiB", "s3", "PUT", BUCKET, "/photos/2026/sunrise%20over%20harbour.jpg")
        .header("content-type", "image/jpeg")
        .header("x-amz-storage-class", "STANDARD");
    case.body = (0..1 << 20).map(|n: u32| n as u8).collect();
    case
}

pub fn s3_upload() -> Case {
    let mut case = Case { name: "S3 PUT, 64 MiB in chunks".into(), ..s3_put() };
    case.body = (0..64 << 20).map(|n: u32| (n % 251) as u8).collect();
    case
}

pub fn all() -> [Case; 5] {
    [api_gateway(), api_gateway_with_token(), dynamodb(), s3_get(), s3_put()]
}

/// `count` headers, none in order.
pub fn many_headers(count: usize) -> Case {
    let mut case = Case { name: format!("{count} headers"), ..dynamodb() };
    case.headers = (0..count).map(|n| (format!("x-amz-meta-{:04}", n * 7919 % 10_007), format!("value {n}"))).collect();
    case
}

/// `count` query parameters, none in order.
pub fn many_pairs(count: usize) -> Case {
    let pairs: Vec<_> = (0..count).map(|n| format!("key{:04}=value-{n}", n * 7919 % 10_007)).collect();
    Case { name: format!("{count} query pairs"), target: format!("/dev/get-list?{}", pairs.join("&")), ..api_gateway() }
}
