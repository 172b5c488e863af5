//! `--replay redis://…`. The tests that need `redis-server` are run with `--ignored`.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::gate::{Gate, Sent, keys, upstream};
use crate::support::{Server, folder, run, text, without_credentials};

const PASSWORD: &str = "redisPASSWORD";

/// A server of its own, with a password.
struct Redis {
    child: Child,
    port: u16,
    folder: TempDir,
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.local_addr().expect("an address").port()
}

impl Redis {
    fn start() -> Self {
        Self::with(free_port(), folder(), &[])
    }

    fn with(port: u16, folder: TempDir, arguments: &[&str]) -> Self {
        let port_text = port.to_string();
        let own = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--requirepass", PASSWORD];
        let plain = ["--port", port_text.as_str()];
        let place = ["--dir", text(folder.path())];
        let is_tls = arguments.contains(&"--tls-port");
        let child = Command::new("redis-server")
            .args(own)
            .args(if is_tls { ["--port", "0"] } else { plain })
            .args(place)
            .args(arguments)
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is installed");
        let end = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < end, "redis-server doesn't listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { child, port, folder }
    }

    fn url(&self) -> String {
        format!("redis://:{PASSWORD}@127.0.0.1:{}/2", self.port)
    }

    fn command(&self, arguments: &[&str]) -> String {
        let port = self.port.to_string();
        let own = ["-p", &port, "-a", PASSWORD, "--no-auth-warning", "-n", "2"];
        let done = Command::new("redis-cli").args(own).args(arguments).output().expect("redis-cli is installed");
        String::from_utf8(done.stdout).expect("text").trim().to_owned()
    }

    fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn start_again(mut self) -> Self {
        self.stop();
        let place = std::mem::replace(&mut self.folder, folder());
        Self::with(self.port, place, &[])
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.stop();
    }
}

fn gate(upstream: &Server, replay: &str, arguments: &[&str]) -> Gate {
    Gate::new(upstream, &[&["--replay", replay], arguments].concat())
}

/// A request that several gates accept, as its host doesn't name one of them.
fn shared(target: &str) -> Vec<u8> {
    Sent::get(target).bytes(SocketAddr::from(([127, 0, 0, 1], 1)))
}

#[test]
#[ignore = "needs redis-server"]
fn two_gates_with_one_server_accept_a_signature_once() {
    let (upstream, redis) = (upstream(), Redis::start());
    let gates = [gate(&upstream, &redis.url(), &[]), gate(&upstream, &redis.url(), &[])];
    for (first, second) in [(0, 1), (1, 0)] {
        let bytes = shared(&format!("/a/{first}"));
        assert_eq!(gates[first].raw(&bytes).status, 200, "{:?}", gates[first].printed());
        assert_eq!((gates[second].raw(&bytes).status, gates[first].raw(&bytes).status), (403, 403));
    }
    assert_eq!(gates[1].metric("countersign_refusals_total{check=\"replay\"}"), 2);
    // Those with another prefix don't share.
    let other = gate(&upstream, &redis.url(), &["--replay-prefix", "other:"]);
    assert_eq!(other.raw(&shared("/b")).status, 200);
    // What is stored: a hash, until after the end of the window, and not the signature.
    let stored = redis.command(&["KEYS", "*"]);
    let stored: Vec<_> = stored.lines().collect();
    assert_eq!((stored.len(), redis.command(&["KEYS", "other:*"]).lines().count()), (3, 1), "{stored:?}");
    let bytes = String::from_utf8(shared("/c")).expect("text");
    let signature = bytes.split_once("Signature=").expect("a signature").1.get(..64).expect("64 digits").to_owned();
    assert_eq!(gates[0].raw(bytes.as_bytes()).status, 200);
    for key in redis.command(&["KEYS", "*"]).lines() {
        let lifetime: i64 = redis.command(&["TTL", key]).parse().expect("seconds");
        assert!((900..=970).contains(&lifetime), "{key}: {lifetime}");
        let digest = key.rsplit(':').next().expect("a hash");
        assert!(digest.len() == 32 && !signature.contains(digest), "{key}");
    }
    for gate in gates.iter().chain([&other]) {
        assert!(!gate.printed().concat().contains(PASSWORD), "{:?}", gate.printed());
    }
}

#[test]
#[ignore = "needs redis-server"]
fn many_requests_at_once_and_one_is_first() {
    let (upstream, redis) = (upstream(), Redis::start());
    let gates = [gate(&upstream, &redis.url(), &[]), gate(&upstream, &redis.url(), &[])];
    let bytes = shared("/a");
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let sending: Vec<_> = (0..16)
            .map(|index| {
                scope.spawn({
                    let (gate, bytes) = (&gates[index % 2], &bytes);
                    move || gate.raw(bytes).status
                })
            })
            .collect();
        sending.into_iter().map(|thread| thread.join().expect("an answer")).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 403).count(), 15, "{statuses:?}");
}

