//! What is printed: the answer, what was read from where, and never a secret.

use countersign::SigningKey;
use countersign::{Credentials, ErrorFormat, Request, Timestamp, Verifier, VerifyingKey};

use crate::support::{
    Done, ID, SECRET, Server, TOKEN, answer, countersign, folder, request, run, run_with_stdin, text,
    without_credentials,
};

fn server() -> Server {
    Server::verifying(Verifier::new("us-east-1", "execute-api").unwrap(), ErrorFormat::RestJson)
}

/// The signature that was sent.
fn signature(server: &Server) -> String {
    let arrived = server.arrived();
    let authorization = arrived.last().and_then(|last| last.header("authorization")).expect("a signed request");
    authorization.rsplit_once("Signature=").expect("a signature").1.to_owned()
}

#[test]
fn verbose_shows_the_stages_and_origins() {
    let server = server();
    let done =
        request(&["-v", "-H", "x-api-key: hidden-key", "-d", "a", &server.url("/p?X-Amz-Security-Token=hidden")]);
    assert_eq!(done.code, 0, "{done:?}");
    for part in [
        "* region       us-east-1 (from the environment or the profile)",
        "* service      execute-api (from COUNTERSIGN_SERVICE)",
        "environment: gave AKIDEXAMPLE",
        "* canonical request:\n  POST\n  /p\n",
        "* string to sign:\n  AWS4-HMAC-SHA256\n",
        "> POST /p?X-Amz-Security-Token=(hidden)",
        "> x-api-key: (hidden)",
        "Signature=(hidden)",
        "< HTTP/1.1 ",
    ] {
        assert!(done.err.contains(part), "{part:?} is missing in {}", done.err);
    }
    assert!(!done.err.contains("hidden-key"));
    assert!(!done.err.contains("=hidden"));
    assert!(!done.err.contains(&signature(&server)), "{}", done.err);
}

#[test]
fn region_and_service_are_read_from_the_host() {
    for (host, region, service) in [
        ("abc123.execute-api.eu-west-1.amazonaws.com", "region       eu-west-1", "service      execute-api"),
        ("bedrock-runtime.us-west-2.amazonaws.com", "region       us-west-2", "service      bedrock"),
        ("abc.lambda-url.eu-north-1.on.aws", "region       eu-north-1", "service      lambda"),
        ("bucket.s3.cn-north-1.amazonaws.com.cn", "region       cn-north-1", "service      s3"),
    ] {
        let mut command = without_credentials(&["request", "--offline", "-v", "--user", "ID:secret", host]);
        let done = run(command.env("AWS_REGION", "us-east-1").env("COUNTERSIGN_SERVICE", "es"));
        assert_eq!(done.code, 0, "{done:?}");
        assert!(done.err.contains(&format!("{region} (from the host name)")), "{done:?}");
        assert!(done.err.contains(&format!("{service} (from the host name)")), "{done:?}");
        assert!(done.out.contains(&format!("host: {host}\r\n")), "{done:?}");
    }
}

#[test]
fn the_host_header_names_region_and_service_as_well() {
    let server = Server::verifying(Verifier::new("eu-west-1", "execute-api").unwrap(), ErrorFormat::RestJson);
    let host = "abc123.execute-api.eu-west-1.amazonaws.com";
    let user = format!("{ID}:{SECRET}");
    let header = format!("Host: {host}");
    let done = run(&mut without_credentials(&["request", "--user", &user, "-H", &header, &server.url("/dev")]));
    assert_eq!((done.code, done.out.as_str()), (0, "ok"), "{done:?}");
    assert_eq!(server.arrived()[0].header("host"), Some(host));
}

