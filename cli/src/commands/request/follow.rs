//! `-L`: each request is signed anew, and only for the host that was named.

use ::http::header::{CONTENT_TYPE, LOCATION};
use ::http::{Method, StatusCode};

use super::{Session, check_again};
use crate::failure::{Failure, Kind};
use crate::http::Answer;
use crate::request::{Content, Draft};
use crate::url::Url;

/// The request to send next, or `None` if the answer is not to be followed.
pub fn next(
    session: &Session<'_>,
    draft: &Draft,
    answer: &Answer<'_>,
    redirects: u32,
) -> Result<Option<Draft>, Failure> {
    let Some(location) = location(answer) else { return Ok(None) };
    let url = draft.url.join(&location)?;
    if !draft.url.is_same_origin(&url) {
        // The query of a redirect can contain tokens.
        session.tell(&format!(
            "the redirect to {}://{} is not followed, as the signature is for {}; to trust that host, request its URL",
            url.scheme(),
            url.host_header(),
            draft.host(),
        ));
        return Ok(None);
    }
    if !session.args.act.location {
        session.tell("the redirect is not followed; -L signs and sends the request to its target");
        return Ok(None);
    }
    if redirects >= session.args.act.max_redirs {
        return Err(Failure::new(Kind::TooManyRedirects, format!("more than {redirects} redirects (--max-redirs)")));
    }
    redirected(draft, url, answer.status(), session.args.request.is_some()).map(Some)
}

fn location(answer: &Answer<'_>) -> Option<String> {
    if !matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    answer.headers().get(LOCATION)?.to_str().ok().map(Into::into)
}

/// The method and body for the next request: as curl and browsers do, a POST becomes a GET, unless the method was given
/// with -X or the status forbids it.
fn redirected(draft: &Draft, url: Url, status: StatusCode, method_given: bool) -> Result<Draft, Failure> {
    let becomes_get = match status.as_u16() {
        301 | 302 => draft.method == Method::POST,
        303 => draft.method != Method::HEAD,
        _ => false,
    };
    let mut headers = draft.headers.clone();
    if becomes_get && !method_given {
        headers.remove(CONTENT_TYPE);
        return Ok(Draft { method: Method::GET, url, headers, content: Content::default() });
    }
    check_again(draft)?;
    Ok(Draft { method: draft.method.clone(), url, headers, content: draft.content.clone() })
}
