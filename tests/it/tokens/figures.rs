//! Expected values from botocore 1.44.8, `@aws-sdk/rds-signer` 3.1175.0, git-remote-codecommit 1.17 and
//! aws-msk-iam-sasl-signer-python 1.0.2, and AWS's Bedrock token generator for Python, each run with the clock set to 20150830T123600Z.

use std::time::Duration;

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use countersign::tokens::{self, Token};
use countersign::{Credentials, encode_segment};
use serde_json::Value;

use super::{SESSION_TOKEN, temporary};
use crate::support::fixtures::{at, credentials, now};

/// The parameters after those of the token itself, in the order of botocore.
fn signed(region_and_service: &str, expires: u32, token: bool, signature: &str) -> String {
    format!(
        "&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20150830%2F{}%2Faws4_request\
         &X-Amz-Date=20150830T123600Z&X-Amz-Expires={expires}&X-Amz-SignedHeaders=host{}&X-Amz-Signature={signature}",
        region_and_service.replace('/', "%2F"),
        if token { "&X-Amz-Security-Token=FwoGZXIvYXdz%2BEXAMPLE%2FTOKEN%3D%3D" } else { "" },
    )
}

fn rds(credentials: &Credentials, host: &str, port: u16, user: &str) -> Token {
    tokens::rds(credentials, "eu-west-1", host, port, user, now()).unwrap()
}

#[test]
fn rds_tokens_match_the_official_helpers() {
    for (credentials, host, user, encoded, signature) in [
        (
            credentials(),
            "db.example.com",
            "a+b",
            "a%2Bb",
            "98333a99cc9e41db859ff93f0467455c71238d17c5f95411bc6187e713951611",
        ),
        (
            temporary(),
            "db.example.com",
            "jürgen müller",
            "j%C3%BCrgen%20m%C3%BCller",
            "d129dfba3e3c30cdbc5d4224f7b2dbbb8e0e60caad07826fe077ba5c0d2c753e",
        ),
        (
            credentials(),
            "db.example.com",
            "a&b=c/d?e#f%g",
            "a%26b%3Dc%2Fd%3Fe%23f%25g",
            "f58a13dbaced1be46b096852cd819497d8b7a3e53d2d25eda6a0dfbc17432e75",
        ),
        (
            credentials(),
            "[2001:db8::1]",
            "app",
            "app",
            "2ad7672aef43974933f995175529661fb00317f08ab399ccac66cac567c929f0",
        ),
    ] {
        let parameters = signed("eu-west-1/rds-db", 900, credentials.session_token().is_some(), signature);
        assert_eq!(
            rds(&credentials, host, 5432, user).as_str(),
            format!("{host}:5432/?Action=connect&DBUser={encoded}{parameters}"),
        );
    }
}

/// The port is signed as given. For port 80, botocore and the JavaScript signer agree. For port 443, which no RDS
/// server uses, botocore omits the port from the signed host, but the JavaScript signer does not: the expected value is
/// its.
#[test]
fn rds_signs_default_ports_of_other_schemes() {
    for (port, signature) in [
        (80, "5abd5d33c1f597ad0f4f85a92d5c7d2f972ec235abafbd8025f8ed07a5fa7bfe"),
        (443, "83e6b8773f7484674a37167a37682dcc0c3fc2eb28c727a8012294945b2b5769"),
    ] {
        let parameters = signed("eu-west-1/rds-db", 900, false, signature);
        let expected = format!("db.example.com:{port}/?Action=connect&DBUser=app{parameters}");
        assert_eq!(rds(&credentials(), "db.example.com", port, "app").as_str(), expected);
        assert_eq!(rds(&credentials(), "DB.Example.com", port, "app").as_str(), expected);
    }
}

#[test]
fn dsql_tokens_match_for_both_actions() {
    let host = "abc.dsql.us-east-1.on.aws";
    let hour = Duration::from_secs(3600);
    let token = tokens::dsql(&temporary(), "us-east-1", host, hour, now()).unwrap();
    let signature = "edb8c235126549a6f78600a7dc464383f7838f71a211dffa7f9e9b55df9c6bc5";
    let parameters = signed("us-east-1/dsql", 3600, true, signature);
    assert_eq!(token.as_str(), format!("{host}/?Action=DbConnect{parameters}"));

    let token = tokens::dsql_admin(&temporary(), "us-east-1", host, Duration::from_secs(900), now()).unwrap();
    let signature = "a5883cb0de1adf51564f21823d084720401e811bedc716b28ff4d5c5872e0186";
    let parameters = signed("us-east-1/dsql", 900, true, signature);
    assert_eq!(token.as_str(), format!("{host}/?Action=DbConnectAdmin{parameters}"));
}

