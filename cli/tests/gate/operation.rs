//! Reloading, management, the end, and what is written.

use std::time::Duration;

use crate::gate::{Gate, ID, SECRET, Sent, keys, upstream};
use crate::support::{Server, answer, folder, run, text, without_credentials};

#[test]
fn keys_are_reloaded_and_mistakes_keep_the_old_ones() {
    let upstream = upstream();
    let gate = Gate::new(&upstream, &[]);
    let new = || Sent::get("/a").with(|sent| (sent.id, sent.secret) = ("AKIDNEW", "newSECRET"));
    assert_eq!((gate.send(&Sent::get("/a")).status, gate.send(&new()).status), (200, 403));

    std::fs::write(
        gate.keys_file(),
        keys() + "\n[[key]]\naccess_key_id = \"AKIDNEW\"\nsecret_acces_key = \"newSECRET\"\n",
    )
    .expect("a file");
    let line = gate.wait_for("the old keys stay");
    assert!(
        line.contains("line 7: unknown field \"secret_acces_key\"")
            && line.contains("line 5: there must be exactly one of"),
        "{line}"
    );
    assert_eq!((gate.send(&Sent::get("/a")).status, gate.send(&new()).status), (200, 403));
    assert_eq!(gate.metric("countersign_keys_last_reload_failed"), 1);

    let only_new =
        "[[key]]\naccess_key_id = \"AKIDNEW\"\nsecret_access_key = \"newSECRET\"\nexpires_at = 2099-01-01T00:00:00Z\n";
    std::fs::write(gate.keys_file(), only_new).expect("a file");
    gate.signal("HUP");
    gate.wait_for("1 keys read again");
    assert_eq!((gate.send(&Sent::get("/a")).status, gate.send(&new()).status), (403, 200));
    assert_eq!(gate.metric("countersign_keys_last_reload_failed"), 0);
    assert_eq!(gate.metric("countersign_key_expiry_timestamp_seconds{access_key_id=\"AKIDNEW\"}"), 4_070_908_800);

    // What was derived from a secret ends with it.
    std::fs::write(gate.keys_file(), only_new.replace("newSECRET", "rotatedSECRET") + &keys()).expect("a file");
    gate.signal("HUP");
    gate.wait_for("2 keys read again");
    let rotated = || new().with(|sent| sent.secret = "rotatedSECRET");
    assert_eq!((gate.send(&new()).status, gate.send(&rotated()).status), (403, 200));
    assert!(!gate.printed().concat().contains("SECRET"));
}

#[test]
fn mistakes_in_the_first_file_end_the_command() {
    let folder = folder();
    let file = folder.path().join("keys.toml");
    for (content, parts) in [
        ("[[key]]\naccess_key_id = \"A\"\nsecret_access_key = \"SECRETx\nb = 1\n", vec!["line 3"]),
        ("[[key]]\naccess_key_id = \"A\"\nsecret_access_key = 5\n", vec!["line 3", "secret_access_key must be a text"]),
        ("[[key]]\naccess_key_id = \"A\"\nsecret_access_key_env = \"NOT_SET\"\n", vec!["line 3", "NOT_SET is not set"]),
        ("[[key]]\naccess_key_id = \"A\"\nsecret_access_key_file = \"missing\"\n", vec!["line 3", "missing"]),
        ("[key]\naccess_key_id = \"A\"\n", vec!["line 1", "two brackets"]),
        (
            "[[key]]\naccess_key_id = \"A\"\nsecret_access_key = \"SECRETx\"\n[[key.allow]]\n",
            vec!["line 4", "allows everything"],
        ),
        (
            "[[key]]\naccess_key_id = \"A\"\nsecret_access_key = \"SECRETx\"\n[[key.allow]]\nmethods = []\n",
            vec!["line 5"],
        ),
        (
            "[[key]]\naccess_key_id = \"A\"\nsecret_access_key = \"SECRETx\"\n[[key.allow]]\npath_prefixes = [\"a\"]\n",
            vec!["line 5"],
        ),
        (
            "[[key]]\naccess_key_id = \"A\"\nsecret_access_key = \"SECRETx\"\n[key.resign]\nprofile = \"p\"\nenvironment = true\n",
            vec!["exactly one"],
        ),
        (
            "[[key]]\naccess_key_id = \"A\"\nsecret_access_key = \"SECRETx\"\nexpires_at = \"soon\"\n",
            vec!["line 4", "UTC"],
        ),
        ("[[route]]\npath_prefix = \"/a\"\nauthorization = \"none\"\n", vec!["line 3", "AWS_IAM or NONE"]),
        (
            "[[key]]\naccess_key_id = \"A\"\nsecret_access_key = \"SECRETx\"\n[[key]]\naccess_key_id = \"A\"\nsecret_access_key = \"SECRETy\"\n",
            vec!["line 4", "more than once"],
        ),
    ] {
        std::fs::write(&file, content).expect("a file");
        let arguments = [
            "gate",
            "--listen",
            "127.0.0.1:0",
            "--upstream",
            "http://127.0.0.1:9",
            "--service",
            "s3",
            "--region",
            "x",
            "--keys",
            text(&file),
        ];
        let done = run(&mut without_credentials(&arguments));
        assert_eq!(done.code, 26, "{content}: {done:?}");
        for part in parts {
            assert!(done.err.contains(part), "{content}: {done:?}");
        }
        assert!(!done.err.contains("SECRET"), "{done:?}");
    }
}