#[test]
fn all_headers_are_signed_if_asked() {
    let server = server();
    for (flags, signed) in
        [(&[] as &[&str], "host;x-amz-date"), (&["--sign-all-headers"], "accept;host;x-a;x-amz-date")]
    {
        let done = request(&[flags, &["-H", "X-A: 1", &server.url("/")]].concat());
        assert_eq!((done.code, done.out.as_str()), (0, "ok"), "{done:?}");
        let arrived = server.arrived();
        let authorization = arrived.last().unwrap().header("authorization").unwrap();
        assert!(authorization.contains(&format!("SignedHeaders={signed},")), "{authorization}");
    }
}

/// Every way to give credentials; the server accepts each.
#[test]
fn credentials_from_everywhere_and_no_secret_in_the_output() {
    let server = server();
    let folder = folder();
    let config = folder.path().join("config");
    let profile = format!(
        "[profile dev]\naws_access_key_id={ID}\naws_secret_access_key={SECRET}\naws_session_token={TOKEN}\nregion=us-east-1\n"
    );
    std::fs::write(&config, profile).unwrap();
    let user = format!("{ID}:{SECRET}");
    let (json, lines) = (
        format!(r#"{{"Version":1,"AccessKeyId":"{ID}","SecretAccessKey":"{SECRET}","SessionToken":"{TOKEN}"}}"#),
        format!(
            "export AWS_ACCESS_KEY_ID={ID}\nexport AWS_SECRET_ACCESS_KEY=\"{SECRET}\"\nAWS_SESSION_TOKEN={TOKEN}\n"
        ),
    );
    let with_token = format!("{ID}:{SECRET}:{TOKEN}\n");
    let cases: [(&[&str], &str); 10] = [
        (&["--user", &user], ""),
        (&["-u", &user, "--session-token", TOKEN], ""),
        (&["--access-key", ID, "--secret-key", SECRET], ""),
        (&["--access_key", ID, "--secret_key", SECRET, "--session_token", TOKEN], ""),
        (&["--access_key", ID, "--secret_key", SECRET, "--security_token", TOKEN], ""),
        (&["--profile", "dev"], ""),
        (&["--credentials-stdin"], &json),
        (&["--credentials-stdin"], &lines),
        (&["--credentials-stdin"], &with_token),
        (&["--credentials-stdin"], &user),
    ];
    for (arguments, stdin) in cases {
        let sigv4 = ["request", "-v", "--aws-sigv4", "aws:amz:us-east-1:execute-api"];
        let mut command = without_credentials(&[&sigv4, arguments, &[&server.url("/p")]].concat());
        let done = run_with_stdin(command.env("AWS_CONFIG_FILE", text(&config)), stdin.as_bytes());
        assert_eq!((done.code, done.out.as_str()), (0, "ok"), "{arguments:?} {stdin}: {done:?}");
        no_secret(&done, &signature(&server));
    }
}

fn no_secret(done: &Done, signature: &str) {
    for secret in [SECRET, TOKEN, signature] {
        assert!(!done.out.contains(secret) && !done.err.contains(secret), "{done:?}");
    }
}

#[test]
fn no_secret_in_errors() {
    let user = format!("{ID}:{SECRET}");
    let json = format!(r#"{{"AccessKeyId":"{ID}","SecretAccessKey":"{SECRET}""#);
    let cases: [(&[&str], &str); 11] = [
        (&["http://127.0.0.1:1/", SECRET], ""),
        (&["http://127.0.0.1:1/", "--user", SECRET], ""),
        (&["http://127.0.0.1:1/", "--max-time", SECRET], ""),
        (&["http://127.0.0.1:1/", "--payload", SECRET], ""),
        (&["http://127.0.0.1:1/", "--secret-key", SECRET], ""),
        (&["http://127.0.0.1:1/", "--user", &user, "--session-token", "a\nb"], ""),
        (&["http://127.0.0.1:1/", "-H", SECRET], ""),
        (&["http://127.0.0.1:1/", "--credentials-stdin"], &json),
        (&["http://127.0.0.1:1/", "--credentials-stdin"], SECRET),
        (&["http://a:wJalrXUtnFEMI%2FK7MDENG+bPxRfiCYEXAMPLEKEY@127.0.0.1:1/"], ""),
        (&["http://127.0.0.1:1/a b?X-Amz-Security-Token=wJalrXUtnFEMI%2FK7MDENG+bPxRfiCYEXAMPLEKEY"], ""),
    ];
    for (arguments, stdin) in cases {
        let mut command = without_credentials(&[&["request", "-v"], arguments].concat());
        let done = run_with_stdin(&mut command, stdin.as_bytes());
        assert!(matches!(done.code, 1 | 2), "{arguments:?}: {done:?}");
        assert!(!done.err.contains(SECRET) && !done.err.contains("bPxRfiCY"), "{arguments:?}: {done:?}");
    }
}

#[test]
fn include_head_and_output() {
    let server = Server::new(|arrived| {
        let body = if arrived.method == "HEAD" { "" } else { "body" };
        answer(200, &[("X-Answer", "yes")], body)
    });
    let done = request(&["-i", &server.url("/")]);
    assert!(done.out.starts_with("HTTP/1.1 200 OK\r\n") && done.out.contains("x-answer: yes\r\n"), "{done:?}");
    assert!(done.out.ends_with("\r\n\r\nbody"), "{done:?}");
    let done = request(&["-I", &server.url("/")]);
    assert!(done.out.contains("x-answer: yes\r\n") && done.out.ends_with("\r\n\r\n"), "{done:?}");
    assert_eq!(server.arrived().last().unwrap().method, "HEAD");
    let folder = folder();
    let file = folder.path().join("out");
    let format = "%{http_code} %{size_download} %header{x-answer} %{method} %{http_version}\\n";
    let done = request(&["-o", text(&file), "-w", format, &server.url("/")]);
    assert_eq!((done.code, done.out.as_str()), (0, "200 4 yes GET 1.1\n"), "{done:?}");
    assert_eq!(std::fs::read(&file).unwrap(), b"body");
    let done = request(&["-o", "/nonexistent/file", &server.url("/")]);
    assert_eq!(done.code, 23, "{done:?}");
}

#[test]
fn an_answer_of_any_bytes_arrives_unchanged() {
    let body: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    let sent = body.clone();
    let server = Server::new(move |_| {
        let mut bytes = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", sent.len()).into_bytes();
        bytes.extend_from_slice(&sent);
        bytes
    });
    let output = countersign(&["request", &server.url("/")]).output().unwrap();
    assert!(output.stdout == body);
}

#[test]
fn offline_prints_what_would_be_sent() {
    let done = request(&["--offline", "-d", "a=b", "http://127.0.0.1:1//a/./b?c"]);
    assert_eq!((done.code, done.err.as_str()), (0, ""), "{done:?}");
    let (head, body) = done.out.split_once("\r\n\r\n").expect("a head");
    let mut lines = head.split("\r\n");
    assert_eq!(lines.next(), Some("POST //a/./b?c HTTP/1.1"));
    let headers: Vec<_> = lines.map(|line| line.split_once(": ").unwrap()).map(|(n, v)| (n, v.as_bytes())).collect();
    assert_eq!(body, "a=b");
    let verifier = Verifier::new("us-east-1", "execute-api").unwrap().accept_dot_segments();
    let request = Request::new("POST", "//a/./b?c", &headers).with_scheme("http");
    let credentials = Credentials::new(ID, SECRET).unwrap();
    let unverified = verifier.parse(request, Timestamp::now()).unwrap();
    unverified.with_body(body.as_bytes()).verify(Some(&credentials)).unwrap();
}

/// The printed command is run by a shell, and verifies.
#[cfg(unix)]
#[test]
fn curl_sends_the_printed_command() {
    if std::process::Command::new("curl").arg("--version").output().is_err() {
        return;
    }
    let verifier = Verifier::new("us-east-1", "execute-api").unwrap().accept_dot_segments();
    let server = Server::verifying(verifier, ErrorFormat::RestJson);
    let folder = folder();
    let file = folder.path().join("it's a file");
    std::fs::write(&file, b"a\n\0b").unwrap();
    let at = format!("@{}", text(&file));
    let cases: [(&[&str], &str); 6] = [
        (&[], "//a/./b/../c?d=[1]&e"),
        (&["-d", "it's \"quoted\" $HOME `x`\n"], "/p"),
        (&["--data-binary", &at], "/p"),
        (&["-X", "PUT", "-H", "Content-Type:", "-H", "Accept:", "-H", "User-Agent:", "--data-raw", "@a"], "/p"),
        (&["-H", "X-Empty;", "-H", "Host: other.example"], "/p"),
        (&["-T", text(&file)], "/a/"),
    ];
    for (arguments, target) in cases {
        let url = server.url(target);
        let arguments = [arguments, &["--curl", &url]].concat();
        let printed = request(&arguments);
        assert_eq!(printed.code, 0, "{printed:?}");
        let before = server.arrived().len();
        let output = std::process::Command::new("sh").args(["-c", &format!("{} -s", printed.out.trim_end())]).output();
        let output = output.unwrap();
        assert_eq!(output.stdout, b"ok", "{} {:?} {:#?}", printed.out, output, server.arrived().get(before));
    }
}

#[test]
fn a_region_set_signs_with_sigv4a() {
    let public_key = SigningKey::derive_sigv4a(&Credentials::new(ID, SECRET).unwrap()).public_key().unwrap();
    for set in ["*", "us-east-1,us-west-*"] {
        let verifier = Verifier::new("us-west-2", "execute-api").unwrap().with_sigv4a();
        let key = VerifyingKey::from_public_key(ID, public_key);
        let server = Server::new(move |arrived| {
            let pairs = arrived.pairs();
            let request = Request::new(&arrived.method, &arrived.target, &pairs).with_scheme("http");
            let verified = verifier.parse(request, Timestamp::now());
            match verified.and_then(|request| request.with_body(&arrived.body).verify_with_key(Some(&key))) {
                Ok(verified) => answer(200, &[], verified.region_set().unwrap_or("none")),
                Err(error) => answer(403, &[], &error.to_string()),
            }
        });
        let done = request(&["--region", set, "-d", "x", &server.url("/p")]);
        assert_eq!((done.code, done.out.as_str()), (0, set), "{done:?}");
        assert_eq!(server.arrived()[0].header("x-amz-region-set"), Some(set));
    }
}

#[test]
fn escape_sequences_of_a_server_are_not_printed() {
    let server = Server::new(|_| {
        answer(403, &[("X-A", "\u{1b}[31m")], "{\"message\":\"Missing Authentication Token \u{1b}[2J\"}")
    });
    let done = request(&["-v", "-o", "/dev/null", &server.url("/")]);
    assert!(!done.err.contains('\u{1b}'), "{done:?}");
}

#[test]
fn help_documents_exit_codes_and_examples() {
    let done = run(&mut without_credentials(&["request", "--help"]));
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    for part in ["Examples:", "Exit codes:", "--retry-skew", "[default: 10]"] {
        assert!(done.out.contains(part), "{part}");
    }
}

#[test]
fn each_flag_of_the_readme_exists() {
    let help: String =
        ["request", "gate", "proxy"].map(|name| run(&mut without_credentials(&[name, "--help"])).out).concat();
    let readme = include_str!("../../README.md");
    let words = readme.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '.'));
    let flags: Vec<_> = words.filter(|word| word.starts_with("--") && !word.starts_with("---")).collect();
    assert!(flags.len() > 15, "{flags:?}");
    for flag in flags {
        // Flags of cargo and curl.
        let is_known = matches!(flag, "--locked" | "--aws-sigv4") || help.contains(&format!("{flag} "));
        assert!(is_known || help.contains(&format!("{flag}\n")), "{flag}");
    }
}
