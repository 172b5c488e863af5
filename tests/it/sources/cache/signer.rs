//! Signers with the credentials of a cache.

use std::future::{Future, pending};
use std::pin::pin;
use std::task::{Context, Waker};

use countersign::sources::{CredentialCache, FollowingSigner};
use countersign::{Credentials, Payload, Request, SignError, Signer};

use super::{HOUR, Source, at, resolved};
use crate::support::allocator::counted;

fn following() -> FollowingSigner {
    let nobody = Credentials::new("AKIDNOBODY", "nothing").unwrap();
    FollowingSigner::new(Signer::new(nobody, "us-east-1", "dynamodb").unwrap())
}

fn sign(signer: &Signer, now: i64) -> Result<String, SignError> {
    let request = Request::new("GET", "/", &[]).with_host("dynamodb.us-east-1.amazonaws.com");
    let signed = signer.sign(request, Payload::EMPTY, at(now))?;
    let authorization = signed.headers().find(|(name, _)| *name == "authorization").unwrap().1;
    Ok(authorization.split('/').next().unwrap().replace("AWS4-HMAC-SHA256 Credential=", ""))
}

#[test]
fn a_signer_follows_the_credentials() {
    let (source, following) = (Source::new(HOUR), following());
    let first = following.signer(&source.get(0).unwrap());
    assert_eq!(sign(&first, 0).unwrap(), "AKID1");
    assert!(std::sync::Arc::ptr_eq(&first, &following.signer(&source.get(1).unwrap())));
    let second = following.signer(&source.get(HOUR - 1).unwrap());
    assert_eq!(sign(&second, HOUR - 1).unwrap(), "AKID2");
    // One that is kept signs until its end, and not after it.
    assert_eq!(sign(&first, HOUR - 1).unwrap(), "AKID1");
    let expired = SignError::CredentialsExpired { expires_at: at(HOUR), now: at(HOUR) };
    assert_eq!(sign(&first, HOUR).unwrap_err(), expired);
}

#[test]
fn a_signer_never_mixes_two_caches_up() {
    let following = following();
    let ids = ["AKIDONE", "AKIDTWO"];
    let caches = ids.map(|_| CredentialCache::new());
    for _ in 0..3 {
        for (cache, id) in caches.iter().zip(ids) {
            let cached = cache.get(|| at(0), || Ok(resolved(id, Some(HOUR)))).unwrap();
            assert_eq!(sign(&following.signer(&cached), 0).unwrap(), id);
        }
    }
}

#[test]
fn the_signing_key_is_derived_once_for_all_signers_of_the_credentials() {
    let source = Source::new(HOUR);
    let signers = [following(), following()];
    sign(&signers[0].signer(&source.get(0).unwrap()), 0).unwrap();
    let (first, allocations, _) = counted(|| sign(&signers[0].signer(&source.get(0).unwrap()), 0).unwrap());
    let second = signers[1].signer(&source.get(0).unwrap());
    // A key in the cache of keys would be one more.
    assert_eq!(counted(|| sign(&second, 0).unwrap()).1, allocations);
    assert_eq!(first, "AKID1");
}

#[test]
fn fresh_credentials_and_their_signer_allocate_nothing() {
    let (source, following) = (Source::new(HOUR), following());
    following.signer(&source.get(0).unwrap());
    let (_, allocations, _) = counted(|| {
        for _ in 0..100 {
            let cached = source.get(1).unwrap();
            drop(following.signer(&cached));
            drop(source.until(1, HOUR).unwrap());
            let mut future = pin!(source.cache.get_async(|| at(1), pending));
            assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
        }
    });
    assert_eq!(allocations, 0);
}

#[test]
fn debug_of_a_signer_shows_no_secret() {
    let (source, following) = (Source::new(HOUR), following());
    following.signer(&source.get(0).unwrap());
    let shown = format!("{following:?}");
    assert!(shown.contains("AKID1") && !shown.contains("secret") && !shown.contains("token-"), "{shown}");
}
