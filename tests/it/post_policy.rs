//! Browser upload forms: which ones are refused, and how S3 reports it.

use base64ct::{Base64, Encoding};
use countersign::post_policy::{Policy, PolicyError};
use countersign::{Credentials, ErrorFormat, Rules, SignError, Signer, Timestamp, VerifyError};

use crate::support::fixtures::{TEMPORARY_SECRET, TOKEN, at, temporary, verifier};

const BUCKET: &str = "examplebucket";

type Fields = Vec<(String, String)>;

fn now() -> Timestamp {
    at("20151229T000000Z")
}

fn signer() -> Signer {
    Signer::new(temporary(), "us-east-1", "s3").unwrap()
}

fn policy() -> Policy {
    Policy::new(BUCKET, at("20151229T010000Z"))
        .with_field("key", "user/eric/${filename}")
        .with_field("acl", "private")
        .with_starts_with("Content-Type", "image/")
        .with_starts_with("x-amz-meta-tag", "")
        .with_content_length(5..=10)
}

fn owned<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>) -> Fields {
    fields.map(|(name, value)| (name.into(), value.into())).collect()
}

/// The form as it arrives, with the fields that the page adds.
fn form() -> Fields {
    let mut fields = owned(signer().sign_post_policy(&policy(), now()).unwrap().fields());
    fields.push(("Content-Type".into(), "image/png,image/gif".into()));
    fields.push(("x-amz-meta-tag".into(), String::new()));
    fields
}

/// The form for a policy given as text, valid or not.
fn form_of(text: &str, fields: &[(&str, &str)]) -> Fields {
    let mut form = form();
    form.retain(|(name, _)| {
        name.starts_with("x-amz-") && !["x-amz-meta-tag", "x-amz-security-token"].contains(&&**name)
    });
    let policy = Base64::encode_string(text.as_bytes());
    let scope = countersign::Scope::new("20151229", "us-east-1", "s3").unwrap();
    let known = Credentials::new("ASIAEXAMPLE", TEMPORARY_SECRET).unwrap();
    set(&mut form, "x-amz-signature", &hmac(&known, &scope, policy.as_bytes()));
    form.push(("policy".into(), policy));
    form.extend(owned(fields.iter().copied()));
    form
}

/// HMAC-SHA256 in hexadecimal, from its definition.
fn hmac(credentials: &Credentials, scope: &countersign::Scope<'_>, text: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    let mut key = countersign::SigningKey::derive_bytes_exposed(credentials, scope).to_vec();
    key.resize(64, 0);
    let pad = |with: u8| key.iter().map(move |byte| byte ^ with).collect::<Vec<_>>();
    let inner = Sha256::digest([&pad(0x36), text].concat());
    hex::encode(Sha256::digest([&pad(0x5c)[..], &inner[..]].concat()))
}

fn set(form: &mut Fields, name: &str, value: &str) {
    form.iter_mut().find(|(found, _)| found == name).unwrap().1 = value.into();
}

fn remove(form: &mut Fields, name: &str) {
    form.retain(|(found, _)| found != name);
}

fn verify_at(form: &Fields, known: Option<&Credentials>, now: Timestamp) -> Result<Fields, PolicyError> {
    let fields = form.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let verifier = verifier("s3");
    let unverified = verifier.parse_form(BUCKET, fields, now)?.with_file_name("C:\\photos/a.png")?;
    let verified = unverified.verify(known)?;
    Ok(owned(verified.fields()))
}

fn verify(form: &Fields) -> Result<Fields, PolicyError> {
    verify_at(form, Some(&temporary()), now())
}

/// Verifies a policy that is signed with a key without a session token.
fn verify_text(text: &str, fields: &[(&str, &str)]) -> Result<Fields, PolicyError> {
    let known = Credentials::new("ASIAEXAMPLE", TEMPORARY_SECRET).unwrap();
    verify_at(&form_of(text, fields), Some(&known), now())
}

fn answer(error: &PolicyError) -> (u16, &'static str, String) {
    (
        error.refusal(ErrorFormat::S3Xml).status(),
        error.refusal(ErrorFormat::S3Xml).code(),
        error.refusal(ErrorFormat::S3Xml).message().to_owned(),
    )
}

const FAILED: &str = "Invalid according to Policy: Policy Condition failed: ";
const EXTRA: &str = "Invalid according to Policy: Extra input fields: ";

