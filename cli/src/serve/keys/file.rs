//! Reads the keys file.

use std::fmt;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use countersign::Credentials;
use toml::de::{DeTable, DeValue};

use super::derived::Derived;
use super::table::{Mistake, Reader};
use super::{Allow, Key, Keys, Resign};
use crate::failure::{Failure, Kind};
use crate::serve::route::{Authorization, Route, check_method, check_prefix};
use crate::time;

/// A keys file is not longer, in bytes.
const LONGEST: u64 = 16 << 20;

/// Reads the file, and the secrets in the environment and in the files that it names.
pub fn load(path: &Path) -> Result<Keys, Failure> {
    let failed = |problem: &dyn fmt::Display| Failure::new(Kind::Read, format!("{}: {problem}", path.display()));
    let text = read(path).map_err(|error| failed(&error))?;
    parse(&text, path.parent().unwrap_or(Path::new(""))).map_err(|mistakes| {
        let lines: Vec<_> =
            mistakes.iter().map(|mistake| format!("line {}: {}", mistake.line, mistake.problem)).collect();
        failed(&lines.join("; "))
    })
}

fn read(path: &Path) -> Result<String, String> {
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    let mut text = String::new();
    // A device or a pipe has no length, and needn't end.
    file.take(LONGEST + 1).read_to_string(&mut text).map_err(|error| error.to_string())?;
    if text.len() as u64 > LONGEST {
        return Err(format!("longer than {} MiB", LONGEST >> 20));
    }
    Ok(text)
}

/// `folder` is what paths in the file are relative to.
pub fn parse(text: &str, folder: &Path) -> Result<Keys, Vec<Mistake>> {
    let mut file = File { reader: Reader::new(text), folder, keys: Keys::default() };
    let table = file.reader.parse();
    // What was read of a file with wrong syntax can be anything.
    if file.reader.mistakes.is_empty() {
        file.root(table.get_ref());
    }
    let mut mistakes = file.reader.mistakes;
    mistakes.sort_by_key(|mistake| mistake.line);
    if mistakes.is_empty() { Ok(file.keys) } else { Err(mistakes) }
}

struct File<'t> {
    reader: Reader<'t>,
    folder: &'t Path,
    keys: Keys,
}

