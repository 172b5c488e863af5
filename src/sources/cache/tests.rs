use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::*;
use crate::sign::Signer;
use crate::sources::report::{Report, SourceKind};

fn resolved() -> Resolved {
    let expires_at = Timestamp::from_unix_seconds(3600).unwrap();
    let credentials = Credentials::new("AKID", "secret").unwrap().with_expires_at(expires_at);
    Resolved { credentials, account_id: None, region: None, source: SourceKind::Process, report: Report::new() }
}

#[test]
fn fresh_credentials_and_their_signer_take_no_lock() {
    let clock = || Timestamp::from_unix_seconds(10).unwrap();
    let cache = CredentialCache::new();
    let cached = cache.get(clock, || Ok(resolved())).unwrap();
    let signer = Signer::new(cached.identity().clone(), "us-east-1", "s3").unwrap();
    let following = FollowingSigner::new(signer);
    following.signer(&cached);
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        let held = cache.0.state();
        let run = || {
            let cached = cache.get(clock, || panic!("they are fresh")).unwrap();
            let until = cache.get_usable_until(clock, clock(), || panic!("they are fresh")).unwrap();
            assert!(Arc::ptr_eq(&following.signer(&cached), &following.signer(&until)));
            assert!(cache.current(clock()).is_some());
            sender.send(()).unwrap();
        };
        scope.spawn(run);
        let finished = receiver.recv_timeout(Duration::from_secs(10));
        drop(held);
        finished.unwrap();
    });
}
