use base64ct::{Base64, Encoding};
use serde_json::Value;

use crate::support::{DATE, SECRET, TOKEN, bare, cli, expiring, of_vector, temporary, vectors};

const URL: &str = "https://abc.execute-api.us-east-1.amazonaws.com/dev/get-list";

/// The vectors that sign what this command signs: host, content type and x-amz- headers.
#[test]
fn vectors_are_met() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("body");
    let mut met = 0;
    for name in ["header_generic.jsonl", "header_s3.jsonl", "documentation.jsonl"] {
        for vector in vectors(name) {
            let (request, context, expected) = (&vector["request"], &vector["context"], &vector["expect"]);
            let is_signed =
                |name: &str| matches!(name, "host" | "content-type" | "content-md5") || name.starts_with("x-amz-");
            let headers = expected["signed_headers"].as_str().unwrap_or_default();
            let service = context["service"].as_str().unwrap();
            let payload = if matches!(service, "s3" | "aoss") { "signed+header" } else { "signed" };
            let is_ours = context["payload"] == payload && headers.split(';').all(is_signed);
            if expected["authorization"].is_null() || !is_ours {
                continue;
            }
            let url = request["url"].as_str().unwrap();
            let mut cli =
                of_vector("sign", &vector).args(["-X", request["method"].as_str().unwrap(), "--service", service]);
            let given = request["headers"].as_array().unwrap();
            if !given.iter().any(|header| header[0].as_str().unwrap().eq_ignore_ascii_case("content-type")) {
                cli = cli.args(["-H", "Content-Type:"]);
            }
            for header in given {
                let (name, value) = (header[0].as_str().unwrap(), header[1].as_str().unwrap());
                cli = cli.arg("-H").arg(if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") });
            }
            std::fs::write(&file, Base64::decode_vec(request["body_b64"].as_str().unwrap()).unwrap()).unwrap();
            let ran = cli.args(["--data-binary", &format!("@{}", file.display())]).arg(url).run();
            let line = format!("authorization: {}\n", expected["authorization"].as_str().unwrap());
            assert!(ran.stdout.contains(&line), "{}: {line} is not in {}{}", vector["id"], ran.stdout, ran.stderr);
            met += 1;
        }
    }
    assert_eq!(met, 16);
}

#[test]
fn text_and_json() {
    let text = temporary(&format!("sign {URL} --date {DATE}")).output();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!((lines[0], lines[2]), ("x-amz-date: 20150830T123600Z", &*format!("x-amz-security-token: {TOKEN}")));
    assert!(
        lines[1].starts_with("authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/execute-api/")
    );
    assert_eq!(lines.len(), 3);

    let command = format!("sign {URL} --date {DATE} -d a=1 --format json");
    let json: Value = serde_json::from_str(&cli(&command).output()).unwrap();
    assert_eq!((json["method"].as_str(), json["url"].as_str()), (Some("POST"), Some(URL)));
    // It is signed and not given, so that it has to be added.
    assert_eq!(json["headers"]["content-type"], "application/x-www-form-urlencoded");
    let json: Value = serde_json::from_str(&cli(&command).args(["-H", "content-TYPE: text/plain"]).output()).unwrap();
    assert_eq!(json["headers"].as_object().unwrap().keys().collect::<Vec<_>>(), ["authorization", "x-amz-date"]);
    let command = format!("sign {URL} --sign-all-headers -H X-Own:a");
    let all = cli(&command).output();
    assert!(
        all.starts_with("accept: */*\nx-amz-date: ") && all.contains("SignedHeaders=accept;host;x-amz-date;x-own,"),
        "{all}"
    );
    let s3 = cli("sign https://bucket.s3.us-east-1.amazonaws.com/a").output();
    assert!(s3.contains("x-amz-content-sha256: e3b0c442"), "{s3}");
}

#[test]
fn regions_are_signed_with_sigv4a() {
    let text = cli(&format!("sign {URL} --region us-east-1,eu-west-1")).output();
    assert!(text.contains("authorization: AWS4-ECDSA-P256-SHA256 Credential=AKIDEXAMPLE/"), "{text}");
    assert!(text.contains("x-amz-region-set: us-east-1,eu-west-1"), "{text}");
}

#[test]
fn verbose_shows_the_stages_without_secrets() {
    let ran = temporary(&format!("sign -v {URL}")).run();
    for line in
        ["* service      execute-api (from the host name)", "  x-amz-security-token:[redacted]", "  AWS4-HMAC-SHA256"]
    {
        assert!(ran.stderr.contains(line), "{line} is not in {}", ran.stderr);
    }
    let signature = ran.stdout.split("Signature=").nth(1).unwrap().get(..64).unwrap();
    assert!(!ran.stderr.contains(signature), "{}", ran.stderr);
}

#[test]
fn wrong_input_is_refused() {
    cli("sign https:///a").fails(2, "the URL has no host");
    cli("sign https://example.com/a").fails(2, "--service execute-api");
    cli("sign --service s3 https://example.com/a").fails(2, "--region us-east-1");
    for region in ["us/east", "us east", "é"] {
        cli("sign --service s3 https://example.com/a --region").arg(region).fails(2, "");
    }
    cli(&format!("sign {URL} --payload chunked -d a")).fails(2, "countersign request");
    cli(&format!("sign {URL} -H Authorization:Basic_x")).fails(1, "");
    cli(&format!("sign {URL} -d @/nonexistent/file")).fails(26, "/nonexistent/file");
    cli(&format!("sign {URL} -d @- -H @-")).fails(2, "one thing only");
    cli(&format!("sign {URL} --date 2015-08-30")).fails(2, "20150830T123600Z");
    let expired = bare(&format!("sign {URL} --credentials-stdin")).stdin(expiring("2015-08-30T12:36:00Z"));
    expired.fails(1, "expired");
    bare(&format!("sign {URL}")).fails(1, "no credentials are configured");
    cli(&format!("sign {URL}")).var("AWS_SECRET_ACCESS_KEY", "").fails(1, "it is blank");
    cli(&format!("sign {URL} --profile nope")).fails(1, "nope");
    cli(&format!("sign {URL} -H")).arg(SECRET).fails(2, "no colon");
}

#[test]
fn help_has_examples_and_exit_codes() {
    for name in ["sign", "presign", "post-form", "token", "credentials"] {
        let help = bare(&format!("{name} --help")).output();
        assert!(help.contains("Examples:\n") && help.contains("Exit codes:\n"), "{help}");
    }
}
