use base64ct::{Base64, Encoding};
use countersign::{Request, Timestamp, Verifier};
use sha2::{Digest, Sha256};

use crate::support::{Cli, DATE, SECRET, bare, cli, expiring, known, of_vector, temporary, vectors};

/// The URL is that of the vector, byte for byte.
#[test]
fn vectors_are_met() {
    let mut met = 0;
    for vector in vectors("presign_generic.jsonl").into_iter().chain(vectors("presign_s3.jsonl")) {
        let (request, context) = (&vector["request"], &vector["context"]);
        let mut cli = of_vector("presign", &vector)
            .args(["-X", request["method"].as_str().unwrap(), "--service", context["service"].as_str().unwrap()])
            .args(["--expires", &context["expires"].to_string()]);
        for header in request["headers"].as_array().unwrap() {
            let (name, value) = (header[0].as_str().unwrap(), header[1].as_str().unwrap());
            cli = cli.arg("-H").arg(if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") });
        }
        let body = Base64::decode_vec(request["body_b64"].as_str().unwrap()).unwrap();
        if !body.is_empty() && context["payload"] == "signed" {
            let hash: String = Sha256::digest(&body).iter().map(|byte| format!("{byte:02x}")).collect();
            cli = cli.args(["--payload-hash", &hash]);
        }
        let url = cli.arg(request["url"].as_str().unwrap()).output();
        let expected = &vector["expect"];
        assert!(url.contains(expected["signature"].as_str().unwrap()), "{}: {url}", vector["id"]);
        if context["session_token"].is_null() {
            // A default port is not part of the signed host, and is left out.
            let expected = expected["query"].as_str().unwrap().replacen(":443/", "/", 1).replacen(":80/", "/", 1);
            assert_eq!(url, expected, "{}", vector["id"]);
        }
        met += 1;
    }
    assert_eq!(met, 50);
}

/// The example of Amazon's documentation.
#[test]
fn the_documented_url() {
    let url = bare("presign --expires 1d --date 2013-05-24T00:00:00Z https://examplebucket.s3.amazonaws.com/test.txt")
        .var("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .var("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
        .output();
    assert!(
        url.ends_with("&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"),
        "{url}"
    );
}

/// What a server says about the URL.
fn verified(url: &str, method: &str, headers: &[(&str, &[u8])], body: &[u8], service: &str) -> Result<(), String> {
    let (host, target) = url.split_once("://").unwrap().1.split_once('/').unwrap();
    let target = format!("/{target}");
    let verifier = Verifier::new("us-east-1", service).unwrap();
    let request = Request::new(method, &target, headers).with_host(host);
    let unverified = verifier.parse(request, Timestamp::now()).map_err(|error| error.to_string())?;
    let known = known();
    let result = unverified.with_body(body).verify(Some(&known));
    result.map(drop).map_err(|error| error.to_string())
}

#[test]
fn a_server_accepts_the_url() {
    let signed = |cli: Cli| cli.args(["--region", "us-east-1"]).output();
    for url in [
        "https://abc.execute-api.us-east-1.amazonaws.com/dev//get-list?b=2&a=1&a&c=",
        "https://abc.execute-api.us-east-1.amazonaws.com/dev/%C3%A9%2F?x=%2B+%20",
    ] {
        let url = signed(cli("presign").arg(url));
        assert_eq!(verified(&url, "GET", &[], b"", "execute-api"), Ok(()), "{url}");
        assert!(verified(&url, "POST", &[], b"", "execute-api").is_err());
        assert!(verified(&url, "GET", &[], b"x", "execute-api").is_err());
    }

    let url = "https://bucket.s3.us-east-1.amazonaws.com/a.jpg";
    let url = signed(cli("presign -X PUT -H").args(["Content-Type: image/jpeg"]).arg(url));
    let jpeg: &[(&str, &[u8])] = &[("content-type", b"image/jpeg")];
    assert_eq!(verified(&url, "PUT", jpeg, b"any body", "s3"), Ok(()));
    assert!(verified(&url, "PUT", &[("content-type", b"text/html")], b"any body", "s3").is_err());
    assert!(verified(&url, "PUT", &[], b"any body", "s3").is_err());
}

#[test]
fn the_body_can_be_fixed() {
    let hash = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"; // hello
    let url = "https://bucket.s3.us-east-1.amazonaws.com/a";
    let pinned = cli(&format!("presign -X PUT --payload-hash {hash} {url}")).output();
    assert!(pinned.contains(&format!("&X-Amz-Content-Sha256={hash}&")), "{pinned}");
    assert_eq!(verified(&pinned, "PUT", &[], b"hello", "s3"), Ok(()));
    assert!(verified(&pinned, "PUT", &[], b"Hello", "s3").is_err());
    let upper = cli(&format!("presign -X PUT --payload-hash {} {url}", hash.to_uppercase())).output();
    assert_eq!(verified(&upper, "PUT", &[], b"hello", "s3"), Ok(()));
    for bad in [&hash[1..], "", "é", &format!("{hash}0"), &hash.replace('2', "g")] {
        cli("presign").arg(format!("--payload-hash={bad}")).arg(url).fails(2, "64 hexadecimal digits");
    }
    let api = "https://abc.execute-api.us-east-1.amazonaws.com/dev";
    cli(&format!("presign --payload-hash unsigned {api}")).fails(1, "");
}

#[test]
fn websockets() {
    let url = cli("presign --expires 5m wss://abc.execute-api.us-east-1.amazonaws.com:443/production").output();
    assert!(url.starts_with("wss://abc.execute-api.us-east-1.amazonaws.com/production?X-Amz-Algorithm="), "{url}");
    assert_eq!(verified(&url, "GET", &[], b"", "execute-api"), Ok(()));
    let url = cli("presign ws://localhost:8080/ --service execute-api --region us-east-1").output();
    assert!(url.starts_with("ws://localhost:8080/?"), "{url}");
}

#[test]
fn several_regions_are_signed_with_sigv4a() {
    let url = cli("presign --service s3 --region us-east-1,eu-west-1 https://example.com/a").output();
    assert!(url.contains("X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256"), "{url}");
    assert!(url.contains("X-Amz-Region-Set=us-east-1%2Ceu-west-1"), "{url}");
}

#[test]
fn it_warns_if_the_credentials_end_earlier() {
    let url = "https://bucket.s3.us-east-1.amazonaws.com/a";
    let command = format!("presign --credentials-stdin --expires 1h --date {DATE} {url}");
    let ran = bare(&command).stdin(expiring("2015-08-30T13:00:00Z")).run();
    assert_eq!(ran.code, 0);
    assert!(ran.stdout.starts_with(url) && ran.stdout.lines().count() == 1, "{}", ran.stdout);
    assert_eq!(ran.stderr, "warning: the credentials expire at 2015-08-30T13:00:00Z, and the URL with them\n");
    bare(&command).stdin(expiring("2015-08-30T13:36:00+00:00")).output();
    bare(&command).stdin(expiring("2015-08-30T12:35:59Z")).fails(1, "expired");
    bare(&command).stdin(expiring("tomorrow")).fails(2, "the expiration on standard input must be a time");
}

#[test]
fn verbose_shows_the_stages_without_secrets() {
    let ran = temporary("presign -v https://bucket.s3.us-east-1.amazonaws.com/a").run();
    for line in
        ["* region       us-east-1 (from the host name)", "  UNSIGNED-PAYLOAD", "  AWS4-HMAC-SHA256", "[redacted]"]
    {
        assert!(ran.stderr.contains(line), "{line} is not in {}", ran.stderr);
    }
    let signature = ran.stdout.trim().rsplit_once("X-Amz-Signature=").unwrap().1;
    assert!(!ran.stderr.contains(signature), "{}", ran.stderr);
}

#[test]
fn wrong_input_is_refused() {
    let url = "https://bucket.s3.us-east-1.amazonaws.com/a";
    for expires in ["0s", "8d", "604801s"] {
        cli(&format!("presign --expires {expires} {url}")).fails(1, "604800");
    }
    cli(&format!("presign --expires soon {url}")).fails(2, "such as 90s, 15m");
    cli(&format!("presign --date yesterday {url}")).fails(2, "20150830T123600Z");
    cli("presign https:///a").fails(2, "the URL has no host");
    cli("presign ftp://example.com/a").fails(2, "only http and https");
    cli("presign https://example.com/a").fails(2, "--service execute-api");
    cli("presign --service s3 https://example.com/a").fails(2, "--region us-east-1");
    cli("presign --service s3 --region us/east https://example.com/a").fails(2, "");
    cli("presign").arg(format!("{url}|b")).fails(2, "%7C");
    cli(&format!("presign {url}#part")).fails(2, "a fragment is never sent");
    cli(&format!("presign {url} -X")).arg("GE T").fails(2, "method");
    cli(&format!("presign {url} -H nonsense")).fails(2, "no colon");
    bare(&format!("presign {url}")).fails(1, "no credentials are configured");
    // What is typed in the wrong place may be a secret.
    cli(&format!("presign {url} {SECRET}")).fails(2, "");
    bare(&format!("presign {url} --user {SECRET}")).fails(2, "ID:SECRET");
    bare(&format!("presign {url} --access-key {SECRET}")).fails(2, "");
    bare(&format!("presign {url} --secret-key={SECRET}")).fails(2, "");
    bare(&format!("presign {url} --expires {SECRET}")).fails(2, "");
    let ran = bare(&format!("presign https://a:{SECRET}@example.com/")).fails(2, "the port of the URL");
    assert!(!ran.stderr.contains("wJalr"), "{}", ran.stderr);
    bare("presign https://a:secret@example.com/").fails(2, "user name or password");
}