#[test]
#[ignore = "needs redis-server"]
fn a_server_that_comes_back_is_used_again() {
    let (upstream, redis) = (upstream(), Redis::start());
    let strict = gate(&upstream, &redis.url(), &[]);
    assert_eq!(strict.send(&Sent::get("/a")).status, 200);
    // Restarted: the connection is broken, and nobody notices.
    let mut redis = redis.start_again();
    assert_eq!(strict.send(&Sent::get("/b")).status, 200, "{:?}", strict.printed());
    redis.stop();
    let got = strict.send(&Sent::get("/c"));
    assert_eq!(got.status, 503, "{got:?}");
    strict.wait_for("\"check\":\"replay_unavailable\"");
    strict.wait_for("can't be asked");
    let _redis = redis.start_again();
    let end = Instant::now() + Duration::from_secs(10);
    while strict.send(&Sent::get("/d")).status != 200 {
        assert!(Instant::now() < end, "{:?}", strict.printed());
        std::thread::sleep(Duration::from_millis(1100));
    }
    strict.wait_for("answers again");
}

#[test]
#[ignore = "needs redis-server"]
fn logins_and_errors_show_no_password() {
    let (upstream, redis) = (upstream(), Redis::start());
    let url = format!("redis://:wrongPASSWORD@127.0.0.1:{}/2", redis.port);
    let wrong = gate(&upstream, &url, &[]);
    assert_eq!(wrong.send(&Sent::get("/a")).status, 503);
    wrong.wait_for("can't be asked");
    let none = gate(&upstream, &format!("redis://127.0.0.1:{}", redis.port), &[]);
    assert_eq!(none.send(&Sent::get("/a")).status, 503);
    none.wait_for("NOAUTH");
    for gate in [&wrong, &none] {
        assert!(!gate.printed().concat().contains("PASSWORD"), "{:?}", gate.printed());
    }
    // A server that takes no writes: it answers, but nothing is remembered.
    let good = gate(&upstream, &redis.url(), &[]);
    assert_eq!(redis.command(&["REPLICAOF", "127.0.0.1", "1"]), "OK");
    assert_eq!(good.send(&Sent::get("/a")).status, 503);
    good.wait_for("READONLY");
}

#[test]
#[ignore = "needs redis-server"]
fn tls() {
    let upstream = upstream();
    let files = folder();
    let (cert, key) = (files.path().join("cert.pem"), files.path().join("key.pem"));
    let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    std::fs::write(&cert, own.cert.pem()).expect("a file");
    std::fs::write(&key, own.signing_key.serialize_pem()).expect("a file");
    let port = free_port();
    let number = port.to_string();
    let tls = ["--tls-port", &number, "--tls-cert-file", text(&cert), "--tls-key-file", text(&key)];
    let redis = Redis::with(port, folder(), &[&tls[..], &["--tls-auth-clients", "no"]].concat());
    let url = redis.url().replace("redis:", "rediss:");
    let trusting = gate(&upstream, &url, &["--replay-cacert", text(&cert)]);
    let bytes = shared("/a");
    assert_eq!((trusting.raw(&bytes).status, trusting.raw(&bytes).status), (200, 403), "{:?}", trusting.printed());
    // Another authority, and no TLS.
    assert_eq!(gate(&upstream, &url, &[]).raw(&shared("/b")).status, 503);
    assert_eq!(gate(&upstream, &redis.url(), &[]).raw(&shared("/b")).status, 503);
}

/// A server of the protocol that keeps its keys, and drops the connection instead of the first answer to a SET.
fn forgetful() -> (String, Arc<Mutex<Vec<Vec<String>>>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let url = format!("redis://{}", listener.local_addr().expect("an address"));
    let all = Arc::new(Mutex::new(Vec::new()));
    let commands = all.clone();
    std::thread::spawn(move || {
        let mut stored = BTreeMap::new();
        let mut has_dropped = false;
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.expect("a connection"));
            while let Some(command) = command(&mut reader) {
                commands.lock().expect("the lock").push(command.clone());
                let words: Vec<&str> = command.iter().map(String::as_str).collect();
                let reply = match words.as_slice() {
                    ["SET", key, value, "NX", "EX", _] if !stored.contains_key(*key) => {
                        stored.insert((*key).to_owned(), (*value).to_owned());
                        if !std::mem::replace(&mut has_dropped, true) {
                            break;
                        }
                        "+OK\r\n".into()
                    }
                    ["SET", ..] => "$-1\r\n".into(),
                    ["GET", key] => {
                        stored.get(*key).map_or("$-1\r\n".into(), |value| format!("${}\r\n{value}\r\n", value.len()))
                    }
                    _ => "+OK\r\n".into(),
                };
                let _ = reader.get_mut().write_all(reply.as_bytes());
            }
        }
    });
    (url, all)
}

