//! What is recorded of a request while it is handled, for the access log and the metrics.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use http::request::Parts;

/// What was decided about a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Decision {
    /// The signature is valid.
    Verified,
    /// The route needs no signature.
    Anonymous,
    /// Signed by the proxy.
    Signed,
    /// Not let through.
    Refused,
    /// Let through, but the upstream didn't answer.
    UpstreamFailed,
    /// Not decided: the client went away, or the time was up.
    #[default]
    Aborted,
}

impl Decision {
    pub const ALL: [Self; 6] =
        [Self::Verified, Self::Anonymous, Self::Signed, Self::Refused, Self::UpstreamFailed, Self::Aborted];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Anonymous => "anonymous",
            Self::Signed => "signed",
            Self::Refused => "refused",
            Self::UpstreamFailed => "upstream_failed",
            Self::Aborted => "aborted",
        }
    }
}

/// One request and its answer. All copies are the same record.
#[derive(Clone, Debug)]
pub struct Exchange(Arc<Mutex<Record>>);

#[derive(Clone, Debug)]
pub struct Record {
    pub begun: Instant,
    pub peer: SocketAddr,
    pub method: String,
    /// Without the query, which can contain a signature.
    pub path: String,
    pub decision: Decision,
    pub status: u16,
    pub request_id: String,
    /// Only once the signature is verified.
    pub caller: Option<String>,
    pub route: Option<String>,
    /// What the proxy signs for.
    pub scope: Option<Scope>,
    /// The check of the verifier that failed, or what else was refused.
    pub check: Option<String>,
    pub reason: Option<String>,
    /// The time or the memory for the request was used up.
    pub exhausted: Option<Exhausted>,
}

/// What a request is signed for, and where it is sent.
#[derive(Clone, Debug)]
pub struct Scope {
    pub service: String,
    pub region: String,
    pub upstream: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exhausted {
    ClientTime,
    Memory,
}

impl Exchange {
    pub fn new(head: &Parts, peer: SocketAddr) -> Self {
        Self(Arc::new(Mutex::new(Record {
            begun: Instant::now(),
            peer,
            method: head.method.to_string(),
            path: head.uri.path().to_owned(),
            decision: Decision::default(),
            status: 0,
            request_id: String::new(),
            caller: None,
            route: None,
            scope: None,
            check: None,
            reason: None,
            exhausted: None,
        })))
    }

    /// That of a request which the server has accepted.
    pub fn of(extensions: &http::Extensions) -> Option<Self> {
        extensions.get::<Self>().cloned()
    }

    pub fn update(&self, change: impl FnOnce(&mut Record)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub fn record(&self) -> Record {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn peer(&self) -> SocketAddr {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).peer
    }

    pub fn exhausted(&self) -> Option<Exhausted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).exhausted
    }

    /// Records why the request is not let through.
    pub fn refused(&self, check: impl Into<String>, reason: impl Into<String>) {
        self.update(|record| {
            record.decision = Decision::Refused;
            record.check = Some(check.into());
            record.reason = Some(reason.into());
        });
    }
}
