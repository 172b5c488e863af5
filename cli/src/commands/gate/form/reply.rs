//! What a stored form is answered with.

use countersign::encode_segment;
use countersign::post_policy::VerifiedForm;
use http::header::{CONTENT_TYPE, ETAG, LOCATION};
use http::{HeaderValue, StatusCode, Uri};

use crate::serve::{Answer, full};

/// `success_action_redirect` and `success_action_status`.
pub struct Reply {
    redirect: Option<Uri>,
    status: StatusCode,
}

impl Reply {
    /// As at S3, what isn't valid is ignored.
    pub fn of(form: &VerifiedForm<'_>) -> Self {
        let redirect = form.field("success_action_redirect").or_else(|| form.field("redirect"));
        let redirect = redirect.and_then(|url| url.parse::<Uri>().ok());
        let is_web = |uri: &Uri| uri.scheme_str().is_some_and(|scheme| scheme == "http" || scheme == "https");
        let status = match form.field("success_action_status") {
            Some("200") => StatusCode::OK,
            Some("201") => StatusCode::CREATED,
            _ => StatusCode::NO_CONTENT,
        };
        Self { redirect: redirect.filter(is_web), status }
    }

    pub fn answer(&self, stored: &Answer, bucket: &str, key: &str, host: &str) -> Answer {
        let etag = stored.headers().get(ETAG).and_then(|etag| etag.to_str().ok()).unwrap_or_default();
        let mut answer = Answer::new(full(self.body(bucket, key, host, etag)));
        let location = self.location(bucket, key, etag);
        *answer.status_mut() = if location.is_some() { StatusCode::SEE_OTHER } else { self.status };
        let headers = answer.headers_mut();
        if let Some(location) = location {
            headers.insert(LOCATION, location);
        } else if self.status == StatusCode::CREATED {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
        }
        if let Ok(etag) = HeaderValue::from_str(etag)
            && !etag.is_empty()
        {
            headers.insert(ETAG, etag);
        }
        answer
    }

    fn location(&self, bucket: &str, key: &str, etag: &str) -> Option<HeaderValue> {
        let url = self.redirect.as_ref()?.to_string();
        let separator = if url.contains('?') { '&' } else { '?' };
        let (bucket, key, etag) = (encode_segment(bucket), encode_segment(key), encode_segment(etag));
        HeaderValue::from_str(&format!("{url}{separator}bucket={bucket}&key={key}&etag={etag}")).ok()
    }

    fn body(&self, bucket: &str, key: &str, host: &str, etag: &str) -> String {
        if self.status != StatusCode::CREATED || self.redirect.is_some() {
            return String::new();
        }
        let location = format!("http://{host}/{bucket}/{}", countersign::encode_path(key));
        let elements = [("Location", location.as_str()), ("Bucket", bucket), ("Key", key), ("ETag", etag)];
        let elements: String =
            elements.iter().map(|(name, value)| format!("<{name}>{}</{name}>", escaped(value))).collect();
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<PostResponse>{elements}</PostResponse>")
    }
}

fn escaped(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '&' => "&amp;".into(),
            '<' => "&lt;".into(),
            '>' => "&gt;".into(),
            '"' => "&quot;".into(),
            c if c.is_control() => "\u{fffd}".into(),
            c => c.to_string(),
        })
        .collect()
}
