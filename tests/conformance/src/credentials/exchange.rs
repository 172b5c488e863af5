//! The requests of a recording, with their responses.

use std::collections::BTreeSet;

use base64ct::{Base64, Encoding};
use countersign::sources::{AskError, AskErrorKind, HttpAsk};
use serde_json::Value;

use super::Failure;

pub struct Exchange {
    connection: u64,
    pub method: String,
    pub uri: String,
    /// The names are in lower case.
    headers: BTreeSet<(String, String)>,
    body: Vec<u8>,
    pub response: Result<http::Response<Vec<u8>>, AskError>,
}

const COMPARED: [&str; 4] =
    ["x-aws-ec2-metadata-token", "x-aws-ec2-metadata-token-ttl-seconds", "x-amz-sso_bearer_token", "authorization"];

impl Exchange {
    /// The exchanges in the order of their requests. A connection has one exchange at a time.
    pub fn all(traffic: &Value) -> Result<Vec<Self>, Failure> {
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
        let headers = headers.collect();
        let response = Err(AskError::new(AskErrorKind::Other, "the connection was closed"));
        Self { connection, method, uri, headers, body: Vec::new(), response }
    }

    /// Whether this is the recorded request, as far as implementations agree on it. `configured` is what the
    /// environment and the configuration files say.
    pub fn is_of(&self, ask: &HttpAsk, configured: &str) -> bool {
        let is_compared = |(name, value): &(String, String)| {
            COMPARED.contains(&name.as_str()) && !value.starts_with("AWS4-HMAC-SHA256 ")
        };
        let recorded: BTreeSet<_> = self.headers.iter().filter(|header| is_compared(header)).cloned().collect();
        let sent: BTreeSet<_> = headers_of(ask).filter(is_compared).collect();
        self.is_to_the_url_of(ask) && recorded == sent && same_form(&self.body, ask.request.body(), configured)
    }

    /// How a request differs from the recorded one in anything: method, URL, headers with the signature, body.
    pub fn difference(&self, ask: &HttpAsk) -> Option<Failure> {
        if !self.is_to_the_url_of(ask) {
            let request = &ask.request;
            return Some(format!("sends {} {}, not {} {}", request.method(), request.uri(), self.method, self.uri));
        }
        let sent: BTreeSet<_> = headers_of(ask).collect();
        if let Some((name, value)) = self.headers.symmetric_difference(&sent).next() {
            return Some(format!("the headers of the request to {} differ: {name}: {value}", self.uri));
        }
        let is_same = same_body(&self.body, ask.request.body());
        (!is_same).then(|| format!("the body of the request to {} differs", self.uri))
    }

    fn is_to_the_url_of(&self, ask: &HttpAsk) -> bool {
        self.method == ask.request.method().as_str()
            && uri_parts(&self.uri) == uri_parts(&ask.request.uri().to_string())
    }
}

/// A proof of possession is another one each time.
fn headers_of(ask: &HttpAsk) -> impl Iterator<Item = (String, String)> {
    ask.request.headers().iter().map(|(name, value)| match name.as_str() {
        "dpop" => ("dpop".to_owned(), "*".to_owned()),
        name => (name.to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()),
    })
}

fn uri_parts(uri: &str) -> (&str, Pairs) {
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    (path, pairs(query))
}

/// Names and values, sorted.
type Pairs = Vec<(String, String)>;

fn pairs(form: &str) -> Pairs {
    let decoded = |text: &str| {
        let text = text.replace('+', " ");
        percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned()
    };
    let pairs = form.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(n, v)| (decoded(n), decoded(v)));
    let mut pairs: Pairs = pairs.collect();
    pairs.sort_unstable();
    pairs
}

/// STS takes forms; other bodies are free. So is the name of the session, unless it is configured.
fn same_form(recorded: &[u8], sent: &[u8], configured: &str) -> bool {
    let (recorded, sent) = (String::from_utf8_lossy(recorded), String::from_utf8_lossy(sent));
    if !recorded.starts_with("Action=") {
        return !sent.starts_with("Action=") || recorded.is_empty();
    }
    let (mut recorded, mut sent) = (pairs(&recorded), pairs(&sent));
    let is_chosen =
        |(name, value): &(String, String)| name == "RoleSessionName" && !configured.contains(value.as_str());
    if recorded.iter().any(is_chosen) && sent.iter().any(is_chosen) {
        recorded.retain(|pair| !is_chosen(pair));
        sent.retain(|pair| !is_chosen(pair));
    }
    recorded == sent
}

fn same_body(recorded: &[u8], sent: &[u8]) -> bool {
    let json = |body: &[u8]| serde_json::from_slice::<Value>(body).ok();
    match (std::str::from_utf8(recorded), std::str::from_utf8(sent)) {
        _ if recorded == sent => true,
        (Ok(recorded), Ok(sent)) if recorded.starts_with("Action=") => pairs(recorded) == pairs(sent),
        _ => json(recorded).is_some_and(|recorded| json(sent) == Some(recorded)),
    }
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
