//! The state shared by all adapters: whether a body is open, done or broken.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use crate::streaming::decode::ChunkDecoder;
use crate::streaming::encode::ChunkEncoder;
use crate::streaming::error::{ChunkError, EncodeError};
use crate::streaming::hashed::HashedChunk;

/// An encoder or decoder.
pub(super) trait Codec {
    /// The result at the end of the body.
    type End;
    type Error;

    fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), Self::Error>;
    fn finish(&mut self, out: &mut Vec<u8>) -> Result<Self::End, Self::Error>;
}

/// The state of a body. [`State::Done`] and [`State::Broken`] are final, so a caller that reads again after an error
/// can't mistake the body for a complete one.
pub(super) enum State<C: Codec> {
    Open(C),
    Done(C::End),
    Broken(Failure<C::Error>),
}

/// The reason a body is broken.
#[derive(Debug)]
pub(super) enum Failure<E> {
    Codec(E),
    /// The inner reader or body failed. Its error was returned when it occurred, and can't be cloned.
    Source(SourceFailed),
}

/// Returned by every read after an error of the inner reader or body.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the body can't be read further because an earlier read failed: {0}")]
pub(super) struct SourceFailed(String);

impl<C: Codec> State<C> {
    pub(super) fn push(&mut self, input: &[u8], out: &mut Vec<u8>) {
        if let Self::Open(codec) = self
            && let Err(error) = codec.push(input, out)
        {
            *self = Self::Broken(Failure::Codec(error));
        }
    }

    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        if let Self::Open(codec) = self {
            *self = match codec.finish(out) {
                Ok(end) => Self::Done(end),
                Err(error) => Self::Broken(Failure::Codec(error)),
            };
        }
    }

    pub(super) fn fail(&mut self, error: C::Error) {
        *self = Self::Broken(Failure::Codec(error));
    }

    /// Records that the inner reader or body failed.
    pub(super) fn source_failed(&mut self, error: &dyn fmt::Display) {
        *self = Self::Broken(Failure::Source(SourceFailed(error.to_string())));
    }
}

/// Sets the values of trailers after all data is encoded.
type BeforeTrailer = Box<dyn FnOnce(&mut ChunkEncoder) -> Result<(), EncodeError> + Send + Sync>;

/// An encoder and its callback.
pub(super) struct Encoding {
    encoder: ChunkEncoder,
    before_trailer: Option<BeforeTrailer>,
}

impl Encoding {
    pub(super) fn new(encoder: ChunkEncoder) -> Self {
        Self { encoder, before_trailer: None }
    }
}

impl State<Encoding> {
    pub(super) fn set_before_trailer(&mut self, callback: BeforeTrailer) {
        if let Self::Open(encoding) = self {
            encoding.before_trailer = Some(callback);
        }
    }

    /// Encodes a whole chunk, and returns its header line and its data.
    pub(super) fn push_hashed(&mut self, chunk: HashedChunk<Vec<u8>>) -> Option<(Vec<u8>, Vec<u8>)> {
        let Self::Open(encoding) = self else { return None };
        match encoding.encoder.header_of(&chunk) {
            Ok(header) => header.map(|header| (header, chunk.into_data())),
            Err(error) => {
                self.fail(error);
                None
            }
        }
    }
}

impl Codec for Encoding {
    type End = ();
    type Error = EncodeError;

    fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.encoder.push(input, |piece| out.extend_from_slice(piece))
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        if let Some(callback) = self.before_trailer.take() {
            callback(&mut self.encoder)?;
        }
        self.encoder.finish(|piece| out.extend_from_slice(piece))
    }
}

impl Codec for ChunkDecoder {
    /// The trailers.
    type End = Vec<(String, Vec<u8>)>;
    type Error = ChunkError;

    fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), ChunkError> {
        Self::push(self, input, |data| out.extend_from_slice(data))
    }

    fn finish(&mut self, _: &mut Vec<u8>) -> Result<Self::End, ChunkError> {
        self.end()
    }
}

impl fmt::Debug for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.encoder.fmt(f)
    }
}

impl<C: Codec<Error: fmt::Debug> + fmt::Debug> fmt::Debug for State<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(codec) => codec.fmt(f),
            Self::Done(_) => f.write_str("Done"),
            Self::Broken(failure) => f.debug_tuple("Broken").field(failure).finish(),
        }
    }
}
