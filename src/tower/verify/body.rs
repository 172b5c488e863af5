//! The body that the service reads.

use alloc::boxed::Box;
use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};

use crate::streaming::DecodedBody;
use crate::tower::BoxError;
use crate::tower::body::to_bytes;
use crate::verify::{BodyCheck, VerifyError};

/// The body of a request after [`VerifyLayer`](super::VerifyLayer).
///
/// If a body that is checked while it is read isn't the signed one, its error is a [`VerifyError`] or a
/// [`ChunkError`](crate::streaming::ChunkError), accessible with [`downcast_ref`](core::error::Error), perhaps by way of
/// the [`source`](core::error::Error::source) of an error that wraps it. Both can be answered in AWS's wording
/// ([`VerifyError::refusal`]). Such a body never ends without an error, and its last part arrives only once all of it is
/// verified: a service that stops reading after `content-length` bytes has read a verified body, too.
pub struct VerifiedBody<B>(Inside<B>);

enum Inside<B> {
    /// The whole body, which was checked.
    Whole(Option<Bytes>),
    /// As it arrives: it isn't signed.
    Unsigned(Pin<Box<B>>),
    /// As it arrives, and checked on the way.
    Streamed(Box<Streamed<B>>),
}

impl<B: Body> VerifiedBody<B> {
    pub(super) fn whole(bytes: Bytes) -> Self {
        Self(Inside::Whole((!bytes.is_empty()).then_some(bytes)))
    }

    pub(super) fn unsigned(body: B) -> Self {
        Self(Inside::Unsigned(Box::pin(body)))
    }

    pub(super) fn checked(body: B, check: BodyCheck<'static>) -> Self {
        let source = Source::Checked(Box::pin(body), Check::Running(Box::new(check)));
        Self(Inside::Streamed(Box::new(Streamed { source, held: None })))
    }

    pub(super) fn chunked(body: DecodedBody<B>) -> Self {
        Self(Inside::Streamed(Box::new(Streamed { source: Source::Chunked(body), held: None })))
    }
}

impl<B: Body<Error: Into<BoxError>>> Body for VerifiedBody<B> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.0 {
            Inside::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Inside::Unsigned(body) => body.as_mut().poll_frame(cx).map(|frame| frame.map(to_bytes)),
            Inside::Streamed(body) => body.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Inside::Whole(bytes) => bytes.is_none(),
            Inside::Unsigned(body) => body.is_end_stream(),
            Inside::Streamed(body) => body.held.is_none() && body.source.is_end(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inside::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Inside::Unsigned(body) => body.size_hint(),
            Inside::Streamed(body) => body.size_hint(),
        }
    }
}

/// Holds back the last frame until the end is verified. Otherwise a reader that stops after `content-length` bytes, as
/// HTTP clients do when they forward a body, would never see the error.
struct Streamed<B> {
    source: Source<B>,
    held: Option<Frame<Bytes>>,
}

impl<B: Body<Error: Into<BoxError>>> Streamed<B> {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        loop {
            match ready!(self.source.poll_frame(cx)) {
                Some(Ok(frame)) => {
                    if frame.data_ref().is_some_and(Bytes::is_empty) {
                        continue;
                    }
                    if let Some(before) = self.held.replace(frame) {
                        return Poll::Ready(Some(Ok(before)));
                    }
                }
                Some(Err(error)) => {
                    self.held = None;
                    return Poll::Ready(Some(Err(error)));
                }
                None => return Poll::Ready(self.held.take().map(Ok)),
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        // That of the chunks counts their frames, too.
        let Source::Checked(body, _) = &self.source else { return SizeHint::new() };
        let held = self.held.as_ref().and_then(Frame::data_ref).map_or(0, |held| held.len() as u64);
        let (rest, mut hint) = (body.size_hint(), SizeHint::new());
        hint.set_lower(rest.lower().saturating_add(held));
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(held));
        }
        hint
    }
}

#[allow(clippy::large_enum_variant, reason = "it is always inside a box")]
enum Source<B> {
    /// Compared with the signed hash at its end.
    Checked(Pin<Box<B>>, Check),
    /// Decoded from chunks, which are verified one by one.
    Chunked(DecodedBody<B>),
}

/// All but the first are final, so that a body never ends cleanly after an error.
enum Check {
    Running(Box<BodyCheck<'static>>),
    Matched,
    Failed(VerifyError),
    /// The body could not be read.
    Broken,
}

impl<B: Body<Error: Into<BoxError>>> Source<B> {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self {
            Self::Checked(body, check) => poll_checked(body.as_mut(), check, cx),
            Self::Chunked(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end(&self) -> bool {
        match self {
            Self::Checked(_, check) => matches!(check, Check::Matched),
            Self::Chunked(body) => body.is_end_stream(),
        }
    }
}

/// Trailers are dropped: they are not signed.
fn poll_checked<B: Body<Error: Into<BoxError>>>(
    mut body: Pin<&mut B>,
    check: &mut Check,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
    loop {
        let running = match check {
            Check::Running(running) => running,
            Check::Matched => return Poll::Ready(None),
            Check::Failed(error) => return Poll::Ready(Some(Err(error.clone().into()))),
            Check::Broken => return Poll::Ready(Some(Err("the body can't be read after an error".into()))),
        };
        match ready!(body.as_mut().poll_frame(cx)) {
            Some(Ok(frame)) => {
                let Ok(mut data) = frame.into_data() else { continue };
                let bytes = data.copy_to_bytes(data.remaining());
                running.update(&bytes);
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            Some(Err(error)) => {
                *check = Check::Broken;
                return Poll::Ready(Some(Err(error.into())));
            }
            None => *check = running.clone().finish().err().map_or(Check::Matched, Check::Failed),
        }
    }
}

impl<B> fmt::Debug for VerifiedBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerifiedBody")
    }
}
