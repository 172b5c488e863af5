//! `-w`: curl's variables.

use std::time::Instant;

use crate::failure::Failure;
use crate::http::Answer;
use crate::output::redacted_url;
use crate::request::Draft;

/// What the variables stand for.
pub struct Figures<'a> {
    pub answer: &'a Answer<'a>,
    pub draft: &'a Draft,
    pub size_download: u64,
    pub size_upload: u64,
    pub redirects: u32,
    pub started: Instant,
}

/// A parsed format.
#[derive(Debug, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Variable(&'static str),
    Header(String),
}

const VARIABLES: [&str; 11] = [
    "content_type",
    "http_code",
    "http_version",
    "method",
    "num_redirects",
    "response_code",
    "scheme",
    "size_download",
    "size_upload",
    "time_total",
    "url_effective",
];

impl Template {
    /// Parses `%{variable}`, `%header{name}`, `%%`, `\n`, `\r`, `\t`; `@FILE` reads the format from a file.
    pub fn parse(format: &str) -> Result<Self, Failure> {
        let format = match format.strip_prefix('@') {
            Some("-") => std::io::read_to_string(std::io::stdin()).map_err(crate::request::unreadable)?,
            Some(file) => std::fs::read_to_string(file).map_err(crate::request::unreadable)?,
            None => format.to_owned(),
        };
        let mut parts = Vec::new();
        let mut rest = format.as_str();
        while let Some(position) = rest.find(['%', '\\']) {
            let (text, special) = rest.split_at_checked(position).unwrap_or((rest, ""));
            parts.push(Part::Text(text.to_owned()));
            let (part, after) = special_part(special)?;
            parts.push(part);
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        parts.retain(|part| *part != Part::Text(String::new()));
        Ok(Self(parts))
    }

    pub fn fill(&self, figures: &Figures<'_>) -> String {
        let value = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Variable(name) => variable(name, figures),
            Part::Header(name) => header(figures, name),
        };
        self.0.iter().map(value).collect()
    }
}

/// Parses what begins with `%` or a backslash, and returns the rest.
fn special_part(special: &str) -> Result<(Part, &str), Failure> {
    let text = |text: &str| Part::Text(text.to_owned());
    for (escape, meaning) in [("%%", "%"), ("\\n", "\n"), ("\\r", "\r"), ("\\t", "\t")] {
        if let Some(rest) = special.strip_prefix(escape) {
            return Ok((text(meaning), rest));
        }
    }
    if let Some((name, rest)) = special.strip_prefix("%{").and_then(|rest| rest.split_once('}')) {
        let known = VARIABLES.iter().find(|known| **known == name);
        let unknown =
            || Failure::usage(format!("-w has no variable {name:?}; the variables are {}", VARIABLES.join(", ")));
        return known.map(|name| (Part::Variable(name), rest)).ok_or_else(unknown);
    }
    if let Some((name, rest)) = special.strip_prefix("%header{").and_then(|rest| rest.split_once('}')) {
        return Ok((Part::Header(name.to_owned()), rest));
    }
    let mut chars = special.chars();
    let first = chars.next().map(String::from).unwrap_or_default();
    Ok((Part::Text(first), chars.as_str()))
}

fn header(figures: &Figures<'_>, name: &str) -> String {
    let value = figures.answer.headers().get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    value.unwrap_or_default()
}

fn variable(name: &str, figures: &Figures<'_>) -> String {
    let Figures { answer, draft, .. } = figures;
    match name {
        "content_type" => header(figures, "content-type"),
        "http_code" | "response_code" => answer.status().as_str().to_owned(),
        "http_version" => {
            format!("{:?}", answer.version()).trim_start_matches("HTTP/").trim_end_matches(".0").to_owned()
        }
        "method" => draft.method.to_string(),
        "num_redirects" => figures.redirects.to_string(),
        "scheme" => draft.url.scheme().to_owned(),
        "size_download" => figures.size_download.to_string(),
        "size_upload" => figures.size_upload.to_string(),
        "time_total" => format!("{:.6}", figures.started.elapsed().as_secs_f64()),
        "url_effective" => redacted_url(&draft.url.to_string()),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_parsed() {
        let parsed = Template::parse(r"a%{http_code}\n%%%header{etag}50%x\q").unwrap();
        let text = |text: &str| Part::Text(text.into());
        let parts = [
            text("a"),
            Part::Variable("http_code"),
            text("\n"),
            text("%"),
            Part::Header("etag".into()),
            text("50"),
            text("%"),
            text("x"),
            text("\\"),
            text("q"),
        ];
        assert_eq!(parsed.0, parts);
        let error = Template::parse("%{http_cod}").unwrap_err().to_string();
        assert!(error.contains("\"http_cod\"") && error.contains("http_code"), "{error}");
    }
}