#[test]
fn verified_fields_are_returned_in_final_form() {
    let fields = verify(&form()).unwrap();
    let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "key",
            "acl",
            "x-amz-algorithm",
            "x-amz-credential",
            "x-amz-date",
            "x-amz-security-token",
            "Content-Type",
            "x-amz-meta-tag"
        ]
    );
    assert_eq!(fields[0].1, "user/eric/a.png");
    // Fields that no condition covers are not returned.
    let mut form = form();
    form.push(("x-ignore-tracker".into(), "1".into()));
    form.push(("file".into(), "1".into()));
    assert_eq!(verify(&form).unwrap(), fields);
}

#[test]
fn refusals_are_worded_as_s3_does() {
    type Change = fn(&mut Fields);
    let missing = |name: &str| {
        format!(
            "Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the fields."
        )
    };
    let cases: Vec<(Change, u16, &str, String)> = vec![
        (|form| remove(form, "key"), 400, "InvalidArgument", missing("key")),
        (|form| remove(form, "policy"), 400, "InvalidArgument", missing("policy")),
        (|form| remove(form, "x-amz-algorithm"), 400, "InvalidArgument", missing("X-Amz-Algorithm")),
        (|form| remove(form, "x-amz-credential"), 400, "InvalidArgument", missing("X-Amz-Credential")),
        (|form| remove(form, "x-amz-date"), 400, "InvalidArgument", missing("X-Amz-Date")),
        (|form| remove(form, "x-amz-signature"), 400, "InvalidArgument", missing("X-Amz-Signature")),
        (
            |form| form.retain(|(name, _)| ["key", "policy"].contains(&&**name)),
            403,
            "AccessDenied",
            "Access Denied".into(),
        ),
        (
            |form| {
                form.retain(|(name, _)| ["key", "policy"].contains(&&**name));
                form.push(("AWSAccessKeyId".into(), "AKID".into()));
            },
            400,
            "InvalidRequest",
            "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.".into(),
        ),
        (
            |form| set(form, "x-amz-algorithm", "AWS4-HMAC-SHA1"),
            400,
            "InvalidRequest",
            "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.".into(),
        ),
        (
            |form| set(form, "x-amz-credential", "ASIAEXAMPLE/20151229/us-west-2/s3/aws4_request"),
            400,
            "InvalidArgument",
            "the region 'us-west-2' is wrong; expecting 'us-east-1'".into(),
        ),
        (
            |form| set(form, "x-amz-credential", "ASIAEXAMPLE/20151229/us-east-1/sts/aws4_request"),
            400,
            "InvalidArgument",
            "incorrect service \"sts\". This endpoint belongs to \"s3\".".into(),
        ),
        (
            |form| set(form, "x-amz-credential", "ASIAEXAMPLE/20151229/us-east-1/s3/aws4"),
            400,
            "InvalidArgument",
            "incorrect terminal \"aws4\". This endpoint uses \"aws4_request\".".into(),
        ),
        (
            |form| set(form, "x-amz-date", "20151228T235959Z"),
            400,
            "InvalidArgument",
            "Invalid credential date. Date is not the same as X-Amz-Date.".into(),
        ),
        (
            |form| set(form, "x-amz-credential", "ASIAEXAMPLE"),
            400,
            "InvalidArgument",
            "the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".".into(),
        ),
        (
            |form| set(form, "x-amz-date", "2015-12-29"),
            400,
            "InvalidArgument",
            "X-Amz-Date must be formated via ISO8601 Long format".into(),
        ),
        (
            |form| set(form, "policy", "eyJl"),
            403,
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. Check your key and \
             signing method."
                .into(),
        ),
        (
            |form| set(form, "x-amz-signature", "00"),
            403,
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. Check your key and \
             signing method."
                .into(),
        ),
        (
            |form| set(form, "x-amz-security-token", "another"),
            400,
            "InvalidToken",
            "The provided token is malformed or otherwise invalid.".into(),
        ),
        (
            |form| remove(form, "x-amz-security-token"),
            400,
            "InvalidToken",
            "The provided token is malformed or otherwise invalid.".into(),
        ),
        (
            |form| form.push(("x-amz-s3session-token".into(), TOKEN.into())),
            400,
            "InvalidArgument",
            "X-Amz-Security-Token may be given only once".into(),
        ),
        (|form| set(form, "acl", "Private"), 403, "AccessDenied", format!("{FAILED}[\"eq\", \"$acl\", \"private\"]")),
        (|form| remove(form, "acl"), 403, "AccessDenied", format!("{FAILED}[\"eq\", \"$acl\", \"private\"]")),
        (
            |form| set(form, "key", "User/eric/a"),
            403,
            "AccessDenied",
            format!("{FAILED}[\"starts-with\", \"$key\", \"user/eric/\"]"),
        ),
        (
            |form| set(form, "Content-Type", "image/png,text/html"),
            403,
            "AccessDenied",
            format!("{FAILED}[\"starts-with\", \"$Content-Type\", \"image/\"]"),
        ),
        // Even with an empty prefix, the field has to be present.
        (
            |form| remove(form, "x-amz-meta-tag"),
            403,
            "AccessDenied",
            format!("{FAILED}[\"starts-with\", \"$x-amz-meta-tag\", \"\"]"),
        ),
        (
            |form| form.push(("bucket".into(), "another".into())),
            403,
            "AccessDenied",
            format!("{FAILED}[\"eq\", \"$bucket\", \"another\"]"),
        ),
        (
            |form| {
                form.push(("x-amz-meta-a".into(), "1".into()));
                form.push(("AWSAccessKeyId".into(), "AKID".into()));
            },
            403,
            "AccessDenied",
            format!("{EXTRA}x-amz-meta-a, AWSAccessKeyId"),
        ),
        (
            |form| form.push(("ACL".into(), "private".into())),
            400,
            "InvalidArgument",
            "ACL may be given only once".into(),
        ),
        (
            |form| form.push(("x-ignore-a".into(), "a".repeat(20_480))),
            400,
            "MaxPostPreDataLengthExceeded",
            "Your POST request fields preceeding the upload file was too large.".into(),
        ),
        (
            |form| form.extend((0..256).map(|n| (format!("x-ignore-{n}"), String::new()))),
            400,
            "MaxPostPreDataLengthExceeded",
            "Your POST request fields preceeding the upload file was too large.".into(),
        ),
    ];
    for (index, (change, status, code, message)) in cases.into_iter().enumerate() {
        let mut form = form();
        change(&mut form);
        let error = verify(&form).unwrap_err();
        assert_eq!(answer(&error), (status, code, message), "{index}: {error:?}");
    }
    let error = verify_at(&form(), None, now()).unwrap_err();
    assert_eq!(error.refusal(ErrorFormat::S3Xml).code(), "InvalidAccessKeyId");
    let other = Credentials::new("ASIAEXAMPLE", "another").unwrap().with_session_token(TOKEN).unwrap();
    assert_eq!(verify_at(&form(), Some(&other), now()), Err(VerifyError::SignatureMismatch { computed: None }.into()));
    let ended = temporary().with_expires_at(now());
    assert_eq!(verify_at(&form(), Some(&ended), now()).unwrap_err().refusal(ErrorFormat::S3Xml).code(), "ExpiredToken");
}

