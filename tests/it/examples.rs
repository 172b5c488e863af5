//! Runs the example programs as a user would.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

use base64ct::Encoding;
use countersign::{Credentials, Request, Timestamp, Verifier};

/// Returns the command of an example, which `cargo test` builds next to the tests.
pub fn example(name: &str) -> Command {
    let mut folder: PathBuf = std::env::current_exe().unwrap();
    folder.pop();
    folder.pop();
    let program = folder.join("examples").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(program.exists(), "`cargo test --test it` alone builds no examples; run `cargo build --examples` first");
    let mut command = Command::new(program);
    command.env_remove("AWS_SESSION_TOKEN").env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    command.env_remove("AWS_REGION").env_remove("AWS_DEFAULT_REGION");
    command
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn quickstart_makes_nine_calls_and_explains_the_five_refusals() {
    // Calls to loopback must not use a proxy.
    let output = example("quickstart").env("HTTP_PROXY", "http://127.0.0.1:1").output().unwrap();
    let text = text(&output);
    assert!(output.status.success(), "{text}");
    for shown in [
        "1. A public route",
        r#"< 403 {"message":"Missing Authentication Token"}"#,
        "3. An IAM route, signed",
        "> x-amz-security-token: FwoGZXIv…",
        "X-Amz-Expires=60",
        "The request signature we calculated does not match the signature you provided.",
        "1. likely: the secret access key doesn't belong to this access key id",
        "7. Body changed in transit",
        "+ content-type:application/json; charset=utf-8",
        "Signature expired: ",
        "likely: the client's clock is 10 minutes",
        "All nine calls were answered as expected.",
    ] {
        assert!(text.contains(shown), "{shown} in {text}");
    }
    assert!(!text.contains("wJalr") && !text.contains("EXAMPLETOKEN"), "{text}");
}

#[test]
fn quickstart_reports_missing_arguments() {
    for (arguments, problem) in [
        (vec!["--no-such-option"], "unknown option --no-such-option"),
        (vec!["abc"], "not an absolute URL"),
        (vec!["https://api.example.com/"], "--region"),
        (vec!["https://api.example.com/", "--region"], "--region needs a value"),
    ] {
        let output = example("quickstart").args(&arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(
            text(&output).contains(problem) && text(&output).contains("usage:"),
            "{arguments:?}: {}",
            text(&output)
        );
    }
    let url = "https://abc123.execute-api.eu-west-1.amazonaws.com/dev/x";
    let output = example("quickstart").arg(url).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = text(&output);
    assert!(text.contains("region eu-west-1, service execute-api"), "{text}");
    assert!(text.contains("AWS_ACCESS_KEY_ID is not set"), "{text}");
}

struct Arrived {
    request_line: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

/// Answers one request with 200, and returns what arrived.
fn serve_once(listener: TcpListener) -> Arrived {
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim_end().is_empty() {
            break;
        }
        lines.push(line.trim_end().to_owned());
    }
    let headers: Vec<(String, Vec<u8>)> = lines[1..]
        .iter()
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
        .collect();
    let length = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length = length.map_or(0, |(_, value)| String::from_utf8_lossy(value).parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}").unwrap();
    Arrived { request_line: lines[0].clone(), headers, body }
}

#[test]
fn test_invoke_method_sends_a_call_that_verifies() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || serve_once(listener));
    let output = example("test_invoke_method")
        .args(["--region", "eu-west-1", "--rest-api-id", "abc123", "--resource-id", "xyz789", "--endpoint", &endpoint])
        .args(["--path-with-query-string", "/get-list?limit=25", "--body", "{\"a\":\"b\"}"])
        .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let Arrived { request_line, headers, body } = server.join().unwrap();
    assert_eq!(request_line, "POST /restapis/abc123/resources/xyz789/methods/GET HTTP/1.1");
    let sent: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(sent, serde_json::json!({"pathWithQueryString": "/get-list?limit=25", "body": "{\"a\":\"b\"}"}));

    let headers: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
    let request = Request::new("POST", "/restapis/abc123/resources/xyz789/methods/GET", &headers);
    let known = Credentials::new("AKIDEXAMPLE", "secret").unwrap();
    let verifier = Verifier::new("eu-west-1", "apigateway").unwrap();
    verifier.parse(request, Timestamp::now()).unwrap().with_body(&body).verify(Some(&known)).unwrap();
}

