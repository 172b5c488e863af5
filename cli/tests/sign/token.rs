//! The figures are those of the official helpers of other languages, made with the clock set to the same time.

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use serde_json::Value;

use crate::support::{Cli, DATE, ID, SECRET, TOKEN, bare, cli, of_vector, temporary, vectors};

/// What presigning adds.
fn signed(region: &str, service: &str, expires: u32, headers: &str, token: &str, signature: &str) -> String {
    format!(
        "&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20150830%2F{region}%2F{service}%2Faws4_request\
         &X-Amz-Date=20150830T123600Z&X-Amz-Expires={expires}&X-Amz-SignedHeaders={headers}{token}&X-Amz-Signature={signature}"
    )
}

const TOKEN_PARAMETER: &str = "&X-Amz-Security-Token=FwoGZXIvYXdz%2BEXAMPLE%2FTOKEN%3D%3D";

fn at(cli: Cli) -> Cli {
    cli.args(["--date", DATE])
}

/// The signature of each vector is in the token.
#[test]
fn vectors_are_met() {
    let mut met = 0;
    for vector in vectors("tokens.jsonl") {
        let input = &vector["input"];
        let text = |name: &str| input[name].as_str().unwrap_or_default().to_owned();
        let kind = vector["kind"].as_str().unwrap();
        let arguments = match kind {
            "rds" => vec![format!("{}:{}", text("hostname"), input["port"]), "--username".into(), text("username")],
            "dsql" => {
                assert_eq!(input["action"], "DbConnectAdmin");
                vec![text("hostname"), "--admin".into(), format!("--expires={}", input["expires"])]
            }
            "eks" => vec![text("cluster"), "--format=token".into()],
            "msk" => vec!["--user-agent".into(), text("user_agent")],
            "elasticache" | "memorydb" => vec![text("cache_name"), "--username".into(), text("user")],
            "iot" => vec![text("hostname")],
            "transcribe-websocket" => {
                ["language-code=en-US", "media-encoding=pcm", "sample-rate=16000"].map(Into::into).to_vec()
            }
            other => panic!("{other} is new"),
        };
        let mut command = of_vector(&format!("token {}", kind.trim_end_matches("-websocket")), &vector);
        if input["serverless"] == true {
            command = command.arg("--serverless");
        }
        let token = command.args(arguments.iter().map(String::as_str)).output();
        let url = match Base64UrlUnpadded::decode_vec(token.strip_prefix("k8s-aws-v1.").unwrap_or(&token)) {
            Ok(bytes) => String::from_utf8(bytes).unwrap(),
            Err(_) => token,
        };
        let signature = vector["expect"]["signature"].as_str().unwrap();
        assert!(url.contains(&format!("X-Amz-Signature={signature}")), "{}: {url}", vector["id"]);
        met += 1;
    }
    assert_eq!(met, 16);
}

#[test]
fn rds() {
    let signature = "98333a99cc9e41db859ff93f0467455c71238d17c5f95411bc6187e713951611";
    let parameters = signed("eu-west-1", "rds-db", 900, "host", "", signature);
    let expected = format!("db.example.com:5432/?Action=connect&DBUser=a%2Bb{parameters}");
    for endpoint in ["db.example.com:5432", "db.example.com --port 5432"] {
        let command = format!("token rds {endpoint} --username a+b --region eu-west-1");
        assert_eq!(at(cli(&command)).output(), expected);
    }

    let signature = "d129dfba3e3c30cdbc5d4224f7b2dbbb8e0e60caad07826fe077ba5c0d2c753e";
    let parameters = signed("eu-west-1", "rds-db", 900, "host", TOKEN_PARAMETER, signature);
    let command = at(temporary("token rds db.example.com:5432").args(["--username", "jürgen müller"]));
    let expected = format!("db.example.com:5432/?Action=connect&DBUser=j%C3%BCrgen%20m%C3%BCller{parameters}");
    assert_eq!(command.var("AWS_REGION", "eu-west-1").output(), expected);

    let signature = "2ad7672aef43974933f995175529661fb00317f08ab399ccac66cac567c929f0";
    let parameters = signed("eu-west-1", "rds-db", 900, "host", "", signature);
    let command = at(cli("token rds [2001:db8::1]:5432 --username app --region eu-west-1"));
    assert_eq!(command.output(), format!("[2001:db8::1]:5432/?Action=connect&DBUser=app{parameters}"));
}