impl File<'_> {
    fn root(&mut self, root: &DeTable<'_>) {
        self.reader.only(root, &["key", "route"]);
        for (table, span) in self.reader.tables(root, "key") {
            let Some(key) = self.key(table, span.clone()) else { continue };
            let id = key.credentials.access_key_id().to_owned();
            if self.keys.by_id.insert(id, Arc::new(key)).is_some() {
                self.reader.mistake(span, "this access_key_id appears more than once");
            }
        }
        for (table, span) in self.reader.tables(root, "route") {
            if let Some(route) = self.route(table, span) {
                self.keys.routes.push(route);
            }
        }
    }

    fn key(&mut self, table: &DeTable<'_>, span: Range<usize>) -> Option<Key> {
        self.reader.only(table, &[&CREDENTIALS[..], &["expires_at", "allow", "resign"]].concat());
        let credentials = self.credentials(table, span);
        let tables = self.reader.tables(table, "allow");
        let allow = tables.into_iter().map(|(table, span)| self.allow(table, span)).collect();
        let resign = self.resign(table);
        Some(Key { credentials: credentials?, derived: Derived::default(), allow, resign })
    }

    fn credentials(&mut self, table: &DeTable<'_>, span: Range<usize>) -> Option<Credentials> {
        let id = self.reader.text(table, "access_key_id");
        if table.get("access_key_id").is_none() {
            self.reader.mistake(span.clone(), "access_key_id is missing");
        }
        let secret = self.secret(table, span.clone());
        let token = self.reader.text(table, "session_token").map(|(token, _)| token.to_owned());
        let expires_at = self.expires_at(table);
        let credentials = match (Credentials::new(id?.0, secret?), token) {
            (Ok(credentials), Some(token)) => credentials.with_session_token(token),
            (credentials, _) => credentials,
        };
        match credentials {
            Ok(credentials) => Some(match expires_at {
                Some(expires_at) => credentials.with_expires_at(expires_at),
                None => credentials,
            }),
            Err(error) => {
                self.reader.mistake(span, error.to_string());
                None
            }
        }
    }

    /// Exactly one of the three places.
    fn secret(&mut self, table: &DeTable<'_>, span: Range<usize>) -> Option<String> {
        if SECRETS.iter().filter(|name| table.get(**name).is_some()).count() != 1 {
            self.reader.mistake(span, format!("there must be exactly one of {}", SECRETS.join(", ")));
            return None;
        }
        if let Some((secret, _)) = self.reader.text(table, "secret_access_key") {
            return Some(secret.to_owned());
        }
        if let Some((name, span)) = self.reader.text(table, "secret_access_key_env") {
            let value = std::env::var(name).ok().filter(|value| !value.is_empty());
            if value.is_none() {
                self.reader.mistake(span, format!("the environment variable {name} is not set"));
            }
            return value;
        }
        let (file, span) = self.reader.text(table, "secret_access_key_file")?;
        let path = self.folder.join(file);
        self.keys.secret_files.push(path.clone());
        match read(&path) {
            // Editors and `echo` end files with a line break.
            Ok(secret) => Some(secret.trim_end_matches(['\r', '\n']).to_owned()),
            Err(error) => {
                self.reader.mistake(span, format!("secret_access_key_file {}: {error}", path.display()));
                None
            }
        }
    }

    fn expires_at(&mut self, table: &DeTable<'_>) -> Option<countersign::Timestamp> {
        let value = table.get("expires_at")?;
        let text = match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Datetime(time) => time.to_string(),
            _ => String::new(),
        };
        let time = time::parse(&text);
        if time.is_none() {
            self.reader.mistake(value.span(), "expires_at must be a time in UTC, such as 2026-08-30T12:36:00Z");
        }
        time
    }

    fn allow(&mut self, table: &DeTable<'_>, span: Range<usize>) -> Allow {
        const FIELDS: [&str; 5] = ["hosts", "methods", "path_prefixes", "services", "max_expires"];
        self.reader.only(table, &FIELDS);
        if table.is_empty() {
            self.reader.mistake(span, "an empty [[key.allow]] allows everything; remove it, or add a condition");
        }
        let methods = self.checked(table, "methods", check_method);
        let path_prefixes = self.checked(table, "path_prefixes", check_prefix);
        Allow {
            hosts: self.checked(table, "hosts", check_host),
            methods,
            path_prefixes,
            services: self.checked(table, "services", |_| Ok(())),
            max_expires: self.max_expires(table),
        }
    }

    fn checked(
        &mut self,
        table: &DeTable<'_>,
        name: &str,
        check: impl Fn(&str) -> Result<(), &'static str>,
    ) -> Vec<String> {
        let texts = self.reader.texts(table, name);
        for (text, span) in &texts {
            if let Err(problem) = check(text) {
                self.reader.mistake(span.clone(), problem);
            }
        }
        texts.into_iter().map(|(text, _)| text).collect()
    }

    fn max_expires(&mut self, table: &DeTable<'_>) -> Option<Duration> {
        let value = table.get("max_expires")?;
        let seconds =
            value.get_ref().as_integer().and_then(|seconds| seconds.as_str().replace('_', "").parse::<u64>().ok());
        if seconds.is_none_or(|seconds| seconds == 0) {
            self.reader.mistake(value.span(), "max_expires must be a number of seconds");
        }
        seconds.map(Duration::from_secs)
    }

    fn resign(&mut self, key: &DeTable<'_>) -> Option<Resign> {
        let value = key.get("resign")?;
        let Some(table) = value.get_ref().as_table() else {
            self.reader.mistake(value.span(), "write [key.resign] with one bracket");
            return None;
        };
        self.reader.only(table, &[&CREDENTIALS[..], &["expires_at", "profile", "environment"]].concat());
        let is_static = CREDENTIALS.iter().any(|name| table.get(*name).is_some());
        let profile = self.reader.text(table, "profile").map(|(profile, _)| profile.to_owned());
        let environment = self.reader.flag(table, "environment");
        match (profile, environment, is_static) {
            (Some(profile), false, false) => Some(Resign::Profile(profile)),
            (None, true, false) => Some(Resign::Environment),
            (None, false, true) => self.credentials(table, value.span()).map(|own| Resign::Static(Box::new(own))),
            _ => {
                let problem =
                    "[key.resign] needs exactly one of profile, environment = true, and access_key_id with its secret";
                self.reader.mistake(value.span(), problem);
                None
            }
        }
    }

    fn route(&mut self, table: &DeTable<'_>, span: Range<usize>) -> Option<Route> {
        self.reader.only(table, &["path_prefix", "methods", "authorization"]);
        let (prefix, authorization) =
            (self.reader.text(table, "path_prefix"), self.reader.text(table, "authorization"));
        if table.get("path_prefix").is_none() || table.get("authorization").is_none() {
            self.reader.mistake(span, "a [[route]] needs path_prefix and authorization");
        }
        let methods = self.checked(table, "methods", check_method);
        let (prefix, authorization) = (prefix?, authorization?);
        if let Err(problem) = check_prefix(prefix.0) {
            self.reader.mistake(prefix.1, problem);
        }
        let parsed = Authorization::parse(authorization.0);
        if parsed.is_none() {
            self.reader.mistake(authorization.1, "authorization must be AWS_IAM or NONE");
        }
        let methods = if methods.is_empty() { vec!["ANY".into()] } else { methods };
        Some(Route { methods, path_prefix: prefix.0.into(), authorization: parsed? })
    }
}

const SECRETS: [&str; 3] = ["secret_access_key", "secret_access_key_env", "secret_access_key_file"];
const CREDENTIALS: [&str; 5] =
    ["access_key_id", "secret_access_key", "secret_access_key_env", "secret_access_key_file", "session_token"];

fn check_host(host: &str) -> Result<(), &'static str> {
    let rest = host.strip_prefix("*.").unwrap_or(host);
    let is_host = !rest.is_empty() && !rest.contains(['*', '/', '@', ' ']);
    if is_host {
        Ok(())
    } else {
        Err("a host must be a name with its port, if it isn't the default one, or `*.` and a name")
    }
}

/// Where the keys come from, for messages.
pub fn sources(path: &Path, keys: &Keys) -> Vec<PathBuf> {
    std::iter::once(path.to_owned()).chain(keys.secret_files.iter().cloned()).collect()
}
