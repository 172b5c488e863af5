//! Every vector is signed by a signer that deviates in each of the ways below. The other side computes the canonical
//! request of the vector, and the explanation must name the deviation.

use countersign::explain::Explanation;

use super::mutations::{cases, sigv4a_cases};

/// The parts of a canonical request.
#[derive(Clone)]
struct Parts {
    method: String,
    path: String,
    query: Vec<String>,
    headers: Vec<String>,
    signed: String,
    payload: String,
    line_end: &'static str,
}

impl Parts {
    fn of(text: &str) -> Self {
        let lines: Vec<&str> = text.split('\n').collect();
        let [method, path, query, headers @ .., "", signed, payload] = lines.as_slice() else { panic!("{text}") };
        Self {
            method: (*method).into(),
            path: (*path).into(),
            query: query.split('&').filter(|pair| !pair.is_empty()).map(String::from).collect(),
            headers: headers.iter().map(|line| (*line).into()).collect(),
            signed: (*signed).into(),
            payload: (*payload).into(),
            line_end: "\n",
        }
    }

    fn text(&self) -> String {
        let query = self.query.join("&");
        let mut lines = vec![self.method.as_str(), &self.path, &query];
        lines.extend(self.headers.iter().map(String::as_str));
        lines.extend(["", &self.signed, &self.payload]);
        lines.join(self.line_end)
    }

    /// Changes the first pair or line that can be changed.
    fn first(texts: &mut [String], change: impl Fn(&str) -> Option<String>) -> Option<String> {
        texts.iter_mut().find_map(|text| change(text).map(|changed| std::mem::replace(text, changed)))
    }
}

fn decoded(name: &str) -> String {
    percent_encoding::percent_decode_str(name).decode_utf8_lossy().into_owned()
}

fn lower_case_escapes(text: &str) -> Option<String> {
    let mut pieces = text.split('%');
    let first = pieces.next()?.to_owned();
    Some(pieces.fold(first, |out, piece| {
        let (digits, rest) = piece.split_at(2);
        format!("{out}%{}{rest}", digits.to_ascii_lowercase())
    }))
}

fn is_secret(name: &str) -> bool {
    ["x-amz-security-token", "x-amz-s3session-token", "cookie", "x-api-key", "authorization"].contains(&name)
}

