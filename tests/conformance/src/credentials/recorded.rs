//! A recorded resolution: a folder with the environment, the files, and the requests with their responses.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64ct::{Base64, Encoding};
use countersign::sources::{
    Answer, Ask, AskError, AskErrorKind, CommandAsk, CommandOutput, Environment, HttpAsk, Progress, ResolveError,
    Resolved, Resolver,
};
use countersign::{Credentials, Timestamp};
use serde_json::Value;

use super::plan::key;
use super::{Failure, as_expected, read, texts};

pub fn run(folder: &Path) -> Result<(), Failure> {
    let (environment, case) = (read(&folder.join("env.json"))?, read(&folder.join("test-case.json"))?);
    let traffic = folder.join("http-traffic.json");
    let exchanges = if traffic.exists() { Exchange::all(&read(&traffic)?)? } else { Vec::new() };
    let expected = &case["result"]["Ok"];
    let mut resolver = Resolver::new(Environment::new(texts(&environment)));
    // A folder doesn't say whether it was recorded with the default order or with a profile alone. If the environment has
    // keys and they aren't the result, it was the latter.
    let own_key = environment["AWS_ACCESS_KEY_ID"].as_str();
    if own_key.is_some() && own_key != expected["access_key_id"].as_str() {
        resolver = resolver.with_profile(environment["AWS_PROFILE"].as_str().unwrap_or("default"));
    }
    let mut world = World {
        root: folder.join("fs"),
        exchanges,
        now: time(&read(&traffic).unwrap_or_default(), expected)?,
        failures: Vec::new(),
    };
    let result = world.resolve(&resolver)?;
    if let Some(failure) = world.failures.first() {
        return Err(failure.clone());
    }
    as_expected(&result, case["result"].get("ErrorContains").is_some())?;
    let Ok(resolved) = result else { return Ok(()) };
    if let Some(left) = world.exchanges.first() {
        return Err(format!("was never sent: {} {}", left.method, left.uri));
    }
    compare(&resolved, expected)
}

/// A time at which nothing had expired: that of the first response, or an hour before the credentials expire.
fn time(traffic: &Value, expected: &Value) -> Result<Timestamp, Failure> {
    let seconds = |seconds: i64| Timestamp::from_unix_seconds(seconds).map_err(|error| error.to_string());
    let Some(expiry) = expected["expiry"].as_i64() else { return Ok(Timestamp::now()) };
    let sent = traffic["events"].as_array().into_iter().flatten().find_map(|event| {
        event["action"]["Request"]["request"]["headers"]["x-amz-date"][0].as_str()?.parse::<Timestamp>().ok()
    });
    match sent {
        Some(sent) if sent.unix_seconds() < expiry => Ok(sent),
        _ => seconds(expiry - 3600),
    }
}

fn compare(resolved: &Resolved, expected: &Value) -> Result<(), Failure> {
    let credentials = &resolved.credentials;
    let text = |name: &str| expected[name].as_str();
    let mut differences = Vec::new();
    if Some(credentials.access_key_id()) != text("access_key_id") {
        differences.push(format!("the access key id is {}", credentials.access_key_id()));
    }
    if credentials.session_token() != text("session_token") {
        differences.push("the session token differs".into());
    }
    let expiry = credentials.expires_at().map(|time| time.unix_seconds());
    if expiry != expected["expiry"].as_i64() {
        differences.push(format!("it expires at {expiry:?}"));
    }
    if let (Some(ours), Some(theirs)) = (resolved.account_id.as_deref(), text("account_id"))
        && ours != theirs
    {
        differences.push(format!("the account is {ours}"));
    }
    let secret = text("secret_access_key").unwrap_or_default();
    let theirs = Credentials::new("AKID", secret).map_err(|error| error.to_string())?;
    if key(credentials)? != key(&theirs)? {
        differences.push("the secret differs".into());
    }
    if differences.is_empty() { Ok(()) } else { Err(differences.join("; ")) }
}

struct World {
    root: PathBuf,
    exchanges: Vec<Exchange>,
    now: Timestamp,
    failures: Vec<Failure>,
}

impl World {
    fn resolve(&mut self, resolver: &Resolver) -> Result<Result<Resolved, ResolveError>, Failure> {
        let mut progress = resolver.start(self.now);
        for _ in 0..1000 {
            match progress {
                Progress::Done(result) => return Ok(*result),
                Progress::Ask(pending) => {
                    let answer = self.answer(pending.ask());
                    progress = pending.answer(answer, self.now);
                }
            }
        }
        Err("never ends".into())
    }

    fn answer(&mut self, ask: &Ask) -> Answer {
        match ask {
            Ask::ReadFile { path } => {
                let path = self.root.join(path.trim_start_matches('/'));
                Answer::File(std::fs::read(path).ok().map(Into::into))
            }
            Ask::Send(ask) => self.send(ask),
            Ask::Run(ask) => match run_command(ask) {
                Ok(output) => Answer::Output(output),
                Err(error) => Answer::Failed(error.into()),
            },
            Ask::WriteFile { .. } => Answer::Done,
            Ask::Wait(duration) => {
                self.now = self.now.saturating_add(duration.as_secs() as i64);
                Answer::Done
            }
            _ => Answer::Failed(AskError::new(AskErrorKind::Unsupported, "nobody is there to ask")),
        }
    }

    /// The first recorded exchange with this request, which is then used up.
    fn send(&mut self, ask: &HttpAsk) -> Answer {
        let found = self.exchanges.iter().position(|exchange| exchange.is_of(ask));
        let Some(index) = found else {
            let request = &ask.request;
            self.failures.push(format!("was not recorded: {} {}", request.method(), request.uri()));
            return Answer::Failed(AskError::new(AskErrorKind::NotConnected, "it was not recorded"));
        };
        self.exchanges.remove(index).response.map_or_else(Answer::Failed, Answer::Response)
    }
}