/// Flag, host, configuration.
#[test]
fn the_region_is_read_in_order() {
    let host = "db.abc.us-east-2.rds.amazonaws.com:5432";
    let region = |cli: Cli| {
        let token = cli.var("AWS_REGION", "eu-north-1").output();
        token.split("%2F").nth(2).unwrap().to_owned()
    };
    assert_eq!(region(cli(&format!("token rds {host} --username app"))), "us-east-2");
    assert_eq!(region(cli(&format!("token rds {host} --username app --region us-west-1"))), "us-west-1");
    assert_eq!(region(cli("token rds db.example.com:1 --username app")), "eu-north-1");
    cli("token rds db.example.com:1 --username app").fails(2, "the region can't be read from the host");
    cli("token elasticache my-cache --username app").fails(2, "--region us-east-1");

    let ran = temporary(&format!("token rds {host} --username app -v")).run();
    assert!(ran.stderr.contains("region: us-east-2, from the host name"), "{}", ran.stderr);
    assert!(ran.stderr.contains("credentials: AKIDEXAMPLE\nenvironment: "), "{}", ran.stderr);
    assert!(ran.stderr.contains("expires: 20"), "{}", ran.stderr);
}

#[test]
fn dsql() {
    let host = "abc.dsql.us-east-1.on.aws";
    let signature = "edb8c235126549a6f78600a7dc464383f7838f71a211dffa7f9e9b55df9c6bc5";
    let parameters = signed("us-east-1", "dsql", 3600, "host", TOKEN_PARAMETER, signature);
    let command = at(temporary(&format!("token dsql {host} --expires 1h --region us-east-1")));
    assert_eq!(command.output(), format!("{host}/?Action=DbConnect{parameters}"));

    let signature = "a5883cb0de1adf51564f21823d084720401e811bedc716b28ff4d5c5872e0186";
    let parameters = signed("us-east-1", "dsql", 900, "host", TOKEN_PARAMETER, signature);
    let command = at(temporary(&format!("token dsql {host} --admin --region us-east-1")));
    assert_eq!(command.output(), format!("{host}/?Action=DbConnectAdmin{parameters}"));

    for expires in ["0s", "8d", "604801"] {
        cli(&format!("token dsql {host} --region us-east-1 --expires {expires}")).fails(1, "604800");
    }
    cli(&format!("token dsql {host} --region us-east-1 --expires 1w")).fails(2, "such as 90s, 15m");
}

#[test]
fn caches() {
    let signature = "5738a46cb285a473ead677f22123c4b64e5f7426487edd5acf8e01288c93749d";
    let parameters = signed("us-west-2", "elasticache", 900, "host", TOKEN_PARAMETER, signature);
    let command = at(temporary("token elasticache My-Cache --username a+b --region us-west-2"));
    assert_eq!(command.output(), format!("my-cache/?Action=connect&User=a%2Bb{parameters}"));

    let signature = "ce24e60752c01fc718a4ea091a674df4db246bdae4526459d124ce75b0130eab";
    let parameters = signed("us-west-2", "elasticache", 900, "host", TOKEN_PARAMETER, signature);
    let command = at(temporary("token elasticache my-cache --username app --serverless --region us-west-2"));
    assert_eq!(command.output(), format!("my-cache/?Action=connect&User=app&ResourceType=ServerlessCache{parameters}"));

    let signature = "af571787aacf8f239b38f152cbcc96df49cffdf3588e193d24dfedbcf8816078";
    let parameters = signed("us-west-2", "memorydb", 900, "host", TOKEN_PARAMETER, signature);
    let command = at(temporary("token memorydb my-cluster --username a+b --region us-west-2"));
    assert_eq!(command.output(), format!("my-cluster/?Action=connect&User=a%2Bb{parameters}"));

    cli("token memorydb x.memorydb.eu-west-1.amazonaws.com --username app --region eu-west-1")
        .fails(2, "is an endpoint");
}