#[test]
fn management() {
    let upstream = upstream();
    let gate = Gate::new(&upstream, &[]);
    for (path, status) in [("/healthz", 200), ("/readyz", 200), ("/metrics", 200), ("/", 404)] {
        assert_eq!(gate.managed(path).status, status, "{path}");
    }
    assert_eq!(gate.send(&Sent::get("/a")).status, 200);
    assert_eq!(gate.metric("countersign_requests_total{outcome=\"verified\"}"), 1);
    assert_eq!(gate.metric("countersign_request_duration_seconds_count"), 1);
    // The management address forwards nothing, and the other one shows no metrics.
    assert_eq!(gate.send(&Sent::get("/metrics").with(|sent| sent.is_signed = false)).status, 403);
    let url = upstream.url("");
    let empty = Gate::start(&["--upstream", &url, "--service", "execute-api", "--region", "us-east-1"], "");
    assert_eq!((empty.managed("/healthz").status, empty.managed("/readyz").status), (200, 503));
}

#[test]
fn open_requests_finish_after_sigterm() {
    let slow = Server::new(|_| {
        std::thread::sleep(Duration::from_millis(1500));
        answer(200, &[("connection", "close")], "late")
    });
    let mut gate = Gate::new(&slow, &[]);
    let bytes = Sent::get("/a").bytes(gate.address);
    let stream = gate.connect();
    let waiting = std::thread::spawn(move || {
        use std::io::Write;
        let mut stream = stream;
        stream.write_all(&bytes).expect("the request is sent");
        crate::gate::Got::read(&mut stream)
    });
    std::thread::sleep(Duration::from_millis(500));
    gate.signal("TERM");
    gate.wait_for("ending");
    assert!(std::net::TcpStream::connect(gate.address).is_err(), "no new connections");
    assert_eq!(waiting.join().expect("an answer").status, 200);
    assert_eq!(gate.exit_code(), Some(0));
}

#[test]
fn the_access_log_has_no_secrets() {
    let upstream = upstream();
    let folder = folder();
    let file = folder.path().join("access.log");
    let mut gate = Gate::new(&upstream, &["--access-log", text(&file)]);
    assert_eq!(gate.send(&Sent::get("/a?token=QUERYSECRET")).status, 200);
    let wrong =
        gate.send(&Sent::get("/a").with(|sent| sent.unsigned.push(("x-amz-security-token", "TOKENSECRET".into()))));
    assert_eq!(wrong.status, 403);
    let signature =
        |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).split("Signature=").nth(1).expect("one")[..64].to_owned();
    let right = signature(Sent::get("/a").bytes(gate.address));
    let metrics = gate.managed("/metrics").body;
    gate.signal("TERM");
    assert_eq!(gate.exit_code(), Some(0));
    let log = std::fs::read_to_string(&file).expect("a log");
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 2, "{log}");
    assert_eq!(
        (&lines[0]["caller"], &lines[0]["decision"], &lines[0]["status"]),
        (&ID.into(), &"verified".into(), &200.into())
    );
    assert_eq!((&lines[0]["path"], &lines[0]["route"]), (&"/a".into(), &"AWS_IAM".into()));
    assert!(lines[0]["duration_ms"].as_f64().is_some_and(|took| took > 0.0));
    for text in [log, gate.printed().concat(), metrics] {
        assert!(
            !text.contains("SECRET")
                && !text.contains(SECRET)
                && !text.contains(&right)
                && !text.contains("Signature="),
            "{text}"
        );
    }
}
