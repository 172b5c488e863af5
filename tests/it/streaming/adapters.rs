//! Tests of the adapters for `Read`, `AsyncRead` and `http_body::Body`.

use std::io::{self, Read};

use countersign::streaming::{Checksum, ChunkError, Chunked, DecodedRead, EncodeError, EncodedRead};

use super::{DATA, decoder_of, encode, modes, rules, sign};
use crate::support::fixtures::{credentials, now, verifier, verify_head};

/// A reader that returns a few bytes at a time, and is sometimes interrupted.
pub(super) struct Trickle<'a> {
    rest: &'a [u8],
    calls: usize,
}

impl<'a> Trickle<'a> {
    pub(super) fn new(rest: &'a [u8]) -> Self {
        Self { rest, calls: 0 }
    }
}

impl Read for Trickle<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        self.calls += 1;
        if self.calls.is_multiple_of(5) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let count = self.rest.len().min(to.len()).min(self.calls % 40);
        to[..count].copy_from_slice(&self.rest[..count]);
        self.rest = &self.rest[count..];
        Ok(count)
    }
}

impl Trickle<'_> {
    pub(super) fn read_all(mut reader: impl Read) -> io::Result<Vec<u8>> {
        let (mut all, mut buffer) = (Vec::new(), [0; 11]);
        loop {
            match reader.read(&mut buffer)? {
                0 => return Ok(all),
                count => all.extend_from_slice(&buffer[..count]),
            }
        }
    }
}

fn error_of(error: &io::Error) -> &ChunkError {
    error.get_ref().unwrap().downcast_ref().unwrap()
}

#[test]
fn read_encodes_and_decodes() {
    for (chunked, given) in modes(DATA.len() as u64) {
        let signed = sign(&chunked.with_chunk_size(16));
        let given_again = given.clone();
        let encoded = EncodedRead::new(signed.encoder(), DATA).before_trailer(move |encoder| {
            given_again.iter().try_for_each(|(name, value)| encoder.set_trailer(name, value))
        });
        let body = Trickle::read_all(encoded).unwrap();
        assert_eq!(body, encode(&signed, DATA, &given));

        let mut decoded = DecodedRead::new(decoder_of(&signed, rules()).unwrap(), body.as_slice());
        assert!(decoded.trailers().is_none());
        let mut data = Vec::new();
        decoded.read_to_end(&mut data).unwrap();
        assert_eq!(data, DATA);
        assert!(decoded.trailers().is_some());
        assert_eq!(decoded.read(&mut [0; 8]).unwrap(), 0);
    }
    let _ = Trickle::new(DATA).read(&mut [0; 1]);
}

#[test]
fn a_broken_body_never_ends_cleanly() {
    let signed = sign(&Chunked::signed(DATA.len() as u64).with_chunk_size(16));
    let body = encode(&signed, DATA, &[]);
    let mut changed = body.clone();
    changed[300] ^= 1;
    for (broken, expected) in [
        (&changed[..], ChunkError::SignatureMismatch { number: 3 }),
        (&body[..400], ChunkError::Truncated),
        (&body[..0], ChunkError::Truncated),
    ] {
        let mut decoded = DecodedRead::new(decoder_of(&signed, rules()).unwrap(), broken);
        let mut data = Vec::new();
        let error = decoded.read_to_end(&mut data).unwrap_err();
        assert_eq!((error.kind(), error_of(&error)), (io::ErrorKind::InvalidData, &expected));
        assert!(DATA.starts_with(&data));
        for _ in 0..3 {
            assert!(decoded.read(&mut [0; 8]).is_err());
        }
        assert!(decoded.trailers().is_none());
    }
}

#[test]
fn data_of_the_wrong_length_never_ends_cleanly() {
    let signed = sign(&Chunked::signed(50).with_checksum(Checksum::Sha256));
    for (data, given) in [(DATA, DATA.len() as u64), (&DATA[..40], 40)] {
        let mut encoded = EncodedRead::new(signed.encoder(), data);
        let error = encoded.read_to_end(&mut Vec::new()).unwrap_err();
        let error = error.get_ref().unwrap().downcast_ref::<EncodeError>().unwrap();
        assert_eq!(error, &EncodeError::DecodedLength { announced: 50, given });
        if given < 50 {
            assert!(encoded.read(&mut [0; 8]).is_err());
        }
    }
}