#[test]
fn msk_with_its_lifetime() {
    let command = "token msk --region eu-west-1 --user-agent aws-msk-iam-sasl-signer-python/1.0.2 --format json";
    let json: Value = serde_json::from_str(&at(temporary(command)).output()).unwrap();
    assert_eq!(json["expires_at_ms"], 1_440_939_060_000_i64);
    assert_eq!(json["expires_at"], "2015-08-30T12:51:00Z");
    let url = String::from_utf8(Base64UrlUnpadded::decode_vec(json["token"].as_str().unwrap()).unwrap()).unwrap();
    let signature = "b9ece752b0be30db1ec6f1641c2175e79cc7da5fb598995aa992d43727abfd74";
    let parameters = signed("eu-west-1", "kafka-cluster", 900, "host", TOKEN_PARAMETER, signature);
    let start = "https://kafka.eu-west-1.amazonaws.com/?Action=kafka-cluster%3AConnect";
    assert_eq!(url, format!("{start}{parameters}&User-Agent=aws-msk-iam-sasl-signer-python%2F1.0.2"));
}

#[test]
fn eks_prints_the_credential_of_kubectl() {
    let signature = "7ed5fc637c16356f9a002477c8cf232af0d5946e253f024362447abe639f2dc3";
    let parameters = signed("us-east-1", "sts", 60, "host%3Bx-k8s-aws-id", TOKEN_PARAMETER, signature);
    let url = format!("https://sts.us-east-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15{parameters}");
    let token = format!("k8s-aws-v1.{}", Base64UrlUnpadded::encode_string(url.as_bytes()));
    let command = "token eks prod --region us-east-1";
    let json: Value = serde_json::from_str(&at(temporary(command)).output()).unwrap();
    assert_eq!(json["kind"], "ExecCredential");
    assert_eq!(json["status"]["token"], token);
    assert_eq!(json["status"]["expirationTimestamp"], "2015-08-30T12:50:00Z");
    assert_eq!(at(temporary(command)).args(["--format", "token"]).output(), token);
    let json: Value = serde_json::from_str(&at(temporary(command)).args(["--format", "json"]).output()).unwrap();
    assert_eq!(json["token"], token);
    cli("token eks arn:aws:eks:us-east-1:1:cluster/prod --region us-east-1").fails(2, "letters, digits");
}

#[test]
fn bedrock() {
    let command = "token bedrock --region us-east-1 --date 2026-08-30T12:36:00Z";
    let key = cli(command).output();
    let url = Base64::decode_vec(key.strip_prefix("bedrock-api-key-").unwrap()).unwrap();
    let end = "&X-Amz-Signature=6ecfcc4555f037d659661fa18ee1478163cf95602ae28a27c78fdfb1e38d7beb&Version=1";
    assert!(String::from_utf8(url).unwrap().ends_with(end));
    cli("token bedrock --region us-east-1 --expires 13h").fails(1, "43200");
}

#[test]
fn ses_smtp() {
    let password = "BOntiZFm/r+5s3psZ/RpsjB+aSGsj2J0rXdiLuO0cQL7";
    assert_eq!(cli("token ses-smtp --region us-east-1").output(), password);
    let json: Value = serde_json::from_str(&cli("token ses-smtp --region us-east-1 --format json").output()).unwrap();
    assert_eq!((json["username"].as_str(), json["token"].as_str()), (Some(ID), Some(password)));
    temporary("token ses-smtp --region us-east-1").fails(1, "access key of an IAM user");
}

