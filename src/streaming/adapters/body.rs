//! `http_body::Body` adapters for the encoder and the decoder, for hyper, reqwest, axum and tower.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::error::Error;
use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body::{Body, Frame, SizeHint};

use super::driver::{Codec, Encoding, Failure, State};
use crate::sigv4::request::RequestError;
use crate::streaming::decode::ChunkDecoder;
use crate::streaming::encode::ChunkEncoder;
use crate::streaming::error::{ChunkError, EncodeError};
use crate::streaming::sign::SignedChunked;

type BoxError = Box<dyn Error + Send + Sync>;

impl SignedChunked {
    /// Inserts the headers of [`SignedChunked::headers`] into those of the request, including `content-length`, and removes
    /// an `x-amz-trailer` of an earlier signature.
    ///
    /// # Errors
    /// [`RequestError::HeaderValue`] if a value is not a valid HTTP header value; the map is left unchanged.
    pub fn apply_to(&self, headers: &mut HeaderMap) -> Result<(), RequestError> {
        let mut own = Vec::new();
        for (name, value) in self.own_headers() {
            let made = HeaderValue::from_str(value).map_err(|_| RequestError::not_ascii(name, value.as_bytes()))?;
            own.push((HeaderName::from_static(name), made));
        }
        self.signed().apply_to(headers)?;
        headers.remove("x-amz-trailer");
        for (name, value) in own {
            headers.insert(name, value);
        }
        Ok(())
    }
}

/// Encodes another body in chunks. Its size hint is exact.
///
/// After an error, every further poll returns an error: the body never ends as if it were complete.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use countersign::streaming::{Checksum, Chunked, EncodedBody};
/// use http_body::Body;
/// # use countersign::{Credentials, Signer, Timestamp};
/// # let signer = Signer::new(Credentials::new("AKIDEXAMPLE", "secret")?, "us-east-1", "s3")?;
/// let data = String::from("hello");
/// let upload = Chunked::unsigned(data.len() as u64).with_checksum(Checksum::Sha256);
/// let mut request = http::Request::put("https://bucket.s3.amazonaws.com/key").body(())?;
/// let signed = signer.sign_chunked(&request, &upload, Timestamp::now())?;
/// signed.apply_to(request.headers_mut())?;
/// let request = request.map(|()| EncodedBody::new(&signed, data));
/// assert_eq!(request.body().size_hint().exact(), Some(signed.content_length()));
/// # Ok(())
/// # }
/// ```
pub struct EncodedBody<B> {
    chunks: Polled<Encoding, B>,
    left: u64,
}

impl Frames for Encoding {
    /// Encodes the data to one frame.
    fn push_data(&mut self, mut data: impl Buf, out: &mut VecDeque<Bytes>) -> Result<(), EncodeError> {
        let mut encoded = Vec::new();
        while data.has_remaining() {
            let piece = data.chunk();
            let length = piece.len();
            Codec::push(self, piece, &mut encoded)?;
            data.advance(length);
        }
        if !encoded.is_empty() {
            out.push_back(encoded.into());
        }
        Ok(())
    }
}

impl<B: Body> EncodedBody<B> {
    /// Encodes `inner` for the request that was signed.
    pub fn new(signed: &SignedChunked, inner: B) -> Self {
        Self { chunks: Polled::new(Encoding::new(signed.encoder()), inner), left: signed.content_length() }
    }

    /// Registers a callback that sets trailer values with [`ChunkEncoder::set_trailer`] after all data is encoded.
    pub fn before_trailer(
        mut self,
        callback: impl FnOnce(&mut ChunkEncoder) -> Result<(), EncodeError> + Send + Sync + 'static,
    ) -> Self {
        self.chunks.state.set_before_trailer(Box::new(callback));
        self
    }
}

impl<B: Body> Body for EncodedBody<B>
where
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        let chunks = ready!(this.chunks.poll_data(cx));
        if let Some(Ok(bytes)) = &chunks {
            this.left = this.left.saturating_sub(bytes.len() as u64);
        }
        Poll::Ready(chunks.map(|bytes| bytes.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.chunks.state, State::Done(()))
    }

    fn size_hint(&self) -> SizeHint {
        // The rest of a broken body never arrives.
        if self.chunks.is_broken() { SizeHint::new() } else { SizeHint::with_exact(self.left) }
    }
}

/// Decodes another body that is sent in chunks. Yields the data of each chunk after its signature is verified, then the
/// trailers. Data that arrives as [`Bytes`] is not copied.
///
/// The body ends only after all of it is verified. If it is refused, the error is a [`ChunkError`], accessible with
/// [`downcast_ref`](core::error::Error). After an error, every further poll returns an error: the body never ends as if
/// it were complete.
///
/// ```
/// use countersign::VerifiedHead;
/// use countersign::streaming::{ChunkError, DecodedBody};
/// use http_body::Body;
///
/// fn data<B: Body>(head: &VerifiedHead<'_>, body: B) -> Result<DecodedBody<B>, ChunkError> {
///     Ok(DecodedBody::new(head.chunk_decoder()?, body))
/// }
/// ```
pub struct DecodedBody<B>(Polled<Decoding, B>);