#[test]
fn a_policy_expires() {
    let expired = (403, "AccessDenied", "Invalid according to Policy: Policy expired.".to_owned());
    let known = temporary();
    let refused = |form: &Fields, now| answer(&verify_at(form, Some(&known), now).unwrap_err());
    assert!(verify_at(&form(), Some(&known), at("20151229T005959Z")).is_ok());
    assert_eq!(refused(&form(), at("20151229T010000Z")), expired);
    // The signature of a policy with a later expiration is valid for seven days.
    let policy = Policy::new(BUCKET, at("20301229T010000Z")).with_field("key", "a");
    let form_of_years = owned(signer().sign_post_policy(&policy, now()).unwrap().fields());
    assert!(verify_at(&form_of_years, Some(&known), at("20160104T235959Z")).is_ok());
    assert_eq!(refused(&form_of_years, at("20160105T000000Z")), expired);
    // It may not be signed too far in the future.
    assert!(verify_at(&form_of_years, Some(&known), at("20151228T234500Z")).is_ok());
    assert_eq!(refused(&form_of_years, at("20151228T234459Z")).2, "Request is not valid yet");
}

#[test]
fn names_are_compared_ignoring_case() {
    let text = format!(
        r#"{{"expiration":"2015-12-30T12:00:00.000Z","conditions":[{{"bUcKeT":"{BUCKET}"}},["StArTs-WiTh","$KeY","foo"],
        {{"X-Amz-Credential":"ASIAEXAMPLE/20151229/us-east-1/s3/aws4_request"}},{{"X-Amz-Algorithm":"AWS4-HMAC-SHA256"}},
        {{"X-Amz-Date":"20151229T000000Z"}},["eq","$AcL","private"]]}}"#
    );
    assert!(verify_text(&text, &[("kEy", "foo.txt"), ("aCl", "private"), ("Bucket", BUCKET)]).is_ok());
    let without_bucket = text.replace(r#"{"bUcKeT":"examplebucket"},"#, "");
    let error = verify_text(&without_bucket, &[("key", "foo.txt"), ("acl", "private")]).unwrap_err();
    assert_eq!(answer(&error), (403, "AccessDenied", format!("{EXTRA}bucket")));
    let other_bucket = text.replace(BUCKET, "another");
    let error = verify_text(&other_bucket, &[("key", "foo.txt"), ("acl", "private")]).unwrap_err();
    assert_eq!(answer(&error).2, format!("{FAILED}[\"eq\", \"$bUcKeT\", \"another\"]"));
}