#[test]
fn iot_and_transcribe() {
    let url = at(temporary("token iot a1b2c3d4e5f6g7-ats.iot.us-east-1.amazonaws.com")).output();
    assert!(url.starts_with("wss://a1b2c3d4e5f6g7-ats.iot.us-east-1.amazonaws.com/mqtt?X-Amz-Algorithm="), "{url}");
    assert!(url.ends_with(TOKEN_PARAMETER), "{url}");
    cli("token iot wss://a-ats.iot.us-east-1.amazonaws.com/mqtt --region us-east-1").fails(2, "without the scheme");

    let command = "token transcribe --region us-west-2 language-code=en-US vocabulary-name=a=b+c";
    let url = at(cli(command)).output();
    let start = "wss://transcribestreaming.us-west-2.amazonaws.com:8443/stream-transcription-websocket\
                 ?language-code=en-US&vocabulary-name=a%3Db%2Bc&X-Amz-Algorithm=";
    assert!(url.starts_with(start), "{url}");
    cli("token transcribe --region us-west-2 language-code").fails(2, "NAME=VALUE");
    cli("token transcribe --region us-west-2").fails(2, "NAME=VALUE");
}

/// Vault's default is the global endpoint, whatever region is configured.
#[test]
fn vault() {
    let login = |cli: Cli| serde_json::from_str::<Value>(&at(cli).output()).unwrap();
    let url = |json: &Value| {
        String::from_utf8(Base64::decode_vec(json["iam_request_url"].as_str().unwrap()).unwrap()).unwrap()
    };
    let json = login(temporary("token vault --role dev --server-id vault.example.com").var("AWS_REGION", "eu-west-1"));
    assert_eq!(url(&json), "https://sts.amazonaws.com/");
    assert_eq!(json["role"], "dev");
    let headers = Base64::decode_vec(json["iam_request_headers"].as_str().unwrap()).unwrap();
    let headers: Value = serde_json::from_slice(&headers).unwrap();
    assert_eq!(headers["X-Vault-AWS-IAM-Server-ID"][0], "vault.example.com");
    assert!(headers["authorization"][0].as_str().unwrap().contains("/us-east-1/sts/"));
    let json = login(cli("token vault --region eu-west-1"));
    assert_eq!(url(&json), "https://sts.eu-west-1.amazonaws.com/");
    assert_eq!(json.get("role"), None);
}

const HOST: &str = "git-codecommit.us-east-1.amazonaws.com";

#[test]
fn codecommit_answers_git() {
    let request = format!("capability[]=authtype\nprotocol=https\nhost={HOST}\npath=v1/repos/MyRepo\n\n");
    let answer = at(temporary("token codecommit get")).stdin(request.clone()).output();
    let lines: Vec<&str> = answer.lines().collect();
    assert_eq!(lines[0], format!("username={ID}%{TOKEN}"));
    assert!(lines[1].starts_with("password=20150830T123600Z") && lines[1].len() == 25 + 64, "{}", lines[1].len());
    assert_eq!(lines[2..], ["password_expiry_utc=1440939060"]);

    for action in ["store", "erase", "capability"] {
        let ran = temporary(&format!("token codecommit {action}")).stdin(request.clone()).run();
        assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (0, "", ""), "{action}");
    }
    // Credentials aren't even looked for.
    assert_eq!(bare("token codecommit erase").stdin(request).run().code, 0);
}

/// A helper that is configured for every host must not send user name and password to another one.
#[test]
fn codecommit_is_silent_for_other_hosts() {
    for (protocol, host) in [
        ("https", "github.com"),
        ("https", "git-codecommit.us-east-1.amazonaws.com.example.com"),
        ("https", "git-codecommit.us-east-1.amazonaws.com@example.com"),
        ("https", "s3.us-east-1.amazonaws.com"),
        ("https", ""),
        ("http", HOST),
        ("", HOST),
    ] {
        let request = format!("protocol={protocol}\nhost={host}\npath=v1/repos/MyRepo\n");
        let ran = temporary("token codecommit get --region us-east-1").stdin(request).run();
        assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (0, "", ""), "{protocol}://{host}");
    }
    // The last value counts, as in git.
    let request = format!("protocol=https\nhost={HOST}\npath=v1/repos/MyRepo\nhost=example.com\n");
    assert_eq!(temporary("token codecommit get").stdin(request).run().stdout, "");
    assert_eq!(temporary("token codecommit get").stdin("").run().stdout, "");
}

