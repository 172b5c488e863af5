//! Signatures in Redis or Valkey, for several gates.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use countersign::Timestamp;
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo, RedisError,
};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use super::{Digest, Seen};
use crate::args::TransportArgs;
use crate::failure::Failure;
use crate::http::tls::Tls;
use crate::output::Output;
use crate::serve::refusal::request_id;

/// Gates whose clocks differ by less than this agree on when a signature is forgotten.
const CLOCK_DIFFERENCE: i64 = 60;
/// After a failed attempt, requests are answered at once for this long.
const PAUSE: Duration = Duration::from_millis(500);
/// A password that should not be on the command line, where all users of the machine see it.
const PASSWORD: &str = "COUNTERSIGN_REPLAY_PASSWORD";

/// A server that is asked with one `SET … NX EX` for each request.
pub struct Redis {
    host: String,
    port: u16,
    tls: Option<Arc<ClientConfig>>,
    login: RedisConnectionInfo,
    prefix: String,
    timeout: Duration,
    slot: Mutex<Slot>,
    is_down: AtomicBool,
}

/// The connection that all requests share.
#[derive(Default)]
struct Slot {
    open: Option<MultiplexedConnection>,
    /// Counts connections, so that a request only closes the one that it used.
    number: u64,
    failed_at: Option<Instant>,
}

impl Redis {
    /// `url` may contain a user name and a password, so it is never part of a message.
    pub fn new(url: &str, prefix: &str, timeout: Duration, transport: &TransportArgs) -> Result<Self, Failure> {
        const FORM: &str =
            "--replay must be `memory` or a URL such as redis://127.0.0.1:6379/0 or rediss://HOST:6379/0 (with TLS)";
        let wrong = || Failure::usage(FORM);
        let (scheme, rest) = url.split_once("://").ok_or_else(wrong)?;
        let is_tls = match scheme {
            "redis" | "valkey" => false,
            "rediss" | "valkeys" => true,
            _ => return Err(wrong()),
        };
        // TLS is that of the other connections, so the library needn't know of it.
        let info: ConnectionInfo = format!("redis://{rest}").into_connection_info().map_err(|_| wrong())?;
        let ConnectionAddr::Tcp(host, port) = info.addr().clone() else { return Err(wrong()) };
        let login = info.redis_settings().clone();
        let login = match std::env::var(PASSWORD) {
            Ok(password) if login.password().is_none() && !password.is_empty() => login.set_password(password),
            _ => login,
        };
        let tls = if is_tls { Some(Arc::new(config(transport)?)) } else { None };
        let (prefix, slot) = (prefix.to_owned(), Mutex::default());
        Ok(Self { host, port, tls, login, prefix, timeout, slot, is_down: AtomicBool::new(false) })
    }

    /// Remembers a signature that is valid until `end`. It takes no longer than the timeout.
    pub async fn remember(&self, digest: Digest, end: Timestamp, now: Timestamp) -> Seen {
        let asked = Asked { key: self.key(digest), value: request_id(), seconds: seconds(end, now) };
        let mut used = None;
        let result = match tokio::time::timeout(self.timeout, self.ask(&asked, &mut used)).await {
            Ok(result) => result,
            // An answer that comes later would be that of another request for all that is known.
            Err(_) => Err(self.failed(used).await),
        };
        self.report(result.as_ref().err());
        match result {
            Ok(true) => Seen::First,
            Ok(false) => Seen::Again,
            Err(reason) => Seen::Unknown(reason),
        }
    }

    async fn ask(&self, asked: &Asked, used: &mut Option<u64>) -> Result<bool, String> {
        let (mut connection, number) = self.connection().await?;
        *used = Some(number);
        let error = match asked.set(&mut connection).await {
            Ok(is_first) => return Ok(is_first),
            Err(error) => error,
        };
        if !is_broken(&error) {
            return Err(described(&error));
        }
        // The server was restarted, or closed an idle connection. The command may have arrived all the same.
        self.close(number).await;
        let (mut connection, number) = self.connection().await?;
        *used = Some(number);
        match asked.set_again(&mut connection).await {
            Ok(is_first) => Ok(is_first),
            Err(error) => {
                if is_broken(&error) {
                    self.close(number).await;
                }
                Err(described(&error))
            }
        }
    }

    /// Returns the open connection, or opens one. Requests wait for the one that opens it.
    async fn connection(&self) -> Result<(MultiplexedConnection, u64), String> {
        let mut slot = self.slot.lock().await;
        if let Some(open) = &slot.open {
            return Ok((open.clone(), slot.number));
        }
        if slot.failed_at.is_some_and(|at| at.elapsed() < PAUSE) {
            return Err("it could not be reached a moment ago".into());
        }
        // Less than the time of the request, so that the failure is seen, and those that wait don't try one after the other.
        let opened = tokio::time::timeout(self.timeout.mul_f32(0.75), self.connect()).await;
        let open = opened.unwrap_or_else(|_| Err("no connection in time".into()));
        slot.failed_at = open.is_err().then(Instant::now);
        let open = open?;
        slot.number += 1;
        slot.open = Some(open.clone());
        Ok((open, slot.number))
    }