/// A file that grew after its length was announced, and a client that reads again after the error.
#[test]
fn a_body_with_too_much_data_never_ends_cleanly() {
    let signed = sign(&Chunked::signed(40));
    let mut encoded = EncodedRead::new(signed.encoder(), Read::chain(&DATA[..40], &DATA[40..]));
    let mut body = Vec::new();
    let error = encoded.read_to_end(&mut body).unwrap_err();
    for _ in 0..3 {
        let again = encoded.read(&mut [0; 8]).unwrap_err();
        assert_eq!(again.to_string(), error.to_string());
    }
}

/// Hands out its parts, errors among them, and then ends.
struct Script<T>(std::collections::VecDeque<io::Result<T>>);

impl<T> Script<T> {
    fn new(parts: impl IntoIterator<Item = io::Result<T>>) -> Self {
        Self(parts.into_iter().collect())
    }
}

impl Read for Script<&'static [u8]> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let Some(part) = self.0.pop_front() else { return Ok(0) };
        let part = part?;
        to[..part.len()].copy_from_slice(part);
        Ok(part.len())
    }
}

fn failed(kind: io::ErrorKind) -> io::Result<&'static [u8]> {
    Err(io::Error::new(kind, "the disk is gone"))
}

/// The first error of a reader, which every further read must return.
pub(super) fn error_that_stays(mut reader: impl Read) -> io::Error {
    let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
    for _ in 0..3 {
        let again = reader.read(&mut [0; 8]).unwrap_err();
        assert_eq!(again.kind(), error.kind());
        assert!(again.to_string().contains(&error.to_string()), "{again}");
    }
    error
}

/// The inner reader fails and then reports its end, even after all of the data.
#[test]
fn an_error_of_the_inner_reader_is_permanent() {
    let signed = sign(&Chunked::signed(DATA.len() as u64).with_chunk_size(16));
    for data in [&DATA[..0], &DATA[..40], DATA] {
        let below =
            Script::new([Ok(data), failed(io::ErrorKind::ConnectionReset)].into_iter().skip(data.is_empty().into()));
        let error = error_that_stays(EncodedRead::new(signed.encoder(), below));
        assert_eq!((error.kind(), error.to_string().as_str()), (io::ErrorKind::ConnectionReset, "the disk is gone"));
    }
    let body: &'static [u8] = encode(&signed, DATA, &[]).leak();
    for body in [&body[..100], body] {
        let below = Script::new([Ok(body), failed(io::ErrorKind::ConnectionReset)]);
        let error = error_that_stays(DecodedRead::new(decoder_of(&signed, rules()).unwrap(), below));
        assert_eq!((error.kind(), error.to_string().as_str()), (io::ErrorKind::ConnectionReset, "the disk is gone"));
    }
}

/// No data is lost after a socket timeout.
#[test]
fn an_inner_reader_that_is_not_ready_is_read_again() {
    let signed = sign(&Chunked::signed(DATA.len() as u64).with_chunk_size(16));
    let body: &'static [u8] = encode(&signed, DATA, &[]).leak();
    for kind in [io::ErrorKind::WouldBlock, io::ErrorKind::TimedOut] {
        let encoded = EncodedRead::new(signed.encoder(), Script::new([Ok(&DATA[..20]), failed(kind), Ok(&DATA[20..])]));
        let decoder = decoder_of(&signed, rules()).unwrap();
        let decoded = DecodedRead::new(decoder, Script::new([Ok(&body[..20]), failed(kind), Ok(&body[20..])]));
        let (mut encoded, mut decoded): (Box<dyn Read>, Box<dyn Read>) = (Box::new(encoded), Box::new(decoded));
        for (reader, expected) in [(&mut encoded, body), (&mut decoded, DATA)] {
            let mut all = Vec::new();
            assert_eq!(reader.read_to_end(&mut all).unwrap_err().kind(), kind);
            reader.read_to_end(&mut all).unwrap();
            assert!(all == expected);
        }
    }
}

#[test]
fn an_error_of_the_encoder_or_decoder_is_permanent() {
    let signed = sign(&Chunked::signed(40).with_trailer("x-note", 2));
    for data in [&DATA[..39], &DATA[..40], &DATA[..41]] {
        let error = error_that_stays(EncodedRead::new(signed.encoder(), data));
        assert!(error.get_ref().unwrap().is::<EncodeError>(), "{error}");
    }
    let encoded =
        EncodedRead::new(signed.encoder(), &DATA[..40]).before_trailer(|encoder| encoder.set_trailer("x-note", "1"));
    assert!(error_that_stays(encoded).get_ref().unwrap().is::<EncodeError>());

    let signed = sign(&Chunked::unsigned(DATA.len() as u64).with_checksum(Checksum::Sha256));
    let body = encode(&signed, DATA, &[]);
    let mut changed = body.clone();
    changed[10] ^= 1;
    for (body, expected) in [
        (&changed[..], ChunkError::ChecksumMismatch { name: "x-amz-checksum-sha256" }),
        (&body[..40], ChunkError::Truncated),
    ] {
        let error = error_that_stays(DecodedRead::new(decoder_of(&signed, rules()).unwrap(), body));
        assert_eq!(error_of(&error), &expected);
    }
}

