use countersign::{Timestamp, Verifier};
use serde_json::Value;

use crate::support::{Cli, DATE, ID, bare, cli, expiring, known, temporary};

const BASE: &str = "post-form --bucket photos --region us-east-1";

fn form(cli: Cli) -> (Vec<(String, String)>, Value) {
    let json: Value = serde_json::from_str(&cli.output()).unwrap();
    let fields = json["fields"].as_object().unwrap();
    (fields.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect(), json)
}

/// What a store says about an upload of `photo.jpg` with these fields.
fn verified(fields: &[(String, String)], more: &[(&str, &str)], length: u64) -> Result<String, String> {
    let verifier = Verifier::new("us-east-1", "s3").unwrap();
    let fields = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(more.iter().copied());
    let unverified = verifier.parse_form("photos", fields, Timestamp::now()).map_err(|error| error.to_string())?;
    let unverified = unverified.with_file_name("photo.jpg").map_err(|error| error.to_string())?;
    let known = known();
    let form = unverified.verify(Some(&known)).map_err(|error| error.to_string())?;
    form.check_file_length(length).map_err(|error| error.to_string())?;
    Ok(form.field("key").unwrap().to_owned())
}

#[test]
fn a_store_accepts_what_the_policy_allows() {
    let command = format!(
        "{BASE} --key-starts-with user/eric/ --content-type image/* --content-length-range 1:1000 --success-status 201 \
         --field acl=private --field x-amz-meta-tag=a=b --starts-with x-amz-meta-note="
    );
    let (fields, json) = form(cli(&command));
    assert_eq!(json["url"], "https://photos.s3.us-east-1.amazonaws.com/");
    assert!(fields.contains(&("success_action_status".into(), "201".into())));
    assert!(fields.contains(&("x-amz-meta-tag".into(), "a=b".into())));
    let set = |kind| [("Content-Type", kind), ("x-amz-meta-note", "anything")];
    assert_eq!(verified(&fields, &set("image/jpeg"), 1000), Ok("user/eric/photo.jpg".into()));
    assert!(verified(&fields, &set("text/html"), 1000).is_err());
    assert!(verified(&fields, &set("image/jpeg"), 1001).is_err());
    assert!(verified(&fields, &set("image/jpeg"), 0).is_err());
    assert!(verified(&fields, &[("Content-Type", "image/jpeg")], 1).is_err(), "x-amz-meta-note is missing");
    assert!(
        verified(&fields, &[("Content-Type", "image/jpeg"), ("x-amz-meta-note", ""), ("tagging", "x")], 1).is_err()
    );
    let changed: Vec<_> = fields
        .iter()
        .map(|(name, value)| (name.clone(), if name == "key" { "user/anna/a".into() } else { value.clone() }))
        .collect();
    assert!(verified(&changed, &set("image/jpeg"), 1).is_err());
}

#[test]
fn exact_values() {
    let command = format!("{BASE} --key a.txt --content-type text/plain --success-redirect https://example.com/done");
    let (fields, _) = form(cli(&command));
    assert!(fields.contains(&("Content-Type".into(), "text/plain".into())));
    assert!(fields.contains(&("success_action_redirect".into(), "https://example.com/done".into())));
    assert_eq!(verified(&fields, &[], 5), Ok("a.txt".into()));
    // The token of temporary credentials is a field.
    let (fields, _) = form(temporary(&format!("{BASE} --key a.txt")));
    assert!(fields.iter().any(|(name, _)| name == "x-amz-security-token"));
}

/// The signature over the policy that is printed, by a plain HMAC chain.
#[test]
fn the_time_makes_it_reproducible() {
    let command = format!("{BASE} --key a.txt --date {DATE} --expires 10m");
    let (fields, json) = form(cli(&command));
    assert_eq!(json["expires_at"], "2015-08-30T12:46:00Z");
    let field = |name: &str| fields.iter().find(|field| field.0 == name).unwrap().1.clone();
    assert_eq!(field("x-amz-credential"), format!("{ID}/20150830/us-east-1/s3/aws4_request"));
    assert_eq!(form(cli(&command)).0, fields);
    use base64ct::Encoding;
    let policy = base64ct::Base64::decode_vec(&field("policy")).unwrap();
    let policy: Value = serde_json::from_slice(&policy).unwrap();
    assert_eq!(policy["expiration"], "2015-08-30T12:46:00Z");
    assert_eq!(policy["conditions"][0]["bucket"], "photos");
}

