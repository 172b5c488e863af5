//! `http_body::Body` around both sides, for hyper, reqwest, axum and tower.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll};

use bytes::{Buf, Bytes};
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body::{Body, Frame, SizeHint};

use crate::sign::{SignError, Signer};
use crate::sigv4::request::{Request, RequestError};
use crate::sigv4::timestamp::Timestamp;
use crate::streaming::decode::ChunkDecoder;
use crate::streaming::encode::{BeforeTrailer, ChunkEncoder};
use crate::streaming::error::{ChunkError, EncodeError};
use crate::streaming::sign::{Chunked, SignedChunked};
use crate::verify::VerifyError;

type BoxError = Box<dyn core::error::Error + Send + Sync>;

impl Signer {
    /// Like [`Signer::sign_chunked`], and inserts the headers, `content-length` among them.
    ///
    /// # Errors
    /// [`SignError`]; the request is as it was.
    pub fn sign_chunked_http<B>(
        &self,
        request: &mut http::Request<B>,
        chunked: &Chunked,
        now: Timestamp,
    ) -> Result<SignedChunked, SignError> {
        let signed = self.sign_chunked(&Request::from(&*request), chunked, now)?;
        let mut own = Vec::new();
        for (name, value) in signed.own_headers() {
            let value =
                HeaderValue::from_str(value).map_err(|_| RequestError::HeaderValue { name: name.into(), byte: 0 })?;
            own.push((HeaderName::from_static(name), value));
        }
        let headers = request.headers_mut();
        signed.signed().apply_to(headers)?;
        // Of an earlier signature. All others are replaced.
        headers.remove("x-amz-trailer");
        for (name, value) in own {
            headers.insert(name, value);
        }
        Ok(signed)
    }
}

/// The data of the body below, as a body in chunks. Its size is known exactly.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use countersign::streaming::{Checksum, Chunked, EncodedBody};
/// use http_body::Body;
/// # use countersign::{Credentials, Signer, Timestamp};
/// # let signer = Signer::new(Credentials::new("AKIDEXAMPLE", "secret")?, "us-east-1", "s3");
/// let data = String::from("hello");
/// let upload = Chunked::unsigned(data.len() as u64).with_checksum(Checksum::Sha256);
/// let mut request = http::Request::put("https://bucket.s3.amazonaws.com/key").body(())?;
/// let signed = signer.sign_chunked_http(&mut request, &upload, Timestamp::now())?;
/// let request = request.map(|()| EncodedBody::new(&signed, data));
/// assert_eq!(request.body().size_hint().exact(), Some(signed.content_length()));
/// # Ok(())
/// # }
/// ```
pub struct EncodedBody<B> {
    encoder: ChunkEncoder,
    inner: Pin<Box<B>>,
    before_trailer: Option<BeforeTrailer>,
    left: u64,
    ended: bool,
}

impl<B: Body> EncodedBody<B> {
    /// Frames `inner` for the request that was signed.
    pub fn new(signed: &SignedChunked, inner: B) -> Self {
        Self {
            encoder: signed.encoder(),
            inner: Box::pin(inner),
            before_trailer: None,
            left: signed.content_length(),
            ended: false,
        }
    }

    /// Calls back once all data is through, to give the values of trailers with [`ChunkEncoder::set_trailer`].
    pub fn before_trailer(
        mut self,
        callback: impl FnOnce(&mut ChunkEncoder) -> Result<(), EncodeError> + Send + Sync + 'static,
    ) -> Self {
        self.before_trailer = Some(Box::new(callback));
        self
    }

