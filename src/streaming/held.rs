//! Data that waits for the end of its chunk: copied, or kept if it arrived as [`Bytes`].

use alloc::vec::Vec;

use bytes::Bytes;

use super::chunk;
use super::decode::ChunkDecoder;
use super::error::ChunkError;

/// A shorter piece is copied: keeping it would save little and take a `Bytes` for each.
const LEAST_KEPT: usize = 4096;
/// A piece that is a smaller part of its input is copied, because keeping it keeps the memory of the whole input.
const LEAST_PART: usize = 4;

impl ChunkDecoder {
    /// Like [`ChunkDecoder::push`], for data that arrives as [`Bytes`], as from hyper. The data that has to wait for the
    /// rest of its chunk is kept instead of copied, and the data is released in slices of the inputs.
    ///
    /// A piece shorter than 4096 bytes or than a quarter of its input is copied, so the inputs kept are at most four times as
    /// long as the data that waits. Both methods can be called for the same body.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use countersign::VerifiedHead;
    ///
    /// fn decode(head: &VerifiedHead<'_>, received: Vec<Bytes>) -> Result<Vec<Bytes>, Box<dyn std::error::Error>> {
    ///     let (mut decoder, mut data) = (head.chunk_decoder()?, Vec::new());
    ///     for input in received {
    ///         decoder.push_bytes(&input, |piece| data.push(piece))?;
    ///     }
    ///     decoder.finish()?;
    ///     Ok(data)
    /// }
    /// # let request = countersign::Request::new("PUT", "/key", &[]).with_host("bucket.example");
    /// # let credentials = countersign::Credentials::new("AKIDEXAMPLE", "secret")?;
    /// # let now = "20150830T123600Z".parse()?;
    /// # let signer = countersign::Signer::new(credentials.clone(), "us-east-1", "s3")?;
    /// # let signed = signer.sign_chunked(&request, &countersign::streaming::Chunked::signed(5), now)?;
    /// # let (mut encoder, mut body) = (signed.encoder(), Vec::new());
    /// # encoder.push(b"hello", |piece| body.push(Bytes::copy_from_slice(piece)))?;
    /// # encoder.finish(|piece| body.push(Bytes::copy_from_slice(piece)))?;
    /// # let headers: Vec<_> = signed.headers().map(|(name, value)| (name, value.as_bytes())).collect();
    /// # let request = countersign::Request::new("PUT", "/key", &headers).with_host("bucket.example");
    /// # let verifier = countersign::Verifier::new("us-east-1", "s3")?;
    /// # let head = verifier.parse(&request, now)?.verify_head(Some(&credentials))?;
    /// assert_eq!(decode(&head, body)?.concat(), b"hello");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The same as for [`ChunkDecoder::push`].
    pub fn push_bytes(&mut self, input: &Bytes, release: impl FnMut(Bytes)) -> Result<(), ChunkError> {
        self.push_to(input, &mut Shared { input, release })
    }
}

/// The start of an incomplete chunk.
#[derive(Default)]
pub(super) struct Held {
    kept: Vec<Bytes>,
    /// What follows `kept`.
    copied: Vec<u8>,
}

impl Held {
    /// The pieces in order.
    pub(super) fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        self.kept.iter().map(|piece| &piece[..]).chain([&self.copied[..]]).filter(|piece| !piece.is_empty())
    }

    fn keep(&mut self, piece: Bytes) {
        if !self.copied.is_empty() {
            self.kept.push(core::mem::take(&mut self.copied).into());
        }
        self.kept.push(piece);
    }
}

/// What is done with the data of one input.
pub(super) trait Sink {
    /// Holds data of a chunk that lacks `to_come` bytes, including `data`.
    fn hold(&mut self, held: &mut Held, data: &[u8], to_come: usize);
    /// Releases all that is held, and leaves nothing.
    fn release_held(&mut self, held: &mut Held);
    /// Releases data of the input.
    fn release(&mut self, data: &[u8]);
}

/// An input that is only borrowed.
pub(super) struct Borrowed<F>(pub(super) F);

impl<F: FnMut(&[u8])> Sink for Borrowed<F> {
    fn hold(&mut self, held: &mut Held, data: &[u8], to_come: usize) {
        chunk::hold(&mut held.copied, data, to_come);
    }

    fn release_held(&mut self, held: &mut Held) {
        held.pieces().for_each(&mut self.0);
        held.kept.clear();
        held.copied.clear();
    }

    fn release(&mut self, data: &[u8]) {
        (self.0)(data);
    }
}

/// An input that can be kept.
struct Shared<'i, F> {
    input: &'i Bytes,
    release: F,
}

impl<F: FnMut(Bytes)> Sink for Shared<'_, F> {
    fn hold(&mut self, held: &mut Held, data: &[u8], to_come: usize) {
        if data.len() < LEAST_KEPT || data.len() < self.input.len() / LEAST_PART {
            chunk::hold(&mut held.copied, data, to_come);
        } else {
            held.keep(self.input.slice_ref(data));
        }
    }

    fn release_held(&mut self, held: &mut Held) {
        held.kept.drain(..).for_each(&mut self.release);
        if !held.copied.is_empty() {
            (self.release)(core::mem::take(&mut held.copied).into());
        }
    }

    fn release(&mut self, data: &[u8]) {
        (self.release)(self.input.slice_ref(data));
    }
}
