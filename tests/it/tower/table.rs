//! Every kind of body in every state that a request can be in.

use std::future::{Ready, ready};
use std::io;
use std::sync::Arc;

use countersign::Credentials;
use countersign::tower::{Caller, CallerKey, VerifyLayer};
use http::Request;

use super::{BoxError, DATA, Handler, Kind, call, framed, keys};
use crate::support::fixtures::{SECRET, TEMPORARY_SECRET, credentials, now, temporary};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Right,
    RightWithToken,
    WrongSecret,
    ChangedBody,
    ChangedHeader,
    AddedHeader,
    NoSignature,
    Expired,
    UnknownKey,
    WrongToken,
}

const STATES: [State; 10] = [
    State::Right,
    State::RightWithToken,
    State::WrongSecret,
    State::ChangedBody,
    State::ChangedHeader,
    State::AddedHeader,
    State::NoSignature,
    State::Expired,
    State::UnknownKey,
    State::WrongToken,
];

const MISMATCH: &str = "InvalidSignatureException";
const UNKNOWN: &str = "UnrecognizedClientException";

impl State {
    fn request(self, kind: Kind) -> Request<Vec<u8>> {
        let is_presigned = matches!(kind, Kind::PresignedGet | Kind::PresignedPut);
        let other = |id: &str, secret: &str| Credentials::new(id, secret).unwrap();
        match self {
            Self::Right => kind.signed(&credentials(), now()),
            Self::RightWithToken => kind.signed(&temporary(), now()),
            Self::WrongSecret => kind.signed(&other("AKIDEXAMPLE", "another"), now()),
            Self::UnknownKey => kind.signed(&other("AKIDSTRANGER", SECRET), now()),
            Self::WrongToken => {
                let credentials = other("ASIAEXAMPLE", TEMPORARY_SECRET).with_session_token("another").unwrap();
                kind.signed(&credentials, now())
            }
            Self::Expired => kind.signed(&credentials(), now().saturating_add(-16 * 60)),
            Self::ChangedBody => {
                let mut request = kind.signed(&credentials(), now());
                let body = String::from_utf8_lossy(request.body()).replace("fox", "ox!").into_bytes();
                *request.body_mut() = body;
                request
            }
            Self::ChangedHeader if is_presigned => {
                let mut request = kind.signed(&credentials(), now());
                *request.uri_mut() = request.uri().to_string().replace("part=1", "part=2").parse().unwrap();
                request
            }
            Self::ChangedHeader => with_header(kind, "x-amz-meta-a", "2"),
            Self::AddedHeader => with_header(kind, "x-amz-acl", "public-read"),
            Self::NoSignature => {
                let mut request = kind.signed(&credentials(), now());
                request.headers_mut().remove("authorization");
                *request.uri_mut() = "https://bucket.example/key?part=1".parse().unwrap();
                request
            }
        }
    }

    /// The code of the refusal; `None` if the service is called.
    fn refusal(self, kind: Kind, streams: bool) -> Option<&'static str> {
        match self {
            Self::Right | Self::RightWithToken => None,
            Self::ChangedBody => match kind {
                Kind::NoHash => Some(MISMATCH),
                Kind::Hashed => (!streams).then_some(MISMATCH),
                _ => None,
            },
            Self::WrongSecret | Self::ChangedHeader | Self::AddedHeader | Self::Expired => Some(MISMATCH),
            Self::NoSignature => Some("MissingAuthenticationTokenException"),
            Self::UnknownKey | Self::WrongToken => Some(UNKNOWN),
        }
    }
}

fn with_header(kind: Kind, name: &'static str, value: &str) -> Request<Vec<u8>> {
    let mut request = kind.signed(&credentials(), now());
    request.headers_mut().insert(name, value.parse().unwrap());
    request
}

/// The code of the error while the changed body is read.
fn error_of_changed(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Hashed => Some("XAmzContentSHA256Mismatch"),
        Kind::Chunked | Kind::ChunkedTrailer => Some("SignatureDoesNotMatch"),
        Kind::UnsignedTrailer => Some("BadDigest"),
        _ => None,
    }
}