const OF_NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// A deviation, which returns the `Debug` text of the only cause that must be found, or `None` if it is impossible.
type Deviation = (&'static str, fn(&mut Parts) -> Option<String>);

const DEVIATIONS: &[Deviation] = &[
    ("the method in lower case", |parts| {
        let verified = parts.method.clone();
        parts.method = parts.method.to_ascii_lowercase();
        Some(format!("MethodChanged {{ signed: {:?}, verified: {verified:?} }}", parts.method))
    }),
    ("the path encoded once more", |parts| {
        parts.path = parts.path.replace('%', "%25");
        Some("PathOverEncoded".into())
    }),
    ("the path encoded once less", |parts| {
        let usable = parts.path.contains("%25") && !parts.path.replace("%25", "").contains('%');
        parts.path = parts.path.replace("%25", "%");
        usable.then(|| "PathUnderEncoded".into())
    }),
    ("the path in lower-case escapes", |parts| {
        parts.path = lower_case_escapes(&parts.path)?;
        Some("EscapeCase".into())
    }),
    ("the path normalised", |parts| {
        let usable = parts.path.contains("//");
        while parts.path.contains("//") {
            parts.path = parts.path.replace("//", "/");
        }
        usable.then(|| "PathNormalization".into())
    }),
    ("a slash at the end", |parts| {
        let usable = !parts.path.ends_with(['/', '.']);
        parts.path += "/";
        usable.then(|| "TrailingSlash { signed: true }".into())
    }),
    ("the query not sorted", |parts| {
        parts.query.reverse();
        Some("QueryOrder".into())
    }),
    ("a pair without =", |parts| {
        let pair = Parts::first(&mut parts.query, |pair| pair.strip_suffix('=').map(String::from))?;
        Some(format!("MissingEquals {{ name: {:?} }}", decoded(pair.trim_end_matches('='))))
    }),
    ("a space as a plus", |parts| {
        Parts::first(&mut parts.query, |pair| pair.contains("%20").then(|| pair.replace("%20", "+")))?;
        Some("PlusForSpace".into())
    }),
    ("a parameter in lower-case escapes", |parts| {
        Parts::first(&mut parts.query, |pair| lower_case_escapes(pair).filter(|other| other != pair))?;
        Some("EscapeCase".into())
    }),
    ("a parameter encoded once more", |parts| {
        let pair = Parts::first(&mut parts.query, |pair| {
            (pair.contains('%') && !pair.contains("Token")).then(|| pair.replace('%', "%25"))
        })?;
        Some(format!("QueryEncoding {{ name: {:?} }}", decoded(pair.split('=').next()?)))
    }),
    ("a parameter left out", |parts| {
        (!parts.query.is_empty()).then_some(())?;
        let pair = parts.query.remove(0);
        Some(format!("ParameterAdded {{ name: {:?} }}", decoded(pair.split('=').next()?)))
    }),
    ("the host with its port", |parts| {
        let ported =
            |line: &str| (line.starts_with("host:") && line.matches(':').count() == 1).then(|| format!("{line}:443"));
        let line = Parts::first(&mut parts.headers, ported)?;
        let host = line.strip_prefix("host:")?;
        Some(format!("PortChanged {{ signed: \"{host}:443\", verified: {host:?} }}"))
    }),
    ("a space behind the colon", |parts| {
        let spaced = |line: &str| {
            let (name, value) = line.split_once(':')?;
            (!is_secret(name) && !value.is_empty()).then(|| format!("{name}: {value}"))
        };
        let line = Parts::first(&mut parts.headers, spaced)?;
        Some(format!("HeaderRespaced {{ name: {:?} }}", line.split(':').next()?))
    }),
    ("the headers not sorted", |parts| {
        parts.headers.reverse();
        Some("HeaderOrder".into())
    }),
    ("header names as they were given", |parts| {
        let upper = |line: &str| line.get(..1).map(|start| start.to_ascii_uppercase() + &line[1..]);
        let line = Parts::first(&mut parts.headers, upper)?;
        Some(format!("HeaderNameCase {{ name: {:?} }}", upper(line.split(':').next()?)?))
    }),
    ("a header left out", |parts| {
        (parts.headers.len() > 1).then_some(())?;
        let line = parts.headers.remove(0);
        let name = line.split(':').next()?.to_owned();
        let rest: Vec<&str> = parts.signed.split(';').filter(|other| *other != name).collect();
        parts.signed = rest.join(";");
        Some(format!("HeaderAdded {{ name: {name:?} }}"))
    }),
    ("values on lines of their own", |parts| {
        let position = parts.headers.iter().position(|line| {
            line.split_once(':').is_some_and(|(name, value)| value.contains(',') && !is_secret(name))
        })?;
        let line = parts.headers.remove(position);
        let (name, values) = line.split_once(':')?;
        for value in values.split(',').rev() {
            parts.headers.insert(position, format!("{name}:{value}"));
        }
        Some(format!("HeaderNotJoined {{ name: {name:?} }}"))
    }),
    ("a name missing in SignedHeaders", |parts| {
        parts.signed = parts.signed.split_once(';')?.1.into();
        Some("MalformedAuthorization".into())
    }),
    ("SignedHeaders not sorted", |parts| {
        let names: Vec<&str> = parts.signed.split(';').rev().collect();
        parts.signed = names.join(";");
        Some("HeaderOrder".into())
    }),
    ("the hash in upper case", |parts| {
        (parts.payload.len() == 64).then(|| parts.payload = parts.payload.to_ascii_uppercase())?;
        Some("HashCase".into())
    }),
    ("another body", |parts| {
        (parts.payload.len() == 64).then_some(())?;
        let verified = std::mem::replace(&mut parts.payload, "ab".repeat(32));
        Some(if verified == OF_NOTHING { "BodyDropped".into() } else { "BodyChanged".into() })
    }),
    ("the body not signed", |parts| {
        (parts.payload.len() == 64).then_some(())?;
        let verified = std::mem::replace(&mut parts.payload, "UNSIGNED-PAYLOAD".into());
        Some(format!("PayloadMode {{ signed: \"UNSIGNED-PAYLOAD\", verified: {verified:?} }}"))
    }),
    ("a line end too many", |parts| {
        parts.payload += "\n";
        Some("LineEnds".into())
    }),
    ("CRLF", |parts| {
        parts.line_end = "\r\n";
        Some("LineEnds".into())
    }),
];

#[test]
fn each_deviation_is_named() {
    let mut made = std::collections::BTreeMap::<_, u32>::new();
    let mut failures = Vec::new();
    for case in cases().into_iter().chain(sigv4a_cases()) {
        let theirs = case.expect.canonical_request.as_str();
        let right = Parts::of(theirs);
        assert_eq!(right.text(), theirs);
        for (name, deviate) in DEVIATIONS {
            let mut parts = right.clone();
            let Some(expected) = deviate(&mut parts) else { continue };
            let ours = parts.text();
            if ours == theirs {
                continue;
            }
            *made.entry(*name).or_default() += 1;
            let explanation = Explanation::compare(theirs, &ours);
            let found: Vec<String> = explanation.findings().map(|f| format!("{:?}", f.cause())).collect();
            if found != [expected.as_str()] {
                failures.push(format!("{} {name}: {found:?}, not {expected}\n{ours}\n\n{theirs}", case.id));
            }
        }
    }
    println!("{made:#?}");
    for (name, _) in DEVIATIONS {
        assert!(made.contains_key(name), "{name} was never made");
    }
    assert!(failures.is_empty(), "{}\n{}", failures.len(), failures.join("\n\n"));
}