#[test]
fn codecommit_says_what_git_lacks() {
    let request = format!("protocol=https\nhost={HOST}\n");
    temporary("token codecommit get").stdin(request).fails(2, "useHttpPath true");
    let request = format!("protocol=https\nhost={HOST}\npath=MyRepo\n");
    temporary("token codecommit get").stdin(request).fails(2, "v1/repos/NAME");
    bare("token codecommit get --credentials-stdin").fails(2, "git's request");
}

/// `git credential fill` with the helper, as `git clone` runs it.
#[cfg(unix)]
#[test]
fn git_itself_gets_the_password() {
    let answer = git_credential("");
    assert!(answer.contains("\nusername=AKIDEXAMPLE\npassword=20"), "{answer}");
    // git doesn't use a password that has expired.
    assert_eq!(git_credential(&format!(" --date {DATE}")), "");
}

#[cfg(unix)]
fn git_credential(flags: &str) -> String {
    use std::io::Write;
    use std::process::{Command, Stdio};

    let directory = tempfile::tempdir().unwrap();
    let helper = format!("!'{}' token codecommit{flags}", env!("CARGO_BIN_EXE_countersign"));
    let mut git = Command::new("git")
        .args(["-c", &format!("credential.helper={helper}"), "-c", "credential.useHttpPath=true", "credential", "fill"])
        .current_dir(directory.path())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", directory.path())
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("AWS_ACCESS_KEY_ID", ID)
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("git is needed for this test");
    git.stdin.take().unwrap().write_all(format!("url=https://{HOST}/v1/repos/MyRepo\n\n").as_bytes()).unwrap();
    String::from_utf8(git.wait_with_output().unwrap().stdout).unwrap()
}

#[test]
fn wrong_input_is_refused() {
    cli("token rds db.example.com --username app --region eu-west-1").fails(2, "the port is missing");
    cli("token rds db.example.com:1 --port 2 --username app --region eu-west-1").fails(2, "given twice");
    cli("token rds db.example.com:70000 --username app --region eu-west-1").fails(2, "not a number from 1 to 65535");
    cli("token rds https://db.example.com:1 --username app --region eu-west-1").fails(2, "");
    cli("token rds db.example.com:1 --region eu-west-1").fails(2, "--username");
    cli("token rds db.example.com:1 --region eu-west-1 --username").arg("").fails(2, "the user is empty");
    for region in ["eu_west_1", "*", "us-east-1,us-west-2", "eu-west-1/s3"] {
        cli(&format!("token rds db.example.com:1 --username app --region {region}")).fails(2, "is not a region");
    }
    cli("token nonsense").fails(2, "nonsense");
    bare("token msk --region eu-west-1").fails(1, "no credentials are configured");
    cli("token msk --region eu-west-1")
        .var("AWS_SECRET_ACCESS_KEY", " ")
        .fails(1, "AWS_SECRET_ACCESS_KEY is not (it is blank)");
    cli("token msk --region eu-west-1 --profile nope").fails(1, "nope");
}

#[test]
fn every_kind_has_help_with_an_example() {
    let kinds = [
        "rds",
        "dsql",
        "elasticache",
        "memorydb",
        "msk",
        "eks",
        "iot",
        "transcribe",
        "vault",
        "codecommit",
        "bedrock",
        "ses-smtp",
    ];
    for kind in kinds {
        let help = bare(&format!("token {kind} --help")).output();
        assert!(help.contains("Example") && help.contains("--date") && help.contains("--profile"), "{help}");
    }
    let help = bare("token --help").output();
    assert!(kinds.iter().all(|kind| help.contains(&format!("\n  {kind} "))), "{help}");
    assert!(help.contains("Exit codes:"));
}