impl<B: Body> DecodedBody<B> {
    /// Decodes `inner`.
    pub fn new(decoder: ChunkDecoder, inner: B) -> Self {
        Self(Polled::new(Decoding(decoder), inner))
    }
}

impl<B: Body> Body for DecodedBody<B>
where
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Some(data) = ready!(self.0.poll_data(cx)) {
            return Poll::Ready(Some(data.map(Frame::data)));
        }
        let State::Done(trailers) = &mut self.0.state else { return Poll::Ready(None) };
        Poll::Ready(trailers.take().map(|trailers| Ok(Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.0.state, State::Done(None))
    }
}

/// A decoder whose trailers become an [`http::HeaderMap`].
#[derive(Debug)]
struct Decoding(ChunkDecoder);

impl Codec for Decoding {
    /// The trailers, unless there are none or they have already been returned.
    type End = Option<HeaderMap>;
    type Error = ChunkError;

    fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), ChunkError> {
        Codec::push(&mut self.0, input, out)
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<Option<HeaderMap>, ChunkError> {
        let trailers = header_map(Codec::finish(&mut self.0, out)?)?;
        Ok((!trailers.is_empty()).then_some(trailers))
    }
}

impl Frames for Decoding {
    /// Data that arrives as `Bytes` is not copied.
    fn push_data(&mut self, mut data: impl Buf, out: &mut VecDeque<Bytes>) -> Result<(), ChunkError> {
        while data.has_remaining() {
            let piece = data.copy_to_bytes(data.chunk().len());
            self.0.push_bytes(&piece, |released| out.push_back(released))?;
        }
        Ok(())
    }
}

/// A codec whose output is a series of frames.
trait Frames: Codec {
    fn push_data(&mut self, data: impl Buf, out: &mut VecDeque<Bytes>) -> Result<(), Self::Error>;
}

/// A codec with the body that it reads from.
struct Polled<C: Codec, B> {
    state: State<C>,
    inner: Pin<Box<B>>,
    /// Frames that the caller has not taken yet, none of them empty.
    out: VecDeque<Bytes>,
}

impl<C: Codec, B: Body> Polled<C, B> {
    fn new(codec: C, inner: B) -> Self {
        Self { state: State::Open(codec), inner: Box::pin(inner), out: VecDeque::new() }
    }
}

impl<C: Codec, B> Polled<C, B> {
    fn is_broken(&self) -> bool {
        matches!(self.state, State::Broken(_))
    }
}

impl<C: Frames<Error: Error + Clone + Send + Sync + 'static>, B: Body<Error: Into<BoxError>>> Polled<C, B> {
    /// Returns the next bytes, or `None` once the body is complete.
    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BoxError>>> {
        loop {
            if let Some(frame) = self.out.pop_front() {
                return Poll::Ready(Some(Ok(frame)));
            }
            match &self.state {
                State::Open(_) => {}
                State::Done(_) => return Poll::Ready(None),
                State::Broken(Failure::Codec(error)) => return Poll::Ready(Some(Err(error.clone().into()))),
                State::Broken(Failure::Source(error)) => return Poll::Ready(Some(Err(error.clone().into()))),
            }
            match ready!(self.inner.as_mut().poll_frame(cx)) {
                Some(Ok(frame)) => {
                    // HTTP trailers of the inner body are neither announced nor signed.
                    let Ok(data) = frame.into_data() else { continue };
                    self.push(data);
                }
                Some(Err(error)) => {
                    let error = error.into();
                    self.state.source_failed(&error);
                    return Poll::Ready(Some(Err(error)));
                }
                None => self.finish(),
            }
        }
    }

    fn push(&mut self, data: impl Buf) {
        if let State::Open(codec) = &mut self.state
            && let Err(error) = codec.push_data(data, &mut self.out)
        {
            self.out.clear();
            self.state.fail(error);
        }
    }

    fn finish(&mut self) {
        let mut end = Vec::new();
        self.state.finish(&mut end);
        if !end.is_empty() && !self.is_broken() {
            self.out.push_back(end.into());
        }
    }
}

fn header_map(trailers: Vec<(alloc::string::String, Vec<u8>)>) -> Result<HeaderMap, ChunkError> {
    let mut map = HeaderMap::new();
    for (name, value) in trailers {
        let pair = HeaderName::from_bytes(name.as_bytes()).ok().zip(HeaderValue::from_bytes(value.trim_ascii()).ok());
        let (name, value) = pair.ok_or(ChunkError::MalformedTrailer)?;
        map.append(name, value);
    }
    Ok(map)
}

impl<B> fmt::Debug for EncodedBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EncodedBody").field(&self.chunks.state).finish()
    }
}

impl<B> fmt::Debug for DecodedBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DecodedBody").field(&self.0.state).finish()
    }
}