/// The same readers with tokio.
mod asynchronous {
    use std::collections::VecDeque;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};

    use super::*;

    /// Hands out its parts, errors among them, is not ready before each, and then ends.
    struct Script {
        parts: VecDeque<io::Result<Vec<u8>>>,
        ready: bool,
    }

    impl Script {
        fn new(parts: impl IntoIterator<Item = io::Result<Vec<u8>>>) -> Self {
            Self { parts: parts.into_iter().collect(), ready: false }
        }

        fn pieces(data: &[u8], length: usize) -> Self {
            Self::new(data.chunks(length).map(|piece| Ok(piece.to_vec())))
        }
    }

    impl AsyncRead for Script {
        fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            self.ready = !self.ready;
            if self.ready {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let Some(part) = self.parts.pop_front() else { return Poll::Ready(Ok(())) };
            Poll::Ready(part.map(|part| to.put_slice(&part)))
        }
    }

    fn wait<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    async fn read_all(mut reader: impl AsyncRead + Unpin) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        reader.read_to_end(&mut all).await.map(|_| all)
    }

    #[test]
    fn async_read_returns_the_same_as_read() {
        for (chunked, trailers) in modes(DATA.len() as u64) {
            let signed = sign(&chunked);
            let body = encode(&signed, DATA, &trailers);
            for length in [1, 7, 1000] {
                let given = trailers.clone();
                let encoded =
                    EncodedRead::new(signed.encoder(), Script::pieces(DATA, length)).before_trailer(move |encoder| {
                        given.iter().try_for_each(|(name, value)| encoder.set_trailer(name, value))
                    });
                assert!(wait(read_all(encoded)).unwrap() == body);
                let decoder = decoder_of(&signed, rules()).unwrap();
                let mut decoded = DecodedRead::new(decoder, Script::pieces(&body, length));
                assert_eq!(wait(read_all(&mut decoded)).unwrap(), DATA);
                assert!(decoded.trailers().is_some());
            }
        }
    }

    fn error_that_stays(mut reader: impl AsyncRead + Unpin) -> io::Error {
        let error = wait(read_all(&mut reader)).unwrap_err();
        for _ in 0..3 {
            let again = wait(reader.read(&mut [0; 8])).unwrap_err();
            assert_eq!(again.kind(), error.kind());
            assert!(again.to_string().contains(&error.to_string()), "{again}");
        }
        error
    }

    #[test]
    fn an_error_is_permanent() {
        let signed = sign(&Chunked::signed(DATA.len() as u64).with_chunk_size(16));
        let body = encode(&signed, DATA, &[]);
        let reset = || Err(io::Error::new(io::ErrorKind::ConnectionReset, "the peer is gone"));
        let below = Script::new([Ok(DATA.to_vec()), reset()]);
        let error = error_that_stays(EncodedRead::new(signed.encoder(), below));
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        let below = Script::new([Ok(body.clone()), reset()]);
        let error = error_that_stays(DecodedRead::new(decoder_of(&signed, rules()).unwrap(), below));
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);

        let short = EncodedRead::new(signed.encoder(), Script::pieces(&DATA[1..], 9));
        assert!(error_that_stays(short).get_ref().unwrap().is::<EncodeError>());
        let mut changed = body.clone();
        changed[body.len() / 2] ^= 1;
        for body in [&body[..100], &changed] {
            let decoder = decoder_of(&signed, rules()).unwrap();
            let error = error_that_stays(DecodedRead::new(decoder, Script::pieces(body, 11)));
            assert!(error.get_ref().unwrap().is::<ChunkError>(), "{error}");
        }
    }
}

mod body {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use bytes::Bytes;
    use countersign::streaming::{DecodedBody, EncodedBody};
    use http_body::{Body, Frame};

    use super::*;

    /// Frames of a few lengths, with pauses in between.
    struct Frames(Vec<Bytes>, bool);

    impl Frames {
        fn of(data: &[u8], length: usize) -> Self {
            Self(data.chunks(length).rev().map(Bytes::copy_from_slice).collect(), false)
        }
    }

