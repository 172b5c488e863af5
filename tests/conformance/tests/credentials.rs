//! The recorded resolutions of `tests/recorded`, and that a recording which was changed anywhere fails.
#![cfg(all(unix, feature = "credentials"))]

use std::fs;
use std::path::{Path, PathBuf};

use countersign_conformance::{Counts, credentials};
use serde_json::Value;

fn recorded() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../recorded")
}

#[test]
fn every_recording_is_resolved_as_it_was_recorded() {
    let (mut folders, mut plans) = (0, 0);
    for entry in fs::read_dir(recorded()).unwrap() {
        let path = entry.unwrap().path();
        let counts = credentials::run(&path, |case, failure| panic!("{case}: {failure}"));
        match path.is_dir() {
            true => folders += counts.passed,
            false => plans += counts.passed,
        }
        assert_eq!((counts.failed, counts.skipped), (0, 0));
    }
    assert_eq!((folders, plans), (77, 50));
}

/// A copy of a folder, which is removed at the end.
struct Copy(PathBuf);

impl Copy {
    fn of(folder: &Path, name: &str) -> Self {
        fn copy(from: &Path, to: &Path) {
            fs::create_dir_all(to).unwrap();
            for entry in fs::read_dir(from).unwrap() {
                let entry = entry.unwrap();
                match entry.path().is_dir() {
                    true => copy(&entry.path(), &to.join(entry.file_name())),
                    false => drop(fs::copy(entry.path(), to.join(entry.file_name())).unwrap()),
                }
            }
        }
        let own = std::env::temp_dir().join(format!("countersign-recorded-{name}-{}", std::process::id()));
        copy(folder, &own);
        Self(own)
    }

    fn fails(&self) -> bool {
        let mut failures = 0;
        let counts = credentials::run(&self.0, |_, _| failures += 1);
        assert_eq!(counts, Counts { passed: 1 - failures, failed: failures, skipped: 0 });
        failures > 0
    }

    fn json(&self, file: &str) -> Value {
        serde_json::from_str(&fs::read_to_string(self.0.join(file)).unwrap()).unwrap()
    }

    fn write(&self, file: &str, json: &Value) {
        fs::write(self.0.join(file), json.to_string()).unwrap();
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The paths of the values in what has to be sent and in what is expected. What is remarks is left out.
fn values(json: &Value, path: String, found: &mut Vec<String>) {
    match json {
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| {
                values(value, format!("{path}/{}", name.replace('~', "~0").replace('/', "~1")), found)
            });
        }
        Value::Array(elements) => {
            elements.iter().enumerate().for_each(|(index, value)| values(value, format!("{path}/{index}"), found));
        }
        _ => found.push(path),
    }
}

/// Another value of the same kind.
fn change(value: &mut Value) {
    *value = match &*value {
        // A body that is JSON.
        Value::String(text) if text.starts_with('{') => text.replacen("\": \"", "\": \"x", 1).into(),
        Value::String(text) => format!("{text}x").into(),
        Value::Number(number) => (number.as_i64().unwrap() + 1).into(),
        Value::Null => "x".into(),
        value => panic!("{value}"),
    };
}

/// Changes each value of a file that has to be compared, one after the other. Returns how many there were.
fn each_change_fails(copy: &Copy, file: &str, is_compared: impl Fn(&str, &Value) -> bool) -> usize {
    let original = copy.json(file);
    let mut paths = Vec::new();
    values(&original, String::new(), &mut paths);
    paths.retain(|path| is_compared(path, &original));
    for path in &paths {
        let mut changed = original.clone();
        change(changed.pointer_mut(path).unwrap());
        copy.write(file, &changed);
        assert!(copy.fails(), "{file} of {}: {path} was changed", copy.0.display());
    }
    copy.write(file, &original);
    assert!(!copy.fails());
    paths.len()
}

