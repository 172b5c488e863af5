//! The URL as typed. Nothing is decoded, encoded or normalised: what is signed is what is sent.

use crate::failure::Failure;
use crate::output::redacted_url;

/// A URL in the parts that are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    https: bool,
    /// Host and port as typed.
    authority: String,
    /// Without brackets.
    host: String,
    port: u16,
    /// Path and query; starts with `/`.
    target: String,
}

impl Url {
    /// Parses a URL. Without a scheme, it is HTTPS.
    pub fn parse(typed: &str) -> Result<Self, Failure> {
        let (https, rest) = match typed.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (true, rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (false, rest),
            Some((scheme, _)) if !scheme.contains(['/', '?']) => {
                return Err(Failure::usage(format!(
                    "the URL starts with {scheme}://; only http and https are supported"
                )));
            }
            _ => (true, typed),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at_checked(end).unwrap_or((rest, ""));
        if authority.contains('@') {
            return Err(Failure::usage(
                "the URL contains a user name or password; use --user, --profile or the environment",
            ));
        }
        let (host, port) = split_port(authority, https)?;
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        check_target(&target)?;
        Ok(Self { https, authority: authority.to_owned(), host, port, target })
    }

    /// Resolves the `Location` of a redirect.
    pub fn join(&self, location: &str) -> Result<Self, Failure> {
        if location.starts_with("//") {
            return Self::parse(&format!("{}:{location}", self.scheme()));
        }
        if location.contains("://") {
            return Self::parse(location);
        }
        let location = location.split_once('#').map_or(location, |(before, _)| before);
        let target = if location.starts_with('/') {
            location.to_owned()
        } else {
            let path = self.target.split_once('?').map_or(self.target.as_str(), |(path, _)| path);
            if location.starts_with('?') {
                format!("{path}{location}")
            } else {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                format!("{folder}/{location}")
            }
        };
        check_target(&target)?;
        Ok(Self { target, ..self.clone() })
    }

    /// The same URL with parameters appended to its query. They are already encoded.
    pub fn with_query(&self, query: &str) -> Result<Self, Failure> {
        let separator = match self.target.split_once('?') {
            None => "?",
            Some((_, existing)) if existing.is_empty() || existing.ends_with('&') => "",
            Some(_) => "&",
        };
        let target = format!("{}{separator}{query}", self.target);
        check_target(&target)?;
        Ok(Self { target, ..self.clone() })
    }

    /// The same URL with a file name appended to a path that ends in `/`, as curl's `-T` does.
    pub fn with_file_name(&self, name: &str) -> Self {
        let (path, query) = self.target.split_once('?').map_or((self.target.as_str(), None), |(p, q)| (p, Some(q)));
        if !path.ends_with('/') {
            return self.clone();
        }
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        Self { target: format!("{path}{}{query}", countersign::encode_segment(name)), ..self.clone() }
    }

    pub fn scheme(&self) -> &'static str {
        if self.https { "https" } else { "http" }
    }

    pub fn is_https(&self) -> bool {
        self.https
    }

    /// The `Host` header: host and port as typed, without a default port.
    pub fn host_header(&self) -> &str {
        let default = if self.https { ":443" } else { ":80" };
        self.authority.strip_suffix(default).or_else(|| self.authority.strip_suffix(':')).unwrap_or(&self.authority)
    }

    /// The name or address to connect to.
    pub fn host(&self) -> &str {
        &self.host
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Path and query.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Returns `true` if both have the same scheme, host and port.
    pub fn is_same_origin(&self, other: &Self) -> bool {
        self.https == other.https && self.port == other.port && self.host.eq_ignore_ascii_case(&other.host)
    }
}

impl std::fmt::Display for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}{}", self.scheme(), self.authority, self.target)
    }
}

fn split_port(authority: &str, https: bool) -> Result<(String, u16), Failure> {
    let default = if https { 443 } else { 80 };
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((host, "")) => (host, None),
            Some((host, port)) if port.starts_with(':') => (host, port.strip_prefix(':')),
            _ => return Err(Failure::usage(format!("the host {authority} is not a valid IPv6 address in brackets"))),
        },
        None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    let port = match port {
        None | Some("") => default,
        Some(port) => {
            // In `https://user:secret/…`, it is the beginning of a secret.
            port.parse().map_err(|_| match port.bytes().all(|byte| byte.is_ascii_digit()) {
                true => Failure::usage(format!("the port {port} is not a number up to 65535")),
                false => Failure::usage("the port of the URL is not a number up to 65535"),
            })?
        }
    };
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'%');
    if host.is_empty() {
        Err(Failure::usage("the URL has no host"))
    } else if !host.bytes().all(valid) {
        Err(Failure::usage(format!("the host {host:?} contains characters that a host name can't contain")))
    } else {
        Ok((host.to_owned(), port))
    }
}

/// Refuses what can't be sent as typed: characters that RFC 3986 doesn't allow in a path or query. Clients, proxies
/// and servers encode, drop or reject them in different ways, so a signature over them is valid only by luck. Square
/// brackets are allowed, as all of them leave these alone.
fn check_target(target: &str) -> Result<(), Failure> {
    for (position, c) in target.char_indices() {
        let is_bad = match c {
            '%' => !is_escape(target.as_bytes().get(position + 1..position + 3)),
            _ => !is_allowed(c),
        };
        if is_bad {
            let place =
                if target.get(..position).is_some_and(|before| before.contains('?')) { "query" } else { "path" };
            let hint = if c == '#' { " (a fragment is never sent; remove it, or encode the character)" } else { "" };
            return Err(Failure::usage(format!(
                "the {place} of the URL contains {c:?}, which must be encoded as {}{hint}. The URL is sent exactly as typed; \
                 with all such characters encoded, its path and query are: {}",
                encoded(c),
                redacted_url(&encode_all(target)),
            )));
        }
    }
    Ok(())
}

fn is_escape(digits: Option<&[u8]>) -> bool {
    digits.is_some_and(|digits| digits.len() == 2 && digits.iter().all(u8::is_ascii_hexdigit))
}

fn is_allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@/?[]".contains(c)
}

fn encoded(c: char) -> String {
    c.encode_utf8(&mut [0; 4]).bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn encode_all(target: &str) -> String {
    let encode = |(position, c): (usize, char)| match c {
        '%' if is_escape(target.as_bytes().get(position + 1..position + 3)) => "%".to_owned(),
        c if is_allowed(c) => c.to_string(),
        c => encoded(c),
    };
    target.char_indices().map(encode).collect()
}
