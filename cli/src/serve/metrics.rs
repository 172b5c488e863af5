//! Numbers for Prometheus, in its text format.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use countersign::Timestamp;

use super::exchange::{Decision, Record};
use super::keys::Keys;
use super::own::OwnCredentials;

/// The upper bounds of the histogram, in milliseconds.
const BOUNDS: [u64; 12] = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 5000, 30_000];

#[derive(Debug, Default)]
pub struct Metrics {
    outcomes: [AtomicU64; Decision::ALL.len()],
    /// Few: the checks have fixed names.
    refusals: Mutex<BTreeMap<String, u64>>,
    statuses: [AtomicU64; 6],
    buckets: [AtomicU64; BOUNDS.len() + 1],
    microseconds: AtomicU64,
    connections: AtomicU64,
    accepted: AtomicU64,
    reloads: AtomicU64,
    failed_reloads: AtomicU64,
    last_reload_failed: AtomicU64,
    lost_lines: AtomicU64,
}

/// An open connection, until it is dropped.
pub struct Connection(std::sync::Arc<Metrics>);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Metrics {
    pub fn connection(self: &std::sync::Arc<Self>) -> Connection {
        self.accepted.fetch_add(1, Ordering::Relaxed);
        self.connections.fetch_add(1, Ordering::Relaxed);
        Connection(std::sync::Arc::clone(self))
    }

    pub fn finished(&self, record: &Record, took: Duration) {
        if let Some(position) = Decision::ALL.iter().position(|own| *own == record.decision) {
            add(self.outcomes.get(position));
        }
        add(self.statuses.get(usize::from(record.status / 100)));
        if let (Decision::Refused, Some(check)) = (record.decision, &record.check) {
            *self.refusals.lock().unwrap_or_else(PoisonError::into_inner).entry(check.clone()).or_default() += 1;
        }
        let milliseconds = u64::try_from(took.as_micros().div_ceil(1000)).unwrap_or(u64::MAX);
        let bucket = BOUNDS.iter().position(|bound| milliseconds <= *bound).unwrap_or(BOUNDS.len());
        add(self.buckets.get(bucket));
        self.microseconds.fetch_add(u64::try_from(took.as_micros()).unwrap_or(0), Ordering::Relaxed);
    }

    pub fn reloaded(&self, is_ok: bool) {
        let count = if is_ok { &self.reloads } else { &self.failed_reloads };
        count.fetch_add(1, Ordering::Relaxed);
        self.last_reload_failed.store(u64::from(!is_ok), Ordering::Relaxed);
    }

    pub fn lost_line(&self) {
        self.lost_lines.fetch_add(1, Ordering::Relaxed);
    }