    async fn connect(&self) -> Result<MultiplexedConnection, String> {
        let tcp = TcpStream::connect((self.host.as_str(), self.port)).await.map_err(|error| error.to_string())?;
        // Commands go out at once; it is not an error if the system refuses.
        let _ = tcp.set_nodelay(true);
        let Some(config) = &self.tls else { return self.log_in(tcp).await };
        let name = ServerName::try_from(self.host.clone()).map_err(|error| error.to_string())?;
        let stream = TlsConnector::from(Arc::clone(config)).connect(name, tcp).await;
        self.log_in(stream.map_err(|error| error.to_string())?).await
    }

    async fn log_in<S>(&self, stream: S) -> Result<MultiplexedConnection, String>
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    {
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(self.timeout));
        let opened = MultiplexedConnection::new_with_config(&self.login, stream, config).await;
        let (connection, driver) = opened.map_err(|error| described(&error))?;
        // Ends with the last copy of the connection.
        tokio::spawn(driver);
        Ok(connection)
    }

    async fn close(&self, number: u64) {
        let mut slot = self.slot.lock().await;
        if slot.number == number {
            slot.open = None;
        }
    }

    async fn failed(&self, used: Option<u64>) -> String {
        if let Some(number) = used {
            self.close(number).await;
        }
        "it did not answer in time".into()
    }

    /// Says when it goes down and when it is back, not for each request.
    fn report(&self, problem: Option<&String>) {
        let is_down = problem.is_some();
        if self.is_down.swap(is_down, Ordering::Relaxed) != is_down {
            let server = format!("the server of --replay ({}:{})", self.host, self.port);
            match problem {
                Some(problem) => Output::new().warning(&format!("{server} can't be asked: {problem}")),
                None => Output::new().note(&format!("{server} answers again")),
            }
        }
    }

    fn key(&self, digest: Digest) -> String {
        let mut key = self.prefix.clone();
        // Writing to a text can't fail.
        for byte in digest {
            let _ = write!(key, "{byte:02x}");
        }
        key
    }
}

/// A key that is to be set once. The value is different for each request.
struct Asked {
    key: String,
    value: String,
    seconds: i64,
}

impl Asked {
    /// Returns `false` if the key exists.
    async fn set(&self, connection: &mut MultiplexedConnection) -> Result<bool, RedisError> {
        let mut command = redis::cmd("SET");
        command.arg(&self.key).arg(&self.value).arg("NX").arg("EX").arg(self.seconds);
        Ok(command.query_async::<Option<String>>(connection).await?.is_some())
    }

    /// After an attempt that may have set it.
    async fn set_again(&self, connection: &mut MultiplexedConnection) -> Result<bool, RedisError> {
        if self.set(connection).await? {
            return Ok(true);
        }
        let value: Option<String> = redis::cmd("GET").arg(&self.key).query_async(connection).await?;
        Ok(value.as_ref() == Some(&self.value))
    }
}

/// The time is relative, since the clock of the server may differ.
fn seconds(end: Timestamp, now: Timestamp) -> i64 {
    (end.unix_seconds() - now.unix_seconds()).max(0) + CLOCK_DIFFERENCE
}

fn is_broken(error: &RedisError) -> bool {
    error.is_io_error() || error.is_connection_dropped() || error.is_unrecoverable_error()
}

/// The code and category only: what the server says may repeat what it was sent.
fn described(error: &RedisError) -> String {
    match error.code() {
        Some(code) => format!("{} ({code})", error.category()),
        None => error.category().to_owned(),
    }
}

fn config(transport: &TransportArgs) -> Result<ClientConfig, Failure> {
    let mut config = Tls::new(transport)?.config(true)?;
    config.alpn_protocols.clear();
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        let new = |url: &str| Redis::new(url, "p:", Duration::from_secs(1), &TransportArgs::default());
        let redis = new("redis://user:PASSWORD@[::1]:7000/3").ok().unwrap();
        assert_eq!((redis.host.as_str(), redis.port, redis.login.db(), redis.tls.is_some()), ("::1", 7000, 3, false));
        assert_eq!(redis.login.password(), Some("PASSWORD"));
        assert_eq!(redis.key([0xab; 16]), format!("p:{}", "ab".repeat(16)));
        let redis = new("valkey://cache.example").ok().unwrap();
        assert_eq!((redis.host.as_str(), redis.port, redis.login.db()), ("cache.example", 6379, 0));
        for url in ["", "redis", "Memory", "http://u:PASSWORD@x", "redis://u:PASSWORD@:x/", "redis://u:PASSWORD@x/db"] {
            let error = new(url).err().unwrap().to_string();
            assert!(error.contains("--replay must be") && !error.contains("PASSWORD"), "{url}: {error}");
        }
    }

    #[test]
    fn keys_outlive_the_window() {
        let at = |seconds| Timestamp::from_unix_seconds(seconds).unwrap();
        assert_eq!((seconds(at(1000), at(400)), seconds(at(400), at(1000))), (660, 60));
    }
}
