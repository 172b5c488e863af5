//! Upload forms of S3.

use countersign::Timestamp;
use countersign::post_policy::Policy;

use crate::client::{Got, Sent, exchange};
use crate::proxy::{ID, Proxy, SECRET, keys};
use crate::upstream::{REAL_ID, Upstream};

fn policy() -> Policy {
    Policy::new("bucket", Timestamp::now().saturating_add(60))
        .with_starts_with("key", "up/")
        .with_field("Content-Type", "text/plain")
        .with_field("acl", "private")
        .with_field("x-amz-meta-own", "1")
        .with_field("success_action_status", "201")
        .with_content_length(1..=100)
}

/// Sends a form whose fields are those of the policy, after `change`.
fn send(proxy: &Proxy, policy: &Policy, key: &str, file: &str, change: &dyn Fn(&str, &str) -> String) -> Got {
    let form = Sent::get("").signer().sign_post_policy(policy, Timestamp::now()).expect("a form");
    let mut body = String::new();
    let mut add = |name: &str, value: &str| {
        body.push_str(&format!("--BOUND\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"));
    };
    add("key", key);
    form.fields().filter(|(name, _)| *name != "key").for_each(|(name, value)| add(name, &change(name, value)));
    let file_head = "Content-Disposition: form-data; name=\"file\"; filename=\"a.txt\"";
    body.push_str(&format!("--BOUND\r\n{file_head}\r\n\r\n{file}\r\n--BOUND--\r\n"));
    let head = format!(
        "POST /bucket HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
         content-type: multipart/form-data; boundary=BOUND\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    exchange(proxy.address, (head + &body).as_bytes())
}

fn same(_: &str, value: &str) -> String {
    value.to_owned()
}

#[test]
fn forms_are_stored_with_the_real_key() {
    let upstream = Upstream::new();
    let proxy = Proxy::new(&upstream, &keys("[[key.allow]]\nmethods = [\"POST\"]\npath_prefixes = [\"/bucket/up\"]\n"));
    let got = send(&proxy, &policy(), "up/${filename}", "hello", &same);
    assert!(got.status == 201 && got.body.contains("<Key>up/a.txt</Key>"), "{got:?} {:?}", proxy.printed());
    let seen = upstream.only();
    assert!(seen.has(b"hello"), "{seen:?}");
    assert_eq!((seen.method.as_str(), seen.target.as_str(), seen.id.as_str()), ("PUT", "/bucket/up/a.txt", REAL_ID));
    for (name, value) in [("content-type", "text/plain"), ("x-amz-acl", "private"), ("x-amz-meta-own", "1")] {
        assert_eq!(seen.header(name), Some(value), "{name}");
    }
}

#[test]
fn what_the_policy_or_the_key_do_not_permit() {
    let upstream = Upstream::new();
    let proxy = Proxy::new(&upstream, &keys("[[key.allow]]\npath_prefixes = [\"/bucket/up\"]\n"));
    let forged = |name: &str, value: &str| match name.to_lowercase().as_str() {
        "x-amz-signature" => "0".repeat(64),
        _ => value.to_owned(),
    };
    let typed = |name: &str, value: &str| if name == "Content-Type" { "text/html".into() } else { value.to_owned() };
    let wide = Policy::new("bucket", Timestamp::now().saturating_add(60)).with_starts_with("key", "");
    let copy = policy().with_field("x-amz-copy-source", "/other/secret");
    let tagging = policy().with_field("tagging", "<Tagging/>");
    for (name, got, status) in [
        ("signature", send(&proxy, &policy(), "up/a", "hello", &forged), 403),
        ("field", send(&proxy, &policy(), "up/a", "hello", &typed), 403),
        ("key", send(&proxy, &policy(), "down/a", "hello", &same), 403),
        ("dots", send(&proxy, &policy(), "up/../down/a", "hello", &same), 403),
        ("allow-list", send(&proxy, &wide, "down/a", "hello", &same), 403),
        ("too long", send(&proxy, &policy(), "up/a", &"x".repeat(101), &same), 400),
        ("too short", send(&proxy, &policy(), "up/a", "", &same), 400),
        ("copy source", send(&proxy, &copy, "up/a", "hello", &same), 501),
        ("tagging", send(&proxy, &tagging, "up/a", "hello", &same), 501),
    ] {
        assert_eq!(got.status, status, "{name}: {got:?}");
    }
    let without = format!("[[key]]\naccess_key_id = \"{ID}\"\nsecret_access_key = \"{SECRET}\"\n");
    let proxy = Proxy::new(&upstream, &without);
    assert_eq!(send(&proxy, &policy(), "up/a", "hello", &same).status, 403);
    assert!(upstream.seen().is_empty(), "{:?}", upstream.seen());
}
