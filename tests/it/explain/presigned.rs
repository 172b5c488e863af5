//! What a presigned request signed is read from the request as it was sent: from its headers and, for S3, from its
//! query.

use countersign::Request;
use countersign::explain::{Cause, Explanation};

const HOST: &str = "bucket.s3.amazonaws.com";
const AMZ: [(&str, &str); 2] = [("x-amz-acl", "private"), ("x-amz-meta-a", "1")];

/// Where a request carries a header.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Sent {
    Nowhere,
    InHeader,
    InQuery,
    InBoth,
}

const PLACES: [Sent; 4] = [Sent::Nowhere, Sent::InHeader, Sent::InQuery, Sent::InBoth];

struct Case {
    /// The names in `X-Amz-SignedHeaders`.
    names: Vec<&'static str>,
    sent: [Sent; 2],
}

impl Case {
    fn query(&self) -> String {
        let mut query = format!(
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fs3%2Faws4_request\
             &X-Amz-Date=20150830T123600Z&X-Amz-Expires=300&X-Amz-SignedHeaders={}",
            self.names.join("%3B")
        );
        for ((name, value), sent) in AMZ.iter().zip(self.sent) {
            if matches!(sent, Sent::InQuery | Sent::InBoth) {
                query += &format!("&{name}={value}");
            }
        }
        query
    }

    fn headers(&self) -> Vec<(&'static str, &'static [u8])> {
        let in_header = AMZ.iter().zip(self.sent).filter(|(_, sent)| matches!(sent, Sent::InHeader | Sent::InBoth));
        [("host", HOST)]
            .into_iter()
            .chain(in_header.map(|(header, _)| *header))
            .map(|(n, v)| (n, v.as_bytes()))
            .collect()
    }

    /// The canonical request. The host belongs to every one, even if the request doesn't say that it is signed.
    fn canonical_request(&self) -> String {
        let signed: Vec<_> = AMZ.into_iter().filter(|(name, _)| self.names.contains(name)).collect();
        let lines: String = signed.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let names: String = signed.iter().map(|(name, _)| format!(";{name}")).collect();
        format!("GET\n/a.txt\n{}\nhost:{HOST}\n{lines}\nhost{names}\nUNSIGNED-PAYLOAD", self.query())
    }
}

#[test]
fn signed_headers_are_found_in_the_headers_and_in_the_query() {
    let mut compared = 0;
    for signed in 1..8_u8 {
        for (acl, meta) in PLACES.iter().flat_map(|acl| PLACES.map(|meta| (*acl, meta))) {
            let names = ["host", "x-amz-acl", "x-amz-meta-a"].into_iter().enumerate();
            let names = names.filter(|(bit, _)| signed >> bit & 1 == 1).map(|(_, name)| name).collect();
            let case = Case { names, sent: [acl, meta] };
            let is_absent = |((name, _), sent): (&(&str, &str), _)| sent == Sent::Nowhere && case.names.contains(name);
            if AMZ.iter().zip(case.sent).any(is_absent) {
                continue;
            }
            let target = format!("/a.txt?{}&X-Amz-Signature={}", case.query(), "0".repeat(64));
            let headers = case.headers();
            let computed = case.canonical_request().replace('&', "&amp;");
            let body = format!(
                "<Error><Code>SignatureDoesNotMatch</Code><Message>The request signature we calculated does not match \
                 the signature you provided. Check your key and signing method.</Message><CanonicalRequest>{computed}\
                 </CanonicalRequest></Error>"
            );
            let request = Request::new("GET", &target, &headers);
            let explanation = Explanation::from_response(403, &[], body.as_bytes(), &request);
            // Anything that differs would be another cause.
            let causes: Vec<_> = explanation.findings().map(|finding| finding.cause().clone()).collect();
            assert_eq!(causes, [Cause::Mismatch], "{:?} {:?}\n{explanation}", case.names, case.sent);
            compared += 1;
        }
    }
    // With both signed, each has 3 places; with one, 3 and 4; with none, 4 and 4. The host is signed or not, but one is.
    assert_eq!(compared, 2 * 9 + 2 * 2 * 12 + 16);
}
