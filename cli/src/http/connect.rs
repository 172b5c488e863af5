//! Connections: resolve, connect, TLS handshake.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::early::EarlyAnswer;
use super::tls::Tls;
use crate::failure::{Failure, Kind};
use crate::url::Url;

pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

pub struct Connection {
    pub stream: Box<dyn Stream>,
    pub is_http2: bool,
}

impl Connection {
    fn new(stream: impl Stream + 'static, is_http2: bool) -> Self {
        Self { stream: Box::new(EarlyAnswer::new(stream)), is_http2 }
    }
}

/// Connects within `limit`, including the TLS handshake.
pub async fn connect(url: &Url, tls: &Tls, limit: Duration, http1: bool) -> Result<Connection, Failure> {
    let deadline = Instant::now() + limit;
    let addresses = resolve(url, deadline).await?;
    let tcp = first_that_answers(url, &addresses, deadline).await?;
    // Small requests go out at once; it is not an error if the system refuses.
    let _ = tcp.set_nodelay(true);
    if !url.is_https() {
        return Ok(Connection::new(tcp, false));
    }
    match timeout_at(deadline, tls.handshake(url, tcp, http1)).await {
        Ok(result) => result.map(|(stream, is_http2)| Connection::new(stream, is_http2)),
        Err(_) => Err(timed_out(url)),
    }
}

fn timed_out(url: &Url) -> Failure {
    Failure::new(Kind::Timeout, format!("no connection to {} within --connect-timeout", url.host_header()))
}

async fn resolve(url: &Url, deadline: Instant) -> Result<Vec<SocketAddr>, Failure> {
    let failed = |reason: &dyn std::fmt::Display| {
        Failure::new(Kind::Resolve, format!("the host {} can't be resolved: {reason}", url.host()))
    };
    match timeout_at(deadline, tokio::net::lookup_host((url.host(), url.port()))).await {
        Err(_) => Err(Failure::new(Kind::Timeout, format!("{} was not resolved within --connect-timeout", url.host()))),
        Ok(Err(error)) => Err(failed(&error)),
        Ok(Ok(addresses)) => {
            let addresses: Vec<_> = addresses.collect();
            if addresses.is_empty() { Err(failed(&"it has no address")) } else { Ok(addresses) }
        }
    }
}

/// Tries one address after the other. Each gets an equal share of what is left of the time, so that one that never
/// answers doesn't use it up.
async fn first_that_answers(url: &Url, addresses: &[SocketAddr], deadline: Instant) -> Result<TcpStream, Failure> {
    let mut last: Option<io::Error> = None;
    for (position, address) in addresses.iter().enumerate() {
        let left = u32::try_from(addresses.len() - position).unwrap_or(u32::MAX);
        let share = Instant::now() + deadline.saturating_duration_since(Instant::now()) / left;
        match timeout_at(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = Some(error),
            Err(_) => {}
        }
    }
    match last {
        None => Err(timed_out(url)),
        Some(error) => Err(Failure::new(Kind::Connect, format!("no connection to {}: {error}", url.host_header()))),
    }
}