fn run_command(ask: &CommandAsk) -> std::io::Result<CommandOutput> {
    let output = Command::new(&ask.program).args(&ask.arguments).stdin(Stdio::null()).output()?;
    Ok(CommandOutput {
        success: output.status.success(),
        code: output.status.code(),
        stdout: output.stdout.into(),
        stderr: output.stderr.into(),
    })
}

struct Exchange {
    connection: u64,
    method: String,
    uri: String,
    /// The headers that are compared, in lower case.
    headers: BTreeSet<(String, String)>,
    body: Vec<u8>,
    response: Result<http::Response<Vec<u8>>, AskError>,
}

const COMPARED: [&str; 4] =
    ["x-aws-ec2-metadata-token", "x-aws-ec2-metadata-token-ttl-seconds", "x-amz-sso_bearer_token", "authorization"];

impl Exchange {
    /// The exchanges in the order of their requests. A connection has one exchange at a time.
    fn all(traffic: &Value) -> Result<Vec<Self>, Failure> {
        let mut all: Vec<Self> = Vec::new();
        for event in traffic["events"].as_array().ok_or("http-traffic.json has no events")? {
            let connection = event["connection_id"].as_u64().unwrap_or_default();
            let action = &event["action"];
            if let Some(request) = action.get("Request") {
                all.push(Self::of_request(connection, &request["request"]));
                continue;
            }
            let exchange =
                all.iter_mut().rfind(|exchange| exchange.connection == connection).ok_or("data before a request")?;
            if let Some(response) = action.get("Response") {
                exchange.response = response_of(&response["response"]);
            } else if let Some(data) = action.get("Data") {
                let bytes = bytes_of(&data["data"])?;
                match (data["direction"].as_str(), &mut exchange.response) {
                    (Some("Request"), _) => exchange.body.extend(bytes),
                    (_, Ok(response)) => response.body_mut().extend(bytes),
                    _ => {}
                }
            }
        }
        Ok(all)
    }

    fn of_request(connection: u64, request: &Value) -> Self {
        let method = request["method"].as_str().unwrap_or("GET").to_owned();
        let uri = request["uri"].as_str().unwrap_or_default().to_owned();
        let headers = request["headers"].as_object().into_iter().flatten().flat_map(|(name, values)| {
            let values = values.as_array().into_iter().flatten().filter_map(Value::as_str);
            values.map(move |value| (name.to_ascii_lowercase(), value.to_owned()))
        });
        let headers = headers.filter(|(name, value)| is_compared(name, value)).collect();
        let response = Err(AskError::new(AskErrorKind::Other, "the connection was closed"));
        Self { connection, method, uri, headers, body: Vec::new(), response }
    }

    fn is_of(&self, ask: &HttpAsk) -> bool {
        let request = &ask.request;
        let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = request.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value)));
        let headers: BTreeSet<_> = headers.filter(|(name, value)| is_compared(name, value)).collect();
        self.method == request.method().as_str()
            && uri_parts(&self.uri) == uri_parts(&request.uri().to_string())
            && self.headers == headers
            && same_form(&self.body, request.body())
    }
}

fn is_compared(name: &str, value: &str) -> bool {
    COMPARED.contains(&name) && !value.starts_with("AWS4-HMAC-SHA256 ")
}

fn uri_parts(uri: &str) -> (&str, BTreeSet<(String, String)>) {
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    (path, pairs(query))
}

fn pairs(form: &str) -> BTreeSet<(String, String)> {
    let decoded = |text: &str| {
        let text = text.replace('+', " ");
        percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned()
    };
    let pairs = form.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(n, v)| (decoded(n), decoded(v))).collect()
}

/// STS takes forms; other bodies are free. So is a session name that we chose.
fn same_form(recorded: &[u8], sent: &[u8]) -> bool {
    let (recorded, sent) = (String::from_utf8_lossy(recorded), String::from_utf8_lossy(sent));
    if !recorded.starts_with("Action=") {
        return !sent.starts_with("Action=") || recorded.is_empty();
    }
    let (mut recorded, mut sent) = (pairs(&recorded), pairs(&sent));
    if sent.iter().any(|(name, value)| name == "RoleSessionName" && value.starts_with("countersign-")) {
        recorded.retain(|(name, _)| name != "RoleSessionName");
        sent.retain(|(name, _)| name != "RoleSessionName");
    }
    recorded == sent
}

fn response_of(response: &Value) -> Result<http::Response<Vec<u8>>, AskError> {
    let Some(ok) = response.get("Ok") else {
        return Err(AskError::new(AskErrorKind::NotConnected, response["Err"].to_string()));
    };
    let mut built = http::Response::builder().status(ok["status"].as_u64().unwrap_or_default() as u16);
    for (name, values) in ok["headers"].as_object().into_iter().flatten() {
        for value in values.as_array().into_iter().flatten().filter_map(Value::as_str) {
            built = built.header(name, value);
        }
    }
    built.body(Vec::new()).map_err(|error| AskError::new(AskErrorKind::Other, error.to_string()))
}

fn bytes_of(data: &Value) -> Result<Vec<u8>, Failure> {
    match (data["Utf8"].as_str(), data["Base64"].as_str()) {
        (Some(text), _) => Ok(text.into()),
        (_, Some(text)) => Base64::decode_vec(text).map_err(|_| "data that is not base64".into()),
        _ => Err("data that is neither text nor base64".into()),
    }
}