#[test]
fn an_invalid_policy_is_refused_after_its_signature_is_verified() {
    for (text, message) in [
        ("", "Invalid Policy: Invalid JSON."),
        (r#"{"expiration":"2015-12-30T12:00:00Z","conditions":[{"acl":"private"},]}"#, "Invalid Policy: Invalid JSON."),
        (r#"{"conditions":[]}"#, "Invalid Policy: Policy missing expiration."),
        (
            r#"{"expiration":"2011-09-13T07:52:58+02:00","conditions":[]}"#,
            "Invalid Policy: Invalid 'expiration' value: '2011-09-13T07:52:58+02:00'",
        ),
        (r#"{"expiration":"2015-12-30T12:00:00Z"}"#, "Invalid Policy: Policy missing conditions."),
        (r#"{"Statement":[]}"#, "Invalid Policy: Unexpected: 'statement'"),
        (
            r#"{"expiration":"2015-12-30T12:00:00Z","conditions":[{"a":"b","c":"d"}]}"#,
            "Invalid Policy: Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.",
        ),
        (
            r#"{"expiration":"2015-12-30T12:00:00Z","conditions":[{"Content-Length":6199034}]}"#,
            "Invalid Policy: Invalid Simple-Condition: value must be a string.",
        ),
        (
            r#"{"expiration":"2015-12-30T12:00:00Z","conditions":[["like","$key",""]]}"#,
            "Invalid Policy: Invalid Condition: unknown operation 'like'.",
        ),
        (
            r#"{"expiration":"2015-12-30T12:00:00Z","conditions":[["content-length-range",0]]}"#,
            "Invalid Policy: Invalid content-length-range: wrong number or type of arguments.",
        ),
        (
            r#"{"expiration":"2015-12-30T12:00:00Z","conditions":[[]]}"#,
            "Invalid Policy: Invalid Condition: missing operation identifier.",
        ),
    ] {
        let error = verify_text(text, &[("key", "a")]).unwrap_err();
        assert_eq!(answer(&error), (400, "InvalidPolicyDocument", message.to_owned()), "{text}");
    }
    let mut form = form_of("{}", &[("key", "a")]);
    set(&mut form, "policy", "e30");
    let scope = countersign::Scope::new("20151229", "us-east-1", "s3").unwrap();
    let known = Credentials::new("ASIAEXAMPLE", TEMPORARY_SECRET).unwrap();
    set(&mut form, "x-amz-signature", &hmac(&known, &scope, b"e30"));
    let error = verify_at(&form, Some(&known), now()).unwrap_err();
    assert_eq!(error, PolicyError::NotBase64);
}

#[test]
fn the_file_name_is_inserted_into_the_fields_once() {
    let text = format!(
        r#"{{"expiration":"2015-12-30T12:00:00Z","conditions":[{{"bucket":"{BUCKET}"}},["starts-with","$key",""],
        {{"x-amz-credential":"ASIAEXAMPLE/20151229/us-east-1/s3/aws4_request"}},{{"x-amz-algorithm":"AWS4-HMAC-SHA256"}},
        {{"x-amz-date":"20151229T000000Z"}}]}}"#
    );
    let form = form_of(&text, &[("key", "${filename}/${filename}.txt")]);
    let fields = || form.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let known = Credentials::new("ASIAEXAMPLE", TEMPORARY_SECRET).unwrap();
    let key_with = |file_name: Option<&str>| {
        let verifier = verifier("s3");
        let unverified = verifier.parse_form(BUCKET, fields(), now())?;
        let unverified = match file_name {
            Some(file_name) => unverified.with_file_name(file_name)?,
            None => unverified,
        };
        let form = unverified.verify(Some(&known))?;
        Ok::<_, PolicyError>(form.field("KEY").unwrap().to_owned())
    };
    assert_eq!(key_with(Some("a")).unwrap(), "a/a.txt");
    assert_eq!(key_with(Some("C:\\Program Files\\directory1\\file.txt")).unwrap(), "file.txt/file.txt.txt");
    assert_eq!(key_with(Some("../../${filename}")).unwrap(), "${filename}/${filename}.txt");
    assert_eq!(key_with(Some("")).unwrap(), "/.txt");
    assert_eq!(key_with(Some("a/")).unwrap(), "/.txt");
    assert_eq!(key_with(None).unwrap(), "${filename}/${filename}.txt");
    let too_long = key_with(Some(&"a".repeat(20_000))).unwrap_err();
    assert_eq!(answer(&too_long).1, "MaxPostPreDataLengthExceeded");
}

#[test]
fn the_length_of_the_file_is_checked() {
    let form = form();
    let fields = form.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let verifier = verifier("s3");
    let form = verifier.parse_form(BUCKET, fields, now()).unwrap().verify(Some(&temporary())).unwrap();
    assert_eq!(form.file_length(), 5..=10);
    assert!(form.check_file_length(5).is_ok() && form.check_file_length(10).is_ok());
    let error = form.check_file_length(12).unwrap_err();
    assert_eq!(
        error.refusal(ErrorFormat::S3Xml).body("id"),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>EntityTooLarge</Code><Message>Your proposed upload exceeds \
         the maximum allowed size</Message><ProposedSize>12</ProposedSize><MaxSizeAllowed>10</MaxSizeAllowed>\
         <RequestId>id</RequestId></Error>"
    );
    let error = form.check_file_length(1).unwrap_err();
    assert_eq!(
        answer(&error),
        (400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size".to_owned())
    );
}

#[test]
fn a_form_that_s3_would_refuse_is_not_signed() {
    let sign = |policy: &Policy| signer().sign_post_policy(policy, now()).map(|_| ());
    let to = |end| Policy::new(BUCKET, at(end));
    assert_eq!(sign(&policy()), Ok(()));
    let expires_at = at("20151229T000000Z");
    assert_eq!(sign(&to("20151229T000000Z")), Err(PolicyError::Expired { expires_at, now: now() }));
    let end = "20151230T000000Z";
    let repeated = sign(&to(end).with_field("key", "a").with_field("Key", "a"));
    assert_eq!(repeated, Err(PolicyError::RepeatedField { name: "Key".into() }));
    for (name, value) in [("", "a"), ("a\n", "a"), ("a", "a\r\nb"), ("a", "\0")] {
        assert!(matches!(sign(&to(end).with_field(name, value)), Err(PolicyError::Unsendable { .. })), "{name:?}");
    }
    let long = sign(&to(end).with_field("x-ignore-a", "a".repeat(20_480)));
    assert!(matches!(long, Err(PolicyError::FieldsTooLong { .. })));
    let only_exact = sign(&to(end).with_starts_with("x-amz-security-token", ""));
    assert!(matches!(only_exact, Err(PolicyError::OnlyExact { .. })));
    let contradiction = sign(&to(end).with_field("acl", "a").with_starts_with("ACL", "b"));
    assert_eq!(
        contradiction,
        Err(PolicyError::ConditionFailed { condition: r#"["starts-with", "$ACL", "b"]"#.into() })
    );

    let text = signer().sign_post_policy(&policy(), now()).unwrap();
    let text = Base64::decode_vec(text.fields().find(|(name, _)| *name == "policy").unwrap().1).unwrap();
    let text = String::from_utf8(text).unwrap();
    let sign_text = |text: &str, fields: &[(&str, &str)], now| {
        signer().sign_post_policy_text(text, fields.iter().copied(), now).map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(sign_text(&text, &[("key", "user/eric/a")], now()), Ok(()));
    assert_eq!(
        sign_text(&text, &[("x-amz-meta-a", "")], now()).unwrap_err(),
        "no condition of the policy names x-amz-meta-a"
    );
    // The text was signed for another second.
    let error = sign_text(&text, &[], at("20151229T000001Z")).unwrap_err();
    assert_eq!(error, r#"the condition ["eq", "$x-amz-date", "20151229T000000Z"] is not met"#);
    let without_token = text.replace("x-amz-security-token", "x-amz-meta-a");
    let error = sign_text(&without_token, &[], now()).unwrap_err();
    assert_eq!(error, "no condition of the policy names x-amz-security-token");
    let other_token = text.replace(TOKEN, "another");
    let error = sign_text(&other_token, &[], now()).unwrap_err();
    assert_eq!(error, r#"the condition ["eq", "$x-amz-security-token", "[redacted]"] is not met"#);
    assert!(sign_text("{", &[], now()).is_err());

    let ended = Signer::new(temporary().with_expires_at(now()), "us-east-1", "s3").unwrap();
    let error = ended.sign_post_policy(&policy(), now()).unwrap_err();
    assert!(matches!(error, PolicyError::Sign(SignError::CredentialsExpired { .. })));
    assert_eq!(
        (error.refusal(ErrorFormat::S3Xml).status(), error.refusal(ErrorFormat::S3Xml).code()),
        (500, "InternalError")
    );
    let soon = Signer::new(temporary().with_expires_at(at("20151229T005959Z")), "us-east-1", "s3").unwrap();
    assert!(soon.sign_post_policy(&policy(), now()).unwrap().outlives_credentials());
}

/// For a directory bucket, the rules give the session token's field another name.
#[test]
fn the_session_token_field_is_named_by_the_rules() {
    let signer = Signer::new(temporary(), "us-east-1", "s3express").unwrap();
    assert_eq!(Rules::for_service("s3express").session_token.header(), "x-amz-s3session-token");
    let policy = Policy::new(BUCKET, at("20151229T010000Z")).with_field("key", "a");
    let form = owned(signer.sign_post_policy(&policy, now()).unwrap().fields());
    assert!(form.contains(&("x-amz-s3session-token".into(), TOKEN.into())));
    let verify = |form: &Fields| {
        let fields = form.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        verifier("s3express").parse_form(BUCKET, fields, now())?.verify(Some(&temporary())).map(|_| ())
    };
    assert_eq!(verify(&form), Ok(()));
    let mut other_name = form.clone();
    remove(&mut other_name, "x-amz-s3session-token");
    other_name.push(("x-amz-security-token".into(), TOKEN.into()));
    assert!(matches!(verify(&other_name), Err(PolicyError::ConditionFailed { .. })));
}

#[test]
fn no_debug_output_or_error_contains_a_secret() {
    let form = signer().sign_post_policy(&policy(), now()).unwrap();
    let signature = form.signature().to_hex();
    let policy_b64 = form.fields().find(|(name, _)| *name == "policy").unwrap().1.to_owned();
    let mut texts = vec![format!("{form:?} {:?}", policy().with_field("x-amz-security-token", TOKEN))];
    let arrived = self::form();
    let fields = arrived.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let verifier = verifier("s3");
    let unverified = verifier.parse_form(BUCKET, fields, now()).unwrap();
    texts.push(format!("{unverified:?}"));
    texts.push(format!("{:?}", unverified.verify(Some(&temporary())).unwrap()));
    for index in 0..arrived.len() {
        let mut changed = arrived.clone();
        changed[index].1.insert(0, 'x');
        if let Err(error) = verify(&changed) {
            texts.push(format!("{error} {error:?} {}", error.refusal(ErrorFormat::S3Xml).body("")));
        }
        changed.remove(index);
        if let Err(error) = verify(&changed) {
            texts.push(format!("{error} {error:?} {}", error.refusal(ErrorFormat::RestJson).body("")));
        }
    }
    assert!(texts.len() > 20);
    for text in texts {
        for secret in [TEMPORARY_SECRET, TOKEN, &signature, &policy_b64] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

/// C10. A store might write a field into a header: characters that could end a line are refused, as they are when
/// signing.
#[test]
fn fields_that_a_browser_would_not_send_are_refused() {
    for text in ["a\rb", "a\nb", "a\r\nx-amz-acl: public-read", "\0", "a\u{7f}", "\u{85}"] {
        let with = |name: &str, value: &str| {
            let mut fields = form();
            fields.push((name.into(), value.into()));
            let fields: Vec<(&str, &str)> =
                fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            verifier("s3").parse_form(BUCKET, fields, now()).map(|_| ())
        };
        for (name, value) in [("x-ignore-a", text), (text, "a")] {
            assert!(matches!(with(name, value), Err(PolicyError::Unsendable { .. })), "{name:?} {value:?}");
        }
        let fields = form();
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let verifier = verifier("s3");
        let unverified = verifier.parse_form(BUCKET, fields, now()).unwrap();
        assert!(matches!(unverified.with_file_name(text), Err(PolicyError::Unsendable { .. })), "{text:?}");
    }
}