    impl Body for Frames {
        type Data = Bytes;
        type Error = io::Error;

        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
            self.1 = !self.1;
            if self.1 {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Poll::Ready(self.0.pop().map(|data| Ok(Frame::data(data))))
        }
    }

    type BoxError = Box<dyn std::error::Error + Send + Sync>;

    fn collect<B: Body<Data = Bytes, Error = BoxError>>(
        body: B,
    ) -> (Vec<u8>, Result<Option<http::HeaderMap>, BoxError>) {
        let mut body = pin!(body);
        let mut cx = Context::from_waker(Waker::noop());
        let (mut data, mut trailers) = (Vec::new(), None);
        loop {
            match body.as_mut().poll_frame(&mut cx) {
                Poll::Pending => {}
                Poll::Ready(None) => {
                    assert!(body.is_end_stream());
                    return (data, Ok(trailers));
                }
                Poll::Ready(Some(Err(error))) => return (data, Err(error)),
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(bytes) => data.extend_from_slice(&bytes),
                    Err(frame) => trailers = frame.into_trailers().ok(),
                },
            }
        }
    }

    #[test]
    fn body_encodes_and_decodes() {
        for (chunked, given) in modes(DATA.len() as u64) {
            let signed = sign(&chunked.with_chunk_size(16));
            for length in [1, 7, 16, 1000] {
                let given_again = given.clone();
                let encoded = EncodedBody::new(&signed, Frames::of(DATA, length)).before_trailer(move |encoder| {
                    given_again.iter().try_for_each(|(name, value)| encoder.set_trailer(name, value))
                });
                assert_eq!(encoded.size_hint().exact(), Some(signed.content_length()));
                let (body, end) = collect(encoded);
                assert!(end.is_ok());
                assert_eq!(body, encode(&signed, DATA, &given));

                let decoder = decoder_of(&signed, rules()).unwrap();
                let (data, trailers) = collect(DecodedBody::new(decoder, Frames::of(&body, length)));
                assert_eq!(data, DATA);
                let announced = signed.headers().find(|(name, _)| *name == "x-amz-trailer").map(|(_, names)| names);
                let trailers = trailers.unwrap().unwrap_or_default();
                assert_eq!(trailers.len(), announced.map_or(0, |names| names.split(',').count()));
                assert!(trailers.keys().all(|name| announced.unwrap_or_default().contains(name.as_str())));
            }
        }
    }

    #[test]
    fn a_broken_body_returns_the_error() {
        let signed = sign(&Chunked::signed(DATA.len() as u64).with_chunk_size(16));
        let body = encode(&signed, DATA, &[]);
        let (data, end) =
            collect(DecodedBody::new(decoder_of(&signed, rules()).unwrap(), Frames::of(&body[..body.len() - 100], 9)));
        assert!(DATA.starts_with(&data));
        let error = end.unwrap_err();
        let error = error.downcast_ref::<ChunkError>().unwrap();
        assert_eq!(error, &ChunkError::Truncated);
        let (_, end) = collect(EncodedBody::new(&signed, Frames::of(&DATA[1..], 9)));
        assert!(end.unwrap_err().downcast_ref::<EncodeError>().is_some());
    }

    impl Body for Script<&'static [u8]> {
        type Data = Bytes;
        type Error = io::Error;

        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
            Poll::Ready(self.0.pop_front().map(|part| part.map(|data| Frame::data(Bytes::from_static(data)))))
        }
    }

    /// The first error of a body, which every further poll must return: the body never ends, or claims to be complete,
    /// after it.
    fn error_that_stays<B: Body<Data = Bytes, Error = BoxError>>(body: B) -> BoxError {
        let mut body = pin!(body);
        let mut cx = Context::from_waker(Waker::noop());
        let mut poll = || loop {
            match body.as_mut().poll_frame(&mut cx) {
                Poll::Pending | Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(Some(Err(error))) => {
                    assert!(!body.is_end_stream());
                    assert_eq!((body.size_hint().lower(), body.size_hint().exact()), (0, None));
                    return error;
                }
                Poll::Ready(None) => panic!("a clean end"),
            }
        };
        let error = poll();
        for _ in 0..3 {
            let again = poll();
            assert!(again.to_string().contains(&error.to_string()), "{again}");
        }
        error
    }

    #[test]
    fn an_error_of_the_inner_body_is_permanent() {
        let failed = || failed(io::ErrorKind::ConnectionReset);
        let signed = sign(&Chunked::signed(DATA.len() as u64).with_chunk_size(16));
        for data in [&DATA[..0], &DATA[..40], DATA] {
            let error = error_that_stays(EncodedBody::new(&signed, Script::new([Ok(data), failed()])));
            assert_eq!(error.downcast_ref::<io::Error>().unwrap().kind(), io::ErrorKind::ConnectionReset);
        }
        let body: &'static [u8] = encode(&signed, DATA, &[]).leak();
        for body in [&body[..0], &body[..100], body] {
            let decoder = decoder_of(&signed, rules()).unwrap();
            let error = error_that_stays(DecodedBody::new(decoder, Script::new([Ok(body), failed()])));
            assert_eq!(error.downcast_ref::<io::Error>().unwrap().kind(), io::ErrorKind::ConnectionReset);
        }
    }

    #[test]
    fn an_error_of_the_encoder_is_permanent() {
        let signed = sign(&Chunked::signed(40).with_chunk_size(16).with_trailer("x-note", 2));
        let announced = 40;
        for (data, expected) in [
            (&DATA[..39], EncodeError::DecodedLength { announced, given: 39 }),
            (&DATA[..40], EncodeError::MissingTrailer { name: "x-note".into() }),
            (&DATA[..41], EncodeError::DecodedLength { announced, given: 41 }),
        ] {
            let error = error_that_stays(EncodedBody::new(&signed, Script::new([Ok(data)])));
            assert_eq!(error.downcast_ref(), Some(&expected));
        }
        let body = EncodedBody::new(&signed, Script::new([Ok(&DATA[..40])]));
        let error = error_that_stays(body.before_trailer(|encoder| encoder.set_trailer("x-note", "1")));
        assert!(error.is::<EncodeError>());
    }

    #[test]
    fn an_error_of_the_decoder_is_permanent() {
        let length = DATA.len() as u64;
        for (chunked, change, expected) in [
            (Chunked::signed(length), 300, ChunkError::SignatureMismatch { number: 3 }),
            (Chunked::signed(length), usize::MAX, ChunkError::Truncated),
            (
                Chunked::unsigned(length).with_checksum(Checksum::Sha256),
                10,
                ChunkError::ChecksumMismatch { name: "x-amz-checksum-sha256" },
            ),
            (Chunked::unsigned(length).with_checksum(Checksum::Sha256), usize::MAX, ChunkError::Truncated),
        ] {
            let signed = sign(&chunked.with_chunk_size(16));
            let mut body = encode(&signed, DATA, &[]);
            match body.get_mut(change) {
                Some(byte) => *byte ^= 1,
                None => body.truncate(50),
            }
            for length in [7, body.len()] {
                let decoder = decoder_of(&signed, rules()).unwrap();
                let error = error_that_stays(DecodedBody::new(decoder, Frames::of(&body, length)));
                assert_eq!(error.downcast_ref(), Some(&expected));
            }
        }
        // A trailer that the decoder accepts, but a `HeaderMap` doesn't.
        let signed = sign(&Chunked::signed(0).with_trailer("x-note", 1));
        let body = encode(&signed, b"", &[("x-note", "\u{7f}")]);
        let error = error_that_stays(DecodedBody::new(decoder_of(&signed, rules()).unwrap(), Frames::of(&body, 7)));
        assert_eq!(error.downcast_ref(), Some(&ChunkError::MalformedTrailer));
    }

    #[test]
    fn the_headers_are_inserted_into_an_http_request() {
        let mut request =
            http::Request::put("https://bucket.example/key").header("content-encoding", "gzip").body(()).unwrap();
        let chunked = Chunked::unsigned(5).with_checksum(Checksum::Sha256);
        let signed = crate::streaming::signer().sign_chunked(&request, &chunked, now()).unwrap();
        signed.apply_to(request.headers_mut()).unwrap();
        for (name, value) in signed.headers() {
            assert_eq!(request.headers()[name], value);
            assert_eq!(request.headers().get_all(name).iter().count(), 1);
        }
        assert_eq!(request.headers()["content-encoding"], "aws-chunked,gzip");
        assert!(request.headers()["authorization"].is_sensitive());

        // Signed again without a trailer: the trailer that the first signature announced is removed.
        let signed = crate::streaming::signer().sign_chunked(&request, &Chunked::signed(5), now()).unwrap();
        signed.apply_to(request.headers_mut()).unwrap();
        assert!(!request.headers().contains_key("x-amz-trailer"));
        assert_eq!(request.headers()["content-encoding"], "aws-chunked,gzip");
        let verifier = verifier("s3").with_rules(rules());
        assert!(verify_head(&verifier, &request, &credentials(), now()).unwrap().chunk_decoder().is_ok());
    }
}
