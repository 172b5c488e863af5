//! WebSocket connections. The handshake is a request like others; after it, bytes are copied in both directions.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::{CONNECTION, CONTENT_LENGTH, SEC_WEBSOCKET_KEY, TRANSFER_ENCODING, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Version};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use crate::serve::idle::Busy;
use crate::serve::metrics::Connection;

/// The connection of a request, as far as a handshake needs it. The listener puts it into the extensions of each request.
#[derive(Clone)]
pub struct Tunnel {
    /// The connection counts as open until this is dropped.
    pub open: Arc<(OwnedSemaphorePermit, Connection)>,
    /// It isn't idle while the tunnel is open: that has a limit of its own.
    pub busy: Busy,
    pub idle: Duration,
}

/// A handshake that the client has begun.
pub struct Handshake {
    client: OnUpgrade,
    tunnel: Tunnel,
}

impl Handshake {
    /// Takes the handshake out of a request. `None` for all other requests, also for other upgrades.
    pub fn take(head: &mut Parts) -> Option<Self> {
        let client = head.extensions.remove::<OnUpgrade>();
        let tunnel = head.extensions.remove::<Tunnel>();
        let headers = &head.headers;
        let has_body = headers.contains_key(TRANSFER_ENCODING)
            || headers.get(CONTENT_LENGTH).is_some_and(|length| length.as_bytes() != b"0");
        let is_handshake = head.method == Method::GET
            && head.version == Version::HTTP_11
            && is_websocket(headers)
            && headers.contains_key(SEC_WEBSOCKET_KEY)
            && !has_body;
        Some(Self { client: client.filter(|_| is_handshake)?, tunnel: tunnel? })
    }

    /// Adds the headers that are not forwarded otherwise.
    pub fn add_to(headers: &mut HeaderMap) {
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    }

    /// Copies in both directions from now on, until one side ends or nothing comes from either.
    pub fn accepted(self, upstream: OnUpgrade) {
        let busy = self.tunnel.busy.count();
        tokio::spawn(async move {
            if let Ok((client, upstream)) = tokio::try_join!(self.client, upstream) {
                let last = Last::default();
                let mut client = Active { stream: TokioIo::new(client), last: last.clone() };
                let mut upstream = Active { stream: TokioIo::new(upstream), last: last.clone() };
                let copying = tokio::io::copy_bidirectional(&mut client, &mut upstream);
                last.until_idle(self.tunnel.idle, copying).await;
            }
            drop((busy, self.tunnel.open));
        });
    }
}

/// Returns `true` if the headers ask for a WebSocket connection, or accept one, and for nothing else.
pub fn is_websocket(headers: &HeaderMap) -> bool {
    let mut upgrades = headers.get_all(UPGRADE).iter();
    let is_only = upgrades.next().is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
        && upgrades.next().is_none();
    let names = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    is_only && names.flat_map(|value| value.split(',')).any(|name| name.trim().eq_ignore_ascii_case("upgrade"))
}

/// When a byte was last copied.
#[derive(Clone)]
struct Last(Arc<Mutex<Instant>>);

impl Default for Last {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }
}

impl Last {
    fn get(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    async fn until_idle<T>(&self, limit: Duration, copying: impl Future<Output = T>) {
        let mut copying = std::pin::pin!(copying);
        loop {
            let end = self.get() + limit;
            let is_over = tokio::time::timeout_at(end, &mut copying).await.is_ok();
            if is_over || self.get() + limit <= end {
                return;
            }
        }
    }
}

/// A stream that notes when something was read from it or written to it.
struct Active<S> {
    stream: S,
    last: Last,
}

impl<S: AsyncRead + Unpin> AsyncRead for Active<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if polled.is_ready() {
            self.last.now();
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Active<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, bytes);
        if polled.is_ready() {
            self.last.now();
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    #[test]
    fn only_websocket_is_an_upgrade() {
        for (list, expected) in [
            (&[("connection", "Upgrade"), ("upgrade", "websocket")][..], true),
            (&[("connection", "keep-alive, upgrade"), ("upgrade", "WebSocket")], true),
            (&[("connection", "Upgrade"), ("upgrade", "h2c")], false),
            (&[("connection", "Upgrade"), ("upgrade", "websocket, h2c")], false),
            (&[("connection", "Upgrade"), ("upgrade", "websocket"), ("upgrade", "h2c")], false),
            (&[("connection", "close"), ("upgrade", "websocket")], false),
            (&[("upgrade", "websocket")], false),
            (&[("connection", "upgrade")], false),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in list {
                headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
            }
            assert_eq!(is_websocket(&headers), expected, "{list:?}");
        }
    }
}