/// Runs the conformance program on these cases, in a file `wrong.jsonl` in a new folder.
fn conformance_of(folder: &str, wrong: &[String]) -> Output {
    let folder = std::env::temp_dir().join(format!("countersign-{folder}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("wrong.jsonl");
    std::fs::write(&path, wrong.join("\n")).unwrap();
    let output = example("conformance").arg(&path).output().unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    output
}

#[test]
fn conformance_counts_cases_and_names_differences() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/test-vectors/documentation.jsonl");
    let output = example("conformance").arg(file).output().unwrap();
    assert_eq!(text(&output), "documentation: 8 passed, 0 failed, 0 skipped\n");

    let good = std::fs::read_to_string(file).unwrap();
    let line = good.lines().find(|line| line.contains("iam-list-users")).unwrap();
    let wrong = [
        line.replacen("ListUsers", "ListRoles", 1),
        line.replace("\"suite\"", "\"colour\":1,\"suite\""),
        line.replace("\"payload\":\"signed\"", "\"payload\":\"sealed\""),
        "{".into(),
        "{\"id\":\"later\",\"suite\":\"sigv4a\"}".into(),
    ];
    let output = conformance_of("conformance", &wrong);
    let text = text(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.ends_with("wrong: 0 passed, 5 failed, 0 skipped\n"), "{text}");
    assert!(text.contains("iam-list-users: canonical request\n"), "{text}");
    assert!(text.contains("unknown field `colour`"), "{text}");
}

#[test]
fn upload_stores_only_what_is_signed() {
    let file = std::env::temp_dir().join(format!("countersign-test-{}", std::process::id()));
    std::fs::write(&file, vec![0x5a; 300_000]).unwrap();
    let output = example("upload").arg(&file).output().unwrap();
    std::fs::remove_file(&file).unwrap();
    let text = text(&output);
    assert!(output.status.success(), "{text}");
    for shown in [
        "> x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        "< 200 stored 300000 bytes",
        "> x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "<Code>SignatureDoesNotMatch</Code>",
        "< 201 stored 100000 bytes",
        "<Code>EntityTooLarge</Code>",
        "All uploads were answered as expected.",
    ] {
        assert!(text.contains(shown), "{shown} in {text}");
    }
    assert!(!text.contains("wJalr"));

    let output = example("upload").args(["a", "b"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

/// Returns the command of an example with credentials in its environment.
fn with_key(name: &str) -> Command {
    let mut command = example(name);
    command.env("AWS_ACCESS_KEY_ID", "ASIAEXAMPLE").env("AWS_SECRET_ACCESS_KEY", "secret");
    command.env("AWS_SESSION_TOKEN", "to+ken/=");
    command
}

fn stdout(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// Verifies a presigned URL, as a server does.
fn verify_presigned(host: &str, target: &str, headers: &[(&str, &[u8])], region: &str, service: &str) {
    let headers: Vec<_> = headers.iter().copied().chain([("host", host.as_bytes())]).collect();
    let known = Credentials::new("ASIAEXAMPLE", "secret").unwrap().with_session_token("to+ken/=").unwrap();
    let verifier = Verifier::new(region, service).unwrap();
    let unverified = verifier.parse(Request::new("GET", target, &headers), Timestamp::now()).unwrap();
    unverified.with_body(b"").verify(Some(&known)).unwrap();
}

fn percent_decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8().unwrap().into_owned()
}

#[test]
fn rds_token_prints_a_password_in_each_form_of_a_connection_string() {
    let rds_token = |form: &str| {
        let mut command = with_key("rds_token");
        command.args(["--region", "eu-west-1", "--host", "db.example.com", "--user", "a+b'\\c", "--database", "my db"]);
        command.args(["--sslrootcert", "/etc/it's a.pem", "--as", form]);
        stdout(&mut command)
    };
    let is_right = |token: &str| {
        let target = token.strip_prefix("db.example.com:5432").unwrap();
        assert!(
            target.starts_with("/?Action=connect&DBUser=a%2Bb%27%5Cc&X-Amz-Algorithm=AWS4-HMAC-SHA256&"),
            "{target}"
        );
        verify_presigned("db.example.com:5432", target, &[], "eu-west-1", "rds-db");
    };
    is_right(rds_token("password").trim_end());

    let keywords = rds_token("keywords");
    let start = r"host='db.example.com' port='5432' user='a+b\'\\c' password='";
    let (token, rest) = keywords.strip_prefix(start).unwrap().split_once('\'').unwrap();
    is_right(token);
    assert_eq!(rest, " dbname='my db' sslmode='verify-full' sslrootcert='/etc/it\\'s a.pem'\n");

    let uri = rds_token("uri");
    let (user, rest) = uri.strip_prefix("postgres://").unwrap().split_once(':').unwrap();
    let (password, rest) = rest.split_once('@').unwrap();
    assert_eq!(percent_decoded(user), "a+b'\\c");
    is_right(&percent_decoded(password));
    assert_eq!(rest, "db.example.com:5432/my%20db?sslmode=verify-full&sslrootcert=%2Fetc%2Fit%27s%20a.pem\n");
}

#[test]
fn eks_token_prints_the_credential_that_kubectl_reads() {
    let printed = stdout(with_key("eks_token").args(["--cluster-name", "prod"]).env("AWS_REGION", "cn-north-1"));
    let credential: serde_json::Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(credential["kind"], "ExecCredential");
    assert_eq!(credential["apiVersion"], "client.authentication.k8s.io/v1beta1");
    assert_eq!(credential["status"].as_object().unwrap().len(), 2);
    let end = credential["status"]["expirationTimestamp"].as_str().unwrap();
    let end: Timestamp = end.replace(['-', ':'], "").parse().unwrap();
    let minutes = end.unix_seconds() - Timestamp::now().unix_seconds();
    assert!((13 * 60..=14 * 60).contains(&minutes), "{minutes}");

    let token = credential["status"]["token"].as_str().unwrap().strip_prefix("k8s-aws-v1.").unwrap();
    let url = String::from_utf8(base64ct::Base64UrlUnpadded::decode_vec(token).unwrap()).unwrap();
    let target = url.strip_prefix("https://sts.cn-north-1.amazonaws.com.cn").unwrap();
    let headers = [("x-k8s-aws-id", b"prod".as_slice())];
    verify_presigned("sts.cn-north-1.amazonaws.com.cn", target, &headers, "cn-north-1", "sts");
}

#[test]
fn axum_server_answers_the_signed_call_and_refuses_the_others() {
    let shown = stdout(&mut example("axum_server"));
    for line in [
        "public route:    200 healthy",
        "signed:          200 AKIDEXAMPLE stored 8 bytes at /items/first",
        r#"unsigned:        403 {"message":"Missing Authentication Token"}"#,
        "changed body:    403 {\"message\":\"The request signature we calculated does not match",
    ] {
        assert!(shown.contains(line), "{line} in {shown}");
    }
    assert_eq!(example("axum_server").arg("--listen").output().unwrap().status.code(), Some(2));
}

#[test]
fn token_examples_show_sample_values_and_report_missing_arguments() {
    let output = example("rds_token").output().unwrap();
    let shown = text(&output);
    assert!(output.status.success() && shown.contains("sample values"), "{shown}");
    assert!(
        shown.contains("password='db.abc123.eu-west-1.rds.amazonaws.com:5432/?Action=connect&DBUser=app&"),
        "{shown}"
    );
    assert!(shown.contains("postgres://app:db.abc123.eu-west-1.rds.amazonaws.com%3A5432%2F%3FAction%3Dconnect%26"));
    let output = example("eks_token").output().unwrap();
    assert!(output.status.success() && text(&output).contains("sample values"));
    let printed = serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap();
    assert_eq!(printed["kind"], "ExecCredential");

    for (name, arguments, code, problem) in [
        ("rds_token", vec!["--colour"], 2, "unknown option --colour"),
        ("rds_token", vec!["--host"], 2, "--host needs a value"),
        ("rds_token", vec!["--port", "70000"], 2, "--port must be a number"),
        ("rds_token", vec!["--as", "yaml"], 2, "--as must be password, keywords or uri, not yaml"),
        ("rds_token", vec!["--user", "app"], 1, "the host is empty"),
        ("rds_token", vec!["--host", "db", "--user", "app"], 1, "the region is empty"),
        ("rds_token", vec!["--host", "postgres://db", "--user", "app"], 1, "is a URL; give only the name"),
        ("rds_token", vec!["--host", "db", "--port", "0", "--user", "app"], 1, "port 0 is invalid"),
        ("eks_token", vec!["--region", "eu-west-1"], 1, "the cluster is empty"),
        ("eks_token", vec!["--region"], 2, "--region needs a value"),
    ] {
        let output = with_key(name).args(&arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", text(&output));
        assert!(text(&output).contains(problem) && output.stdout.is_empty(), "{arguments:?}: {}", text(&output));
        assert_eq!(text(&output).contains("usage:"), code == 2, "{arguments:?}");
    }
    for name in ["rds_token", "eks_token"] {
        let output = example(name).args(["--region", "eu-west-1"]).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(text(&output), "the environment variable AWS_ACCESS_KEY_ID is not set\n");
        assert!(stdout(example(name).arg("--help")).starts_with("usage:"));
    }
}

#[test]
fn conformance_compares_the_token_itself() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/test-vectors/tokens.jsonl");
    let output = example("conformance").arg(file).output().unwrap();
    assert_eq!(text(&output), "tokens: 16 passed, 0 failed, 0 skipped\n");

    let good = std::fs::read_to_string(file).unwrap();
    let case = |id: &str| good.lines().find(|line| line.contains(&format!("\"id\":\"{id}\""))).unwrap();
    let wrong = [
        case("tok-rds-00").replace("\"username\":\"a b\"", "\"username\":\"a c\""),
        case("tok-rds-00").replace("\"token\":\"prod-db.", "\"token\":\"test-db."),
        case("tok-eks-01").replace("\"cluster\":\"my-cluster\"", "\"cluster\":\"other\""),
        case("tok-msk-00").replace("\"expiry_ms\":1784985634000", "\"expiry_ms\":1784985634"),
        case("tok-iot-01").replace("[\"X-Amz-Date\",\"20270322T111914Z\"],", ""),
        case("tok-memorydb-00").replace("\"kind\":\"memorydb\"", "\"kind\":\"redis\""),
        case("tok-memorydb-00").replace("\"input\":{", "\"input\":{\"colour\":1,"),
    ];
    let output = conformance_of("tokens", &wrong);
    let text = text(&output);
    assert!(text.ends_with("wrong: 0 passed, 7 failed, 0 skipped\n"), "{text}");
    for stage in ["tok-rds-00: token", "tok-msk-00: expiry_ms", "tok-iot-01: parameters", "unknown field `colour`"] {
        assert!(text.contains(stage), "{stage}: {text}");
    }
}
