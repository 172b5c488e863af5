//! Credentials that expire.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use countersign::{Credentials, Request, Timestamp, Verifier};

use crate::gate::Gate;
use crate::proxy::{COMMON, get, verifying};
use crate::support::{Arrived, ID, SECRET, Server, TOKEN, answer, folder, text, without_credentials};

/// How long the credentials of the process are valid, in seconds.
const LIFETIME: i64 = 8;

/// The token is the time when the credentials expire.
fn verify(verifier: &Verifier, arrived: &Arrived) -> Result<(), String> {
    let token = arrived.header("x-amz-security-token").ok_or("no token")?;
    let end: i64 = token.parse().map_err(|_| "not a time")?;
    let now = Timestamp::now();
    if now.unix_seconds() >= end {
        return Err(format!("expired at {end}"));
    }
    let found = Credentials::new(ID, SECRET).and_then(|found| found.with_session_token(token)).expect("credentials");
    let pairs = arrived.pairs();
    let request = Request::new(&arrived.method, &arrived.target, &pairs).with_scheme("http");
    let unverified = verifier.parse(request, now).map_err(|error| error.to_string())?;
    unverified.with_body(&arrived.body).verify(Some(&found)).map(|_| ()).map_err(|error| error.to_string())
}

#[test]
fn no_request_fails_while_credentials_expire_under_load() {
    let folder_of_config = folder();
    let (config, script) = (folder_of_config.path().join("config"), folder_of_config.path().join("process"));
    let calls = folder_of_config.path().join("calls");
    // Slow, so that requests arrive while it runs.
    let program = format!(
        "#!/bin/sh\necho x >> {}\nsleep 0.5\nend=$(($(date +%s) + {LIFETIME}))\n\
         printf '{{\"Version\":1,\"AccessKeyId\":\"{ID}\",\"SecretAccessKey\":\"{SECRET}\",\"SessionToken\":\"%s\",\"Expiration\":\"%s\"}}' \
         $end $(date -u -d @$end +%Y-%m-%dT%H:%M:%SZ)\n",
        text(&calls)
    );
    std::fs::write(&script, program).expect("a script");
    std::fs::write(
        &config,
        format!("[profile dev]\nregion = us-east-1\ncredential_process = /bin/sh {}\n", text(&script)),
    )
    .expect("a file");
    let verifier = Verifier::new("us-east-1", "execute-api").expect("a verifier");
    let upstream = Server::new(move |arrived| match verify(&verifier, arrived) {
        Ok(()) => answer(200, &[("connection", "close")], "ok"),
        Err(problem) => answer(403, &[("connection", "close")], &problem),
    });
    let url = upstream.url("");
    let arguments = ["--upstream", &url, "--profile", "dev", "--service", "execute-api", "--access-log", "none"];
    let mut command = without_credentials(&[&COMMON[..], &arguments].concat());
    command.env("AWS_CONFIG_FILE", text(&config)).env("PATH", std::env::var_os("PATH").expect("a path"));
    let proxy = Gate::launch(command, folder());
    let end = Instant::now() + Duration::from_secs(20);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while Instant::now() < end {
                    let got = get(&proxy, "/a", &[]);
                    assert_eq!((got.status, got.body.as_str()), (200, "ok"), "{got:?} {:?}", proxy.printed());
                }
            });
        }
    });
    let tokens: BTreeSet<_> = upstream
        .arrived()
        .iter()
        .map(|arrived| arrived.header("x-amz-security-token").expect("a token").to_owned())
        .collect();
    assert!(tokens.len() >= 3, "{tokens:?}");
    // One process for each set of credentials, not one for each request that needs it.
    let calls = std::fs::read_to_string(&calls).expect("a file").lines().count();
    assert!(calls <= tokens.len() + 1, "{calls} calls, {tokens:?}");
    assert_eq!(proxy.metric("countersign_credentials_loads_total"), calls as u64);
    assert!(proxy.metric("countersign_credentials_expire_in_seconds") <= LIFETIME as u64);
    assert!(!proxy.printed().concat().contains(SECRET));
}

/// A source that is asked over HTTP, as in a container.
#[test]
fn credentials_of_a_container() {
    let container = Server::new(|_| {
        let found = format!(
            "{{\"AccessKeyId\":\"{ID}\",\"SecretAccessKey\":\"{SECRET}\",\"Token\":\"{TOKEN}\",\"Expiration\":\"2099-01-01T00:00:00Z\"}}"
        );
        answer(200, &[("content-type", "application/json"), ("connection", "close")], &found)
    });
    let upstream = verifying();
    let (url, full) = (upstream.url(""), container.url("/role"));
    let arguments = ["--upstream", &url, "--service", "execute-api", "--region", "us-east-1"];
    let mut command = without_credentials(&[&COMMON[..], &arguments].concat());
    command.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", &full);
    let proxy = Gate::launch(command, folder());
    for _ in 0..3 {
        assert_eq!(get(&proxy, "/a", &[]).status, 200);
    }
    assert_eq!((container.arrived().len(), proxy.managed("/readyz").status), (1, 200));
    let printed = proxy.printed().concat();
    assert!(!printed.contains(SECRET) && !printed.contains(TOKEN), "{printed}");
}