/// Whether a value is part of a request: its URL, method, body, or a header (except a proof, which is random).
fn is_sent(path: &str, traffic: &Value) -> bool {
    let is_body = path.ends_with("/data/Utf8") && {
        let direction = path.replace("/data/Utf8", "/direction");
        traffic.pointer(&direction).is_some_and(|direction| direction == "Request")
    };
    path.contains("/Request/request/") && !path.contains("/dpop/") || is_body
}

#[test]
fn a_recording_that_was_changed_anywhere_fails() {
    let (mut sent, mut expected) = (0, 0);
    for entry in fs::read_dir(recorded()).unwrap() {
        let folder = entry.unwrap().path();
        if !folder.is_dir() {
            continue;
        }
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let copy = Copy::of(&folder, &name);
        sent += each_change_fails(&copy, "http-traffic.json", is_sent);
        expected += each_change_fails(&copy, "test-case.json", |path, _| {
            path.starts_with("/result/") || path.starts_with("/exact/written/")
        });
    }
    assert!(sent > 300 && expected > 300, "{sent} {expected}");
}

#[test]
fn a_request_that_is_missing_or_was_added_fails() {
    for entry in fs::read_dir(recorded()).unwrap() {
        let folder = entry.unwrap().path();
        if !folder.is_dir() {
            continue;
        }
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let copy = Copy::of(&folder, &format!("more-{name}"));
        let traffic = copy.json("http-traffic.json");
        let mut more = traffic.clone();
        let url = "http://169.254.169.254/";
        more["events"].as_array_mut().unwrap().push(serde_json::json!({
            "connection_id": 99, "action": {"Request": {"request": {"uri": url, "headers": {}, "method": "GET"}}},
        }));
        copy.write("http-traffic.json", &more);
        assert!(copy.fails(), "{name} has one more");
        let events = traffic["events"].as_array().unwrap();
        let connections: Vec<u64> = events.iter().filter_map(|event| event["connection_id"].as_u64()).collect();
        for connection in 0..connections.last().map_or(0, |last| last + 1) {
            let request = |event: &&Value| event["action"].get("Request").is_some();
            let own = events.iter().filter(request).find(|event| event["connection_id"] == connection).unwrap();
            if events.iter().filter(|event| event["action"] == own["action"]).count() > 1 {
                // Without one of several attempts, it's still a recording that makes sense.
                continue;
            }
            let fewer: Vec<&Value> = events.iter().filter(|event| event["connection_id"] != connection).collect();
            copy.write("http-traffic.json", &serde_json::json!({"events": fewer}));
            assert!(copy.fails(), "{name} without request {connection}");
        }
    }
}

#[test]
fn a_plan_that_was_changed_anywhere_fails() {
    let text = fs::read_to_string(recorded().join("assume-role-plans.json")).unwrap();
    let plans: Value = serde_json::from_str(&text).unwrap();
    let folder = Copy::of(&recorded().join("environment_keys"), "plans");
    let file = folder.0.join("assume-role-changed.json");
    let fails = |plan: &Value| {
        fs::write(&file, serde_json::json!([plan]).to_string()).unwrap();
        credentials::run(&file, |_, _| ()).failed == 1
    };
    let mut changes = 0;
    for plan in plans.as_array().unwrap() {
        assert!(!fails(plan), "{plan}");
        let mut paths = Vec::new();
        values(&plan["output"]["ProfileChain"], "/output/ProfileChain".into(), &mut paths);
        for path in paths.iter().filter(|path| plan.pointer(path).is_some()) {
            let mut changed = plan.clone();
            change(changed.pointer_mut(path).unwrap());
            assert!(fails(&changed), "{path} of {plan}");
            changes += 1;
        }
        let mut other = plan.clone();
        other["output"] = match plan["output"]["Error"].is_string() {
            true => serde_json::json!({"ProfileChain": []}),
            false => serde_json::json!({"Error": "x"}),
        };
        assert!(fails(&other), "{plan}");
    }
    assert!(changes > 80, "{changes}");
    fs::write(&file, "[]").unwrap();
    assert_eq!(credentials::run(&file, |_, _| ()).failed, 1);
}