    fn finish(&mut self) -> Result<Vec<u8>, EncodeError> {
        self.ended = true;
        let mut out = Vec::new();
        if let Some(callback) = self.before_trailer.take() {
            callback(&mut self.encoder)?;
        }
        self.encoder.finish(|piece| out.extend_from_slice(piece))?;
        Ok(out)
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
        while !this.ended {
            let mut out = Vec::new();
            match core::task::ready!(this.inner.as_mut().poll_frame(cx)) {
                Some(Ok(frame)) => {
                    // Trailers of the body below are not among those announced.
                    let Ok(mut data) = frame.into_data() else { continue };
                    while data.has_remaining() {
                        let piece = data.chunk();
                        let length = piece.len();
                        if let Err(error) = this.encoder.push(piece, |piece| out.extend_from_slice(piece)) {
                            this.ended = true;
                            return Poll::Ready(Some(Err(error.into())));
                        }
                        data.advance(length);
                    }
                }
                Some(Err(error)) => {
                    this.ended = true;
                    return Poll::Ready(Some(Err(error.into())));
                }
                None => match this.finish() {
                    Ok(end) => out = end,
                    Err(error) => return Poll::Ready(Some(Err(error.into()))),
                },
            }
            if !out.is_empty() {
                this.left = this.left.saturating_sub(out.len() as u64);
                return Poll::Ready(Some(Ok(Frame::data(Bytes::from(out)))));
            }
        }
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        self.ended
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// The data of the body in chunks below, each chunk once its signature is checked, and then its trailers.
///
/// The body ends only after all of it was checked. An error of the check is a [`VerifyError`], which
/// [`downcast_ref`](core::error::Error) finds.
///
/// ```
/// use countersign::streaming::DecodedBody;
/// use countersign::{Verified, VerifyError};
/// use http_body::Body;
///
/// fn data<B: Body>(verified: &Verified<'_>, body: B) -> Result<DecodedBody<B>, VerifyError> {
///     Ok(DecodedBody::new(verified.chunk_decoder()?, body))
/// }
/// ```
pub struct DecodedBody<B> {
    /// `None` once the body is whole, or broken.
    decoder: Option<ChunkDecoder>,
    inner: Pin<Box<B>>,
}

impl<B: Body> DecodedBody<B> {
    /// Reads the body in chunks `inner`.
    pub fn new(decoder: ChunkDecoder, inner: B) -> Self {
        Self { decoder: Some(decoder), inner: Box::pin(inner) }
    }
}

impl<B: Body> Body for DecodedBody<B>
where
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        while let Some(decoder) = &mut this.decoder {
            match core::task::ready!(this.inner.as_mut().poll_frame(cx)) {
                Some(Ok(frame)) => {
                    // Trailers of HTTP itself are not signed.
                    let Ok(mut body) = frame.into_data() else { continue };
                    let mut out = Vec::new();
                    while body.has_remaining() {
                        let piece = body.chunk();
                        let length = piece.len();
                        if let Err(error) = decoder.push(piece, |data| out.extend_from_slice(data)) {
                            this.decoder = None;
                            return Poll::Ready(Some(Err(error.into())));
                        }
                        body.advance(length);
                    }
                    if !out.is_empty() {
                        return Poll::Ready(Some(Ok(Frame::data(Bytes::from(out)))));
                    }
                }
                Some(Err(error)) => {
                    this.decoder = None;
                    return Poll::Ready(Some(Err(error.into())));
                }
                None => {
                    let Some(decoder) = this.decoder.take() else { break };
                    match decoder.finish().and_then(header_map) {
                        Ok(trailers) if trailers.is_empty() => {}
                        Ok(trailers) => return Poll::Ready(Some(Ok(Frame::trailers(trailers)))),
                        Err(error) => return Poll::Ready(Some(Err(error.into()))),
                    }
                }
            }
        }
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        self.decoder.is_none()
    }
}

fn header_map(trailers: Vec<(alloc::string::String, Vec<u8>)>) -> Result<HeaderMap, VerifyError> {
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
        f.debug_tuple("EncodedBody").field(&self.encoder).finish()
    }
}

impl<B> fmt::Debug for DecodedBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DecodedBody").field(&self.decoder).finish()
    }
}