#[test]
fn hosts() {
    let url = |arguments: &str| form(cli(arguments)).1["url"].as_str().unwrap().to_owned();
    assert_eq!(url("post-form --bucket b --key a --region cn-north-1"), "https://b.s3.cn-north-1.amazonaws.com.cn/");
    assert_eq!(url("post-form --bucket a.b --key a --region eu-west-1"), "https://s3.eu-west-1.amazonaws.com/a.b");
    let minio = "post-form --bucket b --key a --region us-east-1 --action http://localhost:9000/b";
    assert_eq!(url(minio), "http://localhost:9000/b");
    let of_host = "post-form --bucket b --key a --action https://b.s3.eu-west-3.amazonaws.com/";
    assert!(form(cli(of_host)).0.iter().any(|(_, value)| value.contains("/eu-west-3/s3/")));
}

#[test]
fn the_page_is_escaped() {
    let page = cli(&format!("{BASE} --format html --starts-with"))
        .arg("x-amz-meta-\"><script>=<b>")
        .args(["--key", "\"><script>alert(1)</script>"])
        .output();
    assert!(!page.contains("<script>") && !page.contains("<b>"), "{page}");
    assert!(page.starts_with("<!DOCTYPE html>"), "{page}");
    assert!(page.contains(
        "<form action=\"https://photos.s3.us-east-1.amazonaws.com/\" method=\"post\" enctype=\"multipart/form-data\">"
    ));
    let (file, last) = (page.find("type=\"file\"").unwrap(), page.rfind("type=\"hidden\"").unwrap());
    assert!(file > last, "S3 ignores every field after the file");
}

#[test]
fn it_warns_if_the_credentials_end_earlier() {
    let command = format!("{BASE} --key a --credentials-stdin --date {DATE}");
    let ran = bare(&command).stdin(expiring("2015-08-30T13:00:00Z")).run();
    assert_eq!((ran.code, ran.stdout.lines().count()), (0, 1));
    assert_eq!(ran.stderr, "warning: the credentials expire at 2015-08-30T13:00:00Z, and the form with them\n");
    bare(&command).stdin(expiring("2015-08-30T12:00:00Z")).fails(1, "expired");
}

#[test]
fn wrong_input_is_refused() {
    cli(BASE).fails(2, "--key");
    cli(&format!("{BASE} --key a --key-starts-with b")).fails(2, "cannot be used with");
    for range in ["1", "5:1", "-1:5", "a:b", "1:2:3", "1:18446744073709551616"] {
        cli(&format!("{BASE} --key a --content-length-range={range}")).fails(2, "content-length-range");
    }
    cli(&format!("{BASE} --key a --success-status 302")).fails(2, "204");
    cli(&format!("{BASE} --key a --field acl")).fails(2, "NAME=VALUE");
    cli(&format!("{BASE} --key a --field key=b")).fails(2, "");
    cli(&format!("{BASE} --key a --field x-amz-date=20150830T123600Z")).fails(2, "");
    cli(&format!("{BASE} --key a --expires 8d")).fails(2, "1s to 7d");
    cli(&format!("{BASE} --key a --expires 0")).fails(2, "1s to 7d");
    cli("post-form --bucket b --key a").fails(2, "--region us-east-1");
    for bucket in ["", "b/c", "b@evil.example", "B", "b?"] {
        cli("post-form --key a --region us-east-1").arg(format!("--bucket={bucket}")).fails(2, "name of a bucket");
    }
    cli("post-form --bucket b --key a --region nowhere").fails(2, "--action URL");
    cli("post-form --bucket b --key a --region *").fails(2, "--action URL");
    bare(&format!("{BASE} --key a")).fails(1, "no credentials are configured");
}
