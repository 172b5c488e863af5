//! The access log: a JSON object for each request.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use countersign::Timestamp;

use super::exchange::Record;
use super::metrics::Metrics;
use crate::failure::{Failure, Kind};

/// Lines that wait to be written. A log that can't be written holds up no request; what doesn't fit is counted.
const WAITING: usize = 4096;

#[derive(Clone)]
pub struct AccessLog {
    lines: Option<SyncSender<Message>>,
    metrics: Arc<Metrics>,
}

enum Message {
    Line(String),
    Reopen,
    /// Answered when all lines before it are written.
    Flush(SyncSender<()>),
}

impl AccessLog {
    /// `target` is a file, `-` for standard error, or `none`.
    pub fn start(target: &str, metrics: Arc<Metrics>) -> Result<Self, Failure> {
        if target == "none" {
            return Ok(Self { lines: None, metrics });
        }
        let file = (target != "-").then(|| PathBuf::from(target));
        let out =
            file.as_deref().map(open).transpose().map_err(|error| {
                Failure::new(Kind::Write, format!("the access log {target} can't be opened: {error}"))
            })?;
        let (sender, receiver) = sync_channel(WAITING);
        let counted = Arc::clone(&metrics);
        std::thread::spawn(move || write(&receiver, out, file.as_deref(), &counted));
        Ok(Self { lines: Some(sender), metrics })
    }

    pub fn write(&self, record: &Record, took: Duration) {
        if self.lines.is_some() {
            self.send(Message::Line(line(record, took)));
        }
    }

    /// After the file was renamed.
    pub fn reopen(&self) {
        self.send(Message::Reopen);
    }

    /// Waits until everything is written, but not forever.
    pub fn flush(&self) {
        let (sender, receiver) = sync_channel(1);
        self.send(Message::Flush(sender));
        let _ = receiver.recv_timeout(Duration::from_secs(2));
    }

    fn send(&self, message: Message) {
        if let Some(lines) = &self.lines
            && let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) = lines.try_send(message)
        {
            self.metrics.lost_line();
        }
    }
}

fn line(record: &Record, took: Duration) -> String {
    let milliseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX) as f64 / 1000.0;
    let mut line = Line(String::with_capacity(320));
    line.text("time", Some(&Timestamp::now().to_string()));
    line.text("request_id", Some(&record.request_id));
    line.text("peer", Some(&record.peer.to_string()));
    line.text("caller", record.caller.as_deref());
    line.text("method", Some(&record.method));
    line.text("path", Some(&record.path));
    line.text("route", record.route.as_deref());
    line.text("decision", Some(record.decision.as_str()));
    line.number("status", record.status.into());
    line.number("duration_ms", milliseconds);
    for (name, value) in [("check", &record.check), ("reason", &record.reason)] {
        if value.is_some() {
            line.text(name, value.as_deref());
        }
    }
    if let Some(scope) = &record.scope {
        line.text("service", Some(&scope.service));
        line.text("region", Some(&scope.region));
        line.text("upstream", Some(&scope.upstream));
    }
    line.0 + "}"
}

/// A JSON object that is being written. A line for each request is too often for a [`serde_json::Value`].
struct Line(String);

impl Line {
    fn text(&mut self, name: &str, value: Option<&str>) {
        // A text always has a JSON form.
        self.field(name, &serde_json::to_string(&value).unwrap_or_default());
    }

    fn number(&mut self, name: &str, value: f64) {
        self.field(name, &value.to_string());
    }

    fn field(&mut self, name: &str, value: &str) {
        let separator = if self.0.is_empty() { "{\"" } else { ",\"" };
        for part in [separator, name, "\":", value] {
            self.0.push_str(part);
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

fn write(messages: &Receiver<Message>, mut out: Option<File>, path: Option<&Path>, metrics: &Metrics) {
    for message in messages {
        match message {
            Message::Line(line) => {
                let line = line + "\n";
                let written = match &mut out {
                    Some(file) => file.write_all(line.as_bytes()),
                    None => io::stderr().write_all(line.as_bytes()),
                };
                if written.is_err() {
                    metrics.lost_line();
                }
            }
            Message::Reopen => {
                if let Some(Ok(file)) = path.map(open) {
                    out = Some(file);
                }
            }
            Message::Flush(done) => drop(done.send(())),
        }
    }
}
