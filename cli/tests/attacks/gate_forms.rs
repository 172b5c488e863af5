//! Upload forms: they are read before anything of them is verified.

use std::io::Write;
use std::time::{Duration, Instant};

use countersign::Timestamp;
use countersign::post_policy::Policy;

use crate::gate::{Gate, Got, Sent, keys, only, upstream};
use crate::support::Server;
use crate::wire::Wire;

fn gate(upstream: &Server, arguments: &[&str]) -> Gate {
    let url = upstream.url("");
    Gate::start(&[&["--upstream", &url, "--service", "s3", "--region", "us-east-1"], arguments].concat(), &keys())
}

fn head(length: usize) -> String {
    format!(
        "POST /bucket HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: multipart/form-data; boundary=B\r\ncontent-length: {length}\r\n\r\n"
    )
}

fn part(name: &str, value: &str) -> String {
    format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
}

fn post(gate: &Gate, body: &str) -> Got {
    gate.raw((head(body.len()) + body).as_bytes())
}

/// The fields of a form for `up/…` without a limit of the length.
fn fields(more: &[(&str, &str)]) -> Vec<(String, String)> {
    let now = Timestamp::now();
    let policy = Policy::new("bucket", now.saturating_add(60)).with_starts_with("key", "up/");
    let policy = more.iter().fold(policy, |policy, (name, value)| policy.with_field(*name, *value));
    let signer = Sent::get("").with(|sent| sent.service = "s3").signer();
    let form = signer.sign_post_policy(&policy, now).expect("a form");
    form.fields().filter(|(name, _)| *name != "key").map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn form(fields: &[(String, String)], key: &str, file: &str) -> String {
    let fields: String = fields.iter().map(|(name, value)| part(name, value)).collect();
    let file =
        format!("--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n{file}\r\n--B--\r\n");
    part("key", key) + &fields + &file
}

/// Without a content-length-range, a form could fill the disk.
#[test]
fn the_disk_is_not_filled() {
    let upstream = upstream();
    let gate = gate(&upstream, &["--max-spooled-bytes", "100000"]);
    let own = fields(&[]);
    let got = post(&gate, &form(&own, "up/a", &"x".repeat(100_001)));
    assert!(got.status == 400 && got.body.contains("EntityTooLarge"), "{got:?}");
    gate.wait_for("--max-spooled-bytes");
    // One that is slow keeps its part.
    let body = form(&own, "up/slow", &"x".repeat(90_000));
    let text = head(body.len()) + &body;
    let mut slow = gate.connect();
    slow.write_all(&text.as_bytes()[..text.len() - 10]).expect("most of it");
    // If another one came first, the slow one would be refused.
    std::thread::sleep(Duration::from_secs(1));
    let got = post(&gate, &form(&own, "up/b", &"x".repeat(50_000)));
    assert!(got.status == 503 && got.body.contains("SlowDown"), "{got:?} {:?}", gate.printed());
    assert_eq!(post(&gate, &form(&own, "up/c", "small")).status, 204);
    slow.write_all(&text.as_bytes()[text.len() - 10..]).expect("the rest");
    assert_eq!(Got::read(&mut slow).status, 204);
    // It is free again.
    assert_eq!(post(&gate, &form(&own, "up/d", &"x".repeat(90_000))).status, 204);
}

/// The fields of forms are memory that nobody has been authorized to use.
#[test]
fn the_memory_is_not_filled() {
    let upstream = upstream();
    let gate = gate(&upstream, &["--max-buffered-bytes", "300000"]);
    let begun: Vec<_> = (0..6)
        .map(|_| {
            let mut stream = gate.connect();
            let text =
                head(1_000_000) + &part("key", "up/a") + "--B\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n";
            stream.write_all((text + &"x".repeat(100_000)).as_bytes()).expect("a part");
            stream
        })
        .collect();
    let end = Instant::now() + Duration::from_secs(10);
    // Those that there is no memory for are answered.
    gate.wait_for("--max-buffered-bytes");
    drop(begun);
    while post(&gate, &form(&fields(&[]), "up/a", "x")).status != 204 {
        assert!(Instant::now() < end, "the memory isn't free again");
    }
}

/// The parser would take all that there is of a fast client, and then find that too much precedes the file.
#[test]
fn fast_uploads_in_constant_memory() {
    let upstream = Wire::ok();
    let url = upstream.url();
    let gate = Gate::start(&["--upstream", &url, "--service", "s3", "--region", "us-east-1"], &keys());
    let file = "x".repeat(96 << 20);
    let got = post(&gate, &form(&fields(&[]), "up/a", &file));
    assert_eq!(got.status, 204, "{got:?}");
    let stored = upstream.complete();
    assert!(stored.len() == 1 && stored[0].body.len() == file.len());
    assert!(gate.peak_memory() < 64, "{} MiB", gate.peak_memory());
}

/// Forms that are made to be read for long.
#[test]
fn malformed_forms() {
    let upstream = upstream();
    let gate = gate(&upstream, &[]);
    let begun = Instant::now();
    let many: String = (0..100_000).map(|number| part(&format!("x-ignore-{number}"), "")).collect();
    let one = part("key", "up/a");
    let huge = format!("--B\r\nContent-Disposition: form-data; name=\"{}\"\r\n\r\n1\r\n", "x".repeat(2_000_000));
    let lines = format!("--B\r\n{}\r\n\r\n1\r\n", "x: y\r\n".repeat(200_000));
    for (name, body) in [
        ("many parts", many.clone() + "--B--\r\n"),
        ("no file", one.clone() + "--B--\r\n"),
        ("no end", one.clone()),
        ("nothing", String::new()),
        ("only a boundary", "--B\r\n".repeat(200_000)),
        ("no boundary", "x".repeat(5_000_000)),
        ("a long name", huge),
        ("many headers", lines),
        ("a long value", part("key", &"x".repeat(3_000_000))),
        ("no name", "--B\r\n\r\nx\r\n--B--\r\n".into()),
        (
            "file first",
            form(&[], "up/a", "x").replacen(
                "--B",
                "--B\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nx\r\n--B",
                1,
            ),
        ),
        (
            "compressed",
            "--B\r\nContent-Disposition: form-data; name=\"file\"\r\nContent-Encoding: gzip\r\n\r\nx\r\n--B--\r\n"
                .into(),
        ),
    ] {
        let got = post(&gate, &body);
        assert!(got.status >= 400, "{name}: {got:?}");
    }
    for content_type in [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=\"B",
        "multipart/form-data; boundary=B; boundary=C",
    ] {
        let body = form(&fields(&[]), "up/a", "x");
        let text = head(body.len()).replace("multipart/form-data; boundary=B", content_type) + &body;
        let got = gate.raw(text.as_bytes());
        assert!(got.status >= 400 || content_type.ends_with("=C"), "{content_type}: {got:?}");
    }
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    assert!(upstream.arrived().iter().all(|arrived| arrived.target == "/bucket/up/a"));
}

/// The fields that count are those that were verified.
#[test]
fn fields_with_two_readings() {
    let upstream = upstream();
    let gate = gate(&upstream, &[]);
    let own = fields(&[("acl", "private")]);
    let with = |name: &str, value: &str| [own.clone(), vec![(name.to_owned(), value.to_owned())]].concat();
    for (name, form) in [
        ("a second key", form(&with("key", "down/a"), "up/a", "x")),
        ("a second Key", form(&with("Key", "down/a"), "up/a", "x")),
        ("a second acl", form(&with("ACL", "public-read"), "up/a", "x")),
        ("another bucket", form(&with("bucket", "other"), "up/a", "x")),
        ("not in the policy", form(&with("x-amz-meta-a", "1"), "up/a", "x")),
        ("a redirect", form(&with("success_action_redirect", "http://evil.example"), "up/a", "x")),
        ("dots", form(&own, "up/../down/a", "x")),
        ("a backslash", form(&own, "up/..\\..\\down", "x")),
        ("a line", form(&own, "up/a\r\nx-amz-acl: public", "x")),
        ("a NUL", form(&own, "up/a\0", "x")),
    ] {
        let got = post(&gate, &form);
        assert!(got.status >= 400, "{name}: {got:?}");
    }
    // What isn't in the policy but is ignored doesn't become a header; what comes after the file neither.
    let late = form(&with("x-ignore-a", "1"), "up/a?acl#b%2f..", "x")
        .replace("--B--", "--B\r\nContent-Disposition: form-data; name=\"acl\"\r\n\r\npublic-read\r\n--B--");
    assert_eq!(post(&gate, &late).status, 204);
    let arrived = only(&upstream);
    assert_eq!(
        (arrived.target.as_str(), arrived.header("x-amz-acl")),
        ("/bucket/up/a%3Facl%23b%252f..", Some("private"))
    );
    assert!(arrived.header("x-ignore-a").is_none() && arrived.body == b"x");
}

/// `--replay` is for all signatures.
#[test]
fn a_form_is_used_once_with_replay() {
    let upstream = upstream();
    let gate = gate(&upstream, &["--replay", "memory"]);
    let own = fields(&[]);
    // One that isn't stored doesn't use it up.
    assert!(post(&gate, &form(&own, "down/a", "x")).status >= 400);
    assert_eq!(post(&gate, &form(&own, "up/a", "x")).status, 204);
    for (key, file) in [("up/a", "x"), ("up/a", "changed"), ("up/b", "x")] {
        assert_eq!(post(&gate, &form(&own, key, file)).status, 403, "{key}");
    }
    // The name of the field and the order of fields don't make another signature.
    let mut changed: Vec<_> = own.iter().map(|(name, value)| (name.to_uppercase(), value.clone())).collect();
    changed.reverse();
    assert_eq!(post(&gate, &form(&changed, "up/a", "x")).status, 403);
    assert_eq!(only(&upstream).target, "/bucket/up/a");
    assert_eq!(post(&gate, &form(&fields(&[("acl", "private")]), "up/a", "x")).status, 204);
}