#[test]
fn every_kind_of_body_is_passed_on_or_refused() {
    assert_table(keys);
}

#[test]
fn derived_keys_verify_as_credentials_do() {
    let derived = |caller: Caller| {
        let known =
            [credentials(), temporary()].into_iter().find(|known| known.access_key_id() == caller.access_key_id());
        known.map(|known| caller.verifying_key(&known))
    };
    assert_table(move |caller| ready(Ok(derived(caller))));
    assert_table(move |caller| ready(Ok(derived(caller).map(Arc::new))));
}

/// A scope of SigV4A has no region.
#[cfg(feature = "sigv4a")]
#[test]
fn a_derived_key_pair_verifies_sigv4a() {
    let signer = |secret: &str| {
        let credentials = Credentials::new("AKIDEXAMPLE", secret).unwrap();
        countersign::Signer::sigv4a(credentials, "us-*", "execute-api").unwrap()
    };
    let layer = VerifyLayer::new(crate::support::fixtures::verifier("execute-api").with_sigv4a(), |caller: Caller| {
        assert_eq!(caller.scope(), "20150830/execute-api/aws4_request");
        ready(Ok(Some(caller.verifying_key(&credentials()))))
    })
    .clock(now);
    for (secret, status) in [(SECRET, 200), (TEMPORARY_SECRET, 403)] {
        let mut request = Request::post("https://bucket.example/a").body(DATA.to_vec()).unwrap();
        signer(secret).sign_http(&mut request, now()).unwrap();
        assert_eq!(call(&layer, &Handler::default(), framed(request)).status, status);
    }
}

fn assert_table<K, V>(keys: K)
where
    K: Fn(Caller) -> Ready<Result<Option<V>, io::Error>> + Copy + Send + Sync + 'static,
    V: CallerKey + 'static,
{
    for (kind, streams) in Kind::ALL.into_iter().flat_map(|kind| [(kind, false), (kind, true)]) {
        let layer = VerifyLayer::new(kind.verifier(), keys).clock(now);
        let layer = if streams { layer.stream_bodies() } else { layer };
        for state in STATES {
            let case = format!("{kind:?} {state:?}, streams: {streams}");
            let handler = Handler::default();
            let answer = call(&layer, &handler, framed(state.request(kind)));
            if let Some(code) = state.refusal(kind, streams) {
                assert_eq!((answer.code(), handler.count()), (code, 0), "{case}: {answer:?}");
                assert_eq!(answer.status, 403, "{case}");
                continue;
            }
            let seen = handler.last();
            let verified = seen.verified.as_ref().expect(&case);
            let id = if state == State::RightWithToken { "ASIAEXAMPLE" } else { "AKIDEXAMPLE" };
            assert_eq!((verified.access_key_id(), verified.host()), (id, "bucket.example"), "{case}");
            let is_whole = kind == Kind::NoHash || kind == Kind::Hashed && !streams;
            assert_eq!(verified.request().is_some(), is_whole, "{case}");
            match error_of_changed(kind).filter(|_| state == State::ChangedBody) {
                Some(code) => {
                    assert_eq!(seen.code(), code, "{case}: {:?}", seen.error);
                    assert!(answer.is_refusal(), "{case}: {answer:?}");
                }
                None => assert_complete(&seen.data, seen.error.as_ref(), kind, state),
            }
        }
    }
}

fn assert_complete(data: &[u8], error: Option<&BoxError>, kind: Kind, state: State) {
    let case = format!("{kind:?} {state:?}: {error:?}");
    assert!(error.is_none(), "{case}");
    let text = String::from_utf8(DATA.to_vec()).unwrap();
    match (kind, state) {
        (Kind::PresignedGet, _) => assert!(data.is_empty(), "{case}"),
        // Nothing covers it.
        (_, State::ChangedBody) => assert_eq!(data, text.replace("fox", "ox!").as_bytes(), "{case}"),
        _ => assert_eq!(data, DATA, "{case}"),
    }
}