/// An array of strings.
fn command(reader: &mut BufReader<TcpStream>) -> Option<Vec<String>> {
    let number = |reader: &mut BufReader<TcpStream>| {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        line.get(1..)?.trim().parse::<usize>().ok()
    };
    let count = number(reader)?;
    (0..count)
        .map(|_| {
            let mut bytes = vec![0; number(reader)? + 2];
            reader.read_exact(&mut bytes).ok()?;
            bytes.truncate(bytes.len() - 2);
            String::from_utf8(bytes).ok()
        })
        .collect()
}

/// The first attempt arrived, but its answer got lost: that must not make the request a repeat of itself.
#[test]
fn a_lost_answer_does_not_refuse_the_request() {
    let upstream = upstream();
    let (url, commands) = forgetful();
    let gate = gate(&upstream, &url, &[]);
    let bytes = shared("/a");
    assert_eq!(gate.raw(&bytes).status, 200, "{:?}", gate.printed());
    let got = gate.raw(&bytes);
    assert_eq!(got.status, 403, "{got:?}");
    // One command for a request, unless the connection broke.
    assert_eq!(gate.raw(&shared("/b")).status, 200);
    let commands = commands.lock().expect("the lock").clone();
    let commands: Vec<_> = commands.into_iter().filter(|command| command[0] != "CLIENT").collect();
    let names: Vec<_> = commands.iter().map(|command| command[0].as_str()).collect();
    assert_eq!(names, ["SET", "SET", "GET", "SET", "SET"], "{commands:?}");
    let (first, again) = (&commands[0], &commands[3]);
    let key = first[1].strip_prefix("countersign:replay:").expect("the prefix");
    assert!(key.len() == 32 && again[1] == first[1] && again[2] != first[2], "{commands:?}");
}

#[test]
fn a_server_that_is_down_or_silent() {
    let upstream = upstream();
    let gone = format!("redis://user:{PASSWORD}@127.0.0.1:{}/", free_port());
    // It accepts connections, and never answers.
    let silent = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let silent = format!("redis://user:{PASSWORD}@{}/", silent.local_addr().expect("an address"));
    for url in [&gone, &silent] {
        let strict = gate(&upstream, url, &["--replay-timeout", "0.5"]);
        let begun = Instant::now();
        let got = strict.send(&Sent::get("/a"));
        assert_eq!((got.status, got.header("x-amzn-errortype")), (503, Some("ServiceUnavailable")), "{got:?}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        // What is refused anyway doesn't need it.
        assert_eq!(strict.send(&Sent::get("/a").with(|sent| sent.secret = "another")).status, 403);
        assert_eq!(strict.metric("countersign_refusals_total{check=\"replay_unavailable\"}"), 1);
        assert_eq!(strict.metric("countersign_replay_failures_total"), 1);

        let lenient = gate(&upstream, url, &["--replay-timeout", "0.5", "--replay-unavailable", "allow"]);
        let bytes = Sent::get("/a").bytes(lenient.address);
        assert_eq!((lenient.raw(&bytes).status, lenient.raw(&bytes).status), (200, 200));
        assert_eq!(lenient.metric("countersign_replay_unchecked_total"), 2);
        let line = lenient.wait_for("--replay-unavailable allow");
        assert!(line.contains("\"decision\":\"verified\""), "{line}");
        for gate in [&strict, &lenient] {
            assert!(!gate.printed().concat().contains(PASSWORD), "{:?}", gate.printed());
        }
    }
}

#[test]
fn a_wrong_url_is_not_shown() {
    let folder = folder();
    let file = folder.path().join("keys.toml");
    std::fs::write(&file, keys()).expect("a file");
    let own =
        ["gate", "--upstream", "http://127.0.0.1:9", "--service", "s3", "--region", "x", "--listen", "127.0.0.1:0"];
    for url in ["http://u:PASSWORD@x/", "PASSWORD", "redis://u:PASSWORD@x:y/", "redis://u:PASSWORD@x/name"] {
        let done = run(&mut without_credentials(&[&own[..], &["--keys", text(&file), "--replay", url]].concat()));
        assert_eq!(done.code, 2, "{url}: {done:?}");
        assert!(done.err.contains("--replay must be") && !done.err.contains("PASSWORD"), "{done:?}");
    }
}
