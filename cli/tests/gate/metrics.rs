//! `/metrics`, read as strictly as a scraper may.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::gate::{Gate, Sent, keys, upstream};

struct Sample {
    name: String,
    labels: Vec<(String, String)>,
    value: f64,
}

/// The families with their kinds, and all samples.
fn parse(text: &str) -> (BTreeMap<String, String>, Vec<Sample>) {
    assert!(text.ends_with('\n') && !text.contains('\r') && !text.contains("\n\n"));
    let (mut kinds, mut samples, mut seen) = (BTreeMap::new(), Vec::new(), BTreeSet::new());
    let (mut helped, mut family) = (String::new(), String::new());
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, words) = help.split_once(' ').expect("a text");
            assert!(words.ends_with('.') && !kinds.contains_key(name), "{line}");
            helped = name.into();
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').expect("a type");
            assert_eq!(name, helped, "HELP precedes TYPE: {line}");
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            kinds.insert(name.to_owned(), kind.to_owned());
            family = name.into();
        } else {
            let sample = sample(line);
            let suffix = sample.name.strip_prefix(&family).expect("a sample of the family above");
            let is_histogram = kinds[&family] == "histogram";
            assert!(if is_histogram { ["_bucket", "_sum", "_count"].contains(&suffix) } else { suffix.is_empty() });
            assert!(seen.insert(line.rsplit_once(' ').expect("a value").0.to_owned()), "twice: {line}");
            samples.push(sample);
        }
    }
    (kinds, samples)
}

fn sample(line: &str) -> Sample {
    let (series, value) = line.rsplit_once(' ').expect("a value");
    let (name, labels) = match series.split_once('{') {
        Some((name, rest)) => (name, rest.strip_suffix('}').expect("the end of labels")),
        None => (series, ""),
    };
    let is_name = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    assert!(is_name(name), "{line}");
    let mut pairs = Vec::new();
    let mut rest = labels;
    while !rest.is_empty() {
        let (label, after) = rest.split_once("=\"").expect("a label");
        assert!(is_name(label), "{line}");
        let (mut text, mut end, mut characters) = (String::new(), None, after.char_indices());
        while let Some((at, c)) = characters.next() {
            match c {
                '"' => {
                    end = Some(at + 1);
                    break;
                }
                '\\' => match characters.next().expect("an escape").1 {
                    'n' => text.push('\n'),
                    c @ ('\\' | '"') => text.push(c),
                    c => panic!("\\{c}: {line}"),
                },
                c => text.push(c),
            }
        }
        rest = &after[end.expect("the end of a label")..];
        assert!(rest.is_empty() || rest.starts_with(','), "{line}");
        rest = rest.strip_prefix(',').unwrap_or(rest);
        pairs.push((label.to_owned(), text));
    }
    let value = if value == "+Inf" { f64::INFINITY } else { value.parse().expect("a number") };
    Sample { name: name.into(), labels: pairs, value }
}

#[test]
fn the_format_and_the_conventions() {
    let upstream = upstream();
    let url = upstream.url("");
    let keys = keys() + "expires_at = 2099-01-01T00:00:00Z\n";
    let arguments = ["--upstream", &url, "--service", "execute-api", "--region", "us-east-1", "--replay", "memory"];
    let gate = Gate::start(&arguments, &keys);
    let before = parse(&gate.managed("/metrics").body).1;
    for secret in [crate::gate::SECRET, "another"] {
        gate.send(&Sent::get("/a").with(|sent| sent.secret = secret));
    }
    let open = gate.connect();
    let end = Instant::now() + Duration::from_secs(10);
    while gate.metric("countersign_connections_open") == 0 {
        assert!(Instant::now() < end, "the connection is never accepted");
    }
    let got = gate.managed("/metrics");
    assert_eq!(got.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let (kinds, samples) = parse(&got.body);
    for (name, kind) in &kinds {
        assert!(name.starts_with("countersign_"), "{name}");
        assert_eq!(kind == "counter", name.ends_with("_total"), "{name}: {kind}");
        for unit in ["_ms", "_milliseconds", "_minutes", "_count", "_bucket", "_sum"] {
            assert!(!name.ends_with(unit), "{name}");
        }
    }
    let find = |name: &str, label: &str| {
        let is_it = |sample: &&Sample| {
            sample.name == name && (label.is_empty() || sample.labels.iter().any(|(_, value)| value == label))
        };
        samples.iter().find(is_it).unwrap_or_else(|| panic!("{name} {label}")).value
    };
    assert_eq!(find("countersign_requests_total", "verified"), 1.0);
    assert_eq!(find("countersign_requests_total", "refused"), 1.0);
    assert_eq!(find("countersign_refusals_total", "21"), 1.0);
    assert_eq!(find("countersign_responses_total", "4xx"), 1.0);
    assert_eq!(find("countersign_key_expiry_timestamp_seconds", "AKIDGATE"), 4_070_908_800.0);
    assert_eq!(find("countersign_build_info", env!("CARGO_PKG_VERSION")), 1.0);
    assert_eq!(find("countersign_keys", ""), 1.0);
    assert!(find("countersign_connections_open", "") >= 1.0);
    drop(open);

    let buckets: Vec<_> = samples.iter().filter(|sample| sample.name.ends_with("_bucket")).collect();
    let bounds: Vec<f64> = buckets
        .iter()
        .map(|bucket| match bucket.labels[0].1.as_str() {
            "+Inf" => f64::INFINITY,
            bound => bound.parse().expect("a number"),
        })
        .collect();
    assert!(bounds.is_sorted_by(|one, next| one < next) && bounds.last() == Some(&f64::INFINITY), "{bounds:?}");
    assert!(buckets.is_sorted_by(|one, next| one.value <= next.value));
    assert_eq!(buckets.last().map(|last| last.value), Some(find("countersign_request_duration_seconds_count", "")));
    assert_eq!(find("countersign_request_duration_seconds_count", ""), 2.0);
    assert!(find("countersign_request_duration_seconds_sum", "") > 0.0);
    // Counters of all outcomes exist before the first request, so that rates are right from the start.
    for name in ["countersign_requests_total", "countersign_responses_total", "countersign_connections_total"] {
        let count = |all: &[Sample]| all.iter().filter(|sample| sample.name == name).count();
        assert!(count(&before) > 0 && count(&before) == count(&samples), "{name}");
    }
}

/// What is renamed is renamed in the documents and alerts, too.
#[test]
fn documents_name_metrics_that_exist() {
    let source = include_str!("../../src/serve/metrics.rs");
    let documents = [
        include_str!("../../deploy/README.md"),
        include_str!("../../deploy/countersign-rules.yml"),
        include_str!("../../deploy/prometheus.yml"),
    ];
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = documents.iter().flat_map(|text| text.split(|c: char| !is_of_name(c)));
    // `countersign_caller` is a variable of nginx.
    let names: Vec<_> =
        words.filter(|word| word.starts_with("countersign_") && *word != "countersign_caller").collect();
    assert!(names.len() > 15, "{names:?}");
    for name in names {
        assert!(source.contains(&format!("\"{name}\"")), "{name}");
    }
}
