//! The bodies of requests and responses that pass through the layers.

use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll};

use alloc::boxed::Box;
use alloc::vec::Vec;
use bytes::{Buf, BufMut, Bytes};
use http::header::EXPECT;
use http::{Version, request};
use http_body::{Body, Frame, SizeHint};

use super::BoxError;
use crate::sigv4::timestamp::Timestamp;
use crate::streaming::EncodedBody;

pub(super) fn to_bytes<D: Buf, E: Into<BoxError>>(frame: Result<Frame<D>, E>) -> Result<Frame<Bytes>, BoxError> {
    frame.map(|frame| frame.map_data(|mut data| data.copy_to_bytes(data.remaining()))).map_err(Into::into)
}

/// The body of a response after [`VerifyLayer`](super::VerifyLayer): that of the service, or a refusal.
pub struct RefusalBody<B>(Refusing<B>);

enum Refusing<B> {
    Service(Pin<Box<B>>),
    Refusal(Option<Bytes>),
}

impl<B: Body> RefusalBody<B> {
    pub(super) fn service(body: B) -> Self {
        Self(Refusing::Service(Box::pin(body)))
    }

    pub(super) fn refusal(text: alloc::string::String) -> Self {
        Self(Refusing::Refusal((!text.is_empty()).then(|| text.into())))
    }
}

impl<B: Body<Error: Into<BoxError>>> Body for RefusalBody<B> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.0 {
            Refusing::Service(body) => body.as_mut().poll_frame(cx).map(|frame| frame.map(to_bytes)),
            Refusing::Refusal(text) => Poll::Ready(text.take().map(|text| Ok(Frame::data(text)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Refusing::Service(body) => body.is_end_stream(),
            Refusing::Refusal(text) => text.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Refusing::Service(body) => body.size_hint(),
            Refusing::Refusal(text) => SizeHint::with_exact(text.as_ref().map_or(0, |text| text.len() as u64)),
        }
    }
}

/// The body of a request after [`SignLayer`](super::SignLayer).
pub struct SignedBody<B>(Signed<B>);

enum Signed<B> {
    Whole(Option<Bytes>),
    Unsigned(Pin<Box<B>>),
    Chunked(Box<EncodedBody<B>>),
}

impl<B: Body> SignedBody<B> {
    pub(super) fn whole(bytes: Bytes) -> Self {
        Self(Signed::Whole((!bytes.is_empty()).then_some(bytes)))
    }

    pub(super) fn unsigned(body: B) -> Self {
        Self(Signed::Unsigned(Box::pin(body)))
    }

    pub(super) fn chunked(body: EncodedBody<B>) -> Self {
        Self(Signed::Chunked(Box::new(body)))
    }
}

impl<B: Body<Error: Into<BoxError>>> Body for SignedBody<B> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.0 {
            Signed::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Signed::Unsigned(body) => body.as_mut().poll_frame(cx).map(|frame| frame.map(to_bytes)),
            Signed::Chunked(body) => Pin::new(&mut **body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Signed::Whole(bytes) => bytes.is_none(),
            Signed::Unsigned(body) => body.is_end_stream(),
            Signed::Chunked(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Signed::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Signed::Unsigned(body) => body.size_hint(),
            Signed::Chunked(body) => body.size_hint(),
        }
    }
}

/// Why a body could not be buffered.
pub(super) enum NotBuffered {
    TooLarge,
    Broken(BoxError),
}

/// Reads a whole body of at most `most` bytes. Trailers are dropped: they are not signed.
pub(super) async fn buffered<B: Body<Error: Into<BoxError>>>(body: B, most: usize) -> Result<Bytes, NotBuffered> {
    let mut body = Box::pin(body);
    if body.size_hint().lower() > most as u64 {
        return Err(NotBuffered::TooLarge);
    }
    // A frame may be a single byte or empty, so frames are joined at once: a list of them could be larger than the data.
    let (mut first, mut joined) = (Bytes::new(), Vec::new());
    while let Some(frame) = core::future::poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        let frame = frame.map_err(|error| NotBuffered::Broken(error.into()))?;
        let Ok(mut data) = frame.into_data() else { continue };
        let length = first.len().max(joined.len());
        if data.remaining() > most.saturating_sub(length) {
            return Err(NotBuffered::TooLarge);
        }
        if length == 0 {
            first = data.copy_to_bytes(data.remaining());
        } else {
            if joined.is_empty() {
                joined.extend_from_slice(&first);
            }
            joined.put(data);
        }
    }
    Ok(if joined.is_empty() { first } else { joined.into() })
}

/// Reads what is left of a refused body. If the connection ended while the client still writes, most clients would report
/// that, and not the refusal.
pub(super) async fn discard<B: Body>(parts: &request::Parts, body: B, most: usize) {
    // Over HTTP/2, only this stream ends; and a client that waits for `100 Continue` sends nothing after a refusal.
    let is_in_vain = parts.version == Version::HTTP_2 || parts.headers.contains_key(EXPECT);
    if most == 0 || is_in_vain || body.size_hint().lower() > most as u64 {
        return;
    }
    let (mut body, mut left) = (Box::pin(body), most);
    while let Some(Ok(frame)) = core::future::poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        // Empty frames count, too: there may be any number of them.
        let length = frame.data_ref().map_or(0, Buf::remaining).max(1);
        let Some(rest) = left.checked_sub(length) else { return };
        left = rest;
    }
}

/// The current time, unless a test gives another one.
pub(super) type Clock = fn() -> Timestamp;

#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
pub(super) const CLOCK: Clock = Timestamp::now;
/// There is no clock. With the start of 1970, every request is refused until the program sets its own.
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
pub(super) const CLOCK: Clock = || Timestamp::in_range(0);

macro_rules! debug_by_name {
    ($($name:ident),*) => {$(
        impl<B> fmt::Debug for $name<B> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    )*};
}
debug_by_name!(RefusalBody, SignedBody);
