//! One signer and many threads: more of them than a signer keeps separate caches for.

use countersign::{Credentials, Identity, Payload, Request, Signer};

use crate::support::fixtures::{HOST, at, credentials, signer};

const THREADS: usize = 40;
const TIMES: [&str; 3] = ["20150830T235959Z", "20150831T000000Z", "20150830T235958Z"];

fn signature(signer: &Signer, time: &str) -> String {
    let request = Request::new("GET", "/", &[]).with_host(HOST);
    signer.sign(request, Payload::EMPTY, at(time)).unwrap().signature().to_hex()
}

/// Runs `work` in all threads at once.
fn in_threads(work: impl Fn() + Sync) {
    let start = std::sync::Barrier::new(THREADS);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                start.wait();
                work();
            });
        }
    });
}

#[test]
fn threads_sign_alike_on_either_side_of_midnight() {
    let expected = TIMES.map(|time| signature(&signer("execute-api"), time));
    let shared = signer("execute-api");
    in_threads(|| {
        for _ in 0..20 {
            assert_eq!(TIMES.map(|time| signature(&shared, time)), expected);
        }
    });
}

/// Each thread holds keys of the old credentials when it begins to use the new ones.
#[test]
fn no_thread_keeps_the_key_of_rotated_credentials() {
    let old = signer("execute-api");
    // The same access key id, so that only the secret makes the difference.
    let rotated = Credentials::new(credentials().access_key_id(), "another-secret").unwrap();
    let new = old.clone().with_identity(Identity::new(rotated.clone()));
    let expected_old = signature(&signer("execute-api"), TIMES[0]);
    let expected_new = signature(&Signer::new(rotated, "us-east-1", "execute-api").unwrap(), TIMES[0]);
    assert_ne!(expected_old, expected_new);
    in_threads(|| {
        for _ in 0..20 {
            assert_eq!(signature(&old, TIMES[0]), expected_old);
            assert_eq!(signature(&new, TIMES[0]), expected_new);
        }
    });
}
