//! What a request says about its own signature: the scope and the time. Only defaults are taken from here; the verifier
//! parses the request anew.

use countersign::Timestamp;

use super::raw::Raw;
use crate::time;

/// Region and service of the request's own scope. SigV4A has a region set instead of a region.
#[derive(Debug, PartialEq, Eq)]
pub struct Scope {
    pub region: String,
    pub service: String,
}

pub fn scope(raw: &Raw) -> Option<Scope> {
    let credential = in_header(raw).or_else(|| parameter(raw, "x-amz-credential"))?;
    let mut parts = credential.rsplit('/');
    let (_terminator, service, region) = (parts.next()?, parts.next()?, parts.next()?);
    let region_set = || {
        let header = raw.values("x-amz-region-set").first().map(|set| String::from_utf8_lossy(set).into_owned());
        let set = header.or_else(|| parameter(raw, "x-amz-region-set")).unwrap_or_default();
        // The verifier's region has to be one of the set; `*` includes any.
        set.split(',').next().unwrap_or_default().trim().replace('*', "1")
    };
    let is_date = region.len() == 8 && region.bytes().all(|byte| byte.is_ascii_digit());
    let region = if is_date { region_set() } else { region.to_owned() };
    Some(Scope { region, service: service.to_owned() })
}

/// The time at which the request says that it was signed.
pub fn date(raw: &Raw) -> Option<Timestamp> {
    let header = |name| raw.values(name).first().and_then(|value| time::parse(std::str::from_utf8(value).ok()?));
    let in_query = || time::parse(&parameter(raw, "x-amz-date")?);
    header("x-amz-date").or_else(in_query).or_else(|| header("date"))
}

fn in_header(raw: &Raw) -> Option<String> {
    let values = raw.values("authorization");
    let text = std::str::from_utf8(values.first()?).ok()?;
    let (_, rest) = text.split_once("Credential=")?;
    rest.split([',', ' ']).next().map(str::to_owned)
}

/// The decoded value of a query parameter.
fn parameter(raw: &Raw, wanted: &str) -> Option<String> {
    let target = std::str::from_utf8(&raw.target).ok()?;
    let (_, query) = target.split_once('?')?;
    query.split('&').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.eq_ignore_ascii_case(wanted).then(|| decoded(value))
    })
}

fn decoded(value: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = value.as_bytes();
    while let [first, after @ ..] = rest {
        let escape = after.get(..2).filter(|_| *first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        match escape.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Raw {
        Raw::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn scopes() {
        let found = |text: &str| scope(&raw(text)).map(|scope| (scope.region, scope.service));
        let of = |region: &str, service: &str| Some((region.to_owned(), service.to_owned()));
        let head = "GET / HTTP/1.1\nAuthorization: AWS4-HMAC-SHA256 Credential=A/B/20150830/";
        assert_eq!(found(&format!("{head}eu-west-1/s3/aws4_request, SignedHeaders=host\n")), of("eu-west-1", "s3"));
        let sigv4a =
            "GET / HTTP/1.1\nAuthorization: AWS4-ECDSA-P256-SHA256 Credential=A/20150830/s3/aws4_request, X=\n";
        assert_eq!(found(&format!("{sigv4a}X-Amz-Region-Set: us-west-*,eu-west-1\n")), of("us-west-1", "s3"));
        assert_eq!(found(&format!("{sigv4a}X-Amz-Region-Set: *\n")), of("1", "s3"));
        let query = "GET /?X-Amz-Credential=A%2F20150830%2Fus-east-1%2Fs3%2Faws4_request&b HTTP/1.1\n";
        assert_eq!(found(query), of("us-east-1", "s3"));
        assert_eq!(found("GET / HTTP/1.1\n"), None);
        assert_eq!(found("GET / HTTP/1.1\nAuthorization: Bearer a/b/c\n"), None);
    }

    #[test]
    fn dates() {
        let found = |text: &str| date(&raw(text)).map(|date| date.to_string());
        let expected = Some("20150830T123600Z".to_owned());
        assert_eq!(found("GET / HTTP/1.1\nX-Amz-Date: 20150830T123600Z\nDate: x\n"), expected);
        assert_eq!(found("GET / HTTP/1.1\nDate: Sun, 30 Aug 2015 12:36:00 GMT\n"), expected);
        assert_eq!(found("GET /?a&X-Amz-Date=20150830T123600Z HTTP/1.1\n"), expected);
        assert_eq!(found("GET / HTTP/1.1\n"), None);
    }
}
