//! Finds credentials through moto, with its authentication switched on, and signs calls with them: a chain of two roles, web
//! identity, a container and an instance. `tests/interop/moto` starts moto and runs it.
//!
//! ```sh
//! cargo run --manifest-path tests/interop/Cargo.toml --bin credentials -- 127.0.0.1:PORT FOLDER
//! ```

use std::error::Error;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;

use countersign::sources::{AskError, AskErrorKind, Environment, HttpAsk, Resolved, Resolver};
use countersign::{Credentials, Signer, Timestamp};

type Fallible<T> = Result<T, Box<dyn Error>>;

fn main() -> Fallible<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, folder] = &arguments[..] else { return Err("ADDRESS FOLDER".into()) };
    let (moto, folder) = (Moto { address: address.clone() }, Path::new(folder));
    let user = moto.set_up()?;
    let environment = moto.environment(folder, &user)?;

    let chain = Resolver::new(Environment::new(environment.clone())).with_profile("second");
    let resolved = moto.check("a chain of two roles", &chain)?;
    if !resolved.report.to_string().contains("role: gave ASIA") {
        return Err(resolved.report.to_string().into());
    }

    fs::write(folder.join("token"), WEB_IDENTITY_TOKEN)?;
    let mut web_identity = environment.clone();
    web_identity.extend([
        ("AWS_WEB_IDENTITY_TOKEN_FILE".into(), folder.join("token").display().to_string()),
        ("AWS_ROLE_ARN".into(), role("first")),
    ]);
    // Web identity is unsigned, which moto refuses with its authentication on.
    moto.let_pass(1)?;
    moto.check("web identity", &Resolver::new(Environment::new(web_identity)))?;

    let keys = moto.keys(&user)?;
    let container = serve(container, keys.clone())?;
    fs::write(folder.join("authorization"), CONTAINER_TOKEN)?;
    let mut variables = environment.clone();
    variables.extend([
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI".into(), format!("http://{container}/credentials")),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE".into(), folder.join("authorization").display().to_string()),
    ]);
    moto.check("a container with a token file", &Resolver::new(Environment::new(variables)))?;

    let instance = serve(instance, keys)?;
    let mut variables = environment;
    variables.push(("AWS_EC2_METADATA_SERVICE_ENDPOINT".into(), format!("http://{instance}")));
    moto.check("an instance (IMDSv2)", &Resolver::new(Environment::new(variables)))?;

    let mut wrong = Credentials::new(user.0.as_str(), "notTheSecret")?;
    if moto.call(&wrong, "Action=GetCallerIdentity&Version=2011-06-15", "sts")?.0 != 403 {
        return Err("moto accepts a wrong secret: its authentication is off".into());
    }
    wrong = Credentials::new(user.0.as_str(), user.1.as_str())?;
    let (status, _) = moto.call(&wrong, "Action=GetCallerIdentity&Version=2011-06-15", "sts")?;
    println!("ok {status} the user itself, and 403 with a wrong secret");
    Ok(())
}

const WEB_IDENTITY_TOKEN: &str = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1c2VyIiwiaXNzIjoiaHR0cHM6Ly9leGFtcGxlLmNvbSJ9.c2ln";
const ALL: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
const TRUST: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:*"}]}"#;
const CONTAINER_TOKEN: &str = "container-authorization-token";

fn role(name: &str) -> String {
    format!("arn:aws:iam::123456789012:role/{name}")
}

/// What [`Resolver::resolve`] needs of an HTTP client.
fn send(ask: HttpAsk) -> Result<http::Response<Vec<u8>>, AskError> {
    let error = |error: ureq::Error| AskError::new(AskErrorKind::Other, error.to_string());
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(ask.timeout))
        .max_redirects(0)
        .http_status_as_error(false)
        .proxy(None);
    let agent = ureq::Agent::new_with_config(config.build());
    let (parts, mut body) = agent.run(ask.request).map_err(error)?.into_parts();
    Ok(http::Response::from_parts(parts, body.read_to_vec().map_err(error)?))
}

struct Moto {
    address: String,
}

