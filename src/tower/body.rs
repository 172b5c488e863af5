//! The bodies of requests and responses that pass through the layers.

use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use alloc::boxed::Box;
use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};

use super::BoxError;
use crate::sigv4::timestamp::Timestamp;
use crate::streaming::{DecodedBody, EncodedBody};
use crate::verify::{BodyCheck, VerifyError};

/// The body of a request after [`VerifyLayer`](super::VerifyLayer).
pub struct VerifiedBody<B>(Inside<B>);

enum Inside<B> {
    /// The whole body, which was checked.
    Whole(Option<Bytes>),
    /// As it arrives: it isn't signed.
    Unsigned(Pin<Box<B>>),
    /// As it arrives, and compared with the signed hash at its end.
    Checked { body: Pin<Box<B>>, check: Option<Box<BodyCheck<'static>>>, failed: Option<VerifyError> },
    /// Decoded from chunks, which are verified one by one.
    Chunked(Box<DecodedBody<B>>),
}

impl<B: Body> VerifiedBody<B> {
    pub(super) fn whole(bytes: Bytes) -> Self {
        Self(Inside::Whole((!bytes.is_empty()).then_some(bytes)))
    }

    pub(super) fn unsigned(body: B) -> Self {
        Self(Inside::Unsigned(Box::pin(body)))
    }

    pub(super) fn checked(body: B, check: BodyCheck<'static>) -> Self {
        Self(Inside::Checked { body: Box::pin(body), check: Some(Box::new(check)), failed: None })
    }

    pub(super) fn chunked(body: DecodedBody<B>) -> Self {
        Self(Inside::Chunked(Box::new(body)))
    }
}

impl<B: Body<Error: Into<BoxError>>> Body for VerifiedBody<B> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.0 {
            Inside::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Inside::Unsigned(body) => body.as_mut().poll_frame(cx).map(|frame| frame.map(to_bytes)),
            Inside::Checked { body, check, failed } => poll_checked(body.as_mut(), check, failed, cx),
            Inside::Chunked(body) => Pin::new(&mut **body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Inside::Whole(bytes) => bytes.is_none(),
            Inside::Unsigned(body) => body.is_end_stream(),
            // The end is only known to be right when it was polled.
            Inside::Checked { check, failed, .. } => check.is_none() && failed.is_none(),
            Inside::Chunked(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inside::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Inside::Unsigned(body) => body.size_hint(),
            Inside::Checked { body, .. } => body.size_hint(),
            Inside::Chunked(body) => body.size_hint(),
        }
    }
}

/// Trailers are dropped: they are not signed.
fn poll_checked<B: Body<Error: Into<BoxError>>>(
    mut body: Pin<&mut B>,
    check: &mut Option<Box<BodyCheck<'static>>>,
    failed: &mut Option<VerifyError>,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
    loop {
        if let Some(error) = failed {
            return Poll::Ready(Some(Err(error.clone().into())));
        }
        let Some(running) = check else { return Poll::Ready(None) };
        match ready!(body.as_mut().poll_frame(cx)) {
            Some(Ok(frame)) => {
                let Ok(mut data) = frame.into_data() else { continue };
                let bytes = data.copy_to_bytes(data.remaining());
                running.update(&bytes);
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
            None => {
                if let Some(Err(error)) = check.take().map(|check| check.finish()) {
                    *failed = Some(error);
                }
            }
        }
    }
}

fn to_bytes<D: Buf, E: Into<BoxError>>(frame: Result<Frame<D>, E>) -> Result<Frame<Bytes>, BoxError> {
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
    let mut pieces = alloc::vec::Vec::new();
    let mut length = 0_usize;
    while let Some(frame) = core::future::poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        let frame = frame.map_err(|error| NotBuffered::Broken(error.into()))?;
        let Ok(mut data) = frame.into_data() else { continue };
        length = length.saturating_add(data.remaining());
        if length > most {
            return Err(NotBuffered::TooLarge);
        }
        pieces.push(data.copy_to_bytes(data.remaining()));
    }
    Ok(match pieces.len() {
        1 => pieces.pop().unwrap_or_default(),
        _ => pieces.concat().into(),
    })
}

/// The current time, unless a test gives another one.
pub(super) type Clock = fn() -> Timestamp;

macro_rules! debug_by_name {
    ($($name:ident),*) => {$(
        impl<B> fmt::Debug for $name<B> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    )*};
}
debug_by_name!(VerifiedBody, RefusalBody, SignedBody);