#[test]
fn caches() {
    let credentials = temporary();
    let token = tokens::elasticache(&credentials, "us-west-2", "My-Cache", "a+b", now()).unwrap();
    let signature = "5738a46cb285a473ead677f22123c4b64e5f7426487edd5acf8e01288c93749d";
    let parameters = signed("us-west-2/elasticache", 900, true, signature);
    assert_eq!(token.as_str(), format!("my-cache/?Action=connect&User=a%2Bb{parameters}"));

    let token = tokens::elasticache_serverless(&credentials, "us-west-2", "my-cache", "app", now()).unwrap();
    let signature = "ce24e60752c01fc718a4ea091a674df4db246bdae4526459d124ce75b0130eab";
    let parameters = signed("us-west-2/elasticache", 900, true, signature);
    assert_eq!(token.as_str(), format!("my-cache/?Action=connect&User=app&ResourceType=ServerlessCache{parameters}"));

    let token = tokens::memorydb(&credentials, "us-west-2", "my-cluster", "a+b", now()).unwrap();
    let signature = "af571787aacf8f239b38f152cbcc96df49cffdf3588e193d24dfedbcf8816078";
    let parameters = signed("us-west-2/memorydb", 900, true, signature);
    assert_eq!(token.as_str(), format!("my-cluster/?Action=connect&User=a%2Bb{parameters}"));
}

#[test]
fn msk() {
    let user_agent = "aws-msk-iam-sasl-signer-python/1.0.2";
    let token = tokens::msk(&temporary(), "eu-west-1", user_agent, now()).unwrap();
    let url = String::from_utf8(Base64UrlUnpadded::decode_vec(token.as_str()).unwrap()).unwrap();
    let signature = "b9ece752b0be30db1ec6f1641c2175e79cc7da5fb598995aa992d43727abfd74";
    let parameters = signed("eu-west-1/kafka-cluster", 900, true, signature);
    assert_eq!(
        url,
        format!(
            "https://kafka.eu-west-1.amazonaws.com/?Action=kafka-cluster%3AConnect{parameters}\
             &User-Agent=aws-msk-iam-sasl-signer-python%2F1.0.2"
        )
    );
    assert_eq!(token.expires_at_millis(), 1_440_939_060_000);
}

#[test]
fn eks() {
    let token = tokens::eks(&temporary(), "us-east-1", "prod", now()).unwrap();
    let url = Base64UrlUnpadded::decode_vec(token.as_str().strip_prefix("k8s-aws-v1.").unwrap()).unwrap();
    let signature = "7ed5fc637c16356f9a002477c8cf232af0d5946e253f024362447abe639f2dc3";
    let parameters = signed("us-east-1/sts", 60, true, signature);
    let parameters = parameters.replace("SignedHeaders=host", "SignedHeaders=host%3Bx-k8s-aws-id");
    let start = "https://sts.us-east-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15";
    assert_eq!(String::from_utf8(url).unwrap(), format!("{start}{parameters}"));
}

#[test]
fn transcribe_encodes_its_parameters() {
    let stream =
        [("language-code", "en-US"), ("media-encoding", "pcm"), ("sample-rate", "16000"), ("vocabulary-name", "a b+c")];
    let url = tokens::transcribe(&temporary(), "us-west-2", &stream, now()).unwrap();
    let signature = "b6a0d17b4a0238bb2696be482c3de6ca8882f59a3d98338553eac68c3c5d7452";
    assert_eq!(
        url.as_str(),
        format!(
            "wss://transcribestreaming.us-west-2.amazonaws.com:8443/stream-transcription-websocket?language-code=en-US\
             &media-encoding=pcm&sample-rate=16000&vocabulary-name=a%20b%2Bc{}",
            signed("us-west-2/transcribe", 300, true, signature)
        )
    );
}

/// The expected `Authorization` is botocore's for the same request.
#[test]
fn vault() {
    for (region, signed_for, host, signature) in [
        (
            "eu-central-1",
            "eu-central-1",
            "sts.eu-central-1.amazonaws.com",
            "e7783833156adcd61ff9b6a1ae5c71d23ae6a257b737e7361943668fa769cd8a",
        ),
        (
            "aws-global",
            "us-east-1",
            "sts.amazonaws.com",
            "b1966429a0e95eaace1e21d24beaf17555ea29604f8bbeca57c449f040bad9e8",
        ),
    ] {
        let login = tokens::vault(&temporary(), region, Some("dev"), Some("vault.example.com"), now()).unwrap();
        let login: Value = serde_json::from_str(login.as_str()).unwrap();
        let decoded =
            |name: &str| String::from_utf8(Base64::decode_vec(login[name].as_str().unwrap()).unwrap()).unwrap();
        assert_eq!(login["iam_http_request_method"], "POST");
        assert_eq!(login["role"], "dev");
        assert_eq!(login.as_object().unwrap().len(), 5);
        assert_eq!(decoded("iam_request_url"), format!("https://{host}/"));
        assert_eq!(decoded("iam_request_body"), "Action=GetCallerIdentity&Version=2011-06-15");
        let headers: Value = serde_json::from_str(&decoded("iam_request_headers")).unwrap();
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/{signed_for}/sts/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-vault-aws-iam-server-id, \
             Signature={signature}"
        );
        assert_eq!(
            headers,
            serde_json::json!({
                "Content-Type": ["application/x-www-form-urlencoded; charset=utf-8"],
                "Host": [host],
                "X-Vault-AWS-IAM-Server-ID": ["vault.example.com"],
                "authorization": [authorization],
                "x-amz-date": ["20150830T123600Z"],
                "x-amz-security-token": [SESSION_TOKEN],
            })
        );
    }
}

