//! Recorded resolutions of credentials, and the other data that AWS's SDKs test theirs with.
//!
//! A folder is a recorded resolution: `env.json`, `fs/`, `http-traffic.json`, `test-case.json`. A file is one of the
//! lists of AWS's SDKs, told apart by its name: `assume-role-*`, `profile-parser-*`, `file-location-*`, `ecs-*`,
//! `imds-endpoint-*`.

mod exchange;
mod lists;
mod plan;
mod recorded;

use std::path::Path;

use serde_json::Value;

use crate::Counts;

/// What went wrong with a case.
pub type Failure = String;

/// Runs a folder or a file, and reports each failure by the name of its case.
pub fn run(path: &Path, mut failed: impl FnMut(&str, &str)) -> Counts {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let results = if path.is_dir() {
        vec![(name.to_string(), recorded::run(path))]
    } else {
        match list(path, &name) {
            Ok(results) => results,
            Err(error) => vec![(name.to_string(), Err(error))],
        }
    };
    let mut counts = Counts::default();
    for (case, result) in results {
        match result {
            Ok(()) => counts.passed += 1,
            Err(failure) => {
                counts.failed += 1;
                failed(&case, &failure);
            }
        }
    }
    counts
}

type Run = fn(&Value) -> Result<(), Failure>;
type Results = Vec<(String, Result<(), Failure>)>;

fn list(path: &Path, name: &str) -> Result<Results, Failure> {
    let json = read(path)?;
    let cases = json.as_array().or_else(|| json["tests"].as_array()).ok_or("has no list of cases")?;
    let runs: [(&str, Run); 5] = [
        ("assume-role", plan::run),
        ("profile-parser", lists::profiles),
        ("file-location", lists::locations),
        ("ecs", lists::container),
        ("imds-endpoint", lists::imds),
    ];
    if cases.is_empty() {
        return Err("has no cases".into());
    }
    let (_, run) = runs.iter().find(|(kind, _)| name.starts_with(kind)).ok_or("is of no known kind")?;
    let title = |case: &Value| case["name"].as_str().or(case["docs"].as_str()).unwrap_or_default().to_owned();
    Ok(cases.iter().map(|case| (title(case), run(case))).collect())
}

fn read(path: &Path) -> Result<Value, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}

/// The members of an object that are text.
fn texts(object: &Value) -> impl Iterator<Item = (&str, &str)> {
    object.as_object().into_iter().flatten().filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
}

/// A member that nobody reads is a mistake.
fn known(object: &Value, names: &[&str]) -> Result<(), Failure> {
    let unknown = object.as_object().into_iter().flatten().find(|(name, _)| !names.contains(&name.as_str()));
    unknown.map_or(Ok(()), |(name, _)| Err(format!("{name} is not known")))
}

/// Whether that is what is expected, an error or not.
fn as_expected<T, E: std::fmt::Display>(result: &Result<T, E>, is_error: bool) -> Result<(), Failure> {
    match result {
        Ok(_) if is_error => Err("is no error".into()),
        Err(error) if !is_error => Err(format!("is an error: {error}")),
        _ => Ok(()),
    }
}