    pub fn text(&self, keys: &Keys, own: &OwnCredentials, now: Timestamp) -> String {
        let mut text = Text::default();
        text.family("countersign_requests_total", "counter", "Requests by outcome.");
        for (decision, count) in Decision::ALL.iter().zip(&self.outcomes) {
            text.sample("countersign_requests_total", &format!("outcome=\"{}\"", decision.as_str()), load(count));
        }
        text.family("countersign_responses_total", "counter", "Responses by class of status.");
        for (class, count) in self.statuses.iter().enumerate().skip(2) {
            text.sample("countersign_responses_total", &format!("class=\"{class}xx\""), load(count));
        }
        let help = "Refused requests by the check of the verifier that failed, or another reason.";
        text.family("countersign_refusals_total", "counter", help);
        for (check, count) in self.refusals.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            text.sample("countersign_refusals_total", &format!("check=\"{check}\""), *count);
        }
        self.histogram(&mut text);
        for (name, kind, help, value) in [
            ("countersign_connections_open", "gauge", "Open connections.", &self.connections),
            ("countersign_connections_total", "counter", "Accepted connections.", &self.accepted),
            ("countersign_keys_reloads_total", "counter", "Times that the keys were read again.", &self.reloads),
            (
                "countersign_keys_reload_failures_total",
                "counter",
                "Times that the keys file had a mistake.",
                &self.failed_reloads,
            ),
            (
                "countersign_keys_last_reload_failed",
                "gauge",
                "1 if older keys are in use than those in the file.",
                &self.last_reload_failed,
            ),
            (
                "countersign_access_log_lost_lines_total",
                "counter",
                "Lines of the access log that could not be written.",
                &self.lost_lines,
            ),
        ] {
            text.family(name, kind, help);
            text.sample(name, "", load(value));
        }
        text.family("countersign_keys", "gauge", "Keys in use.");
        text.sample("countersign_keys", "", keys.len() as u64);
        expiry(&mut text, keys, now);
        own_credentials(&mut text, own, now);
        text.0
    }

    fn histogram(&self, text: &mut Text) {
        const NAME: &str = "countersign_request_duration_seconds";
        text.family(NAME, "histogram", "From the head of the request to the end of the response.");
        let mut count = 0;
        for (bound, bucket) in BOUNDS.iter().zip(&self.buckets) {
            count += load(bucket);
            text.sample(&format!("{NAME}_bucket"), &format!("le=\"{}\"", seconds(*bound * 1000)), count);
        }
        count += self.buckets.last().map_or(0, load);
        text.sample(&format!("{NAME}_bucket"), "le=\"+Inf\"", count);
        text.line(&format!("{NAME}_sum"), "", &seconds(load(&self.microseconds)));
        text.sample(&format!("{NAME}_count"), "", count);
    }
}

/// Those that the proxy signs with.
fn own_credentials(text: &mut Text, own: &OwnCredentials, now: Timestamp) {
    let Some(state) = own.state() else { return };
    text.family("countersign_credentials_valid", "gauge", "1 if there are credentials to sign with.");
    text.sample("countersign_credentials_valid", "", u64::from(state.is_valid(now)));
    for (name, help, count) in [
        ("countersign_credentials_loads_total", "Times that the credentials were loaded.", state.loads),
        ("countersign_credentials_load_failures_total", "Times that they could not be loaded.", state.failures),
    ] {
        text.family(name, "counter", help);
        text.sample(name, "", count);
    }
    if let Some(expires_at) = state.expires_at {
        const NAME: &str = "countersign_credentials_expire_in_seconds";
        text.family(NAME, "gauge", "Time until the credentials expire; negative afterwards.");
        text.line(NAME, "", &(expires_at.unix_seconds() - now.unix_seconds()).to_string());
    }
}

fn expiry(text: &mut Text, keys: &Keys, now: Timestamp) {
    const NAME: &str = "countersign_key_expires_in_seconds";
    text.family(NAME, "gauge", "Time until a key with an expiry expires; negative afterwards.");
    let mut expiring: Vec<_> =
        keys.iter().filter_map(|key| Some((key.credentials.access_key_id(), key.credentials.expires_at()?))).collect();
    expiring.sort_unstable();
    for (id, expires_at) in expiring {
        let left = expires_at.unix_seconds() - now.unix_seconds();
        text.line(NAME, &format!("access_key_id=\"{}\"", escaped(id)), &left.to_string());
    }
}

fn add(count: Option<&AtomicU64>) {
    if let Some(count) = count {
        count.fetch_add(1, Ordering::Relaxed);
    }
}

fn load(count: &AtomicU64) -> u64 {
    count.load(Ordering::Relaxed)
}

fn seconds(microseconds: u64) -> String {
    format!("{}.{:06}", microseconds / 1_000_000, microseconds % 1_000_000)
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a text can't fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &str, value: u64) {
        self.line(name, labels, &value.to_string());
    }

    fn line(&mut self, name: &str, labels: &str, value: &str) {
        let _ = match labels {
            "" => writeln!(self.0, "{name} {value}"),
            labels => writeln!(self.0, "{name}{{{labels}}} {value}"),
        };
    }
}