/// The expected URLs are those of git-remote-codecommit, which contain the user name and password.
#[test]
fn codecommit() {
    for (credentials, region, host, repository, url) in [
        (
            temporary(),
            "us-east-2",
            "git-codecommit.us-east-2.amazonaws.com",
            "MyRepo",
            "https://AKIDEXAMPLE%25FwoGZXIvYXdz%2BEXAMPLE%2FTOKEN%3D%3D:20150830T123600Zed95d2c121c6e73cb731fe1640ff2dd5\
             47b1a599565f48426e18e01aa9327725@git-codecommit.us-east-2.amazonaws.com/v1/repos/MyRepo",
        ),
        (
            credentials(),
            "cn-north-1",
            "git-codecommit.cn-north-1.amazonaws.com.cn",
            "my.repo_1-x",
            "https://AKIDEXAMPLE:20150830T123600Z382b4dcdbfe952fd610733c5bdc7b31c7412ad3456c63c82b87380e2024d19b3\
             @git-codecommit.cn-north-1.amazonaws.com.cn/v1/repos/my.repo_1-x",
        ),
    ] {
        for slash in ["", "/"] {
            let path = format!("{slash}v1/repos/{repository}");
            let token = tokens::codecommit(&credentials, region, host, &path, now()).unwrap();
            let user = encode_segment(token.user().unwrap());
            assert_eq!(format!("https://{user}:{token}@{host}/v1/repos/{repository}"), url);
        }
    }
}

/// Host names have the DNS suffix of the region's partition, as in botocore's list of partitions.
#[test]
fn hosts_of_other_partitions_have_their_suffix() {
    for (region, suffix) in [
        ("ap-southeast-2", "amazonaws.com"),
        ("us-gov-east-1", "amazonaws.com"),
        ("cn-northwest-1", "amazonaws.com.cn"),
        ("eusc-de-east-1", "amazonaws.eu"),
        ("us-iso-east-1", "c2s.ic.gov"),
        ("us-isob-east-1", "sc2s.sgov.gov"),
        ("us-isof-south-1", "csp.hci.ic.gov"),
        ("eu-isoe-west-1", "cloud.adc-e.uk"),
    ] {
        let token = tokens::eks(&credentials(), region, "prod", now()).unwrap();
        let url = Base64UrlUnpadded::decode_vec(token.as_str().strip_prefix("k8s-aws-v1.").unwrap()).unwrap();
        assert!(url.starts_with(format!("https://sts.{region}.{suffix}/?").as_bytes()), "{region}");
        let url = tokens::transcribe(&credentials(), region, &[], now()).unwrap();
        assert!(url.as_str().starts_with(&format!("wss://transcribestreaming.{region}.{suffix}:8443/")), "{region}");
    }
}

/// The Bedrock figure was made at another time than the others.
#[test]
fn bedrock() {
    let (twelve_hours, now) = (Duration::from_secs(43_200), at("20260830T123600Z"));
    let key = tokens::bedrock(&credentials(), "us-east-1", twelve_hours, now).unwrap();
    let url = Base64::decode_vec(key.as_str().strip_prefix("bedrock-api-key-").unwrap()).unwrap();
    assert_eq!(
        String::from_utf8(url).unwrap(),
        "bedrock.amazonaws.com/?Action=CallWithBearerToken&X-Amz-Algorithm=AWS4-HMAC-SHA256\
         &X-Amz-Credential=AKIDEXAMPLE%2F20260830%2Fus-east-1%2Fbedrock%2Faws4_request&X-Amz-Date=20260830T123600Z\
         &X-Amz-Expires=43200&X-Amz-SignedHeaders=host\
         &X-Amz-Signature=6ecfcc4555f037d659661fa18ee1478163cf95602ae28a27c78fdfb1e38d7beb&Version=1"
    );
}

#[test]
fn ses_smtp() {
    let password = |region| tokens::ses_smtp_password(&credentials(), region).unwrap();
    assert_eq!(*password("us-east-1"), "BOntiZFm/r+5s3psZ/RpsjB+aSGsj2J0rXdiLuO0cQL7");
    assert_ne!(password("eu-west-1"), password("us-east-1"));
}
