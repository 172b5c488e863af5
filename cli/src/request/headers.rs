//! `-H`, with curl's rules.

use ::http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::failure::{Failure, Kind};

/// Applies `Name: value`, `Name;` (empty value), `Name:` (removes a default) and `@FILE` (one header per line).
pub fn apply(headers: &mut HeaderMap, given: &[String]) -> Result<(), Failure> {
    let mut lines = Vec::new();
    for header in given {
        match header.strip_prefix('@') {
            Some(file) => lines.extend(read(file)?),
            None => lines.push(header.clone()),
        }
    }
    let mut replaced = Vec::new();
    for line in &lines {
        let (name, value) = parse(line)?;
        // The first one replaces the default; a repeated one is sent as well.
        if !replaced.contains(&name) {
            headers.remove(&name);
            replaced.push(name.clone());
        }
        if let Some(value) = value {
            headers.append(name, value);
        }
    }
    Ok(())
}

/// The last `Host` of -H.
pub fn host(given: &[String]) -> Option<&str> {
    let pairs = given.iter().rev().filter_map(|header| header.split_once(':'));
    let mut hosts = pairs.filter(|(name, _)| name.eq_ignore_ascii_case("host")).map(|(_, value)| value.trim());
    hosts.next().filter(|value| !value.is_empty())
}

fn read(file: &str) -> Result<Vec<String>, Failure> {
    let text = if file == "-" { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(file) };
    let text =
        text.map_err(|error| Failure::new(Kind::Read, format!("the headers can't be read from {file}: {error}")))?;
    Ok(text.lines().map(str::trim_end).filter(|line| !line.is_empty()).map(Into::into).collect())
}

fn parse(line: &str) -> Result<(HeaderName, Option<HeaderValue>), Failure> {
    let (name, value) = match (line.split_once(':'), line.strip_suffix(';')) {
        (Some((name, value)), _) if value.trim().is_empty() => (name, None),
        (Some((name, value)), _) => (name, Some(value.trim())),
        (None, Some(name)) => (name, Some("")),
        (None, None) => return Err(Failure::usage("a header of -H has no colon; it must be `Name: value`")),
    };
    let name = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| Failure::usage(format!("{name:?} is not the name of a header")))?;
    if matches!(name.as_str(), "content-length" | "transfer-encoding") {
        return Err(Failure::usage(format!("the header {name} follows from the body and can't be given")));
    }
    let value = value.map(HeaderValue::from_str).transpose();
    let value =
        value.map_err(|_| Failure::usage(format!("the value of the header {name} contains control characters")))?;
    Ok((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(given: &[&str]) -> Result<HeaderMap, Failure> {
        let mut headers = HeaderMap::new();
        headers.insert("accept", HeaderValue::from_static("*/*"));
        let given: Vec<String> = given.iter().map(|header| (*header).to_owned()).collect();
        apply(&mut headers, &given).map(|()| headers)
    }

    #[test]
    fn curls_rules() {
        assert_eq!(applied(&["Accept:"]).unwrap().len(), 0);
        assert_eq!(applied(&["Accept: text/plain"]).unwrap()["accept"], "text/plain");
        assert_eq!(applied(&["X-Empty;"]).unwrap()["x-empty"], "");
        let repeated = applied(&["x-a: 1", "X-A:  2"]).unwrap();
        assert_eq!(repeated.get_all("x-a").iter().collect::<Vec<_>>(), ["1", "2"]);
    }

    #[test]
    fn bad_headers_are_refused_without_their_value() {
        for bad in ["secret", "a b: secret", "x: secret\u{1}", "Content-Length: secret", "Transfer-Encoding: secret"] {
            assert!(!applied(&[bad]).unwrap_err().to_string().contains("secret"), "{bad}");
        }
    }
}
