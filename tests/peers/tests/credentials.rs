//! The recipes for reqwest and hyper, and the conversion from and to the credentials of the AWS SDK.

#[path = "../../it/sources/recipes/checks.rs"]
mod checks;
#[allow(dead_code)]
#[path = "../examples/credentials_hyper.rs"]
mod hyper_recipe;
#[allow(dead_code)]
#[path = "../examples/credentials_reqwest.rs"]
mod reqwest_recipe;

use std::error::Error;
use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};

use countersign::sources::{HttpAsk, Resolved, Resolver, SourceKind};
use countersign::{Credentials, Timestamp};

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

#[test]
fn reqwest() {
    checks::all(|ask| block_on(reqwest_recipe::send(ask)));
}

#[test]
fn hyper() {
    checks::all(|ask| block_on(hyper_recipe::send(ask)));
}

/// Returns the command of an example, which `cargo test` builds next to the tests.
fn example(name: &str) -> Command {
    let folder = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("examples");
    Command::new(folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
}

#[test]
fn a_proxy_is_used_only_where_it_may_be() {
    checks::instances_are_asked_without_proxy(&mut example("credentials_reqwest"));
    checks::sts_is_asked_by_proxy(&mut example("credentials_reqwest"));
    checks::instances_are_asked_without_proxy(&mut example("credentials_hyper"));
}

/// On a multi-threaded runtime, futures have to be `Send`.
#[test]
fn many_tasks_resolve_at_the_same_time() {
    async fn resolve<F>(url: String, send: impl Fn(HttpAsk) -> F)
    where
        F: Future<Output = Result<http::Response<Vec<u8>>, countersign::sources::AskError>>,
    {
        let variables = [("AWS_EC2_METADATA_SERVICE_ENDPOINT", url.as_str()), ("AWS_METADATA_SERVICE_TIMEOUT", "30")];
        let resolved = Resolver::new(checks::environment(&variables)).resolve_async(send).await.unwrap();
        assert_eq!(resolved.source, SourceKind::InstanceMetadata);
    }
    let server = checks::instance();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let tasks = (0..20).flat_map(|_| {
            let by_reqwest = tokio::spawn(resolve(server.url(), reqwest_recipe::send));
            [by_reqwest, tokio::spawn(resolve(server.url(), hyper_recipe::send))]
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
    });
    assert_eq!(server.heads().len(), 40 * 4);
}

// The documentation of `Credentials` shows these two functions.
fn to_aws(resolved: &Resolved) -> aws_credential_types::Credentials {
    let ours = &resolved.credentials;
    let mut theirs = aws_credential_types::Credentials::builder()
        .access_key_id(ours.access_key_id())
        .secret_access_key(ours.expose_secret_access_key())
        .provider_name("countersign");
    theirs.set_session_token(ours.session_token().map(Into::into));
    let since_1970 = |time: Timestamp| Duration::from_secs(time.unix_seconds().unsigned_abs());
    theirs.set_expiry(ours.expires_at().map(|time| UNIX_EPOCH + since_1970(time)));
    theirs.set_account_id(resolved.account_id.as_deref().map(Into::into));
    theirs.build()
}

fn from_aws(theirs: &aws_credential_types::Credentials) -> Result<Resolved, Box<dyn Error>> {
    let mut ours = Credentials::new(theirs.access_key_id(), theirs.secret_access_key())?;
    if let Some(token) = theirs.session_token() {
        ours = ours.with_session_token(token)?;
    }
    if let Some(expires_at) = theirs.expiry() {
        ours = ours.with_expires_at(expires_at.try_into()?);
    }
    let mut resolved = Resolved::from(ours);
    resolved.account_id = theirs.account_id().map(|id| id.as_str().into());
    Ok(resolved)
}

#[test]
fn the_conversion_is_documented_as_it_is_tested() {
    let function = |text: &str, name: &str| {
        let start = text.find(&format!("fn {name}(")).unwrap();
        let rest = &text[start..];
        rest[..rest.find("\n}\n").unwrap()].to_owned()
    };
    let documentation: String = include_str!("../../../src/sigv4/credentials.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("///"))
        .map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line)))
        .collect();
    for name in ["to_aws", "from_aws"] {
        assert_eq!(function(&documentation, name), function(include_str!("credentials.rs"), name));
    }
}

#[test]
fn credentials_are_converted_both_ways() {
    let expires_at = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let all = aws_credential_types::Credentials::builder()
        .access_key_id("ASIAEXAMPLE")
        .secret_access_key("wJalrXUtnFEMI/K7MDENG")
        .session_token("theToken")
        .expiry(expires_at)
        .account_id("111122223333")
        .provider_name("test")
        .build();
    let long_lived = aws_credential_types::Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG", None, None, "test");
    for theirs in [all, long_lived] {
        let ours = from_aws(&theirs).unwrap();
        assert_eq!(ours.source, SourceKind::Program);
        assert!(!format!("{ours:?}").contains("wJalr"));
        let values = |of: &aws_credential_types::Credentials| {
            let texts = [of.access_key_id(), of.secret_access_key(), of.session_token().unwrap_or_default()];
            (texts.map(String::from), of.expiry(), of.account_id().cloned())
        };
        assert_eq!(values(&to_aws(&ours)), values(&theirs));
    }
    let invalid = aws_credential_types::Credentials::new("AKIDEXAMPLE", "secret\n", None, None, "test");
    assert!(from_aws(&invalid).is_err());
}