impl Moto {
    /// Sends a form, signed.
    fn call(&self, credentials: &Credentials, form: &str, service: &str) -> Fallible<(u16, String)> {
        let mut request = http::Request::post(format!("http://{}/", self.address))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.to_owned())?;
        Signer::new(credentials.clone(), "us-east-1", service)?.sign_http(&mut request, Timestamp::now())?;
        let config = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build();
        let mut response = ureq::Agent::new_with_config(config).run(request)?;
        Ok((response.status().as_u16(), response.body_mut().read_to_string()?))
    }

    /// A user with every permission, two roles, and from then on only signed requests. Returns the user's keys.
    fn set_up(&self) -> Fallible<(String, String)> {
        let anyone = Credentials::new("AKIDANYONE", "secret")?;
        let iam = |form: String| -> Fallible<String> {
            match self.call(&anyone, &form, "iam")? {
                (200, body) => Ok(body),
                (status, body) => Err(format!("{status} {body}").into()),
            }
        };
        let version = "Version=2010-05-08";
        let all = countersign::encode_segment(ALL);
        iam(format!("Action=CreateUser&{version}&UserName=u"))?;
        iam(format!("Action=PutUserPolicy&{version}&UserName=u&PolicyName=all&PolicyDocument={all}"))?;
        for name in ["first", "second"] {
            let trust = countersign::encode_segment(TRUST);
            iam(format!("Action=CreateRole&{version}&RoleName={name}&AssumeRolePolicyDocument={trust}"))?;
            iam(format!("Action=PutRolePolicy&{version}&RoleName={name}&PolicyName=all&PolicyDocument={all}"))?;
        }
        let keys = iam(format!("Action=CreateAccessKey&{version}&UserName=u"))?;
        self.let_pass(0)?;
        Ok((element(&keys, "AccessKeyId")?, element(&keys, "SecretAccessKey")?))
    }

    /// Lets so many requests pass unsigned, and no more.
    fn let_pass(&self, count: u32) -> Fallible<()> {
        let config = ureq::Agent::config_builder().proxy(None).build();
        ureq::Agent::new_with_config(config)
            .post(format!("http://{}/moto-api/reset-auth", self.address))
            .content_type("text/plain")
            .send(count.to_string())?;
        Ok(())
    }

    /// Environment variables with a config file in which role `second` is assumed by role `first`, and that by the user.
    fn environment(&self, folder: &Path, user: &(String, String)) -> Fallible<Vec<(String, String)>> {
        let config = format!(
            "[profile user]\naws_access_key_id = {}\naws_secret_access_key = {}\n\n\
             [profile first]\nrole_arn = {}\nsource_profile = user\n\n\
             [profile second]\nrole_arn = {}\nsource_profile = first\nexternal_id = an-id\nduration_seconds = 900\n\
             role_session_name = session\n",
            user.0,
            user.1,
            role("first"),
            role("second")
        );
        fs::write(folder.join("config"), config)?;
        let text = |path: &str| folder.join(path).display().to_string();
        Ok(vec![
            ("AWS_CONFIG_FILE".into(), text("config")),
            ("AWS_SHARED_CREDENTIALS_FILE".into(), text("none")),
            ("AWS_REGION".into(), "us-east-1".into()),
            ("AWS_ENDPOINT_URL_STS".into(), format!("http://{}", self.address)),
        ])
    }

    /// Keys of a role, as containers and instances give them.
    fn keys(&self, user: &(String, String)) -> Fallible<String> {
        let role = countersign::encode_segment(role("first"));
        let form = format!("Action=AssumeRole&Version=2011-06-15&RoleSessionName=s&RoleArn={role}");
        let (_, xml) = self.call(&Credentials::new(user.0.as_str(), user.1.as_str())?, &form, "sts")?;
        let member = |name: &str, element_name: &str| Ok(format!(r#""{name}":"{}""#, element(&xml, element_name)?));
        let members: Fallible<Vec<String>> = [
            ("AccessKeyId", "AccessKeyId"),
            ("SecretAccessKey", "SecretAccessKey"),
            ("Token", "SessionToken"),
            ("Expiration", "Expiration"),
        ]
        .into_iter()
        .map(|(name, element_name)| member(name, element_name))
        .collect();
        Ok(format!(r#"{{"Code":"Success",{}}}"#, members?.join(",")))
    }

    /// Finds credentials and signs a call with them.
    fn check(&self, what: &str, resolver: &Resolver) -> Fallible<Resolved> {
        let resolved = resolver.resolve(send).map_err(|error| format!("{what}: {error}\n{}", error.report()))?;
        let form = "Action=GetCallerIdentity&Version=2011-06-15";
        let (status, body) = self.call(&resolved.credentials, form, "sts")?;
        if status != 200 {
            return Err(format!("{what}: {status} {body}").into());
        }
        println!("ok {status} {what}: {} is {}", resolved.source.name(), element(&body, "Arn")?);
        Ok(resolved)
    }
}

fn element(xml: &str, name: &str) -> Fallible<String> {
    let text = xml.split_once(&format!("<{name}>")).and_then(|(_, rest)| rest.split_once(&format!("</{name}>")));
    Ok(text.ok_or_else(|| format!("no {name} in {xml}"))?.0.into())
}

/// Status and body for the head of a request. `{keys}` stands for the keys.
type Answer = fn(&str) -> (u16, String);

fn has(head: &str, header: &str) -> bool {
    head.lines().any(|line| line.eq_ignore_ascii_case(header))
}

fn container(head: &str) -> (u16, String) {
    match head.starts_with("GET /credentials ") && has(head, &format!("authorization: {CONTAINER_TOKEN}")) {
        true => (200, "{keys}".into()),
        false => (401, r#"{"code":"Unauthorized","message":"no token"}"#.into()),
    }
}

/// An instance that answers version 2 only.
fn instance(head: &str) -> (u16, String) {
    let folder = "/latest/meta-data/iam/security-credentials/";
    let has_token = has(head, "x-aws-ec2-metadata-token: instance-token");
    match head.split(' ').take(2).collect::<Vec<_>>()[..] {
        ["PUT", "/latest/api/token"] if has(head, "x-aws-ec2-metadata-token-ttl-seconds: 21600") => {
            (200, "instance-token".into())
        }
        _ if !has_token => (401, "version 1 is switched off".into()),
        ["GET", path] if path == folder => (200, "role".into()),
        ["GET", path] if path == format!("{folder}role") => (200, "{keys}".into()),
        _ => (404, String::new()),
    }
}

/// Serves on loopback until the program ends.
fn serve(answer: Answer, keys: String) -> Fallible<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = exchange(stream, answer, &keys);
        }
    });
    Ok(address)
}

fn exchange(mut stream: TcpStream, answer: Answer, keys: &str) -> std::io::Result<()> {
    let mut head = Vec::new();
    let mut buffer = [0; 4096];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let length = stream.read(&mut buffer)?;
        if length == 0 {
            return Ok(());
        }
        head.extend_from_slice(&buffer[..length]);
    }
    let (status, body) = answer(&String::from_utf8_lossy(&head));
    let body = body.replace("{keys}", keys);
    write!(stream, "HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}
